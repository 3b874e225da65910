"""The framework of the CRM: it knows users, rights, pages, jobs and imports."""

from crm.celery import app as celery_app

__all__ = ["celery_app"]
