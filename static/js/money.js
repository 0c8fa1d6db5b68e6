/* Money as the server writes it, for figures that follow the prices. */

import { priceWords } from "./prices.js";

const MINUS = "−";
const EXACT = 1e13; // above it a number of the page has no cents any more; the server's figure stays

/** Return how amounts of a currency are written, from an element with `data-before`, `data-after` and `data-digits`. */
export function signOf(element) {
  const { before = "", after = "", digits = "2" } = element?.dataset ?? {};
  return { before, after, digits: Number(digits) };
}

export function moneyWords(number, sign, { signed = false, digits = sign.digits } = {}) {
  const words = priceWords(Math.abs(number), digits);
  const zero = !/[1-9]/.test(words);
  const lead = number < 0 && !zero ? MINUS : signed && number > 0 && !zero ? "+" : "";
  return `${lead}${sign.before}${words}${sign.after}`;
}

/** Return how many fraction digits a figure on the page has. */
export function digitsIn(words) {
  const figures = words.replace(/[^\d.]/g, "");
  const point = figures.lastIndexOf(".");
  return point < 0 ? 0 : figures.length - point - 1;
}

function write(cell, words) {
  if (cell && cell.textContent !== words) cell.textContent = words;
}

export function paintMoney(cell, number, sign) {
  if (Math.abs(number) >= EXACT) return;
  write(cell?.querySelector(".amt") ?? cell, moneyWords(number, sign));
}

export function paintGain(cell, number, sign) {
  const shown = cell?.querySelector(".chg");
  if (!shown || Math.abs(number) >= EXACT) return;
  shown.classList.toggle("up", number > 0);
  shown.classList.toggle("dn", number < 0);
  shown.classList.toggle("eq", number === 0);
  write(shown.querySelector(".amt") ?? shown, moneyWords(number, sign, { signed: true }));
}
