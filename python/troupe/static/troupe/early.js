// early.js - knows which nodes of the page are the server's, and which ones others put there: extensions, cookie banners,
// date pickers, translators. Those are the strangers.
//
// A classic script in front of the client's module, so that it sees what happens while the page is parsed: nothing of it
// waits for anything. Whatever the parser does not insert, and the client does not (run()), is a stranger's. How the two
// are told apart: docs/decisions/browser/0045. It is also a module, for pages on which it did not run early.

(() => {
  const { customElements, document, Document, Element, MutationObserver, Node } = globalThis

  /** @import { AttributeRecord, Row, Strangers } from './types.js' */
  /** @typedef {MutationRecord & { addedNodes: ArrayLike<ChildNode> & Iterable<ChildNode>, removedNodes: Iterable<ChildNode> }} TreeRecord */

  /**
   * Members of nodes, as functions: in a form, or a document, elements may have these names (see dom.js).
   * @param {any} prototype
   * @param {string} names
   * @returns {((node: any, first?: any, second?: any) => any)[]}
   */
  function own({ prototype }, names) {
    return names.split(' ').map((name) => {
      const { get, value: call = get } = /** @type {PropertyDescriptor} */ (Object.getOwnPropertyDescriptor(prototype, name))
      return (node, first, second) => call.call(node, first, second)
    })
  }

  const [childNodes, compare, contains, firstChild, insertBefore, isConnected, isEqual, nextSibling, normalize, parentNode, removeChild] = own(
    Node, 'childNodes compareDocumentPosition contains firstChild insertBefore isConnected isEqualNode nextSibling normalize parentNode removeChild')
  const [attributeNames, getAttribute, hasAttribute, localName, queryIn] = own(Element,
    'getAttributeNames getAttribute hasAttribute localName querySelector')
  const [currentScript, query] = own(Document, 'currentScript querySelector')
  const currentEvent = Object.getOwnPropertyDescriptor(globalThis, 'event')?.get

  /** @type {WeakSet<Node>} The strangers; what is in one of them need not be here. */
  const strangers = new WeakSet()
  /** @type {WeakMap<Node, ChildNode[]>} Of parents that lost a child to others: the server's children, in its order. */
  const lists = new WeakMap()
  /** @type {[WeakMap<Node, Node>, Set<Node>]} The server's nodes that others took: in whose list each is; the same nodes. */
  const [homes, displaced] = [new WeakMap(), new Set()]
  /** @type {[WeakMap<Node, ChildNode[]>, WeakMap<Node, Node>]} What others put in place of the server's nodes that they removed; and back. */
  const [instead, standsFor] = [new WeakMap(), new WeakMap()]
  /** @type {WeakSet<Node>} Parents with strangers in them, or with a list. */
  const disturbed = new WeakSet()
  /** @type {Map<Element, Map<string, string | null>>} Attributes that others changed: their last values from the server. */
  const values = new Map()
  const roots = /** @type {Set<Node>} */ (new Set())
  /** @type {(() => void)[]} Called when others bring roots, or take them away. */
  const listeners = []
  let parsing = document.readyState === 'loading'
  let last = /** @type {Node | null} */ (null) // the newest of the parser's nodes
  let doubt = /** @type {{ nodes: ChildNode[], target: Node, last: Node | null } | null} */ (null) // see note()
  let isFine = false // the browser tells of each node that the parser inserts
  // Of run(); whether there are lists; whether others did nothing; see listen().
  let [depth, isKept, isAlone, isListening] = [0, false, true, false]

  const [PARSER, CLIENT, OTHERS, FOLLOWS, CONTAINS] = [1, 2, 3, 4, 8] // https://dom.spec.whatwg.org/#dom-node-comparedocumentposition

  /** @param {string} text See block_signs.py. */
  function sign(text) {
    let value = 5381
    for (let at = 0; at < text.length; at++) value = (Math.imul(value, 33) + text.charCodeAt(at)) | 0
    value ^= value >>> 15
    value ^= value >>> 7
    return String.fromCharCode(48 + (value & 63))
  }

  /** What a unit may be signed with: which of its attributes the server's template has is not known. @param {any} node */
  function signsOf(node) {
    if (!(node instanceof Element)) {
      const range = /^\$([blpeh])/.exec(/** @type {Comment} */ (node).data)?.[1]
      return sign(range ? `$${/[pe]/.test(range) ? 'l' : range}` : '!')
    }
    const texts = ['*']
    for (const key of ['dj-key', 'data-key', 'id', 'name']) {
      const others = values.get(node)?.get(key)
      const value = others === undefined ? getAttribute(node, key) : others
      if (value !== null) texts.push(`${key}=${value}`)
    }
    if (!texts[1]) texts.push('')
    return texts.map((text) => sign(`${localName(node)}|${text}`)).join('')
  }

  /** The children that are units (PROTOCOL.md 9.5): of a range, its first anchor. @param {Node} parent */
  function unitsOf(parent) {
    const units = []
    let open = 0
    for (const node of children(parent)) {
      const isElement = node instanceof Element
      const text = !isElement && node.nodeType === 8 ? /** @type {Comment} */ (node).data : ''
      if (text === '$') open--
      else if (!open && (isElement || node.nodeType === 8) && !/^\$[t,]/.test(text)) units.push(node)
      if (/^\$[tblpeh]/.test(text)) open++
    }
    return units
  }

  /** @type {Strangers['align']} */
  function align(parent, signs) {
    if (signs === undefined) return
    const units = unitsOf(parent)
    const allowed = units.map(signsOf)
    // ways[s][u]: in how many ways the signs from s on can be found, in order, among the units from u on.
    const ways = Array.from({ length: signs.length + 1 }, (_, at) => Array.from({ length: units.length + 1 }, () => Number(at === signs.length)))
    const fits = (/** @type {number} */ at, /** @type {number} */ unit) => allowed[unit].includes(signs[at])
    for (let at = signs.length - 1; at >= 0; at--) {
      for (let unit = units.length - 1; unit >= 0; unit--) {
        ways[at][unit] = Math.min(2, ways[at][unit + 1] + (fits(at, unit) ? ways[at + 1][unit + 1] : 0))
      }
    }
    if (ways[0][0] !== 1) throw Error('troupe')
    for (let unit = 0, at = 0; unit < units.length; unit++) {
      if (fits(at, unit) && ways[at + 1][unit + 1]) at++
      else {
        strangers.add(units[unit])
        disturbed.add(parent)
        drop(parent, units[unit])
      }
    }
  }

  // With what others had removed goes what they put in its place, and what they took out of it.
  /** @param {Node} node */
  function remove(node) {
    if (parentNode(node)) removeChild(parentNode(node), node)
    else [...displaced].filter((each) => contains(node, homes.get(each))).concat(standIns(node)).forEach((each) => (settle(each), remove(each)))
  }

  /** Whether a node is in a stranger, and in none of the server's, or root, that is in that. @param {Node | null} node */
  function isInside(node) {
    while (node && !strangers.has(node) && !homes.has(node) && !roots.has(node)) node = parentNode(node)
    return node && strangers.has(node) && !roots.has(node)
  }

  // The children of a parent as they were before a record of this batch.
  /** @type {(parent: Node, records: TreeRecord[], index: number) => ChildNode[]} */
  function childrenBefore(parent, records, index) {
    /** @type {ChildNode[]} */
    let nodes = [...childNodes(parent)]
    for (const { target, addedNodes, removedNodes, nextSibling, previousSibling } of records.slice(index).reverse()) {
      if (target !== parent) continue
      const gone = new Set(addedNodes)
      nodes = nodes.filter((node) => !gone.has(node))
      const at = nextSibling ? nodes.indexOf(/** @type {ChildNode} */ (nextSibling)) : nodes.length
      nodes.splice(previousSibling ? nodes.indexOf(/** @type {ChildNode} */ (previousSibling)) + 1 : at, 0, ...removedNodes)
    }
    return nodes
  }

  /** @type {(parent: Node, nodes: Iterable<ChildNode>) => ChildNode[]} */
  function ours(parent, nodes) {
    return [...nodes].filter((node) => !strangers.has(node) && (homes.get(node) ?? parent) === parent)
  }

  /** @param {Node} parent */
  function children(parent) {
    return lists.get(parent) ?? (disturbed.has(parent) ? ours(parent, childNodes(parent)) : [...childNodes(parent)])
  }

  /** @type {(parent: Node, child: Node) => void} */
  function drop(parent, child) {
    const list = lists.get(parent)
    const at = list ? list.indexOf(/** @type {ChildNode} */ (child)) : -1
    if (at >= 0) list?.splice(at, 1)
    settle(child)
  }

  /** It stands where it is the server's, or nowhere. @param {Node} node */
  function settle(node) {
    homes.delete(node)
    displaced.delete(node)
  }

  /** @type {(node: Node, home: Node) => void} */
  function displace(node, home) {
    homes.set(node, home)
    displaced.add(node)
  }

  // One of the server's nodes came into a parent with a list: before what follows it there.
  /** @type {(parent: Node, node: ChildNode) => void} */
  function enlist(parent, node) {
    const list = lists.get(parent)
    if (!list) return
    drop(parent, node)
    let at = -1
    for (let next = nextSibling(node); next && at < 0; next = nextSibling(next)) {
      at = list.findIndex((each) => contains(next, each))
    }
    list.splice(at < 0 ? list.length : at, 0, node)
  }

  // The parser went on in an element that others had opened (document.write): the server's next node stands in there.
  /** @type {(target: Node, node: ChildNode) => void} */
  function enlistStray(target, node) {
    while (isInside(target)) target = parentNode(target)
    if (!lists.has(target)) keepList(target, ours(target, childNodes(target)))
    disturbed.add(target)
    displace(node, target)
    lists.get(target)?.push(node)
  }

  /**
   * Whether it is the parser that inserted a node: behind all that it had inserted, in front of a table that it is in
   * (https://html.spec.whatwg.org/#foster-parent), or around its newest node
   * (https://html.spec.whatwg.org/#adoption-agency-algorithm).
   * @param {Node} node
   * @param {TreeRecord} record
   * @param {TreeRecord[]} records
   */
  function isParsed(node, { nextSibling, target }, records) {
    if (target === last) isFine = true
    if (nextSibling && nextSibling.nodeName !== 'TABLE') return false
    if (homes.has(node) || isWhole(node, records)) return false
    // Whether nodes are put into nodes that have just been inserted, one a record, as the parser does.
    const isBuilt = () => records.some(({ addedNodes: [added] }) => added && records.some((each) => each.target === added))
    if (doubt && isBehind(doubt.last, node) && !isBehind(last, node) && (node.nodeType === 3 || isBuilt())) {
      for (const each of doubt.nodes) { // a timer had put them behind the element that the parser is in
        disturbed.add(doubt.target)
        drop(doubt.target, each)
        strangers.add(each)
      }
      last = doubt.last
    }
    return isBehind(last, node) || (nextSibling && contains(nextSibling, last))
  }

  // What comes, or goes, as a whole tree is not the parser's: that fills what it moves, or what it moves it into.
  /** @type {(node: Node, records: TreeRecord[]) => unknown} */
  function isWhole(node, records) {
    const first = firstChild(node)
    return isFine && first && !homes.has(first) && !records.some((each) => each.target === node)
  }

  // Whether the parser has moved it, with what it is in or into an element that it has made
  // (https://html.spec.whatwg.org/#adoption-agency-algorithm).
  /** @type {(node: Node, records: TreeRecord[]) => boolean} */
  function isReparented(node, records) {
    if (contains(node, last)) return !isWhole(node, records)
    return isConnected(node) && !records.some(({ addedNodes }) => [...addedNodes].includes(/** @type {ChildNode} */ (node)))
  }

  /** @type {(before: Node | null, node: Node) => unknown} Or it is the same one, or around it. */
  function isBehind(before, node) {
    if (!before || !isConnected(before) || before === node || compare(before, node) & (FOLLOWS | CONTAINS)) return true
    // Behind what others took elsewhere with the newest node in it, the parser goes on where that stood.
    let away = /** @type {any} */ (before)
    while (away && !homes.has(away)) away = parentNode(away)
    const home = /** @type {any} */ (homes.get(away))
    const list = lists.get(home)
    return away && !contains(away, node) && contains(home, node) && isBehind(list?.[list.indexOf(away) - 1] ?? home, node)
  }

  /** @type {(parent: Node, list: ChildNode[]) => void} */
  function keepList(parent, list) {
    isKept = true
    lists.set(parent, list)
  }

  // Whether the client has just put an element into the page.
  /** @type {(node: Node, records: TreeRecord[], index: number) => boolean} */
  function isInserted(node, records, index) {
    const before = records.slice(0, index)
    return before.some((each) => [...each.addedNodes].some((one) => contains(one, node))) &&
      !before.some((each) => [...each.removedNodes].some((one) => contains(one, node)))
  }

  /**
   * @param {MutationRecord[]} all In the order in which it happened, up to now.
   * @param {(record: MutationRecord, index: number) => number} by
   */
  function note(all, by) {
    if (!all.length) return
    const records = /** @type {TreeRecord[]} */ (all)
    /** @type {Map<Node, TreeRecord>} */
    const added = new Map()
    /** @type {Set<Node>} */
    const moved = new Set()
    /** @type {[ChildNode, TreeRecord][]} */
    const taken = []
    const before = last
    /** @type {ChildNode[]} */
    const parsed = []
    let answering = false // a custom element answers to having been inserted
    records.forEach((record, index) => {
      const { addedNodes, removedNodes, target, type } = record
      let who = answering ? OTHERS : by(record, index)
      if (type !== 'childList') {
        // The parser's are those of <html> and <body>, a <details> that another one closes, a nonce that is hidden.
        if (who === PARSER && !/^(html|body)$/.test(localName(target)) && !/^(open|nonce)$/.test(/** @type {string} */ (record.attributeName))) answering = true
        const { attributeName, attributeNamespace, oldValue } = /** @type {AttributeRecord} */ (/** @type {unknown} */ (record))
        if (!attributeNamespace && !values.get(/** @type {Element} */ (target))?.has(attributeName)) {
          keepValue(/** @type {Element} */ (target), attributeName, oldValue)
        }
        return
      }
      if (who === CLIENT) {
        const isCustom = target instanceof Element && localName(target).includes('-')
        if (!isKept && !isCustom) return // what most of our changes are: nothing is to be known of them
        // What a custom element puts into itself when the client inserts it.
        if (isCustom && isInserted(target, records, index)) who = OTHERS
      }
      const inside = who === OTHERS && isInside(target)
      for (const node of removedNodes) {
        if (who === CLIENT) {
          drop(homes.get(node) ?? target, node)
          moved.add(node)
        } else if (inside) homes.has(node) || strangers.add(node)
        else if (standsFor.has(node) || added.has(node)) taken.push([node, record])
        else if (who === PARSER && isReparented(node, records)) continue
        else if (!strangers.has(node) && !homes.has(node)) {
          if (!lists.has(target)) keepList(target, ours(target, childrenBefore(target, records, index)))
          disturbed.add(target)
          displace(node, target)
          taken.push([node, record])
        }
      }
      for (const node of addedNodes) {
        if (who === PARSER && isParsed(node, record, records)) {
          last = node
          parsed.push(node)
          if (isInside(target)) enlistStray(target, node)
          else enlist(target, node)
          // Its connectedCallback() was called, and all of this batch that follows is of that.
          answering = node instanceof Element && !!customElements.get(localName(node))?.prototype.connectedCallback
        } else if (who === CLIENT) {
          strangers.delete(node)
          instead.delete(node)
          if (!moved.has(node)) added.set(node, record)
          enlist(target, node)
        } else {
          disturbed.add(target)
          isAlone = false
          if (homes.has(node)) instead.delete(node)
          else {
            strangers.add(node)
            added.set(node, record)
          }
        }
      }
      if (who === OTHERS && !parsing && concernsRoots(record)) for (const each of listeners) each()
    })
    // Without content, at the end of one parent: they may be a timer's.
    if (parsed.length) doubt = records.every(({ target }) => target === records[0].target) ? { nodes: parsed, target: records[0].target, last: before } : null
    // With what the client removes goes what others had taken out of it.
    for (const node of moved) {
      if (isConnected(node)) continue
      for (const each of displaced) if (contains(node, homes.get(each))) remove(each)
    }
    if (moved.size) note(observer.takeRecords(), () => CLIENT)
    for (const [node, record] of taken) {
      if (isConnected(node)) continue
      const one = homes.has(node) ? node : standsFor.get(node)
      if (!one) continue
      const nodes = inPlace(node, record, added)
      instead.set(one, [...standIns(one), ...nodes])
      for (const each of nodes) standsFor.set(each, one)
    }
  }

  /** Whether others brought a root, or took one away, or its content. @param {TreeRecord} record */
  function concernsRoots({ addedNodes, removedNodes, target }) {
    const removed = [...removedNodes]
    /** @param {Node} node */
    const isRoot = (node) => node instanceof Element && hasAttribute(node, 'data-troupe')
    return (removed.length && isRoot(target)) || [...addedNodes, ...removed].some(
      (node) => isRoot(node) || (node instanceof Element && queryIn(node, '[data-troupe]')))
  }

  // What others put in place of a node: in the same step, right beside it before they removed it, or into its parent that
  // they emptied.
  /** @type {(node: ChildNode, record: TreeRecord, added: Map<Node, TreeRecord>) => ChildNode[]} */
  function inPlace(node, { addedNodes, nextSibling: next, previousSibling: previous, target }, added) {
    const parent = homes.get(node) ?? target
    /** @type {(each: Node | null, side: 'nextSibling' | 'previousSibling') => unknown} */
    const isBeside = (each, side) => each && added.get(each)?.[side] === node && ![.../** @type {TreeRecord} */ (added.get(each)).removedNodes].length
    /** @type {any[]} */
    const beside = [isBeside(previous, 'nextSibling') && previous, ...addedNodes, isBeside(next, 'previousSibling') && next]
    const isEmpty = !beside.some(Boolean) && !children(parent).some((each) => parentNode(each) === parent)
    return (isEmpty ? [...childNodes(parent)] : beside).filter((each) => added.has(each))
  }

  /** @type {Strangers['standIns']} */
  function standIns(node) {
    return (instead.get(node) ?? []).filter((each) => isConnected(each))
  }

  /** @type {Strangers['present']} */
  function present(parent, nodes, news, match, morph) {
    const olds = [...nodes]
    const isHere = (/** @type {Node} */ node) => contains(parent, node)
    if (olds.every(isHere)) return olds
    const pairs = match([...olds], [...news], serverValue)
    const nexts = new Map([...news].map((next, index) => [pairs[index], next]))
    const away = olds.filter((node) => !isHere(node))
    const changed = away.filter((node) => {
      normalize(node)
      return (!(node instanceof Element) && node.nodeType === 8) || !nexts.has(node) || !(isConnected(node) || isEqual(node, nexts.get(node)))
    })
    const outdated = new Set(changed.flatMap(standIns))
    // What was replaced together comes back together.
    const back = new Set([...changed, ...away.filter((node) => standIns(node).some((each) => outdated.has(each)))])
    for (const node of outdated) if (![...displaced].some((each) => contains(node, each))) remove(node)
    for (const node of away) {
      const next = nexts.get(node)
      if (back.has(node)) {
        drop(parent, node)
        remove(node)
      } else {
        news.splice(news.indexOf(next), 1)
        if (isConnected(node)) node instanceof Element ? morph(node, next) : (/** @type {Text} */ (node).data = next.data)
      }
    }
    return olds.filter(isHere)
  }

  /** Joins texts that stand beside each other, the server's only. @param {Node} el */
  function joinTexts(el) {
    if (isAlone) return normalize(el)
    let before = /** @type {any} */ (null)
    for (const node of [...childNodes(el)]) {
      const isOurs = !(node instanceof Element) && node.nodeType === 3 && !strangers.has(node) && !homes.has(node)
      if (!isOurs || !before) before = isOurs ? node : joinTexts(node)
      else before.data += (remove(node), node.data)
    }
  }

  /** @type {Strangers['keepValue']} */
  function keepValue(el, name, value) {
    if (!values.has(el)) values.set(el, new Map())
    values.get(el)?.set(name, value)
  }

  const observer = new MutationObserver((records) => {
    // A callback runs before a script does, and after it while it is still the current one: all of a batch is either the
    // parser's or a script's. What other observers did just now is in none yet.
    const { length } = records
    const who = parsing && !currentScript(document) && !currentEvent?.call(globalThis) ? PARSER : OTHERS
    note([...records, ...observer.takeRecords()], (_, index) => index < length ? who : OTHERS)
  })

  // From now on it matters what is inserted and removed, or not (see run()). Asking anew loses no records; it ends the watch
  // over what was removed just now, which is in a list, or theirs: https://dom.spec.whatwg.org/#dom-mutationobserver-observe.
  function listen(childList = true) {
    if (isListening === childList) return
    isListening = childList
    observer.observe(document, { childList, subtree: true, attributes: true, attributeOldValue: true })
  }
  listen()
  globalThis.addEventListener('readystatechange', () => {
    if (parsing) note(observer.takeRecords(), () => PARSER)
    parsing = false
  }, true)

  // The siblings from one to another, without that. Throws when the other does not follow: another script moved it.
  /** @type {(node: any, end: Node | null) => ChildNode[]} */
  function siblings(node, end) {
    /** @type {ChildNode[]} */
    const nodes = []
    for (; node !== end; node = nextSibling(node)) nodes.push(node)
    return nodes
  }

  /** The nodes of a row. What others put beside its elements is not in it. @param {Row} row */
  function nodesOf({ first, last }) {
    if (first === last && !isKept) return [/** @type {ChildNode} */ (first)]
    const list = lists.get(homes.get(first) ?? parentNode(first))
    if (list) return list.slice(list.indexOf(/** @type {ChildNode} */ (first)), list.indexOf(/** @type {ChildNode} */ (last)) + 1)
    return siblings(first, nextSibling(last)).filter((node) => !strangers.has(node))
  }

  /** @type {Strangers['between']} */
  function between(start, end) {
    const nodes = children(homes.get(start) ?? parentNode(start))
    return nodes.slice(nodes.indexOf(/** @type {ChildNode} */ (start)) + 1, end ? nodes.indexOf(/** @type {ChildNode} */ (end)) : undefined)
  }

  /** @type {Strangers['spot']} */
  function spot(parent, follower) {
    const nodes = children(parent)
    let at = follower ? nodes.indexOf(/** @type {ChildNode} */ (follower)) : nodes.length
    const where = at > 0 ? parentNode(nodes[at - 1]) : null
    for (; at < nodes.length; at++) {
      // Both in the same wrapper: so is what comes between them.
      if (where && parentNode(nodes[at]) === where) return { where, before: nodes[at] }
      /** @type {Node | null} */
      let node = nodes[at]
      while (node && parentNode(node) !== parent) node = parentNode(node)
      if (node) return { where: parent, before: node }
    }
    return where && where !== parent && contains(parent, where) ? { where, before: nextSibling(nodes[nodes.length - 1]) } : { where: parent, before: null }
  }

  /** What happened until now was not us; in run() it was. @param {number} [skip] */
  function take(skip = 0) {
    listen()
    return note(observer.takeRecords().slice(skip), () => depth && !skip ? CLIENT : OTHERS)
  }

  /** Or it was, before others took it elsewhere. @param {any} node @returns {boolean} */
  function isInRoot(node) {
    return node && (roots.has(node) || isInRoot(homes.get(node) ?? parentNode(node)))
  }

  // Records of rows that are moved or removed cost as much as that itself, and nothing is to be known of it as long as there
  // are no lists. So there are records from the first call on that comes before custom elements can answer: see listen().
  /** @type {Strangers['run']} */
  function run(work) {
    if (!depth) {
      take()
      if (!isKept) listen(false)
      for (const root of roots) if (!isConnected(root)) roots.delete(root)
      for (const node of displaced) if (!isConnected(homes.get(node))) settle(node)
      for (const el of values.keys()) if (!isInRoot(el)) values.delete(el)
    }
    depth++
    try {
      work()
    } finally {
      take()
      depth--
    }
  }

  /** @type {Strangers['serverValue']} */
  function serverValue(el, name) {
    const value = values.get(el)?.get(name)
    return value === undefined ? getAttribute(el, name) : value
  }

  /** @returns {Strangers} */
  function ledger() {
    return {
      sure: !query(document, '[data-troupe]'),
      isStranger: (node) => strangers.has(node),
      isDisturbed: (parent) => (listen(), disturbed.has(parent)),
      children: (parent) => (listen(), children(parent)),
      between: (start, end) => (listen(), between(start, end)),
      align, drop, joinTexts, keepValue, present, run, serverValue, spot, standIns, take,
      cut: (row) => nodesOf(row).forEach(remove),

      cutRange(start, end, isList) {
        if (isList) return between(start, end).forEach(remove)
        const live = siblings(nextSibling(start), end)
        if (!disturbed.has(parentNode(start))) return live.forEach(remove)
        between(start, end).forEach(remove)
        // What stands there is the server's, from another place, or goes with the rest.
        for (const node of live) if (strangers.has(node) && ![...displaced].some((each) => contains(node, each))) remove(node)
      },

      span(row) {
        const { first, last } = row
        if (first === last) return [/** @type {ChildNode} */ (first)]
        const isWhole = parentNode(first) === parentNode(last) && !(compare(last, first) & FOLLOWS)
        return isWhole ? siblings(first, nextSibling(last)) : nodesOf(row)
      },

      behind(parent, node) {
        while (isKept && parentNode(node) !== parent) node = parentNode(node)
        return nextSibling(node)
      },

      walk(parent) {
        listen()
        if (!disturbed.has(parent)) {
          return { first: firstChild(parent), next: nextSibling, link() {}, insert: (node, follower) => insertBefore(parent, node, follower) }
        }
        const nodes = children(parent)
        /** @type {Map<ChildNode, ChildNode | null>} */
        const links = new Map(nodes.map((node, index) => [node, nodes[index + 1]]))
        return {
          first: nodes[0] ?? null,
          next: (node) => links.get(node) ?? null,
          link: (node, next) => links.set(node, next),
          insert(node, follower) {
            const { where, before } = spot(parent, follower)
            insertBefore(where, node, before)
          },
        }
      },

      adopt(work) {
        run(() => {
          try {
            work()
          } catch {
            this.sure = false // nodes may have come unseen
            work()
          }
        })
      },
      onRoots: (listener) => listeners.push(listener),
      attributeValues: values,
      watch: (root) => (listen(), roots.add(root)),
      isIn: (el) => [...values.keys()].some((each) => contains(el, each)) || [...displaced].some((each) => contains(el, homes.get(each))),
      names: (el) => [...attributeNames(el), ...(values.get(el)?.keys() ?? [])],
    }
  }

  globalThis.troupeStrangers ??= ledger()
})()
