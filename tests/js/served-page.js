// served-page.js - a page in jsdom that a model (model-server.js) serves.

import assert from 'node:assert/strict'
import { openPage } from './fakes.js'
import { Model } from './model-server.js'

// A page that a model serves: live.to(state) sends the patch and looks whether the page is as Django renders it.
// cached: the browser knows the chunks; false: it asks; 'later': the test calls show().
export function served(root, state, { cached = true, joined = {}, spoil } = {}) {
  const model = new Model(root)
  const html = model.html(state, true)
  const live = openPage('', { html, spoil, stored: cached === true ? [['troupe-chunks', JSON.stringify(model.chunks())]] : [] })
  live.model = model
  live.show = () => {
    live.socket.open()
    live.joined(0, 1, { k: model.hashes(), ...joined })
    live.socket.take('join')
  }
  live.to = (next, a = 0) => {
    const frame = model.diff(state, next)
    live.socket.say({ v: 0, s: ++live.version, a, ...frame })
    state = next
    return frame
  }
  live.check = (message) => same(live, model.html(state, false), message)
  live.toSame = (next) => {
    const frame = live.to(next)
    live.check()
    return frame
  }
  live.state = () => state
  // The whole root, as for a refresh.
  live.whole = (message) => {
    live.socket.say({ v: 0, s: live.version, a: 0, k: model.hashes(), d: { 0: { h: model.html(state, true) } } })
    live.check(message)
  }
  if (cached !== 'later') live.show()
  if (!cached) {
    const [asked] = live.socket.take('refresh')
    live.socket.say({ v: 0, s: 1, a: 0, c: model.chunks(asked.c) })
  }
  return live
}

// The page without anchors and without empty texts is what a browser makes of Django's HTML.
export function same(live, html, message) {
  const root = plain(live.root.cloneNode(true))
  root.removeAttribute('data-troupe')
  const holder = live.root.parentNode.cloneNode(false)
  holder.innerHTML = html
  const fresh = plain(holder.lastElementChild)
  fresh.removeAttribute('data-troupe')
  if (!root.isEqualNode(fresh)) assert.equal(root.outerHTML, fresh.outerHTML, message)
  assert.ok(root.isEqualNode(fresh), message)
}

function plain(root) {
  const walker = root.ownerDocument.createTreeWalker(root, 128)
  const anchors = []
  while (walker.nextNode()) if (/^\$/.test(walker.currentNode.data)) anchors.push(walker.currentNode)
  for (const node of anchors) node.remove()
  root.normalize()
  return root
}
