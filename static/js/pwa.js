/* Registers the service worker: it keeps the look and the offline page, never anything private. */

if ("serviceWorker" in navigator && window.isSecureContext) {
  navigator.serviceWorker.register("/service-worker.js", { updateViaCache: "none" }).catch(() => {
    document.documentElement.dataset.offline = "unavailable";
  });
}
