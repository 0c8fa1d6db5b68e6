/* Prices on a page: how they are written, how they follow the socket, how old they are.

   A page says which instruments it shows with `want(name, keys)` and hears of them with `onPrice(hear)`.
   [data-price="venue:BASE/QUOTE"] follows by itself: the figure, the change in the same row, and the age. */

import { subscribe } from "./live.js";

const MINUS = "−";
const UNKNOWN = "–";
const STALE_AFTER = 15_000; // as the server says it
const LEVELS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
const SIZES = [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "k"]];

const book = new Map(); // instrument -> { price, change, source, seenAt }, seenAt in this page's own clock
const hearers = new Set();
const wishes = new Map(); // who -> keys

// --- How figures are written -----------------------------------------------------------------------------------------
const formats = new Map();

function format(digits) {
  if (!formats.has(digits)) {
    formats.set(digits, new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }));
  }
  return formats.get(digits);
}

export function priceWords(price, digits) {
  if (price === null || price === undefined || price === "") return UNKNOWN;
  return format(digits).format(Number(price)).replace("-", MINUS);
}

export function percentWords(fraction, digits = 2) {
  const words = format(digits).format(Math.abs(fraction) * 100);
  const sign = /[1-9]/.test(words) ? (fraction < 0 ? MINUS : "+") : "";
  return `${sign}${words}%`;
}

export function shortWords(number) {
  if (number === null || number === undefined) return UNKNOWN;
  const [size, letter] = SIZES.find(([least]) => Math.abs(number) >= least) ?? [1, ""];
  const scaled = number / size;
  const digits = Math.abs(scaled) >= 100 ? 0 : Math.abs(scaled) >= 10 ? 1 : 2;
  return `${format(digits).format(scaled).replace("-", MINUS)}${letter}`;
}

const ages = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { numeric: "auto", style: "short" });
const STEPS = [[60, "second", 1], [3600, "minute", 60], [86_400, "hour", 3600], [Infinity, "day", 86_400]];

export function ageWords(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 2) return ages.format(0, "second");
  const [, unit, size] = STEPS.find(([limit]) => seconds < limit);
  return ages.format(-Math.floor(seconds / size), unit).replaceAll(".", "");
}

export const directionOf = (fraction) => (Math.abs(fraction) < 0.00005 ? "eq" : fraction > 0 ? "up" : "dn");

/** Write a change with its arrow; nothing is made anew while its words stay the same. */
export function paintChange(cell, fraction, extra = "") {
  if (fraction === null || fraction === undefined || Number.isNaN(fraction)) {
    if (cell.dataset.shown !== UNKNOWN) cell.innerHTML = `<span class="mut">${UNKNOWN}</span>`;
    cell.dataset.shown = UNKNOWN;
    return;
  }
  const words = percentWords(fraction);
  if (cell.dataset.shown === words) return;
  cell.dataset.shown = words;
  const shown = document.createElement("span");
  shown.className = `chg ${directionOf(fraction)} ${extra}`.trim();
  shown.textContent = words;
  cell.replaceChildren(shown);
}

/** Write a price; only the digits that changed are tinted for a moment. */
export function paintPrice(element, words, direction) {
  const before = element.textContent;
  if (before === words) return;
  if (!direction || before === UNKNOWN || before === "") return element.replaceChildren(words);
  let same = 0;
  if (before.length === words.length) while (before[same] === words[same]) same += 1;
  const changed = document.createElement("span");
  changed.className = `tick ${direction}`;
  changed.textContent = words.slice(same);
  element.replaceChildren(words.slice(0, same), changed);
}

// --- Colors of the tokens, as a canvas wants them --------------------------------------------------------------------
const probe = document.createElement("span");
const pixel = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const colors = new Map();
probe.hidden = true;
document.body.append(probe);
document.addEventListener("look-changed", () => colors.clear());

/** Return a token's color in the theme and palette of now; a canvas knows neither light-dark() nor color-mix(). */
export function color(token) {
  if (!colors.has(token)) {
    probe.style.color = `var(--${token})`;
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillStyle = getComputedStyle(probe).color;
    pixel.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = pixel.getImageData(0, 0, 1, 1).data;
    colors.set(token, `rgba(${red}, ${green}, ${blue}, ${alpha / 255})`);
  }
  return colors.get(token);
}

let sparkSize = null; // all are equal; asking each for its size would lay the page out each time
addEventListener("resize", () => (sparkSize = null));

/** Draw a week as a line, its first price as a dashed level, its last as a dot. */
export function drawSpark(canvas, spark) {
  if (!sparkSize?.width) sparkSize = { width: canvas.clientWidth, height: canvas.clientHeight };
  const { width, height } = sparkSize;
  if (!width) return;
  const scale = Math.min(window.devicePixelRatio || 1, 2);
  canvas.width = width * scale;
  canvas.height = height * scale;
  if (!spark) return;
  const paint = canvas.getContext("2d");
  paint.scale(scale, scale);
  const points = [...spark].map((letter, at) => [
    2 + (at * (width - 6)) / (spark.length - 1),
    3 + ((63 - LEVELS.indexOf(letter)) / 63) * (height - 6),
  ]);
  paint.lineWidth = 1;
  paint.strokeStyle = color("line-2");
  paint.setLineDash([2, 3]);
  paint.beginPath();
  paint.moveTo(2, points[0][1]);
  paint.lineTo(width - 4, points[0][1]);
  paint.stroke();
  paint.setLineDash([]);
  paint.lineWidth = 1.25;
  paint.lineJoin = "round";
  paint.strokeStyle = color("ink-3");
  paint.beginPath();
  points.forEach(([x, y], at) => (at ? paint.lineTo(x, y) : paint.moveTo(x, y)));
  paint.stroke();
  const [x, y] = points.at(-1);
  paint.fillStyle = color(y <= points[0][1] ? "gain" : "loss");
  paint.beginPath();
  paint.arc(x, y, 2, 0, 2 * Math.PI);
  paint.fill();
}

// --- Following the socket --------------------------------------------------------------------------------------------
const feed = subscribe("market_data", [], { onSnapshot: hear, onUpdate: hear });

/** Say which instruments this part of the page shows; the socket carries only those. */
export function want(who, keys) {
  wishes.set(who, keys);
  feed.set(new Set([...wishes.values()].flatMap((some) => [...some])));
}

export function onPrice(hear) {
  hearers.add(hear);
}

export const known = (instrument) => book.get(instrument);
export const ageOf = (seenAt) => performance.now() - seenAt;
export const isStale = (seenAt) => ageOf(seenAt) > STALE_AFTER;

function hear(tickers) {
  for (const ticker of tickers) {
    const before = book.get(ticker.instrument);
    const now = {
      price: ticker.price,
      change: ticker.change_24h === null || ticker.change_24h === undefined ? null : Number(ticker.change_24h),
      source: ticker.source,
      ts: ticker.ts,
      seenAt: before?.ts === ticker.ts ? before.seenAt : performance.now() - (ticker.age_ms ?? 0),
    };
    book.set(ticker.instrument, now);
    const moved = before ? Number(now.price) - Number(before.price) : 0;
    const direction = moved > 0 ? "up" : moved < 0 ? "dn" : "";
    hearers.forEach((tell) => tellSafely(tell, ticker.instrument, now, direction));
  }
}

/** One part of the page that fails must not hold the others' prices still. */
function tellSafely(tell, ...news) {
  try {
    tell(...news);
  } catch (problem) {
    reportError(problem);
  }
}

// --- Figures that follow by themselves -------------------------------------------------------------------------------
const loadedAt = performance.now();
const serverNow = Number(document.body.dataset.now) || Date.now();

/** When a price that the server wrote was seen, in this page's own clock: a person's clock may be wrong. */
export const seenAtOf = (ts) => loadedAt - (serverNow - ts);

export function followAll(root = document) {
  const keys = new Set([...root.querySelectorAll("[data-price]")].map((element) => element.dataset.price));
  want("page", keys);
}

onPrice((instrument, now, direction) => {
  for (const element of document.querySelectorAll(`[data-price="${CSS.escape(instrument)}"]`)) {
    paintPrice(element, priceWords(now.price, Number(element.dataset.digits)), direction || directionFrom(element, now));
    element.dataset.ts = now.ts;
  }
  for (const element of document.querySelectorAll(`[data-change="${CSS.escape(instrument)}"]`)) {
    paintChange(element, now.change, element.dataset.extra ?? "");
  }
  for (const element of document.querySelectorAll(`[data-age="${CSS.escape(instrument)}"]`)) {
    element.dataset.seen = now.seenAt;
    sayAge(element);
  }
});

/** The first price that the socket brings is compared with the one that the server wrote. */
function directionFrom(element, now) {
  const shown = Number(element.textContent.replaceAll(",", ""));
  const moved = Number(now.price) - shown;
  return !Number.isFinite(moved) || Math.abs(moved) < Number.EPSILON ? "" : moved > 0 ? "up" : "dn";
}

function sayAge(element) {
  const seenAt = element.dataset.seen ? Number(element.dataset.seen) : seenAtOf(Number(element.dataset.ts));
  const words = ageWords(ageOf(seenAt));
  if (element.textContent !== words) element.textContent = words;
  element.classList.toggle("warn-t", isStale(seenAt));
}

window.setInterval(() => {
  if (document.hidden) return;
  document.querySelectorAll("[data-age][data-ts], [data-age][data-seen]").forEach(sayAge);
}, 1000);
