"""Say where a checkout keeps its files, and make those folders safely."""

import hashlib
import os
import re
import stat
from functools import cached_property
from pathlib import Path

from . import LaunchError

ROOT = Path(__file__).resolve().parents[2]

# A Unix socket's address has 108 bytes with its closing NUL, and PostgreSQL puts
# "/.s.PGSQL.5432" behind the folder. A folder without blanks needs no quoting in
# URLs, which not every client undoes.
SOCKET_PATH_BYTES = 107
LONGEST_SOCKET_NAME = "/postgres/.s.PGSQL.5432"
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")


class Paths:
    """Name every file and folder of one checkout."""

    def __init__(self, root: Path = ROOT, var: Path | None = None):
        self.root = Path(root).resolve()
        chosen = var or os.environ.get("CRM_VAR_DIR") or self.root / "var"
        self.var = Path(chosen).absolute()
        self.venv = self.root / ".venv"
        self.python = self.venv / "bin" / "python"
        self.run = self.var / "run"
        self.log = self.var / "log"
        self.node_modules = self.root / "node_modules"

    @cached_property
    def key(self) -> str:
        """Tell copies apart: the same short text for the same var folder."""
        return hashlib.sha256(os.fsencode(self.var)).hexdigest()[:12]

    @property
    def site_packages(self) -> Path:
        found = sorted(self.venv.glob("lib/python3*/site-packages"))
        return found[-1] if found else self.venv / "lib" / "python3" / "site-packages"

    def prepare(self) -> None:
        """Make the folders that every command writes to."""
        try:
            make_folder(self.var, 0o711)
            make_folder(self.run, 0o700)
            make_folder(self.log, 0o700)
        except OSError as error:
            raise LaunchError(
                f"The folder {self.var} cannot be written: {error.strerror}."
            ) from error


def make_folder(path: Path, mode: int) -> Path:
    """Make a folder with its parents; a new one gets exactly this mode."""
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
    return path


def make_own_folder(path: Path, mode: int) -> Path:
    """Make a folder at a name others could guess, and refuse one that is not ours."""
    try:
        path.mkdir(mode=mode)
        path.chmod(mode)
    except FileExistsError:
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise LaunchError(
                f"{path} belongs to somebody else; remove it and start again."
            ) from None
        path.chmod(mode)
    return path


def is_plain(folder: Path) -> bool:
    """Say whether sockets can live in the folder and be named in a URL."""
    longest = os.fsencode(f"{folder}{LONGEST_SOCKET_NAME}")
    fits = len(longest) <= SOCKET_PATH_BYTES
    return fits and PLAIN_PATH.fullmatch(str(folder)) is not None


def socket_folder(base: Path, key: str) -> Path:
    """Return a folder for sockets: inside `base`, or a short one in /tmp."""
    inside = base / "sockets"
    if is_plain(inside):
        return make_folder(inside, 0o711)
    return make_own_folder(Path("/tmp") / f"crm-{os.geteuid()}-{key}", 0o711)
