// match-children.js - which old child of an element becomes which new one when it is morphed: by key, else in order
// by kind.

import { isElement, isIgnored, nodeName } from './dom.js'

// What tells an element from others of its kind.
export const KEYS = ['dj-key', 'data-key', 'id', 'name']

/**
 * Returns, for each new child, the old one that it is, or undefined; none twice.
 * @param {Node[]} olds
 * @param {Node[]} news
 * @param {(el: Element, name: string) => string | null} attr An attribute as the server has it.
 * @returns {(ChildNode | undefined)[]}
 */
export function matchChildren(olds, news, attr) {
  const keyed = new Map() // key -> the one that has it; null: several do
  const kinds = new Map() // kind -> those without a key of their own
  /** @param {any} node A Node. */
  const kindOf = (node) => `${isIgnored(node)} ${nodeName(node)} ${nodeName(node) === 'INPUT' && (attr(node, 'type') ?? 'text')}`

  /** @param {any} node */
  function keyOf(node) {
    const name = isElement(node) && KEYS.find((each) => attr(node, each))
    return name && `${kindOf(node)} ${name} ${attr(node, name)}`
  }

  for (const old of olds) keyed.set(keyOf(old), keyed.has(keyOf(old)) ? null : old)
  /** @param {Node} node */
  const isUnkeyed = (node) => !keyOf(node) || keyed.get(keyOf(node)) === null
  for (const old of olds.filter(isUnkeyed)) {
    const kind = kindOf(old)
    kinds.set(kind, kinds.get(kind) ?? [])
    kinds.get(kind).push(old)
  }
  return news.map((node) => {
    if (isUnkeyed(node)) return kinds.get(kindOf(node))?.shift()
    const old = keyed.get(keyOf(node))
    keyed.delete(keyOf(node))
    return old
  })
}
