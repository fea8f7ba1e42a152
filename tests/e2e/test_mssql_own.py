"""A SQL Server, or what speaks TDS, that is not ours: HAUL_MSSQL names it, SQLCMDPASSWORD has the password.

    HAUL_MSSQL='mssql://sa@db:1433/scratch?TrustServerCertificate=yes' pytest tests/e2e/test_mssql_own.py

The login must be allowed to make tables in that database; every name begins with haultest_. Without HAUL_MSSQL
these tests are skipped: ./check brings its own server. pymssql makes the tables and judges what is in them.
"""
import os
import random
import re
import signal
import subprocess
import time
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import HAUL, SEED, TRIALS

SERVER = os.environ.get("HAUL_MSSQL")
pytestmark = pytest.mark.skipif(not SERVER, reason="HAUL_MSSQL names no server")
pymssql = pytest.importorskip("pymssql")

TYPES = """id int NOT NULL PRIMARY KEY, b bit, ti tinyint, si smallint, bi bigint, r real, f float, d5 decimal(5,2), d19 decimal(19,4), d38 decimal(38,10),
 m money, sm smallmoney, dt datetime, sdt smalldatetime, d date, t time(6), t0 time(0), dt2 datetime2(6), dt3 datetime2(3), c char(10), vc varchar(50), vm varchar(max),
 nc nchar(10), nv nvarchar(50), nm nvarchar(max), bin binary(8), vb varbinary(20), vbm varbinary(max), u uniqueidentifier"""
ROWS = ["""1, 1, 255, -32768, -9223372036854775808, 1.5, 3.141592653589793, -123.45, 123456789012345.6789, 12345678901234567890.0123456789,
 922337203685477.5807, -214748.3648, '1753-01-01T00:00:00', '2079-06-06T23:59:00', '0001-01-01', '23:59:59.999999', '12:34:56', '2020-02-29T12:34:56.123456', '2020-01-01T00:00:00.123',
 'abc', 'hello', REPLICATE(CAST('x' AS varchar(max)), 10000), N'äöü', N'Grüße 中文 😀', REPLICATE(CAST(N'ü' AS nvarchar(max)), 5000),
 0x0102, 0xdeadbeef, CAST(REPLICATE(CAST('a' AS varchar(max)), 9000) AS varbinary(max)), '6F9619FF-8B86-D011-B42D-00C04FC964FF'""",
        "2" + ", NULL" * 28,
        """3, 0, 0, 32767, 9223372036854775807, 0, 1e308, 0, -0.0001, -12345678901234567890.0123456789, -922337203685477.5808, 214748.3647,
 '9999-12-31T23:59:59.997', '1900-01-01T00:00:00', '9999-12-31', '00:00:00', '00:00:00', '0001-01-01T00:00:00', '9999-12-31T23:59:59.999', '', '', '', N'', N'', N'', 0x, 0x, 0x,
 '00000000-0000-0000-0000-000000000000'"""]


class Own:
    def __init__(self):
        parts = urlsplit(SERVER)
        self.database = parts.path.strip("/")
        self.user, self.host, self.port = unquote(parts.username or "sa"), parts.hostname, parts.port or 1433
        self.encrypt = "disable" if "encrypt=disable" in SERVER.lower() else "optional"

    def ask(self, *statements):
        with pymssql.connect(server=self.host, port=self.port, user=self.user, password=os.environ["SQLCMDPASSWORD"], database=self.database,
                             autocommit=True) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def fresh(self, name, columns, *rows):
        self.ask(f"IF OBJECT_ID('dbo.{name}') IS NOT NULL DROP TABLE dbo.{name}", f"CREATE TABLE dbo.{name} ({columns})",
                 *[f"INSERT INTO dbo.{name} VALUES ({row})" for row in rows])

    def count(self, name):
        return self.ask(f"SELECT COUNT(*) FROM dbo.{name}")[0][0]

    def left(self, name):
        """Tables that begin with the name and are not it."""
        return [row[0] for row in self.ask(f"SELECT name FROM sys.tables WHERE name LIKE '{name}[_]%'")]


@pytest.fixture
def own():
    return Own()


@pytest.fixture
def numbers(tmp_path):
    rows = 30_000
    pq.write_table(pa.table({"id": pa.array(range(rows), pa.int64()), "word": [f"wörd {i % 97}" for i in range(rows)],
                             "price": pa.array([i / 4 for i in range(rows)], pa.float64())}), tmp_path / "numbers.parquet", row_group_size=5000)
    return rows


def test_ping_and_list(own, haul):
    own.fresh("haultest_p", "id int")
    said = haul("ping", SERVER, "--table", "dbo.haultest_p").out
    assert "dbo.haultest_p: read yes, insert yes" in said
    assert re.search(r"dbo\.haultest_p$", haul("list", SERVER).out, re.M)


def test_every_type_out_and_in(own, haul, tmp_path):
    own.fresh("haultest_t", TYPES, *ROWS)
    own.fresh("haultest_u", TYPES)
    haul("copy", SERVER, "t.parquet", "--table", "dbo.haultest_t")
    haul("copy", "t.parquet", SERVER, "--table", "dbo.haultest_u", "--mode", "append")
    haul("copy", "t.parquet", SERVER, "--table", "dbo.haultest_v", "--mode", "replace")
    same = own.ask("SELECT * FROM dbo.haultest_t ORDER BY id")
    assert len(same) == 3 and own.ask("SELECT * FROM dbo.haultest_u ORDER BY id") == same
    assert "\nequal" in haul("verify", "t.parquet", SERVER, "--table", "dbo.haultest_v").out
    seen = pq.read_table(tmp_path / "t.parquet").to_pylist()
    for row, told in zip(seen, same):
        for mine, theirs in zip(row.values(), told):
            if isinstance(mine, (int, str)) and not isinstance(mine, bool):
                assert mine == theirs


@pytest.mark.parametrize("form", ["-n", "-c", "-w", "-N"])
def test_bcp_out_and_in(own, haul, form):
    own.fresh("haultest_t", TYPES, *ROWS)
    own.fresh("haultest_u", TYPES)
    login = ["-S", f"{own.host},{own.port}", "-U", own.user, "-P", os.environ["SQLCMDPASSWORD"], "-Yo", "-u", form]
    assert "3 rows copied." in haul("bcp", f"{own.database}.dbo.haultest_t", "out", "t.dat", *login).out
    assert "3 rows copied." in haul("bcp", f"{own.database}.dbo.haultest_u", "in", "t.dat", *login, "-k").out
    assert own.ask("SELECT * FROM dbo.haultest_u ORDER BY id") == own.ask("SELECT * FROM dbo.haultest_t ORDER BY id")


def test_modes(own, haul, numbers):
    def copy(mode, *more, code=0):
        return haul("copy", "numbers.parquet", SERVER, "--table", "dbo.haultest_m", "--mode", mode, *more, code=code)

    own.ask("IF OBJECT_ID('dbo.haultest_m') IS NOT NULL DROP TABLE dbo.haultest_m")
    copy("create", "--workers", "2")
    assert own.count("haultest_m") == numbers
    copy("create", code=6)
    copy("append")
    assert own.count("haultest_m") == 2 * numbers
    for mode in "truncate", "replace":
        copy(mode)
        assert own.count("haultest_m") == numbers
    assert "\nequal" in haul("verify", "numbers.parquet", SERVER, "--table", "dbo.haultest_m").out
    own.fresh("haultest_m", "id bigint NOT NULL PRIMARY KEY, word nvarchar(40), price float", "5, N'old', 1", "-1, N'kept', 2")
    copy("merge", "--key", "id")
    assert own.count("haultest_m") == numbers + 1 and own.ask("SELECT word FROM dbo.haultest_m WHERE id IN (-1, 5) ORDER BY id") == [("kept",), ("wörd 5",)]
    assert own.left("haultest_m") == []


def test_rows_refused(own, haul, tmp_path):
    own.fresh("haultest_r", "id int NOT NULL PRIMARY KEY, v varchar(5), q int CHECK (q > 0)")
    (tmp_path / "r.csv").write_text("id,v,q\n1,a,1\n2,toolong,1\n3,b,-1\n1,dup,1\n4,c,4\n5,,5\n")
    haul("copy", "r.csv", SERVER, "--table", "dbo.haultest_r", "--mode", "append", "--max-errors", "10", "--reject-file", "r.jsonl", code=3)
    assert own.ask("SELECT id FROM dbo.haultest_r ORDER BY id") == [(1,), (4,), (5,)]
    assert [re.search(r'"place":"(.*?)"', line)[1] for line in (tmp_path / "r.jsonl").read_text().splitlines()] == ["line 3", "line 4", "line 5"]


def test_workers_and_keys(own, haul, numbers, tmp_path):
    haul("copy", "numbers.parquet", SERVER, "--table", "dbo.haultest_k", "--mode", "replace")
    for split in (["--workers", "3", "--split", "key", "--key", "id"], ["--workers", "3", "--split", "checksum", "--key", "id"], ["--consistent", "--workers", "1"]):
        done = haul("copy", SERVER, "k.parquet", "--table", "dbo.haultest_k", *split, "--mode", "replace", code=None)
        if "--consistent" in split and done.code:
            assert "ALLOW_SNAPSHOT_ISOLATION" in done.err
            continue
        assert done.code == 0 and "\nequal" in haul("verify", "numbers.parquet", "k.parquet").out
        (tmp_path / "k.parquet").unlink()


def test_killed_and_run_again(own, haul, numbers, tmp_path):
    words = [HAUL, "copy", "numbers.parquet", SERVER, "--table", "dbo.haultest_x", "--mode", "create", "--unit-rows", "3000", "--workers", "2"]
    rng, killed = random.Random(SEED), 0
    for _ in range(max(1, TRIALS // 20)):
        own.ask("IF OBJECT_ID('dbo.haultest_x') IS NOT NULL DROP TABLE dbo.haultest_x")
        for _ in range(5):
            run = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(rng.uniform(0.2, 4))
            killed += run.poll() is None
            run.send_signal(signal.SIGKILL)
            run.wait()
        subprocess.run(words, cwd=tmp_path, check=False, capture_output=True)  # create refuses when the last one had finished
        assert "\nequal" in haul("verify", "numbers.parquet", SERVER, "--table", "dbo.haultest_x").out
        assert own.left("haultest_x") == []
    assert killed


def test_as_pybutt(own, haul, numbers, tmp_path):
    where = ["--server", f"{own.host},{own.port}", "--database", own.database, "--username", own.user, "--no-encrypt", "--trust-cert"]
    haul("copy", "numbers.parquet", SERVER, "--table", "dbo.haultest_b", "--mode", "replace")
    haul("export", *where, "--table", "haultest_b", "--pk-column", "id", "-o", "out", "-w", "2", "-f", "2")
    own.ask("IF OBJECT_ID('dbo.haultest_c') IS NOT NULL DROP TABLE dbo.haultest_c", "SELECT TOP 0 * INTO dbo.haultest_c FROM dbo.haultest_b")
    haul("import", "out/dbo_haultest_b_manifest.json", *where, "--table", "haultest_c", "-w", "2")
    assert len(own.left("haultest_c")) == 2
    haul("combine", "out/dbo_haultest_c_import_manifest.json", *where, "--table", "haultest_c")
    assert own.left("haultest_c") == [] and own.count("haultest_c") == numbers
    assert "\nequal" in haul("verify", "numbers.parquet", SERVER, "--table", "dbo.haultest_c").out
