"""The web process stays small: it never loads what only workers need."""

import http.client
import os
import socket
import subprocess
import sys
import time

from django.conf import settings

PROBE = """
import sys
import crm.wsgi
from django.urls import get_resolver
get_resolver().url_patterns
heavy = {"pandas", "sklearn", "scipy", "numpy", "faker", "openpyxl"}
print(" ".join(sorted(heavy & set(sys.modules))))
"""


def test_web_process_loads_no_analysis_library():
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        capture_output=True,
        text=True,
        cwd=settings.BASE_DIR,
        env=os.environ,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_a_long_address_reaches_the_pages():
    """Ten thousand ids, and a page whose address htmx sends along."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "crm.wsgi", "--bind", f"127.0.0.1:{port}"],
        cwd=settings.BASE_DIR,
        env=os.environ | {"CRM_INSECURE_HTTP": "1", "ALLOWED_HOSTS": "127.0.0.1"},
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + 60
    try:
        for kind, joint in (("owner=", ","), ("group=", "%2C")):
            url = f"/customers/?{kind}{joint.join(map(str, range(10_000)))}"
            answer = ask(port, url, end)
            assert answer.status == 302
            assert answer.getheader("Location").startswith("/accounts/login/")
    finally:
        server.terminate()
        server.wait(20)


def ask(port, url, end):
    while True:
        try:
            link = http.client.HTTPConnection("127.0.0.1", port)
            link.request("GET", url, headers={"HX-Current-URL": f"http://x{url}"})
            return link.getresponse()
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.1)
