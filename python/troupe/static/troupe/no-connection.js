// no-connection.js - says in the console and in the page why it has never connected: that the client's script is not
// there, or what was tried, what came of it, and what to do. Loaded with DEBUG only, by a script of its own in front of troupe.js:
//
//   <script type="module" src="…/troupe/no-connection.js" data-troupe-served="wsgi"></script>

const REFUSED = 1006 // what a browser says of a handshake that came to nothing, whatever the server answered
const MORE = 'See "Troubleshooting: the page stays dead" in the guide.'

/**
 * @param {{ address: string, origin: string, served?: string | undefined, code?: number | undefined, there: boolean }} facts
 *   served: "wsgi" or "asgi". there: whether the server still answers HTTP.
 */
export function reason({ address, origin, served, code, there }) {
  if (!there) return `Nothing answers at ${origin}: the server is not running.`
  if (served === 'wsgi') {
    return 'This page came over WSGI, which has no WebSockets. For `manage.py runserver`: `pip install daphne`, put ' +
      '"daphne" at the front of INSTALLED_APPS and set ASGI_APPLICATION. Or run an ASGI server, such as uvicorn, in ' +
      `place of the WSGI server, or beside it with ${new URL(address).pathname} routed there.`
  }
  if (code !== REFUSED) {
    return 'The server accepted the socket, and did not let the page join. Its log says why.'
  }
  return 'The server refused the handshake. `manage.py check` says whether ASGI_APPLICATION has a route for ' +
    `${new URL(address).pathname}. If it has: uvicorn needs \`pip install websockets\`; the origin ${origin} must be in ` +
    'ALLOWED_HOSTS or TROUPE["ORIGINS"] (the server logs event=foreign_origin); a proxy must pass `Upgrade` on ' +
    '(event=stray_handshake).'
}

/**
 * Explains a page's first failure, until it connects.
 * @param {typeof globalThis} window
 */
export function explain(window) {
  const { document, location, console } = window
  const core = /** @type {HTMLElement} */ (document.querySelector('[data-troupe-socket]'))
  const note = document.createElement('div')
  let silent = false

  /** @param {string} text */
  function say(text) {
    console.error(`troupe: ${text}`)
    note.className = 'troupe-note'
    note.role = 'status'
    note.style.cssText = 'position:fixed;z-index:9999;bottom:0;padding:1em;background:#000;color:#fff'
    note.textContent = text
    note.onclick = () => note.remove()
    document.documentElement.append(note)
  }

  core.addEventListener('error', () => say(
    `The script ${/** @type {HTMLScriptElement} */ (core).src} could not be loaded: nothing on this page will answer. ` +
    '`manage.py check` says whether this server has it (troupe.W017, W019). Another origin must send ' +
    'Access-Control-Allow-Origin.'))

  document.addEventListener('troupe:connected', () => {
    silent = true
    note.remove()
  })

  document.addEventListener('troupe:disconnected', async (event) => {
    if (silent) return
    silent = true
    event.preventDefault()
    const own = /** @type {HTMLElement} */ (document.querySelector('[data-troupe-served]'))
    const { code } = /** @type {CustomEvent} */ (event).detail
    const address = new URL(/** @type {string} */ (core.dataset.troupeSocket), location.href)
    address.protocol = address.protocol.replace('http', 'ws')
    const there = await window.fetch(/** @type {HTMLScriptElement} */ (own).src, { method: 'HEAD', cache: 'no-store' })
      .then(() => true, () => false)
    const served = own.dataset.troupeServed
    say(`No connection to ${address.href} (${code ? `closed with code ${code}` : 'no answer in time'}). ` +
      `${reason({ address: address.href, origin: location.origin, served, code, there })} ${MORE}`)
  })
}

if (globalThis.document) explain(globalThis)
