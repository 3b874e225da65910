"""Every model with pages has the standard tests; every page has what it needs."""

import pytest
from django.template.loader import get_template
from django.urls import NoReverseMatch

from crm.generic.panels import made
from crm.generic.registry import registry
from crm.search.declaration import search_of
from crm.testing.access_matrix import page_tests

# Model label → the reason why the standard tests do not fit.
EXEMPT: dict[str, str] = {}


def test_every_registered_page_has_the_standard_tests():
    tested = page_tests()
    missing = [
        model._meta.label
        for model in registry.pages
        if model not in tested and model._meta.label not in EXEMPT
    ]
    assert not missing, f"Write a class on crm.testing.pages.PageTests for {missing}"


def test_exemptions_have_a_reason_and_are_needed():
    known = {model._meta.label: model for model in registry.pages}
    tested = page_tests()
    for label, reason in EXEMPT.items():
        assert len(reason) > 20
        assert known[label] not in tested


@pytest.mark.parametrize(
    "pages", registry.pages.values(), ids=lambda pages: pages.model._meta.label
)
def test_every_declaration_is_whole(pages):
    """Templates exist, keys differ, sortable columns and search fields are real."""
    from django.db.models import Q

    for panel in [*pages.panels, *registry.panels.get(pages.model, ())]:
        get_template(made(panel).template)
    keys = [column.key for column in pages.declared_table().all_columns]
    assert len(keys) == len(set(keys)), keys
    search = search_of(pages.model)
    if search is not None:
        list(search.related_searches())
        for name in (*search.own, *search.title, *search.facts, search.recent):
            str(pages.queryset().filter(Q(**{f"{name}__isnull": True})).query)
    if pages.importer is not None:
        try:
            pages.url("import")
        except NoReverseMatch:
            pytest.fail("It has an importer, but no address to import at.")


def test_every_tile_has_its_template():
    assert registry.tiles
    for tile in registry.tiles:
        assert get_template(tile().template).origin.name, tile
