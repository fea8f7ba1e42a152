"""What goes wrong between haul and a SQL server, each forced on real ones.

What is particular to one engine stands in test_postgres.py and test_mysql.py (a lost
COMMIT, every mode killed while loading, rows refused); here is what all share.
"""
import os
import random
import signal
import subprocess
import threading
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import HAUL, SEED, TRIALS
from engines import ROWS, engine
from proxy import Fault, Proxy
from servers import PASSWORD

FEW = max(1, TRIALS // 10)
KINDS = ["postgres", "mariadb", "mysql8"]
SECRETS = {"PGPASSWORD": PASSWORD, "MYSQL_PWD": PASSWORD}


@pytest.fixture(params=KINDS)
def sql(request):
    """An engine with an empty database."""
    return engine(request.param, request)


@pytest.fixture
def run(tmp_path):
    def call(*words, code=0, env=None, timeout=180, cwd=None):
        done = subprocess.run([HAUL, *map(str, words)], cwd=cwd or tmp_path, capture_output=True, text=True, timeout=timeout,
                              env={**os.environ, **SECRETS, **(env or {})})
        said = done.stdout + done.stderr
        assert "canary" not in said, said
        codes = code if isinstance(code, tuple) else (code,)
        assert code is None or done.returncode in codes, (done.returncode, said[-3000:])
        return done

    return call


@pytest.fixture
def orders(tmp_path):
    pq.write_table(pa.table({"id": pa.array(range(ROWS), pa.int32()), "name": [f"name {i} é" for i in range(ROWS)],
                             "price": [i / 4 for i in range(ROWS)]}), tmp_path / "orders.parquet", row_group_size=500)


def start(folder, words):
    return subprocess.Popen([HAUL, *map(str, words)], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, **SECRETS})


def kill(running):
    running.send_signal(signal.SIGKILL)
    running.communicate()


def again(run, words, **more):
    """The same command, until the killed one's session is gone from the server."""
    for _ in range(60):
        done = run(*words, code=None, **more)
        if "another process" not in done.stderr:
            return done
        time.sleep(0.2)
    raise AssertionError(done.stderr)


def append(sql, *more, port=None, plain=False, unit=100):
    return ["copy", "orders.parquet", sql.uri(port=port, plain=plain), "--table", "o", "--mode", "append", "--unit-rows", unit, "--retries", "40", *more]


def big(sql, rows=20000):
    """A source table of about 6 MB."""
    numbers = ("SELECT i FROM generate_series(0, %d) AS g(i)" % (rows - 1) if sql.name == "postgres" else
               "SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d AS i FROM ({0}) a, ({0}) b, ({0}) c, ({0}) e, ({1}) f".format(
                   " UNION ALL ".join(f"SELECT {i} AS d" for i in range(10)), " UNION ALL ".join(f"SELECT {i} AS d" for i in range(rows // 10000))))
    sql.sql(f"CREATE TABLE big (id int PRIMARY KEY, pad varchar(400))"
            f"{'' if sql.name == 'postgres' else ' ENGINE=InnoDB'}; INSERT INTO big SELECT i, repeat('p', 300) FROM ({numbers}) AS n")
    sql.sql("ANALYZE big" if sql.name == "postgres" else "ANALYZE TABLE big")


def ids(path):
    files = sorted(path.glob("*.parquet")) if path.is_dir() else path  # a folder has its manifest in it, too
    return sorted(pq.read_table(files).column("id").to_pylist())


# ---- the server dies ----

def test_server_killed_while_loading(sql, run, orders, tmp_path):
    sql.make()
    sql.slow("o", 0.02)
    running = start(tmp_path, append(sql))
    assert sql.wait_units(3, running), running.stderr.read()
    sql.crash()
    time.sleep(0.3)
    sql.server.start()
    said = running.communicate(timeout=120)[1]
    assert running.returncode in (0, 75), said
    if running.returncode:
        again(run, append(sql))
    assert sql.whole() and sql.clean()


def test_server_killed_while_reading(sql, run, tmp_path):
    big(sql)
    with Proxy(sql.server.port, Fault(None, 2_000_000, "orphan")) as proxy:
        copy = ["copy", sql.uri("reader", port=proxy.port, plain=True), "big.parquet", "--table", "big", "--workers", "2", "--rowgroup-size", "1000"]
        running = start(tmp_path, copy)
        assert proxy.fault.fired.wait(60)
        sql.crash()
        said = running.communicate(timeout=120)[1]
        sql.server.start()
        assert running.returncode == 75, said
        assert not (tmp_path / "big.parquet").exists()
        run(*copy)
    assert ids(tmp_path / "big.parquet") == list(range(20000)) and [n for n in os.listdir(tmp_path) if n.startswith(".")] == []


# ---- the connection is cut ----

@pytest.mark.parametrize("trial", range(FEW))
def test_connection_reset_while_loading(sql, run, orders, trial):
    """After any number of bytes: in the middle of a row, a batch, a statement."""
    sql.make()
    at = random.Random(SEED + trial).randrange(2_000, 90_000)
    with Proxy(sql.server.port, Fault(None, at, "reset", sent=True)) as proxy:
        done = run(*append(sql, port=proxy.port, plain=True), code=(0, 75))
        assert proxy.fault.fired.is_set(), at
    if done.returncode:
        again(run, append(sql))
    assert sql.whole() and sql.clean(), at


@pytest.mark.parametrize("trial", range(FEW))
def test_connection_reset_while_reading(sql, run, tmp_path, trial):
    big(sql)
    at = random.Random(SEED + trial).randrange(10_000, 5_000_000)
    words = ["big.parquet", "--table", "big", "--workers", "2", "--rowgroup-size", "1000", "--retries", "5"]
    with Proxy(sql.server.port, Fault(None, at, "reset")) as proxy:
        copy = ["copy", sql.uri("reader", port=proxy.port, plain=True), *words]
        if run(*copy, code=(0, 75)).returncode:
            run(*copy)
    assert ids(tmp_path / "big.parquet") == list(range(20000)), at


def test_a_lost_snapshot_begins_again_by_itself(sql, run, tmp_path):
    """MySQL's snapshot is its session's: the table is read anew. PostgreSQL's reader comes back into the same one."""
    big(sql)
    words = ["--workers", "1", "--retries", "5"]
    with Proxy(sql.server.port, Fault(None, 3_000_000, "reset")) as proxy:
        done = run("copy", sql.uri("reader", port=proxy.port, plain=True), "big.parquet", "--table", "big", *words, "--rowgroup-size", "500")
        assert proxy.fault.fired.is_set()
    assert ("trying again" if sql.name == "postgres" else "beginning again") in done.stderr
    assert ids(tmp_path / "big.parquet") == list(range(20000))


# ---- the server says: not now ----

def meanwhile(step, pause=0.15):
    """Calls `step` again and again until the returned event is set."""
    stop = threading.Event()

    def work():
        while not stop.is_set():
            step()
            time.sleep(pause)

    thread = threading.Thread(target=work)
    thread.start()
    return stop, thread


def test_sessions_ended_by_an_administrator(sql, run, orders):
    sql.make()
    sql.slow("o", 0.03)
    ended = []
    stop, thread = meanwhile(lambda: ended.append(sql.end_sessions()), 0.4)
    try:
        done = run(*append(sql), code=(0, 75))
    finally:
        stop.set()
        thread.join()
    assert sum(ended) > 0
    for _ in range(5):
        if done.returncode == 0:
            break
        done = again(run, append(sql))
    assert done.returncode == 0 and sql.whole() and sql.clean(), done.stderr


def test_deadlock_victims_are_done_again(sql, run, orders):
    """A trigger takes locks in an order that crosses another session's."""
    if sql.name == "postgres":
        pytest.skip("test_postgres.py has it")
    sql.make()
    sql.sql("CREATE TABLE hot (id int PRIMARY KEY, n int) ENGINE=InnoDB; INSERT INTO hot VALUES (1, 0), (2, 0)")
    sql.sql("DELIMITER //\nCREATE TRIGGER cross_o BEFORE INSERT ON o FOR EACH ROW BEGIN IF NEW.id % 500 = 0 THEN UPDATE hot SET n = n + 1 WHERE id = 1;"
            " DO SLEEP(0.1); UPDATE hot SET n = n + 1 WHERE id = 2; END IF; END//\nDELIMITER ;")
    sql.sql("CREATE TABLE heavy (a int) ENGINE=InnoDB; CREATE TABLE many (a int) ENGINE=InnoDB; INSERT INTO many VALUES (1), (2), (3), (4), (5), (6), (7), (8)")
    heavy = "BEGIN; INSERT INTO heavy SELECT 1 FROM many a, many b, many c; "  # the lighter transaction is the victim
    stop, thread = meanwhile(lambda: sql.server.client(heavy + "UPDATE hot SET n = n + 1 WHERE id = 2; DO SLEEP(0.03); UPDATE hot SET n = n + 1 WHERE id = 1;"
                                                       " ROLLBACK", check=False, base="shop"), 0.15)
    try:
        done = run(*append(sql, unit=500))
    finally:
        stop.set()
        thread.join()
    assert "deadlock" in done.stderr.lower() and "trying again" in done.stderr
    assert sql.whole() and sql.clean()


def test_serialization_failures_are_done_again(request, run, orders):
    sql = engine("postgres", request)
    sql.make()
    sql.sql("ALTER ROLE loader SET default_transaction_isolation = 'serializable'; CREATE TABLE hot (id int PRIMARY KEY, n int);"
            "INSERT INTO hot VALUES (1, 0); GRANT ALL ON hot TO loader;"
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM n FROM hot; PERFORM pg_sleep(0.03);"
            " UPDATE hot SET n = n + 1; RETURN NULL; END'; CREATE TRIGGER g AFTER INSERT ON o FOR EACH STATEMENT EXECUTE FUNCTION f()")
    stop, thread = meanwhile(lambda: sql.server.psql("UPDATE hot SET n = n + 1", check=False, database="shop"), 0.05)
    try:
        done = run(*append(sql, unit=300))
    finally:
        stop.set()
        thread.join()
    assert "could not serialize" in done.stderr and "trying again" in done.stderr
    assert sql.whole() and sql.clean()


def test_too_many_connections(sql, run, orders):
    """All places are taken when haul comes, and become free while it tries."""
    sql.make()
    sql.limit_connections(2)
    holders = [start_idle(sql) for _ in range(2)]
    try:
        said = run(*append(sql)[:-2], "--retries", "1", code=75).stderr
        assert "connections" in said and "--workers" in said and "trying again" in said
        threading.Timer(1.0, lambda: (sql.limit_connections(-1), [holder.close() for holder in holders])).start()
        done = run(*append(sql))
        assert "trying again" in done.stderr
    finally:
        sql.limit_connections(-1)
    assert sql.whole() and sql.clean()


class start_idle:  # noqa: N801
    """A session that only holds its place."""

    def __init__(self, sql):
        if sql.name == "postgres":
            words, env = [sql.server.programs / "psql", "-Xq"], sql.server.environment(user="loader", database="shop")
        else:
            words = ["mariadb", "--no-defaults", "-uloader", "-h127.0.0.1", f"-P{sql.server.port}", "shop", "--skip-ssl"]
            env = {**os.environ, "MYSQL_PWD": PASSWORD}
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
        self.process.stdin.write(b"SELECT 1;\n")
        self.process.stdin.flush()
        time.sleep(0.5)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def test_read_only_while_failing_over(sql, run, orders, tmp_path):
    sql.make()
    sql.slow("o", 0.02)
    running = start(tmp_path, append(sql))
    try:
        assert sql.wait_units(2, running)
        sql.read_only(True)
        if sql.name == "postgres":
            sql.end_sessions()  # those that are there keep their setting
        time.sleep(1)
    finally:
        sql.read_only(False)
    said = running.communicate(timeout=120)[1]
    assert running.returncode in (0, 75) and ("read-only" in said or "read_only" in said), said
    if running.returncode:
        assert again(run, append(sql)).returncode == 0
    assert sql.whole() and sql.clean()


def test_a_statement_timeout_of_the_account_does_not_count(sql, run, orders):
    """Statements may take long; what the server ends even so is tried again."""
    sql.make()
    sql.slow("o", 0.3)
    name = {"postgres": "ALTER ROLE loader SET statement_timeout = '200ms'", "mariadb": "SET GLOBAL max_statement_time = 0.2",
            "mysql8": "SET GLOBAL max_execution_time = 200"}[sql.name if sql.name != "mysql" else "mysql8"]
    sql.sql(name)
    try:
        run(*append(sql, unit=1000))
    finally:
        if sql.name == "mariadb":
            sql.sql("SET GLOBAL max_statement_time = 0")
        if sql.name == "mysql":
            sql.sql("SET GLOBAL max_execution_time = 0")
    assert sql.whole() and sql.clean()


LIMITS = {"postgres": (["ALTER ROLE {} SET idle_in_transaction_session_timeout = '300ms'", "ALTER ROLE {} SET lock_timeout = '10ms'"],
                       "current_setting('idle_in_transaction_session_timeout') AS idle, current_setting('lock_timeout') AS locked"),
          "mysql": (["SET GLOBAL wait_timeout = 3", "SET GLOBAL innodb_lock_wait_timeout = 1"], "@@wait_timeout AS idle, @@innodb_lock_wait_timeout AS locked")}


def test_sessions_have_time_limits_of_their_own(sql, run, tmp_path):
    """Whatever the account's or the server's are: a source's session outlasts all that a target may wait, a target's gives up soon."""
    kind = "postgres" if sql.name == "postgres" else "mysql"
    commands, what = LIMITS[kind]
    sql.sql("CREATE TABLE o (id int); CREATE TABLE seen (idle varchar(20), locked varchar(20))")
    if kind == "postgres":
        sql.sql("GRANT ALL ON o, seen TO loader; CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO seen SELECT " + what +
                "; RETURN NULL; END$$; CREATE TRIGGER g AFTER INSERT ON o FOR EACH STATEMENT EXECUTE FUNCTION f()")
    else:
        sql.sql("CREATE TRIGGER g BEFORE INSERT ON o FOR EACH ROW INSERT INTO seen SELECT " + what)
    before = sql.server.root("SELECT @@GLOBAL.wait_timeout, @@GLOBAL.innodb_lock_wait_timeout").split() if kind == "mysql" else None
    (tmp_path / "one.csv").write_text("id\n1\n")
    try:
        for command in commands:
            for role in ("reader", "loader") if kind == "postgres" else ("",):
                (sql.sql if kind == "postgres" else sql.server.root)(command.format(role))
        run("copy", sql.uri("reader"), "limits.csv", "--query", "SELECT " + what)
        run("copy", "one.csv", sql.uri(), "--table", "o", "--mode", "append")
    finally:
        if before:
            sql.server.root(f"SET GLOBAL wait_timeout = {before[0]}; SET GLOBAL innodb_lock_wait_timeout = {before[1]}")
    source = (tmp_path / "limits.csv").read_text().splitlines()[1].split(",")
    assert source[0] == {"postgres": "0", "mysql": "86400"}[kind], source
    assert sql.lines("SELECT * FROM seen") == [{"postgres": ["1min", "5s"], "mysql": ["120", "5"]}[kind]]


def test_a_lock_on_the_target_is_waited_for(sql, run, orders):
    """Not forever: the session gives up, the unit is tried again."""
    sql.make()
    lock = "BEGIN; LOCK TABLE o IN SHARE MODE; SELECT pg_sleep(8)" if sql.name == "postgres" else "BEGIN; SELECT count(*) FROM o FOR UPDATE; DO SLEEP(8); ROLLBACK"
    holder = threading.Thread(target=(lambda: sql.server.psql(lock, check=False, database="shop")) if sql.name == "postgres" else
                              (lambda: sql.server.client(lock, check=False, base="shop")))
    holder.start()
    time.sleep(1)
    done = run(*append(sql))
    holder.join()
    assert "trying again" in done.stderr and "lock" in done.stderr.lower(), done.stderr
    assert sql.whole() and sql.clean()


def test_the_session_list_of_mysql_has_the_run(request, run, orders, tmp_path):
    """PostgreSQL's: test_postgres.py. MariaDB is told the same, and keeps it only where performance_schema is on."""
    sql = engine("mysql8", request)
    sql.make()
    sql.slow("o", 0.05)
    running = start(tmp_path, append(sql, "--run", "nightly.7"))
    assert sql.wait_units(2, running), running.stderr.read()
    names = sql.server.root("SELECT DISTINCT ATTR_VALUE FROM performance_schema.session_connect_attrs WHERE ATTR_NAME = 'program_name'").splitlines()
    assert running.wait(60) == 0
    running.stderr.close()
    assert "haul nightly.7" in names, names


@pytest.mark.skipif(os.geteuid() != 0, reason="a file system of fixed size needs root")
def test_server_out_of_disk(sql, run, orders, tmp_path):
    """A small tmpfs for the table; room is made, and the same command goes on."""
    disk = sql.server.folder / "small"
    disk.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", disk], check=True)
    try:
        sql.server.own(disk)
        rows = 150000
        pq.write_table(pa.table({"id": pa.array(range(rows), pa.int32()), "name": ["x" * 90] * rows, "price": [0.5] * rows}), tmp_path / "orders.parquet")
        if sql.name == "postgres":
            sql.sql(f"CREATE TABLESPACE small LOCATION '{disk}'")
            sql.sql("CREATE TABLE o (id int, name varchar(100), price double precision) TABLESPACE small; ALTER TABLE o OWNER TO loader")
        elif sql.name == "mariadb":
            sql.sql(f"CREATE TABLE o (id int PRIMARY KEY, name varchar(100), price double) ENGINE=InnoDB DATA DIRECTORY='{disk}'")
        else:
            pytest.skip("MySQL 8 keeps tables in known directories only")
        done = run(*append(sql, unit=5000), code=(6, 75))
        assert "make room" in done.stderr, done.stderr
        some = sql.count()
        assert 0 < some < rows and some % 5000 == 0
        subprocess.run(["mount", "-o", "remount,size=60m", disk], check=True)
        assert again(run, append(sql, unit=5000)).returncode == 0
        assert [int(n) for n in sql.lines("SELECT count(*), count(DISTINCT id) FROM o")[0]] == [rows, rows]
    finally:
        sql.sql("DROP TABLE IF EXISTS o")
        if sql.name == "postgres":
            sql.server.psql("DROP TABLESPACE small", check=False, database="shop")
        subprocess.run(["umount", "-l", disk])


# ---- what is missing ----

def test_what_is_missing_is_named(sql, run, orders):
    sql.make()
    where = sql.uri().replace("/shop", "/nowhere")
    assert "nowhere" in run("copy", where, "x.csv", "--table", "o", code=5).stderr
    said = run("copy", sql.uri("nobody_much"), "x.csv", "--table", "o", code=5).stderr
    assert ("SELECT" in said and "o" in said) or "database" in said, said
    said = run("copy", "orders.parquet", sql.uri("reader"), "--table", "o", "--mode", "append", code=6).stderr
    assert "INSERT" in said and "o" in said and "grant" in said, said
    said = run("copy", "orders.parquet", sql.uri("reader"), "--table", "fresh", code=6).stderr
    assert "CREATE" in said, said


# ---- something changed ----

def stopped_in_the_middle(sql, tmp_path, words):
    running = start(tmp_path, words)
    assert sql.wait_units(3, running), running.stderr.read()
    kill(running)
    assert 0 < sql.count() < ROWS


@pytest.mark.parametrize("change", ["ALTER TABLE o RENAME COLUMN price TO cost", "ALTER TABLE o DROP COLUMN price"])
def test_target_changed_between_plan_and_run(sql, run, orders, tmp_path, change):
    sql.make()
    sql.slow("o", 0.05)
    stopped_in_the_middle(sql, tmp_path, append(sql))
    before = sql.count()
    sql.sql(change)
    done = again(run, append(sql))
    assert done.returncode in (4, 6) and ("price" in done.stderr or "--restart" in done.stderr), done.stderr
    assert sql.count() == before


def test_target_changed_while_running(sql, run, orders, tmp_path):
    sql.make()
    sql.slow("o", 0.05)
    running = start(tmp_path, append(sql))
    assert sql.wait_units(2, running)
    sql.sql("ALTER TABLE o DROP COLUMN price")
    said = running.communicate(timeout=120)[1]
    assert running.returncode in (4, 6) and "price" in said, (running.returncode, said)


def test_source_changed_between_plan_and_run(sql, run, orders, tmp_path):
    """Another file under the same name: append cannot know which rows are in."""
    sql.make()
    sql.slow("o", 0.05)
    stopped_in_the_middle(sql, tmp_path, append(sql))
    (tmp_path / "orders.parquet").write_bytes((tmp_path / "orders.parquet").read_bytes())
    os.utime(tmp_path / "orders.parquet", (1, 1))
    said = again(run, append(sql))
    assert said.returncode == 4 and "--static-source" in said.stderr and "--restart" in said.stderr
    assert again(run, append(sql, "--static-source")).returncode == 0
    assert sql.whole() and sql.clean()


@pytest.mark.parametrize("change", ["DROP COLUMN price", "MODIFY price varchar(30)", "ADD COLUMN more int"])
def test_source_table_changed_between_plan_and_run(request, run, orders, tmp_path, change):
    """No promise mends that. (PostgreSQL gives a table as one unit, so nothing of it is in yet.)"""
    sql = engine("mariadb", request)
    run("copy", "orders.parquet", sql.uri(), "--table", "src")
    sql.sql("ALTER TABLE src ADD PRIMARY KEY (id)")
    sql.make()
    sql.slow("o", 0.05)
    copy = ["copy", sql.uri("reader"), sql.uri(), "--source-table", "src", "--target-table", "o", "--mode", "append", "--unit-rows", "100", "--static-source"]
    stopped_in_the_middle(sql, tmp_path, copy)
    before = sql.count()
    sql.sql(f"ALTER TABLE src {change}")
    said = again(run, copy)
    assert said.returncode in (4, 6) and sql.count() == before, said.stderr
    assert "--restart" in said.stderr or "price" in said.stderr or "more" in said.stderr, said.stderr


def test_a_table_made_again_is_refused(sql, run, orders, tmp_path):
    sql.make()
    sql.slow("o", 0.05)
    stopped_in_the_middle(sql, tmp_path, append(sql, "--run", "again"))
    sql.sql("DROP TABLE o")
    sql.make()
    done = again(run, append(sql, "--run", "again"))
    assert done.returncode == 4 and "--restart" in done.stderr, done.stderr
    assert sql.count() == 0
    assert again(run, append(sql, "--run", "again", "--restart")).returncode == 0
    assert sql.whole() and sql.clean()


def test_a_table_made_again_within_a_second_is_refused(sql, run, orders):
    """MySQL tells tables apart by the second they were made: haul lets that second pass before it looks."""
    sql.make()
    run(*append(sql, "--run", "quick"))
    sql.sql("DROP TABLE o")
    sql.make()
    said = run(*append(sql, "--run", "quick"), code=4).stderr
    assert "made again" in said and sql.count() == 0


def test_the_same_command_again(sql, run, orders):
    sql.make()
    run(*append(sql, "--run", "nightly"))
    done = run(*append(sql, "--run", "nightly", "--summary", "s.json"))
    assert "already complete" in done.stderr and sql.whole()
    sql.sql("DROP TABLE o")
    sql.make()
    said = run(*append(sql, "--run", "nightly"), code=4).stderr
    assert "made again" in said and "--restart" in said and sql.count() == 0
    sql.sql("DELETE FROM haul_runs")
    run(*append(sql))
    assert sql.whole()
    sql.sql("CREATE TABLE twice AS SELECT * FROM o")
    sql.sql("DELETE FROM twice")
    twice = ["copy", "orders.parquet", sql.uri(), "--table", "twice", "--mode", "append"]
    if sql.name == "postgres":
        sql.sql("GRANT ALL ON twice TO loader")
    run(*twice)
    run(*twice)
    assert sql.count("twice") == 2 * ROWS
    assert run("copy", "orders.parquet", sql.uri(), "--table", "o", code=6).returncode == 6


# ---- what another haul left ----

@pytest.mark.parametrize("change,says", [("UPDATE haul_runs SET layout = 7", "newer haul: its layout is 7"), ("ALTER TABLE haul_runs DROP COLUMN layout", "older haul")])
def test_a_ledger_of_another_layout_is_refused(sql, run, orders, change, says):
    sql.make()
    run(*append(sql, "--run", "first"))
    sql.sql(change)
    for name in ("first", "second"):
        said = run(*append(sql, "--run", name), code=4).stderr
        assert says in said and "--ledger" in said, said
    assert sql.whole() and int(sql.one("SELECT count(*) FROM haul_runs")) == 1
    sql.sql("DELETE FROM o")
    run(*append(sql, "--ledger", "other"))
    assert sql.whole()


def test_a_plan_of_a_newer_haul_is_refused(sql, run, orders, tmp_path):
    sql.make()
    sql.slow("o", 0.05)
    stopped_in_the_middle(sql, tmp_path, append(sql, "--run", "planned"))
    sql.sql("UPDATE haul_runs SET plan = replace(plan, '\"version\": 1', '\"version\": 9')")
    before = sql.count()
    said = again(run, append(sql, "--run", "planned"))
    assert said.returncode == 4 and "version 9" in said.stderr and sql.count() == before, said.stderr


# ---- killed, on this machine and on another ----

@pytest.mark.parametrize("where", ["here", "elsewhere"])
@pytest.mark.parametrize("mode", ["append", "create", "replace", "truncate"])
def test_killed_and_run_again(sql, run, orders, tmp_path, mode, where):
    """Elsewhere: another folder and home; only the server remembers."""
    rng = random.Random(f"{SEED} {mode} {where} {sql.name}")
    for trial in range(FEW):
        sql.sql("DROP TABLE IF EXISTS o")
        if mode != "create":
            sql.make()
        copy = ["copy", "orders.parquet", sql.uri(), "--table", "o", "--mode", mode, "--unit-rows", "60", "--run", f"{mode}{where}{trial}"]
        for _ in range(rng.randrange(1, 4)):
            running = start(tmp_path, copy)
            time.sleep(rng.random() * 0.6)
            kill(running)
        cwd = tmp_path
        if where == "elsewhere":
            cwd = tmp_path / f"other{trial}"
            cwd.mkdir()
            os.link(tmp_path / "orders.parquet", cwd / "orders.parquet")
        done = again(run, copy, cwd=cwd, env={"HOME": str(cwd), "XDG_STATE_HOME": str(cwd)})
        assert done.returncode == 0, done.stderr
        assert sql.whole() and sql.clean()
        assert {"orders.parquet"} >= set(n for n in os.listdir(cwd) if not n.startswith("other"))


@pytest.mark.parametrize("target", ["postgres", "mariadb"])
@pytest.mark.parametrize("source", ["postgres", "mysql8"])
def test_killed_between_two_servers(request, run, orders, tmp_path, source, target):
    """A snapshot dies with its session: the copy starts over by itself and is whole."""
    if source == target:
        pytest.skip("one database for both")
    a, b = engine(source, request), engine(target, request)
    rng = random.Random(f"{SEED} {source} {target}")
    run("copy", "orders.parquet", a.uri(), "--table", "o")
    for trial in range(FEW):
        for mode in ("create", "replace"):
            if mode == "create":
                b.sql("DROP TABLE IF EXISTS o")
            copy = ["copy", a.uri("reader"), b.uri(), "--source-table", "o", "--target-table", "o", "--mode", mode, "--run", f"x{mode}{trial}"]
            for _ in range(rng.randrange(1, 3)):
                running = start(tmp_path, copy)
                time.sleep(rng.random() * 0.4)
                kill(running)
            done = again(run, copy)
            assert done.returncode == 0, done.stderr
            assert b.whole() and b.clean()


def test_killed_while_reading_without_its_state(sql, run, tmp_path):
    big(sql, 10000)
    rng = random.Random(f"{SEED} {sql.name}")
    for trial in range(FEW):
        copy = ["copy", sql.uri("reader"), f"out{trial}/", "--table", "big", "--workers", "2", "--files", "2", "--rowgroup-size", "500"]
        running = start(tmp_path, copy)
        time.sleep(rng.random() * 0.4)
        kill(running)
        elsewhere = tmp_path / f"elsewhere{trial}"
        elsewhere.mkdir()
        run(*copy, cwd=elsewhere)
        assert ids(elsewhere / f"out{trial}") == list(range(10000))
        if not list((tmp_path / f"out{trial}").glob("*manifest.json")):
            run(*copy)
        assert ids(tmp_path / f"out{trial}") == list(range(10000))
        assert [n for n in os.listdir(tmp_path) if n.startswith(".")] == []


# ---- names ----

NAMES = ["select", 'quo"te', "back`tick", "[bra]cket", "semi; DROP TABLE victim; --", "Größe 表", "per%cent", "a'b", "x" * 63, "back\\slash", "dot.ted"]


@pytest.mark.parametrize("name", NAMES)
def test_awkward_names_of_tables_and_columns(sql, run, tmp_path, name):
    if sql.name != "postgres" and name.endswith(" "):
        pytest.skip("MySQL has no such names")
    sql.sql("CREATE TABLE victim (a int)")
    quoted = '"' + name.replace('"', '""') + '"'
    pq.write_table(pa.table({name: [1, 2], "other": ["a", None]}), tmp_path / "n.parquet")
    run("copy", "n.parquet", sql.uri(), "--table", quoted, "--run", "named")
    run("copy", sql.uri(), "back.parquet", "--table", quoted, "--columns", quoted)
    assert pq.read_table(tmp_path / "back.parquet").to_pydict() == {name: [1, 2]}
    run("copy", sql.uri(), sql.uri(), "--source-table", quoted, "--target-table", "copied")
    run("copy", "n.parquet", sql.uri(), "--table", quoted, "--mode", "replace")
    assert sql.one(f"SELECT count({sql.quote(name)}) FROM {sql.quote(name)}") == "2" and sql.count("copied") == 2 and sql.count("victim") == 0
    assert sql.clean()


@pytest.mark.parametrize("evil", ["'; DROP TABLE victim; --", "x' host=evil.example", "a b", "%27%3B%20DROP%20TABLE%20victim", "$(touch pwned)", "-c log_statement=all"])
def test_injection_in_every_part_of_a_uri(sql, run, tmp_path, evil):
    from urllib.parse import quote
    sql.sql("CREATE TABLE victim (a int)")
    scheme, rest = sql.uri().split("://")
    place = rest.split("@")[1]
    host = place.split("/")[0]
    text = quote(evil, safe="%")
    for where in (f"{scheme}://{text}@{place}", f"{scheme}://loader:{text}@{place}", f"{scheme}://loader@{host}/{text}",
                  f"{scheme}://loader@{text}/shop", f"{scheme}://loader@{place}?table={text}", f"{scheme}://loader@{place}?{text}=1",
                  f"{scheme}://loader@{place}?connect_timeout={text}"):
        done = run("copy", where, "x.csv", "--table" if "table=" not in where else "--where", "nothing" if "table=" not in where else "1=1",
                   "--retries", "0", code=None)
        assert done.returncode in (2, 5, 75), (where, done.stderr)
    run("copy", sql.uri(), "x.csv", "--table", evil, code=(2, 5))
    (tmp_path / "v.csv").write_text("a\n1\n")
    run("copy", "v.csv", sql.uri(), "--table", "fine", "--run", "r-1", "--ledger", "none")
    assert sql.count("victim") == 0 and not (tmp_path / "pwned").exists()
