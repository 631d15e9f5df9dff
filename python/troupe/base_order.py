"""Mixins that stand behind LiveView among a class's bases: `class V(LiveView, LoginRequiredMixin)`.

Python would look into LiveView first, and nobody would ask them. Such a class gets its bases in another order: LiveView
moves behind those that define what it would hide. All else stays where it was: what a base of the project's own defines
still comes before what a mixin behind that base does. docs/decisions/django/0040 has the reasons.
"""

from typing import Any

from django.views.generic.base import ContextMixin, View

from .validation import named


class MixinsFirst(View):
    """The first base of a class whose first one was LiveView: `__bases__` takes no class of another layout there."""


def put_mixins_first(cls: type[Any], root: type[Any]) -> None:
    """Puts LiveView behind the bases of which it hides something. root: LiveView.

    TypeError: a class that `cls` derives from has fixed another order.
    """
    hidden = _hidden(cls, root)
    if not hidden:
        return
    given = [base for base in cls.__bases__ if base is not root]
    moved = [base for base in hidden if base not in given]
    first = [MixinsFirst] if cls.__bases__[0] is root else []
    why = ""
    try:
        cls.__bases__ = (*first, *given, *moved, root)
    except TypeError as error:
        why = f" ({' '.join(str(error).split())})"
    for base, name in _hidden(cls, root).items():
        raise TypeError(
            f"{named(cls, base, name)}: {root.__name__} comes before {base.__qualname__}, so this would never be "
            f"used. Put {base.__qualname__} first: class {cls.__name__}({base.__qualname__}, …).{why}"
        )


def _hidden(cls: type[Any], root: type[Any]) -> dict[type[Any], str]:
    """Bases behind LiveView that define what an attribute of LiveView's own hides, in their order, and its name."""
    order, own = cls.__mro__, set(root.__mro__)
    found: dict[type[Any], str] = {}
    for position, base in enumerate(order):
        if base in own or position < order.index(root) or getattr(base, "_is_protocol", False):
            continue
        for name, value in vars(base).items():
            hides = next((other for other in order[:position] if other in own and name in vars(other)), None)
            if hides is None or name.startswith("__"):  # LiveView calls a mixin's __init__
                continue
            if vars(hides)[name] is value or (name == "get_context_data" and position < order.index(ContextMixin)):
                continue
            # A method that is overridden may be called by super(); a value is not read once there is another.
            if callable(value) or hasattr(value, "__get__") or not _is_overridden(order, own, name):
                found.setdefault(base, name)
    return found


def _is_overridden(order: tuple[type[Any], ...], own: set[type[Any]], name: str) -> bool:
    return next(base for base in order if name in vars(base)) not in own
