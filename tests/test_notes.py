"""Notes at rows of any model: by the rights of the row, with people mentioned."""

import json
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse

from crm.generic.registry import registry
from crm.history.jobs import empty_trash
from crm.models import (
    AuditEntry,
    DeletedRow,
    Follow,
    Note,
    Notification,
    Operation,
    Share,
    User,
)
from crm.notes import services
from crm.notes.mentions import plain, to_stored
from crm.notifications import follows
from tests.machines.models import Machine

BLNS = Path(settings.DATA_DIR) / "blns" / "blns.json"


def write(client, row, text, **data):
    url = reverse("crm:note_add", args=["machines.machine", row.pk])
    return client.post(url, {"text": text, **data})


def panel(client, row):
    url = f"/machines/{row.pk}/panel/notes/"
    return client.get(url, headers={"HX-Request": "true"}).text


def people(client, row, text):
    url = reverse("crm:note_people", args=["machines.machine", row.pk])
    return client.get(url, {"q": text})


# --- Writing ----------------------------------------------------------------------


def test_a_note_is_written_shown_changed_and_taken_away(ana, world, row):
    answer = write(ana, row, "First line\nsecond line")
    assert (answer.status_code, answer.url) == (302, f"/machines/{row.pk}/")
    note = Note.objects.get()
    assert (note.author, note.object_id) == (world.ana, row.pk)
    assert "First line\nsecond line" in panel(ana, row)
    assert f"/machines/{row.pk}/panel/notes/" in ana.get(f"/machines/{row.pk}/").text
    edit = f"/notes/{note.pk}/edit/"
    assert "First line" in ana.get(edit).text
    assert ana.post(edit, {"text": "Other words"}).status_code == 302
    assert "Other words" in panel(ana, row)
    assert ana.post(f"/notes/{note.pk}/remove/").status_code == 302
    assert "Other words" not in panel(ana, row)
    verbs = AuditEntry.objects.filter(object_id=row.pk).values_list("verb", flat=True)
    assert {"noted", "unnoted"} <= set(verbs)
    history = ana.get(f"/machines/{row.pk}/panel/history/").text
    assert "Note added" in history


def test_htmx_gets_the_panel_anew(ana, row):
    url = reverse("crm:note_add", args=["machines.machine", row.pk])
    answer = ana.post(url, {"text": "Hello"}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "Hello" in answer.text
    assert "<html" not in answer.text
    answer = ana.post(url, {"text": " "}, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert Note.objects.count() == 1


def test_who_does_not_see_the_row_neither_reads_nor_writes(ana, world, row):
    write(ana, row, "Secret")
    note = Note.objects.get()
    cleo = world.client("cleo")
    assert write(cleo, row, "x").status_code == 404
    assert people(cleo, row, "a").status_code == 404
    for page in ("edit", "remove"):
        assert cleo.post(f"/notes/{note.pk}/{page}/", {"text": "x"}).status_code == 404
    assert list(Note.objects.values_list("text", flat=True)) == ["Secret"]


def test_a_colleague_answers_but_changes_no_words_of_others(ana, world, row):
    write(ana, row, "Mine")
    note = Note.objects.get()
    abe = world.client("abe")
    assert write(abe, row, "An answer").status_code == 302
    for page in ("edit", "remove"):
        assert abe.post(f"/notes/{note.pk}/{page}/", {"text": "x"}).status_code == 403
    note.refresh_from_db()
    assert note.text == "Mine"
    # Who may delete the row may take its notes away.
    dev = world.client("dev")
    assert dev.post(f"/notes/{note.pk}/edit/", {"text": "x"}).status_code == 403
    assert dev.post(f"/notes/{note.pk}/remove/").status_code == 302
    assert Note.objects.get().text == "An answer"


def test_a_note_that_is_too_long_is_refused_beside_its_field(ana, row):
    assert write(ana, row, "x" * 10_001).status_code == 422
    assert not Note.objects.exists()


@pytest.mark.parametrize("label", ["crm.user", "crm.note", "no.model", "x"])
def test_notes_stand_at_rows_with_pages_only(ana, world, label):
    url = reverse("crm:note_add", args=[label, world.ana.pk])
    assert ana.post(url, {"text": "x"}).status_code == 404
    assert not Note.objects.exists()


def test_every_model_that_people_fill_takes_notes():
    without = {
        pages.model._meta.label
        for pages in registry.pages.values()
        if not pages.takes_notes
    }
    assert "customers.Customer" not in without
    assert "service.Ticket" not in without


# --- Mentions ---------------------------------------------------------------------


def test_a_mention_is_stored_by_id_and_outlives_a_new_name(ana, world, row):
    write(ana, row, "Ask @Abe Tester today", mention=world.abe.pk)
    note = Note.objects.get()
    assert note.text == f"Ask @[{world.abe.pk}] today"
    assert Notification.objects.get().recipient == world.abe
    User.objects.filter(pk=world.abe.pk).update(first_name="Abraham")
    shown = panel(ana, row)
    assert '<span class="mention">@Abraham Tester</span>' in shown
    assert "@[" not in shown
    # Its author edits it with the new name, and nobody is told twice.
    edit = f"/notes/{note.pk}/edit/"
    assert "Ask @Abraham Tester today" in ana.get(edit).text
    data = {"text": "Ask @Abraham Tester now", "mention": world.abe.pk}
    assert ana.post(edit, data).status_code == 302
    note.refresh_from_db()
    assert note.text == f"Ask @[{world.abe.pk}] now"
    assert Notification.objects.get().count == 1


@pytest.mark.parametrize(
    ("typed", "chosen", "stored"),
    [
        ("@abe look", [], "@[abe] look"),
        ("@ABE, look", [], "@[abe], look"),
        ("@abe. Look", [], "@[abe]. Look"),
        ("mail abe@abe.example", [], "mail abe@abe.example"),
        ("@abelard", [], "@abelard"),
        ("@nobody", [], "@nobody"),
        ("@Abe Tester", [], "@[abe] Tester"),
        ("@Abe Tester", ["abe"], "@[abe]"),
        ("请@Abe Tester看", ["abe"], "请@[abe]看"),
        ("@abe@abe", [], "@[abe]@abe"),
        ("no sign", ["abe"], "no sign"),
    ],
)
def test_names_become_ids(world, typed, chosen, stored):
    chosen = [getattr(world, name).pk for name in chosen]
    expected = stored.replace("[abe]", f"[{world.abe.pk}]")
    assert to_stored(typed, chosen, world.ana) == expected


def test_a_chinese_name_needs_no_space(world):
    User.objects.filter(pk=world.abe.pk).update(first_name="静", last_name="陈")
    stored = to_stored("请@陈静看一下", [world.abe.pk], world.ana)
    assert stored == f"请@[{world.abe.pk}]看一下"
    assert plain([stored]) == ["请@陈静看一下"]


def test_who_may_not_see_the_row_is_named_before_anything_is_saved(ana, world, row):
    answer = write(ana, row, "@cleo look")
    assert answer.status_code == 422
    assert "Cleo Tester may not see this page" in answer.text
    assert 'name="share"' in answer.text
    assert not Note.objects.exists()
    assert not Notification.objects.exists()
    # The same form sent again by the other button lets her in.
    assert write(ana, row, "@cleo look", share="1").status_code == 302
    assert Share.objects.get().person == world.cleo
    kinds = Notification.objects.filter(recipient=world.cleo)
    assert set(kinds.values_list("kind", flat=True)) == {"share", "mention"}
    assert "Lathe" in world.client("cleo").get("/notifications/").text


def test_who_may_not_share_cannot_let_anybody_in(world, row):
    abe = world.client("abe")
    answer = write(abe, row, "@cleo look", share="1")
    assert answer.status_code == 422
    assert 'name="share"' not in answer.text
    assert not Share.objects.exists()
    assert not Note.objects.exists()


def test_sharing_does_not_help_who_has_no_right_to_such_rows(ana, row):
    answer = write(ana, row, "@fay look", share="1")
    assert answer.status_code == 422
    assert 'name="share"' not in answer.text
    assert not Share.objects.exists()


def test_the_list_of_people_says_who_could_not_see_it(ana, row):
    shown = people(ana, row, "tester").text
    assert 'data-name="Abe Tester"' in shown
    assert shown.count("may not see this page") >= 1
    assert 'data-name="Ana Tester"' not in shown
    only = people(ana, row, "cle").text
    assert "may not see this page" in only
    assert 'data-name="Abe Tester"' not in only


def test_an_id_that_is_made_up_mentions_nobody(ana, row):
    for text in ("@[999999]", "@[0]"):
        assert write(ana, row, text).status_code == 422
    assert write(ana, row, "@x", mention="9" * 40).status_code == 302
    assert not Notification.objects.exists()


# --- Search -----------------------------------------------------------------------


def test_notes_are_found_by_their_words_where_the_row_is_in_sight(ana, world, row):
    write(ana, row, "The spindle rattles, ask @abe")
    other = Machine.objects.create(serial="S9", name="Hidden", owner=world.cleo)
    write(world.client("cleo"), other, "The spindle is fine")
    shown = ana.get("/notes/", {"q": "SPINDLE rattles"}).text
    assert "The spindle rattles, ask @Abe Tester" in shown
    assert f"/machines/{row.pk}/" in shown
    shown = ana.get("/notes/", {"q": "spindle"}).text
    assert "Hidden" not in shown
    assert "is fine" not in shown
    assert "No note has these words." in ana.get("/notes/", {"q": "wheel"}).text
    assert ana.get("/notes/", {"q": "%\x00'\"<b>"}).status_code == 200


# --- Hostile words ----------------------------------------------------------------


def test_no_words_run_and_none_break_the_page(ana, world, row):
    strings = [one for one in json.loads(BLNS.read_text("utf-8")) if one.strip()]
    assert len(strings) > 400
    for text in strings:
        text = text.replace("\x00", "")[:9000]
        if "@" not in text:
            services.write_note(row=row, text=text, actor=world.abe)
    Machine.objects.filter(pk=row.pk).update(name="<script>alert(0)</script>")
    seen = 0
    while Note.objects.exists():
        shown = panel(ana, row)
        for sign in ("<script", "<img src=x", "<svg/onload", 'javascript:alert(1)">'):
            assert sign not in shown
        seen += shown.count('class="note-words"')
        newest = Note.objects.order_by("-pk").values("pk")[:50]
        Note.objects.filter(pk__in=[one["pk"] for one in newest]).delete()
    assert seen > 300


# --- Undo, trash, merge -----------------------------------------------------------


def test_a_note_that_was_taken_away_comes_back_by_undo(ana, row):
    write(ana, row, "Keep me")
    note = Note.objects.get()
    ana.post(f"/notes/{note.pk}/remove/")
    operation = Operation.objects.latest("pk")
    assert ana.post(f"/operations/{operation.number}/undo/").status_code == 302
    assert Note.objects.get().text == "Keep me"


def test_notes_go_out_of_sight_with_their_row_and_for_good_with_the_trash(ana, row):
    write(ana, row, "x")
    note = Note.objects.get()
    row.delete()
    assert ana.post(f"/notes/{note.pk}/remove/").status_code == 404
    empty_trash()
    assert Note.objects.exists()
    DeletedRow.objects.all().delete()
    empty_trash()
    assert not Note.objects.exists()


def test_a_merge_moves_notes_followers_and_news(ana, world, row):
    other = Machine.objects.create(serial="S2", name="Lathe", owner=world.ana)
    abe = world.client("abe")
    write(abe, row, "One")
    write(abe, other, "Two")
    write(abe, other, "Three")
    assert Notification.objects.filter(recipient=world.ana).count() == 2
    services.move(Machine, row.pk, [other.pk])
    follows.move(Machine, row.pk, [other.pk])
    assert set(Note.objects.values_list("object_id", flat=True)) == {row.pk}
    assert Follow.objects.filter(person=world.abe, object_id=row.pk).count() == 1
    news = Notification.objects.get(recipient=world.ana)
    assert (news.object_id, news.count) == (row.pk, 2)
