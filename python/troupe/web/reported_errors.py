"""What a worker has reported is not reported again by the page around an embedded view.

An exception of a view under {% live_view %} is logged, signalled and mailed in its worker, with its traceback. The page
fails with an ActorError, which Django logs as well: as one line then, below the level that is mailed.
"""

import logging

from ..errors import ActorError


class _Once(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, ActorError) and error.is_reported:
            record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
            record.msg, record.args = "%s (reported by the worker: %s)", (record.getMessage(), error.message)
            record.exc_info = record.exc_text = None
        return True


_once = _Once()


def install() -> None:
    """Filters the records of Django's logger for requests."""
    logging.getLogger("django.request").addFilter(_once)
