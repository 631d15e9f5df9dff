// main.js - does the runs that the server has, one after the other: each page in a frame of its own, parsed by the browser's
// own parser, with the real client and with strangers.

import { createPage } from '/client/page.js'
import * as differences from '/client/differences.js'
import * as editor from '/client/editor.js'
import * as forms from '/client/forms.js'
import { randomFrom } from '/shared/seeded-random.js'
import { Judge } from '/js/judge.js'
import { Stranger } from '/js/stranger.js'

const PARTS = { differences, editor, forms } // the others say what happens, or come for roots that do
const clock = { now: () => 1_000_000, random: () => 0.5, after: () => () => {} }
const later = () => new Promise((done) => { channel.port1.onmessage = done; channel.port2.postMessage(0) })
const channel = new MessageChannel()
const warned = []
console.warn = (...words) => warned.push(words.map((word) => word?.stack ?? String(word)).join(' '))

class Socket {
  readyState = 1
  sent = []
  send(text) { this.sent.push(JSON.parse(text)) }
  close() {}
}

class Run {
  constructor(run) {
    this.run = run
    this.log = []
    this.random = randomFrom(run.seed * 7919 + 1)
    this.version = 0
    this.refreshes = 0
    this.when = this.random() // in what part of the page's life most happens
  }

  // Something is done while the page is parsed. The script behind which it pauses never runs if what the parser is in was
  // taken out of the page.
  parsing() {
    this.stranger.act()
    if (this.run.pause !== null && this.stranger.removed.size) this.goOn()
  }

  goOn() {
    fetch(`/go/${this.run.number}`)
  }

  // A script in the page while it is parsed.
  hook(number) {
    if (this.run.pause === number) {
      this.window.setTimeout(() => {
        this.log.push('in a timer, while the page is parsed:')
        this.stranger.act()
        this.goOn()
      })
    } else if (this.random() < 0.6) {
      this.log.push(`in script ${number}:`)
      if (this.random() < 0.2) this.window.Promise.resolve().then(() => this.parsing())
      else this.parsing()
    }
  }

  async open() {
    this.frame = document.createElement('iframe')
    this.frame.src = `/page/${this.run.number}`
    window.hook = (number) => {
      this.window = this.frame.contentWindow
      this.stranger ??= new Stranger(this.window, this.random, this.log)
      this.hook(number)
    }
    await new Promise((done) => {
      this.frame.onload = done
      document.body.append(this.frame)
    })
    this.window = this.frame.contentWindow
    this.stranger ??= new Stranger(this.window, this.random, this.log)
    this.judge = new Judge(this.stranger)
    if (!this.run.cached) this.window.localStorage.clear()
  }

  async act(share, when) {
    if (this.random() >= share) return
    this.log.push(`${when}:`)
    this.stranger.act()
    if (this.random() < 0.5) await later()
  }

  start() {
    this.page = createPage({
      window: this.window, clock, connect: () => (this.socket = new Socket()), load: (name, then) => PARTS[name] && then(PARTS[name]),
      reload: () => this.log.push('RELOAD'),
    })
    this.page.start()
    this.socket.onopen()
    this.socket.sent.length = 0
  }

  // Brings a frame, and answers what the page asks because of it.
  say(text, step) {
    this.bring(text)
    for (let round = 0; round < 8; round++) {
      const asked = this.socket.sent.splice(0).filter(({ t }) => t === 'refresh')
      if (!asked.length) return null
      for (const { c } of asked) {
        if (!c) this.refreshes++
        for (const each of c ? step.chunks : [step.root]) this.bring(each)
      }
    }
    return 'it asks again and again'
  }

  bring(text) {
    const frame = JSON.parse(text)
    if (frame.t === 'joined') this.version = frame.views[0].s = 1
    else if (frame.d && !frame.d[0]) frame.s = ++this.version
    else frame.s = this.version
    this.socket.onmessage({ data: JSON.stringify(frame) })
  }

  async play() {
    await this.open()
    const { steps } = this.run
    this.judge.compare(this.window, steps[0].expect)
    await this.act(0.5, 'before the client')
    this.start()
    await this.act(0.3, 'before the join')
    for (const [index, step] of steps.entries()) {
      if (index) await this.act(0.4, `before step ${index}`)
      this.judge.note()
      this.judge.watch()
      this.log.push(`step ${index}: ${step.frames}`)
      for (const frame of step.frames) {
        const found = this.say(frame, step)
        if (found) return `step ${index}: ${found}`
      }
      const found = this.judge.compare(this.window, step.expect) ?? this.judge.kept()
      if (found) return `step ${index}: ${found}`
    }
    return null
  }
}

async function main() {
  for (;;) {
    const run = await (await fetch('/run')).json()
    if (!run) break
    warned.length = 0
    const one = new Run(run)
    let found
    try {
      found = await one.play()
    } catch (error) {
      found = error.stack
    }
    const html = found ? one.window?.document.querySelector('[data-troupe]')?.outerHTML : null
    const told = { seed: run.seed, found, html, log: found ? one.log : [], warned: found ? warned : [], refreshes: one.refreshes, did: one.log.length }
    await fetch('/told', { method: 'POST', body: JSON.stringify(told) })
    one.page?.leave()
    one.frame?.remove()
  }
  document.title = 'done'
}

main()
