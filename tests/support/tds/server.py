"""The listener: one thread for each connection; prelogin, TLS and login, then the session.

    with Server() as server:
        server.port, server.uri(), server.ask(sql), server.faults, server.log_lines

PostgreSQL is started by it (support/servers.py) unless one is handed in. For a person:
`python -m tds.server` in tests/support prints the port and runs until interrupted.
"""
import shutil
import socket
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psycopg2  # noqa: E402
from servers import PASSWORD as PG_PASSWORD  # noqa: E402
from servers import Postgres  # noqa: E402

from . import catalog, login, packet, prelogin, sspi, text, tls, tokens  # noqa: E402
from .engine import Engine  # noqa: E402
from .faults import Faults  # noqa: E402
from .personality import SQLSERVER  # noqa: E402
from .session import TEXTS, Session  # noqa: E402

PASSWORD = "Secr3t, [x]{y};é"


class Server:
    OWN = "the test itself"  # sessions of this program get an answer to attention, whatever the personality: pymssql waits for it

    def __init__(self, encryption=prelogin.ON, strict=True, postgres=None, users=None, personality=SQLSERVER, max_packet=32767):
        self.encryption, self.strict = encryption, strict
        self.users = users or {"sa": PASSWORD}
        self.access_tokens = {"a-token"}
        self.acceptor, self.principals = None, set()  # sspi.Acceptor and who may come by Kerberos
        self.personality, self.max_packet = personality, max_packet
        self.faults = Faults()
        self.routing = None
        self.log_lines, self.loads, self.logins, self.failures = [], [], [], []
        self.cells = {}  # table: the last bulk load of it, bulk.Kept
        self.postgres, self.own_postgres = postgres, postgres is None
        self.next_spid = 51
        self.recorded = None  # statement: answer, once set to {} (bench/sqlserver.py)
        self.channels = set()

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="haul-tds-"))
        self.certificate, self.key = tls.make_certificate(self.folder)
        self.contexts = {strict: tls.make_context(self.certificate, self.key, strict) for strict in (False, True)}
        if self.own_postgres:
            self.postgres = self.make_postgres()
            self.postgres.__enter__()
        self.prepare_postgres()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()
        for channel in list(self.channels):
            try:
                channel.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        if self.own_postgres:
            self.postgres.__exit__()
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def make_postgres():
        return Postgres(fsync="off", deadlock_timeout="200ms", ssl="off", autovacuum="off")

    def uri(self, database="master", user="sa", password=None, table=None, more="", scheme="mssql"):
        """The URI haul takes; without a password it has the user's own."""
        secret = self.users.get(user, "") if password is None else password
        path = f"/{quote(database)}" + (f"?{more}" if more else "")
        return f"{scheme}://{quote(user)}:{quote(secret, safe='')}@127.0.0.1:{self.port}{path}"

    def ask(self, *statements, **more):
        """Runs statements by pymssql; the rows of the last one."""
        import pymssql
        settings = {"user": "sa", "password": self.users["sa"], "database": "master", "autocommit": True, "appname": self.OWN, **more}
        with pymssql.connect(server="127.0.0.1", port=str(self.port), **settings) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else None

    def prepare_postgres(self):
        self.dsn = {"host": "127.0.0.1", "port": self.postgres.port, "user": self.postgres.ADMIN, "password": PG_PASSWORD, "dbname": "postgres"}
        connection = psycopg2.connect(**self.dsn)
        connection.autocommit = True
        name = f"tds_{id(self)}"
        connection.cursor().execute(f"CREATE DATABASE {name}")
        connection.close()
        self.dsn["dbname"] = name
        connection = psycopg2.connect(**self.dsn)
        with connection, connection.cursor() as cursor:
            catalog.install(cursor, self.personality)
        connection.close()

    def log(self, line):
        self.log_lines.append(line)

    def accept(self):
        while True:
            try:
                sock, _address = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.next_spid += 1
            threading.Thread(target=self.connection, args=(sock, self.next_spid), daemon=True).start()

    def connection(self, sock, spid):
        channel = packet.Channel(sock, self.faults, spid)
        self.channels.add(channel)
        engine = session = None
        try:
            who = self.greet(channel)
            if who:
                engine = Engine(self.dsn, channel)
                channel.sent = channel.received = 0
                channel.logged_in = True
                session = Session(self, channel, engine, who)
                session.serve()
        except (packet.Closed, ConnectionError, OSError) as why:
            self.log(f"({spid} ended: {why})")
        except Exception:
            self.failures.append(traceback.format_exc())
        finally:
            self.leave(channel, session)
            self.channels.discard(channel)
            if engine:
                engine.close()
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()

    def leave(self, channel, session):
        """The end of a session; a fault keeps an orphan's transaction open until KILL or clear()."""
        if not session:
            return
        kept = self.faults.spend("orphan") if session.engine.depth else None
        until = time.monotonic() + (kept or 0)
        while kept and time.monotonic() < until and not channel.killed and self.faults.orphans:
            time.sleep(0.02)
        try:
            session.close()
        except psycopg2.Error as why:
            self.log(f"({channel.spid} left: {why})")

    def kill(self, spid):
        """KILL: whether there was such a session."""
        found = [channel for channel in self.channels if channel.spid == spid]
        for channel in found:
            channel.killed = True
            try:
                channel.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        return bool(found)

    # Login ---------------------------------------------------------------------------
    def greet(self, channel):
        """PRELOGIN to LOGINACK; the Login, or None when refused."""
        strict = channel.sock.recv(1, socket.MSG_PEEK) == b"\x16"
        if strict:
            if not self.strict:
                raise packet.Closed("strict encryption is off")
            tls.start_strict(channel, self.contexts[True])
        kind, _status, payload = channel.read_message()
        if kind != packet.PRELOGIN:
            raise packet.Bad(f"packet type {kind:#x} where PRELOGIN was due")
        answer, mode = prelogin.answer(prelogin.parse(payload), self.encryption, strict)
        self.reply(channel, answer)
        if mode == "refuse":
            raise packet.Closed("no agreement on encryption")
        if mode != "none" and not strict:
            tls.start_wrapped(channel, self.contexts[False])
        kind, _status, payload = channel.read_message()
        if kind != packet.LOGIN7:
            raise packet.Bad(f"packet type {kind:#x} where LOGIN7 was due")
        if mode == "login":
            channel.tls = None
        who = login.parse(payload, self.personality.login_in_order)
        self.logins.append((who, mode, strict))
        return who if self.answer_login(channel, who, strict) else None

    @staticmethod
    def reply(channel, data):
        channel.begin()
        channel.write(data)
        channel.end()

    def integrated(self, channel, who):
        """The token that goes with LOGINACK of a login by SPNEGO or Kerberos; None when refused."""
        if not self.acceptor:
            return None
        exchange, token, done = self.acceptor.exchange(), who.sspi, False
        try:
            for _round in range(10):
                token, done = exchange.step(token)
                if done:
                    break
                self.reply(channel, tokens.sspi(token))
                kind, _status, token = channel.read_message()
                if kind != packet.SSPI:
                    raise packet.Bad(f"packet type {kind:#x} where SSPI was due")
        except sspi.Refused as why:
            self.log(f"(SSPI: {why})")
            return None
        who.user = exchange.user
        return token if done and who.user in self.principals else None

    def allowed(self, channel, who):
        if 2 not in who.features:
            return self.users.get(who.user) == who.password
        library, token = login.fedauth_token(who.features[2])
        if library == 2:
            self.reply(channel, tokens.fedauth_info("https://login.example/tenant", "https://database.windows.net/"))
            _kind, _status, payload = channel.read_message()
            size = int.from_bytes(payload[4:8], "little")
            token = payload[8:8 + size].decode("utf-16-le")
        return token in self.access_tokens

    def answer_login(self, channel, who, strict):
        last = b""
        if self.faults.login_error:
            number, severity = self.faults.spend("login_error")
            self.reply(channel, tokens.message(number, TEXTS.get(number, f"Login failed for user '{who.user}'."), severity, 1) + tokens.done(tokens.DONE, tokens.ERROR_BIT))
            return False
        if who.integrated:
            last = self.integrated(channel, who)
            if last is None:
                self.reply(channel, tokens.message(18452, "Login failed. The login is from an untrusted domain and cannot be used with Integrated authentication.", 14, 1)
                           + tokens.done(tokens.DONE, tokens.ERROR_BIT))
                return False
        elif not self.allowed(channel, who):
            self.reply(channel, tokens.message(18456, f"Login failed for user '{who.user}'.", 14, 1) + tokens.done(tokens.DONE, tokens.ERROR_BIT))
            return False
        size = max(512, min(who.packet_size or 4096, self.max_packet))
        database = who.database or "master"
        if not self.has_database(database):
            self.reply(channel, tokens.message(4060, f'Cannot open database "{database}" requested by the login. The login failed.', 11)
                       + tokens.message(18456, f"Login failed for user '{who.user}'.", 14) + tokens.done(tokens.DONE, tokens.ERROR_BIT))
            return False
        parts = [tokens.sspi(last)] if last else []
        parts += [tokens.env_text(1, database, "master"), tokens.message(5701, f"Changed database context to '{database}'.", 0, 2),
                 tokens.env_bytes(7, text.DEFAULT, b""), tokens.env_text(2, "us_english", ""),
                 tokens.message(5703, "Changed language setting to us_english.", 0, 1)]
        if self.routing:
            parts.append(tokens.env_routing(*self.routing))
        version = 0x08000000 if strict else max(0x71000001, min(0x74000004, who.tds_version))
        parts += [tokens.login_ack(version), tokens.env_text(4, str(size), "4096")]
        acks = [(10, b"\x01")] if 10 in who.features else []
        acks += [(2, b"")] if 2 in who.features else []
        if acks:
            parts.append(tokens.feature_ack(acks))
        parts.append(tokens.done(tokens.DONE, 0))
        self.reply(channel, b"".join(parts))
        channel.packet_size = size
        return True

    def has_database(self, name):
        connection = psycopg2.connect(**self.dsn)
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM tds.databases WHERE lower(name) = lower(%s)", (name,))
            found = cursor.fetchone()
        connection.close()
        return bool(found)


def main():
    with Server() as server:
        print(f"127.0.0.1 port {server.port}, user sa, password {PASSWORD}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
