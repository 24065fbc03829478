// Keeps all that the page is made of, the model too: the network first, and what was kept where there is none.

const KEPT = "tinderbox-demo";

const SHELL = [
  "./",
  "style.css",
  "app.js",
  "answers.js",
  "recommender.js",
  "view.js",
  "words.js",
  "icon.svg",
  "manifest.webmanifest",
  "../js/index.js",
  "../js/load.js",
  "../js/engine.js",
  "../js/memory.js",
  "../js/model.js",
  "../js/session.js",
  "../js/words.js",
  "../js/tinderbox.wasm",
  "../js/tinderbox-simd128.wasm",
];

/** What a host may do without: a person can open a file of their own, and data need no credit. */
const EXTRAS = ["model.tbx", "credit.txt"];

self.addEventListener("install", (event) => {
  event.waitUntil(keep());
  self.skipWaiting();
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  if (event.request.method === "GET") event.respondWith(answer(event.request));
});

async function keep() {
  const kept = await caches.open(KEPT);
  await kept.addAll(SHELL);
  await Promise.allSettled(EXTRAS.map((extra) => kept.add(extra)));
}

async function answer(request) {
  const kept = await caches.open(KEPT);
  try {
    const response = await fetch(request);
    if (response.ok) await kept.put(request, response.clone());
    return response;
  } catch (offline) {
    const response = await kept.match(request, { ignoreSearch: true });
    if (response) return response;
    throw offline;
  }
}
