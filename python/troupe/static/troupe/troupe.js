// troupe.js - the browser's side of Troupe: starts the live views of the page that loads it.
//
//   <script type="module" src="…/troupe/troupe.js" data-troupe-socket="/ws/troupe/"></script>

import { Page } from './page.js'

const clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

// Returns the page, started.
export function start(window) {
  const { document, location } = window
  const script = document.querySelector('script[data-troupe-socket]')
  const address = new URL(script?.dataset.troupeSocket ?? '/ws/troupe/', location.href)
  address.protocol = address.protocol.replace('http', 'ws')
  const page = new Page({
    window,
    clock,
    connect: () => new window.WebSocket(address),
    reload: () => location.reload(),
    storage: () => window.sessionStorage,
    confirm: (text) => window.confirm(text),
  })
  page.start()
  return page
}

if (typeof document !== 'undefined') start(window)
