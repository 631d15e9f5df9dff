// compare.js - says where two trees differ, as a user or a form would notice it. Anchors (comments that
// begin with $) do not count, nor does how text is cut into nodes, nor the order of attributes.

const ELEMENT = 1
const TEXT = 3
const COMMENT = 8
const HTML = 'http://www.w3.org/1999/xhtml'
const STATE = {
  input: ['value', 'checked'],
  textarea: ['value'],
  select: ['selectedIndex'],
  option: ['selected', 'value'],
  details: ['open'],
}

// A member of a node, also where a form's field, or an image, has its name and would come first.
export function member(node, name) {
  const value = Reflect.get(Object.getPrototypeOf(node), name, node)
  return typeof value === 'function' ? value.bind(node) : value
}

const attr = (el, name) => member(el, 'getAttribute')(name)
const nameOf = (node) => member(node, 'nodeName')
const typeOf = (node) => member(node, 'nodeType')
const isFrozen = (el) => attr(el, 'dj-ignore') !== null || attr(el, 'dj-update') === 'ignore'
const isAnchor = (node) => typeOf(node) === COMMENT && node.data.startsWith('$')
const shown = (value) => (value === undefined ? 'nothing' : JSON.stringify(value))

// A lone surrogate cannot be sent as UTF-8: a replacement takes its place, and it does not matter which.
export const plain = (text) => text.toWellFormed().replaceAll('\ufffd', '?')

function childrenOf(parent) {
  const found = []
  for (const node of member(parent, 'childNodes')) {
    if (isAnchor(node) || (typeOf(node) === TEXT && node.data === '')) continue
    if (typeOf(node) === TEXT && found.at(-1)?.text !== undefined) found.at(-1).text += node.data
    else found.push(typeOf(node) === TEXT ? { text: node.data } : { node })
  }
  return found
}

function attributesOf(el) {
  const found = new Map()
  for (const { name, value, namespaceURI } of member(el, 'attributes')) {
    if (name === 'data-troupe') continue
    found.set(plain(namespaceURI ? `${namespaceURI} ${name}` : name), plain(value))
  }
  return found
}

function unequal(what, live, wanted) {
  return live === wanted ? null : `${what} is ${shown(live)}, wanted ${shown(wanted)}`
}

function attributes(live, wanted) {
  const [mine, theirs] = [attributesOf(live), attributesOf(wanted)]
  for (const name of new Set([...mine.keys(), ...theirs.keys()])) {
    const found = unequal(`@${name}`, mine.get(name), theirs.get(name))
    if (found) return found
  }
  return null
}

function state(live, wanted) {
  if (member(live, 'namespaceURI') !== HTML) return null
  for (const name of STATE[member(live, 'localName')] ?? []) {
    const [mine, theirs] = [live[name], wanted[name]].map((value) => typeof value === 'string' ? plain(value) : value)
    const found = unequal(`property ${name}`, mine, theirs)
    if (found) return found
  }
  return null
}

function one(live, wanted) {
  if (live === undefined || wanted === undefined || live.text !== undefined || wanted.text !== undefined) {
    const [mine, theirs] = [live, wanted].map((item) =>
      item?.text !== undefined ? plain(item.text) : item && `<${nameOf(item.node)}>`)
    return unequal('node', mine, theirs)
  }
  const [a, b] = [live.node, wanted.node]
  if (typeOf(a) !== ELEMENT || typeOf(b) !== ELEMENT) {
    return unequal('node', `${nameOf(a)} ${plain(a.data ?? '')}`, `${nameOf(b)} ${plain(b.data ?? '')}`)
  }
  return difference(a, b)
}

const full = (el) => `${member(el, 'namespaceURI')} ${nameOf(el)}`

// Null, or a sentence that begins with the path to the first difference.
export function difference(live, wanted) {
  const here = (found) => found && `${nameOf(wanted).toLowerCase()} ${found}`
  const named = unequal('element', full(live), full(wanted))
  if (named) return here(named)
  if (isFrozen(live) && isFrozen(wanted)) return null
  const found = attributes(live, wanted) ?? below(live, wanted) ?? state(live, wanted)
  return here(found)
}

// Without what stands for NUL, which markup has none of, and for half a pair.
const bare = (markup) => markup.toWellFormed().replaceAll('\ufffd', '')

// Where a document runs scripts, a <noscript> holds its markup as text: that markup is compared. jsdom runs none in the
// page, and says that it does for what a template parses.
function inNoscript(live, wanted) {
  const [probe, made, other] = [live, wanted, wanted].map((el) => member(member(el, 'ownerDocument'), 'createElement')('p'))
  probe.innerHTML = '<noscript><b></b></noscript>'
  const markup = live.firstElementChild ? live.innerHTML : live.textContent
  if (probe.firstChild.firstElementChild && !markup.includes('<')) return [live, wanted]
  made.innerHTML = bare(markup)
  other.innerHTML = bare(wanted.innerHTML)
  return [made, other]
}

function below(live, wanted) {
  if (member(live, 'localName') === 'noscript') [live, wanted] = inNoscript(live, wanted)
  const inside = (el) => childrenOf(member(el, 'localName') === 'template' && el.content ? el.content : el)
  const [mine, theirs] = [inside(live), inside(wanted)]
  for (let at = 0; at < Math.max(mine.length, theirs.length); at++) {
    const found = one(mine[at], theirs[at])
    if (found) return `> [${at}] ${found}`
  }
  return null
}

// The live part of a document: PROTOCOL.md 9.1.
export const rootOf = (document) => member(document, 'querySelector')('[dj-root]') ?? member(document, 'body')
