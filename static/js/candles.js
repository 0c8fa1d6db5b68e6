/* Candles of one instrument and timeframe: fetched in pages as far back as somebody looks, the last one live.

   What the exchange has closed comes from the server; between two answers the socket's prices move the open candle. */

const FIRST = 500;
const MORE = 1000;
const RETRY = [1_500, 3_000, 6_000, 12_000, 20_000];
const TRUE_AGAIN = 15_000; // how often the open candle is asked for, so that its volume is right
const LONGEST_HOLE = 400; // empty places drawn for one hole

export const LENGTHS = { "1m": 60_000, "5m": 300_000, "15m": 900_000, "1h": 3_600_000, "4h": 14_400_000, "1d": 86_400_000 };

export class Candles extends EventTarget {
  #address;
  #instrument;
  #ended = false;
  #tries = 0;
  #retry = 0;
  #timer = 0;
  #asking = false;
  #aborted = new AbortController();

  rows = []; // [ts, open, high, low, close, volume], oldest first, the open one last
  complete = false; // nothing older is to be had
  pending = false; // the server is still fetching what was asked for

  constructor({ address, instrument, timeframe }) {
    super();
    this.#address = address;
    this.#instrument = instrument;
    this.timeframe = timeframe;
    this.length = LENGTHS[timeframe];
  }

  async start() {
    await this.#first();
    this.#timer = setInterval(() => document.hidden || this.#refresh(), TRUE_AGAIN);
  }

  end() {
    this.#ended = true;
    this.#aborted.abort();
    clearInterval(this.#timer);
    clearTimeout(this.#retry);
  }

  /** Fetch what is older than the oldest; does nothing while an answer is awaited. */
  async older() {
    if (this.#asking || this.complete || !this.rows.length) return;
    this.#asking = true;
    const answer = await this.#ask({ to: this.rows[0][0], limit: MORE });
    this.#asking = false;
    if (!answer) return;
    const older = answer.results.filter(([ts]) => ts < this.rows[0][0]);
    this.rows = older.concat(this.rows);
    if (older.length) this.#tries = 0;
    if (answer.pending) this.#later(() => this.older());
    else if (!older.length) this.complete = true;
    this.#say("changed", { older: older.length });
  }

  /** Let the open candle follow a price; a new one begins where the old one ends. */
  tick(price, now) {
    const last = this.rows.at(-1);
    if (!last || !(price > 0)) return;
    const begins = Math.floor(now / this.length) * this.length;
    if (begins > last[0]) {
      this.rows.push([begins, price, price, price, price, 0]);
      setTimeout(() => this.#refresh(), 3_000);
    } else if (begins === last[0]) {
      last[2] = Math.max(last[2], price);
      last[3] = Math.min(last[3], price);
      last[4] = price;
    } else return;
    this.#say("tick", {});
  }

  async #first() {
    const answer = await this.#ask({ limit: FIRST });
    if (!answer) return;
    this.rows = answer.results;
    this.#open(answer);
    if (this.rows.length) this.#tries = 0;
    this.#say("changed", { first: true });
    if (answer.pending || !this.rows.length) this.#later(() => this.#first());
  }

  /** Ask for the newest again: closed candles as the exchange has them, the open one with its volume. */
  async #refresh() {
    if (this.#ended || !this.rows.length) return;
    const answer = await this.#ask({ limit: 5 });
    if (!answer) return;
    for (const row of answer.results) this.#put(row);
    this.#open(answer);
    this.#say("tick", { all: true });
  }

  #open({ open_candle: open }) {
    if (open) this.#put(open);
  }

  #put(row) {
    let at = this.rows.length - 1;
    while (at >= 0 && this.rows[at][0] > row[0]) at -= 1;
    if (at >= 0 && this.rows[at][0] === row[0]) this.rows[at] = row;
    else if (at >= 0) this.rows.splice(at + 1, 0, row);
  }

  async #ask(query) {
    const words = new URLSearchParams({ instrument: this.#instrument, timeframe: this.timeframe, ...query });
    try {
      const answer = await fetch(`${this.#address}?${words}`, {
        headers: { Accept: "application/json" },
        signal: this.#aborted.signal,
      });
      if (!answer.ok) throw new Error(String(answer.status));
      const body = await answer.json();
      this.pending = Boolean(body.pending);
      this.#say("state", { state: this.pending ? "pending" : "ready" });
      return this.#ended ? null : body;
    } catch {
      if (this.#ended) return null;
      this.#say("state", { state: "failed" });
      this.#later(() => (this.rows.length ? this.#refresh() : this.#first()));
      return null;
    }
  }

  #later(again) {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(again, RETRY[Math.min(this.#tries, RETRY.length - 1)]);
    this.#tries += 1;
  }

  #say(name, detail) {
    if (!this.#ended) this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** Return the rows with an empty place for every missing candle, so that a hole is seen as one. */
export function withHoles(rows, length) {
  const places = [];
  for (let at = 0; at < rows.length; at += 1) {
    if (at) {
      const missing = Math.round((rows[at][0] - rows[at - 1][0]) / length) - 1;
      for (let hole = 1; hole <= Math.min(missing, LONGEST_HOLE); hole += 1) places.push([rows[at - 1][0] + hole * length]);
    }
    places.push(rows[at]);
  }
  return places;
}
