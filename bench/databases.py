"""haul and its peers at PostgreSQL and MariaDB: the tests' servers, lineitem in them, one run.

bench.py calls run(). Beside the peers stand the limits: what the server itself takes to
give or take the same rows. Passwords are in the environment; TLS is off for everybody
(loopback). Loads go into a table made anew each time, unlogged in PostgreSQL, without keys.
"""
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
HAUL = os.environ.get("HAUL", str(ROOT / "build" / "haul"))
CARGO = Path(os.environ.get("HAUL_CACHE", Path.home() / ".cache" / "haul")) / "cargo"
COLUMNS = ("l_orderkey bigint, l_partkey bigint, l_suppkey bigint, l_linenumber int, l_quantity decimal(15,2), l_extendedprice decimal(15,2), "
           "l_discount decimal(15,2), l_tax decimal(15,2), l_returnflag varchar(1), l_linestatus varchar(1), l_shipdate date, l_commitdate date, "
           "l_receiptdate date, l_shipinstruct varchar(25), l_shipmode varchar(10), l_comment varchar(44)")
LOADED = COLUMNS.replace("decimal(15,2)", "double precision").replace("l_linenumber int", "l_linenumber bigint")  # as the Parquet file has them
SUMS = ("SELECT count(*), sum(l_orderkey), sum(CAST(round(l_extendedprice * 100) AS decimal(20,0))), sum(length(l_comment)), min(l_shipdate), max(l_shipmode)"
        " FROM {}")
WRITE = "with q.ParquetWriter('{output}', r.schema, compression='zstd') as w:\n  [w.write_batch(b) for b in r]"
CONNECTORX = "import connectorx as c, pyarrow.parquet as q\nq.write_table(c.read_sql('{secret}', 'SELECT * FROM lineitem', return_type='arrow'), '{output}', compression='zstd')"
TASKS = {
    "postgres-parquet": {
        "haul": [HAUL, "copy", "{uri}", "{output}", "--table", "lineitem", "--workers", "1", "--memory", "224MiB", "-q"],
        "haul, 2 connections": [HAUL, "copy", "{uri}", "{output}", "--table", "lineitem", "--workers", "2", "--memory", "224MiB", "-q"],
        "ConnectorX": CONNECTORX,
        "ADBC + pyarrow": "import adbc_driver_postgresql.dbapi as d, pyarrow.parquet as q\nc = d.connect('{secret}').cursor(); c.execute('SELECT * FROM lineitem')\n"
                          "r = c.fetch_record_batch()\n" + WRITE,
        "pg2parquet": ["pg2parquet", "export", "-H", "127.0.0.1", "--port", "{port}", "-U", "admin", "--password", "{password}", "-d", "postgres", "-t", "lineitem",
                       "-o", "{output}", "--compression", "zstd", "--sslmode", "disable"],
        "limit: psql COPY binary > /dev/null": ["sh", "-c", "psql -XAtq -c 'COPY lineitem TO STDOUT (FORMAT binary)' > /dev/null"],
    },
    "parquet-postgres": {
        "haul": [HAUL, "copy", "{input}", "{uri}", "--table", "loaded", "--mode", "append", "--workers", "1", "--memory", "224MiB", "-q"],
        "haul, 2 connections": [HAUL, "copy", "{input}", "{uri}", "--table", "loaded", "--mode", "append", "--workers", "2", "--memory", "224MiB", "-q"],
        "ADBC + pyarrow": "import adbc_driver_postgresql.dbapi as d, pyarrow.parquet as q\nk = d.connect('{secret}'); c = k.cursor(); f = q.ParquetFile('{input}')\n"
                          "import pyarrow as a\nc.adbc_ingest('loaded', a.RecordBatchReader.from_batches(f.schema_arrow, f.iter_batches()), mode='append'); k.commit()",
        "limit: the server's COPY FROM a binary file": ["sh", "-c", "psql -XAtq -c \"COPY loaded FROM '{prepared}' (FORMAT binary)\""],
    },
    "mariadb-parquet": {
        "haul": [HAUL, "copy", "{uri}", "{output}", "--table", "lineitem", "--workers", "1", "--memory", "224MiB", "-q"],
        "haul, 2 connections": [HAUL, "copy", "{uri}", "{output}", "--table", "lineitem", "--workers", "2", "--memory", "224MiB", "-q"],
        "ConnectorX": CONNECTORX,
        "limit: mariadb --quick > /dev/null": ["sh", "-c", "{client} --quick -N -B -e 'SELECT * FROM lineitem' shop > /dev/null"],
    },
    "parquet-mariadb": {
        "haul": [HAUL, "copy", "{input}", "{uri}", "--table", "loaded", "--mode", "append", "--workers", "1", "--memory", "224MiB", "-q"],
        "haul, 2 connections": [HAUL, "copy", "{input}", "{uri}", "--table", "loaded", "--mode", "append", "--workers", "2", "--memory", "224MiB", "-q"],
        "limit: the server's LOAD DATA": ["sh", "-c", "{client} -e \"LOAD DATA INFILE '{prepared}' INTO TABLE loaded\" shop"],
    },
}


def pg2parquet():
    """Built once, by cargo; None where that is not possible."""
    program = CARGO / "bin" / "pg2parquet"
    if not program.exists() and shutil.which("cargo"):
        subprocess.run(["cargo", "install", "pg2parquet", "--locked", "--root", CARGO], capture_output=True)
    return str(program) if program.exists() else None


class Place:
    """A server with lineitem in it."""

    def __init__(self, kind, csv):
        sys.path.insert(0, str(ROOT / "tests" / "support"))
        import mysql_server
        import servers
        self.kind, self.csv, self.password = kind, csv, servers.PASSWORD
        self.server = servers.Postgres(shared_buffers="512MB", max_wal_size="4GB", ssl="off") if kind == "postgres" else \
            mysql_server.MariaDB("--innodb-buffer-pool-size=1G", "--innodb-log-file-size=512M")

    def __enter__(self):
        server = self.server.__enter__()
        self.prepared = server.folder / "prepared"
        if self.kind == "postgres":
            os.environ.update(server.environment(), PGSSLMODE="disable")
            server.sql(f"CREATE TABLE lineitem ({COLUMNS})")
            with open(self.csv) as rows:
                subprocess.run(["psql", "-Xq", "-c", "COPY lineitem FROM STDIN (FORMAT csv, HEADER)"], stdin=rows, check=True)
            server.sql("VACUUM ANALYZE lineitem", f"CREATE UNLOGGED TABLE ready ({LOADED})", "INSERT INTO ready SELECT * FROM lineitem",
                       f"COPY ready TO '{self.prepared}' (FORMAT binary)", "DROP TABLE ready", "CHECKPOINT")
        else:
            server.sql(f"CREATE TABLE lineitem ({COLUMNS}, PRIMARY KEY (l_orderkey, l_linenumber)) ENGINE=InnoDB")
            server.sql(f"LOAD DATA LOCAL INFILE '{self.csv}' INTO TABLE lineitem FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' IGNORE 1 LINES")
            server.sql("ANALYZE TABLE lineitem")
            subprocess.run(["chmod", "755", server.folder], check=True)
            server.sql(f"SELECT * INTO OUTFILE '{self.prepared}' FROM lineitem")
        self.expected = self.ask(SUMS.format("lineitem"))
        return self

    def __exit__(self, *why):
        self.server.__exit__(*why)

    def ask(self, statement):
        return self.server.sql(statement).replace("|", "\t")

    def fill(self):
        secret = quote(self.password, safe="")
        if self.kind == "postgres":
            return {"uri": self.server.uri(more="?sslmode=disable"), "secret": self.server.uri(password=self.password, more="?sslmode=disable"),
                    "port": self.server.port, "password": self.password, "prepared": self.prepared}
        return {"uri": self.server.uri(), "secret": f"mysql://loader:{secret}@127.0.0.1:{self.server.port}/shop", "prepared": self.prepared,
                "client": f"env -u MYSQL_PWD mariadb --no-defaults -uroot --socket={self.server.socket}"}

    def empty(self):
        self.ask("DROP TABLE IF EXISTS loaded")
        self.ask(f"CREATE {'UNLOGGED ' if self.kind == 'postgres' else ''}TABLE loaded ({LOADED})")


def words_of(command, python, fill):
    """The command line of a tool; None where it is not there."""
    if isinstance(command, str):
        return [python, "-c", command.format(**fill)]
    program = pg2parquet() if command[0] == "pg2parquet" else command[0]
    return [program, *(word.format(**fill) for word in command[1:])] if program else None


def run(name, python, inputs, measure, options):
    """{tool: (figures, judged)} of a task, as bench.py's run_task gives it."""
    loads = name.startswith("parquet-")
    folder = Path(options.work) / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    figures, judged = {}, {}
    with Place("postgres" if "postgres" in name else "mariadb", inputs["lineitem.csv"]) as place:
        for _ in range(options.runs):
            for tool, command in TASKS[name].items():
                output = folder / "out.parquet"
                output.unlink(missing_ok=True)
                words = words_of(command, python, {"input": inputs["lineitem.parquet"], "output": output, **place.fill()})
                if not words:
                    continue
                with contextlib.suppress(OSError):
                    os.sync()
                if loads:
                    place.empty()
                os.environ["MYSQL_PWD"] = place.password  # haul's; the administrator has none
                try:
                    once = measure(words, folder, options.threads)
                except SystemExit as failure:
                    if tool.startswith("haul"):
                        raise
                    print(f"{tool} cannot do {name} here: {str(failure).splitlines()[-1]}", file=sys.stderr)
                    continue
                finally:
                    del os.environ["MYSQL_PWD"]
                figures.setdefault(tool, []).append((*once, output.stat().st_size if output.exists() else 0))
                if loads:
                    judged[tool] = "equal" if place.ask(SUMS.format("loaded")) == place.expected else "DIFFERENT"
                else:
                    judged[tool] = options.judge(output) if output.exists() else ""
    return {tool: ([statistics.median(column) for column in zip(*rows)], judged[tool]) for tool, rows in figures.items()}
