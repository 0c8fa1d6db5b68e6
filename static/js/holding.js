/* One asset of a portfolio: its price with what was bought and sold as marks and the average cost as a line, the same
   trades as a table, and the figures above that follow the price. */

import { HoldingChart } from "./holding-chart.js";
import { digitsIn, moneyWords, paintGain, paintMoney, signOf } from "./money.js";
import { known, onPrice, paintPrice, want } from "./prices.js";

const MINUS = "−";
const TABLE_ROWS = 100;
const AGAIN = 8_000; // while older prices are being fetched

const figures = document.getElementById("figures");
const place = document.getElementById("holding-chart");
const sign = signOf(figures);

// --- Words ---------------------------------------------------------------------------------------------------------------
const dayWords = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });

const stretchWords = ({ from, to }) => (from === to ? dayWords.format(from) : dayWords.formatRange(from, to));

/** Write an exact amount with thousands; what the server told in text keeps every digit. */
function amountWords(text) {
  const [whole, fraction] = text.split(".");
  const grouped = whole.replace("-", MINUS).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return fraction ? `${grouped}.${fraction}` : grouped;
}

const worthWords = (number, signed = false) => moneyWords(number, sign, { signed });
const priceDigits = (price) => (price >= 100 ? 2 : Math.min(12, Math.max(2, 4 - Math.floor(Math.log10(price || 1)))));
const unitWords = (price, digits = priceDigits(price)) => moneyWords(price, sign, { digits });

/** What was done on some days, as short sentences. */
function tradeWords(group) {
  const { words } = place.dataset;
  const [bought, sold, times] = words.split("|");
  const parts = [];
  const say = (what, amount, worth, count, gain) => {
    const more = count > 1 ? `, ${times.replace("0", count)}` : "";
    const at = amount ? `, ${unitWords(worth / amount)}` : "";
    const made = gain === undefined ? "" : ` (${worthWords(gain, true)})`;
    parts.push([what, `${amountWords(roughly(amount))} ${place.dataset.asset}`, `${worthWords(worth)}${at}${made}${more}`]);
  };
  if (group.buys) say(bought, group.bought, group.paid, group.buys);
  if (group.sells) say(sold, group.sold, group.received, group.sells, group.gain);
  return parts;
}

/** Sums of several days are for the eye; they show as many figures as a number can bear. */
const roughly = (number) => Number(number.toPrecision(12)).toLocaleString("en-US", { maximumSignificantDigits: 12, useGrouping: false });

// --- The chart -------------------------------------------------------------------------------------------------------------
function begin() {
  const state = document.getElementById("holding-state");
  const readout = document.getElementById("holding-readout");
  const tip = document.getElementById("holding-tip");
  const table = document.getElementById("holding-table");
  const spoken = document.getElementById("holding-spoken");
  const chart = new HoldingChart(place, { unit: unitWords });
  let shown = { prices: [], average: [], trades: [] };

  const say = (text) => {
    state.hidden = !text;
    state.textContent = text;
  };

  async function load() {
    try {
      const answer = await fetch(place.dataset.address, { credentials: "same-origin", headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(answer.statusText);
      shown = await answer.json();
    } catch {
      say(place.dataset.failed);
      place.removeAttribute("aria-busy");
      return;
    }
    chart.show(shown);
    say(shown.prices.length ? "" : shown.pending ? place.dataset.pending : place.dataset.none);
    place.removeAttribute("aria-busy");
    place.closest(".hd-chart").classList.toggle("is-empty", !shown.prices.length);
    read(null);
    tabulate();
    if (shown.pending) setTimeout(load, AGAIN);
  }

  function read(day) {
    const at = day ?? chart.lastDay();
    const parts = at
      ? [
          ["", "", dayWords.format(at.ts)],
          ["key key--price", place.dataset.price, at.price === null ? "–" : unitWords(at.price)],
          ["key key--bench", place.dataset.average, at.average === null ? "–" : unitWords(at.average)],
        ]
      : [];
    readout.replaceChildren(
      ...parts.map(([key, word, figure]) => {
        const part = document.createElement("span");
        if (!key) part.textContent = figure;
        else {
          const drawn = document.createElement("i");
          drawn.className = key;
          const value = document.createElement("b");
          value.textContent = figure;
          part.append(drawn, `${word} `, value);
        }
        return part;
      }),
    );
  }

  function point(day) {
    read(day);
    const parts = day?.group ? tradeWords(day.group) : [];
    tip.hidden = !parts.length;
    if (!parts.length) return;
    const head = document.createElement("b");
    head.textContent = stretchWords(day.group);
    const rows = parts.map(([what, amount, worth]) => {
      const row = document.createElement("p");
      const strong = document.createElement("span");
      strong.textContent = `${what} ${amount}`;
      const small = document.createElement("small");
      small.textContent = worth;
      row.append(strong, small);
      return row;
    });
    tip.replaceChildren(head, ...rows);
    const room = place.clientWidth - tip.offsetWidth;
    tip.style.left = `${Math.max(0, Math.min(room, day.x + (day.x > room - 16 ? -tip.offsetWidth - 12 : 12)))}px`;
  }

  /** The trades in view as a table, for those who do not see the drawing; every digit of every amount. */
  function tabulate() {
    if (!table.open) return;
    const [bought, sold] = place.dataset.words.split("|");
    const { from, to } = chart.visible();
    const rows = shown.trades
      .filter(([ts]) => ts >= from && ts <= to)
      .flatMap(([ts, amount, paid, buys, gone, received, sells, gain]) => [
        ...(buys ? [[ts, bought, amount, paid, null]] : []),
        ...(sells ? [[ts, sold, gone, received, gain]] : []),
      ])
      .slice(-TABLE_ROWS)
      .reverse()
      .map(([ts, what, amount, worth, gain]) => {
        const row = document.createElement("tr");
        const head = document.createElement("th");
        head.scope = "row";
        head.textContent = dayWords.format(ts);
        row.append(head);
        row.insertCell().textContent = what;
        for (const words of [amountWords(amount), worthWords(Number(worth)), gain === null ? "–" : worthWords(Number(gain), true)]) {
          const cell = row.insertCell();
          cell.className = "r";
          cell.textContent = words;
        }
        return row;
      });
    table.querySelector("tbody").replaceChildren(...rows);
    table.querySelector("[data-none-in-view]").hidden = rows.length > 0;
  }

  chart.onPoint = point;
  chart.onView = tabulate;
  table.addEventListener("toggle", tabulate);
  for (const button of document.querySelectorAll("[data-range]")) {
    button.addEventListener("click", () => {
      document.querySelectorAll("[data-range]").forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
      chart.zoom(button.dataset.range);
    });
  }
  place.addEventListener("keydown", (event) => {
    const day = { ArrowLeft: () => chart.step(-1), ArrowRight: () => chart.step(1), Home: () => chart.step(-Infinity), End: () => chart.step(Infinity) }[event.key]?.();
    if (event.key === "Escape") chart.leave();
    if (!day) return;
    event.preventDefault();
    point(day);
    spoken.textContent = [stretchWords(day.group), ...tradeWords(day.group).map((words) => words.join(" "))].join(". ");
  });
  place.addEventListener("blur", () => chart.leave());
  load();
  return chart;
}

const chart = place ? begin() : null;

// --- Figures that follow the price -------------------------------------------------------------------------------------------
const path = figures?.dataset.path ? figures.dataset.path.split(",") : [];
const one = (step) => {
  const found = Number(known(step.replace(/^-/, ""))?.price);
  return step.startsWith("-") ? 1 / found : found;
};

function follow(direction) {
  const now = path.reduce((product, step) => product * one(step), 1);
  if (!Number.isFinite(now) || now <= 0) return;
  const price = figures.querySelector("[data-cell='price']");
  if (price) paintPrice(price, moneyWords(now, sign, { digits: digitsIn(price.textContent) }), direction);
  chart?.follow(now);
  if (figures.dataset.amount === undefined) return;
  const value = Number(figures.dataset.amount) * now;
  const gain = value - Number(figures.dataset.cost);
  paintMoney(figures.querySelector("[data-cell='value']"), value, sign);
  for (const cell of document.querySelectorAll("[data-cell='gain']")) paintGain(cell, gain, sign);
  const made = document.querySelector("[data-cell='made']");
  if (made) paintGain(made, gain + Number(made.dataset.rest), sign);
}

if (path.length) {
  const names = new Set(path.map((step) => step.replace(/^-/, "")));
  want("holding", names);
  onPrice((instrument, _now, direction) => names.has(instrument) && follow(direction));
}
