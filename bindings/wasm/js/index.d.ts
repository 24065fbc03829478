/**
 * Opens a model file and gives it an engine of its own. The file is copied; nothing is sent anywhere.
 *
 * The same file and the same feedback give the same list, to the bit, as in every other engine of Tinderbox.
 *
 * @throws {TinderboxError} what is wrong with the file, in the engine's words
 * @throws {Error} a response that is not ok
 */
export function load(
  source: Source | Promise<Source>,
  options?: { kernel?: "scalar" | "simd128" },
): Promise<Model>;

/** A model file: its bytes, or what they can be read from. */
export type Source = ArrayBuffer | ArrayBufferView | Response | Blob;

/** What the engine refused. The message says why and what to do. */
export class TinderboxError extends Error {}

/**
 * A model: a catalogue, most popular item first, and how to adapt to a user.
 *
 * Items, categories and features are numbers that are good for this file only. An app stores ids.
 */
export interface Model {
  /** Number of items; they are numbered from 0, and items added to a session from here on. */
  readonly items: number;
  /** Length of an embedding. */
  readonly dim: number;
  /** Inner steps of an adaptation. */
  readonly steps: number;
  readonly rule: "maml" | "prototypical" | "matching";
  /** Length of the file. */
  readonly bytes: number;
  /** Sixteen hex digits that stand for the content of the file. */
  readonly contentId: string;
  /** The kernel that computes; results do not depend on it. */
  readonly kernel: string;
  /** The feedback levels, lowest first. */
  readonly levels: { value: number; liked: boolean }[];
  /** Items to show a new user first, so that the answers tell most; may be empty. */
  readonly onboarding: number[];
  /** Where the model comes from: data, metrics, seed, version; what was written at export. */
  readonly card: unknown;
  /** Names of the categories, by number. */
  readonly categories: string[];
  /** Names of the features that items may have, by number. */
  readonly itemFeatures: string[];
  /** Names of the features that users may have, by number. */
  readonly userFeatures: string[];

  /** The user of whom nothing is known. Takes a few KB; serves any number of users, one after the other. */
  session(): Session;

  id(item: number): string | undefined;
  title(item: number): string | undefined;
  /** The item of this id. */
  item(id: string): number | undefined;
  /** The category of this name. */
  category(name: string): number | undefined;
  /** Numbers of the categories that an item is in. */
  categoriesOf(item: number): number[];
  /** The item feature of this name. */
  itemFeature(name: string): number | undefined;
  /** The user feature of this name. */
  userFeature(name: string): number | undefined;

  /**
   * Embeds an item that training never saw by its features, and moves it towards its first raters.
   *
   * @throws {TinderboxError} an unknown feature, features without a direction, feedback that the model does not know
   */
  embedItem(features: Iterable<number>, raters?: Rater[]): NewItem;
}

/** One user: feedback in, ranking out. */
export interface Session {
  /**
   * Adapts from the prior to all of a user's feedback; what the session had adapted to before is forgotten.
   *
   * Keep the list, by id: it is the whole state of a user. Adapting to all of it again takes a microsecond.
   *
   * @throws {TinderboxError} an unknown item, feedback that the model does not know; the session is then as it was
   */
  adapt(support: Iterable<Interaction>): void;

  /** Says what is known of the user beside feedback, in place of what was said before. */
  setFeatures(features: Iterable<number>): void;

  /** Ranks this item together with the catalogue from now on; returns its number. */
  addItem(newItem: NewItem): number;
  /** Ranks these items together with the catalogue from now on; returns their numbers. */
  addItems(newItems: NewItem[]): number[];

  /**
   * The best `top` items, exactly, best first, ties to the more popular item. Items of the support are left out.
   *
   * @throws {TinderboxError} a list that is not ascending, an unknown item or category
   */
  rank(top: number, filter?: Filter): Ranked[];

  /**
   * The best `candidates` items (100 or five times `top`, if not given) in an order that trades relevance for variety,
   * and of these the first `top`. `diversity` 0 is the plain ranking, 1 ignores the user after the first place.
   */
  rankDiverse(top: number, diversity: number, filter?: Filter, candidates?: number): Ranked[];

  /** The items nearest to `item`, whatever the user thinks of it. */
  similar(item: number, top: number, filter?: Filter): Ranked[];

  /** The score of one item: as in a ranking. */
  score(item: number): number;

  /**
   * Which of the user's feedback raised `item`, strongest first: by how much its score would be lower without. Up to
   * `top` of it; all, if not given.
   */
  explain(item: number, top?: number): Reason[];

  /** The adapted user embedding, a copy. */
  readonly user: Float32Array;
}

/** A bare like or dislike, or a rating on the scale of the model. */
export type Feedback = "like" | "dislike" | number;

/** Feedback on an item, named by its id, or by its number in the model at hand. */
export type Interaction = { feedback: Feedback } & ({ id: string } | { item: number });

/** Which items a ranking may contain; everything may be left out. */
export interface Filter {
  /** Only these items, ascending. */
  allow?: Iterable<number>;
  /** None of these items, ascending. */
  deny?: Iterable<number>;
  /** Only items in at least one of these categories, if there is one. */
  categories?: Iterable<number>;
  /** Whether the items of the support may appear, too. */
  keepSupport?: boolean;
}

/** An item and its score, comparable within one list. */
export interface Ranked {
  item: number;
  score: number;
}

/** An item that the user gave feedback on, and what that does to the item that is explained. */
export interface Reason {
  item: number;
  effect: number;
}

/** Somebody who gave feedback on a new item: `Session.user` without that feedback. */
export interface Rater {
  user: Float32Array;
  feedback: Feedback;
}

/** An item's row in the catalogue. */
export interface NewItem {
  row: Int8Array;
  scale: number;
}
