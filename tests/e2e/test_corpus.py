"""Other people's files: Apache's parquet-testing and the crashing inputs of arrow-testing.

A good file must read as pyarrow reads it; a file that is broken by design, or that haul
refuses for a reason, is on REFUSED with a piece of the sentence it must get. A crashing
input gets a sentence, or exactly the values pyarrow reads with checksums verified. All in
bounded time and memory, and never a signal.
"""
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from conftest import HAUL, SHARED, shared
from exact import assert_same

SECONDS_MAX = 10
MEMORY_MAX = 256 << 20
SANITIZED = "asan" in HAUL or "tsan" in HAUL  # their own memory is no measure

REFUSED = {
    # Broken by design: a page whose bytes do not have the stored checksum.
    "datapage_v1-corrupt-checksum.parquet": "the file is damaged",
    "rle-dict-uncompressed-corrupt-checksum.parquet": "the file is damaged",
    # Years beyond what an int64 of nanoseconds holds; pyarrow wraps them around silently.
    "int96_from_spark.parquet": "the range of timestamp[ns]; --int96 us",
    # Values of 1 GiB: more than the default budget lets through.
    "large_string_map.brotli.parquet": "--memory",
}

# Read by haul, refused by pyarrow: (rows, why).
ALONE = {
    "incorrect_map_schema.parquet": "the map's keys are optional by the schema and never NULL; pyarrow wants them required",
}


def names(*folders):
    found = []
    for folder in folders:
        root = SHARED / folder
        found += sorted(str(p.relative_to(SHARED)) for p in root.rglob("*") if p.is_file()) if root.exists() else []
    return found or ["nothing"]


# A process of its own measures: a child's peak memory begins with that of the process it was born from.
MEASURE = """import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss << 10)"""


class Done:
    def __init__(self, words, cwd):
        begin = time.monotonic()
        measured = subprocess.run([sys.executable, "-S", "-c", MEASURE, HAUL, *map(str, words)], cwd=cwd,
                                  capture_output=True, timeout=SECONDS_MAX * 20)
        self.seconds = time.monotonic() - begin
        self.err = measured.stderr.decode(errors="replace")
        self.code, self.bytes = map(int, measured.stdout.split())


def copy(path, out, kind="parquet"):
    """haul copy within the limits of time and memory; an error has one sentence that names the file."""
    done = Done(["copy", "-q", "--from", kind, path, out], out.parent)
    assert done.code in (0, 5) or (done.code == 4 and "is damaged" in done.err), f"exit {done.code}: {done.err[-2000:]}"
    assert done.seconds < SECONDS_MAX * (10 if SANITIZED else 1)
    assert SANITIZED or done.bytes < MEMORY_MAX, f"{done.bytes >> 20} MiB"
    if done.code:
        assert done.err.startswith("haul: ") and Path(path).name in done.err, done.err
        assert not out.exists()
    return done


def pyarrow_read(path):
    """What pyarrow reads, or None."""
    try:
        return pq.ParquetFile(path, page_checksum_verification=True).read()
    except (OSError, ValueError, NotImplementedError):
        return None


@pytest.mark.parametrize("name", names("parquet-testing/data"))
def test_parquet_testing(tmp_path, name):
    path = shared(name)
    base = path.name
    done = copy(path, tmp_path / "out.parquet")
    if base in REFUSED:
        assert done.code in (4, 5) and REFUSED[base] in done.err, done.err
        return
    assert done.code == 0, done.err
    wanted = pyarrow_read(path)
    got = pq.ParquetFile(tmp_path / "out.parquet").read()
    if base in ALONE:
        assert wanted is None and got.num_rows > 0, f"pyarrow reads it now: take it off the list ({ALONE[base]})"
    else:
        assert_same(got, wanted)


@pytest.mark.sanitize
@pytest.mark.parametrize("name", names("parquet-testing/bad_data", "arrow-testing/data/parquet"))
def test_hostile_parquet(tmp_path, name):
    path = shared(name)
    if copy(path, tmp_path / "out.parquet").code == 0:
        wanted = pyarrow_read(path)
        assert wanted is not None, "pyarrow refuses it"
        assert_same(pq.ParquetFile(tmp_path / "out.parquet").read(), wanted)


@pytest.mark.sanitize
@pytest.mark.parametrize("name", names("arrow-testing/data/csv"))
def test_hostile_csv(tmp_path, name):
    copy(shared(name), tmp_path / "out.parquet", "csv")
