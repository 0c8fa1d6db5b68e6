/* The command palette and the keys: ? help, / search, g then a letter to go, h hide amounts. */

const palette = document.getElementById("palette");
const query = palette?.querySelector("input");
const list = palette?.querySelector("[role='listbox']");
const nothing = palette?.querySelector("[data-nothing]");
const markets = list?.querySelector("[data-find]");
const PAIR = 1200;
const TYPED = 120;

let options = list ? [...list.querySelectorAll("[role='option']")] : [];
let waitsForLetter = 0;
let asking = 0;

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

/** Show what holds the words; `found` are ids that the server has chosen for them. */
function filter(found = []) {
  const words = query.value.trim().toLowerCase();
  for (const option of options) {
    const text = `${option.textContent} ${option.dataset.words ?? ""}`.toLowerCase();
    option.hidden = !found.includes(option.id) && (!text.includes(words) || (!words && markets?.contains(option)));
    mark(option, words);
  }
  list.querySelectorAll("[role='group']").forEach((group) => {
    group.hidden = !group.querySelector("[role='option']:not([hidden])");
  });
  nothing.hidden = shown().length > 0;
  select(shown()[0]);
}

/* --- markets: found by the server, put above the pages --- */
function line({ instrument, title, pair, venue, price, change, href }) {
  const option = document.createElement("div");
  option.className = "o";
  option.id = `palette-${instrument}`;
  option.setAttribute("role", "option");
  option.dataset.href = href;
  option.dataset.words = instrument;
  const name = document.createElement("span");
  name.dataset.name = "";
  name.textContent = `${title} ${pair}, ${venue}`;
  const end = document.createElement("span");
  end.className = "end";
  end.append(price);
  if (change !== null) {
    const moved = document.createElement("span");
    const percent = (Math.abs(change) * 100).toFixed(2);
    moved.className = `chg ${change > 0 ? "up" : change < 0 ? "dn" : "eq"} hide-sm`;
    moved.textContent = `${change > 0 ? "+" : change < 0 ? "−" : ""}${percent}%`;
    end.append(" ", moved);
  }
  option.append(name, end);
  return option;
}

async function find() {
  const words = query.value.trim();
  const answer = words ? await fetch(`${markets.dataset.find}?${new URLSearchParams({ words })}`).catch(() => null) : null;
  if (query.value.trim() !== words) return;
  const { results } = answer?.ok ? await answer.json() : { results: [] };
  markets.querySelectorAll("[role='option']").forEach((option) => option.remove());
  markets.append(...results.map(line));
  options = [...list.querySelectorAll("[role='option']")];
  filter(results.map(({ instrument }) => `palette-${instrument}`));
}

function ask() {
  filter();
  clearTimeout(asking);
  if (markets) asking = window.setTimeout(find, TYPED);
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
  query.addEventListener("input", ask);
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
    const search = document.querySelector("input[aria-keyshortcuts='/']"); // a page's own search comes first
    if (search) search.focus();
    else open("palette");
  } else if (event.key === "?") open("keys");
  else if (event.key === "h") document.dispatchEvent(new CustomEvent("toggle-private"));
});
