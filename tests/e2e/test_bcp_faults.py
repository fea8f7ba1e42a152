"""haul bcp where things go wrong: full disks, damaged files, what shells and people do."""
import os
import subprocess

import pytest

from bcp_program import Bcp, fresh, rows_of
from conftest import SEED, TRIALS


@pytest.fixture
def bcp(sqlserver, tmp_path):
    return Bcp(sqlserver, tmp_path)


@pytest.fixture
def small(tmp_path):
    """A file system of 64 KiB."""
    if os.geteuid():
        pytest.skip("needs root to mount a tmpfs")
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder], capture_output=True).returncode:
        pytest.skip("no tmpfs may be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(folder, left=0):
    """Nothing more fits into the folder but `left` bytes."""
    size = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize - left
    (folder / "rest").write_bytes(b"x" * size)


@pytest.mark.parametrize("words", [["-c"], ["-n"], ["--csv"]], ids=lambda words: words[0])
def test_a_full_disk_under_the_data_file(bcp, small, words):
    """No half of a file, nor what was there before; said by its name."""
    if not bcp.server.ask("SELECT OBJECT_ID(N'dbo.wide')")[0][0]:
        fresh(bcp.server, "wide", "(a int, b varchar(1000))")
        bcp.server.ask("INSERT INTO dbo.wide VALUES " + ", ".join(f"({i}, '{'x' * 900}')" for i in range(200)))
    (small / "w.dat").write_text("as before")
    done = bcp("dbo.wide", "out", "small/w.dat", *words, code=1)
    assert done.out.endswith("\nBCP copy out failed\n") and "w.dat" in done.out and "No space left" in done.out, done.out
    assert (small / "w.dat").read_text() == "as before" and os.listdir(small) == ["w.dat"]


def test_a_full_disk_under_the_error_file(bcp, small):
    """A refused row that can be written nowhere ends the copy."""
    fresh(bcp.server, "bad", "(a int)")
    (bcp.folder / "b.dat").write_text("1\n" + "x" * 5000 + "\n3\n")
    fill(small)
    for words in (["-e", "small/err"], ["-e", "small/err", "-b", "1"]):
        done = bcp("dbo.bad", "in", "b.dat", "-c", *words, code=1)
        assert "SQLState = S1000, NativeError = 0\nError = [haul]Unable to write BCP error-file small/err: No space left on device\n" in done.out, done.out
        rows = rows_of(bcp.server, "bad")
        assert "\nBCP copy in failed\n" in done.out or f"\n{len(rows)} rows copied.\n" in done.out
        bcp.server.ask("DELETE FROM dbo.bad")
    assert "Unable to open BCP error-file nowhere/err" in bcp("dbo.bad", "in", "b.dat", "-c", "-e", "nowhere/err", code=1).out
    assert not rows_of(bcp.server, "bad")


def test_a_full_disk_under_the_format_file_and_the_console(bcp, small):
    fresh(bcp.server, "few", "(a int, b varchar(20))", [(1, "x")])
    fill(small)
    for words in (["-c"], ["-n", "-x"]):
        done = bcp("dbo.few", "format", "nul", "-f", "small/f.fmt", *words, code=1)
        assert "Unable to write BCP format-file small/f.fmt: No space left on device" in done.out
    done = bcp("dbo.few", "out", "f.dat", stdin="\n" * 7 + "y\nsmall/mine.fmt\n", code=1)
    assert "Unable to write BCP format-file small/mine.fmt: No space left on device" in done.out and not (bcp.folder / "f.dat").exists()
    done = bcp("dbo.few", "out", "f.dat", "-c", "-o", "small/console", code=1)
    assert "Unable to write BCP output file small/console: No space left on device" in done.err
    assert "Unable to open BCP output file nowhere/console" in bcp("dbo.few", "out", "f.dat", "-c", "-o", "nowhere/console", code=1).out


# Files that are wrong ---------------------------------------------------------------------------
CLASSIC = "14.0\n2\n1 {} \"\" 1 a \"\"\n2 SQLCHAR 0 0 \"\\n\" 2 b \"\"\n"
XML = ('<?xml version="1.0"?>\n{}<BCPFORMAT xmlns="{}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><RECORD><FIELD ID="1" xsi:type="{}"/></RECORD>'
       '<ROW><COLUMN SOURCE="1" NAME="a" xsi:type="SQLINT"/></ROW></BCPFORMAT>')
SPACE = "http://schemas.microsoft.com/sqlserver/2004/bulkload/format"
WRONG = [(CLASSIC.format("SQLINT 0 8"), b"", "field 1: SQLINT has 4 bytes, the format file says 8"), (CLASSIC.format("SQLINT 3 4"), b"", "a prefix has 0, 1, 2, 4 or 8 bytes, not 3"),
         (CLASSIC.format("SQLCHAR 0 99999999999"), b"", "no host data length"), (CLASSIC.format("SQLINT 4 4"), b"\xfe\xff\xff\x7f1\n", "row 1, field 1 (a): Unexpected EOF"),
         (CLASSIC.format("SQLINT 4 4"), b"\x03\0\0\0abcx\n", "(row 1, a)"), (CLASSIC.format("SQLCHAR 2 0"), b"\x05\0ab", "row 1, field 1 (a): Unexpected EOF"),
         ("14.0\n3\n1 SQLCHAR 0 0 \",\" 1 a \"\"\n", b"1,2\n", "says 3 fields, 1 are there"), ("14.0\n1025\n", b"", "number of fields (1 to 1024)"), ("", b"", "is empty"),
         ("14.0\n1\n1 SQLCHAR 0 0 \"\\n\" 7 a \"\"\n", b"1\n", "7"),
         (XML.format("<!DOCTYPE a [<!ENTITY b 'c'>]>", SPACE, "NativeFixed"), b"", "a document type"), (XML.format("", "http://example.org", "NativeFixed"), b"", "not in the namespace"),
         (XML.format("", SPACE, 'CharTerm" TERMINATOR="&b;'), b"", "undefined entity"), (XML.format("", SPACE, 'NativeFixed" LENGTH="400000000000'), b"", "400000000000"),
         (XML.format("", SPACE, "CharTerm") + "<again/>", b"", "line 2"), ("<a>" * 200_000, b"", "not in the namespace")]


@pytest.mark.parametrize("format, data, says", WRONG, ids=range(len(WRONG)))
def test_files_that_lie(bcp, format, data, says):
    if not bcp.server.ask("SELECT OBJECT_ID(N'dbo.lied')")[0][0]:
        fresh(bcp.server, "lied", "(a int, b varchar(20))")
    (bcp.folder / "f.fmt").write_text(format)
    (bcp.folder / "x.dat").write_bytes(data)
    done = bcp("dbo.lied", "in", "x.dat", "-f", "f.fmt", "-m", "0", code=1)
    assert says in done.out + done.err and not rows_of(bcp.server, "lied"), done.out + done.err


def test_files_cut_anywhere(bcp):
    """The batches before the cut stay, and the row is named: never half a row."""
    fresh(bcp.server, "cut", "(a int NOT NULL, b varchar(20))")
    fresh(bcp.server, "whole", "(a int NOT NULL, b varchar(20))", [(i, f"row {i}") for i in range(6)])
    for storage in ("-n", "-N"):
        bcp("dbo.whole", "out", "x.dat", storage)
        data = bcp.read("x.dat")
        row = len(data) // 6
        for cut in (1, row - 1, row + 1, 3 * row + 5, len(data) - 1):
            (bcp.folder / "c.dat").write_bytes(data[:cut])
            done = bcp("dbo.cut", "in", "c.dat", storage, "-b", "1", code=1)
            assert "SQLState = S1000" in done.out and f"row {cut // row + 1}, field " in done.out and "Unexpected EOF encountered in BCP data-file" in done.out
            there = rows_of(bcp.server, "cut")  # the batch before the cut is read ahead of its commit, and may be missing
            assert there == [(i, f"row {i}") for i in range(len(there))] and len(there) in (cut // row, cut // row - 1)
            assert (f"to go on behind them: -F {len(there) + 1}\n" in done.out) == (len(there) > 0)
            bcp.server.ask("DELETE FROM dbo.cut")
    (bcp.folder / "c.dat").write_bytes(b"0\trow 0\n1\trow 1\n2")
    assert "row 3, field 1 (a): Unexpected EOF" in bcp("dbo.cut", "in", "c.dat", "-c", "-b", "2", code=1).out and len(rows_of(bcp.server, "cut")) in (0, 2)
    (bcp.folder / "c.dat").write_bytes(b"0\trow 0\n1\trow 1")  # the last line's end may be missing
    bcp.server.ask("DELETE FROM dbo.cut")
    bcp("dbo.cut", "in", "c.dat", "-c")
    assert rows_of(bcp.server, "cut") == [(0, "row 0"), (1, "row 1")]


def test_1024_columns_and_rows_over_64_kb(bcp):
    """As wide as a table may be (as text: tests/unit/bcp/read.c); long texts and bytes in every storage: there and back."""
    fresh(bcp.server, "wide1024", "(" + ", ".join(f"c{i} int NULL" for i in range(1024)) + ")")
    bcp.server.ask("INSERT INTO dbo.wide1024 VALUES (" + ", ".join(str(i) if i % 7 else "NULL" for i in range(1024)) + ")")
    before = rows_of(bcp.server, "wide1024")
    fresh(bcp.server, "long", "(a int, t varchar(max), n nvarchar(max), b varbinary(max))")
    bcp.server.ask(f"INSERT INTO dbo.long VALUES (1, REPLICATE(CAST('x' AS varchar(max)), 70000), N'{'é漢' * 40_000}', 0x{'00ff' * 50_000}), (2, '', NULL, 0x)")
    long = rows_of(bcp.server, "long")
    assert len(long[0][1]) == 70_000
    for table, wanted, storages in (("wide1024", before, ["-n"]), ("long", long, ["-c", "-n", "-w", "-N"])):
        for storage in storages:
            bcp(f"dbo.{table}", "out", "x.dat", storage)
            bcp.server.ask(f"DELETE FROM dbo.{table}")
            bcp(f"dbo.{table}", "in", "x.dat", storage)
            assert rows_of(bcp.server, table) == wanted, (table, storage)


def test_a_terminator_that_never_comes(bcp):
    """An error that names row and field, in bounded memory."""
    fresh(bcp.server, "endless", "(a int, b varchar(max))")
    with open(bcp.folder / "x.dat", "wb") as file:
        file.write(b"1\tfirst\n2\t")
        file.truncate(1 << 30)
    limited = ["prlimit", f"--as={600 << 20}", str(bcp.folder / "bcp")]
    done = subprocess.run([*limited, "dbo.endless", "in", "x.dat", "-c", "--memory", "64MiB", *bcp.login], cwd=bcp.folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and "row 2, field 2 (b)" in done.stdout and "terminator does not come" in done.stdout, done.stdout + done.stderr


def test_bytes_at_random(bcp):
    """Garbage in any storage is refused or loaded, and told; never a crash."""
    import random

    fresh(bcp.server, "random_bytes", "(a int, b varchar(20), c decimal(9,2), d datetime, e nvarchar(max), f uniqueidentifier)", [(1, "x", "1.50", "2004-05-23", "y", "6F9619FF-8B86-D011-B42D-00C04FC964FF")])
    rng = random.Random(SEED)
    for storage in ("-c", "-n", "-w", "-N"):
        bcp("dbo.random_bytes", "out", "x.dat", storage)
        data = bytearray(bcp.read("x.dat") * 20)
        for _ in range(max(1, TRIALS // 10)):
            for _ in range(rng.randrange(1, 9)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            (bcp.folder / "r.dat").write_bytes(data)
            done = bcp("dbo.random_bytes", "in", "r.dat", storage, "-m", "1000", code=None)
            assert done.returncode in (0, 1) and done.out.rstrip().endswith(("failed", "per sec.)")) or "\n0 rows copied" in done.out, (storage, done.returncode, done.out, done.err)
            bcp.server.ask("DELETE FROM dbo.random_bytes WHERE a <> 1")
