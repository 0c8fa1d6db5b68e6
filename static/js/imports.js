/* A file is dropped or chosen; its name shows which. Where templates are kept, its beginning is looked at, and the
   fields are filled by the template that fits, or by the one that is chosen. Everything else is the form. */

const drop = document.querySelector("[data-drop]");
const input = drop?.querySelector("input[type='file']");
const name = drop?.querySelector("[data-file-name]");

const form = document.querySelector("#upload[data-look]");
const fields = document.querySelector("#upload-fields");
const BEGINNING = 64 * 1024;

async function look(template) {
  const file = input.files[0];
  if (!form || !file) return;
  const body = new FormData();
  body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  body.append("file", file.slice(0, BEGINNING), file.name);
  if (template !== undefined) body.append("template", template);
  const answer = await fetch(form.dataset.look, { method: "POST", body });
  if (answer.ok && input.files[0] === file) fields.innerHTML = await answer.text();
}

fields?.addEventListener("change", ({ target }) => {
  if (target.name === "template") look(target.value);
});

function tell() {
  if (input.files[0]) name.textContent = input.files[0].name;
  drop.classList.toggle("is-chosen", Boolean(input.files[0]));
}

input?.addEventListener("change", () => {
  tell();
  look();
});
for (const kind of ["dragenter", "dragover"]) {
  drop?.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.add("is-over");
  });
}
drop?.addEventListener("dragleave", () => drop.classList.remove("is-over"));
drop?.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("is-over");
  if (!event.dataTransfer?.files.length) return;
  input.files = event.dataTransfer.files;
  tell();
  look();
});
if (input?.files?.length) tell();
