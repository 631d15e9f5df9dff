import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as editor from '../../python/troupe/static/troupe/editor.js'
import * as forms from '../../python/troupe/static/troupe/forms.js'
import * as notes from '../../python/troupe/static/troupe/notes.js'
import { openPage } from './fakes.js'

const FORM = '<form dj-submit="save"><input name="a"></form>'
const FIELD = '<input id="f" dj-keydown.enter="send"><form dj-input="typed"><input id="g" name="g"></form>'
const sent = (live) => live.socket.take('event').map(({ e }) => e)

// A page whose parts come when the test says so.
function openAndWait(html) {
  const asked = []
  return { live: openPage(html, { load: (name, then, failed) => name === 'notes' ? then(notes) : asked.push({ name, then, failed }) }), asked }
}

// … and that is joined.
function openSlowly(html) {
  const { live, asked } = openAndWait(html)
  return { live: live.join(), asked }
}

test('a page without forms loads nothing more; one with a form does, once', () => {
  assert.deepEqual(openSlowly('<button dj-click="x"></button><input dj-input="y">').asked, [])
  const { live, asked } = openSlowly(FORM)
  live.$('input').focus()
  live.submit('form')
  assert.deepEqual(asked.map(({ name }) => name), ['forms'])
})

test('a form that comes later is looked after, and so is a field with Enter', () => {
  const { live, asked } = openSlowly('')
  live.patch('<p>')
  assert.deepEqual(asked, [])
  live.patch(FORM)
  live.patch(`<p>${FORM}`)
  assert.equal(asked.length, 1)
  assert.equal(openSlowly('<input dj-keydown.enter="send">').asked.length, 1)
})

test('what is done before the part is there is sent when it is, in order', () => {
  const { live, asked } = openSlowly(FORM + FIELD)
  live.$('[name=a]').value = 'x'
  assert.equal(live.fire('form', 'submit'), false)
  live.$('#f').value = 'y'
  assert.equal(live.fire('#f', 'keydown', { key: 'Enter' }), false)
  live.type('#g', 'z')
  assert.deepEqual(sent(live), [])
  asked[0].then(forms)
  live.clock.advance(300)
  assert.deepEqual(sent(live), ['save', 'send', 'typed'])
})

test('a part that cannot be loaded is told: the page has to be loaded again', () => {
  const { live, asked } = openSlowly(FORM)
  asked[0].failed()
  assert.equal(live.$('.troupe-note').textContent, 'Please reload this page.')
  assert.deepEqual(live.told.at(-1), ['error', { reason: 'reload' }])
})

test('a page with an editor connects when that is loaded; one that a patch brings has the page asked for anew', () => {
  const { live, asked } = openAndWait('<p contenteditable>x</p>')
  assert.equal(live.sockets.length, 0)
  asked[0].then(editor)
  assert.equal(live.sockets.length, 1)
  const later = openSlowly('')
  later.live.patch('<p contenteditable>x</p>')
  assert.deepEqual(later.live.socket.take('refresh'), [])
  later.asked[0].then(editor)
  assert.equal(later.live.socket.take('refresh').length, 1)
})
