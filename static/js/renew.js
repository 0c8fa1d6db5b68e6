/* An open page asks the server for itself and takes over the parts of it that are marked [data-renew]. What has not
   changed stays the very same element, and whoever is inside a part with the keyboard stays where they are. */

const WITHIN = 15_000;

/** Take over what has changed of the parts with these names, all of them without names; say whether that worked. */
export async function renew(names = null) {
  let fresh;
  try {
    const answer = await fetch(location.href, { credentials: "same-origin", signal: AbortSignal.timeout(WITHIN) });
    if (!answer.ok || answer.redirected) return false;
    fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return false;
  }
  for (const old of document.querySelectorAll("[data-renew]")) {
    const name = old.dataset.renew;
    const part = fresh.querySelector(`[data-renew="${CSS.escape(name)}"]`);
    if (part && (!names || names.includes(name)) && part.outerHTML !== old.outerHTML) takeOver(old, part);
  }
  return true;
}

function takeOver(old, part) {
  const held = old.contains(document.activeElement) ? addressOf(document.activeElement, old) : null;
  old.replaceWith(document.adoptNode(part));
  window.htmx?.process(part);
  if (held) part.querySelector(held)?.focus({ preventScroll: true });
}

/** Return how the element with the focus is found again in the part that takes the place of its own. */
function addressOf(element, part) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  const href = element.getAttribute("href");
  if (href) return `a[href="${CSS.escape(href)}"]`;
  const tag = element.tagName.toLowerCase();
  const alike = [...part.querySelectorAll(tag)];
  const name = [...element.attributes].find((one) => one.name.startsWith("data-") || one.name === "popovertarget");
  return name ? `${tag}[${name.name}="${CSS.escape(name.value)}"]` : alike.length === 1 ? tag : null;
}
