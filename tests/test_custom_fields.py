"""Fields that an administrator adds: at once everywhere, renamed and retired safely."""

import csv
import io
import json
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse

from crm.generic import export_sql
from crm.models import CustomField, Job, Operation, RejectedRow
from crm.testing.imports import import_by_pages
from crm.testing.snapshot import unchanged
from crm.testing.workers import run_jobs
from customers.models import Customer
from customers.tests.custom_fields import (
    CHOICES,
    COMPARED,
    FIELDS,
    KINDS,
    VALUES,
    condition,
    edit_field,
    has_index,
    make_field,
    names_in,
)
from customers.tests.recipes import make_customer

HTMX = {"HX-Request": "true"}


def save(client, row, **values):
    """Send the row's form as the browser has it, with some values."""
    form = client.get(f"/customers/{row.pk}/edit/").context["form"]
    data = {}
    for bound in form:
        value = bound.value()
        data[bound.html_name] = "" if value is None else value
    data |= values
    return client.post(f"/customers/{row.pk}/edit/", data)


# What stands in the file where it is not what is stored.
EXPORTED = {
    "choice": "Large",
    "choices": "Small, Large",
    "boolean": "False",
    "number": "12.5",
    "money": "1234.5",
}


def test_a_field_of_each_kind_is_at_once_everywhere(dev, world):
    fields = {
        kind: make_field(dev, kind, f"Extra <b> {kind}", **more)
        for kind, (more, *_rest) in KINDS.items()
    }
    row, other = make_customer(world.ana, name="Ada"), make_customer(world.ana)
    typed = {fields[kind].name: values[1] for kind, values in KINDS.items()}
    stored = {fields[kind].key: values[2] for kind, values in KINDS.items()}
    assert save(dev, row, **typed).status_code == 302
    row.refresh_from_db()
    assert row.custom == stored
    columns = {"columns": ",".join(["name", *typed])}
    for address, query in (
        (row.get_absolute_url(), {}),
        (f"/customers/{row.pk}/panel/history/", {}),
        ("/customers/", columns),
    ):
        page = dev.get(address, query).text
        assert "Extra <b>" not in page
        for kind, (*_rest, shown) in KINDS.items():
            assert f"Extra &lt;b&gt; {kind}" in page
            assert shown in page, (address, kind)
    for name in typed:
        found = dev.get("/customers/", condition(name, "filled"))
        assert names_in(found) == {"Ada"}
        found = dev.get("/customers/", condition(name, "empty"))
        assert names_in(found) == {other.name}
    # Files: written by the database as Python would write them.
    text = b"".join(dev.get("/customers/export/", columns).streaming_content)
    lines = list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))
    line = next(one for one in lines if one["Name"] == "Ada")
    for kind, field in fields.items():
        assert line[field.label] == EXPORTED.get(kind, str(KINDS[kind][2]))
    workbook = dev.get("/customers/export/", {**columns, "format": "xlsx"})
    assert len(b"".join(workbook.streaming_content)) > 1000
    # What was exported is imported into the other row.
    content = text.replace(b"Ada", other.name.encode())
    run = import_by_pages(dev, "customers.customer", content)
    other.refresh_from_db()
    assert other.custom == stored, run.rejected
    # The cell where it stands.
    for name in typed:
        address = f"/customers/{row.pk}/cell/{name}/"
        assert dev.get(address, headers=HTMX).status_code == 200
        answer = dev.post(address, {name: ""}, headers=HTMX)
        assert answer.status_code == 200, answer.text
    row.refresh_from_db()
    assert row.custom == {}


def test_the_database_writes_files_as_python_does(dev, world, monkeypatch):
    fields = [
        make_field(dev, kind, f"Extra {kind}", **more)
        for kind, (more, *_rest) in KINDS.items()
    ]
    odd = ["=1+1", "-0.0001", 'a "b", c', "x\ny", "é 数", "'", "0"]
    for place, text in enumerate(odd):
        values = ["Bo", 10**14, 0.0001, "2024-02-29", "9", ["2", "9"], True, text]
        values[0] = text
        values[2] = [0.5, -7, 100, 123456789012.25][place % 4]
        custom = {one.key: value for one, value in zip(fields, values, strict=True)}
        make_customer(world.ana, custom=custom if place else {})
    columns = {"columns": ",".join(["name", *(one.name for one in fields)])}
    quick = b"".join(dev.get("/customers/export/", columns).streaming_content)
    monkeypatch.setattr(export_sql, "statement", lambda listing, rows: None)
    slow = b"".join(dev.get("/customers/export/", columns).streaming_content)
    assert quick == slow


def test_values_are_compared_by_their_kind(dev, world):
    fields = {
        kind: make_field(dev, kind, f"Extra {kind}", **KINDS[kind][0])
        for kind in VALUES
    }
    for place, name in enumerate(("Nine", "Ten")):
        custom = {fields[kind].key: values[place] for kind, values in VALUES.items()}
        make_customer(world.ana, name=name, custom=custom)
    make_customer(world.ana, name="None")
    for kind, parts, wanted in COMPARED:
        answer = dev.get("/customers/", condition(fields[kind].name, *parts))
        assert names_in(answer) == wanted, (kind, parts)
        assert f"Extra {kind}" in answer.text
        assert not answer.context["listing"].conditions.errors


# kind, what is typed, what is said.
WRONG = [
    ("text", "x" * 501, "at most 500"),
    ("number", "1" * 30, "no more than 15 digits"),
    ("money", "9" * 30, "no more than 15 digits"),
    ("money", "1.001", "no more than 2 decimal"),
    ("money", "NaN", "Enter a number"),
    ("date", "2023-02-29", "Enter a valid date"),
    ("date", "2024-02-30", "Enter a valid date"),
    ("date", "9999-12-31", "This year cannot be meant"),
    ("choice", "3", "Select a valid choice"),
    ("choices", ["1", "3"], "Select a valid choice"),
    ("boolean", "perhaps", "Select a valid choice"),
    ("link", "javascript:alert(1)", "Enter a valid URL"),
    ("reference", "999999", "Select a valid choice"),
]


def test_what_is_wrong_is_said_at_its_field(dev, world):
    fields = {
        kind: make_field(dev, kind, f"Extra {kind}", **more)
        for kind, (more, *_rest) in KINDS.items()
    }
    target = {"target": "customers.customer"}
    fields["reference"] = make_field(dev, "reference", "Extra reference", **target)
    row = make_customer(world.ana)
    for kind, typed, sentence in WRONG:
        name = fields[kind].name
        answer = save(dev, row, city="Leeds", **{name: typed})
        assert answer.status_code == 422, typed
        errors = answer.context["form"].errors
        assert set(errors) == {name}
        assert sentence in "".join(errors[name])
        assert 'value="Leeds"' in answer.text
    row.refresh_from_db()
    assert (row.custom, row.city) == ({}, "")


def test_bad_cells_of_a_file_are_said_row_by_row(dev, world):
    money = make_field(dev, "money", "Fee")
    make_field(dev, "choice", "Size", **CHOICES)
    make_field(dev, "reference", "Parent firm", target="customers.customer")
    make_customer(world.ana, name="Ada")
    run = import_by_pages(
        dev,
        "customers.customer",
        f"name,Fee,Size,Parent firm\nBea,{'9' * 30},,\nCy,,Huge,\nDi,,,Nobody\n"
        "Eve,7,small,Ada\n".encode(),
    )
    assert (run.created, run.rejected) == (1, 3)
    reasons = " ".join(RejectedRow.objects.values_list("reason", flat=True))
    for sentence in ("too large", "Choose one of", "There is no such row"):
        assert sentence in reasons
    stored = Customer.objects.get(name="Eve").custom
    assert stored[money.key] == 7
    assert Customer.objects.get(name="Ada").pk in stored.values()


def test_a_reference_is_named_linked_and_found(dev, world):
    field = make_field(dev, "reference", "Parent firm", target="customers.customer")
    ada, bea = (
        make_customer(world.ana, name="Ada"),
        make_customer(world.ana, name="Bea"),
    )
    assert save(dev, bea, **{field.name: ada.pk}).status_code == 302
    page = dev.get("/customers/", {"columns": f"name,{field.name}", "q": "Bea"}).text
    assert f'<a href="{ada.get_absolute_url()}">Ada</a>' in page
    detail = dev.get(bea.get_absolute_url()).text
    assert f'<a href="{ada.get_absolute_url()}">Ada</a>' in detail
    assert "Ada" in dev.get(f"/customers/{bea.pk}/panel/history/").text
    found = dev.get("/customers/", condition(field.name, "any", [str(ada.pk)]))
    assert names_in(found) == {"Bea"}
    columns = {"columns": f"name,{field.name}"}
    text = b"".join(dev.get("/customers/export/", columns).streaming_content).decode()
    assert "Bea,Ada" in text


def test_many_rows_are_set_and_emptied_and_it_is_undone(dev, world):
    size = make_field(dev, "choices", "Size", **CHOICES)
    fee = make_field(dev, "money", "Fee")
    rows = [make_customer(world.ana, custom={fee.key: 5}) for _ in range(3)]
    data = {
        "pk": [row.pk for row in rows],
        f"mode_{size.name}": "set",
        size.name: ["1", "2"],
        f"mode_{fee.name}": "empty",
    }
    first = dev.post("/customers/bulk/edit/", {**data, "step": "preview"})
    assert "Small, Large" in first.text
    permit = first.context["permit"]
    data |= {"step": "apply", "permit": permit}
    dev.post("/customers/bulk/edit/", data)
    for row in rows:
        row.refresh_from_db()
        assert row.custom == {size.key: ["1", "2"]}
    operation = Operation.objects.get(kind="bulk")
    answer = dev.post(reverse("crm:operation_undo", args=[operation.number]))
    assert answer.status_code in (200, 302)
    for row in rows:
        row.refresh_from_db()
        assert row.custom == {fee.key: 5}


def test_renaming_and_retiring_lose_nothing(dev, world):
    field = make_field(dev, "choice", "Size", **CHOICES)
    row = make_customer(world.ana, name="Ada")
    save(dev, row, **{field.name: "1"})
    options = "1: Tiny\nMiddle"
    answer = edit_field(dev, field, label="Grösse", label_zh="大小", options=options)
    assert answer.status_code == 302, answer.context["form"].errors
    page = dev.get(row.get_absolute_url()).text
    assert "Grösse" in page
    assert "Tiny" in page
    form = dev.get(f"/customers/{row.pk}/edit/").context["form"]
    labels = [str(label) for _key, label in form.fields[field.name].choices]
    assert labels == ["---------", "Tiny", "Middle"]
    assert edit_field(dev, field, state="retired").status_code == 302
    form = dev.get(f"/customers/{row.pk}/edit/").context["form"]
    assert field.name not in form.fields
    answer = dev.get(
        "/customers/",
        {"columns": f"name,{field.name}", **condition(field.name, "any", ["1"])},
    )
    assert "Grösse does not count: this custom field is retired" in answer.text
    assert "No longer shown, because it is not in use: Grösse." in answer.text
    assert names_in(answer) == {"Ada"}
    assert dev.get(f"/customers/{row.pk}/cell/{field.name}/").status_code == 404
    save(dev, row, city="Leeds")
    assert "Tiny" in dev.get(f"/customers/{row.pk}/panel/history/").text
    row.refresh_from_db()
    assert (row.city, row.custom) == ("Leeds", {field.key: "1"})
    edit_field(dev, field, state="active")
    assert "Tiny" in dev.get(row.get_absolute_url()).text


def test_a_field_with_values_is_not_deleted_and_keeps_its_kind(dev, world):
    field = make_field(dev)
    row = make_customer(world.ana, custom={field.key: "Bo"})
    answer = dev.post(f"{FIELDS}{field.pk}/delete/", follow=True)
    assert "Retire the field instead" in answer.text
    answer = edit_field(dev, field, kind="number")
    assert answer.status_code == 422
    assert "Make a new field and retire this one" in answer.text
    row.custom = {}
    row.save()
    dev.post(f"{FIELDS}{field.pk}/delete/")
    assert not CustomField.objects.exists()
    answer = dev.get(
        "/customers/",
        {"columns": f"name,{field.name}", **condition(field.name, "filled")},
    )
    assert answer.status_code == 200
    assert "A custom field does not count: it is no longer there" in answer.text


def test_two_people_change_different_custom_fields(dev, world):
    first, second = make_field(dev, label="First"), make_field(dev, label="Second")
    row = make_customer(world.ana, custom={first.key: "a", second.key: "b"})
    form = dev.get(f"/customers/{row.pk}/edit/").context["form"]
    version = dev.get(f"/customers/{row.pk}/edit/").context["version"]
    data = {bound.html_name: bound.value() or "" for bound in form}
    save(dev, row, **{first.name: "theirs"})
    mine = data | {"row_version": version, second.name: "mine"}
    answer = dev.post(f"/customers/{row.pk}/edit/", mine)
    assert answer.status_code == 422
    values = answer.context["form"]
    assert (values[first.name].value(), values[second.name].value()) == (
        "theirs",
        "mine",
    )


def test_any_text_is_a_label_and_a_value(dev, world):
    texts = json.loads(Path(settings.DATA_DIR, "blns", "blns.json").read_text())
    field, row = make_field(dev), make_customer(world.ana)
    address = f"/customers/{row.pk}/cell/{field.name}/"
    data = {"model": field.model, "kind": "text", "position": 0, "state": "active"}
    for text in texts[::12]:
        answer = dev.post(f"{FIELDS}{field.pk}/edit/", {**data, "label": text})
        assert answer.status_code in (302, 422), text
        answer = dev.post(address, {field.name: text}, headers=HTMX)
        assert answer.status_code in (200, 422), text
        if answer.status_code == 200:
            row.refresh_from_db()
            assert row.custom.get(field.key, "") == text.strip()
        page = dev.get("/customers/", {"columns": field.name})
        assert page.status_code == 200
        assert "<script" not in text.lower() or text not in page.text


@pytest.mark.parametrize("name", ["ana", "ben", "fay"])
def test_only_administrators_make_fields(world, name):
    client = world.client(name)
    assert client.get(FIELDS).status_code == 403
    with unchanged(CustomField):
        assert client.post(f"{FIELDS}new/", {"label": "Mine"}).status_code == 403


def test_choices_and_targets_are_asked_for(dev):
    data = {"model": "customers.customer", "label": "Size", "position": 0}
    data["state"] = "active"
    for kind, name in (("choice", "options"), ("reference", "target")):
        answer = dev.post(f"{FIELDS}new/", {**data, "kind": kind})
        assert list(answer.context["form"].errors) == [name]
    twice = {**data, "kind": "choice", "options": "A\nA"}
    assert "stands here twice" in dev.post(f"{FIELDS}new/", twice).text
    taken = {**data, "kind": "text", "label": "City"}
    assert "There is a field of this name" in dev.post(f"{FIELDS}new/", taken).text


@pytest.mark.parametrize("kind", ["number", "choices"])
def test_a_field_that_is_often_filtered_gets_an_index(dev, kind):
    more = CHOICES if kind == "choices" else {}
    field = make_field(dev, kind, often_filtered="on", **more)
    assert not has_index(field)
    run_jobs()
    assert has_index(field)
    edit_field(dev, field, label="Renamed")
    assert not Job.objects.filter(state="queued").exists()
    edit_field(dev, field, often_filtered="")
    run_jobs()
    assert not has_index(field)


def test_names_of_choices_are_in_the_readers_language(dev, world):
    lines = "Small | 小\nLarge|大\nOdd | one |\n| 中\nPlain"
    size = make_field(dev, "choice", "Size", options=lines)
    assert size.choices == {
        "1": "Small",
        "2": "Large",
        "3": "Odd | one",
        "4": "中",
        "5": "Plain",
    }
    form = dev.get(f"{FIELDS}{size.pk}/edit/").context["form"]
    assert form["options"].value() == (
        "1: Small | 小\n2: Large | 大\n3: Odd | one |\n4: 中\n5: Plain"
    )
    assert edit_field(dev, size, label_zh="尺寸").status_code == 302
    stored = CustomField.objects.get()
    assert stored.options == size.options
    for typed in ("1: Small | 小\n2: Large | 小", "| 大\nLarge | 大"):
        assert "stands here twice" in edit_field(dev, size, options=typed).text
    row = make_customer(world.ana, name="Ada", custom={size.key: "2"})
    columns = {"columns": f"name,{size.name}"}
    english = dev.get("/customers/", columns).text
    dev.cookies[settings.LANGUAGE_COOKIE_NAME] = "zh-hans"
    chinese = dev.get("/customers/", columns).text
    for text, shown, hidden in ((english, "Large", "大"), (chinese, "大", "Large")):
        assert f">{shown}<" in text
        assert f">{hidden}<" not in text
    options = dict(
        dev.get(f"/customers/{row.pk}/edit/").context["form"][size.name].field.choices
    )
    assert list(options.values()) == [
        "---------",
        "小",
        "大",
        "Odd | one",
        "中",
        "Plain",
    ]
    found = dev.get("/customers/", condition(size.name, "any", ["2"]))
    assert "大" in found.text
    text = b"".join(dev.get("/customers/export/", columns).streaming_content).decode()
    assert "Ada,大" in text
    # A file may say it in either language.
    for number, word in enumerate(("小", "small", "中")):
        content = f"name,Size\nNew {number},{word}\n".encode()
        run = import_by_pages(dev, "customers.customer", content)
        assert run.rejected == 0
        key = "4" if word == "中" else "1"
        assert Customer.objects.get(name=f"New {number}").custom == {size.key: key}


def test_labels_are_in_the_readers_language(dev, world):
    make_field(dev, label="Nickname", label_zh="昵称")
    row = make_customer(world.ana)
    dev.cookies[settings.LANGUAGE_COOKIE_NAME] = "zh-hans"
    form = dev.get(f"/customers/{row.pk}/edit/").context["form"]
    assert "昵称" in [field.label for field in form.fields.values()]


@pytest.mark.parametrize("path", ["contacts", "leads", "opportunities", "orders"])
def test_other_models_take_fields_too(dev, path):
    labels = {"contacts": "customers.contact", "leads": "sales.lead"}
    labels |= {"opportunities": "sales.opportunity", "orders": "sales.order"}
    field = make_field(dev, model=labels[path])
    assert field.name in dev.get(f"/{path}/new/").context["form"].fields
    shown = dev.get(f"/{path}/", {"columns": field.name}).context["headings"]
    assert [one.label for one in shown] == ["Nickname"]


def test_texts_are_searched(dev, world):
    field = make_field(dev)
    size = make_field(dev, "choice", "Size", **CHOICES)
    row = make_customer(world.ana, name="Ada")
    make_customer(world.ana, name="Bea")
    save(dev, row, **{field.name: "Zanzibar Pelikan", size.name: "2"})
    assert names_in(dev.get("/customers/", {"q": "pelik"})) == {"Ada"}
    save(dev, row, **{field.name: ""})
    assert names_in(dev.get("/customers/", {"q": "pelik"})) == set()
