"""haul bcp against the TDS server: bcp's command line, console, files and exit codes;
the BCP chapter's Employee; freebcp as a second opinion, type by type."""
import os
import re
import shutil
import struct
import subprocess

import pyarrow.parquet as pq
import pytest

import bcp_oracle
from bcp_program import Bcp, fresh, rows_of
from conftest import SHARED, TRIALS, need, shared

EMPLOYEE = "(EmpID varchar(10) unique, EmpAge int check (EmpAge > 18), EmpDept varchar(100), EmpSalary decimal)"
ROWS = [("E1", 30, "R&D", 1000), ("E2", 40, None, None), ("E3", 19, "", 5)]
WORLD = "E1\t30\tR&D\t1000\nE2\t40\t\t\nE3\t19\t\0\t5\n"


@pytest.fixture
def bcp(sqlserver, tmp_path):
    return Bcp(sqlserver, tmp_path)


@pytest.fixture
def employee(sqlserver):
    fresh(sqlserver, "Employee", EMPLOYEE.replace("check (EmpAge > 18)", ""), ROWS)
    return sqlserver


# Out ----------------------------------------------------------------------------------------
def test_out_as_bcp_prints_it(bcp, employee):
    done = bcp("master..Employee", "out", "e.dat", "-c")
    assert bcp.read("e.dat").decode() == WORLD
    assert re.fullmatch(r"\nStarting copy\.\.\.\n\n3 rows copied\.\nNetwork packet size \(bytes\): 32767\n"
                        r"Clock Time \(ms\.\) Total     : \d+ *Average : \(\d+\.\d\d rows per sec\.\)\n", done.out), done.out
    assert done.err == ""
    bcp("master..Employee", "out", "e.dat", "-c", "-a", "4096", "-L", "2", "-o", "console")
    assert bcp.read("e.dat").decode() == "".join(WORLD.splitlines(True)[:2])
    assert b"2 rows copied.\nNetwork packet size (bytes): 4096\n" in bcp.read("console")


def test_out_native(bcp, employee):
    bcp("dbo.Employee", "out", "e.dat", "-n")
    decimal = struct.Struct("<BBBB16s")
    first = struct.pack("<H", 2) + b"E1" + struct.pack("<Bi", 4, 30) + struct.pack("<H", 3) + b"R&D" + decimal.pack(19, 18, 0, 1, (1000).to_bytes(16, "little"))
    second = struct.pack("<H", 2) + b"E2" + struct.pack("<Bi", 4, 40) + b"\xff\xff\xff"
    assert bcp.read("e.dat").startswith(first + second)
    bcp("dbo.Employee", "out", "w.dat", "-w", "-t|", "-r", "0x0a")
    assert bcp.read("w.dat") == b"\xff\xfe" + WORLD.replace("\t", "|").encode("utf-16-le")
    bcp("dbo.Employee", "out", "n.dat", "-N")
    assert bcp.read("n.dat").startswith(struct.pack("<H", 4) + "E1".encode("utf-16-le"))


def test_progress_lines(bcp, sqlserver):
    fresh(sqlserver, "many", "(a int)")
    sqlserver.ask("INSERT INTO dbo.many VALUES " + ", ".join(f"({i})" for i in range(2345)))
    done = bcp("dbo.many", "out", "m.dat", "-c")
    assert [line for line in done.out.splitlines() if "successfully" in line] == [
        f"1000 rows successfully bulk-copied to host-file. Total received: {n}" for n in (1000, 2000)]
    assert "\n2345 rows copied.\n" in done.out


def test_queryout_and_suffixes(bcp, employee):
    import gzip

    bcp("SELECT EmpID, EmpAge + 1 AS NextAge FROM dbo.Employee ORDER BY EmpID", "queryout", "q.dat", "-c", "-t,")
    assert bcp.read("q.dat") == b"E1,31\nE2,41\nE3,20\n"
    bcp("dbo.Employee", "out", "e.dat.gz", "-c")
    assert gzip.decompress(bcp.read("e.dat.gz")).decode() == WORLD
    bcp("dbo.Employee", "out", "e.parquet")
    assert pq.read_table(bcp.folder / "e.parquet")["EmpAge"].to_pylist() == [30, 40, 19]
    bcp("dbo.Employee", "out", "e.csv", "--csv")
    assert bcp.read("e.csv").decode() == 'EmpID,EmpAge,EmpDept,EmpSalary\nE1,30,R&D,1000\nE2,40,,\nE3,19,"",5\n'


# Format files -------------------------------------------------------------------------------
CHAPTER_XML = """<?xml version="1.0"?>
<BCPFORMAT xmlns="http://schemas.microsoft.com/sqlserver/2004/bulkload/format" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <RECORD>
  <FIELD ID="1" xsi:type="CharTerm" TERMINATOR="\\t" MAX_LENGTH="10" COLLATION="SQL_Latin1_General_CP1_CI_AS"/>
  <FIELD ID="2" xsi:type="CharTerm" TERMINATOR="\\t" MAX_LENGTH="12"/>
  <FIELD ID="3" xsi:type="CharTerm" TERMINATOR="\\t" MAX_LENGTH="100" COLLATION="SQL_Latin1_General_CP1_CI_AS"/>
  <FIELD ID="4" xsi:type="CharTerm" TERMINATOR="\\r\\n" MAX_LENGTH="41"/>
 </RECORD>
 <ROW>
  <COLUMN SOURCE="1" NAME="EmpID" xsi:type="SQLVARYCHAR"/>
  <COLUMN SOURCE="2" NAME="EmpAge" xsi:type="SQLINT"/>
  <COLUMN SOURCE="3" NAME="EmpDept" xsi:type="SQLVARYCHAR"/>
  <COLUMN SOURCE="4" NAME="EmpSalary" xsi:type="SQLDECIMAL" PRECISION="18" SCALE="0"/>
 </ROW>
</BCPFORMAT>
"""


def test_format_file_of_the_chapter(bcp, employee):
    bcp("master..employee".replace("employee", "Employee"), "format", "nul", "-f", "employee-fmt-xml.xml", "-x", "-c", "-r\\r\\n")
    assert bcp.read("employee-fmt-xml.xml").decode() == CHAPTER_XML


def test_classic_format_files(bcp, employee):
    bcp("dbo.Employee", "format", "NUL", "-fe.fmt", "-n", "-V", "90")
    assert bcp.read("e.fmt").decode() == (
        "9.0\n4\n"
        '1       SQLCHAR             2       10      ""   1     EmpID                 SQL_Latin1_General_CP1_CI_AS\n'
        '2       SQLINT              1       4       ""   2     EmpAge                ""\n'
        '3       SQLCHAR             2       100     ""   3     EmpDept               SQL_Latin1_General_CP1_CI_AS\n'
        '4       SQLDECIMAL          1       19      ""   4     EmpSalary             ""\n')
    bcp("dbo.Employee", "out", "e.dat", "-f", "e.fmt", "-c")  # the format file wins
    bcp("dbo.Employee", "out", "n.dat", "-n")
    assert bcp.read("e.dat") == bcp.read("n.dat")
    bcp("dbo.Employee", "format", "nul", "-f", "w.fmt", "-w")
    assert b'"\\t\\0"' in bcp.read("w.fmt") and b'"\\n\\0"' in bcp.read("w.fmt") and b"SQLNCHAR            0       24" in bcp.read("w.fmt")


def test_prompts(bcp, employee):
    answers = "\n\n\n\n" + "char\n0\n12\n\\t\n" + "\n\n\n\n" + "\n\n\n" + "y\nmine.fmt\n"
    (bcp.folder / "answers").write_text(answers)
    done = bcp("dbo.Employee", "out", "p.dat", "-i", "answers")
    assert "Enter the file storage type of field EmpAge [int]: char\nEnter prefix-length of field EmpAge [1]: 0\n" \
           "Enter length of field EmpAge [12]: 12\nEnter field terminator [none]: \\t\n\n" in done.out
    assert "Do you want to save this format information in a file? [Y/n] y\nHost filename [bcp.fmt]: mine.fmt\n" in done.out
    assert bcp.read("p.dat").startswith(b"\x02\0E130\t\x03\0R&D\x13\x12\0\x01")
    again = bcp.read("p.dat")
    bcp("dbo.Employee", "out", "p.dat", "-f", "mine.fmt")
    assert bcp.read("p.dat") == again
    done = bcp("dbo.Employee", "out", "q.dat", stdin="\n" * 14 + "n\n")
    assert bcp.read("q.dat")[:4] == b"\x02\0E1" and sorted(os.listdir(bcp.folder)) == ["answers", "bcp", "mine.fmt", "p.dat", "q.dat"]
    assert "before the questions do" in bcp("dbo.Employee", "out", "r.dat", stdin="\n\n", code=1).err


# Wrong words --------------------------------------------------------------------------------
@pytest.mark.parametrize("words, says", [
    (["t", "out", "f", "-c", "-t", "t"], "eaten the backslash"), (["t", "out", "f", "-c", "-rn"], "eaten the backslash"),
    (["t", "out", "f", "–c"], "dash of a word processor"), (["t", "out", "f", "-c", "—Ssrv"], "dash of a word processor"),
    (["t", "sideways", "f"], "no direction"), (["t", "out"], "no data file"), (["t", "out", "f", "g", "-c"], "one word too many"),
    (["a.b.c", "out", "f", "-c", "-d", "x"], "names a database"), (["t", "out", "f", "-c", "-n"], "give one"), (["t", "out", "f", "-c", "-F", "0"], "-F 0"),
    (["t", "out", "f", "-c", "-m", "x"], "-m x"), (["t", "out", "f", "-c", "-b"], "-b needs a value"), (["t", "out", "f", "-R", "-c"], "-R"),
    (["t", "out", "f", "-V", "65", "-c"], "6.x"), (["t", "out", "f", "-V", "80", "-n"], "before 2008"), (["t", "format", "x", "-f", "y", "-n"], "write nul"),
    (["t", "format", "nul", "-n"], "needs -f"), (["t", "in", "f", "-c", "-h", "FAST"], '"FAST" is no hint'), (["t", "out", "f", "-c", "-Z"], "unknown option"),
    (["t", "out", "f", "-c", "--nothing"], "unknown option"), (["t", "out", "f", "-cx"], "takes no value"), (["t", "out", "f", "-D", "-c"], "-S"),
    (["t", "out", "f", "-c", "-Y", "x"], "s, m or o"), (["t", "out", "f", "-c", "-G", "-U", "me"], "access token")], ids=lambda v: " ".join(v)[:30])
def test_wrong_words(haul, words, says):
    done = haul("bcp", *words, code=1)
    assert says in done.err and done.out == ""


def test_usage_and_version(haul):
    for words in ([], ["-?"], ["--help"]):
        assert haul("bcp", *words).out.startswith("usage: bcp {dbtable | query} {in | out | queryout | format} datafile\n")
    assert haul("bcp", "-v").out.startswith("BCP - Bulk Copy Program for Microsoft SQL Server.\n")


def test_errors_as_bcp_prints_them(bcp, employee):
    done = bcp("dbo.Nothing", "out", "x.dat", "-c", code=1)
    assert "\nStarting copy...\nSQLState = " in done.out and "Error = [haul]" in done.out and done.out.endswith("\nBCP copy out failed\n")
    assert not (bcp.folder / "x.dat").exists()
    assert "Unable to open BCP host data-file nothing.dat" in bcp("dbo.Employee", "in", "nothing.dat", "-c", code=1).out
    assert "I/O error while reading BCP format file no.fmt" in bcp("dbo.Employee", "out", "x.dat", "-f", "no.fmt", code=1).out
    done = bcp("dbo.Employee", "out", "x.dat", "-c", "-S", f"127.0.0.1,{bcp.server.port}", "-U", "sa", "-Pwrong", login=False, code=1)
    assert "SQLState = 28000, NativeError = 18456\nError = [haul][SQL Server]" in done.out
    done = bcp("dbo.Employee", "out", "x.dat", "-c", "-S", "SUNILA2BLD1313", "-U", "sa", "-Pwrong", login=False, code=1)
    assert "eaten the backslash" in done.out


# freebcp ------------------------------------------------------------------------------------
TYPES = [("tinyint", "200"), ("smallint", "-5"), ("int", "10"), ("bigint", "-9223372036854775808"), ("bit", "1"), ("float", "1234.5678"),
         ("decimal(5,2)", "1.50"), ("numeric(38,10)", "-1234567.0000000001"), ("money", "1.2345"), ("smallmoney", "-0.0001"),
         ("datetime", "'2004-05-23 14:25:10.997'"), ("uniqueidentifier", "'6F9619FF-8B86-D011-B42D-00C04FC964FF'"), ("char(10)", "'KIKOO'"),
         ("varchar(50)", "'KIKOO'"), ("varchar(max)", "'KIKOO'"), ("text", "'KIKOO'"), ("nchar(5)", "N'é€'"), ("nvarchar(50)", "N'é€'"),
         ("nvarchar(max)", "N'é€'"), ("ntext", "N'é'"), ("binary(4)", "0x0102"), ("varbinary(10)", "0x0102"), ("varbinary(max)", "0x0102"),
         ("image", "0x0102")]
# What freebcp's own client library has no text for: haul keeps the digits that the type has.
OURS = [("xml", "'<a/>'", "<a/>"), ("real", "1234.5678", "1234.5677"), ("smalldatetime", "'2004-05-23 14:25'", "2004-05-23 14:25:00"), ("date", "'1753-01-01'", "1753-01-01"),
        ("time(7)", "'12:35:29.1234567'", "12:35:29.1234567"), ("datetime2(7)", "'2004-05-23 14:25:10.1234567'", "2004-05-23 14:25:10.1234567"),
        ("datetimeoffset(7)", "'2004-05-23 14:25:10.1234567 +05:30'", "2004-05-23 14:25:10.1234567 +05:30"), ("datetime2(0)", "'2004-05-23'", "2004-05-23 00:00:00"),
        ("sql_variant", "CAST(1.5 AS decimal(4,1))", "1.5")]


@pytest.fixture
def freebcp(bcp):
    need("freebcp")
    (bcp.folder / "freetds.conf").write_text(f"[t]\nhost = 127.0.0.1\nport = {bcp.server.port}\ntds version = 7.4\nclient charset = UTF-8\n")

    def run(*words):
        done = subprocess.run(["freebcp", *words, "-S", "t", "-U", "sa", "-P", bcp.server.users["sa"]], cwd=bcp.folder, capture_output=True, text=True,
                              env={**os.environ, "FREETDSCONF": str(bcp.folder / "freetds.conf"), "LC_ALL": "C.UTF-8"}, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_freebcp_writes_the_same_text(bcp, freebcp):
    columns = ", ".join(f"c{i} {kind}" for i, (kind, _) in enumerate(TYPES))
    fresh(bcp.server, "every", f"(k int NOT NULL, {columns})")
    bcp.server.ask(f"INSERT INTO dbo.every VALUES (1, {', '.join(value for _, value in TYPES)})", f"INSERT INTO dbo.every VALUES (2{', NULL' * len(TYPES)})")
    bcp("dbo.every", "out", "ours", "-c")
    freebcp("dbo.every", "out", "theirs", "-c", "-t", "\t", "-r", "\n")
    assert bcp.read("ours").split(b"\t") == bcp.read("theirs").split(b"\t")
    # And freebcp reads ours.
    bcp.server.ask("DELETE FROM dbo.every")
    freebcp("dbo.every", "in", "ours", "-c", "-t", "\t", "-r", "\n")
    bcp("dbo.every", "out", "again", "-c")
    assert bcp.read("again") == bcp.read("ours")


def test_text_that_freebcp_shortens(bcp):
    columns = ", ".join(f"c{i} {kind}" for i, (kind, *_) in enumerate(OURS))
    fresh(bcp.server, "ours", f"({columns})")
    bcp.server.ask(f"INSERT INTO dbo.ours VALUES ({', '.join(value for _, value, _ in OURS)})")
    bcp("dbo.ours", "out", "x", "-c")
    assert bcp.read("x").decode() == "\t".join(text for *_, text in OURS) + "\n"


# DB-Library writes NULL as length 0 where ODBC's bcp writes -1, so these are NOT NULL.
NATIVE = [("tinyint", "SYBINT1", 1, "200"), ("smallint", "SYBINT2", 2, "-5"), ("int", "SYBINT4", 4, "10"), ("bigint", "SYBINT8", 8, "-5"), ("bit", "SYBBIT", 1, "1"),
          ("real", "SYBREAL", 4, "1234.5678"), ("float", "SYBFLT8", 8, "1234.5678"), ("money", "SYBMONEY", 8, "1.2345"), ("smallmoney", "SYBMONEY4", 4, "-0.0001"),
          ("datetime", "SYBDATETIME", 8, "'2004-05-23 14:25:10.997'"), ("smalldatetime", "SYBDATETIME4", 4, "'2004-05-23 14:25'")]


def test_freebcp_writes_the_same_native_values(bcp, freebcp):
    columns = ", ".join(f"c{i} {kind} NOT NULL" for i, (kind, *_) in enumerate(NATIVE))
    fresh(bcp.server, "native", f"({columns})")
    bcp.server.ask(f"INSERT INTO dbo.native VALUES ({', '.join(value for *_, value in NATIVE)})")
    lines = [f'{i}\t{host}\t0\t{size}\t""\t{i}\tc{i - 1}' for i, (_, host, size, _) in enumerate(NATIVE, 1)]
    (bcp.folder / "syb.fmt").write_text(f"8.0\n{len(lines)}\n" + "\n".join(f'{line}\t""' for line in lines) + "\n")
    bcp("dbo.native", "out", "ours", "-n")
    freebcp("dbo.native", "out", "theirs", "-f", "syb.fmt")
    assert bcp.read("ours") == bcp.read("theirs")
    bcp.server.ask("DELETE FROM dbo.native")
    freebcp("dbo.native", "in", "ours", "-f", "syb.fmt")
    bcp("dbo.native", "out", "again", "-n")
    assert bcp.read("again") == bcp.read("ours")
    bcp("dbo.native", "out", "by-format", "-f", "syb.fmt")
    assert bcp.read("by-format") == bcp.read("ours")


# In -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("flag", ["-c", "-n", "-w", "-N"])
def test_in_and_out_again(bcp, employee, flag):
    bcp("dbo.Employee", "out", "e.dat", flag)
    fresh(employee, "NewOne", EMPLOYEE.replace("check (EmpAge > 18)", ""))
    done = bcp("dbo.NewOne", "in", "e.dat", flag)
    assert "\n3 rows copied.\n" in done.out
    assert rows_of(employee, "NewOne") == rows_of(employee, "Employee")
    tables = {name for name, in employee.ask("SELECT name FROM sys.tables")}
    assert not {name for name in tables if name.startswith("haul_")}, "no ledger unless --resume"


def test_how_it_logs_in(bcp, employee):
    """-Y, -u, -J, -K and -l are the connection's own words."""
    def out(*words, code=0):
        done = bcp("master.dbo.Employee", "out", "e.dat", "-c", *words, code=code)
        return done, employee.logins[-1]

    assert "certificate" in out("-Ym", code=1)[0].out
    assert out("-Ym", "-u")[1][1] == "all"
    assert out("-Ym", f"-J{employee.certificate}")[1][1] == "all"
    assert out("-Ys", "-J", employee.certificate)[1][2] is True
    assert not out("-Yo", "-l", "20")[1][0].read_only
    assert out("-Yo", "-KReadOnly")[1][0].read_only
    assert "ReadOnly" in out("-Yo", "-KWriteOnly", code=1)[0].err


def test_in_through_a_view(bcp, sqlserver):
    """The chapter's other way to leave columns out: a view that has only the others."""
    fresh(sqlserver, "behind", "(id int NOT NULL PRIMARY KEY, left_out varchar(9), word nvarchar(20))")
    sqlserver.ask("IF OBJECT_ID('dbo.seen') IS NOT NULL DROP VIEW dbo.seen", "CREATE VIEW dbo.seen AS SELECT id, word FROM dbo.behind")
    (bcp.folder / "v.txt").write_text("1\tein\n2\tzwei\n")
    assert "2 rows copied." in bcp("master.dbo.seen", "in", "v.txt", "-c").out
    assert sqlserver.ask("SELECT id, left_out, word FROM dbo.behind ORDER BY id") == [(1, None, "ein"), (2, None, "zwei")]
    assert "2 rows copied." in bcp("master.dbo.seen", "out", "w.txt", "-c").out and bcp.read("w.txt") == b"1\tein\n2\tzwei\n"
    sqlserver.ask("DROP VIEW dbo.seen")


def test_batches_and_their_lines(bcp, sqlserver):
    fresh(sqlserver, "many", "(a int)")
    (bcp.folder / "m.dat").write_text("".join(f"{i}\n" for i in range(2345)))
    done = bcp("dbo.many", "in", "m.dat", "-c", "-b", "500")
    assert [line for line in done.out.splitlines() if "sent" in line] == [
        f"500 rows sent to SQL Server. Total sent: {n}" for n in (500, 1000, 1500, 2000)]
    assert sqlserver.ask("SELECT COUNT(*) FROM dbo.many") == [(2345,)]
    assert [rows for table, rows, *_ in sqlserver.loads[-5:]] == [500, 500, 500, 500, 345]


def test_errors_are_counted_and_listed(bcp, sqlserver):
    fresh(sqlserver, "Employee", EMPLOYEE)
    (bcp.folder / "e.dat").write_text("E1\t30\tR&D\t1\nE2\txyz\tHR\t2\nE3\t31\tR\t99999999999999999999\nE4\t32\tS\t4\n")
    done = bcp("dbo.Employee", "in", "e.dat", "-c", "-m", "100", "-e", "bad")
    assert "SQLState = 22018, NativeError = 0\nError = [haul]Invalid character value for cast specification (row 2, EmpAge)\n" in done.out
    assert "\n2 rows copied.\n" in done.out and "refused" not in done.err  # once is enough
    assert bcp.read("bad").decode() == ("#@ Row 2, Column 2: Invalid character value for cast specification @#\nE2\txyz\tHR\t2\t\n"
                                        "#@ Row 3, Column 4: Numeric value out of range @#\nE3\t31\tR\t99999999999999999999\t\n")
    assert [row[0] for row in rows_of(sqlserver, "Employee")] == ["E1", "E4"]
    sqlserver.ask("DELETE FROM dbo.Employee")
    (bcp.folder / "e.dat").write_text("".join(f"E{i}\tx\t\t\n" for i in range(20)))
    done = bcp("dbo.Employee", "in", "e.dat", "-c", "-e", "bad", code=1)
    assert done.out.endswith("(row 11, EmpAge)\n\nBCP copy in failed\n") and bcp.read("bad").count(b"#@") == 11 and not rows_of(sqlserver, "Employee") and "refused" not in done.err
    done = bcp("dbo.Employee", "in", "e.dat", "-c", "-m", "0", code=1)
    assert done.out == "\nStarting copy...\nSQLState = 22018, NativeError = 0\nError = [haul]Invalid character value for cast specification (row 1, EmpAge)\n\nBCP copy in failed\n"


def test_what_a_column_cannot_take_is_counted(bcp, sqlserver):
    fresh(sqlserver, "narrow", "(a int NOT NULL, b varchar(5), c nvarchar(3), d varbinary(2))")
    (bcp.folder / "n.dat").write_text("1\tx\ty\t0102\n2\ttoolong\ty\t01\n3\tx\ttoolong\t\n4\t\t\t010203\n\tx\ty\t01\n6\t\t\t\n")
    done = bcp("dbo.narrow", "in", "n.dat", "-c", "-e", "bad")
    told = re.findall(r"SQLState = (\w+), NativeError = 0\nError = .*\(row (\d), (\w)\)", done.out)
    assert told == [("22001", "2", "b"), ("22001", "3", "c"), ("22001", "4", "d"), ("23000", "5", "a")], done.out
    assert rows_of(sqlserver, "narrow") == [(1, "x", "y", b"\1\2"), (6, None, None, None)]
    assert bcp.read("bad").splitlines()[::2] == [b"#@ Row 2, Column 2: String data, right truncation @#", b"#@ Row 3, Column 3: String data, right truncation @#"]
    # The letters of a column are counted, not the bytes of the file.
    fresh(sqlserver, "narrow", "(a varchar(3), b nvarchar(3), c varchar(3))")
    text = "ééé\t漢漢漢\tééé\néééé\t漢\té\né\t漢漢漢漢\té\né\t\U0001D11E漢\té\né\t\U0001D11E\U0001D11E\té\né\t漢\téééé\n"
    for storage, encoding in (("-c", "utf-8"), ("-w", "utf-16")):
        (bcp.folder / "n.dat").write_text(text, encoding=encoding)
        done = bcp("dbo.narrow", "in", "n.dat", storage, "-e", "bad")
        assert re.findall(r"Column (\d): String data, right truncation @#", bcp.read("bad").decode()) == ["1", "2", "2", "3"] and "\n2 rows copied.\n" in done.out
    fresh(sqlserver, "narrow", "(a int NOT NULL, b varchar(5), c nvarchar(3), d varbinary(2))", [(1, None, None, None), (6, None, None, None)])
    (bcp.folder / "n.dat").write_text("1\tx\ty\t0102\n2\ttoolong\ty\t01\n3\tx\ttoolong\t\n4\t\t\t010203\n\tx\ty\t01\n6\t\t\t\n")
    assert bcp("dbo.narrow", "in", "n.dat", "-c", "-m", "3", code=1).out.endswith("\nBCP copy in failed\n") and len(rows_of(sqlserver, "narrow")) == 2


def test_new_employee_by_both_format_files(bcp, employee):
    """The chapter: a column of the file is left out, by XML and by a classic file."""
    bcp("dbo.Employee", "out", "e.dat", "-c", "-r\\r\\n")
    fresh(employee, "NewEmployee", "(EmpID varchar(10) unique, EmpAge int, EmpSalary decimal)")
    (bcp.folder / "f.xml").write_text(CHAPTER_XML.replace('  <COLUMN SOURCE="3" NAME="EmpDept" xsi:type="SQLVARYCHAR"/>\n', ""))
    (bcp.folder / "f.fmt").write_text('9.0\n4\n1 SQLCHAR 0 10 "\\t" 1 EmpID\nSQL_Latin1_General_CP1_CI_AS\n2 SQLCHAR 0 12 "\\t" 2 EmpAge\n""\n'
                                      '3 SQLCHAR 0 100 "\\t" 0 EmpDept\nSQL_Latin1_General_CP1_CI_AS\n4 SQLCHAR 0 41 "\\r\\n" 3 EmpSalary\n""\n')
    for format in ("f.xml", "f.fmt"):
        employee.ask("DELETE FROM dbo.NewEmployee")
        bcp("master..NewEmployee".replace("..", ".dbo."), "in", "e.dat", "-f", format, "-n")
        assert rows_of(employee, "NewEmployee") == [(a, b, d) for a, b, _, d in rows_of(employee, "Employee")]


def test_identity(bcp, sqlserver):
    fresh(sqlserver, "numbered", "(id int IDENTITY(1,1), v varchar(10))")
    (bcp.folder / "n.dat").write_text("70\tx\n80\ty\n")
    bcp("dbo.numbered", "in", "n.dat", "-c")
    assert [row[1] for row in rows_of(sqlserver, "numbered")] == ["x", "y"] and rows_of(sqlserver, "numbered")[0][0] < 70
    sqlserver.ask("DELETE FROM dbo.numbered")
    bcp("dbo.numbered", "in", "n.dat", "-c", "-E")
    assert rows_of(sqlserver, "numbered") == [(70, "x"), (80, "y")]


def test_hints(bcp, employee):
    bcp("dbo.Employee", "out", "e.dat", "-c")
    for words, has, lacks in (((), "", ("TABLOCK", "CHECK_CONSTRAINTS", "KEEP_NULLS", "FIRE_TRIGGERS")),
                              (("-h", "TABLOCK"), "TABLOCK", ("CHECK_CONSTRAINTS",)), (("-h", "CHECK_CONSTRAINTS", "-k"), "CHECK_CONSTRAINTS", ("TABLOCK",))):
        employee.ask("DELETE FROM dbo.Employee")
        employee.log_lines.clear()
        bcp("dbo.Employee", "in", "e.dat", "-c", *words)
        statement = [line for line in employee.log_lines if "insert bulk" in line.lower()][-1].upper()
        assert has in statement and not any(word in statement for word in lacks), statement
        assert ("KEEP_NULLS" in statement) == ("-k" in words)


def test_the_chapters_commands(bcp, sqlserver):
    """Simple export and import, error handling, batches of 1000, TABLOCK: each as it is printed there, but for -T."""
    fresh(sqlserver, "Employee", EMPLOYEE.replace("check (EmpAge > 18)", ""))
    sqlserver.ask("INSERT INTO dbo.Employee VALUES " + ", ".join(f"('E{i}', {19 + i % 40}, 'Dept {i % 7}', {i})" for i in range(2500)))
    wanted = rows_of(sqlserver, "Employee")
    bcp("master..Employee", "out", "employee.dat", "-n")
    bcp("master..Employee", "out", "empoyee-dat-c.dat", "-c")
    fresh(sqlserver, "Employee", EMPLOYEE)
    bcp("master..Employee", "in", "employee.dat", "-n", "-h", "CHECK_CONSTRAINTS")
    assert rows_of(sqlserver, "Employee") == wanted
    lines = bcp.read("empoyee-dat-c.dat").decode().splitlines(True)
    lines[100] = lines[100].replace("\t", "\txyz", 1)
    lines[1700] = lines[1700].replace("\t", "\t1\tx", 1)
    (bcp.folder / "wrong.dat").write_text("".join(lines))
    sqlserver.ask("DELETE FROM dbo.Employee")
    done = bcp("master..Employee", "in", "wrong.dat", "-c", "-m", "100", "-e", "errors")
    assert "\n2498 rows copied.\n" in done.out and bcp.read("errors").count(b"#@ Row") == 2
    sqlserver.ask("DELETE FROM dbo.Employee")
    lines[1700] = "E1700\t10\tx\t1\n"  # a constraint ends its batch, and the first one stays
    (bcp.folder / "wrong.dat").write_text("".join(lines))
    done = bcp("master..Employee", "in", "wrong.dat", "-c", "-m", "100", "-e", "errors", "-h", "CHECK_CONSTRAINTS", "-b", "1000", code=1)
    assert "NativeError = 547\n" in done.out and "\n999 rows are in the table; to go on behind them: -F 1001\n" in done.out
    sqlserver.ask("DELETE FROM dbo.Employee")
    bcp("master..employee".replace("employee", "Employee"), "in", "empoyee-dat-c.dat", "-c", "-h", "TABLOCK")
    assert rows_of(sqlserver, "Employee") == wanted


def test_a_stricter_server(stricter, tmp_path):
    """No ORDER hint, no conversions, char(n) with all its blanks, each load with its DONE: the same loads go in."""
    bcp = Bcp(stricter, tmp_path)
    columns = "(id int IDENTITY(1,1) NOT NULL PRIMARY KEY, a char(5) NULL, b nchar(3) NULL, c binary(4) NULL, d decimal(9,2) NULL, e varchar(20) NULL DEFAULT 'none', f bigint NULL, g datetime NULL)"
    fresh(stricter, "strict", columns)
    (tmp_path / "s.dat").write_text("7\tab\tü\t0102\t1.5\tx\t5\t2004-05-23\n8\t\t\t\t\t\t\t\n9\tabcde\txyz\t01020304\t-2\t\0\t-1\t2004-05-23 14:25:10.997\nbad\t\t\t\t\t\t\t\n")
    wanted = [(7, "ab   ", "ü  ", b"\1\2\0\0", 1.5, "x", 5), (8, None, None, None, None, "none", None), (9, "abcde", "xyz", b"\1\2\3\4", -2, "", -1)]
    for words in ([], ["-b", "1"], ["-h", "TABLOCK, ROWS_PER_BATCH = 3"], ["-h", "ORDER(id ASC), CHECK_CONSTRAINTS"], ["--parallel", "3", "-b", "2"]):
        stricter.ask("DELETE FROM dbo.strict")
        done = bcp("dbo.strict", "in", "s.dat", "-c", "-E", "-e", "bad", *words)
        assert [row[:7] for row in rows_of(stricter, "strict")] == wanted and "\n3 rows copied.\n" in done.out, words
        assert bcp.read("bad").startswith(b"#@ Row 4, Column 1: Invalid character value")
    for storage in ("-n", "-N", "-w", "-c"):
        before = rows_of(stricter, "strict")
        bcp("dbo.strict", "out", "x.dat", storage)
        stricter.ask("DELETE FROM dbo.strict")
        bcp("dbo.strict", "in", "x.dat", storage, "-E", "-k")
        assert rows_of(stricter, "strict") == before, storage
    fresh(stricter, "heap", "(a int NOT NULL, b varchar(20))")
    (tmp_path / "h.dat").write_text("".join(f"{i}\trow {i}\n" for i in range(3000)))
    at_once = [subprocess.Popen([tmp_path / "bcp", "dbo.heap", "in", "h.dat", "-c", "-b", "500", "-h", "TABLOCK", *bcp.login], cwd=tmp_path, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert all("\n3000 rows copied.\n" in one.communicate(timeout=120)[0] and one.returncode == 0 for one in at_once)
    assert stricter.ask("SELECT COUNT(*), COUNT(DISTINCT a) FROM dbo.heap") == [(12000, 3000)]


def test_values_attached_and_apart(bcp, employee):
    """-x value and -xvalue; a value that begins with a dash stands behind its letter; options anywhere; a password of nothing asks."""
    for words in (["-t", "|", "-r", "\\r\\n", "-L", "2", "-a", "4096"], ["-t|", "-r\\r\\n", "-L2", "-a4096"]):
        done = bcp("dbo.Employee", "out", "v.dat", "-c", *words)
        assert bcp.read("v.dat") == b"E1|30|R&D|1000\r\nE2|40||\r\n" and "size (bytes): 4096\n" in done.out
    bcp("-c", "-t--", "dbo.Employee", "-L", "1", "out", "v.dat")
    assert bcp.read("v.dat") == b"E1--30--R&D--1000\n"
    assert "begins with a dash" in bcp("dbo.Employee", "out", "v.dat", "-c", "-t", "--", code=1).err
    bcp("dbo.Employee", "out", "v.dat", "-c", "-t", "0x7c2d", "-r", "0x0d0a")
    assert bcp.read("v.dat").startswith(b"E1|-30|-R&D|-1000\r\n")
    done = bcp("dbo.Employee", "out", "v.dat", "-c", "-S", f"127.0.0.1,{bcp.server.port}", "-Usa", "-P", login=False, code=1)
    assert "SQLState = 28000" in done.out


# What the server refuses --------------------------------------------------------------------
CHECKED = "(id int NOT NULL PRIMARY KEY, age int CHECK (age > 18), boss int REFERENCES dbo.bosses (id), code varchar(5) UNIQUE)"


@pytest.fixture
def checked(sqlserver):
    sqlserver.ask("IF OBJECT_ID('dbo.checked') IS NOT NULL DROP TABLE dbo.checked")
    fresh(sqlserver, "bosses", "(id int NOT NULL PRIMARY KEY)", [(1,)])
    fresh(sqlserver, "checked", CHECKED)
    return sqlserver


@pytest.mark.parametrize("allowed", [[], ["-m", "0"], ["-m", "10"]], ids=["preset", "0", "10"])
@pytest.mark.parametrize("bad, number", [("25\t18\t1\tc25", 547), ("25\t30\t2\tc25", 547), ("3\t30\t1\tc25", 2627), ("25\t30\t1\tc3", 2627)],
                         ids=["check", "foreign key", "primary key", "unique"])
def test_a_constraint_ends_the_batch(bcp, checked, allowed, bad, number):
    """-m counts conversion errors only: the batch is taken back, those before it stay, and -F is told."""
    lines = [f"{i}\t30\t1\tc{i}" for i in range(1, 41)]
    lines[24] = bad
    (bcp.folder / "c.dat").write_text("\n".join(lines) + "\n")
    words = ["dbo.checked", "in", "c.dat", "-c", "-b", "10", "-h", "CHECK_CONSTRAINTS", "-e", "bad"]
    done = bcp(*words, *allowed, code=1)
    assert f"SQLState = 23000, NativeError = {number}\nError = [haul][SQL Server]" in done.out, done.out
    assert done.out.endswith("\n20 rows are in the table; to go on behind them: -F 21\n\nBCP copy in failed\n")
    assert [row[0] for row in rows_of(checked, "checked")] == list(range(1, 21)) and bcp.read("bad") == b""
    lines[24] = "25\t30\t1\tc25"
    (bcp.folder / "c.dat").write_text("\n".join(lines) + "\n")
    bcp(*words, *allowed, "-F", "21")
    assert [row[0] for row in rows_of(checked, "checked")] == list(range(1, 41))


def test_conversion_errors_and_constraints_are_told_apart(bcp, checked):
    """Refused rows of batches that went in count for -F; a batch of all rows leaves nothing."""
    lines = [f"{i}\t30\t1\tc{i}" for i in range(1, 31)]
    lines[4], lines[24] = "5\txyz\t1\tc5", "25\t7\t1\tc25"
    (bcp.folder / "c.dat").write_text("\n".join(lines) + "\n")
    done = bcp("dbo.checked", "in", "c.dat", "-c", "-b", "10", "-h", "CHECK_CONSTRAINTS", "-e", "bad", code=1)
    assert "SQLState = 22018, NativeError = 0\nError = [haul]Invalid character value for cast specification (row 5, age)\n" in done.out
    assert "SQLState = 23000, NativeError = 547\n" in done.out and "\n19 rows are in the table; to go on behind them: -F 21\n" in done.out
    assert bcp.read("bad").count(b"#@") == 1 and bcp.read("bad").startswith(b"#@ Row 5, Column 2:")
    checked.ask("DELETE FROM dbo.checked")
    done = bcp("dbo.checked", "in", "c.dat", "-c", "-h", "CHECK_CONSTRAINTS", code=1)
    assert "NativeError = 547\n" in done.out and "-F" not in done.out and not rows_of(checked, "checked")
    bcp("dbo.checked", "in", "c.dat", "-c")  # without the hint nothing is checked but keys
    assert len(rows_of(checked, "checked")) == 29


def test_parallel_batches_name_no_row(bcp, checked):
    (bcp.folder / "c.dat").write_text("".join(f"{i}\t{30 if i < 39 else 1}\t1\tc{i}\n" for i in range(1, 41)))
    done = bcp("dbo.checked", "in", "c.dat", "-c", "-b", "10", "-h", "CHECK_CONSTRAINTS", "--parallel", "2", code=1)
    assert "-F" not in done.out and done.out.endswith("\nBCP copy in failed\n")
    assert len(rows_of(checked, "checked")) in (0, 10, 20, 30)


# Rights -------------------------------------------------------------------------------------
def test_insert_and_select_are_enough(bcp, checked):
    checked.ask("CREATE LOGIN bcploader WITH PASSWORD = 'Load3r!'", "GRANT SELECT, INSERT ON dbo.checked TO bcploader")
    (bcp.folder / "c.dat").write_text("1\t30\t1\tc1\n2\t40\t\t\n")
    tables = set(checked.ask("SELECT name FROM sys.tables"))
    login = ["-S", f"127.0.0.1,{checked.port}", "-U", "bcploader", "-PLoad3r!"]
    bcp("dbo.checked", "in", "c.dat", "-c", "-h", "CHECK_CONSTRAINTS", *login, login=False)
    assert rows_of(checked, "checked") == [(1, 30, 1, "c1"), (2, 40, None, None)]
    assert set(checked.ask("SELECT name FROM sys.tables")) == tables
    # Constraints left out need ALTER, and that is what is said.
    done = bcp("dbo.checked", "in", "c.dat", "-c", *login, login=False, code=1)
    assert "SQLState = 42000" in done.out and "permission" in done.out.lower() and len(rows_of(checked, "checked")) == 2


# Four at once -------------------------------------------------------------------------------
def test_four_loads_with_tablock_into_one_heap(bcp, sqlserver):
    fresh(sqlserver, "heap", "(a int NOT NULL, b varchar(20))")
    for part in range(4):
        (bcp.folder / f"h{part}.dat").write_text("".join(f"{part * 5000 + i}\trow {i}\n" for i in range(5000)))
    at_once = [subprocess.Popen([bcp.folder / "bcp", "dbo.heap", "in", f"h{part}.dat", "-c", "-b", "1000", "-h", "TABLOCK", *bcp.login], cwd=bcp.folder,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for part in range(4)]
    for one in at_once:
        out, err = one.communicate(timeout=120)
        assert one.returncode == 0 and "\n5000 rows copied.\n" in out, (out, err)
    assert sqlserver.ask("SELECT COUNT(*), COUNT(DISTINCT a), MAX(a) FROM dbo.heap") == [(20000, 20000, 19999)]
    assert all("TABLOCK" in hints for table, _, hints in sqlserver.loads if table == "heap")


@pytest.fixture
def large(bcp):
    """l.dat: 100,000 rows, whose terminators stand in their texts too; one that is refused."""
    (bcp.folder / "l.dat").write_text("".join(f"{i if i != 90_000 else 'x'}\tline\nof {i} that goes on and on\t{7 * i}\n" for i in range(1, 100_001)))
    return bcp


def sums(server, table):
    return server.ask(f"SELECT COUNT(*), COUNT(DISTINCT a), SUM(CAST(c AS bigint)), MIN(a), MAX(a) FROM dbo.{table}")[0]


def test_parallel_into_a_heap(large, sqlserver):
    """A part of the file for each connection; rows have their numbers in the file. An index lets in one stream."""
    fresh(sqlserver, "par", "(a int NOT NULL, b varchar(100), c int)")
    before, wanted = len(sqlserver.loads), 7 * (50_000 * 100_001 - 90_000)
    done = large("dbo.par", "in", "l.dat", "-c", "-h", "TABLOCK", "--parallel", "4", "-e", "bad")
    assert "\n99999 rows copied.\n" in done.out and sums(sqlserver, "par") == (99_999, 99_999, wanted, 1, 100_000)
    assert large.read("bad").startswith(b"#@ Row 90000, Column 1:") and large.read("bad").count(b"#@") == 1
    loads = [rows for table, rows, _ in sqlserver.loads[before:] if table == "par" and rows]
    assert len(loads) == 4 and min(loads) > 20_000
    fresh(sqlserver, "par", "(a int NOT NULL, b varchar(100), c int)")
    large("dbo.par", "in", "l.dat", "-c", "--parallel", "3", "-b", "9000", "-F", "1001", "-L", "80000")
    assert sums(sqlserver, "par")[::3] == (79_000, 1001) and sums(sqlserver, "par")[4] == 80_000
    assert "workers 4" in large("dbo.par", "in", "l.dat", "-c", "-h", "TABLOCK", "--parallel", "4", "--dry-run").out
    sqlserver.ask("CREATE INDEX par_a ON dbo.par (a)")
    for words, workers in ((["-h", "TABLOCK"], "workers 1"), ([], "workers 4")):
        assert workers in large("dbo.par", "in", "l.dat", "-c", "--parallel", "4", "--dry-run", *words).out


def test_the_plan_says_how_the_load_is_logged(bcp, sqlserver):
    """--dry-run: which lock, how many streams, minimally logged or not and why; nothing is loaded."""
    (bcp.folder / "p.dat").write_text("1\n")
    heap, indexed, clustered = ("(a int NOT NULL)", None), ("(a int NOT NULL)", "CREATE INDEX i ON dbo.logged (a)"), ("(a int NOT NULL PRIMARY KEY)", None)
    cases = [(heap, "SIMPLE", "TABLOCK", "a heap without indexes: TABLOCK, several streams at once\n-- minimally logged: recovery model SIMPLE, a heap, TABLOCK\n"),
             (heap, "BULK_LOGGED", "TABLOCK", "-- minimally logged: recovery model BULK_LOGGED, a heap, TABLOCK\n"),
             (heap, "FULL", "TABLOCK", "-- fully logged: the recovery model is FULL\n"),
             (heap, "SIMPLE", "", "a heap without indexes: several streams, no TABLOCK\n-- fully logged, though the recovery model is SIMPLE: there is no TABLOCK\n"),
             (indexed, "SIMPLE", "TABLOCK", "TABLOCK, which lets in one stream\n-- rows minimally logged: recovery model SIMPLE, a heap, TABLOCK; its indexes only while the table is empty"),
             (clustered, "BULK_LOGGED", "TABLOCK", "a clustered index: TABLOCK, which lets in one stream\n-- minimally logged while the table is empty, so in the first batch"),
             (clustered, "SIMPLE", "", "a clustered index: several streams, no TABLOCK\n-- fully logged, though")]
    for (columns, index), model, hint, said in cases:
        fresh(sqlserver, "logged", columns)
        sqlserver.ask(*[index] * bool(index), f"ALTER DATABASE master SET RECOVERY {model}")
        out = bcp("dbo.logged", "in", "p.dat", "-c", "--dry-run", *(["-h", hint] if hint else [])).out
        assert said in out and "Starting copy" not in out, (model, hint, out)
    sqlserver.ask("ALTER DATABASE master SET RECOVERY SIMPLE")
    assert not rows_of(sqlserver, "logged")


# Other files, other rows --------------------------------------------------------------------
def test_in_create_from_an_xml_format_file(bcp, employee):
    """What the chapter misses: the table is made of what the XML format file says."""
    bcp("dbo.Employee", "format", "nul", "-f", "e.xml", "-x", "-c")
    bcp("dbo.Employee", "out", "e.dat", "-f", "e.xml")
    employee.ask("IF OBJECT_ID('dbo.Made') IS NOT NULL DROP TABLE dbo.Made")
    done = bcp("dbo.Made", "in", "e.dat", "-f", "e.xml", "--create")
    assert "\n3 rows copied.\n" in done.out and rows_of(employee, "Made") == rows_of(employee, "Employee")
    kinds = employee.ask("SELECT COLUMN_NAME, DATA_TYPE, NUMERIC_PRECISION, NUMERIC_SCALE FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = 'Made' ORDER BY ORDINAL_POSITION")
    assert [(name, kind) for name, kind, *_ in kinds][1] == ("EmpAge", "int") and kinds[3] == ("EmpSalary", "decimal", 18, 0)
    assert [name for name, *_ in kinds] == ["EmpID", "EmpAge", "EmpDept", "EmpSalary"]
    done = bcp("dbo.Made", "in", "e.dat", "-f", "e.xml", "--create", code=1)
    assert "Made" in done.out and done.out.endswith("\nBCP copy in failed\n") and len(rows_of(employee, "Made")) == 3


@pytest.mark.parametrize("name, words", [("e.dat.gz", ["-c"]), ("e.dat.zst", ["-n"]), ("e.csv", ["--csv"]), ("e.csv.gz", ["--csv"]), ("e.parquet", [])], ids=lambda v: v if isinstance(v, str) else "")
def test_in_from_other_files(bcp, employee, name, words):
    bcp("dbo.Employee", "out", name, *words)
    fresh(employee, "Other", EMPLOYEE.replace("check (EmpAge > 18)", ""))
    done = bcp("dbo.Other", "in", name, *words)
    assert "\n3 rows copied.\n" in done.out and rows_of(employee, "Other") == rows_of(employee, "Employee")


def test_first_and_last_row_of_in(bcp, sqlserver):
    (bcp.folder / "n.dat").write_text("".join(f"{i}\trow {i}\n" for i in range(1, 21)))
    for words, wanted in ((["-F", "5"], range(5, 21)), (["-L", "7"], range(1, 8)), (["-F5", "-L9"], range(5, 10)), (["-F", "20", "-L", "20"], [20]), (["-F", "21"], []), (["-L", "99"], range(1, 21))):
        fresh(sqlserver, "some", "(a int, b varchar(20))")
        done = bcp("dbo.some", "in", "n.dat", "-c", *words, "-b", "3")
        assert [row[0] for row in rows_of(sqlserver, "some")] == list(wanted) and f"\n{len(wanted)} rows copied.\n" in done.out, words
    for way in ("in", "out"):
        assert "the last row (-L 5) is before the first (-F 9)" in bcp("dbo.some", way, "n.dat", "-c", "-F", "9", "-L", "5", code=1).out
    for storage in ("-n", "-w", "-N"):
        fresh(sqlserver, "some", "(a int, b varchar(20))", [(i, f"row {i}") for i in range(1, 10)])
        bcp("dbo.some", "out", "s.dat", storage)
        sqlserver.ask("DELETE FROM dbo.some")
        bcp("dbo.some", "in", "s.dat", storage, "-F3", "-L", "5")
        assert [row[0] for row in rows_of(sqlserver, "some")] == [3, 4, 5], storage
    # A header is passed over, whatever its columns are; a row is counted, however wrong.
    (bcp.folder / "h.dat").write_text("a\tb\n1\tone\nx\ttwo\n3\tthree\n")
    fresh(sqlserver, "some", "(a int, b varchar(20))")
    done = bcp("dbo.some", "in", "h.dat", "-c", "-F", "2", "-e", "bad")
    assert rows_of(sqlserver, "some") == [(1, "one"), (3, "three")] and bcp.read("bad").startswith(b"#@ Row 3, Column 1:"), bcp.read("bad")


@pytest.mark.parametrize("name, words", [("e.csv", ["--csv"]), ("e.parquet", [])], ids=["csv", "parquet"])
def test_first_and_last_row_of_other_files(bcp, employee, name, words):
    bcp("dbo.Employee", "out", name, *words)
    fresh(employee, "Other", EMPLOYEE)
    bcp("dbo.Other", "in", name, *words, "-L", "2")
    assert rows_of(employee, "Other") == rows_of(employee, "Employee")[:2]
    done = bcp("dbo.Other", "in", name, *words, "-F", "3", code=1)
    assert "-F counts rows of bcp's own files" in done.out and len(rows_of(employee, "Other")) == 2
    done = bcp("dbo.Other", "in", name, *words, "-b", "1", code=1)  # they are there already: UNIQUE
    assert "NativeError = 2627" in done.out and "-F" not in done.out and len(rows_of(employee, "Other")) == 2


def test_resume(bcp, checked):
    """What the batches before left is not done again; a load that ended begins anew."""
    (bcp.folder / "r.dat").write_text("".join(f"{i}\t30\t{1 + i // 27}\tc{i}\n" for i in range(1, 41)))
    words = ["dbo.checked", "in", "r.dat", "-c", "-b", "10", "-h", "CHECK_CONSTRAINTS", "--resume"]
    done = bcp(*words, code=1)
    assert done.out.endswith("\n20 rows are in the table; the same command goes on behind them\n\nBCP copy in failed\n"), done.out
    assert "haul_runs" in {name for name, in checked.ask("SELECT name FROM sys.tables")}
    checked.ask("INSERT INTO dbo.bosses VALUES (2)")
    before = len(checked.loads)
    bcp(*words)
    assert [rows for table, rows, _ in checked.loads[before:] if table == "checked"] == [10, 10]
    assert [row[0] for row in rows_of(checked, "checked")] == list(range(1, 41))
    assert "NativeError = 2627" in bcp(*words, code=1).out and len(rows_of(checked, "checked")) == 40
    checked.ask("DROP TABLE dbo.haul_units", "DROP TABLE dbo.haul_runs")


def test_resume_of_a_load_that_was_killed(bcp, sqlserver):
    """Killed three times behind some of its batches, the load goes on: each row is there once."""
    (bcp.folder / "r.dat").write_text("".join(f"{i}\trow {i}\n" for i in range(10_000)))
    fresh(sqlserver, "again", "(a int, b varchar(20))")
    words, there = ["dbo.again", "in", "r.dat", "-c", "-b", "100", "--resume"], 0
    for _ in range(3):
        load = subprocess.Popen([bcp.folder / "bcp", *words, *bcp.login], cwd=bcp.folder, stdout=subprocess.PIPE, text=True)
        while "sent to SQL Server" not in load.stdout.readline():
            assert load.poll() is None
        load.kill()
        load.communicate(timeout=60)
        (now,), = sqlserver.ask("SELECT COUNT(*) FROM dbo.again")
        assert there <= now < 10_000 and now % 100 == 0
        there = now
    assert there > 0
    bcp(*words)
    assert sqlserver.ask("SELECT COUNT(*), COUNT(DISTINCT a) FROM dbo.again") == [(10_000, 10_000)]
    sqlserver.ask("DROP TABLE dbo.haul_units", "DROP TABLE dbo.haul_runs")


@pytest.mark.parametrize("storage", ["-c", "-n", "-w", "-N"])
def test_defaults_and_k(bcp, sqlserver, storage):
    fresh(sqlserver, "plain", "(a int, b int NULL, c varchar(10) NULL)", [(1, None, None), (2, 5, "x")])
    bcp("dbo.plain", "out", "d.dat", storage)
    for words, first in (([], (1, 42, "none")), (["-k"], (1, None, None))):
        fresh(sqlserver, "defaults", "(a int, b int NULL DEFAULT 42, c varchar(10) NULL DEFAULT 'none')")
        bcp("dbo.defaults", "in", "d.dat", storage, *words)
        assert rows_of(sqlserver, "defaults") == [first, (2, 5, "x")], words


# AdventureWorks -----------------------------------------------------------------------------
# One of each kind: terminators of several bytes, UDTs, xml, varbinary(max), computed columns, times, nchar.
AW_SAMPLE = {"AWBuildVersion", "Address", "Customer", "Document", "Employee", "JobCandidate", "ProductModel", "ProductPhoto", "Shift", "Store", "WorkOrder"}


def adventureworks():
    folder = SHARED / "adventureworks"
    found = list(bcp_oracle.tables(folder)) if folder.exists() else []
    return found if TRIALS >= 100 else [table for table in found if table.name.split(".")[1] in AW_SAMPLE]


@pytest.mark.parametrize("table", adventureworks() or [None], ids=str)
def test_adventureworks(bcp, sqlserver, haul, table):
    """BULK INSERT's input as SQL Server's tools made it, by its load options, row for row and value for value."""
    shared("adventureworks")
    computed = {column["name"] for column in table.about["columns"] if "type" not in column}
    columns = [f"[{column['name']}] " + ("AS (1)" if column["name"] in computed else column["type"] + " IDENTITY(1,1)" * bool(column.get("identity")) +
                                         (" NULL" if column["nullable"] else " NOT NULL")) for column in table.about["columns"]]
    keys = table.about["primary_key"]
    if not set(keys) <= {column["name"] for column in table.about["columns"]}:
        keys = []  # tables.json gives SalesPersonQuotaHistory another table's
    columns += [f"PRIMARY KEY ({', '.join(keys)})"] if keys else []
    fresh(sqlserver, "aw", f"({', '.join(columns)})")
    load, hints = table.about["bulk_insert"], []
    hints += ["TABLOCK"] * bool(load.get("tablock")) + ["CHECK_CONSTRAINTS"] * bool(load.get("check_constraints"))
    done = bcp("dbo.aw", "in", table.path, "-c", "-t", "0x" + table.field_end.hex(), "-r", "0x" + table.row_end.hex(), "-C", load["codepage"], "-m", "0",
               *["-E"] * bool(load.get("keepidentity")), *(["-h", ", ".join(hints)] if hints else []))
    haul("copy", sqlserver.uri(more="TrustServerCertificate=yes"), "aw.parquet", "--table", "dbo.aw", "--timestamps", "us")
    there = pq.read_table(bcp.folder / "aw.parquet")
    kinds = {name: kind for name, kind, _ in table.columns}

    def plain(rows):
        """Without what the table makes itself, in one order, nchar without its blanks."""
        return sorted(repr({name: value.rstrip(" ") if kinds[name] == "nchar" and value is not None else value for name, value in row.items() if name not in computed}) for row in rows)

    wanted = plain(table.rows())
    assert f"\n{len(wanted)} rows copied.\n" in done.out and wanted
    assert plain(bcp_oracle.plain(there.drop_columns(list(computed)))) == wanted
