// dom-events.js - what the user does in a view becomes an event for its handler: dj-click, dj-submit, dj-input,
// dj-change, dj-keydown, dj-focus, dj-blur. Listens at the document, so that patched elements need no listeners.

import { clickedElement, DISABLED, isAllowed, isField, isMultiline, isVetoed, labelled } from './activation.js'
import { attr, closest, contains, documentOf, hasAttribute, holds, matches, member, parentElement, queryAll } from './dom.js'
import { attributesOf, nameOf, valueOf } from './event-params.js'
import { CONTROLS, formOf, INPUTS, isTouched, renew, reports } from './form-controls.js'
import { createPart } from './parts.js'
import { createTimedEvents } from './timed-events.js'

/** @import { BrowserWindow, Clock, Control, Editor, Forms, Listen, Load, Params, Settle } from './types.js' */

const ENTER = 'dj-keydown.enter'
// What the part of that name is for.
const FORMS = '[data-troupe] form,[dj-keydown\\.enter],[type=radio i],a[dj-click]'
// Buttons that send their form to another address, or close a dialog and send nothing.
const ELSEWHERE = '[formaction],[formmethod=dialog i]'

/**
 * @param {object} options
 * @param {BrowserWindow} options.window
 * @param {Document} [options.document]
 * @param {Clock} options.clock
 * @param {(el: Element) => Element | null} options.rootOf The root around an element that this page looks after.
 * @param {Listen} options.listen Until the page ends.
 * @param {(root: Element, name: string, params: Params, settle: Settle) => void} options.push Sends an event.
 * @param {(detail: { name: string, params: Params, reason?: string }) => void} options.refuse Tells that an event is not sent.
 * @param {() => void} options.released Something held may be patched now.
 * @param {Load} options.load Loads a part of this.
 * @param {() => void} options.refresh Asks for the whole page.
 */
export function createDomEvents({ window, document = documentOf(window), clock, rootOf, listen, push, refuse, released, load, refresh }) {
  /** @type {Map<Element, number>} How many of an element's events, or values, have no answer yet. */
  const unanswered = new Map()
  /** @type {Set<Element>} Controls of which the server's value may differ from what they show. */
  const reported = new Set()
  /** @type {EventTarget | null} */
  let composing = null
  /** @type {string | null} What a composition's last input event brought. */
  let composed = null
  /** @type {any} The control in which Enter is held down. */
  let entered = null
  let moves = false // the patch to come answers something that the user did, and did not type
  const { flush, timed } = createTimedEvents({ clock, count, report })
  /** @type {ReturnType<typeof createPart<Editor>>} */
  const editor = createPart(load, 'editor', { document, listen })
  /** @type {ReturnType<typeof createPart<Forms>>} */
  const forms = createPart(load, 'forms', { click, clock, count, document, editor, emit, listen, refuse, rootOf, submit, typed })

  /**
   * The element that an event is for.
   * @param {any} target
   * @param {string} attribute
   * @returns {any} An Element, or something false.
   */
  function find(target, attribute) {
    const el = closest(target, `[${attribute}]`) ?? formOf(target)
    return el && matches(el, `[${attribute}]:not(:disabled)`) && rootOf(el) && el
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

  /**
   * @param {Element} el
   * @param {Element} control
   * @param {Params} [more]
   */
  function paramsOf(el, control, more) {
    const name = nameOf(control)
    return attributesOf(el, {
      value: valueOf(control),
      _target: name,
      field: name,
      name,
      ...editor.get()?.params(control),
      ...more,
    })
  }

  /** @param {MouseEvent} event */
  function click(event) {
    const el = clickedElement(/** @type {Element} */ (event.target))
    if (!el || !rootOf(el) || isVetoed(event, el)) return
    const link = closest(el, 'a[href]')
    if (link && (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)) return
    const { type, form } = closest(el, 'button,input') ?? {}
    // Without a form it may open a popover or a dialog (https://html.spec.whatwg.org/#attr-button-type).
    const submits = form && /^(sub|im)/.test(type)
    // Enter in a field presses the form's first button, which nobody meant where there is a dj-submit
    // (https://html.spec.whatwg.org/#implicit-submission).
    if (submits && !event.detail && entered && formOf(entered) === form && matches(form, '[dj-submit]')) return
    // A checkbox must go on ticking, a link may open another window; a link or a submit button must not leave the page.
    if (submits || (link && !matches(link, '[target=_blank],[download]'))) event.preventDefault()
    if (!matches(el, DISABLED) && isAllowed(el)) fire(el, 'dj-click', () => paramsOf(el, labelled(el) ?? el))
  }

  /** @param {SubmitEvent} event */
  function submit(event) {
    const form = find(event.target, 'dj-submit')
    if (form !== event.target || !matches(form, 'form') || isVetoed(event, form)) return
    // FormData throws for a submitter of another form: a script may make an event of any button, and another listener
    // may have moved the button elsewhere (https://xhr.spec.whatwg.org/#dom-formdata). One with dj-click was not pressed.
    let { submitter } = /** @type {{ submitter: any }} */ (event)
    if (submitter?.form !== form || hasAttribute(submitter, 'dj-click')) submitter = null
    const closes = matches(form, '[method=dialog]') // the dialog around it, and does not leave the page
    if (!closes && submitter?.matches(ELSEWHERE)) return
    const allowed = isAllowed(form)
    if (!closes || !allowed) event.preventDefault()
    if (!allowed) return
    flush()
    forms.use((part) => part.submit(form, submitter, rootOf(form)))
  }

  /**
   * On a form: all of it. On another element around controls: the one that changed.
   * @param {any} target
   * @param {string} attribute
   */
  function typed(target, attribute) {
    if (attribute === 'dj-change') flush()
    const el = find(target, attribute)
    if (!el) return
    if (matches(el, 'form')) return forms.use((part) => fire(el, attribute, () => part.fields(el, target), target))
    const read = () => paramsOf(el, target)
    if (target.type === 'file') return refuse({ name: attr(el, attribute), params: read(), reason: 'files' })
    fire(el, attribute, read, target)
  }

  /** @param {KeyboardEvent} event */
  function key(event) {
    const { key: name, code } = event
    const target = /** @type {any} */ (event.target)
    // Chromium's autofill dispatches keydown events that have no key.
    if (!name) return
    entered = name === 'Enter' && target
    const named = `dj-keydown.${name.toLowerCase().replace(' ', 'space')}`
    for (let el = target; el && rootOf(el); el = parentElement(el)) {
      const attribute = [named, named.replace('arrow', ''), 'dj-keydown'].find((each) => attr(el, each) !== null)
      // Shift and Enter make a new line.
      if (!attribute || (attribute === ENTER && event.shiftKey && isMultiline(target))) continue
      const params = paramsOf(el, target, { key: name, code: code || undefined })
      const read = () => params
      if (attribute === ENTER && isField(target) && !contains(el, formOf(target))) {
        // The field's own answer to Enter would come on top: a new line, or the form.
        event.preventDefault()
        forms.use((part) => fire(el, attribute, read, undefined, part.takesField(target)))
      } else fire(el, attribute, read)
    }
  }

  /**
   * @param {Element} target
   * @param {string} attribute
   */
  function focused(target, attribute) {
    const el = find(target, attribute)
    if (el && !self.patching) fire(el, attribute, () => paramsOf(el, target))
  }

  /**
   * Sends the event, now or later. What a patch makes of it meanwhile does not change what the user did.
   * @param {Element} el
   * @param {string} attribute
   * @param {() => Params} read
   * @param {Element} [control] The control that the user changed.
   * @param {Settle} [then]
   */
  function fire(el, attribute, read, control, then) {
    const [root, name] = [rootOf(el), attr(el, attribute)]
    // A template may have said {% if … %} in it.
    if (name) timed(el, attribute, () => emit(el, name, root, read(), control, then, attribute !== 'dj-input'), control)
  }

  /**
   * @param {Element} el
   * @param {string} name
   * @param {Element | null} root
   * @param {Params} params
   * @param {Element | null} [control]
   * @param {Settle} [then]
   * @param {boolean} [isOver] The user does not go on in the same place.
   */
  function emit(el, name, root, params, control, then, isOver = true) {
    const change = (/** @type {number} */ by) => {
      member(el, 'classList').toggle('dj-loading', count(el, by) > 0)
      if (control && control !== el) count(control, by)
    }
    if (control) report(control)
    change(1)
    push(/** @type {Element} */ (root), name, params, (outcome) => {
      change(-1)
      moves = isOver
      return then?.(outcome)
    })
  }

  /** @param {InputEvent} event */
  function input(event) {
    const { target, data, isComposing } = /** @type {InputEvent & { target: any }} */ (event)
    // The end of a composition is an input event, too, before or after compositionend
    // (https://w3c.github.io/uievents/#events-composition-input-events).
    const isOld = data && data === composed
    composed = isComposing ? data : null
    if (!isOld) typed(target, 'dj-input')
  }

  listen('click', click)
  listen('submit', submit)
  listen('input', input)
  listen('change', ({ target }) => typed(target, 'dj-change'))
  listen('keydown', (event) => event.isComposing || key(event))
  listen('focusin', ({ target }) => focused(target, 'dj-focus'))
  listen('focusout', ({ target }) => {
    if (!self.patching) flush()
    focused(target, 'dj-blur')
  })
  listen('compositionstart', ({ target }) => ([composing, composed] = [target, null]))
  listen('compositionend', () => {
    composing = null
    released()
  })

  const self = {
    flush,
    editor,
    reported,

    /**
     * For patches: what may not be touched now.
     * @param {Element} el
     */
    held: (el) => el === composing || forms.get()?.isSending(el) || (editor.get()?.has(el) && unanswered.has(el)),

    /**
     * For patches: whose value is the user's.
     * @param {Element} el
     */
    busy: (el) => unanswered.has(el),

    /**
     * For patches: this control is about to become another one. What was typed belongs to the one that it was.
     * @param {Element} el
     */
    hurry: (el) => flush(({ control }) => control === el),

    // True while a patch is written. What is moved loses its focus, and gets it back; the user did not do that.
    patching: false,

    /**
     * For patches: whether something new may have the focus. It is not taken from a user who types.
     * @param {any} active What has it.
     */
    mayFocus: (active) => !active || !(isField(active) && (!moves || unanswered.has(active))),

    /**
     * Loads what the page needs. Call when it may have come to need something.
     * @param {() => void} [start] Called when patches have what they need. They may have been written without it
     *   otherwise, and the page is asked for anew.
     * @param {Node[]} [grown] What is new in the page; without it, all is.
     */
    equip(start, grown = [document.documentElement]) {
      const has = (/** @type {string} */ selector) => grown.some((node) => holds(node, selector))
      if (has(FORMS)) forms.need()
      if (!editor.get() && has('[contenteditable]')) editor.use(start ?? refresh)
      else start?.()
    },

    // A patch is written; and no patch answers the user's last event any more.
    written: () => forms.get()?.tickLast(),
    answered: () => (moves = false),

    /**
     * A page that is new to the server may show more than the server rendered. If the user came back to it, the browser
     * filled its controls in, and the server knows better. Otherwise the user was faster than this script.
     * @param {Element} root
     * @param {boolean} isBack
     */
    joined(root, isBack) {
      for (const el of /** @type {NodeListOf<Control>} */ (queryAll(root, CONTROLS))) {
        if (!reports(el) || unanswered.has(el) || !isTouched(el)) continue
        if (isBack) renew(el)
        else if (el.type !== 'radio' || /** @type {any} */ (el).checked) INPUTS.forEach((name) => typed(el, name))
      }
    },
  }
  return self
}
