// page.js - a page: its views, its socket and its queue, and what each of Django's frames means for them.
// The reading order: start(), FRAMES, and the function that is named like the frame.

import { chunkCache } from './chunks.js'
import { eventsOf } from './events.js'
import { morphOf } from './morph.js'
import { viewOf } from './patch.js'
import { queueOf } from './queue.js'
import { socketOf } from './socket.js'
import { statusOf } from './status.js'
import { timerOf } from './timer.js'

const RELOAD_KEY = 'troupe-reload'
const RELOAD_MS = 10000
const LOST_MS = 500

// env: {window, clock, connect(): a WebSocket, reload()}.
export function pageOf(env) {
  const { window, clock, connect } = env
  const { document } = window
  let joining = false // a join is unanswered
  const again = timerOf(clock) // a join that is due
  const status = statusOf(env)
  const events = eventsOf({ window, clock, push, released: release })
  const socket = socketOf({
    clock,
    connect,
    open: join,
    frame: (frame) => FRAMES[frame.t ?? 'patch']?.(frame),
    closed() {
      idle()
      status.disconnected()
    },
  })
  const { send } = socket
  const queue = queueOf({ clock, send, rejoin: () => again.runs() || join() })
  const morph = morphOf(window, events)
  const chunks = chunkCache(window)
  let views = [...document.querySelectorAll('[data-troupe]')].map(
    (el) => viewOf({ document, el, clock, send, morph, chunks }))

  function start() {
    if (!views.length) return
    window.addEventListener('online', socket.wake)
    document.addEventListener('visibilitychange', socket.wake)
    // A page with an open socket is not kept for the back button.
    window.addEventListener('pagehide', leave)
    window.addEventListener('pageshow', socket.start)
    socket.start()
  }

  function leave() {
    events.flush()
    socket.stop()
    idle()
  }

  function idle() {
    queue.closed()
    again.clear()
    joining = false
    for (const view of views) view.disarm()
  }

  // With the newest token of each root that is still in the page. One join at a time: a second one would have the
  // same tokens, which the first has spent by then. Whoever asks for it meanwhile asks because of a frame that is
  // older than the answer, so the answer will do.
  function join() {
    if (joining) return
    idle()
    views = views.filter((view) => view.el().isConnected)
    if (!views.length) return leave()
    joining = true
    socket.joining()
    send({ t: 'join', views: views.map((view) => view.asked()) })
  }

  function push(root, name, params, settle) {
    const view = views.find((each) => each.el() === root)
    const refusal = view ? queue.push({ name, params, view: view.id, settle: over }) : 'refused'
    if (refusal) over('refused', { reason: refusal })

    function over(outcome, { error, reason }) {
      const then = settle(outcome)
      status[outcome]?.({ name, params, error, reason })
      return then
    }
  }

  function release() {
    for (const view of views) view.release()
  }

  // The event's own answer first: its patch may then write what was held for it.
  function patch(frame) {
    const then = queue.answer(frame.a, 'done', frame)
    views.find((view) => view.number() === frame.v)?.patch(frame)
    then?.()
    if (frame.a) release()
  }

  const answer = (outcome) => (frame) => {
    if (frame.n) queue.answer(frame.n, outcome, frame)
    else status[outcome](frame)
    release()
  }

  const FRAMES = {
    patch,

    // One that nobody asked for is told, and taken all the same: it brings the only tokens that are good now.
    joined(frame) {
      const { n, fresh, restored, views: entries } = frame
      if (!joining) console.error('troupe:', frame)
      // A new session knows nothing of what the page had sent: it is never sent again by itself.
      if (fresh) queue.lost()
      entries.forEach((entry, at) => {
        views[at].joined(entry)
        if (entry.error) status.failed(entry)
      })
      joining = false
      socket.ready()
      status.connected()
      queue.joined(n, restored)
    },

    failed: answer('failed'),
    unknown: answer('unknown'),

    // Without n it answers a refresh, which the view asks for again.
    refused(frame) {
      if (!frame.n) return
      if (!queue.refused(frame)) status.refused({ ...frame, again: true })
      release()
    },

    token({ v, token }) {
      views.find((view) => view.id() === v)?.renew(token)
    },

    lost(frame) {
      status.tell('lost', frame)
      queue.closed()
      status.disconnected()
      // A worker's pages all come at once otherwise. A join that is under way, or due, will do.
      if (!joining && !again.runs()) again.set(clock.random() * LOST_MS, join)
    },

    // Once: a page that is refused again at once would reload for ever.
    reload(frame) {
      leave()
      if (!status.tell('reload', frame)) return
      try {
        const { sessionStorage } = window
        const soon = clock.now() - sessionStorage[RELOAD_KEY] < RELOAD_MS
        sessionStorage[RELOAD_KEY] = clock.now()
        if (!soon) return void env.reload()
      } catch {
        // Storage is switched off, so nobody would count.
      }
      status.broken('reload')
    },

    error(frame) {
      console.error('troupe:', frame)
      const { retry_ms: ms } = frame
      if (!joining || !ms) return
      // The join was refused, and is due later: on this socket, or on the next one if this one is closed.
      joining = false
      socket.joining(ms)
      again.set(ms, join)
    },
  }

  return { start, leave }
}
