"""bin/manage: run a Django command inside the environment, set up if it is not."""

import os

from . import dotenv
from .dependencies import install
from .paths import Paths
from .services import Services, django_environment


def main(args: list[str]) -> int:
    """Start the services that are down, then become manage.py."""
    paths = Paths()
    paths.prepare()
    dotenv.load(paths.root / ".env")
    install(paths)
    services = Services(paths)
    services.start()
    environment = django_environment(paths, services)
    manage = paths.root / "manage.py"
    os.execve(paths.python, [str(paths.python), str(manage), *args], environment)
