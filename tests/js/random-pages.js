// random.js - random pages for the model (model-server.js), and random states for them.

import { randomFrom } from './seeded-random.js'

// A page of blocks: every slot reads its own value from a state, by a number.
export function pageFrom(random) {
  let slots = 0
  const pick = (list) => list[Math.floor(random() * list.length)]
  const text = () => {
    const id = slots++
    return { t: (data) => data.text(id) }
  }
  const attributes = () => {
    const id = slots++
    return pick([{}, {}, { class: 'k' }, { title: (data) => data.word(id) }, { class: (data) => data.word(id), id: 'x' },
      { '*': (data) => data.tag(id) }])
  }
  const blanks = () => pick(['', '', ' ', '\n  '])
  function nodes(depth, most = 4) {
    const list = []
    const count = Math.floor(random() * (most + 1))
    for (let i = 0; i < count; i++) {
      const next = node(depth)
      const last = list.at(-1)
      const isText = (each) => typeof each === 'string' || each?.t
      if (isText(next) && isText(last)) continue // a slot's text has its static neighbours in it
      list.push(next)
    }
    return list
  }
  function node(depth) {
    const dice = random()
    if (depth <= 0 || dice < 0.3) return pick([text(), text(), 'static', '\n'])
    if (dice < 0.35) return ['!', 'note']
    if (dice < 0.42) return [pick(['input', 'br']), { value: 'v' }]
    if (dice < 0.46) return ['textarea', {}, text()]
    if (dice < 0.58) return branch(depth)
    if (dice < 0.72) return list(depth)
    if (dice < 0.76) return region()
    if (dice < 0.8) return ['table', attributes(), ['tbody', {}, list(depth, 'tr')]]
    if (dice < 0.83) return ['svg', {}, ['g', attributes(), list(depth, 'circle')]]
    if (dice < 0.86) return ['p', attributes(), text()]
    return [pick(['div', 'span', 'section']), attributes(), ...nodes(depth - 1)]
  }
  function branch(depth) {
    const id = slots++
    const blocks = [nodes(depth - 1), nodes(depth - 1)]
    return { b: (data) => data.branch(id, blocks) }
  }
  function region() {
    const id = slots++
    return { h: (data) => data.markup(id) }
  }
  function list(depth, tag) {
    const id = slots++
    const keyed = random() < 0.6
    const key = keyed ? { 'dj-key': (data) => data.key } : {}
    const inside = tag === 'circle' ? [] : tag ? [['td', {}, text()], ['td', attributes(), text()]] : nodes(depth - 1)
    const row = [[tag ?? 'div', { ...key, ...attributes() }, ...inside]]
    if (random() < 0.6 || tag === 'tr') row.unshift(blanks()), row.push(blanks())
    else if (!tag) row.unshift(text()), row.push(text())
    const empty = tag || random() < 0.5 ? undefined : nodes(depth - 1)
    return { l: (data) => data.rows(id), row, key: keyed ? 'dj-key' : undefined, by: (data) => data.key, empty }
  }
  return ['main', { 'dj-root': '', 'data-troupe': 'token-1' }, ...nodes(4, 7)]
}

// The values of one state. `calm`: how likely a value is the same as for the seed alone.
export class State {
  constructor(seed, step, calm, path = '') {
    Object.assign(this, { seed, step, calm, path, key: path.split('/').at(-1) })
  }

  random(id) {
    const own = [...`${this.path}#${id}`].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) | 0, this.seed)
    const stays = randomFrom(own + this.step * 7919)() < this.calm
    return randomFrom(stays ? own : own + this.step * 104729)
  }

  pick(id, list) {
    return list[Math.floor(this.random(id)() * list.length)]
  }

  word(id) {
    return this.pick(id, ['', 'a', 'a b', '"<&>', 'é🎭', '&amp;', '\n'])
  }

  tag(id) {
    return this.pick(id, ['', 'hidden', 'class="a b"', 'title="&quot;" data-x=1', 'class=c hidden'])
  }

  text(id) {
    return this.pick(id, ['', '', 'x', 'two words', '<b>&amp;</b>', '\n\n', 'é🎭', '0', { h: '<b>x</b> y' },
      { h: 'a<i>1</i><br>' }, { h: '&eacute;' }, { h: '<input value="1">' }])
  }

  markup(id) {
    return this.pick(id, ['', 'x', '<p>a</p>', '<p>a</p><p id="b">b</p>', '<ul><li>1<li>2</ul>', '<input>'])
  }

  branch(id, blocks) {
    const block = this.pick(id, [null, ...blocks])
    return block && [block, this.under(`b${id}`)]
  }

  rows(id) {
    const random = this.random(id)
    const names = ['1', '2', '10', 'a', 'b', '__proto__', 'constructor', 'é', '"', 'x y']
    const count = Math.floor(random() * 7)
    const keys = names.map((name) => [random(), name]).sort((a, b) => a[0] - b[0]).slice(0, count).map(([, name]) => name)
    if (random() < 0.05 && keys.length > 1) keys[0] = keys[1]
    return keys.map((key) => this.under(key))
  }

  under(part) {
    return new State(this.seed, this.step, this.calm, `${this.path}/${part}`)
  }
}
