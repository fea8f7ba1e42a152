"""Real servers for tests, each in a temporary folder of its own.

A server listens on loopback only, on a free port, with TLS on and a certificate
made for it; it runs as an unprivileged user (also when the tests run as root) and
is stopped by the process id that was started, nothing else. Nothing of the
machine's own servers is touched.

    with Postgres() as server:
        server.sql("CREATE TABLE t (a int)")
        uri = server.uri()
"""
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

PASSWORD = "canary-Pa55 w@rd/ü"


class Missing(Exception):
    """The server's programs are not installed."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def certificate(folder, name="server", hosts="DNS:localhost,IP:127.0.0.1", days=30):
    """A self-signed certificate: folder/name.crt and .key."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", str(days), "-subj", f"/CN={name}",
                    "-addext", f"subjectAltName={hosts}", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt"],
                   check=True, capture_output=True)


class Postgres:
    """PostgreSQL from the system's packages."""

    ADMIN = "admin"

    def __init__(self, **settings):
        self.programs = self.find()
        self.settings = settings
        self.port = free_port()
        self.process = None
        self.account = None
        if os.geteuid() == 0:
            try:
                self.account = pwd.getpwnam("postgres")
            except KeyError:
                raise Missing("no user postgres to run the server as") from None
        self.folder = Path(tempfile.mkdtemp(prefix="haul-pg-"))
        self.data = self.folder / "data"

    @staticmethod
    def find():
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[-3]))
        if found:
            return found[-1].parent
        if shutil.which("postgres"):
            return Path(shutil.which("postgres")).parent
        raise Missing("PostgreSQL's server is not installed")

    def as_user(self):
        """Arguments for Popen that drop root."""
        if not self.account:
            return {}
        return {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}

    def own(self, *paths):
        for path in paths:
            if self.account:
                os.chown(path, self.account.pw_uid, self.account.pw_gid)

    def __enter__(self):
        password = self.folder / "password"
        password.write_text(PASSWORD)
        self.own(self.folder, password)
        subprocess.run([self.programs / "initdb", "-D", self.data, "-A", "scram-sha-256", "-U", self.ADMIN, "--pwfile", password,
                        "-E", "UTF8", "--locale=C.UTF-8", "-N"], check=True, capture_output=True, cwd="/", **self.as_user())
        certificate(self.folder)
        os.chmod(self.folder / "server.key", 0o600)
        self.own(self.folder / "server.key", self.folder / "server.crt")
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        words = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.folder, "ssl": "on",
                 "ssl_cert_file": self.folder / "server.crt", "ssl_key_file": self.folder / "server.key", "max_connections": 60,
                 "shared_buffers": "64MB", "log_min_messages": "warning", **self.settings}
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen([self.programs / "postgres", "-D", self.data,
                                             *[word for key, value in words.items() for word in ("-c", f"{key}={value}")]],
                                            stdout=log, stderr=log, cwd="/", **self.as_user())
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            if self.psql("SELECT 1", check=False).returncode == 0:
                return
            time.sleep(0.1)
        raise RuntimeError("the server did not start:\n" + (self.folder / "log").read_text()[-2000:])

    def stop(self, how=signal.SIGINT):
        """SIGINT is the server's fast shutdown, SIGQUIT its immediate one."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def crash(self):
        """SIGKILL to the server and its sessions, found by their parent's id."""
        parent = self.process.pid
        children = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and self.parent(entry) == parent]
        self.process.kill()
        for child in children:
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.process = None
        time.sleep(0.3)

    @staticmethod
    def parent(entry):
        try:
            return int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError):
            return -1

    def environment(self, user=None, password=PASSWORD, database="postgres"):
        return {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": user or self.ADMIN, "PGPASSWORD": password,
                "PGDATABASE": database, "PGCLIENTENCODING": "UTF8", "PATH": os.environ["PATH"]}

    def uri(self, user=None, password=None, database="postgres", port=None, more=""):
        """Without a password: it comes from PGPASSWORD."""
        secret = ":" + quote(password, safe="") if password is not None else ""
        return f"postgresql://{quote(user or self.ADMIN)}{secret}@127.0.0.1:{port or self.port}/{database}{more}"

    def psql(self, sql, check=True, separator="|", **who):
        return subprocess.run([self.programs / "psql", "-XAtq", "-F", separator, "-v", "ON_ERROR_STOP=1", "-c", sql], check=check,
                              capture_output=True, text=True, env=self.environment(**who))

    def sql(self, *statements, **who):
        """Runs them; the last one's rows as text, columns with | between."""
        text = ""
        for statement in statements:
            done = self.psql(statement, check=False, **who)
            assert done.returncode == 0, f"{statement}\n{done.stderr}"
            text = done.stdout
        return text.rstrip("\n")

    def rows(self, query, **who):
        """A query's rows by the server's own COPY in text format: exact, without a driver."""
        return sorted(self.sql(f"COPY ({query}) TO STDOUT", **who).splitlines())
