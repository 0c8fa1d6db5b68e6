// The owner's console: when the self-check that the page waits for is over, its findings are fetched.

const OVER = new Set(["succeeded", "failed", "parked", "cancelled"]);

document.addEventListener("live:jobs", (event) => {
  const waiting = document.querySelector("[data-refresh-after-job]");
  if (!waiting) return;
  const mine = (event.detail.jobs || []).find((job) => job.id === waiting.dataset.refreshAfterJob);
  if (mine && OVER.has(mine.state)) waiting.dispatchEvent(new CustomEvent("job-over"));
});
