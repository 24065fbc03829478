import { Engine } from "./engine.js";
import { Model } from "./model.js";

const MODULES = {
  scalar: new URL("./tinderbox.wasm", import.meta.url),
  simd128: new URL("./tinderbox-simd128.wasm", import.meta.url),
};

/** A module of nothing but a function that returns a vector: valid where there is simd128. */
const VECTOR = [
  [0, 97, 115, 109, 1, 0, 0, 0], // magic, version
  [1, 5, 1, 96, 0, 1, 123], // type: () -> v128
  [3, 2, 1, 0], // function
  [10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11], // code: i32.const 0, i8x16.splat, i8x16.popcnt
];

/** `load`, as `index.d.ts` describes it, where `read(url)` brings the bytes of a file of this package. */
export function loader(read) {
  const compiled = new Map();

  async function compile(kernel) {
    return WebAssembly.compile(await read(MODULES[kernel]));
  }

  async function module(kernel) {
    if (!(kernel in MODULES)) throw new TypeError(`expected "scalar" or "simd128" as kernel, found ${kernel}`);
    if (!compiled.has(kernel)) compiled.set(kernel, compile(kernel));
    try {
      return await compiled.get(kernel);
    } catch (error) {
      compiled.delete(kernel); // another try may find the network there
      throw error;
    }
  }

  return async function load(source, { kernel = fastest() } = {}) {
    const [instance, bytes] = await Promise.all([
      module(kernel).then((module) => WebAssembly.instantiate(module)),
      Promise.resolve(source).then(bytesOf),
    ]);
    return new Model(new Engine(instance), bytes);
  };
}

function fastest() {
  return WebAssembly.validate(Uint8Array.from(VECTOR.flat())) ? "simd128" : "scalar";
}

async function bytesOf(source) {
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  if (typeof source?.arrayBuffer !== "function") {
    throw new TypeError("expected a model file: its bytes, a Response or a Blob");
  }
  if (source.ok === false) throw new Error(`${source.url}: ${source.status} ${source.statusText}`.trim());
  return new Uint8Array(await source.arrayBuffer());
}
