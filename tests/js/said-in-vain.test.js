import assert from 'node:assert/strict'
import { test } from 'node:test'
import { trouble, watch } from '../../python/troupe/static/troupe/said-in-vain.js'
import { windowOf } from './fakes.js'

// What is said of a page, and of what is done to it then.
async function saidOf(t, body, act = () => {}) {
  const said = []
  for (const kind of ['error', 'warn']) t.mock.method(console, kind, (text) => said.push(text.replace(/^troupe: |:$/g, '')))
  const window = windowOf(body)
  watch(window.document, window.MutationObserver)
  act(window.document)
  await null
  return said
}

test('pauses that are no numbers, and scripts that do not run, are named', async (t) => {
  const said = await saidOf(t, '<body data-troupe="t"><i dj-debounce="1s"></i><i dj-debounce="blur"></i>' +
    '<i dj-throttle="20"></i><script>"early"</script></body>', (document) => {
    document.querySelector('i').setAttribute('dj-debounce', '-1')
    document.body.insertAdjacentHTML('beforeend', '<p><b dj-throttle="blur" dj-debounce=""></b><script>1</script></p>' +
      '<script type="application/json">{}</script>text')
  })
  assert.deepEqual(said.map((text) => /dj-\w+="[^"]*"|script/.exec(text)[0]),
    ['dj-debounce="1s"', 'dj-debounce="-1"', 'dj-throttle="blur"', 'dj-debounce=""', 'script'])
})

test('attributes that mean nothing, stand outside of a root, or name no handler are named, once', async (t) => {
  const said = await saidOf(t, '<body><main data-troupe="t" data-troupe-handlers="save remove">' +
    '<b dj-click="save"></b><b dj-click="svae"></b><b dj-clik="save"></b></main><b dj-click="save"></b></body>', (document) => {
    document.querySelector('main').removeAttribute('data-troupe-handlers') // as a patch of the whole root does
    document.querySelector('main').insertAdjacentHTML('beforeend', '<i dj-click="remove(1, 2)"></i><i dj-input="a b"></i>' +
      '<form dj-submit="nothing"></form><b dj-submit="save"></b><b dj-update="append"></b><i dj-clik="save"></i><i dj-keydown.esc="save"></i><i dj-value-x:itn="1"></i>')
    document.body.insertAdjacentHTML('beforeend', '<p dj-root><i dj-value-a="1"></i></p>')
  })
  assert.deepEqual(said, [
    'dj-click="svae": the view has no handler of that name; did you mean "save"?',
    'dj-clik means nothing here: did you mean dj-click?',
    'dj-click stands outside of a live root (dj-root), and does nothing there',
    'dj-input="a b" is not the name of a handler',
    'dj-submit="nothing": the view has no handler of that name',
    'dj-submit on <b> does nothing: only a <form> is submitted',
    'dj-update="append" means nothing here. Only dj-update="ignore" does; rows with dj-key need nothing',
    'dj-keydown.esc means nothing here: did you mean dj-keydown.escape?',
    'dj-value-x:itn means nothing here: the types are int, integer, float, bool, boolean, number, json, object, list, array.',
    'this dj-root is not live: only the first one of a LiveView\'s page is',
    'dj-value-a stands outside of a live root (dj-root), and does nothing there',
  ])
})

test('what stands in a shadow tree is named when it is clicked', async (t) => {
  const said = await saidOf(t, '<body data-troupe="t"><div></div></body>', (document) => {
    const inside = document.querySelector('div').attachShadow({ mode: 'open' })
    inside.innerHTML = '<button dj-click="save"><b>x</b></button>'
    inside.querySelector('b').click()
  })
  assert.deepEqual(said, ['dj-click stands in a shadow tree, and does nothing there'])
})

test('what has a meaning, and what has not, as the template compiler says it', () => {
  for (const name of ['dj-click', 'dj-keydown.enter', 'dj-keydown.a', 'dj-keydown..', 'dj-keydown.up', 'dj-keydown.mediaplay',
    'dj-value-id', 'dj-value-id:int', 'dj-value-a.b', 'dj-root']) assert.equal(trouble(name), null, name)
  for (const [name, words] of [['dj-click.prevent', 'no modifiers'], ['dj-keydown.ctrl.s', 'named alone'],
    ['dj-keydown.ctrl', 'dj-keydown.control'], ['dj-keydown.entr', 'dj-keydown.enter'], ['dj-model', 'Use dj-input'],
    ['dj-loading.show', 'Style the class'], ['dj-nothing-like-it', 'The attributes are']]) {
    assert.ok(trouble(name).includes(words), trouble(name))
  }
})
