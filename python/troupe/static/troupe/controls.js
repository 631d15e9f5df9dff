// controls.js - what a person did to form controls, and when the server's word counts instead.
//
// A control's value is the server's when the server's value changed, or when the control reports its value
// (dj-input, dj-change), nothing it reported is unanswered, and the person is not typing in it. Otherwise
// it is the person's.

const CONTROLS = 'input,select,textarea'

const TICKS = new Set(['checkbox', 'radio'])

export function controlsOf(root, form) {
  return [...root.querySelectorAll(CONTROLS)].filter((control) => control.form === form)
}

const reports = (el) => el.closest('[dj-input],[dj-change]') !== null

const serverSelection = (el) =>
  [...el.options].filter((option) => option.defaultSelected).map((option) => option.value)

const selection = (el) => [...el.options].filter((option) => option.selected).map((option) => option.value)

const same = (a, b) => a.length === b.length && a.every((value, at) => value === b[at])

// What a patch is about to destroy or change unseen.
export function remember(el) {
  if (el.localName === 'select') return { server: serverSelection(el), chosen: selection(el) }
  return null
}

// After a patch of `el`. changed: the names of the attributes (of a textarea: 'value' for its text) whose
// server value changed; before: what remember() said; busy: the person's newer value is on its way.
export function settle(el, changed, before, busy) {
  if (el.localName === 'select') return settleSelect(el, before, busy)
  if (busy || el.type === 'file') return undefined
  if (TICKS.has(el.type)) return settleTick(el, changed.has('checked'))
  const server = el.localName === 'input' ? el.getAttribute('value') : el.defaultValue || null
  const typing = el === el.ownerDocument.activeElement
  if (changed.has('value') || (server !== null && !typing && reports(el))) write(el, server ?? '')
  return undefined
}

// A group of radio buttons of which the server ticks none says nothing about the person's choice.
function settleTick(el, changed) {
  const server = el.defaultChecked
  const insists = changed || (reports(el) && (server || el.type === 'checkbox'))
  if (insists && el.checked !== server) el.checked = server
}

function settleSelect(el, before, busy) {
  const server = serverSelection(el)
  const insists = !same(server, before.server) || (server.length && reports(el))
  if (insists && !busy) return select(el, server)
  return select(el, before.chosen, server)
}

function select(el, values, otherwise = []) {
  if (same(selection(el), values)) return
  const options = [...el.options]
  if (el.multiple) {
    for (const option of options) option.selected = values.includes(option.value)
    return
  }
  const pick = (wanted) => options.findLastIndex((option) => wanted.includes(option.value))
  const first = el.size > 1 ? -1 : options.findIndex((option) => !option.disabled)
  const found = [pick(values), pick(otherwise), first]
  el.selectedIndex = found.find((at) => at >= 0) ?? -1
}

// Keeps the caret where it was, as far as the new value reaches.
function write(el, value) {
  if (el.value === value) return
  const caret = caretOf(el)
  const top = el.scrollTop
  el.value = value
  if (el === el.ownerDocument.activeElement) setCaret(el, caret)
  if (top) el.scrollTop = top
}

// Null where there is none: other elements, and inputs that have no text selection (number, email).
export function caretOf(el) {
  if (el?.selectionStart === undefined || el.selectionStart === null) return null
  return [el.selectionStart, el.selectionEnd, el.selectionDirection]
}

export function setCaret(el, caret) {
  if (!caret) return
  const [from, to] = caret.map((at) => Math.min(at, el.value.length))
  el.setSelectionRange(from, to, caret[2])
}

const state = (el) => {
  if (el.localName === 'select') return selection(el)
  return [el.value, el.checked]
}

// What a form holds when it is sent.
export function snapshot(controls) {
  return new Map(controls.map((el) => [el, state(el)]))
}

// After a form's DONE its controls are as the server has them, but for what the person did since.
export function reset(form, controls, sent) {
  const newer = controls.filter((el) => sent.has(el) && !same(sent.get(el), state(el)) && el.type !== 'file')
  const kept = newer.map((el) => [el, state(el), caretOf(el)])
  Object.getPrototypeOf(form).reset.call(form) // a control may be named "reset"
  for (const [el, was, caret] of kept) {
    if (el.localName === 'select') select(el, was)
    else if (TICKS.has(el.type)) el.checked = was[1]
    else write(el, was[0])
    if (el === el.ownerDocument.activeElement) setCaret(el, caret)
  }
}
