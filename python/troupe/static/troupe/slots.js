// slots.js - one view's slots: where they stand in the page, and how a patch is written there (PROTOCOL.md 9.4-9.6).
//
// A block of markup that is in the page (the page itself, a branch, a row) is a part: an array of its slots, by
// number. Each slot knows its nodes, found once, when the page is adopted or the block is made:
//   {kind, el}           an attribute (a, named at), an open tag (g), raw text (r), the title (T)
//   {kind, node}         t: a text node that is the slot's for ever; {start, end} around markup that stands before it
//   {kind, node, end}    two comments around a branch (b), a list (l) or a region (h); {part} what a branch, or an
//                        empty list, shows; {rows} of a list: key -> {part, first, last}, its first and last node
// What is not as described throws, and the caller asks for the whole root.

import { isElement, span } from './match.js'

const TEXT = 3
const COMMENT = 8

const anchor = (node) => (node?.nodeType === COMMENT && node.data[0] === '$' ? node.data : '')

function closing(node) {
  while (anchor(node) !== '$') node = node.nextSibling
  return node
}

function demand(condition) {
  if (!condition) throw Error('troupe')
}

const remove = (first, end) => span(first, end).forEach((node) => node.remove())

// chunk(number): see chunks.js; of the third, see morph.js.
export function slotsOf(doc, chunk, { alien, attributes, claim, fill, held, move, parse, range, set, touch }) {
  let waiting = [] // [slot, value]: under something that is held now

  // --- finding ---------------------------------------------------------------------------------------------

  const note = (part, slot, more) => (part[slot.number] = { ...slot, ...more })

  // Fills part with the slots from `node` on. Returns the node that ends the block: an anchor, or null.
  function enter({ top, s }, node, parent, part) {
    const end = follow(top, node, parent, part)
    demand(s.every((_, at) => part[at + 1]))
    return end
  }

  // Returns the element that is there then.
  function visit(place, el, part) {
    demand(!place.name || place.name === el.localName)
    // From the page's parser it would run when it is filled.
    if (el.localName === 'script' && !el.firstChild) {
      const dead = parse(el.parentNode, el.outerHTML).firstChild
      el.replaceWith(dead)
      el = dead
    }
    for (const slot of place.own ?? []) note(part, slot, { el })
    const inside = el.localName === 'template' ? el.content : el
    follow(place, inside.firstChild, inside, part)
    return el
  }

  // Counts units: children that are no text, and of an anchored range only one.
  function follow(place, node, parent, part) {
    for (let unit = 0; ; unit++) {
      node = gap(place[`t${unit}`], node, parent, part)
      const text = anchor(node)
      if (!node || /^\$,?$/.test(text)) return node
      const slot = place[`r${unit}`]
      demand(!slot === !text)
      if (slot) node = resolve(slot, node, parent, part)
      else if (place[unit]) node = visit(place[unit], node, part)
      node = node.nextSibling
    }
  }

  // Goes past what is no unit: text, markup in a text slot, and nodes of other scripts.
  function gap(slot, node, parent, part) {
    let text = null
    let more
    for (; node; node = node.nextSibling) {
      if (anchor(node) === '$t') {
        more = { start: node, end: (node = closing(node)) }
      } else if (node.nodeType !== TEXT) {
        if (!alien(node)) break
      } else if (text && slot && !more) {
        text.data += node.data // the parser splits long texts
        node.remove()
        node = text
      } else text = node
    }
    if (slot) {
      if (!text || more) parent.insertBefore((text = doc.createTextNode('')), node)
      note(part, slot, { node: text, ...more })
    }
    return node
  }

  // The slot of a range. Returns its last anchor.
  function resolve(slot, node, parent, part) {
    const [, kind, number] = /^\$(.)(\d*)$/.exec(anchor(node))
    demand(slot.kind === 'l' ? /[lpe]/.test(kind) : slot.kind === kind)
    const found = note(part, slot, { node, rows: new Map() })
    let at = node.nextSibling
    if (kind === 'h') at = closing(at)
    else if (number && /[be]/.test(kind)) at = enter(chunk(number), at, parent, (found.part = []))
    else if (number) {
      const block = chunk(number)
      for (let index = 0; at && anchor(at) !== '$'; index++) {
        const row = { part: [], first: at }
        at = block.one ? single(block, at, parent, row) : several(block, at, parent, row)
        const key = kind === 'l' && slot.key ? row.el.getAttribute(slot.key) : `${index}`
        demand(key !== null && !found.rows.has(key))
        found.rows.set(key, row)
      }
    }
    demand(anchor(at) === '$')
    return (found.end = at)
  }

  // A row of one element owns the blanks around it, so that rows can move without a thought for others.
  function single({ one, top, s }, node, parent, row) {
    const take = (length) => {
      if (!length) return
      if (node.length > length) node.splitText(length)
      demand(node.length === length)
      row.last = node
      node = node.nextSibling
    }
    take(one[0])
    while (alien(node)) node = node.nextSibling
    row.el = row.last = top[0] ? visit(top[0], node, row.part) : node
    demand(s.every((_, at) => row.part[at + 1]))
    node = row.el.nextSibling
    take(one[1])
    return node
  }

  function several(block, node, parent, row) {
    demand(anchor(node) === '$,')
    node = enter(block, node.nextSibling, parent, row.part)
    row.last = node.previousSibling
    row.el = row.first
    while (row.el !== node && !isElement(row.el)) row.el = (anchor(row.el) === '$t' ? closing(row.el) : row.el).nextSibling
    return node
  }

  // --- making ----------------------------------------------------------------------------------------------

  // Puts a new block before `follower`. Returns {part, first, last}.
  function insert(number, values, follower, isRow) {
    const parent = follower.parentNode
    const block = chunk(number)
    const within = parent.namespaceURI + parent.localName
    if (block.within !== within) Object.assign(block, { within, holder: parse(parent, block.h) })
    // While it is made it stands in an element like its parent, so that markup in its slots is parsed right.
    const holder = doc.importNode(block.holder, true)
    const part = []
    claim(holder)
    holder.querySelectorAll('select').forEach(touch) // what is put before its first option becomes the first
    enter(block, holder.firstChild, holder, part)
    if (isRow && !block.one) holder.prepend(doc.createComment('$,'))
    write(part, values, true)
    const nodes = span(holder.firstChild)
    for (const node of nodes) parent.insertBefore(node, follower)
    return { part, first: nodes[0], last: nodes.at(-1) }
  }

  // --- writing ---------------------------------------------------------------------------------------------

  // isNew: nobody saw it yet, so nothing of it can be held, or be another's.
  function write(part, values, isNew) {
    for (const [number, value] of Object.entries(values)) {
      if (number !== 'b') put(part[number], value, isNew)
    }
  }

  function put(slot, value, isNew) {
    const el = slot.el ?? slot.node.parentNode
    const wait = () => waiting.push([slot, value])
    if (!isNew) {
      demand(el.isConnected)
      for (let above = el; above; above = above.parentElement) if (held(above)) return wait()
      touch(el)
    }
    return WRITE[slot.kind](slot, value, el) && wait()
  }

  // True: something in it was held, so that it is not written to the end.
  const WRITE = {
    T: (slot, value) => title(value),
    a: ({ el, at }, value) => set(el, at, decode(value)),
    r: ({ el }, value) => fill(el, decode(value, el.localName)),
    h: ({ node, end }, { h }, parent) => range(node, end, parse(parent, h)),

    g({ el }, value) {
      const next = parse(el.parentNode, value).lastElementChild
      demand(next.localName === el.localName)
      attributes(el, next)
    },

    t(slot, value, parent) {
      const { node, start, end } = slot
      if (value.h !== undefined) {
        const next = parse(parent, value.h)
        if (span(next.firstChild).some((each) => each.nodeType !== TEXT)) {
          const mark = (data) => parent.insertBefore(doc.createComment(data), node)
          if (!end) Object.assign(slot, { start: mark('$t'), end: mark('$') })
          node.data = ''
          return range(slot.start, slot.end, next)
        }
        value = next.textContent
      }
      if (end) {
        remove(start, end.nextSibling)
        slot.end = null
      }
      if (node.data !== value) node.data = value
      return false
    },

    b(slot, value) {
      if (value.b === undefined) return write(slot.part, value)
      remove(slot.node.nextSibling, slot.end)
      slot.part = value.b === null ? null : insert(value.b, value, slot.end).part
      return false
    },

    l(slot, { x, b, e, m = [], r = {}, '-': gone = [] }, parent) {
      const { node, end, rows } = slot
      if (x && rows.size) {
        remove(node.nextSibling, end)
        rows.clear()
      }
      for (const key of gone) {
        const { first, last } = rows.get(key)
        remove(first, last.nextSibling)
        rows.delete(key)
      }
      if (m.length && slot.part) WRITE.b(slot, { b: null })
      for (const [key, after, values] of m) {
        const follower = (after === null ? node : rows.get(after).last).nextSibling
        const row = rows.get(key)
        demand(!row !== !values)
        if (values) rows.set(key, insert(b, values, follower, true))
        else if (row.first !== follower) {
          for (const each of span(row.first, row.last.nextSibling)) move(parent, each, follower)
        }
      }
      for (const [key, values] of Object.entries(r)) write(rows.get(key).part, values)
      if (e) WRITE.b(slot, e)
    },
  }

  function title(value) {
    doc.title = decode(value, 'title')
  }

  // Text as a parser reads it, where the server left that to us. name: the element that it stands in;
  // without one it is an attribute.
  function decode(value, name) {
    const { h } = value
    if (h === undefined) return value
    if (/^s/.test(name)) return h // script and style
    const html = name ? `<textarea>\n${h}</textarea>` : `<i title="${h.replaceAll('"', '&quot;')}">`
    const made = parse(doc.createElement('p'), html).firstChild
    return name ? made.textContent : made.title
  }

  return {
    // The part of the whole page, whose root is `el`.
    adopt(el) {
      const { top, s } = chunk(0)
      const part = []
      waiting = []
      for (const slot of top.own ?? []) note(part, slot, { el: doc.documentElement }) // the title
      if (top[0]) visit(top[0], el, part)
      demand(s.every((_, at) => part[at + 1]))
      return part
    },
    title,
    write,
    // What waited is written, unless it has to wait on.
    flush() {
      const list = waiting
      waiting = []
      for (const [slot, value] of list) if ((slot.el ?? slot.node).isConnected) put(slot, value)
    },
  }
}
