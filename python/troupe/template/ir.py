"""The intermediate representation of a template: plain tuples, which lowering.py makes of Django's nodes, which
inlining.py and plan.py look into, and of which C builds its programs (worker/py/template/program.h).

The grammar. An op is a tuple; element 0 is its kind, element 1 the Django node it came from (None: from nowhere; it
cannot fail). `[op…]` is a list of ops.

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

    ("inclusion", node, reads, pure, sets)              an inclusion tag: inlining.py looks into its template

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

from typing import Any, Literal

Op = tuple[Any, ...]
Ops = list[Op]
Expr = tuple[Any, ...]
Base = tuple[Any, ...]
Cond = tuple[Any, ...]
Pairs = tuple[tuple[str, Expr], ...]

Reads = tuple[Expr, ...] | None
Pure = bool | Literal["once"]
Sets = tuple[str, ...] | None
Effects = tuple[Reads, Pure, Sets]

Item = list[Any] | tuple[Any, ...]  # of a plan (plan.py): a list while the plan is built
