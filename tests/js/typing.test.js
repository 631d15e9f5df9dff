import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPage } from './fakes.js'
import { served } from './served-page.js'

const sent = (live) => live.socket.take('event').map(({ e, p }) => [e, p.value])
const MAIN = { 'dj-root': '', 'data-troupe': 'token-1' }

test('Enter that a handler takes makes no new line; with shift it does, and is not taken', () => {
  const live = openPage('<textarea dj-keydown.enter="send">hi</textarea><form id="f" dj-submit="save">' +
    '<input name="a" dj-keydown.enter="add"><input name="b"><input type="submit" dj-keydown.enter="press"></form>' +
    '<form dj-submit="s" dj-keydown.enter="k"><input id="in"></form>').join()
  const key = (css, init) => live.fire(css, 'keydown', { key: 'Enter', code: 'NumpadEnter', ...init })
  assert.equal(key('textarea', { shiftKey: true }), true)
  assert.equal(key('textarea', { isComposing: true }), true)
  assert.equal(key('textarea'), false)
  assert.equal(key('[name=a]', { shiftKey: true }), false)
  assert.equal(key('[name=b]'), true)
  assert.equal(key('[type=submit]'), true)
  assert.equal(key('#in'), true) // its form is submitted as well
  const events = live.socket.take('event')
  assert.deepEqual(events.map(({ e }) => e), ['send', 'add', 'press', 'k'])
  assert.deepEqual(events[1].p, { value: '', _target: 'a', field: 'a', name: 'a', key: 'Enter', code: 'NumpadEnter' })
})

test('keys are heard by each element around', () => {
  const live = openPage('<div dj-keydown="outer"><p dj-keydown.escape="middle"><input dj-keydown="any" dj-keydown.escape="inner"></p></div>').join()
  live.fire('input', 'keydown', { key: 'Escape' })
  assert.deepEqual(live.socket.take('event').map(({ e }) => e), ['inner', 'middle', 'outer'])
})

test('what Enter sent is the server\'s: its word counts, but for what was typed since', () => {
  const page = ['main', MAIN, ['textarea', { id: 'c', 'dj-keydown.enter': 'send' }],
    ['input', { id: 'd', value: (data) => data.d, 'dj-keydown.enter': 'send' }], ['input', { id: 'e', 'dj-keydown.enter': 'send' }]]
  const live = served(page, { d: '' })
  const enter = (css, text) => {
    live.type(css, text)
    live.fire(css, 'keydown', { key: 'Enter' })
  }
  enter('#c', 'hello')
  enter('#d', 'hello')
  enter('#e', 'hello')
  live.type('#d', 'hellomore')
  for (const a of [1, 2, 3]) live.to({ d: '' }, a)
  assert.deepEqual(['#c', '#d', '#e'].map((css) => live.$(css).value), ['', 'more', 'hello'])
  enter('#d', 'more')
  live.to({ d: 'More' }, 4)
  assert.equal(live.$('#d').value, 'More')
  enter('#d', 'again')
  live.socket.say({ t: 'failed', n: 5, error: { kind: 'python', message: 'm' } })
  assert.equal(live.$('#d').value, 'again')
})

test('dj-debounce="blur" waits until the field is left, or something else is done', () => {
  const live = openPage('<input id="t" dj-input="typed" dj-debounce="blur"><div id="e" dj-input="typed" dj-debounce="blur" contenteditable tabindex="0"></div>' +
    '<button dj-click="go"></button>').join()
  Object.defineProperties(live.window.HTMLElement.prototype, { // jsdom has neither
    isContentEditable: { get() { return this.id === 'e' } },
    innerText: { value: 'e\n' },
  })
  live.type('#t', 'h')
  live.type('#t', 'he')
  live.clock.advance(20_000)
  assert.deepEqual(sent(live), [])
  live.fire('#t', 'change')
  live.$('#e').focus()
  assert.deepEqual(sent(live), [['typed', 'he']])
  live.fire('#e', 'input')
  live.$('#e').blur()
  assert.deepEqual(sent(live), [['typed', 'e']])
  live.type('#t', 'hey')
  live.$('button').click()
  assert.deepEqual(sent(live), [['typed', 'hey'], ['go', undefined]])
})

test('a pause that is no number is the usual one', () => {
  const live = openPage('<input id="a" dj-input="a" dj-debounce="1s"><input id="b" dj-input="b" dj-throttle="-1">' +
    '<input id="c" dj-input="c" dj-debounce="">').join()
  live.fire('#c', 'input')
  assert.equal(sent(live).length, 1) // "" is 0
  for (const css of ['#a', '#b']) live.fire(css, 'input')
  live.clock.advance(299)
  assert.deepEqual(sent(live), [])
  live.clock.advance(1)
  assert.equal(sent(live).length, 2)
})

test('each kind of control has its own pause; one of a control beats that of its form', () => {
  const live = openPage('<form dj-input="i"><input name="t"><input name="r" type="range"><input name="c" type="checkbox">' +
    '<select name="s"><option>a</select><input name="d" dj-debounce="50"></form>').join()
  const targets = () => live.socket.take('event').map(({ p }) => p._target)
  for (const name of ['c', 's', 'r']) {
    live.fire(`[name=${name}]`, 'input')
    assert.deepEqual(targets(), [name])
  }
  live.fire('[name=r]', 'input')
  live.fire('[name=t]', 'input')
  live.fire('[name=d]', 'input')
  live.clock.advance(50)
  // What was done before goes first.
  assert.deepEqual(targets(), ['r', 't', 'd'])
  live.fire('[name=r]', 'input')
  live.clock.advance(149)
  assert.deepEqual(targets(), [])
  live.clock.advance(1)
  assert.deepEqual(targets(), ['r'])
})

test('a control with another id, name or key is another control', () => {
  const inputs = (key) => ['div', { 'dj-key': (data) => key && data.q },
    ['input', { id: (data) => key || `q${data.q}`, 'dj-input': 'typed' }],
    ['input', { name: (data) => key || `c${data.q}`, type: 'checkbox' }], ['input', { name: (data) => key || `r${data.q}`, type: 'radio' }],
    ['select', { name: (data) => key || `s${data.q}` }, ['option', {}, 'a'], ['option', {}, 'b']],
    ['textarea', { id: (data) => key || `t${data.q}` }], ['input', { id: (data) => key || `v${data.q}`, value: (data) => data.q }]]
  for (const key of ['', 'k']) {
    const live = served(['main', MAIN, inputs(key)], { q: '1' })
    const [q, c, r, s, t, v] = live.root.querySelectorAll('input,select,textarea')
    live.type('input', 'secret one')
    c.checked = r.checked = c.indeterminate = true
    t.value = v.value = 'typed'
    s.selectedIndex = 1
    live.to({ q: '2' })
    assert.deepEqual([q.value, c.checked, c.indeterminate, r.checked, s.value, t.value, v.value], ['', false, false, false, 'a', '', '2'])
    // What was typed before belongs to the control that it was typed into.
    assert.deepEqual(sent(live), [['typed', 'secret one']])
    live.clock.advance(300)
    assert.deepEqual(sent(live), [])
  }
})

test('autofocus in what a patch brings gets the focus, but not from a user who types', () => {
  const page = '<button dj-click="go">b</button><input id="other" dj-input="typed">'
  const more = `${page}<input disabled autofocus><input id="name" autofocus>`
  const open = () => openPage(page).join()
  let live = open()
  live.$('button').focus()
  live.$('button').click()
  live.patch(more, 1)
  assert.equal(live.document.activeElement, live.$('#name'))
  live.$('button').focus()
  live.patch(`${more}<p>x</p>`)
  assert.equal(live.document.activeElement, live.$('button')) // once

  live = open()
  live.$('#other').focus()
  live.patch(more) // a push
  assert.equal(live.document.activeElement, live.$('#other'))

  live = open()
  live.$('#other').focus()
  live.$('button').click()
  live.patch(more, 1) // what the user did last
  assert.equal(live.document.activeElement, live.$('#name'))

  live = open()
  live.$('button').click()
  live.type('#other', 'x')
  live.patch(more, 1)
  assert.equal(live.document.activeElement, live.$('#other'))
  live.clock.advance(300)
  live.patch(page, 2)
  live.patch(more, 2) // the answer to what is typed
  assert.equal(live.document.activeElement, live.$('#other'))
})

const FILLED = '<input id="a" dj-input="typed" value="a"><input id="b"><input type="checkbox" id="c" dj-change="ticked">' +
  '<form dj-change="form"><select name="s"><option>x<option>y</select></form>'
const fill = ({ $ }) => {
  $('#a').value = $('#b').value = 'filled'
  $('#c').checked = true
  $('select').value = 'y'
}
const shown = ({ $ }) => [$('#a').value, $('#b').value, $('#c').checked, $('select').value]

test('what the browser filled in when the user came back goes, where the server knows better', () => {
  const live = openPage(FILLED, { spoil: ({ window }) => {
    window.performance.getEntriesByType = () => [{ type: 'back_forward' }]
  } })
  fill(live)
  live.join()
  assert.deepEqual(shown(live), ['a', 'filled', false, 'x'])
  live.clock.advance(1000)
  assert.deepEqual(sent(live), [])
  fill(live)
  live.socket.fail()
  live.clock.advance(5000)
  live.join() // again: all of that is the user's
  assert.deepEqual(shown(live), ['filled', 'filled', true, 'y'])
})

test('a custom element\'s value and name', () => {
  const live = openPage('<x-field id="a" name="city" dj-input="typed"></x-field><x-plain id="b" dj-input="typed"></x-plain>').join()
  live.$('#a').value = 'Oslo'
  for (const css of ['#a', '#b']) live.fire(css, 'input')
  live.clock.advance(300)
  assert.deepEqual(live.socket.take('event').map(({ p }) => p), [{ value: 'Oslo', _target: 'city', field: 'city', name: 'city' }, {}])
})

test('a custom element that tells its value to its form alone', () => {
  const live = openPage('<form><x-plain id="a" name="city" dj-change="typed"></x-plain></form>').join()
  // As FormData has it from ElementInternals, which jsdom does not have.
  live.window.FormData = class extends live.window.FormData {
    get = (name) => `the form's ${name}`
  }
  live.fire('#a', 'change')
  assert.deepEqual(sent(live), [['typed', "the form's city"]])
})

test('what was typed before the script was there is told, as what it is', () => {
  const live = openPage('<input id="a" dj-input="a"><input type="range" dj-input="r"><select dj-change="s"><option>x<option>y</select>' +
    '<input type="radio" name="o" value="1" checked dj-change="o"><input type="radio" name="o" value="2" dj-change="o">' +
    '<input type="checkbox" dj-change="c"><textarea id="t">server</textarea><form dj-input="f"><input name="g"></form>', { spoil({ document }) {
    document.querySelector('#a').value = 'early'
    document.querySelector('select').value = 'y'
    document.querySelector('[value="2"]').checked = true
    document.querySelector('[type=checkbox]').checked = true
    document.querySelector('#t').value = 'mine'
    document.querySelector('[name=g]').value = 'too'
  } })
  live.socket.open()
  live.joined()
  live.clock.advance(300)
  assert.deepEqual(sent(live), [['a', 'early'], ['s', 'y'], ['o', '2'], ['c', true], ['f', undefined]])
  assert.equal(live.$('#t').value, 'mine')
  live.socket.fail()
  live.clock.advance(5000)
  live.join(5)
  live.clock.advance(1000)
  assert.deepEqual(sent(live), [])
})

test('what a reset changes is told', () => {
  const live = openPage('<form><input id="a" dj-input="a" value="x"><input type="checkbox" dj-change="c" checked></form>' +
    '<form id="f" dj-change="f"><input name="g"><input name="h"></form>').join()
  live.$('#a').value = 'y'
  live.$('[type=checkbox]').checked = false
  live.$('form').reset()
  live.clock.advance(300)
  assert.deepEqual(sent(live), [['a', 'x'], ['c', true]])
  live.$('[name=g]').value = live.$('[name=h]').value = '1'
  live.$('#f').reset()
  live.clock.advance(300)
  const [{ p }, ...more] = live.socket.take('event')
  assert.deepEqual([p._fields, more], [[['g', ''], ['h', '']], []])
})
