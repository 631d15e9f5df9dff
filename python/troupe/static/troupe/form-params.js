// form-params.js - the parameters of a form's event (PROTOCOL.md 9.2): its fields as a browser would send them, and what
// the markup says of them. A part of forms.js.

import { member, windowOf } from './dom.js'
import { attributesOf, BUTTON, nameOf } from './event-params.js'

/** @import { Params } from './types.js' */

/**
 * A text as forms send it (https://html.spec.whatwg.org/#constructing-the-form-data-set), and request.POST has it.
 * @param {string} text
 */
export const crlf = (text) => text.replace(/\r\n?|\n/g, '\r\n')

/**
 * A form's fields as a browser would send them, as pairs of texts, and whether files were chosen.
 * @param {HTMLFormElement} form
 * @param {Element | null} [submitter]
 */
export function entriesOf(form, submitter) {
  /** @type {[name: string, value: string][]} */
  const entries = []
  let hasFiles
  const { FormData } = windowOf(form)
  for (const [name, value] of new FormData(form, /** @type {HTMLElement} */ (submitter))) {
    if (typeof value !== 'string') hasFiles ||= value.name // an empty field gives a file without a name
    else if (name !== 'csrfmiddlewaretoken') entries.push([name, crlf(value)]) // the socket's token proves the same
  }
  return { entries, hasFiles }
}

/**
 * What a form's event carries. What a name's value is must not depend on how many of its boxes are ticked: the names
 * that are lists by the markup are told, and which lone boxes there are.
 * @param {HTMLFormElement} form
 * @param {[string, string][]} _fields
 * @param {Element | null} target The control that changed, or the button.
 * @returns {Params}
 */
export function formParams(form, _fields, target) {
  /** @type {any} Without a prototype: a field may be called __proto__. */
  const groups = { __proto__: null }
  /** @type {any} */
  const _boxes = { __proto__: null }
  const _lists = []
  for (const el of member(form, 'elements')) {
    const { type } = el
    const name = nameOf(el)
    if (name && !BUTTON.test(type) && type !== 'radio') (groups[name] ??= []).push(el)
  }
  for (const name in groups) {
    const [first, ...others] = groups[name]
    const { type, id, checked } = first
    const isBox = type === 'checkbox'
    if (/\[]$/.test(name) || type === 'select-multiple' || others.some((/** @type {any} */ el) => el.type === type) ||
      (isBox && id.endsWith(`${name}_0`))) _lists.push(name) // the last: Django's only choice of several
    else if (isBox && !first.matches(':disabled')) _boxes[name] = checked
  }
  return attributesOf(form, { _target: target ? nameOf(target) : undefined, _fields, _lists, _boxes })
}
