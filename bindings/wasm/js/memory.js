/** An instance's memory beyond what the module itself came with. Every address is a multiple of 16. */
export class Memory {
  #memory;
  /** Where what was taken ends and what is lent begins. */
  #end;
  /** Where what is lent ends. */
  #lent;
  /** Addresses that were given back, by size. */
  #free = new Map();
  #views = {};

  /** @param {WebAssembly.Memory} memory */
  constructor(memory) {
    this.#memory = memory;
    this.#end = this.#lent = memory.buffer.byteLength;
  }

  /** The address of so many bytes, to be kept until they are given back. */
  take(bytes) {
    const free = this.#free.get(bytes)?.pop();
    if (free !== undefined) return free;
    const address = this.lend(bytes);
    this.#end = this.#lent;
    return address;
  }

  /** Takes back what `take` gave out. */
  give(address, bytes) {
    if (!this.#free.has(bytes)) this.#free.set(bytes, []);
    this.#free.get(bytes).push(address);
  }

  /** The address of so many bytes, for the arguments of one call: until `clear`. */
  lend(bytes) {
    const address = this.#lent;
    const end = address + Math.ceil(bytes / 16) * 16;
    const missing = end - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE));
    this.#lent = end;
    return address;
  }

  /** Ends what is lent. */
  clear() {
    this.#lent = this.#end;
  }

  // A view dies when the memory grows, so nobody keeps one: these are the only ways to it.
  get u8() {
    return this.#view(Uint8Array);
  }
  get i8() {
    return this.#view(Int8Array);
  }
  get u32() {
    return this.#view(Uint32Array);
  }
  get u64() {
    return this.#view(BigUint64Array);
  }
  get f32() {
    return this.#view(Float32Array);
  }

  #view(Type) {
    const view = this.#views[Type.name];
    if (view?.buffer === this.#memory.buffer) return view;
    return (this.#views[Type.name] = new Type(this.#memory.buffer));
  }
}

const PAGE = 65536;
