// foreign.js - which attributes of the live page are no longer as the server wrote them, because a script
// or the person (an opened <details>) changed them. A patch changes only what differs from the last
// *server* value, so that those changes survive it.

export class Foreign {
  constructor(MutationObserver) {
    this.values = new Map() // element -> Map(attribute -> the server's last value, null: none)
    this.ours = new Map() // element -> Set(attributes that the patch in progress wrote)
    this.observer = new MutationObserver((records) => this.note(records))
  }

  watch(root) {
    this.observer.observe(root, { attributes: true, attributeOldValue: true, subtree: true })
  }

  // Before a patch: what happened until now is not ours.
  begin() {
    this.note(this.observer.takeRecords())
    for (const el of this.values.keys()) if (!el.isConnected) this.values.delete(el)
  }

  // After a patch: of its records the first for each attribute that we wrote is ours. Others come from
  // custom elements, which answer to being inserted or changed.
  end() {
    this.note(this.observer.takeRecords())
    this.ours.clear()
  }

  elements() {
    return this.values.keys()
  }

  // The server's last value of an attribute; undefined: nobody else changed it.
  last(el, name) {
    return this.values.get(el)?.get(name)
  }

  // The server's value is `last`, while the page shows something else.
  keep(el, name, last) {
    if (!this.values.has(el)) this.values.set(el, new Map())
    this.values.get(el).set(name, last)
  }

  forget(el, name) {
    const values = this.values.get(el)
    if (values?.delete(name) && !values.size) this.values.delete(el)
  }

  wrote(el, name) {
    if (!this.ours.has(el)) this.ours.set(el, new Set())
    this.ours.get(el).add(name)
  }

  note(records) {
    for (const { target, attributeName: name, attributeNamespace, oldValue } of records) {
      if (attributeNamespace || this.ours.get(target)?.delete(name)) continue
      if (this.last(target, name) === undefined) this.keep(target, name, oldValue)
    }
  }
}
