"""haul bcp: every type in every storage and format file, out of one table and into another."""
import gzip
import re

import pytest

from bcp_program import Bcp, fresh, rows_of
from test_mssql_read import EDGES

STORAGES = ["-c", "-w", "-n", "-N"]
VERSIONS = [str(10 * version) for version in range(7, 18)]
# Beside the edges of test_mssql_read: digits of 100 ns, offsets, text's own letters, the CLR's types.
EVERY = [(kind, [literal for literal, _ in values]) for kind, _, _, values in EDGES] + [
    ("time(7)", ["'23:59:59.9999999'", "'00:00:00.0000001'"]), ("datetime2(7)", ["'9999-12-31 23:59:59.9999999'", "'0001-01-01 00:00:00.0000001'"]),
    ("datetimeoffset(7)", ["'2004-05-23 14:25:10.1234567 +05:30'", "'0001-01-01 14:00:00 +14:00'", "'9999-12-31 09:59:59.9999999 -14:00'"]),
    ("datetimeoffset(3)", ["'2004-05-23 14:25:10.123 -03:00'"]), ("sysname", ["N'a b'", "N'c'"]), ("geometry", ["0x00", "0x010203"])]
TEXT_ONLY = [("sql_variant", ["N'é'", "5"])]
FIXED = ["bit", "tinyint", "smallint", "int", "bigint", "real", "float", "money", "smallmoney", "datetime", "smalldatetime", "date", "time(7)", "datetime2(7)", "datetimeoffset(7)",
         "decimal(9,2)", "numeric(38,0)", "uniqueidentifier", "char(5)", "varchar(20)", "nchar(4)", "nvarchar(20)", "varchar(max)", "binary(4)", "varbinary(10)"]


def make(server, table, types, filled=True):
    """A NULL row, then rows with each type's values; those of FIXED are there as NOT NULL columns too."""
    known, held = dict(types), [kind for kind in FIXED if kind in dict(types)]
    columns = ["k int NOT NULL PRIMARY KEY", *[f"c{i} {kind} NULL" for i, (kind, _) in enumerate(types)], *[f"n{i} {kind} NOT NULL" for i, kind in enumerate(held)]]
    fresh(server, table, f"({', '.join(columns)})")
    for row in range(4 if filled else 0):
        cells = ["NULL" if row == 0 else values[row % len(values)] for _, values in types] + [known[kind][row % len(known[kind])] for kind in held]
        server.ask(f"INSERT INTO dbo.{table} VALUES ({row}, {', '.join(cells)})")


@pytest.fixture
def bcp(mssql, tmp_path):
    return Bcp(mssql, tmp_path)


@pytest.fixture
def every(bcp):
    """dbo.every_type as filled, and its native bytes; dbo.copied is as it, and empty: made once for each server."""
    server = bcp.server
    if not server.ask("SELECT OBJECT_ID(N'dbo.every_type')")[0][0]:
        make(server, "every_type", EVERY)
        make(server, "copied", EVERY, filled=False)
    server.ask("DELETE FROM dbo.copied")
    bcp("dbo.every_type", "out", "native.dat", "-N")
    return bcp.read("native.dat")


# The kind of format file is nothing to the server.
@pytest.mark.parametrize("mssql, kind", [("sqlserver", "none"), ("sqlserver", "70"), ("sqlserver", "160"), ("sqlserver", "xml"), ("stricter", "none")], indirect=["mssql"])
@pytest.mark.parametrize("storage", STORAGES)
def test_every_type(bcp, every, storage, kind):
    """Out, and into an empty table: the same as another client reads both, and in native bytes, where every digit shows."""
    words = [storage]
    if kind != "none":
        bcp("dbo.every_type", "format", "nul", "-f", "x.fmt", storage, *(["-x"] if kind == "xml" else ["-V", kind]))
        words = ["-f", "x.fmt", "-C", "65001"]  # its collations would give the fields code pages that lack letters of nvarchar
    bcp("dbo.every_type", "out", "x.dat", *words)
    done = bcp("dbo.copied", "in", "x.dat", *words, "-m", "0")
    assert "\n4 rows copied.\n" in done.out
    assert rows_of(bcp.server, "copied") == rows_of(bcp.server, "every_type")
    bcp("dbo.copied", "out", "back.dat", "-N")
    assert bcp.read("back.dat") == every
    if kind != "none":
        bcp("dbo.every_type", "out", "plain.dat", storage)
        assert bcp.read("x.dat") == bcp.read("plain.dat").removeprefix(b"\xff\xfe" if storage == "-w" else b"")


@pytest.mark.parametrize("storage", ["-c", "-N"])
def test_every_version_of_format_files(sqlserver, tmp_path, storage):
    """Written, and read; but for its first line, and collations in 7.0, it is one file."""
    bcp = Bcp(sqlserver, tmp_path)
    fresh(sqlserver, "versions", "(a int NOT NULL, b decimal(9,2) NULL, c varchar(20) NULL, d nvarchar(max) NULL)", [(1, "2.50", "x", "é"), (-1, None, None, "")])
    seen = set()
    for version in VERSIONS:
        bcp("dbo.versions", "format", "nul", "-f", "x.fmt", storage, "-V", version)
        first, rest = bcp.read("x.fmt").decode().split("\n", 1)
        assert first == f"{int(version) // 10}.0" and len(rest.splitlines()[-1].split()) == (7 if version == "70" else 8)
        seen.add(rest if version != "70" else None)
        bcp("dbo.versions", "out", f"{version}.dat", "-f", "x.fmt", "-C", "65001")
        assert bcp.read(f"{version}.dat") == bcp.read("70.dat")
    assert len(seen) == 2


def test_code_pages(sqlserver, tmp_path):
    """Without a format file -C says it; with one the collations in it do."""
    bcp = Bcp(sqlserver, tmp_path)
    fresh(sqlserver, "pages", "(a varchar(20), b nvarchar(20))", [("é€", "é")])
    for words, wanted in (([], "é€\té\n".encode()), (["-C", "ACP"], "é€\té\n".encode("cp1252")), (["-C", "1252"], "é€\té\n".encode("cp1252")),
                          (["-C", "65001"], "é€\té\n".encode()), (["-C", "RAW"], "é€\té\n".encode("cp1252"))):
        bcp("dbo.pages", "out", "x.dat", "-c", *words)
        assert bcp.read("x.dat") == wanted, words
        before = rows_of(sqlserver, "pages")
        sqlserver.ask("DELETE FROM dbo.pages")
        bcp("dbo.pages", "in", "x.dat", "-c", *words)
        assert rows_of(sqlserver, "pages") == before, words
    done = bcp("dbo.pages", "out", "x.dat", "-c", "-C", "OEM")  # 437 has no euro sign
    assert bcp.read("x.dat") == b"" and "code page" in done.out
    fresh(sqlserver, "pages", "(a varchar(20), b nvarchar(20))", [("é", "ü")])
    bcp("dbo.pages", "format", "nul", "-f", "x.fmt", "-c")
    for words, wanted in ((["-C", "OEM"], "é\tü\n".encode("cp437")), (["-f", "x.fmt"], "é\tü\n".encode("cp1252")), (["-f", "x.fmt", "-C", "OEM"], "é\tü\n".encode("cp1252"))):
        bcp("dbo.pages", "out", "x.dat", *(words if "-f" in words else ["-c", *words]))
        assert bcp.read("x.dat") == wanted, words


def test_an_empty_file_has_no_rows(sqlserver, tmp_path):
    bcp = Bcp(sqlserver, tmp_path)
    fresh(sqlserver, "nothing", "(a int, b varchar(20))")
    for name, data, storage in (("x.dat", b"", "-c"), ("x.dat", b"", "-n"), ("x.dat", b"", "-w"), ("x.dat", b"\xff\xfe", "-w"), ("x.dat.gz", gzip.compress(b""), "-c")):
        (tmp_path / name).write_bytes(data)
        assert re.search(r"\n0 rows copied\.\nNetwork packet size \(bytes\): \d+\nClock Time \(ms\.\) Total     : \d+\n$", bcp("dbo.nothing", "in", name, storage).out), (name, storage)
        bcp("dbo.nothing", "out", name, storage)
        assert (gzip.decompress(bcp.read(name)) if name.endswith(".gz") else bcp.read(name)) == (b"\xff\xfe" if storage == "-w" else b"")


# 4.2 and 6.5 -------------------------------------------------------------------------------
OLD = {"SQLTINYINT": "SYBINT1", "SQLSMALLINT": "SYBINT2", "SQLINT": "SYBINT4", "SQLBIT": "SYBBIT", "SQLFLT4": "SYBREAL", "SQLFLT8": "SYBFLT8", "SQLMONEY": "SYBMONEY", "SQLMONEY4": "SYBMONEY4",
       "SQLDATETIME": "SYBDATETIME", "SQLDATETIM4": "SYBDATETIME4", "SQLDECIMAL": "SYBDECIMAL", "SQLNUMERIC": "SYBNUMERIC", "SQLCHAR": "SYBCHAR", "SQLBINARY": "SYBBINARY"}
OLD_TYPES = ["bit", "tinyint", "smallint", "int", "real", "float", "decimal(9,2)", "numeric(38,0)", "money", "smallmoney", "datetime", "smalldatetime", "char(5)", "varchar(20)", "text", "binary(4)",
             "varbinary(10)", "image"]


@pytest.mark.parametrize("version", ["4.2", "6.0", "6.5"])
def test_format_files_of_old(sqlserver, tmp_path, version):
    """Host types of DB-Library's days, seven tokens to a line: read, in text and native."""
    bcp, known = Bcp(sqlserver, tmp_path), dict(EVERY)
    types = [(kind, known[kind]) for kind in OLD_TYPES]
    make(sqlserver, "old_types", types)
    for storage in ("-c", "-n"):
        bcp("dbo.old_types", "format", "nul", "-f", "new.fmt", storage, "-V", "70")
        _, count, *lines = bcp.read("new.fmt").decode().splitlines()
        lines = [re.sub(r"(?<=\d)(\s+)(SQL\w+)", lambda found: found[1] + OLD[found[2]], line, count=1) for line in lines]
        assert all(len(line.split()) == 7 for line in lines) and "SQL" not in "".join(lines)
        (tmp_path / "old.fmt").write_text("\n".join([version, count, *lines, ""]))
        bcp("dbo.old_types", "out", "x.dat", "-f", "old.fmt")
        before = rows_of(sqlserver, "old_types")
        sqlserver.ask("DELETE FROM dbo.old_types")
        assert f"\n{len(before)} rows copied.\n" in bcp("dbo.old_types", "in", "x.dat", "-f", "old.fmt", "-m", "0").out
        assert rows_of(sqlserver, "old_types") == before


def test_sql_variant_is_text(sqlserver, tmp_path):
    """Out as the text of its value; native, and into a table, it is refused by name."""
    bcp = Bcp(sqlserver, tmp_path)
    fresh(sqlserver, "variants", "(v sql_variant NULL)")
    sqlserver.ask("INSERT INTO dbo.variants VALUES (CAST(1.5 AS decimal(4,1))), (N'é'), (NULL)")
    bcp("dbo.variants", "out", "x.dat", "-c")
    assert sorted(bcp.read("x.dat").decode().splitlines()) == ["", "1.5", "é"]
    assert "sql_variant" in bcp("dbo.variants", "out", "n.dat", "-n", code=1).out
    assert "sql_variant" in bcp("dbo.variants", "in", "x.dat", "-c", code=1).out
