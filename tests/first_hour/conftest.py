"""A project made as README.md says, in an empty environment, for Debian's CPython and for the newest one here."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent / "scenarios"), str(HERE.parent / "browser")]

import chromium  # noqa: E402
import recipe  # noqa: E402
from fleet import START_SECONDS, Child, wait_until  # noqa: E402

SYSTEM = "/usr/bin/python3"
README = recipe.steps("README.md", "A first view")
COMPILERS = ("cc", "c++", "gcc", "g++", "clang", "clang++", "ld", "make", "ninja", "meson", "cargo")
COMPILER = """#!/bin/sh
echo "$0 $*" >>"{log}"
exit 1
"""


def newest_python():
    """The newest CPython here that is newer than Debian's, or None."""
    done = subprocess.run([ROOT / "scripts/lib/newest_python", SYSTEM], capture_output=True, text=True)
    return done.stdout.strip() or None


def tag(python):
    """cp311, for example."""
    code = "import sys; print('cp%d%d' % sys.version_info[:2])"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


SOURCES = ("broker", "common", "fleet", "proto", "python", "worker", "meson.build", "meson_options.txt")
SOURCES += ("pyproject.toml", "requirements-wheel.txt", "scripts/wheel", "scripts/lib/minify")


class Wheel(NamedTuple):
    """python: the interpreter that it was made for. tag: cp311, for example."""

    path: Path
    python: str
    tag: str


def make_wheel(python):
    """The Wheel for that interpreter; built, unless dist/ has one that is newer than all that goes into it."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", *SOURCES], cwd=ROOT, capture_output=True)
    files = [ROOT / name for name in listed.stdout.decode().splitlines()]
    changed = max(path.stat().st_mtime for path in files if path.exists())
    pattern = f"troupe-*-{tag(python)}-*.whl"
    if not any(path.stat().st_mtime > changed for path in (ROOT / "dist").glob(pattern)):
        subprocess.run([ROOT / "scripts/wheel", python], check=True)
    (path,) = (ROOT / "dist").glob(pattern)
    return Wheel(path, python, tag(python))


class Project:
    """What came of the README's recipe. folder: where it was pasted; mysite: the project in it."""

    def __init__(self, folder, python):
        self.folder = folder
        self.mysite = folder / "mysite"
        self.compiled = folder / "compiled.log"  # what asked for a compiler
        self.state = Path(tempfile.mkdtemp(prefix="troupe-", dir="/tmp"))  # sockets: their paths are short
        self._numbers = iter(range(1, 1000))
        tools = folder / "tools"
        tools.mkdir(parents=True)
        (tools / "python3").symlink_to(python)
        for name in COMPILERS:
            (tools / name).write_text(COMPILER.format(log=self.compiled))
            (tools / name).chmod(0o755)
        (folder / "troupe").mkdir()
        (folder / "troupe" / "dist").symlink_to(ROOT / "dist")
        kept = {key: value for key, value in os.environ.items() if key in ("HOME", "LANG", "USER")}
        self.path = f"{tools}:/usr/bin:/bin"
        self.env = {
            **kept,
            "PATH": f"{folder}/env/bin:{self.path}",
            "PIP_CONSTRAINT": str(ROOT / "requirements-first-hour.txt"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_ONLY_BINARY": ":all:",
            "PYTHONUNBUFFERED": "1",
            "XDG_RUNTIME_DIR": str(self.state),
        }

    def paste(self):
        """Does what the README says, up to where it starts servers."""
        steps = [step._replace(code=step.code.replace("troupe/scripts/wheel python3\n", "")) for step in README[:-1]]
        assert steps[0].code != README[0].code, "make_wheel() stands for that line"
        env = {**self.env, "PATH": self.path}
        self.run(["bash", "-c", recipe.script(steps)], cwd=self.folder, env=env)

    def run(self, command, **options):
        """What a command prints; fails with that if the command does."""
        options = {"cwd": self.mysite, "env": self.env, **options}
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS, **options)
        assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    @contextlib.contextmanager
    def start(self, command):
        """A command line that goes on running, with all that it starts, until the block ends. Gives its Child."""
        log = self.folder / f"{next(self._numbers)}.log"
        child = Child(command, ["bash", "-c", f"exec {command}"], log, cwd=self.mysite, env=self.env)
        try:
            yield child
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(60)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.process.wait()

    @contextlib.contextmanager
    def serve(self, command, *address):
        """A server on a free port. address: how the command is told where to listen, with {port}. Gives its Child and
        its URL.
        """
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        url = f"http://127.0.0.1:{port}/"
        with self.start(" ".join([command, *address]).format(port=port)) as child:
            wait_until(lambda: answers(child, url), lambda: f"{command} to answer:\n{child.tail()}", START_SECONDS)
            yield child, url


def answers(child, url):
    """Whether a server is there by now."""
    assert child.alive, child.text()
    try:
        get(url)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def get(url):
    """(content type, text) of a page. HTTPError, OSError."""
    with urllib.request.urlopen(url, timeout=START_SECONDS) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


@pytest.fixture(scope="session", params=["system", "newest"])
def wheel(request):
    """What scripts/wheel makes."""
    python = SYSTEM if request.param == "system" else newest_python()
    if python is None:
        pytest.skip("no newer CPython is here")
    return make_wheel(python)


@pytest.fixture(scope="session")
def project(wheel, tmp_path_factory):
    """The README's project, with its fleet running."""
    made = Project(tmp_path_factory.mktemp(f"première heure {wheel.tag}"), wheel.python)
    try:
        made.paste()
        fleet = README[-1].commands[0]
        assert fleet.endswith(" &")
        with made.start(fleet.removesuffix(" &")) as child:
            child.wait_line("event=registered")
            yield made
    finally:
        shutil.rmtree(made.state, ignore_errors=True)


@pytest.fixture(scope="session")
def servers(project):
    """The same project once the other servers of the guide are installed."""
    project.run(["pip", "install", "daphne", "hypercorn", "granian"])
    return project


@pytest.fixture(scope="session")
def driver(tmp_path_factory):
    """Chromium, headless, with a profile of its own."""
    driver = chromium.start(tmp_path_factory.mktemp("chromium"))
    yield driver
    driver.quit()
