// find-slots.js - finds where a view's slots stand in the page, once, when the page is adopted or a block is made
// (PROTOCOL.md 9.4 and 9.5). write-slots.js writes there.
//
// A block that is in the page (the page itself, a branch, a row) is an array of its slots, by number; what a slot
// holds is said at Slot in types.d.ts. What is not as described throws, and the caller asks for the whole root.

import { anchor, closing, demand } from './anchors.js'
import { attr, firstChild, isElement, localName, nodeType, parentNode, TEXT } from './dom.js'

/** @import { Block, CachedChunk, Morpher, Place, Row, Slot, SlotPosition, Walk } from './types.js' */

/** @typedef {ChildNode | null} Child A node, or null behind the last one. */

/**
 * @param {Document} doc
 * @param {(number: number | string) => CachedChunk} chunk
 * @param {Pick<Morpher, 'editor' | 'isAlien' | 'parseInside' | 'strangers'>} morph
 */
export function createSlotFinder(doc, chunk, { editor, isAlien, parseInside, strangers }) {
  /** @type {(block: Block, slot: SlotPosition, more?: Partial<Slot>) => Slot} */
  const note = (block, slot, more) => (block[slot.number] = /** @type {Slot} */ ({ ...slot, ...more }))

  /** @type {(descriptors: unknown[], block: Block) => void} */
  const demandAll = (descriptors, block) => demand(descriptors.every((_, index) => block[index + 1]))

  /**
   * Fills a block with the slots from `node` on. Returns the node that ends the block: an anchor, or null.
   * @param {CachedChunk} chunk
   * @param {Child} node
   * @param {Walk} walk
   * @param {Block} block
   */
  function enter({ places, s }, node, walk, block) {
    const end = follow(places, node, walk, block)
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
    demand(!place.name || place.name === localName(el))
    // An empty script from the page's parser would run when it is filled; one from a fragment never does
    // (https://html.spec.whatwg.org/#already-started).
    if (localName(el) === 'script' && !firstChild(el)) {
      const dead = /** @type {Element} */ (parseInside(/** @type {Element} */ (parentNode(el)), el.outerHTML).firstChild)
      el.replaceWith(dead)
      el = dead
    }
    for (const slot of place.own ?? []) note(block, slot, { el })
    // A text that the user edits: not one node stays.
    if (place.t0 && !place.r0 && !place[0] && editor.get()?.owns(el)) {
      note(block, place.t0, { kind: 'c', el })
      return el
    }
    const inside = localName(el) === 'template' ? /** @type {HTMLTemplateElement} */ (el).content : el
    if (!strangers.sure) strangers.align(inside, place.signs)
    const walk = strangers.walk(inside)
    follow(place, walk.first, walk, block)
    return el
  }

  /**
   * The same for an element on the way. Returns what follows it.
   * @param {Place | undefined} place
   * @param {Child} el
   * @param {Walk} walk
   * @param {{ block: Block, el?: Element, last?: Node }} row
   */
  function pass(place, el, walk, row) {
    const next = walk.next(/** @type {ChildNode} */ (el))
    row.el = row.last = place ? visit(place, /** @type {Element} */ (el), row.block) : /** @type {Element} */ (el)
    return next
  }

  /**
   * Counts units: children that are no text, and of an anchored range only one.
   * @param {Place} place
   * @param {Child} node
   * @param {Walk} walk
   * @param {Block} block
   * @returns {Child}
   */
  function follow(place, node, walk, block) {
    for (let unit = 0; ; unit++) {
      node = gap(place[`t${unit}`], node, walk, block)
      const text = anchor(node)
      if (!node || /^\$,?$/.test(text)) {
        demand(unit === (place.signs?.length ?? unit))
        return node
      }
      const slot = place[`r${unit}`]
      demand(!slot === !text)
      node = slot ? walk.next(range(slot, node, walk, block)) : pass(place[unit], node, walk, { block })
    }
  }

  /**
   * Goes past what is no unit: text, markup in a text slot, and nodes of other scripts.
   * @param {SlotPosition | undefined} slot
   * @param {Child} node
   * @param {Walk} walk
   * @param {Block} block
   */
  function gap(slot, node, walk, block) {
    /** @type {Text | null} */
    let text = null
    /** @type {{ start: Node, end: Node } | undefined} */
    let markup
    for (; node; node = walk.next(node)) {
      if (anchor(node) === '$t') {
        markup = { start: node, end: (node = closing(node, walk)) }
      } else if (nodeType(node) !== TEXT) {
        if (!isAlien(node)) break
      } else if (text && slot && !markup) {
        // Parsers split long texts, Chromium every 65,536 characters.
        text.data += /** @type {Text} */ (node).data
        walk.link(text, walk.next(node))
        node.remove()
        node = text
      } else text = /** @type {Text} */ (node)
    }
    if (slot) {
      if (!text || markup) walk.insert((text = doc.createTextNode('')), node)
      note(block, slot, { node: text, ...markup })
    }
    return node
  }

  /**
   * The slot of a range. Returns its last anchor.
   * @param {SlotPosition} slot
   * @param {ChildNode} node
   * @param {Walk} walk
   * @param {Block} block
   */
  function range(slot, node, walk, block) {
    const [, kind, number] = /** @type {RegExpExecArray} */ (/^\$(.)(\d*)$/.exec(anchor(node)))
    demand(slot.kind === 'l' ? /[lpe]/.test(kind) : slot.kind === kind)
    const found = note(block, slot, { node: /** @type {Comment} */ (node), rows: new Map() })
    let child = walk.next(node)
    if (kind === 'h') child = closing(child, walk)
    else if (number && /[be]/.test(kind)) child = enter(chunk(number), child, walk, (found.block = []))
    else if (number) {
      const rowChunk = chunk(number)
      for (let index = 0; child && anchor(child) !== '$'; index++) {
        const row = /** @type {Row} */ (/** @type {Partial<Row>} */ ({ block: [], first: child }))
        child = (rowChunk.one ? singleRow : severalRow)(/** @type {any} */ (rowChunk), child, walk, row)
        const key = kind === 'l' && slot.keyAttribute ? attr(row.el, slot.keyAttribute) : `${index}`
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
   * @param {Walk} walk
   * @param {Row} row
   */
  function singleRow({ one, places, s }, node, walk, row) {
    const take = (/** @type {number} */ length) => {
      if (!length) return
      if (node.length > length) {
        const next = walk.next(node)
        const rest = node.splitText(length)
        walk.link(node, rest)
        walk.link(rest, next)
      }
      demand(node.length === length)
      row.last = node
      node = walk.next(node)
    }
    take(one[0])
    while (isAlien(node)) node = walk.next(node)
    node = pass(places[0], node, walk, row)
    demandAll(s, row.block)
    take(one[1])
    return node
  }

  /**
   * A row of any nodes, behind an anchor of its own.
   * @param {CachedChunk} chunk
   * @param {ChildNode} node
   * @param {Walk} walk
   * @param {Row} row
   */
  function severalRow(chunk, node, walk, row) {
    demand(anchor(node) === '$,')
    const end = enter(chunk, walk.next(node), walk, row.block)
    /** @type {any} */
    let each = node
    /** @type {any} */
    let el
    for (; each !== end; each = walk.next(each)) {
      if (anchor(each) === '$t') each = closing(each, walk)
      if (isElement(each) && !isAlien(each)) el ??= each
      row.last = each
    }
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
