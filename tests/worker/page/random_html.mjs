// Random HTML for tests against a real parser: mostly well nested, with a mistake now and then.

const COMMON = words(`div span b i a p ul li table tr td tbody select option svg g br img input form button h1 h2 dl dd dt`);
const RARE = words(`address article aside blockquote center details dialog dir fieldset figcaption figure footer header
  hgroup main menu nav ol pre listing section summary h6 hr em strong font big small code u s tt strike nobr wbr label
  optgroup caption colgroup col thead tfoot th ruby rt rp rb rtc math path circle mi mo mtext annotation-xml
  foreignObject desc title style script textarea iframe noembed noframes xmp object applet marquee embed param source
  track area base link meta keygen bgsound basefont video canvas template noscript image body html head frame frameset
  plaintext x-card datalist progress SPAN DIV Td search legend selectedcontent ins map picture`);
const VOID = new Set(words(`br img input wbr hr col embed param source track area base link meta keygen bgsound basefont`));
const OPTIONAL_END = new Set(words(`li p option optgroup dt dd td th tr tbody thead tfoot caption colgroup rt rp rb rtc`));
const ATTRIBUTES = ["", ' class="a"', " a=b", ' a="x>y"', " a='<p>'", " a=b/", " /", ' a="', " =x", ' a=">"b', "\n\tc"]
  .concat([' "', " color=red", " type=hidden", ' a = "q"', " / a"]);
const TEXTS = ["x", " ", "\n", "a & b", "&lt;", "<", "< ", "a<3", "\0", "<!--c-->", "<!---->", "<!-->", "<!--->", "\r\n"]
  .concat(["<!-- a --!> b -->", "<![CDATA[x]]>", "<?x?>", "</", "</>", "</ x>", "<!doctype html>", "<!x>", "-->"])
  .concat(["<!--$b-->", "&amp", "&nbsp;", "<!--!>"]);

function words(text) {
  return text.trim().split(/\s+/);
}

// Returns random(below): 0 to below - 1.
export function randomness(seed) {
  let state = BigInt(seed);
  return (below) => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & ((1n << 64n) - 1n);
    return Number((state >> 33n) % BigInt(below));
  };
}

// Returns a function that makes a fragment.
export function fragments(random) {
  const pick = (from) => from[random(from.length)];
  const element = (depth) => {
    const name = pick(random(3) ? COMMON : RARE);
    const start = `<${name}${random(4) ? "" : pick(ATTRIBUTES)}${random(15) ? "" : "/"}>`;
    if (VOID.has(name) && random(10)) return start;
    if (OPTIONAL_END.has(name) && random(3) === 0) return start + any(depth + 1);
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
    () => `<table>${random(2) ? "<col>" : ""}<tr><td>${any(3)}<td>${any(3)}<tr><th>${any(3)}</table>`,
    () => `<ul><li>${any(3)}<li>${any(3)}</ul>`,
    () => `<dl><dt>${any(3)}<dd><p>${any(3)}<dt>x</dl>`,
    () => `<select><optgroup><option>${pick(TEXTS)}<option>y<optgroup><option>x</select>`,
    () => `<ruby>a<rt>${any(4)}<rp>${any(4)}</ruby>`,
    () => `<div><p>${any(3)}<p>${any(3)}</div>`,
    () => `<template>${random(2) ? any(2) : `<tr><td>${any(3)}</td></tr>`}</template>`,
    () => `<noscript>${any(2)}</noscript>`,
    () => `<table><tbody><tr><td><ul><li>${any(4)}<tr><td>x</tbody>${random(2) ? "<tfoot><tr><td>y" : ""}</table>`,
  ];
  return () => (random(4) ? any(0) : pick(usual)());
}
