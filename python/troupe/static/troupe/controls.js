// controls.js - what a person did to form controls, and when the server's word counts instead.
//
// A control's value is the server's when the server's value changed, or when the control reports its value
// (dj-input, dj-change), nothing it reported is unanswered, and the person is not typing in it. Otherwise
// it is the person's.

const CONTROLS = 'input,select,textarea'

// The control whose value a change in this element may change.
export function controlOf(el) {
  const control = el.closest(CONTROLS)
  return control?.type ? control : null // an <input> of SVG has none
}

export function controlsOf(root, form) {
  return [...root.querySelectorAll(CONTROLS)].filter((control) => control.form === form)
}

const reports = (el) => el.closest('[dj-input],[dj-change]')
const isTick = (el) => /^(checkbox|radio)$/.test(el.type)
const isFocused = (el) => el === el.ownerDocument.activeElement
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b)

// The values of a select's options that are `how`.
const chosen = (el, how = 'selected') => [...el.options].filter((option) => option[how]).map((option) => option.value)
const server = (el) => chosen(el, 'defaultSelected')
const state = (el) => (el.options ? chosen(el) : [el.value, el.checked])

// Of each option, whether it is selected; and of a select that nobody touched.
const picks = (el) => [...el.options].map((option) => option.selected)
const fresh = (el) => picks(el.cloneNode(true))

// What a patch is about to destroy or change unseen.
export const remember = (el) => el.options && [server(el), chosen(el), same(picks(el), fresh(el))]

// After a patch of `el`. changed: the names of the attributes (of a textarea: 'value' for its text) whose
// server value changed; before: what remember() said; busy: the person's newer value is on its way.
export function settle(el, changed, before, busy) {
  if (before) {
    const wanted = server(el)
    const [marked, was, free] = before
    const insists = free || !same(wanted, marked) || (wanted.length && reports(el))
    return select(el, insists && !busy ? null : was)
  }
  if (busy) return undefined
  if (isTick(el)) {
    // A group of radio buttons of which the server ticks none says nothing about the person's choice.
    const wanted = el.defaultChecked
    const insists = changed.has('checked') || (reports(el) && (wanted || el.type === 'checkbox'))
    if (insists) el.checked = wanted
    return undefined
  }
  const wanted = el.localName === 'input' ? el.getAttribute('value') : el.defaultValue || null
  if (changed.has('value') || (wanted !== null && !isFocused(el) && reports(el))) write(el, wanted ?? '')
  return undefined
}

// values: what is to be chosen; null, or none that there is: what a browser would choose by itself.
function select(el, values) {
  if (same(chosen(el), values)) return
  const options = [...el.options]
  const fits = values && (el.multiple || options.some((option) => values.includes(option.value)))
  const own = fresh(el)
  options.forEach((option, at) => {
    const on = fits ? values.includes(option.value) : own[at]
    if (option.selected !== on) option.selected = on
  })
}

// Keeps the caret where it was, as far as the new value reaches.
function write(el, value) {
  if (el.value === value) return
  const caret = caretOf(el)
  el.value = value
  if (isFocused(el)) setCaret(el, caret)
}

// Of nulls where there is none: in other elements, and in inputs without a text selection (number, email).
export const caretOf = (el) => [el?.selectionStart, el?.selectionEnd, el?.selectionDirection]

export function setCaret(el, caret) {
  if (caret[2]) el.setSelectionRange(...caret)
}

// What a form holds when it is sent.
export const snapshot = (controls) => new Map(controls.map((el) => [el, state(el)]))

// After a form's DONE its controls are as the server has them, but for what the person did since.
export function reset(form, controls, sent) {
  const newer = controls.filter((el) => sent.has(el) && !same(sent.get(el), state(el)) && el.type !== 'file')
  const kept = newer.map((el) => [el, state(el), caretOf(el)])
  Object.getPrototypeOf(form).reset.call(form) // a control may be named "reset"
  for (const [el, was, caret] of kept) {
    if (el.options) select(el, was)
    else {
      el.checked = was[1]
      write(el, was[0])
    }
    if (isFocused(el)) setCaret(el, caret)
  }
}
