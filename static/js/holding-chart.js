/* The drawing of one asset: the price of each day, the average cost while something was held, marks where it was
   bought and sold. Marks that would lie on each other become one that says how many it stands for. */

import {
  ColorType,
  createChart,
  createSeriesMarkers,
  CrosshairMode,
  LineSeries,
  LineStyle,
  LineType,
} from "../vendor/lightweight-charts/lightweight-charts.mjs";
import { color } from "./prices.js";

const DAY = 86_400_000;
const APART = 28; // pixels between two marks
const NEAR = 10; // pixels from a mark that still mean it
const MOST_STRETCHES = 30;

/** How many digits tell the steps of a scale apart. */
function apart(prices) {
  const step = Math.min(...prices.slice(1).map((price, at) => Math.abs(price - prices[at])).filter((gap) => gap > 0));
  return Number.isFinite(step) ? Math.max(0, Math.min(12, Math.ceil(-Math.log10(step) - 1e-9))) : 2;
}

/** The smallest step of the scale: a scale of one price only is as wide as some steps, and has to tell them apart. */
function stepOf(prices) {
  const largest = Math.max(0, ...prices.map(Math.abs));
  return largest ? 10 ** Math.min(0, Math.max(-12, Math.floor(Math.log10(largest)) - 8)) : 0.01;
}

const timeOf = (ts) => ts / 1000;

/** Put trading days into groups of so many days, with sums for the eye. */
function grouped(trades, days) {
  const groups = new Map();
  for (const [ts, bought, paid, buys, sold, received, sells, gain] of trades) {
    const key = Math.floor(ts / DAY / days);
    const group = groups.get(key) ?? { from: ts, to: ts, bought: 0, paid: 0, buys: 0, sold: 0, received: 0, sells: 0, gain: 0 };
    group.to = ts;
    group.bought += Number(bought);
    group.paid += Number(paid);
    group.buys += buys;
    group.sold += Number(sold);
    group.received += Number(received);
    group.sells += sells;
    group.gain += Number(gain);
    groups.set(key, group);
  }
  return [...groups.values()];
}

export class HoldingChart {
  #chart;
  #price;
  #marks;
  #stretches = [];
  #data = { prices: [], average: [], trades: [] };
  #groups = [];
  #days = 0;
  #frame = 0;
  #chosen = -1;

  onPoint = () => {};
  onView = () => {};

  constructor(place, { unit }) {
    this.place = place;
    this.#chart = createChart(place, {
      autoSize: true,
      layout: { attributionLogo: false },
      crosshair: { mode: CrosshairMode.Magnet, horzLine: { visible: false, labelVisible: false } },
      rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.1, bottom: 0.1 }, minimumWidth: 64 },
      timeScale: { borderVisible: false, rightOffset: 2, minBarSpacing: 0.05, fixLeftEdge: true, fixRightEdge: true, lockVisibleTimeRangeOnResize: true },
      handleScroll: { vertTouchDrag: false, mouseWheel: false },
      handleScale: { mouseWheel: false },
      kineticScroll: { touch: !matchMedia("(prefers-reduced-motion: reduce)").matches, mouse: false },
    });
    this.#price = this.#chart.addSeries(LineSeries, {
      lineWidth: 2,
      priceLineVisible: false,
      crosshairMarkerRadius: 3,
      priceFormat: { type: "custom", formatter: (price) => unit(price), tickmarksFormatter: (prices) => prices.map((price) => unit(price, apart(prices))) },
    });
    this.#marks = createSeriesMarkers(this.#price, [], { zOrder: "top" });
    this.#chart.subscribeCrosshairMove(({ time, point }) => this.onPoint(time === undefined || !point ? null : this.#at(time * 1000, point.x)));
    this.#chart.timeScale().subscribeVisibleLogicalRangeChange(() => this.#soon());
    document.addEventListener("look-changed", () => this.#dress());
    document.fonts?.ready.then(() => this.#dress());
    this.#dress();
  }

  show({ prices, average, trades }) {
    this.#data = prices.length ? { prices, average, trades } : { prices, average: [], trades: [] }; // nothing to mark
    this.#price.applyOptions({ priceFormat: { minMove: stepOf(prices.map(([, price]) => price)) } });
    this.#price.setData(this.#everyDay());
    this.#drawAverage();
    this.#days = 0;
    this.zoom(this.range ?? "all");
    this.#soon();
  }

  /** Move the last day with the price of now. */
  follow(price) {
    const last = this.#data.prices.at(-1);
    if (!last) return;
    last[1] = price;
    this.#price.update({ time: timeOf(last[0]), value: price });
  }

  zoom(range) {
    this.range = range;
    const last = this.#data.prices.at(-1)?.[0];
    const scale = this.#chart.timeScale();
    if (!last) return;
    if (range === "all") scale.fitContent();
    else scale.setVisibleRange({ from: timeOf(Math.max(this.#firstDay(), last - Number(range) * DAY)), to: timeOf(last) });
  }

  visible() {
    const range = this.#chart.timeScale().getVisibleRange();
    return range ? { from: range.from * 1000, to: range.to * 1000 } : { from: 0, to: Infinity };
  }

  lastDay() {
    const last = this.#data.prices.at(-1);
    return last ? { ts: last[0], price: last[1], average: this.#averageAt(last[0]) } : null;
  }

  /** Go to the next or the last mark, and return it as a day that is pointed at. */
  step(by) {
    if (!this.#groups.length) return null;
    const last = this.#groups.length - 1;
    const from = this.#chosen < 0 ? (by < 0 ? last + 1 : -1) : this.#chosen;
    this.#chosen = Math.max(0, Math.min(last, from + by));
    const group = this.#groups[this.#chosen];
    const scale = this.#chart.timeScale();
    const near = this.#nearest(group.to);
    const x = scale.timeToCoordinate(timeOf(near)) ?? 0;
    const value = this.#priceAt(near);
    if (value !== null) this.#chart.setCrosshairPosition(value, timeOf(near), this.#price);
    return { ts: near, price: value, average: this.#averageAt(near), group, x };
  }

  leave() {
    this.#chosen = -1;
    this.#chart.clearCrosshairPosition();
    this.onPoint(null);
  }

  // --- Data ---------------------------------------------------------------------------------------------------------
  /** Days without a price are empty places, so that the axis is even and marks have their day. */
  #everyDay() {
    const rows = [];
    const { prices } = this.#data;
    let day = this.#firstDay();
    for (const [ts, value] of prices) {
      for (; day < ts; day += DAY) rows.push({ time: timeOf(day) });
      rows.push({ time: timeOf(ts), value });
      day = ts + DAY;
    }
    return rows;
  }

  #firstDay() {
    return Math.min(this.#data.prices[0]?.[0] ?? Infinity, this.#data.trades[0]?.[0] ?? Infinity);
  }

  #priceAt(ts) {
    const { prices } = this.#data;
    let [low, high, found] = [0, prices.length - 1, null];
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (prices[middle][0] <= ts) [found, low] = [prices[middle], middle + 1];
      else high = middle - 1;
    }
    return found?.[0] === ts ? found[1] : null;
  }

  /** The nearest day that has a price. */
  #nearest(ts) {
    return this.#data.prices.reduce((best, [day]) => (Math.abs(day - ts) < Math.abs(best - ts) ? day : best), this.#data.prices[0]?.[0] ?? ts);
  }

  #averageAt(ts) {
    let found = null;
    for (const [day, unit] of this.#data.average) {
      if (day > ts) break;
      found = unit;
    }
    return found;
  }

  #at(ts, x) {
    const scale = this.#chart.timeScale();
    let group = null;
    let closest = NEAR;
    for (const one of this.#groups) {
      const apart = Math.abs((scale.timeToCoordinate(timeOf(this.#nearestDrawn(one))) ?? Infinity) - x);
      if (apart <= closest) [group, closest] = [one, apart];
    }
    return { ts, price: this.#priceAt(ts), average: this.#averageAt(ts), group, x };
  }

  #nearestDrawn = (group) => (group.drawn ??= this.#nearest(group.to));

  // --- Drawing ------------------------------------------------------------------------------------------------------
  #drawAverage() {
    this.#stretches.forEach((series) => this.#chart.removeSeries(series));
    const stretches = [];
    let open = null;
    const last = this.#data.prices.at(-1)?.[0];
    for (const [ts, unit] of this.#data.average) {
      if (open) open.at(-1).until = ts;
      if (unit === null) open = null;
      else if (open) open.push({ ts, unit });
      else stretches.push((open = [{ ts, unit }]));
    }
    if (open) open.at(-1).until = Math.max(last ?? 0, open.at(-1).ts);
    this.#stretches = stretches.slice(-MOST_STRETCHES).map((points) => {
      const series = this.#chart.addSeries(LineSeries, {
        lineType: LineType.WithSteps,
        lineStyle: LineStyle.Dashed,
        lineWidth: 1,
        lastValueVisible: false,
        priceLineVisible: false,
        crosshairMarkerVisible: false,
      });
      const rows = points.map(({ ts, unit }) => ({ time: timeOf(ts), value: unit }));
      const { until, unit, ts } = points.at(-1);
      if (until > ts) rows.push({ time: timeOf(until), value: unit });
      series.setData(rows);
      return series;
    });
    this.#dress();
  }

  #soon() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#mark();
      this.onView();
    });
  }

  #mark() {
    const spacing = this.#chart.timeScale().options().barSpacing;
    const days = Math.max(1, Math.ceil(APART / spacing));
    if (days === this.#days) return;
    this.#days = days;
    this.#groups = grouped(this.#data.trades, days);
    this.#chosen = -1;
    this.#paintMarks();
  }

  #paintMarks() {
    if (!this.#data.prices.length) return this.#marks.setMarkers([]);
    const marks = [];
    for (const group of this.#groups) {
      const time = timeOf(this.#nearestDrawn(group));
      const near = this.#priceAt(this.#nearestDrawn(group));
      const sides = [
        [group.buys, group.bought, group.paid, "arrowUp", "atPriceBottom", "accent"],
        [group.sells, group.sold, group.received, "arrowDown", "atPriceTop", "ink-2"],
      ];
      for (const [count, amount, worth, shape, position, tint] of sides) {
        if (!count) continue;
        const price = amount && worth ? worth / amount : near;
        marks.push({ time, position, price, shape, color: color(tint), size: 1, text: count > 1 ? String(count) : "" });
      }
    }
    this.#marks.setMarkers(marks);
  }

  #dress() {
    this.#chart.applyOptions({
      layout: {
        background: { type: ColorType.Solid, color: color("surface") },
        textColor: color("ch-axis"),
        fontFamily: getComputedStyle(document.body).fontFamily,
        fontSize: 11,
        attributionLogo: false,
      },
      grid: { vertLines: { visible: false }, horzLines: { color: color("ch-grid") } },
      crosshair: { vertLine: { color: color("ch-cross"), labelBackgroundColor: color("surface-3") } },
    });
    this.#price.applyOptions({ color: color("ink-2") });
    this.#stretches.forEach((series) => series.applyOptions({ color: color("accent") }));
    this.#paintMarks();
  }
}
