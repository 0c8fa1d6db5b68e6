/* The page's end of the live socket. It gets a ticket, connects, subscribes, and comes back by itself.

   Other scripts hear news as events on the document: "live:jobs", "live:alerts", … with `detail` = the data
   plus `op` ("snapshot", "update" or "stale") and `seq`; "live:state" with `detail.state` when the badge changes.
   A page asks for more channels with data-live-channel="alerts" and, where there are some, data-live-keys="a b".
   No ticket and no token is ever kept. */

const TICKET = "/api/v1/live/ticket";
const WORDS = { live: "Live", reconnecting: "Reconnecting", paused: "Live data paused", offline: "Offline" };
const FIRST_WAIT = 500;
const LONGEST_WAIT = 8_000;
const WAIT_WHEN_TOO_MANY = 30_000;
const PING_EVERY = 25_000;
const PONG_WITHIN = 10_000;
const CONNECT_WITHIN = 10_000;
const KEPT_WHILE_HIDDEN = 5 * 60_000;
const TOO_MANY = 4429;
const NOT_YOURS = 4403;

class Live {
  #socket = null;
  #channels = new Map(); // name -> { keys: Set, seq: number | null }, what the socket was asked for
  #stale = new Set();
  #attempts = 0;
  #connecting = false;
  #ended = false;
  #timers = { retry: 0, ping: 0, pong: 0, hidden: 0, open: 0 };

  start() {
    addEventListener("online", () => this.#now());
    addEventListener("offline", () => this.#pause("offline"));
    addEventListener("pagehide", () => this.#pause(""));
    addEventListener("pageshow", (event) => event.persisted && this.#now());
    document.addEventListener("visibilitychange", () => this.#seen());
    for (const swapped of ["htmx:afterSwap", "htmx:after:swap"]) {
      document.addEventListener(swapped, () => this.#subscribe());
    }
    if (navigator.onLine === false) this.#show("offline");
    else this.#connect();
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
      if (answer.status === 401 || answer.status === 403) return this.#end();
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
    if (code === NOT_YOURS) this.#end();
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

  /** Nobody is signed in any more: trying again would not help before the next page. */
  #end() {
    this.#ended = true;
    this.#pause("offline");
  }

  #drop() {
    const socket = this.#socket;
    this.#closed(1006);
    socket?.close();
  }

  #forget() {
    this.#socket = null;
    this.#channels.clear();
    this.#stale.clear();
    for (const name of ["ping", "pong", "open", "hidden"]) clearTimeout(this.#timers[name]);
  }

  /** A page that nobody looks at lets its socket go after a while, and comes back at once when looked at. */
  #seen() {
    clearTimeout(this.#timers.hidden);
    if (document.hidden) this.#timers.hidden = setTimeout(() => this.#pause("reconnecting"), KEPT_WHILE_HIDDEN);
    else if (!this.#socket && navigator.onLine !== false) this.#now();
  }

  // --- Talking -----------------------------------------------------------------------------------------------------
  #say(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #subscribe() {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    for (const [channel, keys] of wanted()) {
      const asked = this.#channels.get(channel) ?? { keys: new Set(), seq: null };
      const missing = [...keys].filter((key) => !asked.keys.has(key));
      if (this.#channels.has(channel) && !missing.length) continue;
      this.#channels.set(channel, asked);
      missing.forEach((key) => asked.keys.add(key));
      for (let at = 0; at === 0 || at < missing.length; at += 50) {
        this.#say({ op: "subscribe", channel, ...(missing.length ? { keys: missing.slice(at, at + 50) } : {}) });
      }
    }
  }

  #hear(text) {
    const frame = JSON.parse(text);
    this.#rest();
    if (frame.op === "welcome") {
      clearTimeout(this.#timers.open);
      this.#attempts = 0;
      this.#show("live");
      this.#subscribe();
      this.#rest();
    } else if (frame.op === "snapshot" || frame.op === "update") this.#news(frame);
    else if (frame.op === "stale") {
      this.#stale.add(frame.channel);
      this.#show("paused");
      tell(frame.channel, { op: "stale", since: frame.since });
    }
  }

  #news({ op, channel, seq, data }) {
    const asked = this.#channels.get(channel);
    if (!asked) return;
    if (op === "update" && asked.seq !== null && seq !== asked.seq + 1) {
      asked.seq = null; // until the snapshot comes
      this.#say({ op: "resync", channel });
      return;
    }
    if (op === "update" && asked.seq === null) return;
    asked.seq = seq;
    if (this.#stale.delete(channel) && !this.#stale.size) this.#show("live");
    tell(channel, { ...data, op, seq });
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
      badge.textContent = badge.dataset[state] || WORDS[state];
    }
    document.dispatchEvent(new CustomEvent("live:state", { detail: { state } }));
  }
}

function tell(channel, detail) {
  document.dispatchEvent(new CustomEvent(`live:${channel}`, { detail }));
}

/** Every page hears of jobs; what else it hears stands in its markup. */
function wanted() {
  const channels = new Map([["jobs", new Set()]]);
  for (const element of document.querySelectorAll("[data-live-channel]")) {
    const keys = channels.get(element.dataset.liveChannel) ?? new Set();
    (element.dataset.liveKeys ?? "").split(" ").filter(Boolean).forEach((key) => keys.add(key));
    channels.set(element.dataset.liveChannel, keys);
  }
  return channels;
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

if (document.querySelector("[data-live-badge]")) new Live().start();
