// status.js - tells the person, and the page's own scripts, how things stand: a class on <html>, events on
// the document, and a message where silence would be wrong. Text only, never markup.

const STATES = ['troupe-connected', 'troupe-disconnected', 'troupe-error']
// A short interruption needs no words.
const PATIENCE_MS = 2000
const TOAST_MS = 8000
const STYLE = `
.troupe-note{position:fixed;z-index:2147483647;left:50%;bottom:1rem;translate:-50% 0;display:flex;
gap:.75rem;align-items:start;max-width:min(60rem,100vw - 2rem);max-height:70vh;overflow:auto;
padding:.75rem 1rem;border-radius:.5rem;background:#1f2328;color:#f6f8fa;font:14px/1.45 system-ui,sans-serif;
box-shadow:0 4px 24px #0006}
.troupe-note pre{margin:.5rem 0 0;font:12px/1.5 ui-monospace,monospace;white-space:pre-wrap}
.troupe-note button{font:inherit;color:inherit;background:none;border:1px solid #fff6;border-radius:.25rem;
cursor:pointer}`

export const TEXTS = {
  failed: 'Something went wrong with that. It may not have been done.',
  unknown: 'The connection broke in the middle of that. Please check whether it was done.',
  too_large: 'That was too large to send.',
  full: 'Too much is waiting to be sent. That was not sent.',
  refused: 'That could not be done.',
  disconnected: 'The connection is gone. Trying again…',
  reload: 'This page is out of date. Please load it again.',
  origin: 'This page cannot connect to its server.',
}

export class Status {
  constructor({ document, clock }) {
    Object.assign(this, { document, clock })
    this.notes = new Map()
    this.cancel = null
    this.adoptStyle()
    document.addEventListener('keydown', (event) => event.key === 'Escape' && this.hide('event'))
  }

  connected() {
    this.mark('troupe-connected')
    this.cancel?.()
    this.hide('socket')
    this.tell('connected', {})
  }

  disconnected() {
    this.mark('troupe-disconnected')
    this.cancel?.()
    this.cancel = this.clock.after(PATIENCE_MS, () => this.show('socket', 'status', TEXTS.disconnected))
    this.tell('disconnected', {})
  }

  // Nothing more will come by itself.
  broken(reason) {
    this.mark('troupe-error')
    this.cancel?.()
    if (this.tell('error', { reason })) this.show('socket', 'alert', TEXTS[reason] ?? TEXTS.origin)
  }

  // The server sends frames of the stack only while developing: then they are shown.
  failed(error, detail) {
    if (!this.tell('failed', { ...detail, error })) return
    if (!error?.frames) return this.toast(TEXTS.failed)
    const frames = error.frames.map(([file, line, name, source]) => `${file}:${line} ${name}\n    ${source}`)
    this.show('event', 'alert', [error.type, error.message].filter(Boolean).join(': '), frames.join('\n'))
  }

  unknown(detail) {
    if (this.tell('unknown', detail)) this.toast(TEXTS.unknown)
  }

  // again: it will be sent again by itself; the page's scripts may want to know, the person need not.
  refused(detail) {
    if (this.tell('refused', detail) && !detail.again) this.toast(TEXTS[detail.reason] ?? TEXTS.refused)
  }

  // False: a listener called preventDefault() and tells the person itself.
  tell(name, detail) {
    const { CustomEvent } = this.document.defaultView
    return this.document.dispatchEvent(new CustomEvent(`troupe:${name}`, { detail, cancelable: true }))
  }

  mark(state) {
    this.document.documentElement.classList.remove(...STATES)
    this.document.documentElement.classList.add(state)
  }

  toast(text) {
    const note = this.show('event', 'alert', text)
    this.clock.after(TOAST_MS, () => this.notes.get('event') === note && this.hide('event'))
  }

  // Beside <body>, which may be a view's root.
  show(name, role, text, more) {
    this.hide(name)
    const make = (tag, content) => {
      const el = this.document.createElement(tag)
      el.textContent = content
      return el
    }
    const [note, body, button] = [make('div', ''), make('div', text), make('button', '×')]
    note.className = 'troupe-note'
    note.setAttribute('role', role)
    button.setAttribute('aria-label', 'Dismiss')
    button.addEventListener('click', () => this.hide(name))
    if (more) body.append(make('pre', more))
    note.append(body, button)
    this.document.documentElement.append(note)
    this.notes.set(name, note)
    return note
  }

  hide(name) {
    this.notes.get(name)?.remove()
    this.notes.delete(name)
  }

  // A constructed style sheet passes a strict Content-Security-Policy.
  adoptStyle() {
    const { CSSStyleSheet } = this.document.defaultView
    if (!this.document.adoptedStyleSheets || !CSSStyleSheet) return
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(STYLE)
    this.document.adoptedStyleSheets = [...this.document.adoptedStyleSheets, sheet]
  }
}
