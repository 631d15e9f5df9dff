"""Asking a view class and its URL who may see the page, without showing it.

Whatever a project puts around a page (decorators on as_view(), access mixins, dispatch() and setup() of its own) runs
again in the worker, for the request there: it must lead to LiveView.dispatch(), which then answers with an Admitted.
"""

from contextvars import ContextVar
from typing import Any, NamedTuple

from django.http import HttpResponse


class Call(NamedTuple):
    """A call of the function that as_view() returned, with what the URL and the decorators around it gave it."""

    initkwargs: dict[str, Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class Admitted(HttpResponse):
    """The answer of LiveView.dispatch() to a question. It must not get into a cache: it says nothing of anybody else.

    args, kwargs: those of mount().
    """

    def __init__(self, question: "Question", args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        super().__init__(headers={"Cache-Control": "private, no-store"})
        self.question = question
        self.args = args
        self.kwargs = kwargs


class Question:
    """Whether the request that is dispatched may have a page of this class. One is asked at a time in a context.

    view: the instance that admitted it; None before that.
    """

    def __init__(self, cls: type[Any]) -> None:
        self.cls = cls
        self.view: Any = None

    def admit(self, view: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> HttpResponse:
        """The answer of LiveView.dispatch(). A 404 to a view of another class: the URL leads elsewhere by now."""
        if type(view) is not self.cls:
            return HttpResponse(status=404)
        self.view = view
        return Admitted(self, args, kwargs)

    def is_admitted(self, response: Any) -> bool:
        """Whether a response is the answer to this very question."""
        return isinstance(response, Admitted) and response.question is self


class NonAtomic(set[str]):
    """The `_non_atomic_requests` of what as_view() returns. Django finds every database in it, as a page in the web
    process only waits for its worker; as a set it has those that non_atomic_requests() around as_view() names, for the
    worker.
    """

    def __contains__(self, alias: object) -> bool:
        return True


CALL: ContextVar[Call | None] = ContextVar("troupe_call", default=None)  # the one that runs
ASKED: ContextVar[Question | None] = ContextVar("troupe_asked", default=None)
