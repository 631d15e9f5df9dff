// notes.js - messages for the user: a part of its own (parts.js), loaded when the page has connected, or could not. Text
// only, never markup.

import { createTimer } from './timer.js'
import { TOAST_MS } from './timings.js'

/** @import { Clock } from './types.js' */

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

/** @param {{ document: Document, clock: Clock }} options */
export function create({ document, clock }) {
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
        document.documentElement.append(note)
        if (ms) timer.set(ms, hide)
      },
    }
  }

  const connectionNote = createNote('status')
  const eventNote = createNote('alert')
  document.addEventListener('keydown', ({ key }) => key === 'Escape' && eventNote.hide())

  return {
    /**
     * Of the page, until the next call; without a reason there is none.
     * @param {string} [reason]
     * @param {string} [text]
     */
    connection(reason, text = TEXTS[reason ?? '']) {
      text ? connectionNote.show(text) : connectionNote.hide()
    },

    /**
     * Of an event.
     * @param {string | undefined} reason
     * @param {string} [text] It stays until the user has read it.
     */
    event(reason = '', text) {
      if (reason === 'anew') text = TEXTS.anew
      text ? eventNote.show(text) : eventNote.show(TEXTS[reason] ?? TEXTS.refused, TOAST_MS)
    },
  }
}
