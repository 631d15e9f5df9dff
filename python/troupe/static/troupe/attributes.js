// attributes.js - writes attributes, and leaves alone what others changed: scripts, or the user who opened a
// <details>. It knows the last value from the server, and writes only what differs from that.

import { attr as attrOf, localName, member } from './dom.js'
import { KEYS } from './match-children.js'

/** @import { BrowserWindow } from './types.js' */

/** @param {string | null | undefined} text */
const words = (text) => (text ?? '').split(/\s+/).filter(Boolean)

/**
 * @param {Pick<BrowserWindow, 'document' | 'troupeStrangers'>} window
 * @param {(el: Element) => void} replaced An element is about to become another one.
 */
export function createAttributeWriter({ document, troupeStrangers: strangers }, replaced) {
  const { keepValue, attributeValues: values } = strangers

  /**
   * The server's classes, without those that others took away, and with those that others added.
   * @param {string | null} last
   * @param {string | null} live
   * @param {string | null} value
   */
  function merged(last, live, value) {
    const [server, shown, next] = [last, live, value].map(words)
    const kept = next.filter((name) => shown.includes(name) || !server.includes(name))
    const all = [...new Set([...kept, ...shown.filter((name) => !server.includes(name))])].join(' ')
    return all === next.join(' ') ? value : all
  }

  /**
   * Makes an attribute what the server says. Returns false if the server said so before.
   * @param {Element} el
   * @param {string} name
   * @param {string | null} value null: no such attribute.
   * @param {Attr} [attr] One to copy: setAttribute refuses names that the parser takes (@click), and knows no namespace
   *   (https://github.com/whatwg/dom/issues/849).
   */
  function set(el, name, value, attr) {
    strangers.take()
    const last = values.get(el)?.get(name)
    const live = attrOf(el, name)
    const known = last === undefined ? live : last
    if (value === known) return false
    if (value !== null && known !== null && KEYS.includes(name)) replaced(el)
    values.get(el)?.delete(name)
    const shown = name === 'class' && last !== undefined ? merged(last, live, value) : value
    if (shown !== value) keepValue(el, name, value)
    if (shown !== live) write(el, name, shown, attr)
    // The first is ours. Others come from custom elements, which answer to being changed.
    strangers.take(1)
    return true
  }

  /**
   * @param {Element} el
   * @param {string} name
   * @param {string | null} value
   * @param {Attr} [attr]
   */
  function write(el, name, value, attr) {
    const existing = member(el, 'getAttributeNode')(name)
    if (value === null) {
      // A modal dialog that only loses its attribute stays in the top layer and blocks the page
      // (https://html.spec.whatwg.org/#the-dialog-element, "removing the open attribute").
      if (name === 'open' && localName(el) === 'dialog') /** @type {HTMLDialogElement} */ (el).close?.()
      member(el, 'removeAttribute')(name)
    } else if (existing) existing.value = value
    else {
      const copy = attr ? document.importNode(attr, true) : document.createAttribute(name)
      copy.value = value
      member(el, 'setAttributeNode')(copy)
    }
  }

  return set
}
