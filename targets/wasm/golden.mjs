// node golden.mjs MODULE.wasm   plays the golden requests; the exit status says whether all answers are equal
import { readFile } from "node:fs/promises";

const decoder = new TextDecoder();
const host = {
  show(text, length) {
    process.stdout.write(decoder.decode(new Uint8Array(instance.exports.memory.buffer, text, length)));
  },
};
const { instance } = await WebAssembly.instantiate(await readFile(process.argv[2]), { host });
process.exitCode = instance.exports.golden() ? 0 : 1;
