import assert from 'node:assert/strict'
import { test } from 'node:test'
import { watch } from '../../python/troupe/static/troupe/said-in-vain.js'
import { windowOf } from './fakes.js'

test('pauses that are no numbers, and scripts that do not run, are named', async (t) => {
  const named = []
  for (const kind of ['error', 'warn']) t.mock.method(console, kind, (text) => named.push(/dj-\w+="[^"]*"|script/.exec(text)[0]))
  const { document, MutationObserver } = windowOf('<body data-troupe="t"><i dj-debounce="1s"></i><i dj-debounce="blur"></i>' +
    '<i dj-throttle="20"></i><script>"early"</script></body>')
  watch(document, MutationObserver)
  document.querySelector('i').setAttribute('dj-debounce', '-1')
  document.body.insertAdjacentHTML('beforeend', '<p><b dj-throttle="blur" dj-debounce=""></b><script>1</script></p>' +
    '<script type="application/json">{}</script>text')
  await null
  assert.deepEqual(named, ['dj-debounce="1s"', 'dj-debounce="-1"', 'dj-debounce=""', 'dj-throttle="blur"', 'script'])
})
