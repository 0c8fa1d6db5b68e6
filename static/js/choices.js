/* The preferences page: theme, palette and density show at once; the form keeps them when it is saved. */

const page = document.documentElement;
const before = { theme: page.dataset.theme, palette: page.dataset.palette, density: page.dataset.density };
let saving = false;

document.addEventListener("change", (event) => {
  const { name, value } = event.target;
  if (name in before) page.dataset[name] = value;
});
document.addEventListener("submit", () => {
  saving = true;
});
/* back without saving: the page that the browser keeps looks as it was */
window.addEventListener("pagehide", () => {
  if (!saving) Object.assign(page.dataset, before);
});
