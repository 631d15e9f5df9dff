// What differences.js makes of a page with a change that difference.c wrote must be what a parser makes of the new HTML.
// Random pairs of HTML go through html_difference; then the one is parsed, changed, and held against the other.
//
//   node difference_parser.mjs HTML_DIFFERENCE [PAIRS]      TROUPE_SEED=… repeats a run

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { randomness } from "./random_html.mjs";
import { pairs } from "./random_pairs.mjs";

const JS = "../../../python/troupe/static/troupe/";
const SKIPPED = 77;
if (!existsSync(new URL("../../js/node_modules/jsdom", import.meta.url))) {
  console.log("jsdom is not installed (npm ci in tests/js)");
  process.exit(SKIPPED);
}
const { PLACES, changes, compare } = await import("./difference_pairs.mjs");
const { windowOf } = await import("../../js/fakes.js");
const { createMorpher } = await import(`${JS}morph.js`);
const { create } = await import(`${JS}differences.js`);

const seed = Number(process.env.TROUPE_SEED ?? Date.now() % 1000000);
console.log(`TROUPE_SEED=${seed}`);
const random = randomness(seed);
const next = pairs(random);
const cases = Array.from({ length: Number(process.argv[3] ?? 3000) }, () => {
  const place = PLACES[random(PLACES.length)];
  return { place, html: next(place.name, place.whole) };
});
changes(process.argv[2], cases, spawnSync);

const window = windowOf("<body></body>");
const found = compare(window, cases, { createMorpher, create });
for (const { place, html, change, why } of found.wrong.slice(0, 5)) {
  console.log(`in ${place.name}: ${why}\n  before ${JSON.stringify(html[0])}\n  after  ${JSON.stringify(html[1])}\n  change ${change}`);
}
console.log(`${found.changed} of ${cases.length} have a change, which is ${found.share} % of their HTML; ${found.wrong.length} are wrong`);
const fails = found.wrong.length || found.changed < cases.length / 4;
console.log(fails ? "0 passed, 1 failed" : "1 passed, 0 failed");
process.exit(fails ? 1 : 0);
