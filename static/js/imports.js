/* A file is dropped or chosen; its name shows which. Everything else is the form. */

const drop = document.querySelector("[data-drop]");
const input = drop?.querySelector("input[type='file']");
const name = drop?.querySelector("[data-file-name]");

function tell() {
  if (input.files[0]) name.textContent = input.files[0].name;
  drop.classList.toggle("is-chosen", Boolean(input.files[0]));
}

input?.addEventListener("change", tell);
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
});
if (input?.files?.length) tell();
