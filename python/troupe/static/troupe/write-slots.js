// write-slots.js - writes the values of a patch into the slots of one view (PROTOCOL.md 9.6), where find-slots.js found
// them: texts, attributes, tags, branches, lists and regions.

import { demand } from './anchors.js'
import { firstChild, insertBefore, isConnected, localName, member, parentElement, parentNode, queryAll, siblings } from './dom.js'
import { createSlotFinder } from './find-slots.js'

/**
 * @import { Block, BranchValue, CachedChunk, Decodable, ListValue, Morpher, PatchValues, Row, Slot, SlotKind } from './types.js'
 */

/**
 * @param {Document} doc
 * @param {(number: number | string) => CachedChunk} chunk
 * @param {Morpher} morph
 */
export function createSlotWriter(doc, chunk, morph) {
  const { claim, editor, fill, grow, held, move, parseInside, range, strangers, syncAttribute, syncAttributes, touch } = morph
  const { behind, cut, cutRange, span } = strangers
  const finder = createSlotFinder(doc, chunk, morph)
  /** @type {[Slot, any][]} Values of slots under something that is held now. */
  let waiting = []

  /**
   * Makes a block and puts it before `follower`.
   * @param {number} number Of its chunk.
   * @param {PatchValues} values
   * @param {Node} follower
   * @param {boolean} [isRow]
   * @returns {Row}
   */
  function insert(number, values, follower, isRow) {
    const parent = /** @type {Element} */ (parentNode(follower))
    const made = chunk(number)
    const within = member(parent, 'namespaceURI') + localName(parent)
    if (made.within !== within) Object.assign(made, { within, holder: parseInside(parent, /** @type {string} */ (made.h)) })
    // While it is made it stands in an element like its parent, so that markup in its slots is parsed right.
    const holder = doc.importNode(/** @type {Element} */ (made.holder), true)
    /** @type {Block} */
    const block = []
    claim(holder)
    queryAll(holder, 'select').forEach(touch) // what is put before its first option becomes the first
    finder.enter(made, firstChild(holder), strangers.walk(holder), block)
    if (isRow && !made.one) insertBefore(holder, doc.createComment('$,'), firstChild(holder))
    write(block, values, true)
    const nodes = siblings(firstChild(holder))
    for (const node of nodes) insertBefore(parent, node, follower)
    grow(nodes)
    return /** @type {Row} */ (/** @type {Partial<Row>} */ ({ block, first: nodes[0], last: nodes.at(-1) }))
  }

  /**
   * @param {Block} block
   * @param {PatchValues} values
   * @param {boolean} [isNew] It is not in the page yet: nothing in it can be held, or be changed by others.
   */
  function write(block, values, isNew) {
    for (const [number, value] of Object.entries(values)) {
      if (number !== 'b') put(block[/** @type {any} */ (number)], value, isNew)
    }
  }

  /**
   * Writes a value into its slot, or keeps it until it may be written.
   * @param {Slot} slot
   * @param {any} value
   * @param {boolean} [isNew]
   */
  function put(slot, value, isNew) {
    const el = slot.el ?? parentNode(slot.node)
    const wait = () => waiting.push([slot, value])
    if (!isNew) {
      demand(el && isConnected(el))
      // A difference is one from what all before it have left.
      if (waiting.some(([, each]) => each.d || value.d)) return wait()
      for (let above = /** @type {Element | null} */ (el); above; above = parentElement(above)) if (held(above)) return wait()
      touch(el)
    }
    return (value.d ? /** @type {any} */ (morph).differ(slot, value.d, el) : WRITE[slot.kind](slot, value, el)) && wait()
  }

  /**
   * By kind of slot. True: something in it was held, so that it is not written to the end.
   * @type {{ [kind in SlotKind]: (slot: Slot, value: any, parent: Element) => unknown }}
   */
  const WRITE = {
    T: (_, value) => void (doc.title = decode(value, 'title')),
    a: ({ el, position }, value) => syncAttribute(el, /** @type {string} */ (position), decode(value)),
    r: ({ el }, value) => fill(el, decode(value, localName(el))),
    h: ({ node, end }, { h }, parent) => range(node, /** @type {Node} */ (end), parseInside(parent, h)),

    c: ({ el }, value) => editor.get()?.sync(el, parseInside(el, value.h ?? ''), value),

    g({ el }, value) {
      const next = /** @type {Element} */ (parseInside(/** @type {Element} */ (parentNode(el)), value).lastElementChild)
      demand(localName(next) === localName(el))
      syncAttributes(el, next)
    },

    t(slot, value, parent) {
      const { node, start, end } = slot
      if (value.h !== undefined) {
        const next = parseInside(parent, value.h)
        if (/</.test(value.h)) {
          const mark = (/** @type {string} */ data) => insertBefore(parent, doc.createComment(data), node)
          if (!end) Object.assign(slot, { start: mark('$t'), end: mark('$') })
          node.data = ''
          return range(slot.start, /** @type {Node} */ (slot.end), next)
        }
        value = next.textContent
      }
      if (end) {
        cutRange(start, end)
        parent.removeChild(start)
        parent.removeChild(end)
        slot.end = null
      }
      if (node.data !== value) node.data = value
      return false
    },

    b(slot, /** @type {BranchValue} */ value) {
      if (value.b === undefined) return write(/** @type {Block} */ (slot.block), value)
      cutRange(slot.node, /** @type {Node} */ (slot.end), slot.kind === 'l')
      slot.block = value.b === null ? null : insert(value.b, value, /** @type {Node} */ (slot.end)).block
      return false
    },

    l(slot, /** @type {ListValue} */ { x, b, e, m = [], r = {}, '-': removed = [] }, parent) {
      const { node } = slot
      const rows = /** @type {{ get(key: string): Row } & Map<string, Row>} */ (slot.rows)
      if (x && rows.size) {
        for (const row of rows.values()) cut(row)
        rows.clear()
      }
      for (const key of removed) {
        cut(rows.get(key))
        rows.delete(key)
      }
      if (m.length && slot.block) WRITE.b(slot, { b: null }, parent)
      for (const [key, after, values] of m) {
        const follower = /** @type {Node} */ (behind(parent, after === null ? node : rows.get(after).last))
        const row = rows.get(key)
        demand(!row !== !values)
        if (values) rows.set(key, insert(/** @type {number} */ (b), values, follower, true))
        else if (row.first !== follower) {
          for (const each of span(row)) move(parent, each, follower)
        }
      }
      for (const [key, values] of Object.entries(r)) write(rows.get(key).block, values)
      if (e) WRITE.b(slot, e, parent)
    },
  }

  /**
   * Text as a parser reads it, where the server left that to the browser.
   * @param {Decodable} value
   * @param {string} [name] The element that it stands in; without one it is an attribute.
   */
  function decode(value, name) {
    const { h } = /** @type {{ h: string }} */ (value)
    if (h === undefined) return /** @type {string} */ (value)
    if (/^[ns]/.test(/** @type {string} */ (name))) return h // noscript, script and style
    const html = name ? `<textarea>\n${h}</textarea>` : `<i title="${h.replaceAll('"', '&quot;')}">`
    const made = /** @type {HTMLElement} */ (parseInside(doc.createElement('p'), html).firstChild)
    return name ? /** @type {string} */ (made.textContent) : made.title
  }

  return {
    write,

    /** Finds the slots of the whole page. */
    adopt: finder.adopt,

    // What waits is of the root before.
    forget() {
      waiting = []
    },

    // What waited is written, unless it has to wait on.
    flush() {
      const list = waiting
      waiting = []
      for (const [slot, value] of list) if (isConnected(slot.el ?? slot.node)) put(slot, value)
    },
  }
}
