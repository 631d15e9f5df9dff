// queue.js - a page's events: their numbers, which are unanswered, which wait (PROTOCOL.md 7 and 9).
// Pure: it knows neither socket nor page. The clock, the sender and the request to join again come in.

import { MAX_BROWSER_FRAME, MAX_EVENTS_SENT, MAX_EVENTS_WAITING } from './limits.js'
import { timerOf } from './timer.js'

// Sending these again cannot mend them: the event is given up.
const PERMANENT = ['too_large', 'malformed', 'type']
const FIRST_RETRY_MS = 100
const LONGEST_RETRY_MS = 5000
const ENVELOPE_BYTES = 128

// clock: see timer.js; send(frame) and rejoin() are called when something is due.
export function queueOf({
  clock, send, rejoin, window = MAX_EVENTS_SENT, waiting = MAX_EVENTS_WAITING, bytes = MAX_BROWSER_FRAME,
}) {
  // {event, n: 0 without a number, sent: its last sending has no outcome yet, doubt: an earlier one never got one,
  // due, tries, r: a worker that died may have executed it}
  let items = []
  let next = 1
  let open = false
  const timer = timerOf(clock)

  const find = (n) => items.find((item) => n && item.n === n)
  const unnumber = (item) => Object.assign(item, { n: 0, sent: 0, due: 0 })

  function closed() {
    open = false
    timer.clear()
  }

  // Nothing more will be heard of its last sending. A later one that is refused says nothing about this one.
  function abandon(item) {
    item.doubt ||= item.sent
    item.sent = false
  }

  // The session is gone. Nobody can tell any more what became of the events that were sent to it.
  function lost() {
    items.forEach(abandon)
    const gone = items.filter((item) => item.doubt)
    items = items.filter((item) => !item.doubt)
    items.forEach(unnumber)
    for (const item of gone) item.event.settle('unknown', { reason: 'lost' })
  }

  // Sends in order what may go: never past an event that has to wait, never past the window.
  function pump() {
    if (!open) return
    timer.clear()
    for (const item of items.slice(0, window)) {
      if (item.sent) continue
      const wait = item.due - clock.now()
      if (wait > 0) return timer.set(wait, pump)
      item.n ||= next++
      item.sent = true
      send({ t: 'event', n: item.n, v: item.event.view(), e: item.event.name, p: item.event.params, r: item.r })
    }
  }

  function delay(item, retryMs) {
    const most = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** item.tries++)
    return Math.max(retryMs, Math.ceil(most * (1 + clock.random()) / 2))
  }

  return {
    closed,
    lost,

    // Takes an event: {name, params, view(): the view's id when it is sent, settle(outcome, frame)}. Returns
    // null, or why it was not taken: 'full', 'too_large'. settle is called once, with 'done', 'failed',
    // 'unknown' or 'refused'; what it returns comes out of answer().
    push(event) {
      const { size } = new Blob([JSON.stringify([event.name, event.params])])
      if (size + ENVELOPE_BYTES > bytes) return 'too_large'
      if (items.length >= window + waiting) return 'full'
      items.push(unnumber({ event, tries: 0 }))
      pump()
      return null
    },

    // The session says that it executed everything up to `last`. A session that is behind what was already
    // answered is another one: what had been sent to the old one can no longer be told. restored: it comes from a
    // snapshot, and what the worker before had begun it does not know. What was refused had not begun.
    joined(last, restored) {
      const first = items.find((item) => item.n)
      if (last < first?.n - 1) lost()
      for (const item of items) {
        abandon(item)
        if (restored && item.doubt) item.r = true
      }
      next = 1 + Math.max(last, ...items.map((item) => item.n))
      open = true
      pump()
    },

    // done, failed and unknown use the number up. Returns what settle returned; a repeated answer is nothing.
    answer(n, outcome, frame) {
      const item = find(n)
      if (!item) return undefined
      items.splice(items.indexOf(item), 1)
      const then = item.event.settle(outcome, frame)
      pump()
      return then
    },

    // Returns the event that was given up, or undefined when it will be sent again. r: on its way it was sent more
    // than once, and only the last of these sendings is known to have been refused.
    refused(frame) {
      const { n, reason, retry_ms: ms = 0, r } = frame
      const item = find(n)
      if (!item?.sent) return undefined
      const at = items.indexOf(item)
      const gone = PERMANENT.includes(reason)
      item.sent = 0
      item.doubt ||= r
      // What is in front was refused as well, or lost on its way: sending it again closes the gap.
      if (reason === 'gap' && at) abandon(items[0])
      else item.due = clock.now() + delay(item, ms)
      if (gone) {
        // Those behind were not executed. They get new numbers, but not before nothing is on its way: an old
        // refusal may never be taken for that of another event.
        items.splice(at, 1)
        items.slice(at).forEach(unnumber)
        item.event.settle('refused', frame)
      }
      // The first unanswered event is a gap only when page and session disagree about the count.
      if (gone || (reason === 'gap' && !at) || reason === 'unknown_session') {
        closed()
        rejoin()
      }
      pump()
      return gone ? item.event : undefined
    },
  }
}
