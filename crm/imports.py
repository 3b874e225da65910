"""Load the job that runs imports when the apps' importers are loaded."""

from crm.importing import jobs  # noqa: F401
