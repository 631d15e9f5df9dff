"""What user code raises in a worker reaches those who watch: see sites/case_22_errors.

Django's default LOGGING, ADMINS, mail into files, and a receiver of got_request_exception.
"""

import email
import email.policy
import json
import re

import pytest
from browser import Visitor
from fleet import wait_until

SITE = "/case_22_errors"

SETTINGS = """
import django
ADMINS = ["ops@example.com"] if django.VERSION >= (6,) else [("Ops", "ops@example.com")]
SERVER_EMAIL = "site@example.com"
if django.VERSION >= (6, 1):
    MAILERS = {{"default": {{"BACKEND": "django.core.mail.backends.filebased.EmailBackend",
                             "OPTIONS": {{"file_path": {folder!r}}}}}}}
else:
    EMAIL_BACKEND, EMAIL_FILE_PATH = "django.core.mail.backends.filebased.EmailBackend", {folder!r}
LOGGING = {{}}
"""


class Watched:
    """A fleet, the mails that it sent, and what receivers of the signal heard."""

    def __init__(self, make_fleet, tmp_path, settings="", **options):
        self.mail_folder = tmp_path / "mails"
        self.heard_file = tmp_path / "heard"
        env = {"CASE_22_HEARD": str(self.heard_file)}
        settings = SETTINGS.format(folder=str(self.mail_folder)) + settings
        self.fleet = make_fleet(settings=settings, env=env, **options)
        self.visitor = Visitor(self.fleet.port)
        self.worker_pid = self.fleet.workers["w1"].process.pid

    def mails(self, count):
        """Exactly so many mails, once they are there."""

        def read():
            files = sorted(self.mail_folder.glob("*.log"), key=lambda file: file.stat().st_mtime_ns)
            texts = [text for file in files for text in file.read_text().split("-" * 79) if text.strip()]
            return texts if len(texts) >= count else None

        texts = wait_until(read, f"{count} mails")
        assert len(texts) == count, texts
        return [email.message_from_string(text.lstrip(), policy=email.policy.default) for text in texts]

    def heard(self):
        """What receivers of the signal heard, in order."""
        return [json.loads(line) for line in self.heard_file.read_text().splitlines()]


@pytest.fixture
def watched(make_fleet, tmp_path):
    return Watched(make_fleet, tmp_path)


def test_the_case_itself(watched):
    with watched.visitor.open(f"{SITE}/Failing/") as page:
        assert page.event("fail")["t"] == "failed"
        (mail,) = watched.mails(1)
        assert page.event("fail")["t"] == "failed"
    assert mail["Subject"] == f"[Django] ERROR (EXTERNAL IP): Internal Server Error: {SITE}/Failing/"
    text = mail.get_content()
    assert "ValueError at /case_22_errors/Failing/" in text and "views.py" in text and "boom" in text
    assert "in fail" in text and f"{SITE}/Failing/" in text
    expected = {"type": "ValueError", "path": f"{SITE}/Failing/", "pid": watched.worker_pid, "sender": None}
    assert watched.heard() == [expected, expected]


def test_one_mail_for_each_kind_in_whichever_session(watched):
    for _ in range(3):  # sessions
        with watched.visitor.open(f"{SITE}/Failing/") as page:
            for name in ("fail", "fail_otherwise", "fail_later", "suspicious", "bad_request"):
                assert page.event(name)["t"] == "failed"
    mails = watched.mails(4)
    found = {}  # the backend may put several into one file, so that their order is not known
    for mail in mails:
        kind = re.search(r"^Exception Type: (\w+)", mail.get_content(), re.MULTILINE)[1]
        found[kind] = mail["Subject"].rpartition(" IP): ")[2]
    kinds = ["ValueError", "KeyError", "ConnectionError"]
    subjects = dict.fromkeys(kinds, f"Internal Server Error: {SITE}/Failing/")
    assert found == {**subjects, "SuspiciousOperation": "who are you?"}  # the last one of django.security
    assert [entry["type"] for entry in watched.heard()] == kinds * 3
    # The web process says each in one line, which mails nobody.
    watched.fleet.watch.expect("event=failed view=case_22_errors.views.Failing name=fail ", times=3, name="web")


def test_wherever_user_code_runs(watched):
    for where in ("context", "template"):
        with watched.visitor.open(f"{SITE}/Failing/") as page:
            assert page.event("fail_in", {"where": where})["t"] == "failed"
    watched.fleet.watch.expect("event=tick_failed", times=1, name="w1")  # as before; the page is not told
    with watched.visitor.open(f"{SITE}/Failing/") as page:
        page.answer_to(page.post("tick"))
        watched.mails(3)
    kinds = [entry["type"] for entry in watched.heard()]
    assert kinds == ["LookupError", "ArithmeticError", "OSError"]


def test_an_error_at_http_is_mailed_once_with_the_workers_frames(make_fleet, tmp_path):
    watched = Watched(make_fleet, tmp_path, "ROOT_URLCONF = 'case_22_errors.root'")
    for name, kind in (("BrokenMount", "ZeroDivisionError"), ("NoTemplate", "TemplateDoesNotExist")):
        reply = watched.visitor.get(f"{SITE}/{name}/")
        assert (reply.status, reply.text) == (500, "We are sorry.")  # the project's own page
        mail = watched.mails(1 if name == "BrokenMount" else 2)[-1]
        assert mail["Subject"].endswith(f"Internal Server Error: {SITE}/{name}/")
        assert kind in mail.get_content() and "Traceback" in mail.get_content()
    assert [(entry["type"], entry["pid"]) for entry in watched.heard()] == [
        ("ZeroDivisionError", watched.worker_pid),
        ("TemplateDoesNotExist", watched.worker_pid),
    ]
    watched.fleet.watch.expect("event=mount_failed view=case_22_errors.views.BrokenMount ", times=1, name="web")


def test_a_suspicious_request_is_a_400_and_logged_once(watched):
    reply = watched.visitor.get(f"{SITE}/BadMount/")
    assert reply.status == 400 and "no address" not in reply.text
    (mail,) = watched.mails(1)
    assert mail["Subject"].endswith("that is no address") and not watched.heard_file.exists()


def test_the_interval_is_a_setting(make_fleet, tmp_path):
    watched = Watched(make_fleet, tmp_path, "TROUPE['ERROR_MAIL_SECONDS'] = 0")
    with watched.visitor.open(f"{SITE}/Failing/") as page:
        for _ in range(3):
            page.event("fail")
    watched.mails(3)


BROKEN_WATCHERS = """
import logging
class Broken(logging.Handler):
    def emit(self, record):
        raise RuntimeError("the log server is away")
LOGGING = {"version": 1, "disable_existing_loggers": False,
    "handlers": {"broken": {"()": Broken}},
    "loggers": {"django.request": {"handlers": ["broken"], "level": "INFO"}}}
"""


def test_a_watcher_that_fails_changes_nothing_for_the_page(make_fleet, tmp_path):
    watched = Watched(make_fleet, tmp_path, BROKEN_WATCHERS)
    with watched.visitor.open(f"{SITE}/Failing/") as page:
        error = page.event("fail")
        assert error["error"] == {"kind": "python", "message": "The event 'fail' could not be handled."}
        assert page.event("bad_request")["t"] == "failed"
    watched.fleet.watch.expect("event=report_failed .*the log server is away", name="w1")
