import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explain } from '../../python/troupe/static/troupe/no-connection.js'
import { openPage } from './fakes.js'

const SCRIPTS = (served) => `<script type="text/plain" src="/static/no-connection.js" data-troupe-served="${served}">` +
  '</script><script type="text/plain" data-troupe-socket="/ws/troupe/"></script>'

// A page whose server answers HTTP, unless `there` is false.
function open(served, { there = true } = {}) {
  const errors = []
  const live = openPage('', {
    spoil({ window }) {
      window.document.head.innerHTML = SCRIPTS(served)
      window.fetch = async () => {
        if (!there) throw new TypeError('Failed to fetch')
        return { status: 200 }
      }
      window.console.error = (text) => errors.push(text)
      explain(window)
    },
  })
  live.errors = errors
  return live
}

const settled = () => new Promise((resolve) => setImmediate(resolve))
const notes = (live) => [...live.document.querySelectorAll('.troupe-note')].map((note) => note.textContent)

for (const [served, code, there, part] of [
  ['wsgi', 1006, true, /over WSGI, which has no WebSockets.*daphne.*\/ws\/troupe\/ routed there/],
  ['asgi', 1006, true, /refused the handshake.*manage\.py check.*https:\/\/example\.test must be in ALLOWED_HOSTS/],
  ['asgi', 4408, true, /accepted the socket, and did not let the page join/],
  ['asgi', 1006, false, /Nothing answers at https:\/\/example\.test/],
  ['wsgi', 1006, false, /the server is not running/],
]) {
  test(`a page that never connected says why: ${served}, ${code}, server ${there ? 'there' : 'gone'}`, async () => {
    const live = open(served, { there })
    live.socket.fail(code)
    await settled()
    assert.equal(live.errors.length, 1)
    assert.match(live.errors[0], part)
    assert.match(live.errors[0], new RegExp(`^troupe: No connection to wss://example.test/ws/troupe/ .*code ${code}`))
    assert.deepEqual(notes(live), [live.errors[0].slice('troupe: '.length)])
    live.clock.advance(2500) // the built-in note would come now
    assert.equal(notes(live).length, 1)
    live.socket.fail(code)
    await settled()
    assert.equal(live.errors.length, 1)
  })
}

test('a server that never answers is named as such', async () => {
  const live = open('asgi')
  live.clock.advance(20000)
  await settled()
  assert.match(live.errors[0], /no answer in time/)
})

test('the note goes once the page connects, and later breaks are not explained', async () => {
  const live = open('asgi')
  live.socket.fail()
  await settled()
  live.clock.advance(2500)
  live.join()
  assert.deepEqual(notes(live), [])
  live.socket.fail()
  await settled()
  assert.equal(live.errors.length, 1)
  live.clock.advance(2500)
  assert.deepEqual(notes(live), ['No connection. Trying again…'])
})

test('a listener that calls preventDefault() shows its own message instead of "No connection"', () => {
  const live = openPage('')
  live.document.addEventListener('troupe:disconnected', (event) => event.preventDefault())
  live.socket.fail(1012)
  live.clock.advance(2500)
  assert.deepEqual(notes(live), [])
  assert.deepEqual(live.told, [['disconnected', { code: 1012 }]])
})

test('a page whose script is not there says so', () => {
  const live = open('asgi')
  const core = live.document.querySelector('[data-troupe-socket]')
  core.dispatchEvent(new live.window.Event('error'))
  assert.match(live.errors[0], /could not be loaded: nothing on this page will answer.*manage\.py check/)
  assert.equal(notes(live).length, 1)
})
