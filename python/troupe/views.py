"""LiveView: what a project's live pages derive from."""

from . import validation
from .web import page


def _request_update(view):
    """A worker puts its own in place of this: elsewhere there is no page to send anything to."""
    return False


class LiveView:
    """A page that lives in a worker: an instance for each open page, whose public attributes are its state.

    class Counter(LiveView):
        template_name = "counter.html"

        def mount(self, request, start=0):
            self.count = start

        @event_handler
        def increment(self):
            self.count += 1

    urlpatterns = [path("counter/<int:start>/", Counter.as_view())]
    """

    template_name = None
    template_string = None
    use_actors = True  # read, and warned about if false: actors are the only way
    tick_interval = None  # ms between two calls of handle_tick(), while a page is open
    request = None
    state_version = 0  # count it up when instances of older code are not to be gone on with as they are; see migrate()

    def __init__(self, **initkwargs):
        for name, value in initkwargs.items():
            setattr(self, name, value)

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        validation.check_class(cls, LiveView)
        interval = cls.tick_interval
        if interval is None or hasattr(interval, "__get__"):  # a property is asked at the end of each turn
            return
        if type(interval) not in (int, float) or not interval > 0:
            raise TypeError(f"{cls.__qualname__}.tick_interval must be milliseconds or None, not {interval!r}")

    @classmethod
    def as_view(cls, **initkwargs):
        """The view function for a URL pattern; `initkwargs` are set on each instance and must be attributes
        of the class.

        The function is async and answers GET and HEAD. A redirect, Http404 or PermissionDenied of `mount` is
        what the visitor gets.
        """
        return page.page_view(cls, initkwargs)

    def mount(self, request, **kwargs):
        """Called once, when the page opens, with the URL pattern's named groups."""

    def handle_tick(self):
        """Called every `tick_interval` ms while the view's page is open; it may be an `async def`.

        What it changes is sent to the page. Ticks and events of a page never run at the same time, and a tick that
        takes long delays the next one.
        """

    def request_update(self):
        """Say that something changed outside of events and ticks: the view is rendered again soon, and what differs is
        sent to its page.

        Any thread of the view's own process may call it, at any time; several calls before that rendering lead to one.
        False: the view is closed, or lives in no worker (inproc://), and nothing will come of it.
        """
        return _request_update(self)

    def get_context_data(self, **kwargs):
        """What the template sees: the public instance attributes, without `request`, and `kwargs`."""
        context = {name: value for name, value in vars(self).items() if name[0] != "_" and name != "request"}
        context.update(kwargs)
        return context

    def restore(self, request):
        """Called when this view comes back from a snapshot, on another worker: its attributes are what they were.

        Define it to make again what a snapshot cannot hold (a queryset, a form, a lock): such attributes are not set
        then. `request` is that of the page's new socket, or None where a program uses the view.
        """

    def migrate(self, version, state):
        """Called instead of setting the attributes `state`, which an instance of this class left in a snapshot when its
        `state_version` was `version`. Return those to set. None, as here: begin anew, with mount().

        Snapshots are read by newer code after a reload, and by older code while one is undone: `version` may be higher.
        """
        return None

    def authorize(self, request):
        """Whether this person may have this view. Asked when it is mounted, joined or restored, before
        anything else.

        Return False or raise PermissionDenied to refuse.
        """
        return True
