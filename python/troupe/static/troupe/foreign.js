// foreign.js - writes attributes, and knows which of them are no longer as the server wrote them, because a
// script or the person (an opened <details>) changed them. Only what differs from the last *server* value is
// written, so that those changes survive.

const words = (text) => (text ?? '').split(/\s+/).filter(Boolean)

export function foreignOf({ document, MutationObserver }) {
  const values = new Map() // element -> Map(attribute -> the server's last value, null: none)

  const keep = (el, name, value) => {
    if (!values.has(el)) values.set(el, new Map())
    values.get(el).set(name, value)
  }

  const note = (records) => {
    for (const { target, attributeName, attributeNamespace, oldValue } of records) {
      if (attributeNamespace || values.get(target)?.has(attributeName)) continue
      keep(target, attributeName, oldValue)
    }
  }

  const observer = new MutationObserver(note)

  // What happened until now is not ours.
  const catchUp = () => note(observer.takeRecords())

  // The server's classes, less those that others took away, and those that others added.
  function merged(last, live, value) {
    const [server, shown, next] = [last, live, value].map(words)
    const kept = next.filter((name) => shown.includes(name) || !server.includes(name))
    const all = [...new Set([...kept, ...shown.filter((name) => !server.includes(name))])].join(' ')
    return all === next.join(' ') ? value : all
  }

  // Makes an attribute what the server says; null: none. False: it said so before. attr: one that is so,
  // for names (@click) that the parser takes and setAttribute refuses, and for its namespace.
  function set(el, name, value, attr) {
    catchUp()
    const last = values.get(el)?.get(name)
    const now = el.getAttribute(name)
    if (value === (last === undefined ? now : last)) return false
    values.get(el)?.delete(name)
    const shown = name === 'class' && last !== undefined ? merged(last, now, value) : value
    if (shown !== value) keep(el, name, value)
    if (shown !== now) write(el, name, shown, attr)
    // The first is ours. Others come from custom elements, which answer to being changed.
    note(observer.takeRecords().slice(1))
    return true
  }

  function write(el, name, value, attr) {
    const mine = el.getAttributeNode(name)
    if (value === null) {
      // A modal dialog without its attribute would stay above the page, shut.
      if (name === 'open' && el.localName === 'dialog') el.close?.()
      el.removeAttribute(name)
    } else if (mine) mine.value = value
    else {
      const copy = attr ? document.importNode(attr, true) : document.createAttribute(name)
      copy.value = value
      el.setAttributeNode(copy)
    }
  }

  return {
    set,
    watch: (root) => observer.observe(root, { attributes: true, attributeOldValue: true, subtree: true }),
    begin() {
      catchUp()
      for (const el of values.keys()) if (!el.isConnected) values.delete(el)
    },
    isIn: (el) => [...values.keys()].some((each) => el.contains(each)),
    // Names of attributes, with those that others took away.
    names: (el) => [...el.getAttributeNames(), ...(values.get(el)?.keys() ?? [])],
  }
}
