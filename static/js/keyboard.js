/* The command palette and the keys: ? help, / search, g then a letter to go, h hide amounts, j and k from row to row.

   A page's own key stands on its element as [data-key]; a page that walks through its rows itself says [data-own-rows]. */

const palette = document.getElementById("palette");
const query = palette?.querySelector("input");
const list = palette?.querySelector("[role='listbox']");
const nothing = palette?.querySelector("[data-nothing]");
const finders = list ? [...list.querySelectorAll("[data-find]")] : [];
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
    option.hidden = !found.includes(option.id) && (!text.includes(words) || (!words && finders.some((group) => group.contains(option))));
    mark(option, words);
  }
  list.querySelectorAll("[role='group']").forEach((group) => {
    group.hidden = !group.querySelector("[role='option']:not([hidden])");
  });
  nothing.hidden = shown().length > 0;
  select(shown()[0]);
}

/* --- what the server finds: one's own assets and markets, put above the pages --- */
function line(group, { id, title, more, price, change = null, href }) {
  const option = document.createElement("div");
  option.className = "o";
  option.id = `${group.id}-${id}`;
  option.setAttribute("role", "option");
  option.dataset.href = href;
  option.dataset.words = id;
  const name = document.createElement("span");
  name.dataset.name = "";
  name.textContent = title;
  const end = document.createElement("span");
  end.className = "end";
  end.append(price ?? more ?? "");
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

/** A market and an asset of one's own, as a line wants them. */
const told = ({ instrument, asset, title, pair, venue, more, ...rest }) =>
  instrument ? { id: instrument, title: `${title} ${pair}, ${venue}`, ...rest } : { id: asset, title: title === asset ? asset : `${title} ${asset}`, more, ...rest };

async function ask(group, words) {
  const answer = await fetch(`${group.dataset.find}?${new URLSearchParams({ words })}`).catch(() => null);
  return answer?.ok ? (await answer.json()).results : [];
}

async function find() {
  const words = query.value.trim();
  const answers = await Promise.all(finders.map((group) => (words ? ask(group, words) : [])));
  if (query.value.trim() !== words) return;
  const found = finders.flatMap((group, at) => {
    const lines = answers[at].map((result) => line(group, told(result)));
    group.querySelectorAll("[role='option']").forEach((option) => option.remove());
    group.append(...lines);
    return lines.map((option) => option.id);
  });
  options = [...list.querySelectorAll("[role='option']")];
  filter(found);
}

function typed() {
  filter();
  clearTimeout(asking);
  if (finders.length) asking = window.setTimeout(find, TYPED);
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
  query.addEventListener("input", typed);
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

/* --- keys --- */
const isFree = (event) =>
  !(event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]")) &&
  !(event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]"));

function go(letter) {
  const link = document.querySelector(`[data-go="${CSS.escape(letter)}"]`);
  if (link) location.assign(link.href);
}

/* the second key of a pair belongs to the pair alone, whatever it means on the page */
document.addEventListener(
  "keydown",
  (event) => {
    if (event.timeStamp >= waitsForLetter || !isFree(event) || event.key.length > 1) return;
    waitsForLetter = 0;
    event.preventDefault();
    event.stopImmediatePropagation();
    go(event.key);
  },
  true,
);

/** Go to the next or the last row of the page's tables and lists that leads somewhere. */
function walk(step) {
  const main = document.getElementById("main");
  if (!main || main.querySelector("[data-own-rows]") || document.querySelector("[popover]:popover-open")) return false;
  const links = [...main.querySelectorAll(":is(tbody tr, [data-item], .list > li)")]
    .filter((row) => row.checkVisibility())
    .map((row) => row.querySelector("a[href]"))
    .filter(Boolean);
  if (!links.length) return false;
  const at = links.indexOf(document.activeElement?.closest(":is(tbody tr, [data-item], .list > li)")?.querySelector("a[href]"));
  const next = links[at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.max(0, Math.min(links.length - 1, at + step))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
  return true;
}

const KEYS = {
  g: (event) => (waitsForLetter = event.timeStamp + PAIR),
  "?": () => open("keys"),
  h: () => document.dispatchEvent(new CustomEvent("toggle-private")),
  j: () => walk(1),
  k: () => walk(-1),
  "/": () => {
    const search = document.querySelector("input[aria-keyshortcuts='/']"); // a page's own search comes first
    if (!search) return open("palette");
    search.focus();
    search.select();
  },
};

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    return open("palette");
  }
  if (!isFree(event) || event.defaultPrevented) return;
  const own = event.key.length === 1 ? document.querySelector(`[data-key="${CSS.escape(event.key)}"]`) : null;
  if (own) own.click();
  else if (!KEYS[event.key] || KEYS[event.key](event) === false) return;
  event.preventDefault();
});
