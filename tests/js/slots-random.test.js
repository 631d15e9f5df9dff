import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pageFrom, State } from './random-pages.js'
import { randomFrom } from './seeded-random.js'
import { served } from './served-page.js'

test('random pages and states: after each patch the page is as Django renders it', () => {
  const base = Number(process.env.TROUPE_SEED ?? 1)
  const count = Number(process.env.TROUPE_CASES ?? 40)
  console.log(`seeds ${base} to ${base + count - 1}; TROUPE_SEED and TROUPE_CASES choose others`)
  for (let seed = base; seed < base + count; seed++) {
    const random = randomFrom(seed)
    const live = served(pageFrom(random), new State(seed, 0, 0.7), { cached: random() < 0.5 })
    live.check(`seed ${seed}: the page`)
    for (let step = 1; step < 8; step++) {
      live.to(new State(seed, step, random()))
      assert.deepEqual(live.socket.take('refresh'), [], `seed ${seed} step ${step}: the page asked for its root`)
      live.check(`seed ${seed} step ${step}`)
      if (random() < 0.1) live.whole(`seed ${seed} step ${step}, whole`)
    }
  }
})
