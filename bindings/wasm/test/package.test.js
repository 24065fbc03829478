import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { load, TinderboxError } from "tinderbox-wasm";
import { models, play } from "./golden.js";

const golden = (name) => readFile(new URL(`../../../engine/golden/${name}`, import.meta.url));
const open = async (name = "maml", options) => load(await golden(`${name}.tbx`), options);
const refuses = (call, words) => assert.throws(call, (error) => error instanceof TinderboxError && words.test(error.message));

for (const kernel of ["scalar", "simd128"]) {
  test(`golden requests, ${kernel} module: bits equal`, async (t) => {
    const requests = (await golden("requests.txt")).toString();
    const opened = {};
    for (const name of models(requests)) opened[name] = await open(name, { kernel });
    const answered = play(requests, opened);
    assert.equal(answered.length, requests.match(/^=/gm).length);
    for (const { line, question, golden, answer } of answered) {
      assert.equal(answer, golden, `requests.txt:${line}: ${question}`);
    }
    t.diagnostic(`${answered.length} golden requests, bits equal`);
  });
}

test("a model says what it is", async () => {
  const bytes = await golden("maml.tbx");
  const model = await load(bytes);
  assert.equal(model.items, 300);
  assert.equal(model.dim, 32);
  assert.equal(model.rule, "maml");
  assert.equal(model.bytes, bytes.length);
  assert.match(model.contentId, /^[0-9a-f]{16}$/);
  assert.ok(model.steps > 0);
  assert.ok(model.levels.some(({ liked }) => liked) && model.levels.some(({ liked }) => !liked));
  assert.equal(typeof model.card, "object");
  assert.ok(model.onboarding.every((item) => item < model.items));
});

test("names are looked up and read back, beyond ASCII too", async () => {
  const model = await open();
  for (const item of [0, 45, 299]) assert.equal(model.item(model.id(item)), item);
  assert.equal(model.id(71), "映画-11");
  assert.equal(model.title(250), "“Féerie” 幻想 🦊");
  model.categories.forEach((name, number) => assert.equal(model.category(name), number));
  model.itemFeatures.forEach((name, number) => assert.equal(model.itemFeature(name), number));
  model.userFeatures.forEach((name, number) => assert.equal(model.userFeature(name), number));
  assert.equal(model.item("nobody"), undefined);
  assert.equal(model.category("nothing"), undefined);
  assert.equal(model.id(300), undefined);
});

test("a category's ranking holds its items and no others", async () => {
  const model = await open();
  const session = model.session();
  const [category] = model.categoriesOf(0);
  const ranked = session.rank(model.items, { categories: [category] });
  assert.ok(ranked.length > 0 && ranked.length < model.items);
  assert.ok(ranked.every(({ item }) => model.categoriesOf(item).includes(category)));
});

test("every way to bring a file gives the same model", async () => {
  const bytes = await golden("maml.tbx");
  const within = new Uint8Array(bytes.length + 3);
  within.set(bytes, 3);
  const sources = [
    bytes,
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
    within.subarray(3),
    new Blob([bytes]),
    new Response(bytes),
    Promise.resolve(new Response(bytes)),
  ];
  const ids = await Promise.all(sources.map(async (source) => (await load(source)).contentId));
  assert.equal(new Set(ids).size, 1);
});

test("a file that is not there is said to be missing", async () => {
  await assert.rejects(load(new Response("no", { status: 404, statusText: "Not Found" })), /404 Not Found/);
  await assert.rejects(load("movies.tbx"), TypeError);
  await assert.rejects(load(Promise.reject(new Error("offline"))), /offline/);
});

test("a damaged file is refused in the engine's words", async () => {
  const bytes = await golden("maml.tbx");
  await assert.rejects(load(bytes.subarray(0, bytes.length - 1)), {
    name: "TinderboxError",
    message: `${bytes.length - 1} bytes, expected ${bytes.length}: the file is damaged: fetch or export it again`,
  });
  await assert.rejects(load(new Uint8Array(4096)), /not a model file/);
  await assert.rejects(load(new Uint8Array(0)), TinderboxError);
  const damaged = Uint8Array.from(bytes);
  damaged[40] ^= 1;
  await assert.rejects(load(damaged), /header checksum [0-9a-f]{8}, expected [0-9a-f]{8}/);
});

test("feedback is refused in the engine's words", async () => {
  const model = await open();
  const session = model.session();
  session.adapt([{ item: 3, feedback: "like" }]);
  const before = session.rank(5);
  refuses(() => session.adapt([{ id: "nobody", feedback: "like" }]), /^no item of the catalogue has this id/);
  refuses(() => session.adapt([{ item: 300, feedback: "like" }]), /^item 300 of 300/);
  refuses(() => session.adapt([{ item: 0, feedback: 99 }]), /^rating 99 is off the model's scale: give one from/);
  refuses(() => session.adapt([{ item: 0, feedback: NaN }]), /^rating NaN is off/);
  refuses(() => session.setFeatures([99_999]), /^user feature 99999 of/);
  assert.deepEqual(session.rank(5), before, "the session is not as it was");
});

test("rankings are refused in the engine's words", async () => {
  const session = (await open()).session();
  refuses(() => session.rank(5, { deny: [4, 3] }), /^item 3 at position 1 is out of order/);
  refuses(() => session.rank(5, { allow: [300] }), /^item 300 of 300/);
  refuses(() => session.rank(5, { categories: [99] }), /^category 99 of/);
  refuses(() => session.score(300), /^item 300 of 300/);
  refuses(() => session.explain(300), /^item 300 of 300/);
  refuses(() => session.similar(300, 5), /^item 300 of 300/);
});

test("what is not a whole number does not become one", async () => {
  const model = await open();
  const session = model.session();
  for (const wrong of [undefined, null, NaN, -1, 1.5, "3", 2 ** 32]) {
    assert.throws(() => session.adapt([{ item: wrong, feedback: "like" }]), TypeError, `item ${wrong}`);
    assert.throws(() => session.score(wrong), TypeError, `score ${wrong}`);
    assert.throws(() => session.rank(wrong), TypeError, `rank ${wrong}`);
    assert.throws(() => session.rank(5, { deny: [wrong] }), TypeError, `deny ${wrong}`);
  }
  assert.throws(() => session.adapt([{ item: 3, feedback: "meh" }]), TypeError);
  assert.throws(() => model.item(3), TypeError);
  await assert.rejects(open("maml", { kernel: "abacus" }), TypeError);
});

test("the support is left out unless it is kept", async () => {
  const session = (await open()).session();
  const [first] = session.rank(1);
  session.adapt([{ item: first.item, feedback: "like" }]);
  assert.ok(session.rank(300).every(({ item }) => item !== first.item));
  assert.equal(session.rank(300).length, 299);
  assert.ok(session.rank(300, { keepSupport: true }).some(({ item }) => item === first.item));
});

test("a long history makes room for itself", async () => {
  const model = await open();
  const support = Array.from({ length: 250 }, (_, item) => ({ item, feedback: item % 3 ? "like" : "dislike" }));
  const [grown, roomy] = [model.session(), model.session()];
  grown.setFeatures([0]);
  roomy.setFeatures([0]);
  for (let length = 1; length < support.length; length *= 2) grown.adapt(support.slice(0, length));
  grown.adapt(support);
  roomy.adapt(support);
  assert.deepEqual(grown.rank(50), roomy.rank(50));
  assert.equal(grown.explain(260).length, support.length);
});

test("added items are ranked, explained and learned from, and feedback stays when more come", async () => {
  const model = await open();
  const session = model.session();
  session.adapt([{ item: 5, feedback: "like" }]);
  const before = session.score(10);
  const first = session.addItem(model.embedItem([0]));
  assert.equal(first, model.items);
  assert.equal(session.score(10), before, "the feedback was forgotten");
  const [second, third] = session.addItems([model.embedItem([1]), model.embedItem([0, 1])]);
  assert.deepEqual([second, third], [model.items + 1, model.items + 2]);
  const all = session.rank(1000).map(({ item }) => item);
  for (const item of [first, second, third]) assert.ok(all.includes(item));
  session.adapt([{ item: third, feedback: "like" }]);
  assert.equal(session.explain(first)[0].item, third);
});

test("a new item moves towards its raters", async () => {
  const model = await open();
  const rater = model.session();
  rater.adapt([{ item: 3, feedback: "like" }]);
  const raters = [{ user: rater.user, feedback: "like" }];
  assert.notDeepEqual(model.embedItem([0], raters), model.embedItem([0]));
  refuses(() => model.embedItem([99_999]), /^item feature 99999 of/);
  refuses(() => model.embedItem([0], [{ user: new Float32Array(3), feedback: "like" }]), /has 3 floats/);
});

test("what was handed out is the caller's own: memory may grow", async () => {
  const model = await open();
  const session = model.session();
  session.adapt([{ item: 3, feedback: "like" }]);
  const user = session.user;
  const [copy, list] = [Float32Array.from(user), session.rank(20)];
  const others = Array.from({ length: 200 }, () => model.session()); // more than the first pages hold
  assert.equal(user.buffer.byteLength, 4 * model.dim);
  assert.deepEqual(user, copy);
  assert.deepEqual(session.user, copy);
  assert.deepEqual(session.rank(20), list);
  assert.deepEqual(others.at(-1).rank(3), model.session().rank(3));
});

test("calls do not add up in memory", async () => {
  const { Memory } = await import("../js/memory.js");
  const memory = new WebAssembly.Memory({ initial: 1 });
  const room = new Memory(memory);
  for (let call = 0; call < 1000; call++) {
    room.clear();
    room.lend(1000);
  }
  assert.equal(memory.buffer.byteLength, 2 * 65536);
  const taken = room.take(5000);
  room.give(taken, 5000);
  assert.equal(room.take(5000), taken, "what was given back is not used again");
  assert.notEqual(room.take(5000), taken);
});
