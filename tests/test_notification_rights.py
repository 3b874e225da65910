"""Nobody is told of a row, or reads of one, that they may not see."""

from crm.models import Follow, Notification, User
from tests.machines.models import Machine
from tests.notifying import follow, lines, note, unread, world

__all__ = ["world"]


def test_who_lost_the_right_sees_no_title_and_the_bell_forgets_it(world, row):
    follow(world.client("abe"), row)
    note(world.client("ben"), row, "Secret words.")
    abe = world.client("abe")
    assert unread(abe) == 1
    Machine.objects.update(owner=world.cleo)
    for address in ("/notifications/panel/", "/notifications/"):
        page = abe.get(address).text
        assert "Lathe" not in page
        assert "Secret words" not in page
    assert unread(abe) == 0
    one = Notification.objects.get(recipient=world.abe)
    answer = abe.get(f"/notifications/{one.pk}/")
    assert answer.url == "/notifications/"
    # With the right it is there again.
    Machine.objects.update(owner=world.ana)
    assert "Lathe" in abe.get("/notifications/").text


def test_nobody_is_told_of_a_row_that_they_may_not_see(world, row):
    Follow.objects.create(person=world.cleo, model="machines.machine", object_id=row.pk)
    note(world.client("ben"), row)
    assert lines(world.cleo) == []
    assert lines(world.ana) == [("note", row.pk, 1)]


def test_a_row_that_one_may_not_see_cannot_be_followed(world, row):
    assert follow(world.client("cleo"), row).status_code == 404
    assert not Follow.objects.exists()


def test_those_who_were_switched_off_are_not_told(world, row):
    User.objects.filter(pk=world.ana.pk).update(is_active=False)
    note(world.client("ben"), row)
    assert not Notification.objects.exists()


def test_another_persons_notification_is_nowhere(world, row):
    note(world.client("ben"), row)
    one = Notification.objects.get(recipient=world.ana)
    for name in ("ben", "abe", "dev"):
        client = world.client(name)
        assert client.get(f"/notifications/{one.pk}/").status_code == 404
        assert client.post("/notifications/read/", {"one": one.pk}).status_code == 404
        assert "Lathe" not in client.get("/notifications/").text
    world.client("dev").post("/notifications/read/")
    one.refresh_from_db()
    assert one.read_at is None


def test_a_stranger_is_not_answered(db, client):
    for address in ("", "count/", "panel/", "settings/", "1/"):
        answer = client.get(f"/notifications/{address}")
        assert answer.status_code == 302
        assert "/accounts/login/" in answer.url


def test_titles_of_rows_cannot_run(world, row):
    bad = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    Machine.objects.filter(pk=row.pk).update(name=bad)
    note(world.client("ben"), row, f"{bad} @ana {bad}")
    ana = world.client("ana")
    for address in ("/notifications/", "/notifications/panel/"):
        page = ana.get(address).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;" in page
