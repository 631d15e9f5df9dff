import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPage } from './fakes.js'

// What a form sends, and what a control of that name sends beside its value.
const form = (fields, more) => ({ _fields: Object.entries(fields), _lists: [], _boxes: {}, ...more })
const of = (name, value) => ({ value, _target: name, field: name, name })
const sent = (live) => live.socket.take('event').map(({ e, p }) => [e, p])

test('dj-click: data, and values with their types, as text', () => {
  const live = openPage('<button dj-click="go" data-item-id="3" data-key="k" dj-value-n:int="4.9"' +
    ' dj-value-f:float="1.5" dj-value-on:bool="true" dj-value-off:bool="0" dj-value-j:json="[1,null]"' +
    ' dj-value-big:int="12345678901234567890" data-n="9" dj-value-key="v" data--args="no"><b>go</b></button>').join()
  live.$('b').click()
  const [[name, params]] = sent(live)
  assert.equal(name, 'go')
  assert.equal(JSON.stringify(params), '{"item_id":"3","n":"9","n:int":"4.9","f:float":"1.5","on:bool":"true",' +
    '"off:bool":"0","j:json":"[1,null]","big:int":"12345678901234567890","key:":"v"}')
})

test('dj-click: a button\'s value, links, submit buttons, disabled ones, other scripts\' veto', () => {
  const live = openPage('<button id="a" value="7" dj-click="a"></button>' +
    '<a id="b" href="/x" dj-click="b">l</a><form><button id="c" dj-click="c">s</button></form>' +
    '<fieldset disabled><button id="d" dj-click="d"></button></fieldset>' +
    '<input type="checkbox" id="e" dj-click="e"><i id="f" dj-click="f"></i>').join()
  assert.equal(live.fire('#b', 'click'), false)
  assert.equal(live.fire('#b', 'click', { ctrlKey: true }), true)
  assert.equal(live.fire('#c', 'click'), false)
  live.$('#a').click()
  live.$('#d').click()
  live.$('#e').click()
  assert.equal(live.$('#e').checked, true)
  live.$('#f').addEventListener('click', (event) => event.preventDefault())
  live.fire('#f', 'click')
  assert.deepEqual(sent(live), [['b', {}], ['c', {}], ['a', { value: '7' }], ['e', { value: true }]])
})

test('what is outside the roots is not ours', () => {
  const live = openPage('').join()
  live.document.body.insertAdjacentHTML('beforeend', '<button id="o" dj-click="x"></button>')
  live.$('#o').click()
  assert.deepEqual(sent(live), [])
})

test('dj-input waits for a pause; dj-debounce and dj-throttle', () => {
  const live = openPage('<input id="a" dj-input="a"><input id="b" dj-input="b" dj-debounce="500">' +
    '<input id="c" dj-input="c" dj-throttle="100">').join()
  live.type('#a', 'x')
  live.clock.advance(299)
  live.type('#a', 'xy')
  live.clock.advance(299)
  assert.deepEqual(sent(live), [])
  live.clock.advance(1)
  assert.deepEqual(sent(live), [['a', { value: 'xy' }]])
  live.type('#b', 'z')
  live.clock.advance(499)
  assert.deepEqual(sent(live), [])
  live.clock.advance(1)
  assert.deepEqual(sent(live), [['b', { value: 'z' }]])
  for (const text of ['1', '12', '123']) live.type('#c', text)
  assert.deepEqual(sent(live), [['c', { value: '1' }]])
  live.clock.advance(100)
  assert.deepEqual(sent(live), [['c', { value: '123' }]])
  live.clock.advance(1000)
  assert.deepEqual(sent(live), [])
})

test('what was typed goes before the click, the change and the submit that follow it', () => {
  const live = openPage('<form id="f" dj-submit="save"><input name="t" dj-input="typed"></form>' +
    '<button dj-click="go"></button>').join()
  live.type('input', 'a')
  live.$('button').click()
  live.type('input', 'ab')
  live.fire('input', 'change')
  live.type('input', 'abc')
  live.submit('#f')
  assert.deepEqual(sent(live), [['typed', of('t', 'a')], ['go', {}], ['typed', of('t', 'ab')],
    ['typed', of('t', 'abc')], ['save', form({ t: 'abc' })]])
  live.clock.advance(1000)
  assert.deepEqual(sent(live), [])
})

test('dj-change: select, multiple, checkbox, a group, a whole form', () => {
  const live = openPage('<select id="a" dj-change="a"><option>x<option selected>y</select>' +
    '<select id="b" multiple dj-change="b"><option selected>x<option selected>y</select>' +
    '<input type="checkbox" id="c" checked dj-change="c"><div dj-change="d" data-id="5">' +
    '<input type="radio" name="r" value="1" checked></div><form dj-change="e"><input name="p" value="q">' +
    '<input type="checkbox" name="s"></form>').join()
  for (const selector of ['#a', '#b', '#c', '[name=r]', '[name=p]']) live.fire(selector, 'change')
  assert.deepEqual(sent(live), [['a', { value: 'y' }], ['b', { value: ['x', 'y'] }], ['c', { value: true }],
    ['d', { id: '5', ...of('r', '1') }],
    ['e', form({ p: 'q' }, { _target: 'p', _boxes: { s: false } })]])
})

test('dj-keydown, with and without a key; dj-focus, dj-blur', () => {
  const live = openPage('<div dj-keydown.escape="close"><input dj-keydown.enter="add" dj-focus="in"' +
    ' dj-blur="out"></div><i dj-keydown="any" data-a="1"></i>').join()
  live.$('input').value = 'v'
  for (const key of ['a', 'Enter', 'Escape']) live.fire('input', 'keydown', { key })
  live.fire('input', 'keydown', { key: 'Enter', isComposing: true })
  live.fire('i', 'keydown', { key: ' ' })
  live.$('input').focus()
  live.$('input').blur()
  assert.deepEqual(sent(live), [['add', { value: 'v', key: 'Enter' }],
    ['close', { value: 'v', key: 'Escape' }], ['any', { a: '1', key: ' ' }],
    ['in', { value: 'v' }], ['out', { value: 'v' }]])
})

test('events that browsers and scripts make: without a key, on a text, with a strange submitter', (t) => {
  const errors = []
  const live = openPage('<form id="f" dj-submit="save" dj-keydown="key"><input name="t" value="v" dj-input="q" dj-change="c">' +
    '</form><p dj-click="p" dj-focus="in" dj-blur="out">x</p><button id="b">b</button><p id="p" dj-submit="no"></p>').join()
  live.window.addEventListener('error', (event) => errors.push(event.message))
  const { Event, SubmitEvent } = live.window
  const text = live.$('p').firstChild
  for (const type of ['keydown', 'click', 'input', 'change', 'submit', 'focusin', 'focusout', 'compositionstart', 'compositionend']) {
    for (const target of [live.document, text, live.document.body]) target.dispatchEvent(new Event(type, { bubbles: true }))
  }
  live.$('input').dispatchEvent(new Event('keydown', { bubbles: true })) // a form is filled in for the user
  const removed = live.document.createElement('button')
  for (const submitter of [null, undefined, live.$('#b'), removed]) {
    live.$('#f').dispatchEvent(new SubmitEvent('submit', { bubbles: true, cancelable: true, submitter }))
    live.socket.say({ v: 0, s: live.version, a: live.socket.sent.at(-1)?.n })
  }
  assert.deepEqual(errors, [])
  assert.deepEqual(sent(live), Array(4).fill(['save', form({ t: 'v' })]))
})

test('what the user did is what is sent, also when a patch takes the attribute away meanwhile', () => {
  const live = openPage('<input dj-input="q">').join()
  live.type('input', 'x')
  live.patch('<input>')
  live.clock.advance(300)
  assert.deepEqual(sent(live), [['q', { value: 'x' }]])
})

// A test may not choose a file.
function choose(live, name) {
  const { FormData } = live.window
  live.window.FormData = function (form, submitter) {
    const data = new FormData(form, submitter)
    data.set('up', new live.window.File(['x'], name))
    return data
  }
}

test('dj-submit sends all fields in their order, which of them are lists, the button; no CSRF token', () => {
  const live = openPage('<form id="f" dj-submit="save" data-id="8">' +
    '<input name="csrfmiddlewaretoken" value="s"><input type="file" name="up">' +
    '<input name="a" value="1"><input name="b" value="2"><input name="b" value="3">' +
    '<input type="checkbox" name="c"><select multiple name="m"><option selected>x</select>' +
    '<input type="checkbox" name="g" value="1"><input type="checkbox" name="g" value="2" checked>' +
    '<input type="checkbox" id="id_one_0" name="one" value="1"><input name="tags[]" value="t">' +
    '<input type="hidden" name="h" value="0"><input type="checkbox" name="h" value="1" checked>' +
    '<input type="radio" name="r"><input type="radio" name="r" value="2" checked>' +
    '<fieldset disabled><input name="d" value="4"><input type="checkbox" name="e"></fieldset>' +
    '<textarea name="t">z</textarea><input name="__proto__" value="p"><input name="elements" value="e">' +
    '<button name="do" value="it"></button></form><input name="out" value="o" form="f">').join()
  live.submit('#f', live.$('button'))
  const [[name, params]] = sent(live)
  assert.equal(name, 'save')
  assert.equal(JSON.stringify(params), JSON.stringify({ id: '8', _target: 'do',
    _fields: [['a', '1'], ['b', '2'], ['b', '3'], ['m', 'x'], ['g', '2'], ['tags[]', 't'], ['h', '0'], ['h', '1'],
      ['r', '2'], ['t', 'z'], ['__proto__', 'p'], ['elements', 'e'], ['do', 'it'], ['out', 'o']],
    _lists: ['b', 'm', 'g', 'one', 'tags[]'], _boxes: { c: false } }))
})

test('a form with a file is refused: the user is told, nothing is sent, nothing is emptied', (t) => {
  const error = t.mock.method(console, 'error', () => {})
  const live = openPage('<form id="f" dj-submit="save"><input name="t"><input type="file" name="up"></form>' +
    '<input type="file" id="c" dj-change="chosen">').join()
  choose(live, 'x.txt')
  live.type('[name=t]', 'kept')
  assert.equal(live.$('#f').dispatchEvent(new live.window.SubmitEvent('submit', { bubbles: true, cancelable: true })), false)
  live.fire('#c', 'change')
  assert.deepEqual(sent(live), [])
  assert.deepEqual(live.told.map(([name, { name: handler, reason }]) => [name, handler, reason]).slice(1),
    [['refused', 'save', 'files'], ['refused', 'chosen', 'files']])
  assert.equal(live.$('.troupe-note').textContent, 'Files cannot be sent.')
  assert.deepEqual([live.$('[name=t]').value, error.mock.callCount()], ['kept', 2])
  choose(live, '') // no file was chosen
  live.submit('#f')
  assert.deepEqual(sent(live), [['save', form({ t: 'kept' })]])
})

test('a sent form empties when its answer comes, and cannot be sent twice before', () => {
  const form = '<form id="f" dj-submit="add"><input name="t"><textarea name="n">d</textarea></form>'
  const live = openPage(form).join()
  live.type('[name=t]', 'milk')
  live.$('[name=n]').value = 'note'
  live.submit('#f')
  live.submit('#f')
  assert.equal(live.socket.take('event').length, 1)
  assert.equal(live.$('#f').className, 'dj-loading')
  assert.equal(live.$('[name=t]').value, 'milk')
  live.patch(`${form}<li>milk</li>`, 1)
  const [title, note] = [live.$('[name=t]'), live.$('[name=n]')]
  assert.deepEqual([title.value, note.value, live.$('#f').className], ['', 'd', ''])
  assert.equal(live.document.activeElement, live.$('[name=t]'))
  live.submit('#f')
  assert.equal(live.socket.take('event').length, 1)
  live.socket.say({ v: 'a'.repeat(32), s: live.version, a: 2 }) // nothing changed
  assert.equal(live.$('#f').className, '')
})

test('a form that the server renders with what was sent keeps it', () => {
  const live = openPage('<form id="f" dj-submit="add"><input name="t"></form>').join()
  live.type('input', 'bad')
  live.submit('#f')
  live.patch('<form id="f" dj-submit="add"><p>no</p><input name="t" value="bad"></form>', 1)
  assert.equal(live.$('input').value, 'bad')
})

test('what was typed after the form was sent is kept', () => {
  const form = '<form id="f" dj-submit="add"><input name="t"><input name="u"></form>'
  const live = openPage(form).join()
  live.type('[name=t]', 'one')
  live.type('[name=u]', 'two')
  live.submit('#f')
  live.type('[name=t]', 'one more')
  live.patch(form, 1)
  assert.deepEqual([live.$('[name=t]').value, live.$('[name=u]').value], [' more', ''])
  assert.equal(live.$('[name=t]').selectionStart, 5)
})

test('what was typed after the form was sent goes on from what the server kept', () => {
  const live = openPage('<form id="f" dj-submit="add"><input name="t"></form>').join()
  live.type('input', 'Title')
  live.submit('#f')
  live.type('input', 'Title two')
  live.patch('<form id="f" dj-submit="add"><input name="t" value="Title"></form>', 1)
  assert.equal(live.$('input').value, 'Title two')
})

test('five quick submits are five events, in order, each with what was typed for it', () => {
  const form = '<form id="f" dj-submit="send"><input name="t" dj-input="typed"><input type="hidden" name="h" value="1"></form>'
  const live = openPage(form).join()
  let text = ''
  for (const word of ['one', 'two', 'three', 'four', 'five']) {
    live.type('[name=t]', text += word)
    live.submit('#f')
  }
  live.type('[name=t]', `${text}six`)
  const heard = []
  for (let n = 1; n < 30; n++) {
    heard.push(...sent(live).filter(([name]) => name === 'send').map(([, { _fields: [[, value]] }]) => value))
    live.patch(form, n)
  }
  assert.deepEqual(heard, ['one', 'two', 'three', 'four', 'five'])
  assert.equal(live.$('[name=t]').value, 'six')
})

test('what waited behind a submit that failed is not sent, and stands in the form still', (t) => {
  t.mock.method(console, 'error', () => {})
  const live = openPage('<form id="f" dj-submit="send"><input name="t"></form>').join()
  live.type('input', 'one')
  live.submit('#f')
  live.type('input', 'onetwo')
  live.submit('#f')
  live.socket.take()
  live.socket.say({ t: 'failed', n: 1, error: { kind: 'python', message: 'm' } })
  assert.deepEqual([sent(live), live.$('input').value], [[], 'onetwo'])
  assert.deepEqual(live.told.map(([name]) => name).slice(1), ['refused', 'failed'])
  live.submit('#f')
  assert.deepEqual(sent(live), [['send', form({ t: 'onetwo' })]])
})

test('a button that is pressed again is another submit; what was typed goes once', () => {
  const live = openPage('<form id="f" dj-submit="like"><button>+</button></form>' +
    '<form id="g" dj-submit="buy"><input name="n"><button>Buy</button></form>').join()
  for (let i = 0; i < 3; i++) live.submit('#f')
  live.type('[name=n]', '2')
  live.submit('#g')
  live.submit('#g')
  const names = []
  for (let n = 1; n < 9; n++) {
    names.push(...sent(live).map(([name]) => name))
    live.socket.say({ v: 0, s: live.version, a: n })
  }
  assert.deepEqual(names.sort(), ['buy', 'like', 'like', 'like'])
})

test('a form that shows errors with its answer keeps what was typed', () => {
  const form = '<form id="f" dj-submit="add"><input name="t"></form>'
  for (const errors of ['<ul class="errorlist"><li>No</ul>', '<input class="is-invalid">', '<i aria-invalid="true"></i>']) {
    {
      const page = form.replace('<input', `${errors}<input`)
      const live = openPage(form).join()
      live.type('[name=t]', 'bad')
      live.submit('#f')
      live.patch(page, 1)
      assert.equal(live.$('[name=t]').value, 'bad', page)
      live.submit('#f')
      live.patch(form, 2)
      assert.equal(live.$('[name=t]').value, '')
    }
  }
})

test('failed, refused and unknown keep what was typed', () => {
  const outcomes = [{ t: 'failed', error: { kind: 'python', message: 'm' } },
    { t: 'unknown', reason: 'worker_lost' }, { t: 'refused', reason: 'too_large' }]
  for (const outcome of outcomes) {
    const live = openPage('<form id="f" dj-submit="add"><input name="t"></form>').join()
    live.type('input', 'dear')
    live.submit('#f')
    live.socket.say({ ...outcome, n: 1 })
    assert.deepEqual([live.$('input').value, live.$('#f').className], ['dear', ''], outcome.t)
    if (outcome.t === 'refused') live.joined(0) // which it asked for
    live.submit('#f')
    assert.equal(live.socket.take('event').length, 2, outcome.t)
  }
})

test('patches leave a form alone while it is being sent, and come to it with its answer', () => {
  const form = (n) => `<form id="f" dj-submit="add"><input name="t" value="${n}"></form><p>${n}</p>`
  const live = openPage(form(0)).join()
  live.type('input', 'typed')
  live.submit('#f')
  live.patch(form(1)) // a push
  assert.deepEqual([live.$('p').textContent, live.$('input').value], ['1', 'typed'])
  live.socket.say({ v: 'a'.repeat(32), s: live.version, a: 1 })
  assert.equal(live.$('input').value, '1')
})

test('fast typing is never overwritten by the answers to earlier keys', () => {
  const page = (value) => `<input id="q" dj-input="q" value="${value}">`
  const live = openPage(page('')).join()
  live.type('#q', 'a')
  live.clock.advance(300)
  live.type('#q', 'ab')
  live.patch(page('A'), 1) // while "ab" waits for a pause
  assert.equal(live.$('#q').value, 'ab')
  live.clock.advance(300)
  live.type('#q', 'abc')
  live.clock.advance(300)
  live.patch(page('AB'), 2) // while "abc" has no answer
  assert.equal(live.$('#q').value, 'abc')
  live.patch(page('ABC'), 3)
  assert.equal(live.$('#q').value, 'ABC')
})

test('composition: what is composed is heard, once, and not patched', () => {
  const page = (n, value) => `<input id="q" dj-input="q" value="${value}"><p>${n}</p>`
  const live = openPage(page(0, '')).join()
  const compose = (text, isComposing = true) => {
    live.$('#q').value = text
    live.fire('#q', 'input', { isComposing, data: text })
  }
  live.$('#q').focus()
  live.fire('#q', 'compositionstart')
  compose('に')
  live.clock.advance(300)
  assert.deepEqual(sent(live), [['q', { value: 'に' }]])
  live.patch(page(1, 'x'), 1)
  assert.deepEqual([live.$('#q').value, live.$('p').textContent], ['に', '1'])
  compose('日本')
  compose('日本') // that it ends
  live.fire('#q', 'compositionend')
  compose('日本', false) // the same, in other browsers
  live.clock.advance(300)
  assert.deepEqual(sent(live), [['q', { value: '日本' }]])
  live.patch(page(2, '日本'), 2)
  live.clock.advance(300)
  compose('日本', false)
  live.clock.advance(300)
  assert.deepEqual(sent(live), [['q', { value: '日本' }]])
})

test('dj-confirm asks; dj-loading stands until the last answer', () => {
  const button = '<button dj-click="go" dj-confirm="Sure?">x</button>'
  const live = openPage(button).join()
  const asked = []
  live.window.confirm = (text) => asked.push(text) > 1
  live.$('button').click()
  assert.deepEqual([sent(live), asked], [[], ['Sure?']])
  live.$('button').click()
  live.$('button').click()
  live.patch(button, 1)
  assert.equal(live.$('button').className, 'dj-loading')
  live.patch(button, 2)
  assert.equal(live.$('button').className, '')
})
