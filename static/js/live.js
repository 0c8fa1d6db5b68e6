/* The page's end of the live socket. It gets a ticket, connects, subscribes, and comes back by itself.
   One socket a page, whoever asks: scripts share it, and a key that two of them want is asked for once.
   The badge says Live once the server has answered all that the page asked for, not before.

   Others take `subscribe` from here:
   const prices = subscribe("market_data", ["binance:BTC/USDT"], {
     onSnapshot(rows) {},            // the state as it is: at the start, and after every gap or outage
     onUpdate(rows) {},              // what has changed
     onStale({ since, venues }) {},  // nothing new can be heard (of these venues; null: of none); a snapshot ends it
   });
   prices.set(keys); prices.close();

   Rows are only those of one's own keys. An age is told by `ts`: a row may come from the page's memory.
   Markup can ask as well: data-live-channel="alerts" and, where there are some, data-live-keys="a b"; all news of a
   channel is an event on the document: "live:jobs", … with `detail` = the data plus `op` and `seq`; "live:state" with
   `detail.state` when the badge changes. No ticket and no token is ever kept. */

const TICKET = "/api/v1/live/ticket";
const WORDS = {
  live: "Live",
  reconnecting: "Reconnecting",
  paused: "Live data paused",
  offline: "Offline",
  signedout: "Signed out",
};
const FIRST_WAIT = 500;
const LONGEST_WAIT = 8_000;
const WAIT_WHEN_TOO_MANY = 30_000;
const PING_EVERY = 25_000;
const PONG_WITHIN = 10_000;
const CONNECT_WITHIN = 10_000;
const ANSWER_WITHIN = 15_000;
const ASK_AGAIN = 5_000; // for what the server said it does not know; twice as long each time
const LONGEST_ASK_AGAIN = 300_000;
const KEPT_WHILE_HIDDEN = 5 * 60_000;
const KEYS_AT_ONCE = 50;
const KEYS_IN_ALL = 200;
const GATHER = 40; // what is asked for within this time goes out together
const LINGER = 2_000; // a key that nobody wants is kept this long: scrolling back is common
const TOO_MANY = 4429;
const NOT_YOURS = 4403;

/** What is known of a channel: the keys asked for, the last number, and the newest row of each key. */
class Channel {
  keys = new Set();
  seq = null;
  rows = new Map();

  learn(op, rows) {
    if (op === "snapshot") this.rows.clear();
    for (const row of rows) this.rows.set(keyOf(row), row);
  }
}

class Live {
  #socket = null;
  #channels = new Map(); // name -> Channel, what the socket was asked for
  #asking = new Set(); // the subscriptions of this page's scripts
  #stale = new Set();
  #awaited = new Map(); // number of a subscription -> { name, keys }, until the server has answered it
  #asked = 0;
  #refused = 0;
  #attempts = 0;
  #welcome = false;
  #connecting = false;
  #ended = false;
  #timers = { retry: 0, ping: 0, pong: 0, hidden: 0, open: 0, answer: 0, again: 0, gather: 0, linger: 0 };

  start() {
    addEventListener("online", () => this.#now());
    addEventListener("offline", () => this.#pause("offline"));
    addEventListener("pagehide", () => this.#pause(""));
    addEventListener("pageshow", (event) => event.persisted && this.#now());
    document.addEventListener("visibilitychange", () => this.#seen());
    for (const swapped of ["htmx:afterSwap", "htmx:after:swap"]) {
      document.addEventListener(swapped, () => this.#gather());
    }
    if (navigator.onLine === false) this.#show("offline");
    else this.#connect();
  }

  /** Hear a channel; `keys` is null where the channel has none. */
  subscribe(name, keys, { onSnapshot, onUpdate, onStale } = {}) {
    const asked = { name, keys: keys && new Set(keys), onSnapshot, onUpdate, onStale };
    this.#asking.add(asked);
    this.#gather();
    queueMicrotask(() => this.#remind(asked, asked.onSnapshot, () => true));
    return {
      set: (wanted) => {
        const before = asked.keys;
        asked.keys = new Set(wanted);
        this.#remind(asked, asked.onUpdate, (key) => !before?.has(key));
        this.#gather();
      },
      close: () => {
        this.#asking.delete(asked);
        this.#gather();
      },
    };
  }

  // --- Connecting --------------------------------------------------------------------------------------------------
  async #connect() {
    if (this.#socket || this.#connecting || this.#ended) return;
    this.#connecting = true;
    try {
      const answer = await fetch(TICKET, {
        method: "POST",
        credentials: "same-origin",
        cache: "no-store",
        headers: { Accept: "application/json", "X-CSRFToken": csrfToken() },
        signal: AbortSignal.timeout(CONNECT_WITHIN),
      });
      if (answer.status === 401 || answer.status === 403) return this.#end("signedout");
      if (!answer.ok) return this.#later(answer.status === 503 ? "paused" : "reconnecting", waitOf(answer));
      this.#open((await answer.json()).url);
    } catch {
      this.#later(navigator.onLine === false ? "offline" : "reconnecting");
    } finally {
      this.#connecting = false;
    }
  }

  #open(url) {
    if (this.#ended || navigator.onLine === false) return;
    const socket = new WebSocket(url);
    this.#socket = socket;
    this.#timers.open = setTimeout(() => this.#drop(), CONNECT_WITHIN);
    socket.addEventListener("message", (event) => socket === this.#socket && this.#hear(event.data));
    socket.addEventListener("close", (event) => socket === this.#socket && this.#closed(event.code));
  }

  #closed(code) {
    this.#forget();
    if (code === NOT_YOURS) this.#end("offline");
    else this.#later("reconnecting", code === TOO_MANY ? WAIT_WHEN_TOO_MANY : 0);
  }

  #later(state, least = 0) {
    this.#show(state);
    const wait = Math.max(least, Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.#attempts));
    this.#attempts += 1;
    clearTimeout(this.#timers.retry);
    this.#timers.retry = setTimeout(() => this.#connect(), wait * (0.5 + Math.random() / 2) + least / 2);
  }

  #now() {
    clearTimeout(this.#timers.retry);
    this.#attempts = 0;
    if (!this.#socket) this.#show("reconnecting");
    this.#connect();
  }

  #pause(state) {
    clearTimeout(this.#timers.retry);
    const socket = this.#socket;
    this.#forget();
    socket?.close(1000);
    if (state) this.#show(state);
  }

  /** Trying again would not help before the next page. */
  #end(state) {
    this.#ended = true;
    this.#pause(state);
  }

  #drop() {
    const socket = this.#socket;
    this.#closed(1006);
    socket?.close();
  }

  #forget() {
    const since = new Date().toISOString();
    for (const asked of this.#asking) if (this.#channels.has(asked.name)) asked.onStale?.({ since, venues: null });
    this.#socket = null;
    this.#welcome = false;
    this.#refused = 0;
    this.#channels.clear();
    this.#awaited.clear();
    this.#stale.clear();
    for (const name of ["ping", "pong", "open", "answer", "again", "gather", "linger"]) {
      clearTimeout(this.#timers[name]);
      this.#timers[name] = 0;
    }
  }

  /** A page that nobody looks at lets its socket go after a while, and comes back at once when looked at. */
  #seen() {
    clearTimeout(this.#timers.hidden);
    if (document.hidden) this.#timers.hidden = setTimeout(() => this.#pause("reconnecting"), KEPT_WHILE_HIDDEN);
    else if (!this.#socket && navigator.onLine !== false) this.#now();
  }

  // --- Asking ------------------------------------------------------------------------------------------------------
  #say(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #gather() {
    this.#timers.gather ||= setTimeout(() => {
      this.#timers.gather = 0;
      this.#ask();
    }, GATHER);
  }

  /** Bring what the socket was asked for in line with what is wanted on the page. */
  #ask() {
    if (!this.#welcome || this.#socket?.readyState !== WebSocket.OPEN) return;
    const wanted = this.#wanted();
    for (const [name, keys] of wanted) {
      const isNew = !this.#channels.has(name);
      const channel = this.#channels.get(name) ?? new Channel();
      this.#channels.set(name, channel);
      const missing = [...keys].filter((key) => !channel.keys.has(key));
      this.#makeRoom(wanted, missing.length);
      missing.splice(Math.max(0, KEYS_IN_ALL - this.#held()));
      if (!isNew && !missing.length) continue;
      missing.forEach((key) => channel.keys.add(key));
      this.#sayKeys("subscribe", name, missing);
    }
    if (this.#spare(wanted).length) {
      this.#timers.linger ||= setTimeout(() => {
        this.#timers.linger = 0;
        this.#drainSpare(this.#wanted());
      }, LINGER);
    }
  }

  #sayKeys(op, channel, keys) {
    for (let at = 0; at === 0 || at < keys.length; at += KEYS_AT_ONCE) {
      const part = keys.slice(at, at + KEYS_AT_ONCE);
      const id = op === "subscribe" ? this.#await(channel, part) : undefined;
      this.#say({ id, op, channel, ...(part.length ? { keys: part } : {}) });
    }
  }

  /** A subscription that nobody answers is none: the line is given up rather than called live. */
  #await(name, keys) {
    this.#asked += 1;
    this.#awaited.set(this.#asked, { name, keys });
    this.#timers.answer ||= setTimeout(() => this.#drop(), ANSWER_WITHIN);
    return this.#asked;
  }

  /** What the server says it sends is what counts; the rest is asked for again after a while. */
  #answered({ id, code, channel, keys: watched = [] }) {
    if (code === "unknown_key") return; // the answer itself follows
    if (code === "not_subscribed") {
      this.#channels.delete(channel);
      this.#gather();
    }
    const asked = this.#awaited.get(id);
    if (!this.#awaited.delete(id)) return;
    clearTimeout(this.#timers.answer);
    this.#timers.answer = this.#awaited.size ? setTimeout(() => this.#drop(), ANSWER_WITHIN) : 0;
    const refused = asked.keys.filter((key) => !watched.includes(key));
    refused.forEach((key) => this.#channels.get(asked.name)?.keys.delete(key));
    if (refused.length) this.#askAgain();
    if (this.#awaited.size) return;
    this.#attempts = 0;
    this.#showHowItIs();
  }

  #askAgain() {
    if (this.#timers.again) return;
    const wait = Math.min(LONGEST_ASK_AGAIN, ASK_AGAIN * 2 ** this.#refused);
    this.#refused += 1;
    this.#timers.again = setTimeout(() => {
      this.#timers.again = 0;
      this.#ask();
    }, wait);
  }

  #held() {
    return [...this.#channels.values()].reduce((total, channel) => total + channel.keys.size, 0);
  }

  #makeRoom(wanted, needed) {
    if (this.#held() + needed > KEYS_IN_ALL) this.#drainSpare(wanted);
  }

  /** Return what the socket still sends although nothing on the page wants it. */
  #spare(wanted) {
    return [...this.#channels]
      .map(([name, channel]) => [name, [...channel.keys].filter((key) => !wanted.get(name)?.has(key))])
      .filter(([name, keys]) => keys.length || !wanted.has(name));
  }

  #drainSpare(wanted) {
    for (const [name, keys] of this.#spare(wanted)) {
      const channel = this.#channels.get(name);
      for (const key of keys) {
        channel.keys.delete(key);
        channel.rows.delete(key);
      }
      if (!channel.keys.size) this.#channels.delete(name);
      this.#sayKeys("unsubscribe", name, channel.keys.size ? keys : []);
    }
  }

  /** Every page hears of jobs; what else it hears stands in its markup or is asked for by its scripts. */
  #wanted() {
    const channels = new Map([["jobs", new Set()]]);
    const want = (name, keys) => {
      const all = channels.get(name) ?? new Set();
      for (const key of keys) all.add(key);
      channels.set(name, all);
    };
    for (const element of document.querySelectorAll("[data-live-channel]")) {
      want(element.dataset.liveChannel, (element.dataset.liveKeys ?? "").split(" ").filter(Boolean));
    }
    for (const { name, keys } of this.#asking) if (!keys || keys.size) want(name, keys ?? []);
    return channels;
  }

  // --- Hearing -----------------------------------------------------------------------------------------------------
  #hear(text) {
    const frame = JSON.parse(text);
    this.#rest();
    if (frame.op === "welcome") {
      clearTimeout(this.#timers.open);
      this.#welcome = true;
      this.#ask();
      if (document.hidden) this.#seen();
    } else if (frame.op === "snapshot" || frame.op === "update") this.#news(frame);
    else if (frame.op === "stale") this.#silence(frame);
    else if (frame.op === "subscribed" || frame.op === "error") this.#answered(frame);
  }

  /** Live is a page that hears all it asked for. */
  #showHowItIs() {
    if (this.#stale.size) this.#show("paused");
    else if (!this.#awaited.size) this.#show("live");
  }

  #news({ op, channel: name, seq, data }) {
    const channel = this.#channels.get(name);
    if (!channel) return;
    if (op === "update" && channel.seq !== null && seq !== channel.seq + 1) {
      channel.seq = null; // until the snapshot comes
      this.#say({ op: "resync", channel: name });
      return;
    }
    if (op === "update" && channel.seq === null) return;
    channel.seq = seq;
    if (this.#stale.delete(name)) this.#showHowItIs();
    const rows = Object.values(data).find(Array.isArray) ?? [];
    channel.learn(op, rows);
    tell(name, { ...data, op, seq });
    for (const asked of this.#asking) {
      if (asked.name !== name) continue;
      const own = rows.filter((row) => isOf(asked, row));
      if (op === "snapshot") asked.onSnapshot?.(own);
      else if (own.length) asked.onUpdate?.(own);
    }
  }

  /** Give a script that joins others, or adds keys, what the page knows already. */
  #remind(asked, hear, isNew) {
    const channel = this.#channels.get(asked.name);
    if (!channel || channel.seq === null) return;
    const rows = [...channel.rows.values()].filter((row) => isOf(asked, row) && isNew(keyOf(row)));
    if (rows.length) hear?.(rows);
  }

  #silence({ channel: name, since, venues = null }) {
    const keys = [...(this.#channels.get(name)?.keys ?? [])];
    if (!venues || keys.every((key) => venues.includes(venueOf(key)))) {
      this.#stale.add(name);
      this.#show("paused");
    }
    tell(name, { op: "stale", since, venues });
    for (const asked of this.#asking) {
      const touched = !venues || [...(asked.keys ?? [])].some((key) => venues.includes(venueOf(key)));
      if (asked.name === name && touched) asked.onStale?.({ since, venues });
    }
  }

  /** Whenever something is heard the line is good; when nothing is, ask, and give up if nobody answers. */
  #rest() {
    clearTimeout(this.#timers.ping);
    clearTimeout(this.#timers.pong);
    this.#timers.ping = setTimeout(() => {
      this.#say({ op: "ping", t: Date.now() });
      this.#timers.pong = setTimeout(() => this.#drop(), PONG_WITHIN);
    }, PING_EVERY);
  }

  #show(state) {
    for (const badge of document.querySelectorAll("[data-live-badge]")) {
      if (badge.dataset.state === state) continue;
      badge.dataset.state = state;
      badge.replaceChildren(state === "signedout" ? wayBack(badge) : badge.dataset[state] || WORDS[state]);
    }
    document.dispatchEvent(new CustomEvent("live:state", { detail: { state } }));
  }
}

function tell(channel, detail) {
  document.dispatchEvent(new CustomEvent(`live:${channel}`, { detail }));
}

function keyOf(row) {
  return row.instrument ?? row.id;
}

function isOf(asked, row) {
  return !asked.keys || asked.keys.has(keyOf(row));
}

function venueOf(key) {
  return key.split(":", 1)[0];
}

/** The badge of somebody who is signed out is the way back to this very page. */
function wayBack(badge) {
  const link = document.createElement("a");
  link.href = `${badge.dataset.signIn ?? "/"}?next=${encodeURIComponent(location.pathname + location.search)}`;
  link.textContent = badge.dataset.signedout || WORDS.signedout;
  return link;
}

function csrfToken() {
  const headers = document.body.getAttribute("hx-headers");
  if (headers) return JSON.parse(headers)["X-CSRFToken"] ?? "";
  return document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
}

function waitOf(answer) {
  const seconds = Number(answer.headers.get("Retry-After"));
  return Number.isFinite(seconds) ? Math.min(seconds * 1000, 60_000) : 0;
}

/* A script may be loaded under two addresses, one with a fingerprint in its name and one without: the page still
   has one socket. */
const PLACE = Symbol.for("coinsphere.live");
const isFirst = !globalThis[PLACE];
const live = (globalThis[PLACE] ??= new Live());
if (isFirst && document.querySelector("[data-live-badge]")) live.start();

/** Hear a channel of the live socket; returns { set(keys), close() }. */
export function subscribe(channel, keys, handlers) {
  return live.subscribe(channel, keys, handlers);
}
