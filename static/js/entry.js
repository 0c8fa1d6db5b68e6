/* Entering a transaction: the fields follow what happened, and the effect follows the fields. Nothing is booked here. */

const QUIET = 350;

const form = document.getElementById("entry-form");
const effect = document.getElementById("entry-effect");
let waiting = 0;
let asked = null;

async function ask(step) {
  asked?.abort();
  asked = new AbortController();
  const body = new FormData(form);
  body.set("step", step);
  const answer = await fetch(form.dataset.preview, {
    method: "POST",
    body,
    credentials: "same-origin",
    headers: { "HX-Request": "true" },
    signal: asked.signal,
  });
  if (!answer.ok) throw new Error(answer.statusText);
  return answer.text();
}

function preview() {
  window.clearTimeout(waiting);
  waiting = window.setTimeout(async () => {
    try {
      effect.innerHTML = await ask("preview");
    } catch {
      return; // typed on, or the server is away: the last effect stays until the next key
    }
  }, QUIET);
}

async function changeFields() {
  try {
    const parts = document.createElement("template");
    parts.innerHTML = await ask("fields");
    const focused = document.activeElement?.value;
    document.getElementById("entry-parts").replaceWith(parts.content);
    form.querySelector(`[name="template"][value="${CSS.escape(focused ?? "")}"]`)?.focus();
    preview();
  } catch {
    form.querySelector("[name='step'][value='fields']")?.removeAttribute("data-choose-submit");
  }
}

form.addEventListener("change", ({ target }) => {
  if (target.name === "template") changeFields();
  else preview();
});
form.addEventListener("input", ({ target }) => target.name !== "template" && preview());
if (new FormData(form).get("amount") || new FormData(form).get("out_amount")) preview();
