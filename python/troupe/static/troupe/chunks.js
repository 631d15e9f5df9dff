// chunks.js - the markup of blocks and where their slots are (PROTOCOL.md 9.5), by the hash of their content.
// They are kept for the next page, as far as the browser lets us.

const KEY = 'troupe-chunks'
const MOST = 200_000 // characters
const KEPT = ['h', 's', 'one']

// Where slots are, as a tree of elements: {name, own: slots of the element itself, t0…: text slots by their
// gaps, r0…: ranges by their units, 0…: elements by their units}.
function treeOf(slots) {
  const top = {}
  slots.forEach(([kind, path = [], name, at, key], index) => {
    let here = top
    for (const unit of path) here = here[unit] ??= {}
    here.name ||= name
    const slot = { kind, number: index + 1, at, key }
    if (kind === 't') here[`t${at}`] = slot
    else if (/[blh]/.test(kind)) here[`r${at}`] = slot
    else here.own = [...(here.own ?? []), slot]
  })
  return top
}

// Storage may be switched off, or full.
export function chunkCache(window) {
  let known = new Map()
  try {
    known = new Map(JSON.parse(window.localStorage[KEY]))
  } catch {}

  return {
    has: (hash) => known.has(hash),
    get(hash) {
      const chunk = known.get(hash)
      chunk.top ??= treeOf(chunk.s)
      return chunk
    },
    learn(pairs) {
      for (const [hash, chunk] of pairs) {
        known.delete(hash) // the newest are last
        known.set(hash, chunk)
      }
      const kept = []
      let size = 1 // of the brackets, and a comma less than there are pairs
      for (const pair of [...known].reverse()) {
        const text = JSON.stringify(pair, KEPT)
        if ((size += text.length + 1) > MOST) break
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
