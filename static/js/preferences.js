/* Theme, palette, density and hidden amounts: applied at once, then kept by the server.
   The server writes them into <html> on the next page; a stranger's theme is kept in a cookie. */

const page = document.documentElement;
const address = document.body.dataset.preferences ?? "";
const MASK = "••••••";
const YEAR = 365 * 24 * 3600;

function say(title, text = "") {
  document.dispatchEvent(new CustomEvent("toast", { detail: { kind: "bad", title, text } }));
}

function headers() {
  return { ...JSON.parse(document.body.getAttribute("hx-headers") ?? "{}"), Accept: "application/json" };
}

async function save(change) {
  if (!address) return true;
  try {
    const current = await fetch(address, { headers: headers() });
    if (!current.ok) throw new Error(String(current.status));
    const body = JSON.stringify({ ...(await current.json()), ...change });
    const answer = await fetch(address, {
      method: "PUT",
      headers: { ...headers(), "Content-Type": "application/json" },
      body,
    });
    if (!answer.ok) throw new Error(String(answer.status));
    return true;
  } catch {
    say(document.body.dataset.notSaved ?? "");
    return false;
  }
}

export function shownTheme() {
  if (page.dataset.theme !== "auto") return page.dataset.theme ?? "dark";
  return window.matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
}

function paint() {
  const dark = shownTheme() === "dark";
  document.querySelectorAll("[data-theme-toggle]").forEach((button) => {
    button.setAttribute("aria-label", dark ? button.dataset.toLight : button.dataset.toDark);
    button.querySelector("[data-sun]").hidden = !dark;
    button.querySelector("[data-moon]").hidden = dark;
  });
  document.querySelectorAll("[data-preference]").forEach((choice) => {
    const on = (page.dataset[choice.dataset.preference] ?? "") === choice.dataset.value;
    choice.setAttribute(choice.hasAttribute("aria-checked") ? "aria-checked" : "aria-pressed", String(on));
  });
  document.dispatchEvent(new CustomEvent("look-changed"));
}

function set(name, value) {
  page.dataset[name] = value;
  if (name === "theme") {
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `coinsphere_theme=${value}; path=/; max-age=${YEAR}; samesite=lax${secure}`;
  }
  paint();
  return save({ [name]: value });
}

/* Hidden amounts are masked in the server's HTML; what this page already shows is covered at once. */
async function togglePrivate() {
  const hide = !("private" in page.dataset);
  if (hide) {
    page.dataset.private = "";
    document.querySelectorAll(".amt").forEach((amount) => {
      amount.textContent = MASK;
    });
  }
  if (await save({ private: hide })) location.reload();
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest("[data-theme-toggle]")) set("theme", shownTheme() === "dark" ? "light" : "dark");
  if (target?.closest("[data-private-toggle]")) togglePrivate();
  const choice = target?.closest("[data-preference]");
  if (choice) set(choice.dataset.preference, choice.dataset.value);
});
document.addEventListener("toggle-private", togglePrivate);
document.addEventListener("toggle-theme", () => set("theme", shownTheme() === "dark" ? "light" : "dark"));
window.matchMedia("(prefers-color-scheme: light)").addEventListener("change", paint);
paint();
