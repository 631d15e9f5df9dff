// morph.js - makes a range of the live page equal to new HTML, and leaves alone what the user and other scripts have
// in it: focus, caret, typed text, opened <details>, scroll, playing media, ignored nodes.

import { createAttributeWriter } from './attributes.js'
import {
  attributes, contains, documentOf, firstChild, hasAttribute, holds, IGNORED, insertBefore, isConnected, isElement, isEqual, isIgnored, localName,
  matches, member, nextSibling, parentNode, query, queryAll, remove, siblings,
} from './dom.js'
import { caretOf, controlOf, remember, renew, setCaret, settle } from './form-controls.js'
import { matchChildren } from './match-children.js'

/** @import { BrowserWindow, Control, EventState } from './types.js' */

// Two of these may seem equal and yet differ, in what the user did or in what isEqualNode does not look into.
const UNSURE = `input,select,textarea,template,${IGNORED}`

/**
 * @param {BrowserWindow} window
 * @param {EventState} events
 */
export function createMorpher(window, events) {
  const { busy, editor, held, hurry, reported } = events
  const doc = documentOf(window)
  const { troupeStrangers: strangers } = window
  // Documents of templates have no browsing context: what is parsed there loads and runs nothing
  // (https://html.spec.whatwg.org/#appropriate-template-contents-owner-document).
  const inert = doc.createElement('template').content.ownerDocument
  const setAttribute = createAttributeWriter(window, replaced)
  const server = new WeakSet() // ignored elements that the server rendered, and may take away
  /** @type {Node[]} */
  let grown = [] // what was inserted
  /** @type {Element | null} */
  let active = null
  let stuck = false // something held was left as it was
  /** @type {Map<Element, { changed: Set<string>, before: ReturnType<typeof remember>, isNew?: boolean }>} */
  let touched = new Map()

  /**
   * Put there by another script.
   * @param {Node} node
   */
  const isAlien = (node) => strangers.isStranger(node) || (isIgnored(node) && !server.has(node))

  /**
   * An inert element with the children that `html` makes inside of `parent`.
   * @param {Element} parent
   * @param {string} html
   */
  function parseInside(parent, html) {
    // A custom element is parsed like any other, and would be made.
    const name = localName(parent).includes('-') ? 'div' : localName(parent)
    /** @type {Element & { multiple?: boolean }} */
    const inside = inert.createElementNS(member(parent, 'namespaceURI'), name)
    // In a <select> of the other kind the first option would come to be selected
    // (https://html.spec.whatwg.org/#selectedness-setting-algorithm).
    inside.multiple = true
    inside.innerHTML = html
    for (const el of queryAll(inside, 'noscript')) if (el.firstElementChild) fillNoscript(el, el.innerHTML)
    return inside
  }

  /**
   * A document that runs scripts has text in a <noscript>, and this one does not run them
   * (https://html.spec.whatwg.org/#the-noscript-element).
   * @param {Element} el
   * @param {string} html
   */
  function fillNoscript(el, html) {
    const made = doc.createElement('p')
    made.innerHTML = `<noscript>${html}</noscript>`
    el.replaceChildren(.../** @type {Node} */ (made.firstChild).childNodes)
  }

  /**
   * All that changes the page happens in here: focus stays where it is, and controls settle at the end.
   * @param {() => void} work
   */
  const run = (work) => strangers.run(() => change(work))

  /** @param {() => void} work */
  function change(work) {
    active = doc.activeElement
    const caret = caretOf(active)
    touched = new Map()
    grown = []
    for (const el of reported) isConnected(el) ? touch(el) : reported.delete(el)
    events.patching = true
    try {
      work()
      for (const [el, { changed, before, isNew }] of touched) {
        isNew ? renew(el) : settle(/** @type {Control} */ (el), changed, before, busy(el))
        if (el !== active && !busy(el)) reported.delete(el)
      }
      events.written()
      if (active && isConnected(active) && doc.activeElement !== active) {
        member(active, 'focus')({ preventScroll: true })
        setCaret(active, caret)
      }
      if (grown.length) events.equip(undefined, grown)
      autofocus()
    } finally {
      events.patching = false
    }
  }

  // A browser does this when the page is loaded, and leaves the rest to scripts
  // (https://html.spec.whatwg.org/#the-autofocus-attribute).
  function autofocus() {
    const added = grown.filter(isElement).flatMap((node) => [node, ...queryAll(node, '[autofocus]')])
    if (events.mayFocus(doc.activeElement)) added.some((el) => {
      if (hasAttribute(el, 'autofocus')) member(el, 'focus')()
      return doc.activeElement === el
    })
  }

  /**
   * An element with another key, id or name is another one: what the user did to the controls in it was to those that
   * it had, as if it had been replaced.
   * @param {Element} el
   */
  function replaced(el) {
    if (matches(el, '[data-troupe]')) return
    for (const each of [el, ...queryAll(el, '*')]) {
      hurry(each)
      touch(each)
      Object.assign(touched.get(each) ?? {}, { isNew: true })
    }
  }

  /**
   * Call before something in a control changes, or in an option of it.
   * @param {Element} el
   */
  function touch(el) {
    const control = controlOf(el)
    if (control && !touched.has(control)) touched.set(control, { changed: new Set(), before: remember(control) })
  }

  /**
   * The token is not touched: it is not a part of what the worker renders.
   * @param {Element} el
   * @param {string} name
   * @param {string | null} value
   * @param {Attr} [attr]
   */
  function syncAttribute(el, name, value, attr) {
    if (name !== 'data-troupe' && setAttribute(el, name, value, attr)) touched.get(el)?.changed.add(name)
  }

  /**
   * Makes the attributes those of `next`.
   * @param {Element} old
   * @param {Element} next
   */
  function syncAttributes(old, next) {
    for (const attr of attributes(next)) syncAttribute(old, attr.name, attr.value, attr)
    for (const name of strangers.names(old)) if (!hasAttribute(next, name)) syncAttribute(old, name, null)
  }

  /**
   * The text of an element. A value that the user typed stays until all settles.
   * @param {Element} el
   * @param {string | null} text
   */
  function fill(el, text) {
    if (localName(el) === 'noscript') return fillNoscript(el, /** @type {string} */ (text))
    if (el.textContent === text) return
    const caret = caretOf(el)
    el.textContent = text
    if (el === active) setCaret(el, caret)
    touched.get(el)?.changed.add('value')
  }

  /**
   * The nodes between two become those in `next`. True: something held was left as it was.
   * @param {Node} start
   * @param {Node} end
   * @param {Node} next
   */
  function range(start, end, next) {
    stuck = false
    morphChildren(/** @type {Element} */ (start.parentNode), strangers.between(start, end), siblings(firstChild(next)), end)
    return stuck
  }

  /**
   * Returns the element that is the root now, and whether something held was left as it was. Throws if there is no
   * element in `html`.
   * @param {HTMLElement} old
   * @param {string} html
   * @param {boolean} [anew] Nothing of the old one stays.
   */
  function root(old, html, anew) {
    const made = parseInside(parentNode(old), html)
    // Before it may stand a head, and what cannot stand in a table.
    const next = /** @type {HTMLElement} */ (query(made, '[dj-root],body') ?? query(made, '*'))
    const same = !anew && localName(old) === localName(next)
    stuck = false
    run(() => {
      if (same) {
        strangers.joinTexts(old)
        return morphElement(old, next, true)
      }
      member(next, 'dataset').troupe = member(old, 'dataset').troupe
      adopt(next)
      member(old, 'replaceWith')(next)
    })
    return { root: same ? old : next, held: stuck }
  }

  /** @type {(old: Node, next: Node) => boolean} */
  const equal = (old, next) => old === next || isEqual(old, next) &&
    !(isElement(old) && (holds(old, UNSURE) || strangers.isIn(old)))

  /**
   * @param {Element} old
   * @param {Element} next
   * @param {boolean} [isRoot]
   */
  function morphElement(old, next, isRoot) {
    if (equal(old, next)) return
    if (held(old)) stuck = true
    else if (!isRoot && isIgnored(old)) server.add(old)
    // Filling an empty script would run it; one from a parsed fragment never does
    // (https://html.spec.whatwg.org/#already-started).
    else if (localName(old) === 'script') isEqual(old, next) || old.replaceWith(next)
    else {
      touch(old)
      syncAttributes(old, next)
      if (localName(old) === 'textarea') fill(old, next.textContent)
      else if (localName(old) === 'template') {
        /** @type {HTMLTemplateElement} */ (old).content.replaceChildren(/** @type {HTMLTemplateElement} */ (next).content)
      } else if (editor.get()?.has(old)) editor.get()?.sync(old, next)
      else morphChildren(old, strangers.children(old), siblings(firstChild(next)), null)
    }
  }

  /**
   * @param {Element} parent
   * @param {ChildNode[]} olds
   * @param {any[]} news Nodes. Some may be among the old ones, which stay as they are.
   * @param {Node | null} follower What follows them.
   * @param {(ChildNode | undefined)[]} [pairs] Which old one each becomes.
   */
  function morphChildren(parent, olds, news, follower, pairs) {
    olds = pairs ? [...olds] : strangers.present(parent, olds, news, matchChildren, morphElement)
    const childAround = (/** @type {any} */ node) => {
      while (parentNode(node) !== parent) node = parentNode(node)
      return node
    }
    // Most of a page does not change.
    /** @type {(old: Node | undefined, next: Node | undefined) => unknown} */
    const pass = (old, next) => !pairs && old && next && isEqual(old, next) &&
      (isElement(old) && morphElement(old, /** @type {Element} */ (next)), true)
    while (pass(olds[0], news[0])) {
      olds.shift()
      news.shift()
    }
    while (pass(olds.at(-1), news.at(-1))) {
      follower = childAround(olds.pop())
      news.pop()
    }
    pairs ??= matchChildren(olds, news, strangers.serverValue)
    const used = new Set(pairs)
    for (const old of olds) if (!used.has(old) && !isAlien(old)) remove(old)
    // From the last to the first, each before the one that follows it. What has the focus is not moved.
    const pinned = pairs.find((old) => active && old && contains(old, active))
    for (let index = news.length - 1; index >= 0; index--) {
      const old = pairs[index]
      if (old && parentNode(old) !== parent) {
        follower = childAround(old)
        continue
      }
      let next = nextSibling(old ?? parent)
      while (next && isAlien(next)) next = nextSibling(next)
      if (!old) {
        insertBefore(parent, news[index], follower)
        claim(news[index])
        grown.push(news[index])
      } else if (next !== follower && old !== pinned) move(parent, old, follower)
      follower = old ?? news[index]
    }
    pairs.forEach((/** @type {any} */ old, index) => {
      if (!old) return
      if (isElement(old)) morphElement(old, news[index])
      else if (old.data !== news[index].data) old.data = news[index].data
    })
  }

  /**
   * The ignored elements in here are the server's.
   * @param {Node} node
   */
  function claim(node) {
    if (isElement(node)) for (const el of [node, ...queryAll(node, IGNORED)]) server.add(el)
  }

  /**
   * moveBefore keeps focus, scroll, frames and playing media, where there is one (Chromium since 133, Firefox since
   * 144: https://developer.mozilla.org/docs/Web/API/Element/moveBefore). It throws for what is not connected.
   * @param {any} parent An Element; TypeScript does not know moveBefore yet.
   * @param {Node} node
   * @param {Node | null} follower
   */
  function move(parent, node, follower) {
    const to = isConnected(parent) && member(parent, 'moveBefore')
    to ? to(node, follower) : insertBefore(parent, node, follower)
  }

  /**
   * Call once for a root as soon as the page has it.
   * @param {Element} el
   */
  function adopt(el) {
    strangers.watch(el)
    claim(el)
  }

  return {
    adopt, claim, editor, fill, held, isAlien, morphChildren, move, parseInside, range, root, run, strangers, syncAttribute, syncAttributes, touch,

    // Call for what was put into the page.
    grow: (/** @type {Node[]} */ nodes) => grown.push(...nodes),
  }
}
