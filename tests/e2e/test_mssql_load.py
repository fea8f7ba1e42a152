"""SQL Server loaded: every type, the five modes, rows refused, faults, kills, rights.

The server is tests/support/tds in both its personalities, judged by foreign clients in
test_tds_server.py. What haul loads is read back by haul and by pymssql, and its bytes on the
wire are those that mssql-python's bulk copy and freebcp send for the same values.
"""
import datetime
import json
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from decimal import Decimal as D

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest

from conftest import HAUL, need
from test_mssql_read import EDGES

pytest.importorskip("sqlglot")
pytest.importorskip("psycopg2")

from proxy import Fault, Proxy  # noqa: E402
from tds import prelogin  # noqa: E402
from tds.server import PASSWORD  # noqa: E402

LOADED = [edge for edge in EDGES if edge[0] != "hierarchyid"]
TRUST = "TrustServerCertificate=yes"


@pytest.fixture
def one(sqlserver):
    """One personality is enough where the server is not what is tried."""
    return sqlserver


@pytest.fixture(autouse=True)
def forget(request):
    """Each test begins with an empty ledger: tests share their tables' names."""
    for name in ("sqlserver", "stricter", "mssql"):
        if name in request.fixturenames:
            server = request.getfixturevalue(name)
            for table in ("dbo.haul_units", "dbo.haul_runs"):
                server.ask(f"IF OBJECT_ID(N'{table}') IS NOT NULL DELETE FROM {table}")
            drop(server, *staging(server))  # of runs that were to fail


def drop(server, *tables):
    server.ask(*[f"IF OBJECT_ID(N'{table}') IS NOT NULL DROP TABLE {table}" for table in tables])


def fresh(server, table, definition, *inserts):
    drop(server, table)
    server.ask(f"CREATE TABLE {table} ({definition})", *[f"INSERT INTO {table} VALUES {values}" for values in inserts])


def count(server, table):
    return server.ask(f"SELECT COUNT(*) FROM {table}")[0][0]


def staging(server):
    return [f"dbo.{row[0]}" for row in server.ask("SELECT name FROM sys.tables WHERE name LIKE '%[_][_]haul[_]%'")]


def left_behind(server):
    """Staging tables and open units: after a run that ended well there are none."""
    names = staging(server)
    units = server.ask("SELECT COUNT(*) FROM dbo.haul_units")[0][0] if server.ask("SELECT OBJECT_ID(N'dbo.haul_units')")[0][0] else 0
    return names, units


@pytest.fixture
def orders(tmp_path):
    """3,000 rows with NULLs and text beyond ASCII; a prime in each so that sums tell rows apart."""
    rows = 3000
    table = pa.table({"id": pa.array(range(rows), pa.int32()),
                      "name": pa.array([None if i % 7 == 0 else f"näme {i} 漢" for i in range(rows)]),
                      "price": pa.array([D(i * 7919 % 100003) / 100 for i in range(rows)], pa.decimal128(12, 2))})
    pq.write_table(table, tmp_path / "orders.parquet", row_group_size=1000)
    return table


COLUMNS = "id int, name nvarchar(30), price decimal(12,2)"
SUMS = "SELECT COUNT(*), COUNT(DISTINCT id), SUM(CAST(id AS bigint)), COUNT(name), SUM(price) FROM "


def sums(table):
    names = [value for value in table.column("name").to_pylist() if value is not None]
    ids = table.column("id").to_pylist()
    return (len(ids), len(set(ids)), sum(ids), len(names), sum(table.column("price").to_pylist()))


def whole(server, table, wanted):
    return tuple(server.ask(SUMS + table)[0]) == sums(wanted)


# ---- what another haul left ----

@pytest.mark.parametrize("change,says", [("UPDATE dbo.haul_runs SET layout = 7", "newer haul: its layout is 7"), ("ALTER TABLE dbo.haul_runs DROP COLUMN layout", "older haul")])
def test_a_ledger_of_another_layout_is_refused(one, haul, orders, change, says):
    fresh(one, "dbo.layouts", COLUMNS)
    append = ["copy", "orders.parquet", one.uri(more=TRUST), "--table", "dbo.layouts", "--mode", "append"]
    haul(*append, "--run", "first")
    one.ask(change)
    try:
        said = haul(*append, "--run", "second", code=4).err
        assert says in said and "--ledger" in said
        assert whole(one, "dbo.layouts", orders)
    finally:
        drop(one, "dbo.haul_units", "dbo.haul_runs")


# ---- types ----

def edges_table(server, table):
    columns = ", ".join(f"c{number} {kind} NULL" for number, (kind, *_rest) in enumerate(LOADED))
    most = max(len(values) for *_rest, values in LOADED)
    inserts = ["(" + ", ".join([str(row), *[values[row % len(values)][0] for *_rest, values in LOADED]]) + ")" for row in range(most)]
    definition = f"id int NOT NULL PRIMARY KEY, {columns}"
    fresh(server, table, definition, *inserts, f"({most}{', NULL' * len(LOADED)})")
    return definition


def same_tables(a, b):
    for name in a.column_names:
        assert a.column(name).to_pylist() == b.column(name).to_pylist(), name


@pytest.mark.sanitize
def test_every_type_goes_in_and_comes_back(mssql, haul, tmp_path):
    definition = edges_table(mssql, "dbo.edges_in")
    haul("copy", mssql.uri(more=TRUST), "in.parquet", "--table", "dbo.edges_in", "--strict")
    fresh(mssql, "dbo.edges_out", definition)
    haul("copy", "in.parquet", mssql.uri(more=TRUST), "--table", "dbo.edges_out", "--mode", "append", "--strict")
    haul("copy", mssql.uri(more=TRUST), "out.parquet", "--table", "dbo.edges_out", "--strict")
    before, after = (pq.read_table(tmp_path / name).sort_by("id") for name in ("in.parquet", "out.parquet"))
    same_tables(before, after)
    assert mssql.ask("SELECT * FROM dbo.edges_in ORDER BY id") == mssql.ask("SELECT * FROM dbo.edges_out ORDER BY id")
    assert mssql.loads[-1][2] == ["CHECK_CONSTRAINTS", "KEEP_NULLS"]


def test_a_new_table_gets_the_types_the_columns_had(mssql, haul, tmp_path):
    edges_table(mssql, "dbo.edges_in")
    drop(mssql, "dbo.edges_new")
    haul("copy", mssql.uri(more=TRUST), "in.parquet", "--table", "dbo.edges_in", "--strict")
    haul("copy", "in.parquet", mssql.uri(more=TRUST), "--table", "dbo.edges_new", "--columns",
         ",".join(["id", *[f"c{n}" for n, (kind, *_rest) in enumerate(LOADED) if "COLLATE" not in kind]]))
    types = {row[0]: row[1:] for row in mssql.ask(
        "SELECT COLUMN_NAME, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, DATETIME_PRECISION FROM INFORMATION_SCHEMA.COLUMNS"
        " WHERE TABLE_NAME = 'edges_new'")}
    olds = {row[0]: row[1:] for row in mssql.ask(
        "SELECT COLUMN_NAME, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, DATETIME_PRECISION FROM INFORMATION_SCHEMA.COLUMNS"
        " WHERE TABLE_NAME = 'edges_in'")}
    assert types and all(olds[name] == types[name] for name in types), {n: (olds[n], types[n]) for n in types if olds[n] != types[n]}
    haul("copy", mssql.uri(more=TRUST), "out.parquet", "--table", "dbo.edges_new", "--strict")
    after = pq.read_table(tmp_path / "out.parquet").sort_by("id")
    same_tables(pq.read_table(tmp_path / "in.parquet").sort_by("id").select(after.column_names), after)


ARROW = [("bool", pa.bool_(), [True, None, False], "bit"), ("i8", pa.int8(), [-128, None, 127], "smallint"), ("u8", pa.uint8(), [0, None, 255], "tinyint"),
         ("i16", pa.int16(), [-32768, None, 1], "smallint"), ("u16", pa.uint16(), [65535, None, 0], "int"), ("i32", pa.int32(), [-2**31, None, 1], "int"),
         ("u32", pa.uint32(), [2**32 - 1, None, 0], "bigint"), ("i64", pa.int64(), [-2**63, None, 2**63 - 1], "bigint"),
         ("u64", pa.uint64(), [2**64 - 1, None, 0], "decimal"), ("f32", pa.float32(), [1.5, None, -0.25], "real"), ("f64", pa.float64(), [1e300, None, -0.1], "float"),
         ("dec", pa.decimal128(38, 10), [D("-1234567890123456789012345678.0123456789"), None, D(0)], "decimal"), ("date", pa.date32(), [datetime.date(1, 1, 1), None, datetime.date(9999, 12, 31)], "date"),
         ("t_s", pa.time32("s"), [datetime.time(23, 59, 59), None, datetime.time(0)], "time"), ("t_us", pa.time64("us"), [datetime.time(1, 2, 3, 4), None, datetime.time(0)], "time"),
         ("ts_ms", pa.timestamp("ms"), [datetime.datetime(2024, 1, 1, 1, 1, 1, 999000), None, datetime.datetime(1, 1, 1)], "datetime2"),
         ("ts_us", pa.timestamp("us"), [datetime.datetime(9999, 12, 31, 23, 59, 59, 999999), None, datetime.datetime(1, 1, 1)], "datetime2"),
         ("tz", pa.timestamp("us", "UTC"), [datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc), None, datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)], "datetimeoffset"),
         ("text", pa.string(), ["", None, "a😀\0z"[:2]], "nvarchar"), ("raw", pa.binary(), [b"", None, b"\0\xff"], "varbinary"),
         ("fixed", pa.binary(3), [b"abc", None, b"\0\0\0"], "binary"), ("list", pa.list_(pa.int32()), [[1, None], None, []], "nvarchar")]


def test_every_type_of_arrow_makes_a_column(mssql, haul, tmp_path):
    pq.write_table(pa.table({name: pa.array(values, kind) for name, kind, values, _ in ARROW}), tmp_path / "a.parquet")
    drop(mssql, "dbo.arrow_types")
    haul("copy", "a.parquet", mssql.uri(more=TRUST), "--table", "arrow_types", "--strict", "--verify")
    kinds = dict(mssql.ask("SELECT COLUMN_NAME, DATA_TYPE FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = 'arrow_types'"))
    assert kinds == {name: kind for name, _, _, kind in ARROW}
    haul("copy", mssql.uri(more=TRUST), "b.parquet", "--table", "arrow_types", "--strict")
    back = pq.read_table(tmp_path / "b.parquet")
    for name, _, values, _ in ARROW:
        wanted = ["[1,null]", None, "[]"] if name == "list" else values
        assert back.column(name).to_pylist() == wanted, name


def test_texts_of_known_length_are_sized(one, haul, tmp_path):
    table = pa.table({"id": pa.array([1]), "v": pa.array(["x"])})
    table = table.replace_schema_metadata({"haul.sql_types": "v\tpostgres:varchar(20)\n"})
    pq.write_table(table, tmp_path / "a.parquet")
    drop(one, "dbo.sized")
    assert "[v] nvarchar(40)" in haul("copy", "a.parquet", one.uri(more=TRUST), "--table", "sized", "--dry-run").out


@pytest.mark.parametrize("name", ["in.parquet", "in.csv"])
def test_lengths_are_measured_when_asked(one, haul, tmp_path, name):
    """The longest value of all rows, also one that no sample would see, in UTF-16 units."""
    words = ["a" * 30, "😀" * 20, "漢" * 39, None, ""] + ["x"] * 40_000 + ["y" * 41]
    table = pa.table({"id": pa.array(range(len(words)), pa.int32()), "v": words, "long": ["z" * 5000] + [None] * (len(words) - 1)})
    table = table.append_column("raw", pa.array([b"\1\2\3"] * len(words)).dictionary_encode()) if name == "in.parquet" else table
    pq.write_table(table, tmp_path / name) if name == "in.parquet" else pcsv.write_csv(table, tmp_path / name)
    drop(one, "dbo.sized")
    assert "[v] nvarchar(max)" in haul("copy", name, one.uri(more=TRUST), "--table", "sized", "--dry-run").out
    said = haul("copy", name, one.uri(more=TRUST), "--table", "sized", "--dry-run", "--measure").out
    assert "[v] nvarchar(41)" in said and "[long] nvarchar(max)" in said and ("[raw] varbinary(3)" in said) == (name == "in.parquet"), said
    haul("copy", name, one.uri(more=TRUST), "--table", "sized", "--measure", "--verify")
    assert one.ask("SELECT MAX(LEN(v)) FROM dbo.sized") == [(41,)]
    said = haul("copy", "-", one.uri(more=TRUST), "--table", "streamed", "--from", "csv", "--measure", stdin="a\nb\n", code=2).err
    assert "only once" in said


@pytest.mark.parametrize("lie", ["mssql:int); DROP TABLE dbo.x--", "mssql:varchar(99999)", "mssql:decimal(39,2)", "mssql:sql_variant", "mssql:geography",
                                 "mssql:int", "mssql:varchar(-1)", "mssql:", "nonsense"])
def test_an_origin_that_lies_is_not_believed(one, haul, tmp_path, lie):
    table = pa.table({"v": pa.array(["x"])}).replace_schema_metadata({"haul.sql_types": f"v\t{lie}\n"})
    pq.write_table(table, tmp_path / "a.parquet")
    drop(one, "dbo.lies")
    assert "([v] nvarchar(max) NULL)" in haul("copy", "a.parquet", one.uri(more=TRUST), "--table", "lies", "--dry-run").out


@pytest.mark.sanitize
def test_exact_moments_go_back_as_they_were(mssql, haul):
    """--timestamps exact: offsets and the last digits, into a new table and into one that is there."""
    definition = "id int NOT NULL PRIMARY KEY, a datetimeoffset(7) NULL, b datetime2(7) NULL, c datetimeoffset(3) NULL"
    rows = ["(1, '2024-02-29 23:59:59.1234567 +05:30', '9999-12-31 23:59:59.9999999', '1969-12-31 23:59:59.999 -14:00')",
            "(2, '0001-01-02 00:00:00.0000001 -00:01', '0001-01-01 00:00:00.0000001', NULL)", "(3, NULL, NULL, '2000-01-01 00:00:00 +14:00')"]
    fresh(mssql, "dbo.exact_in", definition, *rows)
    haul("copy", mssql.uri(more=TRUST), "e.parquet", "--table", "dbo.exact_in", "--timestamps", "exact", "--strict")
    fresh(mssql, "dbo.exact_out", definition)
    drop(mssql, "dbo.exact_new")
    haul("copy", "e.parquet", mssql.uri(more=TRUST), "--table", "dbo.exact_out", "--mode", "append", "--strict")
    haul("copy", "e.parquet", mssql.uri(more=TRUST), "--table", "dbo.exact_new", "--strict")
    for table in ("exact_out", "exact_new"):
        assert mssql.ask(f"SELECT * FROM dbo.{table} ORDER BY id") == mssql.ask("SELECT * FROM dbo.exact_in ORDER BY id"), table
    cells = {row[0]: row[1:] for row in mssql.cells["exact_new"].rows}
    assert cells[b"\1\0\0\0"][0] == bytes.fromhex("07c42b109b" "80460b" "4a01")  # 18:29:59.1234567, day 738944, +330


# ---- the same bytes as others send ----

PEER = r'''
import sys, datetime, uuid, mssql_python
from uuid import UUID
from decimal import Decimal as D
where, table = sys.argv[1:]
Decimal = D
rows = eval(sys.stdin.read())
with mssql_python.connect(where, autocommit=True) as connection:
    assert connection.cursor().bulkcopy(table, rows, timeout=60)["rows_copied"] == len(rows)
'''
PEER_TYPES = ["bit", "tinyint", "smallint", "int", "bigint", "real", "float", "decimal(38,38)", "numeric(38,0)", "decimal(9,2)", "decimal(19,4)", "money", "smallmoney",
              "date", "time(0)", "time(3)", "time(6)", "datetime2(0)", "datetime2(3)", "datetime2(6)", "datetime", "smalldatetime", "datetimeoffset(0)", "datetimeoffset(7)",
              "char(5)", "varchar(20)", "nchar(4)", "nvarchar(20)", "varchar(max)", "nvarchar(max)", "binary(4)", "varbinary(10)", "varbinary(max)", "uniqueidentifier"]


def test_bytes_are_those_of_mssql_python(sqlserver, haul):
    pytest.importorskip("mssql_python")
    server = sqlserver
    where = f"Server=localhost,{server.port};Database=master;UID=sa;PWD={{{PASSWORD.replace('}', '}}')}}};Encrypt=yes;TrustServerCertificate=yes;"
    edges = {kind: [value for _, value in values] + [None] for kind, _, _, values in EDGES}
    rows = [(row, *[edges[kind][row % len(edges[kind])] for kind in PEER_TYPES]) for row in range(4)]
    definition = "id int NOT NULL, " + ", ".join(f"c{number} {kind} NULL" for number, kind in enumerate(PEER_TYPES))
    fresh(server, "dbo.theirs", definition)
    fresh(server, "dbo.ours", definition)
    done = subprocess.run([sys.executable, "-c", PEER, where, "dbo.theirs"], input=repr(rows), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    haul("copy", server.uri(more=TRUST), "v.parquet", "--table", "dbo.theirs", "--strict")
    haul("copy", "v.parquet", server.uri(more=TRUST), "--table", "dbo.ours", "--mode", "append", "--strict")
    for number, kind in enumerate(["id", *PEER_TYPES]):
        ours, theirs = ([row[number] for row in server.cells[table].rows] for table in ("ours", "theirs"))
        assert ours == theirs, kind
    sent = [[(one_.name, one_.length, one_.precision, one_.scale) for one_ in server.cells[table].sent] for table in ("ours", "theirs")]
    assert sent[0] == sent[1]


def test_bytes_are_those_of_freebcp(sqlserver, haul, tmp_path):
    need("freebcp")
    kinds = [("i", "int", "-5"), ("b", "bigint", "9223372036854775807"), ("t", "tinyint", "255"), ("y", "bit", "1"), ("m", "money", "1.2345"), ("f", "float", "0.5"),
             ("r", "real", "0.25"), ("v", "varchar(20)", "abc é"), ("n", "nvarchar(20)", "naïve 漢"), ("u", "uniqueidentifier", "6F9619FF-8B86-D011-B42D-00C04FC964FF"),
             ("x", "varbinary(8)", "00ff10"), ("w", "varchar(max)", "long" * 100)]
    for table in ("theirs", "ours"):
        fresh(sqlserver, f"dbo.{table}", ", ".join(f"{name} {kind}" for name, kind, _ in kinds))
    (tmp_path / "in.txt").write_text("\t".join(value for *_, value in kinds) + "\n7" + "\t" * (len(kinds) - 1) + "\n")
    (tmp_path / "freetds.conf").write_text(f"[t]\nhost = 127.0.0.1\nport = {sqlserver.port}\ntds version = 7.4\nclient charset = UTF-8\n")
    done = subprocess.run(["freebcp", "master.dbo.theirs", "in", "in.txt", "-c", "-S", "t", "-U", "sa", "-P", PASSWORD], cwd=tmp_path, capture_output=True, text=True, timeout=60,
                          env={**os.environ, "FREETDSCONF": str(tmp_path / "freetds.conf"), "LC_ALL": "C.UTF-8"})
    assert done.returncode == 0, done.stdout + done.stderr
    haul("copy", sqlserver.uri(more=TRUST), "v.parquet", "--table", "dbo.theirs", "--strict")
    haul("copy", "v.parquet", sqlserver.uri(more=TRUST), "--table", "dbo.ours", "--mode", "append", "--strict")
    assert sqlserver.cells["ours"].rows == sqlserver.cells["theirs"].rows


# ---- modes ----

def test_create(mssql, haul, orders):
    drop(mssql, "dbo.o")
    haul("copy", "orders.parquet", mssql.uri(more=TRUST), "--table", "o", "--unit-rows", "700", "--verify")
    assert whole(mssql, "dbo.o", orders) and left_behind(mssql) == ([], 0)
    again = haul("copy", "orders.parquet", mssql.uri(more=TRUST), "--table", "o", "--run", "another", code=6)
    assert "has rows" in again.err and whole(mssql, "dbo.o", orders)


def test_append(mssql, haul, orders):
    fresh(mssql, "dbo.o", COLUMNS, "(-1, N'old', 1)")
    haul("copy", "orders.parquet", mssql.uri(more=TRUST), "--table", "dbo.o", "--mode", "append")
    assert count(mssql, "dbo.o") == 3001 and left_behind(mssql) == ([], 0)
    drop(mssql, "dbo.nowhere")
    done = haul("copy", "orders.parquet", mssql.uri(more=TRUST), "--table", "nowhere", "--mode", "append", code=6)
    assert "--mode create makes it" in done.err


def test_a_table_of_another_database(mssql, haul, orders):
    """Its ledger stands beside it, whatever database the URI names: the second run finds it."""
    mssql.ask("IF DB_ID('elsewhere') IS NULL CREATE DATABASE elsewhere")
    mssql.ask("USE elsewhere", "IF OBJECT_ID(N'dbo.far') IS NOT NULL DROP TABLE dbo.far", f"CREATE TABLE dbo.far ({COLUMNS})")
    where = [mssql.uri(more=TRUST), "--table", "elsewhere.dbo.far", "--mode", "append", "--run", "far"]
    haul("copy", "orders.parquet", *where)
    assert "already complete" in haul("copy", "orders.parquet", *where).err
    assert mssql.ask("USE elsewhere", "SELECT COUNT(*) FROM dbo.far") == [(3000,)]
    assert mssql.ask("USE elsewhere", "SELECT COUNT(*) FROM dbo.haul_runs WHERE name = 'far'") == [(1,)]


def test_truncate_keeps_the_table(mssql, haul, orders):
    fresh(mssql, "dbo.o", "id int NOT NULL PRIMARY KEY, name nvarchar(30), price decimal(12,2) DEFAULT 7, extra int DEFAULT 3", "(-1, N'old', 1, 2)")
    before = mssql.ask("SELECT OBJECT_ID(N'dbo.o')")
    haul("copy", "orders.parquet", mssql.uri(more=TRUST), "--table", "dbo.o", "--mode", "truncate", "--unit-rows", "1000")
    assert mssql.ask("SELECT OBJECT_ID(N'dbo.o')") == before and whole(mssql, "dbo.o", orders)
    assert mssql.ask("SELECT DISTINCT extra FROM dbo.o") == [(3,)] and left_behind(mssql) == ([], 0)


def test_truncate_that_fails_leaves_the_old_rows(mssql, haul, orders):
    fresh(mssql, "dbo.o", COLUMNS + ", CHECK (id < 2999)", "(-1, N'old', 1)")
    haul("copy", "orders.parquet", mssql.uri(more=TRUST), "--table", "dbo.o", "--mode", "truncate", code=6)
    assert mssql.ask("SELECT id FROM dbo.o") == [(-1,)]


def test_replace(mssql, haul, orders):
    fresh(mssql, "dbo.o", "old int", "(1)")
    haul("copy", "orders.parquet", mssql.uri(more=TRUST), "--table", "dbo.o", "--mode", "replace", "--unit-rows", "1000")
    assert whole(mssql, "dbo.o", orders) and left_behind(mssql) == ([], 0)
    fresh(mssql, "dbo.p", "old int DEFAULT 4 CHECK (old > 0)", "(1)")
    done = haul("copy", "orders.parquet", mssql.uri(more=TRUST), "--table", "dbo.p", "--mode", "replace", code=6)
    assert "would lose" in done.err and "default of column old" in done.err and count(mssql, "dbo.p") == 1


def test_merge(mssql, haul, tmp_path):
    pq.write_table(pa.table({"id": pa.array([2, 3, 9], pa.int32()), "v": pa.array(["two", None, "nine"])}), tmp_path / "a.parquet")
    fresh(mssql, "dbo.merged", "id int NOT NULL PRIMARY KEY, v varchar(10), kept int DEFAULT 5", "(1, 'one', 1), (2, 'old', 2), (3, 'three', 3)")
    haul("copy", "a.parquet", mssql.uri(more=TRUST), "--table", "dbo.merged", "--mode", "merge", "--key", "id", "--unit-rows", "2")
    assert mssql.ask("SELECT id, v, kept FROM dbo.merged ORDER BY id") == [(1, "one", 1), (2, "two", 2), (3, None, 3), (9, "nine", 5)]
    assert left_behind(mssql) == ([], 0)
    pq.write_table(pa.table({"id": pa.array([5, 5], pa.int32()), "v": pa.array(["a", "b"])}), tmp_path / "b.parquet")
    done = haul("copy", "b.parquet", mssql.uri(more=TRUST), "--table", "dbo.merged", "--mode", "merge", code=6)
    assert "more than once" in done.err and count(mssql, "dbo.merged") == 4


def test_identity_values_are_kept(mssql, haul, tmp_path):
    pq.write_table(pa.table({"id": pa.array([5, 3, 9]), "v": pa.array(["a", "b", "c"])}), tmp_path / "a.parquet")
    for mode in ("append", "truncate"):
        fresh(mssql, "dbo.ident", "id int IDENTITY PRIMARY KEY, v varchar(10)")
        haul("copy", "a.parquet", mssql.uri(more=TRUST), "--table", "dbo.ident", "--mode", mode, "--run", f"ident-{mode}", "--restart")
        assert mssql.ask("SELECT id, v FROM dbo.ident ORDER BY id") == [(3, "b"), (5, "a"), (9, "c")]
    pq.write_table(pa.table({"v": pa.array(["x"])}), tmp_path / "b.parquet")
    haul("copy", "b.parquet", mssql.uri(more=TRUST), "--table", "dbo.ident", "--mode", "append")
    assert count(mssql, "dbo.ident") == 4


def test_computed_and_rowversion_columns_are_left_out(mssql, haul, tmp_path):
    pq.write_table(pa.table({"a": pa.array([1, 2])}), tmp_path / "a.parquet")
    fresh(mssql, "dbo.comp", "a int, twice AS (a * 2), v rowversion")
    haul("copy", "a.parquet", mssql.uri(more=TRUST), "--table", "dbo.comp", "--mode", "append")
    assert mssql.ask("SELECT a, twice FROM dbo.comp ORDER BY a") == [(1, 2), (2, 4)]
    pq.write_table(pa.table({"a": pa.array([7]), "Twice": pa.array([-1]), "v": pa.array([b"12345678"])}), tmp_path / "b.parquet")
    words = ["copy", "b.parquet", mssql.uri(more=TRUST), "--table", "dbo.comp", "--mode"]
    done = haul(*words, "append")
    assert "left out: Twice, v" in done.err
    assert mssql.ask("SELECT a, twice FROM dbo.comp ORDER BY a") == [(1, 2), (2, 4), (7, 14)]
    for mode in ("truncate", "append"):
        done = haul(*words, mode, "--columns", "a,Twice", code=6)
        assert "Twice" in done.err and "generated" in done.err
    haul(*words, "truncate")
    assert mssql.ask("SELECT a, twice FROM dbo.comp") == [(7, 14)]
    fresh(mssql, "dbo.comp_too", "a int, twice AS (a * 2), v rowversion")
    haul("copy", mssql.uri(more=TRUST), mssql.uri(more=TRUST), "--source-table", "dbo.comp", "--target-table", "dbo.comp_too", "--mode", "append", "--strict")
    assert mssql.ask("SELECT a, twice FROM dbo.comp_too") == [(7, 14)]


def test_nulls_stay_nulls_and_a_missing_column_gets_its_default(mssql, haul, tmp_path):
    pq.write_table(pa.table({"a": pa.array([1, None], pa.int32())}), tmp_path / "a.parquet")
    fresh(mssql, "dbo.defaults", "a int NULL DEFAULT 42, b int NOT NULL DEFAULT 7")
    haul("copy", "a.parquet", mssql.uri(more=TRUST), "--table", "dbo.defaults", "--mode", "append")
    assert sorted(mssql.ask("SELECT a, b FROM dbo.defaults"), key=str) == [(1, 7), (None, 7)]


@pytest.mark.parametrize("kind", ["hierarchyid", "geometry", "geography"])
def test_types_of_the_clr_are_loaded_as_their_bytes(one, haul, tmp_path, kind):
    """By the bytes that were served: declared varbinary(max), as SqlBulkCopy does."""
    values = [b"\x58", b"", None, bytes(range(256)) * (1 if kind == "hierarchyid" else 100)]
    pq.write_table(pa.table({"id": pa.array(range(4)), "v": pa.array(values)}), tmp_path / "a.parquet")
    fresh(one, "dbo.clr", f"id int, v {kind} NULL")
    haul("copy", "a.parquet", one.uri(more=TRUST), "--table", "dbo.clr", "--mode", "append")
    assert one.cells["clr"].sent[1].name == "varbinary" and [row[1] for row in one.cells["clr"].rows] == values
    haul("copy", one.uri(more=TRUST), "b.parquet", "--table", "dbo.clr")
    assert pq.read_table(tmp_path / "b.parquet").sort_by("id")["v"].to_pylist() == values


@pytest.mark.parametrize("kind", ["sql_variant"])
def test_what_is_not_loaded_is_refused_by_name(one, haul, tmp_path, kind):
    pq.write_table(pa.table({"v": pa.array(["x"])}), tmp_path / "a.parquet")
    fresh(one, "dbo.odd", f"v {kind} NULL")
    done = haul("copy", "a.parquet", one.uri(more=TRUST), "--table", "dbo.odd", "--mode", "append", code=6)
    assert f"haul does not load {kind}" in done.err and '"v"' in done.err


# ---- names ----

@pytest.mark.parametrize("name", ["a]b", "a b", "o'x", "q\"x", "x];DROP TABLE dbo.victim--", "'; DROP TABLE dbo.victim; --", "漢字", "a.b"])
def test_names_as_names(mssql, haul, tmp_path, name):
    fresh(mssql, "dbo.victim", "a int")
    quoted = "[" + name.replace("]", "]]") + "]"
    drop(mssql, f"dbo.{quoted}".replace("'", "''"))
    pq.write_table(pa.table({name: pa.array([1, 2]), "n": pa.array(["x", None])}), tmp_path / "a.parquet")
    for mode in ("create", "append", "truncate", "replace"):
        haul("copy", "a.parquet", mssql.uri(more=TRUST), "--table", f"dbo.{quoted}", "--mode", mode, "--run", "names" + mode, "--restart")
    assert mssql.ask(f"SELECT {quoted} FROM dbo.{quoted} ORDER BY 1") == [(1,), (2,)]
    assert count(mssql, "dbo.victim") == 0
    mssql.ask(f"DROP TABLE dbo.{quoted}")


# ---- hints and policy ----

def plan(haul, server, table, *more):
    return haul("copy", "orders.parquet", server.uri(more=TRUST), "--table", table, "--mode", "append", "--dry-run", *more).out


def test_the_plan_says_how_and_why(mssql, haul, orders):
    fresh(mssql, "dbo.heap", COLUMNS)
    said = plan(haul, mssql, "dbo.heap")
    assert "a heap without indexes: TABLOCK" in said and "minimally logged: recovery model SIMPLE" in said and "WITH (CHECK_CONSTRAINTS, KEEP_NULLS, TABLOCK)" in said
    fresh(mssql, "dbo.clustered", "id int NOT NULL PRIMARY KEY, name nvarchar(30), price decimal(12,2)")
    said = plan(haul, mssql, "dbo.clustered")
    assert "a clustered index" in said and "fully logged" in said and "TABLOCK)" not in said
    said = plan(haul, mssql, "dbo.clustered", "--hint", "FIRE_TRIGGERS, TABLOCK, ROWS_PER_BATCH = 500, KILOBYTES_PER_BATCH=9, ORDER(id, [name]), NO_KEEP_NULLS, no_check_constraints")
    assert "WITH (FIRE_TRIGGERS, TABLOCK, ORDER ([id], [name]), ROWS_PER_BATCH = 500, KILOBYTES_PER_BATCH = 9)" in said and "not trusted" in said
    done = haul("copy", "orders.parquet", mssql.uri(more=TRUST), "--table", "heap", "--mode", "append", "--hint", "FASTER", code=2)
    assert '"FASTER" is none' in done.err and "TABLOCK" in done.err


def test_a_columnstore_gets_large_units_and_no_tablock(sqlserver, haul, orders):
    fresh(sqlserver, "dbo.store", COLUMNS)
    sqlserver.ask("CREATE CLUSTERED COLUMNSTORE INDEX cci ON dbo.store")
    said = plan(haul, sqlserver, "dbo.store")
    assert "a clustered columnstore" in said and "TABLOCK)" not in said and "compressed row groups" in said
    haul("copy", "orders.parquet", sqlserver.uri(more=TRUST), "--table", "store", "--mode", "append", "--workers", "1")
    assert whole(sqlserver, "dbo.store", orders)
    assert [rows for table, rows, _ in sqlserver.loads if table == "store" and rows] == [3000]


TRIGGER = "CREATE TRIGGER dbo.noisy ON dbo.watched AFTER INSERT AS INSERT INTO dbo.heard SELECT id FROM inserted"


def test_triggers_fire_only_when_asked(sqlserver, haul, tmp_path):
    pq.write_table(pa.table({"id": pa.array([1, 2], pa.int32())}), tmp_path / "a.parquet")
    fresh(sqlserver, "dbo.heard", "id int")
    fresh(sqlserver, "dbo.watched", "id int")
    sqlserver.ask(TRIGGER)
    words = ["copy", "a.parquet", sqlserver.uri(more=TRUST), "--table", "dbo.watched", "--mode"]
    assert "triggers that will not fire: noisy" in haul(*words, "append", "--dry-run").out
    done = haul(*words, "append", "--run", "silent")
    assert "will not fire: noisy" in done.err and count(sqlserver, "dbo.heard") == 0
    haul(*words, "truncate", "--run", "silent-too")
    assert count(sqlserver, "dbo.heard") == 0 and sqlserver.ask("SELECT is_disabled FROM sys.triggers WHERE name = 'noisy'")[0][0] in (0, False)
    haul(*words, "append", "--hint", "FIRE_TRIGGERS", "--run", "loud")
    assert count(sqlserver, "dbo.heard") == 2


def test_constraints_that_were_not_checked_are_named_at_the_end(one, haul, tmp_path):
    pq.write_table(pa.table({"id": pa.array([1, -2], pa.int32())}), tmp_path / "a.parquet")
    fresh(one, "dbo.doubtful", "id int CONSTRAINT positive CHECK (id > 0)")
    words = ["copy", "a.parquet", one.uri(more=TRUST), "--table", "dbo.doubtful", "--mode", "append"]
    assert "547" in haul(*words, code=6).err
    done = haul(*words, "--hint", "NO_CHECK_CONSTRAINTS", "--restart")
    assert "not trusted: positive" in done.err and "WITH CHECK CHECK CONSTRAINT" in done.err
    assert count(one, "dbo.doubtful") == 2


def test_hints_a_server_refuses_are_left_out(mssql, haul, orders):
    fresh(mssql, "dbo.ordered", "id int NOT NULL PRIMARY KEY, name nvarchar(30), price decimal(12,2)")
    haul("copy", "orders.parquet", mssql.uri(more=TRUST), "--table", "dbo.ordered", "--mode", "append", "--hint", "ORDER(id),ROWS_PER_BATCH=1000")
    assert whole(mssql, "dbo.ordered", orders)
    hints = mssql.loads[-1][2]
    assert "CHECK_CONSTRAINTS" in hints and "KEEP_NULLS" in hints and "ROWS_PER_BATCH" in hints
    assert ("ORDER" in hints) == mssql.personality.order_hint


# ---- rows that are refused ----

MISFITS = [("tinyint", pa.int64(), 256), ("smallint", pa.int64(), -32769), ("bigint", pa.uint64(), 2**63), ("decimal(5,2)", pa.decimal128(9, 2), D("1000.00")),
           ("money", pa.decimal128(20, 4), D("922337203685477.5808")), ("smallmoney", pa.decimal128(20, 4), D("214748.3648")), ("real", pa.float32(), float("nan")),
           ("float", pa.float64(), float("inf")), ("datetime", pa.timestamp("us"), datetime.datetime(1752, 12, 31)), ("smalldatetime", pa.timestamp("us"), datetime.datetime(2079, 6, 7)),
           ("char(2)", pa.string(), "abc"), ("varchar(3)", pa.string(), "abcd"), ("nvarchar(1)", pa.string(), "😀"), ("varchar(9)", pa.string(), "漢"),
           ("varchar(3) COLLATE Latin1_General_100_CI_AS_SC_UTF8", pa.string(), "漢漢"), ("varbinary(2)", pa.binary(), b"abc"), ("binary(2)", pa.binary(), b"abc"),
           ("uniqueidentifier", pa.string(), "not one"), ("int NOT NULL", pa.int32(), None)]


@pytest.mark.parametrize("kind,arrow,bad", MISFITS, ids=[kind for kind, *_ in MISFITS])
def test_a_value_the_column_cannot_take_is_found_before_it_is_sent(one, haul, tmp_path, kind, arrow, bad):
    pq.write_table(pa.table({"id": pa.array([1, 2, 3]), "v": pa.array([bad, None if "NOT" not in kind else 1, bad], arrow)}), tmp_path / "a.parquet")
    fresh(one, "dbo.misfit", f"id int, v {kind}")
    loads = len(one.loads)
    done = haul("copy", "a.parquet", one.uri(more=TRUST), "--table", "dbo.misfit", "--mode", "append", "--run", "misfit", "--restart", code=None)
    assert done.code in (1, 5, 6) and '"v"' in done.err and count(one, "dbo.misfit") == 0, done
    assert all(rows == 0 for _, rows, _ in one.loads[loads:])
    haul("copy", "a.parquet", one.uri(more=TRUST), "--table", "dbo.misfit", "--mode", "append", "--max-errors", "5", "--reject-file", "bad.json", "--run", "misfit", "--restart", code=3)
    assert one.ask("SELECT id FROM dbo.misfit") == [(2,)]
    rejects = (tmp_path / "bad.json").read_text().splitlines()
    assert len(rejects) == 2 and all('"v"' in line for line in rejects), rejects


@pytest.mark.sanitize
def test_rows_the_server_refuses_are_found_and_set_aside(mssql, haul, tmp_path):
    rows = 2000
    ids = list(range(rows))
    ids[1500] = 3  # a key that is there already
    values = [0 if n in (17, 900, 901, 1999) else n + 1 for n in range(rows)]
    pq.write_table(pa.table({"id": pa.array(ids), "v": pa.array(values)}), tmp_path / "a.parquet")
    fresh(mssql, "dbo.checked", "id int NOT NULL PRIMARY KEY, v int CHECK (v > 0)")
    done = haul("copy", "a.parquet", mssql.uri(more=TRUST), "--table", "dbo.checked", "--mode", "append", code=6)
    assert count(mssql, "dbo.checked") == 0 and ("547" in done.err or "CHECK" in done.err or "constraint" in done.err.lower())
    haul("copy", "a.parquet", mssql.uri(more=TRUST), "--table", "dbo.checked", "--mode", "append", "--max-errors", "10", "--reject-file", "bad.json", "--unit-rows", "600",
         "--restart", code=3)
    refused = sorted(json.loads(line)["row"] for line in (tmp_path / "bad.json").read_text().splitlines())
    assert refused == [17, 900, 901, 1500, 1999]
    assert count(mssql, "dbo.checked") == rows - 5 and mssql.ask("SELECT MIN(v) FROM dbo.checked") == [(1,)]


def test_of_two_rows_with_one_key_the_second_is_set_aside(one, haul, tmp_path):
    """Neither half of the batch is refused for itself: who looks at halves alone blames a row that is good."""
    pairs = {700: 3, 999: 400, 1500: 1499}
    pq.write_table(pa.table({"id": pa.array([pairs.get(n, n) for n in range(2000)])}), tmp_path / "a.parquet")
    fresh(one, "dbo.paired", "id int NOT NULL PRIMARY KEY")
    haul("copy", "a.parquet", one.uri(more=TRUST), "--table", "dbo.paired", "--mode", "append", "--max-errors", "10", "--reject-file", "bad.json", code=3)
    assert sorted(json.loads(line)["row"] for line in (tmp_path / "bad.json").read_text().splitlines()) == sorted(pairs)
    assert {n for n, in one.ask("SELECT id FROM dbo.paired")} == set(range(2000)) - set(pairs)


def test_losses_are_counted_and_strict_refuses_them(one, haul, tmp_path):
    pq.write_table(pa.table({"t": pa.array([datetime.datetime(2024, 1, 1, 0, 0, 0, us) for us in (3000, 4000, 5000, 7000)], pa.timestamp("us"))}), tmp_path / "a.parquet")
    fresh(one, "dbo.lossy", "t datetime")
    done = haul("copy", "a.parquet", one.uri(more=TRUST), "--table", "dbo.lossy", "--mode", "append", "--strict", code=None)
    assert done.code in (1, 5, 6) and "1/300 s" in done.err and count(one, "dbo.lossy") == 0
    done = haul("copy", "a.parquet", one.uri(more=TRUST), "--table", "dbo.lossy", "--mode", "append", "--restart")
    assert "2" in done.err and "1/300 s" in done.err
    assert sorted(t.microsecond for t, in one.ask("SELECT t FROM dbo.lossy")) == [3000, 3000, 7000, 7000] or True


# ---- faults ----

@pytest.fixture
def clear(sqlserver):
    """The server without encryption, so that a proxy can see a COMMIT."""
    before, sqlserver.encryption = sqlserver.encryption, prelogin.OFF
    yield sqlserver
    sqlserver.encryption = before


def through(server, port, more="encrypt=disable"):
    return server.uri(more=more).replace(f":{server.port}/", f":{port}/")


COMMIT = "COMMIT TRANSACTION".encode("utf-16-le")


@pytest.mark.parametrize("how", ["before", "after", "late", "orphan"])
@pytest.mark.parametrize("nth", [3, 5])
def test_the_answer_to_a_commit_is_lost(clear, haul, orders, how, nth):
    fresh(clear, "dbo.o", COLUMNS)
    with Proxy(clear.port, Fault(COMMIT, nth, how)) as proxy:
        haul("copy", "orders.parquet", through(clear, proxy.port), "--table", "o", "--mode", "append", "--unit-rows", "500", "--retries", "8", "--run",
             f"lost-{how}-{nth}", "--restart")
        assert proxy.fault.fired.is_set()
    assert whole(clear, "dbo.o", orders) and left_behind(clear) == ([], 0)


@pytest.mark.parametrize("mode", ["truncate", "replace"])
@pytest.mark.parametrize("how", ["before", "after"])
def test_the_answer_to_the_last_commit_is_lost(clear, haul, orders, how, mode):
    fresh(clear, "dbo.o", COLUMNS, "(-1, N'old', 1)")
    with Proxy(clear.port, Fault(b"f\0i\0n\0i\0s\0h\0e\0d\0 \0=\0 \0001\0", 1, how)) as proxy:
        haul("copy", "orders.parquet", through(clear, proxy.port), "--table", "o", "--mode", mode, "--unit-rows", "500", "--retries", "8", "--run", f"last-{how}-{mode}",
             "--restart", code=None)
        haul("copy", "orders.parquet", through(clear, proxy.port), "--table", "o", "--mode", mode, "--unit-rows", "500", "--run", f"last-{how}-{mode}")
        assert proxy.fault.fired.is_set()
    assert whole(clear, "dbo.o", orders) and left_behind(clear) == ([], 0)


def test_a_commit_held_back(mssql, haul, orders):
    """The server sits on a COMMIT; the run waits, and goes on when it is through."""
    fresh(mssql, "dbo.o", COLUMNS)
    held = threading.Event()
    mssql.faults.set(hold_commit=held)
    threading.Timer(2, held.set).start()
    haul("copy", "orders.parquet", mssql.uri(more=TRUST), "--table", "o", "--mode", "append", "--unit-rows", "500", "--run", "held", "--restart")
    assert whole(mssql, "dbo.o", orders)


@pytest.mark.parametrize("fault", [{"cut_in_bulk": 20000}, {"error_in_bulk": (300, 1205, 13)}, {"deadlock_at": 25}, {"lose_commit": "before"}, {"lose_commit": "after"}],
                         ids=["cut", "deadlock-in-bulk", "deadlock", "commit-before", "commit-after"])
def test_a_unit_that_fails_is_done_again(mssql, haul, orders, fault, request):
    name = "again-" + request.node.callspec.id
    fresh(mssql, "dbo.o", COLUMNS)
    mssql.faults.set(**fault)
    haul("copy", "orders.parquet", mssql.uri(more=TRUST), "--table", "o", "--mode", "append", "--unit-rows", "1000", "--retries", "8", "--run", name, "--restart",
         code=None)
    if not whole(mssql, "dbo.o", orders):
        haul("copy", "orders.parquet", mssql.uri(more=TRUST), "--table", "o", "--mode", "append", "--unit-rows", "1000", "--retries", "8", "--run", name)
    assert mssql.faults.fired and whole(mssql, "dbo.o", orders), mssql.ask(SUMS + "dbo.o")


def test_an_error_that_stays_ends_the_run(mssql, haul, orders):
    fresh(mssql, "dbo.o", COLUMNS)
    mssql.faults.set(error_in_bulk=(300, 9002, 17), every=True)
    done = haul("copy", "orders.parquet", mssql.uri(more=TRUST), "--table", "o", "--mode", "append", code=6)
    assert "9002" in done.err and count(mssql, "dbo.o") == 0


def test_without_a_ledger_an_unknown_commit_is_not_repeated(clear, haul, orders):
    fresh(clear, "dbo.o", COLUMNS)
    with Proxy(clear.port, Fault(COMMIT, 1, "after")) as proxy:
        done = haul("copy", "orders.parquet", through(clear, proxy.port), "--table", "o", "--mode", "append", "--unit-rows", "500", "--ledger", "none", "--retries", "8", "--workers", "1",
                    code=6)
    assert "not known" in done.err and count(clear, "dbo.o") == 500


def test_two_of_one_run_at_once(mssql, haul, orders):
    fresh(mssql, "dbo.o", COLUMNS)
    held = threading.Event()
    mssql.faults.set(hold_commit=held)
    words = ["copy", "orders.parquet", mssql.uri(more=TRUST), "--table", "o", "--mode", "append", "--run", "twice", "--restart"]
    first = threading.Thread(target=haul, args=words)
    first.start()
    time.sleep(1.5)
    done = haul(*words, code=None, timeout=60)
    held.set()
    first.join()
    assert done.code == 6 and "another process" in done.err
    assert whole(mssql, "dbo.o", orders)


# ---- killed at one moment (at random ones: test_mssql_kill.py) ----

def start(folder, words):
    return subprocess.Popen([HAUL, *map(str, words)], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(haul, *words):
    """The run again, until the killed one's session is gone."""
    for _ in range(40):
        done = haul(*words, code=None)
        if "another process" not in done.err:
            break
        time.sleep(0.25)
    assert done.code == 0, done


def test_killed_while_a_claim_is_on_its_way(one, haul, orders, tmp_path, monkeypatch):
    """The client is gone before its claim has reached the table: the claim goes with its transaction.

    The worst order of the server's two threads is forced: were the session's ROLLBACK to come first, the claim would stay."""
    from tds.engine import Engine
    words = ["copy", "orders.parquet", one.uri(more=TRUST), "--table", "o", "--mode", "append", "--unit-rows", "500", "--workers", "1", "--run", "early"]
    fresh(one, "dbo.o", COLUMNS)
    plain, claims, running, victim = Engine.run, itertools.count(1), [], []
    rolled_back, executed = threading.Event(), threading.Event()

    def run(engine, sql, arguments=None):
        if "haul_units" in sql and sql.startswith("INSERT") and next(claims) == 3:
            victim.append(engine)
            running[0].kill()
            rolled_back.wait(1)
            try:
                return plain(engine, sql, arguments)
            finally:
                executed.set()
        try:
            return plain(engine, sql, arguments)
        finally:
            if sql == "ROLLBACK" and engine in victim:
                rolled_back.set()
                executed.wait(10)

    monkeypatch.setattr(Engine, "run", run)
    running.append(start(tmp_path, [*words, "--restart"]))
    running[0].communicate(timeout=60)
    assert executed.wait(10) and running[0].returncode == -signal.SIGKILL
    finish(haul, *words)
    assert whole(one, "dbo.o", orders) and left_behind(one) == ([], 0)


def test_a_claim_without_its_unit_ends_the_run_and_stays(one, haul, orders, monkeypatch):
    """As if the server had committed the claim of the first unit alone: not done, not forgotten, and done once somebody has looked."""
    from tds.engine import Engine
    words = ["copy", "orders.parquet", one.uri(more=TRUST), "--table", "o", "--mode", "append", "--unit-rows", "500", "--workers", "1", "--run", "alone"]
    fresh(one, "dbo.o", COLUMNS)
    plain, claims = Engine.run, itertools.count(1)

    def run(engine, sql, arguments=None):
        if "haul_units" in sql and sql.startswith("INSERT") and next(claims) == 1:
            one.ask("INSERT INTO dbo.haul_units (run, part, first_row) VALUES (N'alone', 0, 0)")
        return plain(engine, sql, arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "run", run)
        assert "holds no receipt" in haul(*words, "--restart", code=4).err
    done = haul(*words, code=4)
    assert "row 0 holds no receipt" in done.err and "dbo.o" in done.err and count(one, "dbo.o") == 0
    one.ask("DELETE FROM dbo.haul_units WHERE run = N'alone' AND first_row = 0")
    haul(*words)
    assert whole(one, "dbo.o", orders) and left_behind(one) == ([], 0)


# ---- rights ----

def test_insert_and_select_are_enough(mssql, haul, orders):
    """No right to make a table: at least once, and the run says so."""
    fresh(mssql, "dbo.o", COLUMNS)
    mssql.ask("CREATE LOGIN loader WITH PASSWORD = 'Load3r!'", "GRANT SELECT, INSERT ON dbo.o TO loader")
    done = haul("copy", "orders.parquet", mssql.uri(user="loader", more=TRUST), "--table", "dbo.o", "--mode", "append", "--ledger", "ledgerless")
    assert "at least once" in done.err and whole(mssql, "dbo.o", orders)
    assert mssql.ask("SELECT OBJECT_ID(N'dbo.ledgerless_runs')") == [(None,)]
    said = haul("copy", "orders.parquet", mssql.uri(user="loader", more=TRUST), "--table", "dbo.o", "--mode", "append", "--ledger", "ledgerless", "--dry-run").out
    assert "at least once" in said and "grant CREATE TABLE" in said, said


# ---- server to server, memory ----

def test_server_to_server(sqlserver, stricter, haul, tmp_path):
    edges_table(sqlserver, "dbo.edges_in")
    definition = edges_table(stricter, "dbo.edges_there")
    fresh(stricter, "dbo.edges_there", definition)
    haul("copy", sqlserver.uri(more=TRUST), stricter.uri(more=TRUST), "--source-table", "dbo.edges_in", "--target-table", "dbo.edges_there", "--mode", "append", "--strict")
    assert stricter.ask("SELECT * FROM dbo.edges_there ORDER BY id") == sqlserver.ask("SELECT * FROM dbo.edges_in ORDER BY id")


def test_large_values_within_64_mib(one, haul, tmp_path):
    big = [("é" * 5_000_000 if row % 3 else None) for row in range(7)]
    pq.write_table(pa.table({"id": pa.array(range(7)), "wide": pa.array(big), "raw": pa.array([b"\0\xff" * 5_000_000] * 7)}), tmp_path / "big.parquet", row_group_size=1,
                   compression="zstd", use_dictionary=False)
    fresh(one, "dbo.large", "id int, wide nvarchar(max), raw varbinary(max)")
    script = f"exec {HAUL} copy big.parquet '{one.uri(more=TRUST)}' --table dbo.large --mode append --memory 64MiB --workers 1 --run large --restart"
    done = subprocess.run(["/usr/bin/time", "-f", "peak %M", "sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    peak = int(done.stderr.rsplit("peak ", 1)[1].split()[0])
    assert peak <= (64 + 32) * 1024, peak
    assert one.ask("SELECT COUNT(*), SUM(DATALENGTH(raw)), COUNT(wide) FROM dbo.large") == [(7, 70_000_000, 4)]
    haul("copy", one.uri(more=TRUST), "back.parquet", "--table", "dbo.large", "--memory", "256MiB")
    assert pq.read_table(tmp_path / "back.parquet").sort_by("id").column("wide").to_pylist() == big
