"""Make a copy of the checkout and run its commands as a person would."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "node_modules", "var", "__pycache__", ".*_cache", ".env"
)
# What a person's shell has; the settings of this test run must not leak in.
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "USER")


def plain_environment(**more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    index = {k: v for k, v in os.environ.items() if k.startswith(("PIP_", "SSL_"))}
    return kept | index | more


class Copy:
    """A second checkout that shares only what is installed."""

    def __init__(self, folder: Path, *, installed: bool = True):
        self.folder = folder
        shutil.copytree(ROOT, folder, ignore=LEFT_OUT, symlinks=True)
        if installed:
            for name in (".venv", "node_modules"):
                (folder / name).symlink_to(ROOT / name)

    def start(self, *args: str, **environment: str) -> subprocess.Popen:
        """Start a command in the background with its output in output.log."""
        log = self.output.open("w")
        with log:
            return subprocess.Popen(
                [str(self.folder / args[0]), *args[1:]],
                cwd="/",
                env=plain_environment(**environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def run(self, *args: str, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [str(self.folder / args[0]), *args[1:]],
            cwd="/",
            env=plain_environment(**environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    @property
    def output(self) -> Path:
        return self.folder.parent / "output.log"

    def wait_for(self, text: str, process: subprocess.Popen, seconds: float = 300):
        """Wait until the command has printed a text."""
        end = time.monotonic() + seconds
        while text not in self.output.read_text():
            if process.poll() is not None or time.monotonic() > end:
                raise AssertionError(self.output.read_text())
            time.sleep(0.1)

    def processes(self) -> dict[int, str]:
        """Return the live processes that belong to this copy."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            if int(folder.name) != os.getpid() and self._owns(folder):
                found[int(folder.name)] = read(folder / "cmdline")
        return found

    def _owns(self, process: Path) -> bool:
        mark = str(self.folder)
        try:
            current = os.readlink(process / "cwd")
        except OSError:
            current = ""
        shown = read(process / "cmdline") + read(process / "environ")
        return mark in shown or mark in current


def read(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace").replace("\0", " ")
    except OSError:
        return ""


def python(code: str) -> subprocess.Popen:
    """Start a Python of its own that runs until it is stopped."""
    return subprocess.Popen([sys.executable, "-c", code])
