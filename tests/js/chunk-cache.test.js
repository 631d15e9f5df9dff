import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createChunkCache } from '../../python/troupe/static/troupe/chunk-cache.js'

const MOST = 200_000
const chunk = (size) => ({ h: 'x'.repeat(size), s: [] })
const kept = (localStorage) => JSON.parse(localStorage['troupe-chunks']).map(([hash]) => hash)

test('the newest chunks are kept, as many as there is room for', () => {
  const localStorage = {}
  const cache = createChunkCache({ localStorage })
  cache.learn([['a', chunk(90_000)], ['b', chunk(90_000)]])
  assert.deepEqual(kept(localStorage), ['a', 'b'])
  cache.learn([['c', chunk(90_000)], ['a', chunk(90_000)]])
  assert.deepEqual(kept(localStorage), ['c', 'a'])
  cache.learn([['d', chunk(MOST)]])
  assert.deepEqual(kept(localStorage), [])
  for (const hash of 'abcd') assert.ok(cache.has(hash))
  assert.deepEqual(['c', 'a', 'x'].map(createChunkCache({ localStorage: { 'troupe-chunks': '[["c",{"s":[]}]]' } }).has), [true, false, false])
})

test('all of the room is used, and not a character more', () => {
  const localStorage = {}
  const rest = JSON.stringify([['a', chunk(0)], ['b', chunk(0)]]).length
  createChunkCache({ localStorage }).learn([['a', chunk(1000)], ['b', chunk(MOST - rest - 1000)]])
  assert.equal(localStorage['troupe-chunks'].length, MOST)
  createChunkCache({ localStorage }).learn([['c', chunk(0)]])
  assert.deepEqual(kept(localStorage), ['b', 'c'])
})

test('to keep one more costs no more than what is kept, also at the limit', (t) => {
  let written = 0
  const { stringify } = JSON
  t.mock.method(JSON, 'stringify', (...args) => {
    const text = stringify(...args)
    written += text.length
    return text
  })
  const cache = createChunkCache({ localStorage: {} })
  const pairs = Array.from({ length: 4000 }, (_, at) => [`h${at}`, chunk(100)])
  cache.learn(pairs)
  assert.ok(written < 2 * MOST, `${written} characters`)
  written = 0
  cache.learn([['new', chunk(100)]])
  assert.ok(written < 2 * MOST, `${written} characters`)
})

test('storage that is switched off, full or spoiled does no harm', () => {
  const off = { get localStorage() { throw Error('SecurityError') } }
  const full = { localStorage: new Proxy({}, { set() { throw Error('QuotaExceededError') } }) }
  for (const window of [off, full, ...['{', '7', '[["a",null]]', '[1]'].map((text) => ({ localStorage: { 'troupe-chunks': text } }))]) {
    const cache = createChunkCache(window)
    cache.learn([['b', chunk(1)]])
    assert.equal(cache.get('b').h, 'x')
  }
})
