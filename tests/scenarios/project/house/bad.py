"""Live views that do what nobody should."""

import asyncio

from django.http import HttpResponse

from troupe import LiveView, event_handler

from . import views


class Unshowable(Exception):
    """An exception whose text raises."""

    def __str__(self):
        raise RuntimeError("no text either")


class Handlers(LiveView):
    """A mishap a handler, and attributes that are none."""

    template_string = "<p dj-root><output>{{ count }}</output></p>"
    not_callable = 7
    function_of_elsewhere = len
    inner = views.Counter

    def mount(self, request):
        self.count = 0
        self.nobody = None

    @event_handler
    def increment(self):
        self.count += 1

    @event_handler
    def boom(self):
        self.count += 1
        raise ValueError('boom <b>&</b> "quoted"\nsecond line')

    @event_handler
    def says(self, text):
        raise ValueError(text)

    @event_handler
    def exits(self):
        raise SystemExit(3)

    @event_handler
    def interrupts(self):
        raise KeyboardInterrupt

    @event_handler
    def generator_exit(self):
        raise GeneratorExit

    @event_handler
    async def exits_async(self):
        await asyncio.sleep(0)
        raise SystemExit(3)

    @event_handler
    async def interrupts_async(self):
        await asyncio.sleep(0)
        raise KeyboardInterrupt

    @event_handler
    async def cancels_async(self):
        raise asyncio.CancelledError

    @event_handler
    async def cancels_itself(self):
        asyncio.current_task().cancel()
        await asyncio.sleep(1)

    @event_handler
    async def stops_the_loop(self):
        asyncio.get_running_loop().stop()
        await asyncio.sleep(0)
        self.count += 1

    @event_handler
    def unshowable(self):
        raise Unshowable

    @event_handler
    def garbage(self):
        return object()

    @event_handler
    def garbage_response(self):
        return HttpResponse("not a page")

    @event_handler
    def gives_generator(self):
        return self._generate()

    @event_handler
    def gives_async_generator(self):
        return self._generate_later()

    @event_handler
    async def gives_generator_later(self):
        return self._generate()

    @event_handler
    async def gives_coroutine(self):
        return self._count_later()

    @event_handler
    def gives_map(self):
        return map(self._count, range(3))

    @event_handler
    def gives_coroutine_to_await(self):
        return self._count_later()

    def _generate(self):
        yield self._count(1)

    async def _generate_later(self):
        yield self._count(1)

    async def _count_later(self):
        self._count(1)

    def _count(self, by):
        self.count += by

    @event_handler
    def strip(self):
        vars(self).clear()

    @event_handler
    def recurse(self):
        return self.recurse()

    @event_handler
    async def recurse_async(self):
        return await self.recurse_async()

    @event_handler
    def recurse_repr(self):
        deep = []
        for _ in range(100_000):
            deep = [deep]
        repr(deep)

    @event_handler
    def needs(self, one, two):
        self.count += one + two

    @event_handler
    def long_text(self):
        raise ValueError("x" * 3_000_000)

    @event_handler
    def surrogate(self):
        raise ValueError("\ud800 alone")

    @event_handler
    def surrogate_in_state(self):
        self.count = "\ud800"

    @event_handler
    def zero(self):
        self.count = "a\0b\rc"

    @event_handler
    def huge_html(self):
        self.count = "x" * (20 << 20)

    @event_handler
    def back_to_zero(self):
        self.count = 0

    @event_handler
    def becomes_another(self):
        self.__class__ = views.Where

    @event_handler
    def drops_request(self):
        self.request = 5

    @property
    def prop(self):
        return self.increment

    def _x(self):
        self.count = -1

    def __secret(self):
        self.count = -1

    def helper(self):
        self.count = -1

    @staticmethod
    def static():
        return None

    @classmethod
    def of_class(cls):
        return None


class Context(LiveView):
    """Its get_context_data() goes wrong once it was told how."""

    template_string = "<p dj-root>{{ mode }}</p>"

    def mount(self, request, mode="well"):
        self.mode = mode

    @event_handler
    def set_mode(self, mode):
        self.mode = mode

    def get_context_data(self, **kwargs):
        if self.mode == "garbage":
            return 42
        if self.mode == "nothing":
            return None
        if self.mode == "raises":
            raise LookupError("no context today")
        if self.mode == "exits":
            raise SystemExit(4)
        if self.mode == "keys":
            return {1: "one", "mode": "keys"}
        return super().get_context_data(**kwargs)


class NoTemplate(LiveView):
    """Names a template that is not there."""

    template_name = "house/nowhere.html"


class NoTemplateAtAll(LiveView):
    """Names none."""


class BadSyntax(LiveView):
    """Its template does not parse."""

    template_string = "<p dj-root>{% if %}</p>"


class Raises(LiveView):
    """Its template raises, once it was told to."""

    template_string = "<p dj-root>{{ well }}{{ explode }}</p>"

    def mount(self, request, well="well"):
        self.well = well
        self.armed = False

    @event_handler
    def arm(self):
        self.armed = True

    @event_handler
    def disarm(self):
        self.armed = False

    def get_context_data(self, **kwargs):
        return super().get_context_data(explode=self._explode if self.armed else "")

    def _explode(self):
        raise ZeroDivisionError("in the template")


class IncludesItself(LiveView):
    """Its template includes itself for ever."""

    template_name = "house/endless.html"


class MountRaises(LiveView):
    """Its mount() raises."""

    template_string = "<p dj-root>never</p>"

    def mount(self, request):
        secret = "launch code 0000"
        raise RuntimeError(f"mount failed with {secret}")


class MountExits(LiveView):
    """Its mount() raises SystemExit."""

    template_string = "<p dj-root>never</p>"

    def mount(self, request):
        raise SystemExit(5)


class MountAsync(LiveView):
    """Its mount() returns a coroutine, which nobody awaits."""

    template_string = "<p dj-root>never</p>"

    def mount(self, request):
        return self._mount_later(request)

    async def _mount_later(self, request):
        pass


class AuthorizeAsync(LiveView):
    """Its authorize() returns a coroutine, which is no yes."""

    template_string = "<p dj-root>secret</p>"

    def authorize(self, request):
        return self._authorize_later(request)

    async def _authorize_later(self, request):
        return False


class ContextAsync(LiveView):
    """Its get_context_data() returns a coroutine."""

    template_string = "<p dj-root>never</p>"

    def get_context_data(self, **kwargs):
        return self._later()

    async def _later(self):
        return {}


class BadInit(LiveView):
    """Cannot be made."""

    template_string = "<p dj-root>never</p>"

    def __init__(self, **kwargs):
        raise OSError("not today")


class AuthorizeRaises(LiveView):
    """Its authorize() raises."""

    template_string = "<p dj-root>never</p>"

    def authorize(self, request):
        raise KeyError("who")


class NoRoot(LiveView):
    """A template without a root, or anything."""

    template_string = ""


VIEWS = [
    Handlers,
    Context,
    NoTemplate,
    NoTemplateAtAll,
    BadSyntax,
    Raises,
    IncludesItself,
    MountRaises,
    MountExits,
    MountAsync,
    AuthorizeAsync,
    ContextAsync,
    BadInit,
    AuthorizeRaises,
    NoRoot,
]
