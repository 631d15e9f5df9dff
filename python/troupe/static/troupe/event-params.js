// event-params.js - the parameters of an event, read from the page: attributes, a control's value, a form's fields
// (PROTOCOL.md 9.2). All of it as text: the server converts, because it knows the handler and has exact integers.

import { elementsOf } from './form-controls.js'

/** @import { Params } from './types.js' */

// Names that begin with an underscore are Troupe's, not the page's; so are keys and the token.
const PARAMETER = /^(?:(data-(?!key$|troupe))|dj-value-)([^:_-][^:]*)(:.*)?$/
export const BUTTON = /^(submit|button|reset|image)$/

/**
 * data-item-id="3" becomes item_id, dj-value-item-id:int="3" becomes item_id:int; without a type a colon stays, so that
 * the server can tell them apart. Of several the last one wins.
 * @param {Element} el
 * @param {Params} own What Troupe says itself, where it is not undefined: the page's dj-value-* may say otherwise.
 * @returns {Params}
 */
export function attributesOf(el, own) {
  /** @type {Params} */
  const data = {}
  /** @type {Params} */
  const values = {}
  for (const { name, value } of el.attributes) {
    const [, isData, key, type = isData ? '' : ':'] = PARAMETER.exec(name) ?? []
    if (key) (isData ? data : values)[key.replaceAll('-', '_') + type] = value
  }
  for (const name in own) data[name] = own[name] ?? data[name]
  return { ...data, ...values }
}

/**
 * Undefined: not a control, or one that says nothing (a button without a value).
 * @param {any} el An Element of any kind.
 */
export function valueOf(el) {
  if (el.isContentEditable) return el.innerText.replace(/\n$/, '') // the last line break only makes the last line visible
  const { type, value, checked, localName } = el
  // A custom element has a value as well (https://html.spec.whatwg.org/#custom-elements-face-example).
  if (!/^(select|textarea|input|button|.+-.*)$/.test(localName) || type === 'file') return undefined
  if (type === 'checkbox') return checked
  if (type === 'select-multiple') return [...el.selectedOptions].map((option) => option.value)
  return BUTTON.test(type) ? el.getAttribute('value') ?? undefined : value
}

/** @param {Element} el Custom elements need not have a property of that name. */
export const nameOf = (el) => el.getAttribute('name') || undefined

/**
 * A form's fields as a browser would send them, as pairs of texts, and whether files were chosen.
 * @param {HTMLFormElement} form
 * @param {Element | null} [submitter]
 */
export function entriesOf(form, submitter) {
  /** @type {[name: string, value: string][]} */
  const entries = []
  let hasFiles
  const { FormData } = /** @type {Window & typeof globalThis} */ (form.ownerDocument.defaultView)
  for (const [name, value] of new FormData(form, /** @type {HTMLElement} */ (submitter))) {
    if (typeof value !== 'string') hasFiles ||= value.name // an empty field gives a file without a name
    else if (name !== 'csrfmiddlewaretoken') entries.push([name, value]) // the socket's token proves the same
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
  for (const el of elementsOf(form)) {
    const { type } = /** @type {any} */ (el)
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
