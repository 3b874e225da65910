"""vCards go in by the pages and the command, and rows leave as cards."""

import datetime
from pathlib import Path

import pytest
from django.core.management import CommandError
from django.urls import reverse

from crm.importing.reader import Table, sniff
from crm.models import EventKind, SecurityEvent
from crm.testing.imports import (
    counts,
    import_by_command,
    import_by_pages,
    latest_run,
    rejects_of,
    upload,
)
from customers.models import Contact, Customer
from customers.tests.recipes import make_contact, make_customer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media")]

OLD = (
    "BEGIN:VCARD\r\nVERSION:2.1\r\n"
    "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=E5=BC=A0;=E4=B8=89\r\n"
    "ORG;CHARSET=GBK;ENCODING=QUOTED-PRINTABLE:=B0=A2=C0=EF\r\n"
    "TEL;CELL;VOICE:+86 10 5555 0101\r\n"
    "TEL;WORK;PREF:+86 10 5555 0102\r\n"
    "EMAIL;INTERNET:san@mail.example\r\n"
    "NOTE;ENCODING=QUOTED-PRINTABLE:first line=0D=0A=\r\nsecond line\r\n"
    "PHOTO;ENCODING=BASE64;TYPE=JPEG:\r\n /9j/4AAQSkZJRgABAQ\r\n\r\n"
    "END:VCARD\r\n"
)
MIDDLE = (
    "BEGIN:VCARD\nVERSION:3.0\nFN:Anna Brooks\nN:Brooks;Anna;;;\n"
    "ORG:Brooks\\, Sons\\; Co;Sales\nTITLE:Head of\n  sales\n"
    "item1.EMAIL;type=INTERNET:anna@mail.example\nitem1.X-ABLabel:Work\n"
    "EMAIL:anna2@mail.example\nTEL:020 7946 0001\n"
    "ADR;TYPE=WORK:;Floor 2;1 High Street;Leeds;Yorkshire;LS1 1AA;England\n"
    "BDAY:1980-04-05\nNICKNAME:Annie\nURL:https://brooks.example\n"
    "NOTE:Likes tea\\nand cake\nEND:VCARD\n"
)
NEW = (
    "begin:vcard\r\nversion:4.0\r\nFN:Zoë Carter\r\nORG:Carter\r\n"
    'TEL;VALUE=uri;TYPE="voice,work":tel:+44-20-7946-0002\r\n'
    'ADR;LABEL="1; Low: Street":;;2 Low Street;York;;;England\r\n'
    "EMAIL;PREF=2:second@mail.example\r\nEMAIL;PREF=1:zoe@mail.example\r\n"
    "GENDER:F\r\nend:vcard\r\n"
)
FILE = OLD + MIDDLE + NEW


def read(tmp_path, content, name="a.vcf"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    table = Table(path, sniff(path))
    header = table.read_header()
    rows = [row for batch in table.batches() for row in batch.rows]
    return [{k: v for k, v in zip(header, row, strict=True) if v} for row in rows]


def test_each_version_is_read(tmp_path):
    first, second, third = read(tmp_path, FILE)
    assert first == {
        "Name": "张三",
        "Company": "阿里",
        "Phone": "+86 10 5555 0102",
        "Phone 2": "+86 10 5555 0101",
        "Email": "san@mail.example",
        "Notes": "first line\r\nsecond line",
    }
    assert second == {
        "Name": "Anna Brooks",
        "Company": "Brooks, Sons; Co",
        "Department": "Sales",
        "Job title": "Head of sales",
        "Email": "anna@mail.example",
        "Email 2": "anna2@mail.example",
        "Phone": "020 7946 0001",
        "Address": "Floor 2, 1 High Street",
        "City": "Leeds",
        "Region": "Yorkshire",
        "Postal code": "LS1 1AA",
        "Country": "England",
        "Birth date": "1980-04-05",
        "NICKNAME": "Annie",
        "Website": "https://brooks.example",
        "Notes": "Likes tea\nand cake",
    }
    assert third["Email"] == "zoe@mail.example"
    assert third["Phone"] == "+44-20-7946-0002"
    assert (third["Address"], third["City"]) == ("2 Low Street", "York")
    assert third["Gender"] == "F"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_cards_of_any_encoding_are_read(tmp_path, encoding):
    text = "".join(
        f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:客户名称王芳{number}\r\nEND:VCARD\r\n"
        for number in range(30)
    )
    assert read(tmp_path, text.encode(encoding))[7] == {"Name": "客户名称王芳7"}


def test_cards_fill_contacts_and_their_companies(world):
    run = import_by_pages(
        world.client("dev"), "customers.contact", FILE.encode(), "people.vcf"
    )
    assert (counts(run), Customer.objects.count()) == ((3, 0, 0, 0), 3)
    anna = Contact.objects.get(name="Anna Brooks")
    assert anna.customer.name == "Brooks, Sons; Co"
    assert (anna.job_title, anna.email) == ("Head of sales", "anna@mail.example")
    assert anna.customer.city == "Leeds"
    assert anna.notes == "Likes tea\nand cake"
    again = import_by_pages(
        world.client("dev"), "customers.contact", FILE.encode(), "people.vcf"
    )
    assert counts(again) == (0, 0, 3, 0)


def test_cards_fill_customers_by_the_command(tmp_path):
    path = tmp_path / "people.vcf"
    path.write_text(FILE, newline="")
    assert counts(import_by_command("customers", path)) == (3, 0, 0, 0)
    zoe = Customer.objects.get(name="Zoë Carter")
    assert (zoe.gender, zoe.phone) == ("female", "+44-20-7946-0002")


def test_a_card_that_lacks_something_is_rejected_by_its_number(tmp_path):
    path = tmp_path / "people.vcf"
    lacking = "BEGIN:VCARD\nVERSION:3.0\nFN:No Company\nEND:VCARD\n"
    path.write_text(MIDDLE + lacking)
    result = import_by_command("contacts", path)
    assert (result["rows"], result["rejected"]) == (2, 1)
    assert rejects_of(result)[0]["Row"] == "2"
    mended = tmp_path / "mended.csv"
    text = Path(result["rejects_file"]).read_text(encoding="utf-8-sig")
    mended.write_text(text.replace("No Company,", "No Company,Mended", 1))
    assert import_by_command("contacts", mended)["rejected"] == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("name,email\nA,a@mail.example\n", "there is none"),
        ("BEGIN:VCARD\nFN:A\n", "never ended"),
        ("BEGIN:VCARD\nFN:A\nEND:VCARD\nBEGIN:VCARD\nFN:B\n", "Row 2"),
        ("BEGIN:VCARD\nNOTE:" + "x" * 1_000_100 + "\nEND:VCARD\n", "million"),
        ("BEGIN:VCARD\n" + "NOTE:" + "x" * 900_000 + "\n", "never ended"),
        ("BEGIN:VCARD\nEND:VCARD\n", "no rows"),
    ],
)
def test_bad_files_get_a_sentence(tmp_path, world, content, words):
    path = tmp_path / "a.vcf"
    path.write_text(content)
    with pytest.raises(CommandError, match=words):
        import_by_command("customers", path)
    answer = upload(
        world.client("dev"), "customers.customer", path.read_bytes(), "a.vcf"
    )
    assert answer.status_code == 422
    assert words in answer.text


def test_pictures_of_any_size_are_passed_over(tmp_path):
    photo = "PHOTO;ENCODING=b;TYPE=JPEG:" + "A" * 3_000_000
    text = f"BEGIN:VCARD\nVERSION:3.0\nFN:Anna\n{photo}\nEND:VCARD\n"
    assert read(tmp_path, text) == [{"Name": "Anna"}]


def test_odd_lines_do_not_hurt(tmp_path):
    text = "BEGIN:VCARD\n:x\n;;:\nFN\nFN:Anna\nBEGIN:VCARD\nFN:Inner\nEND:VCARD\n"
    text += (
        "TEL;TYPE=:1\nADR:only street\nN:\nX Y:1\nTEL;ENCODING=QUOTED-PRINTABLE:=ZZ=\n"
    )
    assert read(tmp_path, text + "END:VCARD\n")[0]["Name"] == "Anna"


# --- Out --------------------------------------------------------------------------


def content_of(answer):
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/vcard; charset=utf-8"
    return b"".join(answer.streaming_content)


def test_one_row_is_saved_as_a_card_and_comes_back_the_same(world, tmp_path):
    customer = make_customer(
        world.ana,
        name="Müller; Söhne, 北京" + "长" * 60,
        kind="company",
        address="1\\2 High Street",
        city="Leeds",
        website="https://m.example",
    )
    contact = make_contact(
        name="Zoë, Carter",
        customer=customer,
        email="zoe@mail.example",
        phone="+44 20 7946 0001",
        job_title="Head",
        notes="one\r\ntwo; three",
    )
    client = world.client("ben")
    page = client.get(contact.get_absolute_url())
    link = reverse("customers:contact_card", args=[contact.pk])
    assert link in page.text
    content = content_of(client.get(link))
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    (card,) = read(tmp_path, content)
    assert card["Name"] == "Zoë, Carter"
    assert card["Company"] == customer.name
    assert card["Notes"] == "one\ntwo; three"
    assert card["Address"] == "1\\2 High Street"
    assert card["Email"] == "zoe@mail.example"
    events = SecurityEvent.objects.filter(kind=EventKind.EXPORTED, person=world.ben)
    assert events.get().details["format"] == "vcf"


def test_a_list_is_exported_as_cards_with_its_filters_and_rights(world, tmp_path):
    born = datetime.date(1980, 4, 5)
    make_customer(world.ana, name="Anna", city="Leeds", birth_date=born)
    make_customer(world.ana, name="Bert", city="York")
    make_customer(world.cleo, name="Carl", city="Leeds")
    client = world.client("ben")
    assert "format=vcf" in client.get("/customers/").text
    content = content_of(client.get("/customers/export/?city=Leeds&format=vcf"))
    cards = read(tmp_path, content)
    assert [card["Name"] for card in cards] == ["Anna"]
    assert cards[0]["Birth date"] == "1980-04-05"


def test_many_cards_cost_no_query_each(world, django_assert_max_num_queries):
    for _number in range(5):
        make_contact(world.ana)
    client = world.client("dev")
    client.get("/contacts/")
    with django_assert_max_num_queries(12):
        content = content_of(client.get("/contacts/export/?format=vcf"))
    assert content.count(b"BEGIN:VCARD") == 5


def test_nothing_but_people_is_exported_as_cards(world):
    answer = world.client("dev").get("/orders/export/?format=vcf")
    assert answer["Content-Type"].startswith("text/csv")
    b"".join(answer.streaming_content)


def test_the_suggested_columns_of_cards_are_shown(world):
    client = world.client("dev")
    upload(client, "customers.contact", FILE.encode(), "people.vcf")
    run = latest_run()
    page = client.get(reverse("crm:import_map", args=[run.pk]))
    assert page.status_code == 200
    assert run.mapping["Company"] == "company"
    assert "Delimiter" not in page.text
