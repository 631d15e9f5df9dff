// forms.js - what forms need, and fields with dj-keydown.enter: a part of its own, which pages load that have a form
// (parts.js, dom-events.js).

import { closest, member, queryAll } from './dom.js'
import { controlOf, INPUTS, reports, serverValue } from './form-controls.js'
import { entriesOf, formParams } from './form-params.js'
import { controlsOf, newerThan, reset, snapshot } from './form-reset.js'
import { createSubmissions } from './submissions.js'

/** @import { Control, FormsOptions, Outcome } from './types.js' */

const BOOSTED = '[hx-boost=true],[data-hx-boost=true],[hx-boost\\:inherited=true]'

/** @param {FormsOptions} options */
export function create({ click, clock, count, document, editor, emit, listen, refuse, rootOf, submit: act, typed }) {
  const { isSending, submit } = createSubmissions({ emit, refuse, restore, takes })
  let isOurs = false // the reset of a form

  /**
   * Puts a form back to what the server has.
   * @param {HTMLFormElement} form
   */
  function restore(form) {
    isOurs = true
    member(form, 'reset')()
    isOurs = false
  }

  /** @type {(state: string) => any[]} */
  const radios = (state) => [...queryAll(document.documentElement, `[data-troupe] [type=radio i]${state}`)]

  // htmx listens to what it boosts at the element itself, and would come first.
  for (const [type, run] of /** @type {[string, (event: any) => void][]} */ ([['click', click], ['submit', act]])) {
    listen(type, (event) => {
      const el = closest(event.target, `[dj-${type}]`)
      if (!el || !rootOf(el) || !closest(el, BOOSTED)) return
      event.stopPropagation()
      run(event)
    }, document, true)
  }

  // A reset changes controls, after this event, and no event says so of each. Of a form's event one is enough.
  listen('reset', ({ target }) => {
    if (isOurs) return
    const controls = controlsOf(document.documentElement, /** @type {HTMLFormElement} */ (target))
    const before = snapshot(controls)
    clock.after(0, () => {
      const told = new Set()
      for (const el of newerThan(controls, before)) {
        const reporter = reports(el)
        if (told.has(reporter) || (el.type === 'radio' && !(/** @type {HTMLInputElement} */ (el).checked))) continue
        INPUTS.forEach((name) => typed(el, name))
        if (reporter === target) told.add(reporter)
      }
    })
  })

  /**
   * What an event sent of controls is the server's once it is done: they show what the server has, and what the user did
   * since. The result takes the outcome; where that is "done" it returns what is to be done when the patch is in the
   * page, which returns what was taken out of the fields.
   * @param {Control[]} controls
   * @param {ReturnType<typeof snapshot>} sent
   * @param {() => unknown} restore Makes them what the server has, or returns something: none of it was accepted.
   */
  function takes(controls, sent, restore) {
    return (/** @type {Outcome} */ outcome) => {
      if (outcome !== 'done') return undefined
      const newer = newerThan(controls, sent)
      newer.forEach((el) => count(el, 1))
      return () => {
        newer.forEach((el) => count(el, -1))
        const cut = reset(controls, sent, restore)
        for (const target of newer) if (cut?.has(target)) typed(target, 'dj-input')
        return cut
      }
    }
  }

  return {
    isSending,
    submit,

    // Where the server ticks several radio buttons of a group, the last one is ticked, as a parser has it.
    tickLast() {
      for (const el of radios('[checked]:not(:checked)')) {
        const group = (/** @type {string} */ state) => radios(state).filter(({ name, form }) => name === el.name && form === el.form)
        if (group(':checked').every((other) => other.defaultChecked)) group('[checked]').at(-1).checked = true
      }
    },

    /**
     * What an event of a form carries.
     * @param {HTMLFormElement} form
     * @param {Element} target The control that changed.
     */
    fields: (form, target) => formParams(form, entriesOf(form).entries, target),

    /**
     * What happens to a field whose value Enter has sent: the same as to those of a form.
     * @param {any} field In which Enter was pressed.
     */
    takesField(field) {
      const control = controlOf(field)
      if (member(field, 'isContentEditable')) return editor.get()?.takes(field)
      return control ? takes([control], snapshot([control]), () => {
        field.value = serverValue(field) ?? field.value
      }) : undefined
    },
  }
}
