// node.js - the browser's part of the property tests in jsdom: an order a line on standard input, an answer a line.
//
//   {"open": html, "cached": bool}                 a page, its client started
//   {"say": [frame, …], "expect": html, "title": bool}
//                                                  frames for it, and what Django rendered for the same state
//   {"lose": true}                                 its socket goes, and it joins anew
//
// Answers: {"sent": [frame, …], "differs": text or null, "error": text or null, "said": [console lines]}

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { Live } from './live.js'

const { JSDOM } = createRequire(new URL('../../js/package.json', import.meta.url))('jsdom')
const CLIENT = process.env.TROUPE_CLIENT ?? new URL('../../../python/troupe/static/troupe', import.meta.url)
const { createPage } = await import(`${CLIENT}/page.js`)
const EARLY = readFileSync(new URL(`${CLIENT}/early.js`, import.meta.url), 'utf8')
const PARTS = {}
for (const name of ['differences', 'editor', 'forms']) PARTS[name] = await import(`${CLIENT}/${name}.js`)
const URL_OF_PAGE = 'https://example.test/'
const CASES_A_WINDOW = 200 // making one takes longer than a case; each leaves a little behind

let live = null
let dom = null
let opened = 0
let said = []
console.error = (...words) => said.push(words.map(String).join(' '))
console.warn = console.error

function open({ open: html, cached }) {
  live?.close()
  if (opened++ % CASES_A_WINDOW === 0) {
    dom?.window.close()
    dom = new JSDOM('', { url: URL_OF_PAGE })
  }
  const { document } = dom.window
  document.open()
  document.write(html)
  document.close()
  if (!cached) dom.window.localStorage.clear()
  live = new Live(createPage, dom.window, EARLY, PARTS)
  return {}
}

function say({ say: frames, expect, title }) {
  const sent = live.say(frames)
  if (expect === undefined) return { sent }
  const wanted = new dom.window.DOMParser().parseFromString(expect, 'text/html')
  return { sent, differs: live.differs(wanted, title) }
}

const ORDERS = { open, say, lose: () => ({ sent: live.lose() }) }

function answer(order) {
  said = []
  try {
    return { error: null, ...ORDERS[Object.keys(order)[0]](order), said }
  } catch (error) {
    return { error: error.stack, sent: [], said }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + '\n')
}
