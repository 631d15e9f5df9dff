// patch.js - one view in the page: which version it shows, and how a patch leads to the next
// (PROTOCOL.md 9.3).

const REFRESH_MS = 5000
const ACK_MS = 250
const ACK_VERSIONS = 4

// What to do with a patch when `version` is shown: 'apply' it, take it as 'old', ask again after a 'gap'.
export function judge(version, { s, d }) {
  if (d && '0' in d) return version === undefined || s >= version ? 'apply' : 'old'
  if (version === undefined || s > version + 1) return 'gap'
  return s === version + 1 ? 'apply' : 'old'
}

// What a slot's value may be. Each answers false when the page has no such place: then the root is asked
// for again.
const OPERATIONS = [
  {
    when: (slot, value) => slot === '0' && typeof value?.h === 'string',
    run: (view, value) => view.morph(value.h),
  },
]

export class View {
  // send(frame): to Django, false when it cannot; morpher: morph.js's.
  constructor({ el, clock, send, morpher }) {
    Object.assign(this, { el, clock, send, morpher })
    this.id = undefined
    this.version = undefined
    this.deferred = null
    this.acked = undefined
    this.timers = {}
    morpher.adopt(el)
  }

  get token() {
    return this.el.dataset.troupe
  }

  set token(token) {
    this.el.dataset.troupe = token
  }

  asked() {
    return this.version === undefined ? { token: this.token } : { token: this.token, s: this.version }
  }

  joined({ v, s, token, html }) {
    this.disarm()
    if (token) this.token = token
    this.id = v ?? this.id
    this.version = this.acked = s
    if (html !== undefined) this.morph(html)
  }

  patch(frame) {
    const verdict = judge(this.version, frame)
    if (verdict === 'gap') return this.refresh()
    if (verdict === 'old') return undefined
    for (const [slot, value] of Object.entries(frame.d ?? {})) {
      const operation = OPERATIONS.find(({ when }) => when(slot, value))
      if (!operation?.run(this, value)) return this.refresh()
    }
    if (frame.d && '0' in frame.d) this.timers.refresh?.()
    this.version = frame.s
    return this.acknowledge()
  }

  // False: nothing could be made of the HTML.
  morph(html) {
    const result = this.morpher.apply(this.el, html)
    if (!result) return false
    this.el = result.root
    this.deferred = result.held ? html : null
    return true
  }

  // Something that was held (a form being sent, a composition) may be patched now.
  release() {
    if (this.deferred !== null) this.morph(this.deferred)
  }

  // Asks once, and again when nothing came.
  refresh() {
    if (this.timers.refresh) return
    this.send({ t: 'refresh', v: this.id })
    this.arm('refresh', REFRESH_MS, () => this.refresh())
  }

  // The worker stops pushing when it hears nothing; few acknowledgements are enough for it.
  acknowledge() {
    if (this.version - this.acked >= ACK_VERSIONS) this.ack()
    else if (this.version > this.acked && !this.timers.ack) this.arm('ack', ACK_MS, () => this.ack())
  }

  ack() {
    this.timers.ack?.()
    this.acked = this.version
    this.send({ t: 'ack', v: this.id, s: this.version })
  }

  arm(name, ms, run) {
    const cancel = this.clock.after(ms, () => {
      this.timers[name] = null
      run()
    })
    this.timers[name] = () => {
      this.timers[name] = null
      cancel()
    }
  }

  disarm() {
    for (const cancel of Object.values(this.timers)) cancel?.()
  }
}
