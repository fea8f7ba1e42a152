"""The first load: each pair of source and target, with foreign readers as judges."""
import contextlib
import csv
import io
import json
import sqlite3
import subprocess

import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import HAUL, leftovers, make_orders, rows_of

pytestmark = pytest.mark.sanitize

ORDERS = "SELECT * FROM orders ORDER BY id"


def parquet_rows(path):
    table = pq.read_table(path)
    return [tuple(row.values()) for row in table.to_pylist()]


def test_sqlite_to_parquet_is_read_by_others(haul, tmp_path):
    make_orders(tmp_path / "shop.db", 5000)
    haul("copy", "sqlite:///shop.db", "orders.parquet", "--table", "orders", "--workers", "2")
    expected = rows_of(tmp_path / "shop.db")
    assert parquet_rows(tmp_path / "orders.parquet") == expected
    assert duckdb.sql(f"SELECT * FROM '{tmp_path}/orders.parquet'").fetchall() == expected
    assert polars.read_parquet(tmp_path / "orders.parquet").rows() == expected
    assert leftovers(tmp_path, ["shop.db", "orders.parquet"]) == []


def test_row_groups_keep_the_order_whatever_the_workers(haul, tmp_path):
    make_orders(tmp_path / "shop.db", 5000)
    for workers in (1, 2, 4):
        haul("copy", "sqlite:///shop.db", f"w{workers}.parquet", "--table", "orders", "--workers", workers,
             "--rowgroup-size", "700")
    one = (tmp_path / "w1.parquet").read_bytes()
    assert one == (tmp_path / "w2.parquet").read_bytes() == (tmp_path / "w4.parquet").read_bytes()
    groups = pq.ParquetFile(tmp_path / "w1.parquet").metadata
    assert groups.num_row_groups >= 5000 // 700
    assert all(groups.row_group(i).num_rows <= 700 for i in range(groups.num_row_groups))


def test_parquet_to_sqlite_and_verify(haul, tmp_path):
    make_orders(tmp_path / "shop.db", 3000)
    haul("copy", "sqlite:///shop.db", "orders.parquet", "--table", "orders")
    haul("copy", "orders.parquet", "sqlite:///copy.db", "--table", "orders", "--unit-rows", "400", "--verify")
    assert rows_of(tmp_path / "copy.db") == rows_of(tmp_path / "shop.db")
    assert "equal" in haul("verify", "sqlite:///shop.db", "sqlite:///copy.db", "--table", "orders").out


def test_csv_on_stdin_to_sqlite(haul, tmp_path):
    text = "id,name\n1,one\n2,\n3,\"\"\n4,\"with, comma\"\n"
    haul("copy", "-", "sqlite:///copy.db", "--from", "csv", "--table", "t", stdin=text)
    assert rows_of(tmp_path / "copy.db", "t") == [(1, "one"), (2, None), (3, ""), (4, "with, comma")]


def test_csv_both_ways(haul, tmp_path):
    make_orders(tmp_path / "shop.db", 500)
    haul("copy", "sqlite:///shop.db", "orders.csv", "--table", "orders")
    with open(tmp_path / "orders.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["id", "name", "qty", "price", "raw"]
    assert len(rows) == 501
    haul("copy", "orders.csv", "orders.parquet", "--schema", "raw:binary,price:float64")
    assert "equal" in haul("verify", "sqlite:///shop.db", "orders.parquet", "--table", "orders").out


def test_stdout_to_head_ends_quietly(haul, tmp_path):
    make_orders(tmp_path / "shop.db", 50000)
    haul("copy", "sqlite:///shop.db", "orders.parquet", "--table", "orders")
    done = subprocess.run(f"{HAUL} copy orders.parquet - --to csv -q | head -3; echo ${{PIPESTATUS[0]}}", shell=True,
                          executable="/bin/bash", cwd=tmp_path, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("id,") and lines[3] in ("141", "0") and done.stderr == ""


def test_pattern_and_folder(haul, tmp_path):
    make_orders(tmp_path / "shop.db", 3000)
    haul("copy", "sqlite:///shop.db", "out/", "--table", "orders", "--files", "3", "--rowgroup-size", "500")
    names = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert names == ["orders_manifest.json", "orders_part_00000.parquet", "orders_part_00001.parquet",
                     "orders_part_00002.parquet"]
    manifest = json.loads((tmp_path / "out" / "orders_manifest.json").read_text())
    assert manifest["version"] == 2 and manifest["type"] == "files" and len(manifest["entries"]) == 3
    haul("copy", "out/orders_part_*.parquet", "sqlite:///copy.db", "--table", "orders", "--mode", "replace")
    assert rows_of(tmp_path / "copy.db") == rows_of(tmp_path / "shop.db")
    haul("copy", "out/", "all.parquet")
    assert "equal" in haul("verify", "out/", "all.parquet").out


@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "lz4", "brotli", "zstd:9"])
def test_codecs(haul, tmp_path, codec):
    make_orders(tmp_path / "shop.db", 2000)
    haul("copy", "sqlite:///shop.db", "o.parquet", "--table", "orders", "--compression", codec)
    assert parquet_rows(tmp_path / "o.parquet") == rows_of(tmp_path / "shop.db")


def test_modes(haul, tmp_path):
    make_orders(tmp_path / "shop.db", 100)
    copy = ("copy", "sqlite:///shop.db", "sqlite:///copy.db", "--source-table", "orders", "--target-table", "o")
    haul(*copy)
    assert "--mode" in haul(*copy, code=6).err  # it is there already
    haul(*copy, "--mode", "append", code=None)  # the primary key refuses the same rows
    haul(*copy, "--mode", "truncate")
    haul(*copy, "--mode", "replace")
    assert rows_of(tmp_path / "copy.db", "o") == rows_of(tmp_path / "shop.db")
    haul("copy", "sqlite:///shop.db", "o.csv", "--table", "orders")
    haul("copy", "sqlite:///shop.db", "o.csv", "--table", "orders", code=6)
    haul("copy", "sqlite:///shop.db", "o.csv", "--table", "orders", "--mode", "replace", "--limit", "5")
    assert len((tmp_path / "o.csv").read_text().splitlines()) == 6


def test_columns_where_query_limit(haul, tmp_path):
    make_orders(tmp_path / "shop.db", 100)
    haul("copy", "sqlite:///shop.db", "a.csv", "--table", "orders", "--columns", "qty,id", "--limit", "2")
    assert (tmp_path / "a.csv").read_text().splitlines()[0] == "qty,id"
    haul("copy", "sqlite:///shop.db", "b.csv", "--table", "orders", "--where", "id > 95")
    assert len((tmp_path / "b.csv").read_text().splitlines()) == 6
    haul("copy", "sqlite:///shop.db", "c.csv", "--query", "SELECT id, id * 2 AS twice FROM orders WHERE id < 3 ORDER BY id")
    assert (tmp_path / "c.csv").read_text() == "id,twice\n1,2\n2,4\n"


def test_rejected_rows_are_set_aside(haul, tmp_path):
    (tmp_path / "in.csv").write_text("id,qty\n1,5\n2,x\n3,7\n3,8\n")
    haul("copy", "in.csv", "sqlite:///t.db", "--table", "t", "--schema", "id:int64,qty:int64", code=5)
    make = "import sqlite3; d = sqlite3.connect('t.db'); d.execute('CREATE TABLE t (id INTEGER PRIMARY KEY, qty INTEGER)')"
    subprocess.run(["python3", "-c", make], cwd=tmp_path, check=True)
    result = haul("copy", "in.csv", "sqlite:///t.db", "--table", "t", "--mode", "append", "--schema",
                  "id:int64,qty:int64", "--max-errors", "5", "--reject-file", "bad.jsonl", code=3)
    assert rows_of(tmp_path / "t.db", "t") == [(1, 5), (3, 7)]
    rejects = [json.loads(line) for line in (tmp_path / "bad.jsonl").read_text().splitlines()]
    assert [r["place"] for r in rejects] == ["line 3", "line 5"], result
    assert rejects[0]["column"] == "qty" and rejects[0]["value"] == "x"
    assert "UNIQUE" in rejects[1]["reason"]


def test_constraints_may_be_fatal(haul, tmp_path):
    """Rows of the source are set aside still; what the target's constraints refuse ends the run."""
    (tmp_path / "in.csv").write_text("id,qty\n1,5\n2,x\n3,7\n3,8\n")
    subprocess.run(["sqlite3", "t.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, qty INTEGER)"], cwd=tmp_path, check=True)
    words = ["copy", "in.csv", "sqlite:///t.db", "--table", "t", "--mode", "append", "--schema", "id:int64,qty:int64", "--max-errors", "5", "--constraints-fatal"]
    done = haul(*words, code=6)
    assert "UNIQUE" in done.err and "line 5" in done.err and "--max-errors" not in done.err and rows_of(tmp_path / "t.db", "t") == []
    (tmp_path / "in.csv").write_text("id,qty\n1,5\n2,x\n3,7\n")
    haul(*words, "--restart", code=3)
    assert rows_of(tmp_path / "t.db", "t") == [(1, 5), (3, 7)]


def test_a_row_the_target_refuses_is_named_by_its_line(haul, tmp_path):
    """Also behind fields with line ends, blank lines and rows the reader refused."""
    rows = ["id,name", '1,"two', 'lines"', "2,b", "", "bad", "3,c", '1,"again', 'lines"', "4,d", "2,e"]
    (tmp_path / "in.csv").write_text("\n".join(rows) + "\n")
    make_orders(tmp_path / "t.db", 0)
    subprocess.run(["sqlite3", "t.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)"], cwd=tmp_path, check=True)
    haul("copy", "in.csv", "sqlite:///t.db", "--table", "t", "--mode", "append", "--schema", "id:int64,name:utf8",
         "--max-errors", "9", "--reject-file", "bad.jsonl", code=3)
    rejects = [json.loads(line) for line in (tmp_path / "bad.jsonl").read_text().splitlines()]
    assert sorted(r["place"] for r in rejects) == ["line 11", "line 5", "line 6", "line 8"]
    assert rows_of(tmp_path / "t.db", "t") == [(1, "two\nlines"), (2, "b"), (3, "c"), (4, "d")]


def test_timestamps_and_uuids_as_asked(haul, tmp_path):
    moments = pa.array([0, 1_700_000_000_123_456_789, None], pa.timestamp("ns"))
    ids = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([bytes(range(16)), bytes(16), None], pa.binary(16)))
    pq.write_table(pa.table({"t": moments, "u": ids}), tmp_path / "in.parquet")
    haul("copy", "in.parquet", "same.parquet")
    assert pq.read_table(tmp_path / "same.parquet").equals(pq.read_table(tmp_path / "in.parquet"))
    result = haul("copy", "in.parquet", "us.parquet", "--timestamps", "us", "--uuid", "text")
    assert "1 value lost its" in result.err
    table = pq.read_table(tmp_path / "us.parquet")
    assert str(table.schema.field("t").type) == "timestamp[us]"
    assert table["u"].to_pylist() == ["00010203-0405-0607-0809-0a0b0c0d0e0f", "00000000-0000-0000-0000-000000000000", None]
    haul("copy", "in.parquet", "strict.parquet", "--timestamps", "us", "--strict", code=None)
    assert not (tmp_path / "strict.parquet").exists()
    haul("copy", "us.parquet", "ns.parquet", "--timestamps", "ns")
    assert str(pq.read_schema(tmp_path / "ns.parquet").field("t").type) == "timestamp[ns]"


def test_summary_and_json_log(haul, tmp_path):
    make_orders(tmp_path / "shop.db", 100)
    result = haul("copy", "sqlite:///shop.db", "o.parquet", "--table", "orders", "--summary", "s.json", "--log", "json")
    summary = json.loads((tmp_path / "s.json").read_text())
    assert summary["rows"] == 100 and summary["exit"] == 0 and len(summary["hash"]) == 32
    events = [json.loads(line) for line in result.err.splitlines()]
    assert events and all(e["v"] == 1 and e["time"].endswith("Z") for e in events)
    assert events[-1]["event"] == "finish" and events[-1]["rows"] == 100


def test_dry_run_changes_nothing(haul, tmp_path):
    make_orders(tmp_path / "shop.db", 100)
    out = haul("copy", "sqlite:///shop.db", "sqlite:///n.db", "--table", "orders", "--dry-run").out
    assert "CREATE TABLE" in out and "replayable" in out
    assert leftovers(tmp_path, ["shop.db"]) == []
    plan = json.loads(haul("copy", "sqlite:///shop.db", "n.parquet", "--table", "orders", "--dry-run", "--json").out)
    assert plan["rows"] == 100


def test_empty_table(haul, tmp_path):
    make_orders(tmp_path / "shop.db", 0)
    haul("copy", "sqlite:///shop.db", "e.parquet", "--table", "orders")
    assert pq.read_table(tmp_path / "e.parquet").num_rows == 0
    haul("copy", "e.parquet", "e.csv")
    assert (tmp_path / "e.csv").read_text() == "id,name,qty,price,raw\n"
    haul("copy", "e.parquet", "sqlite:///e.db", "--table", "t")
    assert rows_of(tmp_path / "e.db", "t") == []


def test_run_name(haul, tmp_path):
    make_orders(tmp_path / "shop.db", 100)
    make_orders(tmp_path / "c.db", 0)
    copy = ("copy", "sqlite:///shop.db", "sqlite:///c.db", "--table", "orders", "--mode", "append", "--run", "night-1")
    haul(*copy)
    before = rows_of(tmp_path / "c.db")
    assert "already complete" in haul(*copy).err
    assert rows_of(tmp_path / "c.db") == before
    haul("copy", "sqlite:///shop.db", "o.csv", "--table", "orders", "--run", "night-2")
    stamp = (tmp_path / "o.csv").stat().st_mtime_ns
    assert "already complete" in haul("copy", "sqlite:///shop.db", "o.csv", "--table", "orders", "--run", "night-2").err
    assert (tmp_path / "o.csv").stat().st_mtime_ns == stamp
    (tmp_path / "o.csv").unlink()
    gone = haul("copy", "sqlite:///shop.db", "o.csv", "--table", "orders", "--run", "night-2", code=4).err
    assert "--restart" in gone
    haul("copy", "sqlite:///shop.db", "o.csv", "--table", "orders", "--run", "night-2", "--restart")


def test_awkward_names(haul, tmp_path):
    import sqlite3
    names = ['we"ird', "select", "ünï cödé", "a.b", "semi;colon", "x' OR 1=1 --", "tab\there"]
    db = sqlite3.connect(tmp_path / "n.db")
    quoted = ['"' + n.replace('"', '""') + '"' for n in names]
    db.execute(f'CREATE TABLE "odd "" table" ({", ".join(q + " TEXT" for q in quoted)})')
    db.execute(f'INSERT INTO "odd "" table" VALUES ({", ".join("?" * len(names))})', names)
    db.commit()
    db.close()
    haul("copy", "sqlite:///n.db", "n.parquet", "--table", 'odd " table')
    assert pq.read_table(tmp_path / "n.parquet").to_pylist() == [dict(zip(names, names))]
    haul("copy", "n.parquet", "sqlite:///m.db", "--table", 'odd " table')
    assert rows_of(tmp_path / "m.db", 'odd "" table') == [tuple(names)]


@pytest.mark.parametrize("change,says", [("UPDATE haul_runs SET layout = 7", "newer haul: its layout is 7"), ("ALTER TABLE haul_runs DROP COLUMN layout", "older haul")])
def test_a_sqlite_ledger_of_another_layout_is_refused(haul, tmp_path, change, says):
    (tmp_path / "a.csv").write_text("id\n1\n2\n")
    haul("copy", "a.csv", "sqlite:///t.db", "--table", "o", "--run", "first")
    with contextlib.closing(sqlite3.connect(tmp_path / "t.db")) as base, base:
        base.execute(change)
    append = ["copy", "a.csv", "sqlite:///t.db", "--table", "o", "--mode", "append"]
    for name in ("first", "second"):
        said = haul(*append, "--run", name, code=4).err
        assert says in said and "--ledger" in said
    haul(*append, "--ledger", "other")
    with contextlib.closing(sqlite3.connect(tmp_path / "t.db")) as base:
        assert base.execute("SELECT count(*) FROM o").fetchone() == (4,)
