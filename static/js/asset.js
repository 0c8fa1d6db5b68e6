/* One market: the chart with its hands, the figures beside it, and the same candles as a table. */

import {
  CandlestickSeries,
  ColorType,
  createChart,
  CrosshairMode,
  HistogramSeries,
  LineStyle,
  PriceScaleMode,
} from "../vendor/lightweight-charts/lightweight-charts.mjs";
import { Candles, LENGTHS, withHoles } from "./candles.js";
import { color, followAll, known, onPrice, paintChange, percentWords, priceWords, shortWords } from "./prices.js";
import { openWatchMenu, toggleFirst } from "./watch.js";

const KEPT = "coinsphere.chart";
const SPANS = { "1D": ["5m", 288], "7D": ["1h", 168], "1M": ["4h", 180], "1Y": ["1d", 365], All: ["1d", Infinity] };
const STEP = 10; // bars that an arrow key moves
const TABLE_ROWS = 100;
const SAID_EVERY = 30_000;
const BEFORE_END = 60; // bars left before older ones are fetched

const place = document.getElementById("chart");
const { instrument, address, title } = place.dataset;
const digits = Number(place.dataset.digits);
const words = document.getElementById("chart-words").dataset;
const readout = document.getElementById("readout");
const state = document.getElementById("chart-state");
const spoken = document.getElementById("spoken-price");
const table = document.getElementById("candle-table");

let candles = null;
let kept = recall();
let hovered = null;
let wantedBars = 0;

// --- Remembering -----------------------------------------------------------------------------------------------------
function recall() {
  try {
    const { timeframe, log } = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
    return { timeframe: timeframe in LENGTHS ? timeframe : "1h", log: Boolean(log) };
  } catch {
    return { timeframe: "1h", log: false };
  }
}

function remember(change) {
  kept = { ...kept, ...change };
  try {
    localStorage.setItem(KEPT, JSON.stringify(kept));
  } catch {
    return; // a browser that keeps nothing starts each page with hours
  }
}

// --- The drawing -----------------------------------------------------------------------------------------------------
const chart = createChart(place, {
  autoSize: true,
  layout: { attributionLogo: false }, // its style would be inline; the words below the chart name it instead
  crosshair: { mode: CrosshairMode.Normal },
  rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.06, bottom: 0.24 }, minimumWidth: 64 },
  timeScale: { borderVisible: false, rightOffset: 4, minBarSpacing: 0.15, barSpacing: 8 },
  handleScroll: { vertTouchDrag: false },
  kineticScroll: { touch: !matchMedia("(prefers-reduced-motion: reduce)").matches, mouse: false },
  localization: { timeFormatter: (seconds) => timeWords(seconds * 1000) },
});
const series = chart.addSeries(CandlestickSeries, {
  priceFormat: {
    type: "custom",
    minMove: 10 ** -digits,
    formatter: (price) => priceWords(price, digits),
    tickmarksFormatter: (prices) => prices.map((price) => priceWords(price, digitsOf(prices))),
  },
  lastValueVisible: false, // the library would label the last candle in view; the line below is the price of now
  priceLineVisible: false,
});
const nowLine = series.createPriceLine({ price: 0, lineStyle: LineStyle.Dotted, lineWidth: 1, lineVisible: false, axisLabelVisible: false });
const volume = chart.addSeries(HistogramSeries, {
  priceScaleId: "",
  priceFormat: { type: "custom", minMove: 0.01, formatter: shortWords },
  lastValueVisible: false,
  priceLineVisible: false,
});
volume.priceScale().applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });

/** The scale shows no more digits than its steps need. */
function digitsOf(prices) {
  const step = Math.min(...prices.slice(1).map((price, at) => Math.abs(price - prices[at])).filter((apart) => apart > 0));
  return Number.isFinite(step) ? Math.max(0, Math.min(digits, Math.ceil(-Math.log10(step) - 1e-9))) : digits;
}

function dress() {
  const [up, down] = [color("ch-up"), color("ch-dn")];
  chart.applyOptions({
    layout: {
      background: { type: ColorType.Solid, color: color("surface") },
      textColor: color("ch-axis"),
      fontFamily: getComputedStyle(document.body).fontFamily,
      fontSize: 11,
      attributionLogo: false,
    },
    grid: { vertLines: { color: color("ch-grid") }, horzLines: { color: color("ch-grid") } },
    crosshair: {
      vertLine: { color: color("ch-cross"), labelBackgroundColor: color("surface-3") },
      horzLine: { color: color("ch-cross"), labelBackgroundColor: color("surface-3") },
    },
  });
  series.applyOptions({
    upColor: color("surface"),
    downColor: down,
    borderUpColor: up,
    borderDownColor: down,
    wickUpColor: up,
    wickDownColor: down,
  });
  volume.applyOptions({ color: color("ch-vol") });
  nowLine.applyOptions({ color: color("ink-3"), axisLabelColor: color("ink"), axisLabelTextColor: color("ink-on-ink") });
}

function drawNow() {
  const close = candles.rows.at(-1)?.[4];
  nowLine.applyOptions({ price: close ?? 0, lineVisible: close !== undefined, axisLabelVisible: close !== undefined });
}

const timeOf = (ts) => ts / 1000;
const barOf = ([time, open, high, low, close]) => (open === undefined ? { time: timeOf(time) } : { time: timeOf(time), open, high, low, close });
const volumeOf = ([time, , , , , value]) => (value === undefined ? { time: timeOf(time) } : { time: timeOf(time), value });

function drawAll() {
  const places = withHoles(candles.rows, candles.length);
  series.setData(places.map(barOf));
  volume.setData(places.map(volumeOf));
  drawNow();
}

function drawLast() {
  const row = candles.rows.at(-1);
  series.update(barOf(row));
  volume.update(volumeOf(row));
  drawNow();
}

// --- Choosing what is seen -------------------------------------------------------------------------------------------
function show(timeframe, bars = 0) {
  if (candles?.timeframe === timeframe) return zoomTo(bars);
  candles?.end();
  remember({ timeframe });
  wantedBars = bars;
  candles = new Candles({ address, instrument, timeframe });
  candles.addEventListener("changed", changed);
  candles.addEventListener("tick", ({ detail }) => {
    if (detail.all) drawAll();
    else drawLast();
    read();
  });
  candles.addEventListener("state", ({ detail }) => detail.state === "failed" && say("failed"));
  chart.timeScale().applyOptions({ timeVisible: timeframe !== "1d", secondsVisible: false });
  press("timeframe", timeframe);
  place.setAttribute("aria-busy", "true");
  candles.start();
}

function changed({ detail }) {
  drawAll();
  say(candles.pending ? "pending" : "shown");
  if (!candles.rows.length) say("shown");
  place.removeAttribute("aria-busy");
  if (detail.first) zoomTo(wantedBars);
  if (wantedBars && candles.rows.length < wantedBars && !candles.complete) candles.older().then(() => zoomTo(wantedBars));
  read();
  tabulate();
}

function zoomTo(bars) {
  wantedBars = bars;
  const scale = chart.timeScale();
  const count = withHoles(candles.rows, candles.length).length;
  if (bars === Infinity) scale.fitContent();
  else if (bars === 0) scale.setVisibleLogicalRange({ from: count - seenAtFirst(), to: count + 3 });
  else scale.setVisibleLogicalRange({ from: count - bars, to: count + 3 });
}

/** As many bars as the width can show well. */
const seenAtFirst = () => Math.max(40, Math.floor(place.clientWidth / 8));

function press(name, value) {
  for (const button of document.querySelectorAll(`[data-${name}]`)) {
    button.setAttribute("aria-pressed", String(button.dataset[name] === value));
  }
}

function setLog(log) {
  remember({ log });
  chart.priceScale("right").applyOptions({ mode: log ? PriceScaleMode.Logarithmic : PriceScaleMode.Normal });
  document.querySelector("[data-log]").setAttribute("aria-pressed", String(log));
}

chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
  if (range && candles && range.from < BEFORE_END) candles.older();
});

// --- Words beside the drawing ----------------------------------------------------------------------------------------
function timeWords(ts) {
  const daily = candles?.timeframe === "1d";
  const style = { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" };
  if (!daily) Object.assign(style, { hour: "2-digit", minute: "2-digit", hour12: false });
  return new Intl.DateTimeFormat("en-GB", style).format(ts);
}

function read() {
  const row = hovered ?? candles?.rows.at(-1);
  if (!row) return;
  const [ts, open, high, low, close, traded] = row;
  const cells = readout.querySelectorAll("[data-of]");
  const figures = { t: timeWords(ts), o: priceWords(open, digits), h: priceWords(high, digits), l: priceWords(low, digits), c: priceWords(close, digits), v: shortWords(traded) };
  for (const cell of cells) {
    const { of } = cell.dataset;
    if (of === "change") paintChange(cell, close / open - 1);
    else if (cell.textContent !== figures[of]) cell.textContent = figures[of];
  }
}

chart.subscribeCrosshairMove(({ time }) => {
  const row = time === undefined ? null : find(time * 1000);
  hovered = row ?? null;
  read();
});

function find(ts) {
  let [low, high] = [0, candles.rows.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (candles.rows[middle][0] === ts) return candles.rows[middle];
    if (candles.rows[middle][0] < ts) low = middle + 1;
    else high = middle - 1;
  }
  return null;
}

function say(now) {
  const none = !candles?.rows.length;
  const text = now === "failed" ? words.failed : none && now === "shown" ? words.empty : now === "pending" && !none ? words.pending : "";
  state.hidden = !text;
  if (state.textContent !== text) state.textContent = text;
}

/** The candles in view as a table, for those who do not see the drawing. */
function tabulate() {
  if (!table.open || !candles) return;
  const range = chart.timeScale().getVisibleRange();
  const seen = range ? candles.rows.filter(([ts]) => ts >= range.from * 1000 && ts <= range.to * 1000) : candles.rows;
  const rows = seen.slice(-TABLE_ROWS).reverse().map(([ts, ...figures]) => {
    const row = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = timeWords(ts);
    row.append(head);
    figures.forEach((figure, at) => {
      const cell = row.insertCell();
      cell.className = at === 4 || at === 3 || at === 0 ? "r" : "r hide-sm";
      cell.textContent = at === 4 ? shortWords(figure) : priceWords(figure, digits);
    });
    return row;
  });
  table.querySelector("tbody").replaceChildren(...rows);
}

// --- Live ------------------------------------------------------------------------------------------------------------
onPrice((name, now) => {
  if (name !== instrument) return sayVenues();
  candles?.tick(Number(now.price), now.ts);
  document.title = `${priceWords(now.price, digits)} · ${document.title.split(" · ").slice(1).join(" · ")}`;
  sayVenues();
});

/** How far each other venue's price is from this one's, in hundredths of a percent. */
function sayVenues() {
  const here = Number(known(instrument)?.price ?? place.dataset.price);
  const prices = [here];
  for (const cell of document.querySelectorAll("[data-apart]")) {
    const there = known(cell.dataset.apart);
    if (!there || !here) continue;
    prices.push(Number(there.price));
    const points = (Number(there.price) / here - 1) * 10_000;
    const text = `${Math.abs(points) < 0.05 ? "" : points < 0 ? "−" : "+"}${Math.abs(points).toFixed(1)} bp`;
    if (cell.textContent !== text) cell.textContent = text;
  }
  const spread = document.getElementById("spread");
  if (spread && prices.length > 1) spread.textContent = ((Math.max(...prices) / Math.min(...prices) - 1) * 10_000).toFixed(1);
}

setInterval(() => {
  const now = known(instrument);
  if (now && !document.hidden) spoken.textContent = `${title}: ${priceWords(now.price, digits)}, ${percentWords(now.change ?? 0)}`;
}, SAID_EVERY);

// --- Hands -----------------------------------------------------------------------------------------------------------
function zoom(factor) {
  const scale = chart.timeScale();
  const range = scale.getVisibleLogicalRange();
  if (!range) return;
  const width = (range.to - range.from) * factor;
  scale.setVisibleLogicalRange({ from: range.to - Math.max(10, width), to: range.to });
}

function pan(bars) {
  const scale = chart.timeScale();
  const range = scale.getVisibleLogicalRange();
  if (range) scale.setVisibleLogicalRange({ from: range.from + bars, to: range.to + bars });
}

const HANDS = {
  ArrowLeft: () => pan(-STEP),
  ArrowRight: () => pan(STEP),
  "+": () => zoom(0.8),
  "=": () => zoom(0.8),
  "-": () => zoom(1.25),
  End: () => chart.timeScale().scrollToRealTime(),
  Home: () => chart.timeScale().fitContent(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open], [popover]:popover-open")) return;
  if (event.target instanceof Element && event.target.closest("input, textarea, select")) return;
  const length = Object.keys(LENGTHS)[Number(event.key) - 1];
  const onChart = place.contains(event.target);
  if (length) {
    press("span", "");
    show(length);
  } else if (event.key === "l") setLog(!kept.log);
  else if (event.key === "w") toggleFirst(instrument, title);
  else if (onChart && HANDS[event.key]) HANDS[event.key]();
  else return;
  event.preventDefault();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button, summary");
  if (!button) return;
  if (button.dataset.timeframe) {
    press("span", "");
    show(button.dataset.timeframe);
  } else if (button.dataset.span) {
    press("span", button.dataset.span);
    show(...SPANS[button.dataset.span]);
  } else if ("log" in button.dataset) setLog(!kept.log);
  else if (button.dataset.watch) openWatchMenu(button, title);
});

table.addEventListener("toggle", tabulate);
chart.timeScale().subscribeVisibleTimeRangeChange(() => requestAnimationFrame(tabulate));
document.addEventListener("look-changed", () => {
  dress();
  if (candles?.rows.length) drawAll();
});

dress();
setLog(kept.log);
followAll();
show(kept.timeframe);
document.fonts?.ready.then(dress);
