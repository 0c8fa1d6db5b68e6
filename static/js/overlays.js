/* Dialogs, menus and popovers are native elements; this opens them by attribute and places the floating ones.
   [data-open="id"] opens a dialog, [data-close] closes the one around it, popovers stand by their [popovertarget]. */

const EDGE = 12;
const GAP = 8;

function place(popover, opener) {
  const box = opener.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = popover;
  const fromEnd = popover.dataset.align === "end";
  const left = fromEnd ? box.right - width : box.left;
  const below = box.bottom + GAP;
  const fits = below + height <= window.innerHeight - EDGE;
  popover.style.left = `${Math.max(EDGE, Math.min(left, window.innerWidth - width - EDGE))}px`;
  popover.style.top = `${fits ? below : Math.max(EDGE, box.top - height - GAP)}px`;
}

function openerOf(popover) {
  const active = document.activeElement;
  const selector = `[popovertarget="${CSS.escape(popover.id)}"]`;
  return active && active.matches(selector) ? active : document.querySelector(selector);
}

document.addEventListener(
  "toggle",
  (event) => {
    const popover = event.target;
    if (!(popover instanceof HTMLElement) || !popover.hasAttribute("popover")) return;
    const opener = openerOf(popover);
    if (opener) opener.setAttribute("aria-expanded", String(event.newState === "open"));
    if (event.newState === "open" && opener) place(popover, opener);
  },
  true,
);

function open(id) {
  const dialog = document.getElementById(id);
  if (!(dialog instanceof HTMLDialogElement) || dialog.open) return;
  document.querySelectorAll("dialog[open]").forEach((other) => other.close());
  dialog.showModal();
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (!target) return;
  const opener = target.closest("[data-open]");
  if (opener) {
    event.preventDefault();
    opener.closest("[popover]")?.hidePopover();
    open(opener.dataset.open);
    return;
  }
  if (target.closest("[data-close]")) target.closest("dialog")?.close();
  /* a press on the scrim closes what may be closed without an answer */
  if (target instanceof HTMLDialogElement && target.hasAttribute("data-light")) {
    const box = target.getBoundingClientRect();
    const inside =
      event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (!inside) target.close();
  }
});

/* arrow keys walk through a menu */
document.addEventListener("keydown", (event) => {
  const menu = event.target instanceof Element ? event.target.closest("[role='menu']") : null;
  if (!menu || !["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
  event.preventDefault();
  const items = [...menu.querySelectorAll("[role='menuitem'], [role='menuitemradio']")];
  const at = items.indexOf(document.activeElement);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  items[(next + items.length) % items.length]?.focus();
});

/* a dialog that the server sends already open, for example after a refused form */
document.querySelectorAll("dialog[data-show]").forEach((dialog) => open(dialog.id));
document.addEventListener("open-dialog", (event) => open(event.detail));
