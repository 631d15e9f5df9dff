"""Lowering: Django's parsed nodes as plain tuples, from which C builds its programs (worker/py/template/program.h).

Django parses; this module runs once for each template; C executes. Nothing here runs while a page is rendered a
second time; what C calls then is in slow_path.py.

`lower_nodelist(nodelist)` gives a list of ops; ir.py has their grammar.
"""

import inspect
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from django.template import base, defaultfilters, defaulttags, library, loader_tags, smartif
from django.templatetags import i18n, l10n, static, tz
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import trim_whitespace

from ..logs import quoted
from . import originals
from .effects import effects_of, expr_is_pure, filter_is_pure, join_reads
from .ir import Base, Cond, Expr, Op, Ops, Pairs, Pure, Reads, Sets

logger = logging.getLogger("troupe")

EXPECTS_LOCALTIME, NEEDS_AUTOESCAPE, IS_SAFE, OWN = 1, 2, 4, 8
_OWN_FILTERS = frozenset(defaultfilters.register.filters.values())


# Expressions


def _base(variable: Any) -> Base:
    if type(variable) is not base.Variable or variable.translate:
        return ("call", variable)
    if variable.lookups is None:
        return ("const", variable.literal)
    return ("lookup", variable, tuple(variable.lookups))


def _filter(function: Callable[..., Any], args: Iterable[tuple[bool, Any]]) -> tuple[Any, ...]:
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


def lower_expr(expression: Any) -> Expr:
    """The expr of a FilterExpression, or of anything else that has a resolve()."""
    if type(expression) is not base.FilterExpression:
        return ("call", expression, None)
    variable = expression.var
    start = _base(variable) if isinstance(variable, base.Variable) else ("const", variable)
    if start[0] == "const" and not expression.filters:
        return start
    return ("expr", expression, start, tuple(_filter(function, args) for function, args in expression.filters))


def _pairs(mapping: Mapping[str, Any]) -> Pairs:
    return tuple((name, lower_expr(value)) for name, value in mapping.items())


def lower_cond(condition: Any) -> Cond:
    """The cond of a parsed condition of {% if %}."""
    if type(condition) is defaulttags.TemplateLiteral:
        return ("value", lower_expr(condition.value))
    name = getattr(condition, "id", None)
    if type(condition) is not smartif.OPERATORS.get(name):
        return ("call", condition)
    if name == "not":
        return ("not", lower_cond(condition.first))
    return (name, lower_cond(condition.first), lower_cond(condition.second))


# Nodes


def _text(node: Any) -> Ops:
    return [("text", node, node.s)] if isinstance(node.s, str) else _call(node)


def _var(node: Any) -> Ops:
    return [("var", node, lower_expr(node.filter_expression))]


def _if(node: Any) -> Ops:
    alternatives = tuple(
        (None if condition is None else lower_cond(condition), lower_nodelist(nodelist))
        for condition, nodelist in node.conditions_nodelists
    )
    return [("if", node, alternatives)]


def _for(node: Any) -> Ops:
    body, empty = lower_nodelist(node.nodelist_loop), lower_nodelist(node.nodelist_empty)
    return [("for", node, tuple(node.loopvars), lower_expr(node.sequence), bool(node.is_reversed), body, empty)]


def _with(node: Any) -> Ops:
    return [("with", node, _pairs(node.extra_context), lower_nodelist(node.nodelist))]


def _autoescape(node: Any) -> Ops:
    return [("autoescape", node, bool(node.setting), lower_nodelist(node.nodelist))]


def _block(node: Any) -> Ops:
    return [("block", node, lower_nodelist(node.nodelist))]


def _extends(node: Any) -> Ops:
    return [("extends", node, lower_expr(node.parent_name), lower_nodelist(node.nodelist))]


def _include(node: Any) -> Ops:
    return [("include", node, lower_expr(node.template), _pairs(node.extra_context), bool(node.isolated_context))]


def _firstof(node: Any) -> Ops:
    return [("firstof", node, tuple(map(lower_expr, node.vars)), node.asvar)]


def _verbatim(node: Any) -> Ops:
    return [("text", node, node.content)] if isinstance(node.content, str) else _call(node)


def _templatetag(node: Any) -> Ops:
    return [("text", node, node.mapping.get(node.tagtype, ""))]


def _nothing(node: Any) -> Ops:
    return []


def _call(node: Any, reads: Reads | None = None, pure: Pure = False, sets: Sets | None = None) -> Ops:
    return [("call", node, reads, pure, sets)]


def _named(name: str | None) -> tuple[str, ...]:
    return (name,) if name else ()


def _lookup(*names: str) -> Expr:
    return ("expr", None, ("lookup", base.Variable(".".join(names)), names), ())


def _spaceless(node: Any) -> Ops:
    return _call(node, *effects_of(lower_nodelist(node.nodelist)))


def _static(node: Any) -> Ops:
    path = lower_expr(node.path)
    return _call(node, (path,), expr_is_pure(path), _named(node.varname))


def _now(node: Any) -> Ops:
    return _call(node, (), False, _named(node.asvar))


def _cycle(node: Any) -> Ops:
    # It counts its own evaluations: the same inputs give another output.
    variables, name = tuple(node.cyclevars), node.variable_name
    exprs = tuple(map(lower_expr, variables))
    return [("cycle", node, exprs, False, _named(name), variables, exprs, name or None, bool(node.silent))]


def _csrf(node: Any) -> Ops:
    return _call(node, (_lookup("csrf_token"),), "once", ())


def _url(node: Any) -> Ops:
    name, args, kwargs = lower_expr(node.view_name), tuple(map(lower_expr, node.args)), _pairs(node.kwargs)
    reads = (name, *args, *(value for _, value in kwargs))
    return [("url", node, reads, all(map(expr_is_pure, reads)), _named(node.asvar), name, args, kwargs, node.asvar)]


def _translate(node: Any) -> Ops:
    expression = node.filter_expression
    context = lower_expr(node.message_context) if node.message_context else None
    reads = (lower_expr(expression),) + (() if context is None else (context,))
    # Its literal is translated at run time: `translate` of the variable is set only then.
    pure = all(filter_is_pure(function) for function, _ in expression.filters)
    about = (node, reads, pure, _named(node.asvar))
    literal: Any = getattr(expression.var, "literal", None)
    if expression.filters or type(expression.var) is not base.Variable or type(literal) is not SafeString:
        return _call(*about)
    message = literal if node.noop else mark_safe(literal.replace("%", "%%"))
    return [("translate", *about, message, bool(node.noop), context, node.asvar or None)]


def _message(tokens: Iterable[base.Token], trimmed: bool) -> tuple[str, tuple[str, ...]]:
    """(msgid, names) of a list of {% blocktranslate %}'s tokens."""
    names = tuple(token.contents for token in tokens if token.token_type == base.TokenType.VAR)
    parts = {base.TokenType.TEXT: lambda text: text.replace("%", "%%"), base.TokenType.VAR: "%({})s".format}
    message = "".join(parts[token.token_type](token.contents) for token in tokens if token.token_type in parts)
    return trim_whitespace(message) if trimmed else message, names


def _blocktranslate(node: Any) -> Ops:
    singular, names = _message(node.singular, node.trimmed)
    counted = bool(node.plural and node.countervar and node.counter)
    plural, more = _message(node.plural, node.trimmed) if counted else (None, ())
    names += more
    context = lower_expr(node.message_context) if node.message_context else None
    count = (node.countervar, lower_expr(node.counter)) if counted else None
    pairs = _pairs(node.extra_context)
    reads: Any = (*(value for _, value in pairs), *((count[1],) if count else ()), *((context,) if context else ()))
    local = {*node.extra_context, node.countervar}
    pure = all(map(expr_is_pure, reads))
    try:
        reads += tuple(_lookup(name) for name in dict.fromkeys(names) if name not in local)
    except base.TemplateSyntaxError:  # _name: a message may have what a variable may not
        reads, pure = None, False
    asvar = getattr(node, "asvar", None)
    about = (node, reads, pure, _named(asvar))
    if asvar:
        return _call(*about)
    return [("blocktranslate", *about, pairs, singular, plural, count, context, names)]


def _widthratio(node: Any) -> Ops:
    reads = tuple(map(lower_expr, (node.val_expr, node.max_expr, node.max_width)))
    return _call(node, reads, all(map(expr_is_pure, reads)), _named(node.asvar))


def _regroup(node: Any) -> Ops:
    target, expression = lower_expr(node.target), lower_expr(node.expression)
    return _call(node, (target, expression), expr_is_pure(target) and expr_is_pure(expression), (node.var_name,))


def _filter_tag(node: Any) -> Ops:
    reads, pure, sets = effects_of(lower_nodelist(node.nodelist))
    expression = lower_expr(node.filter_expr)
    return _call(node, join_reads(reads, (expression,)), pure and expr_is_pure(expression), sets)


def _wrapped(node: Any) -> Ops:
    """A tag around a list of nodes that changes nothing but language, time zone or number formats inside."""
    reads, pure, sets = effects_of(lower_nodelist(node.nodelist))
    argument = getattr(node, "language", None) or getattr(node, "tz", None)
    return _call(node, join_reads(reads, (lower_expr(argument),) if argument else ()), pure, sets)


def _sets_variable(node: Any) -> Ops:
    """get_current_language and its like: what they give depends on the locale alone."""
    arguments = [each for each in (getattr(node, "lang_code", None), getattr(node, "languages", None)) if each]
    return _call(node, tuple(map(lower_expr, arguments)), True, (node.variable,))


def _prefix(node: Any) -> Ops:
    return _call(node, (), True, _named(node.varname))


def _simple(node: Any) -> Ops:
    args, kwargs = tuple(map(lower_expr, node.args)), _pairs(node.kwargs)
    reads = None if node.takes_context else (*args, *(value for _, value in kwargs))
    sets = None if node.takes_context else _named(node.target_var)
    about = (node, reads, False, sets)
    return [("simple", *about, node.func, args, kwargs, bool(node.takes_context), node.target_var)]


def _inclusion(node: Any) -> Ops:
    if node.takes_context:
        return [("inclusion", node, None, False, None)]
    arguments = tuple(map(lower_expr, (*node.args, *node.kwargs.values())))
    return [("inclusion", node, (*arguments, _lookup("csrf_token")), False, ())]


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

# What evaluates no variables, or has its node's own method do so. Where another package evaluates them, other nodes are
# called: it may look for the node's frame on the stack.
_WITHOUT_VALUES = frozenset(
    {
        base.TextNode,
        defaulttags.AutoEscapeControlNode,
        defaulttags.VerbatimNode,
        defaulttags.TemplateTagNode,
        defaulttags.CommentNode,
        defaulttags.LoadNode,
        loader_tags.BlockNode,
        loader_tags.ExtendsNode,
    }
)
_known: dict[type[Any], tuple[Any, Any, bool]] = {}  # its render() and render_annotated(), and whether it is Django's


def _is_own(cls: type[Any]) -> bool:
    """Whether a class of Django's renders as Django made it. If not, it is called, as any unknown one."""
    known = _known.get(cls)
    if known is None or known[0] is not cls.render or known[1] is not cls.render_annotated:
        known = _known[cls] = (cls.render, cls.render_annotated, originals.class_is_own(cls))
    return known[2]


def is_known(node: Any) -> bool:
    """Whether a node is of a class of Django's that this module lowers, and renders as Django made it."""
    cls = type(node)
    return cls in _KINDS and _is_own(cls) and "render" not in vars(node)


def lower_node(node: Any) -> Ops:
    """The ops of one node. What is unknown, or cannot be read, is called: that is always correct."""
    if not is_known(node) or not (type(node) in _WITHOUT_VALUES or originals.values_are_own()):
        return _call(node)
    try:
        return _KINDS[type(node)](node)
    except Exception:
        logger.warning("event=not_lowered node=%s", quoted(node), exc_info=True)
        return _call(node)


def lower_nodelist(nodelist: Iterable[Any] | None) -> Ops:
    """The ops of a list of nodes. What is no Node gives an op that is called as Django would."""
    return [op for node in nodelist or () for op in lower_node(node)]


# Looking into tags


def with_inside(op: Op) -> Iterator[Op]:
    """An op and all ops inside, those of a tag that is called with all that is in it too."""
    yield op
    node = op[1]
    if op[0] == "call":
        inside = lower_nodelist(node.nodelist) if isinstance(getattr(node, "nodelist", None), base.NodeList) else ()
    elif op[0] == "if":
        inside = tuple(nested for _, ops in op[2] for nested in ops)
    else:
        inside = tuple(nested for part in op[2:] if type(part) is list for nested in part)
    for nested in inside:
        yield from with_inside(nested)


def values_given(op: Op) -> tuple[Expr, ...]:
    """The exprs that an op passes to custom tags, which may mutate what they are given (a list, say)."""
    custom = (each for each in with_inside(op) if each[0] == "simple" or type(each[1]) is library.InclusionNode)
    return tuple(expr for each in custom for expr in each[2] or ())
