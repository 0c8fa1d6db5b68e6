/* Disposals: their lots unfold below them, all of them for the printer. */

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-lots]") : null;
  if (button) {
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    button.closest("tbody").querySelectorAll(".pf-piece").forEach((row) => (row.classList.toggle("is-folded", !open)));
  }
  if (event.target instanceof Element && event.target.closest("[data-print]")) window.print();
});

/* A page that was opened to be printed prints itself once all of it is there. */
if (document.querySelector("[data-print-now]")) {
  const rest = document.getElementById("year-end");
  if (rest) rest.addEventListener("htmx:afterSettle", () => window.print(), { once: true });
  else window.addEventListener("load", () => window.print());
}
