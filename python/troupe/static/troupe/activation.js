// activation.js - what a click, a submit or a key is for, as HTML has it.

import { attr, closest, contains, matches, member, windowOf } from './dom.js'
import { BUTTON } from './event-params.js'

// These have their clicks for themselves, also inside of an element with dj-click
// (https://html.spec.whatwg.org/#interactive-content).
const OWNERS = '[dj-click],a[href],button,input,select,textarea,label,[contenteditable]'

/**
 * The element with dj-click that a click is for, or null.
 * @param {Element} target
 * @returns {any}
 */
export function clickedElement(target) {
  const owner = closest(target, OWNERS)
  const el = owner && closest(owner, '[dj-click]')
  // A click on a label is followed by one on its control. Of the two, the control's counts.
  if (el === owner) return owner && contains(owner, labelled(owner)) ? null : owner
  return el && labelled(el) === owner ? el : null
}

/** @type {(el: any) => Element | null} The control of a label; null for any other element. */
export const labelled = (el) => matches(el, 'label') ? el.control : null

export const DISABLED = ':disabled,[aria-disabled="true"]'

/**
 * Whether another script does not want the event. An inline handler that prevents it in any case
 * (onsubmit="return false") only keeps the browser from acting on it.
 * @param {Event} event
 * @param {Element} el
 */
export const isVetoed = ({ defaultPrevented, type }, el) => defaultPrevented &&
  !/^(return false|event.prev)/.test(/** @type {string} */ (attr(el, `on${type}`)))

/** @param {Element} el One with dj-confirm asks first. */
export function isAllowed(el) {
  const question = attr(el, 'dj-confirm')
  return !question || windowOf(el).confirm(question)
}

/** @param {any} el Where Enter makes a new line. */
export const isMultiline = (el) => matches(el, 'textarea') || member(el, 'isContentEditable')

/** @param {any} el Where Enter does something with what was typed: a new line, or its form's submission. */
export const isField = (el) => isMultiline(el) ||
  (matches(el, 'input') && !BUTTON.test(el.type))
