"""WSGI entry point."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")

# Nothing of what is loaded here is garbage; to look for it took a tenth of the start.
gc.disable()
application = get_wsgi_application()
# The pages, too, before gunicorn makes processes that share them.
get_resolver().url_patterns  # noqa: B018
gc.enable()

# What is loaded by now stays: it is not looked through for garbage again and again,
# nor be copied by each process of gunicorn. The objects of a page go without help; to
# look seldom for those that do not saves a tenth of its time.
gc.freeze()
gc.set_threshold(50_000, 20, 50)
