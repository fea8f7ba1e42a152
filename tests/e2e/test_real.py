"""Real data: Chinook (SQLite), AdventureWorks' bulk files (tab-separated), TPC-H."""
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from conftest import shared


def test_chinook_there_and_back(haul, tmp_path):
    shutil.copy(shared("chinook/Chinook_Sqlite.sqlite"), tmp_path / "chinook.db")
    db = sqlite3.connect(tmp_path / "chinook.db")
    tables = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")]
    assert len(tables) == 11
    listed = json.loads(haul("list", "sqlite:///chinook.db", "--json").out)
    assert {t["name"]: t["rows"] for t in listed} == {
        t: db.execute(f'SELECT count(*) FROM "{t}"').fetchone()[0] for t in tables}
    for table in tables:
        haul("copy", "sqlite:///chinook.db", f"{table}.parquet", "--table", table)
        haul("copy", f"{table}.parquet", "sqlite:///copy.db", "--table", table)
        assert haul("verify", "sqlite:///chinook.db", "sqlite:///copy.db", "--table", table).out.endswith("equal\n")
        haul("copy", "sqlite:///copy.db", f"{table}.csv", "--table", table, "--verify")
        # SQLite's own view: the text of every value is the same
        rows = db.execute(f'SELECT * FROM "{table}" ORDER BY 1, 2').fetchall()
        copy = sqlite3.connect(tmp_path / "copy.db")
        assert [tuple(map(str, r)) for r in copy.execute(f'SELECT * FROM "{table}" ORDER BY 1, 2')] == [
            tuple(map(str, r)) for r in rows]


def tab_files():
    folder = shared("adventureworks")
    tables = json.loads((folder / "tables.json").read_text())
    for name, table in tables.items():
        load = table.get("bulk_insert", {})
        if load.get("fieldterminator", load.get("FIELDTERMINATOR")) in ("\\t", "\t"):
            yield name, table, load, folder


def test_adventureworks_tab_separated(haul, tmp_path):
    """Every tab-separated file that is UTF-8 is read whole: as many rows as it has lines."""
    done = 0
    for name, table, load, folder in tab_files():
        path = folder / load.get("file", load.get("FILE", ""))
        if not path.is_file():
            continue
        data = path.read_bytes()
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            continue
        rows = [r for r in text.replace("\r\n", "\n").split("\n") if r]
        if any(len(r.split("\t")) != len(table["columns"]) for r in rows) or '"' in text:
            continue
        columns = ",".join(f'{c["name"]}:utf8' for c in table["columns"])
        haul("copy", path, f"{name}.parquet", "--from", "csv", "--delimiter", "\\t", "--header", "no", "--quote", "none",
             "--schema", columns)
        table_read = pq.read_table(tmp_path / f"{name}.parquet")
        assert table_read.num_rows == len(rows), name
        assert [tuple(v or "" for v in r.values()) for r in table_read.slice(0, 50).to_pylist()] == [
            tuple(r.split("\t")) for r in rows[:50]], name
        done += 1
    assert done >= 10


def test_tpch_lineitem(haul, tmp_path):
    tool = shutil.which("tpchgen-cli", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if not tool:
        pytest.skip("tpchgen-cli is not installed")
    subprocess.run([tool, "csv", "-s", "0.01", "-T", "lineitem", "-o", tmp_path], check=True, capture_output=True)
    haul("copy", "lineitem.csv", "l.parquet", "--rowgroup-size", "20000", "--workers", "2")
    schema = pq.read_schema(tmp_path / "l.parquet")
    assert [str(schema.field(n).type) for n in ("l_orderkey", "l_extendedprice", "l_shipdate", "l_comment")] == [
        "int64", "decimal128(18, 2)", "date32[day]", "string"]
    haul("copy", "l.parquet", "sqlite:///l.db", "--table", "lineitem", "--verify")
    haul("copy", "sqlite:///l.db", "back.csv", "--table", "lineitem")
    haul("verify", "lineitem.csv", "back.csv")
    quantity = schema.field("l_quantity").type
    assert str(quantity) in ("int64", "decimal128(18, 2)")
