"""The TDS server of the tests, judged by clients nobody here wrote.

FreeTDS (tsql, bsqldb, freebcp), Microsoft's mssql-python with its bulk copy, pymssql
and python-tds: each connects, creates tables, inserts, selects every type it can and
loads in bulk. mssql-python keeps Python's lock while it loads, so it runs in a process
of its own.
"""
import datetime
import decimal
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
pytest.importorskip("sqlglot")
pytest.importorskip("psycopg2")

import servers  # noqa: E402
from tds import prelogin, text, types  # noqa: E402
from tds.personality import SQLSERVER, STRICTER  # noqa: E402
from tds.server import PASSWORD, Server  # noqa: E402

USERS = {"sa": PASSWORD, "plain": "Simple1"}


@pytest.fixture(scope="module")
def server():
    try:
        with Server(users=USERS) as running:
            yield running
            assert not running.failures, "\n".join(running.failures)
    except servers.Missing as why:
        pytest.skip(str(why))


@pytest.fixture(autouse=True)
def no_faults(server):
    server.faults.clear()
    yield
    server.faults.clear()


def connect(server, **more):
    pymssql = pytest.importorskip("pymssql")
    settings = {"user": "sa", "password": PASSWORD, "database": "master", "autocommit": True, **more}
    return pymssql.connect(server="127.0.0.1", port=str(server.port), **settings)


def ask(server, *statements, **more):
    with connect(server, **more) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall() if cursor.description else None


# Our own arithmetic ------------------------------------------------------------------------
VECTORS = [("decimal", dict(precision=9, scale=2), "123.45", "0139300000"), ("decimal", dict(precision=5, scale=2), "-1.50", "0096000000"),
           ("decimal", dict(precision=38), str(10 ** 38 - 1), "01ffffffff3f228a097ac4865aa84c3b4b"), ("money", {}, "1.2345", "0000000039300000"),
           ("money", {}, "922337203685477.5807", "ffffff7fffffffff"), ("smallmoney", {}, "-0.0001", "ffffffff"),
           ("datetime", {}, "1998-08-12 12:34:56.997", "b18c00006b5acf00"), ("datetime", {}, "9999-12-31 23:59:59.997", "7f242d00ff818b01"),
           ("smalldatetime", {}, "2079-06-06 23:59:00", "ffff9f05"), ("time", dict(scale=7), "12:34:56.1234567", "87ee977669"),
           ("datetimeoffset", dict(scale=7), "2025-12-31 23:30:00.0000000 +05:30", "0050cfdf961f490b4a01"), ("date", {}, "9999-12-31", "dab937"),
           ("uniqueidentifier", {}, "6f9619ff-8b86-d011-b42d-00c04fc964ff", "ff19966f868b11d0b42d00c04fc964ff")]


@pytest.mark.parametrize("name,more,value,wire", VECTORS)
def test_payloads(name, more, value, wire):
    kind = types.Type(name, **more)
    assert kind.encode(value).hex() == wire
    assert kind.decode(bytes.fromhex(wire)).startswith(value)


def test_text_is_kept_exactly():
    wide = "a\0\ud800\U0010F600\U0010FFFF\udfff".encode("utf-16-le", "surrogatepass")
    assert text.to_wide(text.from_wide(wide)) == wide
    every = bytes(range(256))
    for collation in text.BY_NAME.values():
        assert text.to_narrow(text.from_narrow(every, collation), collation) == every


# Login -------------------------------------------------------------------------------------
def test_wrong_password(server):
    pymssql = pytest.importorskip("pymssql")
    with pytest.raises(pymssql.exceptions.OperationalError, match="18456"):
        connect(server, password="wrong")


def test_unknown_database(server):
    pymssql = pytest.importorskip("pymssql")
    with pytest.raises(pymssql.exceptions.OperationalError):
        connect(server, database="nosuch")


@pytest.mark.parametrize("setting", ["OFF", "ON", "REQ", "NOT_SUP"])
def test_encryption_negotiated(server, setting):
    pytds = pytest.importorskip("pytds")
    server.encryption, before = getattr(prelogin, setting), server.encryption
    try:
        trust = {} if setting == "NOT_SUP" else {"cafile": str(server.certificate), "validate_host": False}
        with pytds.connect(dsn="127.0.0.1", port=server.port, user="sa", password=PASSWORD, database="master", **trust) as connection:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1, @@spid, N'é'")
                row = cursor.fetchall()[0]
                assert (row[0], row[2]) == (1, "é")
        assert server.logins[-1][1] == ("none" if setting == "NOT_SUP" else "all")
    finally:
        server.encryption = before


# FreeTDS -----------------------------------------------------------------------------------
@pytest.fixture
def freetds(server, tmp_path):
    if not shutil.which("freebcp"):
        pytest.skip("freetds-bin is not installed")
    config = tmp_path / "freetds.conf"
    config.write_text(f"[t]\nhost = 127.0.0.1\nport = {server.port}\ntds version = 7.4\nclient charset = UTF-8\n")

    def run(*words, stdin=None):
        done = subprocess.run([*words, "-S", "t", "-U", "plain", "-P", "Simple1"], input=stdin, capture_output=True, text=True, timeout=60,
                              cwd=tmp_path, env={**os.environ, "FREETDSCONF": str(config), "LC_ALL": "C.UTF-8"})
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_tsql(freetds):
    assert "1\té" in freetds("tsql", stdin="select 1 as a, N'é' b\ngo\nexit\n")


def test_bsqldb(freetds):
    out = freetds("bsqldb", "-h", "-q", stdin="select cast(1.25 as decimal(9,3)) as d, cast(2 as bigint) as e, cast('x' as varchar(3)) as f\n")
    assert "1.250" in out and "x" in out


BCP = [("i", "int", "-5"), ("b", "bigint", "9223372036854775807"), ("t", "tinyint", "255"), ("y", "bit", "1"), ("d", "decimal(19,4)", "-1.2500"),
       ("m", "money", "1.2345"), ("f", "float", "0.5"), ("r", "real", "0.25"), ("v", "varchar(20)", "abc é"), ("n", "nvarchar(20)", "naïve 漢"),
       ("u", "uniqueidentifier", "6F9619FF-8B86-D011-B42D-00C04FC964FF"), ("x", "varbinary(8)", "00ff10"), ("w", "varchar(max)", "long" * 100)]


def test_freebcp_in_and_out(server, freetds, tmp_path):
    ask(server, "IF OBJECT_ID('dbo.bcp') IS NOT NULL DROP TABLE dbo.bcp",
        f"CREATE TABLE dbo.bcp ({', '.join(f'{name} {kind}' for name, kind, _ in BCP)})")
    line = "\t".join(value for *_, value in BCP) + "\n"
    (tmp_path / "in.txt").write_text(line * 3 + "7" + "\t" * (len(BCP) - 1) + "\n")
    assert "4 rows copied" in freetds("freebcp", "master.dbo.bcp", "in", "in.txt", "-c")
    assert "4 rows copied" in freetds("freebcp", "master.dbo.bcp", "out", "out.txt", "-c")
    assert (tmp_path / "out.txt").read_text() == (tmp_path / "in.txt").read_text()
    assert server.loads[-1][:2] == ("bcp", 4)


# Microsoft's mssql-python ------------------------------------------------------------------
MSSQL = r'''
import sys, mssql_python, datetime, uuid
from decimal import Decimal as D
where, mode = sys.argv[1:]
connection = mssql_python.connect(where, autocommit=True)
cursor = connection.cursor()
moment = datetime.datetime(2024, 2, 29, 23, 59, 58, 123457)
utc = datetime.timezone.utc
columns = [("bit", True, False), ("tinyint", 0, 255), ("smallint", -32768, 32767), ("bigint", -2**63, 2**63-1), ("real", 1.5, -0.0),
 ("decimal(38,38)", D("0.12345678901234567890123456789012345678"), D("-0.1")), ("numeric(19,4)", D("-1.2345"), D("922337203685477.5807")),
 ("money", D("922337203685477.5807"), D("-922337203685477.5808")), ("smallmoney", D("214748.3647"), D("-214748.3648")), ("float", 1e308, -5e-324),
 ("date", datetime.date(1753, 1, 1), datetime.date(9999, 12, 31)), ("time(7)", datetime.time(23, 59, 59, 999999), datetime.time(0, 0)),
 ("time(0)", datetime.time(23, 59, 59), datetime.time(0, 0)), ("datetime2(7)", moment, datetime.datetime(1, 1, 1)),
 ("datetime2(3)", moment.replace(microsecond=123000), datetime.datetime(9999, 12, 31)),
 ("datetimeoffset(7)", moment.replace(tzinfo=utc), datetime.datetime(1970, 1, 1, tzinfo=utc)),
 ("datetime", moment.replace(microsecond=123000), datetime.datetime(1753, 1, 1)),
 ("smalldatetime", datetime.datetime(2079, 6, 6, 23, 59), datetime.datetime(1900, 1, 1)), ("char(5)", "ab   ", "é    "),
 ("varchar(20)", "xé€", ""), ("nchar(4)", "ü   ", "\U0001D11E  "), ("nvarchar(20)", "naïve \U0001D11E", ""), ("varchar(max)", "x" * 20000, ""),
 ("nvarchar(max)", "ö\U0001D11E" * 9000, ""), ("binary(4)", b"ab\0\0", b"\0\0\0\1"), ("varbinary(10)", b"", b"\xff\0"),
 ("varbinary(max)", b"z" * 30000, b""), ("uniqueidentifier", uuid.UUID("6F9619FF-8B86-D011-B42D-00C04FC964FF"), uuid.UUID(int=0)),
 ("xml", "<a>é</a>", "<b/>"), ("varchar(9) COLLATE Latin1_General_100_CI_AS_SC_UTF8", "漢é", "")]
wrong = 0
for number, (kind, one, other) in enumerate(columns):
    table = f"dbo.{mode}_{number}"
    cursor.execute(f"CREATE TABLE {table} (id int NOT NULL, v {kind})")
    rows = [(1, one), (2, other), (3, None)]
    if mode == "bulk" and "UTF8" in kind:
        continue  # the client's bulk copy sends the login's code page, whatever the column's
    if mode == "insert":
        for row in rows:
            cursor.execute(f"INSERT INTO {table} VALUES (?, ?)", row)
    else:
        assert cursor.bulkcopy(table, rows, timeout=30)["rows_copied"] == 3
    got = [tuple(row) for row in cursor.execute(f"SELECT id, v FROM {table} ORDER BY id").fetchall()]
    if got != rows:
        wrong += 1
        print(kind, str(got)[:300], "instead of", str(rows)[:300])
sys.exit(wrong)
'''


def run_mssql(server, code, *words, encrypt="yes;TrustServerCertificate=yes"):
    pytest.importorskip("mssql_python")
    where = f"Server=localhost,{server.port};Database=master;UID=plain;PWD=Simple1;Encrypt={encrypt};"
    done = subprocess.run([sys.executable, "-c", code, where, *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("mode", ["insert", "bulk"])
def test_mssql_python_every_type(server, mode):
    run_mssql(server, MSSQL, mode)


def test_mssql_python_strict(server):
    code = "import sys, mssql_python\nprint(mssql_python.connect(sys.argv[1]).cursor().execute('SELECT 41 + 1').fetchall())"
    assert "42" in run_mssql(server, code, encrypt=f"strict;ServerCertificate={server.certificate}")
    assert server.logins[-1][2], "the login did not come over TDS 8.0"


# pymssql -----------------------------------------------------------------------------------
def test_catalog(server):
    ask(server, "CREATE TABLE dbo.Catalogued (Id int IDENTITY(5,2) NOT NULL CONSTRAINT PK_c PRIMARY KEY, [A b] nvarchar(7) COLLATE Latin1_General_BIN2,"
                " d decimal(9,3) DEFAULT (1.5), c AS (Id + 1), r rowversion)", "CREATE UNIQUE INDEX ix ON dbo.Catalogued ([A b] DESC) INCLUDE (d)")
    rows = ask(server, "SELECT c.name, t.name, c.max_length, c.precision, c.scale, c.is_identity, c.is_computed, c.collation_name FROM sys.columns c"
                       " JOIN sys.types t ON t.user_type_id = c.user_type_id WHERE c.object_id = OBJECT_ID(N'dbo.Catalogued') ORDER BY c.column_id")
    assert rows == [("Id", "int", 4, 10, 0, 1, 0, None), ("A b", "nvarchar", 14, 0, 0, 0, 0, "Latin1_General_BIN2"),
                    ("d", "decimal", 5, 9, 3, 0, 0, None), ("c", "int", 4, 10, 0, 0, 1, None), ("r", "timestamp", 8, 0, 0, 0, 0, None)]
    ask(server, "INSERT INTO dbo.catalogued ([a b]) VALUES (N'x'), (N'y')")
    assert ask(server, "SELECT Id, d, c FROM dbo.Catalogued ORDER BY Id") == [(5, decimal.Decimal("1.500"), 6), (7, decimal.Decimal("1.500"), 8)]
    assert ask(server, "SELECT SUM(rows) FROM sys.partitions WHERE object_id = OBJECT_ID('Catalogued') AND index_id IN (0, 1)")[0][0] == 2
    index = ask(server, "SELECT i.index_id, ic.key_ordinal, ic.is_descending_key, ic.is_included_column FROM sys.indexes i JOIN sys.index_columns ic"
                        " ON ic.object_id = i.object_id AND ic.index_id = i.index_id WHERE i.object_id = OBJECT_ID('Catalogued') ORDER BY 1, 2")
    assert [row[0] for row in index] == [1, 2, 2] and index[1][2] == 1 and index[2][3] == 1


RARE = [("text", "'abc é'", "abc é"), ("ntext", "N'漢字'", "漢字"), ("image", "0x0001ff", b"\0\1\xff"), ("hierarchyid", "0x5ac0", b"\x5a\xc0"),
        ("varchar(9) COLLATE Cyrillic_General_CI_AS", "N'Привет'", "Привет"), ("varchar(9) COLLATE Japanese_CI_AS", "N'日本'", "日本"), ("datetime", "'1998-08-12 12:34:56.997'", datetime.datetime(1998, 8, 12, 12, 34, 56, 997000)),
        ("xml", "N'<a b=\"1\"/>'", '<a b="1"/>'), ("smallmoney", "-0.0001", decimal.Decimal("-0.0001")), ("decimal(38,0)", "9" * 38, decimal.Decimal("9" * 38))]


@pytest.mark.parametrize("number", range(len(RARE)))
def test_rare_types(server, number):
    kind, literal, value = RARE[number]
    with pytds_connect(server) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE dbo.rare{number} (id int, v {kind} NULL, pad varchar(3) NULL, more int NULL)")
        cursor.execute(f"INSERT INTO dbo.rare{number} VALUES (1, {literal}, 'x', 1), (2, NULL, NULL, NULL)")
        cursor.execute(f"SELECT * FROM dbo.rare{number} ORDER BY id")
        assert [tuple(row) for row in cursor.fetchall()] == [(1, value, "x", 1), (2, None, None, None)]


VARIANTS = [("CAST(5 AS tinyint)", 5), ("N'é'", "é"), ("'e'", "e"), ("1.25", decimal.Decimal("1.25")), ("CAST('2024-02-29' AS date)", datetime.date(2024, 2, 29)),
            ("0x01ff", b"\1\xff"), ("CAST(0.5 AS float)", 0.5), ("CAST('6F9619FF-8B86-D011-B42D-00C04FC964FF' AS uniqueidentifier)", uuid.UUID("6F9619FF-8B86-D011-B42D-00C04FC964FF"))]


def test_sql_variant(server):
    with pytds_connect(server) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE dbo.variants (id int IDENTITY, v sql_variant)")
        for literal, _ in VARIANTS:
            cursor.execute(f"INSERT INTO dbo.variants (v) VALUES ({literal})")
        cursor.execute("SELECT v FROM dbo.variants ORDER BY id")
        assert [row[0] for row in cursor.fetchall()] == [value for _, value in VARIANTS]


def test_errors_have_their_numbers(server):
    pymssql = pytest.importorskip("pymssql")
    ask(server, "CREATE TABLE dbo.Strict (id int NOT NULL PRIMARY KEY, v varchar(3), CHECK (id < 10))")
    for statement, number in (("SELECT * FROM nosuch", 208), ("INSERT INTO Strict VALUES (1, 'abcd')", 2628), ("INSERT INTO Strict VALUES (NULL, 'a')", 515),
                              ("INSERT INTO Strict VALUES (10, 'a')", 547), ("INSERT INTO Strict VALUES (1, 'a'), (1, 'b')", 2627), ("SELECT nosuch FROM Strict", 207),
                              ("CREATE TABLE dbo.Strict (a int)", 2714), ("SELECT 1/0", 8134), ("RAISERROR('mine', 16, 1)", 50000)):
        with pytest.raises(pymssql.Error) as failure:
            ask(server, statement)
        assert failure.value.args[0] == number, statement


STATEMENTS = [
    ("CREATE TABLE #tmp (a int, b nvarchar(10)); INSERT INTO #tmp VALUES (1, N'x'); SELECT t.b FROM #tmp t; DROP TABLE #tmp", [("x",)]),
    ("SELECT 5 AS a INTO #made; SELECT * FROM #made", [(5,)]),
    ("DROP TABLE IF EXISTS dbo.nosuch; SELECT 1", [(1,)]),
    ("UPDATE w SET s = 'q' FROM dbo.Words w JOIN (SELECT 1 AS k) x ON x.k = w.id; SELECT s FROM Words WHERE id = 1", [("q",)]),
    ("DELETE TOP (1) FROM dbo.Words WHERE id > 1; SELECT COUNT(*) FROM Words", [(2,)]),
    ("MERGE dbo.Words AS t USING (SELECT 9 AS id, 'm' AS s) AS x ON t.id = x.id WHEN MATCHED THEN UPDATE SET s = x.s"
     " WHEN NOT MATCHED THEN INSERT (id, s) VALUES (x.id, x.s); SELECT s FROM Words WHERE id = 9", [("m",)]),
    ("UPDATE Words SET s = 'n' WHERE id = 77 IF @@ROWCOUNT = 0 INSERT INTO Words VALUES (77, 'i') SELECT s FROM Words WHERE id = 77", [("i",)]),
    ("DECLARE @i int = 0, @t nvarchar(20) = N''; WHILE @i < 3 BEGIN SET @i = @i + 1; IF @i = 2 CONTINUE; SET @t = @t + N'x' END SELECT @i, @t", [(3, "xx")]),
    ("SET FMTONLY ON; SELECT * FROM Words; SET FMTONLY OFF", []),
    ("EXEC sp_rename 'Words', 'Renamed'; SELECT COUNT(*) FROM Renamed; EXEC sp_rename 'Renamed', 'Words'", [(4,)]),
    ("SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRAN; SELECT COUNT_BIG(*) FROM Words WITH (NOLOCK); COMMIT", [(4,)]),
]


def test_statements(server):
    ask(server, "CREATE TABLE dbo.Words (id int NOT NULL PRIMARY KEY, s varchar(20))", "INSERT INTO Words VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    with connect(server) as connection, connection.cursor() as cursor:
        for statement, rows in STATEMENTS:
            cursor.execute(statement)
            while not cursor.description and cursor.nextset():
                pass
            assert cursor.fetchall() == rows, statement


def test_transactions(server):
    ask(server, "CREATE TABLE dbo.Tx (id int NOT NULL PRIMARY KEY)")
    ask(server, "BEGIN TRAN INSERT INTO Tx VALUES (1) ROLLBACK")
    ask(server, "BEGIN TRAN; INSERT INTO Tx VALUES (2); BEGIN TRY INSERT INTO Tx VALUES (2) END TRY BEGIN CATCH PRINT ERROR_MESSAGE() END CATCH; COMMIT")
    assert ask(server, "SELECT id FROM Tx") == [(2,)]


def test_deadlock_is_1205(server):
    pymssql = pytest.importorskip("pymssql")
    ask(server, "CREATE TABLE dbo.Dead (id int PRIMARY KEY, v int)", "INSERT INTO Dead VALUES (1, 0), (2, 0)")
    one, two, numbers = connect(server), connect(server), []
    one.cursor().execute("BEGIN TRAN UPDATE Dead SET v = 1 WHERE id = 1")
    two.cursor().execute("BEGIN TRAN UPDATE Dead SET v = 1 WHERE id = 2")

    def update(connection, row):
        try:
            connection.cursor().execute(f"UPDATE Dead SET v = 2 WHERE id = {row}")
        except pymssql.Error as failure:
            numbers.append(failure.args[0])

    other = threading.Thread(target=update, args=(two, 1))
    other.start()
    update(one, 2)
    other.join()
    assert numbers == [1205]


# python-tds --------------------------------------------------------------------------------
def pytds_connect(server):
    pytds = pytest.importorskip("pytds")
    return pytds.connect(dsn="127.0.0.1", port=server.port, user="sa", password=PASSWORD, database="master", autocommit=True,
                         cafile=str(server.certificate), validate_host=False)


def test_pytds_parameters(server):
    values = (5, "é", None, decimal.Decimal("1.50"), datetime.date(2024, 2, 29), uuid.UUID(int=7), 0.5, True)
    with pytds_connect(server) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(["%s"] * len(values)), values)
        assert tuple(cursor.fetchall()[0]) == values


def test_pytds_bulk(server, tmp_path):
    pytds = pytest.importorskip("pytds")
    with pytds_connect(server) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE dbo.pybulk (id int NOT NULL, n nvarchar(20), v varbinary(max))")
        columns = [pytds.Column("id", type=pytds.tds_types.IntType()), pytds.Column("n", type=pytds.tds_types.NVarCharType(20))]
        cursor.copy_to(data=[(1, "é"), (2, None)], table_or_view="pybulk", schema="dbo", columns=columns)
        cursor.execute("SELECT id, n FROM dbo.pybulk ORDER BY id")
        assert [tuple(row) for row in cursor.fetchall()] == [(1, "é"), (2, None)]


def test_strict_bulk_and_an_error_in_it(server):
    pytds = pytest.importorskip("pytds")
    kinds = pytds.tds_types

    def load(cursor, kind, rows):
        cursor.copy_to(data=rows, table_or_view="exactly", schema="dbo", columns=[pytds.Column("id", type=kind)])

    server.personality = STRICTER
    try:
        with pytds_connect(server) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE dbo.exactly (id int NOT NULL)")
            load(cursor, kinds.IntType(), [(1,), (2,)])
            with pytest.raises(pytds.Error, match="colid 1"):
                load(cursor, kinds.BigIntType(), [(3,)])
            server.faults.set(error_in_bulk=(2, 8114, 16))
            with pytest.raises(pytds.Error, match="asked for"):
                load(cursor, kinds.IntType(), [(4,), (5,)])
            cursor.execute("SELECT id FROM dbo.exactly ORDER BY id")
            assert [row[0] for row in cursor.fetchall()] == [1, 2]
    finally:
        server.personality = SQLSERVER


def test_transaction_manager_requests(server):
    pytds = pytest.importorskip("pytds")
    ask(server, "CREATE TABLE dbo.managed (id int)")
    with pytds.connect(dsn="127.0.0.1", port=server.port, user="sa", password=PASSWORD, database="master", autocommit=False,
                       cafile=str(server.certificate), validate_host=False) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO managed VALUES (1)")
        connection.rollback()
        cursor.execute("INSERT INTO managed VALUES (2)")
        connection.commit()
    assert ask(server, "SELECT id FROM managed") == [(2,)]


ATTENTION = r"""
import sys, time, mssql_python
connection = mssql_python.connect(sys.argv[1], autocommit=True)
connection.timeout = 1
cursor, started = connection.cursor(), time.monotonic()
try:
    cursor.execute("WAITFOR DELAY '00:00:20'")
    sys.exit("it waited to the end")
except mssql_python.Error as failure:
    print(failure)
assert time.monotonic() - started < 10
assert connection.cursor().execute("SELECT 7").fetchall()[0][0] == 7
"""


def test_attention_ends_a_wait(server):
    assert "imeout" in run_mssql(server, ATTENTION)


# The two personalities ---------------------------------------------------------------------
def test_both_personalities(mssql):
    name = mssql.personality.name
    mssql.ask("CREATE TABLE dbo.both (a int NOT NULL PRIMARY KEY, c char(3))", "INSERT INTO dbo.both VALUES (1, 'a'), (2, 'b')")
    rows = "SELECT SUM(rows) FROM sys.partitions WHERE object_id = OBJECT_ID('dbo.both') AND index_id IN (0, 1)"
    stats = "SELECT row_count FROM sys.dm_db_partition_stats WHERE object_id = OBJECT_ID('dbo.both')"
    lock = "DECLARE @r int; EXEC @r = sp_getapplock @Resource = N'r', @LockMode = 'Exclusive', @LockOwner = 'Session', @LockTimeout = 100; SELECT @r"
    if name == "sqlserver":
        assert mssql.ask(rows) == [(2,)] and mssql.ask(stats) == [(2,)] and mssql.ask(lock) == [(0,)]
    else:
        assert mssql.ask(rows) == [(0,)]
        for statement, number in ((stats, 208), (lock, 2812)):
            with pytest.raises(Exception) as failure:
                mssql.ask(statement)
            assert failure.value.args[0] == number
        mssql.ask("UPDATE STATISTICS dbo.both")
        assert mssql.ask(rows) == [(2,)]


def test_application_locks(sqlserver):
    def locker(connection, words):
        cursor = connection.cursor()
        cursor.execute(f"DECLARE @r int; EXEC @r = sp_getapplock {words}; SELECT @r")
        return cursor.fetchall()[0][0]

    one, two = connect(sqlserver), connect(sqlserver)
    exclusive = "N'load', 'Exclusive', 'Session', 200"
    assert [locker(one, exclusive), locker(two, exclusive), locker(two, "N'other', 'Shared', 'Session', 0")] == [0, -1, 0]
    assert locker(one, "@Resource = N'x', @LockMode = 'Exclusive'") == -999  # the transaction's, without one
    threading.Timer(0.4, lambda: one.cursor().execute("EXEC sp_releaseapplock N'load', 'Session'")).start()
    assert locker(two, "N'load', 'Exclusive', 'Session', 5000") == 1
    two.close()
    time.sleep(0.2)
    assert locker(one, exclusive) == 0


# Faults ------------------------------------------------------------------------------------
def test_cut_and_error_at_row(server):
    pymssql = pytest.importorskip("pymssql")
    ask(server, "SELECT 1 AS a INTO dbo.faulty")
    server.faults.set(error_at_row=(1, 1205, 13))
    with pytest.raises(pymssql.Error) as failure:
        ask(server, "SELECT * FROM faulty")
    assert failure.value.args[0] == 1205
    server.faults.set(deadlock_at=1)
    with pytest.raises(pymssql.Error):
        ask(server, "SELECT * FROM faulty")
    server.faults.clear()
    server.faults.set(cut_after=900)
    with pytest.raises(pymssql.Error):
        ask(server, "SELECT name FROM sys.all_columns", "SELECT name FROM sys.types")


def test_errors_asked_for(server):
    pymssql = pytest.importorskip("pymssql")
    for faults, seen in ((dict(matching="41 + 1", error_at_statement=(1, 40501, 20)), "40501"), (dict(login_error=(40613, 14)), ""), (dict(login_error=(18456, 14)), "18456")):
        server.faults.set(**faults)
        with pytest.raises(pymssql.Error, match=seen):
            ask(server, "SELECT 41 + 1")
        assert server.faults.fired[-1] in faults
        assert ask(server, "SELECT 41 + 1") == [(42,)]
    server.faults.clear()
    server.faults.set(cut_received=200)
    with pytest.raises(pymssql.Error):
        ask(server, "SELECT " + "1 + " * 200 + "1")
    for wrong in (3, -1, 60000):
        server.faults.set(wrong_token=wrong)
        with pytest.raises(pymssql.Error):
            with connect(server, timeout=2, login_timeout=5) as connection, connection.cursor() as cursor:
                cursor.execute("SELECT nosuch FROM sys.types")
                cursor.fetchall()
        server.faults.clear()


def test_an_orphaned_transaction_holds_its_locks_until_it_is_killed(server):
    pymssql = pytest.importorskip("pymssql")
    ask(server, "CREATE TABLE dbo.orphaned (id int NOT NULL PRIMARY KEY)")
    server.faults.set(orphan=30)
    with socket.socket() as relay:  # pymssql would end its transaction: a relay is cut instead
        relay.bind(("127.0.0.1", 0))
        relay.listen()
        lost = []

        def pump():
            near, _address = relay.accept()
            far = socket.create_connection(("127.0.0.1", server.port))
            lost[:] = [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=lambda a=one, b=other: [b.sendall(data) for data in iter(lambda: a.recv(65536), b"")], daemon=True).start()

        threading.Thread(target=pump, daemon=True).start()
        client = pymssql.connect(server="127.0.0.1", port=str(relay.getsockname()[1]), user="sa", password=PASSWORD, database="master", autocommit=True, appname="orphan")
        client.cursor().execute("BEGIN TRAN INSERT INTO orphaned VALUES (1)")
        for end in lost:
            end.shutdown(socket.SHUT_RDWR)
    with pytest.raises(pymssql.Error) as failure:
        ask(server, "SET LOCK_TIMEOUT 300", "INSERT INTO orphaned VALUES (1)")
    assert failure.value.args[0] == 1222
    ask(server, f"KILL {ask(server, 'SELECT session_id FROM sys.dm_exec_sessions WHERE program_name = ' + repr('orphan'))[0][0]}")
    ask(server, "SET LOCK_TIMEOUT 3000", "INSERT INTO orphaned VALUES (1)")


def test_a_commit_held_back_and_lost(server):
    pymssql = pytest.importorskip("pymssql")
    ask(server, "CREATE TABLE dbo.held (a int)")
    gate = threading.Event()
    server.faults.set(hold_commit=gate)
    threading.Timer(0.7, gate.set).start()
    started = time.monotonic()
    ask(server, "BEGIN TRAN INSERT INTO held VALUES (1) COMMIT")
    assert time.monotonic() - started > 0.5
    for when, rows in (("before", 1), ("after", 2)):
        server.faults.set(lose_commit=when)
        with pytest.raises(pymssql.Error):
            ask(server, "BEGIN TRAN INSERT INTO held VALUES (2) COMMIT")
        time.sleep(0.3)
        assert ask(server, "SELECT COUNT(*) FROM held") == [(rows,)]


def test_garbage_does_no_harm(server):
    for junk in (b"GET / HTTP/1.1\r\n\r\n", b"\x12\x01\x00\x00\0\0\0\0", b"\x12\x01\x00\x0c\0\0\1\0\x00\xff\xff\xff", b"\x16\x03\x01\x00\x05hello"):
        with socket.create_connection(("127.0.0.1", server.port)) as sock:
            sock.sendall(junk)
            sock.settimeout(5)
            try:
                sock.recv(100)
            except OSError:
                pass
    server.failures.clear()
    assert ask(server, "SELECT 1") == [(1,)]
