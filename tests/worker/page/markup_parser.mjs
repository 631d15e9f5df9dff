// What markup.c lets in, a parser must keep in its place. Random fragments at random places are given to markup.c
// (markup_classify) and to parse5, the parser of the HTML standard that jsdom uses. Where markup.c says that a fragment
// fits, the document with it must be the document without it, plus what the fragment is by itself.
//
//   node markup_parser.mjs MARKUP_JUDGE [CASES]      TROUPE_SEED=… repeats a run

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fragments, randomness } from "./random_html.mjs";

const PARSE5 = new URL("../../js/node_modules/parse5/dist/index.js", import.meta.url);
const SKIPPED = 77;
if (!existsSync(PARSE5)) {
  console.log("parse5 is not installed (npm ci in tests/js)");
  process.exit(SKIPPED);
}
const { parse, parseFragment, serialize } = await import(PARSE5);

// worker/page/markup.h
const FOREIGN = 2;
const KNOWN = 1 << 8;
const [P, LI, DD, HEADING, A, BUTTON, FORM] = [9, 10, 11, 12, 13, 14, 15].map((bit) => 1 << bit);
const [TABLE, ROWS, ROW, COLGROUP, SELECT, OPTION] = [16, 17, 18, 19, 20, 21].map((bit) => 1 << bit);

const PLACES = [
  ["<div>", "</div>", 0],
  ["<p>", "</p>", P],
  ["<p><span>", "</span></p>", P],
  ["<ul><li>", "</li></ul>", LI],
  ["<ul><li><div><b>", "</b></div></li></ul>", LI],
  ["<ul>", "</ul>", 0],
  ["<ul><li><table><tbody><tr><td>", "</td></tr></tbody></table></li></ul>", 0],
  ["<dl><dd>", "</dd></dl>", DD],
  ["<dl><div><dt>", "</dt></div></dl>", DD],
  ["<dl>", "</dl>", 0],
  ["<h1>", "</h1>", HEADING],
  ["<h3><b>", "</b></h3>", 0],
  ["<a>", "</a>", A],
  ["<a><b>", "</b></a>", A],
  ["<button>", "</button>", BUTTON],
  ["<form>", "</form>", FORM],
  ["<form><p><label>", "</label></p></form>", FORM | P],
  ["<table>", "</table>", TABLE],
  ["<table><tbody>", "</tbody></table>", ROWS],
  ["<table><tbody><tr>", "</tr></tbody></table>", ROW],
  ["<table><colgroup>", "</colgroup></table>", COLGROUP],
  ["<table><tbody><tr><td>", "</td></tr></tbody></table>", 0],
  ["<table><caption>", "</caption></table>", 0],
  ["<select>", "</select>", SELECT],
  ["<select><optgroup>", "</optgroup></select>", SELECT],
  ["<select><option>", "</option></select>", OPTION],
  ["<datalist>", "</datalist>", 0],
  ["<svg>", "</svg>", FOREIGN],
  ["<svg><g>", "</g></svg>", FOREIGN],
  ["<math>", "</math>", FOREIGN],
  ["<b><i><b><b>", "</b></b></i></b>", 0],
  ["<ruby>", "</ruby>", 0],
  ["<details><summary>", "</summary></details>", 0],
  ["<object>", "</object>", 0],
];
function judged(judge, cases) {
  const input = cases.flatMap(({ place, html }) => {
    const bytes = Buffer.from(html);
    return [Buffer.from(`${KNOWN | place[2]} ${bytes.length}\n`), bytes];
  });
  const done = spawnSync(judge, { input: Buffer.concat(input), maxBuffer: 1 << 28 });
  if (done.error) throw done.error;
  const answers = done.stdout.toString();
  if (done.status !== 0 || answers.length !== cases.length) throw new Error(`markup_classify: ${done.stderr}`);
  return answers;
}

function find(node, text) {
  if (node.nodeName === "#comment" && node.data === text) return node;
  for (const child of node.content ? [node.content] : node.childNodes ?? []) {
    const found = find(child, text);
    if (found) return found;
  }
  return null;
}

// Why the fragment does not stay in its place; null if it does.
function escape({ place: [before, after], html }) {
  const page = (inside) => parse(`<!doctype html><body>${before}<!--A-->${inside}<!--B-->${after}<em>z</em>text`);
  const whole = page(html);
  const [a, b] = [find(whole, "A"), find(whole, "B")];
  if (!a || !b || a.parentNode !== b.parentNode) return "its ends are no siblings";
  const children = a.parentNode.childNodes;
  const own = children.splice(children.indexOf(a) + 1, children.indexOf(b) - children.indexOf(a) - 1);
  if (serialize(whole) !== serialize(page(""))) return `it changes what is around it: ${serialize(whole)}`;
  const [here, alone] = [serialize({ ...parseFragment(""), childNodes: own }), serialize(parseFragment(a.parentNode, html))];
  return here === alone ? null : `it is ${here}, and by itself ${alone}`;
}

const seed = Number(process.env.TROUPE_SEED ?? Date.now() % 1000000);
console.log(`TROUPE_SEED=${seed}`);
const random = randomness(seed);
const next = fragments(random);
const cases = Array.from({ length: Number(process.argv[3] ?? 5000) }, () => ({
  place: PLACES[random(PLACES.length)],
  html: next(),
}));
const answers = judged(process.argv[2], cases);
let fitting = 0;
let escaped = 0;
cases.forEach((one, at) => {
  if (answers[at] !== "1") return;
  fitting++;
  const why = escape(one);
  if (why === null) return;
  escaped++;
  console.log(`in ${one.place[0]}: ${JSON.stringify(one.html)}: ${why}`);
});
console.log(`${fitting} of ${cases.length} fit`);
// A judge that lets nothing in would be right, and of no use.
const useful = fitting > cases.length / 10;
console.log(escaped || !useful ? "0 passed, 1 failed" : "1 passed, 0 failed");
process.exit(escaped || !useful ? 1 : 0);
