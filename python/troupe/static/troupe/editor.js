// editor.js - the texts of elements with contenteditable. A browser splits, joins and replaces the nodes in one as the
// user types, so that its content is the user's, as a control's value is: the server's comes when its text is another
// one, and what was typed is not on its way (see held() in dom-events.js).

import { anchor } from './anchors.js'
import { valueOf } from './event-params.js'

/** @import { EventState } from './types.js' */

/** @param {any} text */
const plain = (text) => text.replace(/\s+/g, '')

/** @param {EventState} events */
export const createEditor = ({ edited }) => ({
  /**
   * Whether this is such an element, and holds nothing but its text.
   * @param {any} el
   */
  owns: (el) => el.isContentEditable && (edited.has(el) || !el.firstElementChild || anchor(el.firstChild) === '$t'),

  /**
   * Whether it shows this text, which the user may have broken into lines in another way.
   * @param {Element} el
   * @param {Element} next
   */
  shows: (el, next) => edited.has(el) && plain(next.textContent) === plain(valueOf(el)),

  /**
   * @param {Element} el
   * @param {Element} next
   */
  write(el, next) {
    edited.delete(el)
    el.replaceChildren(...next.childNodes)
    const { ownerDocument, childNodes } = el
    if (el === ownerDocument.activeElement) /** @type {Selection} */ (ownerDocument.getSelection()).collapse(el, childNodes.length)
  },
})
