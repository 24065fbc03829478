// The package and the demo page in headless Chromium: CHROMIUM names the program, TINDERBOX_MODEL another model file,
// SCREENSHOTS a directory for pictures.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { serve } from "./site.js";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const DESKTOP = { viewport: { width: 1280, height: 860 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const DARK = { ...DESKTOP, colorScheme: "dark" };

let browser;
let site;

before(async () => {
  site = await serve();
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
  });
});

after(async () => {
  await browser?.close();
  await site?.close();
});

/** A fresh browser on the page; whatever goes wrong there is an error here. */
async function visit(t, options = DESKTOP, path = "/demo/") {
  const context = await browser.newContext({ reducedMotion: "reduce", ...options });
  t.after(() => context.close());
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  t.after(() => assert.deepEqual(errors, []));
  await page.goto(new URL(path, site.url).href);
  await page.waitForSelector("#stage:not([hidden])");
  return page;
}

const titles = (page) => page.locator("#list .title").allTextContents();
const sparks = (page) => page.locator("#sparks li").count();
const like = (page) => page.click("#card [data-does=like]");
const dislike = (page) => page.click("#card [data-does=dislike]");

async function picture(page, name, options) {
  if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png`, ...options });
}

for (const kernel of ["scalar", "simd128"]) {
  test(`golden requests in Chromium, ${kernel} module: bits equal`, async (t) => {
    const page = await visit(t);
    const answered = await page.evaluate(async (kernel) => {
      const [{ load }, { models, play }] = await Promise.all([import("/js/index.js"), import("/test/golden.js")]);
      const requests = await (await fetch("/golden/requests.txt")).text();
      const opened = {};
      for (const name of models(requests)) opened[name] = await load(fetch(`/golden/${name}.tbx`), { kernel });
      return play(requests, opened);
    }, kernel);
    const requests = await readFile(new URL("../../../engine/golden/requests.txt", import.meta.url), "utf8");
    assert.equal(answered.length, requests.match(/^=/gm).length);
    for (const { line, golden, answer } of answered) assert.equal(answer, golden, `requests.txt:${line}`);
    t.diagnostic(`${answered.length} golden requests, bits equal`);
  });
}

test("a person starts from nothing, and one click makes another list", async (t) => {
  const page = await visit(t);
  await picture(page, "desktop-start");
  assert.equal(await page.textContent("#ranking-title"), "For anyone");
  const first = await titles(page);
  const asked = await page.textContent("#question");
  await like(page);
  assert.equal(await page.textContent("#ranking-title"), "For you");
  assert.notDeepEqual(await titles(page), first);
  assert.equal(await sparks(page), 1);
  assert.notEqual(await page.textContent("#question"), asked);
  assert.match(await page.textContent("#time"), /^Adapted to one answer and ranked [\d,]+ titles in .+ ms$/);
  await dislike(page);
  await like(page);
  await page.mouse.move(0, 0);
  await picture(page, "desktop");
});

test("every recommendation after an answer says why", async (t) => {
  const page = await visit(t);
  const asked = await page.textContent("#question");
  await like(page);
  const why = await page.locator("#list .why").allTextContents();
  assert.ok(why.some((text) => text === `Because you liked ${asked}`), why.join("; "));
});

test("the first click makes the new list at once, before the next frame", async (t) => {
  const taken = [];
  for (let visits = 0; visits < 5; visits++) {
    const page = await visit(t, { ...DESKTOP, reducedMotion: "no-preference" });
    const first = await titles(page);
    await page.waitForTimeout(300); // the page has come to rest, as when a person has read the question
    const { milliseconds, list } = await page.evaluate(() => {
      const began = performance.now();
      document.querySelector("#card [data-does=like]").click();
      document.body.getBoundingClientRect(); // forces layout
      const milliseconds = performance.now() - began;
      return { milliseconds, list: [...document.querySelectorAll("#list .title")].map((title) => title.textContent) };
    });
    assert.equal(list.length, first.length);
    assert.notDeepEqual(list, first);
    taken.push(milliseconds);
  }
  taken.sort((a, b) => a - b);
  // Told, not held against a bound: how long depends on how busy the machine is.
  t.diagnostic(`first click to the new list, laid out, five fresh pages: ${taken.map((ms) => ms.toFixed(1)).join(", ")} ms`);
});

test("undo takes back every change, starting over too", async (t) => {
  const page = await visit(t);
  const lists = [await titles(page)];
  for (const click of [like, dislike, (page) => page.click("#list .row:nth-child(3) .like")]) {
    await click(page);
    lists.push(await titles(page));
  }
  await page.click("[data-does=start-over]");
  assert.deepEqual(await titles(page), lists[0]);
  assert.equal(await sparks(page), 0);
  for (const list of lists.toReversed()) {
    await page.keyboard.press("Control+z");
    assert.deepEqual(await titles(page), list);
  }
  assert.ok(await page.isDisabled("[data-does=undo]"));
});

test("an answer is taken back by a click on it", async (t) => {
  const page = await visit(t);
  const first = await titles(page);
  await like(page);
  await page.click("#sparks button");
  assert.deepEqual(await titles(page), first);
});

test("answers, filters and variety are there on the next visit", async (t) => {
  const page = await visit(t);
  await like(page);
  await dislike(page);
  await page.locator("#chips label").nth(1).click();
  await page.locator("#variety").fill("40");
  const list = await titles(page);
  await page.reload();
  await page.waitForSelector("#stage:not([hidden])");
  assert.equal(await sparks(page), 2);
  assert.deepEqual(await titles(page), list);
  assert.equal(await page.inputValue("#variety"), "40");
});

test("a filter leaves its category, and several leave any of theirs", async (t) => {
  const page = await visit(t);
  const chips = page.locator("#chips label");
  const names = await chips.allTextContents();
  await chips.nth(0).click();
  const abouts = () => page.locator("#list .about").allTextContents();
  assert.ok((await abouts()).every((about) => about.includes(names[0])));
  await chips.nth(2).click();
  assert.ok((await abouts()).every((about) => about.includes(names[0]) || about.includes(names[2])));
});

test("variety changes the order and keeps the best", async (t) => {
  const page = await visit(t);
  await like(page);
  const plain = await titles(page);
  await page.locator("#variety").fill("100");
  const varied = await titles(page);
  assert.equal(varied[0], plain[0]);
  assert.notDeepEqual(varied, plain);
});

test("more of the list begins with the shorter one", async (t) => {
  const page = await visit(t);
  await like(page);
  const short = await titles(page);
  await page.click("[data-does=more]");
  const long = await titles(page);
  assert.equal(long.length, 2 * short.length);
  assert.deepEqual(long.slice(0, short.length), short);
});

test("everything can be done by keyboard, and the focus is never lost", async (t) => {
  const page = await visit(t);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowLeft");
  assert.equal(await sparks(page), 2);
  const focused = () => page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent.trim());
  await page.focus("#list .row:nth-child(2) .like");
  await page.keyboard.press("Enter");
  assert.equal(await sparks(page), 3);
  assert.equal(await focused(), `I like ${(await titles(page))[1]}`);
  await page.focus("#sparks button");
  await page.keyboard.press("Enter");
  assert.equal(await sparks(page), 2);
  assert.notEqual(await page.evaluate(() => document.activeElement.tagName), "BODY");
  await page.focus("#variety");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.inputValue("#variety"), "5");
  assert.equal(await sparks(page), 2, "the arrow of a slider answered the question");
});

test("what came of an answer is read out", async (t) => {
  const page = await visit(t);
  const asked = await page.textContent("#question");
  await like(page);
  const said = await page.textContent("[aria-live=polite]");
  const [best] = await titles(page);
  assert.ok(said.startsWith(`Liked ${asked}. Now best: ${best}, `), said);
  assert.ok(said.endsWith(`Next question: ${await page.textContent("#question")}.`), said);
});

test("the page works without a network, after one visit", async (t) => {
  const gone = await serve();
  t.after(gone.close);
  const page = await visit(t, DESKTOP, `${gone.url}/demo/`);
  await page.waitForSelector("#offline:not([hidden])");
  await like(page);
  const list = await titles(page);
  await gone.close(); // setOffline may leave out the service worker
  await page.reload();
  await page.waitForSelector("#stage:not([hidden])");
  assert.deepEqual(await titles(page), list);
  await dislike(page);
  assert.notDeepEqual(await titles(page), list);
});

test("nothing is asked of any other host", async (t) => {
  const context = await browser.newContext(DESKTOP);
  t.after(() => context.close());
  const page = await context.newPage();
  const hosts = new Set();
  context.on("request", (request) => hosts.add(new URL(request.url()).origin));
  await page.goto(`${site.url}/demo/`);
  await page.waitForSelector("#offline:not([hidden])");
  await like(page);
  assert.deepEqual([...hosts], [site.url]);
});

test("without a model the page says how to get one, and opens a file", async (t) => {
  const context = await browser.newContext({ ...DESKTOP, serviceWorkers: "block" });
  t.after(() => context.close());
  const page = await context.newPage();
  await page.route("**/model.tbx", (route) => route.fulfill({ status: 404 }));
  await page.goto(`${site.url}/demo/`);
  await page.waitForSelector("#missing:not([hidden])");
  await picture(page, "desktop-missing");
  assert.match(await page.textContent("#missing"), /trainer demo/);
  const file = new URL("../../../engine/golden/prototypical.tbx", import.meta.url);
  await page.setInputFiles("#file", { name: "other.tbx", mimeType: "", buffer: await readFile(file) });
  await page.waitForSelector("#stage:not([hidden])");
  assert.ok(await page.isHidden("#missing"));
  await page.setInputFiles("#file", { name: "bad.tbx", mimeType: "", buffer: Buffer.from("not a model") });
  await page.waitForSelector("#missing:not([hidden])");
  assert.match(await page.textContent("#missing-why"), /not a model file/);
  assert.ok(await page.isVisible("#stage"), "the model that was open is gone");
});

test("a phone's width is enough, and targets are large enough for a thumb", async (t) => {
  const page = await visit(t, PHONE);
  await picture(page, "phone-start");
  await like(page);
  await dislike(page);
  await like(page);
  await picture(page, "phone");
  await picture(page, "phone-whole", { fullPage: true });
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), PHONE.viewport.width);
  for (const button of await page.locator("main button:visible").all()) {
    const { width, height } = await button.boundingBox();
    assert.ok(width >= 36 && height >= 36, await button.textContent());
  }
});

for (const [name, options] of Object.entries({ light: DESKTOP, dark: DARK, phone: PHONE })) {
  test(`axe has no serious finding: ${name}`, async (t) => {
    // Scripts of a test are not of the page's own making.
    const page = await visit(t, { ...options, bypassCSP: true });
    await like(page);
    await dislike(page);
    await page.locator("#chips label").nth(1).click();
    await page.mouse.move(0, 0);
    await picture(page, `axe-${name}`);
    await page.addScriptTag({ path: AXE });
    const { violations, passes } = await page.evaluate(() => axe.run());
    const told = violations.map(({ id, impact, nodes }) => `${impact}: ${id} (${nodes.map(({ html }) => html).join(" ")})`);
    t.diagnostic(`${passes.length} rules passed, ${violations.length} findings`);
    assert.deepEqual(told, []);
  });
}
