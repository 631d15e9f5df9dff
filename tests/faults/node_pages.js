// node_pages.js - many pages that run the real browser's side (python/troupe/static/troupe), each in a window of jsdom, over
// lines that take their time.
//
//   node node_pages.js DELAY_MS ANSWER_MS    one way of the line; how long an event may be under way
//
// Orders come in as JSON lines: {do, page, …}; see ORDERS. What happens to the pages goes out the same way: see tell().

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { PerformanceObserver, monitorEventLoopDelay } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { createPage } from '../../python/troupe/static/troupe/page.js'
import { randomFrom } from '../js/seeded-random.js'
import { equip } from '../property/js/early.js'

const require = createRequire(new URL('../js/package.json', import.meta.url))
const { JSDOM, VirtualConsole } = require('jsdom')
const { WebSocket } = require('ws')

const [DELAY_MS, ANSWER_MS] = process.argv.slice(2).map(Number)
const CHECK_MS = 1000
const EARLY = readFileSync(new URL('../../python/troupe/static/troupe/early.js', import.meta.url), 'utf8')
// One way of the line. A line that takes no time adds no timer either.
const later = DELAY_MS ? (run) => setTimeout(run, DELAY_MS) : (run) => run()
const pages = new Map() // name -> what open() makes
let current = null // the page whose code runs

// {page, outcome, id, reason}: an event is settled; id is the one that it was asked with
// {page, joined: fresh}; {page, closed: true}; {page, pushed: true}; {page, text}: an answer to `text`
// {page, gone: true}: the last thing that is told of a page; {stalls}: an answer to `stalls`
// {page, overdue: id}; {page, problem}: what must never be; {page, note}: what may be
function tell(page, fact) {
  process.stdout.write(`${JSON.stringify({ page: page?.name, ...fact })}\n`)
}

// Runs code of a page, or its handlers.
function within(page, run) {
  const before = current
  current = page
  try {
    run()
  } catch (error) {
    tell(page, { problem: String(error.stack) })
  } finally {
    current = before
  }
  settle(page)
}

console.error = (...words) => tell(current, { note: words.map((word) => word.stack ?? JSON.stringify(word)).join(' ') })
console.warn = console.error
process.on('uncaughtException', (error) => tell(current, { problem: String(error.stack) }))

// A WebSocket as browsers have it, at the other end of a long line: all that happens on one side is seen on the other
// DELAY_MS later, in the same order.
class Line {
  constructor(page, address, options) {
    this.page = page
    this.readyState = 0
    this.socket = new WebSocket(address, { perMessageDeflate: false, ...options })
    this.socket.on('error', () => {}) // 'close' follows
    this.socket.on('open', () => this.arrives(() => {
      this.readyState = 1
      this.onopen?.()
    }))
    this.socket.on('message', (data) => this.arrives(() => {
      const text = String(data)
      if (!this.onmessage) return
      heard(page, JSON.parse(text))
      this.onmessage({ data: text })
    }))
    this.socket.on('close', (code) => this.arrives(() => {
      this.readyState = 3
      if (this.onclose) tell(page, { closed: true })
      this.onclose?.({ code })
    }))
  }

  arrives(run) {
    later(() => within(this.page, run))
  }

  send(text) {
    said(this.page, JSON.parse(text))
    later(() => this.socket.readyState === 1 && this.socket.send(text))
  }

  close() {
    this.readyState = 2
    later(() => this.socket.close())
  }
}

// Parameters as `ask` has them: a page sends attributes as they stand, and the worker reads what they say.
function valuesOf(params = {}) {
  const said = Object.entries(params).filter(([name]) => name.endsWith(':json'))
  return Object.fromEntries(said.map(([name, text]) => [name.slice(0, -':json'.length), JSON.parse(text)]))
}

// What goes over a page's line is looked at: one join at a time, and every event has an answer in time.
function said(page, { t, n, p }) {
  if (t === 'join') {
    if (page.joining) tell(page, { problem: 'a join before the last one was answered' })
    page.joining = true
    page.under_way.clear()
  } else if (t === 'event') page.under_way.set(n, { id: valuesOf(p).number, since: performance.now() })
}

function heard(page, { t, n, a, fresh, reason, views }) {
  if (t === 'joined') {
    tell(page, { joined: fresh })
    for (const { error } of views) if (error) tell(page, { problem: `a view was not joined: ${JSON.stringify(error)}` })
    page.joining = false
  } else if (t === 'reload') tell(page, { problem: `reload: ${reason}` })
  else if (t === 'error') page.joining = false
  else if (!t && !a) tell(page, { pushed: true })
  page.under_way.delete(a || n)
}

function check() {
  const due = performance.now() - ANSWER_MS - 2 * DELAY_MS
  for (const page of pages.values()) {
    for (const [n, { id, since }] of page.under_way) {
      if (since > due) continue
      tell(page, { overdue: id })
      page.under_way.delete(n)
    }
  }
}

// What stands in the pages' way here and would not in a browser: one thread runs them all, collects their garbage, and
// waits for a processor when other programs have them.
const loop = monitorEventLoopDelay({ resolution: 1 })
loop.enable()
const collected = { total: 0, longest: 0 }
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) {
    collected.total += duration
    collected.longest = Math.max(collected.longest, duration)
  }
}).observe({ entryTypes: ['gc'] })
let before = scheduled()

// [ms that this thread ran, ms that it could have and another did], as Linux counts; empty: it does not.
function scheduled() {
  try {
    return readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ').slice(0, 2).map((ns) => ns / 1e6)
  } catch {
    return []
  }
}

// Since the last time.
function stalls() {
  const now = scheduled()
  const [ran_ms, queued_ms] = now.map((ms, at) => ms - before[at])
  const told = {
    loop_p99_ms: loop.percentile(99) / 1e6,
    loop_longest_ms: loop.max / 1e6,
    gc_ms: collected.total,
    gc_longest_ms: collected.longest,
    ran_ms, // without a value it is not in the JSON
    queued_ms,
  }
  loop.reset()
  before = now
  Object.assign(collected, { total: 0, longest: 0 })
  return told
}

// A button shows that it waits, until its event is settled; what it came to, other than done, is told on the document.
function settle(page) {
  for (const [id, { button, told }] of page.asked) {
    if (button.classList.contains('dj-loading')) continue
    page.asked.delete(id)
    tell(page, { id, outcome: told?.outcome ?? 'done', reason: told?.reason })
  }
}

function listen(page, outcome) {
  page.window.document.addEventListener(`troupe:${outcome}`, ({ detail }) => {
    const what = JSON.stringify([detail.name, valuesOf(detail.params)])
    const asked = [...page.asked.values()].find((each) => !each.told && each.what === what)
    if (asked) asked.told = { outcome, reason: detail.reason ?? detail.error?.kind }
  })
}

const ORDERS = {
  // html: of the page, as HTTP brought it. impatient: it does not wait for its backoff. seed: of its random numbers.
  open({ page: name, url, html, cookie, seed, impatient }) {
    const virtualConsole = new VirtualConsole()
    virtualConsole.on('jsdomError', (error) => tell(page, { problem: String(error.stack) }))
    const { window } = new JSDOM(html, { url, virtualConsole })
    equip(window, EARLY)
    window.performance.getEntriesByType = () => [] // jsdom has none
    const random = randomFrom(seed)
    const page = { name, window, asked: new Map(), under_way: new Map(), joining: false }
    const { dataset } = window.document.querySelector('[data-troupe-socket]')
    const address = new URL(dataset.troupeSocket, url.replace('http', 'ws'))
    const headers = cookie ? { Cookie: cookie } : {}
    const clock = {
      now: Date.now,
      random,
      after(ms, run) {
        const timer = setTimeout(() => within(page, run), ms)
        return () => clearTimeout(timer)
      },
    }
    const connect = () => {
      page.joining = false
      page.under_way.clear()
      return new Line(page, address, { origin: new URL(url).origin, headers })
    }
    pages.set(name, page)
    const load = (name, then) => import(`../../python/troupe/static/troupe/${name}.js`).then(then)
    page.live = createPage({ window, clock, connect, load, reload: () => tell(page, { problem: 'loads again' }) })
    for (const outcome of ['failed', 'unknown', 'refused']) listen(page, outcome)
    // The device wakes, or its network is back.
    if (impatient) {
      window.document.addEventListener('troupe:disconnected', () => {
        clock.after(2000 * random(), () => window.dispatchEvent(new window.Event('online')))
      })
    }
    within(page, () => page.live.start())
  },

  // A click on a button that is there for this only. id: what it is called when it is settled.
  ask({ page: name, id, event, params }) {
    const page = pages.get(name)
    const { document } = page.window
    const button = document.createElement('button')
    button.setAttribute('dj-click', event)
    for (const [key, value] of Object.entries(params)) button.setAttribute(`dj-value-${key}:json`, JSON.stringify(value))
    page.asked.set(id, { button, what: JSON.stringify([event, params]) })
    within(page, () => {
      document.querySelector('[data-troupe]').append(button)
      button.click()
      button.remove()
    })
  },

  // What elements of a page say.
  text({ page: name, css }) {
    const page = pages.get(name)
    tell(page, { text: [...page.window.document.querySelectorAll(css)].map((each) => each.textContent) })
  },

  close({ page: name }) {
    const page = pages.get(name)
    within(page, () => page.live.leave())
    pages.delete(name)
    page.window.close()
    tell(page, { gone: true })
  },

  stalls() {
    tell(null, { stalls: stalls() })
  },
}

setInterval(check, CHECK_MS).unref()
const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  const order = JSON.parse(line)
  ORDERS[order.do](order)
})
lines.on('close', () => process.exit())
