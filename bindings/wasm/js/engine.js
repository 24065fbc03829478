import { Memory } from "./memory.js";
import { refusals } from "./words.js";

/** What the engine refused, in its own words. */
export class TinderboxError extends Error {
  name = "TinderboxError";
}

/** One instance of the module with its memory: how calls get their arguments in and their answers out. */
export class Engine {
  #reply;

  /** @param {WebAssembly.Instance} instance */
  constructor(instance) {
    this.calls = instance.exports;
    this.memory = new Memory(instance.exports.memory);
    this.#reply = this.memory.take(this.calls.reply_size());
  }

  /** Calls an export whose last argument is the reply; returns its number. */
  call(name, ...args) {
    const number = this.calls[name](...args, this.#reply);
    if (number === REFUSED) throw new TinderboxError(this.#refusal());
    return number;
  }

  /** Calls an export that answers with a text; `undefined` where there is none. */
  ask(name, ...args) {
    return this.call(name, ...args) ? this.#text() : undefined;
  }

  /** Calls an export that looks a text up; `undefined` where it is not found. */
  find(name, args, text) {
    if (typeof text !== "string") throw new TypeError(`expected a text, found ${text}`);
    this.memory.clear();
    const room = this.memory.lend(3 * text.length); // a UTF-16 unit takes at most three bytes of UTF-8
    const { written } = encoder.encodeInto(text, this.memory.u8.subarray(room, room + 3 * text.length));
    const number = this.calls[name](...args, room, written);
    return number < 0 ? undefined : number;
  }

  /** Lays a list of numbers into memory until the next call: its address and length. */
  lay(list, what) {
    const words = list instanceof Uint32Array ? list : Array.from(list, (value) => whole(value, what));
    const address = this.memory.lend(4 * words.length);
    this.memory.u32.set(words, address / 4);
    return [address, words.length];
  }

  #text(at = this.#reply + TEXT) {
    const [start, length] = this.memory.u32.subarray(at / 4);
    return decoder.decode(this.memory.u8.subarray(start, start + length));
  }

  /** The engine's words for why it refused. */
  #refusal() {
    const { memory } = this;
    const why = memory.u32[this.#reply / 4];
    const numbers = memory.u64.subarray((this.#reply + NUMBERS) / 8, (this.#reply + TEXTS) / 8);
    const texts = [this.#text(this.#reply + TEXTS), this.#text(this.#reply + TEXTS + 8)];
    return refusals[why](...numbers, ...texts);
  }
}

/** `value`, if it is a number that an export can take: others would silently become one. */
export function whole(value, what) {
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) return value;
  throw new TypeError(`expected a whole number as ${what}, found ${value}`);
}

const REFUSED = -1;
// Where `Reply` of the module has its parts, in bytes.
const NUMBERS = 8;
const TEXTS = 32;
const TEXT = 48;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
