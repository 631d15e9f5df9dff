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
export const isIgnored = (node) => isElement(node) && matches(node, IGNORED)

/**
 * A member of an element, also of a form with a field of that name, which comes first otherwise (`matches`, `attributes`:
 * https://html.spec.whatwg.org/#the-form-element, LegacyOverrideBuiltIns).
 * @param {any} el
 * @param {string} name
 */
export function member(el, name) {
  const value = Reflect.get(Object.getPrototypeOf(el), name, el)
  return value?.bind ? value.bind(el) : value
}

/** @type {(el: any, selector: string) => any} The element, or one around it, that matches. */
export const closest = (el, selector) => member(el, 'closest')?.(selector)

/** @type {(el: any, selector: string) => boolean} */
export const matches = (el, selector) => closest(el, selector) === el

/** @type {(node: any, selector: string) => boolean} Whether it matches, or something in it does. */
export const holds = (node, selector) => isElement(node) && (matches(node, selector) || !!member(node, 'querySelector')(selector))

/** @type {(el: any, name: string) => string | null} */
export const attr = (el, name) => member(el, 'getAttribute')(name)

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
