"""The SQL servers of the tests behind one face, so that a test is written once.

An engine is a running server (a session's fixture) with one empty database and the
accounts that the documentation promises to be enough: loader writes, reader reads,
nobody_much may log in. `sql` is the administrator's; its rows are tab-separated text.
"""
import os
import signal
import time

from servers import PASSWORD

ROWS = 3000
WHOLE = [str(ROWS), str(ROWS), "1124625", "name 999 é"]


class Engine:
    plain = ""  # URI parameters without TLS, so that a proxy can read

    def __init__(self, server):
        self.server = server

    def lines(self, text):
        return [line.split("\t") for line in self.sql(text).splitlines()]

    def one(self, text):
        rows = self.lines(text)
        return rows[0][0] if rows else ""

    def whole(self, table="o"):
        """All rows of orders.parquet, each once?"""
        return [cell.removesuffix(".0") for cell in self.lines(f"SELECT count(*), count(DISTINCT id), sum(price), max(name) FROM {table}")[0]] == WHOLE

    def count(self, table="o"):
        return int(self.one(f"SELECT count(*) FROM {table}"))

    def units(self):
        """Units in the ledger; -1 while there is none."""
        return int(self.one("SELECT count(*) FROM haul_units")) if self.exists("haul_units") else -1

    def wait_units(self, least, process, seconds=30):
        until = time.monotonic() + seconds
        while time.monotonic() < until and process.poll() is None and self.units() < least:
            time.sleep(0.02)
        return self.units() >= least

    def clean(self):
        return self.staging() == [] and self.units() in (-1, 0)


class PostgresEngine(Engine):
    name, plain, secret = "postgres", "?sslmode=disable", "PGPASSWORD"
    MAKE = "CREATE TABLE {} (id int PRIMARY KEY, name varchar(100), price double precision)"
    quote = staticmethod(lambda name: '"' + name.replace('"', '""') + '"')

    def reset(self):
        self.server.psql("DROP DATABASE IF EXISTS shop WITH (FORCE)")
        self.server.sql("CREATE DATABASE shop")
        for role in ("loader", "reader", "nobody_much"):
            self.server.psql(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'", check=False)
            self.server.sql(f"ALTER ROLE {role} RESET ALL", f"ALTER ROLE {role} CONNECTION LIMIT -1")
        self.server.sql("GRANT CREATE, USAGE ON SCHEMA public TO loader", "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader",
                        "ALTER DEFAULT PRIVILEGES FOR ROLE loader GRANT SELECT ON TABLES TO reader", database="shop")

    def sql(self, text):
        done = self.server.psql(text, check=False, database="shop", separator="\t")
        assert done.returncode == 0, f"{text}\n{done.stderr}"
        return done.stdout.rstrip("\n")

    def uri(self, user="loader", port=None, plain=False, more=""):
        return self.server.uri(user=user, database="shop", port=port, more=self.plain if plain else more)

    def make(self, table="o"):
        self.sql(self.MAKE.format(table) + f"; ALTER TABLE {table} OWNER TO loader")

    def slow(self, table, seconds):
        """Each load of a unit takes so long."""
        self.sql(f"CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep({seconds}); RETURN NULL; END';"
                 f"CREATE TRIGGER slow AFTER INSERT ON {table} FOR EACH STATEMENT EXECUTE FUNCTION slow()")

    def exists(self, table):
        return self.one(f"SELECT to_regclass('public.{table}') IS NOT NULL") == "t"

    def staging(self):
        return self.lines("SELECT relname FROM pg_class WHERE relname LIKE '%\\_\\_haul\\_%' AND relkind = 'r'")

    def end_sessions(self, user="loader"):
        """As an administrator who shuts down."""
        return int(self.one(f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '{user}'"))

    def crash(self):
        self.server.crash()

    def read_only(self, on):
        self.server.sql(f"ALTER SYSTEM SET default_transaction_read_only = {'on' if on else 'off'}", "SELECT pg_reload_conf()")

    def limit_connections(self, count):
        self.server.sql(f"ALTER ROLE loader CONNECTION LIMIT {count}")


class MySqlEngine(Engine):
    plain, secret = "?ssl-mode=disabled", "MYSQL_PWD"
    MAKE = "CREATE TABLE {} (id int PRIMARY KEY, name varchar(100), price double) ENGINE=InnoDB"
    quote = staticmethod(lambda name: "`" + name.replace("`", "``") + "`")

    def __init__(self, server):
        super().__init__(server)
        self.name = server.NAME

    def reset(self):
        root = self.server.root
        root("DROP DATABASE shop; CREATE DATABASE shop CHARACTER SET utf8mb4")
        for user, grants in (("reader", "SELECT, LOCK TABLES"), ("nobody_much", "")):
            root(f"DROP USER IF EXISTS {user}@'127.0.0.1', {user}@'localhost'")
            for host in ("127.0.0.1", "localhost"):
                root(f"CREATE USER {user}@'{host}' IDENTIFIED BY '{PASSWORD}'")
                if grants:
                    root(f"GRANT {grants} ON shop.* TO {user}@'{host}'")

    def sql(self, text):
        return self.server.sql(text)

    def uri(self, user="loader", port=None, plain=False, more=""):
        return self.server.uri(user=user, port=port, more=self.plain if plain else more)

    def make(self, table="o"):
        self.sql(self.MAKE.format(table))

    def slow(self, table, seconds):
        """Each row of a unit of 100 takes a hundredth of it."""
        self.sql(f"CREATE TRIGGER slow_{table} BEFORE INSERT ON {table} FOR EACH ROW DO SLEEP({seconds / 100})")

    def exists(self, table):
        return self.one(f"SELECT count(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = '{table}'") == "1"

    def staging(self):
        return self.lines("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop'"
                          " AND (TABLE_NAME LIKE '%\\_\\_haul\\_%' OR TABLE_COMMENT LIKE 'haul run%')")

    def end_sessions(self, user="loader"):
        ids = self.server.root(f"SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '{user}'").split()
        for session in ids:
            self.server.client(f"KILL {session}", check=False)
        return len(ids)

    def crash(self):
        os.kill(self.server.process.pid, signal.SIGKILL)
        self.server.process.wait()

    def read_only(self, on):
        self.server.root(f"SET GLOBAL read_only = {int(on)}")

    def limit_connections(self, count):
        for host in ("127.0.0.1", "localhost"):
            self.server.root(f"ALTER USER loader@'{host}' WITH MAX_USER_CONNECTIONS {max(count, 0)}")


def engine(name, request):
    """By the name of a session's fixture."""
    server = request.getfixturevalue(name)
    made = PostgresEngine(server) if name == "postgres" else MySqlEngine(server)
    made.reset()
    return made
