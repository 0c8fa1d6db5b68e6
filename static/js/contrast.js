/* Computes the contrast of every pair of tokens that is in force, for the components page. */

const GROUNDS = ["bg", "surface", "surface-2", "surface-3"];
const TEXT = ["ink", "ink-2", "ink-3", "accent", "gain", "loss", "ok", "warn", "bad", "info"];
const EDGES = ["line-ctl", "focus"];
const SOFT = new Set(["accent", "gain", "loss", "ok", "warn", "bad", "info"]);
const table = document.querySelector("#contrast tbody");

function color(token) {
  const probe = document.createElement("i");
  probe.style.color = `var(--${token})`;
  document.body.append(probe);
  const parts = getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number);
  probe.remove();
  return parts;
}

function luminance(token) {
  const [red, green, blue] = color(token).map((part) => {
    const share = part / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((left, right) => left - right);
  return (light + 0.05) / (dark + 0.05);
}

function cell(value, needed) {
  const data = document.createElement("td");
  data.className = "r";
  const verdict = document.createElement("span");
  verdict.className = value >= needed ? "ok-t" : "bad-t";
  verdict.textContent = value >= needed ? "✓" : "✕";
  data.append(`${value.toFixed(2)} `, verdict);
  return data;
}

function row(token, needed) {
  const line = document.createElement("tr");
  const name = document.createElement("td");
  const code = document.createElement("code");
  code.textContent = `--${token}`;
  name.append(code);
  line.append(name, ...GROUNDS.map((ground) => cell(contrast(token, ground), needed)));
  const soft = document.createElement("td");
  soft.className = "r mut";
  soft.textContent = "not used";
  line.append(SOFT.has(token) ? cell(contrast(token, `${token}-soft`), needed) : soft);
  const need = document.createElement("td");
  need.className = "r mut";
  need.textContent = String(needed);
  line.append(need);
  return line;
}

function draw() {
  table.replaceChildren(...TEXT.map((token) => row(token, 4.5)), ...EDGES.map((token) => row(token, 3)));
}

draw();
document.addEventListener("look-changed", draw);
