import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPage as makePage } from '../../python/troupe/static/troupe/page.js'
import { FakeSocket, openPage, VIEW, windowOf } from './fakes.js'

const BUTTON = '<button dj-click="go">x</button>'

test('joins with the token, then with the version and the newest token', () => {
  const live = openPage(BUTTON)
  live.socket.open()
  assert.deepEqual(live.socket.take(), [{ t: 'join', views: [{ token: 'token-1' }] }])
  live.joined(0, 7)
  assert.equal(live.document.documentElement.className, 'troupe-connected')
  live.socket.say({ t: 'token', v: VIEW, token: 'token-3' })
  live.socket.fail()
  assert.equal(live.document.documentElement.className, 'troupe-disconnected')
  live.clock.advance(2000)
  live.socket.open()
  assert.deepEqual(live.socket.take(), [{ t: 'join', views: [{ token: 'token-3', s: 7 }] }])
})

test('a renewal goes along with the token that it is for, and goes with it', () => {
  const live = openPage(BUTTON)
  live.socket.open()
  live.socket.take()
  live.socket.say({ t: 'joined', n: 0, views: [{ v: VIEW, i: 0, s: 2, g: 'renewal-1' }] })
  live.socket.say({ t: 'lost', reason: 'worker_lost' })
  live.clock.advance(500)
  assert.deepEqual(live.socket.take('join'), [{ t: 'join', views: [{ token: 'token-1', s: 2, g: 'renewal-1' }] }])
  live.joined(0, 3)
  live.socket.say({ t: 'lost', reason: 'worker_lost' })
  live.clock.advance(500)
  assert.deepEqual(live.socket.take('join'), [{ t: 'join', views: [{ token: 'token-2', s: 3 }] }])
})

test('clicks before the join and while the socket is gone are sent later, once', () => {
  const live = openPage(BUTTON)
  live.$('button').click()
  live.socket.open()
  live.joined(0)
  assert.deepEqual(live.socket.take('event'), [{ t: 'event', n: 1, v: VIEW, e: 'go', p: {} }])
  live.socket.fail()
  live.$('button').click()
  live.clock.advance(2000)
  live.socket.open()
  live.joined(1)
  assert.deepEqual(live.socket.take('event').map((frame) => frame.n), [1, 2])
})

test('a fresh session is never sent what the last one may have executed', () => {
  const live = openPage(BUTTON).join(0)
  live.$('button').click()
  live.socket.take()
  live.socket.fail()
  live.$('button').click()
  live.clock.advance(2000)
  live.socket.open()
  live.socket.say({ t: 'joined', n: 0, fresh: true, views: [{ v: VIEW, s: 1, token: 'token-3' }] })
  assert.equal(live.told.filter(([name]) => name === 'unknown').length, 1)
  assert.deepEqual(live.socket.take('event').map((frame) => frame.n), [1]) // the one that was never sent
})

test('joined with html: morphed; with an error: shown', () => {
  const live = openPage('<p>old</p>')
  live.socket.open()
  live.joined(0, 3, { html: '<main dj-root><p>new</p></main>' })
  assert.equal(live.root.outerHTML, '<main dj-root="" data-troupe="token-2"><p>new</p></main>')
  live.socket.say({ t: 'lost', reason: 'worker_lost' })
  live.clock.advance(500)
  assert.deepEqual(live.socket.take('join').at(-1), { t: 'join', views: [{ token: 'token-2', s: 3 }] })
  live.joined(0, 1, { error: { kind: 'forbidden', message: 'no' } })
  assert.equal(live.told.at(-2)[0], 'failed')
})

test('several roots: one join, patches find their own', () => {
  const live = openPage('a')
  const window = windowOf('<body><div dj-root data-troupe="t1">a</div><p>x</p>' +
    '<div dj-root data-troupe="t2">b</div></body>')
  const ws = new FakeSocket()
  const page = makePage({ ...live.env, window, connect: () => ws })
  page.start()
  ws.open()
  assert.deepEqual(ws.take(), [{ t: 'join', views: [{ token: 't1' }, { token: 't2' }] }])
  ws.say({ t: 'joined', n: 0, views: [{ v: '1', i: 0, s: 1, token: 'u1' }, { v: '2', i: 1, s: 1, token: 'u2' }] })
  ws.say({ v: 1, s: 2, a: 0, d: { 0: { h: '<div dj-root>B</div>' } } })
  assert.equal(window.document.body.innerHTML,
    '<div dj-root="" data-troupe="u1">a</div><p>x</p><div dj-root="" data-troupe="u2">B</div>')
})

test('which patch applies', () => {
  const whole = (s) => ({ s, d: { 0: { h: `<main dj-root>${s}</main>` } } })
  for (const [frame, shown, asks] of [
    [{ s: 6 }, '5', false], [{ s: 5 }, '5', false], [{ s: 4 }, '5', false], [{ s: 7 }, '5', true],
    [whole(9), '9', false], [whole(5), '5', false], [whole(4), '5', false],
  ]) {
    const live = openPage('5').join(0, 5)
    live.socket.say({ v: 0, a: 0, ...frame })
    assert.deepEqual([live.root.textContent, live.socket.take('refresh').length > 0], [shown, asks], JSON.stringify(frame))
  }
})

test('a gap and a slot that is not here ask for the root, once, and again when nothing came', () => {
  const live = openPage('<p>1</p>').join()
  live.socket.say({ v: 0, s: 5, a: 0, d: { 3: 'x' } }, { v: 0, s: 6, a: 0, d: { 3: 'y' } })
  assert.deepEqual(live.socket.take(), [{ t: 'refresh', v: VIEW }])
  live.clock.advance(5000)
  assert.deepEqual(live.socket.take(), [{ t: 'refresh', v: VIEW }])
  live.socket.say({ v: 0, s: 6, a: 0, d: { 0: { h: '<main dj-root><p>6</p></main>' } } })
  assert.equal(live.$('p').textContent, '6')
  live.clock.advance(20_000)
  assert.deepEqual(live.socket.take('refresh'), [])
  live.socket.say({ v: 0, s: 7, a: 0, d: { 3: 'x' } })
  assert.deepEqual(live.socket.take('refresh'), [{ t: 'refresh', v: VIEW }])
})

test('refreshes in vain come ever more rarely, and end', () => {
  const live = openPage('<p>1</p>').join()
  live.socket.say({ v: 0, s: 5, a: 0, d: { 3: 'x' } })
  const pauses = []
  for (let seconds = 0, last = 0; seconds < 7200; seconds++) {
    if (live.socket.take('refresh').length) pauses.push(seconds - last), (last = seconds)
    live.socket.say({ t: 'pong' })
    live.clock.advance(1000)
  }
  assert.deepEqual(pauses, [0, 5, 10, 20, 40, 80, 160, 320])
  assert.ok(live.document.documentElement.classList.contains('troupe-error'))
  assert.equal(live.$('.troupe-note').textContent, 'Please reload this page.')
})

test('a root that cannot be changed is replaced', (t) => {
  const warn = t.mock.method(console, 'warn', () => {})
  const live = openPage('<b>1</b>').join()
  const old = live.root
  live.window.troupeStrangers.joinTexts = () => { throw Error('not here') }
  live.patch('<b>2</b>')
  assert.deepEqual([live.root.outerHTML, old.isConnected], ['<main dj-root="" data-troupe="token-2"><b>2</b></main>', false])
  assert.deepEqual([warn.mock.callCount(), live.socket.take('refresh')], [1, []])
  live.patch('<b>3</b>')
  assert.equal(live.root.textContent, '3')
})

test('a repeated answer settles its event and does not turn the page back', () => {
  const live = openPage(BUTTON).join()
  live.$('button').click()
  live.socket.say({ v: 0, s: 5, a: 0, d: { 0: { h: `<main dj-root>${BUTTON}<p>5</p></main>` } } })
  live.socket.say({ v: 0, s: 2, a: 1, d: { 0: { h: `<main dj-root>${BUTTON}<p>2</p></main>` } } })
  assert.deepEqual([live.$('p').textContent, live.$('button').className], ['5', ''])
})

test('versions are acknowledged, few at a time', () => {
  const live = openPage('').join()
  live.patch('1')
  live.patch('2')
  assert.deepEqual(live.socket.take(), [])
  live.clock.advance(250)
  assert.deepEqual(live.socket.take(), [{ t: 'ack', v: VIEW, s: 3 }])
  for (const text of '3456') live.patch(text)
  assert.deepEqual(live.socket.take(), [{ t: 'ack', v: VIEW, s: 7 }])
})

test('lost: the page joins again after a moment; what was sent to a session that is gone is unknown', () => {
  const live = openPage(BUTTON).join()
  live.$('button').click()
  live.socket.take()
  live.socket.say({ t: 'lost', reason: 'worker_lost' })
  live.$('button').click()
  assert.deepEqual(live.told.map(([name]) => name).slice(1), ['lost', 'disconnected'])
  live.clock.advance(500)
  assert.deepEqual(live.socket.take().map((frame) => frame.t), ['join'])
  live.joined(0, 1, { fresh: true })
  assert.ok(live.told.some(([name]) => name === 'unknown'))
  assert.ok(live.$('[role=alert]').textContent.includes('check'))
  assert.deepEqual(live.socket.take().map((frame) => [frame.t, frame.n]), [['event', 1]])
})

test('a page whose session is gone says that it began anew, once it had one', () => {
  const live = openPage(BUTTON)
  live.socket.open()
  live.joined(0, 1, { fresh: true }) // it was open for long before its script ran
  const again = () => {
    live.socket.say({ t: 'lost', reason: 'worker_lost' })
    live.clock.advance(500)
    live.joined(0, 1, { fresh: true })
  }
  again() // nothing was done in it
  assert.ok(!live.told.some(([name]) => name === 'anew'))
  live.$('button').click()
  live.socket.say({ v: 1, s: 2, a: 1 })
  again()
  assert.equal(live.told.filter(([name]) => name === 'anew').length, 1)
  assert.match(live.$('[role=alert]').textContent, /start over/)
  live.clock.advance(60_000)
  assert.ok(live.$('[role=alert]')) // until it is read
  again()
  assert.equal(live.told.filter(([name]) => name === 'anew').length, 1)
})

test('a view that could not be restored began anew, which is said if something was done in it', () => {
  const live = openPage(BUTTON)
  live.socket.open()
  live.joined(0, 1, { restored: true, anew: true })
  assert.ok(!live.told.some(([name]) => name === 'anew'))
  live.joined(3, 1, { restored: true, anew: true })
  assert.equal(live.told.filter(([name]) => name === 'anew').length, 1)
  assert.match(live.$('[role=alert]').textContent, /start over/)
})

test('a session that comes from a snapshot: what was sent is sent again and said to be', () => {
  const live = openPage(BUTTON).join()
  live.$('button').click()
  live.socket.take()
  live.socket.say({ t: 'lost', reason: 'worker_lost' })
  live.$('button').click()
  live.clock.advance(500)
  live.socket.take()
  live.joined(0, 1, { restored: true })
  assert.deepEqual(live.socket.take().map(({ n, r }) => [n, r]), [[1, true], [2, undefined]])
  assert.ok(!live.told.some(([name]) => name === 'unknown'))
})

test('a refused join is tried again, not sooner than the server wants', () => {
  const live = openPage('')
  live.socket.open()
  live.socket.take()
  live.socket.say({ t: 'error', reason: 'busy', retry_ms: 3000 })
  live.clock.advance(2999)
  assert.deepEqual(live.socket.take(), [])
  live.clock.advance(1)
  assert.equal(live.socket.take().length, 1)
  live.clock.random = () => 0
  live.socket.say({ t: 'error', reason: 'busy', retry_ms: 50_000 })
  live.socket.fail(1013)
  live.clock.advance(49_999)
  assert.equal(live.sockets.length, 1)
  live.clock.advance(1)
  assert.equal(live.sockets.length, 2)
})

test('a join that has to wait is not hurried by what is refused meanwhile', () => {
  const live = openPage(BUTTON).join(0)
  for (let i = 0; i < 3; i++) live.$('button').click()
  live.socket.say({ t: 'refused', n: 1, reason: 'unknown_session' })
  live.socket.take()
  live.socket.say({ t: 'error', reason: 'busy', retry_ms: 3000 }, { t: 'refused', n: 2, reason: 'unknown_session' },
    { t: 'lost', reason: 'unknown_session' }, { t: 'refused', n: 3, reason: 'gap' })
  live.clock.advance(2999)
  assert.deepEqual(live.socket.take(), [])
  live.clock.advance(1)
  assert.equal(live.socket.take('join').length, 1)
})

test('nothing of the old session is asked for while the page joins', () => {
  const live = openPage('<p>1</p>').join()
  live.patch('2') // to be acknowledged soon
  live.socket.say({ v: 0, s: 9, a: 0, d: { 3: 'x' } }) // and a gap
  live.socket.say({ t: 'lost', reason: 'worker_lost' })
  live.clock.advance(500)
  assert.deepEqual(live.socket.take().map(({ t }) => t), ['refresh', 'ack', 'join'])
  live.clock.advance(10_000)
  assert.deepEqual(live.socket.take(), [])
})

// A worker dies while three events of a page are under way: each of them is refused, and the session is lost.
function ended(live, events = 3) {
  for (let i = 0; i < events; i++) live.$('button').click()
  const numbers = live.socket.take('event').map(({ n }) => n)
  for (const n of numbers) {
    live.socket.say({ t: 'refused', n, reason: 'unknown_session' }, { t: 'lost', reason: 'unknown_session' })
  }
  return numbers
}

test('however many refusals there are, the page joins once, and goes on', () => {
  const live = openPage(BUTTON).join(0)
  ended(live)
  live.clock.advance(900)
  assert.deepEqual(live.socket.take(), [{ t: 'join', views: [{ token: 'token-2', s: 1 }] }])
  const id = 'b'.repeat(32)
  live.socket.say({ t: 'joined', n: 0, restored: true,
    views: [{ v: id, i: 4, s: 9, token: 'token-9', html: `<main dj-root>${BUTTON}<p>5</p></main>` }] })
  assert.equal(live.$('p').textContent, '5')
  live.clock.advance(1000)
  assert.deepEqual(live.socket.take().map(({ n, v, r }) => [n, v, r]), [[1, id, undefined], [2, id, undefined], [3, id, undefined]])
  live.socket.say({ v: 4, s: 10, a: 1, d: { 0: { h: `<main dj-root>${BUTTON}<p>6</p></main>` } } })
  assert.equal(live.$('p').textContent, '6')
  live.socket.say({ t: 'lost', reason: 'worker_lost' })
  live.clock.advance(500)
  assert.deepEqual(live.socket.take('join'), [{ t: 'join', views: [{ token: 'token-9', s: 10 }] }])
})

test('whatever asks for a join while one is unanswered, or due, leads to one', () => {
  const wake = (live) => live.window.dispatchEvent(new live.window.Event('online'))
  const triggers = {
    lost: (live) => live.socket.say({ t: 'lost', reason: 'worker_lost' }),
    unknown: (live, n) => live.socket.say({ t: 'refused', n, reason: 'unknown_session' }),
    gap: (live, n) => live.socket.say({ t: 'refused', n, reason: 'gap' }),
    large: (live, n) => live.socket.say({ t: 'refused', n, reason: 'too_large' }),
    refresh: (live) => live.socket.say({ t: 'refused', n: 0, reason: 'busy', retry_ms: 10 }),
    wake,
    shown: (live) => live.window.dispatchEvent(new live.window.Event('pageshow')),
  }
  for (const [first, one] of Object.entries(triggers)) {
    for (const [second, other] of Object.entries(triggers)) {
      const live = openPage(BUTTON).join(0)
      for (let i = 0; i < 3; i++) live.$('button').click()
      live.socket.take()
      one(live, 1)
      other(live, 2)
      triggers.unknown(live, 3)
      live.clock.advance(3000)
      assert.equal(live.socket.take('join').length, 1, `${first}, ${second}`)
      live.joined(0, 2)
      live.clock.advance(3000)
      assert.equal(live.socket.take('join').length, 0, `${first}, ${second}`)
    }
  }
})

test('a joined that nobody asked for brings its tokens all the same, and is told', (t) => {
  const error = t.mock.method(console, 'error', () => {})
  const live = openPage(BUTTON).join(0)
  live.socket.say({ t: 'joined', n: 0, views: [{ v: 'c'.repeat(32), i: 0, s: 4, token: 'token-4', html: '<main dj-root>4</main>' }] })
  assert.deepEqual([error.mock.callCount(), live.root.textContent], [1, '4'])
  live.socket.say({ t: 'lost', reason: 'worker_lost' })
  live.clock.advance(500)
  assert.deepEqual(live.socket.take('join'), [{ t: 'join', views: [{ token: 'token-4', s: 4 }] }])
})

test('a page whose roots are all gone asks for nothing more', () => {
  const live = openPage(BUTTON).join(0)
  live.root.remove()
  live.socket.say({ t: 'lost', reason: 'worker_lost' })
  live.clock.advance(600_000)
  assert.deepEqual([live.sockets.length, live.socket.readyState, live.socket.take('join')], [1, 3, []])
})

test('reload: once in ten seconds, else a message', async () => {
  const reload = async (ago, spoil = () => {}) => {
    const live = openPage('')
    live.window.sessionStorage.setItem('troupe-reload', live.clock.now() - ago)
    spoil(live.window)
    live.socket.open()
    live.socket.say({ t: 'reload', reason: 'expired' })
    live.clock.advance(60_000)
    await new Promise(setImmediate)
    assert.equal(live.sockets.length, 1)
    return [live.reloads, live.$('.troupe-note')?.textContent.includes('reload this page')]
  }
  assert.deepEqual(await reload(10_000), [1, undefined])
  assert.deepEqual(await reload(9_999), [0, true])
  const throws = { get() { throw Error('SecurityError') } }
  assert.deepEqual(await reload(10_000, (window) => Object.defineProperty(window, 'sessionStorage', throws)), [0, true])
})

test('reload with a message: it is shown, as the page would be refused again', () => {
  const live = openPage('')
  live.socket.open()
  live.socket.say({ t: 'reload', reason: 'user_unknown', message: 'The server cannot tell <b>who</b> you are.' })
  live.clock.advance(60_000)
  assert.deepEqual([live.reloads, live.sockets.length], [0, 1])
  assert.equal(live.$('.troupe-note').textContent, 'The server cannot tell <b>who</b> you are.')
})

test('an event of a page whose language was changed elsewhere goes over a new socket, once', () => {
  const live = openPage(BUTTON)
  let outdated = false
  live.env.outdated = () => outdated
  live.join()
  live.$('button').click()
  live.patch(BUTTON, 1)
  outdated = true
  live.$('button').click()
  assert.equal(live.sockets.length, 2)
  outdated = false
  live.join(1)
  live.$('button').click()
  assert.deepEqual([live.sockets.length, live.socket.take('event').map(({ n }) => n)], [2, [3]])
  assert.deepEqual(live.sockets[0].sent.filter(({ t }) => t === 'event').map(({ n }) => n), [1])
})

test('failed: what may be shown, as text only; a plain message otherwise', () => {
  const live = openPage(BUTTON).join()
  live.$('button').click()
  live.socket.say({ t: 'failed', n: 1, v: VIEW, error: { kind: 'python', type: 'ValueError',
    message: '<img src=x onerror=window.hacked=1>',
    frames: [] } })
  const note = live.$('.troupe-note')
  assert.ok(note.textContent.includes('ValueError: <img src=x onerror=window.hacked=1>'))
  assert.equal(note.querySelector('img'), null)
  assert.equal(live.root.contains(note), false)
  live.fire(live.document.body, 'keydown', { key: 'Escape' })
  assert.equal(live.$('.troupe-note'), null)
  live.$('button').click()
  live.socket.say({ t: 'failed', n: 2, v: VIEW, error: { kind: 'python', message: 'secret' } })
  assert.ok(!live.$('.troupe-note').textContent.includes('secret'))
  live.clock.advance(8000)
  assert.equal(live.$('.troupe-note'), null)
  live.document.addEventListener('troupe:failed', (event) => event.preventDefault())
  live.$('button').click()
  live.socket.say({ t: 'failed', n: 3, v: VIEW, error: { kind: 'python', message: 'x' } })
  assert.equal(live.$('.troupe-note'), null)
})

test('a session that is held: the user is told, and the page asks again, later and later', () => {
  const live = openPage(BUTTON)
  live.clock.random = () => 0.99
  live.socket.open()
  for (const wait of [2000, 4000, 8000]) {
    const { socket } = live
    const error = { kind: 'quarantined', type: 'quarantined', message: "'add' of shop.Cart ended", frames: [] }
    socket.say({ t: 'failed', error })
    assert.equal(live.$('.troupe-note[role=alert]').textContent, `quarantined: ${error.message}`)
    assert.equal(live.told.at(-1)[0], 'failed')
    socket.fail()
    live.clock.advance(wait * 0.9)
    assert.equal(live.socket, socket)
    live.clock.advance(wait * 0.1)
    assert.notEqual(live.socket, socket)
    live.socket.open()
  }
})

test('refusals: those that come back are told to scripts only, final ones to the user', () => {
  const live = openPage(BUTTON).join()
  live.$('button').click()
  live.socket.say({ t: 'refused', n: 1, reason: 'busy', retry_ms: 100 })
  assert.deepEqual(live.told.at(-1)[1].again, true)
  assert.equal(live.$('.troupe-note'), null)
  assert.equal(live.$('button').className, 'dj-loading')
  live.clock.advance(200)
  live.socket.say({ t: 'refused', n: 1, reason: 'too_large' })
  assert.ok(live.$('.troupe-note').textContent.includes('too large'))
  assert.equal(live.$('button').className, '')
})

test('a full line is told to the user', () => {
  const live = openPage(BUTTON)
  for (let i = 0; i < 72; i++) live.$('button').click()
  assert.equal(live.$('.troupe-note'), null)
  live.$('button').click()
  assert.ok(live.$('.troupe-note').textContent.includes('Too much'))
  assert.equal(live.told.at(-1)[1].reason, 'full')
})

test('a short interruption is not mentioned, a long one is, until it ends', () => {
  const live = openPage('').join()
  live.clock.random = () => 0.99
  live.socket.fail()
  live.clock.advance(1900)
  assert.equal(live.$('.troupe-note'), null)
  live.clock.advance(5000)
  assert.equal(live.$('.troupe-note').getAttribute('role'), 'status')
  live.socket.open()
  live.joined(0)
  assert.equal(live.$('.troupe-note'), null)
})

test('the page is left and comes back from the back-forward cache', () => {
  const live = openPage('<input dj-input="q">').join()
  live.type('input', 'x')
  const first = live.socket
  live.window.dispatchEvent(new live.window.PageTransitionEvent('pagehide', { persisted: true }))
  assert.deepEqual([first.take('event').length, first.readyState], [1, 3])
  live.clock.advance(60_000)
  assert.equal(live.sockets.length, 1)
  live.window.dispatchEvent(new live.window.PageTransitionEvent('pageshow', { persisted: true }))
  live.socket.open()
  assert.deepEqual(live.socket.take(), [{ t: 'join', views: [{ token: 'token-2', s: 1 }] }])
  live.joined(1, 2, { html: '<main dj-root><input dj-input="q"></main>' })
  assert.deepEqual(live.socket.take('event').map((frame) => frame.n), [1])
})

test('online and a tab that is looked at probe the socket', () => {
  const live = openPage('').join()
  live.window.dispatchEvent(new live.window.Event('online'))
  live.document.dispatchEvent(new live.window.Event('visibilitychange'))
  assert.deepEqual(live.socket.take(), [{ t: 'ping' }, { t: 'ping' }])
  live.clock.advance(10_000)
  assert.equal(live.document.documentElement.className, 'troupe-disconnected')
})

test('frames nobody knows, and views that are gone, do no harm', (t) => {
  const error = t.mock.method(console, 'error', () => {})
  const live = openPage('x').join()
  live.socket.say({ t: 'constructor' }, { t: 'later' }, { v: 'gone', s: 1, a: 0 },
    { t: 'token', v: 'gone', token: 'x' }, { t: 'failed', n: 99, error: {} },
    { t: 'unknown', n: 99, reason: 'x' }, { t: 'refused', n: 99, reason: 'busy' },
    { t: 'error', reason: 'malformed', message: 'm' })
  assert.equal(live.root.textContent, 'x')
  assert.equal(error.mock.callCount(), 1)
})

test('a page without a root opens no socket; the entry reads its path from the script', async () => {
  const live = openPage('')
  const opened = []
  for (const body of ['<body>plain</body>', '<body dj-root data-troupe="t"></body>']) {
    const window = windowOf(body)
    window.document.head.innerHTML = '<script type="module" data-troupe-socket="/live/ws/"></script>'
    window.WebSocket = class { constructor(address) { opened.push(String(address)) } close() {} }
    const { start } = await import('../../python/troupe/static/troupe/troupe.js')
    start(window).leave()
  }
  assert.deepEqual(opened, ['wss://example.test/live/ws/'])
  assert.ok(live)
})
