// form-controls.js - what the user did to form controls, and when the server's value wins instead.
//
// A control's value is the server's when the server's value changed, or when the control reports its value
// (dj-input, dj-change), nothing it reported is unanswered, and the user is not typing in it. Otherwise it is the
// user's.

import { closest, matches, member, ownerDocument } from './dom.js'

/** @import { Caret, Control } from './types.js' */

export const CONTROLS = 'input,select,textarea'

/**
 * The control whose value a change in this element may change.
 * @param {Element} el
 */
export function controlOf(el) {
  const control = /** @type {Control | null} */ (closest(el, CONTROLS))
  return control?.type ? control : null // an <input> of SVG has none
}

export const INPUTS = ['dj-input', 'dj-change']
const REPORTING = '[dj-input],[dj-change]'

/** @type {(el: any) => any} The form of a control, which may stand elsewhere. (A form may have a field of the name "form".) */
export const formOf = (el) => matches(el, 'form') ? null : el.form

/** @param {Element} el */
export const reports = (el) => closest(el, REPORTING) ?? (formOf(el) && closest(formOf(el), REPORTING))

/**
 * @param {Control} el
 * @returns {el is HTMLInputElement}
 */
const isTick = (el) => /^(check|radio)/.test(el.type)
/** @param {Element} el */
export const isFocused = (el) => el === member(ownerDocument(el), 'activeElement')
/** @type {(a: unknown, b: unknown) => boolean} */
export const same = (a, b) => JSON.stringify(a) === JSON.stringify(b)

/**
 * The values of a select's options that are `how`.
 * @param {HTMLSelectElement} el
 * @param {'selected' | 'defaultSelected'} [how]
 */
const chosen = (el, how = 'selected') => [...el.options].filter((option) => option[how]).map((option) => option.value)
/** @param {HTMLSelectElement} el */
const serverChoice = (el) => chosen(el, 'defaultSelected')
/** @param {any} el A Control. Only a select has options. */
export const state = (el) => (el.options ? chosen(el) : [el.value, el.checked])

/**
 * Whether each option is selected.
 * @param {HTMLSelectElement} el
 */
const selection = (el) => [...el.options].map((option) => option.selected)
/**
 * The same, of a select that the user has not touched.
 * @param {HTMLSelectElement} el
 */
const untouchedSelection = (el) => selection(/** @type {HTMLSelectElement} */ (el.cloneNode(true)))

/**
 * Whether it shows something else than the server rendered.
 * @param {Control} el
 */
export function isTouched(el) {
  const template = member(ownerDocument(el), 'createElement')('template')
  template.innerHTML = el.outerHTML
  return !same(state(el), state(template.content.firstChild))
}

/**
 * What a patch is about to overwrite: of a select what the server chose, what is chosen, and whether it is untouched.
 * @param {any} el A Control.
 * @returns {[string[], string[], boolean] | undefined}
 */
export const remember = (el) => el.options && [serverChoice(el), chosen(el), same(selection(el), untouchedSelection(el))]

/**
 * Decides whose value a control shows after a patch.
 * @param {Control} el
 * @param {Set<string>} changed The names of the attributes (of a textarea: 'value' for its text) whose server value
 *   changed.
 * @param {ReturnType<typeof remember>} before What remember() said.
 * @param {boolean} busy The user's newer value is on its way.
 */
export function settle(el, changed, before, busy) {
  if (before) {
    const next = serverChoice(/** @type {HTMLSelectElement} */ (el))
    const [last, shown, untouched] = before
    const serverWins = untouched || !same(next, last) || (next.length && reports(el))
    return choose(/** @type {HTMLSelectElement} */ (el), serverWins && !busy ? null : shown)
  }
  if (busy) return undefined
  if (isTick(el)) {
    // A group of radio buttons of which the server ticks none says nothing about the user's choice.
    const next = el.defaultChecked
    const serverWins = changed.has('checked') || (reports(el) && (next || el.type === 'checkbox'))
    if (serverWins) el.checked = next
    return undefined
  }
  const next = el.localName === 'input' ? serverValue(el) : serverValue(el) || null
  if (changed.has('value') || (next !== null && !isFocused(el) && reports(el))) write(el, next ?? '')
  return undefined
}

/**
 * @param {HTMLSelectElement} el
 * @param {string[] | null} values What is to be chosen; null, or none that there is: what a browser would choose.
 */
export function choose(el, values) {
  if (same(chosen(el), values)) return
  const options = [...el.options]
  const fits = values && (el.multiple || options.some((option) => values.includes(option.value)))
  const defaults = untouchedSelection(el)
  options.forEach((option, index) => {
    const selected = fits ? values.includes(option.value) : defaults[index]
    if (option.selected !== selected) option.selected = selected
  })
}

/**
 * Keeps the caret where it was, as far as the new value reaches.
 * @param {Control} el
 * @param {string} value
 */
export function write(el, value) {
  if (el.value === value) return
  const caret = caretOf(el)
  el.value = value
  if (isFocused(el)) setCaret(el, caret)
}

/**
 * All null where there is none: in other elements, and in inputs without a text selection (number, email:
 * https://html.spec.whatwg.org/#do-not-apply).
 * @param {any} el An Element, or null.
 * @returns {Caret}
 */
export const caretOf = (el) => [el?.selectionStart, el?.selectionEnd, el?.selectionDirection]

/**
 * @param {Element} el
 * @param {Caret} caret
 */
export function setCaret(el, caret) {
  if (caret[2]) /** @type {any} */ (el).setSelectionRange(...caret)
}

/**
 * Makes it what the server rendered: it is another control now, or the browser filled it in.
 * @param {any} el A Control.
 */
export function renew(el) {
  if (el.options) return choose(el, null)
  el.indeterminate = false
  if (isTick(el)) el.checked = el.defaultChecked
  else if (el.type === 'file') el.value = ''
  else if (el.value !== el.defaultValue) el.value = el.defaultValue
}

/**
 * The server's value of a control; null: it says nothing.
 * @param {any} el A Control.
 * @returns {string | null}
 */
export const serverValue = (el) => el.localName === 'textarea' ? el.defaultValue : el.getAttribute('value')
