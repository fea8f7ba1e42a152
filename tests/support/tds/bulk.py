"""INSERT BULK: the statement, then one message of rows (specification section 14).

Rows are decoded from the packets as they come and streamed into COPY. What PostgreSQL
cannot hold exactly keeps its payload in the side column. The wire type may be another
than the column's (SQL Server converts); a stricter personality (personality.py) refuses
that, and asks for the closing DONE and padded char values. The bytes of the first rows
of each load are kept as they came (Kept), so that a test can compare what two clients sent.
"""
import psycopg2

from . import objects, packet, tokens, types
from .ddl import Cursor, parse_type, split_commas
from .errors import SqlError, from_postgres
from .output import Output
from .translate import pg_name, quote, side_name, six_digits
from .types import BYTES, LONG, MAX, STRINGS, WIDE


class Bulk:
    def __init__(self, table, columns, declared, hints):
        self.table, self.columns, self.declared, self.hints = table, columns, declared, hints


def prepare(session, one, output):
    """INSERT BULK: remembers the target; the rows come with the next message."""
    cursor = Cursor(one.tokens[2:])
    parts = cursor.parts()
    found = session.catalog.find(parts)
    if found is None:
        raise SqlError(208, f"Invalid object name '{'.'.join(parts)}'.")
    columns, declared = [], []
    for part in split_commas(cursor.group()) if cursor.peek() == "(" else []:
        inner = Cursor(part)
        name = inner.name()
        column = found.column(name)
        if column is None:
            raise SqlError(207, f"Invalid column name '{name}'.")
        if column.computed is not None or column.type.name == "rowversion":
            raise SqlError(271, f"The column \"{name}\" cannot be modified because it is either a computed column or is the result of a UNION operator.")
        columns.append(column)
        declared.append(parse_type(inner) if inner.peek() else column.type)
    hints = set()
    if cursor.accept("WITH"):
        hints = {part[0].upper for part in split_commas(cursor.group())}
    if "ORDER" in hints and not session.server.personality.order_hint:
        raise SqlError(102, "Incorrect syntax near 'ORDER'.", 15)
    load = Bulk(found, columns or found.insertable(), declared, hints)
    require(session, load)
    session.bulk = load
    output.done()


def require(session, load):
    """INSERT and SELECT; ALTER too, where the load would switch something off."""
    schema, name = load.table.place
    objects.require(session, "INSERT", schema, name)
    objects.require(session, "SELECT", schema, name)
    quiet = "FIRE_TRIGGERS" not in load.hints and session.fetch("SELECT 1 FROM pg_trigger WHERE tgrelid = %s AND NOT tgisinternal AND tgname <> '~rowversion'", (load.table.oid,))
    unchecked = "CHECK_CONSTRAINTS" not in load.hints and constraints(session, load.table)
    if quiet or unchecked or any(column.identity for column in load.columns):
        objects.require(session, "ALTER", schema, name)


def constraints(session, table):
    """CHECK and FOREIGN KEY constraints of a table: (name, definition); not those that stand for a type's range."""
    return session.fetch("SELECT conname, regexp_replace(pg_get_constraintdef(oid), ' NOT VALID$', '') FROM pg_constraint WHERE conrelid = %s AND contype IN ('c', 'f')"
                         " AND pg_get_constraintdef(oid) NOT LIKE '%%>= 0) AND (%%<= 255)%%'", (table.oid,))


class Kept:
    """The wire bytes of a load's first rows: sent, the Type of each column as the client sent it; rows of payloads."""
    ROWS = 5000

    def __init__(self, columns):
        self.columns, self.sent, self.rows = [column.name for column in columns], [], []


class Stream:
    """The bytes of a bulk message, packet by packet, with take() for types.unframe."""

    def __init__(self, session):
        self.session, self.channel = session, session.channel
        self.data, self.pos = b"", 0
        self.ended = self.ignored = False
        self.total = 0

    def more(self):
        """One more packet; False at the end of the message."""
        if self.ended:
            return False
        kind, status, payload = self.channel.read_packet()
        if kind == packet.ATTENTION:
            self.ended = self.ignored = True
            return False
        if kind != packet.BULK:
            raise packet.Bad(f"packet type {kind:#x} where bulk data was due")
        self.data = self.data[self.pos:] + payload
        self.pos = 0
        self.total += len(payload)
        cut = self.session.server.faults.cut_in_bulk
        if cut is not None and self.total >= cut:
            self.session.server.faults.spend("cut_in_bulk")
            raise packet.Closed("cut in a bulk load by a fault")
        self.ended = bool(status & packet.EOM)
        self.ignored = bool(status & packet.IGNORE)
        return True

    def take(self, count):
        if len(self.data) - self.pos < count:
            self.gather(count)
        piece = self.data[self.pos:self.pos + count]
        self.pos += count
        return piece

    def gather(self, count):
        """At least count bytes in one piece; a value of many packets is joined once."""
        pieces, have = [self.data[self.pos:]], len(self.data) - self.pos
        while have < count:
            self.data, self.pos = b"", 0
            if not self.more():
                raise SqlError(4804, "While reading current row from host, a premature end-of-message was encountered.")
            pieces.append(self.data)
            have += len(self.data)
        self.data, self.pos = b"".join(pieces), 0

    def at_end(self):
        while self.pos >= len(self.data):
            if not self.more():
                return True
        return False

    def drain(self):
        while self.more():
            self.pos = len(self.data)

    def u8(self):
        return self.take(1)[0]

    u16 = packet.Reader.u16
    u32 = packet.Reader.u32
    u64 = packet.Reader.u64
    b_varchar = packet.Reader.b_varchar
    us_varchar = packet.Reader.us_varchar


class Rows:
    """A file of COPY text lines over a bulk stream."""

    def __init__(self, session, load, stream):
        self.session, self.load, self.stream = session, load, stream
        self.count, self.failure, self.rest, self.read_to = 0, None, b"", 0
        self.ended = False
        self.cells, self.kept = [], Kept(load.columns)

    def metadata(self):
        stream = self.stream
        if stream.at_end() or stream.u8() != 0x81:
            raise SqlError(4002, "The incoming tabular data stream (TDS) protocol stream is incorrect. The stream ended unexpectedly.")
        count = stream.u16()
        if count != len(self.load.columns):
            raise SqlError(4817, f"The bulk data has {count} columns where {len(self.load.columns)} were declared.")
        for number, column in enumerate(self.load.columns, 1):
            stream.u32()
            stream.u16()
            sent = types.read_info(stream, bulk=True)
            stream.b_varchar()
            check_type(self.session, number, sent, column)
            self.cells.append((number, sent, column))
            self.kept.sent.append(sent)

    def read(self, size):
        """What COPY calls. A failure is kept, since the driver would only quote it."""
        try:
            while len(self.rest) - self.read_to < size and not self.ended:
                self.rest, self.read_to = self.rest[self.read_to:] + self.lines(), 0
        except BaseException as failure:
            self.failure = failure
            raise
        data = self.rest[self.read_to:self.read_to + size]
        self.read_to += len(data)
        return data

    def lines(self):
        out, before = [], self.stream.total
        for _ in range(200):
            if self.stream.total - before > 1 << 20:
                break  # large values go on their way one by one
            line = self.row()
            if line is None:
                self.ended = True
                break
            out.append(line)
        return "".join(out).encode()

    def row(self):
        stream = self.stream
        if stream.at_end():
            if self.session.server.personality.bulk_needs_done:
                raise SqlError(4804, "A premature end-of-message was encountered: no DONE.")
            return None
        token = stream.u8()
        if token == tokens.DONE:
            stream.drain()
            return None
        if token != 0xD1:
            raise SqlError(4804, f"Unexpected token {token:#x} in a bulk load.")
        self.count += 1
        due = self.session.server.faults.bulk_row(self.count)
        if due:
            raise SqlError(due[0], "An error asked for by the test.", due[1])
        fields, payloads = [], []
        for number, sent, column in self.cells:
            payload = sent.unframe(stream)
            payloads.append(payload)
            if payload is None and not column.type.nullable and (column.default is None or "KEEP_NULLS" in self.load.hints):
                raise SqlError(515, f"Cannot insert the value NULL into column '{column.name}', table '{self.load.table.name}'; column does not allow nulls. INSERT fails.")
            fields += self.cell(number, sent, column, payload)
        if self.count <= Kept.ROWS:
            self.kept.rows.append(payloads)
        return "\t".join(fields) + "\n"

    def cell(self, number, sent, column, payload):
        """The COPY fields of a cell: its value, and its payload where that is kept."""
        kind = column.type
        if payload is None:
            return ["\\N", "\\N"] if kind.inexact else ["\\N"]
        check_length(self.session, number, sent, kind, payload)
        value = value_text(sent, kind, payload)
        if not kind.inexact:
            return [copy_text(value)]
        same = sent.name == kind.name and sent.scale == kind.scale
        payload = payload if same else kind.encode(value)
        return [copy_text(six_digits(value)), "\\\\x" + payload.hex()]


def value_text(sent, kind, payload):
    """PostgreSQL's text of a cell for a column, converted where the two types differ."""
    if kind.name == "sql_variant" and sent.name != "sql_variant":
        return "\\x" + types.variant_make(sent, payload).hex()
    if kind.name in BYTES or kind.name == "udt":
        data = payload.ljust(kind.length, b"\0") if kind.name == "binary" else payload
        return "\\x" + data.hex()
    value = sent.decode(payload)
    if kind.name == "xml":
        return value.removeprefix("\ufeff")
    return value


def copy_text(value):
    if "\\" in value or "\n" in value or "\t" in value or "\r" in value:
        return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    return value


def family(kind):
    if kind.name in ("decimal", "numeric"):
        return ("decimal", kind.precision, kind.scale)
    if kind.name in STRINGS or kind.name in LONG or kind.name in ("xml", "udt"):
        name = "bytes" if kind.name in BYTES or kind.name == "udt" else "wide" if kind.name in WIDE else "narrow"
        return (name, kind.name if kind.name in ("char", "nchar", "binary") else "")
    return (kind.name, kind.scale)


def check_type(session, number, sent, column):
    if sent.name in ("xml", "null") or (not session.server.personality.bulk_converts and family(sent) != family(column.type)):
        raise SqlError(4816, f"Invalid column type from bcp client for colid {number}.")


def check_length(session, number, sent, kind, payload):
    size = len(payload)
    wrong = kind.name in STRINGS and kind.length != MAX and sent.name in STRINGS and family(sent)[0] == family(kind)[0] and size > kind.length
    wrong = wrong or (sent.name in WIDE and size % 2)
    wrong = wrong or (sent.name in STRINGS and sent.length not in (MAX, 0) and size > sent.length)
    if session.server.personality.bulk_needs_padding and kind.name in ("char", "nchar", "binary") and size != kind.length:
        wrong = True
    if wrong:
        raise SqlError(4815, f"Received an invalid column length from the bcp client for colid {number}.")


def receive(session):
    """Takes the bulk message that follows INSERT BULK, loads it, and answers."""
    load, stream = session.bulk, Stream(session)
    session.bulk = None
    rows = Rows(session, load, stream)
    failure, cancelled = None, False
    try:
        session.engine.guard(lambda: copy(session, load, rows), waiting=False)
    except SqlError as error:
        failure = rows.failure if isinstance(rows.failure, SqlError) else error
        if isinstance(rows.failure, (packet.Closed, packet.Bad)):
            raise rows.failure from error
    stream.drain()
    cancelled = stream.ignored
    output = Output(session.channel, session.server.faults)
    if failure and not cancelled:
        session.fail(failure, output)
        if session.xact_abort and session.engine.depth:
            session.end_transaction(output, 10, session.engine.rollback)
    elif not cancelled:
        session.row_count = rows.count
        session.server.cells[load.table.name] = rows.kept
        session.server.loads.append((load.table.name, rows.count, sorted(load.hints)))
        output.done(tokens.BULK_INSERT, rows.count)
    output.end()


def copy(session, load, rows):
    rows.metadata()
    names, defaults = [], []
    for column in load.columns:
        names.append(quote(column.name))
        if column.type.inexact:
            names.append(quote(side_name(column.name)))
        if column.default is not None and "KEEP_NULLS" not in load.hints:
            defaults.append(column)
    if "TABLOCK" in load.hints:
        session.run("SELECT pg_advisory_xact_lock_shared(%s)", (load.table.oid,))
    session.run(f"SET LOCAL tds.quiet = {'off' if 'FIRE_TRIGGERS' in load.hints else 'on'}")
    unchecked = [] if "CHECK_CONSTRAINTS" in load.hints else constraints(session, load.table)
    for name, _definition in unchecked:
        session.run(f'ALTER TABLE {load.table.pg} DROP CONSTRAINT "{name}"')
    cursor = session.engine.cursor
    view = session.fetch("SELECT 1 FROM pg_class WHERE oid = %s AND relkind = 'v'", (load.table.oid,))  # COPY cannot write through one
    target = "pg_temp.\"~load\"" if defaults or view else load.table.pg
    if defaults or view:
        session.run(f"CREATE TEMP TABLE \"~load\" ON COMMIT DROP AS SELECT {', '.join(names)} FROM {load.table.pg} LIMIT 0")
    try:
        cursor.copy_expert(f"COPY {target} ({', '.join(names)}) FROM STDIN", rows, 65536)
    except psycopg2.Error as failure:
        raise from_postgres(failure) from failure
    if rows.stream.ignored:
        raise SqlError(0, "ignored")
    if defaults or view:
        fill_defaults(session, load, names, defaults)
    move_identity(session, load)
    for name, definition in unchecked:  # not trusted any more
        session.run(f'ALTER TABLE {load.table.pg} ADD CONSTRAINT "{name}" {definition} NOT VALID')
    session.run("SET LOCAL tds.quiet = off")


def fill_defaults(session, load, names, defaults):
    """NULL takes the column's default, as SQL Server does without KEEP_NULLS."""
    items = list(names)
    for column in defaults:
        rows = session.fetch("SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum"
                             " WHERE d.adrelid = %s AND a.attname = %s", (load.table.oid, pg_name(column.name)))
        items[names.index(quote(column.name))] = f"coalesce({quote(column.name)}, {rows[0][0]})"
    session.run(f"INSERT INTO {load.table.pg} ({', '.join(names)}) SELECT {', '.join(items)} FROM pg_temp.\"~load\"")
    session.run("DROP TABLE pg_temp.\"~load\"")


def move_identity(session, load):
    for column in load.columns:
        if column.identity:
            session.run(f"SELECT setval(pg_get_serial_sequence(%s, %s), greatest((SELECT max({quote(column.name)}) FROM {load.table.pg}), 1))",
                        (load.table.pg, pg_name(column.name)))

