/* The list of transactions: filters work as they are typed, a row opens its story beside the list, j and k walk. */

const ledger = document.getElementById("ledger");
const story = document.getElementById("story");
const said = document.getElementById("story-said");
const filters = document.getElementById("ledger-filters");

// --- The story beside the list -----------------------------------------------------------------------------------------
function select(id) {
  for (const row of ledger.querySelectorAll("tr[data-entry]")) {
    if (row.dataset.entry === id) row.setAttribute("aria-selected", "true");
    else row.removeAttribute("aria-selected");
  }
}

function showStory(shown) {
  story.hidden = !shown;
  ledger.classList.toggle("span-9", shown);
  ledger.classList.toggle("span-12", !shown);
  if (!shown) select("");
}

/** Close it and go back to the row that it was about. */
function closeStory() {
  const row = ledger.querySelector("tr[aria-selected] a.asset");
  showStory(false);
  row?.focus();
}

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  const row = detail.target === story ? detail.elt.closest("tr[data-entry]") : null;
  if (row) select(row.dataset.entry);
});

document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target === story) {
    showStory(true);
    said.textContent = story.querySelector("h2")?.textContent.trim() ?? "";
    if (matchMedia("(max-width: 79.99rem)").matches) story.scrollIntoView({ block: "start" });
  }
  if (detail.target === ledger) {
    showStory(false);
    tellFilters();
  }
});

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest("[data-close-story]")) {
    event.preventDefault();
    closeStory();
    return;
  }
  const row = target?.closest("tr[data-entry]");
  if (row && !target.closest("a, button")) row.querySelector("a.asset").click();
});

// --- Filters -----------------------------------------------------------------------------------------------------------
function tellFilters() {
  const clear = filters.querySelector("[data-clear-filters]");
  const asked = [...new FormData(filters).values()].some(Boolean);
  clear.hidden = !asked;
}

filters?.addEventListener("input", tellFilters);

/* on a phone the list comes first; what is chosen stays in sight */
const more = filters?.querySelector(".pf-more");
const chosen = more && [...more.querySelectorAll("select, input")].some((one) => (one.type === "checkbox" ? one.checked : one.value));
if (more && !chosen && matchMedia("(max-width: 47.99rem)").matches) more.open = false;

// --- Keys --------------------------------------------------------------------------------------------------------------
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !story || story.hidden || document.querySelector("dialog[open], [popover]:popover-open")) return;
  if (event.target instanceof Element && event.target.closest("input, textarea, select")) return;
  closeStory();
  event.preventDefault();
});
