// params.js - what an event tells its handler, read from the page.

const PARAMETER = /^(data|dj-value)-([^:]+)(?::(\w+))?$/
// Keys and the token are ours, not the handler's.
const OURS = /^data-(key|troupe.*)$/

const number = (text) => (text.trim() && !Number.isNaN(Number(text)) ? Number(text) : null)
const TYPES = {
  int: (text) => number(text) && Math.trunc(number(text)),
  float: number,
  bool: (text) => !/^\s*(0|false|no|off|none)?\s*$/i.test(text),
  json: JSON.parse,
}

const named = () => Object.create(null) // a field may be called __proto__

// data-item-id="3" and dj-value-item-id:int="3" become item_id; the latter wins.
export function attributesOf(el) {
  const params = [named(), named()]
  for (const { name, value } of el.attributes) {
    const [, prefix, key, type] = (!OURS.test(name) && PARAMETER.exec(name)) || []
    if (key) params[prefix === 'data' ? 0 : 1][key.replaceAll('-', '_')] = TYPES[type] ? TYPES[type](value) : value
  }
  return Object.assign(...params)
}

// Undefined: not a control, or one that says nothing (a button without a value).
export function valueOf(el) {
  if (!el.matches('select,textarea,input,button')) return el.isContentEditable ? el.textContent : undefined
  const { type } = el
  if (type === 'file') return undefined
  if (type === 'checkbox') return el.checked
  if (type === 'select-multiple') return [...el.selectedOptions].map((option) => option.value)
  return /^(submit|button|reset|image)$/.test(type) ? el.getAttribute('value') ?? undefined : el.value
}

// A form's fields as a browser would send them; a name that occurs twice, and a multiple select, is a list.
export function fieldsOf(form, submitter, params) {
  const data = new form.ownerDocument.defaultView.FormData(form, submitter)
  const lists = [...form.querySelectorAll('select[multiple][name]')].map((select) => select.name)
  for (const name of new Set([...lists, ...data.keys()])) {
    if (name === 'csrfmiddlewaretoken') continue // the socket has a proof of its own
    const values = data.getAll(name).filter((value) => typeof value === 'string' || refuse(value))
    if (values.length > 1 || lists.includes(name)) params[name] = values
    else if (values.length) params[name] = values[0]
  }
  return params
}

function refuse({ name }) {
  if (name) console.warn('troupe: not sent:', name)
}
