"""The web server as production runs it, against the scratch database."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import urlopen

from django.conf import settings

WORKERS, THREADS = 2, 4
PATIENCE = 60
LIBRARIES = ("pandas", "sklearn", "scipy", "numpy")


def environment(name: str) -> dict[str, str]:
    """Return the environment in which a process sees the scratch database."""
    url = urlsplit(os.environ["DATABASE_URL"])
    redis = settings.REDIS_URL
    # A number of its own in the cache, so that no figure of another database is read.
    redis += ("&" if "?" in redis else "?") + "db=9"
    return {
        **os.environ,
        "DATABASE_URL": urlunsplit(url._replace(path=f"/{name}")),
        "REDIS_URL": redis,
        "CRM_BENCH": "1",
        "CRM_VAR_DIR": str(settings.VAR_DIR / "bench"),
        "CRM_INSECURE_HTTP": "1",
        "DEBUG": "0",
        "EMAIL_URL": "dummymail://",
        "LOG_LEVEL": "WARNING",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "STATICFILES_BACKEND": "crm.staticfiles.StaticFilesStorage",
    }


class Server:
    """Gunicorn with a free port, as a context manager."""

    def __init__(self, name: str) -> None:
        self.environment = environment(name)
        self.start_seconds = 0.0

    def collect_files(self) -> None:
        """Prepare the static files as production serves them."""
        manage = str(settings.BASE_DIR / "manage.py")
        subprocess.run(  # noqa: S603  (our own program)
            [sys.executable, manage, "collectstatic", "--noinput", "-v0"],
            env=self.environment,
            check=True,
        )

    def __enter__(self) -> Server:
        self.collect_files()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = tempfile.NamedTemporaryFile("w+", suffix=".log")  # noqa: SIM115
        started = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603  (our own program)
            [sys.executable, "-m", "gunicorn", "crm.wsgi"]
            + ["--bind", f"127.0.0.1:{self.port}", "--workers", str(WORKERS)]
            + ["--threads", str(THREADS), "--preload", "--keep-alive", "30"]
            + ["--no-control-socket"],
            cwd=settings.BASE_DIR,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > started + PATIENCE:
                text = Path(self.log.name).read_text()
                self.__exit__()
                msg = f"The web server does not start:\n{text[-2000:]}"
                raise RuntimeError(msg)
            time.sleep(0.02)
        self.start_seconds = time.monotonic() - started
        return self

    def __exit__(self, *problem: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def _answers(self) -> bool:
        try:
            with urlopen(self.url("/accounts/login/"), timeout=10) as answer:  # noqa: S310
                return answer.status == 200
        except (URLError, OSError):
            return False

    def url(self, path: str) -> str:
        """Return the full address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    def workers(self) -> list[int]:
        """Return the process ids of the workers."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def memory(self, peak: bool = False) -> float:
        """Return the MB of the largest worker, now or at its peak."""
        wanted = "VmHWM" if peak else "VmRSS"
        found = []
        for pid in self.workers():
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith(wanted):
                    found.append(int(line.split()[1]) / 1024)
        return max(found)

    def forget_peak(self) -> None:
        """Let the peak of memory begin anew."""
        for pid in self.workers():
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    def heavy_libraries(self) -> list[str]:
        """Return which libraries of the analyses a worker has loaded."""
        maps = "".join(Path(f"/proc/{pid}/maps").read_text() for pid in self.workers())
        return [name for name in LIBRARIES if f"site-packages/{name}/" in maps]
