// page.js - a page: its views, its socket and its queue, and what each of Django's frames means for them.
// The reading order: start(), frame(), and the method that is named like the frame.

import { Events } from './events.js'
import { Morpher } from './morph.js'
import { View } from './patch.js'
import { Queue } from './queue.js'
import { Socket } from './socket.js'
import { Status } from './status.js'

const RELOAD_KEY = 'troupe-reload'
const RELOAD_MS = 10000
const JOIN_AGAIN_MS = 1000
const LOST_MS = 500

const FRAMES = new Set(
  ['patch', 'joined', 'failed', 'refused', 'unknown', 'token', 'lost', 'reload', 'error'])

export class Page {
  // env: {window, clock, connect(): a WebSocket, reload(), storage, confirm(text)}
  constructor(env) {
    this.env = env
    const { window, clock, connect } = env
    const document = window.document
    const send = (frame) => this.socket.send(frame)
    this.status = new Status({ document, clock })
    this.events = new Events({
      document,
      clock,
      confirm: env.confirm,
      released: () => this.release(),
      push: (root, name, params, settle) => this.push(root, name, params, settle),
    })
    this.morpher = new Morpher(window, this.events)
    this.queue = new Queue({ clock, send, rejoin: () => this.join() })
    this.views = [...document.querySelectorAll('[data-troupe]')].map(
      (el) => new View({ el, clock, send, morpher: this.morpher }))
    this.socket = new Socket({ clock, connect, on: {
      open: () => this.join(),
      frame: (frame) => this.frame(frame),
      closed: () => this.closed(),
      refused: () => this.status.broken('origin'),
    } })
    this.joining = null // the views that a join was sent for
    this.again = null // cancels a join that is due
  }

  start() {
    if (!this.views.length) return
    const { window } = this.env
    window.addEventListener('online', () => this.socket.wake())
    window.document.addEventListener('visibilitychange', () => window.document.hidden || this.socket.wake())
    // A page with an open socket is not kept for the back button.
    window.addEventListener('pagehide', () => this.leave())
    window.addEventListener('pageshow', (event) => event.persisted && this.socket.start())
    this.socket.start()
  }

  leave() {
    this.events.flush()
    this.socket.stop()
    this.idle()
  }

  closed() {
    this.idle()
    this.status.disconnected()
  }

  idle() {
    this.queue.closed()
    this.again?.()
    this.joining = null
    for (const view of this.views) view.disarm()
  }

  // With the newest token of each root that is still in the page.
  join() {
    this.again?.()
    this.queue.closed()
    this.socket.joining()
    this.views = this.views.filter((view) => view.el.isConnected)
    this.joining = [...this.views]
    this.socket.send({ t: 'join', views: this.joining.map((view) => view.asked()) })
  }

  joinIn(ms) {
    this.again?.()
    this.again = this.env.clock.after(ms, () => this.join())
  }

  push(root, name, params, settle) {
    const view = this.views.find((each) => each.el === root)
    const event = { name, params, view: () => view?.id }
    event.settle = (outcome, frame) => {
      const then = settle(outcome)
      if (outcome === 'failed') this.status.failed(frame.error, { name, params })
      if (outcome === 'unknown') this.status.unknown({ name, params, reason: frame.reason })
      if (outcome === 'refused') this.status.refused({ name, params, reason: frame.reason, again: false })
      return then
    }
    const reason = view ? this.queue.push(event) : 'refused'
    if (reason) event.settle('refused', { reason })
  }

  release() {
    for (const view of this.views) view.release()
  }

  frame(frame) {
    const handler = frame.t === undefined ? 'patch' : frame.t
    if (FRAMES.has(handler)) this[handler](frame)
  }

  joined({ n, fresh, views }) {
    this.socket.ready()
    // A new session knows nothing of what the page had sent: it is never sent again by itself.
    if (fresh) this.queue.lost()
    views.forEach((each, at) => {
      this.joining?.[at]?.joined(each)
      if (each.error) this.status.failed(each.error, {})
    })
    this.joining = null
    this.status.connected()
    this.queue.joined(n)
  }

  // The event's own answer first: its patch may then write what was held for it.
  patch(frame) {
    const then = frame.a ? this.queue.answer(frame.a, 'done', frame) : undefined
    this.views.find((view) => view.id === frame.v)?.patch(frame)
    then?.()
    if (frame.a) this.release()
  }

  failed(frame) {
    if (frame.n) this.queue.answer(frame.n, 'failed', frame)
    else this.status.failed(frame.error, {})
    this.release()
  }

  unknown(frame) {
    this.queue.answer(frame.n, 'unknown', frame)
    this.release()
  }

  refused({ n, reason, retry_ms: retryMs = 0, message }) {
    if (n) {
      const gone = this.queue.refused(n, reason, retryMs, { reason, message })
      if (!gone) this.status.refused({ reason, message, again: true })
      return this.release()
    }
    if (this.joining) this.joinIn(Math.max(retryMs, JOIN_AGAIN_MS))
  }

  token({ v, token }) {
    const view = this.views.find((each) => each.id === v)
    if (view) view.token = token
  }

  lost(frame) {
    this.status.tell('lost', { reason: frame.reason })
    this.queue.closed()
    this.queue.lost(frame)
    this.release()
    this.status.disconnected()
    // A worker's pages all come at once otherwise.
    this.joinIn(this.env.clock.random() * LOST_MS)
  }

  // Once: a page that is refused again at once would reload for ever.
  reload({ reason }) {
    const { clock, storage } = this.env
    this.leave()
    if (!this.status.tell('reload', { reason })) return
    try {
      const last = Number(storage().getItem(RELOAD_KEY) ?? 0)
      if (clock.now() - last < RELOAD_MS) return this.status.broken('reload')
      storage().setItem(RELOAD_KEY, clock.now())
    } catch {
      return this.status.broken('reload') // storage is switched off, so nobody would count
    }
    this.env.reload()
  }

  error({ reason, message }) {
    console.error(`troupe: ${reason}: ${message}`)
  }
}
