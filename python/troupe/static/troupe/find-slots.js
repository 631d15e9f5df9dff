// find-slots.js - finds where a view's slots stand in the page, once, when the page is adopted or a block is made
// (PROTOCOL.md 9.4 and 9.5). write-slots.js writes there.
//
// A block that is in the page (the page itself, a branch, a row) is an array of its slots, by number; what a slot
// holds is said at Slot in types.d.ts. What is not as described throws, and the caller asks for the whole root.

import { anchor, closing, demand } from './anchors.js'
import { TEXT, isElement } from './dom.js'

/** @import { Block, CachedChunk, Morpher, Place, Row, Slot, SlotPosition } from './types.js' */

/** @typedef {ChildNode | null} Child A node, or null behind the last one. */

/**
 * @param {Document} doc
 * @param {(number: number | string) => CachedChunk} chunk
 * @param {Pick<Morpher, 'editor' | 'isAlien' | 'parseInside'>} morph
 */
export function createSlotFinder(doc, chunk, { editor, isAlien, parseInside }) {
  /** @type {(block: Block, slot: SlotPosition, more?: Partial<Slot>) => Slot} */
  const note = (block, slot, more) => (block[slot.number] = /** @type {Slot} */ ({ ...slot, ...more }))

  /** @type {(descriptors: unknown[], block: Block) => void} */
  const demandAll = (descriptors, block) => demand(descriptors.every((_, index) => block[index + 1]))

  /**
   * Fills a block with the slots from `node` on. Returns the node that ends the block: an anchor, or null.
   * @param {CachedChunk} chunk
   * @param {Child} node
   * @param {ParentNode} parent
   * @param {Block} block
   */
  function enter({ places, s }, node, parent, block) {
    const end = follow(places, node, parent, block)
    demandAll(s, block)
    return end
  }

  /**
   * Returns the element that is there then.
   * @param {Place} place
   * @param {Element} el
   * @param {Block} block
   */
  function visit(place, el, block) {
    demand(!place.name || place.name === el.localName)
    // An empty script from the page's parser would run when it is filled; one from a fragment never does
    // (https://html.spec.whatwg.org/#already-started).
    if (el.localName === 'script' && !el.firstChild) {
      const dead = /** @type {Element} */ (parseInside(/** @type {Element} */ (el.parentNode), el.outerHTML).firstChild)
      el.replaceWith(dead)
      el = dead
    }
    for (const slot of place.own ?? []) note(block, slot, { el })
    // A text that the user edits: not one node stays.
    if (place.t0 && !place.r0 && !place[0] && editor.get()?.owns(el)) {
      note(block, place.t0, { kind: 'c', el })
      return el
    }
    const inside = el.localName === 'template' ? /** @type {HTMLTemplateElement} */ (el).content : el
    follow(place, inside.firstChild, inside, block)
    return el
  }

  /**
   * Counts units: children that are no text, and of an anchored range only one.
   * @param {Place} place
   * @param {Child} node
   * @param {ParentNode} parent
   * @param {Block} block
   * @returns {Child}
   */
  function follow(place, node, parent, block) {
    for (let unit = 0; ; unit++) {
      node = gap(place[`t${unit}`], node, parent, block)
      const text = anchor(node)
      if (!node || /^\$,?$/.test(text)) return node
      const slot = place[`r${unit}`]
      demand(!slot === !text)
      if (slot) node = range(slot, node, parent, block)
      else if (place[unit]) node = visit(place[unit], /** @type {Element} */ (node), block)
      node = node.nextSibling
    }
  }

  /**
   * Goes past what is no unit: text, markup in a text slot, and nodes of other scripts.
   * @param {SlotPosition | undefined} slot
   * @param {Child} node
   * @param {ParentNode} parent
   * @param {Block} block
   */
  function gap(slot, node, parent, block) {
    /** @type {Text | null} */
    let text = null
    /** @type {{ start: Node, end: Node } | undefined} */
    let markup
    for (; node; node = node.nextSibling) {
      if (anchor(node) === '$t') {
        markup = { start: node, end: (node = closing(node)) }
      } else if (node.nodeType !== TEXT) {
        if (!isAlien(node)) break
      } else if (text && slot && !markup) {
        // Parsers split long texts, Chromium every 65,536 characters.
        text.data += /** @type {Text} */ (node).data
        node.remove()
        node = text
      } else text = /** @type {Text} */ (node)
    }
    if (slot) {
      if (!text || markup) parent.insertBefore((text = doc.createTextNode('')), node)
      note(block, slot, { node: text, ...markup })
    }
    return node
  }

  /**
   * The slot of a range. Returns its last anchor.
   * @param {SlotPosition} slot
   * @param {ChildNode} node
   * @param {ParentNode} parent
   * @param {Block} block
   */
  function range(slot, node, parent, block) {
    const [, kind, number] = /** @type {RegExpExecArray} */ (/^\$(.)(\d*)$/.exec(anchor(node)))
    demand(slot.kind === 'l' ? /[lpe]/.test(kind) : slot.kind === kind)
    const found = note(block, slot, { node: /** @type {Comment} */ (node), rows: new Map() })
    let child = node.nextSibling
    if (kind === 'h') child = closing(child)
    else if (number && /[be]/.test(kind)) child = enter(chunk(number), child, parent, (found.block = []))
    else if (number) {
      const rowChunk = chunk(number)
      for (let index = 0; child && anchor(child) !== '$'; index++) {
        const row = /** @type {Row} */ (/** @type {Partial<Row>} */ ({ block: [], first: child }))
        child = rowChunk.one ? singleRow(/** @type {any} */ (rowChunk), child, row) : severalRow(rowChunk, child, parent, row)
        const key = kind === 'l' && slot.keyAttribute ? row.el.getAttribute(slot.keyAttribute) : `${index}`
        demand(key !== null && !found.rows.has(key))
        found.rows.set(key, row)
      }
    }
    demand(anchor(child) === '$')
    return /** @type {ChildNode} */ (found.end = child)
  }

  /**
   * A row of one element owns the white space around it, so that rows can move without a thought for others.
   * @param {CachedChunk & { one: [number, number] }} chunk
   * @param {any} node Text or Element; where it is not what it should be, an error leads to a new root.
   * @param {Row} row
   */
  function singleRow({ one, places, s }, node, row) {
    const take = (/** @type {number} */ length) => {
      if (!length) return
      if (node.length > length) node.splitText(length)
      demand(node.length === length)
      row.last = node
      node = node.nextSibling
    }
    take(one[0])
    while (isAlien(node)) node = node.nextSibling
    row.el = row.last = places[0] ? visit(places[0], node, row.block) : node
    demandAll(s, row.block)
    node = row.el.nextSibling
    take(one[1])
    return node
  }

  /**
   * A row of any nodes, behind an anchor of its own.
   * @param {CachedChunk} chunk
   * @param {ChildNode} node
   * @param {ParentNode} parent
   * @param {Row} row
   */
  function severalRow(chunk, node, parent, row) {
    demand(anchor(node) === '$,')
    const end = /** @type {ChildNode} */ (enter(chunk, node.nextSibling, parent, row.block))
    row.last = /** @type {Node} */ (end.previousSibling)
    /** @type {any} */
    let el = row.first
    while (el !== end && !isElement(el)) el = (anchor(el) === '$t' ? closing(el) : el).nextSibling
    row.el = el
    return end
  }

  return {
    enter,

    /**
     * The block of the whole page, whose root is `el`.
     * @param {Element} el
     */
    adopt(el) {
      const { places, s } = chunk(0)
      /** @type {Block} */
      const block = []
      for (const slot of places.own ?? []) note(block, slot, { el: doc.documentElement }) // the title
      if (places[0]) visit(places[0], el, block)
      demandAll(s, block)
      return block
    },
  }
}
