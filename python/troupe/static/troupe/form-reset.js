// form-reset.js - what was sent of controls is the server's once it is done: they show what the server has, but for what
// the user did since. A part of forms.js.

import { member } from './dom.js'
import { caretOf, choose, CONTROLS, isFocused, same, setCaret, state, write } from './form-controls.js'

/** @import { Caret, Control } from './types.js' */

/**
 * @param {ParentNode} root
 * @param {HTMLFormElement} form
 */
export function controlsOf(root, form) {
  return /** @type {Control[]} */ ([...member(root, 'querySelectorAll')(CONTROLS)]).filter((control) => control.form === form)
}

/**
 * What a form, or a control, holds when it is sent.
 * @param {Control[]} controls
 */
export const snapshot = (controls) => new Map(controls.map((el) => [el, state(el)]))

/**
 * What was typed since, where the text that was sent is taken away.
 * @param {string} value
 * @param {string | undefined} sent
 */
export function rest(value, sent) {
  if (!sent || value === sent) return value
  if (value.startsWith(sent)) return value.slice(sent.length)
  return value.endsWith(sent) ? value.slice(0, -sent.length) : value
}

/**
 * Those that hold something else than was sent.
 * @param {Control[]} controls
 * @param {ReturnType<typeof snapshot>} sent
 */
export const newerThan = (controls, sent) =>
  controls.filter((el) => !same(sent.get(el), state(el)) && el.type !== 'file')

/**
 * After an event is done, the controls that it sent are as the server has them, but for what the user did since.
 * Returns those that the server emptied, with what was sent; undefined: none of it was accepted.
 * @param {Control[]} controls
 * @param {ReturnType<typeof snapshot>} sent
 * @param {() => unknown} restore Makes them what the server has, or returns something.
 */
export function reset(controls, sent, restore) {
  /** @type {[el: any, was: any, caret: Caret][]} */
  const kept = newerThan(controls, sent).map((el) => [el, state(el), caretOf(el)])
  if (restore()) return undefined
  const cut = new Map(controls.filter((/** @type {any} */ el) => !el.options && !el.value).map(
    (el) => [el, /** @type {any} */ (sent.get(el))[0]]))
  for (const [el, was, caret] of kept) {
    if (el.options) choose(el, was)
    else {
      el.checked = was[1]
      write(el, rest(was[0], cut.get(el)))
    }
    if (isFocused(el)) setCaret(el, caret)
  }
  return cut
}

