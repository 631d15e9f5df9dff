// Where root.c ends the root, a parser must have ended it. Random pages are given to root.c (root_cut) and to parse5, the
// parser of the HTML standard that jsdom uses.
//
//   node root_parser.mjs ROOT_CUT [CASES]      TROUPE_SEED=… repeats a run

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fragments, randomness } from "./random_html.mjs";

const PARSE5 = new URL("../../js/node_modules/parse5/dist/index.js", import.meta.url);
const SKIPPED = 77;
if (!existsSync(PARSE5)) {
  console.log("parse5 is not installed (npm ci in tests/js)");
  process.exit(SKIPPED);
}
const { parse, serializeOuter } = await import(PARSE5);

// What is about the page itself is no content of a root, and a fragment's parser passes over it.
const PAGES = /<\/?(html|head|body|frameset)/gi;
const ROOTS = "div div div main section ul ol button details DIV form span p a b h2 table x-card svg select li".split(" ");
const WALLS = [
  ["<table><tr><td>", "</td></tr></table>"],
  ["<table><tbody>", "</table>"],
  ["<table>", "</table>"],
  ["<table><caption>", "</caption></table>"],
  ["<template>", "</template>"],
  ["<select>", "</select>"],
  ["<select><option>", "</select>"],
  ["<object>", "</object>"],
  ["<svg>", "</svg>"],
  ["<svg><desc>", "</desc></svg>"],
  ["<svg><foreignObject>", "</foreignObject></svg>"],
  ["<math><mi>", "</mi></math>"],
  ["<textarea>", "</textarea>"],
  ["<script>", "</script>"],
  ["<script><!--<script>", "</script>--></script>"],
  ["<style>", "</style>"],
  ["<!--", "-->"],
  ["<!", ">"],
  ['<i title="', '">'],
];

// A page whose root is `name`; in its content an end tag may stand out of place.
function page(random, next, name) {
  const odd = () => {
    const [before, after] = WALLS[random(WALLS.length)];
    const tag = [`</${name}>`, `<${name}>`, `<${name}/>`, `<${name}></${name}>`, `</${name}x>`, `</${name}/>`][random(6)];
    return before + (random(2) ? next() : "") + tag + (random(2) ? next() : "") + (random(8) ? after : "");
  };
  const parts = Array.from({ length: 1 + random(3) }, () => (random(3) ? odd() : next()));
  const inside = parts.join("").replaceAll(PAGES, "<x");
  return `<!doctype html><body><${name} dj-root>${inside}</${name}><footer>z</footer><p>text`;
}

function cuts(cut, pages) {
  const input = pages.flatMap((html) => {
    const bytes = Buffer.from(html);
    return [Buffer.from(`${bytes.length}\n`), bytes];
  });
  const done = spawnSync(cut, { input: Buffer.concat(input), maxBuffer: 1 << 28 });
  const lines = done.stdout.toString().trimEnd().split("\n");
  if (done.status !== 0 || lines.length !== pages.length) throw new Error(`root_cut: ${done.stderr}`);
  return lines.map((line) => line.split(" ").map(Number));
}

const isRoot = (node) => node.attrs?.some(({ name }) => name === "dj-root");

function find(node) {
  if (isRoot(node)) return node;
  for (const child of node.childNodes ?? []) {
    const found = find(child);
    if (found) return found;
  }
  return null;
}

// Null, or the page's root, if it goes on behind where root.c ends it: if what is put there gets into it.
function overrun(html, [, end]) {
  const bytes = Buffer.from(html);
  if (end === bytes.length) return null;
  const root = find(parse(`${bytes.subarray(0, end)}<!--CUT-->${bytes.subarray(end)}`));
  const text = serializeOuter(root);
  return text.includes("CUT") ? text : null;
}

const seed = Number(process.env.TROUPE_SEED ?? Date.now() % 1000000);
console.log(`TROUPE_SEED=${seed}`);
const random = randomness(seed);
const next = fragments(random);
const pages = Array.from({ length: Number(process.argv[3] ?? 5000) }, () => page(random, next, ROOTS[random(ROOTS.length)]));
let wrong = 0;
let cut = 0;
cuts(process.argv[2], pages).forEach((place, at) => {
  cut += place[1] < Buffer.byteLength(pages[at]);
  const why = overrun(pages[at], place);
  if (why === null) return;
  wrong++;
  console.log(`${JSON.stringify(pages[at])} ${place}: ${why}`);
});
console.log(`${cut} of ${pages.length} end before the page`);
// What always goes to the end of the page would be right, and of no use.
const useful = cut > pages.length / 5;
console.log(wrong || !useful ? "0 passed, 1 failed" : "1 passed, 0 failed");
process.exit(wrong || !useful ? 1 : 0);
