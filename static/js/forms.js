/* Small help for forms: a password that can be looked at, text that can be copied, a button that shows it is busy,
   a question before what cannot be undone. Every form works without it. */

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const text = source?.dataset.text ?? source?.textContent.trim() ?? "";
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const range = document.createRange();
    range.selectNodeContents(source);
    const selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    return;
  }
  const label = button.querySelector("[data-label]") ?? button;
  const before = label.textContent;
  label.textContent = button.dataset.copied ?? before;
  window.setTimeout(() => {
    label.textContent = before;
  }, 2000);
}

function reveal(button) {
  const input = button.parentElement.querySelector("input");
  const show = input.type === "password";
  input.type = show ? "text" : "password";
  button.setAttribute("aria-pressed", String(show));
  button.querySelector("[data-closed]").hidden = show;
  button.querySelector("[data-opened]").hidden = !show;
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const copier = target?.closest("[data-copy]");
  if (copier) copy(copier);
  const revealer = target?.closest("[data-reveal]");
  if (revealer) reveal(revealer);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  const question = event.submitter?.dataset.confirm ?? form.dataset.confirm;
  if (question && !window.confirm(question)) {
    event.preventDefault();
    return;
  }
  if (form.method === "dialog" || form.hasAttribute("hx-post")) return;
  const button = event.submitter ?? form.querySelector("button:not([type='button'])");
  window.setTimeout(() => button?.setAttribute("aria-busy", "true"), 150);
});

/* back from the cache of the browser: nothing is busy any more */
window.addEventListener("pageshow", () => {
  document.querySelectorAll("[aria-busy='true'].btn:not([data-stays-busy])").forEach((button) => button.removeAttribute("aria-busy"));
});

/* six digits are enough said */
document.addEventListener("input", (event) => {
  const input = event.target;
  if (!(input instanceof HTMLInputElement) || !input.closest(".otp")) return;
  input.value = input.value.replace(/\D/g, "").slice(0, 6);
  if (input.value.length === 6 && input.form && input.closest("[data-submit-when-full]")) input.form.requestSubmit();
});

/* after a refused form the reader starts at what is wrong */
const refused = document.querySelector("form:not([data-sample]) .errsum, form:not([data-sample]) [aria-invalid='true']");
refused?.focus();
