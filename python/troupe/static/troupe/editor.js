// editor.js - the content of elements with contenteditable: a part of its own, which pages load that have one (parts.js).
//
// A browser splits, joins and replaces the nodes in one as the user types, so that its content is the user's, as a
// control's value is: the server's comes when it is new, and what was typed is not on its way (held() in dom-events.js).

import { anchor } from './anchors.js'
import { firstChild, member, query } from './dom.js'
import { valueOf } from './event-params.js'
import { rest } from './form-reset.js'

/** @import { Listen, Settle } from './types.js' */

/** @param {Element} el */
const contentOf = (el) => member(el, 'innerHTML').replace(/<!--\$.*?-->/g, '')

/**
 * What differs only in how lines are broken is the same: browsers do that in several ways.
 * @param {string} html
 */
const normal = (html) => html.replace(/<\/?(?:br|div|p)>|&nbsp;|\s+/g, '')

/** @param {Element} el */
const markup = (el) => normal(contentOf(el))

/** @param {string | null} text */
const plain = (text) => (text ?? '').replace(/\s+/g, '')

/** @param {{ document: Document, listen: Listen }} options */
export function create({ document, listen }) {
  /** @type {WeakMap<Element, string | undefined>} Those that the user edited, and what the server had rendered there. */
  const edited = new WeakMap()

  /** @type {(event: Event, before?: boolean) => void} */
  const note = ({ target }, before) => {
    const el = /** @type {HTMLElement} */ (target)
    if (member(el, 'isContentEditable') && !edited.has(el)) edited.set(el, before ? contentOf(el) : undefined)
  }
  listen('beforeinput', (event) => note(event, true))
  listen('input', (event) => note(event)) // a script's edits come without the other

  /**
   * Whether it shows this content. Where the server has no markup the user's is let be: it stores the text.
   * @param {Element} el
   * @param {Element} next
   */
  const shows = (el, next) => plain(next.textContent) === plain(valueOf(el)) &&
    (!markup(next).includes('<') || markup(next) === markup(el))

  /**
   * The caret stays where it was, counted in characters.
   * @param {Element} el
   * @param {ParentNode} next
   */
  function write(el, next) {
    const selection = /** @type {Selection} */ (document.getSelection())
    const range = el === document.activeElement && selection.rangeCount ? selection.getRangeAt(0).cloneRange() : null
    range?.setStart(el, 0)
    let left = `${range ?? ''}`.length
    edited.delete(el)
    member(el, 'replaceChildren')(...next.childNodes)
    if (!range) return
    const walker = document.createTreeWalker(el, 4) // NodeFilter.SHOW_TEXT
    for (let text = /** @type {Text | null} */ (walker.nextNode()); text; text = /** @type {Text | null} */ (walker.nextNode())) {
      if (left <= text.length) return selection.collapse(text, left)
      left -= text.length
    }
    selection.collapse(el, member(el, 'childNodes').length)
  }

  return {
    /** @param {Element} el */
    has: (el) => edited.has(el),

    /**
     * Whether this is such an element, and holds nothing but its text.
     * @param {any} el
     */
    owns: (el) => member(el, 'isContentEditable') && (edited.has(el) || !query(el, '*') || anchor(firstChild(el)) === '$t'),

    /**
     * What its events carry beside its text.
     * @param {any} el
     */
    params: (el) => (member(el, 'isContentEditable') ? { html: contentOf(el) } : {}),

    /**
     * What was sent of it is the server's once it is done: unless the user went on, it shows what the server has.
     * @param {Element} el
     * @returns {Settle}
     */
    takes(el) {
      const sent = valueOf(el)
      return (outcome) => outcome !== 'done' ? undefined : () => {
        const html = edited.get(el)
        const more = rest(valueOf(el), sent)
        if (html === undefined || (more === valueOf(el) && more !== sent)) return
        const template = document.createElement('template')
        template.innerHTML = html
        if (more !== sent) template.content.append(more)
        write(el, template.content)
      }
    },

    /**
     * The server has this for it.
     * @param {Element} el
     * @param {Element} next
     * @param {any} [value] Of its slot, which is a text without markup, or was parsed.
     */
    sync(el, next, value) {
      if (typeof value === 'string') next.textContent = value
      const last = edited.get(el)
      if (last !== undefined && normal(last) === markup(next)) return // it has nothing new
      if (edited.has(el) && shows(el, next)) edited.set(el, contentOf(next))
      else write(el, next)
    },
  }
}
