"""Each kind of column takes what people write and refuses what cannot be meant."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from crm.importing.cells import Bad, Cleaner, Habits
from crm.importing.columns import (
    Boolean,
    Choice,
    Code,
    Date,
    DateTime,
    Email,
    Integer,
    Number,
    Phone,
    Text,
    Url,
)
from crm.importing.mapping import find_habits, normal

PLAIN = Habits(zone=ZoneInfo("UTC"))
COMMA = Habits(zone=ZoneInfo("UTC"), decimal=",")
DAY_FIRST = Habits(zone=ZoneInfo("Europe/London"), day_first=True)


def clean(column, *cells, habits=PLAIN):
    """Return (values, {index: reason})."""
    said = {}
    values = Cleaner(column, habits).clean(cells, said.__setitem__)
    return values, said


def value_of(column, cell, habits=PLAIN):
    values, said = clean(column, cell, habits=habits)
    assert said == {}
    return values[0]


def reason_of(column, cell, habits=PLAIN):
    values, said = clean(column, cell, habits=habits)
    assert values == [None]
    return said[0]


NUMBER = Number("n", "N", max_digits=14, decimal_places=4)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1", "1"),
        (" 2.50 ", "2.5"),
        ("-80995", "-80995"),
        ("1,234.56", "1234.56"),
        ("1 234.5", "1234.5"),
        ("$1,000", "1000"),
        ("€ 12.30", "12.3"),
        ("￥99", "99"),
        ("(12.5)", "-12.5"),
        ("1.5E+3", "1500"),
        ("0.0000", "0"),
        ("−3", "-3"),
        (".5", "0.5"),
    ],
)
def test_numbers(cell, value):
    assert value_of(NUMBER, cell) == value


@pytest.mark.parametrize(
    "cell",
    ["abc", "1.2.3", "NaN", "Infinity", "1,23", "--1", "1e500", "١٢", "12%", "=1+1"],
)
def test_what_is_no_number_is_refused(cell):
    assert reason_of(NUMBER, cell)


def test_a_number_is_never_rounded_silently():
    assert "4 decimal places" in reason_of(NUMBER, "0.12345")
    assert "too large" in reason_of(NUMBER, "12345678901")
    assert "decimal" in reason_of(Integer("i", "I"), "1.5")


def test_decimal_commas():
    assert value_of(NUMBER, "1.234,56", COMMA) == "1234.56"
    assert value_of(NUMBER, "1.234", COMMA) == "1234"
    assert reason_of(NUMBER, "1.23", COMMA)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("2024-02-29", "2024-02-29"),
        ("20240229", "2024-02-29"),
        ("2024/2/9", "2024-02-09"),
        ("9.2.2024", "2024-02-09"),
        ("2/9/2024", "2024-02-09"),
        ("2024年2月9日", "2024-02-09"),
        ("9 Feb 2024", "2024-02-09"),
        ("February 9, 2024", "2024-02-09"),
        ("2024-02-09 13:00", "2024-02-09"),
        ("2024-02-09T13:00:00Z", "2024-02-09"),
    ],
)
def test_days(cell, value):
    assert value_of(Date("d", "D"), cell) == value


@pytest.mark.parametrize(
    "cell",
    ["0000-00-00", "0000-01-01", "0001-01-01", "2023-02-29", "13/13/2024", "soon"]
    + ["99999999", "2024-1", "1/2/24", "2024-01-01 25 h", "9999-12-31"],
)
def test_days_that_cannot_be_meant_are_refused(cell):
    assert reason_of(Date("d", "D"), cell)


def test_day_first_is_a_habit_of_the_file():
    assert value_of(Date("d", "D"), "2/9/2024", DAY_FIRST) == "2024-09-02"
    assert find_habits([["2/9/2024", "25/9/2024"]]).day_first
    assert not find_habits([["2/9/2024", "9/25/2024"]]).day_first
    assert find_habits([["1.234,50", "2,75"]]).decimal == ","


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2011-07-01 09:30:15", datetime(2011, 7, 1, 8, 30, 15, tzinfo=UTC)),
        ("01/12/2010 8:26", datetime(2010, 12, 1, 8, 26, tzinfo=UTC)),
        ("2011-07-01T09:30:00+02:00", datetime(2011, 7, 1, 7, 30, tzinfo=UTC)),
        ("2011-07-01 09:30:00Z", datetime(2011, 7, 1, 9, 30, tzinfo=UTC)),
        ("1/7/2011 1:05 PM", datetime(2011, 7, 1, 12, 5, tzinfo=UTC)),
        ("19970101", datetime(1997, 1, 1, tzinfo=UTC)),
    ],
)
def test_moments_are_read_in_the_zone_of_the_file(cell, moment):
    value = value_of(DateTime("t", "T"), cell, DAY_FIRST)
    assert datetime.fromisoformat(value) == moment


@pytest.mark.parametrize("cell", ["2011-07-01 25:00", "2011-07-01 10:61", "10:30", "x"])
def test_moments_that_cannot_be_meant_are_refused(cell):
    assert reason_of(DateTime("t", "T"), cell)


def test_texts_are_stripped_and_measured():
    column = Text("t", "T", max_length=5)
    assert value_of(column, "  abc ") == "abc"
    assert value_of(column, "   ") is None
    assert "longer than 5" in reason_of(column, "abcdef")


def test_our_own_escape_of_formulas_is_taken_off_again():
    assert value_of(Text("t", "T"), "'=SUM(A1)") == "=SUM(A1)"
    assert value_of(Text("t", "T"), "'tis") == "'tis"


def test_ids_lose_the_zero_that_spreadsheets_add():
    column = Code("c", "C", max_length=20)
    assert value_of(column, "17850.0") == "17850"
    assert value_of(column, "00042") == "00042"
    assert value_of(column, "1.05") == "1.05"


@pytest.mark.parametrize(
    "cell", ["a@b.co", "Ann.Bee+x@Mail.Example.COM", "li@例子.中国"]
)
def test_email_addresses(cell):
    local, _at, domain = cell.rpartition("@")
    assert value_of(Email("e", "E"), cell) == f"{local}@{domain.lower()}"


@pytest.mark.parametrize("cell", ["ann", "a@b", "a@@b.com", "a b@c.com", "a@b..com"])
def test_wrong_email_addresses_are_refused(cell):
    assert reason_of(Email("e", "E"), cell)


def test_addresses_of_sites_get_a_scheme_and_are_checked():
    assert value_of(Url("u", "U"), "example.com") == "https://example.com"
    assert reason_of(Url("u", "U"), "javascript://alert(1)")
    assert reason_of(Url("u", "U"), "not an address")


def test_phones_are_kept_as_written():
    column = Phone("p", "P", max_length=40)
    assert value_of(column, "+49 (30) 123-456") == "+49 (30) 123-456"
    assert reason_of(column, "none")


def test_yes_and_no():
    values, said = clean(Boolean("b", "B"), "yes", "0", "是", "否", "TRUE", "", "maybe")
    assert values == ["true", "false", "true", "false", "true", None, None]
    assert list(said) == [6]


def test_choices_are_found_by_code_label_and_synonym():
    column = Choice(
        "c",
        "C",
        choices=[("organic", "Organic search"), ("paid", "Paid")],
        synonyms={"organic_search": "organic"},
    )
    values, said = clean(column, "organic", "ORGANIC SEARCH", "organic_search", "x")
    assert values == ["organic", "organic", "organic", None]
    assert "Organic search, Paid" in said[3]


def test_a_needed_value_that_is_missing_is_refused():
    values, said = clean(Text("t", "T", required=True), "a", "", "  ")
    assert values == ["a", None, None]
    assert list(said) == [1, 2]


def test_a_bad_cell_is_refused_every_time_it_comes():
    cells = ["1", "x", "2", "x"]
    cleaner = Cleaner(NUMBER, PLAIN)
    for _batch in range(2):
        said = {}
        assert cleaner.clean(cells, said.__setitem__) == ["1", None, "2", None]
        assert list(said) == [1, 3]


def test_what_is_remembered_stays_bounded():
    cleaner = Cleaner(Text("t", "T"), PLAIN)
    for portion in range(30):
        cleaner.clean([f"{portion} {number}" * 20 for number in range(1000)], print)
    assert len(cleaner.memo) < 30_000
    assert Bad not in map(type, cleaner.memo.values())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("InvoiceNo", "invoice_no"),
        ("E-Mail", "email"),
        ("Prénom ", "prenom"),
        ("客户 编号", "客户编号"),
    ],
)
def test_names_of_columns_are_compared_without_their_looks(one, other):
    assert normal(one) == normal(other)
