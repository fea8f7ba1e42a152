"""haul combine: row groups of many files in one, byte for byte, judged by pyarrow, DuckDB and Polars."""
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import time

import pytest

from conftest import HAUL, SEED, TRIALS, leftovers, need, shared, traced
from thrift import Thrift, footer

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
duckdb = pytest.importorskip("duckdb")


def chunks(path):
    """Per row group and column: bytes, metadata, page offsets relative to the chunk, column index."""
    data = path.read_bytes()
    found = []
    for group in footer(data)[4]:
        for chunk in group[1]:
            meta = chunk[3]
            start = min(meta[9], meta.get(11) or meta[9])
            pages = index = bloom = None
            if 4 in chunk:
                pages = [(p[1] - start, p[2], p[3]) for p in Thrift(data, chunk[4]).struct()[1]]
                for offset, size, _ in pages:  # each is where a data page of that size begins
                    reader = Thrift(data, start + offset)
                    head = reader.struct()
                    assert head[1] in (0, 3) and reader.at - start - offset + head[3] == size
            if 6 in chunk:
                index = data[chunk[6]:chunk[6] + chunk[7]]
            if 14 in meta:
                reader = Thrift(data, meta[14])
                head = reader.struct()
                bloom = data[meta[14]:reader.at + head[1]]
                assert meta[15] == len(bloom)
            found.append((data[start:start + meta[7]], meta[5], meta.get(12), pages, index, bloom))
    return found


def table(rows, seed):
    rng = random.Random(seed)
    return pa.table({
        "id": pa.array(range(seed * 100000, seed * 100000 + rows), pa.int64()),
        "name": pa.array([None if rng.random() < 0.1 else f"näme {rng.randrange(200)}" for _ in range(rows)]),
        "price": pa.array([rng.random() if rng.random() < 0.9 else None for _ in range(rows)]),
        "tags": pa.array([[rng.choice("abc") for _ in range(rng.randrange(4))] for _ in range(rows)]),
        "when": pa.array([rng.randrange(10**15) for _ in range(rows)], pa.timestamp("us", tz="Europe/Berlin")),
    })


def write(path, rows, seed, **options):
    made = table(rows, seed)
    settings = {"row_group_size": 700, "write_page_index": True, "data_page_size": 2000, "compression": "zstd"}
    pq.write_table(made, path, **{**settings, **options})
    return made


def write_filtered(path, rows, seed):
    """DuckDB writes Bloom filters."""
    made = table(rows, seed).select(["id", "name", "price"])
    duckdb.from_arrow(made)
    connection = duckdb.connect()
    connection.register("made", made)
    connection.sql(f"COPY made TO '{path}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 2048)")
    return made


def test_values_bytes_and_indexes(haul, tmp_path):
    made = [write(tmp_path / f"p{k}.parquet", 1000 + k, k, data_page_version=f"{1 + k % 2}.0", write_page_checksum=True)
            for k in range(3)]
    haul("combine", "p0.parquet", "p1.parquet", "p2.parquet", "--output-file", "all.parquet")
    all_ = tmp_path / "all.parquet"
    sources = pa.concat_tables([pq.read_table(tmp_path / f"p{k}.parquet") for k in range(3)])
    both = pq.read_table(all_, page_checksum_verification=True)
    assert both.equals(sources, check_metadata=True) and both.equals(pa.concat_tables(made))
    assert chunks(all_) == [c for k in range(3) for c in chunks(tmp_path / f"p{k}.parquet")]
    file = pq.ParquetFile(all_)
    assert file.metadata.num_row_groups == 6 and file.metadata.row_group(5).column(0).has_offset_index
    assert file.metadata.row_group(5).column(0).has_column_index
    rows = duckdb.sql(f"SELECT count(*), sum(id) FROM '{all_}' WHERE id >= 200000 AND name = 'näme 7'").fetchall()[0]
    wanted = [i for i, n in zip(made[2]["id"].to_pylist(), made[2]["name"].to_pylist()) if n == "näme 7"]
    assert rows == (len(wanted), sum(wanted))
    haul("copy", "all.parquet", "again.parquet")
    assert pq.read_table(tmp_path / "again.parquet").num_rows == sum(m.num_rows for m in made)


def test_polars_filters(haul, tmp_path):
    polars = pytest.importorskip("polars")
    made = [write(tmp_path / f"p{k}.parquet", 3000, k) for k in range(2)]
    haul("combine", "p*.parquet", "-o", "all.parquet")
    found = polars.scan_parquet(tmp_path / "all.parquet").filter(polars.col("id") == 101234).collect()
    assert found["id"].to_list() == [101234]
    assert polars.read_parquet(tmp_path / "all.parquet").height == sum(m.num_rows for m in made)


def test_bloom_filters(haul, tmp_path):
    for k in range(3):
        write_filtered(tmp_path / f"b{k}.parquet", 5000, k)
    haul("combine", "b0.parquet", "b1.parquet", "b2.parquet", "-o", "all.parquet")
    sources = [c for k in range(3) for c in chunks(tmp_path / f"b{k}.parquet")]
    for i, source in enumerate(sources):
        if i % 3 == 1:  # the deprecated pair was never right for strings
            source[2].pop(1, None), source[2].pop(2, None)
    assert chunks(tmp_path / "all.parquet") == sources
    assert any(c[5] for c in chunks(tmp_path / "all.parquet"))

    def probe(value, name):
        return [r[-1] for r in duckdb.sql(f"SELECT * FROM parquet_bloom_probe('{tmp_path}/{name}', 'name', '{value}')").fetchall()]

    for value in ("näme 3", "näme 199", "nobody", "another", ""):
        assert probe(value, "all.parquet") == [x for k in range(3) for x in probe(value, f"b{k}.parquet")]
    assert any(probe("nobody", "all.parquet")), "the filters exclude what is not there"


def test_folder_and_many(haul, tmp_path):
    (tmp_path / "in").mkdir()
    for k in range(1000):
        pq.write_table(pa.table({"id": range(k * 3, k * 3 + 3)}), tmp_path / "in" / f"f{k:04}.parquet")
    (tmp_path / "in" / "_SUCCESS").write_text("")
    done = haul("combine", "in/", "-o", "all.parquet", "--summary", "s.json")
    assert "3000 rows" in done.err
    assert pq.read_table(tmp_path / "all.parquet")["id"].to_pylist() == list(range(3000))
    assert '"hash": ""' in (tmp_path / "s.json").read_text(), "no hash rather than a wrong one"
    names = [f"in/f{k:04}.parquet" for k in reversed(range(1000))]
    haul("combine", *names, "-o", "back.parquet", "-q")
    back = pq.read_table(tmp_path / "back.parquet")["id"].to_pylist()
    assert back[:3] == [2997, 2998, 2999] and sorted(back) == list(range(3000)), "in the order that was given"


def test_empty_files(haul, tmp_path):
    full = write(tmp_path / "full.parquet", 100, 1)
    pq.write_table(full.slice(0, 0), tmp_path / "empty.parquet")
    with pq.ParquetWriter(tmp_path / "none.parquet", full.schema):
        pass
    haul("combine", "empty.parquet", "full.parquet", "none.parquet", "-o", "all.parquet")
    assert pq.read_table(tmp_path / "all.parquet").equals(full)
    haul("combine", "none.parquet", "empty.parquet", "-o", "nothing.parquet")
    assert pq.read_table(tmp_path / "nothing.parquet").equals(full.slice(0, 0))
    assert duckdb.sql(f"FROM '{tmp_path}/nothing.parquet'").fetchall() == []


def test_regroups(haul, tmp_path):
    made = [write(tmp_path / f"p{k}.parquet", 1000, k) for k in range(3)]
    haul("combine", "p0.parquet", "p1.parquet", "p2.parquet", "-o", "all.parquet", "--rowgroup-size", "5000", "--compression", "gzip")
    meta = pq.ParquetFile(tmp_path / "all.parquet").metadata
    assert meta.num_rows == 3000 and meta.row_group(0).column(0).compression == "GZIP"
    assert pq.read_table(tmp_path / "all.parquet").equals(pa.concat_tables(made))


def refused(haul, tmp_path, *words, code):
    done = haul("combine", *words, "-o", "x.parquet", code=code)
    assert not (tmp_path / "x.parquet").exists()
    assert [n for n in os.listdir(tmp_path) if n.startswith(".")] == [], "nothing is left of what never began"
    return done.err


def test_differences_are_named(haul, tmp_path):
    base = pa.table({"id": pa.array([1], pa.int64()), "s": ["a"]})
    pq.write_table(base, tmp_path / "a.parquet")
    others = {
        "type": (pa.table({"id": pa.array([1], pa.int32()), "s": ["a"]}), ["b.parquet", '"id"', "int32", "a.parquet", "int64"]),
        "required": (base.cast(pa.schema([pa.field("id", pa.int64(), False), pa.field("s", pa.string())])),
                     ["b.parquet", '"id"', "required INT64", "a.parquet", "optional INT64"]),
        "name": (base.rename_columns(["id", "t"]), ["b.parquet", '"t"', "a.parquet", '"s"']),
        "more": (base.append_column("z", [[1]]), ["b.parquet", "3 columns", "a.parquet", "has 2", '"z"']),
    }
    for other, words in others.values():
        pq.write_table(other, tmp_path / "b.parquet")
        err = refused(haul, tmp_path, "a.parquet", "b.parquet", code=5)
        assert all(w in err for w in words), (words, err)


def test_stored_otherwise(haul, tmp_path):
    """Equal Arrow types, other pages: INT96 beside INT64, FIXED beside INT64 decimals."""
    made = pa.table({"t": pa.array([1, 2], pa.timestamp("ns"))})
    pq.write_table(made, tmp_path / "a.parquet", version="2.6")
    pq.write_table(made, tmp_path / "b.parquet", use_deprecated_int96_timestamps=True)
    err = refused(haul, tmp_path, "a.parquet", "b.parquet", code=5)
    assert '"t"' in err and "INT96" in err and "INT64" in err and "--rowgroup-size" in err
    haul("combine", "a.parquet", "b.parquet", "-o", "y.parquet", "--rowgroup-size", "100")
    assert pq.read_table(tmp_path / "y.parquet").num_rows == 4


def test_usage(haul, tmp_path):
    write(tmp_path / "a.parquet", 10, 1)
    assert "named twice" in refused(haul, tmp_path, "a.parquet", "a*.parquet", code=2)
    assert "--rowgroup-size" in refused(haul, tmp_path, "a.parquet", "--compression", "zstd:3", code=2)
    assert "standard input" in refused(haul, tmp_path, "a.parquet", "-", code=2)
    assert "--output-file" in haul("combine", "a.parquet", code=2).err
    assert "no source" in haul("combine", "-o", "x.parquet", code=2).err
    assert "nosuch.parquet" in refused(haul, tmp_path, "a.parquet", "nosuch.parquet", code=5)
    haul("combine", "a.parquet", "-o", "all.parquet")
    assert "rows would be there twice" in haul("combine", "*.parquet", "-o", "all.parquet", "--mode", "replace", code=2).err
    assert "exists" in haul("combine", "a.parquet", "-o", "all.parquet", code=6).err


def test_metadata(haul, tmp_path):
    made = pa.table({"id": [1, 2]})
    for name, extra in (("a", b"same"), ("b", b"other")):
        pq.write_table(made.replace_schema_metadata({"kept": "yes", "mine": extra}), tmp_path / f"{name}.parquet")
    done = haul("combine", "a.parquet", "b.parquet", "-o", "all.parquet")
    keys = pq.ParquetFile(tmp_path / "all.parquet").metadata.metadata
    assert keys[b"kept"] == b"yes" and b"mine" not in keys and b"left out" not in keys
    assert "left out" in done.err
    haul("combine", "a.parquet", "-o", "one.parquet")
    assert pq.ParquetFile(tmp_path / "one.parquet").metadata.metadata == pq.ParquetFile(tmp_path / "a.parquet").metadata.metadata


def test_sql_types_are_kept(haul, tmp_path):
    from conftest import make_orders
    make_orders(tmp_path / "shop.db", 20)
    for name in ("a", "b"):
        haul("copy", "sqlite:///shop.db", f"{name}.parquet", "--table", "orders", "-q")
    haul("combine", "a.parquet", "b.parquet", "-o", "all.parquet")
    one, both = (pq.ParquetFile(tmp_path / n).metadata.metadata for n in ("a.parquet", "all.parquet"))
    assert both == one and b"haul.sql_types" in both


def patched(path, old, new):
    data = path.read_bytes()
    assert data.count(old) == 1 and len(old) == len(new)
    path.write_bytes(data.replace(old, new))


@pytest.mark.parametrize("writer, strings, numbers", [
    (b"parquet-mr version 1.9.0 (build x", False, True), (b"parquet-mr version 1.10.0 (build ", True, True),
    (b"parquet-cpp version 1.2.9 (build ", False, True), (b"parquet-cpp version 1.3.0 (build ", True, True),
])
def test_wrong_statistics_go(haul, tmp_path, writer, strings, numbers):
    made = pa.table({"id": [1, 2], "s": ["a", "b"], "u": pa.array([1, 2**31], pa.uint32())})
    pq.write_table(made, tmp_path / "a.parquet", write_page_index=True)
    name = pq.ParquetFile(tmp_path / "a.parquet").metadata.created_by.encode()
    writer = (writer + b" " * len(name))[:len(name)]
    patched(tmp_path / "a.parquet", name, writer)
    haul("combine", "a.parquet", "-o", "all.parquet")
    group = pq.ParquetFile(tmp_path / "all.parquet").metadata.row_group(0)
    for column, kept in ((0, numbers), (1, strings), (2, strings)):
        raw = footer((tmp_path / "all.parquet").read_bytes())[4][0][1][column][3][12]
        assert (5 in raw) == kept and (6 in raw) == kept, (writer, column, raw)
        assert raw[3] == 0, "counts stay"
        assert group.column(column).has_column_index == kept
        assert group.column(column).has_offset_index


def test_encrypted_is_refused(haul, tmp_path):
    write(tmp_path / "a.parquet", 10, 1)
    data = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "e.parquet").write_bytes(b"PARE" + data[4:-4] + b"PARE")
    assert "encrypted" in refused(haul, tmp_path, "a.parquet", "e.parquet", code=5)


def as_text(made):
    """NaN equals NaN as text; what Python's dates cannot hold is compared by Arrow's own printing."""
    try:
        return repr(made.to_pydict())
    except (ValueError, OverflowError):
        return made.combine_chunks().to_string(preview_cols=1000)


def test_real_files_survive(haul, tmp_path):
    """Every file of the corpus that haul reads: combined with itself it holds each value twice, or is refused by name."""
    folder = shared("parquet-testing/data")
    kept = 0
    for path in sorted(folder.glob("*.parquet")):
        try:
            before = pq.read_table(path)
        except Exception:
            continue
        for name in ("one.parquet", "two.parquet"):
            shutil.copy(path, tmp_path / name)
        done = haul("combine", "one.parquet", "two.parquet", "-o", "both.parquet", "--mode", "replace", code=None)
        assert done.code in (0, 5), (path.name, done)
        if done.code:
            assert path.name and "parquet: " in done.err
            continue
        after = pq.read_table(tmp_path / "both.parquet")
        assert after.num_rows == 2 * before.num_rows, path.name
        assert after.schema.equals(before.schema), path.name
        for half in (after.slice(0, before.num_rows), after.slice(before.num_rows)):
            assert as_text(half) == as_text(before), path.name
        kept += 1
    assert kept > 30


def test_hostile_footers(haul, tmp_path, rng):
    """Bit flips in the footer: an error or a file that pyarrow reads like the source, never more."""
    write(tmp_path / "good.parquet", 500, 3)
    good = (tmp_path / "good.parquet").read_bytes()
    begin = len(good) - 8 - struct.unpack("<I", good[-8:-4])[0]
    for _ in range(10 * TRIALS):
        bad = bytearray(good)
        bad[rng.randrange(begin, len(good) - 8)] ^= 1 << rng.randrange(8)
        (tmp_path / "bad.parquet").write_bytes(bad)
        done = haul("combine", "bad.parquet", "-o", "out.parquet", "--mode", "replace", "-q", code=None)
        assert done.code in (0, 4, 5, 6), done
        assert done.code == 0 or done.err.count("\n") == 1
        if done.code == 0:
            assert (tmp_path / "out.parquet").stat().st_size < 2 * len(good) + 10000


# ---- killed ----

def fresh(tmp_path, made):
    folder = tmp_path / "run"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(made, folder)
    return folder


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    for k in range(4):
        write_filtered(folder / f"b{k}.parquet", 3000, k)
    return folder


WORDS = ["combine", "b0.parquet", "b1.parquet", "b2.parquet", "b3.parquet", "-o", "all.parquet"]


def finish(folder, expected, before):
    done = subprocess.run([HAUL, *WORDS], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 or (done.returncode == 6 and "exists" in done.stderr), (before, done.stderr)
    assert (folder / "all.parquet").read_bytes() == expected, before
    assert leftovers(folder, [f"b{k}.parquet" for k in range(4)] + ["all.parquet"]) == [], before


def test_killed_and_continued(tmp_path, parts):
    need("strace")
    folder = fresh(tmp_path, parts)
    finish(folder, subprocess.run([HAUL, *WORDS], cwd=folder, check=True) and (folder / "all.parquet").read_bytes(), "never")
    expected = (folder / "all.parquet").read_bytes()
    points = []
    for call in ("pwrite64", "write", "copy_file_range", "fdatasync", "fsync", "renameat2", "rename", "ftruncate", "unlink"):
        folder = fresh(tmp_path, parts)
        log = tmp_path / "log"
        subprocess.run(["strace", "-f", "-qq", "-o", log, "-e", f"trace={call}", HAUL, *WORDS], cwd=folder, env=traced())
        count = len(re.findall(rf"^\d+ +{call}\(", log.read_text(), re.M))
        points += [(call, n) for n in range(1, count + 1)]
    for call, n in random.Random(SEED).sample(points, min(len(points), TRIALS)):
        folder = fresh(tmp_path, parts)
        subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={n}",
                        HAUL, *WORDS, "--workers", "1"], cwd=folder, capture_output=True, env=traced())
        finish(folder, expected, f"killed at {call} {n}")


def test_changed_source_starts_over(tmp_path, parts):
    need("strace")
    folder = fresh(tmp_path, parts)
    subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=copy_file_range", "-e", "inject=copy_file_range:signal=KILL:when=4",
                    HAUL, *WORDS, "--workers", "1"], cwd=folder, capture_output=True, env=traced())
    write_filtered(folder / "b0.parquet", 100, 9)
    done = subprocess.run([HAUL, *WORDS], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert duckdb.sql(f"SELECT count(*) FROM '{folder}/all.parquet'").fetchall()[0] == (9100,)


def test_library_gets_a_list(tmp_path):
    """source may be several names, one a line, for haul copy's option too."""
    for k in range(2):
        pq.write_table(pa.table({"id": [k]}), tmp_path / f"p{k}.parquet")
    done = subprocess.run([HAUL, "copy", "p1.parquet\np0.parquet", "all.csv"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "all.csv").read_text().split() == ["id", "1", "0"]
