// said-in-vain.js - names in the console what a page says and Troupe does not do. Loaded with DEBUG only, by
// debug-page.js; needs nothing of the client.

const TIMED = ['dj-debounce', 'dj-throttle']
const ROOT = '[data-troupe]'

/** @param {string} text */
const isPause = (text) => text.trim() !== '' && Number(text) >= 0

/** @param {Element} el */
function checkPauses(el) {
  for (const name of TIMED) {
    const text = el.getAttribute(name)
    if (text === null || isPause(text) || (text === 'blur' && name === 'dj-debounce')) continue
    console.error(`troupe: ${name}="${text}" is not a number of milliseconds, and has no effect:`, el)
  }
}

/** @param {any} el One that a patch, or another script, put into the page. */
function checkScript(el) {
  if (el.localName !== 'script' || !/^(|module|.*(java|ecma)script)$/i.test(el.type) || !el.closest(ROOT)) return
  console.warn('troupe: a script that a patch brings does not run (docs/guide.md, "In the template"):', el)
}

/**
 * Checks what is in the document, and what comes later.
 * @param {Document} document
 * @param {typeof MutationObserver} Observer
 */
export function watch(document, Observer) {
  const selector = TIMED.map((name) => `[${name}]`).join()
  document.querySelectorAll(selector).forEach(checkPauses)
  const observer = new Observer((records) => {
    for (const { type, target, addedNodes } of records) {
      if (type === 'attributes') checkPauses(/** @type {Element} */ (target))
      for (const node of /** @type {NodeListOf<any>} */ (addedNodes)) {
        for (const el of node.querySelectorAll ? [node, ...node.querySelectorAll('*')] : []) {
          checkPauses(el)
          checkScript(el)
        }
      }
    }
  })
  observer.observe(document, { attributes: true, attributeFilter: TIMED, childList: true, subtree: true })
}

if (globalThis.document) watch(document, MutationObserver)
