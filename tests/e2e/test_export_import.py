"""export, import, combine, inspect, purge: a PyButt user's day, and what goes wrong in it.

SQL Server is tests/support/tds; the same commands run against SQLite by a URI. What is
written is read by pyarrow, and manifests are what PyButt 2.0 reads.
"""
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import HAUL, ROOT, TRIALS, make_orders, rows_of


def customers(server, name, rows=1000):
    server.ask(f"CREATE TABLE dbo.{name} (CustomerID int NOT NULL PRIMARY KEY, Name nvarchar(60), Amount decimal(18,2))",
               *[f"INSERT INTO dbo.{name} VALUES " + ", ".join(
                   f"({i}, {'NULL' if i % 7 == 0 else f'''N'näme {i}' '''}, {i}.25)" for i in range(start, min(start + 500, rows)))
                 for start in range(0, rows, 500)])


def words(server):
    """The options of a connection, as PyButt's users write them; the password comes from SQLCMDPASSWORD."""
    return ["--server", f"127.0.0.1,{server.port}", "--database", "master", "--username", "sa", "--trust-cert"]


@pytest.fixture
def butt(haul):
    from tds.server import PASSWORD

    def run(*given, code=0, env=None, **more):
        done = haul(*given, code=code, env={"SQLCMDPASSWORD": PASSWORD, **(env or {})}, **more)
        assert PASSWORD not in done.out + done.err
        return done

    return run


def manifest(path):
    return json.loads(path.read_text())


# ---- export ----


def test_export_a_table(mssql, butt, tmp_path):
    customers(mssql, "Customers")
    done = butt("export", *words(mssql), "--table", "Customers", "--output-path", "./exports/customers", "--worker-count", 4,
                "--file-count", 4)
    made = manifest(tmp_path / "exports/customers/dbo_Customers_manifest.json")
    assert made["version"] == 2 and made["type"] == "files" and made["rows"] == 1000
    assert all(isinstance(e, str) for e in made["entries"]) and [f["name"] for f in made["files"]] == made["entries"]
    assert made["entries"][0] == "dbo_Customers_part_00000.parquet"
    table = pa.concat_tables([pq.read_table(tmp_path / "exports/customers" / e) for e in made["entries"]]).sort_by("CustomerID")
    assert table.num_rows == 1000 and table.column("Name").to_pylist()[:3] == [None, "näme 1", "näme 2"]
    assert "1000 rows" in done.err
    mssql.ask("DROP TABLE dbo.Customers")


def test_the_log_says_how_a_table_is_cut(sqlserver, butt, tmp_path):
    customers(sqlserver, "Cut")
    sqlserver.ask("CREATE TABLE dbo.Heap (a int NOT NULL, b int)", "INSERT INTO dbo.Heap SELECT CustomerID, 1 FROM dbo.Cut")
    four = ["-o", "out", "-w", 2, "-f", 4]
    assert "4 parts, by ranges of [CustomerID]" in butt("export", *words(sqlserver), "-t", "Cut", *four).err
    assert "4 parts, by ranges of [Name]" in butt("export", *words(sqlserver), "-t", "Cut", "-P", "Name", *four).err
    assert "4 parts, by the checksum of [CustomerID]" in butt("export", *words(sqlserver), "-t", "Cut", "--split", "checksum", *four).err
    assert "one part: the table has no key" in butt("export", *words(sqlserver), "-t", "Heap", *four).err
    done = butt("export", *words(sqlserver), "-t", "Cut", *four, "-V")
    assert sorted(line.split(":")[1] for line in done.err.splitlines() if "rows are in" in line) == [f" part {n} of 4, from row 0 on" for n in range(1, 5)]


def test_export_again_replaces(sqlserver, butt, tmp_path):
    customers(sqlserver, "Again", 20)
    butt("export", *words(sqlserver), "-t", "Again", "-o", "out", "-f", 4, "-w", 2)
    sqlserver.ask("DELETE FROM dbo.Again WHERE CustomerID >= 3")
    butt("export", *words(sqlserver), "-t", "Again", "-o", "out", "-m", "mine.json")
    made = manifest(tmp_path / "out/mine.json")
    assert made["entries"] == ["dbo_Again_part_00000.parquet"] and made["rows"] == 3
    assert sorted(p.name for p in (tmp_path / "out").glob("*.parquet")) == made["entries"]


def test_export_columns_views_and_empty_tables(sqlserver, butt, tmp_path):
    customers(sqlserver, "Looked", 50)
    sqlserver.ask("CREATE VIEW dbo.LookedView AS SELECT CustomerID, Amount FROM dbo.Looked WHERE CustomerID < 10",
                  "CREATE TABLE dbo.Nothing (a int, b varchar(10))")
    butt("export", *words(sqlserver), "-t", "Looked", "-o", "cols", "--columns", "Amount,CustomerID", "--pk-column", "CustomerID",
         "--file-count", 8)
    assert pq.read_schema(next((tmp_path / "cols").glob("*_part_00000.parquet"))).names == ["Amount", "CustomerID"]
    butt("export", *words(sqlserver), "-t", "LookedView", "-o", "view")
    assert pq.read_table(tmp_path / "view/dbo_LookedView_part_00000.parquet").num_rows == 10
    butt("export", *words(sqlserver), "-t", "Nothing", "-o", "nothing")
    made = manifest(tmp_path / "nothing/dbo_Nothing_manifest.json")
    assert len(made["entries"]) == 1 and pq.read_table(tmp_path / "nothing" / made["entries"][0]).column_names == ["a", "b"]


def test_export_from_any_database(haul, tmp_path):
    make_orders(tmp_path / "shop.db", 3000)
    haul("export", "-s", "sqlite:///shop.db", "-t", "orders", "-o", "out", "-w", 2, "-f", 3)
    made = manifest(tmp_path / "out/orders_manifest.json")
    assert len(made["entries"]) == 3 and made["rows"] == 3000


def test_both_spellings(haul, tmp_path):
    make_orders(tmp_path / "shop.db", 100)
    haul("copy", "sqlite:///shop.db", "a/", "--table", "orders", "--to", "parquet", "--worker-count", 2, "--file-count", 2)
    haul("export", "-s", "sqlite:///shop.db", "-t", "orders", "-o", "b", "--workers", 2, "--files", 2)
    assert sorted(os.listdir(tmp_path / "a")) == sorted(os.listdir(tmp_path / "b"))
    assert "--worker-count" in haul("help", "copy").out and "--workers" in haul("export", "-?").out


def test_words_that_are_accepted(haul, tmp_path):
    make_orders(tmp_path / "shop.db", 100)
    done = haul("export", "-s", "sqlite:///shop.db", "-t", "orders", "-o", "b", "-e", "pyodbc", "-F", 1000, "-D", "ODBC Driver 18",
                "--mem-heartbeat", 0, "--mem-threshold", 50, "--mem-sleep", 1, "--mem-max-wait", 1, "--mem-cooldown", 1, "-V")
    for word in ("--engine pyodbc", "--fetch-size", "--driver", "--mem-sleep", "--memory is"):
        assert word in done.err
    for engine in ("odbc", "adbc"):
        assert "not there yet" in haul("export", "-s", "sqlite:///shop.db", "-t", "orders", "-o", "b", "-e", engine, code=1).err


def test_the_heartbeat(haul, tmp_path):
    make_orders(tmp_path / "shop.db", 1000)
    done = haul("export", "-s", "sqlite:///shop.db", "-t", "orders", "-o", "b", "--mem-heartbeat", "0.001")
    assert "memory: " in done.err and "MiB at most" in done.err
    assert "memory: " not in haul("export", "-s", "sqlite:///shop.db", "-t", "orders", "-o", "b", "--mem-heartbeat", 0).err


def test_habits_that_clash(haul, tmp_path):
    make_orders(tmp_path / "shop.db", 10)
    done = haul("export", "-s", "sqlite:///shop.db", "-t", "orders", "-o", "b", "-P", "hunter2", code=2)
    assert "user is -u, password is -p" in done.err and "hunter2" not in done.err
    done = haul("export", "-U", "me", "-s", "x", code=2)
    assert "user is -u, password is -p" in done.err
    done = haul("export", "-s", "no-such-host-SQL01", "-d", "x", "-t", "y", "-o", "z", "-u", "me", "-p", "hunter2", code=5)
    assert "backslash" in done.err and "hunter2" not in done.err


BAD_WORDS = [
    (["-o", "z", "-t", "y", "-d", "x"], "no --server"),
    (["-s", "h", "-o", "z", "-t", "y"], "no --database"),
    (["-s", "h", "-d", "x", "-o", "z"], "no --table"),
    (["-s", "h", "-d", "x", "-t", "y"], "no --output-path"),
    (["-s", "h", "-d", "x", "-t", "y", "-o", "z", "--packet-size", "511"], "512 to 32767"),
    (["-s", "h", "-d", "x", "-t", "y", "-o", "z", "--packet-size", "32768"], "512 to 32767"),
    (["-s", "h", "-d", "x", "-t", "y", "-o", "z", "--parameters", "1,2; DROP TABLE x"], "--parameters: number 2"),
    (["-s", "h", "-d", "x", "-t", "y", "-o", "z", "--parameters", "'open"], "--parameters: number 1"),
    (["-s", "h", "-d", "x", "-t", "y", "-o", "z", "--parameters", "GETDATE()"], "--parameters: number 1"),
    (["-s", "h", "-d", "x", "-t", "y", "-o", "z", "--mem-threshold", "101"], "percentage"),
    (["-s", "h", "-d", "x", "-t", "y", "-o", "z", "--mem-heartbeat", "often"], "number of seconds"),
    (["-s", "h", "-d", "x", "-t", "y", "-o", "z", "-u", "a", "-T"], "leave --username out"),
    (["-s", "h", "-d", "x", "-t", "y", "-o", "z", "-p", "hunter2"], "needs a --username"),
    (["-s", "sqlite:///a.db", "-d", "x", "-t", "y", "-o", "z"], "--database is a part of"),
    (["-s", "sqlite:///shop.db", "-t", "orders", "-o", "z", "-m", "../up.json"], "without a folder"),
    (["-s", "sqlite:///shop.db", "-t", "orders", "-o", "z", "-C", "id,nothing"], "nothing"),
]


@pytest.mark.parametrize("given,says", BAD_WORDS)
def test_words_that_are_wrong(haul, tmp_path, given, says):
    make_orders(tmp_path / "shop.db", 10)
    done = haul("export", *given, code=None)
    assert done.code in (2, 5) and says in done.err and "hunter2" not in done.err
    assert not (tmp_path / "z").exists() or not os.listdir(tmp_path / "z")


# ---- import ----


def exported(haul, tmp_path, rows=3000, files=3, rowgroup=500):
    make_orders(tmp_path / "shop.db", rows)
    haul("export", "-s", "sqlite:///shop.db", "-t", "orders", "-o", "out", "-f", files, "-R", rowgroup)
    return tmp_path / "out/orders_manifest.json"


def empty_like(tmp_path, name="target.db"):
    db = sqlite3.connect(tmp_path / name)
    db.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, name TEXT, qty INTEGER, price REAL, raw BLOB)")
    db.commit()
    db.close()
    return f"sqlite:///{name}"


@pytest.mark.parametrize("mode,units", [("batch", 3), ("rowgroup", 6), ("file", 3)])
def test_import_in_three_modes(haul, tmp_path, mode, units):
    """A unit is so many rows, a row group, or a file: the ledger of SQLite tells while the run is unfinished."""
    path = exported(haul, tmp_path)
    target = empty_like(tmp_path)
    haul("import", path, "--server", target, "--table", "orders", "-M", mode, "-b", 1000)
    assert rows_of(tmp_path / "target.db") == rows_of(tmp_path / "shop.db")
    plan = json.loads(haul("import", path, "--server", target, "--table", "orders", "-M", mode, "-b", 1000, "--dry-run", "--json").out)
    assert len(plan["parts"]) == {"batch": 3, "rowgroup": 6, "file": 3}[mode]
    assert plan["unit_rows"] == (1000 if mode == "batch" else 2**63 - 1)


def test_import_appends(haul, tmp_path):
    path = exported(haul, tmp_path, 100, 1)
    target = empty_like(tmp_path)
    db = sqlite3.connect(tmp_path / "target.db")
    db.execute("INSERT INTO orders VALUES (0, 'before', 1, 1.5, NULL)")
    db.commit()
    haul("import", path, "-s", target, "-t", "orders")
    assert len(rows_of(tmp_path / "target.db")) == 101
    done = haul("import", path, "-s", target, "-t", "orders", code=6)  # the keys are there
    assert "UNIQUE" in done.err or "unique" in done.err


# ---- staging tables ----


class Base:
    """A database of the server, this file's own."""

    def __init__(self, server, name):
        self.server, self.name = server, name

    def __getattr__(self, what):
        return lambda *given, **more: getattr(self.server, what)(*given, **{"database": self.name, **more})


@pytest.fixture
def pg(postgres, haul):
    """haul with the server's password, and a fresh table public.orders."""
    if postgres.sql("SELECT count(*) FROM pg_database WHERE datname = 'exports'") == "0":
        postgres.sql("CREATE DATABASE exports")
    postgres = Base(postgres, "exports")
    columns = "id bigint, name text, qty bigint, price float8, raw bytea"
    postgres.sql("DROP TABLE IF EXISTS orders", f"CREATE TABLE orders ({columns})")
    for table in postgres.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'orders'").split():
        postgres.sql(f'DROP TABLE "{table}"')

    def run(*given, **more):
        return haul(*given, env=postgres.environment(), **more)

    run.server = postgres
    run.words = ["-s", postgres.uri(), "-t", "orders"]
    run.rows = lambda: postgres.rows("SELECT * FROM orders")
    run.tables = lambda: sorted(t for t in postgres.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").split()
                                if t.startswith("orders_"))
    return run


def expected(postgres, haul, tmp_path):
    """What public.orders holds after one straight copy."""
    postgres.sql("TRUNCATE orders")
    haul("copy", "shop.db", postgres.uri(), "--table", "orders", "--mode", "append", env=postgres.environment())
    rows = postgres.rows("SELECT * FROM orders")
    postgres.sql("TRUNCATE orders")
    return rows


def test_import_by_staging_tables_then_combine_and_purge(pg, haul, tmp_path):
    path = exported(haul, tmp_path)
    wanted = expected(pg.server, haul, tmp_path)
    done = pg("import", path, *pg.words, "-w", 2)
    made = manifest(tmp_path / "out/public_orders_import_manifest.json")
    assert made["version"] == 2 and made["type"] == "tables" and len(made["entries"]) == 2 and made["rows"] == 3000
    assert [e.split(".")[1] for e in made["entries"]] == pg.tables() and "haul combine" in done.err
    assert pg.rows() == []
    done = pg("combine", "out/public_orders_import_manifest.json", *pg.words)
    assert pg.rows() == wanted and pg.tables() == [] and "3000 rows" in done.err
    combined = manifest(tmp_path / "out/public_orders_import_manifest_combined.json")
    assert combined["type"] == "tables" and combined["entries"] == ["public.orders"] or combined["entries"] == ["orders"]
    # Again: done once.
    done = pg("combine", "out/public_orders_import_manifest.json", *pg.words, code=None)
    assert pg.rows() == wanted


def test_an_import_that_was_not_combined_is_not_lost(pg, haul, tmp_path):
    path = exported(haul, tmp_path)
    pg("import", path, *pg.words, "-w", 2)
    tables = pg.tables()
    done = pg("import", path, *pg.words, "-w", 2)
    assert pg.tables() == tables and "not combined yet" in done.err and "already complete" in done.err
    done = pg("import", path, *pg.words, "-w", 3, code=4)
    assert "--restart" in done.err and pg.tables() == tables
    pg("import", path, *pg.words, "-w", 3, "--restart")
    assert len(pg.tables()) == 3 and not set(tables) & set(pg.tables())


@pytest.mark.sanitize
def test_import_and_combine_in_one_go(pg, haul, tmp_path):
    path = exported(haul, tmp_path)
    wanted = expected(pg.server, haul, tmp_path)
    pg("import", path, *pg.words, "-w", 4, "--combine")
    assert pg.rows() == wanted and pg.tables() == []
    assert sorted(os.listdir(tmp_path / "out")) == ["orders_manifest.json", *(f"orders_part_0000{i}.parquet" for i in range(3))]


def test_import_refuses_what_does_not_fit_before_anything_is_made(pg, haul, tmp_path):
    path = exported(haul, tmp_path)
    pg.server.sql("ALTER TABLE orders DROP COLUMN qty, DROP COLUMN raw")
    done = pg("import", path, *pg.words, "-w", 2, code=6)
    for column in ("qty", "raw"):
        assert f'"{column}"' in done.err
    assert pg.tables() == [] and not list((tmp_path / "out").glob("*import*"))


@pytest.mark.parametrize("mode", ["batch", "rowgroup", "file"])
def test_import_killed_and_run_again(pg, haul, tmp_path, rng, mode):
    """Killed at random moments with four workers, then run again: every row once."""
    path = exported(haul, tmp_path, 60000, 6, 2500)
    wanted = expected(pg.server, haul, tmp_path)
    for combine in ([], ["--combine"]):
        for _ in range(max(2, TRIALS // 10)):
            pg.server.sql("TRUNCATE orders")
            command = ["import", str(path), *pg.words, "-w", "4", "-M", mode, "-b", "1000", *combine]
            for _ in range(3):
                child = subprocess.Popen([HAUL, *command], cwd=tmp_path, stderr=subprocess.DEVNULL,
                                         env={**os.environ, **pg.server.environment()})
                try:
                    child.wait(rng.uniform(0.02, 0.8))
                    break
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
                if combine and pg.rows() == wanted and not list((tmp_path / "out").glob(".*import*")):
                    break  # killed when all was done: nothing is left to say so
            else:
                pg(*command)
            if not combine:
                pg("combine", "out/public_orders_import_manifest.json", *pg.words)
            assert pg.rows() == wanted and pg.tables() == []


# ---- combine of files, inspect, purge ----


def test_combine_files_of_a_manifest(haul, tmp_path):
    path = exported(haul, tmp_path)
    haul("combine", path, "--output-file", "out/combined.parquet")
    assert pq.read_metadata(tmp_path / "out/combined.parquet").num_row_groups == 6
    made = manifest(tmp_path / "out/orders_manifest_combined.json")
    assert made["entries"] == ["combined.parquet"] and made["type"] == "files" and made["rows"] == 3000
    haul("combine", path, "-o", "out/combined.parquet", "-R", 1000, "-m", "mine.json")  # again, regrouped
    assert pq.read_metadata(tmp_path / "out/combined.parquet").num_row_groups == 3
    assert manifest(tmp_path / "out/mine.json")["entries"] == ["combined.parquet"]
    haul("copy", "out/mine.json", "again.parquet")
    assert pq.read_table(tmp_path / "again.parquet").num_rows == 3000
    assert "no --output-file" in haul("combine", path, code=2).err


def test_inspect_a_manifest(haul, tmp_path):
    path = exported(haul, tmp_path)
    out = haul("inspect", path).out
    assert out.count("orders_part_0000") == 3 and "1,000 rows" in out
    for letter in ("-v", "-V", "--verbose"):
        assert "price" in haul("inspect", path, letter).out


def test_purge_files(haul, tmp_path):
    path = exported(haul, tmp_path)
    (tmp_path / "out/mine.parquet").write_bytes(b"mine")
    done = haul("purge", path, "--dry-run")
    assert done.out.count("would remove") == 4 and len(os.listdir(tmp_path / "out")) == 5
    (tmp_path / "out/orders_part_00001.parquet").unlink()
    done = haul("purge", path, "--json")
    said = json.loads(done.out)
    assert len(said["removed"]) == 2 and said["missing"] == ["orders_part_00001.parquet"]
    assert os.listdir(tmp_path / "out") == ["mine.parquet"]
    assert "No such file" in haul("purge", path, code=1).err


@pytest.mark.parametrize("name", ["../keep.parquet", "/etc/hostname", "link.parquet", "deep/../../keep.parquet", "deep"])
def test_purge_never_leaves_its_folder(haul, tmp_path, name):
    path = exported(haul, tmp_path)
    (tmp_path / "keep.parquet").write_bytes(b"mine")
    (tmp_path / "out/link.parquet").symlink_to(tmp_path / "keep.parquet")
    (tmp_path / "out/deep").mkdir()
    made = manifest(path)
    path.write_text(json.dumps({"version": 2, "type": "files", "entries": [*made["entries"], name]}))
    haul("purge", path, code=1)
    assert (tmp_path / "keep.parquet").exists() and len(list((tmp_path / "out").glob("orders_part*"))) == 3 and path.exists()


def test_purge_leaves_a_file_that_is_another(haul, tmp_path):
    path = exported(haul, tmp_path)
    (tmp_path / "out/orders_part_00002.parquet").write_bytes(b"mine")
    assert "another file" in haul("purge", path, code=4).err
    assert len(list((tmp_path / "out").glob("orders_part*"))) == 3


def test_purge_tables(pg, haul, tmp_path):
    path = exported(haul, tmp_path)
    pg("import", path, *pg.words, "-w", 2)
    made = tmp_path / "out/public_orders_import_manifest.json"
    listed = manifest(made)
    made.write_text(json.dumps({**listed, "entries": [*listed["entries"], "other.t"]}))
    assert "schema public" in pg("purge", made, "-s", pg.server.uri(), code=2).err and len(pg.tables()) == 2
    made.write_text(json.dumps(listed))
    assert "--server" in pg("purge", made, code=2).err
    assert "would remove table public.orders_01" in pg("purge", made, "-s", pg.server.uri(), "-n").out and len(pg.tables()) == 2
    pg("purge", made, "-s", pg.server.uri())
    assert pg.tables() == [] and not made.exists() and pg.server.sql("SELECT count(*) FROM orders") == "0"


def test_purge_asks_on_a_terminal(haul, tmp_path):
    import pty
    path = exported(haul, tmp_path)
    for answer, left in ((b"\n", 4), (b"y\n", 0)):
        parent, child = pty.openpty()
        os.write(parent, answer)
        done = subprocess.run([HAUL, "purge", path], stdin=child, stderr=child, stdout=subprocess.PIPE, timeout=60)
        os.close(child)
        os.close(parent)
        assert done.returncode == 0 and len(os.listdir(tmp_path / "out")) == left


BAD_MANIFESTS = [
    ("not json", "not JSON"), ('{"version":3,"type":"files","entries":[]}', "version 3"), ('{"version":2,"entries":[]}', "not a manifest"),
    ('{"version":2,"type":"tables","entries":["dbo.T"]}', "lists tables"), ('{"version":2,"type":"files","entries":["gone.parquet"]}', "gone.parquet"),
    ('{"version":2,"type":"files","entries":["/etc/passwd"]}', "absolute"), ('{"version":2,"type":"files","entries":["../x.parquet"]}', "leaves"),
    ('["a.parquet","a.parquet"]', "twice"), ('{"version":2,"type":"files","entries":[7]}', "no name"), ("[]", "lists no files"),
]


@pytest.mark.parametrize("text,says", BAD_MANIFESTS)
def test_import_of_bad_manifests(haul, tmp_path, text, says):
    target = empty_like(tmp_path)
    (tmp_path / "bad.json").write_text(text)
    for workers in (1, 4):
        done = haul("import", "bad.json", "-s", target, "-t", "orders", "-w", workers, code=None)
        assert done.code in (2, 4, 5) and says in done.err, done
    assert rows_of(tmp_path / "target.db") == []


def test_a_tables_manifest_wants_its_server(haul, tmp_path):
    (tmp_path / "t.json").write_text('{"version":2,"type":"tables","entries":["dbo.T_01_a1b2c3d4"]}')
    assert "--server" in haul("combine", "t.json", code=2).err
    assert "--table" in haul("combine", "t.json", "-s", "sqlite:///x.db", code=2).err


@pytest.mark.parametrize("gone", ["first", "all"])
def test_combine_killed_while_it_drops_its_staging_tables(pg, haul, tmp_path, gone):
    """All rows are in, some or all staging tables are gone, nothing says that it is done: run again it is."""
    path = exported(haul, tmp_path)
    wanted = expected(pg.server, haul, tmp_path)
    pg("import", path, *pg.words, "-w", 3)
    tables = pg.tables()
    pg.server.sql(*[f"CREATE TABLE keep_{n} AS SELECT * FROM {t}" for n, t in enumerate(tables)])
    pg("combine", "out/public_orders_import_manifest.json", *pg.words)
    combined = tmp_path / "out/public_orders_import_manifest_combined.json"
    before, _ = manifest(combined), combined.unlink()
    if gone == "first":
        pg.server.sql(*[f"ALTER TABLE keep_{n} RENAME TO {t}" for n, t in enumerate(tables) if n])
    done = pg("combine", "out/public_orders_import_manifest.json", *pg.words)
    assert "already complete" in done.err and manifest(combined) == {k: v for k, v in before.items() if k != "rows"}
    assert pg.rows() == wanted and pg.tables() == []


def test_combine_misses_a_staging_table_before_anything_is_moved(pg, haul, tmp_path):
    path = exported(haul, tmp_path)
    pg("import", path, *pg.words, "-w", 3)
    tables = pg.tables()
    for gone in (tables[1], tables[0], tables[2]):
        pg.server.sql(f"DROP TABLE {gone}")
        done = pg("combine", "out/public_orders_import_manifest.json", *pg.words, code=5)
        assert gone.split("_")[1] in done.err or "no table" in done.err
        assert pg.rows() == []


def test_staging_tables_that_lost_a_row_are_not_dropped(pg, haul, tmp_path):
    """The manifest says how many rows the import wrote; fewer come out: an error, each time, and the tables stay."""
    path = exported(haul, tmp_path)
    pg("import", path, *pg.words, "-w", 3)
    tables = pg.tables()
    pg.server.sql(f"DELETE FROM {tables[1]} WHERE id = (SELECT min(id) FROM {tables[1]})")
    for _ in range(2):
        done = pg("combine", "out/public_orders_import_manifest.json", *pg.words, code=4)
        assert "3000 rows, and 2999" in done.err and pg.tables() == tables


def test_pybutts_classes_by_staging_tables(pg, haul, haul_module, tmp_path, monkeypatch):
    path = exported(haul, tmp_path)
    wanted = expected(pg.server, haul, tmp_path)
    for name, value in pg.server.environment().items():
        monkeypatch.setenv(name, value)
    config = haul_module.SqlConfig(server=pg.server.uri())
    haul_module.Importer(config, "orders", path.parent, path.name, worker_count=3).perform_work()
    made = manifest(tmp_path / "out/public_orders_import_manifest.json")
    assert len(made["entries"]) == 3 and pg.rows() == []
    assert haul_module.TableCombine(config, "orders", made["entries"]).combine().rows == 3000
    assert pg.rows() == wanted and pg.tables() == []


def test_tables_that_are_no_staging_tables_stay(pg, haul, tmp_path):
    pg.server.sql("CREATE TABLE orders_a AS SELECT i::bigint AS id, 'x'::text AS name, NULL::bigint AS qty, NULL::float8 AS price, NULL::bytea AS raw "
                  "FROM generate_series(1, 10) AS i", "CREATE TABLE orders_b (raw bytea, id bigint, name text, price float8, qty bigint)",
                  "INSERT INTO orders_b (id, qty) VALUES (11, 7)")
    (tmp_path / "t.json").write_text('{"version":2,"type":"tables","entries":["public.orders_a","public.orders_b"]}')
    done = pg("combine", "t.json", *pg.words)
    assert len(pg.rows()) == 11 and pg.tables() == ["orders_a", "orders_b"] and "left as they are" in done.err
    assert pg.server.sql("SELECT qty FROM orders WHERE id = 11") == "7"


def test_export_from_a_function(sqlserver, butt, tmp_path):
    customers(sqlserver, "Asked", 50)
    sqlserver.ask("CREATE FUNCTION dbo.tvf_users (@below int, @name nvarchar(20), @year varchar(4)) RETURNS TABLE AS RETURN "
                  "(SELECT CustomerID, Name, @year AS y FROM dbo.Asked WHERE CustomerID < @below OR Name = @name)")
    butt("export", *words(sqlserver), "-t", "tvf_users", "--parameters", "3,'näme 20','1989'", "--output-path", "./exports/tvf_users")
    made = manifest(tmp_path / "exports/tvf_users/dbo_tvf_users_manifest.json")
    table = pq.read_table(tmp_path / "exports/tvf_users" / made["entries"][0])
    assert sorted(table["CustomerID"].to_pylist()) == [0, 1, 2, 20] and set(table["y"].to_pylist()) == {"1989"}
    assert butt("export", *words(sqlserver), "-t", "tvf_users", "-a", "3", "-o", "few", code=None).code in (2, 5)
    assert not (tmp_path / "few").exists() or not os.listdir(tmp_path / "few")
    assert "no function" in butt("export", *words(sqlserver), "-t", "Asked", "-a", "3", "-o", "none", code=None).err


# ---- PyButt 2.0 itself ----


@pytest.fixture
def pybutt(tmp_path):
    wheel = next(Path(sys.prefix, "foreign").glob("pybutt-2.0.0-*.whl"), None)
    if not wheel:
        pytest.skip("PyButt's wheel was not downloaded (tools/setup.sh tests)")

    def run(*given):
        done = subprocess.run([sys.executable, ROOT / "tests/support/pybutt_files.py", wheel, *map(str, given)], cwd=tmp_path,
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_pybutt_reads_what_haul_writes(haul, pybutt, tmp_path):
    path = exported(haul, tmp_path)
    names = [f"orders_part_0000{i}.parquet" for i in range(3)]
    assert json.loads(pybutt("load", path)) == [{"version": 2, "type": "files", "entries": names}, names]
    said = pybutt("inspect", path)
    assert said.count("rows: 1000") == 3 and "price: double" in said
    pybutt("combine", path, tmp_path / "out/by_pybutt.parquet")
    haul("verify", path, "out/by_pybutt.parquet")
    haul("combine", path, "-o", "out/by_haul.parquet")
    assert json.loads(pybutt("load", "out/orders_manifest_combined.json"))[1] == ["by_haul.parquet"]


def test_haul_reads_what_pybutt_writes(haul, pybutt, tmp_path):
    path = exported(haul, tmp_path)
    pybutt("combine", path, tmp_path / "out/by_pybutt.parquet")  # writes orders_manifest_combined.json
    target = empty_like(tmp_path)
    haul("import", "out/orders_manifest_combined.json", "-s", target, "-t", "orders", "-w", 2)
    assert rows_of(tmp_path / "target.db") == rows_of(tmp_path / "shop.db")
    pybutt("write", "out/again.json", "files", "orders_part_00002.parquet", "orders_part_00000.parquet")
    haul("copy", "out/again.json", "two.parquet")
    assert pq.read_table(tmp_path / "two.parquet").num_rows == 2000
    haul("purge", "out/again.json")
    assert len(list((tmp_path / "out").glob("orders_part*"))) == 1


def test_pybutt_reads_a_manifest_of_tables(pg, haul, pybutt, tmp_path):
    path = exported(haul, tmp_path)
    pg("import", path, *pg.words, "-w", 2)
    loaded, entries = json.loads(pybutt("load", "out/public_orders_import_manifest.json"))
    assert loaded["type"] == "tables" and [e.split(".")[1] for e in entries] == pg.tables()
    pybutt("write", "out/theirs.json", "tables", *entries)
    pg("combine", "out/theirs.json", *pg.words)
    assert len(pg.rows()) == 3000 and pg.tables() == []


def test_the_password_is_asked_for(sqlserver, tmp_path):
    """A user without a password, at a terminal: asked once, hidden; without one: an error at once."""
    from tds.server import PASSWORD
    from test_connect import at_a_terminal
    customers(sqlserver, "Guarded", 5)
    command = ["export", *words(sqlserver), "-t", "Guarded", "-o", "out"]
    shown, code = at_a_terminal(tmp_path, list(map(str, command)), PASSWORD)
    assert code == 0 and shown.count("Password for") == 1 and PASSWORD not in shown
    assert pq.read_table(tmp_path / "out/dbo_Guarded_part_00000.parquet").num_rows == 5
    env = {k: v for k, v in os.environ.items() if k != "SQLCMDPASSWORD"}
    done = subprocess.run([HAUL, *map(str, command)], cwd=tmp_path, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=30)
    assert done.returncode == 5, done


def test_staging_tables_in_mariadb(mariadb, haul, tmp_path):
    from servers import PASSWORD
    path = exported(haul, tmp_path)
    mariadb.sql("DROP TABLE IF EXISTS orders; CREATE TABLE orders (id bigint, name text, qty bigint, price double, raw blob)")
    base = mariadb.sql("SELECT DATABASE()")
    env, given = {"MYSQL_PWD": PASSWORD}, ["-s", mariadb.uri(), "-t", "orders"]
    haul("import", path, *given, "-w", 2, env=env)
    made = manifest(tmp_path / f"out/{base}_orders_import_manifest.json")
    assert len(made["entries"]) == 2 and made["entries"][0].startswith(f"{base}.orders_01_")
    haul("combine", f"out/{base}_orders_import_manifest.json", *given, env=env)
    haul("verify", "shop.db", given[1], "--table", "orders", env=env)
    assert "orders_0" not in mariadb.sql("SHOW TABLES")
    haul("import", path, *given, "-w", 3, "--combine", "-M", "file", env=env)
    assert mariadb.sql("SELECT count(*) FROM orders") == "6000" and "orders_0" not in mariadb.sql("SHOW TABLES")
    mariadb.sql("DROP TABLE orders")


# ---- SQL Server, there and back ----


@pytest.mark.parametrize("mode", ["batch", "rowgroup", "file"])
def test_import_into_sql_server(sqlserver, butt, tmp_path, mode):
    customers(sqlserver, "Round", 1000)
    sqlserver.ask("CREATE TABLE dbo.RoundBack (CustomerID int NOT NULL PRIMARY KEY, Name nvarchar(60), Amount decimal(18,2))")
    butt("export", *words(sqlserver), "-t", "Round", "-o", "out", "-f", 4, "-w", 2)
    butt("import", "out/dbo_Round_manifest.json", *words(sqlserver), "-t", "RoundBack", "-M", mode, "-b", 100)
    both = "SELECT CustomerID, Name, Amount FROM dbo.{} ORDER BY CustomerID"
    assert sqlserver.ask(both.format("RoundBack")) == sqlserver.ask(both.format("Round"))
    sqlserver.ask("DROP TABLE dbo.Round", "DROP TABLE dbo.RoundBack")


def columnstores(server, table):
    """Clustered columnstore indexes of its staging tables."""
    return server.ask("SELECT count(*) FROM sys.indexes AS i JOIN sys.tables AS t ON t.object_id = i.object_id "
                      f"WHERE t.name LIKE '{table}[_]0%' AND i.type_desc = 'CLUSTERED COLUMNSTORE'")[0][0]


def test_staging_tables_in_sql_server(sqlserver, butt, tmp_path):
    customers(sqlserver, "Staged", 1000)
    sqlserver.ask("CREATE TABLE dbo.StagedBack (CustomerID int NOT NULL PRIMARY KEY, Name nvarchar(60), Amount decimal(18,2))")
    butt("export", *words(sqlserver), "-t", "Staged", "-o", "out", "-f", 4)
    given = [*words(sqlserver), "-t", "StagedBack"]
    both = "SELECT CustomerID, Name, Amount FROM dbo.{} ORDER BY CustomerID"
    butt("import", "out/dbo_Staged_manifest.json", *given, "-w", 4)
    made = manifest(tmp_path / "out/dbo_StagedBack_import_manifest.json")
    assert len(made["entries"]) == 4 and made["entries"][0].startswith("dbo.StagedBack_01_")
    assert sqlserver.ask("SELECT count(*) FROM dbo.StagedBack")[0][0] == 0
    assert columnstores(sqlserver, "StagedBack") == 4
    said = butt("inspect", "out/dbo_StagedBack_import_manifest.json")
    assert all(entry in said.out for entry in made["entries"]), said
    assert "encrypt=optional" in butt("combine", "out/dbo_StagedBack_import_manifest.json", *given, "-n", "--dry-run").out
    assert "encrypt=mandatory" in butt("combine", "out/dbo_StagedBack_import_manifest.json", *given, "-e").err
    assert sqlserver.ask(both.format("StagedBack")) == sqlserver.ask(both.format("Staged"))
    assert sqlserver.ask("SELECT count(*) FROM sys.tables WHERE name LIKE 'StagedBack[_]0%'")[0][0] == 0
    sqlserver.ask("DELETE FROM dbo.StagedBack")
    butt("import", "out/dbo_Staged_manifest.json", *given, "-w", 2, "--no-cci", "--combine")
    assert sqlserver.ask(both.format("StagedBack")) == sqlserver.ask(both.format("Staged"))
    sqlserver.ask("DELETE FROM dbo.StagedBack")
    butt("import", "out/dbo_Staged_manifest.json", *given, "-w", 2, "--no-cci")
    assert columnstores(sqlserver, "StagedBack") == 0
    butt("purge", "out/dbo_StagedBack_import_manifest.json", *words(sqlserver))
    assert sqlserver.ask("SELECT count(*) FROM sys.tables WHERE name LIKE 'StagedBack[_]0%'")[0][0] == 0
    sqlserver.ask("DROP TABLE dbo.Staged", "DROP TABLE dbo.StagedBack")


@pytest.mark.parametrize("how", ["before", "after"])
@pytest.mark.parametrize("marker,nth", [("INSERT BULK [dbo].[DiesB] ", 1), ("INSERT BULK [dbo].[DiesB] ", 3), ("COMMIT TRANSACTION", 12), ("DROP TABLE IF EXISTS [dbo].[DiesB_0", 2)])
def test_sql_server_dies_while_staging_tables_are_combined(sqlserver, haul, tmp_path, marker, nth, how):
    """The connection goes while a staging table is on its way, at a COMMIT, between two DROPs; no second try: run again, every row is there once."""
    from proxy import Fault, Proxy
    from tds import prelogin
    before, sqlserver.encryption = sqlserver.encryption, prelogin.OFF
    try:
        make_orders(tmp_path / "shop.db", 2000)
        haul("export", "-s", "sqlite:///shop.db", "-t", "orders", "-C", "id,name", "-o", "out", "-f", 4)
        sqlserver.ask("CREATE TABLE dbo.DiesB (id bigint NOT NULL, name nvarchar(60))")
        with Proxy(sqlserver.port, Fault(marker.encode("utf-16-le"), nth, how)) as proxy:
            uri = sqlserver.uri(more="encrypt=disable").replace(f":{sqlserver.port}/", f":{proxy.port}/")
            given = ["import", "out/orders_manifest.json", "-s", uri, "-t", "DiesB", "-w", 4, "--combine", "-r", 0]
            first = haul(*given, code=None)
            assert proxy.fault.fired.is_set(), first
            for _ in range(10):
                if first.code == 0:
                    break
                first = haul(*given, code=None)
        assert first.code == 0, first
        assert sorted(n for n, in sqlserver.ask("SELECT id FROM dbo.DiesB")) == sorted(row[0] for row in rows_of(tmp_path / "shop.db"))
        assert sqlserver.ask("SELECT name FROM sys.tables WHERE name LIKE 'DiesB[_]0%'") == []
        assert not list((tmp_path / "out").glob(".*haul"))
    finally:
        sqlserver.encryption = before
        for name, in sqlserver.ask("SELECT name FROM sys.tables WHERE name LIKE 'DiesB%'"):
            sqlserver.ask(f"DROP TABLE dbo.{name}")


@pytest.mark.parametrize("mode", ["batch", "rowgroup", "file"])
def test_import_into_sql_server_killed_and_run_again(sqlserver, butt, tmp_path, rng, mode):
    from tds.server import PASSWORD
    name = f"Killed{mode}"
    customers(sqlserver, name, 3000)
    sqlserver.ask(f"CREATE TABLE dbo.{name}B (CustomerID int NOT NULL PRIMARY KEY, Name nvarchar(60), Amount decimal(18,2))")
    butt("export", *words(sqlserver), "-t", name, "-o", "out", "-f", 6, "-R", 250)
    command = ["import", f"out/dbo_{name}_manifest.json", *words(sqlserver), "-t", name + "B", "-w", "4", "-M", mode, "-b", "100", "--combine"]
    for _ in range(max(1, TRIALS // 20)):
        sqlserver.ask(f"DELETE FROM dbo.{name}B")
        for _ in range(3):
            child = subprocess.Popen([HAUL, *command], cwd=tmp_path, stderr=subprocess.DEVNULL, env={**os.environ, "SQLCMDPASSWORD": PASSWORD})
            try:
                child.wait(rng.uniform(0.1, 3))
                break
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        else:
            butt(*command)
        both = "SELECT CustomerID, Name, Amount FROM dbo.{} ORDER BY CustomerID"
        assert sqlserver.ask(both.format(name + "B")) == sqlserver.ask(both.format(name))
    sqlserver.ask(f"DROP TABLE dbo.{name}", f"DROP TABLE dbo.{name}B")
