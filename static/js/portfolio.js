/* The portfolio: holdings and their total follow the prices, the value over time, small holdings out of sight.

   Figures here are for the eye only; every exact one comes from the server. While amounts are hidden the page holds
   none, so only the prices move. */

import { subscribe } from "./live.js";
import { digitsIn, moneyWords, paintGain, paintMoney, signOf } from "./money.js";
import { known, onPrice, paintPrice, priceWords, want } from "./prices.js";
import { ValueChart } from "./value-chart.js";

const SOON = 1_500; // after news of a booking, so that several come as one

const worth = document.getElementById("worth");
const holdings = document.getElementById("holdings");

const sign = signOf(worth);

function paintWorth(total) {
  const inner = worth.querySelector(".amt");
  const words = moneyWords(total, sign);
  const at = sign.digits ? words.lastIndexOf(".") : -1;
  const cents = inner?.querySelector(".cents");
  if (!cents || at < 0 || total >= 1e13) return paintMoney(worth, total, sign);
  inner.firstChild.textContent = words.slice(0, at);
  cents.textContent = words.slice(at);
}

// --- Holdings that follow the prices -----------------------------------------------------------------------------------
const rows = holdings
  ? [...holdings.querySelectorAll("tr[data-holding]")].map((element) => ({
      element,
      path: element.dataset.path ? element.dataset.path.split(",") : [],
      amount: element.dataset.amount === undefined ? null : Number(element.dataset.amount),
      cost: Number(element.dataset.cost ?? 0),
      value: element.dataset.value ? Number(element.dataset.value) : null,
    }))
  : [];
const price = (step) => {
  const found = Number(known(step.replace(/^-/, ""))?.price);
  return step.startsWith("-") ? 1 / found : found;
};

function follow(row, direction) {
  const now = row.path.reduce((product, step) => product * price(step), 1);
  if (!Number.isFinite(now) || now <= 0) return;
  const cell = row.element.querySelector("[data-cell='price']");
  if (cell) {
    paintPrice(cell, moneyWords(now, sign, { digits: digitsIn(cell.textContent) }), direction);
    const age = row.element.querySelector("time[data-ago]");
    if (age) age.setAttribute("datetime", new Date(known(row.path[0].replace(/^-/, "")).ts).toISOString());
  }
  if (row.amount === null || row.value === null) return;
  row.value = row.amount * now;
  paintMoney(row.element.querySelector("[data-cell='value']"), row.value, sign);
  paintGain(row.element.querySelector("[data-cell='gain']"), row.value - row.cost, sign);
}

function total() {
  if (rows.some((row) => row.amount === null)) return;
  const priced = rows.filter((row) => row.value !== null);
  const sum = priced.reduce((all, row) => all + row.value, 0);
  const gain = priced.reduce((all, row) => all + row.value - row.cost, 0);
  paintWorth(sum);
  paintMoney(document.getElementById("worth-again"), sum, sign);
  paintMoney(holdings.querySelector("[data-total]"), sum, sign);
  paintGain(holdings.querySelector("[data-total-gain]"), gain, sign);
  paintGain(document.getElementById("unrealised"), gain, sign);
}

let waiting = 0;
if (rows.length) {
  want("holdings", new Set(rows.flatMap((row) => row.path.map((step) => step.replace(/^-/, "")))));
  onPrice((instrument, _now, direction) => {
    for (const row of rows) if (row.path.some((step) => step.replace(/^-/, "") === instrument)) follow(row, direction);
    waiting ||= requestAnimationFrame(() => {
      waiting = 0;
      total();
    });
  });
}

document.querySelector("[data-hide-small]")?.addEventListener("click", ({ currentTarget }) => {
  const hide = currentTarget.getAttribute("aria-pressed") !== "true";
  currentTarget.setAttribute("aria-pressed", String(hide));
  for (const row of rows) row.element.hidden = hide && (row.value === null ? "small" in row.element.dataset : row.value < 1);
});

// --- The value over time -------------------------------------------------------------------------------------------------
async function drawHistory(place) {
  const state = document.getElementById("chart-state");
  const isPrivate = Boolean(place.dataset.private);
  const write = isPrivate ? (number) => priceWords(number, 1) : (number) => moneyWords(number, sign);
  const chart = new ValueChart(place, document.getElementById("value-readout"), write);
  try {
    const answer = await fetch(place.dataset.history, { credentials: "same-origin", headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(answer.statusText);
    chart.points = (await answer.json()).results;
  } catch {
    state.textContent = place.dataset.failed;
    state.hidden = false;
    place.removeAttribute("aria-busy");
    return;
  }
  state.hidden = true;
  chart.show("all");
  place.removeAttribute("aria-busy");
  if (!place.querySelector("canvas")) {
    state.textContent = place.dataset.none;
    state.hidden = false;
  }
  for (const button of document.querySelectorAll("[data-range]")) {
    button.addEventListener("click", () => {
      document.querySelectorAll("[data-range]").forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
      chart.show(button.dataset.range);
    });
  }
  place.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    chart.step(by * (event.shiftKey ? 30 : 1));
  });
}

const place = document.getElementById("value-chart");
if (place) drawHistory(place);

// --- News of the ledger --------------------------------------------------------------------------------------------------
const booking = document.querySelector("[data-booking]");
if (worth?.dataset.portfolio) {
  let timer = 0;
  subscribe("portfolio", [worth.dataset.portfolio], {
    onUpdate: () => {
      if (!booking) return;
      window.clearTimeout(timer);
      timer = window.setTimeout(() => location.reload(), SOON);
    },
  });
}
