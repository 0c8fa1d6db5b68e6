/* The command palette and the keys: ? help, / search, g then a letter to go, h hide amounts. */

const palette = document.getElementById("palette");
const query = palette?.querySelector("input");
const list = palette?.querySelector("[role='listbox']");
const nothing = palette?.querySelector("[data-nothing]");
const options = list ? [...list.querySelectorAll("[role='option']")] : [];
const PAIR = 1200;

let waitsForLetter = 0;

const open = (id) => document.dispatchEvent(new CustomEvent("open-dialog", { detail: id }));
const shown = () => options.filter((option) => !option.hidden);

function select(option) {
  options.forEach((other) => other.setAttribute("aria-selected", String(other === option)));
  if (!option) return query.removeAttribute("aria-activedescendant");
  query.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

function mark(option, words) {
  const label = option.querySelector("[data-name]");
  const text = label.textContent;
  const at = words ? text.toLowerCase().indexOf(words) : -1;
  if (at < 0) return label.replaceChildren(text);
  const hit = document.createElement("mark");
  hit.textContent = text.slice(at, at + words.length);
  label.replaceChildren(text.slice(0, at), hit, text.slice(at + words.length));
}

function filter() {
  const words = query.value.trim().toLowerCase();
  for (const option of options) {
    option.hidden = !`${option.textContent} ${option.dataset.words ?? ""}`.toLowerCase().includes(words);
    mark(option, words);
  }
  list.querySelectorAll("[role='group']").forEach((group) => {
    group.hidden = !group.querySelector("[role='option']:not([hidden])");
  });
  nothing.hidden = shown().length > 0;
  select(shown()[0]);
}

function run(option) {
  palette.close();
  const { href, event, dialog, submit } = option.dataset;
  if (href) location.assign(href);
  else if (dialog) open(dialog);
  else if (submit) document.getElementById(submit).requestSubmit();
  else if (event) document.dispatchEvent(new CustomEvent(event));
}

function move(step) {
  const now = shown();
  const at = now.findIndex((option) => option.getAttribute("aria-selected") === "true");
  select(now[(at + step + now.length) % now.length]);
}

if (palette) {
  query.addEventListener("input", filter);
  palette.addEventListener("toggle", (event) => {
    if (event.newState !== "open") return;
    query.value = "";
    filter();
    query.focus();
  });
  palette.addEventListener("close", () => query.blur());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role='option']");
    if (option) run(option);
  });
  palette.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") move(1);
    else if (event.key === "ArrowUp") move(-1);
    else if (event.key === "Enter") {
      const chosen = options.find((option) => option.getAttribute("aria-selected") === "true" && !option.hidden);
      if (chosen) run(chosen);
    } else return;
    event.preventDefault();
  });
}

function go(letter) {
  const link = document.querySelector(`[data-go="${CSS.escape(letter)}"]`);
  if (link) location.assign(link.href);
}

document.addEventListener("keydown", (event) => {
  const commandK = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey);
  if (commandK) {
    event.preventDefault();
    return open("palette");
  }
  const typing = event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.timeStamp < waitsForLetter) {
    waitsForLetter = 0;
    return go(event.key);
  }
  if (event.key === "g") waitsForLetter = event.timeStamp + PAIR;
  else if (event.key === "/") {
    event.preventDefault();
    open("palette");
  } else if (event.key === "?") open("keys");
  else if (event.key === "h") document.dispatchEvent(new CustomEvent("toggle-private"));
});
