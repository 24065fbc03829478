/**
 * What a person said, in this browser and nowhere else. Answers are kept by id, so that another model file finds them.
 *
 * Nothing is lost by a slip: every change can be undone, starting over too.
 */
export class Answers {
  #past = [];
  #now = kept(ANSWERS) ?? NOTHING;

  /** `[{ id, feedback }]`, in the order given. */
  get said() {
    return this.#now.said;
  }

  /** Whether there is anything to undo. */
  get canUndo() {
    return this.#past.length > 0;
  }

  /** Whether nothing was said, nor passed over. */
  get areNone() {
    return this.said.length + this.#now.skipped.length === 0;
  }

  /** Whether this title needs no question any more. */
  knows(id) {
    return this.#now.skipped.includes(id) || this.said.some((answer) => answer.id === id);
  }

  feedbackOn(id) {
    return this.said.find((answer) => answer.id === id)?.feedback;
  }

  say(id, feedback) {
    this.#become({ ...this.#now, said: [...this.#without(id), { id, feedback }] });
  }

  skip(id) {
    this.#become({ ...this.#now, skipped: [...this.#now.skipped, id] });
  }

  forget(id) {
    this.#become({ ...this.#now, said: this.#without(id) });
  }

  startOver() {
    this.#become(NOTHING);
  }

  undo() {
    this.#now = this.#past.pop() ?? NOTHING;
    keep(ANSWERS, this.#now);
  }

  #without(id) {
    return this.said.filter((answer) => answer.id !== id);
  }

  #become(next) {
    this.#past.push(this.#now);
    this.#now = next;
    keep(ANSWERS, next);
  }
}

/** How the list is wanted: variety in percent, categories by name. */
export function keptWishes() {
  return { variety: 0, categories: [], ...kept(WISHES) };
}

export const keepWishes = (wishes) => keep(WISHES, wishes);

const ANSWERS = "tinderbox.answers";
const WISHES = "tinderbox.wishes";
const NOTHING = { said: [], skipped: [] };

// A browser may refuse storage; the page then forgets at the end of the visit, and works all the same.
function kept(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function keep(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // as above
  }
}
