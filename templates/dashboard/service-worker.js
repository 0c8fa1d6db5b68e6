{% load look %}/* Keeps the look and the offline page, so that the installed app opens without a network.
   Pages, the API and everything a person owns are never stored: only the files named here are. */

const STORE = "coinsphere-{{ version }}-{{ fingerprint }}";
const OFFLINE = "{% url 'dashboard:offline' %}";
const SHELL = [{% for path in shell_files %}"{% asset path %}"{% if not forloop.last %}, {% endif %}{% endfor %}];

self.addEventListener("install", (event) => {
  const keep = [new Request(OFFLINE, { credentials: "omit", cache: "reload" }), ...SHELL];
  event.waitUntil(caches.open(STORE).then((store) => store.addAll(keep)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = (names) => names.filter((name) => name.startsWith("coinsphere-") && name !== STORE);
  const drop = caches.keys().then((names) => Promise.all(old(names).map((name) => caches.delete(name))));
  event.waitUntil(drop.then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => caches.match(OFFLINE)));
  } else if (SHELL.includes(url.pathname)) {
    event.respondWith(caches.match(url.pathname).then((kept) => kept ?? fetch(request)));
  }
});
