"""The tests that every model with pages gets by declaring a class.

    class TestThingPages(PageTests):
        pages = ThingPages

        def make(self, owner, **values):
            return baker.make(Thing, owner=owner, **values)

        def form_data(self, world):
            return {"name": "New", "owner": world.ana.pk}

``make`` returns a row that belongs to the owner (for reference data the owner does not
matter). Who may do what is read from the grants and worked out by the table in
crm/testing/world.py, not by crm/access.py. docs/adding-a-model.md tells more.
"""

from __future__ import annotations

import csv
import inspect
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.db import models
from django.http import HttpResponse
from django.test import Client
from model_bakery import baker

from crm.generic.list import PANEL
from crm.generic.pages import Pages
from crm.generic.registry import registry
from crm.models import AuditEntry, User
from crm.testing.forms import assert_went_through, formset_data, without_none
from crm.testing.many_rows import ManyRowsTests
from crm.testing.query_budget import QueryBudget, queries_of
from crm.testing.record_pages import RecordPageTests
from crm.testing.rights import owners_in_reach, scope_by_grants
from crm.testing.snapshot import unchanged
from crm.testing.world import OWNERS, PEOPLE, SIGN_IN, World, cases, make_world


class PageTests(ManyRowsTests, RecordPageTests):
    """List, detail, forms, deletion and export, for each person of the cast."""

    pages: ClassVar[type[Pages]]
    # Which roles "daily work" and "manager" mean for this model.
    roles: ClassVar[dict[str, str]] = {}
    # Tables beside the model's own that a refused request must leave alone.
    guarded: ClassVar[tuple[type[models.Model], ...]] = ()
    # A field of form_data that a test may change, and what to.
    changed_value: ClassVar[tuple[str, Any] | None] = None
    # Further names for addresses: columns and filters to try, {"state": "open"}.
    list_queries: ClassVar[tuple[str, ...]] = ()

    def make(self, owner: User, **values: Any) -> models.Model:
        """Return a saved row that belongs to the owner."""
        owned = {"owner": owner} if hasattr(self.model, "owner") else {}
        return baker.make(self.model, **owned, **values)

    def form_data(self, world: World) -> dict[str, Any]:
        """Return what Dev types into an empty form."""
        row = baker.prepare(self.model)
        form = self.declared.form(instance=row, actor=world.dev)
        data = {name: form[name].value() for name in form.fields}
        return without_none(data | {"owner": world.dev.pk})

    def edit_data(self, world: World, obj: models.Model) -> dict[str, Any]:
        """Return what is sent to change a row; by default what the form shows."""
        form = self.declared.form(instance=obj, actor=world.dev)
        data = {name: form[name].value() for name in form.fields}
        formset = self.declared.formset
        if formset is not None:
            data |= formset_data(formset(instance=obj, actor=world.dev))
        return without_none(data)

    # --- set-up -----------------------------------------------------------------

    @pytest.fixture
    def world(self, db: None) -> World:
        """Return the cast with the roles that fit the model."""
        return make_world(**self.roles)

    @property
    def declared(self) -> Pages:
        """Return the registered pages of the model."""
        return registry.pages_of(self.pages.model)

    @property
    def model(self) -> type[models.Model]:
        """Return the model."""
        return self.pages.model

    @property
    def tables(self) -> tuple[type[models.Model], ...]:
        """Return the tables that a refused request must leave alone."""
        return (self.model, *self.guarded)

    @property
    def budget(self) -> QueryBudget:
        """Return the frozen numbers of the app."""
        return QueryBudget(Path(inspect.getfile(type(self))).parent)

    def rows(self, world: World) -> dict[str, models.Model]:
        """Return one row per owner."""
        return {name: self.make(owner) for name, owner in world.owners().items()}

    def cases(self, world: World) -> Iterator[tuple[str, str, Client, models.Model]]:
        """Yield (person, owner, the person's browser, the owner's row) of every kind.

        Each page of a row asks about all kinds; the list, about everyone.
        """
        rows, clients = self.rows(world), world.clients()
        for name, owner in cases():
            yield name, owner, clients[name], rows[owner]

    def has(self, page: str) -> bool:
        """Tell whether the page exists; a test of a page that does not is no test."""
        return page in self.declared.routes()

    def reach(self, world: World, name: str, *verbs: str) -> set[str] | None:
        """Return whose rows a person may treat so; None where the role lacks a verb."""
        user = getattr(world, name, None)
        reached = set(OWNERS)
        for verb in verbs:
            key = (name, verb, self.model)
            if key not in world.scopes:
                world.scopes[key] = scope_by_grants(user, verb, self.model)
            scope = world.scopes[key]
            if not scope:
                return None
            reached &= owners_in_reach(name, scope, self.model)
        return reached

    def expected(self, world: World, name: str, owner: str, *verbs: str) -> int:
        """Return the status that a person gets for a row of an owner."""
        if name == "eve":
            return SIGN_IN
        reached = self.reach(world, name, *verbs)
        if reached is None:
            return 403
        return 200 if owner in reached else 404

    # --- list -------------------------------------------------------------------

    def test_list_shows_what_each_person_may_see(self, world: World) -> None:
        rows = self.rows(world)
        for name in PEOPLE:
            response = world.client(name).get(self.declared.url("list"))
            reached = self.reach(world, name, "view")
            if name == "eve" or reached is None:
                assert response.status_code == (SIGN_IN if name == "eve" else 403), name
                continue
            assert response.status_code == 200, name
            seen = {row.object.pk for row in response.context["rows"]}
            expected = {rows[owner].pk for owner in reached}
            assert seen & {row.pk for row in rows.values()} == expected, name

    def test_list_can_be_sorted_by_every_column(self, world: World) -> None:
        self.rows(world)
        client = world.client("dev")
        url = self.declared.url("list")
        for heading in client.get(url).context["headings"]:
            if heading.url:
                sorted_page = client.get(f"{url}{heading.url}")
                assert sorted_page.status_code == 200, heading.label
                for again in sorted_page.context["headings"]:
                    if again.direction:
                        assert client.get(f"{url}{again.url}").status_code == 200

    def test_list_takes_any_value_for_its_filters(self, world: World) -> None:
        self.rows(world)
        client = world.client("dev")
        url = self.declared.url("list")
        shown = client.get(url, {PANEL: "filters"}).context["filterset"]
        names = list(shown.form.fields)
        names = [*names, "q", "sort", "page", "columns"]
        for text in (
            "",
            "-1",
            "99999999999999999999",
            "no such",
            "\x00",
            "0000-00-00",
        ):
            # All at once: each is read by itself, and what is wrong is left out.
            response = client.get(url, dict.fromkeys(names, text))
            assert response.status_code == 200, text
        for name in names:
            assert client.get(url, {name: "1"}).status_code == 200, name
        for query in self.list_queries:
            assert client.get(f"{url}?{query}").status_code == 200, query

    def test_list_answers_htmx_with_the_table_alone(self, world: World) -> None:
        self.rows(world)
        url = self.declared.url("list")
        response = world.client("dev").get(url, headers={"HX-Request": "true"})
        text = response.text
        assert response.status_code == 200
        assert 'id="list"' in text
        assert "<html" not in text

    def test_list_sends_as_many_queries_for_50_rows_as_for_3(
        self, world: World
    ) -> None:
        self.check_budget(world, "list", self.declared.url("list"))

    # --- detail -----------------------------------------------------------------

    def test_detail_is_for_those_who_may_see_the_row(self, world: World) -> None:
        for name, owner, client, row in self.cases(world):
            response = client.get(self.declared.url("detail", row))
            expected = self.expected(world, name, owner, "view")
            assert response.status_code == expected, (name, owner)

    def test_detail_of_no_row_is_not_found(self, world: World) -> None:
        url = self.declared.url("detail", self.make(world.dev))
        base = url.rsplit("/", 2)[0]
        for pk in ("0", "999999999", "99999999999999999999999"):
            assert world.client("dev").get(f"{base}/{pk}/").status_code == 404, pk

    def test_detail_keeps_within_its_queries(self, world: World) -> None:
        row = self.make(world.dev)
        client = world.client("dev")
        queries = queries_of(client, self.declared.url("detail", row))
        self.budget.check(self.model._meta.model_name, "detail", queries)
        if self.reach(world, "ana", "view") is not None:
            url = self.declared.url("detail", self.make(world.ana))
            limited = queries_of(world.client("ana"), url)
            self.budget.check(self.model._meta.model_name, "detail_limited", limited)

    # --- add --------------------------------------------------------------------

    def test_add_is_for_those_who_may_add(self, world: World) -> None:
        if not self.has("add"):
            return
        url = self.declared.url("add")
        for name in PEOPLE:
            allowed = self.reach(world, name, "view", "add") is not None
            expected = SIGN_IN if name == "eve" else 200 if allowed else 403
            client = world.client(name)
            assert client.get(url).status_code == expected, name
            if not allowed:
                with unchanged(*self.tables):
                    response = client.post(url, self.form_data(world))
                assert response.status_code == expected, name

    def test_add_saves_the_row_and_notes_who_did_it(self, world: World) -> None:
        if not self.has("add"):
            return
        known = set(self.model._base_manager.values_list("pk", flat=True))
        response = self.send(world.client("dev"), "add", None, self.form_data(world))
        assert_went_through(response)
        row = self.model._base_manager.exclude(pk__in=known).get()
        entry = AuditEntry.objects.filter(object_id=row.pk, actor=world.dev).last()
        assert entry is not None
        assert entry.content_type.model_class() is self.model

    def test_add_keeps_what_was_typed_when_something_is_wrong(
        self, world: World
    ) -> None:
        if not self.has("add"):
            return
        form = self.declared.form(actor=world.dev)
        required = [name for name, field in form.fields.items() if field.required]
        data = self.form_data(world)
        typed = [name for name in data if data[name] and name in form.fields]
        wrong = next((name for name in required if name in typed), None)
        if wrong is None:
            return
        with unchanged(*self.tables):
            response = self.send(world.client("dev"), "add", None, data | {wrong: ""})
        assert response.status_code == 422
        shown = response.context["form"]
        assert shown[wrong].errors
        for name in typed:
            if name != wrong:
                assert shown[name].value() is not None, name

    def test_add_page_keeps_within_its_queries(self, world: World) -> None:
        if not self.has("add"):
            return
        self.rows(world)
        queries = queries_of(world.client("dev"), self.declared.url("add"))
        self.budget.check(self.model._meta.model_name, "add", queries)

    # --- edit -------------------------------------------------------------------

    def test_edit_is_for_those_who_may_change_the_row(self, world: World) -> None:
        if not self.has("edit"):
            return
        for name, owner, client, row in self.cases(world):
            expected = self.expected(world, name, owner, "view", "change")
            url = self.declared.url("edit", row)
            assert client.get(url).status_code == expected, (name, owner)
            if expected != 200:
                data = self.changed(self.edit_data(world, row))
                with unchanged(*self.tables):
                    response = client.post(url, data)
                assert response.status_code == expected, (name, owner)

    def test_edit_does_not_overwrite_what_another_saved(self, world: World) -> None:
        if not self.has("edit") or self.changed_value is None:
            return
        row = self.make(world.dev)
        client = world.client("dev")
        version = client.get(self.declared.url("edit", row)).context["version"]
        row.save()
        data = self.changed(self.edit_data(world, row)) | {"row_version": version}
        with unchanged(*self.tables):
            response = self.send(client, "edit", row, data)
        assert response.status_code == 422
        assert response.context["form"].non_field_errors()

    def test_edit_saves_the_change_and_notes_it(self, world: World) -> None:
        if not self.has("edit") or self.changed_value is None:
            return
        row = self.make(world.dev)
        data = self.changed(self.edit_data(world, row))
        assert_went_through(self.send(world.client("dev"), "edit", row, data))
        row.refresh_from_db()
        name, value = self.changed_value
        assert str(getattr(row, name)) == str(value)
        entry = AuditEntry.objects.filter(object_id=row.pk).order_by("pk").last()
        assert entry.actor == world.dev
        assert name in entry.changes

    def changed(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the data with one field changed."""
        return data | dict([self.changed_value] if self.changed_value else [])

    # --- delete -----------------------------------------------------------------

    def test_delete_is_for_those_who_may_delete_the_row(self, world: World) -> None:
        if not self.has("delete"):
            return
        for name, owner, client, row in self.cases(world):
            expected = self.expected(world, name, owner, "view", "delete")
            url = self.declared.url("delete", row)
            assert client.get(url).status_code == expected, (name, owner)
            if expected != 200:
                with unchanged(*self.tables):
                    response = client.post(url)
                assert response.status_code == expected, (name, owner)

    def test_delete_takes_the_row_away_and_notes_it(self, world: World) -> None:
        if not self.has("delete"):
            return
        row = self.make(world.dev)
        response = world.client("dev").post(self.declared.url("delete", row))
        if response.status_code == 409:
            # Something stands in the way: then the row stays, and the page names it.
            assert self.model._base_manager.filter(pk=row.pk).exists()
            consequences = response.context["consequences"]
            assert consequences.in_the_way or response.context["error"]
            return
        assert_went_through(response)
        assert not self.model._base_manager.filter(pk=row.pk).exists()
        entry = AuditEntry.objects.filter(object_id=row.pk).order_by("pk").last()
        assert (entry.actor, entry.verb) == (world.dev, "deleted")

    # --- export and choices -----------------------------------------------------

    def test_export_holds_the_rows_that_each_person_may_take_away(
        self, world: World
    ) -> None:
        if not self.has("export"):
            return
        self.rows(world)
        for name in PEOPLE:
            response = world.client(name).get(self.declared.url("export"))
            reached = self.reach(world, name, "view", "export")
            if name == "eve" or reached is None:
                assert response.status_code == (SIGN_IN if name == "eve" else 403), name
                continue
            text = response.getvalue().decode("utf-8-sig")
            lines = list(csv.reader(io.StringIO(text)))
            assert len(lines) >= 1 + len(reached), name
            assert len({len(line) for line in lines}) == 1

    def test_choices_offer_only_visible_rows(self, world: World) -> None:
        rows = self.rows(world)
        known = {row.pk for row in rows.values()}
        for name in PEOPLE:
            response = world.client(name).get(self.declared.url("choices"))
            reached = self.reach(world, name, "view")
            if name == "eve" or reached is None:
                assert response.status_code == (SIGN_IN if name == "eve" else 403), name
                continue
            offered = {one["id"] for one in response.json()["results"]}
            assert offered & known <= {rows[owner].pk for owner in reached}, name

    # --- help -------------------------------------------------------------------

    def check_budget(self, world: World, page: str, url: str) -> None:
        """Measure a page at 3 and at 50 rows, as one who sees all and as Ana."""
        measured = {}
        for count in (3, 50):
            have = self.model._base_manager.count()
            for _number in range(max(0, count - have)):
                self.make(world.ana)
            measured[count] = queries_of(world.client("dev"), url)
        assert len(measured[3]) == len(measured[50]), "\n".join(measured[50])
        name = self.model._meta.model_name
        self.budget.check(name, page, measured[50])
        if self.reach(world, "ana", "view") is not None:
            limited = queries_of(world.client("ana"), url)
            self.budget.check(name, f"{page}_limited", limited)

    def send(
        self, client: Client, page: str, row: models.Model | None, data: dict[str, Any]
    ) -> HttpResponse:
        """Send a form."""
        return client.post(self.declared.url(page, row), without_none(data))


__all__ = [
    "PageTests",
    "assert_went_through",
    "formset_data",
    "without_none",
]
