"""One client's session: requests in, answers out.

The statements of a batch run one by one (statement.py); results become tokens here.
RPC is rpc.py, bulk load is bulk.py.
"""
import re
import traceback
import uuid

from . import bulk, packet, rpc, script, statement, text, tokens
from .catalog import Catalog, from_postgres
from .engine import CHUNK
from .errors import CONTINUE, Cancelled, SqlError, quoted
from .output import Output
from .packet import Reader
from .translate import Untranslated, literal
from .types import NUMBERS, Type

VERSION_TEXT = "Microsoft SQL Server 2022 (RTM) - 16.0.1000.6 (X64) \n\tTest stand-in of haul, PostgreSQL behind"


TEXTS = {1205: "Transaction (Process ID 51) was deadlocked on lock resources with another process and has been chosen as the deadlock victim. Rerun the transaction.",
         40501: "The service is currently busy. Retry the request after 10 seconds. Code: 0.", 10928: "Resource ID : 1. The request limit for the database is 30 and has been reached.",
         40197: "The service has encountered an error processing your request. Please try again.", 40613: "Database 'master' on server 'HAULTEST' is not currently available."}

OWN_NUMBER = 33557097  # of a server that speaks TDS and is PostgreSQL inside; beyond all numbers of SQL Server
OWN_WORDS = {208: 'relation "{}" does not exist', 207: 'column "{}" does not exist', 229: "permission denied for table {}",
             1222: "canceling statement due to lock timeout", 2812: 'procedure "{}" does not exist', 2760: 'schema "{}" does not exist',
             102: 'syntax error near "{}"', 262: "permission denied for database {}"}


class Session:
    def __init__(self, server, channel, engine, login):
        self.server, self.channel, self.engine, self.login = server, channel, engine, login
        self.catalog = Catalog(self)
        engine.deaf = self.deaf
        self.database = login.database or "master"
        self.variables, self.prepared, self.next_handle = {}, {}, 1
        self.nocount = self.xact_abort = self.fmt_only = False
        self.identity_insert = None
        self.row_count, self.error = 0, 0
        self.last_error = None
        self.descriptor = b"\0" * 8
        self.bulk = None
        self.temporary = []
        self.trigger = False
        self.limited = bool(engine.fetch("SELECT 1 FROM tds.limited WHERE login = lower(%s)", (login.user,)))
        engine.run("INSERT INTO tds.sessions SELECT %s, pg_backend_pid(), %s, %s, %s", (channel.spid, login.app, login.user, login.host))
        for name, value in (("db", self.database), ("user", login.user), ("host", login.host), ("app", login.app)):
            engine.setting(name, value)

    def deaf(self):
        """Whether this session ignores attention."""
        return bool(self.server.faults.deaf) or not (self.server.personality.attention or self.login.app == self.server.OWN)

    # Shortcuts -----------------------------------------------------------------------
    def fetch(self, sql, arguments=None):
        return self.engine.fetch(sql, arguments)

    def run(self, sql, arguments=None):
        return self.engine.run(sql, arguments)

    @staticmethod
    def word_tokens(words):
        return script.tokenize(words)

    def lock_table(self, table):
        schema, name = self.catalog.place([part.name for part in table.parts])
        self.run(f'LOCK TABLE "{schema}"."{name}" IN EXCLUSIVE MODE' if schema else "SELECT 1")

    def variable_sql(self, name):
        if name.startswith("@@"):
            return self.global_sql(name[2:].upper())
        found = self.variables.get(name.lower())
        if found is None:
            raise SqlError(137, f'Must declare the scalar variable "{name}".', 15, 2)
        return literal(*found)

    def global_sql(self, name):
        values = {"VERSION": VERSION_TEXT, "SERVERNAME": tokens.SERVER, "LANGUAGE": "us_english", "SERVICENAME": "MSSQLSERVER"}
        numbers = {"SPID": self.channel.spid, "TRANCOUNT": self.engine.depth, "ROWCOUNT": self.row_count, "ERROR": self.error,
                   "MAX_PRECISION": 38, "MICROSOFTVERSION": 0x100003E8, "OPTIONS": 5496, "LOCK_TIMEOUT": -1, "FETCH_STATUS": -1,
                   "TEXTSIZE": 2147483647, "DATEFIRST": 7, "NESTLEVEL": 0, "LANGID": 0, "PROCID": 0}
        if name in values:
            return f"N'{values[name]}'"
        if name == "IDENTITY":
            return "tds_scope_identity()"
        if name == "DBTS":
            return "CAST(0x" + "0" * 16 + " AS varbinary(8))"
        if name not in numbers:
            raise SqlError(137, f'Must declare the scalar variable "@@{name}".', 15, 2)
        return f"CAST({numbers[name]} AS int)"

    def side_value(self, node, column):
        return statement.side_value(node, column)

    def variant_value(self, node, translator):
        return statement.variant_value(node, translator)

    def evaluate(self, tokens_, kind):
        return statement.evaluate(self, tokens_, kind)

    def close(self):
        """What ends with a session: its transaction, its temporary tables, its row among the sessions."""
        if self.engine.connection.closed:
            return
        self.run("ROLLBACK")
        for oid, label in self.temporary:
            self.run(f"DROP TABLE IF EXISTS {label}")
            self.run("DELETE FROM tds.tables WHERE object_id = %s", (oid,))
        self.run("DELETE FROM tds.sessions WHERE session_id = %s", (self.channel.spid,))

    # Requests ------------------------------------------------------------------------
    def serve(self):
        while True:
            if self.bulk:
                bulk.receive(self)
                continue
            kind, status, payload = self.channel.read_message()
            if status & packet.IGNORE:
                Output(self.channel, self.server.faults).end()
            elif kind == packet.ATTENTION:
                if not self.deaf():
                    Output(self.channel, self.server.faults).end_cancelled()
            else:
                self.request(kind, status, payload)

    def request(self, kind, status, payload):
        self.channel.record = None if self.server.recorded is None else bytearray()
        output = Output(self.channel, self.server.faults, kind == packet.RPC)
        if status & (packet.RESET | packet.RESET_KEEP):
            self.reset(output)
        reader = Reader(payload)
        failed = False
        try:
            self.headers(reader)
            if kind == packet.BATCH:
                source = text.from_wide(bytes(reader.take(reader.left())))
                self.server.log(source)
                self.variables = {}
                self.batch(source, output)
            elif kind == packet.RPC:
                rpc.run(self, reader, output)
            elif kind == packet.TRANSACTION:
                self.transaction_request(reader, output)
            else:
                raise packet.Bad(f"packet type {kind:#x}")
        except Cancelled:
            output.end_cancelled()
            return
        except SqlError as error:
            self.fail(error, output)
            failed = True
        except (packet.Closed, packet.Bad, ConnectionError):
            raise
        except Exception as why:  # our own mistake: the client hears of it, and the test too
            self.server.failures.append(traceback.format_exc())
            self.fail(SqlError(50000, f"the test server failed: {why!r}"), output)
            failed = True
        output.end(failed)
        if self.server.recorded is not None and kind != packet.TRANSACTION and not self.bulk:
            self.server.recorded[payload[int.from_bytes(payload[:4], "little"):]] = bytes(self.channel.record)

    def fail(self, error, output):
        if self.server.personality.own_numbers and self.login.app != self.server.OWN and error.number in OWN_WORDS:
            error = SqlError(OWN_NUMBER, OWN_WORDS[error.number].format(quoted(error.text)), 16)
        self.error = error.number
        output.message(error)
        if error.number in (1205, 3960) and self.engine.depth:
            self.end_transaction(output, 10, self.engine.rollback)
        if error.number in (2627, 2601, 515, 547):
            output.message(SqlError(3621, "The statement has been terminated.", 0))
        output.done(failed=True)
        if error.severity >= 20:
            output.end(failed=True)
            raise packet.Closed(f"an error of class {error.severity}")

    @staticmethod
    def headers(reader):
        total = reader.u32()
        reader.take(total - 4)

    def reset(self, output):
        if self.engine.depth:
            self.engine.rollback()
        self.nocount = self.xact_abort = False
        output.write(tokens.env_text(18, "", ""))

    # Transactions --------------------------------------------------------------------
    def begin_transaction(self, output):
        first = self.engine.depth == 0
        self.engine.begin()
        self.engine.setting("trancount", self.engine.depth)
        if first:
            self.descriptor = uuid.uuid4().bytes[:8]
            output.write(tokens.env_bytes(8, self.descriptor, b""))

    def commit_transaction(self, output):
        if self.engine.depth == 0:
            raise SqlError(3902, "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.")
        faults = self.server.faults
        last = self.engine.depth == 1
        if last and faults.hold_commit:
            faults.spend("hold_commit").wait(60)
        lost = faults.spend("lose_commit") if last else None
        if lost == "before":
            raise packet.Closed("cut before the COMMIT by a fault")
        if last:
            self.end_transaction(output, 9, self.engine.commit)
        else:
            self.engine.commit()
        if lost == "after":
            raise packet.Closed("cut after the COMMIT by a fault")

    def end_transaction(self, output, kind, action):
        action()
        self.engine.setting("trancount", 0)
        output.write(tokens.env_bytes(kind, b"", self.descriptor))
        self.descriptor = b"\0" * 8

    def transaction_request(self, reader, output):
        kind = reader.u16()
        if kind == 5:
            level = reader.u8()
            self.engine.isolation = level or self.engine.isolation
            self.begin_transaction(output)
        elif kind in (7, 8):
            reader.take(2 * reader.u8())
            again = reader.u8() & 1 if reader.left() else 0
            if kind == 7:
                self.commit_transaction(output)
            elif self.engine.depth:
                self.end_transaction(output, 10, self.engine.rollback)
            if again:
                self.begin_transaction(output)
        elif kind == 9:
            self.run("SAVEPOINT named")
        else:
            raise SqlError(50000, f"transaction manager request {kind} is not spoken here")
        output.done(tokens.COMMIT)

    # Batches -------------------------------------------------------------------------
    def refuse(self, source):
        """What this personality does not know; the test's own sessions may ask anything."""
        for pattern in () if self.login.app == self.server.OWN else self.server.personality.refused:
            if re.search(pattern, source, re.IGNORECASE):
                raise SqlError(OWN_NUMBER, f"'{pattern}' is not currently supported")

    def batch(self, source, output):
        self.refuse(source)
        try:
            block = script.parse(source)
        except script.SyntaxError102 as failure:
            raise SqlError(102, str(failure), 15, line=failure.line) from failure
        statement.run_block(self, block, output)

    def guarded_statement(self, one, output):
        """Runs a simple statement; errors that let the batch go on are answered here."""
        faults = self.server.faults
        due = faults.statement(one.text)
        if due:
            raise SqlError(due[0], TEXTS.get(due[0], "An error asked for by the test."), due[1], 51)
        if faults.endless_info and (faults.matching or "") in one.text and faults.spend("endless_info"):
            while True:  # until the client has had enough
                output.write(tokens.message(0, "and so on " * 40, 0))
        try:
            statement.run_simple(self, one, output)
            self.error = 0
        except (Untranslated, script.SyntaxError102) as failure:
            raise SqlError(102, str(failure), 15, line=one.line) from failure
        except SqlError as error:
            error.line = one.line
            self.last_error = error
            if self.xact_abort and self.engine.depth:
                self.end_transaction(output, 10, self.engine.rollback)
            if self.xact_abort or error.number not in CONTINUE or statement.in_try(self):
                raise
            self.fail(error, output)

    # Results -------------------------------------------------------------------------
    def select(self, query, output):
        """Runs a query; a SELECT by a cursor, so that rows flow while they are read.

        Waiting for PostgreSQL can be cancelled; rows are sent from this thread."""
        engine = self.engine
        if self.fmt_only:
            query.sql = f"SELECT * FROM ({query.sql}) AS x LIMIT 0"
        cursor = engine.connection.cursor()
        stream = query.kind == "SELECT"

        def first():
            cursor.execute("DECLARE rows NO SCROLL CURSOR FOR " + query.sql if stream else query.sql)
            return more() if stream else cursor.fetchall()

        def more():
            cursor.execute(f"FETCH {CHUNK} FROM rows")
            return cursor.fetchall()

        def whole():
            rows = engine.wait_for(first)
            result = Result(self, query, cursor.description, rows, output)
            while rows:
                result.send(rows)
                rows = engine.wait_for(more) if stream and len(rows) == CHUNK else []
            if stream:
                cursor.execute("CLOSE rows")
            return result.count

        try:
            return engine.guard(whole, waiting=False)
        finally:
            cursor.close()


class Result:
    """A result set on its way out."""

    def __init__(self, session, query, description, rows, output):
        self.session, self.output, self.count = session, output, 0
        width = len(description) - query.sides
        self.width = width
        columns, self.encoders = [], []
        expected = query.columns if len(query.columns) == width else [None] * width
        for number, column in enumerate(description[:width]):
            name, kind, flags, side = self.column(column, expected[number], [row[number] for row in rows[:200]])
            columns.append((name, kind, flags))
            self.encoders.append((number, side, kind.encode, kind.frame, None if kind.name in NUMBERS and not kind.nullable else kind.frame(None)))
        output.write(output.lie(tokens.column_metadata(columns)))

    def column(self, column, expected, sample):
        origin = self.session.catalog.origin(column.table_oid, column.table_column) if column.table_oid else None
        name = expected.name if expected else column.name
        side = expected.side if expected and expected.side != "" else None
        if origin:
            base, kind, flags = origin
            same = expected is None or name.lower() == base.lower()
            return (base if same else name), self.as_nullable(kind, sample), flags, side
        kind = expected.type if expected and expected.type else None
        if kind is None or kind.name == "null":
            kind = from_postgres(column.type_code, (column.precision or 0) << 16 | (column.scale or 0) + 4 if column.type_code == 1700 and column.precision and column.precision <= 38 else None, sample)
        return ("" if name == "?column?" else name), Type(**{**kind.__dict__, "nullable": True}), 1, side

    @staticmethod
    def as_nullable(kind, sample):
        """A NOT NULL column on the outer side of a join can hold NULL all the same."""
        return Type(**{**kind.__dict__, "nullable": True}) if any(value is None for value in sample) else kind

    def send(self, rows):
        faults, write, channel = self.session.server.faults, self.output.write, self.session.channel
        for row in rows:
            self.count += 1
            if faults.error_at_row:
                due = faults.row(self.count)
                if due:
                    raise SqlError(due[0], "An error asked for by the test.", due[1])
            write(self.encode(row))
            if self.count % 200 == 0 and not self.session.deaf() and channel.attention_waiting():
                raise Cancelled()

    def encode(self, row):
        cells, nulls = [], 0
        for number, side, encode, frame, null in self.encoders:
            value = row[number]
            if value is None:
                cells.append(null)
                nulls += 1
            elif side is not None and row[side] is not None:
                cells.append(frame(bytes(row[side])))
            else:
                cells.append(frame(encode(value)))
        if nulls and nulls * 4 >= len(cells) and len(cells) > 3:
            bits = bytearray((len(cells) + 7) // 8)
            for number, *_ in self.encoders:
                if row[number] is None:
                    bits[number >> 3] |= 1 << (number & 7)
                    cells[number] = b""
            return b"\xd2" + bytes(bits) + b"".join(cells)
        return b"\xd1" + b"".join(cells)


def env_database(session, name):
    old, session.database = session.database, name
    session.engine.setting("db", name)
    return tokens.env_text(1, name, old) + tokens.message(5701, f"Changed database context to '{name}'.", 0, 2)

