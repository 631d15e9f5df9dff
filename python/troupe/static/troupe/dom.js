// dom.js - questions about nodes that several modules ask.

export const ELEMENT = 1
export const TEXT = 3
export const COMMENT = 8

// What another script, or another view, looks after: its attributes and content are not touched.
export const IGNORED = '[dj-ignore],[dj-update="ignore"],[dj-root]'

/**
 * @param {Node} node
 * @returns {node is Element}
 */
export const isElement = (node) => node.nodeType === ELEMENT

/** @param {Node} node */
export const isIgnored = (node) => isElement(node) && node.matches(IGNORED)

/**
 * The siblings from one to another, without that. Throws when the other does not follow: another script moved it.
 * @param {any} node A Node, or null.
 * @param {Node | null} [end]
 */
export function siblings(node, end = null) {
  /** @type {ChildNode[]} */
  const nodes = []
  for (; node !== end; node = node.nextSibling) nodes.push(node)
  return nodes
}
