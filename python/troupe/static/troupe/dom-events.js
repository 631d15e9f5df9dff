// dom-events.js - what the user does in a view becomes an event for its handler: dj-click, dj-submit, dj-input,
// dj-change, dj-keydown, dj-focus, dj-blur. Listens at the document, so that patched elements need no listeners.

import { attributesOf, fieldsOf, valueOf } from './event-params.js'
import { controlsOf, reset, snapshot } from './form-controls.js'
import { INPUT_DELAY_MS } from './timings.js'

/** @import { BrowserWindow, Clock, Params, Settle } from './types.js' */

/**
 * An event that waits for the user to pause.
 * @typedef {{ el: Element, attribute: string, go: () => void, drop: () => void }} Pending
 */

const ROOT = '[data-troupe]'

/**
 * @param {object} options
 * @param {BrowserWindow} options.window
 * @param {Clock} options.clock
 * @param {(root: Element, name: string, params: Params, settle: Settle) => void} options.push Sends an event.
 * @param {() => void} options.released Something held may be patched now.
 */
export function createDomEvents({ window, clock, push, released }) {
  const { document } = window
  /** @type {Set<Pending>} */
  const pending = new Set()
  /** @type {Map<Element, number>} How many of an element's events, or values, have no answer yet. */
  const unanswered = new Map()
  /** @type {Set<Element>} Controls of which the server's value may differ from what they show. */
  const reported = new Set()
  /** @type {Set<Element>} Forms without an answer yet. */
  const sending = new Set()
  /** @type {WeakMap<Element, number>} When an element's throttled event was last sent. */
  const passed = new WeakMap()
  /** @type {EventTarget | null} */
  let composing = null

  /**
   * The element that an event is for.
   * @param {Event} event
   * @param {string} attribute
   * @returns {any} An Element, or null.
   */
  function find({ target, defaultPrevented }, attribute) {
    const el = /** @type {Element} */ (target).closest?.(`[${attribute}]`)
    return el?.closest(ROOT) && !defaultPrevented && !el.matches(':disabled') ? el : null
  }

  /**
   * Returns how many there are.
   * @param {Element} el
   * @param {number} change
   */
  function count(el, change) {
    const number = (unanswered.get(el) ?? 0) + change
    if (number) unanswered.set(el, number)
    else unanswered.delete(el)
    return number
  }

  /**
   * Of radio buttons the whole group: the server may tick another.
   * @param {Element & { type?: string, name?: string }} control
   */
  function report(control) {
    const group = control.type === 'radio' ? document.getElementsByName(/** @type {string} */ (control.name)) : [control]
    for (const each of group) reported.add(each)
  }

  /** @param {Element} el */
  function allowed(el) {
    const question = el.getAttribute('dj-confirm')
    return !question || window.confirm(question)
  }

  /**
   * @param {Element} el
   * @param {Element & { name?: string }} control
   */
  function paramsOf(el, control) {
    const params = attributesOf(el)
    const value = valueOf(control)
    if (value !== undefined) params.value = value
    if (control !== el && control.name) params.name = control.name
    return params
  }

  /** @param {MouseEvent} event */
  function click(event) {
    const el = find(event, 'dj-click')
    const link = el?.closest('a[href]')
    if (!el || (link && (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey))) return
    // A checkbox must go on ticking; a link or a submit button must not leave the page.
    if (link || /^(submit|image)$/.test(el.type)) event.preventDefault()
    if (allowed(el)) timed(el, 'dj-click', () => paramsOf(el, el))
  }

  /** @param {SubmitEvent} event */
  function submit(event) {
    const form = find(event, 'dj-submit')
    if (form !== event.target || form.localName !== 'form') return
    event.preventDefault()
    if (sending.has(form) || !allowed(form)) return
    flush()
    // FormData throws for a submitter of another form: a script may make an event of any button, and another listener
    // may have moved the button elsewhere (https://xhr.spec.whatwg.org/#dom-formdata).
    const { submitter } = /** @type {{ submitter: any }} */ (event)
    const params = fieldsOf(form, submitter?.form === form ? submitter : null, attributesOf(form))
    const controls = controlsOf(/** @type {Document} */ (form.getRootNode()), form)
    const sent = snapshot(controls)
    sending.add(form)
    emit(form, form.getAttribute('dj-submit'), form.closest(ROOT), params, null, (outcome) => {
      sending.delete(form)
      return () => outcome === 'done' && form.isConnected && reset(form, controls, sent)
    })
  }

  /**
   * On a form: all of it. On another element around controls: the one that changed.
   * @param {Event} event
   * @param {string} attribute
   */
  function typed(event, attribute) {
    if (attribute === 'dj-change') flush()
    const el = find(event, attribute)
    const { target } = /** @type {{ target: any }} */ (event)
    const isForm = el?.localName === 'form'
    if (el) timed(el, attribute, () => (isForm ? fieldsOf(el, null, attributesOf(el)) : paramsOf(el, target)), target)
  }

  /** @param {KeyboardEvent} event */
  function key({ key: name, target }) {
    // Chromium's autofill dispatches keydown events that have no key.
    if (!name) return
    const names = ['.' + name.toLowerCase().replace(' ', 'space'), ''].map((each) => `dj-keydown${each}`)
    for (let el = /** @type {any} */ (target); el?.closest?.(ROOT); el = el.parentElement) {
      const attribute = names.find((each) => el.hasAttribute(each))
      const params = attribute && { ...paramsOf(el, /** @type {Element} */ (target)), key: name }
      if (params) return timed(el, attribute, () => params)
    }
  }

  /**
   * @param {Event} event
   * @param {string} attribute
   */
  function focused(event, attribute) {
    const el = find(event, attribute)
    if (el && !self.patching) timed(el, attribute, () => paramsOf(el, /** @type {Element} */ (event.target)))
  }

  /**
   * Emits now, when the user pauses (dj-debounce, dj-input), or at most so often (dj-throttle).
   * @param {Element} el
   * @param {string} attribute
   * @param {() => Params} read
   * @param {Element} [control] The control that the user changed.
   */
  function timed(el, attribute, read, control) {
    const ms = (/** @type {string} */ name, otherwise = 0) => Number(el.getAttribute(name) ?? otherwise)
    const throttle = ms('dj-throttle')
    const wait = throttle
      ? throttle + (passed.get(el) ?? -Infinity) - clock.now()
      : ms('dj-debounce', attribute === 'dj-input' ? INPUT_DELAY_MS : 0)
    for (const each of pending) if (each.el === el && each.attribute === attribute) each.drop()
    // What a patch makes of it meanwhile does not change what the user did.
    const [root, name] = [el.closest(ROOT), el.getAttribute(attribute)]
    /** @type {Pending} */
    const entry = {
      el,
      attribute,
      go: () => emit(el, name, root, read(), control),
      drop() {
        cancel()
        pending.delete(entry)
        if (control) count(control, -1)
      },
    }
    const due = () => {
      if (throttle) passed.set(el, clock.now())
      flush()
      entry.go()
    }
    if (!(wait > 0)) return due()
    if (control) {
      count(control, 1)
      report(control)
    }
    pending.add(entry)
    const cancel = clock.after(wait, () => {
      entry.drop()
      due()
    })
  }

  // What was typed goes before what is done next.
  function flush() {
    for (const entry of pending) {
      entry.drop()
      entry.go()
    }
  }

  /**
   * @param {Element} el
   * @param {string | null} name
   * @param {Element | null} root
   * @param {Params} params
   * @param {Element | null} [control]
   * @param {Settle} [then]
   */
  function emit(el, name, root, params, control, then) {
    const change = (/** @type {number} */ by) => {
      el.classList.toggle('dj-loading', count(el, by) > 0)
      if (control && control !== el) count(control, by)
    }
    if (control) report(control)
    change(1)
    push(/** @type {Element} */ (root), /** @type {string} */ (name), params, (outcome) => {
      change(-1)
      return then?.(outcome)
    })
  }

  /** @type {(type: string, run: (event: any) => void) => void} */
  const listen = (type, run) => document.addEventListener(type, run)
  listen('click', click)
  listen('submit', submit)
  // While an input method composes, what stands in the control is not what the user means
  // (https://w3c.github.io/uievents/#events-compositionevents).
  listen('input', (event) => event.isComposing || typed(event, 'dj-input'))
  listen('change', (event) => typed(event, 'dj-change'))
  listen('keydown', (event) => event.isComposing || key(event))
  listen('focusin', (event) => focused(event, 'dj-focus'))
  listen('focusout', (event) => focused(event, 'dj-blur'))
  listen('compositionstart', ({ target }) => (composing = target))
  listen('compositionend', (event) => {
    composing = null
    typed(event, 'dj-input')
    released()
  })

  const self = {
    flush,
    reported,

    /**
     * For patches: what may not be touched now.
     * @param {Element} el
     */
    held: (el) => el === composing || sending.has(el),

    /**
     * For patches: whose value is the user's.
     * @param {Element} el
     */
    busy: (el) => unanswered.has(el),

    // For patches: true while one is written. What is moved loses its focus, and gets it back; the user did not do that.
    patching: false,
  }
  return self
}
