// match.js - which old child becomes which new one.

const KEYS = ['dj-key', 'data-key', 'id', 'name']
const ELEMENT = 1

// What another script, or another view, looks after: its attributes and content are not touched.
export const IGNORED = '[dj-ignore],[dj-update="ignore"],[dj-root]'
export const isElement = (node) => node.nodeType === ELEMENT
export const isIgnored = (node) => isElement(node) && node.matches(IGNORED)

// The siblings from one to another, without that.
export function span(node, end = null) {
  const nodes = []
  for (; node !== end; node = node.nextSibling) nodes.push(node)
  return nodes
}

const kindOf = (node) => `${isIgnored(node)} ${node.nodeName} ${node.type}`

function keyOf(node) {
  const name = isElement(node) && KEYS.find((each) => node.getAttribute(each))
  return name && `${kindOf(node)} ${name} ${node.getAttribute(name)}`
}

// Returns, for each new child, the old one that it is, or undefined; none twice.
export function match(olds, news) {
  const keyed = new Map() // key -> the one that has it; null: several do
  const kinds = new Map() // kind -> those without a key of their own
  for (const old of olds) keyed.set(keyOf(old), keyed.has(keyOf(old)) ? null : old)
  const isLoose = (node) => !keyOf(node) || keyed.get(keyOf(node)) === null
  for (const old of olds.filter(isLoose)) {
    const kind = kindOf(old)
    kinds.set(kind, kinds.get(kind) ?? [])
    kinds.get(kind).push(old)
  }
  return news.map((node) => {
    if (isLoose(node)) return kinds.get(kindOf(node))?.shift()
    const old = keyed.get(keyOf(node))
    keyed.delete(keyOf(node))
    return old
  })
}
