import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSocket as makeSocket } from '../../python/troupe/static/troupe/socket.js'
import { FakeClock, FakeSocket } from './fakes.js'

function createSocket(seed = 1) {
  const it = { clock: new FakeClock(seed), sockets: [], log: [], frames: [] }
  it.socket = makeSocket({
    clock: it.clock,
    connect: () => it.sockets[it.sockets.push(new FakeSocket()) - 1],
    open: () => it.log.push('open'),
    closed: () => it.log.push('closed'),
    frame: (frame) => it.frames.push(frame),
  })
  it.socket.start()
  Object.defineProperty(it, 'ws', { get: () => it.sockets.at(-1) })
  it.up = () => {
    it.ws.open()
    it.socket.ready()
  }
  // Milliseconds until the next connection is tried.
  it.untilNext = (most = 60_000) => {
    const count = it.sockets.length
    for (let ms = 0; ms <= most; ms++) {
      if (it.sockets.length > count) return ms
      it.clock.advance(1)
    }
    return Infinity
  }
  return it
}

test('backoff doubles its bound up to 30 s, with full jitter', () => {
  const longest = []
  for (let seed = 1; seed <= 40; seed++) {
    const it = createSocket(seed)
    for (let attempt = 1; attempt <= 7; attempt++) {
      it.ws.fail()
      const waited = it.untilNext()
      assert.ok(waited <= Math.min(30_000, 1000 * 2 ** attempt) + 1, `attempt ${attempt}: ${waited}`)
      longest[attempt] = Math.max(longest[attempt] ?? 0, waited)
    }
  }
  assert.ok(longest[7] > 20_000 && longest[1] > 1500, String(longest))
  assert.notEqual(socketDelay(1), socketDelay(2))
})

function socketDelay(seed) {
  const it = createSocket(seed)
  it.ws.fail()
  return it.untilNext()
}

test('a connection that lasted starts the backoff anew, one that did not does not', () => {
  const it = createSocket()
  for (let i = 0; i < 5; i++) {
    it.ws.fail()
    it.untilNext()
  }
  it.up()
  it.clock.advance(100)
  it.clock.random = () => 0.999
  it.ws.fail()
  assert.ok(it.untilNext() > 29_000)
  it.up()
  it.clock.advance(25_000)
  it.ws.say({ t: 'pong' })
  it.ws.fail()
  assert.ok(it.untilNext() < 1001)
})

test('pings every 25 s; silence after one closes and comes back', () => {
  const it = createSocket()
  it.up()
  for (let i = 0; i < 3; i++) {
    it.clock.advance(25_000)
    assert.deepEqual(it.ws.take(), [{ t: 'ping' }])
    it.ws.say({ t: 'pong' })
  }
  const dead = it.ws
  it.clock.advance(25_000 + 9_999)
  assert.equal(it.log.at(-1), 'open')
  it.clock.advance(1)
  assert.equal(it.log.at(-1), 'closed')
  assert.equal(dead.readyState, 3)
  dead.fail() // its own, late, close is nothing
  assert.equal(it.log.filter((each) => each === 'closed').length, 1)
  assert.ok(it.untilNext() <= 1000)
})

test('wake: a connected socket is probed, a waiting one connects at once', () => {
  const it = createSocket()
  it.up()
  it.socket.wake()
  assert.deepEqual(it.ws.take(), [{ t: 'ping' }])
  it.clock.advance(10_000)
  assert.equal(it.log.at(-1), 'closed')
  it.socket.wake()
  assert.equal(it.sockets.length, 2)
  it.socket.wake() // connecting: nothing to do
  assert.equal(it.sockets.length, 2)
})

test('a socket that never opens, or on which the page does not join, is given up', () => {
  const it = createSocket()
  it.clock.advance(20_000)
  assert.deepEqual(it.log, ['closed'])
  it.untilNext()
  it.ws.open()
  it.clock.advance(20_000)
  assert.deepEqual(it.log, ['closed', 'open', 'closed'])
})

test('other frames are no answer to a join', () => {
  const it = createSocket()
  it.ws.open()
  it.clock.advance(15_000)
  it.ws.say({ t: 'pong' })
  it.clock.advance(5000)
  assert.deepEqual(it.log, ['open', 'closed'])
})

test('stop is silent and start begins again', () => {
  const other = createSocket()
  other.up()
  other.socket.stop()
  assert.equal(other.untilNext(), Infinity)
  assert.deepEqual(other.log, ['open'])
  other.socket.start()
  assert.equal(other.sockets.length, 2)
})
