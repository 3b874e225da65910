"""The way from a model's list to the import of a file."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from crm.access import Verb
from crm.generic.base import GenericPage


class ImportPage(GenericPage):
    """Send those who may import to the first step, with the model chosen."""

    verb = Verb.IMPORT

    def get(self, request: HttpRequest) -> HttpResponse:
        """Go to the upload."""
        query = urlencode({"importer": self.pages.importer.name})
        return redirect(f"{reverse('crm:import_new')}?{query}")
