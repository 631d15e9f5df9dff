// anchors.js - the comments that the server puts around what cannot be found by its position alone (PROTOCOL.md 9.4).

import { COMMENT, nodeType } from './dom.js'

/**
 * The text of an anchor; empty for any other node.
 * @param {any} node A Node or null.
 * @returns {string}
 */
export const anchor = (node) => (node && nodeType(node) === COMMENT && node.data[0] === '$' ? node.data : '')

/**
 * The anchor that ends the range in which this node stands. Throws if there is none.
 * @param {ChildNode | null} node
 * @param {{ next(node: ChildNode): ChildNode | null }} walk
 */
export function closing(node, walk) {
  while (anchor(node) !== '$') {
    demand(node)
    node = walk.next(node)
  }
  return /** @type {Comment} */ (node)
}

/**
 * The page is not as the server says that it is: the caller asks for the whole root.
 * @param {unknown} condition
 * @returns {asserts condition}
 */
export function demand(condition) {
  if (!condition) throw Error('troupe')
}
