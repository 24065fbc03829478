import { load } from "../js/index.js";
import { Answers, keepWishes, keptWishes } from "./answers.js";
import { Recommender } from "./recommender.js";
import * as view from "./view.js";

const FIRST_ROWS = 10;

const answers = new Answers();
const wishes = keptWishes();
let recommender;
let length = FIRST_ROWS;

/** All that the page shows, from all that is known. */
function show() {
  const { ranked, milliseconds } = recommender.list(answers, wishes, length);
  const entries = ranked.map(({ item }) => ({
    item,
    title: recommender.title(item),
    about: recommender.about(item),
    reasons: recommender.reasons(item, answers),
  }));
  const facts = { answered: answers.said.length, titles: recommender.model.items, milliseconds };
  view.showList(entries, facts);
  view.showSparks(answers, recommender);
  view.showQuestion(recommender.question(answers), recommender);
  document.querySelector("[data-does=more]").hidden = entries.length < length;
  return entries;
}

/** After an answer: what was said, and what came of it, for who cannot see it. */
function showAfter(what) {
  const best = show().slice(0, 3).map(({ title }) => title);
  const question = recommender.question(answers);
  const next = question ? ` Next question: ${recommender.title(question.item)}.` : "";
  view.say(`${what} Now best: ${best.join(", ")}.${next}`);
}

/** What buttons do, by `data-does`; `item` is the one that the button belongs to. */
const deeds = {
  like: (item) => answer(item, "like"),
  dislike: (item) => answer(item, "dislike"),
  skip(item) {
    answers.skip(recommender.id(item));
    showAfter("Passed over.");
  },
  forget(_, { id }) {
    answers.forget(id);
    showAfter("Taken back.");
  },
  undo() {
    answers.undo();
    showAfter("Undone.");
  },
  "start-over"() {
    answers.startOver();
    length = FIRST_ROWS;
    showAfter("Everything forgotten; undo brings it back.");
  },
  more() {
    length += FIRST_ROWS;
    show();
  },
  choose: () => document.getElementById("file").click(),
};

function answer(item, feedback) {
  answers.say(recommender.id(item), feedback);
  showAfter(`${feedback === "like" ? "Liked" : "Not for you:"} ${recommender.title(item)}.`);
}

function act(button) {
  const row = button.closest("[data-item]");
  const place = row?.matches(".row") ? [...row.parentElement.children].indexOf(row) : -1;
  deeds[button.dataset.does](Number(row?.dataset.item), button.dataset);
  if (!document.activeElement || document.activeElement === document.body) focusAfter(button, place);
}

/** The button went away: whoever uses the keyboard goes on from the same place. */
function focusAfter(button, place) {
  const rows = document.querySelectorAll(".row");
  const row = rows[Math.min(place, rows.length - 1)];
  const same = row?.querySelector(`[data-does=${button.dataset.does}]`);
  (same ?? document.querySelector("#card button, [data-does=undo]"))?.focus({ preventScroll: true });
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("button[data-does]");
  if (button) view.moving(() => act(button));
});

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey) && answers.canUndo && recommender) {
    event.preventDefault();
    view.moving(deeds.undo);
  }
});

// Arrows answer the question, unless they have another meaning where the focus is.
document.addEventListener("keydown", (event) => {
  const card = document.getElementById("card");
  const deed = { ArrowRight: "like", ArrowLeft: "dislike" }[event.key];
  if (!deed || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (!recommender || card.hidden || !(event.target === document.body || card.contains(event.target))) return;
  event.preventDefault();
  view.moving(() => deeds[deed](Number(card.dataset.item)));
});

document.getElementById("variety").addEventListener("input", ({ target }) => {
  wishes.variety = Number(target.value);
  keepWishes(wishes);
  view.moving(() => {
    view.showVariety(wishes.variety);
    show();
  });
});

document.getElementById("chips").addEventListener("change", ({ currentTarget }) => {
  wishes.categories = Array.from(currentTarget.querySelectorAll(":checked"), ({ value }) => value);
  keepWishes(wishes);
  view.moving(() => {
    const [first] = show();
    view.say(first ? `Now best: ${first.title}.` : "Nothing is left under these filters.");
  });
});

document.getElementById("file").addEventListener("change", ({ target }) => {
  if (target.files.length > 0) open(target.files[0]);
});

document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  const [file] = event.dataTransfer.files;
  if (file) open(file);
});

/** Opens a model; what was open stays, if that fails. */
async function open(source, credit = "") {
  try {
    recommender = new Recommender(await load(source));
  } catch (error) {
    view.showMissing(error.message, recommender !== undefined);
    return;
  }
  length = FIRST_ROWS;
  const { filters } = recommender.kinds;
  wishes.categories = wishes.categories.filter((name) => filters.some((filter) => filter.name === name));
  view.showFilters(filters, wishes.categories);
  view.showVariety(wishes.variety);
  view.showFacts(recommender.model, credit);
  show();
  view.showStage();
}

async function credit() {
  const response = await fetch("credit.txt").catch(() => undefined);
  return response?.ok ? (await response.text()).trim() : "";
}

await open(fetch("model.tbx"), await credit());

if ("serviceWorker" in navigator) {
  await navigator.serviceWorker.register("sw.js").catch(() => {}); // not on every host; the page does without
  await navigator.serviceWorker.ready;
  view.showOffline();
}
