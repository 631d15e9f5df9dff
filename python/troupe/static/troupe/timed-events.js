// timed-events.js - events that wait until the user pauses (dj-debounce, dj-input), leaves the field
// (dj-debounce="blur"), or for their turn (dj-throttle).

import { attr } from './dom.js'
import { INPUT_DELAY_MS, RANGE_INTERVAL_MS } from './timings.js'

const FOR_EVER = 2e9 // ms; setTimeout takes no more than 2^31

/** @import { Clock } from './types.js' */
/** @typedef {{ el: Element, attribute: string, control?: Element | undefined, go: () => void, drop: () => void }} Pending */

/**
 * @param {object} options
 * @param {Clock} options.clock
 * @param {(control: Element, change: number) => void} options.count A control's value waits (1), or does not (-1).
 * @param {(control: Element) => void} options.report Notes that the server's value may differ from a control's.
 */
export function createTimedEvents({ clock, count, report }) {
  /** @type {Set<Pending>} */
  const pending = new Set()
  /** @type {WeakMap<Element, number>} When an element's throttled event was last sent. */
  const passed = new WeakMap()

  /**
   * The number of milliseconds in an attribute of the control, or else of the element. Undefined: none there.
   * (said-in-vain.js names what is no number.)
   * @param {string} name
   * @param {Element} el
   * @param {Element} [control]
   */
  function ms(name, el, control = el) {
    const text = attr(control, name) ?? attr(el, name)
    const number = text === 'blur' ? FOR_EVER : Number(text ?? NaN)
    return number >= 0 ? number : undefined
  }

  /** @param {(entry: Pending) => unknown} [of] */
  function flush(of = () => true) {
    for (const entry of pending) {
      if (!of(entry)) continue
      entry.drop()
      entry.go()
    }
  }

  return {
    flush,

    /**
     * Now, or later.
     * @param {Element} el
     * @param {string} attribute
     * @param {() => void} go Sends the event.
     * @param {Element & { type?: string }} [control] The control that the user changed.
     */
    timed(el, attribute, go, control) {
      const type = attribute === 'dj-input' ? `${control?.type}` : 'file'
      const debounce = ms('dj-debounce', el, control)
      const throttle = ms('dj-throttle', el, control) ?? (debounce === undefined && type === 'range' ? RANGE_INTERVAL_MS : 0)
      const wait = throttle
        ? throttle + (passed.get(el) ?? -Infinity) - clock.now()
        : debounce ?? (/^(check|radio|sel|file)/.test(type) ? 0 : INPUT_DELAY_MS)
      for (const each of pending) {
        if (each.el === el && each.attribute === attribute && each.control === control) each.drop()
      }
      /** @type {Pending} */
      const entry = {
        el,
        attribute,
        control,
        go() {
          if (throttle) passed.set(el, clock.now())
          go()
        },
        drop() {
          cancel()
          pending.delete(entry)
          if (control) count(control, -1)
        },
      }
      if (!(wait > 0)) {
        flush()
        return entry.go()
      }
      if (control) {
        count(control, 1)
        report(control)
      }
      pending.add(entry)
      // With those that are older: what was typed goes before what was done next.
      const cancel = clock.after(wait, () => {
        let due = true
        flush((each) => due && (each !== entry || !(due = false)))
      })
    },
  }
}
