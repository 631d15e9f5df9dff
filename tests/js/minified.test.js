import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, test } from 'node:test'
import { FakeSocket, windowOf } from './fakes.js'
import { Model } from './model-server.js'
import { pageFrom, State } from './random-pages.js'
import { randomFrom } from './seeded-random.js'
import { same } from './served-page.js'

const MINIFY = new URL('../../scripts/lib/minify', import.meta.url).pathname
const skip = spawnSync('esbuild', ['--version']).error ? 'esbuild is not installed' : false

const folder = mkdtempSync(join(tmpdir(), 'troupe-min-'))
after(() => rmSync(folder, { recursive: true }))
const [FORMS, NOTES] = ['forms', 'notes'].map((name) => join(folder, `${name}.min.js`))

// The small files in a page of their own, with the browser's own clock: nothing here waits for it.
async function smallFile() {
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}')
  execFileSync(MINIFY, [folder])
  return import(join(folder, 'troupe.min.js'))
}

function open(start, html) {
  const window = windowOf(`<body>${html}</body>`, readFileSync(join(folder, 'early.min.js'), 'utf8'))
  const sockets = []
  window.document.head.innerHTML = `<script type="module" data-troupe-socket="/ws/" data-troupe-forms="${FORMS}" data-troupe-notes="${NOTES}"></script>`
  window.WebSocket = class {
    constructor() {
      return sockets[sockets.push(new FakeSocket()) - 1]
    }
  }
  start(window)
  sockets[0].open()
  const live = { window, document: window.document, socket: sockets[0], get root() {
    return window.document.querySelector('[data-troupe]')
  } }
  lives.push(live)
  return live
}

// Closes the sockets and ends what the pages wait for, so that the process can end.
const lives = []
afterEach(() => {
  for (const live of lives.splice(0)) {
    live.window.dispatchEvent(new live.window.PageTransitionEvent('pagehide'))
    live.window.close()
  }
})

test('the small early script aligns nodes with signs', { skip }, async () => {
  await smallFile()
  const window = windowOf('<body></body>', readFileSync(join(folder, 'early.min.js'), 'utf8'))
  const small = Object.fromEntries(Object.entries(window.troupeStrangers).map(([name, value]) => [`${value}`, name]))
  const align = Object.keys(small).find((source) => source.includes('Error("troupe")'))
  const box = window.document.createElement('div')
  box.innerHTML = '<p></p>'
  assert.throws(() => window.troupeStrangers[small[align]](box, '!!'), { message: 'troupe' })
})

test('the small file does what the modules do: slots, chunks, roots', { skip }, async () => {
  const { start } = await smallFile()
  for (let seed = 1; seed <= 15; seed++) {
    const random = randomFrom(seed)
    const model = new Model(pageFrom(random))
    let state = new State(seed, 0, 0.7)
    const live = open(start, model.html(state, true))
    live.socket.say({ t: 'joined', n: 0, views: [{ v: 'a', i: 0, s: 1, token: 'x', k: model.hashes() }] })
    live.socket.say({ v: 0, s: 1, a: 0, c: model.chunks() })
    for (let s = 2; s < 7; s++) {
      const next = new State(seed, s, random())
      live.socket.say({ v: 0, s, a: 0, ...model.diff(state, next) })
      state = next
      same(live, model.html(state, false), `seed ${seed} version ${s}`)
    }
    live.socket.say({ v: 0, s: 7, a: 0, k: model.hashes(), d: { 0: { h: model.html(state, true) } } })
    same(live, model.html(state, false), `seed ${seed}, whole`)
    assert.equal(live.socket.sent.filter(({ t, c }) => t === 'refresh' && !c).length, 0, `seed ${seed}`)
  }
})

test('the small file does what the modules do: events, controls, notes, refusals', { skip }, async () => {
  const { start } = await smallFile()
  const live = open(start, '<main dj-root data-troupe="t"><form dj-submit="save" data-id="1"><input name="q"></form>' +
    '<select dj-change="pick"><option selected>a<option>b</select></main>')
  const [form, input, select] = ['form', 'input', 'select'].map((css) => live.document.querySelector(css))
  live.socket.say({ t: 'joined', n: 0, views: [{ v: 'a', i: 0, s: 1, token: 'x' }] })
  assert.equal(live.document.documentElement.className, 'troupe-connected')
  await Promise.all([FORMS, NOTES].map((file) => import(file)))
  const told = []
  for (const name of ['failed', 'refused', 'unknown']) {
    live.document.addEventListener(`troupe:${name}`, ({ detail }) => told.push([name, detail.name, detail.reason]))
  }
  input.value = 'typed'
  form.requestSubmit()
  select.value = 'b'
  select.dispatchEvent(new live.window.Event('change', { bubbles: true }))
  assert.deepEqual(live.socket.take('event').map(({ n, e, p }) => [n, e, p]),
    [[1, 'save', { id: '1', _fields: [['q', 'typed']], _lists: [], _boxes: {} }], [2, 'pick', { value: 'b' }]])
  live.socket.say({ v: 0, s: 1, a: 1 }, { t: 'failed', n: 2, error: { kind: 'python', message: 'm' } })
  assert.equal(input.value, '')
  form.requestSubmit()
  live.socket.say({ t: 'refused', n: 3, reason: 'too_large' }, { t: 'joined', n: 2, views: [{ v: 'a', i: 0, s: 1, token: 'y' }] })
  form.requestSubmit()
  live.socket.say({ t: 'unknown', n: 3, reason: 'worker_lost' })
  assert.deepEqual(told, [['failed', 'pick', undefined], ['refused', 'save', 'too_large'], ['unknown', 'save', 'worker_lost']])
  assert.ok(live.document.querySelector('.troupe-note').textContent.includes('check'))
})
