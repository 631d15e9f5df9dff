// types.d.ts - the shapes that the modules share: what travels (PROTOCOL.md, part II) and what stands in the page.
// For the type checker only (scripts/check js-types); no browser loads it. What a page may use is in troupe.d.ts.

// --- The wire: JSON frames over the WebSocket (PROTOCOL.md 9.2 and 9.3) ---------------------------------------

/** 32 hex digits. */
export type ViewId = string
/** Eight characters that name a chunk by its content. */
export type Hash = string
export type Params = { [name: string]: unknown }

export type ClientFrame = JoinFrame | EventFrame | RefreshFrame | AckFrame | { t: 'ping' }

export interface JoinFrame {
  t: 'join'
  views: JoinRequest[]
}

export interface JoinRequest {
  token: string | undefined
  /** The version that the page shows; absent on a page as HTTP delivered it. */
  s: number | undefined
  /** The newest renewal of the token. */
  g: string | undefined
}

export interface EventFrame {
  t: 'event'
  n: number
  v: ViewId | undefined
  e: string
  p: Params
  /** A worker that died may have executed it. */
  r: boolean | undefined
}

export interface RefreshFrame {
  t: 'refresh'
  v: ViewId | undefined
  /** These chunks only. */
  c?: Hash[]
  /** The page could not be adopted twice: whole roots from now on. */
  w?: boolean
}

export interface AckFrame {
  t: 'ack'
  v: ViewId | undefined
  s: number
}

export type ServerFrame =
  | PatchFrame | JoinedFrame | FailedFrame | RefusedFrame | UnknownFrame | TokenFrame | LostFrame | ReloadFrame
  | ErrorFrame | PongFrame

export interface JoinedFrame {
  t: 'joined'
  n: number
  fresh?: boolean
  restored?: boolean
  /** In the order of the join. */
  views: JoinedView[]
}

/** What an answer does beside its patch: sends the user elsewhere, has cookies set. */
export interface Effects {
  /** An address; where it leads is not the page's to judge. */
  redirect?: string
  /** To be exchanged for cookies, once. */
  ticket?: string
  /** For the developer (DEBUG). */
  warnings?: string[]
}

export interface JoinedView extends Effects {
  v: ViewId
  i: number
  s: number
  k?: Hash[]
  g?: string
  token?: string
  /** Without it the page is right as it is. */
  html?: string
  T?: Decodable
  /** Its state was lost, and it began anew. */
  anew?: boolean
  error?: ErrorDetail
}

export interface PatchFrame extends Effects {
  t?: undefined
  /** The number of the view (JoinedView.i). */
  v: number
  /** The version that it leads to. */
  s: number
  /** The event that it answers; 0: none. */
  a: number
  k?: Hash[]
  c?: [Hash, Chunk][]
  d?: PatchValues
  /** It has differences: the part of this name has to be there. */
  p?: 'differences'
}

export interface FailedFrame extends Effects {
  t: 'failed'
  n?: number
  v?: ViewId
  error?: ErrorDetail
}

export interface RefusedFrame {
  t: 'refused'
  n?: number
  reason: string
  retry_ms?: number
  r?: boolean
  message?: string
}

export interface UnknownFrame {
  t: 'unknown'
  n?: number
  reason: string
  message?: string
}

export interface TokenFrame {
  t: 'token'
  v: ViewId
  token: string
}

export interface LostFrame {
  t: 'lost'
  reason: string
}

export interface ReloadFrame {
  t: 'reload'
  reason: string
  /** To be shown instead of loading the page again, which would not help. */
  message?: string
}

export interface ErrorFrame {
  t: 'error'
  reason: string
  retry_ms?: number
  message?: string
}

export interface PongFrame {
  t: 'pong'
}

/** What went wrong. The stack's frames come only while developing (DEBUG). */
export interface ErrorDetail {
  kind: string
  message?: string
  type?: string
  frames?: (string | number)[][]
  page?: string
}

// --- Chunks and patches (PROTOCOL.md 9.5 and 9.6) -------------------------------------------------------------

/** Text, or what the browser has to decode itself. */
export type Decodable = string | { h: string }

/** t: text, a: attribute, g: open tag, r: raw text, b: branch, l: list, h: region, T: the page's title; c: a text that the user
 *  edits (t on the wire). */
export type SlotKind = 't' | 'c' | 'a' | 'g' | 'r' | 'b' | 'l' | 'h' | 'T'

/** Kind; path of units; local name of the element there; gap, attribute or unit; key attribute of a list. */
export type SlotDescriptor = [
  kind: SlotKind, path?: number[], name?: string, position?: number | string, keyAttribute?: string | null,
]

/** The markup of a block type, and where its slots are. */
export interface Chunk {
  /** The skeleton; the page's own chunk has none. */
  h?: string
  s: SlotDescriptor[]
  /** The block is one element with static white space of these lengths around it. */
  one?: [lead: number, trail: number]
  /** Signs of the units of each parent on the slots' paths, a character each; commas between parents. */
  u?: string
}

/** A chunk as it is kept in memory: with what was derived from it. */
export interface CachedChunk extends Chunk {
  places: Place
  /** `h`, parsed inside of an element of the kind `within`. */
  holder?: Element
  within?: string
}

/**
 * Where slots are, as a tree of elements: slots of the element itself (`own`), text slots by their gaps (t0…),
 * ranges by their units (r0…), and elements by their units (0…).
 */
export interface Place {
  name?: string
  signs?: string
  own?: SlotPosition[]
  [text: `t${number}`]: SlotPosition
  [range: `r${number}`]: SlotPosition
  [unit: number]: Place
}

export interface SlotPosition {
  kind: SlotKind
  /** In its block, from 1 on. */
  number: number
  position: number | string | undefined
  keyAttribute: string | null | undefined
}

/** By slot number, as text. Slot 0 is the whole root. */
export type PatchValues = { [slot: string]: any }
export type BranchValue = { b?: number | null, [slot: string]: any }
/**
 * What differs in an element, or in some of its children: how many units there are, and its new open tag or some of its
 * attributes, texts by gap, changes inside of units, and units that came, went or changed places.
 */
export type Change = [count: number, ...members: (
  | string
  | { [attribute: string]: string | null }
  | [gap: number, text: Decodable]
  | [unit: number, name: string, inside: Change]
  | [from: number, to: number, items: (number | [first: number, last: number] | string)[]])[]]
export interface ListValue {
  x?: 'l' | 'p'
  b?: number
  '-'?: string[]
  m?: [key: string, after: string | null, values?: PatchValues][]
  r?: { [key: string]: PatchValues }
  e?: BranchValue
}

// --- Slots in the page ----------------------------------------------------------------------------------------

/** An instance of a block in the page: its slots by number (none at 0). */
export type Block = Slot[]

/**
 * Which members there are depends on the kind:
 *   a, c, g, r, T   el
 *   t            node: a text node that is the slot's for ever; start and end: anchors around markup before it
 *   b, l, h      node and end: the two anchors; block: what a branch, or an empty list, shows; rows: those of a list
 */
export interface Slot extends SlotPosition {
  el: Element
  node: Node & { data: string }
  start: Node
  end: Node | null
  block: Block | null
  rows: Map<string, Row>
}

export interface Row {
  block: Block
  first: Node
  last: Node
  /** The row's first element. */
  el: Element
}

// --- Modules --------------------------------------------------------------------------------------------------

export type BrowserWindow = Window & typeof globalThis

/** Time, timers and randomness, so that tests bring their own. */
export interface Clock {
  now(): number
  random(): number
  /** Returns a function that cancels. */
  after(ms: number, run: () => void): () => void
}

/** What a page needs of the world outside. */
export interface PageEnvironment {
  window: BrowserWindow
  clock: Clock
  connect(): WebSocket
  /** Whether a cookie that decides what the page shows has changed since connect(). */
  outdated?(): boolean
  reload(): void
  /** Sends the browser to an address, of this site or another. */
  visit(url: string): void
  /** Exchanges a ticket for cookies; resolves to an HTTP status, 204 when that worked, 0 without an answer. */
  collect(ticket: string): Promise<number>
  /** Those of one page that the server sent; without it: all. */
  roots?: HTMLElement[]
  /** Tokens that were joined with before, and their renewals. */
  tokens?: Map<string, string | undefined>
  /** The roots are of several pages. */
  apart?(): void
  /** Loads a part of the browser's side. */
  load(name: string, then: (module: any) => void, failed: () => void): unknown
}

/** For as long as the page has roots; at the document, or another target. */
export type Listen = (type: string, run: (event: any) => void, target?: EventTarget, capture?: boolean) => void

export type Load = (name: string, then: (module: any) => void) => void

/** The events that a page's scripts are told of. */
export type StatusEvent = keyof import('./troupe.js').TroupeEventMap extends `troupe:${infer Name}` ? Name : never

export type Outcome = 'done' | 'failed' | 'unknown' | 'refused'
/** A frame with an outcome, or what takes its place where there is none. */
export interface OutcomeFrame {
  error?: ErrorDetail
  reason?: string
  redirect?: string
}
/** Called once with an event's outcome; may return what is to be done when the patch is in the page. */
export type Settle = (outcome: Outcome) => (() => void) | void

/** An event as the queue has it. */
export interface QueuedEvent {
  name: string
  params: Params
  /** The view's id when it is sent. */
  view(): ViewId | undefined
  settle(outcome: Outcome, frame: OutcomeFrame): (() => void) | void
}

/** A form control, as far as its value is concerned. */
export type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement

export type Caret = [start: number | null, end: number | null, direction: 'forward' | 'backward' | 'none' | null]

/** What a morph has to know of events that are under way. See dom-events.js. */
export interface EventState {
  held(el: Element): boolean | undefined
  busy(el: Element): boolean
  hurry(el: Element): void
  mayFocus(active: Element | null): boolean
  equip(start?: () => void, grown?: Node[]): void
  written(): void
  editor: { get(): Editor | undefined }
  reported: Set<Element>
  patching: boolean
}

export interface FormsOptions {
  click(event: MouseEvent): void
  submit(event: SubmitEvent): void
  rootOf(el: Element): Element | null
  clock: Clock
  document: Document
  editor: { get(): Editor | undefined }
  /** Counts a control's unanswered values. */
  count(control: Element, change: number): void
  listen: Listen
  emit(el: Element, name: string, root: Element | null, params: Params, control: undefined, then: Settle): void
  /** Tells that an event is not sent. */
  refuse(detail: { name: string, params: Params, reason?: string }): void
  /** The user changed a control. */
  typed(control: Element, attribute: string): void
}

export type Editor = ReturnType<typeof import('./editor.js').create>
export type Notes = ReturnType<typeof import('./notes.js').create>
export type Forms = ReturnType<typeof import('./forms.js').create>
export type Morpher = ReturnType<typeof import('./morph.js').createMorpher> & {
  /** What differences.js is, when it is there. */
  differ?: (slot: Partial<Slot>, change: Change, parent: Element) => boolean
}
export type ChunkCache = ReturnType<typeof import('./chunk-cache.js').createChunkCache>
export type Page = ReturnType<typeof import('./page.js').createPage>

// --- Strangers (early.js) --------------------------------------------------------------------------------------

export type AttributeRecord = MutationRecord & { target: Element, attributeName: string }

/** From one to another of the server's children of a parent. */
export interface Walk {
  first: ChildNode | null
  next(node: ChildNode): ChildNode | null
  /** Another one follows a node now. */
  link(node: ChildNode, next: ChildNode | null): void
  insert(node: Node, follower: ChildNode | null): void
}

/** What others than the server did to the page's tree. */
export interface Strangers {
  /** It was there before any root was: it knows all of them. */
  sure: boolean
  /**
   * Looks for strangers that nobody saw come: marks which of the children does not fit the signs of the server's. Throws if
   * that is not certain.
   */
  align(parent: Node, signs: string | undefined): void
  /** Whether others put this node where it is; asked of children of the server's elements. */
  isStranger(node: Node): boolean
  /** Whether children(parent) may be anything else than all that stands there. */
  isDisturbed(parent: Node): boolean
  /** The server's children in its order, with those that others moved elsewhere or removed. */
  children(parent: Node): ChildNode[]
  /** The server's nodes between two of them, without these. */
  between(start: Node, end: Node | null): ChildNode[]
  /** Where to insert what comes before `follower`, one of the server's children; null: behind them all. */
  spot(parent: Node, follower: Node | null): { where: Node, before: Node | null }
  walk(parent: ParentNode): Walk
  /** Removes what is between two nodes, but of a list's range only the server's, and what of that others moved elsewhere. */
  cutRange(start: Node, end: Node, isList?: boolean): void
  /** Removes a row, but not what others put beside its elements. */
  cut(row: Row): void
  /** What moves with a row: also what others put between its nodes, or around them. */
  span(row: Row): ChildNode[]
  /** What follows one of the server's nodes in a parent; others may have put another element around it. */
  behind(parent: Node, node: Node): ChildNode | null
  /** What others put in place of one of the server's nodes that they removed. */
  standIns(node: Node): ChildNode[]
  /**
   * Which of the server's nodes are there, to be morphed. What others removed stays away as long as the server does not
   * change it: it leaves `news`. What they moved elsewhere is morphed there.
   */
  present(parent: Element, nodes: ChildNode[], news: any[], match: Function, morph: (old: Element, next: Element) => void): ChildNode[]
  /** Joins the server's texts that stand beside each other. */
  joinTexts(el: Node): void
  /** The server does not have this child any more, of which no record tells: it stood elsewhere. */
  drop(parent: Node, child: Node): void
  /**
   * All changes to the page's tree that are the client's are made in here. Whoever inserts what may hold custom elements has
   * called one of isDisturbed(), children(), between(), walk(), take() and watch() in here before: otherwise nobody sees
   * what they put into themselves.
   */
  run(work: () => void): void
  /** The same, to find the slots of a page: once more, looking for strangers that nobody saw come, if it throws. */
  adopt(work: () => void): void
  /** What happened until now was others, but for the first `skip` records; in run() trees are changed by the client. */
  take(skip?: number): void
  /** Calls the listener whenever others bring roots, or take them or all that is in one away, once the page is parsed. */
  onRoots(listener: () => void): void
  /** Attributes that others changed: their last values from the server, null: it had none. */
  attributeValues: Map<Element, Map<string, string | null>>
  keepValue(el: Element, name: string, value: string | null): void
  /** From now on what others change in the attributes of this root is kept. */
  watch(root: Node): void
  /** Whether others changed an attribute in there. */
  isIn(el: Element): boolean
  /** What the server said last of an attribute. */
  serverValue(el: Element, name: string): string | null
  /** Names of attributes, with those that others took away. */
  names(el: Element): string[]
}

declare global {
  var troupeStrangers: Strangers
}
