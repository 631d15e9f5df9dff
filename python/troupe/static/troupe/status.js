// status.js - tells the person, and the page's own scripts, how things stand: a class on <html>, events on
// the document, and a message where silence would be wrong. Text only, never markup.

import { timerOf } from './timer.js'

// A short interruption needs no words.
const PATIENCE_MS = 2000
const TOAST_MS = 8000
const STYLE = 'position:fixed;z-index:9999;bottom:0;padding:1em;background:#000;color:#fff;' +
  'white-space:pre-wrap;max-height:80vh;overflow:auto'

const TEXTS = {
  failed: 'That went wrong.',
  unknown: 'The connection broke. Please check whether that was done.',
  too_large: 'That was too large.',
  full: 'Too much is waiting.',
  refused: 'Not done.',
  disconnected: 'No connection. Trying again…',
  reload: 'Please load this page again.',
}

export function statusOf({ window, clock }) {
  const { document, CustomEvent } = window
  const html = document.documentElement
  let marked = 'troupe'

  // Beside <body>, which may be a view's root. Style sheets are at the mercy of a Content-Security-Policy.
  function noteOf(role) {
    const note = document.createElement('div')
    const timer = timerOf(clock)
    const hide = () => {
      timer.clear()
      note.remove()
    }
    note.className = 'troupe-note'
    note.role = role
    note.style.cssText = STYLE
    note.onclick = hide
    return {
      hide,
      show(text, ms) {
        timer.clear()
        note.textContent = text
        html.append(note)
        if (ms) timer.set(ms, hide)
      },
    }
  }

  const [line, word] = ['status', 'alert'].map(noteOf) // of the connection, of an event
  const later = timerOf(clock)

  document.addEventListener('keydown', ({ key }) => key === 'Escape' && word.hide())

  // False: a listener called preventDefault() and tells the person itself.
  function tell(name, detail = {}) {
    return document.dispatchEvent(new CustomEvent(`troupe:${name}`, { detail, cancelable: true }))
  }

  function mark(state, detail) {
    later.clear()
    line.hide()
    html.classList.remove(marked)
    html.classList.add((marked = `troupe-${state}`))
    return tell(state, detail)
  }

  return {
    tell,

    connected: () => mark('connected'),

    disconnected() {
      mark('disconnected')
      later.set(PATIENCE_MS, () => line.show(TEXTS.disconnected))
    },

    // Nothing more will come by itself.
    broken(reason) {
      if (mark('error', { reason })) line.show(TEXTS[reason])
    },

    // The server sends frames of the stack only while developing: then they are shown.
    failed(detail) {
      if (!tell('failed', detail)) return
      const { frames, type, message } = detail.error ?? {}
      if (!frames) return word.show(TEXTS.failed, TOAST_MS)
      word.show([`${type}: ${message}`, ...frames.map((frame) => frame.join(' '))].join('\n'))
    },

    unknown(detail) {
      if (tell('unknown', detail)) word.show(TEXTS.unknown, TOAST_MS)
    },

    // again: it will be sent again by itself; the page's scripts may want to know, the person need not.
    refused(detail) {
      if (tell('refused', detail) && !detail.again) word.show(TEXTS[detail.reason] ?? TEXTS.refused, TOAST_MS)
    },
  }
}
