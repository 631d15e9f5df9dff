// match.js - which old child becomes which new one, and which of them may stay where they are.

const KEYS = ['dj-key', 'data-key', 'id']
const MARKED = '[id],[name],[dj-key],[data-key]'
const ELEMENT = 1

// What another script, or another view, looks after: its attributes and content are not touched.
export const IGNORED = '[dj-ignore],[dj-update="ignore"],[dj-root]'
export const isIgnored = (node) => node.nodeType === ELEMENT && node.matches(IGNORED)

function kindOf(node) {
  const type = node.localName === 'input' ? node.type : ''
  return `${isIgnored(node) ? '!' : ''}${node.namespaceURI} ${node.localName} ${type}`
}

function keyOf(node) {
  if (node.nodeType !== ELEMENT) return null
  const name = KEYS.find((each) => node.getAttribute(each))
  return name ? `${kindOf(node)} ${name}=${node.getAttribute(name)}` : null
}

// Returns, for each new child, the old one that it is, or null.
export function match(olds, news) {
  const pairs = news.map(() => null)
  const used = new Set()
  const take = (at, old) => {
    pairs[at] = old
    used.add(old)
  }
  const keyed = byKey(olds)
  const keys = news.map(keyOf)
  keys.forEach((key, at) => {
    const old = keyed.get(key)
    if (old && !used.has(old)) take(at, old)
  })
  const loose = (node) => keyed.get(keyOf(node)) !== node && !used.has(node)
  const rest = news.map((_, at) => at).filter((at) => !pairs[at] && (!keys[at] || keyed.has(keys[at])))
  const groups = groupByKind(olds.filter(loose))
  for (const [kind, places] of groupByKind(rest, (at) => news[at])) {
    matchKind(groups.get(kind) ?? [], places, news, take)
  }
  matchTexts(olds, news, pairs, used, take)
  return { pairs, used }
}

// A key that occurs twice is a key only for its first.
function byKey(nodes) {
  const keyed = new Map()
  for (const node of nodes) {
    const key = keyOf(node)
    if (key && !keyed.has(key)) keyed.set(key, node)
  }
  return keyed
}

function groupByKind(items, nodeOf = (item) => item) {
  const groups = new Map()
  for (const item of items) {
    if (nodeOf(item).nodeType !== ELEMENT) continue
    const kind = kindOf(nodeOf(item))
    if (!groups.has(kind)) groups.set(kind, [])
    groups.get(kind).push(item)
  }
  return groups
}

// Without keys, elements are the same if something with an id or a name is in both; else by position.
function matchKind(olds, places, news, take) {
  let left = olds
  let open = places
  if (olds.length !== places.length || olds.length > 1) {
    const owners = byMark(olds)
    const found = new Set()
    open = places.filter((at) => {
      const old = marksOf(news[at]).map((mark) => owners.get(mark)).find((each) => each && !found.has(each))
      if (!old) return true
      found.add(old)
      take(at, old)
      return false
    })
    left = olds.filter((old) => !found.has(old))
  }
  open.slice(0, left.length).forEach((at, nth) => take(at, left[nth]))
}

// Mark -> the one element that has it; null: several do (every form has a csrfmiddlewaretoken).
function byMark(elements) {
  const owners = new Map()
  for (const element of elements) {
    for (const mark of new Set(marksOf(element))) owners.set(mark, owners.has(mark) ? null : element)
  }
  return owners
}

function marksOf(element) {
  const marked = [...element.querySelectorAll(MARKED)]
  if (element.matches(MARKED)) marked.push(element)
  return marked.map((each) => {
    const value = each.type === 'radio' || each.type === 'checkbox' ? each.getAttribute('value') : ''
    return keyOf(each) ?? `${kindOf(each)} name=${each.getAttribute('name')} ${value}`
  })
}

// Texts and comments are cheap to make: one is the same only if it follows the same neighbour.
function matchTexts(olds, news, pairs, used, take) {
  const place = new Map(olds.map((old, at) => [old, at]))
  news.forEach((node, at) => {
    if (node.nodeType === ELEMENT) return
    const before = at ? pairs[at - 1] : null
    if (at && !before) return
    const old = olds[before ? place.get(before) + 1 : 0]
    if (old && old.nodeType === node.nodeType && !used.has(old)) take(at, old)
  })
}

// The places of `order` (old positions, -1: new) that need not move: the longest rising run that has
// `pinned` (a place, -1: none) in it. Moving an element takes its focus and reloads its frames.
export function staying(order, pinned) {
  const kept = (at) => order[at] >= 0 && (pinned < 0 || at === pinned ||
    (at < pinned ? order[at] < order[pinned] : order[at] > order[pinned]))
  const tails = []
  const before = new Map()
  order.forEach((value, at) => {
    if (!kept(at)) return
    let low = 0
    for (let high = tails.length; low < high;) {
      const middle = (low + high) >> 1
      if (order[tails[middle]] < value) low = middle + 1
      else high = middle
    }
    before.set(at, low ? tails[low - 1] : -1)
    tails[low] = at
  })
  const stay = new Set()
  for (let at = tails.length ? tails[tails.length - 1] : -1; at >= 0; at = before.get(at)) stay.add(at)
  return stay
}
