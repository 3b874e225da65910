"""Talk to the person at the terminal in plain lines."""

import sys


def say(line: str = "") -> None:
    """Write one line at once, also into a pipe; a closed pipe stops nothing."""
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        sys.stdout = sys.stderr


def complain(line: str) -> None:
    """Write one line where errors belong."""
    sys.stderr.write(f"{line}\n")
