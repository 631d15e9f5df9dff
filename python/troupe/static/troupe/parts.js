// parts.js - parts of the browser's side that not every page needs: each is a file of its own, loaded when a page has
// use for it (docs/decisions/browser/0010).

/**
 * @template T
 * @param {(name: string, then: (module: { create: (options: any) => T }) => void) => void} load
 * @param {string} name
 * @param {object} options What the module's create() gets.
 */
export function createPart(load, name, options) {
  /** @type {T | undefined} */
  let part
  /** @type {((part: T) => void)[] | undefined} What waits for it; undefined: nobody asked yet. */
  let waiting

  // Loads it, once.
  function need() {
    if (waiting) return
    waiting = []
    load(name, ({ create }) => {
      part = create(options)
      for (const each of /** @type {((part: T) => void)[]} */ (waiting)) each(part)
    })
  }

  return {
    need,

    /** Undefined: not loaded yet. */
    get: () => part,

    /**
     * Calls `run` with the part: now, or, in their order, when it is there.
     * @param {(part: T) => void} run
     */
    use(run) {
      need()
      part ? run(part) : waiting?.push(run)
    },
  }
}
