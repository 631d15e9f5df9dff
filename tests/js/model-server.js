// model-server.js - a little server for tests: pages as blocks with slots, their chunks, their HTML with and without
// anchors, and the patch from one state to the next. By PROTOCOL.md 9.3, and knows nothing of the browser's side.
//
// A block is a list of nodes: 'static text', [tag, {attribute: value}, ...nodes], or a slot:
//   {t: f}                text: f(data) is the text, or {h: markup}
//   {b: f}                branch: f(data) is [block, data] or null
//   {l: f, row, key, empty, by}   list: f(data) are rows' data; key: an attribute of the row's element, by(data) its value
//   {h: f}                region: f(data) is markup
// An attribute whose value is a function is a slot. In a tag with {'*': f}, f(data) is more of its inside ('a="1" b'),
// and the tag is one slot.

const escape = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')
const VOID = new Set(['input', 'br', 'img', 'hr'])
const RAW = new Set(['textarea', 'script', 'style'])
const markup = (value, tag) => value.h ?? (tag === 'script' || tag === 'style' ? value : escape(value))

const isSlot = (node) => typeof node === 'object' && !Array.isArray(node)

// A row is "one" if it is one element with nothing but blanks around it.
function oneOf(nodes) {
  const around = nodes.filter((node) => !Array.isArray(node))
  if (nodes.length - around.length !== 1 || around.some((node) => typeof node !== 'string' || node.trim())) return null
  const at = nodes.findIndex(Array.isArray)
  return [nodes.slice(0, at).join('').length, nodes.slice(at + 1).join('').length]
}

export function chunkOf(block, isRow = false) {
  const slots = []
  const html = skeleton(block, [], '', slots)
  const one = isRow && oneOf(block)
  return { h: html, s: slots.map(({ desc }) => desc), ...(one ? { one } : {}) }
}

function skeleton(nodes, path, name, slots) {
  let unit = 0
  let html = ''
  for (const node of nodes) {
    if (typeof node === 'string') html += node
    else if (isSlot(node)) {
      const kind = Object.keys(node)[0]
      slots.push({ node, desc: kind === 'l' ? ['l', path, name, unit, node.key ?? null] : [kind, path, name, unit] })
      if (kind !== 't') unit++
      html += { t: '', b: '<!--$b--><!--$-->', l: `<!--$${node.key ? 'l' : 'p'}--><!--$-->`, h: '<!--$h--><!--$-->' }[kind]
    } else if (node[0] === '!') {
      html += `<!--${node[1]}-->`
      unit++
    } else {
      html += tagSkeleton(node, [...path, unit], slots)
      unit++
    }
  }
  return html
}

const tagOf = (tag, { '*': more, ...attributes }) => (data) => {
  const each = ([name, value]) => ` ${name}="${markup(typeof value === 'function' ? value(data) : value)}"`
  return `<${tag}${Object.entries(attributes).map(each).join('')}${more ? ` ${more(data)}` : ''}>`
}

function tagSkeleton([tag, attributes, ...inside], path, slots) {
  let html = `<${tag}`
  if (attributes['*']) slots.push({ node: { g: tagOf(tag, attributes) }, desc: ['g', path, tag] })
  else for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') {
      slots.push({ node: { a: value }, desc: ['a', path, tag, name] })
      html += ` ${name}=""`
    } else html += ` ${name}="${escape(value)}"`
  }
  html += '>'
  if (VOID.has(tag)) return html
  if (!RAW.has(tag)) return `${html}${skeleton(inside, path, tag, slots)}</${tag}>`
  if (isSlot(inside[0])) slots.push({ node: { r: inside[0].t }, desc: ['r', path, tag] })
  return `${html}${isSlot(inside[0]) ? '' : inside.join('')}</${tag}>`
}

// The slots of a block in the order of their numbers, as {node, desc}.
const slotsOf = (block) => {
  const slots = []
  skeleton(block, [], '', slots)
  return slots
}

export class Model {
  // root: [tag, attributes, ...nodes], the root element.
  constructor(root) {
    this.root = [root]
    this.known = [] // blocks by their numbers
    this.sent = []
    this.number(this.root)
  }

  number(block, isRow) {
    const hash = JSON.stringify(chunkOf(block, isRow))
    let at = this.known.findIndex((each) => each.hash === hash)
    if (at < 0) {
      at = this.known.push({ hash, chunk: chunkOf(block, isRow) }) - 1
      this.sent.push([hash, this.known[at].chunk])
    }
    return at
  }

  hashes() {
    return this.known.map(({ hash }) => hash)
  }

  chunks(hashes = this.hashes()) {
    return hashes.map((hash) => [hash, this.known.find((each) => each.hash === hash).chunk])
  }

  // The HTML of a block; anchors: as the page has it, else as Django renders it.
  html(data, anchors, nodes = this.root) {
    const mark = (text) => (anchors ? `<!--$${text}-->` : '')
    return nodes.map((node) => {
      if (typeof node === 'string') return node
      if (!isSlot(node)) return this.element(node, data, anchors)
      const [kind] = Object.keys(node)
      const value = node[kind](data)
      if (kind === 't') return value.h?.includes('<') ? mark('t') + value.h + mark('') : markup(value)
      if (kind === 'h') return mark('h') + value + mark('')
      if (kind === 'b') {
        if (!value) return mark('b') + mark('')
        return mark(`b${this.number(value[0])}`) + this.html(value[1], anchors, value[0]) + mark('')
      }
      return this.listHtml(node, value, anchors, mark, data)
    }).join('')
  }

  listHtml(node, rows, anchors, mark, data) {
    if (!rows.length) {
      const inside = node.empty ? this.html(data, anchors, node.empty) : ''
      return mark(`e${node.empty ? this.number(node.empty) : ''}`) + inside + mark('')
    }
    const keyed = this.keys(node, rows).keyed
    const each = (row) => (oneOf(node.row) ? '' : mark(',')) + this.html(row, anchors, node.row)
    return mark(`${keyed ? 'l' : 'p'}${this.number(node.row, true)}`) + rows.map(each).join('') + mark('')
  }

  element([tag, attributes, ...inside], data, anchors) {
    if (tag === '!') return `<!--${attributes}-->`
    const html = tagOf(tag, attributes)(data)
    if (VOID.has(tag)) return html
    // The parser drops a newline at the start of a textarea.
    const newline = tag === 'textarea' ? '\n' : ''
    if (RAW.has(tag)) return html + newline + inside.map((each) => (isSlot(each) ? markup(each.t(data), tag) : each)).join('') + `</${tag}>`
    return `${html}${this.html(data, anchors, inside)}</${tag}>`
  }

  // Keyed if every row has a key of its own.
  keys(node, rows) {
    const keys = node.key ? rows.map(node.by) : []
    const keyed = node.key && keys.every(Boolean) && new Set(keys).size === keys.length
    return { keyed: Boolean(keyed), keys: keyed ? keys : rows.map((_, at) => `${at}`) }
  }

  // The patch from one state to another, as a frame without v, s and a.
  diff(before, after) {
    this.sent = []
    const d = this.changes(this.root, before, after)
    return { ...(Object.keys(d).length ? { d } : {}), ...(this.sent.length ? { c: this.sent } : {}) }
  }

  changes(block, before, after) {
    const d = {}
    slotsOf(block).forEach(({ node }, index) => {
      const [kind] = Object.keys(node)
      const [old, now] = [node[kind](before), node[kind](after)]
      const value = this.change(kind, node, old, now, before, after)
      if (value !== undefined) d[index + 1] = value
    })
    return d
  }

  change(kind, node, old, now, before, after) {
    if (kind === 'l') return this.listChange(node, old, now, before, after)
    if (kind === 'b') {
      if (!now) return old ? { b: null } : undefined
      if (old && old[0] === now[0]) {
        const inside = this.changes(now[0], old[1], now[1])
        return Object.keys(inside).length ? inside : undefined
      }
      return { b: this.number(now[0]), ...this.fresh(now[0], now[1]) }
    }
    if (JSON.stringify(old) === JSON.stringify(now)) return undefined
    return kind === 'h' ? { h: now } : now
  }

  // All slots of a new block, but for empty ones.
  fresh(block, data) {
    const d = {}
    slotsOf(block).forEach(({ node }, index) => {
      const [kind] = Object.keys(node)
      const now = node[kind](data)
      const empty = kind === 'l' ? !now.length && !node.empty : kind === 'b' ? !now : now === ''
      if (!empty) d[index + 1] = this.change(kind, node, kind === 'l' ? null : undefined, now, null, data)
    })
    return d
  }

  listChange(node, old, now, before, after) {
    const was = this.keys(node, old ?? [])
    const will = this.keys(node, now)
    const value = {}
    let kept = was.keys
    const rows = old ?? []
    if (rows.length && now.length && was.keyed !== will.keyed) {
      value.x = will.keyed ? 'l' : 'p'
      kept = []
    }
    const removed = kept.filter((key) => !will.keys.includes(key))
    if (removed.length) value['-'] = removed
    const order = kept.filter((key) => will.keys.includes(key))
    will.keys.forEach((key, at) => {
      const after = at ? will.keys[at - 1] : null
      if (!kept.includes(key)) {
        (value.m ??= []).push([key, after, this.fresh(node.row, now[at])])
        order.splice(at, 0, key)
      } else {
        if (order[at] !== key) {
          (value.m ??= []).push([key, after])
          order.splice(order.indexOf(key), 1)
          order.splice(at, 0, key)
        }
        const inside = this.changes(node.row, rows[was.keys.indexOf(key)], now[at])
        // A plain assignment would not make a key named __proto__.
        if (Object.keys(inside).length) {
          Object.defineProperty((value.r ??= {}), key, { value: inside, enumerable: true, configurable: true })
        }
      }
    })
    if (value.m?.some((move) => move.length > 2)) value.b = this.number(node.row, true)
    if (node.empty && !now.length) {
      const inside = old && !rows.length
        ? this.changes(node.empty, before, after)
        : { b: this.number(node.empty), ...this.fresh(node.empty, after) }
      if (Object.keys(inside).length) value.e = inside
    }
    return Object.keys(value).length ? value : undefined
  }
}
