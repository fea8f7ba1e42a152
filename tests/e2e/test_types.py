"""Every type through every way of writing it, judged by foreign readers.

pyarrow writes a Parquet file; haul rewrites it; pyarrow must find the same types and the
same values bit for bit, and DuckDB and Polars must read the same from both files. The
full product of rows, NULLs, codec, page version, encoding, row groups and what pyarrow
chose is far too large: an ordinary run takes HAUL_TRIALS of its points, chosen by
HAUL_SEED, the soak many. Then CSV and SQLite, where the type survives.
"""
import random

import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt
import pytest

import values
from conftest import SEED, TRIALS
from exact import assert_same, plain_schema

ROWS = (0, 1, 7, 8, 9, 31, 127, 128, 129, 1000, 1023, 1025, 4097, 16383, 16384, 16385, 20001)
CODECS = ("none", "snappy", "gzip", "lz4", "brotli", "zstd", "zstd:6")
ENCODINGS = ("auto", "plain", "dictionary", "delta", "split")

# What a reader gives for a type depends on notes in the file that are not Parquet's own
# (which haul does not copy); the values are compared all the same.
READER_TYPES = {"polars": {"json", "null", "fixed_list"}, "duckdb": {"null"}}


def read_duckdb(path):
    link = duckdb.connect()
    link.execute("SET TimeZone = 'UTC'")
    return link.sql(f"SELECT * FROM '{path}'").to_arrow_table()


def read_polars(path):
    """Polars takes Parquet's JSON for bytes unless the file carries Arrow's schema too."""
    table = polars.read_parquet(path).to_arrow()
    place = table.schema.get_field_index("json")
    return table if place < 0 else table.set_column(place, "json", table["json"].cast(pa.large_binary()))


READERS = {"duckdb": read_duckdb, "polars": read_polars}


def nullable(field):
    """Which fields, at every depth, may hold NULLs; an item and a key by their place."""
    type_ = field.type
    children = [type_.field(i) for i in range(type_.num_fields)] if pt.is_struct(type_) else \
        [type_.value_field] if pt.is_list(type_) or pt.is_large_list(type_) or pt.is_fixed_size_list(type_) else \
        [type_.item_field] if pt.is_map(type_) else []
    return field.nullable, [nullable(child) for child in children]


def judge(source, target, table):
    """target, written by haul from source, equals `table` for everybody."""
    got = pq.read_table(target)
    assert_same(got, table)
    assert [nullable(f) for f in got.schema] == [nullable(f) for f in table.schema]
    for name, read in READERS.items():
        theirs, ours = read(source), read(target)
        assert_same(ours, theirs, types=False)
        loose = READER_TYPES[name]
        assert [f for f in plain_schema(ours.schema) if f[0] not in loose] == \
               [f for f in plain_schema(theirs.schema) if f[0] not in loose], name


@pytest.mark.parametrize("a, b", [
    ([0.0], [-0.0]), ([None], [float("nan")]), ([[]], [None]), ([[None]], [[]]), ([[1], [2]], [[1, 2], []]), ([""], [None]),
    ([{"a": None}], [None]), ([[{"a": 1}]], [[{"a": 2}]]), (["a", "b"], ["b", "a"]), ([1], [1, 1]),
])
def test_the_judge_sees(a, b):
    type_ = pa.array(a + b).type
    left, right = pa.table({"c": pa.array(a, type_)}), pa.table({"c": pa.array(b, type_)})
    assert_same(left, left.slice(0))
    with pytest.raises(AssertionError):
        assert_same(left, right)


@pytest.mark.sanitize
@pytest.mark.parametrize("pattern", values.NULLS)
def test_every_type(haul, tmp_path, pattern):
    table = values.table(values.TYPES, 137, pattern, random.Random(1))
    pq.write_table(table, tmp_path / "in.parquet")
    haul("copy", "in.parquet", "out.parquet")
    judge(tmp_path / "in.parquet", tmp_path / "out.parquet", table)
    haul("verify", "in.parquet", "out.parquet")


def draw(rng):
    """A point of the product."""
    rows = rng.choice(ROWS)
    names = rng.sample(list(values.TYPES), len(values.TYPES) if rows < 200 else 12)
    return {
        "rows": rows, "names": names, "nulls": rng.choice(values.NULLS), "required": rng.random() < 0.3,
        "write": {"version": rng.choice(["1.0", "2.4", "2.6"]), "data_page_version": rng.choice(["1.0", "2.0"]),
                  "use_dictionary": rng.random() < 0.5, "compression": rng.choice(["none", "snappy", "gzip", "zstd", "lz4", "brotli"]),
                  "data_page_size": rng.choice([64, 1024, 1 << 20]), "write_batch_size": rng.choice([1, 100, 1024]),
                  "row_group_size": rng.choice([max(rows // 3, 1), 1 << 20]), "write_page_checksum": rng.random() < 0.5,
                  "dictionary_pagesize_limit": rng.choice([16, 1 << 20]), "write_page_index": rng.random() < 0.5},
        "copy": ["--compression", rng.choice(CODECS), "--page-version", rng.choice("12"), "--encoding", rng.choice(ENCODINGS),
                 "--rowgroup-size", rng.choice([str(max(rows // 4, 1)), "1048576", "64KiB"]), "--workers", rng.choice("12")],
    }


def narrow(names, write):
    """Version 1.0 of the format has no nanoseconds and no uint32: pyarrow would write another type."""
    if write["version"] == "2.6":
        return names
    lost = ["_ns", "nan_bits"] + (["uint32"] if write["version"] == "1.0" else [])
    return [n for n in names if not any(word in n for word in lost)]


@pytest.mark.sanitize
@pytest.mark.parametrize("trial", range(TRIALS))
def test_rewrite(haul, tmp_path, trial):
    rng = random.Random(f"{SEED} {trial}")
    case = draw(rng)
    table = values.table(narrow(case["names"], case["write"]), case["rows"], case["nulls"], rng, case["required"])
    pq.write_table(table, tmp_path / "in.parquet", **case["write"])
    haul("copy", "in.parquet", "out.parquet", *case["copy"])
    judge(tmp_path / "in.parquet", tmp_path / "out.parquet", table)


@pytest.mark.parametrize("words", [(), ("--encoding", "delta"), ("--encoding", "dictionary"), ("--page-version", "2")])
def test_long_values(haul, tmp_path, words):
    rng = random.Random(SEED)
    texts = [None, "", "€" * 21846, "x" * 65536, "y" * 65537] + ["z" * rng.randrange(100000) for _ in range(50)]
    table = pa.table({"s": texts, "b": [t.encode() if t is not None else None for t in texts],
                      "l": [[t, None, t] if t else None for t in texts]})
    pq.write_table(table, tmp_path / "in.parquet")
    haul("copy", "in.parquet", "out.parquet", *words)
    judge(tmp_path / "in.parquet", tmp_path / "out.parquet", table)


# ---- through CSV and SQLite ----


def haul_type(type_):
    """A type as --schema spells it."""
    if isinstance(type_, pa.BaseExtensionType):
        return {"arrow.uuid": "uuid", "arrow.json": "json"}[type_.extension_name]
    if pt.is_dictionary(type_):
        return haul_type(type_.value_type)
    if pt.is_decimal(type_):
        return f"decimal({type_.precision},{type_.scale})"
    if pt.is_fixed_size_binary(type_):
        return f"fixed_binary({type_.byte_width})"
    zone = ", UTC" if pt.is_timestamp(type_) and type_.tz else ""
    for test, name in ((pt.is_timestamp, "timestamp"), (pt.is_time, "time"), (pt.is_duration, "duration")):
        if test(type_):
            return f"{name}[{type_.unit}{zone}]"
    return {"large_string": "utf8", "string": "utf8", "date32[day]": "date", "halffloat": "float16",
            "float": "float32", "double": "float64"}.get(str(type_), str(type_))


def schema_of(table):
    return ",".join(f"{f.name}:{haul_type(f.type)}" for f in table.schema)


CSV_TYPES = [n for n in values.LEAVES if n != "nan_bits"]  # CSV has one NaN


@pytest.mark.sanitize
@pytest.mark.parametrize("pattern", values.NULLS)
def test_through_csv(haul, tmp_path, pattern):
    table = values.table(CSV_TYPES, 200, pattern, random.Random(SEED))
    pq.write_table(table, tmp_path / "in.parquet")
    haul("copy", "in.parquet", "x.csv")
    haul("copy", "x.csv", "out.parquet", "--schema", schema_of(table))
    assert_same(pq.read_table(tmp_path / "out.parquet"), table)
    haul("verify", "x.csv", "in.parquet", "--schema", schema_of(table))


# NaN becomes NULL and -0.0 becomes 0.0, as docs/sqlite.md says.
SQLITE_TYPES = [n for n in values.LEAVES if not n.startswith("float") and n not in ("nan_bits", "null")]


@pytest.mark.sanitize
@pytest.mark.parametrize("pattern", values.NULLS)
def test_through_sqlite(haul, tmp_path, pattern):
    table = values.table(SQLITE_TYPES, 200, pattern, random.Random(SEED))
    for name, type_ in (("f32", pa.float32()), ("f64", pa.float64())):
        table = table.append_column(name, pa.array([None if i % 5 == 0 else i / 8 - 3 or 1.0 for i in range(200)], type_))
    pq.write_table(table, tmp_path / "in.parquet")
    haul("copy", "in.parquet", "sqlite:///t.db", "--table", "t", "--strict", "--verify")
    haul("copy", "sqlite:///t.db", "out.parquet", "--table", "t")
    assert_same(pq.read_table(tmp_path / "out.parquet"), table)
    haul("verify", "in.parquet", "sqlite:///t.db", "--table", "t")


@pytest.mark.parametrize("name", values.NESTED)
def test_nested_through_sqlite_is_json(haul, tmp_path, name):
    table = values.table([name], 50, "some", random.Random(SEED))
    pq.write_table(table, tmp_path / "in.parquet")
    haul("copy", "in.parquet", "sqlite:///t.db", "--table", "t")
    haul("copy", "in.parquet", "x.csv")
    haul("copy", "sqlite:///t.db", "y.csv", "--table", "t")
    assert (tmp_path / "x.csv").read_bytes() == (tmp_path / "y.csv").read_bytes()
