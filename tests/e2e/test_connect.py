"""How people name a connection, log in, and trust it: with real servers.

Named connections, tables in names, where passwords come from and that they show up
nowhere, and what is said about a certificate that cannot be trusted.
"""
import json
import os
import pty
import re
import select
import signal
import subprocess
import time
from urllib.parse import quote

import pytest

from certificates import Authority
from conftest import HAUL, make_orders
from fixtures import started
from mysql_server import MariaDB, MySQL
from servers import PASSWORD, Postgres


# Servers that no other test has left roles or tables in.


@pytest.fixture(scope="module")
def postgres():
    yield from started(Postgres)


@pytest.fixture(scope="module")
def mariadb():
    yield from started(MariaDB)


@pytest.fixture(scope="module")
def mysql8():
    yield from started(MySQL)


@pytest.fixture
def base(postgres):
    """An empty database; loader owns its schema public."""
    postgres.psql("DROP DATABASE IF EXISTS connect WITH (FORCE)")
    postgres.sql("CREATE DATABASE connect")
    for role in ("loader",):
        postgres.psql(f"DROP ROLE IF EXISTS {role}")
        postgres.sql(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
    postgres.sql("ALTER SCHEMA public OWNER TO loader", database="connect")
    postgres.sql("CREATE TABLE orders AS SELECT i AS id FROM generate_series(1, 7) AS i", 'CREATE TABLE "Order Details" (a int)',
                 user="loader", database="connect")
    yield postgres
    postgres.psql("DROP DATABASE connect WITH (FORCE)")
    postgres.psql("DROP ROLE loader")


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home" / ".config" / "haul").mkdir(parents=True)
    return tmp_path / "home"


def connections(home, text, mode=0o600):
    path = home / ".config" / "haul" / "connections.ini"
    path.write_text(text)
    path.chmod(mode)


def uri(server, secret=None, more=""):
    return server.uri(user="loader", password=secret, database="connect", more=more)


def run(folder, *words, code=0, env=None, home=None, timeout=60):
    """haul with nothing of the caller's environment; no word of it may be the password."""
    full = {"PATH": os.environ["PATH"], **({"HOME": str(home)} if home else {}), **(env or {})}
    full.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
    done = subprocess.run([HAUL, *map(str, words)], cwd=folder, capture_output=True, text=True, env=full, timeout=timeout)
    assert PASSWORD not in done.stdout + done.stderr and "canary" not in done.stdout + done.stderr
    assert code is None or done.returncode == code, (done.returncode, done.stdout[-1000:], done.stderr[-2000:])
    return done


# ---- names ----

def test_a_named_connection(base, tmp_path, home):
    connections(home, f"# mine\n[prod]\nuri = {uri(base)}\npassword-command = printf '%s\\n' \"$SECRET\"\n\n[test]\nuri = sqlite:///shop.db\n")
    make_orders(tmp_path / "shop.db", 10)
    secret = {"SECRET": PASSWORD}
    run(tmp_path, "copy", "prod:public.orders", "a.csv", home=home, env=secret)
    assert len((tmp_path / "a.csv").read_text().split()) == 8
    run(tmp_path, "copy", "PROD:", "b.csv", "--table", "orders", home=home, env=secret)
    run(tmp_path, "copy", "test:orders", "prod:copied", home=home, env=secret)
    assert base.sql("SELECT count(*) FROM copied", database="connect") == "10"
    assert "Order Details" in run(tmp_path, "list", "prod:", home=home, env=secret).stdout
    assert "prod" in run(tmp_path, "list", "prdo:", code=2, home=home).stderr


def test_from_the_environment_without_a_home(base, tmp_path):
    env = {"HAUL_CONN_MY_PROD": uri(base), "PGPASSWORD": PASSWORD}
    run(tmp_path, "copy", "my-prod:orders", "a.csv", env=env)
    assert "my_prod" in run(tmp_path, "copy", "my-prot:orders", "b.csv", env=env, code=2).stderr
    assert run(tmp_path, "copy", "nope:orders", "b.csv", code=2).stderr.count("./nope:orders") == 1


def test_a_file_whose_name_has_a_colon(tmp_path):
    (tmp_path / "a:b").write_text("x,y\n1,2\n")
    run(tmp_path, "copy", "./a:b", "c.parquet", "--from", "csv")
    assert "./a:b" in run(tmp_path, "copy", "aa:b", "c.parquet", code=2).stderr.replace("aa:b", "a:b")


def test_slips_in_the_file_are_told(base, tmp_path, home):
    connections(home, "[prod]\nurl = postgresql://x/y\n")
    said = run(tmp_path, "list", "prod:", code=2, home=home).stderr
    assert "line 2" in said and "near: uri" in said
    connections(home, "[prod]\nwhat\n")
    assert "line 2" in run(tmp_path, "list", "prod:", code=2, home=home).stderr
    connections(home, f"[prod]\nuri = {uri(base)}\npassword = {PASSWORD}\n", mode=0o644)
    assert "chmod 600" in run(tmp_path, "list", "prod:", home=home).stderr
    connections(home, f"[prod]\nuri = {uri(base)}\npassword = {PASSWORD}\n")
    assert "chmod" not in run(tmp_path, "list", "prod:", home=home).stderr


@pytest.mark.parametrize("table", ["orders", "public.orders", "[public].[orders]", '"public"."orders"', "PUBLIC.Orders"])
def test_tables_as_people_write_them(base, tmp_path, table):
    env = {"PGPASSWORD": PASSWORD, "HAUL_CONN_P": uri(base), "HAUL_CONN_PROD": uri(base)}
    run(tmp_path, "copy", f"prod:{table}", "a.csv", env=env)
    run(tmp_path, "copy", uri(base, more=f"?table={quote(table)}&sslmode=require"), "b.csv", env=env)
    run(tmp_path, "copy", uri(base, more=f"?sslmode=require&TABLE={quote(table)}"), "c.csv", env=env)
    assert (tmp_path / "a.csv").read_text() == (tmp_path / "b.csv").read_text() == (tmp_path / "c.csv").read_text()


def test_quoted_names_and_a_table_named_twice(base, tmp_path):
    env = {"PGPASSWORD": PASSWORD, "HAUL_CONN_PROD": uri(base)}
    for name in ("[Order Details]", '"Order Details"', "public.[Order Details]"):
        run(tmp_path, "copy", f"prod:{name}", "x.csv", "--mode", "replace", env=env)
    said = run(tmp_path, "copy", "prod:orders", "x.csv", "--source-table", "other", env=env, code=2).stderr
    assert "named twice" in said


# ---- passwords ----

def secret_file(tmp_path, text=PASSWORD + "\n", mode=0o600, name="secret"):
    (tmp_path / name).write_text(text)
    (tmp_path / name).chmod(mode)
    return tmp_path / name


def test_from_a_file(base, tmp_path):
    run(tmp_path, "list", uri(base), "--password-file", secret_file(tmp_path))
    assert "everybody" in run(tmp_path, "list", uri(base), "--password-file", secret_file(tmp_path, mode=0o644)).stderr
    assert "wrong" not in run(tmp_path, "list", uri(base), "--password-file", secret_file(tmp_path, "canary-wrong\n"), code=5).stderr
    for text, said in (("", "no password"), ("canary\ncanary\n", "more than one line"), ("canary\0x", "no password"), ("c" * 5000, "no password")):
        assert said in run(tmp_path, "list", uri(base), "--password-file", secret_file(tmp_path, text), code=5).stderr
    assert "no-such" in run(tmp_path, "list", uri(base), "--password-file", "no-such", code=5).stderr


def test_from_a_command(base, tmp_path):
    run(tmp_path, "list", uri(base), "--password-command", f"cat {secret_file(tmp_path)}")
    for line, said in (("exit 3", "exit code 3"), ("echo canary; echo canary", "more than one line"), ("kill -9 $$", "signal 9"),
                       ("yes canary", "more than"), ("true", "no password"), ("no-such-program-here", "exit code 127")):
        assert said in run(tmp_path, "list", uri(base), "--password-command", line, code=5).stderr


def test_a_command_that_hangs_is_interrupted(base, tmp_path):
    running = subprocess.Popen([HAUL, "list", uri(base), "--password-command", "sleep 77 & echo $! > pid; wait"], cwd=tmp_path,
                               stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 20
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().strip():
        assert time.monotonic() < until
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=10)
    assert running.returncode == 75
    state = subprocess.run(["ps", "-o", "state=", "-p", (tmp_path / "pid").read_text().strip()], capture_output=True, text=True).stdout.strip()
    assert state in ("", "Z"), "its child goes with it"


def test_both_sides_are_databases(base, tmp_path):
    secret = secret_file(tmp_path)
    copy = ["copy", uri(base), uri(base), "--source-table", "orders", "--target-table", "copied"]
    apart = ["copy", uri(base), "mysql://me@127.0.0.1/shop", *copy[3:]]  # one password for both is for one server only
    assert "--source-password-file" in run(tmp_path, *apart, "--password-file", secret, code=2).stderr
    run(tmp_path, *copy, "--source-password-file", secret, "--target-password-command", f"cat {secret}")
    assert base.sql("SELECT count(*) FROM copied", database="connect") == "7"
    assert "one connection" in run(tmp_path, *apart, "--trust-cert", code=2).stderr


def test_none_and_no_terminal_is_an_error_at_once(base, mariadb, tmp_path):
    started = time.monotonic()
    said = run(tmp_path, "list", uri(base), code=5).stderr
    assert "--password-file" in said and "no terminal" in said
    assert "--password-file" in run(tmp_path, "list", mariadb.uri(), code=5).stderr
    assert time.monotonic() - started < 10


def at_a_terminal(folder, words, answer, env=None):
    """Runs haul at a terminal of its own; types `answer` when asked. What the screen showed, and the exit code."""
    pid, screen = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execve(HAUL, [HAUL, *words], {"PATH": os.environ["PATH"], **(env or {})})
    shown, typed = b"", False
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if not select.select([screen], [], [], 0.2)[0]:
            continue
        try:
            data = os.read(screen, 4096)
        except OSError:
            break
        if not data:
            break
        shown += data
        if not typed and b"Password for" in shown:
            os.write(screen, answer.encode() + b"\n")
            typed = True
    _, status = os.waitpid(pid, 0)
    os.close(screen)
    return shown.decode(errors="replace"), os.waitstatus_to_exitcode(status)


def test_a_person_is_asked_and_what_is_typed_is_hidden(base, mariadb, tmp_path):
    for where, what in ((uri(base), "Order Details"), (mariadb.uri(), "no tables")):
        shown, code = at_a_terminal(tmp_path, ["list", where], PASSWORD)
        assert code == 0 and what in shown and "canary" not in shown, shown
        assert len(re.findall("Password for", shown)) == 1
        shown, code = at_a_terminal(tmp_path, ["list", where], "canary-wrong")
        assert code == 5 and "canary" not in shown and len(re.findall("Password for", shown)) == 1
    make_orders(tmp_path / "shop.db", 10)
    shown, code = at_a_terminal(tmp_path, ["copy", "shop.db", uri(base), "--source-table", "orders", "--target-table", "typed", "--verify"], PASSWORD)
    assert code == 0 and len(re.findall("Password for", shown)) == 1, shown


def test_the_password_shows_nowhere(base, tmp_path):
    """In the URI, the worst place: not in words others read, core files, output, plans, journals, the ledger."""
    secret = uri(base, PASSWORD)
    base.sql("CREATE TABLE big AS SELECT i AS id, repeat('p', 300) AS pad FROM generate_series(1, 60000) AS i", user="loader", database="connect")
    running = subprocess.Popen([HAUL, "copy", secret, "slow.csv", "--query", "SELECT pg_sleep(3)::text AS a"], cwd=tmp_path,
                               stderr=subprocess.PIPE, text=True)
    time.sleep(1)
    words = open(f"/proc/{running.pid}/cmdline", "rb").read()
    limits = open(f"/proc/{running.pid}/limits").read()
    said = running.communicate(timeout=30)[1]
    assert b"canary" not in words and b"loader:***" in words, said
    assert re.search(r"Max core file size +0 +0 ", limits)
    assert said.count("can be seen by others") == 1 and "canary" not in said
    shared = ["--log", "json", "--summary", "summary.json"]
    run(tmp_path, "copy", secret, "out/", "--table", "big", "--files", "2", *shared)
    run(tmp_path, "copy", secret, "p.parquet", "--table", "big", "--dry-run", "--json")
    run(tmp_path, "copy", "out/", secret, "--table", "back", *shared, "--run", "r1")
    run(tmp_path, "copy", secret + "?password=canary2", "q.csv", "--table", "big", code=None)
    running = subprocess.Popen([HAUL, "copy", secret, "killed/", "--table", "big", "--rowgroup-size", "1000"], cwd=tmp_path, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 20
    while time.monotonic() < until and running.poll() is None and not list(tmp_path.rglob("journal.jsonl")):
        time.sleep(0.01)
    running.kill()
    running.wait()
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"canary" not in path.read_bytes(), path
    dump = base.sql("SELECT string_agg(r::text, ' ') FROM haul_runs AS r", database="connect")
    assert "r1" in dump and "canary" not in dump


# ---- certificates ----

class Trusted:
    """A server, an authority, and a way to give the server another certificate."""

    def __init__(self, kind, server, folder):
        self.kind, self.server, self.folder = kind, server, folder
        self.authority = Authority(folder)

    def show(self, hosts, days=(-1, 30), authority=None):
        place = self.server.folder / "server"
        (authority or self.authority).issue(place, hosts, days)
        self.server.own(place.with_suffix(".crt"), place.with_suffix(".key"))
        if self.kind == "postgres":
            self.server.process.send_signal(signal.SIGHUP)
            time.sleep(0.5)
        else:
            self.server.root("FLUSH SSL")

    def list(self, *words, code=0, host="127.0.0.1"):
        user = {"user": "loader", "database": "connect"} if self.kind == "postgres" else {}
        where = self.server.uri(**user).replace("127.0.0.1", host)
        name = "PGPASSWORD" if self.kind == "postgres" else "MYSQL_PWD"
        return run(self.folder, "list", where, *words, code=code, env={name: PASSWORD})


@pytest.fixture(params=["postgres", "mariadb"])
def trusted(request, tmp_path):
    server = request.getfixturevalue("base" if request.param == "postgres" else "mariadb")
    before = [(server.folder / f"server.{part}").read_bytes() for part in ("crt", "key")]
    made = Trusted(request.param, server, tmp_path)
    yield made
    for part, text in zip(("crt", "key"), before):
        (server.folder / f"server.{part}").write_bytes(text)
    server.process.send_signal(signal.SIGHUP) if request.param == "postgres" else server.root("FLUSH SSL")


def test_certificates(trusted, tmp_path):
    ca = ["--tls-ca", trusted.authority.path]
    trusted.show(["127.0.0.1", "localhost"])
    trusted.list(*ca)
    other = Authority(tmp_path, "another authority")
    said = trusted.list("--tls-ca", other.path, code=5).stderr
    assert "haul test authority" in said and str(other.path) in said and "--trust-cert" in said and "--tls-ca" in said, said
    assert "nobody vouches" in trusted.list("--trust-cert").stderr
    trusted.show(["db.example.org", "db2.example.org"])
    said = trusted.list(*ca, code=5).stderr
    assert '"127.0.0.1"' in said and "db.example.org, db2.example.org" in said and "host name that it is for" in said, said
    trusted.show(["127.0.0.1", "localhost"], days=(-30, -2))
    said = trusted.list(*ca, code=5).stderr
    assert re.search(r"expired at 20\d\d-\d\d-\d\d", said) and "a new certificate" in said, said
    trusted.list("--trust-cert")


def test_mysql_8_over_tls(mysql8, tmp_path):
    """caching_sha2_password sends the password only because the channel is encrypted."""
    mysql8.root("FLUSH PRIVILEGES")  # forgets what it cached: the full exchange
    done = run(tmp_path, "list", mysql8.uri(), "--tls-ca", mysql8.folder / "server.crt", env={"MYSQL_PWD": PASSWORD})
    assert "no tables" in done.stdout
    said = run(tmp_path, "list", mysql8.uri(), "--tls-ca", Authority(tmp_path).path, env={"MYSQL_PWD": PASSWORD}, code=5).stderr
    assert 'issued by "server"' in said and "--tls-ca" in said, said


# ---- ping and list ----

def ping(folder, *words, **options):
    return json.loads(run(folder, "ping", *words, "--json", **options).stdout)


def test_ping_postgres(base, tmp_path):
    env = {"PGPASSWORD": PASSWORD}
    base.psql("DROP ROLE IF EXISTS looker")
    base.sql(f"CREATE ROLE looker LOGIN PASSWORD '{PASSWORD}'")
    base.sql("GRANT SELECT ON orders TO looker", user="loader", database="connect")
    said = ping(tmp_path, uri(base), "--table", "orders", "--tls-ca", base.folder / "server.crt", env=env)
    assert said["product"] == "PostgreSQL" and said["user"] == "loader" and said["state"] == "read-write" and 0 < said["latency_ms"] < 1000
    assert said["tls"]["protocol"].startswith("TLSv1.") and said["tls"]["verified"] and "localhost" in said["tls"]["certificate"]
    assert said["table"] == {"name": "public.orders", "exists": True, "read": True, "insert": True} and said["create_table"] and said["create_ledger"]
    looker = base.uri(user="looker", database="connect")
    said = ping(tmp_path, looker, "--table", "orders", env=env)
    assert said["table"] == {"name": "public.orders", "exists": True, "read": True, "insert": False}
    assert said["create_table"] is False and said["create_ledger"] is False and not said["tls"]["verified"]
    assert ping(tmp_path, looker, "--table", "nothing", env=env)["table"]["exists"] is False
    base.sql("ALTER ROLE looker SET default_transaction_read_only = on")
    text = run(tmp_path, "ping", looker, "--table", '"Order Details"', env=env).stdout
    assert "read-only" in text and "read no, insert no" in text and "user         looker" in text
    base.sql("REVOKE ALL ON orders FROM looker", user="loader", database="connect")
    base.sql("DROP ROLE looker")


@pytest.mark.parametrize("kind", ["mariadb", "mysql8"])
def test_ping_mysql(request, tmp_path, kind):
    server, env = request.getfixturevalue(kind), {"MYSQL_PWD": PASSWORD}
    server.sql("CREATE OR REPLACE VIEW w AS SELECT 1 AS a; DROP TABLE IF EXISTS t; CREATE TABLE t (a int NOT NULL)")
    server.root(f"DROP USER IF EXISTS looker@'127.0.0.1'; CREATE USER looker@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';"
                "GRANT SELECT ON shop.t TO looker@'127.0.0.1'")
    said = ping(tmp_path, server.uri(), "--table", "t", "--tls-ca", server.folder / "server.crt", env=env)
    assert said["product"].lower() + ("8" if kind == "mysql8" else "") == kind and said["database"] == "shop" and said["tls"]["verified"]
    assert said["table"] == {"name": "shop.t", "exists": True, "read": True, "insert": True} and said["create_table"] and said["create_ledger"]
    said = ping(tmp_path, server.uri(user="looker"), "--table", "shop.t", env=env)
    assert said["table"] == {"name": "shop.t", "exists": True, "read": True, "insert": False} and not said["create_table"] and said["tls"] is None
    listed = run(tmp_path, "list", server.uri(), env=env).stdout
    assert "shop.t\n" in listed and "view   shop.w" in listed
    server.root("DROP USER looker@'127.0.0.1'; DROP TABLE shop.t; DROP VIEW shop.w")


def test_ping_a_file(tmp_path):
    make_orders(tmp_path / "shop.db", 10)
    said = ping(tmp_path, "shop.db", "--table", "orders")
    assert said["product"] == "SQLite" and said["table"]["exists"] and said["tls"] is None and said["create_ledger"]
    assert "colon" in run(tmp_path, "ping", "prod", code=2).stderr


def test_lists_are_aligned_and_names_are_those_that_table_takes(base, tmp_path):
    env = {"PGPASSWORD": PASSWORD}
    base.sql("ANALYZE", 'CREATE TABLE "q""uo.te" (a int)', "CREATE VIEW v AS SELECT 1 AS a", user="loader", database="connect")
    lines = run(tmp_path, "list", uri(base), env=env).stdout.splitlines()
    at = lines[0].index("name")
    names = [line[at:] for line in lines[1:-1]]
    assert names == ['public."Order Details"', "public.orders", 'public."q""uo.te"', "public.v"] and lines[-1].startswith("~ is")
    for name in names:
        run(tmp_path, "copy", uri(base), "x.csv", "--table", name, "--mode", "replace", env=env)
    listed = json.loads(run(tmp_path, "list", uri(base), "--json", env=env).stdout)
    assert [row["name"] for row in listed] == ["Order Details", "orders", 'q"uo.te', "v"]
