// socket.js - one WebSocket that reconnects: exponential backoff with full jitter, heartbeats, detection of
// connections that are half open. Knows JSON frames, not what they mean.

import { createTimer } from './timer.js'
import { JOINED_MS, PING_MS, PONG_MS, RECONNECT_FIRST_MS, RECONNECT_MAX_MS } from './timings.js'

/** @import { Clock, ClientFrame, ServerFrame } from './types.js' */

/**
 * @param {object} hooks
 * @param {Clock} hooks.clock
 * @param {() => WebSocket} hooks.connect Makes a new WebSocket.
 * @param {() => void} hooks.open
 * @param {(frame: ServerFrame) => void} hooks.frame
 * @param {(event?: CloseEvent) => void} hooks.closed Without an event: given up here.
 */
export function createSocket({ clock, connect, open, frame, closed }) {
  /** @type {WebSocket | null} */
  let ws = null
  let attempt = 0
  let notBefore = 0 // when the server wants to be asked again, at the earliest
  const retry = createTimer(clock)
  const ping = createTimer(clock)
  const pong = createTimer(clock)
  const unjoined = createTimer(clock)

  function start() {
    if (ws) return
    retry.cancel()
    ws = connect()
    joining()
    ws.onopen = open
    ws.onclose = drop
    ws.onmessage = ({ data }) => {
      pong.cancel() // any frame is a sign of life
      frame(JSON.parse(data))
    }
  }

  /**
   * A connection on which the join is not answered is dropped, whatever else comes over it.
   * @param {number} [ms] How long the next join has to wait, on this connection or another.
   */
  function joining(ms = 0) {
    notBefore = clock.now() + ms
    unjoined.set(ms + JOINED_MS, drop)
  }

  /**
   * Without a connection the frame is dropped: a join brings up to date what it was about.
   * @param {ClientFrame} message
   */
  function send(message) {
    if (ws?.readyState === 1) ws.send(JSON.stringify(message))
  }

  function keepAlive() {
    ping.set(PING_MS, () => {
      // A connection counts as a success only when it lasted this long: the backoff would never grow against a
      // server that closes each connection right after the join.
      attempt = -1
      probe()
      keepAlive()
    })
  }

  function probe() {
    send({ t: 'ping' })
    if (!pong.isSet()) pong.set(PONG_MS, drop)
  }

  /** @param {CloseEvent} [event] */
  function drop(event) {
    stop()
    attempt++
    closed(event)
    const backoff = clock.random() * Math.min(RECONNECT_MAX_MS, RECONNECT_FIRST_MS * 2 ** attempt)
    retry.set(Math.max(notBefore - clock.now(), backoff), start)
  }

  // A peer that is gone leaves the closing handshake, and so `onclose`, waiting for minutes: it is not waited for
  // (https://websockets.spec.whatwg.org/#dom-websocket-close).
  function stop() {
    for (const timer of [retry, ping, pong, unjoined]) timer.cancel()
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

    // The page joined: from here on the connection is kept alive.
    ready() {
      unjoined.cancel()
      keepAlive()
    },

    // The device woke up, the tab became visible, the network is back: probe now, not at the next ping.
    wake() {
      if (ping.isSet()) probe()
      else if (retry.isSet()) start()
    },
  }
}
