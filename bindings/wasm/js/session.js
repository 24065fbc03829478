import { whole } from "./engine.js";

/** See `index.d.ts`. */
export class Session {
  #model;
  #engine;
  /** Address of the opened model. */
  #opened;
  /** Address of the session. */
  #at;
  #capacity;
  /** What the session was made from and told, for making it anew with more room. */
  #features = [];
  #newItems = [];
  #support = [];
  /** What it holds of the engine's memory, by use: [address, bytes]. */
  #held = new Map();

  constructor(model, engine, opened) {
    this.#model = model;
    this.#engine = engine;
    this.#opened = opened;
    collected.register(this, { memory: engine.memory, held: this.#held });
    this.#begin(FIRST_CAPACITY);
  }

  adapt(support) {
    const interactions = Array.from(support, (interaction) => [
      this.#model.itemOf(interaction),
      this.#model.level(interaction.feedback),
    ]);
    if (interactions.length > this.#capacity) {
      this.#begin(Math.max(interactions.length, 2 * this.#capacity));
    }
    this.#adapt(interactions);
    this.#support = interactions;
  }

  setFeatures(features) {
    this.#engine.memory.clear();
    const list = Array.from(features);
    this.#engine.call("session_set_features", this.#at, ...this.#engine.lay(list, "a user feature"));
    this.#features = list;
  }

  addItem(newItem) {
    return this.addItems([newItem])[0];
  }

  addItems(newItems) {
    const known = this.#newItems.length;
    const all = [...this.#newItems, ...newItems];
    for (const { row } of newItems) {
      if (row.length !== this.#model.dim) throw new TypeError(`expected rows of ${this.#model.dim} bytes`);
    }
    this.#newItems = all;
    this.#addItems();
    this.#adapt(this.#support);
    return all.slice(known).map((_, at) => this.#model.items + known + at);
  }

  rank(top, filter = {}) {
    const room = this.#room(top);
    const out = this.#engine.memory.lend(ENTRY * room);
    return this.#ranked(out, this.#engine.call("session_rank", this.#at, this.#filters(filter), out, room));
  }

  rankDiverse(top, diversity, filter = {}, candidates = Math.max(FEWEST_CANDIDATES, 5 * top)) {
    const { memory, calls } = this.#engine;
    const room = this.#room(candidates);
    const scratch = memory.lend(4 * calls.session_diverse_scratch_len(this.#opened, room));
    const out = memory.lend(ENTRY * room);
    const filters = this.#filters(filter);
    const lists = [scratch, out, room];
    const kept = Math.min(whole(top, "the length of a list"), room);
    return this.#ranked(
      out,
      this.#engine.call("session_rank_diverse", this.#at, filters, diversity, kept, ...lists),
    );
  }

  similar(item, top, filter = {}) {
    const room = this.#room(top);
    const out = this.#engine.memory.lend(ENTRY * room);
    const filters = this.#filters(filter);
    const number = whole(item, "an item");
    return this.#ranked(out, this.#engine.call("session_similar", this.#at, number, filters, out, room));
  }

  score(item) {
    const { memory } = this.#engine;
    memory.clear();
    const out = memory.lend(4);
    this.#engine.call("session_score", this.#at, whole(item, "an item"), out);
    return memory.f32[out / 4];
  }

  explain(item, top = this.#support.length) {
    const room = Math.min(this.#room(top), this.#support.length);
    const out = this.#engine.memory.lend(ENTRY * room);
    const found = this.#engine.call("session_explain", this.#at, whole(item, "an item"), out, room);
    return this.#entries(out, found, (reason, effect) => ({ item: reason, effect }));
  }

  get user() {
    const start = this.#engine.calls.session_user(this.#at) / 4;
    return this.#engine.memory.f32.slice(start, start + this.#model.dim);
  }

  /** A session with room for so many interactions in place of the present one, told all that it was told. */
  #begin(capacity) {
    const { memory, calls } = this.#engine;
    const floats = calls.session_scratch_len(this.#opened, capacity);
    memory.clear();
    const scratch = this.#hold("scratch", 4 * floats);
    this.#at = this.#hold("session", calls.session_size());
    this.#engine.call("session_new", this.#opened, scratch, floats, this.#at);
    this.#capacity = capacity;
    if (this.#newItems.length > 0) this.#addItems();
    if (this.#features.length > 0) this.setFeatures(this.#features);
    this.#adapt(this.#support);
  }

  #adapt(interactions) {
    this.#engine.memory.clear();
    const [list] = this.#engine.lay(Uint32Array.from(interactions.flat()), "");
    this.#engine.call("session_adapt", this.#at, list, interactions.length);
  }

  /** Tells the session of all new items; it forgets its support. */
  #addItems() {
    const { memory } = this.#engine;
    const { dim } = this.#model;
    const count = this.#newItems.length;
    memory.clear();
    const rows = this.#hold("rows", dim * count);
    const scales = this.#hold("scales", 4 * count);
    this.#newItems.forEach(({ row, scale }, at) => {
      memory.i8.set(row, rows + dim * at);
      memory.f32[scales / 4 + at] = scale;
    });
    this.#engine.call("session_add_items", this.#at, rows, scales, count);
  }

  /** Memory for one use, in place of what was held for it before. */
  #hold(use, bytes) {
    const [old, held] = this.#held.get(use) ?? [];
    const address = this.#engine.memory.take(bytes);
    if (old !== undefined) this.#engine.memory.give(old, held);
    this.#held.set(use, [address, bytes]);
    return address;
  }

  /** The length of a list of at most `top` items. Begins a call. */
  #room(top) {
    this.#engine.memory.clear();
    return Math.min(whole(top, "the length of a list"), this.#model.items + this.#newItems.length);
  }

  /** Lays a filter into memory: its address. */
  #filters({ allow, deny = [], categories = [], keepSupport = false }) {
    const lists = [
      this.#engine.lay(allow ?? [], "an item"),
      this.#engine.lay(deny, "an item"),
      this.#engine.lay(categories, "a category"),
    ];
    const { memory } = this.#engine;
    const filters = memory.lend(4 * 2 * lists.length + 4);
    memory.u32.set(lists.flat(), filters / 4);
    memory.u8.set([allow ? 1 : 0, keepSupport ? 1 : 0], filters + 4 * 2 * lists.length);
    return filters;
  }

  #ranked(address, length) {
    return this.#entries(address, length, (item, score) => ({ item, score }));
  }

  #entries(address, length, entry) {
    const { u32, f32 } = this.#engine.memory;
    const first = address / 4;
    return Array.from({ length }, (_, at) => entry(u32[first + 2 * at], f32[first + 2 * at + 1]));
  }
}

/** Room for so many interactions costs a few KB; a longer support makes a session anew. */
const FIRST_CAPACITY = 32;
/** Fewer candidates leave variety little to choose from. */
const FEWEST_CANDIDATES = 100;
/** Bytes of an item with its score or effect. */
const ENTRY = 8;

/** What a session held can be taken by the next one, once nobody can reach it. */
const collected = new FinalizationRegistry(({ memory, held }) => {
  for (const [address, bytes] of held.values()) memory.give(address, bytes);
});
