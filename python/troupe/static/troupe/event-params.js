// event-params.js - the parameters of an event, read from the page: attributes, a control's value, a form's fields
// (PROTOCOL.md 9.2). All of it as text: the server converts, because it knows the handler and has exact integers.

import { attr, attributes, closest, localName, member, windowOf } from './dom.js'

/** @import { Params } from './types.js' */

// Names that begin with an underscore are Troupe's, not the page's; so are keys and the token.
const PARAMETER = /^(?:(data-(?!key$|troupe))|dj-value-)([^:_-][^:]*)(:.*)?$/
export const BUTTON = /^(sub|but|res|im)/ // the types of buttons

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
  for (const { name, value } of attributes(el)) {
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
  if (member(el, 'isContentEditable')) return member(el, 'innerText').replace(/\n$/, '') // the last line break only makes the last line visible
  // A custom element has a value as well (https://html.spec.whatwg.org/#custom-elements-face-example).
  if (!/^(select|texta|inp|but|.+-)/.test(localName(el))) return undefined
  const { type, value, checked } = el
  if (type === 'file') return undefined
  // What a custom element tells its form alone (https://html.spec.whatwg.org/#dom-elementinternals-setformvalue).
  const form = closest(el, 'form')
  if (value === undefined) return form && new (windowOf(el).FormData)(form).get(/** @type {string} */ (nameOf(el)))
  if (type === 'checkbox') return checked
  if (type === 'select-multiple') return [...el.selectedOptions].map((option) => option.value)
  // Half of an emoji becomes what FormData makes of it.
  return BUTTON.test(type) ? attr(el, 'value') ?? undefined : value?.toWellFormed?.() ?? value
}

/** @param {Element} el Custom elements need not have a property of that name. */
export const nameOf = (el) => attr(el, 'name') || undefined
