// page.ts - what a page's own script may write against troupe.d.ts; checked by scripts/check js-types, never run.

import type { TroupeAttributes, TroupeDocumentClass, TroupeEventMap } from '../../../python/troupe/static/troupe/troupe.js'

document.addEventListener('troupe:failed', (event) => {
  event.preventDefault()
  const kind: string | undefined = event.detail.error?.kind
  const parameter: unknown = event.detail.params?.id
  console.log(event.detail.name, kind, parameter)
})
document.addEventListener('troupe:refused', ({ detail }) => detail.again || alert(detail.reason))
document.addEventListener('troupe:lost', ({ detail }) => console.log(detail.reason.toUpperCase()))
document.addEventListener('troupe:anew', (event) => event.preventDefault())

// @ts-expect-error: a failed event has no such member
document.addEventListener('troupe:failed', ({ detail }) => detail.frames)

// @ts-expect-error: no such event
export type Wrong = TroupeEventMap['troupe:closed']

export const state: TroupeDocumentClass = 'troupe-connected'
export const button: TroupeAttributes = { 'dj-click': 'buy', 'dj-value-id:int': 3, 'dj-debounce': '300' }
export const field: TroupeAttributes = { 'dj-keydown.enter': 'add', 'dj-update': 'ignore' }

// @ts-expect-error: dj-update knows "ignore" only
export const wrong: TroupeAttributes = { 'dj-update': 'append' }
