// live.js - a page with the real client in it, whose clock stands still and whose socket a test holds.

import { difference, member, plain, rootOf } from './compare.js'
import { equip } from './early.js'

class Socket {
  readyState = 0
  sent = []

  send(text) {
    this.sent.push(JSON.parse(text))
  }

  close() {
    this.readyState = 3
  }
}

// Timers never run by themselves.
const clock = { now: () => 1_000_000, random: () => 0.5, after: () => () => {} }

export class Live {
  // A window that shows the page as HTTP gave it. createPage: the client's. early: the source of its early script. parts: the
  // modules that it may load.
  constructor(createPage, window, early, parts = {}) {
    this.window = window
    this.close = equip(window, early)
    window.performance.getEntriesByType ??= () => [] // jsdom has none
    this.page = createPage({
      window,
      clock,
      connect: () => (this.socket = new Socket()),
      load: (name, then) => parts[name] && then(parts[name]),
      reload: () => this.socket.sent.push({ t: 'reloaded' }),
    })
    this.page.start()
    this.open()
  }

  // The socket opens; what the page says first: that it joins.
  open() {
    this.socket.readyState = 1
    this.socket.onopen()
    return this.take()
  }

  // The socket goes, and comes back as soon as the network does.
  lose() {
    this.socket.onclose({ code: 1006 })
    this.window.dispatchEvent(new this.window.Event('online'))
    return this.open()
  }

  // What the page sent since the last call, but for its acknowledgements.
  take() {
    return this.socket.sent.splice(0).filter((frame) => frame.t !== 'ack')
  }

  say(frames) {
    for (const text of frames) this.socket.onmessage({ data: text })
    return this.take()
  }

  // What the page sends when the user does something: dispatches events of these types to the first element that matches.
  act(selector, types) {
    const { MouseEvent, SubmitEvent, KeyboardEvent, FocusEvent, Event } = this.window
    const kinds = { click: MouseEvent, submit: SubmitEvent, keydown: KeyboardEvent, focusin: FocusEvent, focusout: FocusEvent }
    const target = member(this.window.document, 'querySelector')(selector)
    for (const type of types) {
      const event = new (kinds[type] ?? Event)(type, { bubbles: true, cancelable: true, key: 'Enter' })
      member(target, 'dispatchEvent')(event)
    }
    return this.take()
  }

  // Null, or how the page differs from a document that shows what Django rendered; in its title as well, or not.
  differs(document, title) {
    const root = member(this.window.document, 'querySelector')('[data-troupe]')
    if (!root) return 'the page has no root any more'
    const wanted = rootOf(document)
    // What stands behind the root got into it: then its end is nowhere, and no root is like it.
    if (member(wanted, 'localName') !== 'body' && member(wanted, 'querySelector')('footer')) return null
    return difference(root, wanted) ?? (title ? this.title(document) : null)
  }

  title(document) {
    const [mine, wanted] = [this.window.document, document].map((each) => plain(member(each, 'title')))
    return mine === wanted ? null : `title is ${JSON.stringify(mine)}, wanted ${JSON.stringify(wanted)}`
  }
}
