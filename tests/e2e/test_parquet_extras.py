"""What a writer may add or choose: Bloom filters, as DuckDB reads them and as the specification says; sorting columns; byte-stream-split."""
import math
import random
import struct
from datetime import datetime

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xxhash

from conftest import SEED
from test_types import judge
from thrift import Thrift, footer

SALTS = [0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31]


def has(bits, value):
    key = xxhash.xxh64(value).intdigest()
    block = (key >> 32) * (len(bits) // 32) >> 32
    words = struct.unpack_from("<8I", bits, block * 32)
    return all(word >> ((key & 0xFFFFFFFF) * salt % 2 ** 32 >> 27) & 1 for word, salt in zip(words, SALTS))


def filters(path):
    """{(row group, column): bits}"""
    data, found = path.read_bytes(), {}
    for g, group in enumerate(footer(data)[4]):
        for chunk in group[1]:
            meta = chunk[3]
            if 14 in meta:
                reader = Thrift(data, meta[14])
                head = reader.struct()
                assert head == {1: head[1], 2: {1: {}}, 3: {1: {}}, 4: {1: {}}} and reader.at - meta[14] + head[1] == meta[15]
                found[g, meta[3][0].decode()] = data[reader.at:reader.at + head[1]]
    return found


@pytest.fixture
def table():
    rows = 30_000
    mixed = random.Random(SEED).choices(range(10_000), k=rows)
    return pa.table({
        "number": pa.array([i % 100 * 2 for i in mixed], pa.int64()), "small": pa.array([i % 50 for i in mixed], pa.int32()),
        "name": [None if i % 10 == 0 else f"name {i % 3000 * 2}" for i in range(rows)], "real": [i % 100 / 4 for i in range(rows)],
        "flag": [i % 2 == 0 for i in range(rows)], "unique": [f"never twice {i * 104729}" for i in range(rows)],
        "fixed": pa.array([(i % 20).to_bytes(5, "big") for i in range(rows)], pa.binary(5)), "day": pa.array([i % 60 for i in mixed], pa.date32()),
    })


@pytest.mark.parametrize("words", [(), ("--workers", "2", "--memory", "64MiB"), ("--page-version", "2", "--compression", "none")])
def test_every_value_is_in_its_filter(haul, tmp_path, table, words):
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=10_000)
    haul("copy", "in.parquet", "out.parquet", "--bloom-filters", "--rowgroup-size", "10000", *words)
    assert pq.read_table(tmp_path / "out.parquet").equals(table)
    found = filters(tmp_path / "out.parquet")
    assert {name for _, name in found} == set(table.column_names) - {"unique", "flag"}
    forms = {"number": "<q", "small": "<i", "real": "<d", "day": "<i"}
    for (g, name), bits in found.items():
        values = set(table[name].slice(g * 10_000, 10_000).cast(pa.int32() if name == "day" else table[name].type).to_pylist()) - {None}
        stored = [struct.pack(forms[name], v) if name in forms else v.encode() if isinstance(v, str) else v for v in values]
        assert all(has(bits, value) for value in stored), name
        strangers = [struct.pack("<q", 2 * i + 1) if name == "number" else f"name {2 * i + 1}".encode() for i in range(1000)]
        assert sum(has(bits, value) for value in strangers) < 30, name
    haul("copy", "in.parquet", "none.parquet", "--rowgroup-size", "10000")
    assert filters(tmp_path / "none.parquet") == {}


def test_readers_use_them_and_combine_keeps_them(haul, tmp_path, table):
    pq.write_table(table, tmp_path / "in.parquet")
    haul("copy", "in.parquet", "out.parquet", "--bloom-filters", "--rowgroup-size", "10000")
    probe = "SELECT bool_or(bloom_filter_excludes) FROM parquet_bloom_probe('{}', '{}', {})"
    for path in ("out.parquet", "all.parquet"):
        full = tmp_path / path
        assert duckdb.sql(probe.format(full, "number", 7)).fetchall()[0] == (True,)
        assert duckdb.sql(probe.format(full, "number", 8)).fetchall()[0] == (False,)
        assert duckdb.sql(probe.format(full, "name", "'name 3'")).fetchall()[0] == (True,)
        assert duckdb.sql(f"SELECT count(*) FROM '{full}' WHERE name = 'name 42'").fetchall()[0][0] > 0
        haul("combine", "out.parquet", "in.parquet", "-o", "all.parquet", "--mode", "replace")
    assert len(filters(tmp_path / "all.parquet")) == 18


SORTED = {"up": list(range(2000)), "up_in_pairs": [i // 2 for i in range(2000)], "from_below": list(range(-1000, 1000))}
UNSORTED = {"down": list(range(2000, 0, -1)), "same": [5] * 2000, "null": [None] + list(range(1999)), "late": list(range(1999)) + [0],
            "mixed": [i * 7919 % 2000 for i in range(2000)], "wraps": [-2 ** 63, 2 ** 63 - 1] * 1000}


@pytest.mark.parametrize("name", [*SORTED, *UNSORTED])
@pytest.mark.parametrize("encoding", ["auto", "plain", "dictionary"])
def test_sorting_columns_are_true(haul, tmp_path, name, encoding):
    """Of the first column whose values are in order, if there is one; by row group; kept by combine."""
    values = {**SORTED, **UNSORTED}[name]
    table = pa.table({"text": ["b", "a"] * 1000, "v": pa.array(values, pa.int64())})
    pq.write_table(table, tmp_path / "in.parquet")
    haul("copy", "in.parquet", "out.parquet", "--rowgroup-size", "2000", "--encoding", encoding)
    haul("combine", "out.parquet", "in.parquet", "-o", "all.parquet")
    for path in ("out.parquet", "all.parquet"):
        found = pq.read_metadata(tmp_path / path).row_group(0).sorting_columns
        assert found == ((pq.SortingColumn(1),) if name in SORTED else ()), (path, found)
    assert pq.read_table(tmp_path / "out.parquet").equals(table)


def walk(rng, step):
    """A measured quantity: the next value is near the last one, its low bits are noise."""
    values = [1000.0]
    while len(values) < 40_000:
        values.append(values[-1] + rng.gauss(0, step))
    return values


def floats():
    rng = random.Random(SEED)
    noise = [rng.random() for _ in range(40_000)]
    return {
        "noise": pa.array(noise), "walk": pa.array(walk(rng, 1)), "walk_f32": pa.array(walk(rng, 1), pa.float32()),
        "sparse": pa.array([None if v < 0.3 else v for v in noise]), "lists": pa.array([[v, v * v][:i % 3] for i, v in enumerate(noise)]),
        "odd": pa.array([(0.0, -0.0, math.nan, math.inf, -math.inf, v, v * 1e300, v / 1e300)[i % 8] for i, v in enumerate(noise)]),
        "price": pa.array([round(v * 1e5) / 100 for v in noise]), "few": pa.array([i % 100 / 8 for i in range(40_000)]),
    }


SPLIT = {"noise", "walk", "walk_f32", "sparse", "lists"}


@pytest.mark.parametrize("codec", ["zstd", "snappy", "gzip", "lz4", "brotli", "none"])
@pytest.mark.parametrize("version", ["1", "2"])
def test_floats_are_split_where_it_wins(haul, tmp_path, codec, version):
    """Chosen by compressing a sample both ways: not without a codec, not for prices, which repeat byte for byte."""
    table = pa.table(floats())
    pq.write_table(table, tmp_path / "in.parquet")
    for name, words in (("out", ()), ("plain", ("--encoding", "plain"))):
        haul("copy", "in.parquet", f"{name}.parquet", "--compression", codec, "--page-version", version, *words)
    out, plain = (pq.read_metadata(tmp_path / f"{name}.parquet").row_group(0) for name in ("out", "plain"))
    for i, name in enumerate(table.column_names):
        split = "BYTE_STREAM_SPLIT" in out.column(i).encodings
        assert split == (codec != "none" and name in SPLIT) or name == "odd", name
        assert not split or out.column(i).total_compressed_size < plain.column(i).total_compressed_size, name
    judge(tmp_path / "in.parquet", tmp_path / "out.parquet", table)
    haul("verify", "in.parquet", "out.parquet")


def test_a_page_too_short_to_measure_is_plain(haul, tmp_path):
    rng = random.Random(SEED)
    for rows, split in ((63, False), (64, True)):
        pq.write_table(pa.table({"v": [rng.random() for _ in range(rows)]}), tmp_path / "in.parquet")
        haul("copy", "in.parquet", "out.parquet", "--mode", "replace")
        assert ("BYTE_STREAM_SPLIT" in pq.read_metadata(tmp_path / "out.parquet").row_group(0).column(0).encodings) == split


MOMENTS = ["0001-01-01T00:00:00", "1677-09-20T00:00:00", "1969-12-31T23:59:59.999999", "2024-01-01T20:34:56.123456", "9999-12-31T23:59:59.999999"]


@pytest.mark.parametrize("dictionary", [False, True])
def test_int96_of_every_year(haul, tmp_path, dictionary):
    """Spark writes the year 9999 for never, and moments at all depths."""
    moments = [datetime.fromisoformat(text) for text in MOMENTS]
    table = pa.table({"t": pa.array([*moments, None] * 50, pa.timestamp("us")), "l": pa.array([moments, [], None] * 100, pa.list_(pa.timestamp("us")))})
    pq.write_table(table, tmp_path / "in.parquet", use_deprecated_int96_timestamps=True, use_dictionary=dictionary, store_schema=False)
    done = haul("copy", "in.parquet", "out.parquet", code=5)
    assert "the INT96 timestamp of 0001-01-01 is outside" in done.err and "--int96 us" in done.err
    haul("copy", "in.parquet", "out.parquet", "--int96", "us")
    assert pq.read_table(tmp_path / "out.parquet").equals(table)
    haul("verify", "in.parquet", "out.parquet", "--int96", "us")
    assert "timestamp[us]" in haul("inspect", "in.parquet", "--int96", "us").out and "timestamp[ns]" in haul("inspect", "in.parquet").out
    haul("copy", "in.parquet", "sqlite:///t.db", "--table", "t", "--columns", "t", "--int96", "us")


def test_int96_loses_nothing(haul, tmp_path):
    """Digits below a microsecond are kept, or refused when microseconds were asked for."""
    table = pa.table({"t": pa.array([-1001, -1, 0, 1, 1_000_000_000_000_000_123], pa.timestamp("ns"))})
    pq.write_table(table, tmp_path / "in.parquet", use_deprecated_int96_timestamps=True)
    haul("copy", "in.parquet", "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet").equals(table)
    assert "below a microsecond" in haul("copy", "in.parquet", "us.parquet", "--int96", "us", code=5).err
