"""--mode merge into every database: updates and inserts by a key, idempotent, all or nothing.

The same tests run against SQLite, PostgreSQL, MariaDB and, where Maven can give it, MySQL
8.0; rows are judged by each database's own client (Python's sqlite3, psql, mariadb).
"""
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import HAUL, ROOT, SEED, TRIALS

sys.path.insert(0, str(ROOT / "tests" / "support"))
import mysql_server  # noqa: E402
import servers  # noqa: E402
from proxy import Fault, Proxy  # noqa: E402

FEW = max(2, TRIALS // 5)


class Sqlite:
    port = None

    def __init__(self, folder):
        self.path = folder / "t.db"

    def sql(self, text):
        with sqlite3.connect(self.path) as connection:
            *before, last = [part for part in text.split(";") if part.strip()]
            for statement in before:
                connection.execute(statement)
            rows = connection.execute(last).fetchall()
        connection.close()
        return "\n".join("|".join("NULL" if v is None else str(v) for v in row) for row in rows)

    def uri(self, port=None):
        return str(self.path)

    def left(self):
        return self.sql("SELECT name FROM sqlite_schema WHERE name LIKE '%\\_\\_haul\\_%' ESCAPE '\\'")


class Postgres:
    def __init__(self, server, name):
        self.server, self.name, self.port = server, name, server.port

    def sql(self, text):
        out = self.server.sql(*[part for part in text.split(";") if part.strip()], database=self.name, user="loader")
        return out.replace("||", "|NULL|") if "||" in out else out

    def uri(self, port=None):
        return self.server.uri(user="loader", database=self.name, port=port, more="?sslmode=disable" if port else "")

    def left(self):
        return self.sql("SELECT relname FROM pg_class WHERE relname LIKE '%\\_\\_haul\\_%' AND relkind = 'r'")


class MySql:
    def __init__(self, server):
        self.server, self.port = server, server.port

    def sql(self, text):
        return self.server.sql(text).replace("\t", "|")

    def uri(self, port=None):
        return self.server.uri(port=port, more="?ssl-mode=disabled" if port else "")

    def left(self):
        return self.sql("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop'"
                        " AND (TABLE_NAME LIKE '%\\_\\_haul\\_%' OR TABLE_COMMENT LIKE 'haul run%')")


@pytest.fixture(scope="module", params=["sqlite", "postgres", "mariadb", "mysql"])
def server(request):
    kind = {"postgres": servers.Postgres, "mariadb": mysql_server.MariaDB, "mysql": mysql_server.MySQL}.get(request.param)
    if not kind:
        yield None
        return
    try:
        with kind() as started:
            if request.param == "postgres":
                started.sql(f"CREATE ROLE loader LOGIN PASSWORD '{servers.PASSWORD}'")
            yield started
    except (servers.Missing, mysql_server.Missing) as why:
        pytest.skip(str(why))


@pytest.fixture
def base(server, tmp_path, count=[0]):  # noqa: B006
    count[0] += 1
    if server is None:
        return Sqlite(tmp_path)
    if isinstance(server, mysql_server.MariaDB):
        server.root("DROP DATABASE shop; CREATE DATABASE shop CHARACTER SET utf8mb4")
        return MySql(server)
    server.sql(f"CREATE DATABASE m{count[0]} OWNER loader")
    server.sql("GRANT CREATE, USAGE ON SCHEMA public TO loader", database=f"m{count[0]}")
    return Postgres(server, f"m{count[0]}")


ENV = {**os.environ, "MYSQL_PWD": mysql_server.PASSWORD, "PGPASSWORD": servers.PASSWORD}


@pytest.fixture
def merge(base, tmp_path):
    """Merges a dict of columns into table o."""

    def call(columns, *words, code=0, port=None, table="o"):
        pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), tmp_path / "new.parquet")
        done = subprocess.run([HAUL, "copy", "new.parquet", base.uri(port), "--table", table, "--mode", "merge", *words],
                              cwd=tmp_path, capture_output=True, text=True, timeout=120, env=ENV)
        assert code is None or done.returncode == code, (done.returncode, done.stderr)
        return done

    return call


OLD = ("CREATE TABLE o (id int PRIMARY KEY, name varchar(40), price double precision, note varchar(20) DEFAULT 'new');"
       "INSERT INTO o VALUES (1, 'one', 1, 'a'), (2, 'two', 2, 'b'), (3, 'three', 3, NULL)")


def rows(base, table="o", order="id"):
    return base.sql(f"SELECT * FROM {table} ORDER BY {order}").replace(".0", "").splitlines()


def test_updates_and_inserts(base, merge):
    base.sql(OLD)
    new = {"id": pa.array([2, 3, 4], pa.int32()), "name": ["zwei", None, "vier"]}
    wanted = ["1|one|1|a", "2|zwei|2|b", "3|NULL|3|NULL", "4|vier|NULL|new"]
    for _ in range(2):  # again: the same rows, no matter how often
        merge(new)
        got = [row.replace("3|NULL|3|", "3|NULL|3|NULL") if row.endswith("|3|") else row for row in rows(base)]
        assert got == wanted
        assert base.left() == ""


def test_a_named_run_is_done_once(base, merge):
    base.sql(OLD)
    new = {"id": pa.array([2], pa.int32()), "name": ["zwei"]}
    merge(new, "--run", "nightly")
    base.sql("UPDATE o SET name = 'two again' WHERE id = 2")
    assert "complete" in merge(new, "--run", "nightly").stderr
    assert rows(base)[1] == "2|two again|2|b"


def test_a_key_of_two_columns_by_a_unique_index(base, merge):
    base.sql("CREATE TABLE o (a int NOT NULL, B varchar(10) NOT NULL DEFAULT 'q', v int); CREATE UNIQUE INDEX ab ON o (a, B);"
             "INSERT INTO o VALUES (1, 'x', 1), (1, 'y', 2)")
    new = {"b": ["y", "z"], "a": pa.array([1, 1], pa.int32()), "v": pa.array([20, 30], pa.int32())}
    said = merge(new, code=2).stderr
    assert "no primary key" in said and "--key" in said
    merge(new, "--key", "b,a")
    assert rows(base, order="a, b") == ["1|x|1", "1|y|20", "1|z|30"]
    said = merge(new, "--key", "a", code=6).stderr
    assert "need not be unique" in said and "(a)" in said
    assert "no column \"nope\"" in merge(new, "--key", "nope", code=2).stderr
    assert "twice" in merge(new, "--key", "a,A", code=2).stderr
    del new["b"]
    assert "the source has no column \"" in merge(new, "--key", "a,b", code=2).stderr
    assert rows(base, order="a, b") == ["1|x|1", "1|y|20", "1|z|30"]


def test_keys_alone_are_inserted(base, merge):
    """A source that has the key alone updates nothing and inserts the rest."""
    base.sql(OLD)
    merge({"id": pa.array([3, 9], pa.int32())})
    assert [row.split("|")[:2] for row in rows(base)][:1] == [["1", "one"]]
    assert rows(base)[-1].startswith("9|")
    assert len(rows(base)) == 4


def test_doubles_and_nulls_in_the_key_touch_nothing(base, merge):
    base.sql(OLD)
    before = rows(base)
    said = merge({"id": pa.array([7, 2, 7, 5, 7, 2], pa.int32()), "name": list("abcdef")}, "--run", "d", code=6).stderr
    assert "2 keys stand more than once" in said and "(id) = (7) 3 times" in said
    assert rows(base) == before
    said = merge({"id": pa.array([7, None, None], pa.int32()), "name": list("abc")}, "--run", "n", code=6).stderr
    assert "2 rows" in said and "NULL in the key (id)" in said
    assert rows(base) == before
    merge({"id": pa.array([7, 2], pa.int32()), "name": list("ab")}, "--run", "n", "--restart")
    merge({"id": pa.array([7, 2], pa.int32()), "name": list("ab")}, "--run", "d", "--restart")
    assert base.left() == "" and len(rows(base)) == 4


def test_what_cannot_be_merged_into(base, merge):
    new = {"id": pa.array([1], pa.int32())}
    base.sql("CREATE TABLE p (id int PRIMARY KEY, need int NOT NULL)")
    assert "--mode create makes it" in merge(new, code=6).stderr
    base.sql("CREATE VIEW o AS SELECT * FROM p")
    assert "view" in merge(new, code=6).stderr
    assert "need" in merge(new, code=6, table="p").stderr


def test_rows_the_target_refuses_are_set_aside(base, merge, tmp_path):
    """A value that does not fit is a reject, not the end of the merge."""
    base.sql("CREATE TABLE o (id int PRIMARY KEY, name varchar(5) NOT NULL" + (", CHECK (length(name) < 6)" if base.port is None else "") + ");"
             "INSERT INTO o VALUES (1, 'one')")
    new = {"id": pa.array([1, 2, 3], pa.int32()), "name": ["uno", None, "tres"]}
    done = merge(new, "--max-errors", "5", "--reject-file", "bad.jsonl", code=3)
    assert "1" in done.stderr
    assert "\"row\":1" in (tmp_path / "bad.jsonl").read_text().replace(" ", "")
    assert rows(base) == ["1|uno", "3|tres"]


def test_a_further_unique_constraint_holds(base, merge):
    """A key that is the same and a code that is somebody else's: nothing is merged, and the same command goes on when that is mended."""
    base.sql("CREATE TABLE o (id int PRIMARY KEY, code varchar(10) NOT NULL UNIQUE, n int);"
             "INSERT INTO o VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)")
    merge({"id": pa.array([1, 4], pa.int32()), "code": ["a", "d"], "n": pa.array([10, 40], pa.int32())})
    before = ["1|a|10", "2|b|2", "3|c|3", "4|d|40"]
    assert rows(base) == before
    for new in ({"id": pa.array([5, 6], pa.int32()), "code": ["e", "b"]}, {"id": pa.array([7, 1], pa.int32()), "code": ["g", "c"]}):
        said = merge(new, code=6).stderr
        assert "code" in said and ("nique" in said or "uplicate" in said or "UNIQUE" in said), said
        assert rows(base) == before
    merge({"id": pa.array([7, 1], pa.int32()), "code": ["g", "c"]}, "--run", "again", code=6)
    base.sql("UPDATE o SET code = 'free' WHERE id = 3")
    merge({"id": pa.array([7, 1], pa.int32()), "code": ["g", "c"]}, "--run", "again", "--static-source")
    assert [row.rsplit("|", 1)[0] for row in rows(base)] == ["1|c", "2|b", "3|free", "4|d", "7|g"]


def test_the_dry_run_shows_it(base, merge):
    base.sql(OLD)
    shown = merge({"id": pa.array([1], pa.int32()), "name": ["x"]}, "--dry-run").stdout
    assert "UPDATE" in shown and "__haul_RUN" in shown and "INSERT INTO" in shown
    assert rows(base)[0] == "1|one|1|a" and base.left() == ""


# ---- faults ----

COUNT = 3000
CHECK = "SELECT count(*), count(DISTINCT id), sum(price), min(note), max(note) FROM o"


@pytest.fixture
def orders(base, tmp_path):
    """Rows 0 to 1999 are there with price -1; the source has 1000 to 3999 with price 0."""
    base.sql("CREATE TABLE o (id int PRIMARY KEY, name varchar(40), price int, note varchar(20) DEFAULT 'new')")
    values = ",".join(f"({i}, 'old', -1, 'kept')" for i in range(2000))
    base.sql(f"INSERT INTO o VALUES {values}")
    pq.write_table(pa.table({"id": pa.array(range(1000, 4000), pa.int32()), "name": [f"n{i}" for i in range(1000, 4000)],
                             "price": pa.array([0] * COUNT, pa.int32())}), tmp_path / "orders.parquet")
    return "4000|4000|-1000|kept|new"


def command(base, *words, port=None):
    return [HAUL, "copy", "orders.parquet", base.uri(port), "--table", "o", "--mode", "merge", "--unit-rows", "100", *words]


def test_killed_while_merging(base, orders, tmp_path):
    rng = random.Random(SEED)
    for trial in range(FEW):
        base.sql("DELETE FROM o WHERE id >= 2000; UPDATE o SET price = -1, name = 'old'")
        words = command(base, "--run", f"k{trial}")
        for _ in range(rng.randrange(1, 4)):
            running = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENV)
            time.sleep(rng.random() * 0.5)
            running.send_signal(signal.SIGKILL)
            running.wait()
            assert base.sql("SELECT count(*) FROM o") in ("2000", "4000")  # before or after, never between
        for _ in range(30):
            done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120, env=ENV)
            if "another process" not in done.stderr:  # the killed one's session dies in a moment
                break
            time.sleep(0.3)
        assert done.returncode == 0, done.stderr
        assert base.sql(CHECK) == orders
        assert base.left() == ""


@pytest.mark.parametrize("how", ["before", "after"])
@pytest.mark.parametrize("marker", [b"COMMIT", b"AS haul_old"])
def test_a_connection_lost_while_merging(base, orders, tmp_path, how, marker):
    """The last COMMIT, or a statement of the merge, is cut off before the server has it, or before its answer comes."""
    if base.port is None:
        pytest.skip("no connection to lose")
    nth = 2 if marker != b"COMMIT" else {"Postgres": 5, "MySql": 5}[type(base).__name__]
    with Proxy(base.port, Fault(marker, nth, how)) as proxy:
        done = subprocess.run(command(base, "--retries", "30", "--unit-rows", "1000", "--workers", "1", port=proxy.port), cwd=tmp_path,
                              capture_output=True, text=True, timeout=120, env=ENV)
        assert done.returncode == 0, done.stderr
        assert proxy.fault.fired.is_set()
    assert base.sql(CHECK) == orders
    assert base.left() == ""
