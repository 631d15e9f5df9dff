"""Lowering: Django's parsed nodes as plain tuples, from which C builds its programs (worker/py/template/program.h).

Django parses; this module looks at what it made, once a template; C executes. Nothing here runs while a page is
rendered a second time; what C calls then stands in rare.py.

The grammar. `lower_nodelist(nodelist)` gives a list of ops. An op is a tuple; element 0 is its kind, element 1 the
Django node it came from (None: from nowhere; it cannot fail). `[op…]` is a list of ops.

    ("text", node, html)                    html: str, as it stands in the template (verbatim and templatetag too)
    ("var", node, expr)                     {{ expr }}
    ("if", node, ((cond | None, [op…]), …)) the first alternative that holds; None: else
    ("for", node, loopvars, expr, reversed, [op…] body, [op…] empty)         loopvars: tuple of str
    ("with", node, ((name, expr), …), [op…])
    ("autoescape", node, bool, [op…])
    ("block", node, [op…])                  the ops are those of the node's own nodelist
    ("extends", node, expr, [op…])          expr: the parent; the ops: what the child template holds
    ("include", node, expr, ((name, expr), …), isolated)
    ("firstof", node, (expr, …), asvar | None)
    ("call", node, reads, pure, sets)       anything else: C calls node.render_annotated(context)

Any other kind begins as a call does, (kind, node, reads, pure, sets, …), and may be treated as one. Such kinds are:

    ("url", node, reads, pure, sets, expr, (expr, …), ((name, expr), …), asvar | None)
    ("cycle", node, reads, pure, sets, (variable, …), (expr, …), name | None, silent)
    ("simple", node, reads, pure, sets, function, (expr, …), ((name, expr), …), takes_context, asvar | None)
    ("translate", node, reads, pure, sets, message: str, noop, expr | None, asvar | None)    expr: the message's context
    ("blocktranslate", node, reads, pure, sets, ((name, expr), …), singular: str, plural: str | None,
                       (countervar, expr) | None, expr | None, (name, …))      the names in the messages

What such an op says about itself:

    reads   tuple of exprs that its output depends on; None: anything in the context
    pure    True: the same inputs, language and time zone give the same output; False: evaluated at every turn;
            "once": evaluated once a page
    sets    tuple of names that it may set in the context; None: any name

Comments and {% load %} yield no op.

    expr    ("const", value)                            a literal without filters; value may be a lazy translation
            ("expr", filter_expression, base, filters)
    base    ("const", value)
            ("lookup", variable, ("a", "b", "0", …))    variable: the django.template.base.Variable
            ("call", variable)                          variable.resolve(context): a subclass, a literal to translate
    filters ((function, args, flags), …)
    args    ((False, value) | (True, base), …)
    flags   Django's three marks of a filter: 1 expects_localtime, 2 needs_autoescape, 4 is_safe; 8: it is Django's own
            ("call", object, reads): object.resolve(context): no FilterExpression of Django's. reads: None

    cond    ("value", expr)
            (operator, cond, cond)                      operator: and or in "not in" is "is not" == != < > <= >=
            ("not", cond)
            ("call", object)                            object.eval(context)
"""

import inspect
import logging
import sys

from django.template import base, defaultfilters, defaulttags, library, loader_tags, smartif
from django.templatetags import i18n, l10n, static, tz
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import trim_whitespace

from ..logs import quoted

logger = logging.getLogger("troupe")

EXPECTS_LOCALTIME, NEEDS_AUTOESCAPE, IS_SAFE, OWN = 1, 2, 4, 8
_OWN_FILTERS = frozenset(defaultfilters.register.filters.values())


def _runtime():
    """The C half. A worker brings its own; elsewhere it comes with the extension module."""
    if "troupe._render" not in sys.modules:
        from troupe import _native  # noqa: F401  (it registers troupe._render)
    return sys.modules["troupe._render"]


runtime = _runtime()


class NodeList(base.NodeList):
    """A list of nodes whose render() is C. Its program is built at the first render and goes with it."""


class Template(base.Template):
    """A template whose render() is C. Templates become one when they are lowered."""


runtime.install(NodeList, Template)


# Expressions


def _base(variable):
    if type(variable) is not base.Variable or variable.translate:
        return ("call", variable)
    if variable.lookups is None:
        return ("const", variable.literal)
    return ("lookup", variable, tuple(variable.lookups))


def _filter(function, args):
    flags = 0
    if getattr(function, "expects_localtime", False):
        flags |= EXPECTS_LOCALTIME
    if getattr(function, "needs_autoescape", False):
        flags |= NEEDS_AUTOESCAPE
    if getattr(function, "is_safe", False):
        flags |= IS_SAFE
    if inspect.isfunction(function) and function in _OWN_FILTERS:
        flags |= OWN
    return (function, tuple((True, _base(arg)) if lookup else (False, arg) for lookup, arg in args), flags)


def lower_expr(expression):
    """The expr of a FilterExpression, or of anything else that has a resolve()."""
    if type(expression) is not base.FilterExpression:
        return ("call", expression, None)
    variable = expression.var
    start = _base(variable) if isinstance(variable, base.Variable) else ("const", variable)
    if start[0] == "const" and not expression.filters:
        return start
    return ("expr", expression, start, tuple(_filter(function, args) for function, args in expression.filters))


def _pairs(mapping):
    return tuple((name, lower_expr(value)) for name, value in mapping.items())


def lower_cond(condition):
    """The cond of a parsed condition of {% if %}."""
    if type(condition) is defaulttags.TemplateLiteral:
        return ("value", lower_expr(condition.value))
    name = getattr(condition, "id", None)
    if type(condition) is not smartif.OPERATORS.get(name):
        return ("call", condition)
    if name == "not":
        return ("not", lower_cond(condition.first))
    return (name, lower_cond(condition.first), lower_cond(condition.second))


# What an op reads, seen from outside


def _cond_reads(condition):
    if condition[0] == "value":
        return (condition[1],)
    if condition[0] == "call":
        return None
    return _joined(*(_cond_reads(part) for part in condition[1:]))


def _joined(*parts):
    """All reads of the parts; None when one of them may read anything."""
    if any(part is None for part in parts):
        return None
    return tuple(one for part in parts for one in part)


def _inside(ops):
    """(reads, pure, sets) of a list of ops, as one thing that is evaluated as a whole."""
    reads, pure, sets = (), True, ()
    for op in ops:
        more, clean, names = _about(op)
        reads = _joined(reads, more) if reads is not None else None
        pure = pure and clean is True
        sets = sets + names if sets is not None and names is not None else None
    return reads, pure, sets


_OPAQUE = (None, False, None)


def _about(op):
    kind = op[0]
    if kind == "text":
        return (), True, ()
    if kind == "var":
        return (op[2],), _is_pure(op[2]), ()
    if kind == "if":
        alternatives = [_inside(ops) for _, ops in op[2]]
        conditions = [_cond_reads(condition) for condition, _ in op[2] if condition is not None]
        return _together(alternatives, _joined(*conditions), conditions)
    if kind == "for":
        return _together([_inside(op[5]), _inside(op[6])], (op[3],), ())
    if kind == "with":
        return _together([_inside(op[3])], tuple(value for _, value in op[2]), ())
    if kind == "autoescape":
        return _inside(op[3])
    if kind == "firstof":
        return op[2], all(map(_is_pure, op[2])), (op[3],) if op[3] else ()
    if kind in ("block", "extends", "include"):
        return _OPAQUE
    return op[2:5]


def with_inside(op):
    """An op and all ops inside, those of a tag that is called with all that is in it too."""
    yield op
    node = op[1]
    if op[0] == "call":
        ops = lower_nodelist(node.nodelist) if isinstance(getattr(node, "nodelist", None), base.NodeList) else ()
    elif op[0] == "if":
        ops = tuple(one for _, inside in op[2] for one in inside)
    else:
        ops = tuple(one for part in op[2:] if type(part) is list for one in part)
    for one in ops:
        yield from with_inside(one)


def values_given(op):
    """The exprs that an op gives to tags of somebody's own. Those may change what they are given, lists perhaps."""
    own = (one for one in with_inside(op) if one[0] == "simple" or type(one[1]) is library.InclusionNode)
    return tuple(expr for one in own for expr in one[2] or ())


def names_read(ops):
    """The names of the context that ops read, or None: any. A name that they set themselves may be among them."""
    reads, _, _ = _inside(ops)
    names = set()
    for expr in reads if reads is not None else (("call", None, None),):
        if expr[0] == "call":
            return None
        if expr[0] == "expr":
            bases = [expr[2], *(value for _, args, _ in expr[3] for is_variable, value in args if is_variable)]
            if any(one[0] == "call" and getattr(one[1], "lookups", ()) is not None for one in bases):
                return None
            names.update(one[2][0] for one in bases if one[0] == "lookup")
    return names


def names_set(ops):
    """The names that ops may set, or None: any."""
    sets = _inside(ops)[2]
    return None if sets is None else set(sets)


def _together(parts, reads, conditions):
    pure = all(pure for _, pure, _ in parts) and all(_is_pure(one) for one in reads or ())
    sets = None if any(names is None for _, _, names in parts) else sum((names for _, _, names in parts), ())
    return _joined(reads, *(more for more, _, _ in parts)), pure, sets


_IMPURE_FILTERS = frozenset({"random", "timesince", "timeuntil", "naturaltime", "naturalday"})


def filter_is_pure(function):
    """Whether a filter gives the same for the same value: Django's own do, but for those that ask the clock."""
    plain = inspect.unwrap(function)
    module = getattr(plain, "__module__", None) or ""
    name = getattr(plain, "__name__", "random").removesuffix("_filter")  # as the functions of some are called
    return module.startswith("django.") and name not in _IMPURE_FILTERS


def _is_pure(expression):
    if expression[0] == "const":
        return True
    return expression[0] == "expr" and all(filter_is_pure(function) for function, _, _ in expression[3])


# Nodes


def _text(node):
    return [("text", node, node.s)] if isinstance(node.s, str) else _call(node)


def _var(node):
    return [("var", node, lower_expr(node.filter_expression))]


def _if(node):
    alternatives = tuple(
        (None if condition is None else lower_cond(condition), lower_nodelist(nodelist))
        for condition, nodelist in node.conditions_nodelists
    )
    return [("if", node, alternatives)]


def _for(node):
    body, empty = lower_nodelist(node.nodelist_loop), lower_nodelist(node.nodelist_empty)
    return [("for", node, tuple(node.loopvars), lower_expr(node.sequence), bool(node.is_reversed), body, empty)]


def _with(node):
    return [("with", node, _pairs(node.extra_context), lower_nodelist(node.nodelist))]


def _autoescape(node):
    return [("autoescape", node, bool(node.setting), lower_nodelist(node.nodelist))]


def _block(node):
    return [("block", node, lower_nodelist(node.nodelist))]


def _extends(node):
    return [("extends", node, lower_expr(node.parent_name), lower_nodelist(node.nodelist))]


def _include(node):
    return [("include", node, lower_expr(node.template), _pairs(node.extra_context), bool(node.isolated_context))]


def _firstof(node):
    return [("firstof", node, tuple(map(lower_expr, node.vars)), node.asvar)]


def _verbatim(node):
    return [("text", node, node.content)] if isinstance(node.content, str) else _call(node)


def _templatetag(node):
    return [("text", node, node.mapping.get(node.tagtype, ""))]


def _nothing(node):
    return []


def _call(node, reads=None, pure=False, sets=None):
    return [("call", node, reads, pure, sets)]


def _named(name):
    return (name,) if name else ()


def _lookup(*names):
    return ("expr", None, ("lookup", base.Variable(".".join(names)), names), ())


def _spaceless(node):
    return _call(node, *_inside(lower_nodelist(node.nodelist)))


def _static(node):
    path = lower_expr(node.path)
    return _call(node, (path,), _is_pure(path), _named(node.varname))


def _now(node):
    return _call(node, (), False, _named(node.asvar))


def _cycle(node):
    # It counts its own evaluations: the same inputs give another output.
    variables, name = tuple(node.cyclevars), node.variable_name
    exprs = tuple(map(lower_expr, variables))
    return [("cycle", node, exprs, False, _named(name), variables, exprs, name or None, bool(node.silent))]


def _csrf(node):
    return _call(node, (_lookup("csrf_token"),), "once", ())


def _url(node):
    name, args, kwargs = lower_expr(node.view_name), tuple(map(lower_expr, node.args)), _pairs(node.kwargs)
    reads = (name, *args, *(value for _, value in kwargs))
    return [("url", node, reads, all(map(_is_pure, reads)), _named(node.asvar), name, args, kwargs, node.asvar)]


def _translate(node):
    expression = node.filter_expression
    context = lower_expr(node.message_context) if node.message_context else None
    reads = (lower_expr(expression),) + (() if context is None else (context,))
    # Its literal is translated at run time: `translate` of the variable is set only then.
    pure = all(filter_is_pure(function) for function, _ in expression.filters)
    about = (node, reads, pure, _named(node.asvar))
    literal = getattr(expression.var, "literal", None)
    if expression.filters or type(expression.var) is not base.Variable or type(literal) is not SafeString:
        return _call(*about)
    message = literal if node.noop else mark_safe(literal.replace("%", "%%"))
    return [("translate", *about, message, bool(node.noop), context, node.asvar or None)]


def _message(tokens, trimmed):
    """(msgid, names) of a list of {% blocktranslate %}'s tokens."""
    names = tuple(token.contents for token in tokens if token.token_type == base.TokenType.VAR)
    parts = {base.TokenType.TEXT: lambda text: text.replace("%", "%%"), base.TokenType.VAR: "%({})s".format}
    message = "".join(parts[one.token_type](one.contents) for one in tokens if one.token_type in parts)
    return trim_whitespace(message) if trimmed else message, names


def _blocktranslate(node):
    singular, names = _message(node.singular, node.trimmed)
    counted = bool(node.plural and node.countervar and node.counter)
    plural, more = _message(node.plural, node.trimmed) if counted else (None, ())
    names += more
    context = lower_expr(node.message_context) if node.message_context else None
    count = (node.countervar, lower_expr(node.counter)) if counted else None
    pairs = _pairs(node.extra_context)
    reads = (*(value for _, value in pairs), *((count[1],) if count else ()), *((context,) if context else ()))
    local = {*node.extra_context, node.countervar}
    pure = all(map(_is_pure, reads))
    try:
        reads += tuple(_lookup(name) for name in dict.fromkeys(names) if name not in local)
    except base.TemplateSyntaxError:  # _name: a message may have what a variable may not
        reads, pure = None, False
    asvar = getattr(node, "asvar", None)
    about = (node, reads, pure, _named(asvar))
    if asvar:
        return _call(*about)
    return [("blocktranslate", *about, pairs, singular, plural, count, context, names)]


def _widthratio(node):
    reads = tuple(map(lower_expr, (node.val_expr, node.max_expr, node.max_width)))
    return _call(node, reads, all(map(_is_pure, reads)), _named(node.asvar))


def _regroup(node):
    target, expression = lower_expr(node.target), lower_expr(node.expression)
    return _call(node, (target, expression), _is_pure(target) and _is_pure(expression), (node.var_name,))


def _filter_tag(node):
    reads, pure, sets = _inside(lower_nodelist(node.nodelist))
    expression = lower_expr(node.filter_expr)
    return _call(node, _joined(reads, (expression,)), pure and _is_pure(expression), sets)


def _wrapped(node):
    """A tag around a list of nodes that changes nothing but language, time zone or number formats inside."""
    reads, pure, sets = _inside(lower_nodelist(node.nodelist))
    argument = getattr(node, "language", None) or getattr(node, "tz", None)
    return _call(node, _joined(reads, (lower_expr(argument),) if argument else ()), pure, sets)


def _sets_variable(node):
    """get_current_language and its like: what they give depends on the locale alone."""
    arguments = [one for one in (getattr(node, "lang_code", None), getattr(node, "languages", None)) if one]
    return _call(node, tuple(map(lower_expr, arguments)), True, (node.variable,))


def _prefix(node):
    return _call(node, (), True, _named(node.varname))


def _simple(node):
    args, kwargs = tuple(map(lower_expr, node.args)), _pairs(node.kwargs)
    reads = None if node.takes_context else (*args, *(value for _, value in kwargs))
    sets = None if node.takes_context else _named(node.target_var)
    about = (node, reads, False, sets)
    return [("simple", *about, node.func, args, kwargs, bool(node.takes_context), node.target_var)]


def _inclusion(node):
    if node.takes_context:
        return _call(node)
    arguments = tuple(map(lower_expr, (*node.args, *node.kwargs.values())))
    return _call(node, (*arguments, _lookup("csrf_token")), False, ())


_KINDS = {
    base.TextNode: _text,
    base.VariableNode: _var,
    defaulttags.IfNode: _if,
    defaulttags.ForNode: _for,
    defaulttags.WithNode: _with,
    defaulttags.AutoEscapeControlNode: _autoescape,
    defaulttags.FirstOfNode: _firstof,
    defaulttags.VerbatimNode: _verbatim,
    defaulttags.TemplateTagNode: _templatetag,
    defaulttags.CommentNode: _nothing,
    defaulttags.LoadNode: _nothing,
    defaulttags.SpacelessNode: _spaceless,
    defaulttags.NowNode: _now,
    defaulttags.CycleNode: _cycle,
    defaulttags.CsrfTokenNode: _csrf,
    defaulttags.URLNode: _url,
    defaulttags.WidthRatioNode: _widthratio,
    defaulttags.RegroupNode: _regroup,
    defaulttags.FilterNode: _filter_tag,
    loader_tags.BlockNode: _block,
    loader_tags.ExtendsNode: _extends,
    loader_tags.IncludeNode: _include,
    library.SimpleNode: _simple,
    library.InclusionNode: _inclusion,
    static.StaticNode: _static,
    static.PrefixNode: _prefix,
    i18n.TranslateNode: _translate,
    i18n.BlockTranslateNode: _blocktranslate,
    i18n.LanguageNode: _wrapped,
    i18n.GetAvailableLanguagesNode: _sets_variable,
    i18n.GetLanguageInfoNode: _sets_variable,
    i18n.GetLanguageInfoListNode: _sets_variable,
    i18n.GetCurrentLanguageNode: _sets_variable,
    i18n.GetCurrentLanguageBidiNode: _sets_variable,
    l10n.LocalizeNode: _wrapped,
    tz.LocalTimeNode: _wrapped,
    tz.TimezoneNode: _wrapped,
    tz.GetCurrentTimezoneNode: _sets_variable,
}

# A class whose render() somebody replaced is called, as any other.
_OWN = {cls: (cls.render, cls.render_annotated) for cls in _KINDS}


def lower_node(node):
    """The ops of one node. What we do not know, or cannot read, is called: that is always right."""
    cls = type(node)
    own = _OWN.get(cls)
    if own is None or own != (cls.render, cls.render_annotated) or "render" in vars(node):
        return _call(node)
    try:
        return _KINDS[cls](node)
    except Exception:
        logger.warning("event=not_lowered node=%s", quoted(node), exc_info=True)
        return _call(node)


def lower_nodelist(nodelist):
    """The ops of a list of nodes. What is no Node gives an op that is called as Django would."""
    return [op for node in nodelist or () for op in lower_node(node)]


# Templates


def _node_lists(value, depth=0):
    """The node lists that an attribute of a node holds, in tuples, lists and dicts too."""
    if isinstance(value, base.NodeList):
        yield value
    elif type(value) in (list, tuple) and depth < 4:
        for one in value:
            yield from _node_lists(one, depth + 1)
    elif type(value) is dict and depth < 4:
        for one in value.values():
            yield from _node_lists(one, depth + 1)


def lower_tree(nodelist):
    """Makes a node list, and all that its nodes hold, run in C. Lists of other classes keep their own render()."""
    waiting, seen = [nodelist], set()
    while waiting:
        found = waiting.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        if type(found) is base.NodeList and all(isinstance(node, base.Node) for node in found):
            found.__class__ = NodeList
        for node in found:
            for value in getattr(node, "__dict__", {}).values():
                waiting.extend(_node_lists(value))


def lower(template):
    """Makes a parsed django.template.base.Template run in C, and returns it. Lowering twice does nothing."""
    if type(template.nodelist) is base.NodeList:
        lower_tree(template.nodelist)
    if type(template) is base.Template:
        template.__class__ = Template
    return template
