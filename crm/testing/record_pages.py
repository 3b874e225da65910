"""Standard tests of what lies around a record: quick view, neighbours, short form."""

from __future__ import annotations

from typing import Any

from crm.models import AuditEntry
from crm.testing.snapshot import unchanged
from crm.testing.world import PEOPLE, World

HTMX = {"HX-Request": "true"}
BELOW = ("peek", "neighbours")


class RecordPageTests:
    """Mixed into PageTests; its helpers are that class's."""

    def test_what_belongs_to_a_row_is_for_those_who_may_see_it(
        self, world: World
    ) -> None:
        for name, owner, client, row in self.cases(world):
            expected = self.expected(world, name, owner, "view")
            for page in BELOW:
                url = self.declared.url(page, row)
                got = client.get(url, headers=HTMX).status_code
                # htmx is told to load the sign-in page as a page.
                assert got == (200 if name == "eve" else expected), (page, name)
            for panel in self.declared.panels_for(world.dev, row):
                if not panel.lazy:
                    continue
                url = f"{self.declared.url('detail', row)}panel/{panel.key}/"
                got = client.get(url).status_code
                # A panel may take a right of its own.
                assert got == expected or (expected == 200 and got == 404), url

    def test_quick_view_names_the_row_and_is_no_page(self, world: World) -> None:
        row = self.make(world.dev)
        client = world.client("dev")
        url = self.declared.url("peek", row)
        text = client.get(url, headers=HTMX).text
        assert self.declared.url("detail", row) in text
        assert "<html" not in text
        assert client.get(url).url == self.declared.url("detail", row)

    def test_neighbours_are_visible_rows_of_the_list_in_its_order(
        self, world: World
    ) -> None:
        self.rows(world)
        for name in ("ana", "dev"):
            if self.reach(world, name, "view") is None:
                continue
            client = world.client(name)
            shown = client.get(self.declared.url("list")).context["rows"]
            listed = [row.object for row in shown]
            for before, row, after in zip(
                [None, *listed], listed, [*listed[1:], None], strict=False
            ):
                response = client.get(self.declared.url("neighbours", row))
                assert response.context["before"] == before
                assert response.context["after"] == after
                assert not response.context["has_left"]

    def test_quick_add_is_for_those_who_may_add(self, world: World) -> None:
        if not self.has("quick"):
            return
        url = self.declared.url("quick")
        for name in PEOPLE:
            if name == "eve":
                continue
            allowed = self.reach(world, name, "view", "add") is not None
            client = world.client(name)
            expected = 200 if allowed else 403
            assert client.get(url, headers=HTMX).status_code == expected, name
            if not allowed:
                with unchanged(*self.tables):
                    response = client.post(url, self.quick_data(world))
                assert response.status_code == 403, name

    def test_quick_add_saves_the_row_or_says_what_is_wrong(self, world: World) -> None:
        if not self.has("quick"):
            return
        url = self.declared.url("quick")
        client = world.client("dev")
        with unchanged(*self.tables):
            assert client.post(url, {}, headers=HTMX).status_code == 422
        known = set(self.model._base_manager.values_list("pk", flat=True))
        response = client.post(url, self.quick_data(world), headers=HTMX)
        assert response.status_code == 200, response.context["form"].errors
        assert "record-added" in response["HX-Trigger"]
        row = self.model._base_manager.exclude(pk__in=known).get()
        entry = AuditEntry.objects.filter(object_id=row.pk, actor=world.dev).last()
        assert entry.content_type.model_class() is self.model
        if hasattr(row, "owner_id"):
            assert row.owner_id is not None

    def test_more_fields_take_over_what_was_typed(self, world: World) -> None:
        if not self.has("quick"):
            return
        data = self.quick_data(world)
        with unchanged(*self.tables):
            response = world.client("dev").post(
                self.declared.url("add"), data | {"more": "1"}
            )
        assert response.status_code == 200
        form = response.context["form"]
        for name, value in data.items():
            assert str(form[name].value()) == str(value), name

    def test_rows_alike_are_only_the_visible_ones(self, world: World) -> None:
        if not self.has("similar"):
            return
        rows = self.rows(world)
        for row in rows.values():
            row.name = "Twin"
            row.save()
        url = self.declared.url("similar")
        for name in PEOPLE:
            response = world.client(name).get(url, {"name": "Twin"})
            reached = self.reach(world, name, "view")
            if name == "eve" or reached is None:
                assert response.status_code == (302 if name == "eve" else 403), name
                continue
            found = {one.obj.pk for _url, one in response.context["found"]}
            assert found == {rows[owner].pk for owner in reached}, name

    def quick_data(self, world: World) -> dict[str, Any]:
        """Return what is typed into the short form."""
        data = self.form_data(world)
        return {
            name: data[name]
            for name in self.declared.quick_fields
            if data.get(name) not in (None, "")
        }
