// submissions.js - the submits of forms with dj-submit. One of a form is under way at a time; a later one waits for its
// answer, since only that tells what stays in the fields: what was sent, or nothing of it. A part of forms.js.

import { attr, member, query } from './dom.js'
import { same } from './form-controls.js'
import { crlf, entriesOf, formParams } from './form-params.js'
import { controlsOf, rest, snapshot } from './form-reset.js'

/** @import { Control, Outcome, Params, Settle } from './types.js' */

/**
 * @typedef {object} Submission
 * @property {ReturnType<typeof snapshot>} states Of the form's controls, when it was made.
 * @property {[name: string, value: string][]} entries The fields that it sends.
 * @property {() => void} go
 * @property {() => void} drop
 */

// How Django, and libraries around it, mark fields whose values are not accepted.
const ERRORS = '[aria-invalid="true"],.errorlist,.is-invalid'

/**
 * @param {object} options
 * @param {(el: Element, name: string, root: Element | null, params: Params, control: undefined, then: Settle) => void}
 *   options.emit Sends an event.
 * @param {(detail: { name: string, params: Params, reason?: string }) => void} options.refuse Tells that an event is not sent.
 * @param {(form: HTMLFormElement) => void} options.restore Makes it what the server has.
 * @param {(controls: Control[], sent: ReturnType<typeof snapshot>, restore: () => unknown) =>
 *   (outcome: Outcome) => (() => Map<Control, string> | undefined) | undefined} options.takes What was sent is the server's.
 */
export function createSubmissions({ emit, refuse, restore, takes }) {
  /** @type {Map<Element, Submission[]>} By form: the one under way, and those behind it. */
  const queues = new Map()

  /**
   * @param {HTMLFormElement} form
   * @param {Element | null} submitter
   * @param {Element | null} root
   */
  function submit(form, submitter, root) {
    const name = /** @type {string} */ (attr(form, 'dj-submit'))
    if (!name) return
    const { entries, hasFiles } = entriesOf(form, submitter)
    const params = formParams(form, entries, submitter)
    if (hasFiles) return refuse({ name, params, reason: 'files' })
    const controls = controlsOf(/** @type {Document} */ (member(form, 'getRootNode')()), form)
    const states = snapshot(controls)
    const queue = queues.get(form) ?? []
    const last = queue.at(-1)
    // Sent a second time with nothing typed in between: what was typed goes once. What is nothing but a button may be
    // pressed as often as one likes.
    const isTyped = controls.some((/** @type {any} */ el) => el.value !== el.defaultValue)
    if (last && isTyped && same(last.entries, entries)) return

    const accept = () => query(form, ERRORS) ?? restore(form)
    // What those hold that wait is not what the user meant. It stands in the form still.
    const giveUp = () => queue.forEach((each) => each.drop())

    function go() {
      queues.set(form, queue)
      const settle = takes(controls, states, accept)
      emit(form, name, root, params, undefined, (outcome) => {
        queues.delete(form)
        queue.shift()
        const then = settle(outcome)
        return then ? () => goOn(then()) : giveUp()
      })
    }

    /** @param {Map<Control, string> | undefined} cut What was taken out of the fields. */
    function goOn(cut) {
      if (!cut) return giveUp()
      for (const later of queue) {
        for (const [el, text] of cut) {
          const [value, checked] = /** @type {any} */ (later.states.get(el) ?? [''])
          later.states.set(el, [rest(value, text), checked])
          for (const field of later.entries) if (field[0] === el.name) field[1] = rest(field[1], crlf(text))
        }
      }
      queue[0]?.go()
    }

    queue.push({ states, entries, go, drop: () => refuse({ name, params }) })
    if (!last) go()
  }

  return {
    submit,

    /** @param {Element} el */
    isSending: (el) => queues.has(el),
  }
}
