"""Every type through independent clients: what they read, and what they load, byte for byte.

One table of the server holds each type with its edges (values.py knows none of it: the
expected wire bytes come from the specification's arithmetic in tds/types.py, whose
vectors test_tds_server.py checks). Each client reads the table and loads it into another
by its own bulk copy; the server keeps the bytes it was sent. Where a client sends
another type than the column's, the list here says so.
"""
import os
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from conftest import HAUL  # noqa: E402
from judges import judges  # noqa: E402

# name: (type, three values as text)
EVERY = {
    "bit": ("bit", "1", "0", "1"), "tinyint": ("tinyint", "0", "255", "7"), "smallint": ("smallint", "-32768", "32767", "-1"),
    "int": ("int", "-2147483648", "2147483647", "0"), "bigint": ("bigint", "-9223372036854775808", "9223372036854775807", "42"),
    "real": ("real", "1.5", "-0.25", "3e+38"), "float": ("float", "1e+308", "-5e-324", "0.1"),
    "money": ("money", "922337203685477.5807", "-922337203685477.5808", "0.0001"), "smallmoney": ("smallmoney", "214748.3647", "-214748.3648", "-0.0001"),
    "decimal9": ("decimal(9,2)", "1234567.89", "-0.01", "0.00"), "decimal19": ("decimal(19,4)", "999999999999999.9999", "-1.5000", "0.0001"),
    "decimal38": ("decimal(38,0)", "9" * 38, "-" + "9" * 38, "1"), "numeric38": ("numeric(38,38)", "0." + "9" * 38, "-0." + "0" * 37 + "1", "0." + "0" * 38),
    "date": ("date", "0001-01-01", "9999-12-31", "2024-02-29"), "time0": ("time(0)", "23:59:59", "00:00:00", "12:34:56"),
    "time7": ("time(7)", "23:59:59.9999999", "00:00:00.0000000", "12:34:56.1234567"),
    "datetime2_7": ("datetime2(7)", "0001-01-01 00:00:00.0000000", "9999-12-31 23:59:59.9999999", "2024-02-29 12:34:56.1234567"),
    "datetime2_3": ("datetime2(3)", "0001-01-01 00:00:00.000", "9999-12-31 23:59:59.999", "2024-02-29 12:34:56.123"),
    "dto7": ("datetimeoffset(7)", "2024-02-29 12:34:56.1234567 +05:30", "2024-02-29 00:00:00.0000000 -14:00", "1970-01-01 00:00:00.0000000 +00:00"),
    "datetime": ("datetime", "1753-01-01 00:00:00.000", "9999-12-31 23:59:59.997", "2024-02-29 12:34:56.120"),
    "smalldatetime": ("smalldatetime", "1900-01-01 00:00:00", "2079-06-06 23:59:00", "2024-02-29 12:34:00"),
    "char": ("char(5)", "ab   ", "é€   ", "     "), "varchar": ("varchar(20)", "", "xé€", "a\tb\\c\nd"), "varcharmax": ("varchar(max)", "", "x" * 9000, "é"),
    "utf8": ("varchar(30) COLLATE Latin1_General_100_CI_AS_SC_UTF8", "漢é", "", "\U0001D11E"), "cyrillic": ("varchar(20) COLLATE Cyrillic_General_CI_AS", "Привет", "", "я"),
    "nchar": ("nchar(4)", "ü   ", "\U0001D11E  ", "    "), "nvarchar": ("nvarchar(20)", "", "naïve \U0001D11E", "漢字"), "nvarcharmax": ("nvarchar(max)", "", "ö\U0001D11E" * 3000, "x"),
    "binary": ("binary(4)", "0x00000001", "0xffffffff", "0x61620000"), "varbinary": ("varbinary(10)", "0x", "0x00ff", "0x" + "ab" * 10), "varbinarymax": ("varbinary(max)", "0x", "0x" + "7a" * 9000, "0x00"),
    "uniqueidentifier": ("uniqueidentifier", "6F9619FF-8B86-D011-B42D-00C04FC964FF", "00000000-0000-0000-0000-000000000000", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"),
    "xml": ("xml", "<a>é</a>", "<b/>", "<c d=\"1\"/>"), "text": ("text", "", "é€", "abc"), "ntext": ("ntext", "", "漢字", "abc"), "image": ("image", "0x", "0x00ff", "0x01"),
    "hierarchyid": ("hierarchyid", "0x5ac0", "0x58", "0x"), "variant": ("sql_variant", "5", "N'é'", "1.25"),
}


def literal(kind, value):
    if kind == "sql_variant" or value.startswith("0x") or kind.split("(")[0] in ("bit", "tinyint", "smallint", "int", "bigint", "real", "float", "decimal", "numeric", "money", "smallmoney"):
        return value
    return f"{'' if kind in ('char(5)',) else 'N'}'" + value.replace("'", "''") + "'"


def make(server, name, only=None):
    """An empty table of every type, or of some."""
    columns = ", ".join(f"[{column}] {kind}" for column, (kind, *_) in EVERY.items() if only is None or column in only)
    server.ask(f"DROP TABLE IF EXISTS dbo.{name}", f"CREATE TABLE dbo.{name} (id int NOT NULL, {columns})")


@pytest.fixture
def every(sqlserver):
    """dbo.every: three rows of values, one of NULLs."""
    if not sqlserver.ask("SELECT OBJECT_ID('dbo.every')")[0][0]:
        make(sqlserver, "every")
        rows = [f"({number}, {', '.join(literal(kind, values[number]) for kind, *values in EVERY.values())})" for number in range(3)]
        sqlserver.ask(*(f"INSERT INTO dbo.every VALUES {row}" for row in rows), "INSERT INTO dbo.every (id) VALUES (3)")
    return sqlserver


class MssqlPython:
    """Microsoft's mssql-python, in a process of its own: it keeps Python's lock while it loads."""
    name = "mssql_python"
    CODE = """
import sys, mssql_python
where, query, target = sys.argv[1:]
with mssql_python.connect(where, autocommit=True) as connection:
    cursor = connection.cursor()
    rows = [tuple(row) for row in cursor.execute(query).fetchall()]
    cursor.bulkcopy(target, rows, timeout=60, keep_nulls=True, table_lock=True)
"""

    def copy(self, server, query, target):
        secret = server.users["sa"].replace("}", "}}")
        judges.run(sys.executable, "-c", self.CODE, f"Server=localhost,{server.port};Database=master;UID=sa;PWD={{{secret}}};Encrypt=yes;TrustServerCertificate=yes", query, target)


class Freebcp:
    """FreeTDS: out in its native format, and in again."""
    name = "freebcp"

    def __init__(self):
        self.program = judges.tool("freebcp")

    def copy(self, server, query, target):
        with tempfile.TemporaryDirectory() as folder:
            login = ["-c", "-t", "|~|", "-r", "|#|", "-S", f"localhost:{server.port}", "-U", "sa", "-P", server.users["sa"], "-D", "master"]
            conf = Path(folder) / "freetds.conf"
            conf.write_text("[global]\ntds version = 7.4\nclient charset = UTF-8\ntext size = 1000000\n")
            env = {**os.environ, "FREETDSCONF": str(conf)}
            server.ask("DROP TABLE IF EXISTS dbo.for_freebcp", query.replace("FROM", "INTO dbo.for_freebcp FROM", 1))
            judges.run(self.program, "dbo.for_freebcp", "out", f"{folder}/data", *login, env=env)
            judges.run(self.program, target, "in", f"{folder}/data", *login, env=env)


class Haul:
    """haul itself: out into Parquet, every digit kept, and in again. Held to what the others are."""
    name = "haul"

    def copy(self, server, query, target):
        with tempfile.TemporaryDirectory() as folder:
            for words in ([server.uri(), f"{folder}/data.parquet", "--query", query], [f"{folder}/data.parquet", server.uri(), "--table", target, "--mode", "append"]):
                judges.run(HAUL, "copy", *words, "--timestamps", "exact", "--strict", "--trust-cert")


MOMENTS = "date time0 time7 datetime2_7 datetime2_3 dto7".split()
# What a client does not load as it was, by its own doing:
UNLOADED = {
    "jdbc": ["variant"],  # refused by name
    "haul": ["variant"],  # refused by name
    # go-mssqldb: money is not implemented, UTF-8 goes into every char column, a NULL text is sent empty, the others panic in it
    "go": ["money", "smallmoney", "time0", "xml", "image", "variant", "ntext", "char", "varchar", "varcharmax", "utf8", "cyrillic", "text"],
    # mssql-python: Python has microseconds, an offset's local time is sent for UTC, char bytes are in the login's code page, base types are guessed
    "mssql_python": ["time7", "datetime2_7", "dto7", "utf8", "variant"],
    # freebcp goes by way of text, which moves moments; xml is skipped, the others have no conversion
    "freebcp": [*MOMENTS, "float", "xml", "hierarchyid", "variant"]}
# What it sends as another type than the column's.
SENT_AS = {"jdbc": {"uniqueidentifier": "char", "xml": "nvarchar", "text": "varchar", "ntext": "nvarchar", "image": "varbinary", "hierarchyid": "varbinary"},
           "haul": {"xml": "nvarchar", "text": "varchar", "ntext": "nvarchar", "image": "varbinary", "hierarchyid": "varbinary"},
           "go": {"hierarchyid": "varbinary"}, "mssql_python": {"xml": "nvarchar", "hierarchyid": "varbinary"}, "freebcp": {}}
CLIENTS = {"jdbc": judges.Jdbc, "go": judges.Go, "mssql_python": MssqlPython, "freebcp": Freebcp, "haul": Haul}


def client(name):
    try:
        return CLIENTS[name]()
    except judges.Missing as why:
        pytest.skip(str(why))


def normal(kind, payload):
    """A payload without what clients may do as they like: zeros above a decimal, blanks that the server adds."""
    if payload is None or kind.name in ("decimal", "numeric"):
        return payload and payload[:1] + payload[1:].rstrip(b"\0")
    return payload.ljust(kind.length, b" ") if kind.name == "char" else payload + b" \0" * ((kind.length - len(payload)) // 2) if kind.name == "nchar" else payload


def column_type(column):
    from tds.ddl import Cursor, parse_column
    from tds.script import tokenize
    return parse_column(Cursor(tokenize(f"[c] {EVERY[column][0]}")), []).type


def expected(column, row):
    """(Type, payload) of the specification for a value of EVERY."""
    if row == 3:
        return None
    from tds import types
    values, kind = EVERY[column][1:], column_type(column)
    if kind.name != "sql_variant":
        return kind.encode(values[row])
    inner = {"5": types.Type("int"), "N'é'": types.Type("nvarchar", 2), "1.25": types.Type("numeric", precision=3, scale=2)}[values[row]]
    return types.variant_make(inner, inner.encode(values[row].strip("N'")))


@pytest.mark.parametrize("name", CLIENTS)
def test_every_type_is_loaded(every, name):
    from tds.bulk import value_text
    one, wrong = client(name), []
    columns = [column for column in EVERY if column not in UNLOADED[name]]
    make(every, f"every_{name}", columns)
    one.copy(every, f"SELECT id, {', '.join(f'[{column}]' for column in columns)} FROM dbo.every ORDER BY id", f"dbo.every_{name}")
    kept = every.cells[f"every_{name}"]
    assert kept.columns == ["id", *columns] and len(kept.rows) == 4
    for number, column in enumerate(columns, 1):
        sent, target = kept.sent[number], column_type(column)
        if sent.name != SENT_AS[name].get(column, target.name):
            wrong.append(f"{column} came as {sent.name}")
        for row in range(4):
            due, came = expected(column, row), kept.rows[row][number]
            if sent.name != target.name and came is not None:
                came = target.encode(value_text(sent, target, came))
            if normal(target, due) != normal(target, came):
                wrong.append(f"{column} ({sent.name}) row {row}: {came and came[:40].hex()} instead of {due and due[:40].hex()}")
    assert not wrong, "\n".join(wrong)


READ_AS = {"go": {"uniqueidentifier": lambda text: str(uuid.UUID(bytes_le=bytes.fromhex(text[2:]))).upper(), "bit": {"true": "1", "false": "0"}.get,
                  "variant": lambda text: {"0x312e3235": "1.25", "é": "N'é'"}.get(text, text)},
           "jdbc": {"bit": {"true": "1", "false": "0"}.get, "variant": lambda text: {"é": "N'é'"}.get(text, text)}}
MISREAD = {"go": ["utf8"], "jdbc": []}  # go-mssqldb takes the bytes of a UTF-8 collation for CP1252


def as_bytes(column, text):
    """The payload of what a client printed for a value."""
    kind = column_type(column)
    if kind.name == "sql_variant":
        return text
    if kind.name == "time":
        text = text.split("T")[-1].rstrip("Z")
    if kind.name == "datetimeoffset":
        text = text.replace("Z", "+00:00")
    if kind.name == "date":
        text = text[:10]
    return kind.encode(text.replace("\\t", "\t").replace("\\n", "\n").replace("\\\\", "\\"))


@pytest.mark.parametrize("name", ["jdbc", "go"])
def test_every_type_is_read(every, name):
    got, wrong = client(name).read(every, "SELECT * FROM dbo.every ORDER BY id"), []
    assert got[3] == ["3"] + ["\\N"] * len(EVERY)
    for number, column in enumerate(EVERY, 1):
        for row in range(3 if column not in MISREAD[name] else 0):
            text = READ_AS[name].get(column, str)(got[row][number])
            due = EVERY[column][1 + row] if column == "variant" else expected(column, row)
            if as_bytes(column, text) != due:
                wrong.append(f"{column} row {row}: {text[:60]}")
    assert not wrong, "\n".join(wrong)


# Access tokens -----------------------------------------------------------------------------
def jdbc_token(server, token):
    one = client("jdbc")
    return one.call(one.url(server, user=""), "token", token, "SELECT 41 + 1").strip()


MSSQL_TOKEN = """
import struct, sys, mssql_python
token = sys.argv[2].encode("utf-16-le")
where = f"Server=localhost,{sys.argv[1]};Database=master;Encrypt=yes;TrustServerCertificate=yes"
connection = mssql_python.connect(where, attrs_before={1256: struct.pack("<I", len(token)) + token})
print(connection.cursor().execute("SELECT 41 + 1").fetchall()[0][0])
"""


def mssql_python_token(server, token):
    pytest.importorskip("mssql_python")
    return judges.run(sys.executable, "-c", MSSQL_TOKEN, server.port, token).strip()


@pytest.mark.parametrize("ask", [jdbc_token, mssql_python_token])
def test_access_token(sqlserver, ask):
    assert ask(sqlserver, "a-token") == "42"
    who = sqlserver.logins[-1][0]
    assert 2 in who.features and not who.user and not who.password
    with pytest.raises(AssertionError, match="Login failed"):
        ask(sqlserver, "another")


def test_go_over_tds8(sqlserver, tmp_path):
    """The Go client over TDS 8.0, its certificate verified."""
    one, authority = client("go"), tmp_path / "authority.pem"
    authority.write_bytes(sqlserver.certificate.read_bytes())
    assert one.read(sqlserver, "SELECT 41 + 1", more=f"encrypt=strict&certificate={authority}") == [["42"]]
    assert sqlserver.logins[-1][2], "the login did not come over TDS 8.0"


# Kerberos ----------------------------------------------------------------------------------
def tsql_kerberos(server, tmp_path):
    """FreeTDS by its own GSSAPI code: no user name means Kerberos."""
    program = judges.tool("tsql")
    conf = tmp_path / "freetds.conf"
    conf.write_text(f"[judge]\nhost = localhost\nport = {server.port}\ntds version = 7.4\nspn = MSSQLSvc/localhost:{server.port}\n")
    env = {**server.realm.environment(), "FREETDSCONF": str(conf)}
    done = subprocess.run([program, "-S", "judge", "-o", "q"], input="SELECT SUSER_SNAME()\ngo\nquit\n", capture_output=True, text=True, env=env, timeout=60)
    return done.stdout.split()[-1] if done.stdout.split() else done.stderr


def jdbc_kerberos(server, tmp_path):
    one = client("jdbc")
    jaas = tmp_path / "jaas.conf"
    jaas.write_text("SQLJDBCDriver { com.sun.security.auth.module.Krb5LoginModule required useTicketCache=true doNotPrompt=true; };\n")
    url = one.url(server, user="", more=f"encrypt=true;trustServerCertificate=true;integratedSecurity=true;authenticationScheme=JavaKerberos;serverSpn=MSSQLSvc/localhost:{server.port}")
    options = [f"-Djava.security.auth.login.config={jaas}", f"-Djava.security.krb5.conf={server.realm.config}"]
    return one.call(url, "read", "SELECT SUSER_SNAME()", options=options, env={**server.realm.environment(), "KRB5CCNAME": server.realm.environment()["KRB5CCNAME"].removeprefix("FILE:")}).strip()


@pytest.mark.parametrize("ask", [tsql_kerberos, jdbc_kerberos])
def test_kerberos(kerberos, tmp_path, ask):
    assert ask(kerberos, tmp_path) == "alice@HAUL.TEST"
    assert kerberos.logins[-1][0].integrated and not kerberos.logins[-1][0].password


def test_kerberos_refused(kerberos, tmp_path):
    kerberos.principals, before = set(), kerberos.principals
    try:
        assert "alice" not in tsql_kerberos(kerberos, tmp_path)
    finally:
        kerberos.principals = before


# PyButt ------------------------------------------------------------------------------------
def test_pybutt_and_haul_read_each_other(sqlserver, haul, tmp_path):
    """PyButt's own Exporter and Importer (judges/pybutt_peer.py): its export has haul's rows, and it imports haul's export."""
    import pyarrow.parquet as pq
    try:
        one = judges.PyButt()
    except judges.Missing as why:
        pytest.skip(str(why))
    columns = "(id int NOT NULL PRIMARY KEY, name nvarchar(30), price decimal(9,2), at datetime2(6))"
    sqlserver.ask(f"CREATE TABLE dbo.butt {columns}", f"CREATE TABLE dbo.butt_back {columns}",
                  *(f"INSERT INTO dbo.butt VALUES ({n}, {'NULL' if n % 5 == 0 else f'N' + repr(f'näme {n}')}, {n}.25, '2024-02-29 12:00:00.123456')" for n in range(1, 41)))
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    theirs.mkdir()
    one.work(sqlserver, "export", "butt", theirs, file_count=2)
    haul("export", "-s", f"127.0.0.1,{sqlserver.port}", "-d", "master", "-t", "butt", "-o", ours, "-u", "sa", "-c", "-f", "2", env={"SQLCMDPASSWORD": sqlserver.users["sa"]})
    rows = {where: sorted((tuple(row.values()) for part in where.glob("*.parquet") for row in pq.read_table(part).to_pylist())) for where in (theirs, ours)}
    assert len(rows[ours]) == 40 and rows[ours] == rows[theirs]
    one.work(sqlserver, "import", "butt_back", ours, source="butt")
    assert sqlserver.ask("SELECT * FROM dbo.butt_back ORDER BY id") == sqlserver.ask("SELECT * FROM dbo.butt ORDER BY id")
