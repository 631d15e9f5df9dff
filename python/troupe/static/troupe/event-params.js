// event-params.js - the parameters of an event, read from the page: attributes, a control's value, a form's fields.

/** @import { Params } from './types.js' */

const PARAMETER = /^(data|dj-value)-([^:]+)(?::(\w+))?$/
// Keys and the token are Troupe's, not the handler's.
const RESERVED = /^data-(key|troupe.*)$/

/** @param {string} text */
const number = (text) => (text.trim() && !Number.isNaN(Number(text)) ? Number(text) : null)
/** @type {{ [type: string]: (text: string) => unknown }} */
const TYPES = {
  int: (text) => number(text) && Math.trunc(/** @type {number} */ (number(text))),
  float: number,
  bool: (text) => !/^\s*(0|false|no|off|none)?\s*$/i.test(text),
  json: JSON.parse,
}

/**
 * Without a prototype: a field may be called __proto__.
 * @type {() => Params}
 */
const emptyParams = () => Object.create(null)

/**
 * data-item-id="3" and dj-value-item-id:int="3" become item_id; the latter wins.
 * @param {Element} el
 * @returns {Params}
 */
export function attributesOf(el) {
  const params = [emptyParams(), emptyParams()]
  for (const { name, value } of el.attributes) {
    const [, prefix, key, type] = (!RESERVED.test(name) && PARAMETER.exec(name)) || []
    if (key) params[prefix === 'data' ? 0 : 1][key.replaceAll('-', '_')] = TYPES[type] ? TYPES[type](value) : value
  }
  return Object.assign(.../** @type {[Params, Params]} */ (params))
}

/**
 * Undefined: not a control, or one that says nothing (a button without a value).
 * @param {any} el An Element of any kind.
 */
export function valueOf(el) {
  if (!el.matches('select,textarea,input,button')) return el.isContentEditable ? el.textContent : undefined
  const { type } = el
  if (type === 'file') return undefined
  if (type === 'checkbox') return el.checked
  if (type === 'select-multiple') return [...el.selectedOptions].map((option) => option.value)
  return /^(submit|button|reset|image)$/.test(type) ? el.getAttribute('value') ?? undefined : el.value
}

/**
 * A form's fields as a browser would send them; a name that occurs twice, and a multiple select, is a list.
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} submitter
 * @param {Params} params Where they go.
 */
export function fieldsOf(form, submitter, params) {
  const view = /** @type {Window & typeof globalThis} */ (form.ownerDocument.defaultView)
  /** @type {FormData} */
  const data = new view.FormData(form, submitter)
  const selects = /** @type {NodeListOf<HTMLSelectElement>} */ (form.querySelectorAll('select[multiple][name]'))
  const lists = [...selects].map((select) => select.name)
  for (const name of new Set([...lists, ...data.keys()])) {
    if (name === 'csrfmiddlewaretoken') continue // the socket's token proves the same
    const values = data.getAll(name).filter((value) => typeof value === 'string' || warnOfFile(value))
    if (values.length > 1 || lists.includes(name)) params[name] = values
    else if (values.length) params[name] = values[0]
  }
  return params
}

/** @param {File} file An empty field gives one without a name. */
function warnOfFile({ name }) {
  if (name) console.warn('troupe: not sent:', name)
}
