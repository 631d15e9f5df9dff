// morph.js - makes a live element equal to new HTML, and leaves alone what the person and other scripts
// have in it: focus, caret, typed text, opened <details>, scroll, playing media, ignored nodes.

import { Foreign } from './foreign.js'
import { IGNORED, isIgnored, match, staying } from './match.js'
import { caretOf, remember, setCaret, settle } from './controls.js'

const TOKEN = 'data-troupe'
const HTML = 'http://www.w3.org/1999/xhtml'
const ELEMENT = 1
const CONTROLS = new Set(['input', 'select', 'textarea'])

// The inert element that `html` describes, parsed as it would be in the place of `root`; null if there is
// none. Nothing in it loads or runs.
export function parse(root, html) {
  const doc = root.ownerDocument
  if (root.localName === 'body') {
    // A template has no body of its own, and would drop the tag.
    return new doc.defaultView.DOMParser().parseFromString(`<!doctype html>${html}`, 'text/html').body
  }
  const template = doc.createElement('template')
  const inner = root.namespaceURI !== HTML && root.parentNode?.namespaceURI !== HTML
  template.innerHTML = inner ? `<svg>${html}</svg>` : html
  const first = template.content.firstElementChild
  return inner ? first.firstElementChild : first
}

export class Morpher {
  // held(element): leave it, a later patch will do; busy(control): the person's newer value is on its way.
  constructor(view, { held = () => false, busy = () => false } = {}) {
    this.doc = view.document
    this.hooks = { held, busy }
    this.foreign = new Foreign(view.MutationObserver)
    this.server = new WeakSet() // ignored elements that the server rendered, and may take away
    this.working = false
    this.doc.addEventListener('focusin', (event) => this.working && event.stopImmediatePropagation(), true)
    this.doc.addEventListener('focusout', (event) => this.working && event.stopImmediatePropagation(), true)
  }

  // Call once for a root as soon as the page has it: from then on changes that others make are known.
  adopt(root) {
    this.foreign.watch(root)
    for (const el of root.querySelectorAll('[dj-update="ignore"],[dj-root]')) this.server.add(el)
  }

  // Returns {root, held}: the element that is the root now, and whether something held was left as it was;
  // null: there is no element in `html`.
  apply(root, html) {
    const next = parse(root, html)
    if (!next) return null
    this.foreign.begin()
    this.active = root.contains(this.doc.activeElement) ? this.doc.activeElement : null
    const caret = caretOf(this.active)
    this.dirty = this.dirtyIn(root)
    this.held = false
    this.working = true
    try {
      root = this.root(root, next)
      this.focus(caret)
    } finally {
      this.working = false
      this.foreign.end()
    }
    return { root, held: this.held }
  }

  root(root, next) {
    if (root.localName === next.localName) {
      this.element(root, next, true)
      return root
    }
    if (root.hasAttribute(TOKEN)) next.setAttribute(TOKEN, root.getAttribute(TOKEN))
    root.replaceWith(next)
    this.foreign.watch(next)
    return next
  }

  // Elements in which two equal trees may still differ, and what is around them.
  dirtyIn(root) {
    const dirty = new Set()
    const climb = (el) => {
      for (; el && !dirty.has(el); el = el.parentNode) dirty.add(el)
    }
    for (const el of root.querySelectorAll(`input,select,textarea,${IGNORED}`)) climb(el)
    for (const el of this.foreign.elements()) climb(el)
    return dirty
  }

  focus(caret) {
    const active = this.active
    if (!active?.isConnected || this.doc.activeElement === active) return
    active.focus({ preventScroll: true })
    setCaret(active, caret)
  }

  node(old, next) {
    if (old.nodeType === ELEMENT) this.element(old, next, false)
    else if (old.data !== next.data) old.data = next.data
  }

  element(old, next, isRoot) {
    if (this.equal(old, next)) return
    if (this.hooks.held(old)) {
      this.held = true
      return
    }
    if (!isRoot && isIgnored(old)) this.server.add(old)
    // With scripting on, a <noscript> holds text, and elements in what was parsed here.
    else if (old.localName === 'noscript') return
    // Filling an empty script would run it; one from a parsed fragment never does.
    else if (old.localName === 'script') old.isEqualNode(next) || old.replaceWith(next)
    else this.inside(old, next)
  }

  inside(old, next) {
    const control = old.namespaceURI === HTML && CONTROLS.has(old.localName)
    const before = control ? remember(old) : null
    const changed = this.attributes(old, next)
    if (old.localName === 'template' && old.content) this.children(old.content, next.content)
    else if (control && old.localName === 'textarea') this.text(old, next, changed)
    else this.children(old, next)
    if (control) settle(old, changed, before, this.hooks.busy(old))
  }

  text(old, next, changed) {
    if (old.textContent === next.textContent) return
    const [typed, caret] = [old.value, caretOf(old)]
    old.textContent = next.textContent
    if (old.value !== typed) {
      old.value = typed
      if (old === this.active) setCaret(old, caret)
    }
    changed.add('value')
  }

  // Most of a page does not change: what is equal at both ends is passed over at once.
  children(parent, next) {
    const [olds, news] = [[...parent.childNodes], [...next.childNodes]]
    const most = Math.min(olds.length, news.length)
    let [head, tail] = [0, 0]
    while (head < most && this.equal(olds[head], news[head])) head++
    while (tail < most - head && this.equal(olds.at(-1 - tail), news.at(-1 - tail))) tail++
    const follower = tail ? olds.at(-tail) : null
    this.changed(parent, olds.slice(head, olds.length - tail), news.slice(head, news.length - tail), follower)
  }

  equal(old, next) {
    return !this.dirty.has(old) && old.isEqualNode(next)
  }

  changed(parent, olds, news, follower) {
    const { pairs, used } = match(olds, news)
    for (const old of olds) {
      if (!used.has(old) && (!isIgnored(old) || this.server.has(old))) old.remove()
    }
    this.order(parent, olds, news, pairs, follower)
    pairs.forEach((old, at) => old && this.node(old, news[at]))
  }

  // From the last to the first, each before the one that follows it.
  order(parent, olds, news, pairs, follower) {
    const place = new Map(olds.map((old, at) => [old, at]))
    const pinned = this.active ? pairs.findIndex((old) => old?.contains(this.active)) : -1
    const stay = staying(pairs.map((old) => place.get(old) ?? -1), pinned)
    for (let at = news.length - 1; at >= 0; at--) {
      const old = pairs[at]
      if (!old) this.insert(parent, news[at], follower)
      else if (!stay.has(at)) this.move(parent, old, follower)
      follower = old ?? news[at]
    }
  }

  insert(parent, node, follower) {
    parent.insertBefore(node, follower)
    if (node.nodeType !== ELEMENT) return
    if (isIgnored(node)) this.server.add(node)
    for (const el of node.querySelectorAll(IGNORED)) this.server.add(el)
  }

  // moveBefore keeps focus, scroll, frames and playing media, where there is one.
  move(parent, node, follower) {
    if (parent.moveBefore && parent.isConnected) parent.moveBefore(node, follower)
    else parent.insertBefore(node, follower)
  }

  // Returns the names of the attributes whose server value changed.
  attributes(old, next) {
    const changed = new Set()
    for (const attr of next.attributes) {
      const { name, value } = attr
      const last = this.foreign.last(old, name)
      if (name === TOKEN || value === (last === undefined ? old.getAttribute(name) : last)) continue
      changed.add(name)
      if (name === 'class' && last !== undefined) this.mergeClass(old, last, attr)
      else this.write(old, attr)
    }
    const names = [...old.attributes, ...this.foreignNames(old)].map((attr) => attr.name)
    for (const name of new Set(names)) {
      const last = this.foreign.last(old, name)
      if (name === TOKEN || next.hasAttribute(name) || last === null) continue
      changed.add(name)
      if (name === 'class' && last !== undefined) this.mergeClass(old, last, null)
      else this.drop(old, name)
    }
    return changed
  }

  foreignNames(el) {
    return [...(this.foreign.values.get(el)?.keys() ?? [])].map((name) => ({ name }))
  }

  write(el, attr) {
    const { name, value, namespaceURI } = attr
    this.foreign.forget(el, name)
    if (el.getAttribute(name) === value) return
    this.foreign.wrote(el, name)
    const mine = el.getAttributeNode(name)
    if (mine) mine.value = value
    else if (namespaceURI) el.setAttributeNS(namespaceURI, name, value)
    // The parser takes names (@click) that setAttribute refuses.
    else el.setAttributeNode(this.doc.importNode(attr, true))
  }

  drop(el, name) {
    this.foreign.forget(el, name)
    if (!el.hasAttribute(name)) return
    this.foreign.wrote(el, name)
    // A modal dialog without its attribute would stay above the page, shut.
    if (name === 'open' && el.localName === 'dialog' && el.close) el.close()
    el.removeAttribute(name)
  }

  // The server's classes, less those that others took away, and those that others added.
  mergeClass(el, last, attr) {
    const list = (text) => (text ?? '').split(/\s+/).filter(Boolean)
    const [server, live] = [new Set(list(last)), list(el.getAttribute('class'))]
    const added = live.filter((name) => !server.has(name))
    const kept = list(attr?.value).filter((name) => live.includes(name) || !server.has(name))
    const merged = [...new Set([...kept, ...added])]
    const theirs = merged.join(' ') !== list(attr?.value).join(' ')
    if (!theirs) return attr ? this.write(el, attr) : this.drop(el, 'class')
    this.foreign.wrote(el, 'class')
    el.setAttribute('class', merged.join(' '))
    return this.foreign.keep(el, 'class', attr?.value ?? null)
  }
}
