// Writes random pairs of HTML with their changes as JSON, for a test in a real browser (tests/property/test_differences.py).
//
//   node difference_cases.mjs HTML_DIFFERENCE PAIRS SEED

import { spawnSync } from "node:child_process";
import { PLACES, changes } from "./difference_pairs.mjs";
import { randomness } from "./random_html.mjs";
import { pairs } from "./random_pairs.mjs";

const [tool, count, seed] = process.argv.slice(2);
const random = randomness(Number(seed));
const next = pairs(random);
const cases = Array.from({ length: Number(count) }, () => {
  const place = PLACES[random(PLACES.length)];
  return { place, html: next(place.name, place.whole) };
});
changes(tool, cases, spawnSync);
process.stdout.write(JSON.stringify(cases.filter(({ change }) => change)));
