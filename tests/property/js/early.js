// early.js - runs the client's early script in a window that does not run scripts by itself.

/**
 * From now on the window's strangers are known: what stands in it is the server's. Returns a function that ends it.
 * @param {string} source Of static/troupe/early.js.
 */
export function equip(window, source) {
  const observers = []
  const { customElements, document, Document, Element, Node } = window
  const own = {
    customElements, document, Document, Element, Node,
    addEventListener: (_, parsed) => parsed(),
    MutationObserver: class extends window.MutationObserver {
      constructor(run) {
        super(run)
        observers.push(this)
      }
    },
  }
  new Function('globalThis', source)(own)
  window.troupeStrangers = own.troupeStrangers
  return () => { for (const each of observers) each.disconnect() }
}
