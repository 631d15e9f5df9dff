import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as differences from '../../python/troupe/static/troupe/differences.js'
import { VIEW, openPage } from './fakes.js'

const REGION = '<p>1</p>a<input name="q" value="s"><ul><li id="x">X</li> <li id="y">Y</li></ul><form dj-submit="go"><b>0</b></form>'
const CHUNK = ['hash0000', { s: [['h', [0], 'main', 0], ['t', [0], 'main', 1]] }]

// A page with a region and a text behind it; `root`: a page without slots instead.
function opened({ root, region = REGION, ...options } = {}) {
  const html = root ? region : `<!--$h-->${region}<!--$-->tail`
  const live = openPage('', { html: `<main dj-root data-troupe="token-1">${html}</main>`, stored: [['troupe-chunks', JSON.stringify([CHUNK])]], ...options })
  live.join(0, 1, root ? {} : { k: ['hash0000'] })
  live.say = (values, more) => live.socket.say({ v: 0, s: ++live.version, a: 0, p: 'differences', d: values, ...more })
  live.change = (...members) => live.say({ [root ? 0 : 1]: { d: [4, ...members] } })
  live.shows = (text) => assert.equal(live.root.innerHTML.replaceAll(/<!--.*?-->/g, '').replace(/tail$/, ''), text)
  return live
}

test('texts, attributes and what is inside are written where they stand', () => {
  const live = opened()
  const nodes = [live.$('p'), live.$('p').firstChild, live.$('#y')]
  live.change([0, 'p', [0, { class: 'c', title: null }, [0, '2 < 3']]], [1, { h: '&eacute;' }], [2, 'ul', [2, '<ul hidden>', [1, 'li', [0, [0, '']]]]])
  live.shows(REGION.replace('<p>1</p>a', '<p class="c">2 &lt; 3</p>é').replace('<ul>', '<ul hidden="">').replace('Y', ''))
  assert.deepEqual([live.$('p'), live.$('p').firstChild, live.$('#y')], nodes)
})

test('children come, go and change places; what stays is the same element', () => {
  const live = opened()
  const [x, y, input] = [live.$('#x'), live.$('#y'), live.$('input')]
  input.focus()
  input.value = 'typed'
  live.change([0, 0, ['<hr>new']], [2, 'ul', [2, [0, ' '], [0, 2, [1, '<li>Z</li>', 0]]]], [3, 4, []])
  live.shows('<hr>new<p>1</p>a<input name="q" value="s"><ul> <li id="y">Y</li><li>Z</li><li id="x">X</li> </ul>')
  assert.deepEqual([live.$('#x'), live.$('#y'), live.$('input'), live.document.activeElement, input.value], [x, y, input, input, 'typed'])
})

test('a whole root, and its title', () => {
  const live = opened({ root: true })
  const p = live.$('p')
  live.say({ 0: { d: [4, { class: 'c' }, [0, 'p', [0, [0, '2']]]] }, T: 'new' })
  assert.deepEqual([live.root.className, live.$('p').textContent, live.$('p'), live.document.title], ['c', '2', p, 'new'])
  assert.equal(live.root.dataset.troupe, 'token-2')
  live.say({ 0: { h: '<main dj-root><p>3</p></main>' } })
  live.say({ 0: { d: [1, [0, 'p', [0, [0, '4']]]] } })
  assert.equal(live.root.innerHTML, '<p>4</p>')
})

test('nodes of other scripts are not counted and stay; ignored elements are left alone', () => {
  const live = opened({ region: REGION.replace('id="x"', 'id="x" dj-ignore') })
  const theirs = live.document.createElement('aside')
  theirs.setAttribute('dj-ignore', '')
  live.$('ul').prepend(theirs)
  live.change([2, 'ul', [2, [0, 'li', [0, [0, 'no']]], [1, 'li', [0, [0, 'yes']]]]])
  assert.deepEqual([live.$('#x').textContent, live.$('#y').textContent, live.$('ul').firstChild], ['X', 'yes', theirs])
})

test('a page that is not as the server says stays as it is, and asks for its root', (t) => {
  t.mock.method(console, 'warn', () => {})
  const wrong = [
    [[0, 'p', [0, [0, '2']]], [2, 'ul', [3]]], // how many units there are
    [[0, 'p', [0, [0, '2']]], [2, 'ol', [2]]], // what an element is
    [[0, 'p', [0, [0, '2']]], [7, 'x']], // a gap that there is not
    [[0, 'p', [0, [0, '2']]], [5, 'p', [0]]],
  ]
  for (const members of wrong) {
    const live = opened()
    live.change(...members)
    live.shows(REGION)
    assert.deepEqual(live.socket.take('refresh'), [{ t: 'refresh', v: VIEW }])
  }
})

test('under a form that is being sent they wait, and so does all that comes after them', () => {
  const live = opened()
  live.submit('form')
  live.change([0, 'p', [0, [0, '2']]], [3, 'form', [1, [0, 'b', [0, [0, '1']]]]])
  live.change([0, 'p', [0, [0, '3']]])
  live.say({ 2: 'end' })
  live.shows(REGION.replace('dj-submit="go"', 'dj-submit="go" class="dj-loading"'))
  live.say({ 1: { d: [4, [3, 'form', [1, [0, 'b', [0, [0, '4']]]]]] } }, { a: 1 })
  live.shows(`${REGION.replace('<p>1', '<p>3').replace('<b>0', '<b>4').replace('dj-submit="go"', 'dj-submit="go" class=""')}end`)
})

test('the whole region ends what waits for it', () => {
  const live = opened()
  live.submit('form')
  live.change([3, 'form', [1, [0, 'b', [0, [0, '1']]]]])
  live.say({ 1: { h: '<i>0</i><form dj-submit="go"><b>2</b></form>' } })
  live.change([0, 'i', [0, [0, '9']]])
  live.socket.say({ t: 'failed', n: 1, v: VIEW })
  assert.equal(live.$('b').textContent, '2')
})

test('the part is loaded for the first of them; all that comes later waits for it', () => {
  const asked = []
  const load = (name, then) => name === 'differences' && asked.push(then)
  const live = opened({ load, region: '<p>1</p>' })
  assert.deepEqual(asked, [])
  live.say({ 1: { d: [1, [0, 'p', [0, [0, '2']]]] } })
  live.say({ 1: { h: '<p>3</p>' }, 2: 'end' }, { p: undefined })
  live.say({ 1: { d: [1, [0, 'p', [0, { class: 'c' }]]] } })
  live.shows('<p>1</p>')
  assert.ok(asked.length)
  for (const then of asked) then(differences)
  live.shows('<p class="c">3</p>end')
})
