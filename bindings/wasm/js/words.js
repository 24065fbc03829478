// What the engine says when it refuses, in its words: a module that holds them, and prints, is a fifth larger. A test of the
// module (`src/words.rs`) compares them with the engine's.

const DAMAGED = "the file is damaged: fetch or export it again";
const FAULTY = "the tool that wrote the file is at fault: export it again with a current one";

export const unknownId = "no item of the catalogue has this id: ids are compared letter by letter";
export const noLikes = "the model has no level for a bare like: give a rating";
export const noDislikes = "the model has no level for a bare dislike: give a rating or, if it has none, leave it out";
export const offScale = (found, lowest, highest) =>
  `rating ${found} is off the model's scale: give one from ${lowest} to ${highest}`;

/** By the module's number for a refusal, `Why` in `src/refusal.rs`: its numbers a, b, c and its texts s, t in words. */
export const refusals = [
  /* Magic */ () => "not a model file, or one that was transferred as text: transfer it as binary",
  /* NewerVersion */ (a, b) => `format version ${a}, expected ${b}: update the engine to read this file`,
  /* Version */ (a, b) => `format version ${a}, expected ${b}: ${DAMAGED}`,
  /* Length */ (a, b) => `${a} bytes, expected ${b}: ${DAMAGED}`,
  /* HeaderChecksum */ (a, b) => `header checksum ${hex(a)}, expected ${hex(b)}: ${DAMAGED}`,
  /* Limit */ (a, b, c, s, t) => `${s} is ${a}, expected ${t}: ${FAULTY}`,
  /* Reserved */ () => `reserved header bytes are not zero: ${FAULTY}`,
  /* SectionOrder */ (a, b) => `section kind ${a} after ${b}, expected ascending kinds: ${FAULTY}`,
  /* UnknownSection */ (a) => `section kind ${a} is unknown and not optional: update the engine to read this file`,
  /* MissingSection */ (a, b, c, s) => `section '${s}' is missing: ${FAULTY}`,
  /* UnexpectedSection */ (a, b, c, s) => `section '${s}' does not belong in this file: ${FAULTY}`,
  /* SectionOffset */ (a, b, c, s) => `section '${s}' begins at byte ${a}, expected ${b}: ${FAULTY}`,
  /* SectionLength */ (a, b, c, s) => `section '${s}' has ${a} bytes, expected ${b}: ${FAULTY}`,
  /* Padding */ (a) => `padding byte ${a} is not zero: ${DAMAGED}`,
  /* Value */ (a, b, c, s, t) => `value ${a} of section '${s}' is not ${t}: ${FAULTY}`,
  /* Item */ (a, b) => `item ${a} of ${b}: look items up with Model::item, each model file has its own numbers`,
  /* RankedItem */ (a, b) => `item ${a} of ${b}: look items up with Model::item`,
  /* UserFeature */ (a, b) => `user feature ${a} of ${b}: look features up with Model::user_features().find`,
  /* ItemFeature */ (a, b) => `item feature ${a} of ${b}: look features up with Model::item_features().find`,
  /* Category */ (a, b) => `category ${a} of ${b}: look categories up with Model::categories().find`,
  /* NotAscending */ (a, b) => `item ${a} at position ${b} is out of order: sort the list and remove duplicates`,
  /* NoDirection */ () => "the features add up to no direction: give at least one that the model knows",
  /* RaterLength */ (a, b, c) => `embedding of rater ${a} has ${b} floats, needs the model's dim, ${c}`,
  /* RaterWithoutDirection */ (a) => `embedding of rater ${a} has no direction: take it from Session::user`,
  /* Package */ () => "refused for a reason that is the package's fault: please report it",
];

const hex = (checksum) => checksum.toString(16).padStart(8, "0");
