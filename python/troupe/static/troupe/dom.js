// dom.js - questions about nodes that several modules ask.

const ELEMENT = 1
export const TEXT = 3
export const COMMENT = 8

// What another script, or another view, looks after: its attributes and content are not touched.
export const IGNORED = '[dj-ignore],[dj-update="ignore"],[dj-root]'

/**
 * A member of a node, also of a form or a document in which an element has that name: the element comes first otherwise
 * (`matches`, `attributes`: https://html.spec.whatwg.org/#the-form-element, LegacyOverrideBuiltIns).
 * @param {any} node
 * @param {string} name
 */
export function member(node, name) {
  const value = Reflect.get(Object.getPrototypeOf(node), name, node)
  return typeof value === 'function' ? value.bind(node) : value
}

/**
 * A document whose members are its own.
 * @param {{ document: Document }} window
 * @returns {Document}
 */
export const documentOf = ({ document }) => /** @type {any} */ (new Proxy({}, {
  get: (_, name) => member(document, /** @type {string} */ (name)),
  set: (_, name, value) => Reflect.set(Object.getPrototypeOf(document), name, value, document),
}))

/** @type {(node: Node) => Window & typeof globalThis} */
export const windowOf = (node) => member(ownerDocument(node), 'defaultView')

/** @type {(prototype: any, name: string) => any} The most general one: a custom element may have its own. */
const descriptor = (prototype, name) => prototype && (
  descriptor(Object.getPrototypeOf(prototype), name) ?? Object.getOwnPropertyDescriptor(prototype, name))

/**
 * The same as member(), of what all elements have (some of these: all nodes), as functions; many times as fast.
 * @param {string} name
 * @returns {(node: any, ...values: any[]) => any}
 */
function own(name) {
  /** @type {PropertyDescriptor | undefined} */
  let found
  return (node, ...values) => {
    found ??= descriptor(Object.getPrototypeOf(node), name)
    return (found?.get ?? found?.value).call(node, ...values)
  }
}

export const [
  attr, attributes, contains, firstChild, hasAttribute, insertBefore, isConnected, isEqual, localName, nextSibling, nodeName, nodeType,
  ownerDocument, parentElement, parentNode, query, queryAll, removeChild,
] = `getAttribute attributes contains firstChild hasAttribute insertBefore isConnected isEqualNode localName nextSibling nodeName nodeType
  ownerDocument parentElement parentNode querySelector querySelectorAll removeChild`.split(/\s+/).map(own)

/** @type {(node: Node) => node is Element} */
export const isElement = /** @type {any} */ ((/** @type {Node} */ node) => nodeType(node) === ELEMENT)

const around = own('closest')
/** @type {(el: any, selector: string) => any} The element, or one around it, that matches. */
export const closest = (el, selector) => isElement(el) ? around(el, selector) : null

/** @type {(el: any, selector: string) => boolean} */
export const matches = (el, selector) => closest(el, selector) === el

/** @param {Node} node */
export const isIgnored = (node) => matches(node, IGNORED)

/** @type {(node: any, selector: string) => boolean} Whether it matches, or something in it does. */
export const holds = (node, selector) => isElement(node) && (matches(node, selector) || !!query(node, selector))

/** @param {any} node One that may be in a tree. */
export const remove = (node) => parentNode(node) && removeChild(parentNode(node), node)

/**
 * The siblings from one to another, without that. Throws when the other does not follow: another script moved it.
 * @param {any} node A Node, or null.
 * @param {Node | null} [end]
 */
export function siblings(node, end = null) {
  /** @type {ChildNode[]} */
  const nodes = []
  for (; node !== end; node = nextSibling(node)) nodes.push(node)
  return nodes
}
