"""Random Parquet files: haul's reading beside pyarrow's and DuckDB's; and the same files damaged.

A file has a random schema (nested up to four deep, required and optional at every
depth), random values and NULLs, and is written by pyarrow with random pages, encodings
and codecs. haul must read it as the others do. Then it is damaged: cut, bits flipped,
footer integers changed. haul must end with a sentence, or with the values pyarrow reads
from the damaged file with checksums verified. HAUL_TRIALS counts; the soak makes thousands.
"""
import random
import string
import struct
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import values
from conftest import SEED, TRIALS
from exact import assert_same
from test_corpus import copy, pyarrow_read
from test_types import judge

DEPTH_MAX = 4


def texts(rng):
    return "".join(rng.choices(string.ascii_letters + "äß€😀\u0000\n", k=rng.choice([0, 1, 3, 12, 13, 100])))


def decimal_of(precision, scale):
    return lambda rng: Decimal(f"{rng.randrange(-10 ** precision + 1, 10 ** precision)}e-{scale}")


LEAVES = [
    (pa.bool_(), lambda rng: rng.random() < 0.5),
    (pa.int8(), lambda rng: rng.randrange(-128, 128)), (pa.uint16(), lambda rng: rng.randrange(65536)),
    (pa.int32(), lambda rng: rng.choice([0, 1, 5, rng.randrange(-2 ** 31, 2 ** 31)])),
    (pa.int64(), lambda rng: rng.choice([7, rng.randrange(100), rng.randrange(-2 ** 63, 2 ** 63)])),
    (pa.uint64(), lambda rng: rng.randrange(2 ** 64)),
    (pa.float32(), lambda rng: rng.choice([0.0, -0.0, 1.5, float("nan"), float("-inf")])),
    (pa.float64(), lambda rng: rng.random()), (pa.float16(), lambda rng: rng.choice([0.5, -2.0])),
    (pa.string(), texts), (pa.binary(), lambda rng: rng.randbytes(rng.choice([0, 1, 16, 40]))),
    (pa.binary(5), lambda rng: rng.randbytes(5)),
    (pa.decimal128(9, 2), decimal_of(9, 2)), (pa.decimal128(18, 18), decimal_of(18, 18)), (pa.decimal128(38, 7), decimal_of(38, 7)),
    (pa.date32(), lambda rng: rng.randrange(-700000, 2900000)), (pa.timestamp("us", "UTC"), lambda rng: rng.randrange(-2 ** 55, 2 ** 55)),
    (pa.timestamp("ns"), lambda rng: rng.randrange(-2 ** 62, 2 ** 62)), (pa.time64("us"), lambda rng: rng.randrange(86400_000_000)),
]


def random_type(rng, depth=0):
    """A type, and how a value of it is made."""
    kind = rng.random()
    if depth >= DEPTH_MAX or kind < 0.5:
        return rng.choice(LEAVES)
    item, make = random_field(rng, "element", depth)
    if kind < 0.7:
        return pa.list_(item), lambda rng: [make(rng) for _ in range(rng.choice([0, 0, 1, 2, 5]))]
    if kind < 0.8:
        key, make_key = rng.choice([leaf for leaf in LEAVES if leaf[0] in (pa.string(), pa.int32(), pa.date32())])
        return pa.map_(key, item), lambda rng: [(make_key(rng), make(rng)) for _ in range(rng.choice([0, 1, 3]))]
    members = [random_field(rng, f"m{i}", depth) for i in range(rng.choice([1, 2, 4]))]
    return pa.struct([field for field, _ in members]), lambda rng: {field.name: value(rng) for field, value in members}


def random_field(rng, name, depth=-1):
    type_, make = random_type(rng, depth + 1)
    share = rng.choice([None, 0.0, 0.1, 0.5, 0.95, 1.0])  # of NULLs; None: a required field
    if share is None:
        return pa.field(name, type_, nullable=False), make
    return pa.field(name, type_), lambda rng: None if rng.random() < share else make(rng)


def random_table(rng):
    rows = rng.choice([0, 1, 2, 10, 100, 1000])
    fields = [random_field(rng, f"c{i}") for i in range(rng.choice([1, 2, 6]))]
    arrays = []
    for field, make in fields:
        few = [make(rng) for _ in range(rng.choice([3, rows or 1]))]  # repeated values make dictionaries and runs
        arrays.append(pa.array([few[i % len(few)] for i in range(rows)], field.type))
    return pa.table(arrays, pa.schema([field for field, _ in fields]))


def write(rng, table, path):
    pq.write_table(table, path, version="2.6", data_page_version=rng.choice(["1.0", "2.0"]),
                   use_dictionary=rng.random() < 0.5, compression=rng.choice(["none", "none", "snappy", "gzip", "zstd", "lz4", "brotli"]),
                   data_page_size=rng.choice([1, 100, 1 << 20]), write_batch_size=rng.choice([1, 7, 1024]),
                   row_group_size=rng.choice([max(table.num_rows // 3, 1), 1 << 20]), write_page_checksum=True,
                   dictionary_pagesize_limit=rng.choice([16, 1 << 20]), write_page_index=rng.random() < 0.5,
                   store_schema=rng.random() < 0.5)


@pytest.mark.sanitize
@pytest.mark.parametrize("trial", range(TRIALS))
def test_random_file(haul, tmp_path, trial):
    rng = random.Random(f"differential {SEED} {trial}")
    table = random_table(rng)
    write(rng, table, tmp_path / "in.parquet")
    haul("copy", "in.parquet", "out.parquet", "--page-version", rng.choice("12"), "--encoding",
         rng.choice(["auto", "plain", "dictionary", "delta", "split"]), "--rowgroup-size", rng.choice(["7", "1048576", "1KiB"]))
    judge(tmp_path / "in.parquet", tmp_path / "out.parquet", table)
    haul("verify", "in.parquet", "out.parquet")


# ---- damage ----


def flip(rng, data):
    for _ in range(rng.choice([1, 1, 1, 5])):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def flip_footer(rng, data):
    length = struct.unpack("<I", data[-8:-4])[0]
    for _ in range(rng.choice([1, 1, 2, 4])):
        data[len(data) - 8 - 1 - rng.randrange(length)] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)])


def cut(rng, data):
    del data[rng.randrange(len(data)):]


def cut_out(rng, data):
    """A piece is missing in the middle, the footer is whole."""
    at = rng.randrange(4, len(data) - 8)
    del data[at:at + rng.choice([1, 4, 100])]


def overwrite(rng, data):
    at = rng.randrange(len(data))
    data[at:at + 8] = rng.choice([b"\0" * 8, b"\xff" * 8, struct.pack("<q", -1), struct.pack("<II", 0x7FFFFFFF, 0x80000000)])


DAMAGE = (flip, flip, flip_footer, flip_footer, flip_footer, cut, cut_out, overwrite)


def comparable(wanted, folder):
    """False for two known differences.

    pyarrow 26 loses the row of a row group of one row when its maps come in tiny pages, in
    the undamaged file as well; DuckDB and Polars find it. And where the logical type is
    damaged into one nobody knows, haul goes by the older converted type beside it (a text
    stays a text), pyarrow by the physical type.
    """
    file = pq.ParquetFile(folder / "in.parquet")
    leaves = [file.schema.column(i) for i in range(file.metadata.num_columns)]
    unknown = any(leaf.logical_type.type == "UNDEFINED" for leaf in leaves)
    return not unknown and wanted.num_rows == file.metadata.num_rows


@pytest.mark.sanitize
@pytest.mark.parametrize("trial", range(TRIALS))
def test_damaged_file(tmp_path, trial):
    rng = random.Random(f"damage {SEED} {trial}")
    table = values.table(rng.sample(list(values.TYPES), 4), rng.choice([1, 50, 1000]), rng.choice(values.NULLS), rng) \
        if rng.random() < 0.5 else random_table(rng)
    write(rng, table, tmp_path / "whole.parquet")
    for _ in range(5):
        data = bytearray((tmp_path / "whole.parquet").read_bytes())
        rng.choice(DAMAGE)(rng, data)
        (tmp_path / "in.parquet").write_bytes(data)
        (tmp_path / "out.parquet").unlink(missing_ok=True)
        if copy(tmp_path / "in.parquet", tmp_path / "out.parquet").code == 0:
            wanted = pyarrow_read(tmp_path / "in.parquet")
            if wanted is not None and comparable(wanted, tmp_path):
                assert_same(pq.read_table(tmp_path / "out.parquet"), wanted)
