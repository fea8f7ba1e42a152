"""haul bcp beside freebcp: the same table out of tds-replay and into it, as text and native.

bench.py calls run(). Each reads the native file that it wrote itself, because DB-Library's
layout is not that of ODBC's bcp: freebcp's -n knows no column's type here, so that it has a
format file (decimals in its own bytes, dates as datetime). The text file is one for both.
bcp-char-out has haul's CSV writer too, from the same rows.
"""
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import sqlserver
from sqlserver import CARGO, HAUL, ROWS, Replay, write_rules
from tds_stream import LINEITEM

KIND, TABLE = "varchar", "bench_varchar"
FORMAT = CARGO.parent / "lineitem-dblib.fmt"
LOGIN = {"haul bcp": ["-S", "mssql://sa@127.0.0.1:{port}/master?encrypt=disable"],
         "freebcp": ["-S", "127.0.0.1:{port}", "-U", "sa", "-P", "Secret1", "-D", "master"]}
LOADED = ["-b", "100000", "-h", "TABLOCK"]
STORED = {"native": ["-n"], "char": ["-c", "-t", "|", "-r", "\n"]}
TASKS = {f"bcp-{storage}-{way}": (storage, way) for storage in STORED for way in ("in", "out")}
CSV = [HAUL, "copy", "mssql://sa@127.0.0.1:{port}/master?encrypt=disable", "{output}.csv", "--table", "dbo.{table}", "--workers", "1", "--mode", "replace", "-q"]


def tools(storage, way):
    """{tool: command}, {...} to be filled in."""
    made = {}
    for tool, login in LOGIN.items():
        program = [HAUL, "bcp"] if tool == "haul bcp" else ["freebcp"]
        stored = ["-f", "{format}"] if (tool, storage) == ("freebcp", "native") else STORED[storage]
        made[tool] = [*program, "dbo.{table}", way, "{input}" if way == "in" else "{output}", *stored, *login, *(LOADED if way == "in" else [])]
    if (storage, way) == ("char", "out"):
        made["haul copy, to CSV"] = CSV
    return {tool: command for tool, command in made.items() if tool != "freebcp" or shutil.which("freebcp")}


def words_of(command, **fill):
    return [str(word).format(table=TABLE, format=FORMAT, **fill) for word in command]


def write_format():
    """DB-Library's host types of lineitem's columns."""
    host = {"int": "SYBINT4 0 4", "decimal": "SYBNUMERIC 1 35", "date": "SYBDATETIME 0 8", "varchar": "SYBCHAR 1 255"}
    lines = [f'{number} {host[kind.split("(")[0]]} "" {number} {name} ""' for number, (name, kind) in enumerate(LINEITEM, 1)]
    FORMAT.write_text("\n".join(["8.0", f"{len(lines)}", *lines, ""]))


def short(tool):
    return tool.split()[0] + ("-csv" if tool.endswith("CSV") else "")


class Bench:
    def __init__(self, name, python, csv, folder):
        self.storage, self.way = TASKS[name]
        self.python, self.folder, self.cache = python, folder, csv.parent
        self.stream, self.parquet, self.text = sqlserver.files(python, KIND, csv, csv.parent)
        write_format()
        self.rules = {way: self.record(way) for way in ({"out", self.way} if self.storage == "native" else {self.way})}

    def record(self, way):
        rules = self.folder / f"rules-{way}"
        subprocess.run([self.python, __file__, self.storage, way, self.parquet, self.text, rules], check=True)
        return rules

    def input(self, tool):
        """The file that goes in; a native one is made by the tool itself, once."""
        if self.way == "out":
            return None
        if self.storage == "char":
            return self.text
        file = self.cache / f"lineitem-{ROWS}.{short(tool)}.native"
        if not file.exists():
            with Replay(self.rules["out"], self.stream, TABLE) as replay:
                subprocess.run(words_of(tools("native", "out")[tool], port=replay.port, output=file), check=True, stdout=subprocess.DEVNULL)
        return file

    def once(self, tool, measure, threads):
        """(CPU s, wall s, peak MiB, bytes), what was checked."""
        output = self.folder / f"{short(tool)}.dat"
        file = Path(f"{output}.csv") if tool.endswith("CSV") else output
        source = self.input(tool)
        file.unlink(missing_ok=True)
        with Replay(self.rules[self.way], self.stream, TABLE) as replay:
            figures = measure(words_of(tools(self.storage, self.way)[tool], port=replay.port, input=source, output=output), self.folder, threads)
        if self.way == "in":
            return (*figures, replay.bytes), "equal" if replay.rows == ROWS else f"{replay.rows} ROWS"
        return (*figures, file.stat().st_size), self.judge(tool, file)

    def judge(self, tool, file):
        """What was written against the rows of the stream: text by DuckDB; native when the tool reads it back into as many rows."""
        if self.storage == "native":
            return "read back by bcp-native-in"
        csv, theirs = tool.endswith("CSV"), tool == "freebcp"  # DB-Library has dates of its own
        read = "header = true" if csv else "header = false, delim = '|', quote = ''"
        code = f"""
import duckdb as d
d.sql('SET enable_progress_bar = false')
columns = d.sql("DESCRIBE FROM '{self.parquet}'").fetchall()
types = {{name: "VARCHAR" if kind == "DATE" else kind for name, kind, *_ in columns}}
source = f"read_csv('{file}', {read}, columns = {{types}})"
sums = ", ".join(f"bit_xor(hash({{name}}::VARCHAR))" for name, kind, *_ in columns if kind != "DATE" or not {theirs})
print(*(d.sql(f"SELECT count(*), {{sums}} FROM {{f}}").fetchall() for f in (source, "'{self.parquet}'")), sep="\\n")
"""
        done = subprocess.run([self.python, "-c", code], capture_output=True, text=True)
        if done.returncode:
            return "unreadable: " + done.stderr.strip().splitlines()[-1]
        ours, wanted = done.stdout.split("\n")[:2]
        return ("equal, but for dates" if theirs else "equal") if ours == wanted else "DIFFERENT"


def run(name, python, csv, measure, options):
    """{tool: (figures, judged)} of a task, as bench.py's run_task gives it."""
    folder = Path(options.work) / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    subprocess.run(["ninja", "-C", sqlserver.ROOT / "build", "bench/tds-replay"], check=True, capture_output=True)
    bench, figures, judged = Bench(name, python, csv, folder), {}, {}
    for tool in tools(*TASKS[name]):
        bench.input(tool)
    for _ in range(options.runs):
        for tool in tools(*TASKS[name]):
            once, judged[tool] = bench.once(tool, measure, options.threads)
            figures.setdefault(tool, []).append(once)
    return {tool: ([statistics.median(column) for column in zip(*rows)], judged[tool]) for tool, rows in figures.items()}


def record(storage, way, parquet, text, out):
    """Each tool's questions and the tests' server's answers. A native file of few rows comes from the tool."""
    sys.path.insert(0, str(sqlserver.ROOT / "tests" / "support"))
    from tds import prelogin
    from tds.server import Server
    from tds_stream import ddl
    told = {}
    with Server(encryption=prelogin.OFF, users={"sa": "Secret1"}) as server:
        for tool, command in tools(storage, way).items():
            server.ask(f"DROP TABLE IF EXISTS dbo.{TABLE}", f"CREATE TABLE dbo.{TABLE} ({ddl(KIND)})")
            few = Path(f"{text}.few") if storage == "char" else Path(f"{out}.few")
            if way == "in" and storage == "native":
                load = [HAUL, "copy", f"{parquet}.few", "mssql://sa@127.0.0.1:{port}/master?encrypt=disable", "--table", "dbo.{table}", "--mode", "append", "--ledger", "none", "-q"]
                subprocess.run(words_of(load, port=server.port), check=True)
                subprocess.run(words_of(tools(storage, "out")[tool], port=server.port, output=few), check=True, stdout=subprocess.DEVNULL)
                server.ask(f"DELETE FROM dbo.{TABLE}")
            server.recorded = {}
            done = subprocess.run(words_of(command, port=server.port, input=few, output=f"{out}.tmp"), capture_output=True, text=True, timeout=120)
            if done.returncode:
                print(f"{tool} against the tests' server: {(done.stdout + done.stderr)[-600:]}", file=sys.stderr)
            told.update(server.recorded)
    write_rules(told, KIND, way == "in", out)


if __name__ == "__main__":
    os.environ.setdefault("SQLCMDPASSWORD", "Secret1")
    record(*sys.argv[1:3], *map(Path, sys.argv[3:6]))
