// socket.js - one WebSocket that comes back: backoff with full jitter, pings, half-dead detection.
// Knows JSON frames, not their meaning. The clock and the WebSocket's maker come in.

const FIRST_DELAY_MS = 1000
const LONGEST_DELAY_MS = 30000
const PING_MS = 25000
const PONG_MS = 10000
const PROBE_MS = 5000
const READY_MS = 20000
// A connection that did not last does not count as a success, or a socket that is closed right after each
// join would come back at full speed for ever.
const LASTED_MS = 5000
const FOREIGN_ORIGIN = 4403

export class Socket {
  // connect() returns a new WebSocket. on: {open(), frame(object), closed(), refused(code)}.
  constructor({ clock, connect, on }) {
    Object.assign(this, { clock, connect, on })
    this.ws = null
    this.attempt = 0
    this.readyAt = null
    this.timers = {}
  }

  start() {
    if (this.ws) return
    this.clear('retry')
    this.readyAt = null
    let ws
    try {
      ws = this.connect()
    } catch (error) {
      console.error('troupe: no WebSocket', error)
      return this.on.refused(0)
    }
    this.ws = ws
    this.joining()
    ws.onopen = () => this.on.open()
    ws.onmessage = (message) => this.heard(message.data)
    ws.onerror = () => {}
    ws.onclose = (event) => this.drop(event.code)
  }

  // A connection on which the page does not get to join is of no use.
  joining() {
    this.arm('ready', READY_MS, () => this.drop())
  }

  // The page joined: from here the connection is of use, and is watched.
  ready() {
    this.clear('ready')
    this.readyAt = this.clock.now()
    this.ping()
  }

  // False: not connected; the caller's frame is not kept.
  send(frame) {
    if (this.ws?.readyState !== 1) return false
    this.ws.send(JSON.stringify(frame))
    return true
  }

  // The device woke, the tab is looked at, the network is back: find out now, not at the next ping.
  wake() {
    if (!this.ws) return this.timers.retry && this.start()
    if (this.readyAt !== null && this.send({ t: 'ping' })) this.expect(PROBE_MS)
  }

  stop() {
    this.clear('retry')
    this.detach()
  }

  ping() {
    this.arm('ping', PING_MS, () => {
      this.send({ t: 'ping' })
      this.expect(PONG_MS)
      this.ping()
    })
  }

  // Any frame is a sign of life.
  expect(ms) {
    if (!this.timers.pong) this.arm('pong', ms, () => this.drop())
  }

  heard(data) {
    this.clear('pong')
    let frame
    try {
      frame = JSON.parse(data)
    } catch (error) {
      console.error('troupe: a frame that is not JSON', error)
      return
    }
    this.on.frame(frame)
  }

  // A socket that does not answer may take minutes to say that it is closed: it is left to itself.
  detach() {
    for (const name of ['ready', 'ping', 'pong']) this.clear(name)
    const ws = this.ws
    this.ws = null
    if (!ws) return false
    ws.onopen = ws.onmessage = ws.onclose = ws.onerror = null
    ws.close()
    return true
  }

  drop(code) {
    if (!this.detach()) return
    const lasted = this.readyAt !== null && this.clock.now() - this.readyAt >= LASTED_MS
    this.attempt = lasted ? 0 : this.attempt + 1
    this.readyAt = null
    this.on.closed()
    if (code === FOREIGN_ORIGIN) return this.on.refused(code)
    const most = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.attempt)
    this.arm('retry', this.clock.random() * most, () => this.start())
  }

  arm(name, ms, run) {
    this.clear(name)
    this.timers[name] = this.clock.after(ms, () => {
      this.timers[name] = null
      run()
    })
  }

  clear(name) {
    this.timers[name]?.()
    this.timers[name] = null
  }
}
