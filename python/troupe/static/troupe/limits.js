// Made from common/limits.def by scripts/lib/limits_table.py. Don't edit.
export const MAX_CHUNKS_ASKED = 256 // chunks that a page asks for in one REFRESH
export const MAX_BROWSER_FRAME = 64 << 10 // bytes of a frame from a browser
export const MAX_EVENTS_SENT = 8 // events of a page that are sent and not answered
export const MAX_EVENTS_WAITING = 64 // events of a page that wait in the browser
