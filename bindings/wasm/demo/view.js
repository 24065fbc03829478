import { count, duration, size, why } from "./words.js";

const by = (id) => document.getElementById(id);
const copy = (template) => by(template).content.firstElementChild.cloneNode(true);
const rows = () => [...by("list").children];
const calm = matchMedia("(prefers-reduced-motion: reduce)");
let motions = [];

/** Puts text where it differs, so that nothing is read out or laid out anew for nothing. */
function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function showQuestion(question, recommender) {
  by("card").hidden = question === undefined;
  if (question === undefined) return;
  const { item, place, of } = question;
  put(by("count"), place ? `Question ${place} of ${of}` : "And this one?");
  put(by("question"), recommender.title(item));
  put(by("question-about"), recommender.about(item));
  by("card").dataset.item = item;
}

export function showSparks(answers, recommender) {
  const sparks = [...answers.said].reverse().flatMap(({ id, feedback }) => {
    const item = recommender.model.item(id);
    return item === undefined ? [] : [{ id, feedback, title: recommender.title(item) }];
  });
  by("no-sparks").hidden = sparks.length > 0;
  by("sparks").replaceChildren(...sparks.map(spark));
  document.querySelector("[data-does=undo]").disabled = !answers.canUndo;
  document.querySelector("[data-does=start-over]").disabled = answers.areNone;
}

function spark({ id, feedback, title }) {
  const row = copy("spark-row");
  const button = row.querySelector("button");
  button.dataset.id = id;
  button.classList.add(feedback);
  button.querySelector("use").setAttribute("href", `#${feedback}`);
  button.querySelector("span").textContent = title;
  button.setAttribute("aria-label", `Take back: ${feedback === "like" ? "liked" : "didn’t like"} ${title}`);
  return row;
}

/** Rows stay and are filled anew, quicker than made or moved. `entries`: `[{ item, title, about, reasons }]`. */
export function showList(entries, { answered, titles, milliseconds }) {
  put(by("ranking-title"), answered ? "For you" : "For anyone");
  put(by("ask-for"), answered ? "Every spark counts." : "Tell it one thing.");
  by("time").replaceChildren(...timing(answered, titles, milliseconds));
  by("nothing").hidden = entries.length > 0;
  const list = by("list");
  while (list.children.length > entries.length) list.lastElementChild.remove();
  while (list.children.length < entries.length) list.append(copy("row"));
  rows().forEach((row, place) => fill(row, entries[place]));
}

function timing(answered, titles, milliseconds) {
  const strong = document.createElement("strong");
  strong.textContent = duration(milliseconds);
  const did = answered ? `Adapted to ${answered === 1 ? "one answer" : `${answered} answers`} and ranked` : "Ranked";
  return [`${did} ${count(titles)} titles in `, strong, answered ? "" : ". Answer one question and watch."];
}

function fill(row, { item, title, about, reasons }) {
  row.dataset.item = item;
  put(row.querySelector(".title"), title);
  put(row.querySelector(".about"), about);
  put(row.querySelector(".why"), why(reasons));
  row.querySelector(".like").setAttribute("aria-label", `I like ${title}`);
  row.querySelector(".dislike").setAttribute("aria-label", `${title} is not for me`);
}

/**
 * Makes a change of the page, and moves each title of the list from where it was to where it is then; new ones fade in.
 * Places are read before all writing and after it: the browser lays the page out once.
 */
export function moving(change) {
  const before = new Map(rows().map((row) => [row.dataset.item, row.offsetTop]));
  change();
  if (calm.matches || before.size === 0) return;
  const after = rows().map((row) => [row, row.offsetTop]);
  for (const old of motions) old.cancel(); // a row that has another title now does not go on with the old one's
  motions = after.flatMap(([row, to]) => motion(row, before.get(row.dataset.item), to));
}

function motion(row, from, to) {
  const easing = { duration: 420, easing: "cubic-bezier(.2, .8, .2, 1)" };
  if (from === undefined) return row.animate({ opacity: [0, 1], transform: ["translateY(8px)", "none"] }, easing);
  if (from === to) return [];
  return row.animate({ transform: [`translateY(${from - to}px)`, "none"] }, easing);
}

export function showFilters(filters, chosen) {
  by("filters").hidden = filters.length < 2;
  by("chips").replaceChildren(
    ...filters.map(({ name, label }) => {
      const chip = copy("chip");
      chip.querySelector("input").value = name;
      chip.querySelector("input").checked = chosen.includes(name);
      chip.querySelector("span").textContent = label;
      return chip;
    }),
  );
}

export function showVariety(percent) {
  by("variety").value = percent;
  by("variety").setAttribute("aria-valuetext", `${percent} percent`);
  put(by("variety-said"), percent === 0 ? "best first" : `${percent} %`);
}

export function showFacts(model, credit) {
  const { data } = model.card ?? {};
  const learned =
    data?.users && data?.interactions
      ? `learned from ${count(data.interactions)} answers of ${count(data.users)} people`
      : "";
  const facts = [`${count(model.items)} titles in a model of ${size(model.bytes)}`, learned, `${model.rule}, ${model.dim} dimensions`];
  put(by("facts"), facts.filter(Boolean).join(" · "));
  by("credit").hidden = !credit;
  put(by("credit"), credit);
}

export function showStage() {
  by("missing").hidden = true;
  by("stage").hidden = false;
}

/** `opened`: whether another model is open, which stays. */
export function showMissing(reason, opened) {
  by("stage").hidden = !opened;
  by("missing").hidden = false;
  put(by("missing-title"), opened ? "This file did not open" : "No model here yet");
  put(by("missing-why"), reason);
}

export function showOffline() {
  by("offline").hidden = false;
}

/** Read out by screen readers, after what was clicked. */
export function say(text) {
  put(by("said"), text);
}
