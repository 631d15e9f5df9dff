// timings.js - how long the browser's side waits for what, and how often it tries. In a module of its own, esbuild
// inlines the numbers.

// The connection (socket.js).
export const RECONNECT_FIRST_MS = 1000 // the upper bound of the first delay; it doubles with each attempt
export const RECONNECT_MAX_MS = 30000
export const PING_MS = 25000
export const PONG_MS = 10000
export const JOINED_MS = 20000 // until a join is answered

// The page (page.js).
export const REJOIN_SPREAD_MS = 500 // over which the pages of a worker that was lost join again
export const RELOAD_AGAIN_MS = 10000 // a page that was loaded again within this time is not loaded again by itself

// Events (timed-events.js, event-queue.js).
export const INPUT_DELAY_MS = 300 // of dj-input, after the last key
export const RANGE_INTERVAL_MS = 150 // of dj-input, while a slider is dragged
export const RETRY_FIRST_MS = 100
export const RETRY_MAX_MS = 5000

// A view (view.js).
export const REFRESH_AGAIN_MS = 5000 // when nothing came; twice as long each time
export const MAX_REFRESHES = 8 // one after the other, in vain
export const ACK_MS = 250
export const ACK_VERSIONS = 4 // acknowledged at once when so many came

// What the user is shown (status.js).
export const PATIENCE_MS = 2000 // a shorter interruption needs no words
export const TOAST_MS = 8000
