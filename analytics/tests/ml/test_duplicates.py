"""Duplicates: what counts as alike, which pairs are compared, and how well it works."""

import json

import numpy as np
import pytest

from analytics.duplicates import normaliser
from analytics.ml.duplicate_blocks import MOST, candidates
from analytics.ml.duplicate_evaluation import evaluate as measure
from analytics.ml.duplicate_levels import LEVELS, levels_of, phone_level
from analytics.ml.duplicates import Table, find, learn, unpack
from analytics.tests.ml.public_data import public
from analytics.tests.ml.test_evaluate import evaluate

FEBRL = (
    "--truth=rec_id",
    r"--truth-pattern=rec-\d+",
    "--column=name=given_name,surname",
    "--column=address=street_number,address_1,address_2",
    "--column=postal_code=postcode",
    "--column=city=suburb",
    "--column=birth_date=date_of_birth",
)


@pytest.fixture(scope="module")
def prepare():
    return normaliser().prepare


def packed(prepare, *customers):
    return [prepare(**customer).pack() for customer in customers]


def level(prepare, field, one, other):
    """Return the name of the level of two customers in one field."""
    places = dict(
        zip(LEVELS, levels_of(prepare(**one), prepare(**other)), strict=False)
    )
    return LEVELS[field][places[field]] if places[field] >= 0 else None


def pairs(prepare, *customers, kinds=None):
    rows = packed(prepare, *customers)
    return find(Table.of(rows, kinds or [0] * len(rows))).pairs


def test_the_public_set_with_planted_errors():
    """The same pipeline on the file; half of the persons gave the weights."""
    path = public("febrl/dataset1.csv")
    number = "--column=number=soc_sec_id"
    card = evaluate("duplicates", "--table", path, *FEBRL, number)[1]
    assert card["figures"]["f1"] >= 0.99
    assert card["figures"]["held_out_f1"] >= 0.99
    assert card["figures"]["block_recall"] >= 0.995
    assert card["parameters"]["pairs_compared"] < 2000
    assert card["beats_rule"]


def test_the_public_set_without_the_number_of_an_office():
    path = public("febrl/dataset1.csv")
    card = evaluate("duplicates", "--table", path, *FEBRL)[1]
    assert card["figures"]["f1"] >= 0.99
    assert card["figures"]["precision"] >= 0.995


def test_a_column_that_is_no_field_is_one_sentence():
    from django.core.management.base import CommandError

    path = public("febrl/dataset1.csv")
    with pytest.raises(CommandError, match="FIELD=COLUMN"):
        evaluate("duplicates", "--table", path, *FEBRL, "--column=shoe=size")
    with pytest.raises(CommandError, match="no regular expression"):
        evaluate("duplicates", "--table", path, *FEBRL, "--truth-pattern=(")
    with pytest.raises(CommandError, match="There is no column"):
        evaluate("duplicates", "--table", path, *FEBRL, "--column=city=nowhere")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("张三", "張三", "same"),
        ("张 三", "张三先生", "same"),
        ("张三", "Zhang San", "written"),
        ("张三", "San ZHANG", "written"),
        ("张三", "章三", "written"),
        ("欧阳娜娜", "Ouyang Nana", "written"),
        ("歐陽娜娜", "欧阳娜娜", "same"),
        ("张三", "张四", "differs"),
        ("王小明", "王小红", "differs"),
        ("北京绿源咖啡有限公司", "北京绿源咖啡", "same"),
        ("北京绿源咖啡有限公司", "北京绿源茶叶有限公司", "differs"),
        ("Anna Berg", "BERG, Anna", "same"),
        ("Dr. Anna Berg", "Anna Berg", "same"),
        ("Anna Berg", "Anna Brg", "typo"),
        ("Anna Berg", "A. Berg", "shorter"),
        ("Anna Maria Berg", "Anna Berg", "shorter"),
        ("Anna Berg", "Emma Berg", "part"),
        ("Ja ck Matthews", "Jack Matthews", "written"),
        ("Jörg Müßig", "Jorg Mussig", "same"),
        ("Acme Ltd", "ACME GmbH", "same"),
        ("Shop 12", "Shop 13", "part"),
        ("Ａｎｎａ　Ｂｅｒｇ", "Anna Berg", "same"),
        ("O'Brien Pat", "OBrien Pat", "same"),
        ("Иван Петров", "Иван Петроф", "typo"),
        ("", "Anna", None),
    ],
)
def test_names(prepare, one, other, expected):
    assert level(prepare, "name", {"name": one}, {"name": other}) == expected
    assert level(prepare, "name", {"name": other}, {"name": one}) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("+86 138 0013 8000", "13800138000", "same"),
        ("０１３８００１３８０００", "+86 (0)138-0013-8000", "same"),
        ("+44 (0)20 7946 0001", "020 7946 0001", "same"),
        ("020 7946 0001 ext. 12", "+442079460001", "same"),
        ("13800138000", "13800138001", "typo"),
        ("212 555 1234", "312 555 1234", "typo"),
        ("13800138000", "13900139111", "differs"),
        ("0000000", "0000000", None),
        ("12", "12", None),
    ],
)
def test_phones(prepare, one, other, expected):
    assert level(prepare, "phone", {"phone": one}, {"phone": other}) == expected


def test_other_fields(prepare):
    def check(field, one, other):
        return level(prepare, field, one, other)

    assert (
        check("email", {"email": "A.B+x@gmail.com"}, {"email": "ab@googlemail.com"})
        == "same"
    )
    # Other numbers are other mailboxes.
    one, other = {"email": "anna.berg12@x.example"}, {"email": "anna.berg13@x.example"}
    assert check("email", one, other) == "differs"
    one, other = {"address": "Hauptstraße 7"}, {"address": "7 Hauptstr."}
    assert check("street", one, other) == "same"
    one, other = {"address": "长江路12号"}, {"address": "長江路１２號"}
    assert check("street", one, other) == "same"
    one, other = {"birth_date": "1980-03-12"}, {"birth_date": "1980-12-03"}
    assert check("birth", one, other) == "typo"
    one, other = {"city": "York", "postal_code": "YO1 7HH"}, {"postal_code": "yo17hh"}
    assert check("place", one, other) == "same"


def test_a_pair_says_why(prepare):
    one = {"name": "Anna Berg", "phone": "+44 20 7946 0001", "city": "York"}
    other = {"name": "Anna Brg", "phone": "02079460001", "city": "York"}
    (pair,) = pairs(prepare, one, other)
    assert pair.score > 0.95
    assert [reason[:2] for reason in pair.reasons[:2]] == [
        ("phone", "same"),
        ("name", "typo"),
    ]


def test_a_household_is_not_one_person(prepare):
    home = {"phone": "020 7946 0001", "address": "7 High Street", "city": "York"}
    found = pairs(
        prepare,
        {"name": "Anna Berg", "birth_date": "1980-03-12", **home},
        {"name": "Emma Berg", "birth_date": "1984-11-30", **home},
    )
    assert not found


def test_nothing_but_a_common_name_is_no_duplicate(prepare):
    """The more others have a value, the less it says."""
    crowd = [{"name": "Emma Smith", "city": "Leeds"} for _ in range(30)]
    assert not pairs(prepare, *crowd)
    rare = [{"name": "Zebedee Quill", "city": "Leeds"} for _ in range(2)]
    assert len(pairs(prepare, *rare, *crowd)) == 1


def test_a_switchboard_does_not_make_a_hundred_thousand_pairs(prepare):
    rows = packed(
        prepare,
        *({"name": f"Person Nr{n:03d}", "phone": "0207 946 0001"} for n in range(500)),
        {"name": "Anna Berg", "phone": "0207 946 0001"},
        {"name": "Berg Anna", "phone": "0207 946 0001"},
    )
    large: dict[str, int] = {}
    found = [
        pair
        for left, right in candidates(rows, too_large=large)
        for pair in zip(left.tolist(), right.tolist(), strict=True)
    ]
    assert large["phone"] == 502
    assert len(found) < 502 * MOST
    # Of the same name they are compared all the same.
    assert (500, 501) in found


def test_person_and_company_of_one_name(prepare):
    same = {"name": "Anna Berg", "phone": "020 7946 0001"}
    (people,) = pairs(prepare, same, same)
    (mixed,) = pairs(prepare, same, same, kinds=[0, 1])
    assert mixed.score < people.score
    assert ("kind", "differs") in [reason[:2] for reason in mixed.reasons]


def test_empty_and_odd_values_break_nothing(prepare):
    texts = json.loads(public("blns/blns.json").read_text("utf-8"))
    fields = ("name", "phone", "email", "address", "postal_code", "city", "number")
    odd = [dict.fromkeys(fields, text) for text in texts]
    rows = packed(prepare, {}, {}, {"name": "\t\n"}, {"name": "🙂"}, *odd, *odd)
    assert all(len(unpack(row)) == 9 for row in rows)
    found = find(Table.of(rows, [0] * len(rows)))
    assert all(0 <= pair.score <= 1 for pair in found.pairs)
    assert not [pair for pair in found.pairs if pair.left < 3]


def test_nobody_and_one_alone():
    assert find(Table.of([], [])).pairs == []
    assert find(Table.of([normaliser().prepare(name="Anna").pack()], [0])).pairs == []


def test_weights_are_counted_where_the_truth_is_known(prepare):
    rows = packed(prepare, *({"name": "Anna Berg", "city": "York"} for _ in range(40)))
    weights = learn(Table.of(rows, [0] * 40), [(n, n + 1) for n in range(0, 40, 2)])
    assert weights.m["name"][-1] > 0.7
    assert np.isclose(sum(weights.m["name"]), 1, atol=0.01)
    # Nobody told a phone number.
    assert weights.m["phone"][-1] == 0.8


def test_too_little_truth_is_said(prepare):
    rows = packed(prepare, *({"name": f"Anna {n}"} for n in range(40)))
    assert measure(rows, [0] * 40, list(range(40))).card.reason.code


def test_the_shorter_number_needs_its_digits():
    assert phone_level("9460001", "442079460001") == 1
    assert phone_level("79460001", "442079460001") == 2
