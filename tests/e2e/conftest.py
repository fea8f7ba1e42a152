"""What every end-to-end test uses: the program, small inputs, and counts.

HAUL is the program under test (build/haul when not set). HAUL_TRIALS is how many
trials a randomised test makes; HAUL_SEED makes one repeat.
"""
import importlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from fixtures import *  # noqa: E402,F401,F403
from tds.fixtures import bare, kerberos, mssql, realm, sqlserver, stricter, tds_servers_end  # noqa: E402,F401

HAUL = os.environ.get("HAUL", str(ROOT / "build" / "haul"))
TRIALS = int(os.environ.get("HAUL_TRIALS", "20"))
SEED = int(os.environ.get("HAUL_SEED", str(int(time.time()) // 86400)))
SHARED = Path(os.environ.get("HAUL_DATA", str(ROOT.parent / "shared" / "data")))


def pytest_configure(config):
    config.addinivalue_line("markers", "sanitize: also run with the sanitizer builds")


def pytest_report_header():
    return f"haul: {HAUL}, trials {TRIALS}, seed {SEED}"


class Result:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def __repr__(self):
        return f"exit {self.code}\nstdout: {self.out[-2000:]}\nstderr: {self.err[-2000:]}"


@pytest.fixture
def haul(tmp_path):
    """haul("copy", "a.csv", "b.parquet", code=0): runs in tmp_path, checks the exit code."""

    def run(*words, code=0, stdin=None, env=None, text=True, timeout=300):
        done = subprocess.run([HAUL, *map(str, words)], cwd=tmp_path, capture_output=True, input=stdin, text=text,
                              env={**os.environ, **(env or {})}, timeout=timeout)
        result = Result(done)
        if code is not None:
            assert done.returncode == code, result
        return result

    return run


def traced():
    """The environment under strace: there LeakSanitizer, itself a tracer, cannot work."""
    return {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


@pytest.fixture
def rng():
    return random.Random(SEED)


def shared(name):
    """A path in the shared data, or a skip that says so."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"no {name} in {SHARED}")
    return path


def need(tool):
    if not shutil.which(tool):
        pytest.skip(f"{tool} is not installed")


def make_orders(path, rows=1000, table="orders"):
    """A small table with integers, text beyond ASCII, NULLs and reals."""
    db = sqlite3.connect(path)
    db.execute(f'CREATE TABLE "{table}" (id INTEGER PRIMARY KEY, name TEXT, qty INTEGER, price REAL, raw BLOB)')
    db.executemany(f'INSERT INTO "{table}" VALUES (?, ?, ?, ?, ?)',
                   [(i, None if i % 7 == 0 else f"näme {i}, \"q\"" if i % 5 else "", (i * 7919) % 1000 - 500 if i % 3 else None,
                     i / 8, bytes([i % 256, 0, 255]) if i % 4 else None) for i in range(1, rows + 1)])
    db.commit()
    db.close()


def rows_of(path, table="orders"):
    db = sqlite3.connect(path)
    try:
        return db.execute(f'SELECT * FROM "{table}" ORDER BY 1').fetchall()
    finally:
        db.close()


def leftovers(folder, wanted):
    """Names in `folder` that should not be there."""
    return sorted(set(os.listdir(folder)) - set(wanted))


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """The Python package in a virtual environment: package.python runs with it."""
    if "build-" in HAUL:
        pytest.skip("the Python package is built without sanitizers")
    sys.path.insert(0, str(ROOT / "tests" / "support"))
    from wheel import Package
    return Package(ROOT, tmp_path_factory.mktemp("wheel")).build()


@pytest.fixture(scope="session")
def haul_module(package):
    """The package `haul` itself."""
    sys.path.insert(0, str(package.site))
    return importlib.import_module("haul")
