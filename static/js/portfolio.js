/* The portfolio: holdings and their total follow the prices, the value over time, small holdings out of sight, and the
   ledger itself: what is booked elsewhere appears here.

   Figures here are for the eye only; every exact one comes from the server. While amounts are hidden the page holds
   none, so only the prices move. */

import { subscribe } from "./live.js";
import { digitsIn, moneyWords, paintGain, paintMoney, signOf } from "./money.js";
import { known, onPrice, paintChange, paintPrice, percentWords, priceWords, want } from "./prices.js";
import { renew } from "./renew.js";
import { ValueChart } from "./value-chart.js";

const SOON = 700; // after news of a booking, so that several come as one
const NOW_AND_THEN = 60_000; // while only prices move, what no script works out is asked for so often
const BY_PRICES = ["complete", "complete-below", "unpriced", "moved", "where", "what", "foot"];
const LEAST_COST = 0.01; // no percentage of next to nothing
const NEXT_TO_NOTHING = 0.001;

const worth = () => document.getElementById("worth");
const holdings = () => document.getElementById("holdings");

const sign = signOf(worth());

function paintWorth(total) {
  const inner = worth().querySelector(".amt");
  const words = moneyWords(total, sign);
  const at = sign.digits ? words.lastIndexOf(".") : -1;
  const cents = inner?.querySelector(".cents");
  if (!cents || at < 0 || Math.abs(total) >= 1e13) return paintMoney(worth(), total, sign);
  inner.firstChild.textContent = words.slice(0, at);
  cents.textContent = words.slice(at);
}

// --- Holdings that follow the prices -----------------------------------------------------------------------------------
let rows = [];

function readRows() {
  rows = [...(holdings()?.querySelectorAll("tr[data-holding]") ?? [])].map((element) => ({
    element,
    path: element.dataset.path ? element.dataset.path.split(",") : [],
    amount: element.dataset.amount === undefined ? null : Number(element.dataset.amount),
    cost: Number(element.dataset.cost ?? 0),
    value: element.dataset.value ? Number(element.dataset.value) : null,
  }));
  rows.push(...unseen());
  want("holdings", new Set(rows.flatMap((row) => row.path.map(nameOf))));
}

/** Holdings that the table leaves out until they are asked for: the total counts them like the others. */
function unseen() {
  const told = holdings()?.dataset.rest;
  return (told ? told.split(" ") : []).map((one) => {
    const [amount, cost, value, path] = one.split("|");
    return { element: null, path: path ? path.split(",") : [], amount: Number(amount), cost: Number(cost), value: Number(value) };
  });
}

const nameOf = (step) => step.replace(/^-/, "");

const price = (step) => {
  const found = Number(known(nameOf(step))?.price);
  return step.startsWith("-") ? 1 / found : found;
};

function follow(row, direction) {
  const now = row.path.reduce((product, step) => product * price(step), 1);
  if (!row.path.length || !Number.isFinite(now) || now <= 0) return;
  if (!row.element) {
    row.value = row.amount * now;
    return;
  }
  const cell = row.element.querySelector("[data-cell='price']");
  if (cell) {
    paintPrice(cell, moneyWords(now, sign, { digits: digitsIn(cell.textContent) }), direction);
    const age = row.element.querySelector("time[data-ago]");
    if (age) age.setAttribute("datetime", new Date(known(nameOf(row.path[0])).ts).toISOString());
  }
  const day = row.element.querySelector("[data-cell='change']");
  const { change } = known(nameOf(row.path[0]));
  if (day && change !== null) paintChange(day, change);
  if (row.amount === null || row.value === null) return;
  row.value = row.amount * now;
  paintMoney(row.element.querySelector("[data-cell='value']"), row.value, sign);
  paintGain(row.element.querySelector("[data-cell='gain']"), row.value - row.cost, sign);
  if (row.cost >= LEAST_COST) paintGainShare(row.element, (row.value - row.cost) / row.cost);
}

function paintGainShare(element, share) {
  write(element.querySelector("[data-cell='gain-share']"), percentWords(share, 1));
  const small = element.querySelector("[data-cell='gain-small']");
  if (small) paintChange(small, share);
}

function write(cell, words) {
  if (cell && cell.textContent !== words) cell.textContent = words;
}

function shareWords(share) {
  if (share > 0 && share < NEXT_TO_NOTHING) return "<0.1%";
  return percentWords(share, 1).replace("+", "");
}

function total() {
  if (rows.some((row) => row.amount === null)) return;
  const priced = rows.filter((row) => row.value !== null);
  if (!priced.length) return;
  const sum = priced.reduce((all, row) => all + row.value, 0);
  const gain = priced.reduce((all, row) => all + row.value - row.cost, 0);
  paintWorth(sum);
  paintMoney(document.getElementById("worth-again"), sum, sign);
  paintMoney(holdings().querySelector("[data-total]"), sum, sign);
  paintGain(holdings().querySelector("[data-total-gain]"), gain, sign);
  paintGain(document.getElementById("unrealised"), gain, sign);
  if (sum <= 0) return;
  for (const row of priced) if (row.element) write(row.element.querySelector("[data-cell='share']"), shareWords(row.value / sum));
}

let waiting = 0;

function totalSoon() {
  waiting ||= requestAnimationFrame(() => {
    waiting = 0;
    total();
  });
}

function followAll() {
  for (const row of rows) if (row.path.every((step) => known(nameOf(step)))) follow(row, "");
  totalSoon();
}

readRows();
onPrice((instrument, _now, direction) => {
  const moved = rows.filter((row) => row.path.some((step) => nameOf(step) === instrument));
  for (const row of moved) if (row.path.every((step) => known(nameOf(step)))) follow(row, direction);
  if (moved.length) totalSoon();
});

// --- Small holdings out of sight ------------------------------------------------------------------------------------------
let hidesSmall = false;

function hideSmall() {
  document.querySelector("[data-hide-small]")?.setAttribute("aria-pressed", String(hidesSmall));
  for (const { element, value } of rows) {
    if (element) element.hidden = hidesSmall && (value === null ? "small" in element.dataset : value < 1);
  }
}

document.addEventListener("click", ({ target }) => {
  if (!target.closest?.("[data-hide-small]")) return;
  hidesSmall = !hidesSmall;
  hideSmall();
});

// --- All holdings, asked for ----------------------------------------------------------------------------------------------
document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (!detail.requestConfig?.elt?.matches?.("[data-show-all]")) return;
  readRows();
  hideSmall();
  followAll();
  holdings()?.querySelectorAll("tr[data-holding] a.asset")[detail.requestConfig.elt.dataset.showAll]?.focus();
});

// --- The value over time -------------------------------------------------------------------------------------------------
const AGAIN = 8_000; // while older prices are being fetched
const MOST_TIMES = 30;

/** Open the chart; returns how it is drawn anew. */
function openHistory(place) {
  const state = document.getElementById("chart-state");
  const write = place.dataset.private ? (number) => priceWords(number, 1) : (number) => moneyWords(number, sign);
  const readout = document.getElementById("value-readout");
  const chart = new ValueChart(place, readout, (number) => (number === null ? place.dataset.unknown : write(number)));
  let tries = 0;
  let again = 0;

  const say = (words) => {
    state.textContent = words;
    state.hidden = !words;
  };

  async function load() {
    window.clearTimeout(again);
    let found;
    try {
      const answer = await fetch(place.dataset.history, { credentials: "same-origin", headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(answer.statusText);
      found = await answer.json();
    } catch {
      if (!chart.isDrawn) say(place.dataset.failed);
      return;
    } finally {
      place.removeAttribute("aria-busy");
    }
    const isPriced = found.results.some(([, value]) => value !== null);
    chart.points = isPriced ? found.results : [];
    chart.show(chart.range ?? "all");
    say(isPriced ? "" : place.dataset.none);
    tries += 1;
    if ((found.pending || !isPriced || found.results[0][1] === null) && tries < MOST_TIMES) again = window.setTimeout(load, AGAIN);
  }

  for (const button of document.querySelectorAll("[data-range]")) {
    button.addEventListener("click", () => {
      document.querySelectorAll("[data-range]").forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
      chart.show(button.dataset.range);
    });
  }
  place.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (!by) return;
    event.preventDefault();
    chart.step(by * (event.shiftKey ? 30 : 1));
  });
  load();
  return () => {
    tries = 0;
    return load();
  };
}

const place = document.getElementById("value-chart");
const drawAgain = place ? openHistory(place) : null;

// --- News of the ledger --------------------------------------------------------------------------------------------------
const news = document.getElementById("news");
let renewedAt = performance.now();
let timer = 0;

/** Show what was booked meanwhile, without leaving the page: nobody loses their place in it. */
async function showBooked() {
  const before = worth().dataset.booked;
  if (!(await renew())) return;
  renewedAt = performance.now();
  readRows();
  hideSmall();
  followAll();
  if (worth().dataset.booked === before) return;
  news.textContent = news.dataset.said;
  drawAgain?.();
  const stretch = document.querySelector("#performance .seg [aria-pressed='true']");
  if (stretch) stretch.click();
  else document.dispatchEvent(new CustomEvent("ledger:moved"));
}

async function showPrices() {
  renewedAt = performance.now();
  await renew(BY_PRICES);
}

const shown = () => document.querySelector("[data-portfolio]");

function hear([found]) {
  if (found && found.booked > Number(shown().dataset.booked)) {
    window.clearTimeout(timer);
    timer = window.setTimeout(worth() ? showBooked : () => location.reload(), SOON); // an empty ledger has another page
  } else if (worth() && !document.hidden && performance.now() - renewedAt > NOW_AND_THEN) showPrices();
}

if (shown()) subscribe("portfolio", [shown().dataset.portfolio], { onSnapshot: hear, onUpdate: hear });
