"""The C library from outside: the examples, an installed copy, and Arrow streams
through the C data interface with pyarrow, Polars and nanoarrow as partners."""
import ctypes
import os
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import nanoarrow as na
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import HAUL, ROOT, make_orders, rows_of

BUILD = Path(HAUL).parent


@pytest.fixture
def shop(tmp_path):
    make_orders(tmp_path / "shop.db", 3000)
    subprocess.run([HAUL, "copy", "sqlite:///shop.db", "o.parquet", "--table", "orders", "-q"], cwd=tmp_path, check=True)
    return tmp_path


def example(name, *words, cwd):
    return subprocess.run([BUILD / "examples" / f"example-{name}", *words], cwd=cwd, capture_output=True, text=True)


def test_examples(shop):
    assert example("copy", "o.parquet", "o.csv", cwd=shop).stdout == "3000 rows\n"
    failed = example("copy", "none.parquet", "x.csv", cwd=shop)
    assert failed.returncode == 5 and "none.parquet" in failed.stderr
    assert example("stream", "o.parquet", cwd=shop).stdout.endswith("3000 rows\n")
    assert example("progress", "o.parquet", "p.csv", cwd=shop).returncode == 0


def test_cancel_from_a_callback(shop):
    stopped = example("progress", "o.parquet", "c.csv", "0", cwd=shop)
    assert stopped.returncode in (0, 75), stopped
    assert stopped.returncode == 0 or not (shop / "c.csv").exists()


def test_install_and_pkg_config(tmp_path):
    if not shutil.which("pkg-config") or BUILD.name != "build":
        pytest.skip("pkg-config is not installed, or this is not the release build")
    subprocess.run(["make", "-s", "-C", ROOT, "install", f"DESTDIR={tmp_path}/root"], check=True, capture_output=True)
    found = [p for p in (tmp_path / "root").rglob("haul.pc")]
    env = {**os.environ, "PKG_CONFIG_PATH": str(found[0].parent), "PKG_CONFIG_SYSROOT_DIR": str(tmp_path / "root")}
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "haul"], env=env, capture_output=True, text=True, check=True)
    subprocess.run(["cc", ROOT / "examples/copy.c", "-o", tmp_path / "copy", *flags.stdout.split()], check=True)
    library = next((tmp_path / "root").rglob("libhaul.so")).parent
    done = subprocess.run([tmp_path / "copy", "none.csv", "x.csv"], env={**env, "LD_LIBRARY_PATH": str(library)},
                          capture_output=True, text=True)
    assert done.returncode == 5 and "none.csv" in done.stderr
    assert any(p.name == "haul.1" for p in (tmp_path / "root").rglob("*"))


# ---- Arrow streams, by ctypes ----


class Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("side", ctypes.c_int), ("retryable", ctypes.c_bool), ("sqlstate", ctypes.c_char * 6),
                ("vendor_code", ctypes.c_int32), ("message", ctypes.c_char * 1024)]


class Haul:
    def __init__(self):
        self.lib = ctypes.CDLL(str(BUILD / "src" / "libhaul.so"))

    def job(self, **options):
        job, err = ctypes.c_void_p(), Error()
        assert self.lib.haul_job_new(ctypes.byref(job), ctypes.byref(err)) == 0
        for name, value in options.items():
            assert self.lib.haul_job_set(job, name.encode(), str(value).encode(), ctypes.byref(err)) == 0, err.message
        return job

    def read(self, **options):
        job, err, stream = self.job(**options), Error(), (ctypes.c_byte * 256)()
        code = self.lib.haul_read(job, stream, ctypes.byref(err))
        self.lib.haul_job_free(job)
        assert code == 0, err.message
        return pa.RecordBatchReader._import_from_c(ctypes.addressof(stream))

    def write(self, reader, **options):
        job, err, stream = self.job(**options), Error(), (ctypes.c_byte * 256)()
        reader._export_to_c(ctypes.addressof(stream))
        code = self.lib.haul_write(job, stream, None, ctypes.byref(err))
        self.lib.haul_job_free(job)
        assert code == 0, err.message


@pytest.fixture(scope="module")
def lib():
    if "asan" in str(BUILD) or "tsan" in str(BUILD):
        pytest.skip("a sanitizer's library cannot be loaded into Python")
    return Haul()


def test_read_any_source_as_a_stream(lib, shop):
    table = lib.read(source=f"sqlite:///{shop}/shop.db", table="orders").read_all()
    table.validate(full=True)
    assert [tuple(r.values()) for r in table.to_pylist()] == rows_of(shop / "shop.db")
    assert polars.from_arrow(lib.read(source=f"{shop}/o.parquet").read_all()).height == 3000
    stream = na.ArrayStream(lib.read(source=f"{shop}/o.parquet"))
    assert sum(len(batch) for batch in stream) == 3000


FOREIGN = {
    "large": pa.table({"s": pa.array(["a", None, "ccc"], pa.large_string()), "b": pa.array([b"", b"x", None], pa.large_binary())}),
    "view": pa.table({"s": pa.array(["short", "a string longer than twelve bytes", None], pa.string_view())}),
    "dictionary": pa.table({"d": pa.array(["x", "y", None, "x"]).dictionary_encode()}),
    "run_end": pa.table({"r": pa.RunEndEncodedArray.from_arrays(pa.array([2, 3], pa.int32()), pa.array(["a", "b"]))}),
    "nested": pa.table({"l": pa.array([[1, None], [], None, [3]]), "m": pa.array([[("k", 1)], None, [], [("a", None)]],
                        pa.map_(pa.string(), pa.int32())), "st": pa.array([{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}, {"a": 2, "b": None}])}),
    "sliced": pa.table({"i": list(range(100)), "s": [str(i) if i % 3 else None for i in range(100)],
                        "b": [i % 2 == 0 for i in range(100)], "l": [[i] * (i % 4) for i in range(100)]}).slice(13, 50),
    "numbers": pa.table({"u": pa.array([0, 2**64 - 1], pa.uint64()), "d": pa.array([Decimal("-1.50"), None], pa.decimal128(38, 2)),
                         "h": pa.array([1.5, None], pa.float16())}),
    "large_list": pa.table({"l": pa.array([[1], [], None], pa.large_list(pa.int64()))}),
    "fixed_list": pa.table({"l": pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int64(), 2))}),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_write_foreign_layouts(lib, tmp_path, name):
    table = FOREIGN[name]
    lib.write(table.to_reader(max_chunksize=7), source="-", target=f"{tmp_path}/f.parquet")
    assert pq.read_table(tmp_path / "f.parquet").to_pylist() == table.to_pylist()


def test_polars_string_views(lib, tmp_path):
    frame = polars.DataFrame({"s": ["a", None, "x" * 100], "n": [1, 2, None]})
    reader = pa.RecordBatchReader.from_stream(frame)
    lib.write(reader, source="-", target=f"{tmp_path}/p.parquet")
    assert polars.read_parquet(tmp_path / "p.parquet").equals(frame)
