/* A watchlist: live prices, notes that keep themselves, and an order made by dragging or by two buttons. */

import { drawSpark, followAll } from "./prices.js";

const list = document.getElementById("watch-items");
const said = document.getElementById("order-said");
const add = document.getElementById("add-instrument");
const found = document.getElementById("add-found");
const WAIT = 120;

let dragged = null;
let asking = 0;

function headers() {
  return { ...JSON.parse(document.body.getAttribute("hx-headers") ?? "{}"), "HX-Request": "true" };
}

async function keep(address, fields, failed) {
  try {
    const answer = await fetch(address, { method: "POST", body: new URLSearchParams(fields), headers: headers() });
    if (!answer.ok) throw new Error(String(answer.status));
    return true;
  } catch {
    document.dispatchEvent(new CustomEvent("toast", { detail: { kind: "bad", title: failed } }));
    return false;
  }
}

// --- Order -----------------------------------------------------------------------------------------------------------
const items = () => [...list.querySelectorAll("[data-item]")];

function keepOrder(moved) {
  const place = items().indexOf(moved) + 1;
  if (said) said.textContent = `${said.dataset.say} ${place}`;
  edges();
  return keep(list.dataset.order, { ids: items().map((item) => item.dataset.item).join(" ") }, list.dataset.failed);
}

/** The first cannot go up, the last cannot go down. */
function edges() {
  const all = items();
  all.forEach((item, at) => {
    item.querySelector('[data-move="-1"]').disabled = at === 0;
    item.querySelector('[data-move="1"]').disabled = at === all.length - 1;
  });
}

function move(button) {
  const item = button.closest("[data-item]");
  const other = button.dataset.move === "1" ? item.nextElementSibling : item.previousElementSibling;
  if (!other) return;
  if (button.dataset.move === "1") other.after(item);
  else other.before(item);
  keepOrder(item);
  (button.disabled ? item.querySelector("[data-move]:not(:disabled)") : button)?.focus();
}

if (list) {
  edges();
  items().forEach((item) => {
    item.draggable = true;
  });
  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]");
    if (button) move(button);
  });
  list.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("[data-item]");
    if (!dragged || event.target.closest?.("input")) return event.preventDefault();
    event.dataTransfer.effectAllowed = "move";
    dragged.classList.add("is-dragged");
  });
  list.addEventListener("dragover", (event) => {
    const over = event.target.closest("[data-item]");
    if (!dragged) return;
    event.preventDefault();
    if (!over || over === dragged) return;
    const box = over.getBoundingClientRect();
    if (event.clientY < box.top + box.height / 2) over.before(dragged);
    else over.after(dragged);
  });
  list.addEventListener("dragend", () => {
    dragged?.classList.remove("is-dragged");
    if (dragged) keepOrder(dragged);
    dragged = null;
  });

  // --- Notes ---------------------------------------------------------------------------------------------------------
  list.addEventListener("focusin", (event) => {
    const item = event.target.closest("[data-item]");
    if (item && event.target.name === "note") item.draggable = false; // text in it can be marked with the mouse
  });
  list.addEventListener("focusout", (event) => {
    const item = event.target.closest("[data-item]");
    if (item) item.draggable = true;
  });
  list.addEventListener("change", (event) => {
    const form = event.target.closest(".wl__note");
    if (form) keep(form.action, { note: event.target.value }, list.dataset.noteFailed);
  });
  list.addEventListener("submit", (event) => {
    if (!event.target.matches(".wl__note")) return;
    event.preventDefault();
    event.target.querySelector("[name=note]").blur();
  });
}

// --- Adding ----------------------------------------------------------------------------------------------------------
add?.addEventListener("input", () => {
  clearTimeout(asking);
  const words = add.value.trim();
  if (!words || words.includes(":")) return;
  asking = setTimeout(async () => {
    const answer = await fetch(`${add.dataset.find}?${new URLSearchParams({ words })}`).catch(() => null);
    if (!answer?.ok) return;
    const { results } = await answer.json();
    found.replaceChildren(
      ...results.map(({ instrument, title, venue }) => new Option(`${title}, ${venue}`, instrument)),
    );
  }, WAIT);
});

function sparks() {
  document.querySelectorAll("canvas[data-spark]").forEach((canvas) => drawSpark(canvas, canvas.dataset.spark));
}

document.addEventListener("look-changed", sparks);
sparks();
followAll();
