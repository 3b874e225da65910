"""A browser of one person: one connection kept open, cookies, compressed answers."""

from __future__ import annotations

import gzip
import http.client
import re
import time
from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from crm.models import User

TIMING = re.compile(r"sql;dur=([\d.]+);desc=(\d+), app;dur=([\d.]+), cpu;dur=([\d.]+)")


@dataclass(frozen=True)
class Cost:
    """What the server needed, as it measured it: ms, and statements."""

    sql: float = 0
    queries: int = 0
    whole: float = 0
    cpu: float = 0


TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(frozen=True)
class Answer:
    """One answer with what it cost."""

    status: int
    headers: http.client.HTTPMessage
    sent: bytes
    ms: float

    @property
    def body(self) -> bytes:
        """Return the answer as it is read."""
        packed = self.headers.get("Content-Encoding") == "gzip"
        return gzip.decompress(self.sent) if packed else self.sent

    @property
    def text(self) -> str:
        """Return the answer as text."""
        return self.body.decode("utf-8", "replace")

    def cost(self) -> Cost:
        """Return what the server says that the answer cost."""
        found = TIMING.search(self.headers.get("Server-Timing", ""))
        if not found:
            return Cost()
        return Cost(float(found[1]), int(found[2]), float(found[3]), float(found[4]))


def sign_in(user: User) -> str:
    """Return the cookie of a session; passwords are not what is measured."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return session.session_key


class Client:
    """Send requests as one person."""

    def __init__(self, port: int, session: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        self.cookies = {"sessionid": session}

    def get(self, path: str, **headers: str) -> Answer:
        """Fetch a page."""
        return self.send("GET", path, None, headers)

    def post(self, path: str, data: dict[str, str]) -> Answer:
        """Send a form; ``prepare`` fetched its token before."""
        data = {**data, "csrfmiddlewaretoken": self.token}
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.send("POST", path, urlencode(data), kind)

    def prepare(self, path: str) -> None:
        """Fetch the page of a form for its token."""
        found = TOKEN.search(self.get(path).text)
        self.token = found[1] if found else ""

    def send(
        self, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> Answer:
        """Send one request and read the whole answer."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Accept-Encoding": "gzip", "Cookie": cookies, **headers}
        try:
            return self._exchange(method, path, body, headers)
        except http.client.RemoteDisconnected:
            # Others were measured for so long that the server hung up.
            self.connection.close()
            return self._exchange(method, path, body, headers)

    def _exchange(
        self, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> Answer:
        started = time.perf_counter()
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        sent = response.read()
        ms = (time.perf_counter() - started) * 1000
        for line in response.headers.get_all("Set-Cookie", ()):
            name, _sign, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return Answer(response.status, response.headers, sent, ms)
