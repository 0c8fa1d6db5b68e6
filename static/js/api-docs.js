// Draws the OpenAPI document; the bundle before us has put SwaggerUIBundle on the window.
import { shownTheme } from "./preferences.js";

const place = document.getElementById("api-docs");

const followTheme = () => document.documentElement.classList.toggle("dark-mode", shownTheme() === "dark");
followTheme();
document.addEventListener("look-changed", followTheme);
window.matchMedia("(prefers-color-scheme: light)").addEventListener("change", followTheme);

const csrf = () => document.cookie.match(/(?:^|; )coinsphere_csrf=([^;]+)/)?.[1];

window.SwaggerUIBundle({
  domNode: place,
  url: place.dataset.schema,
  deepLinking: true,
  validatorUrl: null,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  docExpansion: "none",
  filter: true,
  requestInterceptor(request) {
    const token = csrf();
    if (token && new URL(request.url, location.href).origin === location.origin) {
      request.headers["X-CSRFToken"] = token;
    }
    return request;
  },
});
