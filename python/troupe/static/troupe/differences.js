// differences.js - writes what differs inside a region, where that comes instead of its whole HTML (PROTOCOL.md 9.6): a
// part of its own, which pages load when they are sent the first such value (parts.js).
//
// All places are found before anything is written. So nothing is, where a page is not as the server says, or where
// something is held, and what follows can still count on what was there before.

import { demand } from './anchors.js'
import { TEXT, firstChild, insertBefore, isElement, isIgnored, localName, nextSibling, nodeType, ownerDocument, parentNode, queryAll, remove, siblings } from './dom.js'
import { matchChildren } from './match-children.js'

/** @import { Change, Decodable, Morpher, Slot } from './types.js' */

/** @param {Morpher} morph */
export function create(morph) {
  const { claim, held, isAlien, morphChildren, parseInside, strangers, syncAttribute, syncAttributes, touch } = morph

  /** @param {Node} node */
  const isOurs = (node) => !isAlien(node)

  /** @param {Node} node */
  const isText = (node) => isOurs(node) && nodeType(node) === TEXT

  /** @param {Node} node */
  const isHeld = (node) => isElement(node) && [node, ...queryAll(node, '*')].some(held)

  /**
   * Notes what leads to a change of `parent`, whose children are meant that stand between two nodes, or all of them.
   * True: something in it is held.
   * @param {Element} parent
   * @param {Change} change
   * @param {Node | null} start
   * @param {Node | null} end
   * @param {(() => unknown)[]} todo
   * @returns {boolean}
   */
  function plan(parent, [count, ...members], start, end, todo) {
    const first = () => (start ? nextSibling(start) : firstChild(parent))
    const units = siblings(first(), end).filter((node) => isOurs(node) && !isText(node))
    demand(units.length === count)
    // What others wrapped or replaced is found by none of this.
    demand(!strangers.isDisturbed(parent) || strangers.children(parent).every((node) => parentNode(node) === parent))
    touch(parent)

    /** @param {string} html */
    function tag(html) {
      const next = /** @type {Element} */ (parseInside(parentNode(parent), html).lastElementChild)
      demand(localName(next) === localName(parent))
      todo.push(() => syncAttributes(parent, next))
    }

    /**
     * The text in a gap.
     * @param {number} gap
     * @param {Decodable} value
     */
    function text(gap, value) {
      const behind = units[gap - 1]
      demand(!gap || behind)
      todo.push(() => {
        const from = () => (behind ? nextSibling(behind) : first())
        const data = typeof value === 'string' ? value : parseInside(parent, value.h).textContent
        const [node, ...more] = siblings(from(), units[gap] ?? end).filter(isText)
        more.forEach(remove)
        if (node) /** @type {Text} */ (node).data = /** @type {string} */ (data)
        else insertBefore(parent, ownerDocument(parent).createTextNode(data), from())
      })
    }

    /**
     * Children that stay (by number, each with the text behind it) and others, instead of those from one to another.
     * @param {number} from
     * @param {number} to
     * @param {(number | [number, number] | string)[]} items
     */
    function replace(from, to, items) {
      const follower = units[to] ?? end
      /** @type {(item: number | [number, number]) => ChildNode[]} */
      const named = (item) => typeof item === 'number' ? units.slice(item, item + 1) : units.slice(item[0], item[1] + 1)
      const stay = new Set(items.flatMap((item) => typeof item === 'string' ? [] : named(item)))
      todo.push(() => {
        /** @type {Set<Node>} */
        const kept = new Set()
        const news = items.flatMap((item) => typeof item === 'string' ? siblings(firstChild(parseInside(parent, item))) : named(item).flatMap(withText))
        const olds = from < to ? siblings(units[from], follower).filter(isOurs) : []
        const isNew = (/** @type {Node} */ node) => !kept.has(node)
        const pairs = matchChildren(olds.filter(isNew), news.filter(isNew), strangers.serverValue)
        morphChildren(parent, olds, news, follower, news.map((node) => isNew(node) ? pairs.shift() : node))

        /** @param {ChildNode} unit */
        function withText(unit) {
          const nodes = [unit]
          for (let node = nextSibling(unit); node && node !== end && (isText(node) || isAlien(node)); node = nextSibling(node)) {
            if (isText(node)) nodes.push(node)
          }
          for (const node of nodes) kept.add(node)
          return nodes
        }
      })
      return units.slice(from, to).some((unit) => !stay.has(unit) && isHeld(unit))
    }

    return members.some((member) => {
      if (typeof member === 'string') return tag(member)
      if (!Array.isArray(member)) {
        return todo.push(() => Object.entries(member).forEach(([name, value]) => syncAttribute(parent, name, value))) < 0
      }
      const [index, what, inside] = member
      if (member.length === 2) return text(index, /** @type {Decodable} */ (what))
      if (typeof what === 'number') return replace(index, what, /** @type {any} */ (inside))
      const el = /** @type {Element} */ (units[index])
      demand(localName(el).toLowerCase() === what)
      if (isIgnored(el)) return claim(el)
      return held(el) || plan(el, /** @type {Change} */ (inside), null, null, todo)
    })
  }

  /**
   * Writes the change of a slot. True: something in it is held, and nothing was written.
   * @param {Partial<Slot>} slot Of markup, between two anchors; or the root.
   * @param {Change} change
   * @param {Element} parent The root itself.
   */
  morph.differ = ({ kind, node, start = node, end }, change, parent) => {
    /** @type {(() => unknown)[]} */
    const todo = []
    demand(kind === 'h' || end)
    if (plan(parent, change, start ?? null, end ?? null, todo)) return true
    for (const each of todo) each()
    return false
  }
}
