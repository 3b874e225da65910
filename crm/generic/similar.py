"""Rows that may be the one somebody is about to add: a warning, never a refusal."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from crm.generic.base import GenericPage
from crm.generic.cells import Links
from crm.search.similar import similar

MAX_TYPED = 200


class SimilarPage(GenericPage):
    """What the form asks while somebody types."""

    template_name = "generic/_similar.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Answer with the rows alike, each with the reasons and a link."""
        values = {
            name: request.GET.get(name, "").replace("\x00", "").strip()[:MAX_TYPED]
            for name in self.pages.similar_fields
        }
        found = similar(self.model, request.user, values)
        links = Links(request.user)
        return self.render({"found": [(links.url(one.obj), one) for one in found]})
