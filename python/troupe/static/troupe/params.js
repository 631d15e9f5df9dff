// params.js - what an event tells its handler, read from the page.

const PARAMETER = /^(?:data|dj-value)-([^:]+)(?::(\w+))?$/
// Keys and the token are ours, not the handler's.
const OURS = /^data-(?:key|troupe.*)$/

const FALSE = new Set(['', '0', 'false', 'no', 'off', 'none'])
const number = (text) => (text.trim() === '' || Number.isNaN(Number(text)) ? null : Number(text))
const TYPES = {
  int: (text) => (number(text) === null ? null : Math.trunc(number(text))),
  float: number,
  bool: (text) => !FALSE.has(text.trim().toLowerCase()),
  json(text) {
    try {
      return JSON.parse(text)
    } catch {
      console.warn(`troupe: not JSON in a parameter: ${text}`)
      return null
    }
  },
}

const named = () => Object.create(null) // a field may be called __proto__

// data-item-id="3" and dj-value-item-id:int="3" become item_id; the latter wins.
export function attributesOf(el, params = named()) {
  const attributes = [...el.attributes].filter((attr) => !OURS.test(attr.name))
  for (const prefix of ['data-', 'dj-value-']) {
    for (const { name, value } of attributes) {
      const [, key, type] = (name.startsWith(prefix) && PARAMETER.exec(name)) || []
      if (key) params[key.replaceAll('-', '_')] = type in TYPES ? TYPES[type](value) : value
    }
  }
  return params
}

// Undefined: not a control, or one that says nothing (a button without a value).
export function valueOf(el) {
  if (el.localName === 'select') {
    return el.multiple ? [...el.selectedOptions].map((option) => option.value) : el.value
  }
  if (el.localName === 'textarea') return el.value
  if (el.localName === 'button') return el.getAttribute('value') ?? undefined
  if (el.localName !== 'input') return el.isContentEditable ? el.textContent : undefined
  if (el.type === 'checkbox') return el.checked
  if (el.type === 'file') return undefined
  if (['submit', 'button', 'reset', 'image'].includes(el.type)) return el.getAttribute('value') ?? undefined
  return el.value
}

// A form's fields as a browser would send them; a name that occurs twice, and a multiple select, is a list.
export function fieldsOf(form, submitter, params = named()) {
  const data = new form.ownerDocument.defaultView.FormData(form, submitter)
  const lists = [...form.querySelectorAll('select[multiple][name]')].map((select) => select.name)
  for (const name of new Set([...lists, ...data.keys()])) {
    if (name === 'csrfmiddlewaretoken') continue // the socket has a proof of its own
    const values = data.getAll(name).filter((value) => typeof value === 'string' || refuse(name, value))
    if (values.length > 1 || lists.includes(name)) params[name] = values
    else if (values.length) params[name] = values[0]
  }
  return params
}

function refuse(name, file) {
  if (file.size || file.name) console.warn(`troupe: the file in "${name}" is not sent`)
  return false
}
