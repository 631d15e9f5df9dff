// debug-page.js - shows Django's debug page for an exception in a worker over the page that caused it. Loaded by a
// script of its own, with DEBUG only: the server sends the page then, as `error.page`.
//
// The debug page is shown in an iframe that runs no scripts. It is built by script, with its style sheet adopted, and
// so looks the same under a Content-Security-Policy that forbids inline styles, which an iframe like this inherits
// (https://www.w3.org/TR/CSP3/#security-inherit-csp).

import './said-in-vain.js'

/** Without scripts all context lines are shown; what needs scripts is not. */
const OWN_STYLE = '.commands, .pastebin, #pastebinTraceback { display: none }'
const CLOSE = 'Close (Esc)'

/** Failures of views by themselves, such as of ticks, that the user has closed: they are not shown again. */
const dismissed = new Set()

/** @type {HTMLDialogElement | undefined} */
let shown

/**
 * @param {string} tag
 * @param {string} style
 */
function make(tag, style) {
  const element = document.createElement(tag)
  element.style.cssText = style
  return element
}

/**
 * The debug page without what its iframe would refuse, and its style sheets as text. Styles and handlers are taken out
 * before the page is parsed: a parser complains of them. In what the page shows, `<` and `"` are escaped.
 * @param {string} html
 */
function read(html) {
  const styles = [OWN_STYLE]
  const plain = html
    .replace(/<style\b[^>]*>([^]*?)<\/style>/gi, (_, style) => (styles.push(style), ''))
    .replace(/\s(?:style|on\w+)="[^"]*"/gi, '')
  const page = new DOMParser().parseFromString(plain, 'text/html')
  for (const element of page.querySelectorAll('script, link, meta, base')) element.remove()
  return { body: page.body, styles: styles.reverse().join('\n') }
}

/**
 * @param {HTMLIFrameElement} frame
 * @param {string} html
 */
function fill(frame, html) {
  const { body, styles } = read(html)
  const inside = /** @type {Document} */ (frame.contentDocument)
  const { CSSStyleSheet } = /** @type {typeof globalThis} */ (/** @type {unknown} */ (frame.contentWindow))
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(styles)
  inside.adoptedStyleSheets = [sheet]
  inside.body.replaceWith(inside.importNode(body, true))
}

/**
 * @param {string} title
 * @param {string} html
 * @param {() => void} closed
 */
function show(title, html, closed) {
  shown?.remove()
  const dialog = /** @type {HTMLDialogElement} */ (
    make('dialog', 'width:94vw;height:92vh;max-width:none;max-height:none;padding:0;border:0;overflow:hidden;' +
      'background:#fff;color:#000')
  )
  const bar = make('div', 'display:flex;justify-content:space-between;align-items:center;height:40px;padding:0 12px;' +
    'background:#7a1020;color:#fff;font:14px system-ui,sans-serif')
  const text = make('b', 'overflow:hidden;white-space:nowrap;text-overflow:ellipsis')
  const button = /** @type {HTMLButtonElement} */ (make('button', 'font:inherit;margin-left:12px;white-space:nowrap'))
  const frame = /** @type {HTMLIFrameElement} */ (make('iframe', 'width:100%;height:calc(100% - 40px);border:0'))
  dialog.className = 'troupe-debug-page'
  text.textContent = title
  button.type = 'button'
  button.textContent = CLOSE
  button.onclick = () => dialog.close()
  frame.title = title
  frame.setAttribute('sandbox', 'allow-same-origin')
  frame.srcdoc = '<!doctype html><html><body></body></html>'
  frame.onload = () => fill(frame, html)
  dialog.onclose = () => {
    dialog.remove()
    closed()
  }
  bar.append(text, button)
  dialog.append(bar, frame)
  document.documentElement.append(dialog) // beside <body>, which may be a view's root
  dialog.showModal()
  shown = dialog
}

document.addEventListener('troupe:failed', (event) => {
  const { name, error } = /** @type {CustomEvent} */ (event).detail
  const title = `${error?.type}: ${error?.message}`
  if (error?.frames?.length && !error.page) {
    const frames = error.frames.map((/** @type {unknown[]} */ frame) => frame.join(' '))
    console.error(['troupe:', title, ...frames].join('\n'))
  }
  if (!error?.page || event.defaultPrevented) return
  if (!name && dismissed.has(title)) return // the small message has to do
  event.preventDefault()
  show(title, error.page, () => dismissed.add(title))
})
