import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { JSDOM } from 'jsdom'
import { EARLY, windowOf } from './fakes.js'
import { served } from './served-page.js'

const MAIN = { 'dj-root': '', 'data-troupe': 'token-1' }
const text = (name) => ({ t: (data) => `${data[name]}` })

// A page without a client. told(list): the nodes as text; those that are not in the page in brackets.
function page(body) {
  const window = windowOf(`<body>${body}</body>`)
  const { document, troupeStrangers: strangers } = window
  const $ = (selector) => document.querySelector(selector)
  const told = (nodes) => nodes.map((node) => (node.isConnected ? node.id || node.data : `[${node.id || node.data}]`)).join(' ')
  const make = (id, tag = 'div') => Object.assign(document.createElement(tag), { id })
  const children = () => (strangers.take(), told(strangers.children($('main'))))
  return { window, document, strangers, $, told, make, children }
}

test('what others insert is theirs, with all that is in it', () => {
  const { $, children, make, strangers } = page('<main><p id=a></p><p id=b></p></main>')
  const main = $('main')
  assert.equal(strangers.isDisturbed(main), false)
  const box = make('box')
  main.prepend(box)
  $('#a').after('text')
  box.append(make('inner'))
  assert.equal(children(), 'a b')
  assert.equal(strangers.isDisturbed(main) && strangers.isStranger(box), true)
  main.append($('#inner')) // out of their own element
  assert.equal(children(), 'a b')
})

test('what others move, wrap or remove stays the server\'s, in its order', () => {
  const { $, children, make, strangers } = page('<main><p id=a></p><p id=b></p><p id=c></p><p id=d></p></main><footer></footer>')
  const [main, a, b, c] = ['main', '#a', '#b', '#c'].map($)
  main.append(a) // sorted
  assert.equal(children(), 'a b c d')
  const box = make('box')
  b.replaceWith(box)
  box.append(b)
  assert.equal(children(), 'a b c d')
  assert.deepEqual(strangers.standIns(b), [])
  $('footer').append(c)
  assert.equal(children(), 'a b c d')
  $('#d').remove()
  assert.equal(children(), 'a b c [d]')
  assert.deepEqual(strangers.children($('footer')), [])
})

test('several at once: each list is the one of before', () => {
  const { $, children, make } = page('<main><p id=a></p><p id=b></p><p id=c></p></main>')
  const main = $('main')
  const [a, b, c] = ['#a', '#b', '#c'].map($)
  main.prepend(make('x'))
  main.append(b, a)
  c.replaceWith(make('y'), make('z'))
  main.textContent = 'gone'
  main.append(c, make('q'), b)
  assert.equal(children(), '[a] b c')
})

test('in a root that others brought what they move stays the server\'s, too', () => {
  const { $, make, strangers, told } = page('<main></main>')
  const root = make('root')
  root.innerHTML = '<p id=a></p><p id=b></p>'
  $('main').append(root)
  strangers.take()
  strangers.watch(root)
  root.append($('#a'))
  $('#b').remove()
  strangers.take()
  assert.equal(told(strangers.children(root)), 'a [b]')
  assert.equal(strangers.isStranger($('#a')), false)
})

test('what took the place of a text or an element', () => {
  const { $, children, make, strangers, told } = page('<main><b id=a></b>text<b id=c></b></main>')
  const main = $('main')
  const node = main.childNodes[1]
  main.append(make('banner'))
  strangers.take()
  const font = make('font', 'font')
  node.before(font)
  node.remove()
  assert.equal(children(), 'a [text] c')
  assert.equal(told(strangers.standIns(node)), 'font')
  font.replaceWith(node)
  assert.equal(children(), 'a text c')
  assert.deepEqual(strangers.standIns(node), [])
})

test('our own changes are not theirs; what custom elements do then is', () => {
  const { $, children, document, make, strangers, window } = page('<main><p id=a></p><p id=b></p></main>')
  window.eval(`customElements.define('x-tabs', class extends HTMLElement { connectedCallback() { this.append(document.createElement('nav')) } })`)
  const main = $('main')
  strangers.run(() => {
    strangers.children(main) // as the client asks before it inserts
    $('#a').after(make('own'))
    main.append(make('tabs', 'x-tabs'))
    main.prepend($('#b'))
  })
  assert.equal(children(), 'b a own tabs')
  assert.equal(strangers.isStranger(document.querySelector('nav')), true)
  const box = make('box')
  $('#own').replaceWith(box)
  box.append(make('mine'))
  strangers.take()
  strangers.run(() => main.insertBefore(make('new'), $('#tabs')))
  assert.equal(children(), 'b a [own] new tabs')
  strangers.run(() => $('#a').remove())
  assert.equal(children(), 'b [own] new tabs')
})

test('while the client only moves and removes, what others do to attributes is seen, and all that they do next', async () => {
  const { $, children, make, strangers, window } = page('<main><p id=a></p><p id=b></p><p id=c></p></main>')
  const [main, a, b, c] = ['main', '#a', '#b', '#c'].map($)
  const answers = new window.MutationObserver(() => {
    answers.disconnect()
    main.append(make('answer'))
  })
  answers.observe(main, { childList: true })
  main.addEventListener('change', () => main.setAttribute('title', 'theirs'))
  strangers.run(() => {
    strangers.run(() => main.append(a))
    main.dispatchEvent(new window.Event('change'))
    main.append(b)
  })
  assert.equal(children(), 'c a b')
  assert.equal(strangers.attributeValues.get(main).get('title'), null)
  await null
  assert.equal($('#answer') && children(), 'c a b')
  assert.throws(() => strangers.run(() => {
    c.remove()
    throw Error('as written')
  }), /as written/)
  b.remove()
  main.prepend(make('box'))
  assert.equal(children(), 'a [b]')
})

test('where a node goes whose follower others moved', () => {
  const { $, make, strangers } = page('<main><p id=a></p><p id=b></p><p id=c></p></main>')
  const [main, a, b, c] = ['main', '#a', '#b', '#c'].map($)
  const box = make('box')
  b.replaceWith(box)
  box.append(b)
  strangers.take()
  assert.deepEqual(strangers.spot(main, b), { where: main, before: box })
  assert.deepEqual(strangers.spot(main, null), { where: main, before: null })
  box.append(a)
  box.append(b)
  b.remove()
  strangers.take()
  assert.deepEqual(strangers.spot(main, b), { where: main, before: c })
  box.append(b, c)
  strangers.take()
  assert.deepEqual(strangers.spot(main, b), { where: box, before: b })
})

test('attributes are known from the beginning; listeners are told of roots', () => {
  const { $, make, strangers } = page('<main><p id=a title=x></p></main>')
  $('#a').title = 'y'
  strangers.take()
  assert.equal(strangers.attributeValues.get($('#a')).get('title'), 'x')
  let told = 0
  strangers.onRoots(() => told++)
  const root = make('div')
  root.innerHTML = '<p data-troupe="t"><b></b></p>'
  const change = (work) => {
    work()
    strangers.take()
    return told
  }
  assert.equal(change(() => $('main').append(make('x'))), 0)
  assert.equal(change(() => $('main').append(root)), 1)
  assert.equal(change(() => root.firstChild.append(make('y'))), 1)
  assert.equal(change(() => (root.firstChild.innerHTML = '')), 2)
  assert.equal(change(() => strangers.run(() => root.remove())), 2)
  assert.equal(change(() => $('main').prepend(root)), 3)
  assert.equal(change(() => root.remove()), 4)
})

// A page that is being parsed: each insertion is told of by itself, as browsers do.
async function parsing() {
  const { window } = new JSDOM('<body></body>', { runScripts: 'outside-only' })
  const { document } = window
  await new Promise((loaded) => { window.onload = loaded })
  Object.defineProperty(document, 'readyState', { value: 'loading' })
  window.eval(EARLY)
  const parse = async (parent, id) => {
    const el = parent.appendChild(Object.assign(document.createElement('p'), { id }))
    await null
    return el
  }
  return { document, parse, strangers: window.troupeStrangers }
}

test('a timer moves what the parser is in: both parts of what follows are the server\'s', async () => {
  const { document, parse, strangers } = await parsing()
  const ids = (el) => strangers.children(el).map(({ id }) => id).join(' ')
  const main = await parse(document.body, 'main')
  const [a, b] = [await parse(main, 'a'), await parse(main, 'b')]
  await parse(b, 'inside')
  const banner = document.createElement('div')
  document.body.append(banner, b)
  await null
  assert.deepEqual([ids(main), strangers.isStranger(b)], ['a b', false])
  await parse(b, 'more')
  const behind = await parse(main, 'behind')
  assert.deepEqual([ids(main), ids(b), strangers.isStranger(behind)], ['a b behind', 'inside more', false])
  main.insertBefore(document.createElement('div'), a)
  await null
  assert.deepEqual([ids(main), ids(document.body)], ['a b behind', 'main'])
})

test('signs are those of the protocol', () => {
  const { document, make, strangers } = page('<main></main>')
  const { signs } = JSON.parse(readFileSync(new URL('../../proto/vectors/signs.json', import.meta.url), 'utf8'))
  for (const [text, sign] of Object.entries(signs)) {
    const holder = make('holder')
    const [, name, key, value] = /^(.*?)\|(?:(.*?)=(.*))?/.exec(text) ?? []
    const range = ['$b', '$l', '$h'].includes(text)
    const el = name ? document.createElementNS('http://www.w3.org/1999/xhtml', name) : document.createComment(range ? text : 'x')
    if (key) el.setAttribute(key, value)
    if (text.endsWith('*')) el.id = 'any'
    holder.append('text', el, ...(range ? ['inside', document.createElement('i'), document.createComment('$')] : []))
    strangers.align(holder, sign)
    assert.throws(() => strangers.align(holder, sign === 'a' ? 'b' : 'a'), undefined, text)
    assert.throws(() => strangers.align(holder, sign + sign))
  }
})

test('strangers that nobody saw come are found by signs, where that is certain', () => {
  const { make, strangers } = page('<main></main>')
  const signs = JSON.parse(readFileSync(new URL('../../proto/vectors/signs.json', import.meta.url), 'utf8')).signs
  const fresh = make('fresh')
  fresh.innerHTML = '<div></div><img><!--x--><p id="total"></p>'
  strangers.align(fresh, signs['div|'] + signs['!'] + signs['p|id=total'])
  assert.deepEqual(strangers.children(fresh).map((node) => node.nodeName), ['DIV', '#comment', 'P'])
  fresh.append(fresh.firstChild.cloneNode(), fresh.firstChild.cloneNode())
  assert.throws(() => strangers.align(fresh, signs['div|'] + signs['!'] + signs['p|id=total'] + signs['div|'])) // which of two?
})

// --- slots among strangers -----------------------------------------------------------------------------------

const BRANCH = [['em', {}, text('b')], ['i', {}, 'i']]
const ROWS = [['li', { 'dj-key': (row) => row.id }, text('name')]]
const PAGE = ['main', MAIN, ['h1', { class: (data) => data.c }, text('a')], text('b'), ['p', {}, text('a')],
  { b: (data) => data.on && [BRANCH, data] },
  ['ul', {}, { l: (data) => data.rows, row: ROWS, key: 'dj-key', by: (row) => row.id }]]
const state = (more) => ({ a: '1', b: '2', c: 'k', on: true, rows: [...'abc'].map((id) => ({ id, name: id })), ...more })

// The page, before it has joined.
function early(change) {
  const live = served(PAGE, state(), { cached: 'later' })
  change(live, (tag) => live.document.createElement(tag))
  live.show()
  live.socket.say({ v: 0, s: 1, a: 0, c: live.model.chunks() })
  live.socket.take()
  return live
}

test('elements like the server\'s in front of its own do not get its values', () => {
  const live = early(({ $ }, make) => {
    for (const at of ['h1', 'p', 'ul', 'li']) $(at).before(make(at), ' ')
    $('em').before(make('em'))
    $('main').append(make('h1'))
  })
  const [fake, h1] = live.document.querySelectorAll('h1')
  live.to(state({ a: '3', b: '4', c: 'z', rows: [...'cab'].map((id) => ({ id, name: `${id}!` })) }))
  assert.deepEqual([fake.outerHTML, h1.outerHTML], ['<h1></h1>', '<h1 class="z">3</h1>'])
  assert.deepEqual([...live.document.querySelectorAll('li[dj-key],em,p')].map((el) => el.textContent), ['', '3', '', '4', 'c!', 'a!', 'b!'])
  assert.deepEqual(live.socket.take('refresh'), [])
})

test('rows that others sorted, and what stands beside them, before the join and after', () => {
  const live = early(({ $ }, make) => {
    $('ul').prepend($('[dj-key=c]'))
    $('[dj-key=a]').after(make('hr'))
  })
  live.to(state({ rows: [{ id: 'c', name: 'C' }, { id: 'b', name: 'b' }] }))
  assert.deepEqual([...live.$('ul').children].map((el) => el.textContent || el.localName), ['C', 'hr', 'b'])
  live.$('[dj-key=b]').after(live.document.createElement('hr'))
  live.to(state({ rows: [{ id: 'd', name: 'd' }] }))
  assert.deepEqual([...live.$('ul').children].map((el) => el.textContent || el.localName).sort(), ['d', 'hr', 'hr'])
  assert.deepEqual(live.socket.take('refresh'), [])
})

test('a branch goes with what others moved out of it', () => {
  const live = early(({ $, document }) => {
    document.body.append($('em'))
    $('i').replaceWith(document.createElement('div'))
  })
  live.to(state({ on: false }))
  assert.equal(live.document.querySelector('em,i,div'), null)
  live.to(state({ on: true, b: 'new' }))
  assert.equal(live.$('main em').textContent, 'new')
})

test('what others moved goes with what it was in; what they moved into a branch stays', () => {
  const live = early(({ $, document }) => {
    document.body.append($('em'))
    $('i').after($('p'))
    $('[dj-key=a]').firstChild.remove()
  })
  live.to(state({ on: false, rows: [] }))
  assert.equal(live.document.querySelector('em,i,li'), null)
  assert.equal(live.$('p').textContent, '1')
  assert.deepEqual(live.socket.take('refresh'), [])
})

test('what others add to what they moved elsewhere stays when the server changes it', () => {
  const live = early(({ $, document }) => {
    document.body.append($('h1'))
    $('h1').classList.add('theirs')
  })
  live.to(state({ a: '3' })) // after which nothing is known of elements that are in no root
  live.to(state({ c: 'z' }))
  assert.equal(live.$('body > h1').outerHTML, '<h1 class="z theirs">1</h1>')
})

const TABS = `customElements.define('x-tabs', class extends HTMLElement {
  static observedAttributes = ['size']
  connectedCallback() { this.append(document.createElement('nav')) }
  attributeChangedCallback() { if (this.isConnected) this.append(document.createElement('nav')) } })`
const TAB = [['x-tabs', {}, text('b')]]
const HTML = { h: '<x-tabs></x-tabs>' }
const ROW = { id: 'z', name: 'z', b: 'z' }
const on = (data) => data.b === 'new'

// By what brings the custom element: slots of a <main>.
for (const [what, ...slots] of [
  ['a branch', { b: (data) => on(data) && [TAB, data] }],
  ['a branch in a branch', { b: (data) => on(data) && [[{ b: () => [TAB, data] }], data] }],
  ['a row', { l: (data) => on(data) ? [ROW] : [], row: [['x-tabs', { 'dj-key': 'z' }, text('b')]], key: 'dj-key', by: (row) => row.id }],
  ['a row that takes the place of others', { l: (data) => on(data) ? [ROW] : [{ id: 'y' }], row: [['p', { 'dj-key': (row) => row.id }, { b: (row) => row.b && [TAB, row] }]], key: 'dj-key', by: (row) => row.id }],
  ['a region', { h: (data) => on(data) ? HTML.h : '' }],
  ['a region in a branch', { b: (data) => on(data) && [[{ h: () => HTML.h }], data] }],
  ['markup in a text', { t: (data) => on(data) ? HTML : '' }],
  ['an attribute', ['x-tabs', { size: (data) => data.b }]],
  ['the inside of a tag', ['x-tabs', { '*': (data) => `size="${data.b}"` }]],
]) {
  test(`what a custom element puts into itself is a stranger's: ${what}`, () => {
    const live = served(['main', MAIN, ['h1', {}, text('a')], ...slots], { a: '1', b: 'old' })
    live.window.eval(TABS)
    const before = new Set(live.document.querySelectorAll('nav'))
    live.to({ a: '2', b: 'new' })
    const navs = [...live.document.querySelectorAll('nav')].filter((nav) => !before.has(nav))
    assert.deepEqual([navs.length, live.$('h1').textContent, live.socket.take('refresh')], [1, '2', []])
    assert.equal(live.window.troupeStrangers.isStranger(navs[0]), true)
  })
}

test('what a custom element puts into itself is a stranger\'s: another root', () => {
  const live = served(['main', MAIN, text('a')], { a: '1' })
  live.window.eval(TABS)
  live.socket.say({ v: 0, s: ++live.version, a: 0, d: { 0: { h: '<section dj-root><x-tabs></x-tabs></section>' } } })
  assert.equal(live.window.troupeStrangers.isStranger(live.$('section nav')), true)
})
