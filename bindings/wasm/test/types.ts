// Compiled and not run: what an app writes, against `index.d.ts`.

import { load, TinderboxError, type Interaction, type Model, type Ranked } from "tinderbox-wasm";

const model: Model = await load(fetch("movies.tbx"), { kernel: "scalar" });
const session = model.session();
const support: Interaction[] = [
  { id: "50", feedback: "like" },
  { item: 3, feedback: 4.5 },
];
session.adapt(support);
session.setFeatures([model.userFeature("age:25..27") ?? 0]);

const filter = { categories: [model.category("class:Comedy") ?? 0], deny: new Set([1, 2]), keepSupport: true };
const list: Ranked[] = session.rank(10, filter);
for (const { item, score } of [...list, ...session.rankDiverse(10, 0.3), ...session.similar(3, 5)]) {
  const title: string | undefined = model.title(item);
  const effect: number | undefined = session.explain(item, 1)[0]?.effect;
  console.log(title, score, effect, session.score(item));
}

const raters = [{ user: session.user, feedback: "dislike" as const }];
const added: number = session.addItem(model.embedItem([0, 1], raters));
console.log(added, model.categories.map((name) => name.length), model.levels[0]?.liked);

// @ts-expect-error an interaction names an item
session.adapt([{ feedback: "like" }]);
// @ts-expect-error feedback is a like, a dislike or a rating
session.adapt([{ item: 3, feedback: "meh" }]);

try {
  await load(new Uint8Array());
} catch (error) {
  if (error instanceof TinderboxError) console.log(error.message);
}
