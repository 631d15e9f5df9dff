// event-queue.js - a page's events: their numbers, which are unanswered, which wait (PROTOCOL.md 7 and 9).
// Pure: it knows neither socket nor page. The clock, the sender and the request to join again come in.

import { MAX_BROWSER_FRAME, MAX_EVENTS_SENT, MAX_EVENTS_WAITING } from './limits.js'
import { createTimer } from './timer.js'
import { RETRY_FIRST_MS, RETRY_MAX_MS } from './timings.js'

/** @import { Clock, EventFrame, Outcome, OutcomeFrame, QueuedEvent, RefusedFrame } from './types.js' */

/**
 * @typedef {object} Item
 * @property {QueuedEvent} event
 * @property {number} n Its number; 0: none yet.
 * @property {boolean} sent Its last sending has no outcome yet.
 * @property {boolean} [doubt] An earlier sending never got an outcome.
 * @property {number} due
 * @property {number} tries
 * @property {boolean} [r] A worker that died may have executed it.
 */

/**
 * @param {object} options
 * @param {Clock} options.clock
 * @param {(frame: EventFrame) => void} options.send
 * @param {() => void} options.rejoin The page has to join again before more can be sent.
 */
export function createEventQueue({ clock, send, rejoin }) {
  /** @type {Item[]} */
  let items = []
  let next = 1
  let open = false
  const timer = createTimer(clock)

  /** @param {number | undefined} n */
  const find = (n) => items.find((item) => n && item.n === n)
  /** @param {{ event: QueuedEvent, tries: number }} item */
  const unnumber = (item) => Object.assign(item, { n: 0, sent: false, due: 0 })

  function closed() {
    open = false
    timer.cancel()
  }

  /**
   * Its last sending will get no answer any more. A later one that is refused says nothing about this one.
   * @param {Item} item
   */
  function abandon(item) {
    item.doubt ||= item.sent
    item.sent = false
  }

  // The session is gone: the outcome of events that were sent to it is unknown for good. True: it had some.
  function lost() {
    items.forEach(abandon)
    const doubtful = items.filter((item) => item.doubt)
    items = items.filter((item) => !item.doubt)
    items.forEach(unnumber)
    for (const item of doubtful) item.event.settle('unknown', { reason: 'lost' })
    return next > 1
  }

  // Sends in order, never past an event that has to wait, never past the window.
  function pump() {
    if (!open) return
    timer.cancel()
    for (const item of items.slice(0, MAX_EVENTS_SENT)) {
      if (item.sent) continue
      const wait = item.due - clock.now()
      if (wait > 0) return timer.set(wait, pump)
      item.n ||= next++
      item.sent = true
      send({ t: 'event', n: item.n, v: item.event.view(), e: item.event.name, p: item.event.params, r: item.r })
    }
  }

  /**
   * @param {Item} item
   * @param {number} retryMs
   */
  function delay(item, retryMs) {
    const longest = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** item.tries++)
    return Math.max(retryMs, Math.ceil(longest * (1 + clock.random()) / 2))
  }

  return {
    closed,
    lost,

    /**
     * Returns null, or why the event was not taken. Its settle() is called once; what that returns comes out of
     * answer().
     * @param {QueuedEvent} event
     * @returns {'full' | 'too_large' | null}
     */
    push(event) {
      const { size } = new Blob([JSON.stringify([event.name, event.params])])
      if (size + 128 > MAX_BROWSER_FRAME) return 'too_large' // with room for the other members of the frame
      if (items.length >= MAX_EVENTS_SENT + MAX_EVENTS_WAITING) return 'full'
      items.push(unnumber({ event, tries: 0 }))
      pump()
      return null
    },

    /**
     * The session has executed everything up to `last`. One that is behind what was already answered is another
     * session: the outcome of what was sent to the old one is unknown. What was refused had not begun.
     * @param {number} last
     * @param {boolean} [restored] It comes from a snapshot, and does not know what the worker before had begun.
     */
    joined(last, restored) {
      const first = items.find((item) => item.n)
      if (first && last < first.n - 1) lost()
      for (const item of items) {
        abandon(item)
        if (restored && item.doubt) item.r = true
      }
      next = 1 + Math.max(last, ...items.map((item) => item.n))
      open = true
      pump()
    },

    /**
     * done, failed and unknown consume the number. Returns what settle() returned; a repeated answer is ignored.
     * @param {number} n
     * @param {Outcome} outcome
     * @param {OutcomeFrame} frame
     */
    answer(n, outcome, frame) {
      const item = find(n)
      if (!item) return undefined
      items.splice(items.indexOf(item), 1)
      const then = item.event.settle(outcome, frame)
      pump()
      return then
    },

    /**
     * Returns the event that was given up, or undefined when it will be sent again. `r` in the frame: on its way it
     * was sent more than once, and only the last of these sendings is known to have been refused.
     * @param {RefusedFrame} frame
     */
    refused(frame) {
      const { n, reason, retry_ms: ms = 0, r } = frame
      const item = find(n)
      if (!item?.sent) return undefined
      const index = items.indexOf(item)
      // Sending such an event again cannot succeed.
      const givenUp = /^(too_large|malformed|type)$/.test(reason)
      item.sent = false
      item.doubt ||= r
      // What is in front was refused as well, or lost on its way: sending it again closes the gap.
      if (reason === 'gap' && index) abandon(items[0])
      else item.due = clock.now() + delay(item, ms)
      if (givenUp) {
        // Those behind were not executed. They get new numbers, but not before nothing is on its way: an old
        // refusal may never be taken for that of another event.
        items.splice(index, 1)
        items.slice(index).forEach(unnumber)
        item.event.settle('refused', frame)
      }
      // The first unanswered event is a gap only when page and session disagree about the count.
      if (givenUp || (reason === 'gap' && !index) || reason === 'unknown_session') {
        closed()
        rejoin()
      }
      pump()
      return givenUp ? item.event : undefined
    },
  }
}
