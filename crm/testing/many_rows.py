"""What every model's bulk actions and cells are tested for; a part of PageTests."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from django.db import transaction

from crm.generic.bulk.forms import fields_for_many
from crm.generic.inline import editable_columns
from crm.models import AuditEntry
from crm.testing.snapshot import unchanged
from crm.testing.world import PEOPLE, SIGN_IN, World

if TYPE_CHECKING:
    from django.db import models


class ManyRowsTests:
    """Bulk work with rows of each owner, by each person of the cast."""

    def test_bulk_work_is_for_those_who_may_treat_the_rows_so(
        self, world: World
    ) -> None:
        rows, clients = self.rows(world), world.clients()
        chosen = {"pk": [row.pk for row in rows.values()]}
        for action in self.declared.bulk_actions:
            if not action.fits(self.declared):
                continue
            url = self.declared.url(f"bulk-{action.key}")
            for name in PEOPLE:
                reached = self.reach(world, name, "view", action.verb)
                refused = SIGN_IN if name == "eve" else 403
                with unchanged(*self.tables):
                    response = clients[name].post(url, chosen)
                case = (action.key, name)
                if name == "eve" or reached is None:
                    assert response.status_code == refused, case
                elif response.streaming:
                    text = response.getvalue().decode("utf-8-sig")
                    assert len(list(csv.reader(io.StringIO(text)))) == 1 + len(reached)
                elif response.status_code == 302:
                    # The action leads on to a page, which takes all rows or none.
                    page = clients[name].get(response.url)
                    is_whole = len(reached) == len(rows)
                    assert page.status_code == (200 if is_whole else 404), case
                else:
                    assert response.status_code == 200, case
                    counted = response.context["preview"].allowed.number
                    assert counted == len(reached), case

    def test_bulk_work_leaves_rows_out_of_reach_as_they_are(self, world: World) -> None:
        rows, clients = self.rows(world), world.clients()
        chosen = {"pk": [row.pk for row in rows.values()]}
        for key, data in self.bulk_data(world).items():
            action = self.declared.bulk_action(key)
            url = self.declared.url(f"bulk-{key}")
            for name in PEOPLE:
                reached = self.reach(world, name, "view", action.verb)
                if name == "eve" or not reached:
                    continue
                savepoint = transaction.savepoint()
                hidden = [row for owner, row in rows.items() if owner not in reached]
                before = [self.stored(row) for row in hidden]
                client = clients[name]
                seen = client.post(url, {**chosen, **data, "step": "preview"})
                if seen.status_code != 422:
                    permit = {"permit": seen.context["permit"], "step": "apply"}
                    response = client.post(url, {**chosen, **data, **permit})
                    assert response.status_code in (200, 302), (key, name)
                assert [self.stored(row) for row in hidden] == before, (key, name)
                transaction.savepoint_rollback(savepoint)

    # --- cells ------------------------------------------------------------------

    def test_a_cell_is_for_those_who_may_change_the_row(self, world: World) -> None:
        if not self.has("cell"):
            return
        known = editable_columns(self.declared)
        name, value = self.changed_value or ("", "")
        name = name if name in known else next(iter(known))
        for person, owner, client, row in self.cases(world):
            url = f"{self.declared.url('list')}{row.pk}/cell/{name}/"
            expected = self.expected(world, person, owner, "view", "change")
            # Who is not signed in is led there by a header that htmx knows.
            headers = {} if person == "eve" else {"HX-Request": "true"}
            got = client.get(url, headers=headers).status_code
            assert got == expected, (person, owner)
            if expected != 200:
                with unchanged(*self.tables):
                    response = client.post(url, {name: value})
                assert response.status_code == expected, (person, owner)

    def test_a_cell_saves_its_field_alone_and_notes_it(self, world: World) -> None:
        name, value = self.changed_value or ("", "")
        if not self.has("cell") or name not in editable_columns(self.declared):
            return
        row = self.make(world.dev)
        url = f"{self.declared.url('list')}{row.pk}/cell/{name}/"
        before = self.stored(row)
        response = world.client("dev").post(url, {name: value})
        assert response.status_code == 200, response.text
        after = self.stored(row)
        differing = {key for key in after if after[key] != before[key]}
        assert {name} <= differing <= {name, "updated_at"}
        entry = AuditEntry.objects.filter(object_id=row.pk).order_by("pk").last()
        assert (entry.actor, list(entry.changes)) == (world.dev, [name])

    def bulk_data(self, world: World) -> dict[str, dict[str, Any]]:
        """Return {action: what is filled in} of the changes to try."""
        found: dict[str, dict[str, Any]] = {}
        name, value = self.changed_value or ("", "")
        if self.has("edit") and name in fields_for_many(self.declared):
            found["edit"] = {f"mode_{name}": "set", name: value}
        declared = {one.key for one, _url in self.declared.bulk_actions_for(world.dev)}
        if "assign" in declared:
            found["assign"] = {"owner": world.ana.pk}
        if "delete" in declared:
            found["delete"] = {}
        return found

    def stored(self, row: models.Model) -> dict[str, Any] | None:
        """Return what the database holds of a row."""
        return self.model._base_manager.filter(pk=row.pk).values().first()
