"""MySQL and MariaDB both ways, with real servers: exact values, snapshots, exactly once, sentences.

Every test runs against MariaDB from the system's packages and, where Maven can give
it, the real MySQL 8.0. Values are judged by the mariadb client's output. The account
is as small as docs/mysql.md says it may be.
"""
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import HAUL, ROOT, SEED, TRIALS

sys.path.insert(0, str(ROOT / "tests" / "support"))
from mysql_server import PASSWORD, MariaDB, MySQL  # noqa: E402
from proxy import Fault, Proxy  # noqa: E402
from servers import Missing  # noqa: E402

FEW = max(2, TRIALS // 5)


@pytest.fixture(scope="module", params=[MariaDB, MySQL], ids=["mariadb", "mysql"])
def server(request):
    try:
        with request.param() as started:
            yield started
    except Missing as why:
        pytest.skip(str(why))


@pytest.fixture
def base(server):
    """The server with an empty test database."""
    server.root("DROP DATABASE shop; CREATE DATABASE shop CHARACTER SET utf8mb4")
    return server


def clean(server):
    """No staging table, no unit of a run that goes on, no tag."""
    left = server.sql("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop'"
                      " AND (TABLE_NAME LIKE '%\\_\\_haul\\_%' OR TABLE_COMMENT LIKE 'haul run%')")
    return left == "" and server.sql("SELECT count(*) FROM haul_units") == "0"


@pytest.fixture
def run(tmp_path):
    """Runs haul with the password in the environment; nothing it says may hold it."""

    def call(*words, code=0, env=None, timeout=120):
        done = subprocess.run([HAUL, *map(str, words)], cwd=tmp_path, capture_output=True, text=True, timeout=timeout,
                              env={**os.environ, "MYSQL_PWD": PASSWORD, **(env or {})})
        said = done.stdout + done.stderr
        assert PASSWORD not in said and "canary" not in said, said
        assert code is None or done.returncode == code, (done.returncode, said[-3000:])
        return done

    return call


@pytest.fixture
def orders(tmp_path):
    rows = 3000
    pq.write_table(pa.table({"id": pa.array(range(rows), pa.int32()), "name": [f"name {i} é" for i in range(rows)],
                             "price": [i / 4 for i in range(rows)]}), tmp_path / "orders.parquet")


MAKE = "CREATE TABLE o (id int PRIMARY KEY, name varchar(100), price double) ENGINE=InnoDB"
CHECK = "SELECT count(*), count(DISTINCT id), sum(price), max(name) FROM o"
WHOLE = "3000\t3000\t1124625\tname 999 é"

# ---- values ----

EDGES = r"""
CREATE TABLE edges (id int PRIMARY KEY, ti tinyint, tu tinyint unsigned, si smallint, mi mediumint, mu mediumint unsigned, bi bigint,
 bu bigint unsigned, f float, d double, de decimal(38,10), dw decimal(65,30), b1 bit(1), b64 bit(64), y year, dt date, t time(6),
 dtm datetime(6), ts timestamp(6) NULL, c char(10), v varchar(50) CHARACTER SET latin1, tx text, e enum('a','b'), s set('x','y','z'),
 bin binary(4), vb varbinary(20), bl blob, j json, g geometry, z int(5) unsigned zerofill);
INSERT INTO edges (id) VALUES (1);
INSERT INTO edges VALUES (2, -128, 255, -32768, -8388608, 16777215, -9223372036854775808, 18446744073709551615, 0.1, -1.7976931348623157e308,
 9999999999999999999999999999.9999999999, 12345678901234567890123456789012345.123456789012345678901234567891, b'1', ~0, 2155,
 '9999-12-31', '23:59:59.999999', '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07.999999', 'abc', 'é',
 'tab\tnl\nbs\\nul\0cr\rctrl-z\Zü😀\\N', 'b', 'x,z', x'00ff0a09', x'005c090a2722', x'deadbeef00', '{"a": 1}', ST_GeomFromText('POINT(1 2)'), 42);
INSERT INTO edges VALUES (3, 127, 0, 0, 0, 0, 0, 0, -3.4028234e38, 5e-324, -0.0000000001, -0.000000000000000000000000000001, b'0', 0, 1901,
 '0001-01-01', '00:00:00', '1000-01-01 00:00:00', '1970-01-01 00:00:01', '', '', '', 'a', '', x'00000000', '', '', '[]',
 ST_GeomFromText('MULTIPOINT(0 0, 1.5 -2)'), 0);
INSERT INTO edges (id, f, d, y) VALUES (4, 1.17549435e-38, 0.1, 0), (5, 16777217, 1e15, 1999);
"""
ROWS = ("SELECT id,ti,tu,si,mi,mu,bi,bu,f*1e0,d,de,dw,bin(b1),hex(b64),y,dt,t,dtm,ts,c,hex(convert(v using utf8mb4)),hex(tx),e,s,hex(bin),"
        "hex(vb),hex(bl),j,hex(g),z FROM {} ORDER BY id")


def test_edges_from_table_to_table(base, run):
    base.sql(EDGES)
    run("copy", base.uri(), base.uri(), "--source-table", "edges", "--target-table", "edges2", "--verify")
    assert base.sql(ROWS.format("edges2")) == base.sql(ROWS.format("edges"))
    assert clean(base)


def test_edges_through_parquet(base, run, tmp_path):
    base.sql(EDGES)
    run("copy", base.uri(), "e.parquet", "--table", "edges", "--verify")
    base.sql("CREATE TABLE edges2 LIKE edges")
    run("copy", "e.parquet", base.uri(), "--table", "edges2", "--verify")
    assert base.sql(ROWS.format("edges2")) == base.sql(ROWS.format("edges"))
    table = pq.read_table(tmp_path / "e.parquet").to_pydict()
    assert table["bu"][1] == 2**64 - 1 and table["b64"][1] == 2**64 - 1 and table["b1"][1:3] == [True, False]
    assert table["f"][1] == pytest.approx(0.1, rel=1e-7) and table["f"][4] == 16777216.0
    assert table["tx"][1] == "tab\tnl\nbs\\nul\0cr\rctrl-z\x1aü😀\\N" and table["v"][1] == "é"


@pytest.mark.parametrize("value,says", [("'0000-00-00'", "zero date"), ("'2024-00-10'", "zero date")])
def test_zero_dates_are_rejects(base, run, tmp_path, value, says):
    base.sql(f"SET sql_mode=''; CREATE TABLE z (id int PRIMARY KEY, d date); INSERT INTO z VALUES (1, '2024-02-29'), (2, {value})")
    done = run("copy", base.uri(), "z.parquet", "--table", "z", code=None)
    assert done.returncode == 5 and says in done.stderr
    run("copy", base.uri(), "z.parquet", "--table", "z", "--max-errors", "5", "--reject-file", "r.jsonl", code=3)
    assert pq.read_table(tmp_path / "z.parquet").column("id").to_pylist() == [1]
    assert json.loads((tmp_path / "r.jsonl").read_text())["column"] == "d"
    run("copy", base.uri(), "t.csv", "--table", "z", "--schema", "d:utf8")
    assert value.strip("'") in (tmp_path / "t.csv").read_text()


def test_times_beyond_a_day(base, run, tmp_path):
    base.sql("CREATE TABLE z (id int PRIMARY KEY, t time(6)); INSERT INTO z VALUES (1, '-838:59:59'), (2, '838:59:58.999999')")
    assert "duration" in run("copy", base.uri(), "z.parquet", "--table", "z", code=5).stderr
    run("copy", base.uri(), "z.parquet", "--table", "z", "--schema", "t:duration[us]")
    base.sql("CREATE TABLE z2 LIKE z")
    run("copy", "z.parquet", base.uri(), "--table", "z2")
    assert base.sql("SELECT * FROM z2 ORDER BY id") == base.sql("SELECT * FROM z ORDER BY id")


def test_what_would_be_altered_without_a_word_is_refused(base, run, tmp_path):
    pq.write_table(pa.table({"c": ["a", "b "]}), tmp_path / "c.parquet")
    base.sql("CREATE TABLE t (c char(5)); CREATE TABLE d (d datetime); CREATE TABLE n (n double)")
    assert "drops the spaces" in run("copy", "c.parquet", base.uri(), "--table", "t", "--mode", "append", code=6).stderr
    pq.write_table(pa.table({"d": pa.array([1500000], pa.timestamp("us"))}), tmp_path / "d.parquet")
    assert "fraction" in run("copy", "d.parquet", base.uri(), "--table", "d", "--mode", "append", code=6).stderr
    pq.write_table(pa.table({"n": [float("nan")]}), tmp_path / "n.parquet")
    assert "NaN" in run("copy", "n.parquet", base.uri(), "--table", "n", "--mode", "append", code=6).stderr


# ---- parts ----

@pytest.mark.parametrize("key", ["id bigint", "id bigint unsigned", "id varchar(20)", "id decimal(12,2)", "id binary(8)"])
def test_parts_have_every_row_once(base, run, tmp_path, key):
    base.sql(f"CREATE TABLE p ({key}, pad varchar(300), PRIMARY KEY (id)) ENGINE=InnoDB")
    number = "lpad(hex(n * n), 8, '0')" if "binary" in key else "n * n"
    digits = " UNION ALL ".join(f"SELECT {i} AS d" for i in range(10))
    base.sql(f"INSERT INTO p SELECT {number}, repeat('x', 300) FROM (SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS n FROM ({digits}) AS a,"
             f" ({digits}) AS b, ({digits}) AS c, ({digits}) AS e) AS numbers; ANALYZE TABLE p")
    done = run("copy", base.uri(), "p.parquet", "--table", "p", "--workers", "3", "--rowgroup-size", "1500", "--verify")
    assert " 1 part," not in done.stderr or "decimal" in key
    assert pq.read_metadata(tmp_path / "p.parquet").num_rows == 10000


@pytest.mark.parametrize("columns", ["a int, b bigint unsigned", "a varchar(20), b int", "a bigint, b varchar(30)", "a date, b varbinary(8)", "a int, b int, c int"])
def test_a_composite_key_with_one_crowded_value(base, run, tmp_path, columns):
    """Most rows have one value in the key's first column: they are cut by the second."""
    names = [word.split()[0] for word in columns.split(", ")]
    crowd = "if(n % 5, 7, n)" if "date" not in columns else "if(n % 5, '2024-01-01', '2000-01-01' + interval n day)"
    second = "lpad(hex(n), 8, '0')" if "var" in columns.split(", ")[1] else "n" if len(names) == 2 else "if(n % 3, 4, n)"
    base.sql(f"CREATE TABLE p ({columns}, n int, pad varchar(300), PRIMARY KEY ({', '.join(names)})) ENGINE=InnoDB")
    digits = " UNION ALL ".join(f"SELECT {i} AS d" for i in range(10))
    values = [crowd, second, "n"][:len(names)]
    base.sql(f"INSERT INTO p SELECT {', '.join(values)}, n, repeat('x', 200) FROM (SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS n FROM ({digits}) AS a,"
             f" ({digits}) AS b, ({digits}) AS c, ({digits}) AS e) AS numbers; ANALYZE TABLE p")
    said = run("copy", base.uri(), "p.parquet", "--table", "p", "--workers", "3", "--rowgroup-size", "1000", "--verify").stderr
    file = pq.ParquetFile(tmp_path / "p.parquet")
    assert sorted(file.read(columns=["n"]).column("n").to_pylist()) == list(range(10000)), said
    sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert max(sizes) <= (2500 if len(names) == 2 else 7000), sizes


@pytest.mark.parametrize("workers", [1, 4])
def test_parallel_read_sees_one_snapshot(base, run, tmp_path, workers):
    """A writer moves money between rows, and makes and removes others, all the time; each read sees all of it at one moment."""
    base.sql("CREATE TABLE acc (shop int, id int, amount bigint, pad varchar(200), PRIMARY KEY (shop, id)) ENGINE=InnoDB")
    digits = " UNION ALL ".join(f"SELECT {i} AS d" for i in range(10))
    base.sql(f"INSERT INTO acc SELECT if(n % 4, 7, n), n, 1000, repeat('p', 200) FROM (SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS n FROM ({digits}) AS a,"
             f" ({digits}) AS b, ({digits}) AS c, ({digits}) AS e) AS numbers; ANALYZE TABLE acc")
    moves = "".join(f"START TRANSACTION; UPDATE acc SET amount = amount - 7 WHERE shop = 7 AND id = {4 * i + 1}; UPDATE acc SET amount = amount + 7"
                    f" WHERE shop = 7 AND id = {9999 - 4 * i}; DELETE FROM acc WHERE shop = 8000 + {i} % 3 AND id > 20000;"
                    f" INSERT INTO acc VALUES (8000 + {i} % 3, 20000 + {i} + 1, 0, 'new'), (-{i} - 1, 30000, 0, 'new'); COMMIT;" for i in range(400))
    stop = threading.Event()

    def write():
        while not stop.is_set():
            base.sql("DELETE FROM acc WHERE shop < 0;" + moves)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for trial in range(FEW):
            done = run("copy", base.uri(), f"acc{trial}.parquet", "--table", "acc", "--workers", workers, "--rowgroup-size", "600", "--summary", "s.json")
            assert " 1 part," not in done.stderr and json.loads((tmp_path / "s.json").read_text())["consistency"] == "snapshot"
            table = pq.read_table(tmp_path / f"acc{trial}.parquet")
            ids = table.column("id").to_pylist()
            assert len([i for i in ids if i < 10000]) == len({i for i in ids if i < 10000}) == 10000
            assert sum(table.column("amount").to_pylist()) == 10000 * 1000
    finally:
        stop.set()
        writer.join()


def test_queries_views_and_columns(base, run, tmp_path):
    base.sql("CREATE TABLE q (a int PRIMARY KEY, b float, c varchar(9)); INSERT INTO q VALUES (1, 0.1, 'x'), (2, 0.5, NULL);"
             "CREATE VIEW v AS SELECT a + 1 AS a1, c FROM q")
    run("copy", base.uri(), "v.csv", "--table", "v")
    assert (tmp_path / "v.csv").read_text().splitlines()[0] == "a1,c"
    run("copy", base.uri(), "q.parquet", "--query", "SELECT a, c FROM q WHERE a > 1 -- end;")
    assert pq.read_table(tmp_path / "q.parquet").to_pydict() == {"a": [2], "c": [None]}
    run("copy", base.uri(), "w.parquet", "--table", "q", "--where", "a = 1", "--columns", "b,a")
    assert pq.read_table(tmp_path / "w.parquet").column_names == ["b", "a"]


# ---- modes ----

def test_modes(base, run, orders):
    run("copy", "orders.parquet", base.uri(), "--table", "o")
    assert base.sql(CHECK) == WHOLE
    run("copy", "orders.parquet", base.uri(), "--table", "o", code=6)
    base.sql("INSERT INTO o VALUES (-1, 'old', 1); CREATE VIEW w AS SELECT count(*) AS n FROM o")
    run("copy", "orders.parquet", base.uri(), "--table", "o", "--mode", "truncate")
    assert base.sql(CHECK) == WHOLE and base.sql("SELECT n FROM w") == "3000"
    run("copy", "orders.parquet", base.uri(), "--table", "o", "--mode", "replace")
    assert base.sql(CHECK) == WHOLE
    base.sql("DELETE FROM o")
    run("copy", "orders.parquet", base.uri(), "--table", "o", "--mode", "append")
    assert base.sql(CHECK) == WHOLE and clean(base)
    base.sql("CREATE INDEX name ON o (name(5))")
    assert "index name" in run("copy", "orders.parquet", base.uri(), "--table", "o", "--mode", "replace", code=6).stderr



def test_refused_rows_are_named(base, run, orders, tmp_path):
    base.sql("CREATE TABLE o (id int PRIMARY KEY, name varchar(11), price double, CHECK (price <> 250)) ENGINE=InnoDB;"
             "INSERT INTO o VALUES (5, 'there', 0), (2999, 'there', 0)")
    done = run("copy", "orders.parquet", base.uri(), "--table", "o", "--mode", "append", code=None)
    assert done.returncode == 6 and base.sql("SELECT count(*) FROM o") == "2", done.stderr
    run("copy", "orders.parquet", base.uri(), "--table", "o", "--mode", "append", "--restart", "--max-errors", "-1", "--reject-file",
        "r.jsonl", "--unit-rows", "700", code=None)
    refused = {json.loads(line)["row"]: json.loads(line)["reason"] for line in (tmp_path / "r.jsonl").read_text().splitlines()}
    assert "Duplicate" in refused[5] and "Duplicate" in refused[2999]
    checked = base.sql("SELECT count(*) FROM o WHERE price = 250") == "0"
    assert checked == (1000 in refused)
    left = 3000 - len(refused) + 2
    assert base.sql("SELECT count(*) FROM o") == str(left)



def test_of_two_rows_with_one_key_the_second_is_set_aside(base, run, tmp_path):
    pairs = {700: 3, 999: 400, 1500: 1499}
    pq.write_table(pa.table({"id": pa.array([pairs.get(n, n) for n in range(2000)], pa.int32())}), tmp_path / "p.parquet")
    base.sql("CREATE TABLE o (id int PRIMARY KEY) ENGINE=InnoDB")
    run("copy", "p.parquet", base.uri(), "--table", "o", "--mode", "append", "--max-errors", "10", "--reject-file", "r.jsonl", code=3)
    assert [json.loads(line)["row"] for line in (tmp_path / "r.jsonl").read_text().splitlines()] == sorted(pairs)
    assert {int(i) for i in base.sql("SELECT id FROM o").split()} == set(range(2000)) - set(pairs)


# ---- connecting ----

def test_passwords_in_the_uri(base, run):
    for secret in (quote(PASSWORD, safe=""), PASSWORD.replace("/", "%2F")):
        uri = f"MariaDB://loader:{secret}@127.0.0.1:{base.port}/shop?SSL_Mode=DISABLED"
        if base.NAME == "mariadb":
            run("list", uri, env={"MYSQL_PWD": ""})
        else:
            run("list", uri.replace("DISABLED", "REQUIRED"), env={"MYSQL_PWD": ""})


def test_wrong_password_is_tried_once(base, run):
    with Proxy(base.port, Fault(b"never in a packet", 1, "before")) as proxy:
        started = time.monotonic()
        done = run("copy", base.uri(port=proxy.port), "x.parquet", "--table", "o", env={"MYSQL_PWD": "wrong"}, code=5)
        assert "check user and password" in done.stderr and time.monotonic() - started < 3


@pytest.mark.parametrize("uri", ["mysql://", "mysql://h:0/", "mysql://[::1/x", "mysql://u:%zz@h/", "mysql://h/d?nonsense=1", "mysql://h/d?ssl-mode=maybe",
                                 "mysql://u:%00@h/d", "mysql://127.0.0.1:1/d"])
def test_awkward_uris(run, uri):
    done = run("list", uri, code=None, timeout=60)
    assert done.returncode in (1, 2, 5, 75) and done.stderr.count("\n") <= 3, done


def test_what_is_missing_is_named(base, run, orders):
    base.sql(MAKE + "; CREATE TABLE customers (a int)")
    assert "near to it: customers" in run("copy", base.uri(), "x.csv", "--table", "custmers", code=5).stderr
    assert "nowhere" in run("list", base.uri(base="nowhere"), code=None).stderr
    assert "does not fit" in run("copy", "orders.parquet", base.uri(), "--table", "customers", "--mode", "append", code=6).stderr


def test_certificates(base, run):
    assert "--tls-ca" in run("list", base.uri(more="?ssl-mode=verify-identity"), code=None).stderr
    run("list", base.uri(more="?ssl-mode=required"))


# ---- faults ----

@pytest.mark.parametrize("how", ["before", "after", "late", "orphan"])
def test_the_answer_to_a_commit_is_lost(base, run, orders, how):
    base.sql(MAKE)
    with Proxy(base.port, Fault(b"COMMIT", 3, how)) as proxy:
        run("copy", "orders.parquet", base.uri(port=proxy.port, more="?ssl-mode=disabled"), "--table", "o", "--mode", "append",
            "--unit-rows", "500", "--retries", "30")
        assert proxy.fault.fired.is_set()
    assert base.sql(CHECK) == WHOLE
    assert clean(base)


def start(folder, words):
    return subprocess.Popen([HAUL, *map(str, words)], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, "MYSQL_PWD": PASSWORD})


@pytest.mark.parametrize("mode", ["create", "append", "truncate", "replace"])
def test_killed_while_loading(base, run, orders, tmp_path, mode):
    rng = random.Random(SEED + len(mode))
    for trial in range(FEW):
        base.sql("DROP TABLE IF EXISTS o")
        if mode != "create":
            base.sql(MAKE)
        if mode in ("truncate", "replace"):
            base.sql("INSERT INTO o VALUES (-1, 'old', 0)")
        copy = ["copy", "orders.parquet", base.uri(), "--table", "o", "--mode", mode, "--unit-rows", "100", "--run", f"k{mode}{trial}"]
        for _ in range(rng.randrange(1, 4)):
            running = start(tmp_path, copy)
            time.sleep(rng.random() * 0.5)
            running.send_signal(signal.SIGKILL)
            running.communicate()
        for _ in range(30):
            done = run(*copy, code=None)
            if "another process" not in done.stderr:  # the killed one's session dies in a moment
                break
            time.sleep(0.3)
        assert done.returncode == 0, done.stderr
        assert base.sql(CHECK) == WHOLE
        assert clean(base)


def test_killed_while_reading(base, run, tmp_path):
    digits = " UNION ALL ".join(f"SELECT {i} AS d" for i in range(10))
    base.sql("CREATE TABLE big (id int PRIMARY KEY, pad text); INSERT INTO big SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d, repeat('p', 900)"
             f" FROM ({digits}) AS a, ({digits}) AS b, ({digits}) AS c, ({digits}) AS e")
    rng = random.Random(SEED)
    for trial in range(FEW):
        name = f"big{trial}.parquet"
        copy = ["copy", base.uri(), name, "--table", "big", "--workers", "2", "--rowgroup-size", "1000"]
        running = start(tmp_path, copy)
        time.sleep(rng.random() * 0.3)
        running.send_signal(signal.SIGKILL)
        running.communicate()
        if not (tmp_path / name).exists():
            run(*copy)
        assert sorted(pq.read_table(tmp_path / name).column("id").to_pylist()) == list(range(10000))
