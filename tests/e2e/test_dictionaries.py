"""Columns of few values stay indices on their way from Parquet to files: the values must not notice.

Row groups are large (only then batches are indices), words few or many, NULLs anywhere,
pages small, and the dictionary is given up in the middle of a chunk. pyarrow's reading is
the measure; a copy through SQLite, whose batches hold every value, has the same hash.
"""
import json
import math
import random
from decimal import Context, Decimal

import duckdb
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from conftest import SEED, TRIALS
from thrift import Thrift

ROWS = 40_000


def words(rng, count):
    made = ["", "a", 'say "so"', "1,2", " b ", "x" * 33, "ä€😀", "line\nend"]
    made += [f"word {i} " + "y" * rng.choice([0, 1, 30, 200]) for i in range(count)]
    return rng.sample(made, min(count, len(made)))


def column(rng):
    known = words(rng, rng.choice([1, 3, 8, 200, 5000]))
    share = rng.choice([0, 0, 0.2, 0.999])
    values = [None if rng.random() < share else rng.choice(known) for _ in range(ROWS)]
    if rng.random() < 0.3:  # a stretch without values, and one of new words, in which a dictionary is given up
        at = rng.randrange(ROWS)
        values[at:at + 9000] = [None] * len(values[at:at + 9000])
        at = rng.randrange(ROWS)
        values[at:at + 9000] = [f"new {at + i}" for i in range(len(values[at:at + 9000]))]
    return values


@pytest.mark.parametrize("trial", range(min(TRIALS, 60)))
def test_words_and_nulls(haul, tmp_path, trial):
    rng = random.Random(f"dictionaries {SEED} {trial}")
    table = pa.table({f"c{i}": pa.array(column(rng), rng.choice([pa.string(), pa.binary()])) for i in range(3)})
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=rng.choice([ROWS, ROWS // 2, 17_000]),
                   data_page_size=rng.choice([100, 5000, 1 << 20]), write_batch_size=rng.choice([10, 1024]),
                   dictionary_pagesize_limit=rng.choice([64, 4096, 1 << 20]), data_page_version=rng.choice(["1.0", "2.0"]))
    haul("copy", "in.parquet", "out.parquet", "--encoding", rng.choice(["auto", "auto", "plain", "dictionary"]),
         "--rowgroup-size", rng.choice(["1048576", "5000"]))
    assert pq.read_table(tmp_path / "out.parquet").equals(table)
    haul("copy", "in.parquet", "sqlite:///t.db", "--table", "t")
    haul("verify", "in.parquet", "sqlite:///t.db", "--table", "t")
    haul("verify", "in.parquet", "out.parquet")


@pytest.mark.parametrize("trial", range(min(TRIALS, 20)))
def test_words_as_csv(haul, tmp_path, trial):
    rng = random.Random(f"dictionaries as text {SEED} {trial}")
    table = pa.table({f"c{i}": pa.array(column(rng), pa.string()) for i in range(3)})
    pq.write_table(table, tmp_path / "in.parquet", data_page_size=5000)
    haul("copy", "in.parquet", "out.csv", "--workers", rng.choice("12"))
    got = pc.read_csv(tmp_path / "out.csv", parse_options=pc.ParseOptions(newlines_in_values=True),
                      convert_options=pc.ConvertOptions(column_types={n: pa.string() for n in table.column_names},
                                                        strings_can_be_null=True, quoted_strings_can_be_null=False,
                                                        null_values=[""]))
    assert got.equals(table)
    haul("copy", "in.parquet", "n.csv", "--null", "a", "--quote", "none", "--escape", "\\", "--delimiter", "|")
    haul("copy", "n.csv", "back.parquet", "--null", "a", "--quote", "none", "--escape", "\\", "--delimiter", "|",
         "--schema", "c0:utf8,c1:utf8,c2:utf8")
    assert pq.read_table(tmp_path / "back.parquet").equals(table)


# ---- numbers and moments ----

FIXED = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(), pa.float16(), pa.float32(), pa.float64(),
         pa.decimal128(5, 2), pa.decimal128(15, 0), pa.decimal128(38, 10), pa.date32(), pa.time32("ms"), pa.time64("us"), pa.time64("ns"),
         pa.timestamp("ms"), pa.timestamp("us", "UTC"), pa.timestamp("ns"), pa.duration("us"), pa.binary(5), pa.binary(16)]


def fixed_value(rng, type_):
    if pa.types.is_decimal(type_):
        return Decimal(rng.choice([0, 1, -1, rng.randrange(-10 ** type_.precision + 1, 10 ** type_.precision)])).scaleb(-type_.scale, Context(prec=38))
    if pa.types.is_floating(type_):
        return rng.choice([0.0, -0.0, 1.5, -2.25, math.nan, math.inf, rng.randrange(1000) / 4])
    if pa.types.is_fixed_size_binary(type_):
        return rng.randbytes(type_.byte_width)
    if pa.types.is_integer(type_):
        signed = pa.types.is_signed_integer(type_)
        return rng.randrange(-(1 << type_.bit_width - 1), 1 << type_.bit_width - 1) if signed else rng.randrange(1 << type_.bit_width)
    return rng.randrange(86_400)


def fixed_column(rng, type_):
    known = [fixed_value(rng, type_) for _ in range(rng.choice([1, 3, 200, 6000]))]
    share = rng.choice([0, 0, 0.2, 0.999])
    return pa.array([None if rng.random() < share else rng.choice(known) for _ in range(ROWS)], type_)


@pytest.mark.sanitize
@pytest.mark.parametrize("trial", range(min(TRIALS, 24)))
def test_numbers_and_moments_as_csv(haul, tmp_path, trial):
    """The same rows with dictionaries and without give the same text, the same refused rows and the same hash."""
    rng = random.Random(f"fixed {SEED} {trial}")
    types = [FIXED[trial % len(FIXED)], *rng.sample(FIXED, 3)]
    table = pa.table({f"c{i}": fixed_column(rng, type_) for i, type_ in enumerate(types)})
    words = rng.choice([[], ["--limit", "30001"], ["--delimiter", "-"], ["--null", "0"], ["--quote", "none", "--delimiter", "5", "--max-errors", "-1"]])
    int96 = rng.random() < 0.2
    made = {}
    for name, dictionary in (("few", True), ("all", False)):
        pq.write_table(table, tmp_path / f"{name}.parquet", use_dictionary=dictionary, row_group_size=rng.choice([ROWS, 17_000]), data_page_size=5000,
                       dictionary_pagesize_limit=rng.choice([64, 1 << 20]), store_decimal_as_integer=rng.random() < 0.5,
                       use_deprecated_int96_timestamps=int96)
        done = haul("copy", f"{name}.parquet", f"{name}.csv", "--workers", rng.choice("12"), "--summary", "s.json", *words, code=None)
        assert done.code in (0, 3), done
        summary = json.loads((tmp_path / "s.json").read_text())
        made[name] = (tmp_path / f"{name}.csv").read_bytes(), summary["rows"], summary["rejects"], summary["hash"]
    assert made["few"] == made["all"]
    if not words:
        assert len(made["few"][0].splitlines()) == ROWS + 1


# ---- when values come again ----

def data_encodings(data, chunk):
    """The encodings of a chunk's data pages (version 1), in their order."""
    at = chunk.dictionary_page_offset or chunk.data_page_offset
    end, found = at + chunk.total_compressed_size, []
    while at < end:
        reader = Thrift(data, at)
        head = reader.struct()
        if head[1] == 0:
            found.append(head[5][2])
        at = reader.at + head[3]
    return found


@pytest.mark.parametrize("distinct", [12_000, 20_011, 30_000])
def test_values_that_come_again_later_are_read_by_all(haul, tmp_path, distinct):
    """In the first page most are new; over the row group each comes ten times and more. A chunk that began without a dictionary and
    went on with one was right, and DuckDB 2.0 read other values out of it: all columns at once, more than once."""
    rng = random.Random(f"again {SEED} {distinct}")
    order = [i % distinct for i in range(10 * distinct)]
    values = [rng.randrange(-2 ** 62, 2 ** 62) for _ in range(distinct)]
    table = pa.table({"long": [values[i] for i in order], "int": pa.array([values[i] % 2 ** 31 for i in order], pa.int32()),
                      "word": [f"customer {values[i]:x} of somewhere" for i in order], "round": [values[i * 31 % distinct] for i in range(len(order))],
                      "none": pa.array([None if i % 3 else values[i % distinct] for i in order]), "few": [i % 7 for i in order],
                      "other": [f"{values[i] % 1000}" for i in order], "float": [values[i] / 3 for i in order],
                      "price": pa.array([None if i % 9 == 0 else Decimal(values[i] % 10 ** 13).scaleb(-4) for i in order], pa.decimal128(18, 4)),
                      "token": pa.array([values[i].to_bytes(16, "big", signed=True) for i in order], pa.binary(16))})
    pq.write_table(table, tmp_path / "in.parquet", compression="zstd", use_dictionary=False)
    haul("copy", "in.parquet", "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet").equals(table)
    metadata = pq.ParquetFile(tmp_path / "out.parquet").metadata
    data = (tmp_path / "out.parquet").read_bytes()
    for group in range(metadata.num_row_groups):
        for number in range(metadata.num_columns):
            indexed = [encoding in (2, 8) for encoding in data_encodings(data, metadata.row_group(group).column(number))]
            assert indexed == sorted(indexed, reverse=True), metadata.schema.column(number).name
    sums = ", ".join(f'bit_xor(hash("{name}"))' for name in table.column_names)
    wanted = duckdb.sql(f"SELECT {sums} FROM '{tmp_path}/in.parquet'").fetchall()
    for _ in range(4):
        assert duckdb.sql(f"SELECT {sums} FROM '{tmp_path}/out.parquet'").fetchall() == wanted


def test_values_that_never_come_again_get_none(haul, tmp_path):
    rng = random.Random(SEED)
    table = pa.table({"long": [rng.randrange(-2 ** 62, 2 ** 62) for _ in range(100_000)]})
    pq.write_table(table, tmp_path / "in.parquet")
    haul("copy", "in.parquet", "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet").equals(table)
    assert "RLE_DICTIONARY" not in pq.ParquetFile(tmp_path / "out.parquet").metadata.row_group(0).column(0).encodings
