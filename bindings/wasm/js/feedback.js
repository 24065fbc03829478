// The engine's words for feedback that a model does not know; `src/feedback.rs` holds them against the engine's.

export const unknownId = "no item of the catalogue has this id: ids are compared letter by letter";
export const noLikes = "the model knows no likes: verify the file";
export const noDislikes = "the model knows no dislikes (it was trained on implicit feedback): leave them out";
export const offScale = (found, lowest, highest) =>
  `rating ${found} is off the model's scale: give one from ${lowest} to ${highest}`;
