"""Columns that match no field become custom fields, and go with an undo."""

import json
from pathlib import Path

import pytest
from django.conf import settings as site
from django.core.management import CommandError
from django.urls import reverse

from crm.custom.guessing import guess_kind
from crm.history.undo import undo
from crm.importing.cells import Habits
from crm.models import CustomField, Grant, Operation, Role
from crm.testing.imports import (
    import_by_command,
    import_by_pages,
    latest_run,
    map_data,
    upload,
)
from crm.testing.snapshot import all_rows, unchanged
from customers.models import Customer
from customers.tests.recipes import make_customer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media")]
HABITS = Habits(zone=None)
FILE = (
    b"name,website,Card,Balance,Joined,Size,Wishes,Newsletter,Shop,Floor space\n"
    b"Ada,,00123,$1,2024-02-29,small,tea;cake,yes,https://ada.example/a,12.5\n"
    b'Bea,,00456,"$1,250.50",2024-03-01,large,tea,no,https://bea.example,7\n'
    b"Cy,,00789,$0,2024-03-02,small,cake;tea,yes,https://cy.example,\n"
    b"Di,,,,,Large,,,,\n"
)
# header: (kind, what Ada has)
GUESSED = {
    "Card": ("text", "00123"),
    "Balance": ("money", 1),
    "Joined": ("date", "2024-02-29"),
    "Size": ("choice", "1"),
    "Wishes": ("choices", ["1", "2"]),
    "Newsletter": ("boolean", True),
    "Shop": ("link", "https://ada.example/a"),
    "Floor space": ("number", 12.5),
}


@pytest.fixture
def dev(world):
    return world.client("dev")


def offered(client, run):
    """Return what the browser sends after the button that offers all columns."""
    page = reverse("crm:import_map", args=[run.pk])
    answer = client.post(page, {**map_data(client, run), "action": "offer"})
    assert answer.status_code == 200
    form = answer.context["form"]
    return {field.html_name: field.value() or "" for field in form}


def import_with_fields(client, content, **changes):
    """Import with each column that matches no field as a custom field."""
    upload(client, "customers.customer", content)
    return import_by_pages(
        client,
        "customers.customer",
        content,
        **(offered(client, latest_run()) | changes),
    )


@pytest.mark.parametrize(
    ("header", "cells", "kind"),
    [
        ("A", [], "text"),
        ("A", ["", " "], "text"),
        ("A", ["1", "0", "1"], "number"),
        ("A", ["x", ""], "boolean"),
        ("A", ["是", "否"], "boolean"),
        ("A", ["0012", "0013"], "text"),
        ("A", ["+44 20 7946 0001"], "text"),
        ("A", ["1 250", "3"], "number"),
        ("A", ["1" * 16], "text"),
        ("A", ["€5", "7.25"], "money"),
        ("A", ["€5.125"], "number"),
        ("年费", ["5", "7"], "money"),
        ("A", ["2024-02-30"], "text"),
        ("A", ["2024年2月29日"], "date"),
        ("A", ["2024-02-29 10:00"], "text"),
        ("A", ["www.example.com"], "link"),
        ("A", ["javascript:alert(1)"], "text"),
        ("A", ["red", "Red", "blue", "blue"], "choice"),
        ("A", ["red", "blue"], "text"),
        ("A", ["tea、cake", "tea", "cake"], "choices"),
        ("A", ["Hello, you", "Fine, thanks"], "text"),
    ],
)
def test_the_kind_is_guessed_from_all_cells(header, cells, kind):
    assert guess_kind(header, cells, HABITS) == kind


def test_each_kind_of_column_becomes_a_field_and_undo_takes_it_away(dev, world):
    before = all_rows()
    run = import_with_fields(dev, FILE)
    assert (run.created, run.rejected) == (4, 0)
    fields = {one.label: one for one in CustomField.objects.all()}
    ada = Customer.objects.get(name="Ada").custom
    for label, (kind, value) in GUESSED.items():
        assert fields.pop(label).kind == kind
        field = CustomField.objects.get(label=label)
        assert ada.pop(field.key) == value
    assert not fields
    assert not ada
    size = CustomField.objects.get(label="Size")
    assert size.choices == {"1": "small", "2": "large"}
    assert Customer.objects.get(name="Di").custom == {size.key: "2"}
    page = dev.get(f"/imports/{run.pk}/").text
    assert "/settings/fields/" in page
    url = f"/operations/{run.operation}/"
    assert "8 custom fields added" in dev.get(url).text
    dev.post(f"{url}undo/")
    assert all_rows() == before
    # Undone by mistake: all of it comes back.
    undo(Operation.objects.order_by("pk").last(), world.dev)
    assert CustomField.objects.count() == 8
    assert Customer.objects.get(name="Ada").custom[size.key] == "1"


def test_the_same_file_and_the_corrected_rows_find_the_fields(dev):
    run = import_with_fields(dev, b"name,Fee\nAda,5\nBea,6\n")
    field = CustomField.objects.get()
    assert run.mapping == {"name": "name", "Fee": field.name}
    again = import_by_pages(dev, "customers.customer", b"name,Fee\nAda,7\nBea,6\n")
    assert CustomField.objects.get() == field
    assert (again.created, again.updated, again.unchanged) == (2, 0, 0) or (
        again.updated,
        again.unchanged,
    ) == (1, 1)
    dev.post(f"/operations/{again.operation}/undo/")
    dev.post(f"/operations/{run.operation}/undo/")
    assert not CustomField.objects.exists()
    upload(dev, "customers.customer", b"name,Fee\nAda,7\nBea,6\n")
    assert latest_run().mapping == {"name": "name"}


def test_a_field_whose_values_stay_is_not_taken_away(dev, world):
    run = import_with_fields(dev, b"name,Fee\nAda,5\nBea,6\n")
    field = CustomField.objects.get()
    late = make_customer(world.ana, name="Late", custom={field.key: 9})
    operation = Operation.objects.get(number=run.operation)
    result = undo(operation, world.dev)
    assert [(one.model, one.reason) for one in result.left] == [(CustomField, "needed")]
    assert not Customer.objects.filter(name="Ada").exists()
    late.refresh_from_db()
    assert late.custom == {field.key: 9}
    assert CustomField.objects.get() == field


def test_label_and_kind_can_be_changed_before(dev):
    upload(dev, "customers.customer", b"name,Fee\nAda,5\n")
    data = offered(dev, latest_run())
    assert (data["label_1"], data["kind_1"]) == ("Fee", "money")
    run = import_with_fields(
        dev, b"name,Fee\nAda,5\n", label_1="Old fee", kind_1="text"
    )
    field = CustomField.objects.get()
    assert (field.label, field.kind) == ("Old fee", "text")
    assert Customer.objects.get(name="Ada").custom == {field.key: "5"}
    assert run.options.get("new_fields") is None


def test_a_dry_run_makes_nothing(dev, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(FILE)
    before = all_rows()
    result = import_by_command("customers", path, "--add-fields", "--dry-run")
    assert (result["created"], result["exit"]) == (4, 0)
    assert result["objects"]["crm.customfield"]["created"] == 8
    assert all_rows() == before


def test_the_command_adds_fields_only_when_told(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"name,Fee,Note,=Sum\nAda,5,a b,c d\n")
    import_by_command("customers", path, "--dry-run")
    with unchanged(CustomField):
        import_by_command("customers", path)
    import_by_command("customers", path, "--add-field", "Fee=number")
    import_by_command("customers", path, "--add-field", "=Sum")
    kinds = dict(CustomField.objects.values_list("label", "kind"))
    assert kinds == {"Fee": "number", "=Sum": "text"}
    with pytest.raises(CommandError, match="there are: text, number"):
        import_by_command("customers", path, "--add-field", "Note=colour")
    with pytest.raises(CommandError, match="no column “Gone”"):
        import_by_command("customers", path, "--add-field", "Gone")
    assert CustomField.objects.count() == 2


def test_who_may_not_add_fields_is_told_who_can(world, tmp_path):
    client = world.client("ben")
    with unchanged(CustomField):
        upload(client, "customers.customer", b"name,Fee\nAda,5\n")
        run = latest_run()
        page = client.get(reverse("crm:import_map", args=[run.pk]))
        assert f"Custom fields are added by: {world.dev}" in page.text
        assert 'value="new"' not in page.text
        data = map_data(client, run, column_1="new", label_1="Fee", kind_1="text")
        answer = client.post(reverse("crm:import_map", args=[run.pk]), data)
        assert answer.status_code == 422
        (tmp_path / "a.csv").write_bytes(b"name,Fee\nAda,5\n")
        with pytest.raises(CommandError, match="Custom fields are added by"):
            import_by_command(
                "customers", tmp_path / "a.csv", "--as", "ben", "--add-fields"
            )
    assert not Customer.objects.filter(name="Ada").exists()


def test_a_grant_to_add_fields_is_enough(world):
    role = Role.objects.get(code="sales_manager")
    Grant.objects.create(role=role, model="crm.customfield", verb="add", scope="all")
    import_with_fields(world.client("ben"), b"name,Fee\nAda,5\n")
    assert CustomField.objects.get().label == "Fee"


BAD = [
    ("City of birth", {"label_1": "City"}, "There is a field of this name"),
    ("Fee", {"label_1": "Known"}, "A custom field of this name exists"),
    ("Fee", {"label_1": "Old"}, "bring it back instead"),
    ("Fee", {"label_1": "Fax"}, "Two new fields would have this name"),
]


@pytest.mark.parametrize(("header", "changes", "sentence"), BAD)
def test_names_that_are_taken_are_said_at_their_column(dev, header, changes, sentence):
    CustomField.objects.create(model="customers.customer", label="known")
    CustomField.objects.create(model="customers.customer", label="old", state="retired")
    upload(dev, "customers.customer", f"name,{header},Fax\nAda,5,6\n".encode())
    run = latest_run()
    page = reverse("crm:import_map", args=[run.pk])
    with unchanged(CustomField):
        answer = dev.post(page, offered(dev, run) | changes)
    assert answer.status_code == 422
    assert sentence in answer.text
    run.refresh_from_db()
    assert run.state == "uploaded"


def test_any_header_becomes_a_label_or_is_said(dev, world, tmp_path):
    texts = json.loads(Path(site.DATA_DIR, "blns", "blns.json").read_text())
    # Control characters make the whole file one that is no table of text.
    texts = [text for text in texts if text.isprintable() and '"' not in text]
    path = tmp_path / "a.csv"
    made = 0
    for start in range(0, len(texts), 60):
        headers = texts[start : start + 60]
        quoted = ",".join(f'"{text}"' for text in headers)
        cells = ",".join("v" for _text in headers)
        path.write_text(f"external id,name,{quoted}\n{start},Ada {start},{cells}\n")
        import_by_command("customers", path, "--add-fields", "--map", "name=name")
        made += len(headers)
    assert CustomField.objects.count() > made * 0.9
    assert dev.get("/settings/fields/").status_code == 200
    columns = ",".join(one.name for one in CustomField.objects.all()[:100])
    assert dev.get("/customers/", {"columns": columns}).status_code == 200


def test_empty_double_and_giant_headers(dev):
    long = "L" * 5000
    run = import_with_fields(
        dev, f"name,,Fee,Fee,{long}\nAda,a,b,c,d\n".encode(), label_4="Short"
    )
    assert run.rejected == 0
    labels = set(CustomField.objects.values_list("label", flat=True))
    assert labels == {"Column 2", "Fee", "Fee (2)", "Short"}


def test_too_many_columns_are_not_all_offered(dev, tmp_path):
    header = ",".join(f"Extra {number}" for number in range(200))
    cells = ",".join("x" for _number in range(200))
    content = f"name,{header}\nAda,{cells}\n".encode()
    upload(dev, "customers.customer", content)
    run = latest_run()
    page = dev.get(reverse("crm:import_map", args=[run.pk]))
    assert "and 195 more" in page.text
    assert "Make custom fields of them" not in page.text
    assert "too many for all of them" in page.text
    every = {f"column_{number}": "new" for number in range(1, 201)}
    answer = dev.post(
        reverse("crm:import_map", args=[run.pk]), map_data(dev, run) | every
    )
    assert answer.status_code == 422
    assert "at most 100 custom fields; 200 columns" in answer.text
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(CommandError, match="at most 100 custom fields"):
        import_by_command("customers", path, "--add-fields")
    assert not CustomField.objects.exists()
    import_with_some = {f"column_{number}": "new" for number in range(1, 101)}
    run = import_by_pages(dev, "customers.customer", content, **import_with_some)
    assert run.created == 1
    assert CustomField.objects.count() == 100


def test_a_choice_of_too_many_words_is_said(dev, tmp_path):
    path = tmp_path / "a.csv"
    rows = "".join(f"A{number},word {number}\n" for number in range(201))
    path.write_text(f"name,Word\n{rows}")
    with pytest.raises(CommandError, match="more than 200 different words"):
        import_by_command("customers", path, "--add-field", "Word=choice")
    assert not Customer.objects.exists()
    assert not CustomField.objects.exists()


def test_an_import_that_fails_leaves_no_field(dev, monkeypatch):
    def fail(self, work):
        raise RuntimeError

    monkeypatch.setattr("customers.imports.CustomerImporter.write", fail)
    run = import_with_fields(dev, b"name,Fee\nAda,5\n")
    assert not CustomField.objects.exists()
    assert not Customer.objects.exists()
    assert run.job.state == "failed"
