// view.js - one view in the page: which version it shows, and how a patch leads to the next (PROTOCOL.md 9.3).

import { isConnected, member } from './dom.js'
import { MAX_CHUNKS_ASKED } from './limits.js'
import { createTimer } from './timer.js'
import { ACK_MS, ACK_VERSIONS, MAX_REFRESHES, REFRESH_AGAIN_MS } from './timings.js'
import { createSlotWriter } from './write-slots.js'

/**
 * @import { Block, ChunkCache, ClientFrame, Clock, Hash, JoinedView, JoinRequest, Load, Morpher, PatchFrame, ViewId }
 *   from './types.js'
 */

/**
 * @param {object} options
 * @param {Document} options.document
 * @param {HTMLElement} options.el The view's root.
 * @param {Clock} options.clock
 * @param {(frame: ClientFrame) => void} options.send Sends if there is a connection.
 * @param {Morpher} options.morph
 * @param {ChunkCache} options.chunks
 * @param {Map<string, string | undefined>} [options.tokens] Those that were joined with before, and their renewals.
 * @param {Load} options.load Loads a part of this.
 * @param {() => void} options.broken It gives up.
 */
export function createView({ document, el, clock, send, morph, chunks, tokens, load, broken }) {
  /** @type {ViewId | undefined} */
  let id
  /** @type {number | undefined} What patches call it. */
  let number
  const { troupe: given } = member(el, 'dataset')
  /** @type {number | undefined} With what waits; undefined: not joined yet; 0: what the page shows is not known. */
  let version = tokens?.has(given) ? 0 : undefined
  let acked = 0
  /** @type {string | undefined} Of the token. */
  let renewal = tokens?.get(given)
  /** @type {Hash[]} Of the view's chunks, by their numbers. */
  let known = []
  /** @type {Block | null | undefined} null: whole roots only; undefined: the page can be adopted, but was not yet. */
  let block = null
  /** @type {PatchFrame[]} Those that cannot be applied yet. */
  let waiting = []
  /** @type {string | null} HTML of the root, of which something was held. */
  let deferred = null
  let failures = 0 // one after the other, in which no value was written
  let asked = 0 // how many roots, in vain
  let lacking = 0 // how many chunks were asked for; 0: what was asked for last is the root
  const refreshing = createTimer(clock)
  const acking = createTimer(clock)
  const slots = createSlotWriter(document, (index) => chunks.get(known[/** @type {number} */ (index)]), morph)
  morph.adopt(el)

  /** Applies what can be applied now. @param {unknown} [_] */
  function drain(_) {
    while (ready() && waiting.length) {
      if (waiting[0].p && !morph.differ) return load('differences', (part) => drain(part.create(morph)))
      apply(/** @type {PatchFrame} */ (waiting.shift()))
    }
  }

  function ready() {
    if (deferred !== null) return false
    if (block === undefined) adopt()
    return block !== undefined
  }

  // Finds the slots in the page, or asks for the chunks that say where they are.
  function adopt() {
    const missing = known.filter((hash) => !chunks.has(hash))
    if (missing.length) {
      if (missing.length === lacking) return
      lacking = missing.length
      send({ t: 'refresh', v: id, c: missing.slice(0, MAX_CHUNKS_ASKED) })
      refreshing.set(REFRESH_AGAIN_MS, () => notAdopted('no chunks'))
      return
    }
    refreshing.cancel()
    try {
      morph.strangers.adopt(() => (block = slots.adopt(el)))
    } catch (error) {
      notAdopted(error)
    }
  }

  /** @param {Hash[]} hashes */
  function learn(hashes) {
    known = hashes
    lacking = 0
  }

  /**
   * The page could not be adopted.
   * @param {unknown} error
   */
  function notAdopted(error) {
    chunks.forget()
    lose(error)
  }

  /**
   * What the page shows is not known any more: once more with a new root, then with whole roots only.
   * @param {unknown} error
   */
  function lose(error) {
    console.warn('troupe:', error)
    failures++
    block = null
    waiting = []
    version = 0
    failures > 2 ? refreshing.set(REFRESH_AGAIN_MS * 2 ** asked, refresh) : refresh()
  }

  /** @param {Pick<PatchFrame, 'c' | 'd' | 'k'>} frame */
  function apply({ c = [], d = {}, k }) {
    if (k) learn(k)
    for (const [hash] of c) if (!known.includes(hash)) known.push(hash)
    const { 0: root, ...values } = d
    /** @type {any} */
    const page = { 0: { kind: 'h', el }, T: { kind: 'T', el } }
    try {
      if (root?.h) {
        // Beside the root there can only be the title.
        slots.write(page, values)
        replaceRoot(root.h, k)
        asked = 0
      } else {
        morph.run(() => {
          slots.flush()
          slots.write(/** @type {any} */ (root ? page : block), d)
        })
        failures = 0
      }
    } catch (error) {
      lose(error)
    }
  }

  /**
   * @param {string} html
   * @param {unknown} adoptable Whether the slots can be found in it.
   */
  function replaceRoot(html, adoptable) {
    const { root, held } = replaced(html)
    el = root
    deferred = held ? html : null
    block = adoptable ? undefined : null
    slots.forget()
  }

  /**
   * A root that cannot be changed into the new one, whatever other scripts made of it, is replaced.
   * @param {string} html
   */
  function replaced(html) {
    try {
      return morph.root(el, html)
    } catch (error) {
      console.warn('troupe:', error)
      return morph.root(el, html, true)
    }
  }

  // Asks once, and again when nothing came, or nothing that helped; not for ever.
  function refresh() {
    if (refreshing.isSet() && !lacking) return
    lacking = 0
    if (asked >= MAX_REFRESHES) return broken()
    send({ t: 'refresh', v: id, ...(failures > 1 && { w: true }) })
    refreshing.set(REFRESH_AGAIN_MS * 2 ** asked++, refresh)
  }

  function ack() {
    acking.cancel()
    acked = /** @type {number} */ (version)
    send({ t: 'ack', v: id, s: acked })
  }

  /**
   * @param {string | undefined} token A new one.
   * @param {string} [g] Or the renewal of the one that the page has.
   */
  function renew(token, g) {
    if (token) member(el, 'dataset').troupe = token
    renewal = g
  }

  function disarm() {
    refreshing.cancel()
    acking.cancel()
  }

  return {
    el: () => el,
    id: () => id,
    number: () => number,
    /** @returns {JoinRequest} */
    asked: () => ({ token: member(el, 'dataset').troupe, s: version, g: renewal }),
    renew,
    refresh,
    disarm,

    /**
     * k: the page can be adopted. Without html it is right as it is; T: the title, beside html.
     * @param {JoinedView} joined
     */
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
        block ??= undefined
      }
      drain()
    },

    /** @param {PatchFrame} frame */
    patch(frame) {
      if (!isConnected(el)) return
      if (frame.c) chunks.learn(frame.c)
      const isRoot = frame.d?.[0]?.h
      const { s } = frame
      // Not joined yet (undefined): nothing is older than that.
      if (!(isRoot ? s < /** @type {number} */ (version) : s <= /** @type {number} */ (version))) {
        if (!isRoot && s !== /** @type {number} */ (version) + 1) return refresh()
        version = s
        if (isRoot) {
          refreshing.cancel()
          waiting = []
          apply(frame)
        } else waiting.push(frame)
        // The worker stops pushing when it hears nothing; few acknowledgements are enough for it.
        if (version - acked >= ACK_VERSIONS) ack()
        else if (version > acked && !acking.isSet()) acking.set(ACK_MS, ack)
      }
      drain()
    },

    // Something that was held (a form being sent, a composition) may be patched now.
    release() {
      if (deferred === null) return apply({})
      replaceRoot(deferred, block === undefined)
      drain()
    },
  }
}
