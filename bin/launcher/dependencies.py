"""Install what the requirement files name into the checkout's own environment."""

from .paths import Paths


def install(paths: Paths) -> None:
    pass
