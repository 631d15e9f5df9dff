// status.js - shows the user, and tells the page's own scripts, how the connection and events fare: a class on
// <html>, events on the document (troupe.d.ts), and a message where silence would be wrong (notes.js).

import { documentOf } from './dom.js'
import { createPart } from './parts.js'
import { createTimer } from './timer.js'
import { PATIENCE_MS } from './timings.js'

/** @import { ErrorDetail, Notes, PageEnvironment, StatusEvent } from './types.js' */

/** @param {Pick<PageEnvironment, 'window' | 'clock' | 'load'>} env */
export function createStatus({ window, clock, load }) {
  const { CustomEvent } = window
  const document = documentOf(window)
  const html = document.documentElement
  let marked = ''

  const later = createTimer(clock)
  /** @type {ReturnType<typeof createPart<Notes>>} */
  const notes = createPart((name, then) => load(name, then, () => {}), 'notes', { document, clock })

  /**
   * False: a listener called preventDefault() and tells the user itself.
   * @param {StatusEvent} name
   * @param {object} [detail]
   */
  function tell(name, detail = {}) {
    return document.dispatchEvent(new CustomEvent(`troupe:${name}`, { detail, cancelable: true }))
  }

  /**
   * @param {StatusEvent} state
   * @param {object} [detail]
   */
  function mark(state, detail) {
    later.cancel()
    notes.get()?.connection()
    html.classList.remove(`troupe-${marked}`)
    html.classList.add(`troupe-${(marked = state)}`)
    return tell(state, detail)
  }

  /**
   * What is still so when the part is there.
   * @param {string} reason
   * @param {string} [text]
   */
  function show(reason, text) {
    const state = marked
    notes.use((part) => state === marked && part.connection(reason, text))
  }

  return {
    tell,

    connected() {
      mark('connected')
      notes.need() // while it can be had
    },

    /**
     * Attempts that fail change nothing: what is shown stays.
     * @param {{ code?: number }} [closed]
     */
    disconnected(closed) {
      if (marked !== 'disconnected' && mark('disconnected', closed)) {
        later.set(PATIENCE_MS, () => show('disconnected'))
      }
    },

    /**
     * The page has given up: only the user can load it again.
     * @param {string} reason
     * @param {string} [text]
     */
    broken(reason, text) {
      if (mark('error', { reason })) show(reason, text)
    },

    /**
     * What comes with frames of the stack, if only none, is for whoever sees the page. (Only while developing there are
     * some: debug-page.js shows them.)
     * @param {{ error?: ErrorDetail | undefined, [member: string]: any }} detail
     */
    failed(detail) {
      if (!tell('failed', detail)) return
      const { frames, type, message } = detail.error ?? {}
      notes.use((part) => part.event('failed', frames && `${type}: ${message}`))
    },

    /** @param {object} detail */
    unknown(detail) {
      if (tell('unknown', detail)) notes.use((part) => part.event('unknown'))
    },

    // The state that the page showed is gone. That stays until it is read.
    anew() {
      if (tell('anew')) notes.use((part) => part.event('anew'))
    },

    /**
     * again: it is retried automatically; the page's scripts may want to know, the user need not.
     * @param {{ reason?: string | undefined, again?: boolean, [member: string]: any }} detail
     */
    refused(detail) {
      const shows = tell('refused', detail)
      if (detail.again) return
      console.error('troupe:', detail)
      if (shows) notes.use((part) => part.event(detail.reason))
    },
  }
}
