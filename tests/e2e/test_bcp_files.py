"""BCP files without a server: every type in every storage and format file, foreign
data (AdventureWorks, made by SQL Server's own tools), bad files, big rows."""
import datetime as d
import decimal
import gzip
import os
import struct

import pytest

import bcp_oracle
from conftest import SHARED, shared

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

EVERY = {
    "tiny": pa.array([0, None, 255], pa.uint8()), "small": pa.array([-32768, None, 32767], pa.int16()),
    "whole": pa.array([-2**31, None, 2**31 - 1], pa.int32()), "big": pa.array([-2**63, None, 2**63 - 1], pa.int64()),
    "yes": pa.array([True, None, False]), "single": pa.array([1234.5678, None, -1e-38], pa.float32()),
    "double": pa.array([1e300, None, -0.1], pa.float64()),
    "dec": pa.array([decimal.Decimal("-123.45"), None, decimal.Decimal("0.01")], pa.decimal128(5, 2)),
    "wide": pa.array([decimal.Decimal(10**38 - 1), None, decimal.Decimal(-1)], pa.decimal128(38, 0)),
    "day": pa.array([d.date(1, 1, 1), None, d.date(9999, 12, 31)]), "time": pa.array([d.time(23, 59, 59, 999999), None, d.time(0)]),
    "moment": pa.array([d.datetime(2004, 5, 23, 14, 25, 10, 1), None, d.datetime(9999, 12, 31, 23, 59, 59)], pa.timestamp("us")),
    "instant": pa.array([d.datetime(2004, 5, 23, 14, 25, 10), None, d.datetime(1, 1, 1)], pa.timestamp("us", "UTC")),
    "text": pa.array(["KIKOO", None, ""]), "word": pa.array(["é€😀", "a b", " x "]),
    "bytes": pa.array([b"\x00\xff", None, b""]), "four": pa.array([b"abcd", None, b"\0\0\0\0"], pa.binary(4)),
}


@pytest.fixture
def every(tmp_path):
    table = pa.table(EVERY)
    pq.write_table(table, tmp_path / "every.parquet")
    return table


@pytest.mark.parametrize("packed", ["", ".gz", ".zst"])
@pytest.mark.parametrize("kind", ["fmt", "xml"])
@pytest.mark.parametrize("storage", ["native", "char", "unicode", "unicode-native"])
def test_every_type_comes_back(haul, tmp_path, every, storage, kind, packed):
    haul("copy", "every.parquet", f"x.bcp{packed}", "--storage", storage, "--format-file", f"x.{kind}")
    # A classic format file does not say the types of text.
    types = "tiny:uint8,small:int16,whole:int32,big:int64,yes:bool,single:float32,double:float64,dec:decimal(5,2),wide:decimal(38,0)," \
            "day:date,time:time[us],moment:timestamp[us],instant:timestamp[us, UTC],bytes:binary,four:fixed_binary(4)"
    more = ["--schema", types] if kind == "fmt" and storage in ("char", "unicode") else []
    haul("copy", f"x.bcp{packed}", "back.parquet", "--format-file", f"x.{kind}", *more)
    back = pq.read_table(tmp_path / "back.parquet")
    assert back.column_names == every.column_names
    for name in every.column_names:
        assert back[name].to_pylist() == every[name].to_pylist(), name
    # Written again from the same format file: the same bytes.
    haul("copy", "back.parquet", f"again.bcp{packed}", "--format-file", f"x.{kind}", "--storage", storage)
    read = gzip.open if packed == ".gz" else open
    if packed != ".zst" and storage != "unicode":
        assert read(tmp_path / f"again.bcp{packed}", "rb").read() == read(tmp_path / f"x.bcp{packed}", "rb").read()


def test_a_native_file_by_hand(haul, tmp_path):
    """What struct makes of a NOT NULL int, a nullable one and nvarchar(50)."""
    rows = [(1, None, "é"), (-5, 7, "")]
    data = b"".join(struct.pack("<i", a) + (b"\xff" if b is None else struct.pack("<Bi", 4, b)) +
                    struct.pack("<H", len(c.encode("utf-16-le"))) + c.encode("utf-16-le") for a, b, c in rows)
    (tmp_path / "x.bcp").write_bytes(data)
    (tmp_path / "x.fmt").write_text('14.0\n3\n1 SQLINT 0 4 "" 1 a ""\n2 SQLINT 1 4 "" 2 b ""\n3 SQLNCHAR 2 100 "" 3 c Latin1_General_CI_AS\n')
    out = haul("copy", "x.bcp", "-", "--to", "csv", "--format-file", "x.fmt").out
    assert out == 'a,b,c\n1,,é\n-5,7,""\n'
    haul("copy", "x.bcp", "y.bcp", "--format-file", "x.fmt")
    assert (tmp_path / "y.bcp").read_bytes() == data
    haul("copy", "x.bcp", "x.db.parquet", "--format-file", "x.fmt")


def test_into_sqlite_and_back(haul, tmp_path, every):
    haul("copy", "every.parquet", "x.bcp", "--format-file", "x.xml", "--columns", "whole,double,text")
    haul("copy", "x.bcp", "sqlite:///x.db", "--format-file", "x.xml", "--table", "t")
    out = haul("copy", "sqlite:///x.db", "-", "--table", "t", "--to", "csv").out
    assert out.splitlines()[1:] == ["-2147483648,1e300,KIKOO", ",,", '2147483647,-0.1,""']


def test_standard_streams(haul, tmp_path):
    (tmp_path / "x.fmt").write_text('14.0\n2\n1 SQLCHAR 0 0 "," 1 a ""\n2 SQLCHAR 0 0 "\\n" 2 b ""\n')
    done = haul("copy", "-", "-", "--from", "bcp", "--to", "bcp", "--format-file", "x.fmt", stdin="1,x\n2,y\n")
    assert done.out == "1,x\n2,y\n"


def test_every_digit_and_offset(haul, tmp_path):
    """datetime2(7) and datetimeoffset(7) through Parquet and a native file, to the byte."""
    text = (b"1\t2004-05-23 14:25:10.1234567\t2004-05-23 14:25:10.1234567 +05:30\n2\t\t\n"
            b"3\t9999-12-31 23:59:59.9999999\t0001-01-01 00:00:00.0000000 -14:00\n")
    (tmp_path / "x.bcp").write_bytes(text)
    fields = [f'  <FIELD ID="{i}" xsi:type="CharTerm" TERMINATOR="{end}"/>' for i, end in ((1, "\\t"), (2, "\\t"), (3, "\\n"))]
    columns = [f'  <COLUMN SOURCE="{i}" NAME="c{i}" xsi:type="{kind}"/>' for i, kind in ((1, "SQLINT"), (2, "SQLDATETIME2"), (3, "SQLDATETIMEOFFSET"))]
    (tmp_path / "x.xml").write_text("\n".join([bcp_oracle.HEAD, " <RECORD>", *fields, " </RECORD>", " <ROW>", *columns, " </ROW>", "</BCPFORMAT>"]))
    haul("copy", "x.bcp", "x.parquet", "--format-file", "x.xml", "--timestamps", "exact")
    haul("copy", "x.parquet", "n.bcp", "--format-file", "n.fmt")
    haul("copy", "n.bcp", "n.parquet", "--format-file", "n.fmt", "--timestamps", "exact")
    haul("copy", "n.parquet", "back.bcp", "--format-file", "x.xml")
    assert (tmp_path / "back.bcp").read_bytes() == text


# AdventureWorks -----------------------------------------------------------------------------
def adventureworks():
    folder = SHARED / "adventureworks"
    return list(bcp_oracle.tables(folder)) if folder.exists() else []


@pytest.mark.parametrize("table", adventureworks() or [None], ids=str)
def test_adventureworks(haul, tmp_path, table):
    """Each file as SQL Server's tools made it, row for row and value for value, by way of Parquet."""
    shared("adventureworks")
    wanted = list(table.rows())
    (tmp_path / "t.xml").write_text(bcp_oracle.xml_format(table))
    haul("copy", table.path, "t.parquet", "--from", "bcp", "--format-file", "t.xml")
    back = bcp_oracle.plain(pq.read_table(tmp_path / "t.parquet"))
    assert len(back) == len(wanted) > 0
    assert back == wanted
    # And to the byte, where the text is what haul writes too.
    haul("copy", "t.parquet", "again.bcp", "--format-file", "t.xml")
    if (tmp_path / "again.bcp").read_bytes() != table.data:
        haul("copy", "again.bcp", "again.parquet", "--format-file", "t.xml")
        assert bcp_oracle.plain(pq.read_table(tmp_path / "again.parquet")) == wanted


# What is wrong ------------------------------------------------------------------------------
FORMAT = '14.0\n2\n1 SQLCHAR 0 12 "," 1 EmpAge ""\n2 SQLCHAR 0 41 "\\r\\n" 2 EmpSalary ""\n'


def test_refused_rows_have_row_and_column(haul, tmp_path):
    (tmp_path / "x.fmt").write_text(FORMAT)
    (tmp_path / "x.bcp").write_bytes(b"1,2\r\nxyz,3\r\n4,5\r\n6,2147483648\r\n")
    done = haul("copy", "x.bcp", "x.parquet", "--format-file", "x.fmt", "--schema", "EmpAge:int,EmpSalary:int", code=5)
    assert "row 2" in done.err and "EmpAge" in done.err and "Invalid character value for cast specification" in done.err and "xyz" in done.err
    done = haul("copy", "x.bcp", "x.parquet", "--format-file", "x.fmt", "--schema", "EmpAge:int,EmpSalary:int",
                "--max-errors", "2", "--reject-file", "bad", code=3)
    assert pq.read_table(tmp_path / "x.parquet").to_pylist() == [{"EmpAge": 1, "EmpSalary": 2}, {"EmpAge": 4, "EmpSalary": 5}]
    bad = (tmp_path / "bad").read_text().splitlines()
    assert len(bad) == 2 and '"row 2"' in bad[0] and '"row 4"' in bad[1] and "Numeric value out of range" in bad[1]


def test_without_a_format_file(haul, tmp_path):
    (tmp_path / "x.bcp").write_bytes(b"1")
    assert "--format-file" in haul("copy", "x.bcp", "x.parquet", code=2).err
    assert "no.fmt" in haul("copy", "x.bcp", "x.parquet", "--format-file", "no.fmt", code=5).err


def test_format_file_of_other_columns(haul, tmp_path, every):
    (tmp_path / "x.fmt").write_text('14.0\n1\n1 SQLINT 0 4 "" 99 a ""\n')
    done = haul("copy", "every.parquet", "x.bcp", "--format-file", "x.fmt", code=None)
    assert done.code and "server column 99, and the source has 17 columns" in done.err
    assert not (tmp_path / "x.bcp").exists()


def test_null_without_a_prefix(haul, tmp_path, every):
    (tmp_path / "x.fmt").write_text('14.0\n1\n1 SQLINT 0 4 "" 1 a ""\n')
    done = haul("copy", "every.parquet", "x.bcp", "--columns", "whole", "--format-file", "x.fmt", code=None)
    assert done.code and "prefix length of 1" in done.err
    assert not (tmp_path / "x.bcp").exists()


def test_cut_mid_row(haul, tmp_path, every):
    haul("copy", "every.parquet", "x.bcp", "--format-file", "x.fmt")
    data = (tmp_path / "x.bcp").read_bytes()
    (tmp_path / "x.bcp").write_bytes(data[:-1])
    done = haul("copy", "x.bcp", "y.parquet", "--format-file", "x.fmt", code=5)
    assert "row 3, field 17 (four): Unexpected EOF encountered in BCP data-file" in done.err
    assert not (tmp_path / "y.parquet").exists()


def test_rows_over_64_kb(haul, tmp_path):
    texts = ["x" * 70000, "é" * 2_000_000, ""]
    pq.write_table(pa.table({"a": pa.array([1, 2, 3], pa.int32()), "t": texts}), tmp_path / "a.parquet")
    for storage in ("native", "char", "unicode"):
        haul("copy", "a.parquet", f"{storage}.bcp", "--storage", storage, "--format-file", f"{storage}.xml")
        haul("copy", f"{storage}.bcp", f"{storage}.parquet", "--format-file", f"{storage}.xml")
        assert pq.read_table(tmp_path / f"{storage}.parquet")["t"].to_pylist() == texts


def test_a_terminator_inside_text_is_a_loss(haul, tmp_path):
    pq.write_table(pa.table({"a": ["x\ty", "z"], "b": ["1", "2"]}), tmp_path / "a.parquet")
    done = haul("copy", "a.parquet", "a.bcp", "--storage", "char")
    assert "lost something" in done.err
    assert (tmp_path / "a.bcp").read_bytes() == b"x\ty\t1\nz\t2\n"
    done = haul("copy", "a.parquet", "b.bcp", "--storage", "char", "--strict", code=None)
    assert done.code and "terminator" in done.err and not (tmp_path / "b.bcp").exists()


def test_memory_is_bounded(haul, tmp_path):
    """A terminator that never comes: an error, not memory as large as the file."""
    (tmp_path / "x.fmt").write_text(FORMAT)
    with open(tmp_path / "x.bcp", "wb") as out:
        out.truncate(300 << 20)
    done = haul("copy", "x.bcp", "x.parquet", "--format-file", "x.fmt", "--memory", "64MiB", code=None)
    assert done.code and "row 1, field 1 (EmpAge)" in done.err and "terminator does not come" in done.err
    assert os.path.getsize(tmp_path / "x.bcp") == 300 << 20
