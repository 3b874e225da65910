"""Run one of the commands in bin/."""

import os
import sys
from importlib import import_module
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

from launcher import LaunchError  # noqa: E402
from launcher.console import complain  # noqa: E402

COMMANDS = {
    "demo": "launcher.demo",
    "manage": "launcher.manage",
    "stop": "launcher.stop",
    "test": "launcher.suite",
}


def main() -> int:
    """Run the command and turn a failure into its one sentence."""
    name, *args = sys.argv[1:]
    # Some machines set it; each process that we start would compile all we have anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    try:
        return import_module(COMMANDS[name]).main(args)
    except LaunchError as error:
        complain(str(error))
    except KeyboardInterrupt:
        complain("Stopped.")
    except OSError as error:
        if error.errno not in (28, 122):  # ENOSPC, EDQUOT
            raise
        complain("The disk is full: free some space and start again.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
