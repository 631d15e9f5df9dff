"""LiveView: what a project's live pages derive from."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.generic.base import ContextMixin, TemplateResponseMixin, View

from . import access, access_names, admission, base_order, django_bases, hooks, validation
from .web import page

_NO_STATE = {"request", "args", "kwargs"}  # instance attributes that are Django's, and rebuilt after a restore


def _request_update(view: "LiveView") -> bool:
    """Replaced by a worker (worker/py/updates.c). Elsewhere there is no page to update."""
    return False


# By id(): what to call when a view changes whose `async def` handler is awaited (runtime/progress.py).
_awaited: dict[int, Callable[[], None]] = {}


class LiveView(TemplateResponseMixin, ContextMixin, View):
    """A page that lives in a worker: one instance per open page, whose public attributes are its state.

    class Counter(LiveView):
        template_name = "counter.html"

        def mount(self, request, start=0):
            self.count = start

        @event_handler
        def increment(self):
            self.count += 1

    urlpatterns = [path("counter/<int:start>/", Counter.as_view())]

    It is a Django class-based view, like a TemplateView: as_view(), setup(), dispatch(), http_method_names, mixins,
    get_template_names(), get_context_data() and extra_context do what they do there. A GET is answered by an instance
    in the web process, whose dispatch() has the page mounted in a worker.
    """

    view_is_async = False  # Django looks for `async def get`, which here could be an event handler
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}
    template_string: str | None = None
    use_actors: bool = True  # has no effect: as_view() warns if it is false
    tick_interval: float | None = None  # ms between two calls of handle_tick(), while a page is open
    request: Any = None  # an HttpRequest; None where a program uses the view
    login_required: bool = False  # only for users who are logged in; others are sent to the login page
    login_url: str | None = None  # default: LOGIN_URL
    permission_required: str | Iterable[str] | None = None  # a permission, or several, that the user must have
    on_mount: Sequence[Callable[..., Any]] = ()  # hook(view, request, **kwargs), before mount(); may return a redirect
    state_version: int = 0  # increase it when snapshots of older code cannot be used as they are; see migrate()

    def __init__(self, **initkwargs: Any) -> None:
        super(View, self).__init__()  # of mixins behind LiveView, where Django's View ends the chain
        super().__init__(**initkwargs)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        base_order.put_mixins_first(cls, LiveView)
        source = vars(cls).get("template")  # djust's name of template_string
        if isinstance(source, str) and cls.template_name is None and "template_string" not in vars(cls):
            cls.template_string = source
        django_bases.check_class(cls, LiveView)
        validation.check_class(cls, LiveView)
        hooks.check_class(cls, LiveView)
        access.check_class(cls, LiveView)
        access_names.check_class(cls, LiveView)
        interval = cls.tick_interval
        if interval is None or hasattr(interval, "__get__"):  # a property is read at the end of each turn
            return
        if type(interval) not in (int, float) or not interval > 0:
            raise TypeError(f"{cls.__qualname__}.tick_interval must be milliseconds or None, not {interval!r}")

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponseBase]:
        """The view function for a URL pattern. initkwargs: set on each instance; they must be attributes of the class.

        The function answers GET, HEAD and OPTIONS. A response that `mount` returns, such as a redirect, and Http404 or
        PermissionDenied that it raises, reach the browser. TypeError: a keyword that is not an attribute.
        """
        access_names.check_class(cls, LiveView)  # again: a decorator may have set something since
        django_bases.check_initkwargs(cls, initkwargs)
        return page.view_function(cls, super().as_view(**initkwargs))

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Django's: sets request, args and kwargs. Called in the web process, and in the worker before mount()."""
        self.request, self.args, self.kwargs = request, args, kwargs

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Django's: the response to a request, which is a page with this view, mounted in a worker.

        An override decides who may see the page, and may change the response. The worker asks it again, with the
        page's request: before mount(), whenever the page joins, and before each event and tick. What super() answers
        there is no page.
        """
        question = admission.ASKED.get()
        if question is not None:
            return question.admit(self, args, kwargs)
        return page.respond(self, request, args, kwargs)

    def _allowed_methods(self) -> list[str]:
        return [name.upper() for name in ("get", "head", "options") if name in self.http_method_names]

    def mount(self, request: Any, **kwargs: Any) -> Any:
        """Called once, when the page opens, with the URL pattern's named groups.

        It may return a response, which the browser gets in place of the view.
        """

    def handle_tick(self) -> Any:
        """Called every `tick_interval` ms while the view's page is open; it may be an `async def`.

        Its changes are sent to the page. Ticks and events of a page never run at the same time, and a slow tick delays
        the next one.
        """

    def request_update(self) -> bool:
        """Reports a change outside of events and ticks: the view is rendered again soon, and the difference is sent to
        its page.

        Any thread of the view's own process may call it, at any time; calls before that rendering are merged. False: it
        has no effect, because the view is closed or lives in no worker (inproc://).
        """
        accepted = _request_update(self)
        show = _awaited.get(id(self))
        if show is not None:
            show()
        return accepted

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The template's context: the public instance attributes, `kwargs`, `view` and extra_context."""
        context = {name: value for name, value in vars(self).items() if name[0] != "_" and name not in _NO_STATE}
        context.update(kwargs)
        return super().get_context_data(**context)

    def restore(self, request: Any) -> None:
        """Called when this view was restored from a snapshot, on another worker, after its attributes were set.

        Override it to recreate what a snapshot cannot hold (a queryset, a form, a lock): such attributes are missing.
        request: that of the page's new socket; None if a program uses the view.
        """

    def migrate(self, version: int, state: dict[str, Any]) -> dict[str, Any] | None:
        """Called for a snapshot of another state_version: `version`. state: the attributes in it. Returns those to set;
        None, the default: the view starts afresh, with mount().

        After a rollback `version` may be higher than the class's.
        """
        return None

    def check_permissions(self, request: Any) -> Any:
        """Raises PermissionDenied, or returns False or a response, for a user who may not have this view. Called before
        mount(), whenever the page joins, and before each of its events and ticks.
        """

    def has_object_permission(self, request: Any, obj: Any) -> bool:
        """Whether the user may have this view of what its get_object() returns. Called after mount(), whenever the page
        joins, and before each of its events and ticks.
        """
        return True

    def authorize(self, request: Any) -> bool:
        """Whether the user may have this view. Called first whenever it is mounted, joined or restored.

        Return False or raise PermissionDenied to refuse.
        """
        return True
