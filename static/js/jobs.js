/* Keeps the progress of long work on the page up to date. Inside an element with data-job="<id>":
   <progress>, [data-job-note] and [data-job-percent] are written. When a job changes its state the element gets
   the event "job:state", when it is over "job:over"; both bubble, so that a page can fetch what it shows of it. */

const OVER = new Set(["succeeded", "failed", "parked", "cancelled"]);
const percent = new Intl.NumberFormat(document.documentElement.lang || "en", {
  style: "percent",
  maximumFractionDigits: 0,
});

function write(element, job) {
  const progress = element.querySelector("progress");
  if (progress) progress.value = Number(job.progress);
  const note = element.querySelector("[data-job-note]");
  if (note && job.note) note.textContent = job.note;
  const share = element.querySelector("[data-job-percent]");
  if (share) share.textContent = percent.format(Number(job.progress));
  const before = element.dataset.jobState;
  element.dataset.jobState = job.state;
  if (before === job.state) return;
  const detail = { job, before };
  if (before !== undefined) element.dispatchEvent(new CustomEvent("job:state", { bubbles: true, detail }));
  if (OVER.has(job.state)) element.dispatchEvent(new CustomEvent("job:over", { bubbles: true, detail }));
}

document.addEventListener("live:jobs", ({ detail }) => {
  for (const job of detail.jobs ?? []) {
    for (const element of document.querySelectorAll(`[data-job="${CSS.escape(job.id)}"]`)) write(element, job);
  }
});
