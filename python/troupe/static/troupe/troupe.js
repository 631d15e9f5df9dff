// troupe.js - the entry point of the browser's side: starts the live views of the page that loads it.
//
//   <script type="module" src="…/troupe/troupe.js" data-troupe-socket="/ws/troupe/"></script>

import { documentOf } from './dom.js'
import { createPage } from './page.js'
import { createPart } from './parts.js'

/** @import { BrowserWindow, Clock, PageEnvironment } from './types.js' */

/** @type {Clock} */
const clock = {
  now: Date.now,
  random: Math.random,
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

/**
 * Returns the page, started.
 * @param {BrowserWindow} window
 */
export function start(window) {
  const { location } = window
  const document = documentOf(window)
  const script = /** @type {HTMLElement} */ (document.querySelector('[data-troupe-socket]'))
  const address = new URL(/** @type {string} */ (script.dataset.troupeSocket), location.href)
  address.protocol = address.protocol.replace('http', 'ws')
  const name = script.dataset.troupeLanguage
  const language = () => name && `; ${document.cookie}`.split(`; ${name}=`)[1]?.split(';')[0]
  let connectedIn = language()
  const connect = () => {
    connectedIn = language()
    return new window.WebSocket(address)
  }
  // Another tab has chosen another language: only a new socket carries its cookie.
  const outdated = () => language() !== connectedIn

  // Another fragment of the same page would only scroll, where a redirect loads. A worker sends nobody to a script; a
  // Location header could not, either.
  /** @param {string} to */
  function visit(to) {
    const url = new URL(to, location.href)
    if (/^(javascript|data|blob)/.test(url.protocol)) return
    location.assign(url)
    if (url.hash && location.href === url.href) location.reload()
  }

  // Goes on when the user leaves the page meanwhile: the session has no other cookie.
  /** @param {string} ticket */
  const collect = (ticket) =>
    window.fetch(script.dataset.troupeCookies ?? location.href, { headers: { 'X-Troupe-Ticket': ticket }, cache: 'no-store', keepalive: true, redirect: 'manual' })
      .then(({ status }) => status, () => 0)

  /** @type {PageEnvironment['load']} */
  const load = (name, then, failed) => import(/** @type {string} */ (script.getAttribute(`data-troupe-${name}`))).then(then, failed)

  /** @param {Partial<PageEnvironment>} [more] */
  function open(more) {
    const page = createPage({ window, clock, connect, outdated, visit, collect, load, reload: () => location.reload(), ...more })
    page.start()
    return page
  }

  const first = open()
  const later = createPart((name, then) => load(name, then, () => {}), 'later', { window, first, came: location.href, open })
  window.troupeStrangers.onRoots(later.need)
  return first
}

if (globalThis.document) {
  const begin = () => start(window)
  // The early script stands in front of this one. It is loaded now if it was blocked, or did not arrive.
  if (window.troupeStrangers) begin()
  else import(/** @type {any} */ (document.querySelector('[data-troupe-socket]'))?.previousElementSibling.src).then(begin)
}
