"""Lowering: Django's parsed nodes as plain tuples, from which C builds its programs (worker/py/template/program.h).

Django parses; this module looks at what it made, once a template; C executes. Nothing here runs while a page is
rendered a second time; what C calls then stands in slow_path.py.

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

from django.template import base, defaultfilters, defaulttags, library, loader_tags, smartif
from django.templatetags import i18n, l10n, static, tz
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import trim_whitespace

from ..logs import quoted
from .effects import effects_of, expr_is_pure, filter_is_pure, join_reads

logger = logging.getLogger("troupe")

EXPECTS_LOCALTIME, NEEDS_AUTOESCAPE, IS_SAFE, OWN = 1, 2, 4, 8
_OWN_FILTERS = frozenset(defaultfilters.register.filters.values())


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
    return _call(node, *effects_of(lower_nodelist(node.nodelist)))


def _static(node):
    path = lower_expr(node.path)
    return _call(node, (path,), expr_is_pure(path), _named(node.varname))


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
    return [("url", node, reads, all(map(expr_is_pure, reads)), _named(node.asvar), name, args, kwargs, node.asvar)]


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
    message = "".join(parts[token.token_type](token.contents) for token in tokens if token.token_type in parts)
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


def _widthratio(node):
    reads = tuple(map(lower_expr, (node.val_expr, node.max_expr, node.max_width)))
    return _call(node, reads, all(map(expr_is_pure, reads)), _named(node.asvar))


def _regroup(node):
    target, expression = lower_expr(node.target), lower_expr(node.expression)
    return _call(node, (target, expression), expr_is_pure(target) and expr_is_pure(expression), (node.var_name,))


def _filter_tag(node):
    reads, pure, sets = effects_of(lower_nodelist(node.nodelist))
    expression = lower_expr(node.filter_expr)
    return _call(node, join_reads(reads, (expression,)), pure and expr_is_pure(expression), sets)


def _wrapped(node):
    """A tag around a list of nodes that changes nothing but language, time zone or number formats inside."""
    reads, pure, sets = effects_of(lower_nodelist(node.nodelist))
    argument = getattr(node, "language", None) or getattr(node, "tz", None)
    return _call(node, join_reads(reads, (lower_expr(argument),) if argument else ()), pure, sets)


def _sets_variable(node):
    """get_current_language and its like: what they give depends on the locale alone."""
    arguments = [each for each in (getattr(node, "lang_code", None), getattr(node, "languages", None)) if each]
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
_RENDERS = {cls: (cls.render, cls.render_annotated) for cls in _KINDS}


def lower_node(node):
    """The ops of one node. What we do not know, or cannot read, is called: that is always right."""
    cls = type(node)
    known = _RENDERS.get(cls)
    if known is None or known != (cls.render, cls.render_annotated) or "render" in vars(node):
        return _call(node)
    try:
        return _KINDS[cls](node)
    except Exception:
        logger.warning("event=not_lowered node=%s", quoted(node), exc_info=True)
        return _call(node)


def lower_nodelist(nodelist):
    """The ops of a list of nodes. What is no Node gives an op that is called as Django would."""
    return [op for node in nodelist or () for op in lower_node(node)]


# Looking into tags


def with_inside(op):
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


def values_given(op):
    """The exprs that an op passes to custom tags, which may mutate what they are given (a list, say)."""
    custom = (each for each in with_inside(op) if each[0] == "simple" or type(each[1]) is library.InclusionNode)
    return tuple(expr for each in custom for expr in each[2] or ())
