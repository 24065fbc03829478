import { TinderboxError, whole } from "./engine.js";
import { noDislikes, noLikes, offScale, unknownId } from "./words.js";
import { Session } from "./session.js";

/** See `index.d.ts`. */
export class Model {
  #engine;
  /** Address of the opened model. */
  #at;
  #levels;

  /** Opens a file: `bytes` are copied into the memory of `engine`, which serves this model alone. */
  constructor(engine, bytes) {
    const { memory, calls } = engine;
    const file = memory.take(bytes.length);
    memory.u8.set(bytes, file);
    this.#engine = engine;
    this.#at = memory.take(calls.model_size());
    engine.call("model_open", file, bytes.length, this.#at);
    this.items = calls.model_items(this.#at);
    this.dim = calls.model_dim(this.#at);
    this.steps = calls.model_steps(this.#at);
    this.bytes = bytes.length;
    this.rule = engine.ask("model_rule", this.#at);
    this.kernel = engine.ask("kernel_name");
    this.contentId = BigInt.asUintN(64, calls.model_content_id(this.#at)).toString(16).padStart(16, "0");
    this.#levels = Array.from({ length: calls.model_levels(this.#at) }, (_, level) => ({
      value: shortest(calls.model_level_value(this.#at, level)),
      liked: calls.model_level_liked(this.#at, level) !== 0,
    }));
  }

  session() {
    return new Session(this, this.#engine, this.#at);
  }

  id(item) {
    return this.#engine.ask("model_id", this.#at, whole(item, "an item"));
  }

  title(item) {
    return this.#engine.ask("model_title", this.#at, whole(item, "an item"));
  }

  item(id) {
    return this.#engine.find("model_item", [this.#at], id);
  }

  get levels() {
    return this.#levels.map((level) => ({ ...level }));
  }

  get onboarding() {
    const { calls, memory } = this.#engine;
    const start = calls.model_onboarding(this.#at) / 4;
    return Array.from(memory.u32.subarray(start, start + calls.model_onboarding_len(this.#at)));
  }

  get card() {
    const card = this.#engine.ask("model_card", this.#at);
    return card === undefined ? undefined : JSON.parse(card);
  }

  get categories() {
    const length = this.#engine.calls.model_categories(this.#at);
    return Array.from({ length }, (_, category) =>
      this.#engine.ask("model_category_name", this.#at, category),
    );
  }

  category(name) {
    return this.#engine.find("model_category", [this.#at], name);
  }

  categoriesOf(item) {
    const { calls } = this.#engine;
    const all = Array.from({ length: calls.model_categories(this.#at) }, (_, category) => category);
    whole(item, "an item");
    return all.filter((category) => calls.model_category_contains(this.#at, category, item));
  }

  get itemFeatures() {
    return this.#features(OF_ITEMS);
  }

  get userFeatures() {
    return this.#features(OF_USERS);
  }

  itemFeature(name) {
    return this.#engine.find("model_feature", [this.#at, OF_ITEMS], name);
  }

  userFeature(name) {
    return this.#engine.find("model_feature", [this.#at, OF_USERS], name);
  }

  #features(table) {
    const length = this.#engine.calls.model_features(this.#at, table);
    return Array.from({ length }, (_, feature) =>
      this.#engine.ask("model_feature_name", this.#at, table, feature),
    );
  }

  embedItem(features, raters = []) {
    const { calls, memory } = this.#engine;
    const levels = raters.map(({ feedback }) => this.level(feedback));
    memory.clear();
    const [list, length] = this.#engine.lay(features, "an item feature");
    const size = calls.rater_size();
    const laid = memory.lend(size * raters.length);
    raters.forEach(({ user }, at) => {
      const embedding = memory.lend(4 * user.length);
      memory.f32.set(user, embedding / 4);
      calls.rater_new(embedding, user.length, levels[at], laid + size * at);
    });
    const scratch = memory.lend(4 * 3 * this.dim);
    const row = memory.lend(this.dim);
    const scale = memory.lend(4);
    const raterArguments = [laid, raters.length];
    this.#engine.call("item_embed", this.#at, list, length, ...raterArguments, scratch, row, scale);
    return { row: memory.i8.slice(row, row + this.dim), scale: memory.f32[scale / 4] };
  }

  /** The number of the feedback level that `feedback` stands for. Not in `index.d.ts`: levels are the engine's affair. */
  level(feedback) {
    const { calls } = this.#engine;
    if (feedback === "like") return known(calls.model_plain_like(this.#at), noLikes);
    if (feedback === "dislike") return known(calls.model_plain_dislike(this.#at), noDislikes);
    if (typeof feedback !== "number") {
      throw new TypeError(`expected "like", "dislike" or a rating as feedback, found ${feedback}`);
    }
    const words = offScale(feedback, this.#levels[0].value, this.#levels.at(-1).value);
    return known(calls.model_level_closest(this.#at, feedback), words);
  }

  /** The number of the item that an interaction is about. Not in `index.d.ts`. */
  itemOf(interaction) {
    if (interaction.id === undefined) return whole(interaction.item, "an item");
    const item = this.item(interaction.id);
    return known(item ?? -1, unknownId);
  }
}

const OF_ITEMS = 0;
const OF_USERS = 1;

function known(number, words) {
  if (number < 0) throw new TinderboxError(words);
  return number;
}

/** The shortest decimal of a 32-bit float, as the engine prints it: 0.1 and not 0.10000000149011612. */
function shortest(value) {
  const decimals = Array.from({ length: 9 }, (_, at) => Number(value.toPrecision(at + 1))); // nine digits are enough for all
  return decimals.find((decimal) => Math.fround(decimal) === value);
}
