"""bin/stop: stop what bin/demo and bin/manage of this copy started."""

import argparse

from .console import say
from .paths import Paths
from .processes import Record
from .services import embedded_postgres, embedded_valkey, remove_sockets
from .supervisor import stop_leftovers

# The demo itself waits for a running job before it stops the worker the hard way.
DEMO_SECONDS = 40


def main(args: list[str]) -> int:
    """Stop the demo, what a killed one left, and the embedded servers."""
    argparse.ArgumentParser(prog="bin/stop", description=__doc__).parse_args(args)
    paths = Paths()
    if not paths.run.is_dir():
        say("Nothing of this copy is running.")
        return 0
    stopped = []
    if Record(paths.run / "demo.json").stop(DEMO_SECONDS, group=False):
        stopped.append("demo")
    stopped += stop_leftovers(paths)
    servers = {"broker": embedded_valkey(paths), "database": embedded_postgres(paths)}
    for name, server in servers.items():
        if server.stop():
            stopped.append(name)
        remove_sockets(server)
    if stopped:
        say(f"Stopped: {', '.join(stopped)}.")
    else:
        say("Nothing of this copy is running.")
    return 0
