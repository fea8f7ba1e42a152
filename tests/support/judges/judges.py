"""Clients of SQL Server in other languages, compiled when a test first asks for them.

    jdbc = judges.Jdbc(); jdbc.read(server, "SELECT ..."); jdbc.copy(server, "SELECT ...", "dbo.target")

Jdbc is Microsoft's mssql-jdbc with SQLServerBulkCopy (Judge.java; Maven brings the jar), Go is
go-mssqldb with CopyIn (go/, sums checked). What is fetched and compiled lies in
HAUL_CACHE, named by version and source; nothing is expected to be there. Missing says
which tool is not installed.
"""
import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("HAUL_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "haul") / "judges"
JDBC = "13.4.0.jre11"


class Missing(Exception):
    """A toolchain is not installed."""


def tool(name):
    found = shutil.which(name)
    if not found:
        raise Missing(f"{name} is not installed")
    return found


def digest(*paths):
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:16]


def run(*words, timeout=300, **more):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=timeout, **more)
    assert done.returncode == 0, f"{' '.join(map(str, words))}: exit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def rows_of(text):
    return [line.split("\t") for line in text.splitlines()]


class Jdbc:
    name = "jdbc"

    def __init__(self):
        self.java = tool("java")
        self.jar = CACHE / f"mssql-jdbc-{JDBC}.jar"
        self.classes = CACHE / f"java-{JDBC}-{digest(HERE / 'Judge.java')}"
        CACHE.mkdir(parents=True, exist_ok=True)
        if not self.jar.exists():
            run(tool("mvn"), "-q", "-B", "dependency:copy", f"-Dartifact=com.microsoft.sqlserver:mssql-jdbc:{JDBC}", f"-DoutputDirectory={CACHE}", cwd=CACHE)
        if not (self.classes / "Judge.class").exists():
            run(tool("javac"), "-cp", self.jar, "-d", self.classes, HERE / "Judge.java")

    @staticmethod
    def url(server, user="sa", password=None, more="encrypt=true;trustServerCertificate=true"):
        secret = server.users.get(user, "") if password is None else password
        login = f"user={user};password={{{secret.replace('}', '}}')}}};" if user else ""
        return f"jdbc:sqlserver://localhost:{server.port};databaseName=master;{login}{more}"

    def call(self, url, *words, options=(), env=None):
        return run(self.java, "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-XX:+UseSerialGC", *options, "-cp", f"{self.classes}:{self.jar}", "Judge", url, *words,
                   env={**os.environ, **(env or {})})

    def read(self, server, query, **who):
        return rows_of(self.call(self.url(server, **who), "read", query))

    def copy(self, server, query, target):
        self.call(self.url(server), "copy", query, target)


class Go:
    name = "go"

    def __init__(self):
        go = tool("go")
        source = HERE / "go"
        self.program = CACHE / f"go-{digest(source / 'main.go', source / 'go.mod', source / 'go.sum')}"
        if not self.program.exists():
            CACHE.mkdir(parents=True, exist_ok=True)
            run(go, "build", "-mod=readonly", "-buildvcs=false", "-o", self.program, ".", cwd=source, env={**os.environ, "GOFLAGS": "", "GOTOOLCHAIN": "local"})

    @staticmethod
    def url(server, more="encrypt=true&TrustServerCertificate=true"):
        return f"sqlserver://sa:{quote(server.users['sa'], safe='')}@localhost:{server.port}?database=master&{more}"

    def read(self, server, query, more="encrypt=true&TrustServerCertificate=true"):
        return rows_of(run(self.program, self.url(server, more), "read", query))

    def copy(self, server, query, target):
        run(self.program, self.url(server), "copy", query, target)


class PyButt:
    """PyButt 2.0.1 in a virtual environment of its own; it wants Python 3.12 or newer."""
    name, VERSION = "pybutt", "2.0.1"

    def __init__(self):
        self.python = CACHE / f"pybutt-{self.VERSION}" / "bin" / "python"
        if not (self.python.parent / "pybutt").exists():
            run(self.newest(), "-m", "venv", self.python.parent.parent)
            run(self.python, "-m", "pip", "install", "-q", "--disable-pip-version-check", f"pybutt=={self.VERSION}", timeout=600)

    @staticmethod
    def newest():
        """A Python of 3.12 or newer: the first that answers."""
        kept = sorted(Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/3.1[2-9]*/bin/python"))
        for name in ("python3.12", "python3.13", "python3.14", "python3", *map(str, kept)):
            found = shutil.which(name)
            if found and subprocess.run([found, "-c", "import sys; sys.exit(sys.version_info < (3, 12))"], capture_output=True).returncode == 0:
                return found
        raise Missing("PyButt wants Python 3.12 or newer, which is not installed")

    def work(self, server, way, table, folder, source=None, engine="mssql-python", workers=1, file_count=1):
        return run(self.python, HERE / "pybutt_peer.py", way, f"127.0.0.1,{server.port}", table, folder, engine, workers, file_count, timeout=120,
                   env={**os.environ, "SQLCMDPASSWORD": server.users["sa"], "PYBUTT_SOURCE": source or table})
