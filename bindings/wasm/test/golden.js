// Plays the golden requests of `engine/golden` through the package, in whatever host: see the README there.

/**
 * Every answer beside the golden one: `[{ line, question, golden, answer }]`.
 *
 * @param opened what `load` made of each file, by name
 */
export function play(requests, opened) {
  const answered = [];
  const lines = requests.split("\n").map((text, at) => ({ text, number: at + 1 }));
  const said = lines.filter(({ text }) => text !== "" && !text.startsWith("#"));
  let request;
  said.forEach(({ text, number }, at) => {
    const [verb, ...words] = text.split(" ");
    if (verb.startsWith("=")) return;
    if (verb === "model") {
      const model = opened[words[0]];
      request = { model, session: model.session(), raters: [] };
      return;
    }
    const answer = verbs[verb](request, words);
    if (answer === undefined) return;
    answered.push({ line: number, question: text, golden: said[at + 1].text, answer: `= ${answer}`.trimEnd() });
  });
  return answered;
}

/** What each verb does to a request; questions return their answer. */
const verbs = {
  rater({ model, raters }, [given, ...others]) {
    const session = model.session();
    session.adapt(others.map(interaction));
    raters.push({ user: session.user, feedback: feedback(given) });
  },
  new(request, features) {
    const item = request.model.embedItem(features.map(Number), request.raters);
    request.session.addItem(item);
    request.raters = [];
    const row = Array.from(item.row, (value) => (value & 255).toString(16).padStart(2, "0"));
    return `${bits(item.scale)} ${row.join("")}`;
  },
  user: ({ session }, features) => session.setFeatures(features.map(Number)),
  feedback: ({ session }, said) => session.adapt(said.map(interaction)),
  rank: ({ session }, [top, ...words]) => list(session.rank(Number(top), filter(words))),
  diverse({ session }, [top, candidates, percent, ...words]) {
    const diversity = Number(percent) / 100;
    return list(session.rankDiverse(Number(top), diversity, filter(words), Number(candidates)));
  },
  similar: ({ session }, [item, top, ...words]) =>
    list(session.similar(Number(item), Number(top), filter(words))),
  /** The package has no batch, so users come one after the other: the same lists, says the engine. */
  batch({ model }, words) {
    const [[top], ...users] = words.join(" ").split("|").map((user) => user.split(" ").filter(Boolean));
    const lists = users.map((user) => {
      const session = model.session();
      session.adapt(user.map(interaction));
      return list(session.rank(Number(top)));
    });
    return lists.join(" | ");
  },
  score: ({ session }, [item]) => bits(session.score(Number(item))),
  explain: ({ session }, [item, top]) =>
    session.explain(Number(item), Number(top)).map(({ item, effect }) => `${item}:${bits(effect)}`).join(" "),
  onboarding: ({ model }) => model.onboarding.join(" "),
  find: ({ model }, words) => model.item(words.join(" ")) ?? "",
  id: ({ model }, [item]) => model.id(Number(item)) ?? "",
  title: ({ model }, [item]) => model.title(Number(item)) ?? "",
};

function interaction(word) {
  const [item, said] = word.split(":");
  return { item: Number(item), feedback: feedback(said) };
}

const feedback = (said) => ({ "+": "like", "-": "dislike" })[said] ?? Number(said);

function filter(words) {
  const parts = Object.fromEntries(words.map((word) => word.split("=")));
  const numbers = (part) => part?.split(",").filter(Boolean).map(Number);
  return {
    allow: numbers(parts.allow),
    deny: numbers(parts.deny),
    categories: numbers(parts.categories),
    keepSupport: "keep" in parts,
  };
}

const list = (ranked) => ranked.map(({ item, score }) => `${item}:${bits(score)}`).join(" ");

/** The eight hex digits of a 32-bit float. */
const bits = (value) =>
  new Uint32Array(Float32Array.of(value).buffer)[0].toString(16).padStart(8, "0");

/** Names of the model files that the requests ask. */
export const models = (requests) => new Set(Array.from(requests.matchAll(/^model (.+)$/gm), ([, name]) => name));
