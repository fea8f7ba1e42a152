"""The Python package as its users have it: a wheel in a virtual environment, with pyarrow,
Polars, DuckDB and pandas-like takers at the other end of the Arrow streams."""
import json
import logging
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import zipfile

import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import ROOT, make_orders, rows_of


@pytest.fixture
def hl(haul_module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return haul_module


@pytest.fixture
def shop(tmp_path):
    make_orders(tmp_path / "shop.db", 3000)
    return "sqlite:///shop.db"


# ---- the wheel ----


def test_the_wheel_holds_one_module_for_every_python(package):
    names = zipfile.ZipFile(package.wheel).namelist()
    native = [n for n in names if n.endswith(".so")]
    assert native == ["haul/_haul.abi3.so"], names
    assert {"haul/__init__.py", "haul/py.typed", "haul/_haul.pyi"} <= set(names)
    metadata = zipfile.ZipFile(package.wheel).read(next(n for n in names if n.endswith("METADATA"))).decode()
    assert "Name: libhaul" in metadata and "Requires-Python: >=3.9" in metadata and "Requires-Dist" not in metadata
    symbols = subprocess.run(["nm", "-D", "--defined-only", package.site / native[0]], capture_output=True, text=True, check=True).stdout
    assert [line.split()[-1] for line in symbols.splitlines()] == ["PyInit__haul"]
    used = subprocess.run(["nm", "-D", "--undefined-only", package.site / native[0]], capture_output=True, text=True, check=True).stdout
    private = [line.split()[-1] for line in used.splitlines() if line.split()[-1].startswith("_Py")]
    # Reference counts and None are the limited API's own macros at work.
    assert set(private) <= {"_Py_Dealloc", "_Py_NoneStruct", "_Py_TrueStruct", "_Py_FalseStruct"}, private


def test_without_any_other_package(package, tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    code = ("import sys; sys.path = [p for p in sys.path if 'site-packages' not in p or 'wheel' in p]\n"
            "import haul; print(haul.copy('a.csv', 'a.parquet').rows, haul.__version__)")
    done = subprocess.run([package.python, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "1 0.1.0\n", done.stderr


def test_types_and_docstrings(hl):
    for name in hl.__all__:
        thing = getattr(hl, name)
        if callable(thing) and name != "features":
            assert thing.__doc__, name
    assert hl.copy.__annotations__["return"] == "Result"


# ---- copying ----


def test_copy_and_what_it_says(hl, shop):
    events = []
    done = hl.copy(shop, "o.parquet", table="orders", workers=2, compression="snappy", progress=events.append)
    assert done.rows == 3000 and done.rejects == 0 and done.losses == 0 and len(done.hash) == 32 and done.bytes_written > 0
    assert [e.kind for e in events][0] == "start" and events[-1].kind == "finish" and events[-1].rows == 3000
    assert pq.read_metadata("o.parquet").row_group(0).column(0).compression == "SNAPPY"
    hl.copy("o.parquet", "sqlite:///back.db", table="orders")
    assert rows_of("back.db") == rows_of("shop.db")


def test_options_of_every_kind(hl, shop, tmp_path):
    hl.copy(shop, tmp_path / "few.parquet", table="orders", columns=["qty", "name"], where="id <= 10", limit=None)
    table = pq.read_table("few.parquet")
    assert table.column_names == ["qty", "name"] and table.num_rows == 10
    (tmp_path / "t.csv").write_text("k;v, w\n007;x\n")
    hl.copy("t.csv", "t.parquet", schema={"k": "string"}, delimiter=";", header="yes")
    assert pq.read_table("t.parquet").to_pylist() == [{"k": "007", "v, w": "x"}]
    hl.copy("t.csv", "t2", from_="csv", to="parquet", delimiter=";", columns=["v, w"])
    assert pq.read_table("t2").column_names == ["v, w"]
    hl.copy("t.parquet", "u.parquet")
    assert hl.combine(["t.parquet", tmp_path / "u.parquet"], "both.parquet").rows == 2
    assert hl.combine(["t.parquet", "u.parquet"], "groups.parquet", rowgroup_size=1).rows == 2
    assert pq.read_metadata("groups.parquet").num_row_groups == 2


def test_names_that_are_wrong(hl, shop):
    with pytest.raises(hl.Error, match="near ones: workers") as caught:
        hl.copy(shop, "o.parquet", worker=2)
    assert caught.value.code == "usage" and caught.value.exit_code == 2
    with pytest.raises(TypeError, match="columns: set"):
        hl.copy(shop, "o.parquet", columns={"a"})
    with pytest.raises(TypeError, match="haul.plan"):
        hl.copy(shop, "o.parquet", dry_run=True)
    assert not os.path.exists("o.parquet")


def test_errors_have_their_facts(hl, tmp_path):
    with pytest.raises(hl.Error) as caught:
        hl.copy("none.parquet", "x.csv")
    error = caught.value
    assert (error.code, error.side, error.retryable, error.exit_code) == ("not_found", "source", False, 5)
    assert error.sqlstate == "" and "none.parquet" in str(error) and error.report is None
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) and vars(again) == vars(error)
    with pytest.raises(hl.Error) as caught:
        hl.copy("sqlite:///new.db", "x.csv", query="SELECT nonsense")
    assert caught.value.vendor_code != 0
    with pytest.raises(hl.Error) as caught:  # nobody listens there: may pass
        hl.list("postgresql://nobody@127.0.0.1:1/x")
    assert caught.value.code == "network" and caught.value.retryable


def test_rejects_and_warnings(hl, tmp_path, caplog):
    (tmp_path / "bad.csv").write_text("n\n1\nx\n3\n")
    with caplog.at_level(logging.INFO, logger="haul"):
        done = hl.copy("bad.csv", "good.parquet", schema={"n": "int32"}, max_errors=5, reject_file="bad.jsonl")
    assert (done.rows, done.rejects) == (2, 1)
    assert json.loads((tmp_path / "bad.jsonl").read_text())["value"] == "x"
    assert any(r.levelno == logging.INFO for r in caplog.records)


def test_plan_verify_inspect_list(hl, shop):
    plan = hl.plan(shop, "o.parquet", table="orders")
    assert plan["rows"] == 3000 and [c["name"] for c in plan["columns"]] == ["id", "name", "qty", "price", "raw"]
    assert not os.path.exists("o.parquet")
    hl.copy(shop, "o.parquet", table="orders")
    assert hl.verify(shop, "o.parquet", table="orders")["equal"] is True
    inside = hl.inspect("o.parquet", head=2)
    assert inside["files"][0]["rows"] == 3000 and len(inside["head"]) == 2
    found, = hl.list(shop)
    assert (found.name, found.kind, found.rows) == ("orders", "table", 3000)
    db = sqlite3.connect("shop.db")
    db.execute("UPDATE orders SET qty = 12345 WHERE id = 77")
    db.commit()
    with pytest.raises(hl.Error) as caught:
        hl.verify(shop, "o.parquet", table="orders")
    report = json.loads(caught.value.report)
    assert caught.value.code == "integrity" and caught.value.exit_code == 4
    assert report["equal"] is False and report["differs"] == ["qty"]


# ---- streams ----


def test_read_into_everything(hl, shop):
    expected = rows_of("shop.db")
    orders = hl.read(shop, table="orders")
    table = pa.table(orders)
    table.validate(full=True)
    assert [tuple(r.values()) for r in table.to_pylist()] == expected
    # Each taker gets the rows from the first one on.
    assert polars.DataFrame(orders).rows() == expected
    assert duckdb.sql("SELECT count(*), sum(qty) FROM orders").fetchall() == [(3000, sum(r[2] or 0 for r in expected))]
    assert pa.RecordBatchReader.from_stream(orders).read_all().equals(table)
    with pytest.raises(hl.Error, match="none.csv"):
        hl.read("none.csv")


def test_a_stream_outlives_its_reader_and_may_be_dropped(hl, shop):
    for _ in range(3):
        stream = pa.RecordBatchReader.from_stream(hl.read(shop, table="orders"))
        assert stream.read_next_batch().num_rows > 0
        del stream
    capsule = hl.read(shop, table="orders").__arrow_c_stream__()
    del capsule


def test_read_takes_no_copy(hl, tmp_path):
    """The values pyarrow sees lie in haul's own buffers: haul holds less than the table."""
    pq.write_table(pa.table({"n": list(range(2_000_000))}), "n.parquet")
    code = ("import haul, pyarrow as pa, resource\n"
            "before = pa.total_allocated_bytes()\n"
            "t = pa.table(haul.read('n.parquet'))\n"
            "assert t.num_rows == 2_000_000 and t.nbytes >= 16_000_000\n"
            "print(pa.total_allocated_bytes() - before)")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(hl.__file__))})
    assert int(done.stdout) < 1_000_000, done.stdout + done.stderr


def test_write_from_everything(hl, tmp_path):
    table = pa.table({"n": [1, None, 3], "s": ["a", "ü", None], "d": pa.array(["x", "y", "x"]).dictionary_encode()})
    frame = polars.DataFrame({"n": [1, None, 3], "s": ["a", "ü", None]})
    assert hl.write(table, "a.parquet").rows == 3
    assert pq.read_table("a.parquet").to_pylist() == table.to_pylist()
    assert hl.write(table.to_reader(), "b.parquet").rows == 3
    assert hl.write(frame, "sqlite:///f.db", table="frame").rows == 3
    assert rows_of("f.db", "frame") == [(None, "ü"), (1, "a"), (3, None)]
    assert hl.write(duckdb.sql("SELECT range AS i FROM range(100000)"), "r.parquet").rows == 100000
    assert hl.write(hl.read("r.parquet"), "r.csv").rows == 100000
    with pytest.raises(TypeError, match="__arrow_c_stream__"):
        hl.write([1, 2], "x.parquet")
    with pytest.raises(hl.Error) as caught:
        hl.write(table, "a.parquet")
    assert caught.value.code == "exists"


def test_a_producer_that_fails(hl):
    def batches():
        yield pa.record_batch({"n": [1]})
        raise ValueError("the producer broke")

    reader = pa.RecordBatchReader.from_batches(pa.schema([("n", pa.int64())]), batches())
    with pytest.raises(hl.Error, match="the producer broke"):
        hl.write(reader, "x.parquet")
    assert not os.path.exists("x.parquet")


# ---- threads, signals, callbacks ----


def endless(rows=1000):
    batch = pa.record_batch({"n": list(range(rows))})
    while True:
        time.sleep(0.001)
        yield batch


def test_a_callback_runs_here_and_its_exception_stops_the_run(hl, shop):
    threads = set()

    def stop(event):
        threads.add(threading.current_thread())
        if event.kind == "progress":
            raise LookupError("enough")

    reader = pa.RecordBatchReader.from_batches(pa.schema([("n", pa.int64())]), endless())
    with pytest.raises(LookupError, match="enough"):
        hl.write(reader, "x.parquet", progress=stop)
    assert threads == {threading.current_thread()} and not os.path.exists("x.parquet")


def test_the_gil_is_released(hl):
    """While haul writes in one thread, another goes on."""
    reader = pa.RecordBatchReader.from_batches(pa.schema([("n", pa.int64())]), endless())
    seen = []

    def stop(event):
        if len(seen) > 20:
            raise LookupError("enough")

    def count():
        for _ in range(30):
            seen.append(time.monotonic())
            time.sleep(0.005)

    other = threading.Thread(target=count)
    other.start()
    with pytest.raises(LookupError):
        hl.write(reader, "x.parquet", progress=stop)
    other.join()
    assert max(b - a for a, b in zip(seen, seen[1:])) < 1.0


INTERRUPTED = """
import haul, sys
print("begins", flush=True)
try:
    haul.copy("big.csv", "sqlite:///t.db", table="t", unit_rows=1000, progress=lambda e: print(e.rows, flush=True))
except KeyboardInterrupt:
    print("interrupted", flush=True)
    sys.exit(7)
"""


def test_ctrl_c_stops_cleanly_and_the_call_goes_on(hl, tmp_path):
    rows = 600_000
    with open(tmp_path / "big.csv", "w") as out:
        out.write("a,b\n")
        out.writelines(f"{i},text of row {i}\n" for i in range(rows))
    env = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(hl.__file__))}
    child = subprocess.Popen([sys.executable, "-c", INTERRUPTED], cwd=tmp_path, stdout=subprocess.PIPE, text=True, env=env)
    for line in child.stdout:
        if line.strip().isdigit() and int(line) > 0:
            child.send_signal(signal.SIGINT)
            break
    asked = time.monotonic()
    rest = child.stdout.read()
    assert child.wait(30) == 7 and "interrupted" in rest
    assert time.monotonic() - asked < 5
    done = hl.copy("big.csv", "sqlite:///t.db", table="t", unit_rows=1000)
    assert done.rows == rows and 0 < done.rows_resumed < rows
    db = sqlite3.connect(tmp_path / "t.db")
    assert db.execute("SELECT count(*), count(DISTINCT a), sum(a) FROM t").fetchone() == (rows, rows, rows * (rows - 1) // 2)


def test_several_at_once(hl, shop):
    failed = []

    def one(k):
        try:
            assert hl.copy(shop, f"{k}.parquet", table="orders", workers=1).rows == 3000
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=one, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed and len({pq.read_table(f"{k}.parquet").num_rows for k in range(6)}) == 1


# ---- PyButt's classes ----


def test_pybutts_day(hl, shop, tmp_path):
    """Export, import, combine, inspect, purge as PyButt's README has them; the server is a URI here."""
    from pathlib import Path
    config = hl.SqlConfig(server=shop, retries=3, encrypt=True)
    exporter = hl.Exporter(config=config, table="orders", output_path=Path("./data_export/deep"), pk_column=None, columns=None,
                           worker_count=2, file_count=3, fetch_size=None, rowgroup_size=500)
    assert exporter.perform_work().rows == 3000
    made = json.loads((tmp_path / "data_export/deep/orders_manifest.json").read_text())
    assert made["version"] == 2 and len(made["entries"]) == 3
    db = sqlite3.connect("target.db")
    db.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, name TEXT, qty INTEGER, price REAL, raw BLOB)")
    db.commit()
    target = hl.SqlConfig(server="sqlite:///target.db")
    for mode in (hl.TransactionMode.BATCH, "rowgroup", hl.TransactionMode.FILE):
        db.execute("DELETE FROM orders")
        db.commit()
        importer = hl.Importer(config=target, table="orders", input_path="data_export/deep", manifest_filename="orders_manifest.json",
                               worker_count=4, batch_size=1000, transaction_mode=mode)
        assert importer.perform_work().rows == 3000
        assert rows_of("target.db") == rows_of("shop.db")
    with pytest.raises(hl.PyButtError):
        importer.perform_work()  # the keys are there
    path = hl.combine_parquet_files("data_export/deep/orders_manifest.json", "combined/all.parquet")
    assert pq.read_metadata(path).num_rows == 3000 and os.path.exists("combined/orders_manifest_combined.json")
    assert hl.combine_parquet_files("data_export/deep/orders_manifest.json", "data_export/deep/one.parquet", 3000,
                                    delete_originals=True, new_manifest_name="one.json") == Path("data_export/deep/one.parquet")
    assert sorted(os.listdir("data_export/deep")) == ["one.json", "one.parquet"]
    assert hl.purge("data_export/deep/one.json", dry_run=True)["removed"] == ["one.parquet"]
    assert hl.purge("data_export/deep/one.json")["removed"] == ["one.parquet"] and os.listdir("data_export/deep") == []


def test_inspect_manifest_prints(hl, shop, capsys):
    hl.Exporter(hl.SqlConfig(shop), "orders", "out", file_count=2, rowgroup_size=750).perform_work()
    infos = hl.inspect_manifest("out/orders_manifest.json", verbose=True)
    said = capsys.readouterr().out
    assert "orders_part_00001.parquet\n  rows: 1500\n  row groups: 2\n" in said and "    price: float64" in said
    assert [i["rows"] for i in infos] == [1500, 1500] and infos[0]["row_group_sizes"] == {750}


def test_a_config_keeps_its_password_to_itself(hl):
    config = hl.SqlConfig(server="h", database="d", username="u", password="hunter2")
    assert "hunter2" not in repr(config)
    with pytest.raises(hl.PyButtError) as caught:
        hl.Exporter(hl.SqlConfig(server="no-such-host.invalid", database="d", username="u", password="hunter2"), "t", "out").perform_work()
    assert "hunter2" not in str(caught.value) and caught.value.code == "network"
    with pytest.raises(hl.PyButtError, match="512 to 32767"):
        hl.Exporter(hl.SqlConfig(server="h", database="d", packet_size=100), "t", "out").perform_work()
    with pytest.raises(ValueError):
        hl.Importer(config, "t", "in", "m.json", transaction_mode="never")


def test_pybutts_arguments_are_ours(hl):
    """By name and place, as PyButt 2.0 has them."""
    import inspect
    wanted = {
        hl.SqlConfig: "server database username password driver trusted_connection trust_cert encrypt retries packet_size",
        hl.Exporter: "config table output_path schema pk_column columns worker_count file_count rowgroup_size fetch_size engine "
                     "manifest_filename parameters mem_heartbeat mem_threshold mem_sleep mem_max_wait mem_cooldown",
        hl.Importer: "config table input_path manifest_filename schema worker_count batch_size transaction_mode engine "
                     "temp_manifest_filename create_cci mem_heartbeat mem_threshold mem_sleep mem_max_wait mem_cooldown",
        hl.TableCombine: "config table sources schema transaction_mode engine",
        hl.combine_parquet_files: "manifest_path output_file rowgroup_size delete_originals new_manifest_name",
        hl.inspect_manifest: "manifest_path verbose",
    }
    for thing, names in wanted.items():
        given = [p.name for p in inspect.signature(thing).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
        assert given == names.split(), thing
