"""`bin/manage evaluate`: figures from files, and one sentence for bad input."""

import gzip
import io
import json

import numpy as np
import openpyxl
import pandas as pd
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from analytics.tests.ml.public_data import public
from analytics.tests.ml.test_lead_score import leads
from analytics.tests.ml.test_text import tickets


def evaluate(*arguments):
    """Return what was printed and the card of the last line."""
    out = io.StringIO()
    call_command("evaluate", *map(str, arguments), stdout=out)
    printed = out.getvalue()
    return printed, json.loads(printed.strip().splitlines()[-1])


@pytest.fixture
def table(tmp_path):
    """Return a function that writes a frame as CSV and returns its path."""

    def write(frame, name="table.csv", encoding="utf-8", sep=","):
        path = tmp_path / name
        path.write_bytes(frame.to_csv(index=False, sep=sep).encode(encoding))
        return path

    return write


def cdnow_arguments(*more):
    path = public("cdnow/cdnow_transactions.csv")
    known = ["--customer", "id", "--date", "date", "--amount", "spent"]
    end = ["--calibration-end", "1997-09-30"]
    return ["ltv", "--transactions", path, *known, *end, *more]


def test_ltv_prints_parameters_errors_and_the_simple_rule():
    printed, card = evaluate(*cdnow_arguments("--unit", "week"))
    known = {
        "r": 0.243,
        "alpha": 4.414,
        "a": 0.793,
        "b": 2.426,
        "log_likelihood": -9582.43,
        "p": 6.25,
        "q": 3.744,
        "v": 15.444,
    }
    for name, value in known.items():
        assert card["parameters"][name] == pytest.approx(value, abs=0.006), name
    assert card["figures"]["mae"] <= 0.785
    assert card["simple_rule"]["figures"]["mae"] == pytest.approx(1.024, abs=5e-4)
    assert card["beats_rule"] is True
    assert "simple rule: same_rate" in printed
    assert "rival: MBG/NBD" in printed


def test_ltv_takes_rate_horizon_and_cost():
    _, plain = evaluate(*cdnow_arguments())
    _, set_up = evaluate(
        *cdnow_arguments(
            "--discount-rate", "0.5", "--years", "1", "--acquisition-cost", "3"
        )
    )
    before, after = (c["details"]["lifetime_value"] for c in (plain, set_up))
    assert before["customers"] == after["customers"] == 2357
    assert after["mean"] < before["mean"] - 3
    assert set_up["details"]["options"]["years"] == 1
    assert set_up["figures"] == plain["figures"]


def test_ticket_class_reads_any_encoding_delimiter_and_packing(tmp_path, table):
    rows = tickets()
    one = table(rows.head(60), "one.csv", "gb18030")
    two = table(rows.iloc[60:90], "two.tsv", "utf-16", sep="\t")
    packed = tmp_path / "test.csv.gz"
    packed.write_bytes(gzip.compress(rows.iloc[90:].to_csv(index=False).encode()))
    _, card = evaluate(
        *["ticket-class", "--train", one, "--train", two, "--test", packed]
    )
    assert card["split_params"] == {"train": 90, "test": 18}
    assert card["figures"]["accuracy"] >= 0.9
    assert card["simple_rule"]["name"] == "TF-IDF + multinomial naive Bayes"


def test_ticket_class_reads_workbooks_and_named_columns(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["no", "Frage", "Art"])
    for number, row in enumerate(tickets().itertuples(index=False)):
        book.active.append([number, row.text, row.label])
    path = tmp_path / "book.xlsx"
    book.save(path)
    arguments = ["--text", "Frage", "--label", "Art"]
    _, card = evaluate("ticket-class", "--train", path, *arguments)
    assert card["rows"] == len(tickets())
    assert card["split"] == "random"


def lead_arguments(path, value="1", column="outcome"):
    outcome = ["--outcome", column, "--outcome-value", value]
    return ["conversion", "--table", path, *outcome, "--time", "time"]


def test_conversion_warns_of_columns_filled_in_afterwards(table):
    frame, _ = leads()
    frame["contract"] = np.where(frame["outcome"] == 1, "signed", "")
    frame["visit"] = np.where(frame["outcome"] == 1, "2025-06-01", "")
    path = table(frame)
    printed, card = evaluate(*lead_arguments(path))
    flagged = {
        w["params"]["column"] for w in card["warnings"] if w["code"].endswith("outcome")
    }
    assert flagged == {"contract", "visit"}
    assert "! Column contract is filled in 100% of the rows" in printed
    assert sorted(card["parameters"]["columns"]) == ["noise", "size", "source"]
    assert card["simple_rule"]["name"] == "base_rate_by_source"
    assert card["figures"]["auc"] < 0.95
    _, without = evaluate(*lead_arguments(path), "--exclude", "size, noise,contract")
    assert without["parameters"]["columns"] == ["source"]


def test_any_filled_outcome_counts_and_its_time_is_understood(table):
    frame, _ = leads()
    won = frame["time"] + pd.Timedelta(days=10)
    frame["won"] = won.where(frame["outcome"] == 1).astype(str).replace("NaT", "")
    path = table(frame.drop(columns="outcome"))
    _, card = evaluate(*lead_arguments(path, "any", "won"))
    assert 0.2 < card["base_rate"] < 0.6
    assert "time of the outcome" not in card["parameters"]["columns"]
    assert card["figures"]["auc"] < 0.95


def test_segmentation_runs_on_transactions():
    path = public("cdnow/cdnow_transactions.csv")
    columns = ["--customer", "id", "--date", "date", "--amount", "spent"]
    _, card = evaluate("segmentation", "--transactions", path, *columns)
    assert card["rows"] == 2357
    assert len(card["details"]["clusters"]) == card["parameters"]["clusters"]


def failure(*arguments):
    """Return the one sentence that the command ends with."""
    with pytest.raises(CommandError) as caught:
        evaluate(*arguments)
    sentence = str(caught.value)
    assert caught.value.returncode == 1
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


def test_missing_arguments_files_and_columns_are_named(table, tmp_path):
    assert "--customer, --date, --calibration-end" in failure(
        "ltv", "--transactions", "x.csv"
    )
    path = table(leads()[0])
    assert "nothing.csv" in failure(*lead_arguments(tmp_path / "nothing.csv"))
    assert "no column gone" in failure(*lead_arguments(path, "1", "gone"))
    assert "no column gone" in failure(*lead_arguments(path), "--exclude", "gone")
    words = table(tickets(), "words.csv")
    assert "no column body" in failure(
        "ticket-class", "--train", words, "--text", "body"
    )


def test_dates_that_are_none_are_shown_with_their_row(table):
    frame = leads()[0].astype({"time": str})
    frame.loc[3:40, "time"] = "yesterday"
    sentence = failure(*lead_arguments(table(frame)))
    assert sentence.startswith("Row 5, column time: yesterday is not a date")
    path = public("cdnow/cdnow_transactions.csv")
    arguments = ["ltv", "--transactions", path, "--customer", "id", "--date", "date"]
    assert "1997-01-01" in failure(*arguments, "--calibration-end", "2020-01-01")
    assert "not a date" in failure(*arguments, "--calibration-end", "soon")


def test_one_class_is_one_sentence(table):
    frame, _ = leads()
    one_sided = table(frame.assign(outcome=1))
    assert "only one class" in failure(*lead_arguments(one_sided))
    assert "never holds won" in failure(*lead_arguments(table(frame), "won"))
    same = table(tickets().assign(label="same"), "same.csv")
    assert "same class" in failure("ticket-class", "--train", same)


def test_little_data_ends_with_the_reason_and_still_a_card(table):
    out = io.StringIO()
    path = table(leads()[0].head(20))
    with pytest.raises(CommandError, match="Not enough history"):
        call_command("evaluate", *map(str, lead_arguments(path)), stdout=out)
    card = json.loads(out.getvalue().strip().splitlines()[-1])
    assert card["enough_history"] is False


@pytest.mark.parametrize("content", [b"", b"a,b\n", b"%PDF-1.4 \x00\x01\x02"])
def test_files_without_a_table_are_refused(tmp_path, content):
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    assert str(path) in failure(*lead_arguments(path))


def test_dates_and_numbers_are_read_as_people_write_them(table):
    rows = pd.DataFrame(
        {
            "who": np.repeat(np.arange(150), 3),
            "on": pd.date_range("2024-01-01", periods=450, freq="12h").strftime(
                "%d/%m/%Y"
            ),
            "sum": ["1.234,50 €", "99,90", "12"] * 150,
        }
    )
    arguments = ["--customer", "who", "--date", "on", "--amount", "sum"]
    _, card = evaluate("segmentation", "--transactions", table(rows), *arguments)
    revenue = sum(cluster["revenue"] for cluster in card["details"]["clusters"])
    assert revenue == pytest.approx(150 * (1234.5 + 99.9 + 12))
