import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEventQueue } from '../../python/troupe/static/troupe/event-queue.js'
import { FakeClock, randomFrom } from './fakes.js'

// A session as PROTOCOL.md 5.5 has it: what was answered is stored, what was begun may be; its worker dies at random, and
// it comes back from what was stored.
class Session {
  constructor(random) {
    this.random = random
    this.last = 0
    this.ran = [] // ids, as handlers ran
    this.replies = new Map()
    this.restored = false
    this.stored = 0
  }

  // Returns [outcome or 'refused', reason], whether or not the page hears it.
  event({ n, p: { id }, r }) {
    const dice = this.random()
    if (n <= this.last) return [this.replies.get(n)]
    if (n > this.last + 1) return ['refused', 'gap']
    if (dice < 0.2) return ['refused', 'busy']
    this.heard = true
    this.last = n
    const may = !(this.restored && r)
    if (may) this.ran.push(id)
    this.replies.set(n, may ? 'done' : 'unknown')
    return [this.replies.get(n)]
  }

  die(kept) {
    if (!kept) this.last = this.stored
    this.restored = true
    this.heard = false
  }

  join() {
    if (this.heard) this.restored = false
    this.heard = false
    return [this.last, this.restored]
  }
}

// What a page and its session do with each other, by a seed. Returns what happened to each event.
function live(seed) {
  const random = randomFrom(seed)
  const clock = new FakeClock(seed)
  const session = new Session(random)
  const facts = [] // of each event: {outcome, open: sendings of which nothing was heard, doubt: it was sent again then}
  let wire = []
  let asks = false
  const send = (frame) => {
    const fact = facts[frame.p.id]
    fact.doubt ||= fact.open > 0
    fact.open++
    wire.push(frame)
  }
  const queue = createEventQueue({ clock, send, rejoin: () => (asks = true) })
  // hears: the answer gets through.
  const serve = (frame, hears = true) => {
    const [outcome, reason] = session.event(frame)
    if (!hears) return
    session.stored = session.last
    const fact = facts[frame.p.id]
    if (outcome === 'refused') {
      fact.open--
      queue.refused({ n: frame.n, reason, retry_ms: 20 })
    } else queue.answer(frame.n, outcome)
  }
  const join = () => {
    asks = false
    queue.joined(...session.join())
  }
  const push = () => {
    const id = facts.push({ open: 0 }) - 1
    queue.push({ name: 'e', params: { id }, view: () => 'v', settle: (outcome) => (facts[id].outcome = outcome) })
  }
  const die = () => {
    for (const frame of wire.splice(0)) {
      const dice = random()
      if (dice < 0.3) serve(frame, false)
      else if (dice < 0.6) { // it came after the end
        facts[frame.p.id].open--
        queue.refused({ n: frame.n, reason: 'unknown_session' })
      }
    }
    session.die(random() < 0.3)
    queue.closed()
    join()
  }
  join()
  for (let step = 0; step < 300; step++) {
    const dice = random()
    if (asks) join()
    if (dice < 0.3 && facts.length < 50) push()
    else if (dice < 0.75 && wire.length) serve(wire.shift(), random() < 0.95)
    else if (dice < 0.8) die()
    else clock.advance(30)
  }
  for (let i = 0; i < 200 && facts.some(({ outcome }) => !outcome); i++) {
    if (asks || i % 20 === 19) join()
    while (wire.length) serve(wire.shift())
    clock.advance(300)
  }
  return { facts, session }
}

test('whatever dies, nothing runs twice, and only what may have run is unknown', () => {
  let unknown = 0
  for (let seed = 1; seed <= 400; seed++) {
    const { facts, session } = live(seed)
    assert.equal(new Set(session.ran).size, session.ran.length, `seed ${seed}: ran twice`)
    for (const [id, { outcome, doubt }] of facts.entries()) {
      assert.ok(outcome, `seed ${seed}: event ${id} has no outcome`)
      if (outcome === 'done') assert.ok(session.ran.includes(id), `seed ${seed}: event ${id} is done and never ran`)
      if (outcome === 'unknown') assert.ok(doubt, `seed ${seed}: event ${id} cannot have run before`)
      unknown += outcome === 'unknown'
    }
  }
  assert.ok(unknown > 100)
})
