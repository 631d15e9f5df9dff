import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPage } from './fakes.js'

const names = (live) => live.socket.take('event').map(({ e }) => e)

test('what is interactive in an element with dj-click has its clicks for itself', () => {
  const live = openPage('<div dj-click="card"><p>text</p><a href="#x">l</a><button type="button" id="plain">b</button>' +
    '<button type="button" dj-click="inner"><b>i</b></button><input id="field"><label id="label">l <input type="checkbox" id="box">' +
    '</label><select></select><textarea></textarea><div contenteditable id="editor"><i>e</i></div></div>' +
    '<details dj-click="details"><summary>s</summary></details>').join()
  for (const css of ['a', '#plain', '#field', '#label', '#box', 'select', 'textarea', '#editor i']) {
    live.fire(css, 'click')
    assert.deepEqual(names(live), [], css)
  }
  live.fire('b', 'click')
  live.fire('p', 'click')
  live.fire('summary', 'click')
  assert.deepEqual(names(live), ['inner', 'card', 'details'])
})

test('a click on a label is one event, with what its control has then', () => {
  const live = openPage('<label id="a" dj-click="a" data-n="1"><b>l</b><input type="checkbox" name="c"></label>' +
    '<label id="b" for="x" dj-click="b">l</label><input id="x">' +
    '<label id="c">l<input type="radio" name="r" value="2" dj-click="c"></label>' +
    '<label id="d" dj-click="d">l<input disabled></label>').join()
  live.$('b').click()
  live.$('[name=c]').click()
  for (const css of ['#b', '#c', '#d']) live.$(css).click()
  const sent = live.socket.take('event').map(({ e, p }) => [e, p.value, p.n])
  assert.deepEqual(sent, [['a', true, '1'], ['a', false, '1'], ['b', '', undefined], ['c', '2', undefined]])
})

test('links, buttons with form=, what is disabled', () => {
  const live = openPage('<a href="/x" id="a" dj-click="a">l</a><form id="f" dj-submit="save"></form>' +
    '<button form="f" id="b" dj-click="b"><i>b</i></button><button type="reset" form="f" id="c" dj-click="c">c</button>' +
    '<button disabled id="d" dj-click="d"><u>d</u></button><a href="/y" aria-disabled="true" id="e" dj-click="e">e</a>' +
    '<button form="f"><s dj-click="s">s</s></button><button form="f" name="go" value="1" id="g">g</button>').join()
  assert.equal(live.fire('#a', 'click'), false)
  for (const key of ['ctrlKey', 'metaKey', 'shiftKey', 'altKey']) assert.equal(live.fire('#a', 'click', { [key]: true }), true)
  assert.equal(live.fire('i', 'click'), false)
  assert.equal(live.fire('#c', 'click'), true)
  live.fire('u', 'click')
  assert.equal(live.fire('#e', 'click'), false)
  assert.equal(live.fire('s', 'click'), false) // its button would send a form
  assert.deepEqual(names(live), ['a', 'b', 'c', 's'])
  live.$('#g').click()
  assert.deepEqual(live.socket.take('event').map(({ e, p }) => [e, p._fields, p._target]), [['save', [['go', '1']], 'go']])
})

test('a button without a form does what it does beside: a popover opens', () => {
  const live = openPage('<button id="a" dj-click="a" popovertarget="p">a</button><p popover id="p"></p>').join()
  assert.equal(live.fire('#a', 'click'), true)
  assert.deepEqual(names(live), ['a'])
})

test('a link that opens another window, or downloads, does that beside its event', () => {
  const live = openPage('<a href="/x" target="_blank" id="a" dj-click="a"></a><a href="/x" download id="b" dj-click="b"></a>' +
    '<a href="/x" target="_self" id="c" dj-click="c"></a>').join()
  assert.deepEqual(['#a', '#b', '#c'].map((css) => live.fire(css, 'click')), [true, true, false])
  assert.deepEqual(names(live), ['a', 'b', 'c'])
})

test('a form that closes its dialog sends its event, and closes it; a question may say no', () => {
  const live = openPage('<dialog><form method="dialog" dj-submit="save" dj-confirm="?"><button>ok</button>' +
    '<button formmethod="dialog" id="x">x</button></form></dialog>').join()
  const submit = () => live.fire('form', 'submit')
  assert.equal(submit(), true)
  assert.deepEqual(names(live), ['save'])
  live.window.confirm = () => false
  assert.equal(submit(), false)
  assert.deepEqual(names(live), [])
})

test('a button that sends its form elsewhere, or only closes a dialog, is left alone', () => {
  const live = openPage('<form dj-submit="save"><button id="a" formaction="/export/">a</button>' +
    '<button id="b" formmethod="DIALOG">b</button><button id="c">c</button></form>').join()
  const submit = (css) => {
    const event = new live.window.SubmitEvent('submit', { bubbles: true, cancelable: true, submitter: live.$(css) })
    return live.$('form').dispatchEvent(event)
  }
  assert.deepEqual(['#a', '#b'].map(submit), [true, true])
  assert.deepEqual(names(live), [])
  assert.equal(submit('#c'), false)
  assert.deepEqual(names(live), ['save'])
})

test('Enter in a field submits its form, and presses no button with dj-click', () => {
  const form = (attributes) => `<form id="f" ${attributes}><button id="x" name="op" value="x" dj-click="remove">x</button>` +
    '<input name="t" value="v"><button>Add</button></form>'
  // What a browser does after Enter in a field: it clicks the form's first button, and that submits the form.
  const enter = (live) => {
    live.fire('input', 'keydown', { key: 'Enter' })
    if (live.fire('#x', 'click')) live.submit('#f', live.$('#x'))
    live.fire('input', 'keyup', { key: 'Enter' })
  }
  let live = openPage(form('dj-submit="save"')).join()
  enter(live)
  assert.deepEqual(live.socket.take('event').map(({ e, p }) => [e, p._fields, p._target]), [['save', [['t', 'v']], undefined]])
  live.fire('#x', 'keydown', { key: ' ' })
  live.fire('#x', 'click') // with the keyboard
  live.fire('#x', 'click', { detail: 1 })
  assert.deepEqual(names(live), ['remove', 'remove'])
  live = openPage(form('')).join()
  enter(live) // nothing else would answer it
  assert.deepEqual(names(live), ['remove'])
})

test('inline handlers that prevent in any case only keep the browser from acting; others may refuse', () => {
  const live = openPage('<form id="a" dj-submit="a" onsubmit="return false;"></form>' +
    '<form id="b" dj-submit="b" onsubmit="event.preventDefault(); return false"></form>' +
    '<form id="c" dj-submit="c" onsubmit="return confirm(1)"></form><form id="d" dj-submit="d"></form>' +
    '<a href="#" id="e" dj-click="e" onclick="return false">e</a><i id="f" dj-click="f"></i>').join()
  live.window.confirm = () => false
  live.$('#d').addEventListener('submit', (event) => event.preventDefault())
  live.$('#f').addEventListener('click', (event) => event.preventDefault())
  for (const css of ['#a', '#b', '#c', '#d']) live.submit(css)
  live.$('#e').click()
  live.$('#f').click()
  assert.deepEqual(names(live), ['a', 'b', 'e'])
})

test('controls outside of their form are its own', () => {
  const live = openPage('<form id="f" dj-change="c" dj-input="i"></form><p><input name="t" form="f"></p>').join()
  live.type('input', 'x')
  live.fire('input', 'change')
  assert.deepEqual(live.socket.take('event').map(({ e, p }) => [e, p]),
    ['i', 'c'].map((e) => [e, { _target: 't', _fields: [['t', 'x']], _lists: [], _boxes: {} }]))
})

test('an attribute that a template left empty asks for nothing', () => {
  const live = openPage('<button dj-click="" id="a">a</button><form dj-submit=""><input dj-input="" dj-keydown=""></form>').join()
  live.$('#a').click()
  live.type('input', 'x')
  live.fire('input', 'keydown', { key: 'x' })
  live.submit('form')
  live.clock.advance(1000)
  assert.deepEqual(live.socket.take(), [])
})
