"""Mail to ADMINS from a worker: once per kind and interval, from a thread of its own."""

import logging
import queue
import threading

import django
import pytest
from django.utils.log import AdminEmailHandler

from troupe.runtime import error_mail

HOUR = 3600


class Clock:
    """Stands still."""

    now = 0.0

    def __call__(self):
        return self.now


def test_once_per_kind_and_interval():
    clock = Clock()
    once = error_mail.OncePerKind(clock)
    assert [once.admit("a", HOUR) for _ in range(4)] == [0, None, None, None]
    assert once.admit("b", HOUR) == 0
    clock.now = HOUR - 1
    assert once.admit("a", HOUR) is None
    clock.now = HOUR
    assert once.admit("a", HOUR) == 4  # left out in between
    assert once.admit("a", HOUR) is None
    assert once.admit("a", 0) == 1


def test_kinds_do_not_pile_up():
    once = error_mail.OncePerKind(Clock())
    for n in range(error_mail.MAX_KINDS + 10):
        once.admit(n, HOUR)
    assert len(once._sent) == error_mail.MAX_KINDS
    assert once.admit(error_mail.MAX_KINDS + 9, HOUR) is None and once.admit(0, HOUR) == 0


def test_a_hanging_mail_server_blocks_nobody(caplog):
    mails, gate, sent = error_mail.MailThread(limit=2), threading.Event(), []
    running = threading.Event()

    def hang():
        running.set()
        gate.wait()

    mails.submit(hang)
    assert running.wait(60)
    for n in range(3):
        mails.submit(lambda n=n: sent.append(n))
    (record,) = caplog.records
    assert record.getMessage().startswith("event=error_mail_dropped waiting=2 hint=")
    assert not mails.wait(0)
    gate.set()
    assert mails.wait(60) and sent == [0, 1]


def test_a_mail_that_fails_is_said_and_the_next_one_sent(caplog):
    mails, sent = error_mail.MailThread(), queue.Queue()

    def refuse():
        raise ConnectionRefusedError("nobody there")

    mails.submit(refuse)
    mails.submit(lambda: sent.put("mail"))
    assert sent.get(timeout=60) == "mail"
    (record,) = caplog.records
    assert record.levelname == "WARNING" and "ConnectionRefusedError('nobody there')" in record.getMessage()


@pytest.fixture
def installed(monkeypatch, settings):
    """AdminEmailHandler as in a worker."""
    settings.ADMINS = ["ops@example.com"] if django.VERSION >= (6,) else [("Ops", "ops@example.com")]
    for name in ("emit", "send_mail"):
        monkeypatch.setattr(AdminEmailHandler, name, getattr(AdminEmailHandler, name))
    clock, mails = Clock(), error_mail.MailThread()
    error_mail.install(error_mail.OncePerKind(clock), mails)
    return clock, mails


class Posted(AdminEmailHandler):
    """A subclass, as projects have them, with all that it was to send."""

    def __init__(self):
        super().__init__(include_html=True)
        self.sent = []

    def emit(self, record):
        super().emit(record)

    def send_mail(self, subject, message, *args, **kwargs):
        self.sent.append((subject, message, kwargs["html_message"]))


def record(kind=None, text="no"):
    made = logging.makeLogRecord({"msg": text, "levelname": "ERROR"})
    if kind:
        made.troupe_kind = kind
    return made


def test_repeats_are_counted_in_the_next_mail(installed, settings, mailoutbox):
    clock, mails = installed
    settings.TROUPE = {**settings.TROUPE, "ERROR_MAIL_SECONDS": HOUR}
    handler = AdminEmailHandler(include_html=True)
    for _ in range(3):
        handler.handle(record("a"))
    handler.handle(record("b"))
    clock.now = HOUR
    handler.handle(record("a"))
    assert mails.wait(60)
    first, other, again = mailoutbox
    assert "no" in first.body and "since the last mail" not in first.body + other.body
    note = "The same happened 2 times in this worker since the last mail"
    assert again.body.startswith(note) and again.subject == first.subject
    assert again.alternatives[0][0].startswith(f"<p>{note}")


def test_other_records_and_other_handlers_are_left_alone(installed):
    one, other = Posted(), Posted()
    for _ in range(2):
        one.handle(record())
    assert len(one.sent) == 2
    for handler in (one, other):
        for _ in range(2):
            handler.handle(record("a"))
    assert len(one.sent) == 3 and len(other.sent) == 1
