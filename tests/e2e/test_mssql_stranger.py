"""SQL Server's language spoken by others: every command against a server that knows little of its catalog.

STRICTER (tests/support/tds/personality.py) stands for servers by others that speak TDS; BARE besides has no view of
`sys` and no HAS_PERMS_BY_NAME. What haul asks of a catalog must have a way round it, and no statement may fail inside a
transaction because something is missing. Here each command runs once against both.
"""
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import HAUL

pytest.importorskip("sqlglot")
pytest.importorskip("psycopg2")

from tds.server import PASSWORD  # noqa: E402

TRUST = "TrustServerCertificate=yes"
ROWS = [(1, "é", 1.5), (2, None, -2.25), (3, "漢", 0.0)]
COLUMNS = "id int NOT NULL PRIMARY KEY, name nvarchar(30) NULL, x float NULL"


@pytest.fixture(params=["stricter", "bare"])
def other(request):
    return request.getfixturevalue(request.param)


def fresh(server, table, *rows, columns=COLUMNS):
    server.ask(f"IF OBJECT_ID(N'{table}') IS NOT NULL DROP TABLE {table}", *([f"CREATE TABLE {table} ({columns})"] if columns else []),
               *[f"INSERT INTO {table} VALUES ({i}, {'NULL' if name is None else repr(name).replace(chr(39), 'N' + chr(39), 1)}, {x})" for i, name, x in rows])


def source(folder, rows=ROWS):
    ids, names, numbers = zip(*rows)
    pq.write_table(pa.table({"id": pa.array(ids, pa.int32()), "name": pa.array(names, pa.string()), "x": pa.array(numbers, pa.float64())}), folder / "in.parquet")


def there(server, table):
    return server.ask(f"SELECT id, name, x FROM {table} ORDER BY id")


@pytest.mark.parametrize("mode", ["create", "append", "truncate", "replace"])
def test_in(other, haul, tmp_path, mode):
    source(tmp_path)
    old = [] if mode in ("create", "append") else [(9, "old", 9)]
    fresh(other, "dbo.there", *old, columns=None if mode == "create" else COLUMNS if mode != "replace" else COLUMNS.replace(" PRIMARY KEY", ""))
    haul("copy", "in.parquet", other.uri(more=TRUST), "--table", "dbo.there", "--mode", mode, *([] if mode == "append" else ["--verify"]))
    assert there(other, "dbo.there") == ROWS
    assert other.ask("SELECT name FROM sys.tables WHERE name LIKE '%[_][_]haul[_]%'") == []


def test_an_unnamed_schema_and_a_dry_run(other, haul, tmp_path):
    source(tmp_path)
    fresh(other, "dbo.plain", columns=None)
    assert "INSERT BULK" in haul("copy", "in.parquet", other.uri(more=TRUST), "--table", "plain", "--dry-run").out
    haul("copy", "in.parquet", other.uri(more=TRUST), "--table", "plain")
    assert there(other, "dbo.plain") == ROWS


def test_merge(other, haul, tmp_path):
    source(tmp_path)
    fresh(other, "dbo.merged", (2, "old", 7), (5, "stays", 8))
    haul("copy", "in.parquet", other.uri(more=TRUST), "--table", "dbo.merged", "--mode", "merge")
    haul("copy", "in.parquet", other.uri(more=TRUST), "--table", "dbo.merged", "--mode", "merge", "--key", "id")
    assert there(other, "dbo.merged") == [*ROWS, (5, "stays", 8)]
    other.ask("IF OBJECT_ID(N'dbo.loose') IS NOT NULL DROP TABLE dbo.loose", "CREATE TABLE dbo.loose (id int, name nvarchar(30), x float)")
    assert "need not be unique" in haul("copy", "in.parquet", other.uri(more=TRUST), "--table", "dbo.loose", "--mode", "merge", "--key", "id", code=6).err


@pytest.mark.parametrize("more", [[], ["--workers", "2", "--split", "key", "--key", "id"], ["--query", "SELECT id, name, x FROM dbo.out_"],
                                  ["--where", "id < 9"]], ids=["table", "key", "query", "where"])
def test_out(other, haul, tmp_path, more):
    fresh(other, "dbo.out_", *ROWS)
    words = more if "--query" in more else ["--table", "dbo.out_", *more]
    haul("copy", other.uri(more=TRUST), "out.parquet", *words)
    assert [tuple(row.values()) for row in pq.read_table(tmp_path / "out.parquet").sort_by("id").to_pylist()] == ROWS


def test_one_moment_without_a_database_snapshot(other, haul, tmp_path):
    fresh(other, "dbo.moment", *ROWS)
    haul("copy", other.uri(more=TRUST), "out.parquet", "--table", "dbo.moment", "--consistent", "--workers", "2", "--split", "key", "--key", "id", "--summary", "s.json")
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 3
    assert '"snapshot"' in (tmp_path / "s.json").read_text()


def test_list_ping_look(other, haul):
    fresh(other, "dbo.listed", *ROWS)
    assert "listed" in haul("list", other.uri(more=TRUST)).out
    assert "Microsoft SQL Server" in haul("ping", other.uri(more=TRUST)).out
    said = haul("ping", other.uri(more=TRUST), "--table", "dbo.listed").out
    assert "dbo.listed" in said
    near = haul("copy", other.uri(more=TRUST), "x.parquet", "--table", "dbo.listde", code=None)
    assert near.code and "listed" in near.err


def test_verify(other, haul, tmp_path):
    fresh(other, "dbo.checked", *ROWS)
    haul("copy", other.uri(more=TRUST), "out.parquet", "--table", "dbo.checked", "--workers", "1")
    haul("verify", other.uri(more=TRUST), "out.parquet", "--source-table", "dbo.checked")
    other.ask("UPDATE dbo.checked SET x = 8 WHERE id = 2")
    haul("verify", other.uri(more=TRUST), "out.parquet", "--source-table", "dbo.checked", code=4)


def test_rows_refused_and_a_run_of_two(other, haul, tmp_path):
    source(tmp_path)
    fresh(other, "dbo.strict_", (2, "there", 1))
    haul("copy", "in.parquet", other.uri(more=TRUST), "--table", "dbo.strict_", "--mode", "append", "--max-errors", "3", code=3)
    assert [row[0] for row in there(other, "dbo.strict_")] == [1, 2, 3]


def test_export_and_import(other, haul, tmp_path):
    given = ["--server", f"127.0.0.1,{other.port}", "--database", "master", "--username", "sa", "--trust-cert"]
    env = {"SQLCMDPASSWORD": PASSWORD}
    fresh(other, "dbo.Moved", *ROWS)
    haul("export", *given, "-t", "Moved", "-o", "out", "-f", 2, env=env)
    fresh(other, "dbo.Moved")
    haul("import", "out/dbo_Moved_manifest.json", *given, "-t", "Moved", "--combine", env=env)
    assert there(other, "dbo.Moved") == ROWS
    fresh(other, "dbo.Moved")
    haul("import", "out/dbo_Moved_manifest.json", *given, "-t", "Moved", "-w", 2, "--cci", env=env)
    haul("combine", "out/dbo_Moved_import_manifest.json", *given, "-t", "Moved", env=env)
    assert there(other, "dbo.Moved") == ROWS


def test_bcp(other, tmp_path):
    fresh(other, "dbo.bcped", *ROWS)

    def bcp(*words):
        done = subprocess.run([HAUL, "bcp", *words, "-S", f"127.0.0.1,{other.port}", "-U", "sa", "-P", PASSWORD, "-u"], cwd=tmp_path, capture_output=True,
                              text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr

    for form in ("-n", "-w", "-c"):
        bcp("master.dbo.bcped", "out", "t.bcp", form)
        bcp("master.dbo.bcped", "format", "nul", form, "-f", "t.fmt")
        fresh(other, "dbo.bcped")
        bcp("master.dbo.bcped", "in", "t.bcp", form)
        got = there(other, "dbo.bcped")
        assert got == ROWS if form != "-c" else [row[0] for row in got] == [1, 2, 3]
        fresh(other, "dbo.bcped", *ROWS)
