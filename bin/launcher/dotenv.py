"""Read the file .env as the settings do, so that both see the same servers."""

import os
import re
from pathlib import Path

LINE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$")


def load(path: Path) -> None:
    """Put the file's values into the environment, where they are not set yet."""
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        found = LINE.match(line)
        if found:
            name, value = found.groups()
            if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
                value = value[1:-1]
            os.environ.setdefault(name, value)
