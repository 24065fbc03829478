import { readFile } from "node:fs/promises";
import { loader } from "./load.js";

export { TinderboxError } from "./engine.js";

export const load = loader((url) => readFile(url));
