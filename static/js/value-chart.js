/* The value of a portfolio over time with deposits and withdrawals marked; drawn by uPlot, colored by the tokens.

   Points are [time in milliseconds, value, net deposits]; while amounts are hidden the server sends shares of the
   first day instead, and nothing here knows more. */

import uPlot from "../vendor/uplot/uplot.mjs";
import { color } from "./prices.js";

const DAY = 86_400;
const MARK = 4;
const APART = 11; // pixels between two marks
const FONT = '11px "Inter Variable", sans-serif';

const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });
const MOST = 1e15; // above it a figure is told by its power of ten

/** Write a tick of the value axis. */
const tickWords = (tick) => (Math.abs(tick) >= MOST ? tick.toExponential(1).replace("e+", "e") : compact.format(tick));
const dayWords = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });

function fade(plot) {
  const { top, height } = plot.bbox;
  const paint = plot.ctx.createLinearGradient(0, top, 0, top + height);
  const accent = color("accent").replace(/[\d.]+\)$/, "");
  paint.addColorStop(0, `${accent}0.22)`);
  paint.addColorStop(1, `${accent}0)`);
  return paint;
}

/** Where money came or went: what lies too near to be told apart is one mark for the sum of it. */
function flowsOf(plot) {
  const [times, , net] = plot.data;
  const { left, width } = plot.bbox;
  const places = new Map();
  for (let at = 1; at < times.length; at += 1) {
    const moved = net[at] - net[at - 1];
    if (!moved || Math.abs(moved) < Math.abs(net[at] || 1) / 1e6) continue;
    const x = plot.valToPos(times[at], "x", true);
    if (x < left || x > left + width) continue;
    const place = Math.floor((x - left) / (APART * uPlot.pxRatio));
    const before = places.get(place);
    places.set(place, { x: before?.x ?? x, moved: (before?.moved ?? 0) + moved });
  }
  return [...places.values()].filter(({ moved }) => moved);
}

/** Triangles on the floor of the chart: up for money that came in, down and hollow for money that went. */
function drawFlows(plot) {
  const { ctx, bbox } = plot;
  const ratio = uPlot.pxRatio;
  const floor = bbox.top + bbox.height - 2 * ratio;
  ctx.save();
  ctx.fillStyle = color("ink-3");
  ctx.strokeStyle = color("ink-2");
  ctx.lineWidth = ratio;
  for (const { x, moved } of flowsOf(plot)) {
    const size = MARK * ratio;
    const [tip, base] = moved > 0 ? [floor - 2 * size, floor] : [floor, floor - 2 * size];
    ctx.beginPath();
    ctx.moveTo(x, tip);
    ctx.lineTo(x + size, base);
    ctx.lineTo(x - size, base);
    ctx.closePath();
    if (moved > 0) ctx.fill();
    else ctx.stroke();
  }
  ctx.restore();
}

export class ValueChart {
  #plot = null;
  #points = [];

  constructor(place, readout, write) {
    this.place = place;
    this.readout = readout;
    this.write = write;
    new ResizeObserver(() => this.#fit()).observe(place);
    document.addEventListener("look-changed", () => this.show(this.range));
  }

  set points(points) {
    this.#points = points;
  }

  get isDrawn() {
    return this.#plot !== null;
  }

  /** Draw the last days of a range: a number of days, `ytd` or `all`. */
  show(range) {
    this.range = range;
    this.#plot?.destroy();
    this.#plot = null;
    if (!this.#points.length) return;
    const last = this.#points.at(-1)[0] / 1000;
    const year = Date.UTC(new Date(last * 1000).getUTCFullYear(), 0, 1) / 1000;
    const first = range === "all" ? 0 : range === "ytd" ? year : last - Number(range) * DAY;
    const seen = this.#points.filter(([ts]) => ts / 1000 >= first);
    const columns = [seen.map(([ts]) => ts / 1000), seen.map(([, value]) => value), seen.map(([, , net]) => net)];
    this.#plot = new uPlot(this.#options(), columns, this.place);
    this.#read(null);
  }

  #options() {
    const axis = { stroke: color("ch-axis"), font: FONT, ticks: { show: false } };
    const grid = { stroke: color("ch-grid"), width: 1 };
    return {
      width: this.place.clientWidth,
      height: Math.max(160, this.place.clientHeight),
      legend: { show: false },
      padding: [8, 0, 0, 0],
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      cursor: { y: false, points: { size: 7, fill: color("accent"), stroke: color("surface") }, drag: { x: false, y: false } },
      axes: [
        { ...axis, grid: { show: false }, space: 72 },
        { ...axis, grid, side: 1, size: 56, values: (_plot, ticks) => ticks.map(tickWords) },
      ],
      series: [
        {},
        { stroke: color("accent"), width: 1.75, fill: fade, points: { show: false } },
        { stroke: color("line-ctl"), width: 1.25, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false } },
      ],
      hooks: { draw: [drawFlows], setCursor: [(plot) => this.#read(plot.cursor.idx)] },
    };
  }

  #read(at) {
    const [times, values, net] = this.#plot?.data ?? [[], [], []];
    const place = at ?? times.length - 1;
    if (place < 0) return;
    const { value: valueWord, deposits } = this.place.dataset;
    const parts = [
      ["", "", dayWords.format(times[place] * 1000)],
      ["key", valueWord, this.write(values[place])],
      ["key key--dep", deposits, this.write(net[place])],
    ].map(([key, word, figure]) => {
      const part = document.createElement("span");
      if (key) {
        const sign = document.createElement("i");
        sign.className = key;
        part.append(sign, `${word} `);
        const shown = document.createElement("b");
        shown.textContent = figure;
        part.append(shown);
      } else part.textContent = figure;
      return part;
    });
    this.readout.replaceChildren(...parts);
  }

  #fit() {
    const { clientWidth: width, clientHeight: height } = this.place;
    if (this.#plot && width && (width !== this.#plot.width || height !== this.#plot.height)) {
      this.#plot.setSize({ width, height: Math.max(160, height) });
    }
  }

  /** Walk along the line with the arrow keys. */
  step(by) {
    if (!this.#plot) return;
    const last = this.#plot.data[0].length - 1;
    const at = Math.max(0, Math.min(last, (this.#plot.cursor.idx ?? last) + by));
    this.#plot.setCursor({ left: this.#plot.valToPos(this.#plot.data[0][at], "x"), top: 0 });
  }
}
