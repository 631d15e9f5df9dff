// troupe.d.ts - what a page, and its own scripts, may use of the browser's side (docs/guide.md, "In the template").
//
// The script is loaded by {% troupe_script %} and starts by itself: there is nothing to import but these types, and no
// global variable. In TypeScript: /// <reference path="…/troupe/troupe.d.ts" />

/** What went wrong in the worker. Only with DEBUG there are type, message and frames of the stack. */
export interface TroupeError {
  /** A word of PROTOCOL.md 7: "python", "quarantined", … */
  kind: string
  message?: string
  type?: string
  frames?: (string | number)[][]
  /** Django's debug page for an exception, as HTML (only while developing). */
  page?: string
}

/** An event of the user's that did not end well. */
export interface TroupeEventDetail {
  /** The handler; absent where no event is to blame: a view that failed by itself. */
  name?: string
  params?: { [name: string]: unknown }
  /** "files": a file was chosen in what was to be sent. Else a word of PROTOCOL.md 7, "full" or "too_large". */
  reason?: string
  error?: TroupeError
}

/** `again`: it is sent again by itself, and nothing is shown. */
export interface TroupeRefusedDetail extends TroupeEventDetail {
  again?: boolean
}

export interface TroupeReason {
  reason: string
}

/** Dispatched on `document`. preventDefault() suppresses the built-in message, and for `troupe:reload` the reload. */
export interface TroupeEventMap {
  /** The page's views are joined. */
  'troupe:connected': CustomEvent<{}>
  /** There is no connection, or the session is being restored elsewhere: the page joins again by itself. */
  /** code: the socket's close code; without one, the server did not answer in time, or lost the page's worker. */
  'troupe:disconnected': CustomEvent<{ code?: number }>
  /** A handler, or the view itself, raised. The page stays as it is. */
  'troupe:failed': CustomEvent<TroupeEventDetail>
  /** An event was not executed. */
  'troupe:refused': CustomEvent<TroupeRefusedDetail>
  /** Whether an event was executed cannot be determined. */
  'troupe:unknown': CustomEvent<TroupeEventDetail>
  /** The page's worker is gone. */
  'troupe:lost': CustomEvent<TroupeReason>
  /** The state that the page showed is gone (after a deploy, say): it began anew. */
  'troupe:anew': CustomEvent<{}>
  /** A handler sends the user to another address; preventDefault() keeps the page. */
  'troupe:redirect': CustomEvent<{ url: string }>
  /** The page is about to load itself again. */
  'troupe:reload': CustomEvent<TroupeReason>
  /** The page has given up: the user has to load it again. */
  'troupe:error': CustomEvent<TroupeReason>
}

type Handler = string
type Milliseconds = `${number}` | number

/** Attributes of elements in a view; for templates that are type-checked (JSX and the like). */
export interface TroupeAttributes {
  'dj-root'?: ''
  'dj-click'?: Handler
  'dj-submit'?: Handler
  'dj-input'?: Handler
  'dj-change'?: Handler
  'dj-focus'?: Handler
  'dj-blur'?: Handler
  'dj-keydown'?: Handler
  [key: `dj-keydown.${string}`]: Handler
  /** A parameter; `dj-value-id:int` says its type. */
  [parameter: `dj-value-${string}` | `dj-value-${string}:${'int' | 'float' | 'bool' | 'json'}`]: string | number | boolean
  'dj-debounce'?: Milliseconds
  'dj-throttle'?: Milliseconds
  /** Asked before the event is sent. */
  'dj-confirm'?: string
  /** Which row of a list this is. */
  'dj-key'?: string | number
  'dj-ignore'?: ''
  'dj-update'?: 'ignore'
}

/** On <html>, by the state of the connection. */
export type TroupeDocumentClass = 'troupe-connected' | 'troupe-disconnected' | 'troupe-error'
/** On an element while one of its events is unanswered; on the built-in message. */
export type TroupeElementClass = 'dj-loading' | 'troupe-note'

declare global {
  interface DocumentEventMap extends TroupeEventMap {}
}
