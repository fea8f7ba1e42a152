"""Inputs made to hurt: bombs, lies about sizes, encryption, endless fields and columns.

Each ends in bounded time and memory with exit 0 or one sentence that says what and
where. test_corpus.py has other people's; test_differential.py the random ones.
"""
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import TRIALS
from test_corpus import SANITIZED, Done

SMALL = ["--memory", "64MiB"]
SMALL_MAX = 96 << 20
MEGABYTES = 32 if TRIALS < 100 else 1024  # of a hostile text; the soak takes the full gigabyte


def run(folder, *words, kind="parquet", target="out.parquet"):
    done = Done(["copy", "-q", "--from", kind, *words, target], folder)
    assert done.code in (0, 5, 4), f"exit {done.code}: {done.err[-2000:]}"
    assert SANITIZED or done.bytes < SMALL_MAX, f"{done.bytes >> 20} MiB"
    assert done.seconds < 60
    assert done.code == 0 or (len(done.err.splitlines()) == 1 and not (folder / target).exists()), done.err
    return done


@pytest.mark.parametrize("codec", ["zstd", "gzip", "brotli", "snappy", "lz4"])
def test_a_value_larger_than_memory_is_refused_with_the_memory_that_would_do(tmp_path, codec):
    pq.write_table(pa.table({"s": [b"\0" * (200 << 20)]}), tmp_path / "bomb.parquet", compression=codec, use_dictionary=False)
    done = run(tmp_path, "bomb.parquet", *SMALL)
    assert done.code == 5 and "--memory" in done.err and '"s"' in done.err


def test_many_rows_in_few_bytes(tmp_path):
    """Six million values, a file of some kilobytes: read in bounded memory."""
    table = pa.table({"a": pa.array([7] * 2_000_000), "b": pa.nulls(2_000_000, pa.string()), "c": ["same"] * 2_000_000})
    pq.write_table(table, tmp_path / "runs.parquet", compression="zstd", row_group_size=2_000_000)
    assert (tmp_path / "runs.parquet").stat().st_size < 100_000
    assert run(tmp_path, "runs.parquet", *SMALL).code == 0
    assert pq.read_table(tmp_path / "out.parquet").equals(table)


def test_encrypted_files_are_refused_by_name(tmp_path):
    pe = pytest.importorskip("pyarrow.parquet.encryption")

    class Keys(pe.KmsClient):
        def __init__(self, _):
            pe.KmsClient.__init__(self)

        def wrap_key(self, key, _):
            return key.hex()

        def unwrap_key(self, key, _):
            return bytes.fromhex(key)

    factory, link = pe.CryptoFactory(Keys), pe.KmsConnectionConfig()
    table = pa.table({"open": [1, 2], "secret": ["a", "b"]})
    for plain_footer in (False, True):
        settings = pe.EncryptionConfiguration(footer_key="f", column_keys={"c": ["secret"]}, plaintext_footer=plain_footer)
        keys = factory.file_encryption_properties(link, settings)
        with pq.ParquetWriter(tmp_path / "e.parquet", table.schema, encryption_properties=keys) as writer:
            writer.write_table(table)
        done = run(tmp_path, "e.parquet")
        assert done.code == 5 and "encrypted" in done.err, done.err


def test_sizes_that_lie(tmp_path):
    """Every 32-bit length of the tail, and counts in the footer, told as huge."""
    pq.write_table(pa.table({"s": ["abc"] * 50}), tmp_path / "a.parquet", compression="none", store_schema=False)
    data = (tmp_path / "a.parquet").read_bytes()
    for lie in (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, len(data)):
        (tmp_path / "l.parquet").write_bytes(data[:-8] + lie.to_bytes(4, "little") + b"PAR1")
        assert run(tmp_path, "l.parquet", *SMALL).code == 5


# ---- CSV ----


def repeat(path, head, piece, megabytes=MEGABYTES):
    with open(path, "wb") as file:
        file.write(head)
        block = piece * ((1 << 20) // len(piece))
        for _ in range(megabytes):
            file.write(block)


def test_a_quote_that_is_never_closed(tmp_path):
    repeat(tmp_path / "q.csv", b'a,b\n1,"', b"text, more\n")
    done = run(tmp_path, "q.csv", *SMALL, kind="csv")
    assert done.code == 5 and "line 2" in done.err and "quote" in done.err, done.err


def test_one_endless_field(tmp_path):
    repeat(tmp_path / "f.csv", b"a,b\n1,", b"x" * 64)
    done = run(tmp_path, "f.csv", *SMALL, kind="csv")
    assert done.code == 0 or "line 2" in done.err, done.err


def test_a_million_columns(tmp_path):
    (tmp_path / "c.csv").write_bytes(b",".join(b"c%d" % i for i in range(1_000_000)) + b"\n" + b"1," * 999_999 + b"1\n")
    done = run(tmp_path, "c.csv", *SMALL, kind="csv")
    assert done.code == 5 and "columns" in done.err, done.err


@pytest.mark.parametrize("name, text", {
    "nul": b"a,b\n1,x\0y\n", "latin1": "a,b\n1,naïve\n".encode("latin1"), "utf16": "a,b\n1,2\n".encode("utf-16"),
    "only_quote": b'"', "only_newlines": b"\n\r\n\r\n\n", "bom_only": b"\xef\xbb\xbf", "empty": b"", "cr": b"a,b\r1,2\r3,4",
    "deep_quotes": b'a\n' + b'"' * 99999, "commas": b",\n" * 50000,
}.items())
def test_odd_texts(tmp_path, name, text):
    (tmp_path / f"{name}.csv").write_bytes(text)
    done = run(tmp_path, f"{name}.csv", kind="csv")
    assert done.code == 0 or f"{name}.csv" in done.err
