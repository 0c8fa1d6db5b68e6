/* Stars: one press opens the small menu of lists, the key w puts a market on the first list or takes it off.
   Every star of the same market on the page follows. */

const menu = document.getElementById("watch-menu");
const hearers = new Set();
const GAP = 6;
const EDGE = 12;
const PRESSED = "button, input:not([type=hidden])";

let opener = null;
let instrument = "";

export const onWatched = (hear) => hearers.add(hear);

function headers() {
  return { ...JSON.parse(document.body.getAttribute("hx-headers") ?? "{}"), Accept: "text/html", "HX-Request": "true" };
}

function place() {
  if (!opener?.isConnected) return;
  const box = opener.getBoundingClientRect();
  const left = Math.max(EDGE, Math.min(box.left, innerWidth - menu.offsetWidth - EDGE));
  const below = box.bottom + GAP;
  const fits = below + menu.offsetHeight <= innerHeight - EDGE;
  menu.style.left = `${left}px`;
  menu.style.top = `${fits ? below : Math.max(EDGE, box.top - menu.offsetHeight - GAP)}px`;
}

/** Show on every star of the market whether it is watched. */
function follow(watched) {
  for (const star of document.querySelectorAll(`[data-watch="${CSS.escape(instrument)}"]`)) {
    star.setAttribute("aria-pressed", String(watched));
    const word = star.querySelector("[data-word]");
    if (word) word.textContent = watched ? star.dataset.on : star.dataset.off;
  }
  hearers.forEach((hear) => hear(instrument, watched));
}

async function ask(address, options = {}) {
  try {
    const answer = await fetch(address, { credentials: "same-origin", ...options, headers: headers() });
    if (!answer.ok) throw new Error(String(answer.status));
    return await answer.text();
  } catch {
    document.dispatchEvent(new CustomEvent("toast", { detail: { kind: "bad", title: menu.dataset.failed } }));
    return null;
  }
}

function fill(text) {
  const focused = [...menu.querySelectorAll(PRESSED)].indexOf(document.activeElement);
  menu.innerHTML = text;
  follow(menu.querySelector("[data-watched]")?.dataset.watched === "true");
  const parts = menu.querySelectorAll(PRESSED);
  if (focused >= 0) parts[Math.min(focused, parts.length - 1)]?.focus();
}

export async function openWatchMenu(button, _title) {
  if (menu.matches(":popover-open") && opener === button) return menu.hidePopover();
  opener = button;
  instrument = button.dataset.watch;
  const text = await ask(`${menu.dataset.menu}?${new URLSearchParams({ instrument })}`);
  if (text === null) return;
  fill(text);
  menu.showPopover();
  place();
  menu.querySelector("button")?.focus();
}

/** Put a market on the first list, or take it off. */
export async function toggleFirst(name, title) {
  instrument = name;
  const text = await ask(menu.dataset.watchFirst, { method: "POST", body: new URLSearchParams({ instrument: name }) });
  if (text === null) return;
  fill(text);
  const said = menu.querySelector("[data-said]")?.dataset.said;
  if (said) document.dispatchEvent(new CustomEvent("toast", { detail: { kind: "ok", title: said, text: title } }));
}

menu?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const text = await ask(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  if (text !== null) {
    fill(text);
    place();
  }
});
menu?.addEventListener("toggle", (event) => {
  opener?.setAttribute("aria-expanded", String(event.newState === "open"));
  if (event.newState === "closed" && menu.contains(document.activeElement)) opener?.focus();
});
addEventListener("scroll", () => menu?.matches(":popover-open") && menu.hidePopover(), { passive: true });
