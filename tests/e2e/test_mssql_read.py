"""SQL Server read: every type at its edges, every form of the wire, faults and lies.

The server is tests/support/tds, judged by foreign clients in test_tds_server.py; what haul
reads from it is judged by pyarrow and by what pytds and pymssql read from the same server.
What that server does not send (chunks of unknown length, odd metadata, lies) comes from
tds_scripted.py.
"""
import datetime
import json
import os
import struct
import subprocess
import sys
import uuid
from decimal import Decimal as D

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import HAUL, ROOT, TRIALS

sys.path.insert(0, str(ROOT / "tests" / "support"))
pytest.importorskip("sqlglot")
pytest.importorskip("psycopg2")

import servers  # noqa: E402
from proxy import Fault, Proxy  # noqa: E402
from tds import prelogin, tokens  # noqa: E402
from tds.server import PASSWORD, Server  # noqa: E402
from tds.types import MAX, Type  # noqa: E402
from tds_scripted import Scripted, chunks, rows  # noqa: E402

TOKEN = "a-token"


@pytest.fixture(scope="module")
def server():
    try:
        with Server() as running:
            yield running
            assert not running.failures, "\n".join(running.failures)
    except servers.Missing as why:
        pytest.skip(str(why))


@pytest.fixture(autouse=True)
def no_faults(request):
    yield
    if "server" in request.fixturenames:
        request.getfixturevalue("server").faults.clear()


@pytest.fixture
def run(tmp_path):
    """Runs haul with the password in the environment; nothing it says may hold it."""

    def call(*words, code=0, env=None, timeout=120):
        done = subprocess.run([HAUL, *map(str, words)], cwd=tmp_path, capture_output=True, timeout=timeout,
                              env={**os.environ, "SQLCMDPASSWORD": PASSWORD, **(env or {})})
        done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
        assert PASSWORD not in done.stdout + done.stderr and TOKEN not in done.stdout + done.stderr
        assert code is None or done.returncode == code, (done.returncode, (done.stdout + done.stderr)[-3000:])
        return done

    return call


def uri(server, database="master", user="sa@", more=""):
    return f"mssql://{user}127.0.0.1:{server.port}/{database}{more}"


def ask(server, *statements):
    pymssql = pytest.importorskip("pymssql")
    with pymssql.connect(server="127.0.0.1", port=str(server.port), user="sa", password=PASSWORD, database="master", autocommit=True) as connection:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else None


def fresh(server, table, definition, *inserts):
    ask(server, f"IF OBJECT_ID(N'{table}') IS NOT NULL DROP TABLE {table}", f"CREATE TABLE {table} ({definition})",
        *[f"INSERT INTO {table} VALUES {values}" for values in inserts])


# ---- a server that says what ours does not ----

NV, VB, VC = Type("nvarchar", MAX), Type("varbinary", MAX), Type("varchar", MAX)
TABLE = "FROM [dbo].[T]"
FIND = tokens.column_metadata([("s", Type("nvarchar", 256), 0), ("o", Type("nvarchar", 256), 0), ("t", Type("char", 2), 0), ("i", Type("int", nullable=False), 0)])


def scripted(result, kind=b"U ", before=None, **more):
    """A server with one table dbo.T; its rows are the prepared ones."""
    wide = lambda value: struct.pack("<H", 2 * len(value)) + value.encode("utf-16-le")  # noqa: E731
    found = FIND + b"\xd1" + wide("dbo") + wide("T") + struct.pack("<H", 2) + kind + struct.pack("<i", 5) + tokens.done(tokens.DONE, tokens.COUNT, tokens.SELECT, 1)
    return Scripted({**(before or {}), "objects AS o JOIN": found, "COUNT_BIG": tokens.done(tokens.DONE, 0), TABLE: result}, **more)


INDEX = tokens.column_metadata([(name, Type("int", nullable=False), 0) for name in "itup"] + [("n", Type("nvarchar", 256), 0)]) \
    + b"\xd1" + struct.pack("<iiii", 1, 1, 1, 1) + struct.pack("<H", 4) + "id".encode("utf-16-le") + tokens.done(tokens.DONE, tokens.COUNT, tokens.SELECT, 1)


# ---- every type ----

G = "6F9619FF-8B86-D011-B42D-00C04FC964FF"
us, utc = "timestamp[us]", "timestamp[us, tz=UTC]"


def moment(*parts):
    return datetime.datetime(*parts)


def stamp(*parts):
    return datetime.datetime(*parts, tzinfo=datetime.timezone.utc)


# (type, arrow's type, haul.sql_type, [(literal, value)])
EDGES = [
    ("bit", "bool", "bit", [("1", True), ("0", False)]),
    ("tinyint", "uint8", "tinyint", [("0", 0), ("255", 255)]),
    ("smallint", "int16", "smallint", [("-32768", -32768), ("32767", 32767)]),
    ("int", "int32", "int", [("-2147483648", -2**31), ("2147483647", 2**31 - 1)]),
    ("bigint", "int64", "bigint", [("-9223372036854775808", -2**63), ("9223372036854775807", 2**63 - 1)]),
    ("real", "float", "real", [("3.4028235e38", 3.4028234663852886e38), ("1.4e-45", 1.401298464324817e-45), ("-0.5", -0.5)]),
    ("float", "double", "float", [("1.7976931348623157e308", 1.7976931348623157e308), ("5e-324", 5e-324), ("-0.1", -0.1)]),
    ("decimal(38,38)", "decimal128(38, 38)", "decimal(38,38)", [("-0." + "9" * 38, D("-0." + "9" * 38)), ("0.00000000000000000000000000000000000001", D("1e-38"))]),
    ("numeric(38,0)", "decimal128(38, 0)", "numeric(38,0)", [("9" * 38, D("9" * 38)), ("-" + "9" * 38, D("-" + "9" * 38))]),
    ("decimal(9,2)", "decimal128(9, 2)", "decimal(9,2)", [("-9999999.99", D("-9999999.99")), ("0", D("0.00"))]),
    ("decimal(19,4)", "decimal128(19, 4)", "decimal(19,4)", [("999999999999999.9999", D("999999999999999.9999"))]),
    ("decimal(28,10)", "decimal128(28, 10)", "decimal(28,10)", [("-123456789012345678.0123456789", D("-123456789012345678.0123456789"))]),
    ("money", "decimal128(19, 4)", "money", [("922337203685477.5807", D("922337203685477.5807")), ("-922337203685477.5808", D("-922337203685477.5808"))]),
    ("smallmoney", "decimal128(10, 4)", "smallmoney", [("214748.3647", D("214748.3647")), ("-214748.3648", D("-214748.3648"))]),
    ("date", "date32[day]", "date", [("'0001-01-01'", datetime.date(1, 1, 1)), ("'9999-12-31'", datetime.date(9999, 12, 31)), ("'2000-02-29'", datetime.date(2000, 2, 29))]),
    *[(f"time({n})", "time64[us]", f"time({n})", [("'23:59:59." + "9" * n + "'" if n else "'23:59:59'", datetime.time(23, 59, 59, int(("9" * n + "000000")[:6]))),
                                                 ("'00:00:00'", datetime.time(0))]) for n in (0, 1, 2, 3, 4, 5, 6)],
    *[(f"datetime2({n})", us, f"datetime2({n})", [("'9999-12-31 23:59:59." + "9" * n + "'" if n else "'9999-12-31 23:59:59'", moment(9999, 12, 31, 23, 59, 59, int(("9" * n + "000000")[:6]))),
                                                 ("'0001-01-01'", moment(1, 1, 1))]) for n in (0, 1, 2, 3, 4, 5, 6)],
    ("datetime2(7)", us, "datetime2(7)", [("'2024-02-29 23:59:59.1234560'", moment(2024, 2, 29, 23, 59, 59, 123456))]),
    ("datetime", us, "datetime", [("'1753-01-01'", moment(1753, 1, 1)), ("'9999-12-31 23:59:59.997'", moment(9999, 12, 31, 23, 59, 59, 997000)),
                                  ("'1998-08-12 12:34:56.003'", moment(1998, 8, 12, 12, 34, 56, 3000))]),
    ("smalldatetime", us, "smalldatetime", [("'1900-01-01'", moment(1900, 1, 1)), ("'2079-06-06 23:59:00'", moment(2079, 6, 6, 23, 59))]),
    ("datetimeoffset(0)", utc, "datetimeoffset(0)", [("'2024-02-29 23:59:59 +00:00'", stamp(2024, 2, 29, 23, 59, 59))]),
    ("datetimeoffset(7)", utc, "datetimeoffset(7)", [("'0001-01-01 00:00:00 +00:00'", stamp(1, 1, 1)), ("'9999-12-31 23:59:59.999999 +00:00'", stamp(9999, 12, 31, 23, 59, 59, 999999))]),
    ("char(5)", "string", "char(5)", [("'ab'", "ab   "), ("'é'", "é    ")]),
    ("varchar(20)", "string", "varchar(20)", [("'xé€'", "xé€"), ("''", "")]),
    ("varchar(8000)", "string", "varchar(8000)", [("'" + "z" * 8000 + "'", "z" * 8000)]),
    ("varchar(9) COLLATE Cyrillic_General_CI_AS", "string", "varchar(9)", [("N'Привет'", "Привет")]),
    ("varchar(9) COLLATE Japanese_CI_AS", "string", "varchar(9)", [("N'日本'", "日本")]),
    ("varchar(20) COLLATE Latin1_General_100_CI_AS_SC_UTF8", "string", "varchar(20)", [("N'漢é😀'", "漢é😀")]),
    ("nchar(4)", "string", "nchar(4)", [("N'ü'", "ü   "), ("N'\U0001D11E'", "\U0001D11E  ")]),
    ("nvarchar(20)", "string", "nvarchar(20)", [("N'naïve \U0001D11E'", "naïve \U0001D11E"), ("N''", "")]),
    ("nvarchar(4000)", "string", "nvarchar(4000)", [("N'" + "漢" * 4000 + "'", "漢" * 4000)]),
    ("varchar(max)", "string", "varchar(max)", [("'" + "x" * 70000 + "'", "x" * 70000), ("''", "")]),
    ("nvarchar(max)", "string", "nvarchar(max)", [("N'" + "ö\U0001D11E" * 9000 + "'", "ö\U0001D11E" * 9000), ("N''", "")]),
    ("text", "string", "text", [("'abc é'", "abc é"), ("''", "")]),
    ("ntext", "string", "ntext", [("N'漢字'", "漢字")]),
    ("xml", "string", "xml", [("N'<a b=\"1\">é</a>'", '<a b="1">é</a>')]),
    ("binary(4)", "fixed_size_binary[4]", "binary(4)", [("0x6162", b"ab\0\0"), ("0xffffffff", b"\xff" * 4)]),
    ("varbinary(10)", "binary", "varbinary(10)", [("0x", b""), ("0xff00", b"\xff\0")]),
    ("varbinary(max)", "binary", "varbinary(max)", [("0x" + "7a" * 30000, b"z" * 30000), ("0x", b"")]),
    ("image", "binary", "image", [("0x0001ff", b"\0\1\xff")]),
    ("hierarchyid", "binary", "hierarchyid", [("0x5ac0", b"\x5a\xc0")]),
    ("uniqueidentifier", "uuid", "uniqueidentifier", [(f"'{G}'", uuid.UUID(G))]),
]


UTF8 = f"c{next(number for number, edge in enumerate(EDGES) if 'UTF8' in edge[0])}"


def storage(table, name):
    column = table.column(name)
    return column.type, [value.as_py() if hasattr(value, "as_py") else value for value in column]


@pytest.mark.sanitize
def test_every_type_at_its_edges(server, run, tmp_path):
    """One table of all types: values against what was inserted, and against what pytds reads."""
    columns = ", ".join(f"c{number} {kind} NULL" for number, (kind, *_rest) in enumerate(EDGES))
    most = max(len(values) for *_rest, values in EDGES)
    inserts = ["(" + ", ".join([str(row), *[values[row % len(values)][0] for *_rest, values in EDGES]]) + ")" for row in range(most)]
    fresh(server, "dbo.edges", f"id int NOT NULL PRIMARY KEY, {columns}", *inserts, f"({most}{', NULL' * len(EDGES)})")
    run("copy", uri(server), "edges.parquet", "--table", "dbo.edges", "--verify", "--strict")
    table = pq.read_table(tmp_path / "edges.parquet").sort_by("id")
    metadata = pq.read_schema(tmp_path / "edges.parquet")
    for number, (kind, arrow, sql, values) in enumerate(EDGES):
        type_, got = storage(table, f"c{number}")
        wanted = [values[row % len(values)][1] for row in range(most)] + [None]
        assert str(type_) == arrow or getattr(type_, "extension_name", "") == f"arrow.{arrow}", (kind, type_)
        assert got == wanted, (kind, [str(v)[:80] for v in got], [str(v)[:80] for v in wanted])
        field = metadata.field(f"c{number}")
        assert (field.metadata or {}).get(b"haul.sql_type", b"").decode() in ("", f"mssql:{sql}"), field.metadata
    assert b"mssql:smallmoney" in metadata.metadata[b"haul.sql_types"]


def test_the_same_values_as_other_clients_read(server, run, tmp_path):
    pytds = pytest.importorskip("pytds")
    run("copy", uri(server), "edges.parquet", "--table", "dbo.edges")
    table = pq.read_table(tmp_path / "edges.parquet").sort_by("id").to_pylist()
    with pytds.connect(dsn="127.0.0.1", port=server.port, user="sa", password=PASSWORD, database="master", autocommit=True,
                       cafile=str(server.certificate), validate_host=False) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT * FROM dbo.edges ORDER BY id")
        theirs = cursor.fetchall()
    for ours, row in zip(table, theirs, strict=True):
        for (name, value), other in zip(ours.items(), row, strict=True):
            if name == UTF8:
                continue  # pytds takes UTF-8 collations for the login's page
            if isinstance(value, datetime.datetime) and value.tzinfo:
                other = other.astimezone(datetime.timezone.utc) if other.year > 1 else value
            assert value == other or (isinstance(value, float) and abs(value - other) <= 1e-7 * abs(value)), (name, value, other)


def test_time_7_is_in_nanoseconds(server, run, tmp_path):
    fresh(server, "dbo.t7", "t time(7)", "('23:59:59.9999999'), ('00:00:00.0000001'), (NULL)")
    run("copy", uri(server), "t.parquet", "--table", "t7", "--strict")
    column = pq.read_table(tmp_path / "t.parquet").column("t")
    assert column.type == pa.time64("ns") and sorted(column.cast(pa.int64()).to_pylist(), key=str) == [100, 86399999999900, None]


def test_lost_digits_are_counted(server, run, tmp_path):
    fresh(server, "dbo.lost", "a datetime2(7), b datetimeoffset(7)", "('2024-02-29 23:59:59.1234567', '2024-02-29 23:59:59.1234567 +05:30')", "('2024-01-01', NULL)")
    said = run("copy", uri(server), "l.parquet", "--table", "lost").stderr
    assert "1 value lost its 100 ns digit" in said and "1 value lost its offset" in said
    assert pq.read_table(tmp_path / "l.parquet").column("b").to_pylist()[0] == stamp(2024, 2, 29, 18, 29, 59, 123456)
    run("copy", uri(server), "m.parquet", "--table", "lost", "--strict", code=5)
    assert not (tmp_path / "m.parquet").exists()
    run("copy", uri(server), "n.parquet", "--table", "lost", "--timestamps", "ns", "--columns", "a", "--strict")
    assert pq.read_table(tmp_path / "n.parquet").column("a").cast(pa.int64()).to_pylist()[0] == 1709251199123456700


def test_timestamps_exact(server, run, tmp_path):
    """Every digit and offset from 0001 to 9999, as structs; nothing is lost."""
    fresh(server, "dbo.exactly", "id int, a datetime2(7), b datetimeoffset(7), c datetimeoffset(3), d datetime2(6), e datetime2(7) NOT NULL",
          "(1, '9999-12-31 23:59:59.9999999', '9999-12-31 23:59:59.9999999 +00:00', '2024-02-29 12:00:00.123 -14:00', '2024-02-29', '0001-01-01')",
          "(2, '0001-01-01', '0001-01-01 14:00:00.0000001 +14:00', '1969-12-31 23:59:59.999 +05:30', NULL, '1969-12-31 23:59:59.9999999')",
          "(3, NULL, NULL, NULL, NULL, '2024-02-29 23:59:59.1234567')")
    run("copy", uri(server), "x.parquet", "--table", "exactly", "--timestamps", "exact", "--strict", "--verify")
    table = pq.read_table(tmp_path / "x.parquet").sort_by("id")
    schema = pq.read_schema(tmp_path / "x.parquet")
    assert str(schema.field("a").type) == "struct<timestamp: timestamp[us] not null, nanoseconds: int16 not null>"
    assert str(schema.field("b").type) == "struct<timestamp: timestamp[us, tz=UTC] not null, offset_minutes: int16 not null, nanoseconds: int16 not null>"
    assert str(schema.field("c").type) == "struct<timestamp: timestamp[us, tz=UTC] not null, offset_minutes: int16 not null>"
    assert schema.field("c").metadata[b"ARROW:extension:name"] == b"arrow.timestamp_with_offset"
    assert schema.field("d").type == pa.timestamp("us")
    got = table.to_pydict()
    assert got["a"] == [{"timestamp": moment(9999, 12, 31, 23, 59, 59, 999999), "nanoseconds": 900}, {"timestamp": moment(1, 1, 1), "nanoseconds": 0}, None]
    assert got["b"] == [{"timestamp": stamp(9999, 12, 31, 23, 59, 59, 999999), "offset_minutes": 0, "nanoseconds": 900},
                        {"timestamp": stamp(1, 1, 1), "offset_minutes": 840, "nanoseconds": 100}, None]
    assert got["c"] == [{"timestamp": stamp(2024, 3, 1, 2, 0, 0, 123000), "offset_minutes": -840},
                        {"timestamp": stamp(1969, 12, 31, 18, 29, 59, 999000), "offset_minutes": 330}, None]
    assert got["e"] == [{"timestamp": moment(1, 1, 1), "nanoseconds": 0}, {"timestamp": moment(1969, 12, 31, 23, 59, 59, 999999), "nanoseconds": 900},
                        {"timestamp": moment(2024, 2, 29, 23, 59, 59, 123456), "nanoseconds": 700}]


def test_timestamps_ns_reach_less(server, run, tmp_path):
    fresh(server, "dbo.far", "id int, a datetime2(7)", "(1, '2262-04-11 23:47:16.8547758')", "(2, '9999-12-31')")
    run("copy", uri(server), "f.parquet", "--table", "far", "--timestamps", "ns", code=5)
    run("copy", uri(server), "f.parquet", "--table", "far", "--timestamps", "ns", "--max-errors", "1", code=3)
    assert pq.read_table(tmp_path / "f.parquet").column("a").cast(pa.int64()).to_pylist() == [9223372036854775800]


VARIANTS = [("CAST(5 AS tinyint)", "tinyint", "5"), ("CAST(-5 AS bigint)", "bigint", "-5"), ("N'é'", "nvarchar", "é"), ("'e'", "varchar", "e"),
            ("CAST(1.25 AS decimal(9,4))", "decimal(9,4)", "1.2500"), ("CAST('2024-02-29' AS date)", "date", "2024-02-29"), ("0x01ff", "varbinary", "0x01ff"),
            ("CAST(0.5 AS float)", "float", "0.5"), (f"CAST('{G}' AS uniqueidentifier)", "uniqueidentifier", G.lower()), ("CAST(1 AS bit)", "bit", "1"),
            ("CAST(1.5 AS money)", "money", "1.5000"), ("CAST('2024-02-29 23:59:59.1234567' AS datetime2(7))", "datetime2(7)", "2024-02-29 23:59:59.1234567"),
            ("CAST('2024-02-29 23:59:59.5 +05:30' AS datetimeoffset(3))", "datetimeoffset(3)", "2024-02-29 23:59:59.500 +05:30"), ("NULL", None, None)]


def test_sql_variant(server, run, tmp_path):
    fresh(server, "dbo.variants", "id int, v sql_variant", *[f"({number}, {literal})" for number, (literal, *_rest) in enumerate(VARIANTS)])
    assert f"{len(VARIANTS) - 1} values lost their base type" in run("copy", uri(server), "v.parquet", "--table", "variants").stderr
    assert pq.read_table(tmp_path / "v.parquet").sort_by("id").column("v").to_pylist() == [value for *_rest, value in VARIANTS]
    run("copy", uri(server), "x.parquet", "--table", "variants", "--timestamps", "exact", "--strict")
    for got, (literal, kind, value) in zip(pq.read_table(tmp_path / "x.parquet").sort_by("id").column("v").to_pylist(), VARIANTS, strict=True):
        assert (got is None and kind is None) or (got["value"] == value and (got["type"] == kind or got["type"].startswith(kind + "("))), (literal, got)


def test_uuid_as_text(server, run, tmp_path):
    fresh(server, "dbo.ids", "u uniqueidentifier", f"('{G}'), (NULL)")
    run("copy", uri(server), "u.parquet", "--table", "ids", "--uuid", "text")
    assert sorted(pq.read_table(tmp_path / "u.parquet").column("u").to_pylist(), key=str) == [G.lower(), None]


# ---- what is read ----

def test_list_tables_queries_and_conditions(server, run, tmp_path):
    fresh(server, "dbo.[Order Details]", "id int PRIMARY KEY, name nvarchar(20), price money", *[f"({n}, N'näme {n}', {n}.25)" for n in range(50)])
    listed = run("list", uri(server)).stdout
    assert 'dbo."Order Details"' in listed and "~50" in listed
    for name in ("dbo.[Order Details]", "[dbo].[Order Details]", "Order Details", 'master.dbo."Order Details"'):
        assert run("copy", uri(server), "-", "--to", "csv", "--table", name, "--where", "id < 2 -- two", "--columns", "name,id").stdout == "name,id\nnäme 0,0\nnäme 1,1\n"
    assert run("copy", uri(server), "-", "--to", "csv", "--table", "Order Details", "--limit", "3").stdout.count("\n") == 4
    query = "WITH big AS (SELECT id, price FROM dbo.[Order Details] WHERE id > 47) SELECT id, price AS cost FROM big ORDER BY id DESC;"
    assert run("copy", uri(server), "-", "--to", "csv", "--query", query).stdout.splitlines()[1:] == ["49,49.2500", "48,48.2500"]
    assert "no name" in run("copy", uri(server), "x.csv", "--query", "SELECT id + 1 FROM dbo.[Order Details]", code=2).stderr
    assert "Order Details" in run("copy", uri(server), "x.csv", "--table", "Order Detials", code=5).stderr
    run("copy", uri(server), "x.parquet", "--table", "Order Details", "--verify")
    ask(server, "UPDATE dbo.[Order Details] SET price = 0 WHERE id = 7")
    assert "price" in run("verify", uri(server), "x.parquet", "--table", "Order Details", code=4).stdout


def test_an_empty_table_keeps_its_columns(server, run, tmp_path):
    fresh(server, "dbo.nothing", "id int NOT NULL, v nvarchar(max), d decimal(9,2)")
    run("copy", uri(server), "n.parquet", "--table", "nothing")
    table = pq.read_table(tmp_path / "n.parquet")
    assert table.num_rows == 0 and table.schema.names == ["id", "v", "d"] and not table.schema.field("id").nullable


@pytest.mark.parametrize("size", [512, 513, 4096, 16383, 32767])
def test_every_packet_size(server, run, tmp_path, size):
    """Values straddle packets everywhere; the same rows come of it."""
    if size == 512:
        fresh(server, "dbo.packets", "id int NOT NULL PRIMARY KEY, a varchar(300), b nvarchar(max), c decimal(38,4), d datetime2(7), e varbinary(max), f int, g char(3)",
              *["(" + ", ".join([str(n), f"'{'a' * n}'", f"N'{'ü😀' * (n * 7 % 400)}'", f"{n}.25", "'2024-02-29'", "0x" + "00ff" * n, "NULL" if n % 3 else "1", "NULL"]) + ")"
                for n in range(120)])
    run("copy", uri(server, more=f"?packetSize={size}"), "p.parquet", "--table", "packets")
    assert server.logins[-1][0].packet_size == size
    table = pq.read_table(tmp_path / "p.parquet").sort_by("id").to_pydict()
    assert table["a"] == ["a" * n for n in range(120)] and table["b"] == ["ü😀" * (n * 7 % 400) for n in range(120)]
    assert table["e"] == [b"\0\xff" * n for n in range(120)] and table["c"] == [D(n) + D("0.25") for n in range(120)]
    assert table["f"] == [None if n % 3 else 1 for n in range(120)] and set(table["g"]) == {None}


# ---- parts ----

KEYS = {  # the type of the key, and rows that are crowded, have gaps and NULL
    "int": [str(n if n < 300 else 2_000_000_000 + n) for n in range(600)],
    "bigint": [str(-2**63), str(2**63 - 1)] + [str(n * 10**12) for n in range(300)],
    "decimal(38,2)": [f"{n}.{n % 100:02}" for n in range(-200, 200)],
    "varchar(20)": [f"'k{n % 40:03}'" for n in range(400)] + ["''", "'é'", "'it''s'"],
    "nvarchar(20)": [f"N'漢{n:04}'" for n in range(400)] + ["N'𝄞'", "N'a]b'"],
    "uniqueidentifier": [f"'{uuid.UUID(int=n << 64 | n)}'" for n in range(400)],
    "datetime2(7)": [f"'2024-01-{1 + n % 28:02} 12:00:00.{n:07}'" for n in range(400)] + ["'0001-01-01'", "'9999-12-31 23:59:59.9999999'"],
    "datetime": [f"'1998-08-{1 + n % 28:02} 12:{n % 60:02}:56.003'" for n in range(400)],
    "date": [f"'{1900 + n}-02-28'" for n in range(400)],
    "datetimeoffset(3)": [f"'2024-01-{1 + n % 28:02} 12:00:00.{n:03} +05:30'" for n in range(400)],
    "binary(4)": [f"0x{n:08x}" for n in range(400)],
    "money": [f"{n}.{n % 10000:04}" for n in range(-200, 200)],
    "float": [f"{n / 7!r}E0" for n in range(-200, 200)],
    "bit": ["0", "1"] * 100,
}


def parts_of(run, *words):
    done = run("copy", *words, "--dry-run", "--json")
    return [part["spec"] for part in json.loads(done.stdout)["parts"]]


@pytest.mark.parametrize("kind", KEYS)
def test_ranges_of_a_key(server, run, tmp_path, kind):
    """Every row once, whatever the key: NULL, crowds of equal values and gaps included; no part much too large."""
    rows_ = [f"({n}, {value})" for n, value in enumerate(KEYS[kind] + ["NULL"] * 30)]
    fresh(server, "dbo.ranges", f"id int NOT NULL, [k ]]] {kind} NULL", *[", ".join(rows_[at:at + 200]) for at in range(0, len(rows_), 200)])
    words = [uri(server), "r.parquet", "--table", "dbo.ranges", "--key", '"k ]"', "--rowgroup-size", "50", "--workers", "2"]
    parts = parts_of(run, *words)
    assert len(parts) > 1 and parts[0].startswith("key * ") and parts[-1].endswith(" *")
    run("copy", *words)
    assert sorted(pq.read_table(tmp_path / "r.parquet").column("id").to_pylist()) == list(range(len(rows_)))
    run("verify", *words[:4], "--workers", "2", "--split", "none")


def test_ranges_of_several_columns(server, run, tmp_path):
    """One value of the first column has most of the rows: the second decides there."""
    rows_ = [f"({0 if n < 700 else n % 5 + 1}, 'v{n:04}', {n})" for n in range(1000)]
    fresh(server, "dbo.pairs", "a int NOT NULL, b varchar(10) NOT NULL, id int, PRIMARY KEY (a, b)", *[", ".join(rows_[at:at + 250]) for at in range(0, 1000, 250)])
    words = [uri(server), "p.parquet", "--table", "pairs", "--rowgroup-size", "100", "--workers", "2"]
    assert len(parts_of(run, *words)) == 10
    run("copy", *words, "--verify")
    file = pq.ParquetFile(tmp_path / "p.parquet")
    assert sorted(file.read().column("id").to_pylist()) == list(range(1000))
    assert {file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)} == {100}
    fresh(server, "dbo.nullpairs", "a int NULL, b int NULL, id int", ", ".join(f"({'NULL' if n % 3 else n % 7}, {'NULL' if n % 5 == 0 else n % 11}, {n})" for n in range(500)))
    words = [uri(server), "n.parquet", "--table", "nullpairs", "--key", "a,b", "--rowgroup-size", "40"]
    assert len(parts_of(run, *words)) > 5
    run("copy", *words, "--where", "id >= 0 OR 1 = 1")
    assert sorted(pq.read_table(tmp_path / "n.parquet").column("id").to_pylist()) == list(range(500))


def test_checksums_queries_and_none(server, run, tmp_path):
    fresh(server, "dbo.sums", "id int NOT NULL PRIMARY KEY, v varchar(9) NULL", ", ".join(f"({n}, {'NULL' if n % 9 == 0 else repr(str(n % 50))})" for n in range(500)))
    words = [uri(server), "c.parquet", "--table", "sums", "--split", "checksum", "--rowgroup-size", "100", "--workers", "2"]
    assert parts_of(run, *words) == [f"checksum {n}/5" for n in range(5)]
    for more in ([], ["--key", "v"]):
        run("copy", *words, *more, "--mode", "replace")
        assert sorted(pq.read_table(tmp_path / "c.parquet").column("id").to_pylist()) == list(range(500))
    assert parts_of(run, uri(server), "other.parquet", "--table", "sums", "--split", "none") == ["all"]
    query = ["--query", "SELECT id, v FROM dbo.sums WHERE id < 300 -- some", "--key", "id", "--rowgroup-size", "100"]
    assert len(parts_of(run, uri(server), "q.parquet", *query)) == 3
    run("copy", uri(server), "q.parquet", *query)
    assert sorted(pq.read_table(tmp_path / "q.parquet").column("id").to_pylist()) == list(range(300))
    assert "partitions" in run("copy", uri(server), "x.parquet", "--table", "sums", "--split", "partition", code=2).stderr
    assert "in order" in run("copy", uri(server), "x.parquet", "--table", "sums", "--key", "nosuch", code=2).stderr


def test_partitions(run, tmp_path):
    """The server of the tests has none: what is asked of one that has."""
    kinds = [("id", Type("int", nullable=False))]
    name = lambda value: struct.pack("<H", 2 * len(value)) + value.encode("utf-16-le")  # noqa: E731
    parted = tokens.column_metadata([("f", Type("nvarchar", 256), 0), ("c", Type("nvarchar", 256), 0), ("n", Type("int", nullable=False), 0)]) \
        + b"\xd1" + name("pf") + name("d]y") + struct.pack("<i", 3) + tokens.done(tokens.DONE, tokens.COUNT, tokens.SELECT, 1)
    rules = {f"$PARTITION.[pf]([d]]y]) = {n})": rows(kinds, [[struct.pack("<i", 10 * n + k)] for k in range(n)]) for n in (1, 2, 3)}
    with scripted(rows(kinds, []), before={**rules, "partition_functions": parted}) as server:
        assert parts_of(run, uri(server), "p.parquet", "--table", "dbo.T") == ["partition 1", "partition 2", "partition 3"]
        run("copy", uri(server), "p.parquet", "--table", "dbo.T", "--workers", "2")
    assert sorted(pq.read_table(tmp_path / "p.parquet").column("id").to_pylist()) == [10, 20, 21, 30, 31, 32]


# ---- parameters, consistency ----

def test_parameters_are_bound(server, run):
    fresh(server, "dbo.bound", "id int, v nvarchar(30), d decimal(9,2), b varbinary(4)", "(12, N'fred', 1.5, 0x01ff)", "(13, N'it''s, é', NULL, NULL)")
    query = "SELECT id FROM dbo.bound WHERE id = @p1 AND v = @p2 AND (@p3 IS NULL OR d = @p3)"
    for given, ids in (("12,'fred',1.5", "12\n"), ("13, 'it''s, é' , NULL", "13\n"), ("12,'fred',9.99", ""), ("12, N'fred'' OR 1=1 --', NULL", "")):
        assert run("copy", uri(server), "-", "--to", "csv", "--query", query, "--parameters", given).stdout == "id\n" + ids, given
    assert run("copy", uri(server), "-", "--to", "csv", "--query", "SELECT id FROM bound WHERE b = @p1", "--parameters", "0x01FF").stdout == "id\n12\n"
    for wrong in ("fred", "'fred", "1,,2", "0x1", "1 2", ","):
        assert "--parameters" in run("copy", uri(server), "-", "--to", "csv", "--query", query, "--parameters", wrong, code=2).stderr
    assert "no function" in run("copy", uri(server), "-", "--to", "csv", "--table", "bound", "--parameters", "1", code=2).stderr


def test_a_function_with_parameters(run, tmp_path):
    """sp_executesql, the values typed and never in the text."""
    kinds = [("id", Type("int", nullable=False))]
    answer = rows(kinds, [[struct.pack("<i", 7)]])
    with scripted(answer, kind=b"IF", rpc=lambda payload: answer) as server:
        run("copy", uri(server), "f.parquet", "--table", "dbo.T", "--parameters", "12,'fred','1989'")
        call = next(asked for asked in server.asked if isinstance(asked, bytes))
    text = call.decode("utf-16-le", "replace")
    assert call[22:28] == bytes.fromhex("ffff0a000000")
    assert "FROM [dbo].[T](@p1, @p2, @p3)" in text + call[1:].decode("utf-16-le", "replace") and b"fred".decode() not in "".join(a for a in server.asked if isinstance(a, str))
    assert "@p1 int, @p2 nvarchar(4000), @p3 nvarchar(4000)" in text + call[1:].decode("utf-16-le", "replace")
    assert pq.read_table(tmp_path / "f.parquet").column("id").to_pylist() == [7]


def test_consistent_by_snapshot_isolation(server, run, tmp_path):
    fresh(server, "dbo.moment", "id int NOT NULL PRIMARY KEY, v int", ", ".join(f"({n}, 0)" for n in range(300)))
    words = [uri(server), "m.parquet", "--table", "moment", "--rowgroup-size", "50", "--workers", "1"]
    plan = run("copy", *words, "--dry-run").stdout
    assert "reads     none: " in plan and "--consistent" in plan
    run("copy", *words, "--consistent", "--summary", "s.json")
    assert json.loads((tmp_path / "s.json").read_text())["consistency"] == "snapshot"
    assert any("ISOLATION LEVEL SNAPSHOT" in line for line in server.log_lines)
    run("copy", *words[:1], "f/", *words[2:], "--files", "2", "--summary", "s.json")
    assert json.loads((tmp_path / "s.json").read_text())["consistency"] == "none"
    manifest = next((tmp_path / "f").glob("*manifest.json"))
    assert "missing or read twice" in json.loads(manifest.read_text())["consistency_note"]


def test_consistent_by_a_database_snapshot(run, tmp_path):
    """Several workers read a database snapshot that is dropped at the end, also after a failure."""
    kinds = [("id", Type("int", nullable=False))]
    one = lambda value: rows([("a", Type("int"))], [[b"\4" + struct.pack("<i", value)]])  # noqa: E731
    files = rows([("n", Type("varchar", 99)), ("p", Type("varchar", 99))], [[Type("varchar", 99).frame(b"Sales]"), Type("varchar", 99).frame(b"C:\\Sales.mdf")]])
    before = {"HAS_PERMS_BY_NAME": one(1), "EngineEdition": one(3), "COUNT(*) AS a FROM sys.database_files": one(1), "sys.database_files": files, "ROW_NUMBER()": rows(kinds, [[struct.pack("<i", 5)]]),
              "SELECT TOP (0) [id]": rows(kinds, []), "indexes AS i JOIN sys.index_columns": INDEX,
              "] >= CAST(N'5'": rows(kinds, [[struct.pack("<i", 5)]]), "] < CAST(N'5'": rows(kinds, [[struct.pack("<i", 1)]])}
    with scripted(rows(kinds, []), before=before) as server:
        run("copy", uri(server, database="Sales"), "p.parquet", "--table", "dbo.T", "--workers", "2", "--rowgroup-size", "1", "--consistent")
        made, dropped = [[line for line in server.asked if line.startswith(word)] for word in ("CREATE DATABASE", "DROP DATABASE")]
        reads = [line for line in server.asked if " >= CAST" in line]
    assert len(made) == len(dropped) == 1 and "AS SNAPSHOT OF [Sales]" in made[0] and "NAME = [Sales]]], FILENAME = N'C:\\Sales.mdf.Sales_haul_" in made[0]
    snapshot = made[0].split("[")[1].split("]")[0]
    assert dropped == [f"DROP DATABASE [{snapshot}]"] and all(f"FROM [{snapshot}].[dbo].[T]" in line for line in reads) and reads
    assert sorted(pq.read_table(tmp_path / "p.parquet").column("id").to_pylist()) == [1, 5]


# ---- encryption and login ----

@pytest.mark.parametrize("setting,encrypt,mode", [("OFF", "disable", "none"), ("OFF", "optional", "login"), ("ON", "mandatory", "all"), ("REQ", "optional", "all"),
                                                  ("ON", "strict", "all"), ("NOT_SUP", "disable", "none")])
def test_encryption(server, run, setting, encrypt, mode):
    server.encryption, before = getattr(prelogin, setting), server.encryption
    try:
        out = run("copy", uri(server, more=f"?Encrypt={encrypt}&Certificate={server.certificate}"), "-", "--to", "csv", "--query", "SELECT 1 AS one").stdout
        assert out == "one\n1\n" and server.logins[-1][1] == mode and server.logins[-1][2] == (encrypt == "strict")
    finally:
        server.encryption = before


def test_a_certificate_nobody_knows(server, run):
    said = run("list", uri(server, more="?encrypt=mandatory"), code=5).stderr
    assert "certificate" in said and "TrustServerCertificate=yes" in said
    run("list", uri(server, more="?encrypt=mandatory&trustServerCertificate=yes"))
    run("list", uri(server, more=f"?encrypt=strict&ServerCertificate={server.certificate}"))
    said = run("list", uri(server, more=f"?encrypt=mandatory&certificate={server.certificate}&HostNameInCertificate=elsewhere.example"), code=5).stderr
    assert "elsewhere.example" in said
    server.encryption, before = prelogin.NOT_SUP, server.encryption
    try:
        run("list", uri(server, more="?encrypt=optional"))  # it does not leave the machine
        assert "clear text" in run("list", uri(server, more="?encrypt=mandatory"), code=5).stderr
        away = uri(server, more="?encrypt=optional").replace("127.0.0.1", "0.0.0.0")  # which Linux connects to itself
        assert "0.0.0.0" in away and "clear text" in run("list", away, code=5).stderr
    finally:
        server.encryption = before


def test_logins(server, run):
    logins = len(server.logins)
    said = run("list", uri(server), code=5, env={"SQLCMDPASSWORD": "wrong"}).stderr
    assert "18456" in said and len(server.logins) == logins + 1, "a wrong password is tried once"
    assert "4060" in run("list", uri(server, database="nosuch"), code=5).stderr
    run("list", uri(server, user="", more="?Authentication=ActiveDirectoryAccessToken"), env={"SQLCMDPASSWORD": TOKEN})
    run("list", uri(server, user="", more="?Authentication=ActiveDirectoryAccessToken"), env={"SQLCMDPASSWORD": "stale"}, code=5)
    run("list", f"mssql://?user=sa&port={server.port}", env={"SQLCMDSERVER": "127.0.0.1", "SQLCMDDBNAME": "master"})
    for scheme in ("sqlserver", "azuresql", "azure-sql", "mssql+pyodbc"):
        given = uri(server, more="?driver=ODBC+Driver+18+for+SQL+Server&TrustServerCertificate=yes").replace("mssql:", scheme + ":")
        assert "driver" in run("copy", given, "-", "--to", "csv", "--query", "SELECT 1 AS one").stderr


# ---- Kerberos ----

WHO = ["-", "--to", "csv", "--query", "SELECT SUSER_SNAME() AS me"]


@pytest.mark.parametrize("encrypt", ["mandatory", "strict", "optional"])
def test_kerberos(kerberos, run, encrypt):
    """A ticket of a real KDC; no password is anywhere."""
    given = f"mssql://localhost:{kerberos.port}/master?encrypt={encrypt}&certificate={kerberos.certificate}"
    done = run("copy", given, *WHO, "--trusted-connection", env={**kerberos.realm.environment(), "SQLCMDPASSWORD": ""})
    assert done.stdout == "me\nalice@HAUL.TEST\n"
    assert kerberos.logins[-1][0].integrated and not kerberos.logins[-1][0].password
    assert "alice@HAUL.TEST" in run("copy", given + "&Trusted_Connection=yes", *WHO, env=kerberos.realm.environment()).stdout


def test_kerberos_says_what_to_do(kerberos, run, tmp_path):
    given = f"mssql://localhost:{kerberos.port}/master?TrustServerCertificate=yes&Trusted_Connection=yes"
    said = run("copy", given, *WHO, env={**kerberos.realm.environment(), "KRB5CCNAME": f"FILE:{tmp_path}/none"}, code=5).stderr
    for word in ("kinit", "keytab", f"MSSQLSvc/localhost:{kerberos.port}", "SPN"):
        assert word in said, said
    said = run("copy", given + "&ServerSPN=MSSQLSvc/nobody:1", *WHO, env=kerberos.realm.environment(), code=5).stderr
    assert "MSSQLSvc/nobody:1" in said
    kerberos.principals, before = set(), kerberos.principals
    try:
        run("copy", given, *WHO, env=kerberos.realm.environment(), code=5)
    finally:
        kerberos.principals = before


# ---- forms of the wire ours does not send ----

def read_scripted(run, result, code=0, more="", words=(), **settings):
    with scripted(result, **settings) as server:
        done = run("copy", uri(server, more=more), "s.parquet", "--table", "dbo.T", "--mode", "replace", *words, code=code)
        assert not server.failures, server.failures
        return done


def cell(kind, payload):
    return kind.frame(payload)


@pytest.mark.sanitize
@pytest.mark.parametrize("sizes", [[1], [3], [7, 1, 2], [1000], [65536], [2**20]])
def test_lobs_in_chunks_of_unknown_length(run, tmp_path, sizes):
    """Chunks cut anywhere, also inside a character, of known and unknown total."""
    text, data = "aé漢😀" * 500, bytes(range(256)) * 40
    kinds = [("n", NV), ("b", VB), ("c", VC), ("u", Type("varchar", MAX, collation=bytes.fromhex("0904d02400"))), ("j", Type("varchar", MAX, collation=bytes.fromhex("1104d00000")))]
    values = [text.encode("utf-16-le"), data, ("é" * 999).encode("cp1252"), text.encode(), ("日本" * 300).encode("cp932")]
    cells = [[chunks(value, sizes, total) for value, total in zip(values, totals)] for totals in ([None] * 5, [len(value) for value in values])]
    cells.append([b"\xff" * 8] * 5)
    cells.append([chunks(b"", sizes)] * 5)
    read_scripted(run, rows(kinds, cells))
    got = pq.read_table(tmp_path / "s.parquet").to_pydict()
    for name, value in zip("nbcuj", [text, data, "é" * 999, text, "日本" * 300]):
        assert got[name] == [value, value, None, b"" if name == "b" else ""], name


def test_row_and_nbcrow_say_the_same(run, tmp_path):
    kinds = [("i", Type("int")), ("d", Type("decimal", precision=5, scale=2)), ("v", Type("varchar", 9)), ("m", NV), ("t", Type("text", MAX)), ("x", Type("sql_variant"))]
    full = [k.frame(p) for (_n, k), p in zip(kinds, [b"\1\0\0\0", b"\0\x96\0\0\0", b"abc", "é".encode("utf-16-le"), b"t", b"\x38\0\7\0\0\0"])]
    nulls = [k.frame(None) for _n, k in kinds]
    plain, bits = [], []
    for mask in range(64):
        plain.append([nulls[n] if mask >> n & 1 else full[n] for n in range(6)])
        bits.append([None if mask >> n & 1 else full[n] for n in range(6)])
    read_scripted(run, rows(kinds, plain))
    one = pq.read_table(tmp_path / "s.parquet")
    read_scripted(run, rows(kinds, bits, nbc=True))
    assert pq.read_table(tmp_path / "s.parquet").equals(one) and one.column("x").to_pylist()[0] == "7"
    assert one.column("d").to_pylist()[0] == D("-1.50")


def test_lone_surrogates_and_bytes_without_meaning_are_rejects(run, tmp_path):
    kinds = [("id", Type("int", nullable=False)), ("n", Type("nvarchar", 20)), ("m", NV), ("v", Type("varchar", 9))]
    good = [Type("nvarchar", 20).frame("ok".encode("utf-16-le")), NV.frame("ok".encode("utf-16-le")), Type("varchar", 9).frame(b"ok")]
    bad = [b"\x04\0\x00\xd8\x41\0", NV.frame(b"\x41\0\x00\xdc"), b"\x01\0\x81"]
    cells = [[struct.pack("<i", 0), *good]] + [[struct.pack("<i", n + 1), *[bad[n] if n == m else good[m] for m in range(3)]] for n in range(3)]
    said = read_scripted(run, rows(kinds, cells), code=5).stderr
    assert 'column "n"' in said and "surrogate" in said
    read_scripted(run, rows(kinds, cells), code=3, words=["--max-errors", "9", "--reject-file", "r.jsonl"])
    assert pq.read_table(tmp_path / "s.parquet").column("id").to_pylist() == [0]
    rejects = (tmp_path / "r.jsonl").read_text()
    assert rejects.count("\n") == 3 and '"column":"v"' in rejects and '"row":3' in rejects


# ---- faults ----

@pytest.fixture
def faulty(server):
    fresh(server, "dbo.faulty", "id int NOT NULL PRIMARY KEY, v nvarchar(max), d decimal(9,2)", *[f"({n}, N'{'v' * 50}', {n}.5)" for n in range(200)])
    return server


def test_cut_at_any_byte(faulty, run, tmp_path):
    """Cut in login, catalog and rows: tried again, then 75, and no file is there."""
    places = [1, 7, 9, 60, 120, 250, 400, 700, 1500, 3000, 6000, 9000, 20000, 24000][:max(6, TRIALS)]
    faulty.encryption, before = prelogin.OFF, faulty.encryption
    try:
        for place in places:
            with Proxy(faulty.port, Fault(None, place, "reset")) as proxy:
                done = run("copy", f"mssql://sa@127.0.0.1:{proxy.port}/master?encrypt=disable", f"c{place}.parquet", "--table", "faulty", "--retries", "2", code=None)
            assert done.returncode in (0, 5, 75), (place, done.stderr)
            assert (tmp_path / f"c{place}.parquet").exists() == (done.returncode == 0), (place, done.stderr)
            if done.returncode:
                assert "haul: " in done.stderr and "closed" in done.stderr or "reset" in done.stderr or "ends" in done.stderr, done.stderr
            else:
                assert pq.read_table(tmp_path / f"c{place}.parquet").num_rows == 200
    finally:
        faulty.encryption = before


def test_errors_that_may_pass_are_tried_again(faulty, run, tmp_path):
    faulty.faults.set(error_at_row=(100, 1205, 13))
    assert "1205" in run("copy", uri(faulty), "e.parquet", "--table", "faulty").stderr
    assert pq.read_table(tmp_path / "e.parquet").num_rows == 200
    faulty.faults.set(error_at_row=(100, 8134, 16))
    done = run("copy", uri(faulty), "f.parquet", "--table", "faulty", code=5)
    assert "8134" in done.stderr and "level 16" in done.stderr
    faulty.faults.set(error_at_row=(100, 1205, 13), every=True)
    run("copy", uri(faulty), "g.parquet", "--table", "faulty", "--retries", "1", code=75)


def test_a_wrong_packet_length_ends_it(faulty, run):
    for off in (-3, 5):
        faulty.faults.set(wrong_length=off)
        assert run("list", uri(faulty, more="?loginTimeout=2"), code=None, timeout=60).returncode in (5, 75)
