"""Killed at any moment, then run again: the same bytes or values as undisturbed.

Two ways: SIGKILL at a random time of a larger run, and SIGKILL at the N-th write,
fsync, rename, ... of a small one (strace -e inject). HAUL_TRIALS says how many.
"""
import hashlib
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

from conftest import HAUL, SEED, TRIALS, leftovers, make_orders, need, rows_of

CALLS = ["write", "pwrite64", "fsync", "fdatasync", "rename", "renameat2", "openat", "ftruncate", "unlink", "mkdir",
         "copy_file_range"]


class Path_:
    """One path through haul: how to run it, what must be there at the end."""

    def __init__(self, name, words, product, read):
        self.name, self.words, self.product, self.read = name, words, product, read


def digest(folder, name):
    return hashlib.sha256((folder / name).read_bytes()).hexdigest()


PATHS = [
    Path_("sqlite-parquet", ["copy", "sqlite:///shop.db", "o.parquet", "--table", "orders", "--workers", "2",
                             "--rowgroup-size", "300"], ["o.parquet"], lambda d: digest(d, "o.parquet")),
    Path_("parquet-sqlite", ["copy", "in.parquet", "sqlite:///t.db", "--table", "orders", "--unit-rows", "150"], ["t.db"],
          lambda d: rows_of(d / "t.db")),
    Path_("csv-parquet", ["copy", "in.csv", "c.parquet", "--workers", "2", "--rowgroup-size", "300"], ["c.parquet"],
          lambda d: digest(d, "c.parquet")),
    Path_("parquet-csv", ["copy", "in.parquet", "o.csv", "--workers", "2"], ["o.csv"], lambda d: digest(d, "o.csv")),
    Path_("sqlite-folder", ["copy", "sqlite:///shop.db", "out/", "--table", "orders", "--workers", "2", "--files", "2",
                            "--rowgroup-size", "300"], ["out"],
          lambda d: [(n, digest(d / "out", n)) for n in sorted(os.listdir(d / "out")) if not n.endswith(".json")]),
    Path_("replace-sqlite", ["copy", "in.parquet", "sqlite:///old.db", "--table", "orders", "--mode", "replace",
                             "--unit-rows", "150"], ["old.db"], lambda d: rows_of(d / "old.db")),
]
INPUTS = ["shop.db", "in.parquet", "in.csv", "old.db"]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    make_orders(folder / "shop.db", 1000)
    make_orders(folder / "old.db", 50)
    for target in ("in.parquet", "in.csv"):
        subprocess.run([HAUL, "copy", "sqlite:///shop.db", target, "--table", "orders", "-q", "--rowgroup-size", "300"],
                       cwd=folder, check=True)
    return folder


def fresh(tmp_path, inputs):
    folder = tmp_path / "run"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in INPUTS:
        shutil.copy(inputs / name, folder / name)  # new inodes: each trial is its own world
    return folder


def run(folder, words, prefix=()):
    return subprocess.run([*prefix, HAUL, *words], cwd=folder, capture_output=True, text=True, timeout=120)


def check(folder, path, expected, before):
    done = run(folder, path.words)
    if done.returncode == 6 and ("exists" in done.stderr or "is there and has rows" in done.stderr
                                or "holds data already" in done.stderr):
        done.returncode = 0  # it was finished before the kill; create refuses what is there
    assert done.returncode == 0, (before, done.stderr)
    assert path.read(folder) == expected, before
    assert leftovers(folder, INPUTS + path.product) == [], before
    for extra in path.product:
        if (folder / extra).is_dir():
            assert [n for n in os.listdir(folder / extra) if n.startswith(".")] == [], before


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.name)
def test_killed_at_every_call(tmp_path, inputs, path):
    need("strace")
    folder = fresh(tmp_path, inputs)
    assert run(folder, path.words).returncode == 0
    expected = path.read(folder)
    points = []
    for call in CALLS:
        folder = fresh(tmp_path, inputs)
        log = tmp_path / "strace.log"
        run(folder, path.words, ["strace", "-f", "-qq", "-o", log, "-e", f"trace={call}"])
        threads = {}
        for line in log.read_text().splitlines():
            match = re.match(r"(\d+) +(\w+)\(", line)
            if match and match.group(2) == call and "ENOENT" not in line:
                threads[match.group(1)] = threads.get(match.group(1), 0) + 1
        points += [(call, n) for n in range(1, max(threads.values(), default=0) + 1)]
    chosen = random.Random(SEED + len(path.name)).sample(points, min(len(points), TRIALS))
    for call, n in chosen:
        folder = fresh(tmp_path, inputs)
        killed = run(folder, path.words, ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                                          f"inject={call}:signal=KILL:when={n}"])
        check(folder, path, expected, f"killed at {call} {n}: {killed.returncode}")


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.name)
def test_killed_at_random_times(tmp_path, inputs, path):
    folder = fresh(tmp_path, inputs)
    start = time.monotonic()
    assert run(folder, path.words).returncode == 0
    length = time.monotonic() - start
    expected = path.read(folder)
    rng = random.Random(SEED)
    for _ in range(TRIALS):
        folder = fresh(tmp_path, inputs)
        waits = [rng.uniform(0, length * 1.2) for _ in range(rng.choice([1, 1, 2, 3]))]
        for wait in waits:  # later kills hit the resume
            process = subprocess.Popen([HAUL, *path.words], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(wait)
            process.send_signal(signal.SIGKILL)
            process.wait()
        check(folder, path, expected, f"killed after {waits}")


def test_interrupted_says_how_to_go_on(tmp_path, inputs):
    folder = tmp_path / "big"
    folder.mkdir()
    make_orders(folder / "shop.db", 1500000)
    words = ["copy", "sqlite:///shop.db", "o.parquet", "--table", "orders", "--workers", "2", "--rowgroup-size", "5000",
             "--compression", "zstd:15"]
    process = subprocess.Popen([HAUL, *words], cwd=folder, stderr=subprocess.PIPE, text=True)
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 75, err
    assert "run the same command again" in err
    assert not (folder / "o.parquet").exists()
    done = run(folder, words)
    assert done.returncode == 0 and "continuing" in done.stderr
    shutil.copy(folder / "o.parquet", folder / "resumed.parquet")
    assert run(folder, [*words, "--mode", "replace"]).returncode == 0
    assert digest(folder, "resumed.parquet") == digest(folder, "o.parquet")


def test_two_equal_runs_at_once(tmp_path, inputs):
    folder = tmp_path / "twice"
    folder.mkdir()
    make_orders(folder / "shop.db", 1000000)
    words = ["copy", "sqlite:///shop.db", "o.parquet", "--table", "orders", "--compression", "zstd:15"]
    first = subprocess.Popen([HAUL, *words], cwd=folder, stderr=subprocess.PIPE, text=True)
    time.sleep(0.3)
    second = run(folder, words)
    _, err = first.communicate()
    assert first.returncode == 0, err
    assert second.returncode != 0 and "run" in second.stderr


# ---- a ledger that is not as it should be ----

LOAD = ["copy", "in.csv", "sqlite:///t.db", "--table", "t", "--schema", "id:int64,qty:int64", "--unit-rows", "2"]


def stopped(haul, folder, mode, *statements):
    """A run that committed two units and failed in the third; then `statements` on its database."""
    (folder / "in.csv").write_text("id,qty\n" + "".join(f"{n},{'x' if n == 7 else n}\n" for n in range(8)))
    with sqlite3.connect(folder / "t.db") as database:
        if mode == "append":
            database.execute("CREATE TABLE t (id INTEGER, qty INTEGER)")
    haul(*LOAD, "--mode", mode, code=5)
    with sqlite3.connect(folder / "t.db") as database:
        assert database.execute("SELECT first_row FROM haul_units ORDER BY 1").fetchall() == [(0,), (2,)]
        for statement in statements:
            database.execute(statement)
    return [*LOAD, "--mode", mode, "--max-errors", "1"]


def ids_of(folder):
    with sqlite3.connect(folder / "t.db") as database:
        return [row[0] for row in database.execute("SELECT id FROM t ORDER BY id")]


CLAIM = "INSERT INTO haul_units (run, part, first_row) SELECT DISTINCT run, 0, 4 FROM haul_units"


def test_a_claim_without_its_unit_is_done_where_rows_prove_it(haul, tmp_path):
    done = haul(*stopped(haul, tmp_path, "create", CLAIM), code=3)
    assert "no row of them is in" in done.err and ids_of(tmp_path) == list(range(7))


def test_a_claim_whose_rows_came_without_it_is_refused(haul, tmp_path):
    words = stopped(haul, tmp_path, "create", CLAIM, "INSERT INTO t VALUES (4, 4)")
    for _ in range(2):
        done = haul(*words, code=4)
        assert "has 5 rows, but the ledger knows 4" in done.err and ids_of(tmp_path) == [0, 1, 2, 3, 4]
    haul(*words, "--restart", code=3)
    assert ids_of(tmp_path) == list(range(7))


@pytest.mark.parametrize("known", [True, False])
def test_a_claim_without_its_unit_in_a_table_of_others(haul, tmp_path, known):
    """Nobody can tell whose rows are in: the run says what to do, and its ledger stays until that is done."""
    words = stopped(haul, tmp_path, "append", CLAIM, *([] if known else ["DELETE FROM haul_units WHERE first_row < 4", "DELETE FROM t"]))
    for _ in range(2):
        done = haul(*words, code=4)
        assert "row 4 holds no receipt" in done.err and "delete the row from" in done.err
    with sqlite3.connect(tmp_path / "t.db") as database:
        assert database.execute("DELETE FROM haul_units WHERE first_row = 4").rowcount == 1
    haul(*words, code=3)
    assert ids_of(tmp_path) == list(range(7))


@pytest.mark.parametrize("mode", ["create", "append"])
def test_a_receipt_that_is_damaged(haul, tmp_path, mode):
    words = stopped(haul, tmp_path, mode, "UPDATE haul_units SET hash = 'nonsense' WHERE first_row = 2")
    done = haul(*words, code=4)
    assert "row 2 holds no receipt" in done.err and ids_of(tmp_path) == [0, 1, 2, 3]
    haul(*words, "--restart", code=3)
    assert set(ids_of(tmp_path)) == set(range(7))
