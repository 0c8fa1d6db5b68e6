/* Keeps "2 min ago" true while the page stays open. */

const EVERY = 20_000;
const STEPS = [
  [60, "second", 1],
  [3600, "minute", 60],
  [86_400, "hour", 3600],
  [2_592_000, "day", 86_400],
];
const words = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { numeric: "always", style: "short" });

function refresh() {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const seconds = Math.max(0, (Date.now() - Date.parse(time.dateTime)) / 1000);
    const step = STEPS.find(([limit]) => seconds < limit);
    if (!step || seconds < 10) continue;
    const [, unit, size] = step;
    time.textContent = words.format(-Math.floor(seconds / size), unit).replaceAll(".", "");
  }
}

window.setInterval(refresh, EVERY);
