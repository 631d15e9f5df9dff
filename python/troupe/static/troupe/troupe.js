// troupe.js - the browser's side of Troupe: starts the live views of the page that loads it.
//
//   <script type="module" src="…/troupe/troupe.js" data-troupe-socket="/ws/troupe/"></script>

import { pageOf } from './page.js'

const clock = {
  now: Date.now,
  random: Math.random,
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

// Returns the page, started.
export function start(window) {
  const { document, location } = window
  const script = document.querySelector('[data-troupe-socket]')
  const address = new URL(script.dataset.troupeSocket, location.href)
  address.protocol = address.protocol.replace('http', 'ws')
  const connect = () => new window.WebSocket(address)
  const page = pageOf({ window, clock, connect, reload: () => location.reload() })
  page.start()
  return page
}

if (globalThis.document) start(window)
