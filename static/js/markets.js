/* The table of markets. The server draws the first page; then this script takes all rows over and keeps only those
   in view in the page, so that a thousand markets scroll, filter and sort at once and the socket carries few prices. */

import { drawSpark, isStale, ageWords, ageOf, onPrice, paintChange, paintPrice, priceWords, seenAtOf, shortWords, want } from "./prices.js";
import { openWatchMenu, toggleFirst, onWatched } from "./watch.js";

const AROUND = 8; // rows kept ready above and below the view
const AGAIN_AFTER = 5_000;
const FILLED_EVERY = 20_000; // while history is still arriving
const RENEWED_EVERY = 180_000;
const SETTLED = 150;
const RESTED = 60;

const card = document.getElementById("markets");
const form = document.getElementById("market-filters");
const field = form?.elements.words;
const pattern = document.getElementById("market-row");
const drawn = new Set((card?.dataset.drawn ?? "").split(" "));

let rows = []; // all of them, the largest first, as the server sent them
let byName = new Map();
let shown = []; // those that fit, in order
let sort = { column: "volume", descending: true };
let active = -1;
let height = 48;
let drawnFrom = -1;
let drawnTo = -1;
let body = null;
let columns = 8; // those that this width shows

// --- Rows ------------------------------------------------------------------------------------------------------------
const NAMES = ["i", "title", "venueName", "digits", "price", "ts", "change_24h", "hourAgo", "weekAgo", "volume", "spark", "watched"];
const NUMBERS = ["hourAgo", "weekAgo", "volume", "change_24h"];

function rowOf(values) {
  const row = Object.fromEntries(NAMES.map((name, at) => [name, values[at]]));
  for (const name of NUMBERS) row[name] = row[name] === null ? null : Number(row[name]);
  const [venue, symbol] = [row.i.slice(0, row.i.indexOf(":")), row.i.slice(row.i.indexOf(":") + 1)];
  const [base, quote] = symbol.split("/");
  Object.assign(row, { venue, symbol, base, quote, seenAt: row.ts === null ? null : seenAtOf(row.ts) });
  row.text = `${row.title} ${symbol} ${venue}`.toLowerCase();
  row.name = `${row.title.toLowerCase()} ${symbol} ${venue}`;
  return refigure(row);
}

const moved = (before, price) => (before > 0 && price !== null ? Number(price) / before - 1 : null);

function refigure(row) {
  row.change_1h = moved(row.hourAgo, row.price);
  row.change_7d = moved(row.weekAgo, row.price);
  row.figure = row.price === null ? null : Number(row.price);
  return row;
}

// --- Filter and order ------------------------------------------------------------------------------------------------
const KEYS = { name: "name", price: "figure", change_1h: "change_1h", change_24h: "change_24h", change_7d: "change_7d", volume: "volume" };

function choose() {
  const words = field.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const { value: venue } = form.elements.venue;
  const { value: quote } = form.elements.quote;
  const key = KEYS[sort.column];
  const sign = sort.descending ? -1 : 1;
  const fits = rows.filter(
    (row) =>
      (!venue || row.venue === venue) && (!quote || row.quote === quote) && words.every((word) => row.text.includes(word)),
  );
  const known = fits.filter((row) => row[key] !== null && row[key] !== undefined);
  known.sort((one, other) => (one[key] < other[key] ? -sign : one[key] > other[key] ? sign : 0));
  const missing = new Set(fits).size === known.length ? [] : fits.filter((row) => row[key] === null || row[key] === undefined);
  shown = known.concat(missing);
  active = -1;
}

function redo() {
  choose();
  const table = document.getElementById("market-table");
  const nothing = table.querySelector(".empty");
  if (!shown.length && !nothing) {
    table.append(document.getElementById("market-nothing").content.cloneNode(true));
  } else if (shown.length) nothing?.remove();
  table.querySelector(".mk-wrap").hidden = !shown.length;
  table.querySelector("table").setAttribute("aria-rowcount", String(shown.length + 1));
  document.getElementById("market-count").textContent = shown.length === rows.length ? countWords : `${shown.length} / ${rows.length}`;
  draw(true);
}

const countWords = document.getElementById("market-count")?.textContent.trim();

function keepAddress() {
  const query = new URLSearchParams();
  for (const name of ["words", "venue", "quote"]) if (form.elements[name].value) query.set(name, form.elements[name].value);
  const order = `${sort.descending ? "-" : ""}${sort.column}`;
  if (order !== "-volume") query.set("sort", order);
  history.replaceState(history.state, "", `${location.pathname}${query.size ? `?${query}` : ""}`);
}

// --- What is in view -------------------------------------------------------------------------------------------------
const above = gap();
const below = gap();

/** A row as high as all the rows that are not in the page. */
function gap() {
  const row = document.createElement("tr");
  row.className = "gap";
  row.setAttribute("aria-hidden", "true");
  row.append(document.createElement("td"));
  return row;
}

function stretch(row, count) {
  row.hidden = !count;
  row.firstChild.colSpan = columns;
  row.firstChild.style.height = `${count * height}px`;
}

function range() {
  const top = body.getBoundingClientRect().top;
  const first = Math.floor(-top / height) - AROUND;
  const last = Math.ceil((innerHeight - top) / height) + AROUND;
  return [Math.max(0, Math.min(first, shown.length)), Math.max(0, Math.min(shown.length, last))];
}

/** Bring the page in line with the view. A row that stays is never touched: moving it would lay it out anew. */
function draw(all = false) {
  if (!body) return;
  const [from, to] = range();
  if (!all && from === drawnFrom && to === drawnTo) return;
  const focused = document.activeElement?.closest?.("#market-rows tr")?.dataset.i;
  const rest = !all && from < drawnTo && to > drawnFrom;
  if (rest) trim(from, to);
  else {
    if (all) columns = [...document.querySelectorAll("#market-table th")].filter((head) => head.offsetWidth).length;
    body.replaceChildren(above, below);
    [drawnFrom, drawnTo] = [from, from];
  }
  const fresh = [];
  const before = rowsOf(from, Math.min(drawnFrom, to), fresh);
  const after = rowsOf(Math.max(drawnTo, from), to, fresh);
  above.after(...before);
  below.before(...after);
  stretch(above, from);
  stretch(below, shown.length - to);
  fresh.forEach((one) => undrawn.add(one));
  sketch();
  [drawnFrom, drawnTo] = [from, to];
  if (focused && !document.activeElement?.closest?.("#market-rows")) {
    body.querySelector(`tr[data-i="${CSS.escape(focused)}"] a.asset`)?.focus({ preventScroll: true });
  }
  settle();
}

/** Lines can wait until the hand rests; scrolling comes first. */
const undrawn = new Set();
let sketching = 0;
function sketch() {
  clearTimeout(sketching);
  sketching = setTimeout(() => {
    for (const [element, row] of undrawn) if (element.isConnected) drawSpark(element.querySelector("canvas"), row.spark);
    undrawn.clear();
  }, RESTED);
}

/** Take out what has left the view at either end. */
function trim(from, to) {
  for (; drawnFrom < from; drawnFrom += 1) above.nextSibling.remove();
  for (; drawnTo > to; drawnTo -= 1) below.previousSibling.remove();
}

function rowsOf(from, to, fresh) {
  const elements = [];
  for (let at = from; at < to; at += 1) {
    const element = make(shown[at]);
    element.setAttribute("aria-rowindex", String(at + 2));
    elements.push(element);
    fresh.push([element, shown[at]]);
  }
  return elements;
}

let settling = 0;
function settle() {
  clearTimeout(settling);
  settling = setTimeout(() => want("markets", [...body.querySelectorAll("tr[data-i]")].map((element) => element.dataset.i)), SETTLED);
}

function make(row) {
  const element = pattern.content.firstElementChild.cloneNode(true);
  element.dataset.i = row.i;
  const star = element.querySelector(".star");
  star.dataset.watch = row.i;
  star.setAttribute("aria-pressed", String(row.watched));
  star.setAttribute("aria-label", `${star.dataset.say} ${row.title}, ${row.symbol}`);
  const link = element.querySelector("a.asset");
  link.href = card.dataset.asset.replace("venue:BASE-QUOTE", encodeURIComponent(row.i.replace("/", "-")).replace("%3A", ":"));
  const [sign, letters] = element.querySelectorAll("svg.coin");
  if (drawn.has(row.base)) {
    letters.remove();
    sign.firstElementChild.setAttribute("href", `${card.dataset.coins}#${row.base}`);
  } else {
    sign.remove();
    const hue = [...row.base].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 8;
    letters.classList.add(`coin--${hue + 1}`);
    letters.querySelector("text").textContent = row.base.length <= 3 ? row.base : row.base.slice(0, 2);
  }
  element.querySelector("[data-title]").textContent = row.title;
  element.querySelector("b [data-pair]").textContent = row.symbol;
  element.querySelector("small [data-pair]").textContent = `${row.symbol}, `;
  element.querySelector("[data-venue]").textContent = row.venueName;
  element.querySelector('[data-cell="volume"]').textContent = shortWords(row.volume);
  figures(element, row, "");
  return element;
}

function figures(element, row, direction) {
  for (const cell of element.querySelectorAll("[data-cell]")) {
    const name = cell.dataset.cell;
    if (name === "price") paintPrice(cell, priceWords(row.price, row.digits), direction);
    else if (name === "change_24h") paintChange(cell, row.change_24h);
    else if (name !== "volume") paintChange(cell, row[name], "chg--quiet");
  }
  sayStale(element, row);
}

function sayStale(element, row) {
  const stale = row.seenAt !== null && isStale(row.seenAt);
  if (!stale && !element.classList.contains("is-stale")) return;
  element.classList.toggle("is-stale", stale);
  const cell = element.querySelector('[data-cell="price"]').closest(".two");
  let words = cell.querySelector(".stale");
  if (!stale) return words?.remove();
  if (!words) {
    words = document.createElement("small");
    words.className = "stale";
    cell.append(words);
  }
  words.textContent = ageWords(ageOf(row.seenAt));
}

// --- Live ------------------------------------------------------------------------------------------------------------
onPrice((instrument, now, direction) => {
  const row = byName.get(instrument);
  if (!row) return;
  const before = row.figure;
  row.price = now.price;
  row.seenAt = now.seenAt;
  if (now.change !== null) row.change_24h = now.change;
  refigure(row);
  const element = body?.querySelector(`tr[data-i="${CSS.escape(instrument)}"]`);
  if (element) figures(element, row, direction || (before === null || before === row.figure ? "" : row.figure > before ? "up" : "dn"));
});

setInterval(() => {
  if (document.hidden || !body) return;
  for (const element of body.querySelectorAll("tr[data-i]")) sayStale(element, byName.get(element.dataset.i));
}, 1000);

onWatched((instrument, watched) => {
  const row = byName.get(instrument);
  if (row) row.watched = watched;
});

// --- Hands -----------------------------------------------------------------------------------------------------------
function go(step) {
  if (!shown.length) return;
  active = Math.max(0, Math.min(shown.length - 1, active < 0 ? Math.max(0, drawnFrom ? drawnFrom + AROUND : 0) : active + step));
  const bar = document.querySelector(".bar").offsetHeight + 40;
  const top = body.getBoundingClientRect().top + active * height;
  if (top < bar) scrollBy(0, top - bar);
  else if (top + height > innerHeight - 24) scrollBy(0, top + height - innerHeight + 24);
  draw();
  body.querySelector(`tr[data-i="${CSS.escape(shown[active].i)}"] a.asset`)?.focus({ preventScroll: true });
}

function keys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open], [popover]:popover-open")) return;
  const typing = event.target instanceof Element && event.target.closest("input, textarea, select");
  if (typing && event.target !== field) return;
  if (event.key === "ArrowDown") go(1);
  else if (event.key === "ArrowUp" && active > 0) go(-1);
  else if (event.key === "ArrowUp") field.focus();
  else if (event.key === "Enter" && typing && shown.length) location.assign(make(shown[Math.max(0, active)]).querySelector("a").href);
  else if (event.key === "Escape" && typing) field.value ? (field.value = "", redo(), keepAddress()) : field.blur();
  else if (typing) return;
  else if (event.key === "j") go(1);
  else if (event.key === "k") go(-1);
  else if (event.key === "w" && active >= 0) toggleFirst(shown[active].i, shown[active].title);
  else return;
  event.preventDefault();
}

function takeOver() {
  const table = document.getElementById("market-table");
  body = document.getElementById("market-rows");
  if (!body) return;
  sort = { column: table.dataset.sort, descending: table.dataset.descending === "1" };
  table.querySelector("[data-pager]")?.remove();
  height = body.querySelector("tr")?.getBoundingClientRect().height || height;
  redo();
}

async function load() {
  try {
    const answer = await fetch(card.dataset.rows, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const fresh = (await answer.json()).rows.map(rowOf);
    if (!fresh.length) return setTimeout(() => location.reload(), AGAIN_AFTER);
    if (rows.length) renew(fresh);
    else {
      take(fresh);
      takeOver();
    }
    sayHistory();
    setTimeout(load, rows.every((row) => row.spark) ? RENEWED_EVERY : FILLED_EVERY);
  } catch {
    setTimeout(load, AGAIN_AFTER); // until then the server filters and sorts
  }
}

function take(fresh) {
  rows = fresh;
  byName = new Map(rows.map((row) => [row.i, row]));
}

/** Take newer history in; what somebody is looking at stays where it is. */
function renew(fresh) {
  for (const row of fresh) {
    const before = byName.get(row.i);
    if (before && before.seenAt !== null && before.seenAt > (row.seenAt ?? 0)) {
      const { price, seenAt, change_24h } = before;
      refigure(Object.assign(row, { price, seenAt, change_24h }));
    }
  }
  take(fresh);
  if (scrollY < height && active < 0) return redo();
  shown = shown.map((row) => byName.get(row.i)).filter(Boolean);
  draw(true);
}

function sayHistory() {
  const line = document.getElementById("market-history");
  const got = rows.filter((row) => row.spark).length;
  if (!line) return;
  if (got === rows.length) line.closest(".banner").hidden = true;
  else line.textContent = line.dataset.say.replace("{got}", got).replace("{total}", rows.length);
}

function changed() {
  if (!rows.length) return htmx.trigger(form, "ask");
  redo();
  keepAddress();
}

let typing = 0;
if (card && form) {
  form.querySelector("[data-without-script]").hidden = true;
  form.addEventListener("submit", (event) => {
    if (!rows.length) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
  field.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(changed, rows.length ? 0 : 250);
  });
  form.elements.venue.addEventListener("change", changed);
  form.elements.quote.addEventListener("change", changed);
  card.addEventListener("click", (event) => {
    const head = event.target.closest("[data-sort] , [data-clear]");
    if (head && rows.length && (head.tagName === "A")) {
      event.preventDefault();
      if ("clear" in head.dataset) for (const name of ["words", "venue", "quote"]) form.elements[name].value = "";
      else order(head.dataset.sort);
      changed();
      return;
    }
    const star = event.target.closest("[data-watch]");
    if (star) return openWatchMenu(star, byName.get(star.dataset.watch)?.title ?? "");
    const row = event.target.closest("tr[data-i]");
    if (row && !event.target.closest("a, button") && !getSelection().toString()) row.querySelector("a.asset").click();
  });
  card.addEventListener("focusin", (event) => {
    const row = event.target.closest("tr[data-i]");
    if (row) active = shown.findIndex((one) => one.i === row.dataset.i);
  });
  document.addEventListener("keydown", keys);
  addEventListener("scroll", () => requestAnimationFrame(() => draw()), { passive: true });
  addEventListener("resize", () => {
    height = body?.querySelector("tr[data-i]")?.getBoundingClientRect().height || height;
    draw(true);
  });
  document.addEventListener("look-changed", () => {
    for (const element of body?.querySelectorAll("tr[data-i]") ?? []) drawSpark(element.querySelector("canvas"), byName.get(element.dataset.i)?.spark);
  });
  document.querySelectorAll("canvas[data-spark]").forEach((canvas) => drawSpark(canvas, canvas.dataset.spark));
  load();
}

function order(column) {
  const descending = sort.column === column ? !sort.descending : column !== "name";
  sort = { column, descending };
  for (const head of document.querySelectorAll("#market-table th[data-column]")) {
    if (head.dataset.column === column) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
}
