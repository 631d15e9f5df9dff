// chunk-cache.js - the markup of block types and where their slots are (PROTOCOL.md 9.5), by the hash of their
// content. Kept in localStorage for the next page, as far as the browser allows.

/** @import { CachedChunk, Chunk, Hash, Place, SlotDescriptor } from './types.js' */

const KEY = 'troupe-chunks'
const MAX_SIZE = 200_000 // characters

/**
 * The places of slots as a tree of elements.
 * @param {SlotDescriptor[]} descriptors
 */
function placesOf(descriptors) {
  /** @type {Place} */
  const top = {}
  descriptors.forEach(([kind, path = [], name, position, keyAttribute], index) => {
    let place = top
    for (const unit of path) place = place[unit] ??= {}
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
      chunk.places ??= placesOf(chunk.s)
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
        const text = JSON.stringify(pair, ['h', 's', 'one']) // without what was derived
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
