// page.js - a page: its views, its socket and its queue, and what each of Django's frames means for them.
// In reading order: start(), HANDLERS, and the function that is named like the frame.

import { closest, documentOf, isConnected } from './dom.js'
import { createDomEvents } from './dom-events.js'
import { createChunkCache } from './chunk-cache.js'
import { createMorpher } from './morph.js'
import { createView } from './view.js'
import { createStatus } from './status.js'
import { createEventQueue } from './event-queue.js'
import { createSocket } from './socket.js'
import { createTimer } from './timer.js'
import { REJOIN_SPREAD_MS, RELOAD_AGAIN_MS } from './timings.js'

/**
 * @import { Effects, ErrorFrame, FailedFrame, JoinedFrame, LostFrame, Outcome, PageEnvironment, Params, PatchFrame, RefusedFrame,
 *   ReloadFrame, Settle, TokenFrame, UnknownFrame } from './types.js'
 */

const RELOAD_KEY = 'troupe-reload'

/** @param {PageEnvironment} env */
export function createPage(env) {
  const { window, clock, connect, tokens } = env
  const document = documentOf(window)
  // The browser fills controls in again, without a word (https://html.spec.whatwg.org/#restore-persisted-state).
  const entered = /** @type {any} */ (window.performance.getEntriesByType('navigation')[0])?.type
  let joining = false // a join is unanswered
  let following = Promise.resolve() // what answers did beside their patches, one after the other
  const again = createTimer(clock) // a join that is due
  const status = createStatus(env)
  const ending = new window.AbortController()
  /** @type {import('./types.js').Listen} */
  const listen = (type, run, target = document, capture = false) => target.addEventListener(type, run, { capture, signal: ending.signal })
  const events = createDomEvents({ window, clock, rootOf, listen, push, refuse: status.refused, released: release, load, refresh })
  const socket = createSocket({
    clock,
    connect,
    open: join,
    frame: (frame) => HANDLERS[frame.t ?? 'patch']?.(/** @type {any} */ (frame)),
    closed(event) {
      idle()
      status.disconnected(event)
    },
  })
  const { send } = socket
  const queue = createEventQueue({ clock, send, rejoin: () => again.isSet() || join() })
  const morph = createMorpher(window, events)
  const chunks = createChunkCache(window)
  let views = (env.roots ?? /** @type {HTMLElement[]} */ ([...document.querySelectorAll('[data-troupe]')])).map(
    (el) => createView({ document, el, clock, send, morph, chunks, tokens, load, broken: () => status.broken('reload') }))

  function start() {
    if (!views.length) return
    listen('online', socket.wake, window)
    listen('visibilitychange', socket.wake)
    // A page with an open socket does not go into the back/forward cache (https://web.dev/articles/bfcache).
    listen('pagehide', leave, window)
    listen('pageshow', socket.start, window)
    events.equip(socket.start)
  }

  function leave() {
    events.flush()
    socket.stop()
    idle()
  }

  function idle() {
    queue.closed()
    again.cancel()
    joining = false
    for (const view of views) view.disarm()
  }

  // Joins with the newest token of each root that is still in the page. One join at a time: a second one would carry
  // the same tokens, which the first has spent by then. What asks for one meanwhile does so because of a frame that is
  // older than the answer to come, so that answer will do.
  function join() {
    if (joining) return
    idle()
    views = views.filter((view) => isConnected(view.el()))
    if (!views.length) return leave()
    joining = true
    socket.joining()
    send({ t: 'join', views: views.map((view) => view.asked()) })
  }

  /**
   * The root of this page around an element.
   * @param {Element} el
   */
  function rootOf(el) {
    const root = closest(el, '[data-troupe]')
    return views.some((view) => view.el() === root) && root
  }

  /**
   * @param {Element} root
   * @param {string} name
   * @param {Params} params
   * @param {Settle} settle
   */
  function push(root, name, params, settle) {
    if (env.outdated?.()) {
      socket.stop()
      idle()
      socket.start()
    }
    const view = views.find((each) => each.el() === root)
    const refusal = view ? queue.push({ name, params, view: view.id, settle: over }) : 'refused'
    if (refusal) over('refused', { reason: refusal })

    /**
     * @param {Outcome} outcome
     * @param {import('./types.js').OutcomeFrame} frame
     */
    function over(outcome, { error, reason, redirect }) {
      const then = settle(outcome)
      if (redirect) return then
      status[/** @type {'failed'} */ (outcome)]?.({ name, params, error, reason }) // there is none for 'done'
      return then
    }
  }

  /**
   * Cookies first: where the redirect leads may need them. A ticket is bound to the session cookie of before, so that
   * one exchange waits for the other. Without the cookies the page is nobody's: loaded again, it is that of whoever the
   * browser says.
   * @param {Effects} effects
   */
  function follow({ redirect: url, ticket, warnings }) {
    if (warnings) console.warn('troupe:', ...warnings)
    if (!url && !ticket) return
    following = following.then(async () => {
      const done = !ticket || (await env.collect(ticket)) === 204
      if (!url) done || HANDLERS.reload({ t: 'reload', reason: 'cookies' })
      else if (status.tell('redirect', { url })) env.visit(url)
    })
  }

  /** @type {import('./types.js').Load} */
  function load(name, then) {
    env.load(name, then, () => status.broken('reload'))
  }

  function refresh() {
    for (const view of views) view.refresh()
  }

  function release() {
    for (const view of views) view.release()
  }

  /**
   * The event's own answer first: its patch may then write what was held for it.
   * @param {PatchFrame} frame
   */
  function patch(frame) {
    const then = queue.answer(frame.a, 'done', /** @type {{}} */ (frame))
    views.find((view) => view.number() === frame.v)?.patch(frame)
    then?.()
    if (frame.a) release()
    events.answered()
    follow(frame)
  }

  /** @type {(outcome: 'failed' | 'unknown') => (frame: FailedFrame | UnknownFrame) => void} */
  const answer = (outcome) => (frame) => {
    if (frame.n) queue.answer(frame.n, outcome, frame)
    else if (!(/** @type {FailedFrame} */ (frame).redirect)) status[outcome](frame)
    release()
    follow(/** @type {FailedFrame} */ (frame))
  }

  /** @type {{ [type: string]: (frame: any) => void }} By the type of the frame; those without one are patches. */
  const HANDLERS = {
    patch,

    /**
     * An unexpected one is logged and applied all the same: it brings the only tokens that are valid now.
     * @param {JoinedFrame} frame
     */
    joined(frame) {
      const { n, fresh, restored, views: entries } = frame
      if (!joining) console.error('troupe:', frame)
      // A new session knows nothing of what the page had sent: it is never sent again by itself.
      if (fresh && queue.lost()) status.anew()
      entries.forEach((entry, index) => {
        const isNew = views[index].asked().s === undefined
        views[index].joined(entry)
        if (isNew) events.joined(views[index].el(), /back|reload/.test(entered))
        if (entry.anew && n) status.anew()
        if (entry.error && !entry.redirect) status.failed(entry)
        follow(entry)
      })
      joining = false
      socket.ready()
      status.connected()
      queue.joined(n, restored)
    },

    failed: answer('failed'),
    unknown: answer('unknown'),

    /**
     * Without n it answers a refresh, which the view asks for again.
     * @param {RefusedFrame} frame
     */
    refused(frame) {
      if (!frame.n) return
      if (!queue.refused(frame)) status.refused({ ...frame, again: true })
      release()
    },

    /** @param {TokenFrame} frame */
    token({ v, token }) {
      views.find((view) => view.id() === v)?.renew(token)
    },

    /** @param {LostFrame} frame */
    lost(frame) {
      status.tell('lost', frame)
      queue.closed()
      status.disconnected()
      // A worker's pages would all come at once otherwise. A join that is under way, or due, will do.
      if (!joining && !again.isSet()) again.set(clock.random() * REJOIN_SPREAD_MS, join)
    },

    /**
     * Reloads once: a page that is refused again at once would reload for ever. With a message not even once. A socket
     * that was lost between a log-in and its cookie brings this, and a reload would abort the exchange.
     * @param {ReloadFrame} frame
     */
    reload(frame) {
      leave()
      if (!status.tell('reload', frame)) return
      if (frame.message) return status.broken('reload', frame.message)
      try {
        const { sessionStorage } = window
        const soon = clock.now() - sessionStorage[RELOAD_KEY] < RELOAD_AGAIN_MS
        sessionStorage[RELOAD_KEY] = clock.now()
        if (!soon) return void following.then(env.reload)
      } catch {
        // Storage is switched off: reloads could not be counted.
      }
      status.broken('reload')
    },

    /** @param {ErrorFrame} frame */
    error(frame) {
      console.error('troupe:', frame)
      const { reason, retry_ms: ms } = frame
      if (reason === 'tokens') env.apart?.()
      if (!joining || !ms) return
      // The join was refused, and is due later: on this socket, or on the next one if this one is closed.
      joining = false
      socket.joining(ms)
      again.set(ms, join)
    },
  }

  return {
    start,
    leave,

    views: () => views,

    // For good.
    end() {
      leave()
      ending.abort()
    },
  }
}
