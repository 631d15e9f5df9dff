// socket.js - one WebSocket that comes back: backoff with full jitter, pings, half-dead detection.
// Knows JSON frames, not their meaning. The clock and the WebSocket's maker come in.

import { timerOf } from './timer.js'

const FIRST_DELAY_MS = 1000
const LONGEST_DELAY_MS = 30000
const PING_MS = 25000
const PONG_MS = 10000
const READY_MS = 20000
// connect() returns a new WebSocket; open(), frame(object) and closed() are called.
export function socketOf({ clock, connect, open, frame, closed }) {
  let ws = null
  let attempt = 0
  let rest = 0 // until then the server wants to be left alone
  const [retry, ping, pong, unjoined] = [clock, clock, clock, clock].map(timerOf)

  function start() {
    if (ws) return
    retry.clear()
    ws = connect()
    joining()
    ws.onopen = open
    ws.onclose = drop
    ws.onmessage = ({ data }) => {
      pong.clear() // any frame is a sign of life
      frame(JSON.parse(data))
    }
  }

  // A connection on which a join is not answered is of no use, whatever else comes over it. ms: how long the next
  // join has to wait, on this connection or another.
  function joining(ms = 0) {
    rest = clock.now() + ms
    unjoined.set(ms + READY_MS, drop)
  }

  // Without a connection it is not kept.
  function send(message) {
    if (ws?.readyState === 1) ws.send(JSON.stringify(message))
  }

  function keepAlive() {
    ping.set(PING_MS, () => {
      // A connection that did not last this long does not count as a success, or a socket that is closed right
      // after each join would come back at full speed for ever.
      attempt = -1
      probe()
      keepAlive()
    })
  }

  function probe() {
    send({ t: 'ping' })
    if (!pong.runs()) pong.set(PONG_MS, drop)
  }

  function drop() {
    stop()
    attempt++
    closed()
    const backoff = clock.random() * Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt)
    retry.set(Math.max(rest - clock.now(), backoff), start)
  }

  // A socket that does not answer may take minutes to say that it is closed: it is left to itself.
  function stop() {
    for (const timer of [retry, ping, pong, unjoined]) timer.clear()
    if (ws) {
      ws.onopen = ws.onmessage = ws.onclose = null
      ws.close()
      ws = null
    }
  }

  return {
    start,
    stop,
    joining,
    send,

    // The page joined: from here the connection is of use, and is watched.
    ready() {
      unjoined.clear()
      keepAlive()
    },

    // The device woke, the tab is looked at, the network is back: find out now, not at the next ping.
    wake() {
      if (ping.runs()) probe()
      else if (retry.runs()) start()
    },
  }
}
