// patch.js - one view in the page: which version it shows, and how a patch leads to the next
// (PROTOCOL.md 9.3).

import { MAX_CHUNKS_ASKED } from './limits.js'
import { slotsOf } from './slots.js'
import { timerOf } from './timer.js'

const REFRESH_MS = 5000
const ACK_MS = 250
const ACK_VERSIONS = 4

// send(frame): to Django, if it can; morph: morph.js's; chunks: chunks.js's.
export function viewOf({ document, el, clock, send, morph, chunks }) {
  let id // of the view
  let number // what patches call it
  let version // with what waits; undefined: not joined yet; 0: what the page shows is not known
  let acked
  let renewal // of the token
  let known = [] // hashes of chunks, by their numbers
  let part = null // the slots; null: whole roots only; undefined: the page can be adopted, but was not yet
  let waiting = [] // frames that cannot be applied yet
  let deferred = null // HTML of the root, of which something was held
  let failures = 0 // to adopt the page, one after the other
  let lacking = 0 // how many chunks were asked for; 0: what was asked for last is the root
  const [refreshing, acking] = [clock, clock].map(timerOf)
  const slots = slotsOf(document, (at) => chunks.get(known[at]), morph)
  morph.adopt(el)

  // What can be applied now is.
  function drain() {
    while (ready() && waiting.length) apply(waiting.shift())
  }

  function ready() {
    if (deferred !== null) return false
    if (part === undefined) adopt()
    return part !== undefined
  }

  function adopt() {
    const missing = known.filter((hash) => !chunks.has(hash))
    if (missing.length) {
      if (missing.length === lacking) return
      lacking = missing.length
      send({ t: 'refresh', v: id, c: missing.slice(0, MAX_CHUNKS_ASKED) })
      refreshing.set(REFRESH_MS, () => unfit('no chunks'))
      return
    }
    refreshing.clear()
    try {
      part = slots.adopt(el)
      failures = 0
    } catch (error) {
      unfit(error)
    }
  }

  function learn(k) {
    known = k
    lacking = 0
  }

  // The page could not be adopted: once more with a new root, then not again.
  function unfit(error) {
    failures++
    chunks.forget()
    lose(error)
  }

  // What the page shows is not known any more.
  function lose(error) {
    console.warn('troupe:', error)
    part = null
    waiting = []
    version = 0
    refresh()
  }

  function apply({ c = [], d = {}, k }) {
    if (k) learn(k)
    for (const [hash] of c) if (!known.includes(hash)) known.push(hash)
    const { 0: root, ...values } = d
    try {
      if (root) {
        // Beside the root there can only be the title.
        Object.values(values).forEach(slots.title)
        whole(root.h, k)
      } else {
        morph.run(() => {
          slots.flush()
          slots.write(part, values)
        })
      }
    } catch (error) {
      lose(error)
    }
  }

  function whole(html, k) {
    const { root, held } = morph.root(el, html)
    el = root
    deferred = held ? html : null
    part = k ? undefined : null
  }

  // Asks once, and again when nothing came.
  function refresh() {
    if (refreshing.runs() && !lacking) return
    lacking = 0
    send({ t: 'refresh', v: id, ...(failures > 1 && { w: true }) })
    refreshing.set(REFRESH_MS, refresh)
  }

  function ack() {
    acking.clear()
    acked = version
    send({ t: 'ack', v: id, s: version })
  }

  function renew(token, g) {
    if (token) el.dataset.troupe = token
    renewal = g
  }

  function disarm() {
    refreshing.clear()
    acking.clear()
  }

  return {
    el: () => el,
    id: () => id,
    number: () => number,
    asked: () => ({ token: el.dataset.troupe, s: version, g: renewal }),
    renew,
    disarm,

    // k: the page can be adopted. Without html it is right as it is; T: the title, beside html.
    joined({ v, i, s, k, token, g, html, T }) {
      disarm()
      renew(token, g)
      id = v
      number = i
      version = acked = s
      if (html !== undefined) {
        waiting = []
        apply({ d: { 0: { h: html }, ...(T !== undefined && { T }) }, k })
      } else if (k) {
        learn(k)
        part ??= undefined
      }
      drain()
    },

    patch(frame) {
      if (!el.isConnected) return
      if (frame.c) chunks.learn(frame.c)
      const whole = frame.d?.[0]
      const { s } = frame
      if (!(whole ? s < version : s <= version)) {
        if (!whole && s !== version + 1) return refresh()
        version = s
        if (whole) {
          refreshing.clear()
          waiting = []
          apply(frame)
        } else waiting.push(frame)
        // The worker stops pushing when it hears nothing; few acknowledgements are enough for it.
        if (version - acked >= ACK_VERSIONS) ack()
        else if (version > acked && !acking.runs()) acking.set(ACK_MS, ack)
      }
      drain()
    },

    // Something that was held (a form being sent, a composition) may be patched now.
    release() {
      if (deferred === null) return apply({})
      whole(deferred, part === undefined)
      drain()
    },
  }
}
