import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEventQueue as makeQueue } from '../../python/troupe/static/troupe/event-queue.js'
import { FakeClock, randomFrom } from './fakes.js'

function createEventQueue(options = {}) {
  const clock = new FakeClock(options.seed)
  const it = { clock, sent: [], settled: [], rejoins: 0 }
  const send = (frame) => it.sent.push(JSON.parse(JSON.stringify(frame)))
  it.queue = makeQueue({ clock, send, rejoin: () => it.rejoins++, ...options })
  it.push = (name, params = {}) => it.queue.push({ name, params, view: () => 'v',
    settle: (outcome, frame) => { it.settled.push([name, outcome, frame?.reason]) } })
  it.refused = (n, reason, ms, more) => it.queue.refused({ n, reason, retry_ms: ms, ...more })
  it.take = () => it.sent.splice(0).map((frame) => `${frame.n}${frame.e}`)
  return it
}

test('nothing goes before the join; numbers follow its n', () => {
  const it = createEventQueue()
  it.push('a')
  assert.deepEqual(it.take(), [])
  it.queue.joined(40)
  it.push('b', { x: 1 })
  assert.deepEqual(it.sent, [{ t: 'event', n: 41, v: 'v', e: 'a', p: {} },
    { t: 'event', n: 42, v: 'v', e: 'b', p: { x: 1 } }])
})

test('eight unanswered, 64 waiting, and the next one is told', () => {
  const it = createEventQueue()
  it.queue.joined(0)
  for (let i = 0; i < 72; i++) assert.equal(it.push('e'), null)
  assert.equal(it.push('e'), 'full')
  assert.equal(it.take().length, 8)
  it.queue.answer(1, 'done')
  assert.deepEqual(it.take(), ['9e'])
  assert.equal(it.push('e'), null)
})

test('an event over the frame limit is refused before it takes a number', () => {
  const it = createEventQueue()
  it.queue.joined(0)
  assert.equal(it.push('e', { text: 'ü'.repeat(40_000) }), 'too_large')
  assert.equal(it.push('e', { text: 'u'.repeat(60_000) }), null)
  assert.deepEqual(it.take(), ['1e'])
})

test('unanswered ones are sent again with their numbers after a new join', () => {
  const it = createEventQueue()
  it.queue.joined(0)
  for (const name of 'abc') it.push(name)
  it.queue.answer(1, 'done')
  it.take()
  it.queue.closed()
  it.push('d')
  assert.deepEqual(it.take(), [])
  it.queue.joined(2) // b was executed; its answer got lost
  assert.deepEqual(it.take(), ['2b', '3c', '4d'])
  it.queue.answer(2, 'done')
  it.queue.answer(2, 'done') // a repeat of a reply is nothing
  assert.deepEqual(it.settled, [['a', 'done', undefined], ['b', 'done', undefined]])
})

test('a session behind what was answered is another: what was sent is unknown, the rest goes on', () => {
  const it = createEventQueue()
  it.queue.joined(10)
  for (const name of 'abc') it.push(name)
  it.queue.answer(11, 'done')
  it.take()
  it.queue.closed()
  it.push('d')
  it.queue.joined(0)
  assert.deepEqual(it.settled.slice(1), [['b', 'unknown', 'lost'], ['c', 'unknown', 'lost']])
  assert.deepEqual(it.take(), ['1d'])
})

test('busy: after retry_ms the same number, and those behind it after their gaps', () => {
  const it = createEventQueue()
  it.queue.joined(0)
  for (const name of 'abc') it.push(name)
  it.take()
  it.refused(1, 'busy', 700)
  it.refused(2, 'gap')
  it.refused(3, 'gap')
  it.push('d')
  it.clock.advance(699)
  assert.deepEqual(it.take(), [])
  it.clock.advance(1)
  assert.deepEqual(it.take(), ['1a', '2b', '3c', '4d'])
})

test('a gap behind an event that nobody refused: that one was lost, and is sent again', () => {
  const it = createEventQueue()
  it.queue.joined(0)
  for (const name of 'abc') it.push(name)
  it.take()
  it.refused(2, 'gap')
  assert.deepEqual(it.take(), ['1a', '2b'])
  it.refused(3, 'gap')
  assert.deepEqual(it.take(), ['1a', '3c'])
})

test('a gap refusal that comes late sends its own event again, and the first to be sure', () => {
  const it = createEventQueue()
  it.queue.joined(0)
  for (const name of 'ab') it.push(name)
  it.refused(1, 'expired')
  it.take()
  it.clock.advance(200)
  assert.deepEqual(it.take(), ['1a'])
  it.refused(2, 'gap')
  assert.deepEqual(it.take(), ['1a', '2b'])
})

test('too_large: given up; those behind get new numbers, with a new join', () => {
  const it = createEventQueue()
  it.queue.joined(0)
  for (const name of 'abcd') it.push(name)
  it.take()
  it.queue.answer(1, 'done')
  it.refused(2, 'too_large')
  it.refused(3, 'gap')
  it.push('e')
  it.refused(4, 'gap')
  assert.deepEqual([it.take(), it.rejoins], [[], 1])
  it.queue.joined(1)
  assert.deepEqual(it.take(), ['2c', '3d', '4e'])
  assert.deepEqual(it.settled, [['a', 'done', undefined], ['b', 'refused', 'too_large']])
})

test('given up behind one that is sent again', () => {
  const it = createEventQueue()
  it.queue.joined(0)
  for (const name of 'abcd') it.push(name)
  it.take()
  it.refused(1, 'busy', 500)
  it.refused(2, 'malformed')
  it.refused(3, 'gap')
  it.queue.joined(0)
  assert.deepEqual(it.take(), [])
  it.clock.advance(500)
  assert.deepEqual(it.take(), ['1a', '2c', '3d'])
})

test('given up, then the socket is gone: those behind are new after the join', () => {
  const it = createEventQueue()
  it.queue.joined(0)
  for (const name of 'abc') it.push(name)
  it.take()
  it.refused(1, 'too_large')
  it.queue.closed()
  it.queue.joined(0)
  assert.deepEqual(it.take(), ['1b', '2c'])
})

test('a first event that is a gap, or an unknown session, asks to join again', () => {
  const it = createEventQueue()
  it.queue.joined(5)
  it.push('a')
  it.refused(6, 'gap')
  assert.equal(it.rejoins, 1)
  it.queue.joined(0)
  it.take()
  it.refused(1, 'unknown_session')
  assert.equal(it.rejoins, 2)
})

const flags = (it) => it.sent.splice(0).map(({ n, r }) => [n, r])

test('after a restore only what may have been executed is said to be sent again', () => {
  const it = createEventQueue()
  it.queue.joined(0)
  for (const name of 'abc') it.push(name)
  it.take()
  it.refused(2, 'unknown_session')
  it.refused(3, 'gap')
  it.queue.joined(0, true)
  it.clock.advance(1000)
  assert.deepEqual(flags(it), [[1, true], [2, undefined], [3, undefined]])
})

test('a sending without an outcome is not forgotten when a later one is refused', () => {
  const it = createEventQueue()
  it.queue.joined(0)
  it.push('a')
  it.queue.closed()
  it.queue.joined(0) // the same session: nothing was executed yet, but it may still be on its way there
  assert.deepEqual(flags(it), [[1, undefined], [1, undefined]])
  it.refused(1, 'busy')
  it.queue.joined(0, true)
  it.clock.advance(1000)
  assert.deepEqual(flags(it), [[1, true]])
  it.refused(1, 'busy')
  it.clock.advance(1000)
  assert.deepEqual(flags(it), [[1, true]])
  it.refused(1, 'busy')
  it.queue.lost()
  assert.deepEqual(it.settled, [['a', 'unknown', 'lost']])
})

test('one that was lost on its way may have been executed', () => {
  const it = createEventQueue()
  it.queue.joined(0)
  for (const name of 'ab') it.push(name)
  it.refused(2, 'gap')
  it.refused(1, 'unknown_session') // of the sending that closed the gap
  it.refused(2, 'gap')
  it.take()
  it.queue.joined(0, true)
  it.clock.advance(1000)
  assert.deepEqual(flags(it), [[1, true], [2, undefined]])
})

test('a refusal that says that an earlier sending is in doubt', () => {
  const it = createEventQueue()
  it.queue.joined(0)
  it.push('a')
  it.take()
  it.refused(1, 'unknown_session', 0, { r: true })
  it.queue.joined(0, true)
  it.clock.advance(1000)
  assert.deepEqual(flags(it), [[1, true]])
})

test('what was refused goes to a fresh session as well; what may have been executed does not', () => {
  const it = createEventQueue()
  it.queue.joined(5)
  for (const name of 'abc') it.push(name)
  it.take()
  it.refused(7, 'unknown_session')
  it.queue.lost()
  it.queue.joined(0)
  it.clock.advance(1000)
  assert.deepEqual(it.take(), ['1b'])
  assert.deepEqual(it.settled, [['a', 'unknown', 'lost'], ['c', 'unknown', 'lost']])
})

test('retries back off, and never come before retry_ms', () => {
  const it = createEventQueue()
  it.queue.joined(0)
  it.push('a')
  let total = 0
  for (let i = 0; i < 10; i++) {
    it.take()
    it.refused(1, 'no_worker', 50)
    it.clock.advance(49)
    assert.deepEqual(it.take(), [])
    let waited = 49
    while (!it.sent.length) {
      it.clock.advance(1)
      waited++
      assert.ok(waited <= 5000)
    }
    total += waited
  }
  assert.ok(total > 10_000)
})

// A server that keeps the protocol's rules (section 7) and refuses, loses and repeats at random.
test('whatever is refused or lost, each event runs once and in order', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = randomFrom(seed)
    const clock = new FakeClock(seed)
    const executed = []
    let wire = []
    let last = 0
    let joins = false
    const queue = makeQueue({ clock, send: (frame) => wire.push(frame), rejoin: () => (joins = true) })
    // What was sent before a join comes before it.
    const join = () => {
      while (wire.length) serve(wire.shift())
      joins = false
      queue.joined(last)
    }
    const outcome = new Map()
    const large = []
    const serve = (frame) => {
      if (frame.n <= last) return queue.answer(frame.n, 'done')
      if (frame.n > last + 1) return queue.refused({ n: frame.n, reason: 'gap' })
      const dice = random()
      if (dice < 0.15) return queue.refused({ n: frame.n, reason: 'busy', retry_ms: 20 })
      large[frame.p.id] ??= dice < 0.25
      if (large[frame.p.id]) return queue.refused({ n: frame.n, reason: 'too_large' })
      last++
      executed.push(frame.p.id)
      if (dice < 0.4) return undefined // the reply gets lost
      return queue.answer(frame.n, dice < 0.5 ? 'failed' : 'done')
    }
    queue.joined(0)
    const pushed = []
    for (let step = 0; step < 400; step++) {
      const dice = random()
      if (joins) join()
      if (dice < 0.3 && pushed.length < 60) {
        const id = pushed.length
        pushed.push(id)
        queue.push({ name: 'e', params: { id }, view: () => 'v', settle: (what) => {
          assert.ok(!outcome.has(id), `seed ${seed}: two outcomes`)
          outcome.set(id, what)
        } })
      } else if (dice < 0.32) wire.shift() // a frame gets lost
      else if (dice < 0.8 && wire.length) serve(wire.shift())
      else if (dice < 0.85) {
        queue.closed()
        while (wire.length && random() < 0.5) serve(wire.shift()) // what still got through
        wire = []
        queue.joined(last)
      } else clock.advance(30)
    }
    for (let i = 0; i < 500 && outcome.size < pushed.length; i++) {
      if (joins) join()
      while (wire.length) serve(wire.shift())
      clock.advance(300)
      if (i % 20 === 19) { wire = []; queue.closed(); queue.joined(last) }
    }
    assert.equal(outcome.size, pushed.length, `seed ${seed}: every event has an outcome`)
    const ran = pushed.filter((id) => outcome.get(id) !== 'refused')
    assert.deepEqual(executed, ran, `seed ${seed}`)
  }
})
