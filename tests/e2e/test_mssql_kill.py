"""SQL Server, both directions: killed at random moments, run again, values equal.

Each of the eight paths is first run undisturbed, which says how long it takes; then each trial kills one to three
runs of it somewhere in that time and lets the same command finish. HAUL_TRIALS / 10 trials a path, two kills each on
average: 630 make 1,000 (tools/soak.sh).
"""
import os
import random
import signal
import subprocess
import time
from decimal import Decimal as D

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from conftest import HAUL, SEED, TRIALS

pytest.importorskip("sqlglot")
pytest.importorskip("psycopg2")

FEW = max(1, TRIALS // 10)
ROWS = 3000
TRUST = "TrustServerCertificate=yes"
COLUMNS = "id int, name nvarchar(30), price decimal(12,2)"
SUMS = "SELECT COUNT(*), COUNT(DISTINCT id), SUM(CAST(id AS bigint)), COUNT(name), SUM(price) FROM "
KILLS = {"made": 0, "while it ran": 0}


@pytest.fixture(scope="module")
def orders(tmp_path_factory):
    """NULLs, text beyond ASCII, and a price that tells rows apart."""
    path = tmp_path_factory.mktemp("orders") / "orders.parquet"
    pq.write_table(pa.table({"id": pa.array(range(ROWS), pa.int32()),
                             "name": pa.array([None if i % 7 == 0 else f"näme {i} 漢" for i in range(ROWS)]),
                             "price": pa.array([D(i * 7919 % 100003) / 100 for i in range(ROWS)], pa.decimal128(12, 2))}), path, row_group_size=1000)
    return path


def fresh(server, columns, *rows):
    server.ask("IF OBJECT_ID(N'dbo.o') IS NOT NULL DROP TABLE dbo.o", *([f"CREATE TABLE dbo.o ({columns})"] if columns else []),
               *[f"INSERT INTO dbo.o VALUES {row}" for row in rows])


def start(folder, words):
    return subprocess.Popen([HAUL, *map(str, words)], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def kill(folder, words, wait):
    running = start(folder, words)
    time.sleep(wait)
    KILLS["made"] += 1
    KILLS["while it ran"] += running.poll() is None
    running.send_signal(signal.SIGKILL)
    running.communicate()


def timed(haul, words):
    begun = time.monotonic()
    haul(*words)
    return time.monotonic() - begun


def finish(haul, words):
    """The run again, until the killed one's session is gone."""
    for _ in range(40):
        done = haul(*words, code=None)
        if "another process" not in done.err:
            break
        time.sleep(0.25)
    return done


def whole(server):
    prices = sum(D(i * 7919 % 100003) / 100 for i in range(ROWS))
    return tuple(server.ask(SUMS + "dbo.o")[0]) == (ROWS, ROWS, ROWS * (ROWS - 1) // 2, ROWS - (ROWS + 6) // 7, prices)


def left_behind(server):
    names = [row[0] for row in server.ask("SELECT name FROM sys.tables WHERE name LIKE '%[_][_]haul[_]%'")]
    return names, server.ask("SELECT COUNT(*) FROM dbo.haul_units")[0][0]


@pytest.mark.parametrize("mode", ["create", "append", "truncate", "replace"])
def test_killed_while_loading(sqlserver, haul, orders, tmp_path, mode):
    rng = random.Random(SEED + len(mode))

    def prepare():
        fresh(sqlserver, None if mode == "create" else COLUMNS, *(["(-1, N'old', 0)"] if mode in ("truncate", "replace") else []))

    def words(trial):
        return ["copy", orders, sqlserver.uri(more=TRUST), "--table", "dbo.o", "--mode", mode, "--unit-rows", "100", "--run", f"k-{SEED}-{mode}-{trial}"]

    prepare()
    length = timed(haul, words("whole"))
    for trial in range(FEW):
        prepare()
        waits = [rng.uniform(0, length * 1.1) for _ in range(rng.randrange(1, 4))]
        for wait in waits:
            kill(tmp_path, words(trial), wait)
        done = finish(haul, words(trial))
        assert done.code == 0, (mode, trial, waits, done)
        assert whole(sqlserver) and left_behind(sqlserver) == ([], 0), (mode, trial, waits)


@pytest.mark.parametrize("to", ["o.parquet", "keys.parquet", "out/", "o.csv"])
def test_killed_while_reading(sqlserver, haul, orders, tmp_path, to):
    """A heap in one part; key ranges by two workers into one file, and into a folder; CSV."""
    rng = random.Random(SEED + len(to))
    keyed = to in ("keys.parquet", "out/")
    fresh(sqlserver, COLUMNS.replace("id int", "id int NOT NULL PRIMARY KEY") if keyed else COLUMNS)
    haul("copy", orders, sqlserver.uri(more=TRUST), "--table", "dbo.o", "--mode", "append")
    more = ["--workers", "2"] if keyed else []
    words = ["copy", sqlserver.uri(more=TRUST), to, "--table", "dbo.o", *more, *([] if to == "o.csv" else ["--rowgroup-size", "500"])]

    def remove():
        subprocess.run(["rm", "-rf", tmp_path / to], check=True)

    length = timed(haul, words)
    for trial in range(FEW):
        remove()
        waits = [rng.uniform(0, length * 1.1) for _ in range(rng.randrange(1, 4))]
        for wait in waits:
            kill(tmp_path, words, wait)
        done = finish(haul, words)
        assert done.code == 0 or "exists" in done.err or "holds data already" in done.err, (to, trial, waits, done)
        assert values(tmp_path / to) == values(orders), (to, trial, waits)
        assert [name for name in os.listdir(tmp_path) if name.startswith(".")] == [], (to, trial, waits)


def values(path):
    """The rows in order of their ids: names and prices as they were."""
    if path.suffix == ".csv":
        names = pa.csv.ConvertOptions(column_types={"id": pa.int32(), "name": pa.string(), "price": pa.decimal128(12, 2)}, strings_can_be_null=True)
        table = pa.csv.read_csv(path, convert_options=names)
    else:
        table = pq.read_table(sorted(path.glob("*.parquet")) if path.is_dir() else path)
    return table.sort_by("id").to_pydict()


def test_most_kills_hit_a_run(capsys):
    """Of the file's tests, when they ran: half of the kills and more came before the end."""
    with capsys.disabled():
        print(f"\nSQL Server, kills: {KILLS}")
    assert KILLS["while it ran"] * 2 >= KILLS["made"]
