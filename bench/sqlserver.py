"""haul and its peers at SQL Server: clients measured against tds-replay (tds_replay.c).

bench.py calls run(). What a server answers to each client's questions about the table is
recorded once by the tests' TDS server (PostgreSQL behind it, the table empty); rows come
from a prepared stream (tds_stream.py), and bulk loads go into a sink that counts them.
Nothing is encrypted; haul hashes what it writes, the others do not.
"""
import contextlib
import json
import os
import re
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import threading
from csv import reader
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROWS = int(os.environ.get("HAUL_BENCH_ROWS", 1_000_000))
CARGO = Path(os.environ.get("HAUL_CACHE", Path.home() / ".cache" / "haul")) / "cargo"
KINDS = {"varchar": ROWS, "nvarchar": ROWS, "mixed": min(200_000, ROWS)}
QUERY = "SELECT * FROM dbo.{table}"
LOGIN = "Server=127.0.0.1,{port};Database=master;UID=sa;PWD=Secret1;Encrypt=no;TrustServerCertificate=yes"
HAUL = os.environ.get("HAUL", str(ROOT / "build" / "haul"))
READ = {
    "haul": [HAUL, "copy", "mssql://sa@127.0.0.1:{port}/master?encrypt=disable", "{output}", "--table", "dbo.{table}", "--workers", "1", "--memory", "224MiB", "-q"],
    "mssql-python + pyarrow": "import mssql_python as m, pyarrow.parquet as q\nr = m.connect('" + LOGIN + "').cursor().execute('" + QUERY + "').arrow_reader()\n"
                              "with q.ParquetWriter('{output}', r.schema, compression='zstd') as w:\n  [w.write_batch(b) for b in r]",
    "ConnectorX": "import connectorx as c, pyarrow.parquet as q\n"
                  "q.write_table(c.read_sql('mssql://sa:Secret1@127.0.0.1:{port}/master?encrypt=false&trust_server_certificate=true', '" + QUERY + "', return_type='arrow'), '{output}', compression='zstd')",
    "odbc2parquet + FreeTDS": ["odbc2parquet", "-q", "query", "--connection-string", "Driver={driver};Server=127.0.0.1;Port={port};Database=master;UID=sa;PWD=Secret1;TDS_Version=7.4;Encryption=off;ClientCharset=UTF-8",
                               "--column-compression-default", "zstd", "{output}", QUERY],
}
LOAD = {
    "haul": [HAUL, "copy", "{input}", "mssql://clerk@127.0.0.1:{port}/master?encrypt=disable", "--table", "dbo.{table}", "--workers", "1", "--memory", "224MiB", "-q"],
    "mssql-python bulkcopy_arrow": "import mssql_python as m, pyarrow.parquet as q\nf = q.ParquetFile('{input}'); c = m.connect('" + LOGIN + "', autocommit=True).cursor()\n"
                                   "[c.bulkcopy_arrow('dbo.{table}', b, table_lock=True, timeout=900) for b in f.iter_batches(100000)]",
    "mssql-python bulkcopy": "import mssql_python as m, pyarrow.parquet as q\nf = q.ParquetFile('{input}'); c = m.connect('" + LOGIN + "', autocommit=True).cursor()\n"
                             "c.bulkcopy('dbo.{table}', (r for b in f.iter_batches(10000) for r in zip(*(x.to_pylist() for x in b.columns))), table_lock=True, timeout=900)",
    "freebcp, from text": ["freebcp", "dbo.{table}", "in", "{text}", "-c", "-t", "|", "-S", "127.0.0.1:{port}", "-U", "sa", "-P", "Secret1", "-D", "master", "-b", "100000", "-h", "TABLOCK"],
}
PEER = str(ROOT / "tests" / "support" / "judges" / "pybutt_peer.py")
PLACE = ["-s", "127.0.0.1,{port}", "-d", "master", "-t", "{table}", "--no-encrypt", "-c", "--memory", "224MiB"]
TWO = ", 2 workers"  # and two files; the others have one of each
# The table has no key: two workers read it by checksum, which PyButt does without being told.
# haul's import is by a login that may neither keep a ledger nor make staging tables: no recording could answer for those. So its two workers write
# into the table itself (that rows may be set aside asks for this); PyButt's have staging tables, which the server takes for made.
EXPORT = {"haul": [HAUL, "export", *PLACE, "-u", "sa", "-o", "{output}"], "haul" + TWO: [HAUL, "export", *PLACE, "-u", "sa", "-o", "{output}", "-w", "2", "-f", "2", "-R", "1048576", "--split", "checksum", "--key", "l_orderkey"],
          **{f"PyButt, {engine}{many}": ["pybutt", PEER, "export", "127.0.0.1,{port}", "{table}", "{output}", engine, *("22" if many else "11")] for engine in ("mssql-python", "pyodbc") for many in ("", TWO)}}
IMPORT = {"haul": [HAUL, "import", "{manifest}", *PLACE, "-u", "clerk"], "haul" + TWO: [HAUL, "import", "{manifest}", *PLACE, "-u", "clerk", "-w", "2", "--max-errors", "0"],
          **{f"PyButt, mssql-python{many}": ["pybutt", PEER, "import", "127.0.0.1,{port}", "{table}", "{folder}", "mssql-python", *("22" if many else "11")] for many in ("", TWO)}}
WAYS = {"read": READ, "load": LOAD, "export": EXPORT, "import": IMPORT}
TASKS = {"pybutt-export": ("export", "varchar"), "pybutt-import": ("import", "varchar"), **{f"mssql-parquet-{kind}": ("read", kind) for kind in KINDS}, **{f"parquet-mssql-{kind}": ("load", kind) for kind in KINDS}}
DRIVERS = sorted(Path("/usr/lib").glob("*/odbc/libtdsodbc.so"))
os.environ.update(SQLCMDPASSWORD="Secret1", PYBUTT_ENCRYPT="no", PYBUTT_DRIVER=str(DRIVERS[-1]) if DRIVERS else "FreeTDS")  # haul's, pybutt_peer.py's


def words_of(tool, command, python, fill):
    """The command of a tool, or None where it is not installed."""
    if isinstance(command, str):
        return [python, "-c", command.format(**fill)]
    if command[0] == "pybutt":
        program = pybutt()
    else:
        program = command[0] if os.path.exists(command[0]) else shutil.which(command[0]) or (command[0] == "odbc2parquet" and odbc2parquet())
    if not program or ("{driver}" in str(command) and not DRIVERS):
        print(f"{tool} is not installed: left out", file=sys.stderr)
        return None
    return [program, *(word.format(**fill) for word in command[1:])]


def pybutt():
    """The Python of PyButt's virtual environment (tests/support/judges), or None."""
    sys.path.insert(0, str(ROOT / "tests" / "support" / "judges"))
    import judges
    try:
        return str(judges.PyButt().python)
    except judges.Missing as why:
        print(why, file=sys.stderr)
        return None


def odbc2parquet():
    """Built once from crates.io, where cargo and unixODBC's headers are: minutes."""
    program = CARGO / "bin" / "odbc2parquet"
    if not program.exists() and shutil.which("cargo") and Path("/usr/include/sql.h").exists():
        print("building odbc2parquet, once", file=sys.stderr)
        subprocess.run(["cargo", "install", "-q", "odbc2parquet", "--version", "11.0.1", "--root", CARGO], check=False)
    return str(program) if program.exists() else None


def tools(way, kind):
    return {name: command for name, command in WAYS[way].items() if kind == "varchar" or name == "haul" or not name.startswith("freebcp")}


def halves(python, kind, csv, stream, parquet):
    """The same rows as two streams and two Parquet files, made once."""
    streams, parquets = ([path.with_name(f"{path.name}.{n}") for n in (0, 1)] for path in (stream, parquet))
    for n in (0, 1):
        if not streams[n].exists():
            subprocess.run([python, ROOT / "bench" / "tds_stream.py", kind, csv, str(KINDS[kind]), streams[n], str(n), "2"], check=True)
        if not parquets[n].exists():
            code = f"import pyarrow.parquet as q; t = q.read_table('{{0}}'); h = t.num_rows // 2; q.write_table(t.slice(h * {n}, h), '{{1}}', compression='zstd')"
            subprocess.run([python, "-c", code.format(parquet, parquets[n])], check=True)
            subprocess.run([python, "-c", code.format(f"{parquet}.few", f"{parquets[n]}.few")], check=True)
    return streams, parquets


def files(python, kind, csv, cache):
    """(stream, parquet, text) of a kind, made once; beside each input one of few rows, for record()."""
    rows = KINDS[kind]
    stream, parquet, text = cache / f"tds-{kind}-{rows}.stream", cache / f"tds-{kind}-{rows}.parquet", cache / f"lineitem-{ROWS}.txt"
    if not stream.exists():
        subprocess.run([python, ROOT / "bench" / "tds_stream.py", kind, csv, str(rows), str(stream)], check=True)
    if not parquet.exists():
        empty = cache / "no-rules"
        empty.write_bytes(b"")
        with Replay(empty, stream, "bench") as replay:
            subprocess.run([HAUL, "copy", f"mssql://sa@127.0.0.1:{replay.port}/master?encrypt=disable", parquet, "--query", "SELECT * FROM bench", "--workers", "1", "-q"], check=True)
        subprocess.run([python, "-c", f"import pyarrow.parquet as q; q.write_table(q.read_table('{parquet}').slice(0, 1000), '{parquet}.few')"], check=True)
    if not text.exists():
        with open(csv) as source, open(text, "w") as target, open(f"{text}.few", "w") as few:
            next(source)
            for number, row in enumerate(islice(reader(source), ROWS)):
                target.write("|".join(row) + "\n")
                few.write("|".join(row) + "\n" if number < 1000 else "")
    return stream, parquet, text


class Replay:
    def __init__(self, rules, stream, table):
        self.rows = self.bytes = 0  # of bulk loads, known at the end
        self.words = [ROOT / "build" / "bench" / "tds-replay", rules, f"{table}", *(stream if isinstance(stream, list) else [stream])]

    def __enter__(self):
        self.process = subprocess.Popen([str(word) for word in self.words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        for line in self.process.stdout:
            rows, size = map(int, line.split())
            self.rows, self.bytes = self.rows + rows, self.bytes + size
        self.process.wait(10)


class Relay:
    """Lets a client log in that insists on TLS for its password (ConnectorX, haul export); then bytes pass as they are."""

    def __init__(self, target, folder):
        self.target, self.folder = target, folder

    def __enter__(self):
        sys.path.insert(0, str(ROOT / "tests" / "support"))
        from tds import tls
        self.context = tls.make_context(*tls.make_certificate(self.folder), strict=False)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def accept(self):
        while True:
            try:
                near, _address = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.greet, args=(near,), daemon=True).start()

    def greet(self, near):
        from tds import packet, prelogin, tls
        from tds.faults import Faults
        channel, far = packet.Channel(near, Faults()), socket.create_connection(("127.0.0.1", self.target))
        back = packet.Channel(far, Faults())
        _kind, _status, asked = channel.read_message()
        self.send(channel, packet.REPLY, prelogin.answer(prelogin.parse(asked), prelogin.OFF)[0])
        tls.start_wrapped(channel, self.context)
        _kind, _status, login = channel.read_message()
        self.send(back, packet.PRELOGIN, asked)
        back.read_message()
        self.send(back, packet.LOGIN7, login)
        for one, other in ((near, far), (far, near)):
            threading.Thread(target=self.pump, args=(one, other), daemon=True).start()

    @staticmethod
    def send(channel, kind, data):
        channel.begin(kind)
        channel.write(data)
        channel.end()

    @staticmethod
    def pump(one, other):
        try:
            for data in iter(lambda: one.recv(1 << 20), b""):
                other.sendall(data)
        except OSError:
            pass
        other.close()


def fill_of(port, output, parquet, text, table, tool=""):
    """What the commands' places in braces stand for; a folder with PyButt's manifest is made for the input."""
    parts = [f"{parquet.removesuffix('.few')}.{n}{'.few' if parquet.endswith('.few') else ''}" for n in (0, 1)] if tool.endswith(TWO) else [parquet]
    folder = Path(f"{parquet}.manifest{len(parts)}")
    folder.mkdir(exist_ok=True)
    for number, part in enumerate(parts):
        if not (folder / f"part{number}.parquet").exists():
            os.link(part, folder / f"part{number}.parquet")
    (folder / f"dbo_{table}_manifest.json").write_text(json.dumps({"version": 2, "type": "files", "entries": [f"part{n}.parquet" for n in range(len(parts))]}))
    return {"port": port, "output": output, "input": parquet, "text": text, "table": table, "driver": DRIVERS[-1] if DRIVERS else "", "folder": folder,
            "manifest": folder / f"dbo_{table}_manifest.json"}


class Bench:
    """One task: its files, its rules, its tools in turn."""

    def __init__(self, name, python, csv, folder):
        self.way, self.kind = TASKS[name]
        self.python, self.folder, self.table = python, folder, f"bench_{self.kind}"
        self.stream, self.parquet, self.text = files(python, self.kind, csv, csv.parent)
        self.streams = [self.stream]
        if self.way in ("export", "import"):
            self.streams, _parquets = halves(python, self.kind, csv, self.stream, self.parquet)
        self.rules = folder / "rules"
        subprocess.run([python, __file__, self.way, self.kind, self.parquet, self.text, self.rules], check=True)

    def fill(self, port, output, tool="haul"):
        return fill_of(port, output, str(self.parquet), self.text, self.table, tool)

    def once(self, tool, command, measure, threads):
        """(CPU s, wall s, peak MiB, bytes), what was checked; None when the tool is not there."""
        output = self.folder / (tool.split()[0].strip(",") + ".parquet")
        shutil.rmtree(output) if output.is_dir() else output.unlink(missing_ok=True)
        if self.way == "export":
            output.mkdir()
        with contextlib.ExitStack() as stack:
            replay = stack.enter_context(Replay(self.rules, self.streams if tool.endswith(TWO) else self.stream, self.table))
            front = stack.enter_context(Relay(replay.port, self.folder)) if tool == "ConnectorX" or "--no-encrypt" in command else replay
            words = words_of(tool, command, self.python, self.fill(front.port, output, tool))
            if not words:
                return None
            figures = measure(words, self.folder, threads)
        if self.way in ("load", "import"):
            return (*figures, replay.bytes), "equal" if replay.rows == KINDS[self.kind] else f"{replay.rows} ROWS"
        size = sum(path.stat().st_size for path in (output.glob("*.parquet") if output.is_dir() else [output]))
        return (*figures, size), self.judge(output / "*.parquet" if output.is_dir() else output)

    def judge(self, output):
        """Rows, and each column's sum (numbers with decimals) or hash, by DuckDB, against haul's file made by another run."""
        code = """
import sys, duckdb
duckdb.sql("SET enable_progress_bar = false")  # a slow machine's bar would stand among the sums
for f in sys.argv[1:]:
    items = ["count(*)"]
    for name, kind, *_ in duckdb.sql(f"DESCRIBE FROM '{f}'").fetchall():
        numeric = kind.startswith(("DECIMAL", "DOUBLE", "FLOAT"))
        items.append(f"printf('%.6e', sum(\\"{name}\\"::DOUBLE))" if numeric else f"count(\\"{name}\\")" if kind == "BLOB" else f"bit_xor(hash(lower(\\"{name}\\"::VARCHAR)))")
    print(duckdb.sql(f"SELECT {', '.join(items)} FROM '{f}'").fetchall()[0])
"""
        done = subprocess.run([self.python, "-c", code, self.parquet, output], capture_output=True, text=True)
        lines = [line.strip("()").split(", ") for line in done.stdout.splitlines()]
        if len(lines) != 2:
            return "unreadable: " + (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
        wrong = [number for number, (one, other) in enumerate(zip(*lines)) if one != other]
        return "equal" if not wrong else f"{len(wrong)} columns DIFFERENT: " + ", ".join(f"{number}" for number in wrong)

    def instructions(self):
        """Instructions for each value of haul, by room, as callgrind counts them."""
        profile, output = self.folder / "callgrind.out", self.folder / "callgrind.parquet"
        for path in (profile, output):
            path.unlink(missing_ok=True)
        command = WAYS[self.way]["haul"]
        with Replay(self.rules, self.stream, self.table) as replay:
            words = [str(word).format(**self.fill(replay.port, output)) for word in command]
            subprocess.run(["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={profile}", *words], check=True)
        values = KINDS[self.kind] * (44 if self.kind == "mixed" else 16)
        counts = {}
        rooms = rooms_of_symbols()
        for line in subprocess.run(["callgrind_annotate", "--threshold=100", profile], capture_output=True, text=True).stdout.splitlines():
            found = re.match(r"\s*([\d,]+) \(\s*[\d.]+%\)\s+\S+?:(\S+) \[(.*)\]", line)
            if found:
                library = Path(found.group(3)).name
                symbol = re.sub(r"('\d+|\.(part|constprop|isra|cold).*)$", "", found.group(2))
                room = rooms.get(symbol, "haul, elsewhere") if library.startswith(("libhaul", "haul")) else library.split(".so")[0]
                room = "hashing" if "hash_batch" in symbol or symbol.startswith("XXH") else room
                counts[room] = counts.get(room, 0) + int(found.group(1).replace(",", "")) / values
        return dict(sorted(counts.items(), key=lambda item: -item[1]))


def rooms_of_symbols():
    """function: the folder of src/ it stands in, by the object files of the build."""
    rooms = {}
    for path in (ROOT / "build" / "src").glob("**/*.o"):
        inside = path.relative_to(ROOT / "build" / "src").parts
        room = "/".join(part for part in inside[:-1] if not part.endswith(".p")) or path.name.removesuffix(".c.o")
        for line in subprocess.run(["nm", path], capture_output=True, text=True).stdout.splitlines():
            word = line.split()
            if len(word) == 3 and word[1] in "tT":
                rooms[word[2].split(".")[0]] = room
    return rooms


def run(name, python, csv, measure, options):
    """{tool: (figures, judged)} of a task, as bench.py's run_task gives it."""
    folder = Path(options.work) / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    subprocess.run(["ninja", "-C", ROOT / "build", "bench/tds-replay"], check=True, capture_output=True)
    bench, figures, judged = Bench(name, python, csv, folder), {}, {}
    for _ in range(options.runs):
        for tool, command in tools(bench.way, bench.kind).items():
            try:
                once = bench.once(tool, command, measure, options.threads)
            except SystemExit as failure:
                if tool == "haul" and bench.way in ("read", "export"):
                    raise
                print(f"{tool} cannot do {name} here: {str(failure).splitlines()[-1]}", file=sys.stderr)
                continue
            if once:
                figures.setdefault(tool, []).append(once[0])
                judged[tool] = once[1]
    if options.instructions:
        print(f"{name}: instructions for each value: " + ", ".join(f"{room} {count:.1f}" for room, count in bench.instructions().items() if count >= 0.5), file=sys.stderr)
    return {tool: ([statistics.median(column) for column in zip(*rows)], judged[tool]) for tool, rows in figures.items()}


def claim(server, rows):
    """From now on its statistics speak of so many rows: what is cut in two by them is not cut by the one row that is there."""
    import psycopg2
    connection = psycopg2.connect(**server.dsn)
    with connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE OR REPLACE FUNCTION tds.row_count(id oid) RETURNS bigint LANGUAGE sql AS 'SELECT {rows}::bigint'")
    connection.close()


def record(way, kind, parquet, text, out, python):
    """Runs each tool against the tests' server with an empty table; what it asked, and was answered."""
    sys.path.insert(0, str(ROOT / "tests" / "support"))
    from tds import prelogin
    from tds.server import Server
    from tds_stream import ddl
    told = {}
    with Server(encryption=prelogin.OFF, users={"sa": "Secret1"}) as server:
        for tool, command in tools(way, kind).items():
            server.ask(f"DROP TABLE IF EXISTS dbo.bench_{kind}", f"CREATE TABLE dbo.bench_{kind} ({ddl(kind)})")
            if way in ("load", "import"):  # haul's login may not keep a ledger, whose rows no recording could answer for
                server.ask("CREATE LOGIN clerk WITH PASSWORD = 'Secret1'", f"GRANT SELECT, INSERT ON dbo.bench_{kind} TO clerk")
            if way == "export":  # PyButt refuses an empty table
                claim(server, KINDS[kind])
                server.ask(f"INSERT INTO dbo.bench_{kind} VALUES (1, 1, 1, 1, 1, 1, 1, 1, 'A', 'A', '2024-02-29', '2024-02-29', '2024-02-29', '', '', '')")
            output = Path(f"{out}.tmp.parquet")
            fill = fill_of(server.port, output, str(parquet) + ".few", f"{text}.few", f"bench_{kind}", tool)
            words = words_of(tool, command, python, fill)
            server.recorded = {}
            if words:
                shutil.rmtree(output) if output.is_dir() else output.unlink(missing_ok=True)
                if way == "export":
                    output.mkdir()
                done = subprocess.run(words, capture_output=True, text=True, timeout=120)
                if done.returncode:
                    print(f"{tool} against the tests' server: {(done.stdout + done.stderr)[-600:]}", file=sys.stderr)
            told.update(server.recorded)
    write_rules(told, kind, way in ("load", "import"), out)


def write_rules(told, kind, loads, out):
    """What tds-replay answers to which statement; rows of the table come from the stream instead."""
    from tds_stream import ddl
    whole = b"\x81" + struct.pack("<H", len(ddl(kind).split(", ")))
    with open(out, "wb") as file:
        for statement, answer in told.items():
            plain = statement.decode("utf-16-le", "replace").lower()
            rows = answer.startswith(whole) and not any(word in plain for word in ("top (0)", "where 1 = 0", "where 1=0", "fmtonly"))
            if loads or not rows:
                file.write(struct.pack("<I", len(statement)) + statement + struct.pack("<I", len(answer)) + answer)


if __name__ == "__main__":
    record(*sys.argv[1:3], *map(Path, sys.argv[3:6]), sys.executable)
