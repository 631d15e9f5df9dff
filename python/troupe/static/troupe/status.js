// status.js - shows the user, and tells the page's own scripts, how the connection and events fare: a class on
// <html>, events on the document (troupe.d.ts), and a message where silence would be wrong. Text only, never markup.

import { documentOf } from './dom.js'
import { createTimer } from './timer.js'
import { PATIENCE_MS, TOAST_MS } from './timings.js'

/** @import { BrowserWindow, Clock, ErrorDetail, StatusEvent } from './types.js' */

/** @type {{ [reason: string]: string }} */
const TEXTS = {
  failed: 'That went wrong.',
  unknown: 'The connection broke. Please check whether that was done.',
  too_large: 'That was too large.',
  full: 'Too much is waiting.',
  files: 'Files cannot be sent.',
  refused: 'Not done.',
  disconnected: 'No connection. Trying again…',
  reload: 'Please reload this page.',
  anew: 'This page had to start over. Please check what was done.',
}

/** @param {{ window: BrowserWindow, clock: Clock }} env */
export function createStatus({ window, clock }) {
  const { CustomEvent } = window
  const document = documentOf(window)
  const html = document.documentElement
  let marked = ''

  /**
   * A message beside <body>, which may be a view's root. Inline styles set by a script are allowed by a
   * Content-Security-Policy that forbids style sheets (https://www.w3.org/TR/CSP3/#directive-style-src).
   * @param {string} role
   */
  function createNote(role) {
    const note = document.createElement('div')
    const timer = createTimer(clock)
    const hide = () => {
      timer.cancel()
      note.remove()
    }
    note.className = 'troupe-note'
    note.role = role
    note.style.cssText = 'position:fixed;z-index:9999;bottom:0;padding:1em;background:#000;color:#fff'
    note.onclick = hide
    return {
      hide,

      /**
       * @param {string} text
       * @param {number} [ms] Without it the note stays.
       */
      show(text, ms) {
        timer.cancel()
        note.textContent = text
        html.append(note)
        if (ms) timer.set(ms, hide)
      },
    }
  }

  const connectionNote = createNote('status')
  const eventNote = createNote('alert')
  const later = createTimer(clock)

  document.addEventListener('keydown', ({ key }) => key === 'Escape' && eventNote.hide())

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
    connectionNote.hide()
    html.classList.remove(`troupe-${marked}`)
    html.classList.add(`troupe-${(marked = state)}`)
    return tell(state, detail)
  }

  return {
    tell,

    connected: () => mark('connected'),

    /**
     * Attempts that fail change nothing: what is shown stays.
     * @param {{ code?: number }} [closed]
     */
    disconnected(closed) {
      if (marked !== 'disconnected' && mark('disconnected', closed)) {
        later.set(PATIENCE_MS, () => connectionNote.show(TEXTS.disconnected))
      }
    },

    /**
     * The page has given up: only the user can load it again.
     * @param {string} reason
     * @param {string} [text]
     */
    broken(reason, text = TEXTS[reason]) {
      if (mark('error', { reason })) connectionNote.show(text)
    },

    /**
     * What comes with frames of the stack, if only none, is for whoever sees the page. (Only while developing there are
     * some: debug-page.js shows them.)
     * @param {{ error?: ErrorDetail | undefined, [member: string]: any }} detail
     */
    failed(detail) {
      if (!tell('failed', detail)) return
      const { frames, type, message } = detail.error ?? {}
      frames ? eventNote.show(`${type}: ${message}`) : eventNote.show(TEXTS.failed, TOAST_MS)
    },

    /** @param {object} detail */
    unknown(detail) {
      if (tell('unknown', detail)) eventNote.show(TEXTS.unknown, TOAST_MS)
    },

    // The state that the page showed is gone. That stays until it is read.
    anew() {
      if (tell('anew')) eventNote.show(TEXTS.anew)
    },

    /**
     * again: it is retried automatically; the page's scripts may want to know, the user need not.
     * @param {{ reason?: string | undefined, again?: boolean, [member: string]: any }} detail
     */
    refused(detail) {
      const shows = tell('refused', detail)
      if (detail.again) return
      console.error('troupe:', detail)
      if (shows) eventNote.show(TEXTS[/** @type {string} */ (detail.reason)] ?? TEXTS.refused, TOAST_MS)
    },
  }
}
