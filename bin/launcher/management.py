"""Run management commands for the launcher, with their output in a log."""

import json
import subprocess

from . import LaunchError
from .paths import Paths
from .supervisor import shorten


class Django:
    """Run manage.py in the environment of the demo."""

    def __init__(self, paths: Paths, environment: dict[str, str]):
        self.paths = paths
        self.environment = environment
        self.log = paths.log / "setup.log"

    def run(self, failure: str, *args: str) -> str:
        """Run one command; return its standard output, or raise with one sentence."""
        shorten(self.log)
        with self.log.open("a") as handle:
            handle.write(f"\n$ manage.py {' '.join(args)}\n")
            handle.flush()
            begin = handle.tell()
            done = subprocess.run(
                [str(self.paths.python), str(self.paths.root / "manage.py"), *args],
                cwd=self.paths.root,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=handle,
                text=True,
                errors="replace",
            )
        if done.returncode != 0:
            raise LaunchError(self._explain(failure, begin))
        with self.log.open("a") as handle:
            handle.write(done.stdout)
        return done.stdout

    def run_json(self, failure: str, *args: str) -> dict:
        """Run one command whose last line is JSON; return what it says."""
        lines = self.run(failure, *args).strip().splitlines()
        try:
            return json.loads(lines[-1])
        except (IndexError, ValueError) as error:
            raise LaunchError(f"{failure}: it did not end as agreed.") from error

    def _explain(self, failure: str, begin: int) -> str:
        with self.log.open(errors="replace") as handle:
            handle.seek(begin)
            output = handle.read()
        if "No space left on device" in output or "DiskFull" in output:
            return f"{failure}: the disk is full; free some space and start again."
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        last = f" ({lines[-1][:300]})" if lines else ""
        return f"{failure}{last}; more in {self.log}."
