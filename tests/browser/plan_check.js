// Parses a page that was rendered by its plan, and looks whether every slot is where the plan says. Gives a list of
// complaints. Of: the HTML with anchors, Django's HTML, the root's descriptors, {number: chunk}, the values.
function check(anchored, plain, rootSlots, chunks, values, marked) {
  const ELEMENT = 1, TEXT = 3, COMMENT = 8
  const complaints = [], parents = {}
  const complain = (text) => complaints.push(text)
  // As a page that comes over the network: DOMParser takes a short cut for simple markup, and there nests buttons.
  const parse = (html) => {
    const page = document.implementation.createHTMLDocument()
    page.open()
    page.write(html)
    page.close()
    return page
  }
  const isAnchor = (node) => node.nodeType === COMMENT && node.data.startsWith('$')

  // The units and gaps of some nodes: [{kind: 'node' | 'b' | 'l' | 'e' | 'p' | 'h', nodes, number}], [text of each gap].
  function unitsOf(nodes) {
    const units = [], gaps = ['']
    for (let at = 0; at < nodes.length; at++) {
      const node = nodes[at]
      if (node.nodeType === TEXT) gaps[units.length] += node.data
      else if (!isAnchor(node)) add({ kind: 'node', nodes: [node] })
      else {
        const end = endOf(nodes, at)
        const inside = nodes.slice(at + 1, end)
        const [, kind, number] = /^\$([a-z])(\d*)$/.exec(node.data) ?? [, '?', '']
        if (number) (parents[number] ??= {})[node.parentNode.namespaceURI + node.parentNode.localName] = node.parentNode
        if (kind === 't') gaps[units.length] += inside.map((each) => each.textContent).join('')
        else add({ kind, nodes: inside, number })
        at = end
      }
    }
    function add(unit) {
      units.push(unit)
      gaps.push('')
    }
    return { units, gaps }
  }

  function endOf(nodes, at) {
    let depth = 0
    for (; at < nodes.length; at++) {
      if (!isAnchor(nodes[at])) continue
      if (nodes[at].data === '$') depth--
      else if (nodes[at].data !== '$,') depth++
      if (depth === 0) return at
    }
    complain('an anchor has no end among its siblings')
    return nodes.length
  }

  function textOf(html) {
    const box = document.createElement('template')
    box.innerHTML = html
    return box.content.textContent
  }

  const CHECKS = {
    t(slot, value, { units, gaps }, [, path, , gap], owner) {
      if (gap >= gaps.length) return complain(`no gap ${gap} at ${path}`)
      let wanted = textOf(value)
      if (owner?.localName === 'pre' && gap === 0) wanted = wanted.replace(/^\n/, '')
      const found = gaps[gap]
      if (value.includes('<') ? !found.includes(wanted) : found !== wanted) {
        complain(`text ${slot}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`)
      }
    },
    a(slot, value, place, [, , , name], owner) {
      const wanted = textOf(value.replace(/</g, '&lt;'))
      if (owner.getAttribute(name) !== wanted) complain(`attribute ${slot} ${name}: ${owner.getAttribute(name)}`)
    },
    r(slot, value, place, descriptor, owner) {
      const raw = ['style', 'script'].includes(owner.localName)
      const wanted = (raw ? value : textOf(value.replace(/</g, '&lt;'))).replace(/\r\n?/g, '\n')
      const found = owner.textContent
      if (found !== wanted && found !== wanted.replace(/^\n/, '')) complain(`raw ${slot}: ${JSON.stringify(found)}`)
    },
    g() {},
    h(slot, value, { units }, [, , , unit]) {
      if (units[unit]?.kind !== 'h') complain(`no region for ${slot}`)
    },
    b(slot, value, { units }, [, , , unit]) {
      if (units[unit]?.kind !== 'b') complain(`no branch for ${slot}`)
      else branch(units[unit], value)
    },
    l(slot, value, { units }, [, , , unit]) {
      const found = units[unit]
      if (!'lpe'.includes(found?.kind)) return complain(`no list for ${slot}`)
      const [kind, number, rows, empty] = value
      if (kind === 'e') return branch(found, empty)
      const chunk = chunks[number]
      const parts = chunk.one ? found.nodes.filter((each) => each.nodeType === ELEMENT).map((each) => [each]) : split(found.nodes)
      if (parts.length !== rows.length) return complain(`${parts.length} rows instead of ${rows.length}`)
      parts.forEach((part, at) => block(chunk.s, part, rows[at]))
    },
    T(slot, value) {
      if (parse(anchored).title !== textOf(value).replace(/[\t\n\f\r ]+/g, ' ').trim()) complain(`title ${slot}`)
    },
  }

  function branch(found, [number, inside]) {
    if (number === null) {
      if (found.nodes.length) complain('something is shown')
    } else block(chunks[number].s, found.nodes, inside)
  }

  function split(nodes) {
    const rows = []
    let depth = 0
    for (const node of nodes) {
      if (isAnchor(node)) {
        if (node.data === '$,' && depth === 0) {
          rows.push([])
          continue
        }
        depth += node.data === '$' ? -1 : node.data === '$,' ? 0 : 1
      }
      if (!rows.length) return complain('a row without its anchor') ?? rows
      rows.at(-1).push(node)
    }
    return rows
  }

  function block(slots, nodes, inside) {
    slots.forEach((descriptor, at) => {
      const [kind, path = [], name = ''] = descriptor
      let place = unitsOf(nodes), owner = null
      for (const index of path) {
        const unit = place.units[index]
        if (unit?.kind !== 'node' || unit.nodes[0].nodeType !== ELEMENT) return complain(`nothing at ${path} for ${descriptor}`)
        owner = unit.nodes[0]
        place = unitsOf([...owner.childNodes])
      }
      if ((owner?.localName ?? '') !== name) return complain(`<${owner?.localName}> at ${path} instead of <${name}>`)
      if (inside) CHECKS[kind](at + 1, inside[at + 1], place, descriptor, owner)
    })
  }

  function withoutAnchors(root) {
    const found = []
    const walk = (node) => {
      for (const child of [...node.childNodes]) isAnchor(child) ? found.push(child) : walk(child)
      if (node.content) walk(node.content)
    }
    walk(root)
    for (const each of found) each.remove()
    root.normalize()
    return root
  }

  const page = parse(anchored)
  const root = marked ? page.querySelector('[dj-root]') : page.body
  block(rootSlots, [root], values)

  // A chunk by itself: its places are there before there are values. As in morph.js, only its parent is around it.
  for (const [number, chunk] of Object.entries(chunks)) {
    if (!parents[number]) complain(`chunk ${number} is nowhere`)
    for (const parent of Object.values(parents[number] ?? {})) {
      const box = document.createElementNS(parent.namespaceURI, parent.localName)
      box.innerHTML = chunk.h
      block(chunk.s, [...box.childNodes], null)
    }
  }

  // isEqualNode instead of outerHTML: two texts beside each other, or a wrong namespace, would not show.
  const pure = withoutAnchors(page), wanted = parse(plain)
  wanted.normalize()
  if (!pure.documentElement.isEqualNode(wanted.documentElement)) {
    complain(`anchors changed what the parser makes:\n${pure.documentElement.outerHTML}\n${wanted.documentElement.outerHTML}`)
  }
  return complaints
}
