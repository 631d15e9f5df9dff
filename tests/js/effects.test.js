import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPage, VIEW, windowOf } from './fakes.js'

const BUTTON = '<button dj-click="go">x</button>'
const settled = () => new Promise(setImmediate)

test('a redirect is followed after the patch, once per answer', async () => {
  const live = openPage(BUTTON).join(0)
  live.$('button').click()
  live.socket.say({ v: 0, s: 1, a: 1, redirect: '/thanks/' })
  await settled()
  assert.deepEqual(live.visited, ['/thanks/'])
  assert.deepEqual(live.told.at(-1), ['redirect', { url: '/thanks/' }])
})

test('cookies come before the redirect that needs them', async () => {
  const live = openPage(BUTTON).join(0)
  let arrived
  live.env.collect = (ticket) => new Promise((resolve) => (arrived = () => resolve(ticket && 204)))
  live.socket.say({ v: 0, s: 1, a: 0, ticket: 't1', redirect: '/home/' })
  await settled()
  assert.deepEqual(live.visited, [])
  arrived()
  await settled()
  assert.deepEqual(live.visited, ['/home/'])
})

test('a page that is to be loaded again gets its cookies first', async () => {
  const live = openPage(BUTTON).join(0)
  let arrived
  live.env.collect = (ticket) => new Promise((resolve) => (arrived = () => resolve(ticket && 204)))
  live.socket.say({ v: 0, s: 1, a: 0, ticket: 't1' })
  live.socket.say({ t: 'reload', reason: 'foreign' })
  await settled()
  assert.equal(live.reloads, 0)
  arrived()
  await settled()
  assert.equal(live.reloads, 1)
})

test('a failure with a redirect shows no message, and one without does', async () => {
  const live = openPage(BUTTON).join(0)
  live.$('button').click()
  live.socket.say({ t: 'failed', n: 1, v: VIEW, error: { kind: 'forbidden' }, redirect: '/login/' })
  await settled()
  assert.deepEqual(live.visited, ['/login/'])
  assert.equal(live.$('.troupe-note'), null)
  live.$('button').click()
  live.socket.say({ t: 'failed', n: 2, v: VIEW, error: { kind: 'forbidden', type: 'Not allowed', message: 'sorry.', frames: [] } })
  assert.equal(live.$('.troupe-note').textContent, 'Not allowed: sorry.')
})

test('a view that cannot be joined may send the user elsewhere', async () => {
  const live = openPage(BUTTON)
  live.socket.open()
  live.joined(0, 0, { error: { kind: 'forbidden' }, redirect: '/login/' })
  await settled()
  assert.deepEqual(live.visited, ['/login/'])
  assert.equal(live.$('.troupe-note'), null)
})

test('the page may keep the user', async () => {
  const live = openPage(BUTTON).join(0)
  live.document.addEventListener('troupe:redirect', (event) => event.preventDefault())
  live.socket.say({ v: 0, s: 1, a: 0, redirect: '/thanks/' })
  await settled()
  assert.deepEqual(live.visited, [])
})

// A page as troupe.js starts it, joined; asked: what it fetches, visited: where it sends the user.
async function started() {
  const live = { sockets: [], visited: [], asked: [] }
  const window = windowOf('<main dj-root data-troupe="t">x</main>')
  window.document.head.innerHTML = '<script type="module" data-troupe-socket="/live/ws/"></script>'
  window.WebSocket = class {
    constructor() { live.sockets.push(this) }
    send() {}
    close() {}
  }
  window.fetch = async (url, options) => (live.asked.push([url, options]), { status: 204 })
  const location = { href: window.location.href, assign: (url) => live.visited.push(String(url)) }
  const seen = new Proxy(window, { get: (target, name) => name === 'location' ? location : Reflect.get(target, name) })
  const { start } = await import('../../python/troupe/static/troupe/troupe.js')
  live.page = start(seen)
  live.say = (frame) => live.sockets[0].onmessage({ data: JSON.stringify(frame) })
  live.sockets[0].onopen()
  live.say({ t: 'joined', n: 0, views: [{ v: VIEW, i: 0, s: 1 }] })
  return live
}

test('a redirect leads to no script, whatever was sent', async () => {
  const { page, say, visited } = await started()
  for (const redirect of ['javascript:alert(1)', ' JavaScript:alert(1)', 'java\tscript:alert(1)', 'data:text/html,x', 'blob:x', '/on/']) {
    say({ v: 0, s: 1, a: 0, redirect })
    await settled()
  }
  page.leave()
  assert.deepEqual(visited, ['https://example.test/on/'])
})

test('cookies are fetched from the page itself, also when the user leaves it meanwhile', async () => {
  const { page, say, asked } = await started()
  say({ v: 0, s: 1, a: 0, ticket: 't1' })
  await settled()
  page.leave()
  const [[url, { headers, keepalive, redirect }]] = asked
  assert.equal(url, 'https://example.test/page')
  assert.deepEqual([headers, keepalive, redirect], [{ 'X-Troupe-Ticket': 't1' }, true, 'manual'])
})
