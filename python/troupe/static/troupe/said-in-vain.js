// said-in-vain.js - names in the console what a page says and Troupe does not do: when it is loaded, and what a patch, or
// another script, brings. Loaded with DEBUG only, by debug-page.js; needs nothing of the client.

import { HANDLERS, INSTEAD, KEY_INSTEAD, KEYS, KNOWN, PREFIXES, TYPES } from './live-attributes.js'

const TIMED = ['dj-debounce', 'dj-throttle']
const ROOT = '[data-troupe]'
const MOST = 500 // of what is named, so that a page that goes on for days does not remember more

/** @type {{ [beginning: string]: string }} */
const ADVICE = INSTEAD
/** @type {{ [key: string]: string }} */
const OTHER_KEYS = KEY_INSTEAD

/**
 * How many letters have to be changed, added or taken away.
 * @param {string} one
 * @param {string} other
 */
function distance(one, other) {
  let row = [...other, ''].map((_, index) => index)
  for (const [at, letter] of [...one].entries()) {
    const next = [at + 1]
    for (let index = 0; index < other.length; index++) {
      next.push(Math.min(next[index] + 1, row[index + 1] + 1, row[index] + Number(letter !== other[index])))
    }
    row = next
  }
  return row[other.length]
}

/**
 * The name that was probably meant.
 * @param {string} name
 * @param {string[]} names
 */
function nearest(name, names) {
  const [near] = names.map((each) => ({ each, far: distance(name, each) })).sort((a, b) => a.far - b.far)
  return near && near.far <= Math.min(2, name.length / 2) ? near.each : undefined
}

/**
 * What is wrong with an attribute, as template/live_attributes.py says it; null: it means something.
 * @param {string} attribute
 */
export function trouble(attribute) {
  const [, name, mark, word] = /** @type {RegExpExecArray} */ (/^([^.:]*)([.:]?)(.*)$/.exec(attribute))
  const what = `${attribute} means nothing here`
  const isValue = name.startsWith('dj-value')
  if (!KNOWN.includes(name) && !PREFIXES.some((prefix) => name.startsWith(prefix))) {
    const start = Object.keys(ADVICE).filter((each) => name.startsWith(each)).sort((a, b) => b.length - a.length)[0]
    const near = start ? undefined : nearest(name, KNOWN)
    return near ? `${what}: did you mean ${near}?` : `${what}. ${ADVICE[start] ?? `The attributes are ${KNOWN.join(', ')}.`}`
  }
  if (!mark || (mark === '.' && isValue)) return null
  if (mark === ':' && isValue) return TYPES.includes(word) ? null : `${what}: the types are ${TYPES.join(', ')}.`
  if (name !== 'dj-keydown' || mark !== '.') return `${what}: ${name} takes no modifiers.`
  if (KEYS.includes(word) || word.length === 1) return null
  if (/[.+]/.test(word)) return `${what}: a key is named alone, without modifiers.`
  const near = OTHER_KEYS[word] ?? nearest(word, KEYS)
  return near ? `${what}: did you mean ${name}.${near}?` : null
}

/** @param {string} text */
const isPause = (text) => text.trim() !== '' && Number(text) >= 0

/**
 * What is wrong with the value of an attribute that means something.
 * @param {string} name
 * @param {string} value
 * @param {string[] | undefined} handlers Of the view; undefined: not known.
 */
function valueTrouble(name, value, handlers) {
  if (TIMED.includes(name)) {
    const ok = isPause(value) || (value === 'blur' && name === 'dj-debounce')
    return ok ? null : `${name}="${value}" is not a number of milliseconds, and has no effect`
  }
  if (name === 'dj-update' && value !== 'ignore') {
    return `dj-update="${value}" means nothing here. Only dj-update="ignore" does; rows with dj-key need nothing`
  }
  if (!HANDLERS.includes(name.split('.')[0]) || !value.trim()) return null
  const handler = /^\s*([^\W\d]\w*)\s*(\([^]*\)\s*)?$/.exec(value)?.[1]
  if (!handler) return `${name}="${value}" is not the name of a handler`
  if (!handlers || handlers.includes(handler)) return null
  const near = nearest(handler, handlers)
  return `${name}="${value}": the view has no handler of that name${near ? `; did you mean "${near}"?` : ''}`
}

/** @param {any} el One that a patch, or another script, put into the page. */
function checkScript(el) {
  if (el.localName !== 'script' || !/^(|module|.*(java|ecma)script)$/i.test(el.type) || !el.closest(ROOT)) return
  console.warn('troupe: a script that a patch brings does not run (docs/guide.md, "In the template"):', el)
}

/**
 * Checks what is in the document, and what comes later.
 * @param {Document} document
 * @param {typeof MutationObserver} Observer
 */
export function watch(document, Observer) {
  /** @type {Set<string>} What was named. */
  const named = new Set()
  /** @type {WeakMap<Element, string[]>} Of each root, before a patch takes the attribute away. */
  const handlers = new WeakMap()
  for (const root of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(ROOT))) {
    const { troupeHandlers: names } = root.dataset
    if (names !== undefined) handlers.set(root, names.split(' '))
  }

  /**
   * @param {string} text
   * @param {Element} el
   */
  function say(text, el) {
    if (named.has(text) || named.size >= MOST) return
    named.add(text)
    console.error(`troupe: ${text}:`, el)
  }

  /**
   * @param {Element} el
   * @param {string} name
   */
  function checkAttribute(el, name) {
    const value = el.getAttribute(name)
    if (value === null || !name.startsWith('dj-')) return
    const root = el.closest(ROOT)
    const outside = name === 'dj-root' ? 'this dj-root is not live: only the first one of a LiveView\'s page is'
      : `${name} stands outside of a live root (dj-root), and does nothing there`
    const isNoForm = name === 'dj-submit' && el.localName !== 'form'
    const why = trouble(name) ?? (isNoForm ? `dj-submit on <${el.localName}> does nothing: only a <form> is submitted` : null) ??
      (root || !el.isConnected ? null : outside) ??
      valueTrouble(name, value, root ? handlers.get(root) : undefined)
    if (why) say(why, el)
  }

  /** @param {Element} el */
  const check = (el) => {
    for (const name of el.getAttributeNames()) checkAttribute(el, name)
  }

  document.querySelectorAll('*').forEach(check)
  new Observer((records) => {
    for (const { type, target, addedNodes, attributeName } of records) {
      if (type === 'attributes') checkAttribute(/** @type {Element} */ (target), /** @type {string} */ (attributeName))
      for (const node of /** @type {NodeListOf<any>} */ (addedNodes)) {
        for (const el of node.querySelectorAll ? [node, ...node.querySelectorAll('*')] : []) {
          check(el)
          checkScript(el)
        }
      }
    }
  }).observe(document, { attributes: true, childList: true, subtree: true })

  // The document sees an event in a shadow tree as one of the element that has the tree.
  document.addEventListener('click', (event) => {
    for (const el of /** @type {any[]} */ (event.composedPath())) {
      const name = el.getAttributeNames?.().find((/** @type {string} */ each) => each.startsWith('dj-'))
      if (name && el.getRootNode() !== document) say(`${name} stands in a shadow tree, and does nothing there`, el)
    }
  }, true)
}

if (globalThis.document) watch(document, MutationObserver)
