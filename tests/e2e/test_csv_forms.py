"""Dates, moments and numbers as the world spells them: by option, never by guessing."""
import datetime
import random
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import SEED, TRIALS

DATES = ["%d.%m.%Y", "%m/%d/%Y", "%m/%d/%y", "%Y%m%d", "%d-%b-%Y", "%d %B %Y", "%b %d, %Y", "%Y/%m/%d", "%%%d|%m|%Y"]
MOMENTS = ["%d.%m.%Y %H:%M:%S", "%m/%d/%Y %I:%M %p", "%Y-%m-%dT%H:%M:%S.%f", "%d/%b/%Y:%H:%M:%S %z", "%m/%d/%y %I:%M:%S%p", "%Y%m%d%H%M"]


def read(haul, path, *words):
    haul("copy", "in.csv", "out.parquet", "--mode", "replace", *words)
    return pq.read_table(path / "out.parquet")


def write(path, rows, delimiter=";"):
    (path / "in.csv").write_text("\n".join(delimiter.join(row) for row in rows) + "\n")


@pytest.mark.parametrize("pattern", DATES)
def test_dates_as_python_writes_them(haul, tmp_path, pattern):
    rng = random.Random(f"{pattern} {SEED}")
    year = (1969, 2068) if "%y" in pattern else (1000, 9999)
    days = [datetime.date(rng.randrange(*year), rng.randrange(1, 13), rng.randrange(1, 29)) for _ in range(200)]
    days += [datetime.date(2000, 2, 29), datetime.date(1999, 12, 31)]
    write(tmp_path, [["day", "n"]] + [[d.strftime(pattern), "1"] for d in days] + [["", "2"]])
    whole = ["--schema", "day:date"] if pattern.replace("%", "").isalpha() else []  # they would stay integers
    got = read(haul, tmp_path, "--date-format", pattern, *whole)
    assert got.schema.field("day").type == pa.date32()
    assert got["day"].to_pylist() == days + [None]


@pytest.mark.parametrize("pattern", MOMENTS)
def test_moments_as_python_writes_them(haul, tmp_path, pattern):
    rng = random.Random(f"{pattern} {SEED}")
    zones = [datetime.timezone(datetime.timedelta(minutes=m)) for m in (0, 330, -210)]
    moments = []
    for _ in range(200):
        made = datetime.datetime(rng.randrange(1970, 2060), rng.randrange(1, 13), rng.randrange(1, 29), rng.randrange(24), rng.randrange(60),
                                 rng.randrange(60) if "%S" in pattern else 0, rng.randrange(10 ** 6) if "%f" in pattern else 0)
        moments.append(made.replace(tzinfo=rng.choice(zones)) if "%z" in pattern else made)
    write(tmp_path, [["at", "n"]] + [[m.strftime(pattern), "1"] for m in moments])
    whole = ["--schema", "at:timestamp[us]"] if pattern.replace("%", "").isalpha() else []
    got = read(haul, tmp_path, "--timestamp-format", pattern, *whole)
    assert pa.types.is_timestamp(got.schema.field("at").type)
    assert got["at"].to_pylist() == moments


def test_without_a_format_they_stay_text(haul, tmp_path):
    write(tmp_path, [["a", "b", "c"], ["31.12.2024", "12/31/2024 11:59 PM", "1.234,56"]])
    assert [str(t) for t in read(haul, tmp_path).schema.types] == ["string"] * 3
    assert read(haul, tmp_path).to_pylist() == [{"a": "31.12.2024", "b": "12/31/2024 11:59 PM", "c": "1.234,56"}]


def test_numbers_with_a_comma(haul, tmp_path):
    write(tmp_path, [["whole", "price", "real", "word"], ["1.234", "1.234,50", "1,5", "a,b"], ["-12", "-0,25", "2,25", ""],
                     ["1.234.567", "1000,00", "1e3", "c"]])
    got = read(haul, tmp_path, "--decimal-point", ",", "--thousands", ".", "--schema", "real:float64")
    assert got["whole"].to_pylist() == [1234, -12, 1234567]
    assert got["price"].to_pylist() == [Decimal("1234.50"), Decimal("-0.25"), Decimal("1000.00")]
    assert got["real"].to_pylist() == [1.5, 2.25, 1000.0]
    assert got["word"].to_pylist() == ["a,b", None, "c"]


@pytest.mark.parametrize("point, thousands", [(",", "."), (".", ","), (",", " "), (".", "'"), (",", None)])
def test_random_numbers(haul, tmp_path, point, thousands):
    rng = random.Random(f"{point}{thousands} {SEED}")
    numbers = [Decimal(rng.randrange(-10 ** rng.randrange(1, 14), 10 ** 13)) / 100 for _ in range(20 * TRIALS)]
    texts = [f"{n:,.2f}".replace(",", "T").replace(".", point).replace("T", thousands or "") for n in numbers]
    write(tmp_path, [["n", "m"]] + [[t, "x"] for t in texts], delimiter="|")
    words = ["--decimal-point", point] + (["--thousands", thousands] if thousands else [])
    got = read(haul, tmp_path, *words)
    assert pa.types.is_decimal(got.schema.field("n").type) and got["n"].to_pylist() == numbers
    haul("copy", "in.csv", "two.parquet", "--schema", "n:decimal(18,2)", *words)
    haul("verify", "two.parquet", "out.parquet")


@pytest.mark.parametrize("text, words", [
    ("31.02.2024", ["--date-format", "%d.%m.%Y"]), ("1.1.24", ["--date-format", "%d.%m.%Y"]), ("2024-01-01", ["--date-format", "%d.%m.%Y"]),
    ("01.01.2024 ", ["--date-format", "%d.%m.%Y"]), ("13/01/2024", ["--date-format", "%m/%d/%Y"]), ("Foo 1, 2024", ["--date-format", "%b %d, %Y"]),
    ("1/1/2024 13:00 PM", ["--timestamp-format", "%m/%d/%Y %I:%M %p"]), ("1/1/2024 0:00 AM", ["--timestamp-format", "%m/%d/%Y %I:%M %p"]),
    ("1/1/2024 24:00", ["--timestamp-format", "%m/%d/%Y %H:%M"]), ("1.23,50", ["--decimal-point", ",", "--thousands", "."]),
    ("1.2345,50", ["--decimal-point", ",", "--thousands", "."]), (".123,50", ["--decimal-point", ",", "--thousands", "."]),
    ("1,2,3", ["--decimal-point", ","]), ("1.5", ["--decimal-point", ","]), ("1,5.5", ["--decimal-point", ","]),
])
def test_what_is_not_spelled_so_is_refused(haul, tmp_path, text, words):
    kind = {"--date-format": "date", "--timestamp-format": "timestamp[us]"}.get(words[0], "decimal(18,2)")
    write(tmp_path, [["v", "n"], [text, "1"]])
    done = haul("copy", "in.csv", "out.parquet", "--schema", f"v:{kind}", "--delimiter", ";", *words, code=5)
    assert "line 2" in done.err and "\"v\"" in done.err, done.err
    assert [str(t) for t in read(haul, tmp_path, "--delimiter", ";", *words).schema.types] == ["string", "int64"]


@pytest.mark.parametrize("words, said", [
    (["--date-format", "%d.%m"], "year, month and day"), (["--date-format", "%d.%m.%Y %H"], "no more"), (["--date-format", "%q"], "%q"),
    (["--timestamp-format", "%d.%m.%Y"], "hour"), (["--timestamp-format", "%d.%m.%Y %I:%M"], "hour"), (["--date-format", "%"], "not known"),
    (["--decimal-point", "x"], "one character"), (["--thousands", "."], "--decimal-point"), (["--thousands", ",", "--decimal-point", ","], "--thousands"),
    (["--date-format", "x" * 80], "at most"),
])
def test_options_that_make_no_sense(haul, tmp_path, words, said):
    write(tmp_path, [["v", "n"], ["1", "1"]])
    assert said in haul("copy", "in.csv", "out.parquet", *words, code=2).err


def test_several_workers(haul, tmp_path):
    rows = 60_000
    write(tmp_path, [["day", "at", "n"]] + [[f"{i % 28 + 1}.{i % 12 + 1}.{1990 + i % 40}", f"{i % 12 + 1}/{i % 28 + 1}/2020 {i % 12 + 1}:{i % 60:02} {'AP'[i % 2]}M",
                                             f"{i:,}".replace(",", ".") + ",50"] for i in range(rows)])
    words = ["--date-format", "%d.%m.%Y", "--timestamp-format", "%m/%d/%Y %I:%M %p", "--decimal-point", ",", "--thousands", "."]
    one = read(haul, tmp_path, "--workers", "1", *words)
    assert one.num_rows == rows and one["n"][rows - 1].as_py() == Decimal("59999.50")
    assert read(haul, tmp_path, "--workers", "2", *words).equals(one)
    shown = haul("inspect", "in.csv", *words).out
    assert "date" in shown and "timestamp[us]" in shown and "decimal(18,2)" in shown
