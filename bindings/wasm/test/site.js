// Serves the demo page with a golden model, as any static host would.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGE = new URL("../", import.meta.url);
const GOLDEN = new URL("../../../engine/golden/", import.meta.url);
const MODEL = process.env.TINDERBOX_MODEL ?? fileURLToPath(new URL("maml.tbx", GOLDEN));

const TYPES = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};

/** `{ url, close }`: where it listens, and the end of it. */
export async function serve() {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, "http://localhost").pathname;
    try {
      const body = await readFile(file(path));
      response.writeHead(200, { "content-type": TYPES[extname(path) || ".html"] ?? "application/octet-stream" });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const close = () => {
    server.closeAllConnections();
    return new Promise((closed) => server.close(closed));
  };
  return { url: `http://localhost:${server.address().port}`, close };
}

function file(path) {
  if (path === "/demo/model.tbx") return MODEL;
  if (path.startsWith("/golden/")) return new URL(path.slice("/golden/".length), GOLDEN);
  return new URL(path.slice(1) + (path.endsWith("/") ? "index.html" : ""), PACKAGE);
}
