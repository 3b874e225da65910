"""Start, supervise and stop what a checkout needs, with the standard library only."""


class LaunchError(Exception):
    """Carry one sentence for the person at the terminal."""
