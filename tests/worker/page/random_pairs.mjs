// Random pairs of HTML for tests of differences: a fragment as templates write them, and what it becomes when some of
// it changes. Tags are left out as HTML allows, and now and then something stands in it that a parser has to repair.

import { fragments } from "./random_html.mjs";

const words = (text) => text.trim().split(/\s+/);
const FLOW = words("div p ul ol dl table form select section h2 span b a i em strong label button input img br hr pre svg textarea details ruby x-card noscript template script style datalist object");
const PHRASING = words("span b a i em label input img br button select svg textarea x-card code");
const INSIDE = {
  ul: ["li"], ol: ["li"], dl: ["dt", "dd"], table: ["tbody", "thead", "caption", "colgroup", "tr", "tbody"], tbody: ["tr"], thead: ["tr"],
  tfoot: ["tr"], tr: ["td", "th"], select: ["option", "optgroup"], optgroup: ["option"], datalist: ["option"], colgroup: ["col"],
  svg: ["g", "path", "circle", "title", "foreignObject"], g: ["path", "circle", "g", "a"], ruby: ["rt", "rp"], template: ["div", "tr", "li", "select"],
  span: ["i", "em", "input", "img", "br", "code"], b: ["i", "em", "img"], em: ["span", "b", "a"], i: ["select", "svg", "textarea", "x-card"],
  "x-card": ["div", "p", "span"], p: PHRASING, a: ["span", "img"], foreignObject: [""], title: [""], label: ["input", "span"], h2: PHRASING,
  circle: ["title"], path: ["title"], button: ["span", "img"], pre: ["span", "b"], code: ["span"], noscript: ["img", "p"],
};
const TEXT_ONLY = new Set(words("option textarea script style title"));
const BLANK = new Set(words("table tbody thead tfoot tr colgroup"));
const VOID = new Set(words("input img br hr col"));
const OMIT = new Set(words("li dd dt p option tr td th tbody thead tfoot rt rp colgroup optgroup"));
const ATTRIBUTES = {
  class: ["a", "b c", "a &amp; b", "&quot;x&quot;", "é"], title: ["x", "<b>", "", "&copy; y"], id: ["i1", "i2", "i3", "i4", "i5", "i6", "i7", "i8", "i9"],
  "data-key": ["k1", "k2", "k3", "k4", "k5", "k6"], name: ["n1", "n2", "n3", "firstChild"], value: ["1", "2", ""], type: ["text", "checkbox", "radio", "hidden"],
  href: ["/a?b=1&c=2", "/"], checked: [null], selected: [null], hidden: [null], "dj-click": ["go"], style: ["color: red"], "@click": ["x = '1'"],
  "dj-ignore": [null], contenteditable: ["true"],
};
const RARE = new Set(["dj-ignore", "contenteditable", "type"]);
const TEXTS = ["x", "some text", "a & b", "&lt;b&gt;", "&amp;", "&nbsp;", "&copy 5", "1 < 2", "\r\n", "\n", " ", "é 🎭", "\0", "&#x27;q&#39;", "longer words that go on for a while", ""];

/** @typedef {{ name: string, attributes: [string, string | null][], children: any[], raw?: string, data?: string }} Item */

export function pairs(random) {
  const pick = (from) => from[random(from.length)];
  const nasty = fragments(random);
  const text = () => (random(3) ? `${pick(TEXTS)}` : `${random(10000)}`);

  const attributes = () => {
    const found = new Map();
    for (let left = random(4); left > 1; left--) {
      const name = pick(Object.keys(ATTRIBUTES));
      if (!RARE.has(name) || !random(8)) found.set(name, pick(ATTRIBUTES[name]));
    }
    return [...found];
  };

  // None of these may stand in itself, at any depth; in an opened <p> little may.
  const forbids = (parent, name) => /^(form|a|button|h2|label|select|svg|textarea|noscript|template|pre|ruby)$/.test(name) && parent.open.has(name) ||
    parent.open.has("p") && !PHRASING.includes(name) && !["p", "title", "g", "path", "circle", "option", "optgroup"].includes(name);

  function element(name, depth, around) {
    if (!name) return text();
    const made = { name, attributes: attributes(), children: [] };
    if (VOID.has(name)) return made;
    if (TEXT_ONLY.has(name)) made.children = [/script|style/.test(name) ? `v${random(99)}` : text()];
    else made.children = children(name, depth + 1, new Set([...around, name]));
    return made;
  }

  function children(parent, depth, open) {
    const names = INSIDE[parent] ?? FLOW;
    const most = depth > 5 ? 2 : depth < 1 || BLANK.has(parent) ? 8 : 4;
    const made = [];
    let last = null;
    for (let left = random(most + 1); left; left--) {
      const item = child(names, parent, depth, last, open);
      made.push(item);
      last = item;
    }
    return made;
  }

  function child(names, parent, depth, last, open) {
    if (!random(40)) return { data: pick(["c", " c ", "-x", ""]) };
    if (!random(1000)) return { raw: nasty() };
    if (BLANK.has(parent) || parent === "select") {
      if (!random(4)) return pick(["\n", " ", "\n  "]);
    } else if (depth > 6 || !random(3)) return text();
    // Rows are alike.
    const name = last?.name && random(3) ? last.name : pick(names);
    return forbids({ open }, name) && random(200) ? text() : element(name, depth, open);
  }

  const copy = (item) => typeof item === "string" ? item
    : item.name ? { name: item.name, attributes: [...item.attributes], children: item.children.map(copy) } : { ...item };

  // Changes some of what is inside.
  function mutate(parent, depth, rate, around) {
    const { children: list } = parent;
    const open = new Set([...around, parent.name]);
    if (parent.name && !random(rate)) parent.attributes = attributes();
    for (let index = 0; index < list.length; index++) {
      const item = list[index];
      if (typeof item === "string") {
        if (!random(rate)) list[index] = BLANK.has(parent.name) || parent.name === "select" ? pick(["\n", " "]) : text();
      } else if (item.name) mutate(item, depth + 1, rate, open);
      else if (item.data !== undefined && !random(rate)) item.data = pick(["c", "d"]);
    }
    if (TEXT_ONLY.has(parent.name) || VOID.has(parent.name)) return;
    if (!random(rate)) list.splice(random(list.length + 1), 0, child(INSIDE[parent.name] ?? FLOW, parent.name, depth + 1, list[0], open));
    if (!random(rate) && list.length) list.splice(random(list.length), 1);
    if (!random(rate) && list.length) list.splice(random(list.length + 1), 0, ...list.splice(random(list.length), 1 + random(2)));
    if (!random(rate * 4)) list.reverse();
    if (!random(rate * 4) && list.length) list.splice(random(list.length), 1, copy(pick(list)));
  }

  const quote = (value) => {
    const safe = value.replaceAll('"', "&quot;");
    return random(6) ? `"${safe}"` : /^[\w/]+$/.test(value) ? value : `'${safe.replaceAll("'", "&#39;")}'`;
  };

  function write(item, omit) {
    if (typeof item === "string") return item;
    if (item.raw !== undefined) return item.raw;
    if (item.data !== undefined) return `<!--${item.data}-->`;
    const { name, attributes: own, children: list } = item;
    const tag = own.map(([key, value]) => (value === null ? ` ${key}` : ` ${key}=${quote(value)}`)).join("");
    const spelled = random(30) ? name : name.toUpperCase();
    const start = `<${spelled}${tag}>`;
    if (VOID.has(name)) return start;
    const inside = list.map((each) => write(each, omit)).join("");
    if (omit && name === "tbody" && !tag && !random(2)) return inside;
    return `${start}${inside}${omit && OMIT.has(name) && random(2) ? "" : `</${spelled}>`}`;
  }

  // [before, after] of what stands in an element of this name; of a whole root.
  return (name, whole) => {
    const before = { name, attributes: [], children: children(name, 0, new Set([name])) };
    for (let more = random(5); more; more--) before.children.push(...children(name, 1, new Set([name])));
    const after = copy(before);
    const rate = 20 + random(random(2) ? 40 : 400);
    const first = JSON.stringify(after);
    for (let tries = 0; tries < 9 && JSON.stringify(after) === first; tries++) mutate(after, 0, rate, new Set());
    const omit = whole && !random(2);
    return [before, after].map((side) => whole
      ? write({ ...side, attributes: [["dj-root", null], ...(random(8) ? [] : attributes())] }, omit)
      : side.children.map((each) => write(each, false)).join(""));
  };
}
