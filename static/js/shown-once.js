/* An answer that shows a secret once: looking at the page again asks for the list, and sends nothing a second time. */

const back = document.querySelector("[data-shown-once]");
if (back) window.history.replaceState(null, "", back.dataset.shownOnce);
