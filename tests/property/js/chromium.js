// chromium.js - the browser's part of the property tests in a browser: node.js's orders, by calls of window.order(order).
// Each case's page is in a frame of its own.

import { member } from './compare.js'
import { Live } from './live.js'
import * as editor from '/client/editor.js'
import * as differences from '/client/differences.js'
import * as forms from '/client/forms.js'
import { createPage } from '/client/page.js'

const EARLY = await (await fetch('/client/early.js')).text()

let live = null
let frame = null
let said = []
console.error = (...words) => said.push(words.map(String).join(' '))

function open({ open: html, cached }) {
  frame?.remove()
  frame = document.createElement('iframe')
  document.body.append(frame)
  const shown = frame.contentDocument
  shown.open()
  shown.write(html)
  member(shown, 'close')()
  if (!cached) frame.contentWindow.localStorage.clear()
  live = new Live(createPage, frame.contentWindow, EARLY, { differences, editor, forms })
  return {}
}

function say({ say: frames, expect, title }) {
  const sent = live.say(frames)
  return { sent, differs: live.differs(new DOMParser().parseFromString(expect, 'text/html'), title) }
}

const ORDERS = { open, say, lose: () => ({ sent: live.lose() }), act: ({ act, types }) => ({ sent: live.act(act, types) }) }

window.order = (order) => {
  said = []
  try {
    return { error: null, ...ORDERS[Object.keys(order)[0]](order), said }
  } catch (error) {
    return { error: error.stack, sent: [], said }
  }
}
