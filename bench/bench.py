#!/usr/bin/env python3
"""haul beside its peers: the same work, the same input, one run, outputs checked.

    make bench                      everything, TPC-H lineitem SF 1
    bench/bench.py --scale 0.1      smaller
    bench/bench.py csv-parquet      only these

Peers come from PyPI (bench/requirements.txt) into a cached virtual environment. Each
task runs as a process of its own, `--runs` times in turn with the others; the table
has the median CPU seconds (user + system, all threads), wall seconds, peak resident
MiB and the size of what was written. Afterwards DuckDB compares every output with
the input by row count and column checksums.
"""
import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import bcp
import databases
import sqlserver

ROOT = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("HAUL_CACHE", Path.home() / ".cache" / "haul"))
HAUL = os.environ.get("HAUL", str(ROOT / "build" / "haul"))


def environment():
    """The Python with the peers in it; made when it is not there."""
    requirements = ROOT / "bench" / "requirements.txt"
    venv = CACHE / "bench-venv"
    python = venv / "bin" / "python"
    stamp = venv / "requirements.txt"
    if not stamp.exists() or stamp.read_text() != requirements.read_text():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", requirements], check=True)
        stamp.write_text(requirements.read_text())
    return str(python)


def lineitem(python, scale):
    folder = CACHE / f"tpch-{scale}"
    target = folder / "lineitem.csv"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        tool = str(Path(python).parent / "tpchgen-cli")
        subprocess.run([tool, "csv", "-s", str(scale), "-T", "lineitem", "-o", str(folder)], check=True)
    return target


def measure(words, cwd, threads):
    env = {**os.environ, "POLARS_MAX_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    start = time.monotonic()
    with open(cwd / "log", "w") as log:
        process = subprocess.Popen(words, cwd=cwd, stdout=log, stderr=log, env=env)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - start
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, words))}: exit {process.returncode}\n{(cwd / 'log').read_text()[-2000:]}")
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024


DUCK = "import duckdb; c = duckdb.connect(); c.sql('SET preserve_insertion_order = true'); "
TASKS = {
    "csv-parquet": {
        "input": "lineitem.csv", "output": "{tool}.parquet",
        "haul": [HAUL, "copy", "{input}", "{output}", "-q", "--memory", "224MiB"],
        "DuckDB": DUCK + "c.sql(\"COPY (FROM read_csv('{input}')) TO '{output}' (FORMAT parquet, COMPRESSION zstd)\")",
        "Polars": "import polars as p; p.scan_csv('{input}', try_parse_dates=True).sink_parquet('{output}', compression='zstd')",
        "pyarrow": "import pyarrow.csv as c, pyarrow.parquet as q\nr = c.open_csv('{input}')\n"
                   "with q.ParquetWriter('{output}', r.schema, compression='zstd') as w:\n  [w.write_batch(b) for b in r]",
    },
    "parquet-csv": {
        "input": "lineitem.parquet", "output": "{tool}.csv",
        "haul": [HAUL, "copy", "{input}", "{output}", "-q", "--memory", "224MiB"],
        "DuckDB": DUCK + "c.sql(\"COPY (FROM '{input}') TO '{output}' (FORMAT csv, HEADER)\")",
        "Polars": "import polars as p; p.scan_parquet('{input}').sink_csv('{output}')",
        "pyarrow": "import pyarrow.csv as c, pyarrow.parquet as q\nf = q.ParquetFile('{input}')\n"
                   "with c.CSVWriter('{output}', f.schema_arrow) as w:\n  [w.write_batch(b) for b in f.iter_batches()]",
    },
    "parquet-parquet": {
        "input": "lineitem.parquet", "output": "{tool}.parquet",
        "haul": [HAUL, "copy", "{input}", "{output}", "-q", "--memory", "224MiB"],
        "DuckDB": DUCK + "c.sql(\"COPY (FROM '{input}') TO '{output}' (FORMAT parquet, COMPRESSION zstd)\")",
        "Polars": "import polars as p; p.scan_parquet('{input}').sink_parquet('{output}', compression='zstd')",
        "pyarrow": "import pyarrow.parquet as q\nf = q.ParquetFile('{input}')\n"
                   "with q.ParquetWriter('{output}', f.schema_arrow, compression='zstd') as w:\n  [w.write_batch(b) for b in f.iter_batches()]",
    },
    "combine": {
        "input": "lineitem.parts", "output": "{tool}.parquet",
        "haul": [HAUL, "combine", "{input}/", "-o", "{output}", "-q"],
        "DuckDB": DUCK + "c.sql(\"COPY (FROM '{input}/*.parquet') TO '{output}' (FORMAT parquet, COMPRESSION zstd)\")",
        "Polars": "import polars as p; p.scan_parquet('{input}/*.parquet').sink_parquet('{output}', compression='zstd')",
        "pyarrow": "import glob, pyarrow.parquet as q\nw = None\nfor n in sorted(glob.glob('{input}/*.parquet')):\n"
                   "  f = q.ParquetFile(n); w = w or q.ParquetWriter('{output}', f.schema_arrow, compression='zstd')\n"
                   "  [w.write_table(f.read_row_group(i)) for i in range(f.num_row_groups)]\nw.close()",
    },
    "sqlite-parquet": {
        "input": "lineitem.db", "output": "{tool}.parquet",
        "haul": [HAUL, "copy", "sqlite:///{input}", "{output}", "-q", "--table", "lineitem", "--memory", "224MiB"],
        "DuckDB": DUCK + "c.sql(\"INSTALL sqlite; LOAD sqlite\"); c.sql(\"COPY (FROM sqlite_scan('{input}', 'lineitem')) TO '{output}' (FORMAT parquet, COMPRESSION zstd)\")",
        "pyarrow": "import sqlite3, pyarrow as a, pyarrow.parquet as q\ncur = sqlite3.connect('{input}').execute('SELECT * FROM lineitem')\n"
                   "names = [d[0] for d in cur.description]; w = None\nwhile True:\n  rows = cur.fetchmany(100000)\n  if not rows: break\n"
                   "  t = a.table(dict(zip(names, map(a.array, zip(*rows)))))\n  w = w or q.ParquetWriter('{output}', t.schema, compression='zstd')\n"
                   "  w.write_table(t)\nw.close()",
    },
    "parquet-sqlite": {
        "input": "lineitem.parquet", "output": "{tool}.db",
        "haul": [HAUL, "copy", "{input}", "sqlite:///{output}", "-q", "--table", "lineitem", "--memory", "224MiB"],
        "pyarrow": "import sqlite3, pyarrow.parquet as q\nf = q.ParquetFile('{input}'); d = sqlite3.connect('{output}')\n"
                   "n = f.schema_arrow.names; d.execute('CREATE TABLE lineitem (' + ','.join(n) + ')')\n"
                   "for b in f.iter_batches():\n  c = [x.cast('string').to_pylist() if str(x.type)[:3] in ('dec', 'dat') else x.to_pylist() for x in b.columns]\n"
                   "  d.executemany('INSERT INTO lineitem VALUES (' + ','.join('?' * len(n)) + ')', zip(*c))\nd.commit()",
    },
}
EVERY = [*TASKS, *databases.TASKS, *sqlserver.TASKS, *bcp.TASKS]
CHECK = ("SELECT count(*), sum(l_orderkey), sum(l_linenumber), sum(l_quantity::DOUBLE)::BIGINT, "
         "round(sum(l_extendedprice::DOUBLE)), bit_xor(hash(l_comment)), bit_xor(hash(l_shipdate::VARCHAR)), "
         "bit_xor(hash(l_shipmode)) FROM {source}")


def check_output(python, path, expected):
    """Row count and column checksums, by DuckDB, of what was written."""
    if path.suffix == ".db":
        return "not compared"
    source = f"read_csv('{path}')" if path.suffix == ".csv" else f"'{path}'"
    code = f"import duckdb; duckdb.sql('SET enable_progress_bar = false'); print(duckdb.sql(\"{CHECK.format(source=source)}\").fetchall())"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True)
    if done.returncode:
        return "unreadable: " + done.stderr.strip().splitlines()[-1]
    return "equal" if expected in (None, done.stdout) else f"DIFFERENT {done.stdout.strip()}"


def checksum(python, path):
    code = f"import duckdb; duckdb.sql('SET enable_progress_bar = false'); print(duckdb.sql(\"{CHECK.format(source=f'read_csv({chr(39)}{path}{chr(39)})')}\").fetchall())"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout


def prepare(python, csv, work):
    """Inputs other than the CSV, made once by a peer (Parquet) and by haul (SQLite)."""
    parquet, db, parts = csv.with_suffix(".parquet"), csv.with_suffix(".db"), csv.with_suffix(".parts")
    if not parquet.exists():
        code = (DUCK + f"c.sql(\"COPY (FROM read_csv('{csv}')) TO '{parquet}' (FORMAT parquet, COMPRESSION zstd)\")")
        subprocess.run([python, "-c", code], check=True)
    if not parts.exists():
        subprocess.run([HAUL, "copy", parquet, f"{parts}/", "--files", "8", "--rowgroup-size", "122880", "-q"], check=True)
    if not db.exists():
        subprocess.run([HAUL, "copy", parquet, f"sqlite:///{db}", "--table", "lineitem", "-q"], check=True)
    return {"lineitem.csv": csv, "lineitem.parquet": parquet, "lineitem.db": db, "lineitem.parts": parts}


def run_task(python, name, task, inputs, options):
    work = Path(options.work) / name
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    tools = [t for t in ("haul", "DuckDB", "Polars", "pyarrow") if t in task]
    figures = {tool: [] for tool in tools}
    for _ in range(options.runs):
        for tool in list(tools):
            output = work / task["output"].format(tool=tool)
            output.unlink(missing_ok=True)
            fill = {"input": inputs[task["input"]], "output": output, "tool": tool}
            if tool == "haul":
                words = [w.format(**fill) for w in task["haul"]]
            else:
                words = [python, "-c", task[tool].format(**fill)]
            try:
                figures[tool].append((*measure(words, work, options.threads), output.stat().st_size))
            except SystemExit as failure:
                if tool == "haul":
                    raise
                print(f"{tool} cannot do {name} here: {str(failure).splitlines()[-1]}", file=sys.stderr)
                tools.remove(tool)
                del figures[tool]
    return {tool: ([statistics.median(column) for column in zip(*rows)],
                   check_output(python, work / task["output"].format(tool=tool), options.expected))
            for tool, rows in figures.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=", ".join(EVERY))
    parser.add_argument("--scale", default="1")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--instructions", action="store_true", help="SQL Server tasks: haul's instructions for each value too, by callgrind")
    parser.add_argument("--work", default=str(CACHE / "bench-work"))
    options = parser.parse_args()
    for name in options.tasks:
        if name not in EVERY:
            parser.error(f"no task {name}; there are {', '.join(EVERY)}")
    python = environment()
    csv = lineitem(python, options.scale)
    options.expected = checksum(python, csv)
    inputs = prepare(python, csv, Path(options.work)) if not options.tasks or set(options.tasks) & {*TASKS, *databases.TASKS} else {}
    print(f"TPC-H lineitem SF {options.scale}, {os.cpu_count()} CPUs ({platform.processor() or platform.machine()}), "
          f"median of {options.runs} runs\n")
    print("| work | tool | CPU s | wall s | peak MiB | bytes written | output |\n| --- | --- | ---: | ---: | ---: | ---: | --- |")
    options.judge = lambda path: check_output(python, path, options.expected)
    for name in options.tasks or EVERY:
        if name in databases.TASKS:
            done = databases.run(name, python, inputs, measure, options)
        else:
            others = bcp if name in bcp.TASKS else sqlserver
            done = run_task(python, name, TASKS[name], inputs, options) if name in TASKS else others.run(name, python, csv, measure, options)
        for tool, ((cpu, wall, peak, size), judged) in done.items():
            print(f"| {name} | {tool} | {cpu:.2f} | {wall:.2f} | {peak:.0f} | {size:,.0f} | {judged} |", flush=True)


if __name__ == "__main__":
    main()
