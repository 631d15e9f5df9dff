// fakes.js - a clock, a socket and a page that a test drives by hand.

import { readFileSync } from 'node:fs'
import { JSDOM } from 'jsdom'
import * as differences from '../../python/troupe/static/troupe/differences.js'
import * as editor from '../../python/troupe/static/troupe/editor.js'
import * as forms from '../../python/troupe/static/troupe/forms.js'
import * as notes from '../../python/troupe/static/troupe/notes.js'
import { createPage as makePage } from '../../python/troupe/static/troupe/page.js'
import { equip } from '../property/js/early.js'
import { randomFrom } from './seeded-random.js'

export { randomFrom }

export const EARLY = readFileSync(new URL('../../python/troupe/static/troupe/early.js', import.meta.url), 'utf8')

export class FakeClock {
  constructor(seed = 1) {
    this.time = 1_000_000
    this.timers = []
    this.random = randomFrom(seed)
    this.now = () => this.time
  }

  after(ms, run) {
    const timer = { due: this.time + ms, run }
    this.timers.push(timer)
    return () => { this.timers = this.timers.filter((each) => each !== timer) }
  }

  // Runs what is due on the way, in order.
  advance(ms) {
    const end = this.time + ms
    for (;;) {
      const due = this.timers.filter((timer) => timer.due <= end).sort((a, b) => a.due - b.due)[0]
      if (!due) break
      this.timers = this.timers.filter((timer) => timer !== due)
      this.time = Math.max(this.time, due.due)
      due.run()
    }
    this.time = end
  }
}

export class FakeSocket {
  constructor() {
    this.readyState = 0
    this.sent = []
  }

  send(text) {
    if (this.readyState !== 1) throw new Error('send on a socket that is not open')
    this.sent.push(JSON.parse(text))
  }

  close() {
    this.readyState = 3
  }

  open() {
    this.readyState = 1
    this.onopen()
  }

  say(...frames) {
    for (const frame of frames) this.onmessage({ data: JSON.stringify(frame) })
  }

  fail(code = 1006) {
    this.readyState = 3
    this.onclose?.({ code })
  }

  // What was sent since the last call.
  take(type) {
    const taken = this.sent.filter((frame) => !type || frame.t === type)
    this.sent = this.sent.filter((frame) => type && frame.t !== type)
    return taken
  }
}

const PARTS = { differences, editor, forms, notes }
const loadAtOnce = (name, then) => then(PARTS[name])

export const VIEW = 'a'.repeat(32)

// A window whose scripts run, so that a test can see that none did.
export function windowOf(body, early = EARLY) {
  const { window } = new JSDOM(`<!doctype html><html><head></head>${body}</html>`,
    { url: 'https://example.test/page', runScripts: 'dangerously', pretendToBeVisual: true })
  window.performance.getEntriesByType = () => [] // jsdom has none
  equip(window, early)
  return window
}

// A page with one view. Call live.join() to have it joined.
export function openPage(inner, { seed = 1, root = 'main', html, spoil, stored: items = [], load = loadAtOnce } = {}) {
  const window = windowOf(`<body>${html ?? `<${root} dj-root data-troupe="token-1">${inner}</${root}>`}</body>`)
  const { document } = window
  const live = { window, document, clock: new FakeClock(seed), sockets: [], told: [], reloads: 0, visited: [], collected: [] }
  for (const [key, value] of items) window.localStorage.setItem(key, value)
  spoil?.(live)
  window.confirm = () => true
  live.env = {
    window,
    clock: live.clock,
    connect: () => live.sockets[live.sockets.push(new FakeSocket()) - 1],
    reload: () => live.reloads++,
    visit: (url) => live.visited.push(url),
    load,
    collect: async (ticket) => (live.collected.push(ticket), live.collects ?? 204),
  }
  live.page = makePage(live.env)
  const names = ['connected', 'disconnected', 'failed', 'refused', 'unknown', 'lost', 'anew', 'reload', 'redirect', 'error']
  for (const name of names) {
    document.addEventListener(`troupe:${name}`, (event) => live.told.push([name, event.detail]))
  }
  live.page.start()
  Object.defineProperties(live, {
    socket: { get: () => live.sockets.at(-1) },
    root: { get: () => window.document.querySelector('[data-troupe]') },
  })
  live.joined = (n = 0, s = 1, { fresh, restored, ...more } = {}) =>
    live.socket.say({ t: 'joined', n, fresh, restored, views: [{ v: VIEW, i: 0, s, token: 'token-2', ...more }] })
  live.join = (n, s, more) => {
    live.socket.open()
    live.joined(n, s, more)
    live.socket.take()
    return live
  }
  live.version = 1
  // A patch that answers event `a` and makes the root's content `html`.
  live.patch = (html, a = 0) => live.socket.say({ v: 0, s: ++live.version, a,
    d: { 0: { h: `<${root} dj-root>${html}</${root}>` } } })
  live.$ = (selector) => window.document.querySelector(selector)
  live.fire = (target, type, init = {}) => {
    const el = typeof target === 'string' ? live.$(target) : target
    const { Event, KeyboardEvent, MouseEvent, FocusEvent, CompositionEvent, InputEvent } = window
    const Kind = { keydown: KeyboardEvent, click: MouseEvent, focusin: FocusEvent, focusout: FocusEvent,
      compositionstart: CompositionEvent, compositionend: CompositionEvent, input: InputEvent }[type] ?? Event
    return el.dispatchEvent(new Kind(type, { bubbles: true, cancelable: true, ...init }))
  }
  live.type = (selector, text) => {
    const el = live.$(selector)
    el.focus()
    el.value = text
    live.fire(el, 'input')
  }
  live.submit = (selector, submitter) => live.$(selector).requestSubmit(submitter)
  return live
}
