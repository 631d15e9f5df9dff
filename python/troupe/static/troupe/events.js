// events.js - what a person does in a view becomes an event: dj-click, dj-submit, dj-input, dj-change,
// dj-keydown, dj-focus, dj-blur. Listens at the document, so that patched elements need nothing.

import { controlsOf, reset, snapshot } from './controls.js'
import { attributesOf, fieldsOf, valueOf } from './params.js'

const INPUT_DELAY_MS = 150
const ROOT = '[data-troupe]'

// push(root, name, params, settle): see queue.js; released(): something held may be patched now.
export function eventsOf({ window, clock, push, released }) {
  const { document } = window
  const pending = new Set() // inputs that wait for the person to stop typing
  const unanswered = new Map() // element -> how many of its events, or values, have no answer yet
  const reported = new Set() // controls of which the server's word may differ from what they show
  const sending = new Set() // forms without an answer yet
  const passed = new WeakMap() // element -> when its throttled event was last sent
  let composing = null

  function find({ target, defaultPrevented }, attribute) {
    const el = target.closest?.(`[${attribute}]`)
    return el?.closest(ROOT) && !defaultPrevented && !el.matches(':disabled') ? el : null
  }

  // Returns how many there are.
  function count(el, by) {
    const number = (unanswered.get(el) ?? 0) + by
    if (number) unanswered.set(el, number)
    else unanswered.delete(el)
    return number
  }

  // Of radio buttons the whole group: the server may tick another.
  function report(control) {
    const group = control.type === 'radio' ? document.getElementsByName(control.name) : [control]
    for (const each of group) reported.add(each)
  }

  function allowed(el) {
    const question = el.getAttribute('dj-confirm')
    return !question || window.confirm(question)
  }

  function values(el, control) {
    const params = attributesOf(el)
    const value = valueOf(control)
    if (value !== undefined) params.value = value
    if (control !== el && control.name) params.name = control.name
    return params
  }

  function click(event) {
    const el = find(event, 'dj-click')
    const link = el?.closest('a[href]')
    if (!el || (link && (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey))) return
    // A tick must go on ticking; a link or a submit button must not leave the page.
    if (link || /^(submit|image)$/.test(el.type)) event.preventDefault()
    if (allowed(el)) timed(el, 'dj-click', () => values(el, el))
  }

  function submit(event) {
    const form = find(event, 'dj-submit')
    if (form !== event.target || form.localName !== 'form') return
    event.preventDefault()
    if (sending.has(form) || !allowed(form)) return
    flush()
    // A script may make an event of any button, and another listener may have moved the button elsewhere.
    const { submitter } = event
    const params = fieldsOf(form, submitter?.form === form ? submitter : null, attributesOf(form))
    const controls = controlsOf(form.getRootNode(), form)
    const sent = snapshot(controls)
    sending.add(form)
    emit(form, form.getAttribute('dj-submit'), form.closest(ROOT), params, null, (outcome) => {
      sending.delete(form)
      return () => outcome === 'done' && form.isConnected && reset(form, controls, sent)
    })
  }

  // On a form: all of it. On another element around controls: the one that changed.
  function typed(event, attribute) {
    if (attribute === 'dj-change') flush()
    const el = find(event, attribute)
    const { target } = event
    const whole = el?.localName === 'form'
    if (el) timed(el, attribute, () => (whole ? fieldsOf(el, null, attributesOf(el)) : values(el, target)), target)
  }

  function key({ key: name, target }) {
    if (!name) return undefined // a browser that fills a form in for the user says so with such events
    const names = ['.' + name.toLowerCase().replace(' ', 'space'), ''].map((each) => `dj-keydown${each}`)
    for (let el = target; el?.closest?.(ROOT); el = el.parentElement) {
      const attribute = names.find((each) => el.hasAttribute(each))
      const params = attribute && { ...values(el, target), key: name }
      if (params) return timed(el, attribute, () => params)
    }
    return undefined
  }

  function plain(event, attribute) {
    const el = find(event, attribute)
    if (el && !self.patching) timed(el, attribute, () => values(el, event.target))
  }

  // Now, when the person pauses (dj-debounce, dj-input), or at most so often (dj-throttle).
  function timed(el, attribute, read, control) {
    const ms = (name, otherwise = 0) => Number(el.getAttribute(name) ?? otherwise)
    const throttle = ms('dj-throttle')
    const wait = throttle
      ? throttle + (passed.get(el) ?? -Infinity) - clock.now()
      : ms('dj-debounce', attribute === 'dj-input' ? INPUT_DELAY_MS : 0)
    for (const each of pending) if (each.el === el && each.attribute === attribute) each.drop()
    // What a patch makes of it meanwhile does not change what the user did.
    const [root, name] = [el.closest(ROOT), el.getAttribute(attribute)]
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
    return undefined
  }

  // What was typed goes before what is done next.
  function flush() {
    for (const entry of pending) {
      entry.drop()
      entry.go()
    }
  }

  function emit(el, name, root, params, control, then) {
    const change = (by) => {
      el.classList.toggle('dj-loading', count(el, by) > 0)
      if (control && control !== el) count(control, by)
    }
    if (control) report(control)
    change(1)
    push(root, name, params, (outcome) => {
      change(-1)
      return then?.(outcome)
    })
  }

  const on = (type, run) => document.addEventListener(type, run)
  on('click', click)
  on('submit', submit)
  on('input', (event) => event.isComposing || typed(event, 'dj-input'))
  on('change', (event) => typed(event, 'dj-change'))
  on('keydown', (event) => event.isComposing || key(event))
  on('focusin', (event) => plain(event, 'dj-focus'))
  on('focusout', (event) => plain(event, 'dj-blur'))
  on('compositionstart', ({ target }) => (composing = target))
  on('compositionend', (event) => {
    composing = null
    typed(event, 'dj-input')
    released()
  })

  const self = {
    flush,
    reported,
    // For patches: what may not be touched now, and whose value is the person's.
    held: (el) => el === composing || sending.has(el),
    busy: (el) => unanswered.has(el),
    patching: false, // what is moved loses its focus, and gets it back; nobody did that
  }
  return self
}
