"""Arrow streams in and out of the library, with pyarrow, Polars and nanoarrow as partners.

test_api.py shows that the calls work; here every type and every layout other people use
goes through them: slices that begin in the middle of a byte, batches without rows, views,
dictionaries, run-end encoding, wide and narrow decimals. What goes in as a stream is
written as Parquet by haul_write and read by pyarrow; what comes out of haul_read is
validated in full and compared with the source.
"""
import datetime
import random
from decimal import Decimal

import nanoarrow as na
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import values
from conftest import SEED, TRIALS
from exact import assert_same
from test_api import Haul, lib  # noqa: F401 (a fixture)


def through(lib, folder, reader):
    """Into a file by haul_write, read by pyarrow and by haul_read."""
    path = folder / f"t{random.randrange(10 ** 9)}.parquet"
    lib.write(reader, source="-", target=path)
    back = lib.read(source=path).read_all()
    back.validate(full=True)
    table = pq.read_table(path)
    assert_same(back, table)
    return table


def batches(table, rng):
    """The table as a reader of batches of uneven sizes, some empty, sliced where they fall."""
    cut, at = [], 0
    while at < table.num_rows:
        rows = rng.choice([0, 1, 2, 7, 8, 9, 64, 1000])
        cut += table.slice(at, rows).combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], table.schema)]
        at += rows
    return pa.RecordBatchReader.from_batches(table.schema, cut)


@pytest.mark.parametrize("pattern", values.NULLS)
def test_every_type(lib, tmp_path, pattern):
    table = values.table(values.TYPES, 150, pattern, random.Random(SEED))
    assert_same(through(lib, tmp_path, table.to_reader()), table)


@pytest.mark.parametrize("trial", range(max(TRIALS // 4, 2)))
def test_slices_and_empty_batches(lib, tmp_path, trial):
    rng = random.Random(f"{SEED} {trial}")
    names = rng.sample(list(values.TYPES), 20)
    table = values.table(names, 700, rng.choice(values.NULLS), rng).slice(rng.randrange(20), 600)
    assert_same(through(lib, tmp_path, batches(table, rng)), table)


@pytest.mark.parametrize("name", values.TYPES)
def test_one_slice_of_each_type(lib, tmp_path, name):
    """Offsets 1, 3, 9 of one array, without copying: the producer's offset is not 0."""
    whole = values.column(name, 40, "some", random.Random(SEED))
    schema = pa.schema([pa.field("c", whole.type)])
    for first, rows in ((1, 1), (3, 30), (9, 31), (40, 0)):
        part = pa.RecordBatch.from_arrays([whole.slice(first, rows)], schema=schema)
        got = through(lib, tmp_path, pa.RecordBatchReader.from_batches(schema, [part]))
        assert_same(got, pa.Table.from_batches([part]))


def test_no_rows_at_all(lib, tmp_path):
    schema = values.table(values.TYPES, 0).schema
    empty = pa.RecordBatchReader.from_batches(schema, [])
    assert_same(through(lib, tmp_path, empty), values.table(values.TYPES, 0))


def test_many_small_batches(lib, tmp_path):
    table = pa.table({"i": list(range(3000)), "s": [f"row {i}" if i % 3 else None for i in range(3000)]})
    assert_same(through(lib, tmp_path, table.to_reader(max_chunksize=1)), table)


LAYOUTS = {
    "string_view": pa.array(["short", "longer than twelve bytes", None, ""], pa.string_view()),
    "binary_view": pa.array([b"short", b"longer than twelve bytes", None, b""], pa.binary_view()),
    "large_binary": pa.array([b"", b"x", None], pa.large_binary()),
    "list_view": pa.array([[1, 2], [], None, [3]], pa.list_view(pa.int64())),
    "large_list_view": pa.array([[1, 2], [], None, [3]], pa.large_list_view(pa.int64())),
    "list_of_views": pa.array([["a", None], [], None, ["longer than twelve bytes"]], pa.list_(pa.string_view())),
    "dictionary_i8": pa.array(["a", None, "b", "a"]).dictionary_encode().cast(pa.dictionary(pa.int8(), pa.string())),
    "dictionary_u64": pa.DictionaryArray.from_arrays(pa.array([1, None, 0], pa.uint64()), pa.array(["x", "y"])),
    "dictionary_int": pa.DictionaryArray.from_arrays(pa.array([1, None, 0], pa.int32()), pa.array([7, 8], pa.int16())),
    "dictionary_null_value": pa.DictionaryArray.from_arrays(pa.array([1, None, 0], pa.int32()), pa.array(["x", None])),
    "dictionary_in_list": pa.array([["a", "b"], None, []], pa.list_(pa.dictionary(pa.int32(), pa.string()))),
    "run_end": pa.RunEndEncodedArray.from_arrays(pa.array([2, 3, 7], pa.int32()), pa.array(["a", None, "b"])),
    "run_end_i64": pa.RunEndEncodedArray.from_arrays(pa.array([2, 5], pa.int64()), pa.array([1.5, None])),
    "date64": pa.array([datetime.date(2024, 2, 29), None], pa.date64()),
    "decimal32": pa.array([Decimal("-1.50"), None], pa.decimal32(9, 2)),
    "decimal64": pa.array([Decimal("-1.50"), None], pa.decimal64(18, 2)),
    "decimal256": pa.array([Decimal("-1.50"), None], pa.decimal256(38, 2)),
    "timestamp_s": pa.array([0, None, 253402300799], pa.timestamp("s")),
    "time_s": pa.array([0, None, 86399], pa.time32("s")),
    "zone": pa.array([0, None], pa.timestamp("us", "Europe/Berlin")),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts(lib, tmp_path, name):
    array = LAYOUTS[name]
    for first in (0, 1):
        table = pa.table({"c": array.slice(first)})
        got = through(lib, tmp_path, table.to_reader())["c"].to_pylist()
        assert got == table["c"].to_pylist()


@pytest.mark.parametrize("array, texts", [
    (pa.array([Decimal(10) ** 40, None], pa.decimal256(50, 0)), [str(10 ** 40), None]),
    (pa.array([(14, 0, 0), None, (0, -3, 0)], pa.month_day_nano_interval()), ["P14M", None, "P-3D"]),
])
def test_what_no_type_holds_becomes_text(lib, tmp_path, array, texts):
    assert through(lib, tmp_path, pa.table({"c": array}).to_reader())["c"].to_pylist() == texts


def test_a_type_that_cannot_be_taken_is_named(lib, tmp_path):
    union = pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), [pa.array([1, 2]), pa.array(["a", "b"])])
    with pytest.raises(AssertionError, match='column "c": haul has no type for'):
        lib.write(pa.table({"c": union}).to_reader(), source="-", target=tmp_path / "u.parquet")
    assert list(tmp_path.iterdir()) == []


def test_polars_types(lib, tmp_path):
    day = datetime.datetime(2024, 2, 29, 12)
    frame = polars.DataFrame({
        "text": ["a", None, "x" * 100], "cat": polars.Series(["u", "v", None], dtype=polars.Categorical),
        "enum": polars.Series(["p", "q", None], dtype=polars.Enum(["p", "q"])), "bytes": [b"", None, b"x" * 20],
        "date": [day.date(), None, day.date()], "at": [day, None, day], "time": [day.time(), None, day.time()],
        "span": [datetime.timedelta(seconds=1), None, datetime.timedelta(days=-1)],
        "decimal": polars.Series(["1.50", None, "-2.25"]).cast(polars.Decimal(20, 2)), "flag": [True, None, False],
        "list": [[1, None], None, []], "array": polars.Series([[1, 2], None, [3, 4]], dtype=polars.Array(polars.Int16, 2)),
        "struct": [{"a": 1, "b": "x"}, {"a": None, "b": None}, {"a": 2, "b": ""}], "list_text": [["a", "y" * 30], None, [None]],
        "u8": polars.Series([1, None, 255], dtype=polars.UInt8), "f32": polars.Series([1.5, None, float("nan")], dtype=polars.Float32),
    })
    for part in (frame, frame.slice(1), frame.head(0), polars.concat([frame, frame], rechunk=False)):
        got = through(lib, tmp_path, pa.RecordBatchReader.from_stream(part))
        assert_same(got, part.to_arrow(), types=False)
        assert polars.from_arrow(got).select("text", "list", "struct", "date").equals(part.select("text", "list", "struct", "date"))


def test_nanoarrow_streams(lib, tmp_path):
    table = values.table(["int32", "string", "list", "struct", "timestamp_us_utc", "decimal_20_10"], 100, "some", random.Random(SEED))
    got = through(lib, tmp_path, pa.RecordBatchReader.from_stream(na.ArrayStream(table)))
    assert_same(got, table)
    pq.write_table(table, tmp_path / "in.parquet")
    array = na.Array(lib.read(source=tmp_path / "in.parquet"))
    assert len(array) == 100 and array.child(0).to_pylist() == table["int32"].to_pylist()
    assert array.child(1).to_pylist() == table["string"].to_pylist()


def test_an_error_in_the_middle_has_its_sentence(lib, tmp_path):
    pq.write_table(pa.table({"s": [f"text {i}" for i in range(5000)]}), tmp_path / "a.parquet", row_group_size=1000,
                   compression="none", use_dictionary=False, write_page_checksum=True)
    data = bytearray((tmp_path / "a.parquet").read_bytes())
    data[data.index(b"text 4500")] ^= 1
    (tmp_path / "a.parquet").write_bytes(data)
    reader = lib.read(source=tmp_path / "a.parquet")
    with pytest.raises(OSError, match="(?s)row group 4.*damaged"):
        reader.read_all()


def test_a_stream_may_be_left_early(lib, tmp_path):
    pq.write_table(values.table(["int64", "string"], 50000), tmp_path / "a.parquet")
    for count in range(3):
        reader = lib.read(source=tmp_path / "a.parquet")
        for _ in range(count):
            assert reader.read_next_batch().num_rows > 0
        reader.close()


def test_a_producer_that_fails(lib, tmp_path):
    def fail():
        yield pa.RecordBatch.from_pylist([{"i": 1}])
        raise ValueError("the producer's own words")

    reader = pa.RecordBatchReader.from_batches(pa.schema([("i", pa.int64())]), fail())
    with pytest.raises(AssertionError, match="the producer.{1,3}s own words"):
        lib.write(reader, source="-", target=tmp_path / "f.parquet")
    assert list(tmp_path.iterdir()) == []
