/* Short messages that leave by themselves; errors stay. At most three at a time.
   From a script: document.dispatchEvent(new CustomEvent("toast", { detail: { title, text, kind } })).
   From the server: the messages framework, or the HX-Trigger header with the event "toast". */

const STAY = 6000;
const MOST = 3;

const region = document.getElementById("toasts");
const pattern = document.getElementById("toast-pattern");

function leave(toast) {
  toast.remove();
}

function watch(toast) {
  if (toast.getAttribute("role") === "alert") return;
  let timer = window.setTimeout(() => leave(toast), STAY);
  toast.addEventListener("pointerenter", () => window.clearTimeout(timer));
  toast.addEventListener("pointerleave", () => {
    timer = window.setTimeout(() => leave(toast), STAY);
  });
}

function show({ title, text = "", kind = "info" }) {
  if (!region || !pattern) return;
  const source = pattern.content.querySelector(`[data-kind="${CSS.escape(kind)}"]`) ?? pattern.content.firstElementChild;
  const toast = source.cloneNode(true);
  toast.querySelector("[data-title]").textContent = title;
  const small = toast.querySelector("small");
  small.textContent = text;
  small.hidden = !text;
  region.append(toast);
  while (region.children.length > MOST) leave(region.firstElementChild);
  watch(toast);
}

region?.querySelectorAll(".toast").forEach(watch);
region?.addEventListener("click", (event) => {
  if (event.target.closest("[data-dismiss]")) leave(event.target.closest(".toast"));
});
document.addEventListener("toast", (event) => show(event.detail ?? {}));
document.addEventListener("htmx:sendError", () => show({ kind: "bad", title: region?.dataset.unreachable ?? "" }));
document.addEventListener("htmx:responseError", (event) => {
  const answer = event.detail?.xhr;
  if (answer && answer.status >= 500) show({ kind: "bad", title: region?.dataset.failed ?? "" });
});
