// chunk-cache.js - the markup of block types and where their slots are (PROTOCOL.md 9.5), by the hash of their
// content. Kept in localStorage for the next page, as far as the browser allows.

/** @import { CachedChunk, Chunk, Hash, Place } from './types.js' */

const KEY = 'troupe-chunks'
const MAX_SIZE = 200_000 // characters

/**
 * The places of slots as a tree of elements.
 * @param {Chunk} chunk
 */
function placesOf({ s: descriptors, u: signs }) {
  /** @type {Place} */
  const top = {}
  const left = signs?.split(',')
  /** @param {Place} place One with a slot, or an element, in it. */
  const sign = (place) => (place.signs ??= left && (left.shift() ?? ''))
  descriptors.forEach(([kind, path = [], name, position, keyAttribute], index) => {
    let place = top
    for (const unit of path) {
      sign(place)
      place = place[unit] ??= {}
    }
    if (/[tblh]/.test(kind)) sign(place)
    place.name ||= name
    const slot = { kind, number: index + 1, position, keyAttribute }
    if (kind === 't') place[/** @type {'t0'} */ (`t${position}`)] = slot
    else if (/[blh]/.test(kind)) place[/** @type {'r0'} */ (`r${position}`)] = slot
    else place.own = [...(place.own ?? []), slot]
  })
  return top
}

/**
 * Storage may be switched off, or full: then the cache lives as long as the page.
 * @param {{ localStorage: Storage }} window
 */
export function createChunkCache(window) {
  /** @type {Map<Hash, Chunk>} */
  let known = new Map()
  try {
    known = new Map(JSON.parse(window.localStorage[KEY]))
  } catch {}

  return {
    /** @param {Hash} hash */
    has: (hash) => known.has(hash),

    /** @param {Hash} hash One that it has. */
    get(hash) {
      const chunk = /** @type {CachedChunk} */ (known.get(hash))
      chunk.places ??= placesOf(chunk)
      return chunk
    },

    /** @param {[Hash, Chunk][]} pairs */
    learn(pairs) {
      for (const [hash, chunk] of pairs) {
        known.delete(hash) // the newest are last
        known.set(hash, chunk)
      }
      const kept = []
      let size = 1 // of the brackets, and a comma less than there are pairs
      for (const pair of [...known].reverse()) {
        const text = JSON.stringify(pair, ['h', 's', 'one', 'u']) // without what was derived
        if ((size += text.length + 1) > MAX_SIZE) break
        kept.push(text)
      }
      try {
        window.localStorage[KEY] = `[${kept.reverse()}]`
      } catch {}
    },

    // What was kept may be the reason that a page could not be adopted.
    forget: () => known.clear(),
  }
}
