"""Parquet files that are well formed and lie: one number, name or list of the footer or of a page
header is another one, chunks lie upon each other, pages hold other bytes under no checksum.

haul ends with a sentence, or with the values that pyarrow reads; in bounded time and memory, and
never by a signal. Counted by HAUL_TRIALS, five files each; the soak makes thousands.
"""
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import SEED, TRIALS
from exact import assert_same
from test_corpus import copy, pyarrow_read
from test_differential import comparable, random_table
from thrift import BINARY, INTS, LIST, STRUCT, Thrift, encode, footer_start, plain, with_footer

NUMBERS = [0, 1, -1, 2, 7, 127, 128, 2 ** 15, 2 ** 31 - 1, 2 ** 31, -2 ** 31, 2 ** 32 + 1, 2 ** 62, 2 ** 63 - 1, -2 ** 63]


def places(tree, kinds):
    """Every [list, index] where a value of these kinds stands."""
    found = []
    for field in tree:
        if field[1] in kinds:
            found.append((field, 2))
        if field[1] == STRUCT:
            found += places(field[2], kinds)
        if field[1] == LIST:
            item, items = field[2]
            if item in kinds:
                found += [(items, i) for i in range(len(items))]
            if item == STRUCT:
                for one in items:
                    found += places(one, kinds)
    return found


def lie_number(rng, tree):
    known = places(tree, INTS)
    for _ in range(rng.choice([1, 1, 2])):
        where, at = rng.choice(known)
        other, other_at = rng.choice(known)
        where[at] = rng.choice(NUMBERS + [where[at] + 1, where[at] - 1, where[at] * 2, where[at] // 2] + [other[other_at]] * 6)
        where[at] = max(-2 ** 63, min(2 ** 63 - 1, where[at]))


def lie_list(rng, tree):
    where, at = rng.choice(places(tree, (LIST,)))
    items = where[at][1]
    if not items:
        return
    i, j = rng.randrange(len(items)), rng.randrange(len(items))
    rng.choice([lambda: items.pop(i), lambda: items.insert(j, items[i]), lambda: items.extend(items * rng.choice([1, 20, 1000])),
                lambda: items.__setitem__(slice(None), items[::-1]), items.clear])()


def lie_field(rng, tree):
    """A member is missing, twice there, or of another number."""
    structs = [tree] + [w[a] for w, a in places(tree, (STRUCT,))]
    fields = rng.choice([s for s in structs if s])
    i = rng.randrange(len(fields))
    what = rng.randrange(3)
    if what == 0:
        fields.pop(i)
    elif what == 1:
        fields.insert(i, fields[i])
    else:
        fields[i] = [fields[i][0] + rng.choice([-1, 1, 5]), *fields[i][1:]]


def lie_text(rng, tree):
    where, at = rng.choice(places(tree, (BINARY,)))
    where[at] = rng.choice([b"", b"\xff\xfe", b"a\0b", b"x" * 100_000, where[at] + b"2", b"../../etc/passwd"])


def chunk_lists(tree):
    groups = next(field[2][1] for field in tree if field[0] == 4)
    return [next(f[2][1] for f in group if f[0] == 1) for group in groups]


def lie_elsewhere(rng, tree):
    """Column data in another file."""
    lists = [chunks for chunks in chunk_lists(tree) if chunks]
    if lists:
        chunk = rng.choice(rng.choice(lists))
        chunk.insert(0, [1, BINARY, rng.choice([b"whole.parquet", b"/etc/passwd", b"../other.parquet"])])


def lie_overlap(rng, tree):
    """A chunk begins where another does."""
    chunks = [chunk for chunks in chunk_lists(tree) for chunk in chunks]
    if len(chunks) < 2:
        return lie_number(rng, tree)
    one, other = rng.sample(chunks, 2)
    meta = lambda chunk: next(f for f in chunk if f[0] == 3)
    offsets = {f[0]: f for f in meta(one)[2] if f[0] in (9, 11, 7)}
    for field in meta(other)[2]:
        if field[0] in offsets:
            field[2] = offsets[field[0]][2]


FOOTER_LIES = (lie_number, lie_number, lie_number, lie_list, lie_field, lie_text, lie_elsewhere, lie_overlap)


def lie_in_footer(rng, data):
    tree = Thrift(data, footer_start(data)).tree()
    rng.choice(FOOTER_LIES)(rng, tree)
    return with_footer(data, tree)


def last_chunk(data):
    groups = plain(Thrift(data, footer_start(data)).tree())[4]
    if not groups:
        return None
    meta = groups[-1][1][-1][3]
    return min(meta[9], meta.get(11) or meta[9]), meta[7]


def lie_in_page(rng, data):
    """The first page header of the last chunk, so that nothing else moves."""
    chunk = last_chunk(data)
    if not chunk or not chunk[1]:
        return lie_in_footer(rng, data)
    reader = Thrift(data, chunk[0])
    try:
        tree = reader.tree()
    except (AssertionError, IndexError):  # a chunk without pages has its offset anywhere
        return lie_in_footer(rng, data)
    lie_number(rng, tree)
    for field, _, value in tree:  # pyarrow 26 reads bit-packed levels from the lowest bit, the format says highest
        if field == 5:
            value[:] = [[one[0], one[1], 3] if one[0] in (3, 4) and one[2] == 4 else one for one in value]
    return data[:chunk[0]] + encode(tree) + data[reader.at:]


def lie_in_values(rng, data):
    """Levels, indices, lengths, deltas: any byte of the pages."""
    end = footer_start(data)
    made = bytearray(data)
    for _ in range(rng.choice([1, 2, 8])):
        if end > 5:
            made[rng.randrange(4, end)] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)])
    return bytes(made)


def small_table(rng):
    rows = rng.choice([1, 10, 300])
    texts = [None, "", "a", "some text", "x" * 40]
    return pa.table({"a": pa.array([rng.choice([1, 2, None, 2 ** 40]) for _ in range(rows)], pa.int64()),
                     "l": pa.array([rng.choice([None, [], [1], [1, None, 3]]) for _ in range(rows)], pa.list_(pa.int32())),
                     "s": [rng.choice(texts) for _ in range(rows)]})


@pytest.mark.sanitize
@pytest.mark.parametrize("trial", range(TRIALS))
def test_lies(tmp_path, trial):
    rng = random.Random(f"lies {SEED} {trial}")
    table = small_table(rng) if rng.random() < 0.7 else random_table(rng)
    pq.write_table(table, tmp_path / "whole.parquet", compression=rng.choice(["none", "none", "snappy", "zstd"]),
                   data_page_version=rng.choice(["1.0", "2.0"]), use_dictionary=rng.random() < 0.7, write_page_checksum=False,
                   data_page_size=rng.choice([50, 1 << 20]), row_group_size=rng.choice([7, 1 << 20]),
                   write_page_index=rng.random() < 0.5, store_schema=rng.random() < 0.3)
    whole = (tmp_path / "whole.parquet").read_bytes()
    for _ in range(5):
        lie = rng.choice([lie_in_footer, lie_in_footer, lie_in_page, lie_in_values])
        (tmp_path / "in.parquet").write_bytes(lie(rng, whole))
        (tmp_path / "out.parquet").unlink(missing_ok=True)
        if copy(tmp_path / "in.parquet", tmp_path / "out.parquet").code == 0:
            wanted = pyarrow_read(tmp_path / "in.parquet")
            if wanted is not None and comparable(wanted, tmp_path):
                assert_same(pq.read_table(tmp_path / "out.parquet"), wanted)


def test_a_schema_that_is_deep(tmp_path):
    """100,000 groups in each other, and a count of children that is as large."""
    pq.write_table(pa.table({"a": [1]}), tmp_path / "whole.parquet", store_schema=False)
    whole = (tmp_path / "whole.parquet").read_bytes()
    for count, children in ((100_000, 1), (3, 2 ** 31 - 1), (3, -1)):
        tree = Thrift(whole, footer_start(whole)).tree()
        elements = next(field[2][1] for field in tree if field[0] == 2)
        group = [[3, 5, 0], [4, BINARY, b"g"], [5, 5, children]]
        elements[1:1] = [group] * count
        (tmp_path / "in.parquet").write_bytes(with_footer(whole, tree))
        assert copy(tmp_path / "in.parquet", tmp_path / "out.parquet").code == 5
