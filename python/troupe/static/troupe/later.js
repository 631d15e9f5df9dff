// later.js - roots that another script brings into the document, or takes away (htmx, Turbo, innerHTML): a part of its own,
// loaded when that happens first (parts.js, troupe.js). Roots that come together are one page, with a socket of its own.

import { attr, documentOf, isConnected } from './dom.js'

/** @import { BrowserWindow, Page, PageEnvironment, Strangers } from './types.js' */

/**
 * @param {object} options
 * @param {BrowserWindow} options.window
 * @param {Page} options.first The one that the document came with.
 * @param {string} options.came The address that it had then.
 * @param {(more: Partial<PageEnvironment>) => Page} options.open Starts another.
 */
export function create({ window, first, came, open }) {
  const document = documentOf(window)
  const { location, troupeStrangers: strangers } = /** @type {BrowserWindow & { troupeStrangers: Strangers }} */ (window)
  /** @type {Map<string, string | undefined>} The tokens of roots that went, and their renewals: they may be brought back. */
  const tokens = new Map()
  /** @type {Set<Page>} */
  const pages = new Set([first])
  /** @type {WeakMap<Element, string>} The address at which a root came. */
  const addresses = new WeakMap()
  /** @param {string} url */
  const address = (url = location.href) => url.split('#')[0]
  /** @param {Page} page */
  const here = (page) => page.views().filter((view) => isConnected(view.el()))

  /** @returns {HTMLElement[]} */
  const all = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll('[data-troupe]')])

  /** @param {HTMLElement[]} roots */
  function add(roots) {
    if (!roots.length) return
    const page = open({
      roots,
      tokens,
      apart() {
        end(page)
        for (const root of roots) add([root])
      },
    })
    pages.add(page)
    for (const root of roots) addresses.set(root, address())
  }

  /** @param {Page} page */
  function end(page) {
    pages.delete(page)
    page.end()
    for (const view of page.views()) {
      const { token, g } = view.asked()
      tokens.set(/** @type {string} */ (token), g)
    }
  }

  function look() {
    for (const page of pages) if (!here(page).length) end(page)
    // Another script's copy of a root is not one.
    const known = [...pages].flatMap(here).map((view) => view.asked().token)
    add(all().filter((root) => !known.includes(attr(root, 'data-troupe') ?? '')))
    for (const root of all()) if (isEmptied(root)) location.reload()
  }

  /**
   * Whether a navigation without a load put another page's content into a root that stayed, <body>: its token is lost.
   * @param {Element} root
   */
  function isEmptied(root) {
    return addresses.get(root) !== address() && strangers.isDisturbed(root) &&
      strangers.children(root).every((node) => !isConnected(node))
  }

  for (const root of all()) addresses.set(root, address(came))
  let due = false
  strangers.onRoots(() => {
    if (due) return
    due = true
    // Once for all of what was done together.
    queueMicrotask(() => {
      due = false
      look()
    })
  })
  look()
  return {}
}
