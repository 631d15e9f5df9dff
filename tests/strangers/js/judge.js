// judge.js - compares what the server's elements show with what Django renders, and sees that strangers' nodes are kept.

const isText = (node) => node.nodeType === 3
const rootOf = (document) => document.querySelector('[dj-root]')

// The server's elements, by data-s: in the page, but for a stranger's; or in what Django renders.
function named(elements) {
  const found = new Map()
  for (const el of elements) {
    const name = el.getAttribute('data-s')
    if (found.has(name)) return { twice: name }
    found.set(name, el)
  }
  return { found }
}

export class Judge {
  constructor(stranger) {
    this.stranger = stranger
    this.gone = new Map() // element or text that a stranger removed -> what the server said of it then
    this.shown = null // what Django renders now
  }

  // What an element of the server's says, without what is in its elements.
  text(el) {
    return [...el.childNodes].filter((node) => isText(node) && !this.stranger.isOwn(node)).map(({ data }) => data).join('')
  }

  says(el) {
    const attributes = [...el.attributes].filter(({ name }) => name !== 'data-troupe').map(({ name, value }) => `${name}=${value}`).sort()
    return `${attributes} ${this.text(el)}`
  }

  // What strangers removed since the last call: excused until the server says something else.
  note() {
    const { removed } = this.stranger
    for (const node of removed) {
      const name = isText(node) ? null : node.getAttribute('data-s')
      if (name !== null) this.gone.set(name, this.shown?.get(name) && this.says(this.shown.get(name)))
    }
    removed.clear()
  }

  // Null, or what is wrong.
  compare(window, html) {
    const { document } = window
    const wanted = named([...rootOf(new DOMParser().parseFromString(html, 'text/html')).parentNode.querySelectorAll('[data-s]')]).found
    const live = named([...document.querySelectorAll('[data-s]')].filter((el) => !this.stranger.isOwn(el)))
    this.shown = wanted
    if (live.twice) return `data-s=${live.twice} is there twice`
    for (const [name, el] of wanted) {
      const found = this.one(name, el, live.found.get(name))
      if (found) return found
    }
    for (const name of live.found.keys()) if (!wanted.has(name)) return `data-s=${name} is still there`
    return this.order(wanted, live.found)
  }

  one(name, el, mine) {
    const said = this.says(el)
    if (this.gone.has(name)) {
      if (!mine && [undefined, said].includes(this.gone.get(name))) return null
      this.gone.delete(name)
    }
    if (!mine && this.isInGone(el)) {
      this.gone.set(name, said) // what the parser put into an element that was not there any more
      return null
    }
    if (!mine) return `data-s=${name} is missing`
    const excused = this.stranger.changed.get(mine)
    for (const { name: attribute, value } of el.attributes) {
      if (mine.getAttribute(attribute) !== value && !excused?.has(attribute)) return `data-s=${name} @${attribute}: ${mine.getAttribute(attribute)}, wanted ${value}`
    }
    const shown = this.text(mine).replace(/\s+/g, ' ')
    let should = this.text(el)
    // A text that a translator took stays so until the server changes it.
    for (const font of mine.children) should = should.replace(this.stranger.translated.get(font) ?? '', '')
    should = should.replace(/\s+/g, ' ')
    if (shown === should) return null
    return `data-s=${name} text: ${JSON.stringify(shown)}, wanted ${JSON.stringify(should)}`
  }

  isInGone(el) {
    for (let above = el.parentElement; above; above = above.parentElement) if (this.gone.has(above.getAttribute('data-s'))) return true
    return false
  }

  // Rows and other children in the server's order, where no stranger moved any.
  order(wanted, live) {
    for (const [name, el] of wanted) {
      const mine = live.get(name)
      if (!mine || this.stranger.moved.has(mine)) continue
      const names = (parent) => [...parent.children].filter((each) => each.dataset.s && !this.stranger.isOwn(each)).map((each) => each.dataset.s)
      const there = new Set(names(mine))
      const should = names(el).filter((each) => there.has(each)).join(' ')
      if (names(mine).filter((each) => names(el).includes(each)).join(' ') !== should) return `data-s=${name}: ${names(mine)}, wanted ${should}`
    }
    return null
  }

  // Which of the strangers' nodes must survive what comes: call before it, and kept() behind it.
  watch() {
    this.watched = []
    for (const [node, parent] of this.stranger.added) {
      if (!node.isConnected || node.parentNode !== parent || this.stranger.translated.has(node)) continue
      if (!this.isInRange(node)) this.watched.push([node, parent])
    }
  }

  // Inside of a branch, or of a row of several nodes: it may go with that.
  isInRange(node) {
    let open = 0
    let row = false
    for (let each = node.previousSibling; each; each = each.previousSibling) {
      const data = each.nodeType === 8 && !this.stranger.isOwn(each) ? each.data : ''
      if (data === '$') open--
      else if (data === '$,') row ||= open === 0
      else if (/^\$[lp]/.test(data)) {
        if (open === 0 && row) return true
        if (open < 0) open++
      } else if (/^\$[beht]/.test(data)) {
        if (open === 0) return true
        if (open < 0) open++
      }
    }
    return false
  }

  kept() {
    for (const [node, parent] of this.watched) {
      if (parent.isConnected && node.parentNode !== parent) return `a stranger's <${node.nodeName}> in <${parent.localName} data-s=${parent.dataset?.s}> was not kept`
    }
    return null
  }
}
