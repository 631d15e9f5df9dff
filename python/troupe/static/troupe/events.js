// events.js - what a person does in a view becomes an event: dj-click, dj-submit, dj-input, dj-change,
// dj-keydown, dj-focus, dj-blur. Listens at the document, so that patched elements need nothing.

import { controlsOf, reset, snapshot } from './controls.js'
import { attributesOf, fieldsOf, valueOf } from './params.js'

const INPUT_DELAY_MS = 150
const ROOT = '[data-troupe]'
const LOADING = 'dj-loading'
const SUBMITS = new Set(['submit', 'image'])

export class Events {
  // push(root, name, params, settle): see queue.js; confirm(text): asks the person; released(): something
  // held may be patched now.
  constructor({ document, clock, push, confirm, released }) {
    Object.assign(this, { document, clock, push, confirm, released })
    this.pending = [] // inputs that wait for the person to stop typing
    this.unsettled = new Map() // control -> how many of its values have no answer yet
    this.loading = new Map() // element -> how many of its events have no answer yet
    this.sending = new Set() // forms without an answer yet
    this.passed = new WeakMap() // element -> when its throttled event was last sent
    this.composing = null
    const on = (type, run) => document.addEventListener(type, run)
    on('click', (event) => this.click(event))
    on('submit', (event) => this.submit(event))
    on('input', (event) => event.isComposing || this.typed(event.target, 'dj-input'))
    on('change', (event) => this.typed(event.target, 'dj-change'))
    on('keydown', (event) => event.isComposing || this.key(event))
    on('focusin', (event) => this.plain(event.target, 'dj-focus'))
    on('focusout', (event) => this.plain(event.target, 'dj-blur'))
    on('compositionstart', (event) => (this.composing = event.target))
    on('compositionend', (event) => this.composed(event.target))
  }

  // For the morph: what may not be touched now, and whose value is the person's.
  held = (el) => el === this.composing || this.sending.has(el)
  busy = (el) => this.unsettled.has(el)

  find(target, attribute) {
    const el = target?.closest?.(`[${attribute}]`)
    return el?.closest(ROOT) && !el.matches(':disabled') ? el : null
  }

  click(event) {
    const el = this.find(event.target, 'dj-click')
    if (!el || event.defaultPrevented) return
    const link = el.closest('a[href]')
    if (link && (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)) return
    // A tick must go on ticking; a link or a submit button must not leave the page.
    if (link || SUBMITS.has(el.type)) event.preventDefault()
    if (this.allowed(el)) this.timed(el, 'dj-click', null, () => this.values(el))
  }

  submit(event) {
    const form = this.find(event.target, 'dj-submit')
    if (!form || form !== event.target || event.defaultPrevented) return
    event.preventDefault()
    if (this.sending.has(form) || !this.allowed(form)) return
    this.flush()
    const params = fieldsOf(form, event.submitter, attributesOf(form))
    const controls = controlsOf(form.getRootNode(), form)
    const sent = snapshot(controls)
    this.sending.add(form)
    this.emit({ el: form, attribute: 'dj-submit', root: form.closest(ROOT) }, params, [], (outcome) => {
      this.sending.delete(form)
      return outcome === 'done' && form.isConnected ? () => reset(form, controls, sent) : undefined
    })
  }

  typed(target, attribute) {
    if (attribute === 'dj-change') this.flush()
    const el = this.find(target, attribute)
    if (!el) return
    // On a form: all of it. On another element around controls: the one that changed.
    const whole = el.localName === 'form'
    const read = () => (whole ? fieldsOf(el, null, attributesOf(el)) : this.values(el, target))
    this.timed(el, attribute, target, read)
  }

  composed(target) {
    this.composing = null
    this.typed(target, 'dj-input')
    this.released()
  }

  key(event) {
    const name = event.key.toLowerCase()
    const special = `dj-keydown.${name === ' ' ? 'space' : name}`
    for (let el = event.target; el?.closest?.(ROOT); el = el.parentElement) {
      const attribute = [special, 'dj-keydown'].find((each) => el.hasAttribute(each))
      if (!attribute) continue
      const params = this.values(el, event.target)
      params.key = event.key
      this.timed(el, attribute, null, () => params)
      return
    }
  }

  plain(target, attribute) {
    const el = this.find(target, attribute)
    if (el) this.timed(el, attribute, null, () => this.values(el, target))
  }

  values(el, control = el) {
    const params = attributesOf(el)
    const value = valueOf(control)
    if (value !== undefined) params.value = value
    if (control !== el && control.name) params.name = control.name
    return params
  }

  allowed(el) {
    const question = el.getAttribute('dj-confirm')
    return !question || this.confirm(question)
  }

  // Now, when the person pauses (dj-debounce, dj-input), or at most so often (dj-throttle).
  timed(el, attribute, control, read) {
    const throttle = Number(el.getAttribute('dj-throttle') ?? 0)
    const fallback = attribute === 'dj-input' ? INPUT_DELAY_MS : 0
    const debounce = Number(el.getAttribute('dj-debounce') ?? fallback) || 0
    const since = this.clock.now() - (this.passed.get(el) ?? -Infinity)
    const wait = throttle ? throttle - since : debounce
    const earlier = this.pending.find((each) => each.el === el && each.attribute === attribute)
    if (earlier && throttle) return void (earlier.read = read)
    if (earlier) this.drop(earlier)
    const entry = { el, attribute, control, read, throttle, root: el.closest(ROOT) }
    if (!(wait > 0)) return this.due(entry)
    this.count(this.unsettled, control, 1)
    this.pending.push(entry)
    entry.cancel = this.clock.after(wait, () => {
      this.drop(entry)
      this.due(entry)
    })
  }

  drop(entry) {
    entry.cancel()
    this.pending.splice(this.pending.indexOf(entry), 1)
    this.count(this.unsettled, entry.control, -1)
  }

  due(entry) {
    if (entry.throttle) this.passed.set(entry.el, this.clock.now())
    this.flush()
    this.emit(entry, entry.read(), [entry.control])
  }

  // What was typed goes before what is done next.
  flush() {
    for (const entry of [...this.pending]) {
      if (!this.pending.includes(entry)) continue
      this.drop(entry)
      this.emit(entry, entry.read(), [entry.control])
    }
  }

  emit({ el, attribute, root }, params, controls, then = () => undefined) {
    const change = (by) => {
      for (const control of controls) this.count(this.unsettled, control, by)
      el.classList.toggle(LOADING, this.count(this.loading, el, by) > 0)
    }
    change(1)
    this.push(root, el.getAttribute(attribute), params, (outcome) => {
      change(-1)
      return then(outcome)
    })
  }

  count(map, key, by) {
    if (!key) return 0
    const count = (map.get(key) ?? 0) + by
    if (count > 0) map.set(key, count)
    else map.delete(key)
    return count
  }
}
