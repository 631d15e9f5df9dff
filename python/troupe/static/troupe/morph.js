// morph.js - makes a range of the live page equal to new HTML, and leaves alone what the person and other
// scripts have in it: focus, caret, typed text, opened <details>, scroll, playing media, ignored nodes.

import { caretOf, controlOf, remember, setCaret, settle } from './controls.js'
import { foreignOf } from './foreign.js'
import { IGNORED, isElement, isIgnored, match, span } from './match.js'

const TOKEN = 'data-troupe'
// Two of these may seem equal and yet differ, in what a person did or in what isEqualNode does not look into.
const UNSURE = `input,select,textarea,template,${IGNORED}`

// held(element): leave it, a later patch will do; busy(control): the person's newer value is on its way;
// reported: the Set of controls whose values the server was told; patching is set to true meanwhile.
export function morphOf(window, events) {
  const { held, busy, reported } = events
  const doc = window.document
  const inert = doc.createElement('template').content.ownerDocument
  const foreign = foreignOf(window)
  const server = new WeakSet() // ignored elements that the server rendered, and may take away
  let active = null
  let stuck = false // something held was left as it was
  let touched = new Map() // control -> {changed: names of attributes, before}

  // Put there by another script.
  const alien = (node) => isIgnored(node) && !server.has(node)

  // An inert element with the children that `html` makes inside of `parent`. Nothing in it loads or runs.
  function parse(parent, html) {
    // A custom element is parsed like any other, and would be made.
    const name = parent.localName.includes('-') ? 'div' : parent.localName
    const inside = inert.createElementNS(parent.namespaceURI, name)
    inside.multiple = true // in a <select> of the other kind the first option would come to be selected
    inside.innerHTML = html
    return inside
  }

  // All that changes the page happens in here: focus stays where it is, and controls settle at the end.
  function run(work) {
    foreign.begin()
    active = doc.activeElement
    const caret = caretOf(active)
    touched = new Map()
    for (const el of reported) el.isConnected ? touch(el) : reported.delete(el)
    events.patching = true
    try {
      work()
      for (const [el, { changed, before }] of touched) {
        settle(el, changed, before, busy(el))
        if (el !== active && !busy(el)) reported.delete(el)
      }
      if (active?.isConnected && doc.activeElement !== active) {
        active.focus({ preventScroll: true })
        setCaret(active, caret)
      }
    } finally {
      events.patching = false
    }
  }

  // Before something in a control changes, or in an option of it.
  function touch(el) {
    const control = controlOf(el)
    if (control && !touched.has(control)) touched.set(control, { changed: new Set(), before: remember(control) })
  }

  function set(el, name, value, attr) {
    if (name !== TOKEN && foreign.set(el, name, value, attr)) touched.get(el)?.changed.add(name)
  }

  // Makes the attributes those of `next`.
  function attributes(old, next) {
    for (const attr of next.attributes) set(old, attr.name, attr.value, attr)
    for (const name of foreign.names(old)) if (!next.hasAttribute(name)) set(old, name, null)
  }

  // The text of an element. A value that a person typed stays until all settles.
  function fill(el, text) {
    if (el.textContent === text) return
    const caret = caretOf(el)
    el.textContent = text
    if (el === active) setCaret(el, caret)
    touched.get(el)?.changed.add('value')
  }

  // The nodes between two become those in `next`. True: something held was left as it was.
  function range(start, end, next) {
    stuck = false
    children(start.parentNode, span(start.nextSibling, end), span(next.firstChild), end)
    return stuck
  }

  // Returns {root, held}: the element that is the root now, and whether something held was left as it was.
  // Throws if there is no element in `html`.
  function root(old, html) {
    const made = parse(old.parentNode, html)
    // Before it may stand a head, and what cannot stand in a table.
    const next = made.querySelector('[dj-root],body') ?? made.firstElementChild
    const same = old.localName === next.localName
    stuck = false
    run(() => {
      old.normalize()
      if (same) return element(old, next, true)
      next.dataset.troupe = old.dataset.troupe
      old.replaceWith(next)
      adopt(next)
    })
    return { root: same ? old : next, held: stuck }
  }

  const equal = (old, next) => old.isEqualNode(next) &&
    !(isElement(old) && (old.matches(UNSURE) || old.querySelector(UNSURE) || foreign.isIn(old)))

  function element(old, next, isRoot) {
    if (equal(old, next)) return
    if (held(old)) stuck = true
    else if (!isRoot && isIgnored(old)) server.add(old)
    // With scripting on, a <noscript> holds text, and elements in what was parsed here.
    else if (old.localName === 'noscript') return
    // Filling an empty script would run it; one from a parsed fragment never does.
    else if (old.localName === 'script') old.isEqualNode(next) || old.replaceWith(next)
    else {
      touch(old)
      attributes(old, next)
      if (old.localName === 'textarea') fill(old, next.textContent)
      else if (old.localName === 'template') old.content.replaceChildren(next.content)
      else children(old, span(old.firstChild), span(next.firstChild), null)
    }
  }

  function children(parent, olds, news, follower) {
    // Most of a page does not change.
    const pass = (old, next) => old && next && old.isEqualNode(next) && (isElement(old) && element(old, next), true)
    while (pass(olds[0], news[0])) olds.shift(news.shift())
    while (pass(olds.at(-1), news.at(-1))) follower = olds.pop(news.pop())
    const pairs = match(olds, news)
    const used = new Set(pairs)
    for (const old of olds) if (!used.has(old) && !alien(old)) old.remove()
    // From the last to the first, each before the one that follows it. What has the focus is not moved.
    const pinned = pairs.find((old) => active && old?.contains(active))
    for (let at = news.length - 1; at >= 0; at--) {
      const old = pairs[at]
      let next = (old ?? parent).nextSibling
      while (next && alien(next)) next = next.nextSibling
      if (!old) {
        parent.insertBefore(news[at], follower)
        claim(news[at])
      } else if (next !== follower && old !== pinned) move(parent, old, follower)
      follower = old ?? news[at]
    }
    pairs.forEach((old, at) => {
      if (!old) return
      if (isElement(old)) element(old, news[at])
      else if (old.data !== news[at].data) old.data = news[at].data
    })
  }

  // The ignored elements in here are the server's.
  function claim(node) {
    if (isElement(node)) for (const el of [node, ...node.querySelectorAll(IGNORED)]) server.add(el)
  }

  // moveBefore keeps focus, scroll, frames and playing media, where there is one.
  function move(parent, node, follower) {
    parent[parent.moveBefore && parent.isConnected ? 'moveBefore' : 'insertBefore'](node, follower)
  }

  // Call once for a root as soon as the page has it: from then on changes that others make are known.
  function adopt(el) {
    foreign.watch(el)
    claim(el)
  }

  return { adopt, alien, attributes, claim, fill, held, move, parse, range, root, run, set, touch }
}
