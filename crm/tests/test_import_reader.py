"""Any file gives its rows or says clearly where it cannot be read."""

import datetime
import gzip
import json
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from django.conf import settings
from openpyxl import Workbook

from crm.importing import reader, workbooks
from crm.importing.dialects import Dialect
from crm.importing.errors import FileError
from crm.importing.reader import Table, sniff
from crm.importing.shapes import straighten

DATA = Path(settings.DATA_DIR)
SPECTRUM = sorted((DATA / "csv_spectrum" / "csvs").glob("*.csv"))
MESSY = sorted(path for path in (DATA / "messy_csv").rglob("*") if path.is_file())
needs_data = pytest.mark.skipif(not SPECTRUM, reason="CRM_DATA_DIR has no CSV samples")


def write(tmp_path, content, name="file.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(path, **given):
    """Return (header, rows, row numbers, dialect) of a whole file."""
    dialect = sniff(path, path.name, **given)
    table = Table(path, dialect)
    rows, numbers = [], []
    for batch in table.batches():
        rows += batch.rows
        numbers += batch.numbers
    return table.header, rows, numbers, dialect


def refusal(path, **given):
    with pytest.raises(FileError) as caught:
        read(path, **given)
    return caught.value


# --- Collections of files that break importers --------------------------------


@needs_data
@pytest.mark.parametrize("path", SPECTRUM, ids=lambda path: path.stem)
def test_csv_spectrum_gives_exactly_its_rows(path):
    header, rows, _numbers, _dialect = read(path)
    expected = json.loads(
        (path.parent.parent / "json" / f"{path.stem}.json").read_text()
    )
    found = [dict(zip(header, row, strict=True)) for row in rows]

    def unix(value):
        return {key: text.replace("\r\n", "\n") for key, text in value.items()}

    assert [unix(row) for row in found] == [unix(row) for row in expected]


@needs_data
@pytest.mark.parametrize("path", MESSY, ids=lambda path: path.name)
def test_messy_files_give_rows_or_a_sentence(path):
    try:
        header, rows, numbers, _dialect = read(path)
    except FileError as error:
        if len(str(error)) < 10:
            pytest.fail("The refusal says nothing.")
        return
    assert header
    assert len(set(header)) == len(header)
    assert len(rows) == len(numbers)
    assert numbers == sorted(set(numbers))


@needs_data
@pytest.mark.parametrize(
    ("name", "count", "encoding"),
    [
        ("csvkit/examples/test_latin1.csv", 2, "cp1252"),
        ("csvkit/examples/test_utf16_big.csv", 2, "utf-16"),
        ("csvkit/examples/test_utf16_little.csv", 2, "utf-16"),
        ("csvkit/examples/test_utf8_bom.csv", 2, "utf-8"),
        ("messytables/horror/characters.csv", 382, "big5"),
        ("messytables/horror/spanish_chars.csv", 115, "cp1252"),
        ("messytables/horror/utf-16le_encoded.csv", 327, "utf-16"),
    ],
)
def test_encodings_of_messy_files_are_found_out(name, count, encoding):
    header, rows, _numbers, dialect = read(DATA / "messy_csv" / name)
    assert (dialect.encoding, len(rows)) == (encoding, count)
    assert "\ufeff" not in header[0]


@needs_data
def test_a_large_gb18030_file_is_read_as_chinese():
    header, rows, _numbers, dialect = read(DATA / "zh_webank_questions/sim_webank.csv")
    assert dialect.encoding == "gb18030"
    assert not dialect.is_certain
    assert header == ["sentence1", "sentence2", "label"]
    assert len(rows) == 20019
    assert rows[0][0] == "用微信都6年，微信没有微粒贷功能"


# --- Encodings ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "姓名,城市\n王芳,北京\n"),
        ("utf-8-sig", "姓名,城市\n王芳,北京\n"),
        ("utf-16", "姓名,城市\n王芳,北京\n"),
        ("utf-16-le", "name,city\nAnn,Bath\nBob,Cork\n"),
        ("utf-16-be", "name,city\nAnn,Bath\nBob,Cork\n"),
        ("gb18030", "姓名,城市\n王芳,北京\n李娜,上海\n"),
        ("big5", "姓名,城市\n王小芳,臺北市\n李國華,高雄市\n"),
        ("cp1252", "name,city\nJosé,Köln\nFrançois,Orléans\n"),
    ],
)
def test_text_comes_back_whatever_its_encoding(tmp_path, encoding, text):
    header, rows, _numbers, _dialect = read(write(tmp_path, text.encode(encoding)))
    lines = [line.split(",") for line in text.splitlines()]
    assert [header, *rows] == lines


def test_a_chosen_encoding_is_not_guessed(tmp_path):
    path = write(tmp_path, "name\nJosé\n".encode("cp1252"))
    assert read(path, encoding="cp1251")[1] == [["Josй"]]


def test_broken_characters_in_much_utf8_stay_the_exception(tmp_path):
    content = ("name\n" + "é\n" * 50).encode() + b"bad \xff cell\n"
    path = write(tmp_path, content)
    dialect = sniff(path)
    assert (dialect.encoding, dialect.is_certain) == ("utf-8", False)
    batch = next(iter(Table(path, dialect).batches()))
    assert batch.has_odd_text
    bad, said = set(), []
    straighten(batch, ["name"], bad, lambda *args: said.append(args))
    assert bad == {50}
    assert said[0][0] == 52


# --- Shapes -------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "~", "\x1f"])
def test_the_delimiter_is_found_out(tmp_path, delimiter):
    lines = [["a", "b", "c"], ["1", "x y", "3"], ["4", "5", "6"]]
    path = write(tmp_path, "\n".join(map(delimiter.join, lines)))
    header, rows, _numbers, dialect = read(path)
    assert dialect.delimiter == delimiter
    assert [header, *rows] == lines


def test_a_single_column_with_a_comma_in_quotes_stays_one_column(tmp_path):
    header, rows, *_rest = read(write(tmp_path, 'text\n"a, b"\nc\n'))
    assert (header, rows) == (["text"], [["a, b"], ["c"]])


def test_rows_are_numbered_as_a_spreadsheet_shows_them(tmp_path):
    path = write(tmp_path, 'a,b\n1,"two\nlines"\n\n,\n3,4\n')
    _header, rows, numbers, _dialect = read(path)
    assert rows == [["1", "two\nlines"], ["3", "4"]]
    assert numbers == [2, 5]


def test_names_of_columns_are_made_different(tmp_path):
    header, *_rest = read(write(tmp_path, "a,,a,\n1,2,3,4\n"))
    assert header == ["a", "Column 2", "a (2)", "Column 4"]


def test_a_file_without_names_of_columns_can_be_read(tmp_path):
    path = write(tmp_path, "1,2\n3,4\n")
    table = Table(path, Dialect(header_row=0))
    batches = list(table.batches())
    assert table.header == ["Column 1", "Column 2"]
    assert [row for batch in batches for row in batch.rows] == [["1", "2"], ["3", "4"]]
    assert batches[0].numbers == [1, 2]


def test_lines_above_the_names_are_passed_over(tmp_path):
    path = write(tmp_path, "Report of May\n\na,b\n1,2\n")
    table = Table(path, Dialect(header_row=3))
    rows = [row for batch in table.batches() for row in batch.rows]
    assert (table.header, rows) == (["a", "b"], [["1", "2"]])


def test_short_rows_are_filled_and_long_ones_refused(tmp_path):
    path = write(tmp_path, "a,b,c\n1,2\n1,2,3,4\n1,2,3,\n")
    batch = next(iter(Table(path, sniff(path)).batches()))
    bad, said = set(), []
    rows = straighten(batch, ["a", "b", "c"], bad, lambda *args: said.append(args))
    assert rows == [["1", "2", ""], ["1", "2", "3"], ["1", "2", "3"]]
    assert bad == {1}
    assert said == [(3, "", "4", "The row has 4 cells, the header has 3.")]


def test_two_hundred_columns(tmp_path):
    names = [f"c{number}" for number in range(200)]
    path = write(tmp_path, "\n".join([",".join(names), ",".join(names)]))
    header, rows, *_rest = read(path)
    assert header == names
    assert rows == [names]


def test_batches_together_are_the_file(tmp_path):
    path = write(tmp_path, "a\n" + "".join(f"{number}\n" for number in range(100)))
    for size in (1, 7, 50, 100, 101):
        batches = list(Table(path, Dialect()).batches(size))
        assert [int(row[0]) for one in batches for row in one.rows] == list(range(100))
        assert all(len(batch.rows) <= size for batch in batches)


# --- Files that cannot be read ------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b",,,\n"])
def test_an_empty_file_is_said_to_be_empty(tmp_path, content):
    assert "no rows" in str(refusal(write(tmp_path, content))) or content == b""


def test_a_file_with_names_only_has_no_rows(tmp_path):
    header, rows, *_rest = read(write(tmp_path, "name,email\n"))
    assert (header, rows) == (["name", "email"], [])


def test_a_quotation_that_is_never_closed_is_named_with_its_place(tmp_path):
    error = refusal(write(tmp_path, 'a,b\n1,2\n3,"never closed\n5,6\n7,8\n'))
    assert (error.row, error.column) == (3, 2)
    assert "never closed" in str(error)


def test_a_giant_value_is_refused_with_its_row(tmp_path):
    error = refusal(write(tmp_path, 'a,b\n1,"' + "x\n" * 600_000 + '"\n'))
    assert error.row == 2
    assert "million" in str(error)


def test_a_giant_line_is_refused_with_its_row(tmp_path):
    error = refusal(write(tmp_path, "a,b\n1,2\n" + "x," * 600_000 + "\n"))
    assert error.row == 3


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("sheet.xlsx", b"a,b\n1,2\n", "content is none"),
        ("sheet.xlsx", b"PK\x03\x04 broken", "damaged"),
        ("sheet.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 broken", "damaged"),
        ("page.csv", b"<!DOCTYPE html><html></html>", "web page"),
        ("paper.csv", b"%PDF-1.7 \x00\x01\x02", "not a table"),
        ("image.csv", bytes(range(256)) * 20, "not a table"),
        ("packed.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0)[:-6], "damaged"),
        ("wrong.csv", b"\x81\x8d\x8f\x90\x9d\xff\xfe\x81\x8d", "encoding"),
    ],
)
def test_what_is_no_table_is_refused_in_words(tmp_path, name, content, part):
    assert part in str(refusal(write(tmp_path, content, name)))


@pytest.mark.parametrize("size", [60, 200, 3000, 400_000])
def test_noise_is_refused_whatever_its_size(tmp_path, size):
    for seed in range(5):
        noise = random.Random(seed).randbytes(size)
        assert len(str(refusal(write(tmp_path, noise)))) > 20
        wide = b"".join(bytes((byte, 0)) for byte in noise)
        assert "not a table" in str(refusal(write(tmp_path, wide)))


def test_an_archive_of_something_else_is_no_workbook(tmp_path):
    path = tmp_path / "files.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.csv", "a,b\n")
    assert "without a workbook" in str(refusal(path))


def test_a_workbook_that_would_fill_the_memory_is_refused_unopened(tmp_path):
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
        archive.writestr(
            "xl/worksheets/sheet1.xml", b"0" * (workbooks.MAX_UNPACKED + 1)
        )
    assert path.stat().st_size < 1_000_000
    assert "too large" in str(refusal(path))


def test_a_packed_file_that_grows_too_large_is_refused(tmp_path, settings):
    settings.IMPORT_MAX_BYTES = 100_000
    path = write(tmp_path, gzip.compress(b"a\n" + b"1\n" * 100_000), "bomb.csv.gz")
    assert "larger" in str(refusal(path))


# --- Workbooks ----------------------------------------------------------------


def test_a_workbook_reads_like_its_csv(tmp_path):
    book = Workbook()
    sheet = book.active
    sheet.append(["text", "whole", "number", "day", "yes", "nothing"])
    # Workbooks know no time zones.
    day = datetime.datetime(2024, 5, 6, 7, 8, 9)  # noqa: DTZ001
    sheet.append(["a", 1.0, 0.1 + 0.2, day, True, None])
    sheet.append([])
    sheet.append(["b", 2, 3.25, datetime.date(2024, 5, 7), False, None])
    path = tmp_path / "book.xlsx"
    book.save(path)
    header, rows, numbers, dialect = read(path)
    assert dialect.kind == "zip"
    assert header[0] == "text"
    assert rows[0][:3] == ["a", "1", "0.3"]
    assert rows[0][3].startswith("2024-05-06 07:08:09")
    assert rows[0][4:] == ["true", ""]
    assert rows[1][3].startswith("2024-05-07")
    assert numbers == [2, 4]


def test_a_sheet_is_chosen_by_its_name(tmp_path):
    book = Workbook()
    book.active.append(["first"])
    other = book.create_sheet("Second")
    other.append(["name"])
    other.append(["Ann"])
    path = tmp_path / "book.xlsx"
    book.save(path)
    assert read(path, sheet="Second")[1] == [["Ann"]]
    assert "no sheet of this name" in str(refusal(path, sheet="Third"))


# --- Memory -------------------------------------------------------------------

MEASURE = """
import sys
import django
django.setup()
from pathlib import Path
from crm.importing.reader import Table, sniff
path = Path(sys.argv[1])
rows = sum(len(batch.rows) for batch in Table(path, sniff(path)).batches())
status = Path("/proc/self/status").read_text()
peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
print(rows, peak.split()[1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_memory_does_not_grow_with_the_file(tmp_path):
    def peak_of(count):
        path = tmp_path / f"{count}.csv"
        line = "some name,somebody@example.com,2024-01-01,12.50,a longer text here\n"
        with path.open("w") as file:
            file.write("name,email,day,amount,note\n")
            for _portion in range(count // 1000):
                file.write(line * 1000)
        command = [sys.executable, "-c", MEASURE, str(path)]
        found = subprocess.run(  # noqa: S603  (our own program)
            command, check=True, capture_output=True, text=True, cwd=settings.BASE_DIR
        )
        rows, kilobytes = map(int, found.stdout.split())
        assert rows == count
        return kilobytes

    small, large = peak_of(100_000), peak_of(400_000)
    assert large < small * 1.1


def test_the_reader_knows_where_it_is(tmp_path):
    path = write(tmp_path, "a,b\n" + "1,2\n" * 20_000)
    table = Table(path, Dialect())
    places = [table.position for _batch in table.batches()]
    assert places == sorted(places)
    assert places[-1] == table.size
    assert reader.BATCH_ROWS < 20_000
