"""manage.py troupe COMMAND: the `troupe` program, which is told this project's settings where it needs them."""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ... import conf, programs, state_directory
from .. import shared_libraries

_DJANGOS = {"--traceback", "--no-color", "--force-color", "--skip-checks"}
_DJANGOS_WITH_VALUE = {"--settings", "--pythonpath", "--configuration"}  # the last is that of django-configurations


def find_program() -> str | None:
    """The `troupe` of this package, else of a checkout's build, else on PATH. None: nowhere."""
    checkout = Path(__file__).resolve().parents[4]
    for path in (programs.BIN / "troupe", checkout / "build" / "fleet" / "troupe"):
        if path.is_file() and os.access(path, os.X_OK):
            return str(path)
    return shutil.which("troupe")


def project_options() -> list[str]:
    """The options that tell `troupe up` about this project."""
    options = [f"--settings={os.environ['DJANGO_SETTINGS_MODULE']}", f"--python={sys.executable}"]
    options.extend(f"--path={folder}" for folder in added_paths())
    return [*options, *broker_options()]


def added_paths() -> list[str]:
    """What this process has in sys.path and its interpreter alone would not: manage.py's folder, and what manage.py or
    a variable of it added. A worker starts from the interpreter.
    """
    command = [sys.executable, "-c", "import json, sys; print(json.dumps(sys.path[1:]))"]
    try:
        plain = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    except (OSError, subprocess.CalledProcessError, ValueError):
        return [os.path.abspath(sys.path[0] or ".")]
    added = [os.path.abspath(folder) for folder in sys.path if folder not in plain]
    return list(dict.fromkeys(added))


def broker_options() -> list[str]:
    """The broker's address, if the settings have it. CommandError: they cannot be used."""
    trouble = conf.problem("BROKER")
    if trouble:
        raise CommandError(trouble)
    broker = conf.given().get("BROKER", "")
    if broker.startswith("inproc:"):
        raise CommandError("TROUPE['BROKER'] is inproc://: all actors live in Django's own process, without a fleet")
    return [f"--front={broker}"] if broker else []


def without_djangos(arguments: list[str]) -> list[str]:
    """The arguments without those that any command of manage.py takes. (--settings becomes DJANGO_SETTINGS_MODULE, and
    --pythonpath a folder of sys.path, before a command is looked for.)
    """
    kept = []
    words = iter(arguments)
    for word in words:
        option, equals, _ = word.partition("=")
        if option in _DJANGOS_WITH_VALUE:
            if not equals:
                next(words, None)
        elif word not in _DJANGOS:
            kept.append(word)
    return kept


class Command(BaseCommand):
    """See above."""

    help = "Runs and controls this project's fleet: up, status, scale N, reload, drain WORKER, stop, sessions, evict."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("arguments", nargs=argparse.REMAINDER, help="see `manage.py troupe up --help`")

    def run_from_argv(self, argv: list[str]) -> None:
        """Passes all arguments on to the program, --help too. Django has acted upon its own by now."""
        try:
            self.handle(arguments=without_djangos(argv[2:]))
        except CommandError as error:
            self.stderr.write(f"{type(error).__name__}: {error}")
            sys.exit(1)

    def handle(self, *args: Any, arguments: list[str], **options: Any) -> None:
        program = find_program()
        if program is None:
            raise CommandError("there is no `troupe` program: `pip install` the package, or run scripts/build")
        given = list(arguments)
        if given[:1] == ["up"]:
            self._check_libraries(program)
            given[1:1] = project_options()
        elif given[:1] in (["sessions"], ["evict"]):
            given[1:1] = broker_options()
        if sys.flags.no_user_site:
            os.environ.setdefault("PYTHONNOUSERSITE", "1")
        if "TROUPE_STATE" not in os.environ:  # --state and a configuration file win over this
            try:
                os.environ["TROUPE_DEFAULT_STATE"] = state_directory.default()
            except state_directory.NotPrivateError as error:
                raise CommandError(str(error)) from None
        sys.stdout.flush()
        os.execv(program, [program, *given])

    def _check_libraries(self, program: str) -> None:
        """CommandError: the fleet's programs need libraries that are not here; all are named at once."""
        folder = Path(program).parent
        beside = [folder / f"troupe-{name}" for name in ("broker", "worker")]
        built = [folder.parent / name / f"troupe-{name}" for name in ("broker", "worker")]
        needed = [program, *(str(path) for path in (*beside, *built) if path.is_file())]
        libraries = shared_libraries.missing(needed)
        if libraries:
            raise CommandError(shared_libraries.advice(libraries))
