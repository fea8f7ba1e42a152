"""CSV against Python's csv module, which shares no code with us: generated files in
several dialects hold the same fields; and files nobody made for us end with rows
or with a sentence, never with a signal."""
import csv
import io
import random

import pyarrow.parquet as pq
import pytest
from conftest import SEED, SHARED, TRIALS


def random_field(rng, letters, delimiter, quote, doubled):
    text = "".join(rng.choice(letters) for _ in range(rng.randint(0, 9)))
    if rng.random() < 0.5:
        return quote + text.replace(quote, quote * 2 if doubled else "\\" + quote) + quote
    for char in ("\r", "\n", delimiter, "" if doubled else "\\"):
        text = text.replace(char, "") if char else text
    return text.lstrip(quote)


def random_file(rng):
    columns = rng.randint(2, 5)
    delimiter, quote, doubled = rng.choice(",;\t|"), rng.choice("\"'"), rng.random() < 0.7
    line_end = rng.choice(["\n", "\r\n", "\r"])
    letters = ["a", "b", " ", "x", "ä", "\n", "\r\n", delimiter, quote, "7", ".", "漢"]
    lines = [delimiter.join(f"c{i}" for i in range(columns))]
    for _ in range(400):
        row = [random_field(rng, letters, delimiter, quote, doubled) for _ in range(columns)]
        row[0] = row[0] if any(row) else "z"
        lines.append(delimiter.join(row))
    return "".join(line + line_end for line in lines), columns, delimiter, quote, doubled


@pytest.mark.parametrize("trial", range(min(TRIALS, 100)))
def test_same_fields_as_python(haul, tmp_path, trial):
    text, columns, delimiter, quote, doubled = random_file(random.Random(f"{SEED}.{trial}"))
    (tmp_path / "t.csv").write_bytes(text.encode())
    options = ["--delimiter", "\\t" if delimiter == "\t" else delimiter, "--quote", quote, "--header", "yes"]
    options += [] if doubled else ["--escape", "\\"]
    haul("copy", "t.csv", "t.parquet", "-q", "--schema", ",".join(f"c{i}:utf8" for i in range(columns)), *options)
    want = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote, doublequote=doubled,
                      escapechar=None if doubled else "\\")
    got = [[value or "" for value in row.values()] for row in pq.read_table(tmp_path / "t.parquet").to_pylist()]
    assert got == list(want)[1:]


FOREIGN = [*(SHARED / "arrow-testing/data/csv/fuzzing").glob("*"), *(SHARED / "adventureworks").glob("*.csv")]


@pytest.mark.parametrize("path", FOREIGN, ids=lambda path: path.name[-40:])
def test_foreign_files(haul, path):
    done = haul("copy", path, "t.csv", "--from", "csv", "--max-errors", "-1", "--mode", "replace", code=None)
    assert done.code in (0, 3, 5), done
    assert done.code != 5 or "haul: " in done.err
