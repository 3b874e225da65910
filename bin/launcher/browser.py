"""Find the browser for the browser tests, and install it where that is possible."""

import os
import shutil
import subprocess

from . import LaunchError
from .console import say

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = ("chromium", "fonts-noto-cjk")


def find() -> str | None:
    """Return the path of Chromium; the environment variable CHROMIUM may name it."""
    given = os.environ.get("CHROMIUM")
    if given:
        return shutil.which(given)
    return next((path for path in map(shutil.which, NAMES) if path), None)


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() in ("1", "true", "yes")


def provide() -> None:
    """Install Chromium by apt-get as root; in CI it must be there in the end."""
    if find() is None and os.geteuid() == 0 and shutil.which("apt-get"):
        say(f"Installing {' and '.join(PACKAGES)} for the browser tests")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for args in (
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES],
        ):
            done = subprocess.run(args, env=environment, capture_output=True, text=True)
            if done.returncode != 0:
                say(f"{' '.join(args[:2])} failed: {done.stderr.strip()[-300:]}")
                break
    if find() is None and in_ci():
        raise LaunchError(
            "The browser tests need Chromium; on Debian: "
            f"apt install {' '.join(PACKAGES)}"
        )
