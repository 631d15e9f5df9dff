// stranger.js - other people's code on a page: at random it inserts, wraps, moves, removes, sorts and copies nodes, changes
// attributes, and replaces texts. It remembers what it did, for the judge.

export class Stranger {
  // window: the page's. random(): from 0 to 1. log: what was done, as lines.
  constructor(window, random, log) {
    Object.assign(this, { window, random, log })
    this.added = new Map() // nodes that it inserted -> where: what stands in them is its own as well
    this.own = new WeakSet() // the same, and all in them
    this.changed = new Map() // element of the server's -> names of attributes
    this.removed = new Set() // nodes of the server's
    this.moved = new Set() // parents whose order it changed
    this.translated = new Map() // <font> -> the text in whose place it is
    this.count = 0
  }

  get document() {
    return this.window.document
  }

  pick(list) {
    return list[Math.floor(this.random() * list.length)]
  }

  isOwn(node) {
    return this.own.has(node)
  }

  // The server's elements in the page.
  theirs() {
    const all = [...this.document.querySelectorAll('[data-troupe], [data-troupe] [data-s]')]
    return all.filter((el) => !this.isOwn(el))
  }

  // act() some times.
  act(times = 1 + Math.floor(this.random() * 3)) {
    for (let at = 0; at < times; at++) {
      const all = this.theirs()
      if (!all.length) return
      const el = this.pick(all)
      const name = this.pick(this.kinds ?? KINDS)
      if (el.dataset.troupe !== undefined && !/^(prepend|append|attribute|sort)$/.test(name)) continue
      const done = this[name](el)
      if (done) this.log.push(`${name} <${el.localName} data-s=${el.dataset.s}> ${done === true ? '' : done}`)
    }
  }

  // A new node that looks like one of the server's, or not.
  make(like) {
    const { document } = this
    const kind = this.random()
    const number = ++this.count
    if (kind < 0.1) return this.mine(document.createComment('theirs'))
    if (kind < 0.2 && !/^(tr|td|ul|dl|table|tbody)$/.test(like.parentNode.localName)) return this.mine(document.createTextNode(`§${number}`))
    const el = document.createElement(kind < 0.7 ? like.localName : 'div')
    if (this.random() < 0.4) el.id = `stranger${number}`
    if (this.random() < 0.4) el.textContent = `§${number}`
    if (this.random() < 0.2) el.append(document.createElement('i'))
    return this.mine(el)
  }

  mine(node) {
    this.own.add(node)
    for (const each of node.querySelectorAll?.('*') ?? []) this.own.add(each)
    for (const each of node.childNodes) if (each.nodeType === 3) this.own.add(each)
    return node
  }

  put(node, where, reference = null) {
    where.insertBefore(node, reference)
    this.added.set(node, node.parentNode)
    return node.nodeName
  }

  before(el) {
    return this.put(this.make(el), el.parentNode, el)
  }

  after(el) {
    return this.put(this.make(el), el.parentNode, el.nextSibling)
  }

  prepend(el) {
    return this.put(this.make(el.firstElementChild ?? el), el, el.firstChild)
  }

  append(el) {
    return this.put(this.make(el.lastElementChild ?? el), el)
  }

  // Between any two nodes, also inside of a list's or a branch's range.
  anywhere(el) {
    return this.put(this.make(el.firstElementChild ?? el), el, this.pick([...el.childNodes, null]))
  }

  copy(el) {
    if (el.querySelector('script')) return false
    const copy = this.mine(el.cloneNode(true))
    for (const each of copy.childNodes) this.own.add(each)
    return this.put(copy, el.parentNode, this.pick([el, el.nextSibling]))
  }

  wrap(el) {
    if (/^(tr|td|li|dt|dd)$/.test(el.localName) && this.random() < 0.7) return false
    const box = this.mine(this.document.createElement('div'))
    this.put(box, el.parentNode, el)
    box.append(el)
    return true
  }

  move(el) {
    const others = [...el.parentNode.childNodes, null]
    el.parentNode.insertBefore(el, this.pick(others))
    this.moved.add(el.parentNode)
    return true
  }

  away(el) {
    this.moved.add(el.parentNode)
    this.document.body.append(el)
    return true
  }

  // What stands beside it may be taken for what it put in its place.
  remove(el) {
    this.lose(el)
    for (const beside of [el.previousSibling, el.nextSibling]) if (beside && this.isOwn(beside)) this.translated.set(beside, '')
    el.remove()
    return true
  }

  lose(node) {
    this.removed.add(node)
    for (const each of node.querySelectorAll?.('[data-s]') ?? []) this.removed.add(each)
  }

  // As translators do.
  replace(el) {
    const text = [...el.childNodes].find((node) => node.nodeType === 3 && node.data.trim() && !this.isOwn(node))
    if (!text) return false
    const font = this.mine(this.document.createElement('font'))
    font.textContent = `§${text.data}`
    this.mine(font)
    this.removed.add(text)
    text.replaceWith(font)
    this.translated.set(font, text.data)
    this.added.set(font, el)
    return true
  }

  attribute(el) {
    const name = this.pick(['class', 'style', 'aria-label', 'title'])
    if (name === 'class') el.classList.add('theirs')
    else el.setAttribute(name, 'theirs')
    if (!this.changed.has(el)) this.changed.set(el, new Set())
    this.changed.get(el).add(name)
    return name
  }

  sort(el) {
    const rows = [...el.children].filter((each) => !this.isOwn(each) && each.dataset.s)
    if (rows.length < 2) return false
    for (const row of rows.reverse()) row.parentNode.append(row)
    this.moved.add(el)
    return true
  }
}

const KINDS = ['before', 'before', 'after', 'after', 'prepend', 'append', 'anywhere', 'copy', 'wrap', 'move', 'away', 'remove', 'replace', 'attribute',
  'sort']
