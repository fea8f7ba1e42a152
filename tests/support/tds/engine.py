"""One session's connection to PostgreSQL: statements, transactions, and waiting that
an attention can end.

SQL Server goes on with a transaction after most errors, PostgreSQL does not: inside a
transaction every statement runs under a savepoint. SNAPSHOT is REPEATABLE READ there.
"""
import contextlib
import select
import socket
import threading

import psycopg2
import psycopg2.extensions as ext

from .errors import Cancelled, SqlError, from_postgres

AS_TEXT = ext.new_type((1082, 1083, 1114, 1184, 1266, 1186), "MOMENT", lambda value, cursor: value)
ISOLATIONS = {1: "READ COMMITTED", 2: "READ COMMITTED", 3: "REPEATABLE READ", 4: "SERIALIZABLE", 5: "REPEATABLE READ"}
CHUNK = 2000


class Engine:
    def __init__(self, dsn, channel):
        self.connection = psycopg2.connect(**dsn)
        self.connection.autocommit = True
        ext.register_type(AS_TEXT, self.connection)
        self.cursor = self.connection.cursor()
        self.channel, self.deaf = channel, lambda: False
        self.depth = 0
        self.isolation = 2
        self.number = 0
        self.cursor.execute("SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET search_path = tds, pg_catalog; SET standard_conforming_strings = on")

    def close(self):
        self.connection.close()

    def fetch(self, sql, arguments=None):
        self.cursor.execute(sql, arguments)
        return self.cursor.fetchall()

    def run(self, sql, arguments=None):
        self.cursor.execute(sql, arguments)
        return self.cursor.rowcount

    def setting(self, name, value):
        self.cursor.execute("SELECT set_config(%s, %s, false)", (f"tds.{name}", str(value)))

    # Waiting -------------------------------------------------------------------------
    def wait_for(self, work):
        """Runs work() in a thread, watching the client for an attention meanwhile.

        However it ends, also by a client that is gone, work() is over by then: were it still
        to come, it would find the transaction rolled back, and its statement would stay."""
        here, there = socket.socketpair()
        result = {}

        def body():
            try:
                result["value"] = work()
            except BaseException as failure:  # handed to the caller below
                result["failure"] = failure
            finally:
                with contextlib.suppress(OSError):  # nobody listens when the client is gone
                    there.send(b"x")

        worker = threading.Thread(target=body, daemon=True)
        worker.start()
        ended = True  # by the client: attention, or the end of its connection
        try:
            ended = self.attention_before(here)
        finally:
            while worker.is_alive():
                if ended:
                    self.connection.cancel()  # again, since one that comes before the statement does nothing
                worker.join(0.05)
            here.close()
            there.close()
        if ended:
            raise Cancelled()
        if "failure" in result:
            raise result["failure"]
        return result.get("value")

    def attention_before(self, done):
        """Whether an attention comes before there is something to read from `done`."""
        while True:
            ready = select.select([done, self.channel.sock], [], [])[0]
            if done in ready:
                return False
            if self.deaf():
                select.select([done], [], [])
                return False
            if self.channel.attention_waiting():
                return True

    # Transactions --------------------------------------------------------------------
    def begin(self):
        if self.depth == 0:
            self.run(f"BEGIN ISOLATION LEVEL {ISOLATIONS[self.isolation]}")
        self.depth += 1

    def commit(self):
        if self.depth == 1:
            self.run("COMMIT")
        self.depth = max(0, self.depth - 1)

    def rollback(self):
        self.run("ROLLBACK")
        self.depth = 0

    def guard(self, work, waiting=True):
        """work() as one statement: all of it or nothing, whatever the transaction.

        Without waiting it runs in this thread, and calls wait_for() itself."""
        inside = self.depth > 0
        self.run("SAVEPOINT statement" if inside else "BEGIN")
        try:
            value = self.wait_for(work) if waiting else work()
            self.run("RELEASE SAVEPOINT statement" if inside else "COMMIT")
            return value
        except psycopg2.Error as failure:
            self.undo(inside)
            error = from_postgres(failure)
            raise error from failure
        except (Cancelled, SqlError):
            self.undo(inside)
            raise
        except BaseException:
            self.undo(inside)
            raise

    def undo(self, inside):
        if self.connection.closed:
            return
        self.run("ROLLBACK TO SAVEPOINT statement; RELEASE SAVEPOINT statement" if inside else "ROLLBACK")
