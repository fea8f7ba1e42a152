"""A manifest as a source: its files in order, its stored hash in place of reading them again.

A manifest may come from anywhere: what it lists cannot leave its folder, and every way to try is
an error with a sentence.
"""
import json
import os
import sqlite3

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROWS = 5000


@pytest.fixture
def folder(haul, tmp_path):
    """out/ with three files and their manifest."""
    table = pa.table({"id": pa.array(range(ROWS)), "name": [f"name {i}" for i in range(ROWS)]})
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=1000)
    haul("copy", "in.parquet", "out/", "--files", "3", "--rowgroup-size", "1000", "--target-table", "t")
    return tmp_path


def manifest(folder, **changes):
    path = folder / "out" / "t_manifest.json"
    content = json.loads(path.read_text())
    content.update(changes)
    path.write_text(json.dumps({k: v for k, v in content.items() if v is not None}))
    return content


def test_copy_inspect_and_combine(haul, folder):
    table = pq.read_table(folder / "in.parquet")
    haul("copy", "out/t_manifest.json", "all.parquet")
    assert pq.read_table(folder / "all.parquet").equals(table)
    haul("combine", "out/t_manifest.json", "--output-file", "combined.parquet")
    assert pq.read_table(folder / "combined.parquet").equals(table)
    assert pq.ParquetFile(folder / "combined.parquet").num_row_groups == 5
    haul("combine", "out/t_manifest.json", "in.parquet", "--output-file", "twice.parquet")
    assert pq.read_metadata(folder / "twice.parquet").num_rows == 2 * ROWS
    assert haul("inspect", "out/t_manifest.json").out.count(".parquet: parquet, ") == 3
    haul("copy", "out/t_manifest.json", "sqlite:///s.db")
    assert "t" in haul("list", "sqlite:///s.db").out.split()


def test_the_order_is_the_manifests(haul, folder):
    entries = manifest(folder)["entries"]
    manifest(folder, entries=entries[::-1])
    haul("copy", "out/t_manifest.json", "back.parquet")
    assert pq.read_table(folder / "back.parquet")["id"][0].as_py() == 4000
    manifest(folder, entries=entries[1:])
    haul("copy", "out/t_manifest.json", "less.parquet")
    assert pq.read_metadata(folder / "less.parquet").num_rows == ROWS - 2000


def test_version_1(haul, folder):
    names = manifest(folder)["entries"]
    (folder / "out" / "old.json").write_text(json.dumps(names))
    (folder / "out" / "old_object.json").write_text(json.dumps({"version": 1, "entries": names}))
    for name in ("old", "old_object"):
        haul("copy", f"out/{name}.json", f"{name}.parquet")
        assert pq.read_table(folder / f"{name}.parquet").equals(pq.read_table(folder / "in.parquet"))


def test_stored_hashes_stand_for_the_source(haul, folder):
    haul("verify", "out/t_manifest.json", "in.parquet")
    haul("verify", "out/t_manifest.json", "out/")  # the files against what was said when they were written
    haul("copy", "in.parquet", "sqlite:///s.db", "--table", "t")
    haul("verify", "out/t_manifest.json", "sqlite:///s.db", "--table", "t")
    for path in (folder / "out").glob("*.parquet"):
        path.unlink()
    haul("verify", "out/t_manifest.json", "in.parquet")  # the source is not read
    done = haul("verify", "in.parquet", "out/t_manifest.json", code=6)  # a target always is
    assert "t_part_00000.parquet" in done.err


def test_columns_in_another_order(haul, folder):
    table = pq.read_table(folder / "in.parquet")
    pq.write_table(table.select(["name", "id"]), folder / "turned.parquet")
    haul("verify", "out/t_manifest.json", "turned.parquet")
    pq.write_table(table.append_column("more", table["id"]), folder / "more.parquet")
    assert "more (only in the target)" in haul("verify", "out/t_manifest.json", "more.parquet", code=4).out


def test_differences_against_stored_hashes(haul, folder):
    table = pq.read_table(folder / "in.parquet")
    pq.write_table(table.slice(1), folder / "less.parquet")
    assert "rows" in haul("verify", "out/t_manifest.json", "less.parquet", code=4).out
    other = table.set_column(1, "name", pa.array(["x"] + table["name"].to_pylist()[1:]))
    pq.write_table(other, folder / "other.parquet")
    assert "values" in haul("verify", "out/t_manifest.json", "other.parquet", code=4).out


def test_an_append_keeps_no_hash_of_all(haul, folder):
    haul("copy", "in.parquet", "out/", "--mode", "append", "--target-table", "t")
    assert len(json.loads((folder / "out" / "t_manifest.json").read_text())["entries"]) == 4
    assert "rows" in haul("verify", "out/t_manifest.json", "in.parquet", code=4).out
    haul("copy", "out/t_manifest.json", "all.parquet")
    haul("verify", "out/t_manifest.json", "all.parquet")


@pytest.mark.parametrize("name, said", [
    ("/etc/passwd", "absolute"), ("../in.parquet", "leaves"), ("a/../../in.parquet", "leaves"), ("..", "leaves"),
    ("./t_part_00000.parquet", "plainly"), ("a//b", "plainly"), ("", "empty"), ("a\nb", "control"), ("link.parquet", "link"),
    ("linked/in.parquet", "link"), ("gone.parquet", "gone.parquet"), ("sub", "not a regular file"), ("pipe", "not a regular file"),
    ("x" * 300, "too long"),
])
def test_names_that_lead_elsewhere(haul, folder, name, said):
    out = folder / "out"
    (out / "link.parquet").symlink_to(folder / "in.parquet")
    (out / "linked").symlink_to(folder)
    (out / "sub").mkdir()
    os.mkfifo(out / "pipe")
    entries = manifest(folder)["entries"]
    manifest(folder, entries=[entries[0], name])
    for code, words in ((5, ["copy", "out/t_manifest.json", "o.parquet"]), (5, ["combine", "out/t_manifest.json", "-o", "o.parquet"]),
                        (6, ["verify", "in.parquet", "out/t_manifest.json"])):
        done = haul(*words, code=code)
        assert "t_manifest.json" in done.err and said in done.err, done.err
        assert not (folder / "o.parquet").exists()


@pytest.mark.parametrize("changes, said", [
    ({"entries": []}, "lists no files"), ({"entries": None}, "not a manifest"), ({"version": 3}, "version 3"),
    ({"type": "table"}, "not a manifest"), ({"entries": ["t_part_00000.parquet"] * 2}, "twice"),
    ({"type": "tables", "entries": ["dbo.t"]}, "lists tables"), ({"type": "tables", "entries": ["t"]}, "names no schema"),
    ({"type": "tables", "entries": ["dbo.t; DROP"]}, "is no table"), ({"type": "tables", "entries": ["a.b.c"]}, "is no table"),
    ({"version": 1, "type": "tables", "entries": ["dbo.t"]}, "not a manifest"),
    ({"entries": [{"name": "t_part_00000.parquet"}] * 2}, "twice"),
    ({"files": [{"name": "t_part_00000.parquet", "bytes": 7}]}, "by the manifest 7"),
    ({"entries": [{"name": "t_part_00000.parquet", "rows": -7}]}, "no count"),
    ({"files": [{"name": "t_part_00000.parquet", "rows": -7}]}, "no count"),
    ({"entries": [{"name": 7}]}, "has no \"name\""), ({"entries": [7]}, "is no name"), ({"hash": "zz"}, "no hash"), ({"columns": [{"name": "id"}]}, "column"),
])
def test_wrong_manifests(haul, folder, changes, said):
    manifest(folder, **changes)
    done = haul("verify", "out/t_manifest.json", "in.parquet", code=None)
    done = done if done.code == 5 else haul("copy", "out/t_manifest.json", "o.parquet", code=None)
    assert done.code in (2, 4, 5) and said in done.err, done.err


@pytest.mark.parametrize("text", [b"", b"{", b"[" * 100_000, b'{"version":2,"version":2}', b'"\\u0000"', b"\xff\xfe", b"null",
                                  b'{"a":' + b"9" * 400 + b"}"])
def test_no_json(haul, tmp_path, text):
    (tmp_path / "x.json").write_bytes(text)
    done = haul("copy", "x.json", "o.parquet", code=5)
    assert done.err.startswith("haul: x.json: ") and len(done.err.splitlines()) == 1


# ---- the summary of a run ----


def test_a_summary_stands_for_the_source(haul, folder):
    """The source is gone; what is in the target is read and compared with what was written."""
    haul("copy", "in.parquet", "sqlite:///s.db", "--table", "t", "--summary", "run.json")
    haul("copy", "in.parquet", "t.parquet", "--summary", "file.json")
    (folder / "in.parquet").unlink()
    for name, target in (("run.json", ["sqlite:///s.db", "--table", "t"]), ("file.json", ["t.parquet"])):
        assert "equal" in haul("verify", name, *target).out
        assert json.loads(haul("verify", name, *target, "--json").out)["source"]["rows"] == ROWS
    link = sqlite3.connect(folder / "s.db")
    with link:
        link.execute("UPDATE t SET name = 'name 7' WHERE id = 8")
    assert "values" in haul("verify", "run.json", "sqlite:///s.db", "--table", "t", code=4).out
    with link:
        link.execute("DELETE FROM t WHERE id = 8")
    link.close()
    assert "rows" in haul("verify", "run.json", "sqlite:///s.db", "--table", "t", code=4).out


@pytest.mark.parametrize("changes, said", [
    ({"hash": "zz"}, "no hash"), ({"hash": ""}, "combine"), ({"hash": None}, '"rows" and "hash"'), ({"rows": None}, '"rows" and "hash"'),
    ({"rows": -1}, "no count"), ({"error": {"class": "io", "message": "no"}}, "did not get done"), ({"type": "sum"}, "not a manifest"),
])
def test_wrong_summaries(haul, folder, changes, said):
    haul("copy", "in.parquet", "t.parquet", "--summary", "run.json")
    summary = {**json.loads((folder / "run.json").read_text()), **changes}
    (folder / "run.json").write_text(json.dumps({k: v for k, v in summary.items() if v is not None}))
    done = haul("verify", "run.json", "t.parquet", code=None)
    assert done.code in (2, 5) and "run.json" in done.err and said in done.err, done.err


def test_where_a_summary_is_none(haul, folder):
    haul("copy", "in.parquet", "t.parquet", "--summary", "run.json")
    for words in (["copy", "run.json", "o.parquet"], ["combine", "run.json", "-o", "o.parquet"], ["verify", "in.parquet", "run.json"]):
        assert "lists no files" in haul(*words, code=None).err
    assert "all columns" in haul("verify", "run.json", "t.parquet", "--columns", "id", code=2).err
    haul("copy", "gone.parquet", "o.parquet", "--summary", "run.json", code=5)
    assert "did not get done" in haul("verify", "run.json", "t.parquet", code=2).err
    haul("combine", "t.parquet", "in.parquet", "-o", "all.parquet", "--summary", "run.json")
    assert "combine" in haul("verify", "run.json", "all.parquet", code=2).err


def test_a_resumed_copy_is_verified_by_the_ledger(haul, folder):
    """Units of an earlier process are not read from the source again; their hashes stand in the ledger."""
    lines = [f"{i},name {i}" for i in range(1000)]
    (folder / "t.csv").write_text("\n".join(["id,name", *lines[:950], "x,y", *lines[950:]]) + "\n")
    words = ["copy", "t.csv", "sqlite:///s.db", "--table", "t", "--unit-rows", "100", "--schema", "id:int64,name:utf8", "--verify"]
    for changed in (False, True):
        (folder / "s.db").unlink(missing_ok=True)
        haul(*words, code=5)
        link = sqlite3.connect(folder / "s.db")
        assert {row[0] for row in link.execute("SELECT rows FROM haul_units")} == {100}
        if changed:
            with link:
                link.execute("UPDATE t SET name = 'other' WHERE id = 8")
        link.close()
        done = haul(*words, "--max-errors", "1", code=4 if changed else 3)
        assert "continuing" in done.err and ("--verify" in done.err) == changed, done.err
