import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VIEW } from './fakes.js'
import { served } from './served-page.js'

const MAIN = { 'dj-root': '', 'data-troupe': 'token-1' }
const text = (name) => ({ t: (data) => `${data[name]}` })

const ROW = ['\n  ', ['tr', { 'dj-key': (row) => row.id, class: (row) => row.style ?? '' },
  ['td', {}, text('id')], ['td', {}, text('name')]], '\n']
const TABLE = ['main', MAIN, ['h1', {}, text('title')], ['table', {}, ['tbody', {},
  { l: (data) => data.rows, row: ROW, key: 'dj-key', by: (row) => row.id, empty: [['tr', {}, ['td', {}, 'none']]] }]]]
const rows = (ids) => [...ids].map((id) => ({ id, name: `n${id}` }))

test('text and attributes are written in place', () => {
  const live = served(['main', MAIN, ['p', { class: (data) => data.c, title: 'x' }, text('a')], text('b'), ['hr', {}], text('c')],
    { a: 'one', b: '', c: 'k' })
  const p = live.$('p')
  assert.deepEqual(live.toSame({ a: '<b>&amp; 🎭', b: 'now', c: '"x" y' }).d, { 1: '"x" y', 2: '<b>&amp; 🎭', 3: 'now', 4: '"x" y' })
  assert.equal(live.$('p'), p)
  live.toSame({ a: '', b: '', c: '' })
})

test('one cell of many rows', () => {
  const live = served(TABLE, { title: 't', rows: rows('abc') })
  const before = [...live.document.querySelectorAll('td')].map((cell) => cell.firstChild)
  live.toSame({ title: 't', rows: [...rows('ab'), { id: 'c', name: 'x' }] })
  assert.deepEqual([...live.document.querySelectorAll('td')].map((cell) => cell.firstChild), before)
})

test('keyed rows come, go and move', () => {
  const live = served(TABLE, { title: 't', rows: rows('abc') })
  const b = live.$('[dj-key=b]')
  for (const ids of ['cba', 'xcbay', 'b', 'ab', '', 'b', '', 'zyxw', 'wxyz', 'axbycz']) live.toSame({ title: ids, rows: rows(ids) })
  live.toSame({ title: 'b', rows: rows('b') })
  assert.notEqual(live.$('[dj-key=b]'), b)
})

test('keys are any text', () => {
  const ids = ['__proto__', 'constructor', '1', '0', '-1', 'a b', '"', '<', 'é🎭', 'hasOwnProperty', '1e3', 'toString']
  const make = (list) => list.map((id) => ({ id, name: `n${id}` }))
  const live = served(TABLE, { title: 't', rows: make(ids) })
  live.toSame({ title: 't', rows: make(ids).map((row) => ({ ...row, name: `x${row.id}` })) })
  live.toSame({ title: 't', rows: make([...ids].reverse()) })
  live.toSame({ title: 't', rows: make(ids.slice(4)) })
  live.toSame({ title: 't', rows: make(ids) })
})

test('a list that was empty, and its empty block', () => {
  const root = ['main', MAIN, { l: (data) => data.rows, row: [['p', { id: (row) => row.id }, text('name')]], key: 'id', by: (row) => row.id,
    empty: [['b', {}, text('none')]] }]
  const live = served(root, { rows: [], none: 'nothing' })
  live.toSame({ rows: [], none: 'still nothing' })
  live.toSame({ rows: rows('ab'), none: 'x' })
  live.toSame({ rows: [], none: 'again' })
})

test('keys that are not keys: the list goes by position, and back', () => {
  const live = served(TABLE, { title: 't', rows: rows('abc') })
  assert.equal(live.toSame({ title: 't', rows: rows('aab') }).d[2].x, 'p')
  live.toSame({ title: 't', rows: rows('aabb') })
  assert.equal(live.toSame({ title: 't', rows: rows('ba') }).d[2].x, 'l')
})

test('branches show their blocks, nested, and change inside', () => {
  const inner = [['i', {}, text('x')]]
  const outer = ['\n', ['p', {}, text('y')], { b: (data) => data.deep && [inner, data] }, ' tail']
  const other = [['hr', {}]]
  const live = served(['main', MAIN, { b: (data) => data.on && [data.other ? other : outer, data] }, ['b', {}]], { on: false })
  live.toSame({ on: true, x: '1', y: '2', deep: true })
  const p = live.$('p')
  live.toSame({ on: true, x: '3', y: '4', deep: true })
  assert.equal(live.$('p'), p)
  for (const state of [{ on: true, x: '3', y: '4' }, { on: true, other: true }, { on: false }]) live.toSame(state)
})

test('markup in a text slot, and back to text; entities', () => {
  const live = served(['main', MAIN, ['p', {}, text('a')]], { a: 'x' })
  live.to({ a: 'y' })
  const slot = (value) => live.socket.say({ v: 0, s: ++live.version, a: 0, d: { 1: value } })
  slot({ h: 'one <b id="k">two</b>' })
  const b = live.$('b')
  slot({ h: 'one <b id="k">three</b> four' })
  assert.equal(live.$('p').innerHTML, '<!--$t-->one <b id="k">three</b> four<!--$-->')
  assert.equal(live.$('b'), b)
  slot({ h: '&eacute;&lt;' })
  assert.equal(live.$('p').innerHTML, 'é&lt;')
  slot('<b>')
  assert.equal(live.$('p').textContent, '<b>')
})

test('an attribute and raw text that the server left undecoded', () => {
  const live = served(['main', MAIN, ['p', { title: (data) => data.a }], ['textarea', {}, text('b')], ['style', {}, text('c')]],
    { a: '', b: '', c: '' })
  live.socket.say({ v: 0, s: 2, a: 0, d: { 1: { h: '"&eacute;&copy=1' }, 2: { h: '\n&eacute;&copy=<b>' }, 3: { h: 'a::after{content:"&eacute;"}' } } })
  assert.equal(live.$('p').title, '"é&copy=1')
  assert.equal(live.$('textarea').value, '\né©=<b>')
  assert.equal(live.$('style').textContent, 'a::after{content:"&eacute;"}')
})

test('an open tag changes only where the server changed it', () => {
  const live = served(['main', MAIN, ['details', { '*': (data) => data.tag }, ['summary', {}, 's']]], { tag: 'class="a"' })
  const details = live.$('details')
  details.open = true
  details.classList.add('theirs')
  live.to({ tag: 'class="b" @click="x"' })
  assert.deepEqual([details.open, details.className, details.getAttribute('@click')], [true, 'b theirs', 'x'])
  live.to({ tag: 'class="b" open' })
  live.to({ tag: 'class="b"' })
  assert.equal(details.open, false)
})

test('classes of third parties stay beside a class slot', () => {
  const live = served(['main', MAIN, ['p', { class: (data) => data.c }]], { c: 'a b' })
  live.$('p').classList.add('theirs')
  live.$('p').classList.remove('b')
  live.to({ c: 'a b c' })
  assert.equal(live.$('p').className, 'a c theirs')
})

test('the title, beside slots and beside the root', () => {
  const live = served(['main', MAIN, text('a')], { a: 'x' }, { joined: { k: undefined } })
  const chunk = { s: [['T'], ['t', [0], 'main', 0]] }
  live.socket.say({ v: 0, s: 2, a: 0, k: ['titled'], c: [['titled', chunk]], d: { 0: { h: '<main dj-root>y</main>' }, T: 'one' } })
  assert.equal(live.document.title, 'one')
  live.socket.say({ v: 0, s: 3, a: 0, d: { 1: { h: 'two &amp; &eacute;' }, 2: 'z' } })
  assert.deepEqual([live.document.title, live.root.textContent], ['two & é', 'z'])
})

test('the title beside the html of a join', () => {
  const live = served(['main', MAIN, text('a')], { a: 'x' }, { joined: { html: '<main dj-root>y</main>', T: 'new &' } })
  assert.deepEqual([live.document.title, live.root.textContent], ['new &', 'y'])
})

test('a script never runs: empty from the parser, in a new block, in markup', () => {
  const bad = [['script', {}, text('code')]]
  const live = served(['main', MAIN, ['script', { class: (data) => data.c }, text('code')], { b: (data) => data.on && [bad, data] }, text('html')],
    { code: '', c: 'a', html: '' })
  live.toSame({ code: 'window.hacked = 1', c: 'b', on: true, html: '' })
  live.to({ code: 'window.hacked = 2', c: 'c', on: true, html: { h: '<script>window.hacked = 3</script>' } })
  assert.equal(live.window.hacked, undefined)
  assert.equal(live.$('script').className, 'c')
})

test('rows of svg are of svg', () => {
  const circle = [['circle', { id: (row) => row.id, r: (row) => row.name }]]
  const live = served(['main', MAIN, ['svg', {}, { l: (data) => data.rows, row: circle, key: 'id', by: (row) => row.id }]], { rows: [] })
  live.toSame({ rows: rows('ab') })
  assert.equal(live.$('circle').namespaceURI, 'http://www.w3.org/2000/svg')
})

// --- what the user and others do -----------------------------------------------------------------------

const FORM = ['main', MAIN, ['form', { 'dj-submit': 'save', class: (data) => data.c },
  ['input', { name: 'q', value: (data) => data.q }], ['p', {}, text('note')],
  { l: (data) => data.rows, row: [['i', { id: (row) => row.id }, text('name')]], key: 'id', by: (row) => row.id }], ['b', {}, text('out')]]

test('under a form that is being sent patches wait, each slot\'s in order', () => {
  const state = { c: 'x', q: '', note: '0', rows: rows('ab'), out: '0' }
  const live = served(FORM, state)
  live.type('input', 'typed')
  live.submit('form')
  live.socket.take()
  live.to({ ...state, c: 'y', note: '1', rows: rows('ba'), out: '1' })
  live.to({ ...state, c: 'y', note: '2', rows: rows('bc'), out: '2' })
  assert.deepEqual([live.$('form').className.replace(' dj-loading', ''), live.$('p').textContent, live.$('b').textContent], ['x', '0', '2'])
  live.to({ ...state, c: 'z', note: '3', rows: rows('cb'), out: '3' }, 1)
  live.check()
  assert.equal(live.$('input').value, '')
})

test('a root that comes while a form is being sent is finished before later patches', () => {
  const state = { c: 'x', q: '', note: '0', rows: rows('ab'), out: '0' }
  const live = served(FORM, state)
  live.submit('form')
  live.to({ ...state, note: '1' })
  live.socket.say({ v: 0, s: live.version, a: 0, k: live.model.hashes(), d: { 0: { h: live.model.html(live.state(), true) } } })
  live.to({ ...state, note: '2', out: '2' })
  assert.deepEqual([live.$('p').textContent, live.$('b').textContent], ['0', '0'])
  live.socket.say({ t: 'unknown', n: 1, reason: 'worker_lost' })
  live.check()
})

test('a composition is not disturbed', () => {
  const live = served(['main', MAIN, ['input', { value: (data) => data.v }], ['p', {}, text('v')]], { v: '1' })
  const input = live.$('input')
  input.focus()
  live.fire(input, 'compositionstart')
  live.to({ v: '2' })
  assert.deepEqual([input.getAttribute('value'), live.$('p').textContent], ['1', '2'])
  live.fire(input, 'compositionend')
  assert.equal(input.value, '2')
  live.check()
})

test('the focused input\'s value is the user\'s until the server insists; a tick that was refused goes', () => {
  const page = ['main', MAIN, ['input', { id: 'q', 'dj-input': 'x', value: (data) => data.q, class: (data) => data.c }],
    ['input', { '*': (data) => `type="checkbox" dj-change="y" ${data.on ? 'checked' : ''}` }]]
  const live = served(page, { q: 'a', c: '1', on: false })
  live.type('#q', 'typed')
  live.to({ q: 'a', c: '2', on: false })
  assert.equal(live.$('#q').value, 'typed')
  live.clock.advance(300)
  live.to({ q: 'A', c: '2', on: false }, 1)
  assert.equal(live.$('#q').value, 'A')
  const box = live.$('[type=checkbox]')
  box.click()
  assert.equal(box.checked, true)
  live.to({ q: 'A', c: '2', on: false }, 2)
  assert.equal(box.checked, false)
  live.to({ q: 'A', c: '2', on: true })
  assert.equal(box.checked, true)
})

test('radio buttons that report go back to the server\'s choice', () => {
  const radio = (name) => ['input', { '*': (data) => `type="radio" name="r" value="${name}" ${data.on === name ? 'checked' : ''}` }]
  const live = served(['main', MAIN, ['form', { 'dj-change': 'pick' }, radio('a'), radio('b')]], { on: 'a' })
  live.$('[value=b]').click()
  assert.equal(live.$('input:checked').value, 'b')
  live.to({ on: 'a' }, 1)
  assert.equal(live.$('input:checked').value, 'a')
})

test('a select keeps the choice while its options change', () => {
  const option = [['option', { '*': (row) => `value="${row.id}" ${row.on ? 'selected' : ''}` }, text('id')]]
  const live = served(['main', MAIN, ['select', {}, { l: (data) => data.rows, row: option, key: 'value', by: (row) => row.id }]],
    { rows: rows('abc') })
  const select = live.$('select')
  select.value = 'b'
  live.to({ rows: rows('xbc') })
  assert.equal(select.value, 'b')
  live.to({ rows: rows('xyb').map((row) => ({ ...row, on: row.id === 'y' })) })
  assert.equal(select.value, 'y')
  live.toSame({ rows: rows('xz') })
  assert.equal(select.selectedIndex, 0)
})

test('a select that nobody touched shows its default', () => {
  const option = [['option', { value: (row) => row.id }]]
  const live = served(['main', MAIN, ['select', {}, { l: (data) => data.rows, row: option, key: 'value', by: (row) => row.id }]],
    { rows: rows('x') })
  live.toSame({ rows: rows('ax') })
  assert.equal(live.$('select').value, 'a')
})

test('focus and caret survive a row that moves', () => {
  const row = [['p', { id: (data) => data.id }, ['input', {}]]]
  const live = served(['main', MAIN, { l: (data) => data.rows, row, key: 'id', by: (data) => data.id }], { rows: rows('abc') })
  const input = live.$('#a input')
  input.focus()
  input.value = 'typed'
  input.setSelectionRange(1, 3)
  live.toSame({ rows: rows('bca') })
  assert.deepEqual([live.document.activeElement, input.value, input.selectionStart, input.selectionEnd], [input, 'typed', 1, 3])
})

test('nodes of other scripts are not counted and stay', () => {
  const live = served(TABLE, { title: 't', rows: rows('ab') }, { cached: 'later' })
  live.$('h1').insertAdjacentHTML('beforebegin', '<div dj-ignore>before</div>')
  live.$('[dj-key=b]').insertAdjacentHTML('beforebegin', '<tr dj-ignore></tr>')
  live.show()
  live.socket.take()
  live.socket.say({ v: 0, s: 1, a: 0, c: live.model.chunks() })
  live.to({ title: 'u', rows: rows('bac') })
  assert.equal(live.$('h1').textContent, 'u')
  assert.equal(live.root.firstChild.textContent, 'before')
  assert.deepEqual([...live.document.querySelectorAll('tr')].map((row) => row.getAttribute('dj-key')), [null, 'b', 'a', 'c'])
  assert.deepEqual(live.socket.take('refresh'), [])
})

// --- chunks and adoption -----------------------------------------------------------------------------------

test('chunks that the page lacks are asked for once; patches wait for them', () => {
  const live = served(TABLE, { title: 't', rows: rows('ab') }, { cached: 'later' })
  live.show()
  const hashes = live.model.hashes()
  assert.deepEqual(live.socket.take(), [{ t: 'refresh', v: VIEW, c: hashes }])
  live.to({ title: 'u', rows: rows('ab') })
  live.to({ title: 'v', rows: rows('abc') })
  assert.deepEqual([live.$('h1').textContent, live.socket.take()], ['t', []])
  live.socket.say({ v: 0, s: live.version, a: 0, c: live.model.chunks(hashes) })
  live.check()
  assert.equal(live.version, 3)
  const kept = new Map(JSON.parse(live.window.localStorage.getItem('troupe-chunks')))
  assert.deepEqual([...kept.keys()].sort(), hashes.slice().sort())
  live.socket.fail()
  live.clock.advance(2000)
  live.socket.open()
  assert.deepEqual(live.socket.take(), [{ t: 'join', views: [{ token: 'token-2', s: 3 }] }])
})

test('chunks that never come: the root, and if that does not help, whole roots', (t) => {
  t.mock.method(console, 'warn', () => {})
  const live = served(TABLE, { title: 't', rows: rows('ab') }, { cached: 'later' })
  live.show()
  live.socket.take()
  live.clock.advance(5000)
  assert.deepEqual(live.socket.take(), [{ t: 'refresh', v: VIEW }])
  live.version++
  live.whole()
  assert.deepEqual(live.socket.take('refresh'), [{ t: 'refresh', v: VIEW, c: live.model.hashes() }])
  live.clock.advance(5000)
  assert.deepEqual(live.socket.take('refresh'), [{ t: 'refresh', v: VIEW, w: true }])
})

test('storage that is switched off, full or spoilt costs a question, nothing else', () => {
  const storage = (value) => ({ window }) => Object.defineProperty(window, 'localStorage', { get: value })
  for (const spoil of [
    storage(() => { throw Error('SecurityError') }),
    storage(() => Object.freeze({})),
    storage(() => ({ 'troupe-chunks': '{"a":' })),
    storage(() => ({ 'troupe-chunks': '[1, 2]' })),
    storage(() => null),
  ]) {
    const live = served(TABLE, { title: 't', rows: rows('ab') }, { cached: false, spoil })
    live.toSame({ title: 'u', rows: rows('ba') })
  }
})

test('the cache is bounded: the oldest go', () => {
  const live = served(TABLE, { title: 't', rows: [] })
  for (let i = 0; i < 30; i++) {
    live.socket.say({ v: 0, s: ++live.version, a: 0, c: [[`hash${i}`, { h: 'x'.repeat(20_000), s: [] }]], d: {} })
  }
  const text = live.window.localStorage.getItem('troupe-chunks')
  assert.ok(text.length <= 200_000)
  assert.equal(JSON.parse(text).at(-1)[0], 'hash29')
})

test('a page that is not as described asks for its root, then for whole roots', (t) => {
  t.mock.method(console, 'warn', () => {})
  const live = served(TABLE, { title: 't', rows: rows('ab') }, { cached: 'later' })
  const chunks = () => JSON.parse(JSON.stringify(live.model.chunks()).replaceAll('"h1"', '"h2"'))
  live.show()
  const answer = (root) => live.socket.say({ v: 0, s: ++live.version, a: 0, ...root })
  live.socket.take()
  answer({ c: chunks() })
  assert.deepEqual(live.socket.take('refresh'), [{ t: 'refresh', v: VIEW }])
  const whole = { d: { 0: { h: live.model.html(live.state(), true) } } }
  answer({ ...whole, k: live.model.hashes() })
  live.socket.say({ v: 0, s: live.version, a: 0, c: chunks() })
  assert.deepEqual(live.socket.take('refresh').at(-1), { t: 'refresh', v: VIEW, w: true })
  answer(whole)
  answer({ d: { 0: { h: '<main dj-root>whole</main>' } } })
  assert.equal(live.root.textContent, 'whole')
  assert.deepEqual(live.socket.take('refresh'), [])
})

test('a place that is gone costs one root', (t) => {
  t.mock.method(console, 'warn', () => {})
  const live = served(TABLE, { title: 't', rows: rows('ab') })
  live.$('[dj-key=a] td:nth-child(2)').remove()
  live.to({ title: 't', rows: [{ id: 'a', name: 'x' }, ...rows('b')] })
  assert.deepEqual(live.socket.take('refresh'), [{ t: 'refresh', v: VIEW }])
  live.whole()
  live.toSame({ title: 'u', rows: rows('ba') })
  assert.deepEqual(live.socket.take('refresh'), [])
})
