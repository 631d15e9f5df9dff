// timer.js - one thing that is due later. A clock is {now(), random(), after(ms, run): a function that cancels}.

export function timerOf(clock) {
  let cancel
  const clear = () => {
    cancel?.()
    cancel = null
  }
  return {
    clear,
    runs: () => cancel, // truthy, or not
    set(ms, run) {
      clear()
      cancel = clock.after(ms, () => {
        cancel = null
        run()
      })
    },
  }
}
