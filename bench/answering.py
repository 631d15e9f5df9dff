"""A process that answers one line of JSON for each that it gets."""

import json
import subprocess
import tempfile


class Answering:
    """Runs a command in a folder, with an environment."""

    def __init__(self, command, folder, environment):
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
        self._popen = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def ask(self, *request):
        """The answer to one request. RuntimeError: it ended."""
        self._popen.stdin.write(json.dumps(request) + "\n")
        self._popen.stdin.flush()
        line = self._popen.stdout.readline()
        if not line:
            self._errors.seek(0)
            raise RuntimeError(f"{self._popen.args[-1]} ended: {self._errors.read().decode()[-2000:]}")
        return json.loads(line)

    def stop(self):
        """Ends it."""
        self._popen.kill()
        self._popen.communicate()
        self._errors.close()
