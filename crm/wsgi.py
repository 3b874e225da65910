"""WSGI entry point."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")

application = get_wsgi_application()

# What is loaded by now stays: it is not looked through for garbage again and again,
# nor be copied by each process of gunicorn. The objects of a page go without help; to
# look seldom for those that do not saves a tenth of its time.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 20, 50)
