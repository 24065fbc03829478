// What the page says: titles, facts and reasons, in words.

/** "Empire Strikes Back, The" as people say it. */
export const spoken = (title) => title.replace(/^(.+), (The|A|An)$/u, "$2 $1");

const number = new Intl.NumberFormat("en");
export const count = (value) => number.format(value);

/** Bytes in the unit that gives a short number. */
export function size(bytes) {
  const megabytes = bytes / 1e6;
  return megabytes < 1 ? `${Math.round(bytes / 1000)} KB` : `${megabytes.toFixed(1)} MB`;
}

/** Milliseconds, as precisely as the browser's clock tells them. */
export function duration(milliseconds) {
  if (milliseconds < 0.005) return "less than 0.01 ms";
  return `${milliseconds.toFixed(milliseconds < 1 ? 2 : 1)} ms`;
}

/** Categories of one kind, "class:Comedy", belong together; those without a kind are one. */
export function kindOf(category) {
  const colon = category.indexOf(":");
  return colon < 0 ? { kind: "", label: category } : { kind: category.slice(0, colon), label: category.slice(colon + 1) };
}

/** Why a title is recommended, from its reasons: `[{ title, liked }]`, strongest first. */
export function why(reasons) {
  if (reasons.length === 0) return "";
  const [first, second] = reasons;
  if (!second) return `Because you ${verb(first)} ${first.title}`;
  const joined = first.liked === second.liked ? second.title : `${verb(second)} ${second.title}`;
  return `Because you ${verb(first)} ${first.title} and ${joined}`;
}

const verb = ({ liked }) => (liked ? "liked" : "didn’t like");
