"""The web process stays small: it never loads what only workers need."""

import os
import subprocess
import sys

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
