"""Say why a given server cannot be used; runs in the environment's Python."""

import os
import sys
from urllib.parse import unquote, urlsplit


def one_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = [line for line in lines if not line.startswith("Is the server")]
    return (said[0] if said else type(error).__name__).rstrip(".")


def check_database(url: str) -> None:
    """Connect once with the settings' own reading of the URL."""
    import environ
    import psycopg

    config = environ.Env.db_url_config(url)
    if not config.get("ENGINE", "").endswith("postgresql"):
        raise ValueError("it does not begin with postgres://")
    psycopg.connect(
        host=unquote(config["HOST"]) or None,
        port=config["PORT"] or None,
        user=unquote(config["USER"]) or None,
        password=unquote(config["PASSWORD"]) or None,
        dbname=config["NAME"] or None,
        connect_timeout=5,
        **config.get("OPTIONS", {}),
    ).close()


def check_broker(url: str) -> None:
    """Send one PING, without the retries that hide a dead server for seconds."""
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    options = {"socket_connect_timeout": 5, "socket_timeout": 5}
    redis.from_url(url, retry=Retry(NoBackoff(), 0), **options).ping()


def main() -> int:
    """Check one kind of server and print the reason it does not answer."""
    name = sys.argv[1]
    url = os.environ[name]
    try:
        {"DATABASE_URL": check_database, "REDIS_URL": check_broker}[name](url)
    except Exception as error:
        reason = one_line(error)
        password = urlsplit(url).password if "://" in url else None
        shown = reason.replace(password, "…") if password else reason
        sys.stdout.write(f"{shown}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
