"""SQL Server: finding the server, being sent on, being cancelled, and servers that lie or fill memory.

The server of the tests and prepared answers (tds_scripted.py), as in test_mssql_read.py.
"""
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import pyarrow.parquet as pq
import pytest

from conftest import HAUL, ROOT

sys.path.insert(0, str(ROOT / "tests" / "support"))
pytest.importorskip("sqlglot")

from tds import prelogin, tokens  # noqa: E402
from tds.server import PASSWORD  # noqa: E402
from tds.types import MAX, Type  # noqa: E402
from tds_scripted import Scripted, chunks, rows  # noqa: E402

INT = Type("int", nullable=False)
ONE = rows([("one", INT)], [[struct.pack("<i", 1)]])
ASK = ["-", "--to", "csv", "--query", "SELECT 1 AS one"]


@pytest.fixture
def run(tmp_path):
    def call(*words, code=0, env=None, timeout=60):
        done = subprocess.run([HAUL, *map(str, words)], cwd=tmp_path, capture_output=True, timeout=timeout, text=True,
                              env={**os.environ, "SQLCMDPASSWORD": PASSWORD, **(env or {})})
        assert PASSWORD not in done.stdout + done.stderr
        assert code is None or done.returncode == code, (done.returncode, (done.stdout + done.stderr)[-3000:])
        return done

    return call


def uri(port, more=""):
    return f"mssql://sa@127.0.0.1:{port}/master{more}"


# ---- finding the server ----

class Browser:
    """SQL Server Browser on UDP 1434: answers with a text, or with bytes as they are."""

    def __init__(self, answer):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.sock.bind(("127.0.0.1", 1434))
        except OSError:
            pytest.skip("UDP port 1434 is taken")
        self.sock.settimeout(0.05)
        self.answer, self.asked, self.open = answer, [], True
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.open = False
        self.thread.join()
        self.sock.close()

    def serve(self):
        text = self.answer if isinstance(self.answer, bytes) else b"\x05" + struct.pack("<H", len(self.answer)) + self.answer.encode()
        while self.open:
            try:
                data, peer = self.sock.recvfrom(1000)
            except TimeoutError:
                continue
            self.asked.append(data)
            self.sock.sendto(text, peer)


def test_browser(run):
    with Scripted({"SELECT 1": ONE}) as server:
        with Browser(f"ServerName;H;InstanceName;SALES;IsClustered;No;Version;16.0;tcp;{server.port};np;\\\\H\\pipe;;") as browser:
            for given in ("mssql://sa@127.0.0.1\\SALES/master", "mssql://sa@127.0.0.1/SALES?database=master", "mssql://sa@127.0.0.1/?instance=SALES"):
                assert run("copy", given, *ASK).stdout == "one\n1\n"
            assert browser.asked[0] == b"\x04SALES\0"
    other = f"ServerName;H;InstanceName;OTHER;tcp;{server.port};;"
    for answer in (other, b"", b"\x05\xff\xff", b"\x05\x03\0tcp", "ServerName;H;InstanceName;X;tcp;99999;;", "ServerName;H;;", b"\xff" * 900):
        with Browser(answer):
            done = run("copy", "mssql://sa@127.0.0.1\\SALES/master", *ASK, code=None)
            assert "Browser" in done.stderr and done.returncode in (5, 75)


def test_no_browser_and_no_host(run):
    assert "give the port" in run("copy", "mssql://sa@127.0.0.1\\SALES/master", *ASK, code=None).stderr
    said = run("copy", "mssql://sa@dbhostSALES/master", *ASK, code=None).stderr
    assert "backslash" in said and "not found" in said
    assert "backslash" not in run("copy", "mssql://sa@db.example.invalid/master", *ASK, code=None).stderr


# ---- several addresses, secrets ----

class BlackHole:
    """A port whose queue is full: SYNs go unanswered, as with the address of a replica that is down."""

    def __init__(self, port):
        self.socks = [socket.socket()]
        self.socks[0].bind(("127.0.0.2", port))
        self.socks[0].listen(0)

    def __enter__(self):
        for _ in range(4):
            caller = socket.socket()
            caller.setblocking(False)
            caller.connect_ex(self.socks[0].getsockname())
            self.socks.append(caller)
        time.sleep(0.1)
        probe = socket.socket()
        probe.settimeout(0.3)
        with pytest.raises(TimeoutError):
            probe.connect(self.socks[0].getsockname())
        probe.close()
        return self

    def __exit__(self, *_):
        for sock in self.socks:
            sock.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="a name of two addresses needs a mount namespace")
@pytest.mark.parametrize("addresses", [("127.0.0.2", "127.0.0.1"), ("127.0.0.1", "127.0.0.2")])
def test_the_first_address_is_a_black_hole(tmp_path, addresses):
    """MultiSubnetFailover tries all at once; without it the next one's turn comes soon, too."""
    (tmp_path / "hosts").write_text("".join(f"{address} haul-listener\n" for address in addresses))
    with Scripted({"SELECT 1": ONE}) as server, BlackHole(server.port):
        for more, seconds in (("multiSubnetFailover=yes", 3), ("multiSubnetFailover=no", 10)):
            where = f"mssql://sa@haul-listener:{server.port}/master?TrustServerCertificate=yes&{more}"
            begun = time.monotonic()
            done = subprocess.run(["unshare", "-m", "sh", "-c", f"mount --bind {tmp_path}/hosts /etc/hosts && exec \"$@\"", "sh", HAUL, "copy", where, *ASK],
                                  capture_output=True, text=True, timeout=60, env={**os.environ, "SQLCMDPASSWORD": PASSWORD})
            assert done.stdout == "one\n1\n", done.stderr
            assert time.monotonic() - begun < seconds, more


def test_a_pinned_certificate(run):
    """ServerCertificate: that one and no other, whatever its name; never together with trust in all."""
    with Scripted({"SELECT 1": ONE}) as server, Scripted({"SELECT 1": ONE}) as other:
        for encrypt in ("mandatory", "strict"):
            server.strict = True
            where = f"?encrypt={encrypt}&ServerCertificate={{}}"
            assert run("copy", uri(server.port, where.format(server.certificate)).replace("127.0.0.1", "localhost"), *ASK).stdout == "one\n1\n"
            said = run("copy", uri(server.port, where.format(other.certificate)), *ASK, code=5).stderr
            assert "certificate" in said
        assert "could be read" in run("copy", uri(server.port, "?encrypt=mandatory&ServerCertificate=/nowhere.pem"), *ASK, code=5).stderr


def test_an_access_token_from_a_command(sqlserver, run, tmp_path):
    where = sqlserver.uri(user="", password="", more="TrustServerCertificate=yes&Authentication=ActiveDirectoryAccessToken").replace("mssql://:@", "mssql://")
    assert run("copy", where, *ASK, "--password-command", "printf a-token", env={"SQLCMDPASSWORD": ""}).stdout == "one\n1\n"
    who = sqlserver.logins[-1][0]
    assert 2 in who.features and not who.user and not who.password
    before = len(sqlserver.logins)
    said = run("copy", where, *ASK, "--password-command", "printf stale-canary", "--retries", "5", env={"SQLCMDPASSWORD": ""}, code=5)
    assert len(sqlserver.logins) == before + 1 and "canary" not in said.stderr


def scrambled(text):
    return bytes(((byte << 4 | byte >> 4) & 0xFF) ^ 0xA5 for byte in text.encode("utf-16-le"))


@pytest.mark.parametrize("encrypt", ["disable", "mandatory"])
def test_after_the_login_the_password_is_wiped(tmp_path, encrypt):
    """What was sent of it is nowhere in the process, no core would be written, and no message has it."""
    secret, hold = "Canary-7f3a91", threading.Event()

    def slow(_statement, _channel):
        hold.wait(30)
        return ONE

    with Scripted({"SELECT 1": slow}, users={"sa": secret}) as server:
        if encrypt == "disable":
            server.encryption = prelogin.NOT_SUP
        where = f"mssql://sa@127.0.0.1:{server.port}/master?encrypt={encrypt}&certificate={server.certificate}"
        running = subprocess.Popen([HAUL, "copy", where, *ASK], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env={**os.environ, "SQLCMDPASSWORD": secret})
        until = time.monotonic() + 20
        while not any("SELECT 1" in str(asked) for asked in server.asked) and time.monotonic() < until:
            time.sleep(0.05)
        try:
            assert server.logins and server.logins[-1][0].password == secret
            assert "Max core file size        0 " in open(f"/proc/{running.pid}/limits").read()
            found, kept = [], False
            with open(f"/proc/{running.pid}/maps") as maps, open(f"/proc/{running.pid}/mem", "rb", 0) as memory:
                for line in maps:
                    where, access = line.split()[:2]
                    low, high = (int(part, 16) for part in where.split("-"))
                    if "r" not in access or "w" not in access:
                        continue
                    memory.seek(low)
                    data = memory.read(high - low)
                    kept = kept or secret.encode() in data  # for the next connection, and in the environment: so this looks where it should
                    found += [(name, line.split()[-1]) for name, form in (("UTF-16", secret.encode("utf-16-le")), ("scrambled", scrambled(secret))) if form in data]
            assert kept and not found, found
        finally:
            hold.set()
            out, err = running.communicate(timeout=30)
        assert out == "one\n1\n" and secret not in err, err


# ---- being sent on ----

def test_routing_is_followed_under_the_same_trust(run):
    with Scripted({"SELECT 1": ONE}) as other, Scripted({"SELECT 1": ONE}) as first:
        first.routing = ("127.0.0.1\\INST", other.port)
        assert run("copy", uri(first.port), *ASK, code=None).stdout == ""  # elsewhere a certificate must be good
        more = f"?encrypt=mandatory&certificate={other.certificate}"
        run("copy", uri(first.port, f"?encrypt=mandatory&certificate={first.certificate}"), *ASK, code=5)
        first.certificate, first.key, first.contexts = other.certificate, other.key, other.contexts
        assert run("copy", uri(first.port, more + "&ApplicationIntent=ReadOnly"), *ASK).stdout == "one\n1\n"
        assert first.logins[-1][0].flags[2] & 0x20 and other.logins[-1][0].flags[2] & 0x20
        other.routing = ("127.0.0.1", first.port)
        assert "from one to the other" in run("copy", uri(first.port, more), *ASK, code=5).stderr


def test_a_route_to_nowhere(run):
    with Scripted({}) as server:
        server.routing = ("", 1433)
        assert "without saying where" in run("copy", uri(server.port, "?trustservercertificate=yes"), *ASK, code=5).stderr
        server.routing = ("127.0.0.1", 0)
        run("copy", uri(server.port, "?trustservercertificate=yes"), *ASK, code=5)


def test_sessions_are_pinned_and_named(run):
    with Scripted({"SELECT 1": ONE}) as server:
        run("copy", uri(server.port, "?multiSubnetFailover=yes"), *ASK)
        run("copy", uri(server.port, "?App Name=loader"), *ASK)
        assert server.logins[-1][0].app == "loader"
        pinned = server.asked[0]
        for words in ("TEXTSIZE 2147483647", "ANSI_NULLS ON", "XACT_ABORT ON", "DEADLOCK_PRIORITY LOW", "IMPLICIT_TRANSACTIONS OFF", "ROWCOUNT 0", "LOCK_TIMEOUT "):
            assert words in pinned


def test_settings_a_server_does_not_know_are_passed_over(run):
    refuse = tokens.message(195, "'ARITHABORT' is not a recognized SET option.", 15) + tokens.done(tokens.DONE, tokens.ERROR_BIT)
    with Scripted({"SET ARITHABORT": refuse, "SELECT 1": ONE}) as server:
        assert run("copy", uri(server.port), *ASK).stdout == "one\n1\n"
        assert "SET XACT_ABORT ON" in server.asked


# ---- messages ----

def test_messages_and_errors_tell_all(run):
    notes = b"".join(tokens.message(50000, f"note {n}", 0) for n in range(30))
    error = tokens.message(547, "The statement conflicted.", 16, 3, 42, "dbo.usp_x") + tokens.done(tokens.DONE, tokens.ERROR_BIT)
    with Scripted({"SELECT 1": notes + ONE, "SELECT 2": error}) as server:
        said = run("copy", uri(server.port), *ASK).stderr
        assert "note 0" in said and "note 29" not in said
        said = run("copy", uri(server.port), *ASK[:4], "SELECT 2 AS two", code=5).stderr
        for words in ("error 547", "level 16", "state 3", "procedure dbo.usp_x", "line 42", "The statement conflicted."):
            assert words in said


TRANSIENT = [1205, 10928, 10929, 40197, 40501, 40613, 49918, 49919, 49920, 4221, 233, 10053, 10054, 10060, 921, 983, 6005, 8645, 33557097]


@pytest.mark.parametrize("number", TRANSIENT)
def test_transient_errors(run, number):
    """Before the first row: tried again, and then the exit code says that it may pass."""
    words = "canceling statement due to lock timeout" if number == 33557097 else "It may pass."  # a number that says nothing
    failing = tokens.message(number, words, 16) + tokens.done(tokens.DONE, tokens.ERROR_BIT)
    with Scripted({"FROM [dbo].[T]": failing, "objects AS o": rows([(name, Type("varchar", 9)) for name in "soti"], [[Type("varchar", 9).frame(v) for v in (b"dbo", b"T", b"V ", b"5")]])}) as server:
        assert str(number) in run("copy", uri(server.port), "x.parquet", "--table", "dbo.T", "--retries", "1", code=75).stderr


# ---- cancelling ----

@pytest.mark.parametrize("deaf", [False, True])
def test_an_interrupt_ends_a_long_query(tmp_path, deaf):
    """By attention; a server that ignores it loses the connection after the time limit."""
    head = tokens.column_metadata([("one", INT, 0)])

    def slow(_statement, channel):
        channel.begin()
        channel.write(head + b"\xd1\1\0\0\0" * 30000)
        return None if not deaf else time.sleep(30)

    with Scripted({"SELECT 1": slow}) as server:
        server.faults.set(deaf=deaf)
        process = subprocess.Popen([HAUL, "copy", uri(server.port), "x.csv", "--query", "SELECT 1 AS one"], cwd=tmp_path, stderr=subprocess.PIPE,
                                   env={**os.environ, "SQLCMDPASSWORD": PASSWORD}, text=True)
        time.sleep(1.5)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=25)[1]
        assert process.returncode == 75, said
        assert time.monotonic() - started < 15
        assert not (tmp_path / "x.csv").exists()


# ---- memory ----

def lobs(count, size):
    """A table of `count` values of `size` bytes, sent without holding them."""
    kind = Type("varbinary", MAX, nullable=False)

    def send(_statement, channel):
        channel.begin()
        channel.write(tokens.column_metadata([("id", INT, 0), ("b", kind, 0)]))
        piece = struct.pack("<I", 1 << 20) + bytes(1 << 20)
        for number in range(count):
            channel.write(b"\xd1" + struct.pack("<i", number) + struct.pack("<Q", 0xFFFFFFFFFFFFFFFE))
            for _ in range(size >> 20):
                channel.write(piece)
            channel.write(b"\0\0\0\0")
        channel.write(tokens.done(tokens.DONE, tokens.COUNT, tokens.SELECT, count))
        channel.end()

    return send


def test_ten_megabytes_in_64(run, tmp_path):
    with Scripted({"SELECT b": lobs(12, 10 << 20)}) as server:
        words = ["/usr/bin/time", "-f", "%M", HAUL, "copy", uri(server.port, "?encrypt=disable"), "b.parquet", "--query", "SELECT b FROM t", "--memory", "64MiB"]
        server.encryption = prelogin.NOT_SUP
        done = subprocess.run(list(map(str, words)), cwd=tmp_path, capture_output=True, text=True, timeout=120, env={**os.environ, "SQLCMDPASSWORD": PASSWORD})
        assert done.returncode == 0, done.stderr
        if "asan" not in os.environ.get("HAUL", ""):
            assert int(done.stderr.split()[-1]) < (64 + 32) * 1024, done.stderr
    assert pq.ParquetFile(tmp_path / "b.parquet").metadata.num_rows == 12


def test_a_value_that_cannot_fit_is_refused_before_it_is_buffered(run):
    total = rows([("id", INT), ("big", Type("nvarchar", MAX))], [[struct.pack("<i", n), struct.pack("<Q", 1 << 40) + struct.pack("<I", 1 << 30)] for n in range(1)])
    with Scripted({"SELECT a": total[:total.index(struct.pack("<Q", 1 << 40)) + 12], "SELECT b": lobs(1, 100 << 20)}) as server:
        for query, size in (("SELECT a", 1 << 40), ("SELECT b", None)):
            said = run("copy", uri(server.port), "x.parquet", "--query", query, "--memory", "64MiB", code=5).stderr
            assert "row 0" in said and "column" in said and "--memory" in said and (size is None or str(size) in said), said


# ---- lies ----

HOSTILE = {
    "a packet of 0 bytes": lambda c: c.sock.sendall(b"\4\1\0\0\0\0\1\0"),
    "a packet of 65535 bytes": lambda c: c.sock.sendall(b"\4\1\xff\xff\0\0\1\0" + bytes(65527)),
    "packets without end or content": lambda c: c.sock.sendall(b"\4\0\0\10\0\0\1\0" * 5000),
    "another type": lambda c: c.sock.sendall(b"\7\1\0\10\0\0\1\0"),
    "INFO for ever": lambda c: (c.begin(), c.write(tokens.message(1, "x" * 100, 0) * 20000), c.end()),
    "65534 columns": lambda c: (c.begin(), c.write(b"\x81\xfe\xff" + bytes(100000)), c.end()),
    "a type nobody knows": lambda c: (c.begin(), c.write(b"\x81\1\0\0\0\0\0\0\0\x99\1a\0"), c.end()),
    "an int of 7 bytes": lambda c: (c.begin(), c.write(b"\x81\1\0\0\0\0\0\0\0\x26\7\1a\0"), c.end()),
    "rows before columns": lambda c: (c.begin(), c.write(b"\xd1" * 100), c.end()),
    "a message that ends in a row": lambda c: (c.begin(), c.write(rows([("a", INT)], [])[:-13] + b"\xd1\1\0"), c.end()),
    "no answer at all": lambda c: c.sock.close(),
    "a token nobody knows": lambda c: (c.begin(), c.write(b"\x01\x02"), c.end()),
    "an ERROR longer than its length": lambda c: (c.begin(), c.write(b"\xaa\4\0\1\0\0\0\1\x10\xff\xff" + bytes(50)), c.end()),
}


@pytest.mark.sanitize
@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_server(run, what):
    with Scripted({"SELECT 1": lambda _statement, channel: HOSTILE[what](channel) and None}, encryption=prelogin.NOT_SUP) as server:
        done = run("copy", uri(server.port, "?encrypt=disable"), *ASK, "--retries", "0", code=None)
        assert done.returncode in (5, 75) and done.stderr.startswith("haul: "), done
        assert "127.0.0.1" in done.stderr


@pytest.mark.parametrize("cut", [1, 50, 400, 1200])
def test_tls_that_ends_in_the_middle(run, cut):
    """In the handshake and behind it: a sentence, never half a result."""
    from proxy import Fault, Proxy
    for encrypt in ("mandatory", "strict"):
        with Scripted({"SELECT 1": ONE}) as server, Proxy(server.port, Fault(None, cut, "reset")) as proxy:
            done = run("copy", uri(proxy.port, f"?encrypt={encrypt}&certificate={server.certificate}"), *ASK, "--retries", "0", code=None)
            assert done.returncode in (5, 75) and "haul: " in done.stderr and done.stdout == ""


@pytest.mark.sanitize
def test_greetings_that_lie(run):
    for greeting in (b"\xad\xff\xff" + bytes(10), tokens.login_ack(0x70000000), b"\xe3\5\0\4\1\x39\0\0", b"\xe3\xff\xff\x14" + bytes(20), b"\xae\x0a\xff\xff\xff\xff",
                     b"\xed\4\0abcd", tokens.done(tokens.DONE, 0), tokens.column_metadata([("a", INT, 0)]) + b"\xd1\1\0\0\0" + tokens.done(tokens.DONE, 0)):
        with Scripted({}, encryption=prelogin.NOT_SUP) as server:
            server.greeting = greeting
            done = run("list", uri(server.port, "?encrypt=disable&loginTimeout=5"), code=None)
            assert done.returncode in (5, 75) and "127.0.0.1" in done.stderr, (greeting, done)


# ---- servers that are less than the real one ----

def test_ping(mssql, run):
    mssql.ask("IF OBJECT_ID('dbo.pinged') IS NULL CREATE TABLE dbo.pinged (id int)")
    env, given = {"SQLCMDPASSWORD": mssql.users["sa"]}, mssql.uri(more=f"encrypt=mandatory&certificate={mssql.certificate}")
    said = json.loads(run("ping", given, "--table", "pinged", "--json", env=env).stdout)
    assert (said["product"], said["user"], said["database"], said["state"]) == ("Microsoft SQL Server", "sa", "master", "read-write")
    assert said["tls"]["verified"] and said["tls"]["protocol"] == "TLSv1.2" and said["latency_ms"] > 0
    assert said["table"] == {"name": "dbo.pinged", "exists": True, "read": True, "insert": True} and said["create_table"] is True
    assert json.loads(run("ping", given, "--table", "nosuch", "--json", env=env, code=None).stdout)["table"]["exists"] is False


def test_either_server_is_listed_counted_and_read_in_parts(mssql, run, tmp_path):
    """Statistics of 0, views that are not there, attention that is ignored: what is asked has a fallback."""
    mssql.ask("IF OBJECT_ID('dbo.parts') IS NOT NULL DROP TABLE dbo.parts", "CREATE TABLE dbo.parts (id int NOT NULL PRIMARY KEY, v nvarchar(20) NULL, d datetime2(7))",
              *["INSERT INTO dbo.parts VALUES " + ", ".join(f"({n}, {'NULL' if n % 7 == 0 else repr(f'v{n}')}, '2024-02-29 12:00:00.{n:07}')" for n in range(at, at + 250)) for at in range(0, 1000, 250)])
    given = mssql.uri(more="TrustServerCertificate=yes")
    env = {"SQLCMDPASSWORD": mssql.users["sa"]}
    assert "dbo.parts" in run("list", given, env=env).stdout
    run("copy", given, "p.parquet", "--table", "dbo.parts", "--rowgroup-size", "100", "--workers", "2", "--timestamps", "exact", "--verify", env=env)
    file = pq.ParquetFile(tmp_path / "p.parquet")
    assert file.num_row_groups == 10 and sorted(file.read().column("id").to_pylist()) == list(range(1000))
    assert run("copy", given, "-", "--to", "csv", "--query", "SELECT COUNT(*) AS n FROM dbo.parts", env=env).stdout == "n\n1000\n"
    assert run("copy", given, "-", "--to", "csv", "--table", "parts", "--limit", "2", env=env).stdout.count("\n") == 3
    run("copy", given, "c.parquet", "--table", "parts", "--split", "checksum", "--rowgroup-size", "300", env=env)
    assert sorted(pq.read_table(tmp_path / "c.parquet").column("id").to_pylist()) == list(range(1000))


def test_a_function_with_parameters_of_every_kind(sqlserver, run):
    sqlserver.ask("CREATE TABLE dbo.called (id int, name nvarchar(20), year varchar(4))", "INSERT INTO dbo.called VALUES (12, N'fred', '1989'), (12, N'it''s', '1990'), (13, N'fred', '1989')",
                  "CREATE FUNCTION dbo.fn_called (@id int, @name nvarchar(20), @year varchar(4)) RETURNS TABLE AS RETURN (SELECT id, name FROM dbo.called WHERE id = @id AND name = @name AND year = @year)")
    env, given = {"SQLCMDPASSWORD": sqlserver.users["sa"]}, sqlserver.uri(more="TrustServerCertificate=yes")
    for words, rows_ in (("12,'fred','1989'", "12,fred\n"), ("12, 'it''s' ,'1990'", "12,it's\n"), ("12,'x'' OR 1=1 --','1989'", "")):
        assert run("copy", given, "-", "--to", "csv", "--table", "dbo.fn_called", "--parameters", words, env=env).stdout == "id,name\n" + rows_
    assert run("copy", given, "-", "--to", "csv", "--table", "fn_called", "--columns", "name", "--where", "id > 1", "--parameters", "13,'fred','1989'", env=env).stdout == "name\nfred\n"


def test_partitions_of_a_real_table(sqlserver, run, tmp_path):
    sqlserver.ask("CREATE PARTITION FUNCTION pf_days (int) AS RANGE RIGHT FOR VALUES (10, 20, 30)", "CREATE PARTITION SCHEME ps_days AS PARTITION pf_days ALL TO ([PRIMARY])",
                  "CREATE TABLE dbo.parted (day int NOT NULL, v int) ON ps_days (day)", "INSERT INTO dbo.parted VALUES " + ", ".join(f"({n}, {n})" for n in range(45)))
    env, given = {"SQLCMDPASSWORD": sqlserver.users["sa"]}, sqlserver.uri(more="TrustServerCertificate=yes")
    plan = json.loads(run("copy", given, "p.parquet", "--table", "parted", "--dry-run", "--json", env=env).stdout)
    assert [part["spec"] for part in plan["parts"]] == [f"partition {n}" for n in (1, 2, 3, 4)]
    run("copy", given, "p.parquet", "--table", "parted", "--workers", "2", env=env)
    assert sorted(pq.read_table(tmp_path / "p.parquet").column("day").to_pylist()) == list(range(45))


def test_a_real_database_snapshot(sqlserver, run, tmp_path):
    """Two workers, one moment; what is changed meanwhile is not seen, and the snapshot is gone afterwards."""
    sqlserver.ask("CREATE TABLE dbo.moved (id int NOT NULL PRIMARY KEY, v int)", "INSERT INTO dbo.moved VALUES " + ", ".join(f"({n}, 0)" for n in range(400)))
    env, given = {"SQLCMDPASSWORD": sqlserver.users["sa"]}, sqlserver.uri(more="TrustServerCertificate=yes")
    done = run("copy", given, "s.parquet", "--table", "moved", "--workers", "2", "--rowgroup-size", "50", "--consistent", "--summary", "s.json", env=env)
    assert "database snapshot" in done.stderr
    assert json.loads((tmp_path / "s.json").read_text())["consistency"] == "snapshot"
    assert sorted(pq.read_table(tmp_path / "s.parquet").column("id").to_pylist()) == list(range(400))
    assert sqlserver.ask("SELECT COUNT(*) FROM sys.databases WHERE name LIKE '%haul%'")[0][0] == 0


def test_a_huge_table_is_cut_by_a_sample(run):
    """30 million rows: the keys of sampled pages, with one value that has half of the rows; a server without samples is asked for each n-th key."""
    key = [("id", INT)]
    ids = sorted([7] * 100 + [n * 1000 for n in range(100)])
    found = rows([(name, Type("varchar", 9)) for name in "soti"], [[Type("varchar", 9).frame(v) for v in (b"dbo", b"T", b"U ", b"5")]])
    index = rows([(name, INT) for name in "itup"] + [("n", Type("varchar", 9))], [[struct.pack("<i", 1)] * 4 + [Type("varchar", 9).frame(b"id")]])
    count = rows([("n", Type("bigint", nullable=False)), ("s", Type("bigint", nullable=False))], [[struct.pack("<q", 30_000_000), struct.pack("<q", 1 << 30)]])
    rules = {"dm_db_partition_stats": count, "objects AS o JOIN": found, "indexes AS i JOIN sys.index_columns": index, "partition_functions": tokens.done(tokens.DONE, 0),
             "TABLESAMPLE": rows(key, [[struct.pack("<i", n)] for n in ids]), "ROW_NUMBER()": rows(key, [[struct.pack("<i", 5)]]), "FROM [dbo].[T]": rows(key, [])}
    words = ["x.parquet", "--table", "dbo.T", "--rowgroup-size", "4000000", "--dry-run", "--json"]
    hexed = lambda value: "x" + str(value).encode().hex()  # noqa: E731
    with Scripted(rules) as server:
        specs = [part["spec"] for part in json.loads(run("copy", uri(server.port), *words).stdout)["parts"]]
        bounds = [ids[int(200 * n / 8)] for n in range(1, 8)]
        kept = sorted(set(bounds))
        assert specs == [f"key {hexed(low) if low is not None else '*'} {hexed(high) if high is not None else '*'}" for low, high in zip([None, *kept], [*kept, None])]
        server.rules["TABLESAMPLE"] = tokens.message(156, "Incorrect syntax.", 15) + tokens.done(tokens.DONE, tokens.ERROR_BIT)
        specs = [part["spec"] for part in json.loads(run("copy", uri(server.port), *words).stdout)["parts"]]
        assert specs == [f"key * {hexed(5)}", f"key {hexed(5)} *"]
        server.rules["ROW_NUMBER()"] = server.rules["TABLESAMPLE"]
        done = run("copy", uri(server.port), "x.parquet", "--table", "dbo.T", "--rowgroup-size", "4000000")
        assert "in one part" in done.stderr


def test_killed_and_run_again(sqlserver, run, tmp_path):
    """Killed at some moment, the same command makes the same file; half a file never has its name."""
    sqlserver.ask("IF OBJECT_ID('dbo.killed') IS NULL CREATE TABLE dbo.killed (id int NOT NULL PRIMARY KEY, v nvarchar(40))",
                  *["INSERT INTO dbo.killed VALUES " + ", ".join(f"({n}, N'{'é' * 30}')" for n in range(at, at + 500)) for at in range(0, 4000, 500)])
    words = [HAUL, "copy", sqlserver.uri(more="TrustServerCertificate=yes&packetSize=512"), "k.parquet", "--table", "dbo.killed", "--rowgroup-size", "500", "--workers", "2"]
    env = {**os.environ, "SQLCMDPASSWORD": sqlserver.users["sa"]}
    sqlserver.faults.set(slow=0.002)
    for wait in (0.3, 0.9, 1.6):
        process = subprocess.Popen(words, cwd=tmp_path, env=env, stderr=subprocess.DEVNULL)
        time.sleep(wait)
        process.kill()
        if process.wait() == 0:
            break
        assert not (tmp_path / "k.parquet").exists()
    sqlserver.faults.clear()
    if not (tmp_path / "k.parquet").exists():
        run(*words[1:], env=env)
    table = pq.read_table(tmp_path / "k.parquet")
    assert sorted(table.column("id").to_pylist()) == list(range(4000)) and set(table.column("v").to_pylist()) == {"é" * 30}
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".haul")]
