// Gets changes from html_difference, applies them and compares: for difference_parser.mjs (jsdom), and for a test in a
// real browser.

// worker/page/html/place.h
const KNOWN = 1 << 8;
const [P, LI, DD, HEADING, A, BUTTON, FORM] = [9, 10, 11, 12, 13, 14, 15].map((bit) => 1 << bit);
const [TABLE, ROWS, ROW, COLGROUP, SELECT] = [16, 17, 18, 19, 20].map((bit) => 1 << bit);
const FOREIGN = 2;
const PRE = 1;

export const PLACES = [
  { name: "div", flags: 0 }, { name: "div", flags: 0 }, { name: "p", flags: P }, { name: "li", flags: LI }, { name: "ul", flags: 0 }, { name: "dd", flags: DD },
  { name: "h2", flags: HEADING }, { name: "a", flags: A }, { name: "button", flags: BUTTON }, { name: "form", flags: FORM }, { name: "table", flags: TABLE },
  { name: "tbody", flags: ROWS }, { name: "tbody", flags: ROWS }, { name: "colgroup", flags: COLGROUP }, { name: "select", flags: SELECT },
  { name: "svg", flags: FOREIGN }, { name: "pre", flags: PRE }, { name: "tr", flags: ROW }, { name: "div", whole: true }, { name: "main", whole: true }, { name: "body", whole: true },
].map((place) => ({ ...place, flags: place.whole ? 0 : KNOWN | place.flags }));

/** Adds `change` to each case, as text; empty: there is none. */
export function changes(tool, cases, spawn) {
  const input = cases.flatMap(({ place, html }) => {
    const [before, after] = html.map((each) => Buffer.from(each));
    return [Buffer.from(`${place.flags} ${before.length} ${after.length}\n`), before, after];
  });
  const done = spawn(tool, { input: Buffer.concat(input), maxBuffer: 1 << 30 });
  if (done.error) throw done.error;
  const lines = done.stdout.toString().split("\n");
  if (done.status !== 0 || lines.length !== cases.length + 1) throw new Error(`html_difference: ${done.status} ${done.stderr}`);
  cases.forEach((each, index) => (each.change = lines[index]));
}


function parse(document, one, html) {
  const { place } = one;
  if (place.whole) {
    const page = new document.defaultView.DOMParser().parseFromString(place.name === "body" ? html : `<body>${html}`, "text/html");
    return document.importNode(place.name === "body" ? page.body : page.body.firstElementChild, true);
  }
  if (place.name === "pre") {
    const page = new document.defaultView.DOMParser().parseFromString(`<body><pre>${html}</pre>`, "text/html");
    return document.importNode(page.body.firstElementChild, true);
  }
  const namespace = place.name === "svg" ? "http://www.w3.org/2000/svg" : "http://www.w3.org/1999/xhtml";
  const made = document.createElementNS(namespace, place.name);
  made.innerHTML = html;
  return made;
}

// With scripts off a <noscript> holds elements, and a morph leaves it alone. Of ignored and edited elements the content
// is not the server's.
function clear(el) {
  for (const each of el.querySelectorAll("noscript,[dj-ignore]")) each.textContent = "";
  for (const each of el.querySelectorAll("noscript,[dj-ignore]")) for (const { name } of [...each.attributes]) if (!/^(dj-ignore|id|name|data-key|type)$/.test(name)) each.removeAttribute(name);
  el.normalize();
  return el;
}

export function compare(window, cases, { createMorpher, create }) {
  const { document } = window;
  const events = { held: () => false, busy: () => false, hurry() {}, equip() {}, mayFocus: () => true, written() {}, reported: new Set(), editor: { get() {} } };
  const found = { changed: 0, wrong: [], share: 0 };
  let bytes = 0, all = 0;
  for (const one of cases) {
    if (!one.change) continue;
    found.changed++;
    bytes += one.change.length;
    all += one.html[1].length;
    const morph = createMorpher(window, events);
    const holder = document.createElement("div");
    const root = parse(document, one, one.html[0]);
    const outer = root.localName === "body" ? document.documentElement : document.body;
    try {
      if (root.localName === "body") document.body.replaceWith(root);
      else {
        holder.append(root);
        document.body.append(holder);
      }
      morph.adopt(root);
      let held;
      morph.run(() => { create(morph), held = morph.differ({ kind: 'h' }, JSON.parse(one.change), root); });
      if (held) throw new Error("held");
      const fresh = clear(parse(document, one, one.html[1]));
      if (!clear(root.cloneNode(true)).isEqualNode(fresh)) throw new Error(`it is ${root.outerHTML}, and not ${fresh.outerHTML}`);
    } catch (error) {
      found.wrong.push({ ...one, why: error.stack.slice(0, 2000) });
    }
    if (root.localName === "body") outer.replaceChild(document.createElement("body"), document.body);
    else holder.remove();
  }
  found.share = Math.round((100 * bytes) / all);
  return found;
}
