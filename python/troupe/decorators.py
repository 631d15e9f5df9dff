"""Decorators for views."""

from .validation import check_mark


def event_handler(function=None, *, retry_safe=False):
    """Mark a method as one that a browser's events may call.

    Usable with and without brackets, on `def` and `async def`. `retry_safe=True` says that running it twice
    does no harm, so that it may be tried again when a worker died in the middle.

    TypeError: it is no such method. When the class is made, TypeError: it would never run (a generator, a name that
    begins with an underscore or is LiveView's), or one that takes its place in a subclass is not decorated.
    """

    def mark(method):
        check_mark(method)
        method._troupe_event_handler = True
        method._troupe_retry_safe = retry_safe
        return method

    return mark if function is None else mark(function)
