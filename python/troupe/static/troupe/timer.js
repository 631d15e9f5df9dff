// timer.js - a timer that holds one thing at a time, on a clock that tests can replace (Clock in types.d.ts).

/** @import { Clock } from './types.js' */

/** @param {Clock} clock */
export function createTimer(clock) {
  /** @type {(() => void) | null | undefined} */
  let stop
  const cancel = () => {
    stop?.()
    stop = null
  }
  return {
    cancel,
    isSet: () => stop, // truthy, or not

    /**
     * @param {number} ms
     * @param {() => void} run
     */
    set(ms, run) {
      cancel()
      stop = clock.after(ms, () => {
        stop = null
        run()
      })
    },
  }
}
