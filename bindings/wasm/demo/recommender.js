import { kindOf, spoken } from "./words.js";

/** Variety of 100 % still asks the user: beyond this the list has no more to do with the answers. */
const MOST_VARIETY = 0.7;

/** A reason that has less than this share of the strongest one explains little. */
const WORTH_SAYING = 0.35;

/** Asked after the onboarding items: so many of the most popular titles. */
const MOST_ASKED = 200;

/** A model and one user, as the page asks them. */
export class Recommender {
  #model;
  #session;

  constructor(model) {
    this.#model = model;
    this.#session = model.session();
    this.kinds = kinds(model.categories);
    this.#warm();
  }

  get model() {
    return this.#model;
  }

  title(item) {
    return spoken(this.#model.title(item) ?? this.#model.id(item) ?? `No. ${item}`);
  }

  id(item) {
    return this.#model.id(item);
  }

  /** What kind of title it is, in a few words. */
  about(item) {
    const names = this.#model.categoriesOf(item).map((category) => this.kinds.label[category]);
    return names.filter(Boolean).join(" · ");
  }

  /** The next question: of the onboarding items, then of the most popular, the first that was not answered. */
  question(answers) {
    const { onboarding, items } = this.#model;
    const place = onboarding.findIndex((item) => !answers.knows(this.id(item)));
    if (place >= 0) return { item: onboarding[place], place: place + 1, of: onboarding.length };
    for (let item = 0; item < Math.min(items, MOST_ASKED); item++) {
      if (!answers.knows(this.id(item))) return { item };
    }
  }

  /**
   * Adapts to all answers and ranks all titles: the list, and the milliseconds that both took. Answers on titles that
   * this model does not have are passed over.
   */
  list(answers, wishes, length) {
    const known = answers.said.filter(({ id }) => this.#model.item(id) !== undefined);
    const categories = wishes.categories.map((name) => this.#model.category(name)).filter((number) => number >= 0);
    const variety = (MOST_VARIETY * wishes.variety) / 100;
    const began = performance.now();
    this.#session.adapt(known);
    const ranked = this.#session.rankDiverse(length, variety, { categories });
    return { ranked, milliseconds: performance.now() - began };
  }

  /** Calls everything once: a browser compiles a function when it is first called, which no one should wait for. */
  #warm() {
    if (this.#model.items === 0) return;
    this.#session.adapt([{ item: 0, feedback: this.#model.levels.at(-1).value }]);
    this.#session.rankDiverse(1, 0);
    this.#session.explain(0);
  }

  /** The answers that raised an item the most: `[{ title, liked }]`, at most two. */
  reasons(item, answers) {
    const reasons = this.#session.explain(item, 2);
    const enough = WORTH_SAYING * Math.max(0, reasons[0]?.effect ?? 0);
    const telling = reasons.filter(({ effect }) => effect > enough);
    return telling.map(({ item }) => ({
      title: this.title(item),
      liked: answers.feedbackOn(this.id(item)) === "like",
    }));
  }
}

/**
 * The largest kind of category is for filters, where it names few enough; of the others, a decade is worth showing.
 * Categories that are no more than a year are left out: a title has its decade.
 */
function kinds(categories) {
  const parts = categories.map(kindOf);
  const isYear = ({ label }) => /^\d{4}$/.test(label);
  const isDecade = ({ label }) => /^\d{3}0s$/.test(label);
  const named = parts.filter((part) => !isYear(part) && !isDecade(part));
  const members = ({ kind }) => named.filter((part) => part.kind === kind).length;
  const main = [...named].sort((a, b) => members(b) - members(a))[0]?.kind;
  const filters = parts.flatMap((part, number) =>
    part.kind === main && named.includes(part) ? [{ name: categories[number], label: part.label }] : [],
  );
  return { filters, label: parts.map((part) => (isYear(part) ? "" : part.label)) };
}
