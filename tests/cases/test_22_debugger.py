"""breakpoint() in a handler: a prompt under `troupe up --debug`, an error without."""

import fcntl
import os
import pty
import select
import subprocess
import sys
import termios
import time

import pytest
from browser import Visitor
from fleet import BUILD, PATIENCE, ROOT

PAGE = "/case_22_errors/Paused/"


class Terminal:
    """`troupe up --debug` on a terminal of its own. A context manager; leaving it kills what still runs."""

    def __init__(self, fleet):
        self.ours, theirs = pty.openpty()
        command = [BUILD / "fleet" / "troupe", "up", "--debug", "--state", fleet.sockets, "--python", sys.executable]
        folders = (fleet.project, fleet.project.parent / "sites", ROOT / "python")
        command += ["--settings", "cases.settings", *(word for folder in folders for word in ("--path", folder))]
        self.process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C and job control work on it
            env=fleet.environment(TERM="dumb"),
        )
        os.close(theirs)
        self.text = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.ours)

    def wait(self, words):
        """Reads until it says this; what it said before is forgotten."""
        deadline = time.monotonic() + PATIENCE
        while words not in self.text:
            ready, _, _ = select.select([self.ours], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"no {words!r} in {self.text}"
            try:
                piece = os.read(self.ours, 65536)
            except OSError:
                piece = b""
            assert piece, f"it ended without {words!r}: {self.text}"
            self.text += piece.decode(errors="replace")
        self.text = self.text.partition(words)[2]

    def type(self, text):
        """What its user types."""
        os.write(self.ours, text.encode())


@pytest.mark.parametrize("event", ["pause", "pause_by_hand"])
def test_a_breakpoint_prompts_under_debug(make_fleet, event):
    fleet = make_fleet(workers=0, web=False, settings="DEBUG = True")
    with Terminal(fleet) as terminal:
        terminal.wait("event=up workers=1")
        with Visitor(fleet.start_web("web")).open(PAGE) as page:
            number = page.post(event)
            terminal.wait("(Pdb) ")
            terminal.type("p 'n is', self.n\n")
            terminal.wait("('n is', 41)")
            terminal.type("self.n = 100\n")
            terminal.wait("(Pdb) ")
            terminal.type("c\n")
            page.answer_to(number)
            assert "<output>101</output>" in page.root()
        terminal.type("\x03")  # Ctrl-C
        terminal.wait("event=down")
        assert terminal.process.wait(PATIENCE) == 0


def test_ctrl_c_at_the_prompt_ends_the_fleet_and_the_terminal_is_as_before(make_fleet):
    fleet = make_fleet(workers=0, web=False, settings="DEBUG = True")
    with Terminal(fleet) as terminal:
        before = termios.tcgetattr(terminal.ours)
        terminal.wait("event=up workers=1")
        fleet.watch.allow("worker_lost|event=failed|event=refused")
        with Visitor(fleet.start_web("web")).open(PAGE) as page:
            page.post("pause")
            terminal.wait("(Pdb) ")
            terminal.type("\x03")
            terminal.wait("event=down")
        assert terminal.process.wait(PATIENCE) in (0, 1)
        assert termios.tcgetattr(terminal.ours) == before


@pytest.mark.parametrize("event", ["pause", "pause_by_hand"])
def test_without_a_terminal_it_is_an_error_that_says_what_to_do(fleet, event):
    fleet.expect_reports(1, "--debug" if event == "pause" else "BdbQuit")
    fleet.expect_log(f"event=failed .*name={event} .*run `manage.py troupe up --debug`", times=1, name="web")
    with Visitor(fleet.port).open(PAGE) as page:
        assert page.event(event)["t"] == "failed"
        assert "<output>41</output>" in page.root()
