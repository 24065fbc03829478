import { loader } from "./load.js";

export { TinderboxError } from "./engine.js";

export const load = loader(async (url) => {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`.trim());
  return response.arrayBuffer();
});
