"""Turn signals into one exception, but never between a start and its note."""

import contextlib
import signal
from collections.abc import Iterator

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_held = 0
_pending = False


def install() -> None:
    """Treat a request to end like Ctrl-C, also where a shell had Ctrl-C ignored."""
    for number in NUMBERS:
        signal.signal(number, _handle)


def ignore() -> None:
    """Let nothing interrupt the stopping."""
    for number in NUMBERS:
        signal.signal(number, signal.SIG_IGN)


def _handle(number, frame) -> None:
    global _pending
    if _held:
        _pending = True
    else:
        raise KeyboardInterrupt


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Put an interruption off until the block is done."""
    global _held, _pending
    _held += 1
    try:
        yield
    finally:
        _held -= 1
    if _pending and not _held:
        _pending = False
        raise KeyboardInterrupt
