"""CSV beyond the plain file: compressed, in other encodings, with comments and
titles; and the files that must be refused in bounded time and memory. The oracles
are Python's own csv, gzip and codecs."""
import csv
import gzip
import io
import json
import random
import shutil
import subprocess
import sys

import pytest
from conftest import HAUL, SEED, TRIALS


def table(rng, rows=2000, letters="ab ,\"\n'äöß"):
    """Rows of texts, and what Python's csv makes of them."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["id", "text", "more"])
    for i in range(rows):
        writer.writerow([i, *("x" + "".join(rng.choice(letters) for _ in range(rng.randint(0, 12))) + "x"
                              for _ in range(2))])
    return out.getvalue()


def parsed(data):
    return list(csv.reader(io.StringIO(data.decode() if isinstance(data, bytes) else data, newline="")))


def members(rng, data):
    """The data as several gzip members of random sizes."""
    cuts = sorted(rng.randint(0, len(data)) for _ in range(rng.randint(0, 5)))
    return b"".join(gzip.compress(data[a:b], rng.randint(1, 9)) for a, b in zip([0, *cuts], [*cuts, len(data)]))


@pytest.mark.parametrize("trial", range(min(TRIALS, 40)))
def test_gzip_in(haul, tmp_path, trial):
    rng = random.Random(f"{SEED}.gzip.{trial}")
    text = table(rng)
    name = rng.choice(["t.csv.gz", "t.csv", "t"])
    (tmp_path / name).write_bytes(members(rng, text.encode()))
    haul("copy", name, "out.csv", "-q", "--from", "csv", "-w", rng.randint(1, 3))
    assert parsed((tmp_path / "out.csv").read_bytes()) == parsed(text)


def test_told_by_name_and_by_content(haul, tmp_path):
    text = table(random.Random(1), 50)
    for name in ("a.csv.gz", "b.csv", "c", "d.CSV.GZ"):
        (tmp_path / name).write_bytes(gzip.compress(text.encode()))
        haul("copy", name, "out.csv", "-q", "--mode", "replace")
        assert parsed((tmp_path / "out.csv").read_bytes()) == parsed(text)
    piped = haul("copy", "-", "-", "--from", "csv", "--to", "csv", "-q", stdin=gzip.compress(text.encode()), text=False)
    assert parsed(piped.out) == parsed(text)
    (tmp_path / "no.csv.gz").write_text(text)
    assert "holds no gzip data" in haul("copy", "no.csv.gz", "x.csv", "-q", code=5).err


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("suffix", [".csv.gz", ".csv.zst"])
def test_compressed_out(haul, tmp_path, suffix, workers):
    text = table(random.Random(2), 60000)
    (tmp_path / "t.csv").write_text(text, newline="")
    haul("copy", "t.csv", "o" + suffix, "-q", "-w", workers)
    packed = (tmp_path / ("o" + suffix)).read_bytes()
    assert len(packed) < len(text.encode()) * 0.8
    if suffix == ".csv.gz":
        assert parsed(gzip.decompress(packed)) == parsed(text)
    elif shutil.which("zstd"):
        plain = subprocess.run(["zstd", "-dcq"], input=packed, capture_output=True, check=True).stdout
        assert parsed(plain) == parsed(text)
    haul("copy", "o" + suffix, "back.csv", "-q")
    assert parsed((tmp_path / "back.csv").read_bytes()) == parsed(text)
    haul("verify", "t.csv", "o" + suffix)


def test_cut_and_damaged(haul, tmp_path):
    data = gzip.compress(table(random.Random(3), 3000).encode())
    for length in (len(data) - 1, len(data) // 2, 30):
        (tmp_path / "t.csv.gz").write_bytes(data[:length])
        done = haul("copy", "t.csv.gz", "o.csv", "-q", code=5)
        assert f"cut short: it ends at byte {length}" in done.err
        assert not (tmp_path / "o.csv").exists()
    for at in range(10, len(data), len(data) // 20):
        wrong = bytearray(data)
        wrong[at] ^= 0x10
        (tmp_path / "t.csv.gz").write_bytes(wrong)
        done = haul("copy", "t.csv.gz", "o.csv", "-q", "--max-errors", "-1", code=None)
        assert done.code == 5 and "damaged near byte" in done.err or "cut short" in done.err or "line" in done.err, done
        assert not (tmp_path / "o.csv").exists()


def test_bomb_in_bounded_memory(haul, tmp_path):
    """A thousand times larger unpacked: 300 MB of one row, again and again."""
    piece = gzip.compress(b"12345678,abcdefg\n" * 61000)
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"a,b\n") + piece * 300)
    done = haul("copy", "t.csv.gz", "o.parquet", "-q", "-w", "1", "--memory", "64MiB", "--summary", "s.json")
    assert done.code == 0


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-16", "cp1252", "latin-1", "cp437", "utf-8-sig"])
def test_encodings(haul, tmp_path, codec):
    rng = random.Random(f"{SEED}.{codec}")
    text = table(rng, 3000, "ab ,\"\n'äöß" + ("漢😀\u2028" if "utf" in codec else ""))
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(codec, b"")
    (tmp_path / "t.csv").write_bytes(mark + text.encode(codec))
    said = [] if "utf" in codec else ["--charset", {"cp1252": "windows-1252", "latin-1": "latin1"}.get(codec, codec)]
    haul("copy", "t.csv", "o.csv", "-q", *said)
    assert parsed((tmp_path / "o.csv").read_bytes()) == parsed(text)


def test_no_character(haul, tmp_path):
    (tmp_path / "t.csv").write_bytes(b"a,b\n1,x\n2,\x81\n")
    done = haul("copy", "t.csv", "o.csv", "-q", "--charset", "windows-1252", code=5)
    assert "line 3, byte 10" in done.err
    assert "--charset klingon" in haul("copy", "t.csv", "o.csv", "--charset", "klingon", code=2).err


@pytest.mark.parametrize("trial", range(min(TRIALS, 40)))
def test_comments_in_parallel(haul, tmp_path, trial):
    """Comments, with quotes in them, fall anywhere between the rows that several workers read."""
    rng = random.Random(f"{SEED}.comment.{trial}")
    want = [[str(i), "a\n#b" if rng.random() < 0.2 else f"t{i}"] for i in range(20000)]
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=rng.choice(["\n", "\r\n"]))
    out.write('Title, "of it\n\n')
    out.write('# "names\n')
    writer.writerow(["id", "text"])
    for row in want:
        while rng.random() < 0.1:
            out.write(rng.choice(['#\n', '# x,"y\n', '#' + 'z' * 200 + '\r\n', "\n"]))
        writer.writerow(row)
    (tmp_path / "t.csv").write_text(out.getvalue(), newline="")
    haul("copy", "t.csv", "o.csv", "-q", "--skip-lines", "1", "--comment", "#", "-w", rng.randint(1, 3))
    assert parsed((tmp_path / "o.csv").read_bytes()) == [["id", "text"], *want]


def test_comment_written_is_quoted(haul, tmp_path):
    (tmp_path / "t.csv").write_text('id,text\n1,"#a"\n2,b#\n')
    haul("copy", "t.csv", "o.csv", "-q", "--comment", "#")
    assert (tmp_path / "o.csv").read_text() == 'id,text\n1,"#a"\n2,b#\n'


def test_line_of_a_refused_row_behind_comments(haul, tmp_path):
    (tmp_path / "t.csv").write_text("title\n#c\nid,text\n#d\n1,x\n\n#e\nx,y\n")
    done = haul("copy", "t.csv", "o.csv", "-q", "--comment", "#", "--skip-lines", "1", "--schema", "id:int64", code=None)
    assert done.code != 0 and "line 8" in done.err


def test_header_match_and_skip(haul, tmp_path):
    (tmp_path / "t.csv").write_text("b,a\n1,x\n")
    haul("copy", "t.csv", "o.csv", "-q", "--header", "match", "--schema", "a:utf8,b:int64")
    assert (tmp_path / "o.csv").read_text() == "a,b\nx,1\n"
    haul("copy", "t.csv", "o.csv", "-q", "--header", "skip", "--schema", "n:int64,t:utf8", "--mode", "replace")
    assert (tmp_path / "o.csv").read_text() == "n,t\n1,x\n"
    assert '"c"' in haul("copy", "t.csv", "p.csv", "--header", "match", "--schema", "c:utf8,b:int64", code=None).err


def refused(tmp_path, name, memory="64MiB"):
    """Exit, sentence, seconds and peak MiB of a copy that must be refused."""
    code = ("import os, resource, subprocess, sys, time; began = time.time(); "
            "done = subprocess.run(sys.argv[1:], capture_output=True, text=True, timeout=120); "
            "print(done.returncode, time.time() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); "
            "print(done.stderr)")
    words = [HAUL, "copy", name, "o.parquet", "-q", "--memory", memory, "-w", "2"]
    out = subprocess.run([sys.executable, "-c", code, *words], cwd=tmp_path, capture_output=True, text=True).stdout
    first, said = out.split("\n", 1)
    status, seconds, peak = first.split()
    return int(status), said, float(seconds), int(peak) / 1024


def test_million_columns(tmp_path):
    (tmp_path / "t.csv").write_text(",".join(f"c{i}" for i in range(1000000)) + "\n")
    status, said, seconds, peak = refused(tmp_path, "t.csv")
    assert status == 5 and "line 1: 1000000 columns; haul takes at most 100000" in said
    assert seconds < 20 and (peak < 128 or "asan" in HAUL)


# What stands before and behind a gigabyte that is a hole in the file.
GIANTS = {"a field": (b'a,b\n1,"x', b'"\n2,y\n', "line 2: "),
          "a first field": (b'a,"', b'"\n', "line 1: "),
          "a quote at the start": (b'"a,b\n1,x', b"\n2,y\n", "line 1: a quote that begins here is not closed so far"),
          "a quote in a row": (b'a,b\n1,x\n2,"', b"\n2,y\n", "is not closed"),
          "a line": (b"a,b\n1,", b"\n", "line 2: a record that does not end so far")}


@pytest.mark.skipif(TRIALS < 200, reason="slow: a gigabyte each; HAUL_TRIALS=200 runs them")
@pytest.mark.parametrize("what", GIANTS)
def test_giants(tmp_path, what):
    head, tail, sentence = GIANTS[what]
    with open(tmp_path / "t.csv", "wb") as file:
        file.write(head)
        file.seek(1 << 30)
        file.write(tail)
    status, said, seconds, peak = refused(tmp_path, "t.csv")
    assert status == 5 and sentence in said, said
    assert seconds < 60 and (peak < 96 or "asan" in HAUL), (seconds, peak)


def test_nul_is_text_and_wrong_utf8_is_refused(haul, tmp_path):
    (tmp_path / "t.csv").write_bytes(b"a,b\n1,x\0y\n2,\0\n")
    haul("copy", "t.csv", "o.csv", "-q")
    assert (tmp_path / "o.csv").read_bytes() == b"a,b\n1,x\0y\n2,\0\n"
    (tmp_path / "t.csv").write_bytes(b"a,b\n1,x\n2,\xff\xfe\n3,\xc3\n4,y\n")
    done = haul("copy", "t.csv", "o.csv", "-q", "--mode", "replace", code=5)
    assert 'line 3, column "b": not valid UTF-8' in done.err
    haul("copy", "t.csv", "o.csv", "-q", "--mode", "replace", "--max-errors", "2", code=3)
    assert (tmp_path / "o.csv").read_bytes() == b"a,b\n1,x\n4,y\n"


GERMAN = "Datum;Betrag;Name\n2024-12-24;1.50;Müller\n2024-12-25;2.25;José\n"
FOUND = {
    "t.csv": (b"a,b\n1,x\n2,y\n", ["delimiter: , (sniffed)", 'quote: "', "escape: doubled quote", "header: yes", "encoding: UTF-8",
                                   "compression: none", "records_sampled: 2", "a       int64", "b       utf8"]),
    "bare.csv": (b"1\t2024-01-01\n2\t2024-01-02\n", ["delimiter: \\t (sniffed)", "header: no", "column1  int64", "column2  date"]),
    "utf16.csv": (GERMAN.encode("utf-16"), ["delimiter: ; (sniffed)", "encoding: utf-16le", "Datum   date", "Betrag  decimal(18,2)"]),
    "latin1.csv": (GERMAN.encode("latin1"), ["encoding: not UTF-8: say it, as with --charset windows-1252", "Name    utf8"]),
    "t.csv.gz": (gzip.compress(GERMAN.encode()), ["compression: gzip", "encoding: UTF-8", "Datum   date"]),
    "cut.csv": ("ä".encode() * (3 << 20), ["encoding: UTF-8"]),  # a sample that ends within a character
}


@pytest.mark.parametrize("name", FOUND)
def test_inspect_says_what_it_found(haul, tmp_path, name):
    text, facts = FOUND[name]
    (tmp_path / name).write_bytes(b"x" * (name == "cut.csv") + text)
    out = haul("inspect", name).out
    for fact in facts:
        assert fact in out, out
    found = json.loads(haul("inspect", name, "--json").out)["files"][0]
    assert found["format"] == "csv" and {"delimiter", "quote", "escape", "header", "encoding"} <= set(found["facts"])


def test_what_is_not_utf8_says_the_way_out(haul, tmp_path):
    (tmp_path / "t.csv").write_bytes(GERMAN.encode("latin1"))
    done = haul("copy", "t.csv", "o.csv", code=5)
    assert 'line 2, column "Name": not valid UTF-8; say its encoding, as with --charset windows-1252' in done.err
    haul("copy", "t.csv", "o.csv", "--charset", "windows-1252")
    assert (tmp_path / "o.csv").read_text() == GERMAN.replace(";", ",")
