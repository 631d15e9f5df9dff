// queue.js - a page's events: their numbers, which are unanswered, which wait (PROTOCOL.md 7 and 9).
// Pure: it knows neither socket nor page. The clock, the sender and the request to join again come in.

// Sending these again cannot mend them. The event is given up and those behind it get new numbers.
const PERMANENT = new Set(['too_large', 'malformed', 'type'])
const FIRST_RETRY_MS = 100
const LONGEST_RETRY_MS = 5000
// The first unanswered event is refused as a gap only when page and session disagree about the count.
const GAPS_BEFORE_REJOIN = 3
const ENVELOPE_BYTES = 128

export class Queue {
  // clock: {now, after, random}; send(frame) and rejoin() are called when something is due.
  constructor({ clock, send, rejoin, window = 8, waiting = 64, bytes = 65536 }) {
    Object.assign(this, { clock, send, rejoin, window, waiting, bytes })
    this.items = []
    this.next = 1
    this.open = false
    this.cancel = null
  }

  // Takes an event: {name, params, view(): the view's id when it is sent, settle(outcome, frame)}. Returns
  // null, or why it was not taken: 'full', 'too_large'. settle is called once, with 'done', 'failed',
  // 'unknown' or 'refused'; what it returns comes out of answer().
  push(event) {
    const size = new TextEncoder().encode(JSON.stringify([event.name, event.params])).length
    if (size + ENVELOPE_BYTES > this.bytes) return 'too_large'
    if (this.items.length >= this.window + this.waiting) return 'full'
    this.items.push({ event, n: 0, state: 'waiting', due: 0, tries: 0 })
    this.pump()
    return null
  }

  // The session says that it executed everything up to `last`. A session that is behind what was already
  // answered is another one: what had been sent to the old one can no longer be told.
  joined(last) {
    this.forgetDead()
    const first = this.items.find((item) => item.n)
    if (first && last < first.n - 1) this.lost()
    for (const item of this.items) {
      if (item.state === 'sent') Object.assign(item, { state: 'waiting', due: 0 })
    }
    this.next = 1 + this.items.reduce((most, item) => Math.max(most, item.n), last)
    this.open = true
    this.pump()
  }

  closed() {
    this.open = false
    this.disarm()
  }

  // The session is gone. Nobody can tell any more what became of the events that were sent to it.
  lost(frame = { reason: 'session_lost' }) {
    const sent = this.items.filter((item) => item.state === 'sent')
    this.items = this.items.filter((item) => item.state === 'waiting')
    for (const item of this.items) Object.assign(item, { n: 0, due: 0 })
    for (const item of sent) item.event.settle('unknown', frame)
  }

  // done, failed and unknown use the number up. Returns what settle returned; a repeated answer is nothing.
  answer(n, outcome, frame) {
    const item = this.find(n)
    if (!item) return undefined
    this.items.splice(this.items.indexOf(item), 1)
    const then = item.event.settle(outcome, frame)
    this.pump()
    return then
  }

  // Returns the event that was given up, or null when it will be sent again.
  refused(n, reason, retryMs = 0, frame = { reason }) {
    const item = this.find(n)
    if (!item || item.state !== 'sent') return null
    if (PERMANENT.has(reason)) {
      item.state = 'dead'
      item.event.settle('refused', frame)
      this.pump()
      return item.event
    }
    item.state = 'waiting'
    const first = item === this.items[0]
    item.due = reason === 'gap' && !first ? 0 : this.clock.now() + this.delay(item, retryMs)
    if (reason === 'unknown_session' || (reason === 'gap' && first && item.tries >= GAPS_BEFORE_REJOIN)) {
      item.tries = 0
      this.closed()
      this.rejoin()
    }
    this.pump()
    return null
  }

  find(n) {
    return n ? this.items.find((item) => item.n === n && item.state !== 'dead') : undefined
  }

  delay(item, retryMs) {
    const most = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** item.tries++)
    return Math.max(retryMs, Math.ceil(most * (0.5 + this.clock.random() / 2)))
  }

  // Sends in order what may go: never past an event that has to wait, never past the window.
  pump() {
    if (!this.open) return
    this.disarm()
    this.renumber()
    for (const item of this.items.slice(0, this.window)) {
      if (item.state === 'dead') return
      if (item.state === 'sent') continue
      const wait = item.due - this.clock.now()
      if (wait > 0) {
        this.cancel = this.clock.after(wait, () => this.pump())
        return
      }
      if (!item.n) item.n = this.next++
      item.state = 'sent'
      this.send({ t: 'event', n: item.n, v: item.event.view(), e: item.event.name, p: item.event.params })
    }
  }

  // The numbers behind a dead event change only when none of them is on its way, so that an old refusal
  // can never be taken for that of another event.
  renumber() {
    const at = this.items.findIndex((item) => item.state === 'dead')
    if (at < 0 || this.items.slice(at).some((item) => item.state === 'sent')) return
    let n = this.items[at].n
    this.items.splice(at, 1)
    for (const item of this.items.slice(at)) if (item.n) item.n = n++
    this.next = n
    this.renumber()
  }

  // After a join nothing is on its way: what stood behind a dead event was not executed and is unnumbered.
  forgetDead() {
    const at = this.items.findIndex((item) => item.state === 'dead')
    if (at < 0) return
    for (const item of this.items.slice(at)) {
      if (item.state !== 'dead') Object.assign(item, { n: 0, state: 'waiting', due: 0 })
    }
    this.items = this.items.filter((item) => item.state !== 'dead')
  }

  disarm() {
    this.cancel?.()
    this.cancel = null
  }
}
