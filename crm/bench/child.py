"""Run one function in this process and say what it needed; the bench reads it."""

import importlib
import json
import resource
import sys
import time

import django


def main(target: str, size: int) -> None:
    """Call ``module:function`` with the size.

    It returns how many rows it did or, where it had to prepare something first, that
    and the seconds that count.
    """
    django.setup()
    module, _sign, name = target.partition(":")
    function = getattr(importlib.import_module(module), name)
    started = time.monotonic()
    done = function(size)
    seconds = time.monotonic() - started
    rows, seconds = done if isinstance(done, tuple) else (done, seconds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = {"rows": rows, "seconds": seconds, "peak_mb": peak}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
