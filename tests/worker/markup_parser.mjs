// What markup.c lets in, a parser must keep in its place. Random fragments at random places are given to markup.c
// (markup_judge) and to parse5, the parser of the HTML standard that jsdom uses. Where markup.c says that a fragment
// fits, the document with it must be the document without it, plus what the fragment is by itself.
//
//   node markup_parser.mjs MARKUP_JUDGE [CASES]      TROUPE_SEED=… repeats a run

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const PARSE5 = new URL("../js/node_modules/parse5/dist/index.js", import.meta.url);
const SKIPPED = 77;
if (!existsSync(PARSE5)) {
  console.log("parse5 is not installed (npm ci in tests/js)");
  process.exit(SKIPPED);
}
const { parse, parseFragment, serialize } = await import(PARSE5);

// worker/markup.h
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
const COMMON = words(`div span b i a p ul li table tr td tbody select option svg g br img input form button h1 h2 dl dd dt`);
const RARE = words(`address article aside blockquote center details dialog dir fieldset figcaption figure footer header
  hgroup main menu nav ol pre listing section summary h6 hr em strong font big small code u s tt strike nobr wbr label
  optgroup caption colgroup col thead tfoot th ruby rt rp rb rtc math path circle mi mo mtext annotation-xml
  foreignObject desc title style script textarea iframe noembed noframes xmp object applet marquee embed param source
  track area base link meta keygen bgsound basefont video canvas template noscript image body html head frame frameset
  plaintext x-card datalist progress SPAN DIV Td search legend selectedcontent ins map picture`);
const VOID = new Set(words(`br img input wbr hr col embed param source track area base link meta keygen bgsound basefont`));
const ATTRIBUTES = ["", ' class="a"', " a=b", ' a="x>y"', " a='<p>'", " a=b/", " /", ' a="', " =x", ' a=">"b', "\n\tc"]
  .concat([' "', " color=red", " type=hidden", ' a = "q"', " / a"]);
const TEXTS = ["x", " ", "\n", "a & b", "&lt;", "<", "< ", "a<3", "\0", "<!--c-->", "<!---->", "<!-->", "<!--->", "\r\n"]
  .concat(["<!-- a --!> b -->", "<![CDATA[x]]>", "<?x?>", "</", "</>", "</ x>", "<!doctype html>", "<!x>", "-->"])
  .concat(["<!--$b-->", "&amp", "&nbsp;", "<!--!>"]);

function words(text) {
  return text.trim().split(/\s+/);
}

function randomness(seed) {
  let state = BigInt(seed);
  return (below) => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & ((1n << 64n) - 1n);
    return Number((state >> 33n) % BigInt(below));
  };
}

// Fragments: mostly well nested, with a mistake now and then.
function generator(random) {
  const pick = (from) => from[random(from.length)];
  const element = (depth) => {
    const name = pick(random(3) ? COMMON : RARE);
    const start = `<${name}${random(4) ? "" : pick(ATTRIBUTES)}${random(15) ? "" : "/"}>`;
    if (VOID.has(name) && random(10)) return start;
    const end = random(25) ? `</${random(40) ? name : pick(RARE)}${random(20) ? "" : " x"}>` : "";
    return start + any(depth + 1) + end;
  };
  const any = (depth) => {
    let html = "";
    for (let left = random(3) + (depth ? 0 : 1); left; left--)
      html += depth > 5 || random(5) === 0 ? pick(TEXTS) : element(depth);
    return html;
  };
  const usual = [
    () => `<table><tbody><tr><td>${any(2)}</td></tr></tbody></table>`,
    () => `<ul><li>${any(2)}</li><li>${any(3)}</li></ul>`,
    () => `<select><option>${pick(TEXTS)}</option>${any(4)}</select>`,
    () => `<svg>${any(2)}</svg>`,
    () => `<tr><td>${any(3)}</td></tr>`,
    () => `<dl><dt>${any(3)}</dt></dl>`,
    () => `<p>${any(3)}</p>`,
    () => `<option>${pick(TEXTS)}</option>`,
  ];
  return () => ({ place: pick(PLACES), html: random(4) ? any(0) : pick(usual)() });
}

function judged(judge, cases) {
  const input = cases.flatMap(({ place, html }) => {
    const bytes = Buffer.from(html);
    return [Buffer.from(`${KNOWN | place[2]} ${bytes.length}\n`), bytes];
  });
  const done = spawnSync(judge, { input: Buffer.concat(input), maxBuffer: 1 << 28 });
  if (done.error) throw done.error;
  const answers = done.stdout.toString();
  if (done.status !== 0 || answers.length !== cases.length) throw new Error(`markup_judge: ${done.stderr}`);
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
const next = generator(randomness(seed));
const cases = Array.from({ length: Number(process.argv[3] ?? 5000) }, next);
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
