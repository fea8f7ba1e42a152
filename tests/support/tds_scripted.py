"""A TDS server that answers with bytes a test prepared: what a real server may send but ours does not.

    with Scripted({"FROM dbo.T": rows([("id", Type("int"))], [(b"...",)])}) as server: ...

Connection, TLS and login are those of tds/; no engine is behind it. The first rule whose
text stands in the statement answers it; every other statement is answered by a plain DONE.
A rule is bytes, or a function of the statement (and of the channel, to misbehave).
"""
import struct
import traceback

from tds import packet, text, tokens
from tds.server import Server


class Scripted(Server):
    def __init__(self, rules, rpc=None, **more):
        super().__init__(postgres=self, **more)
        self.rules, self.rpc = rules, rpc
        self.asked = []
        self.greeting = None  # bytes in place of the answer to LOGIN7
        self.packet_bytes = None

    def prepare_postgres(self):
        pass

    def has_database(self, name):
        return True

    def answer_login(self, channel, who, strict):
        if self.greeting is None:
            return super().answer_login(channel, who, strict)
        self.reply(channel, self.greeting(channel) if callable(self.greeting) else self.greeting)
        return True

    def connection(self, sock, spid):
        channel = packet.Channel(sock, self.faults, spid)
        self.channels.add(channel)
        try:
            if self.greet(channel):
                channel.packet_size = self.packet_bytes or channel.packet_size
                channel.sent = 0
                while True:
                    self.one(channel)
        except (packet.Closed, ConnectionError, OSError):
            pass
        except Exception:
            self.failures.append(traceback.format_exc())
        finally:
            self.channels.discard(channel)
            sock.close()

    def one(self, channel):
        kind, _status, payload = channel.read_message()
        if kind == packet.ATTENTION:
            if not self.faults.deaf:
                self.reply(channel, tokens.done(tokens.DONE, tokens.ATTENTION_BIT))
            return
        statement = text.from_wide(payload[22:]) if kind == packet.BATCH else payload
        self.asked.append(statement)
        if kind == packet.RPC and self.rpc:
            self.reply(channel, self.rpc(payload))
            return
        for marker, answer in self.rules.items():
            if kind == packet.BATCH and marker in statement:
                answer = answer(statement, channel) if callable(answer) else answer
                if answer is not None:
                    self.reply(channel, answer)
                return
        self.reply(channel, tokens.done(tokens.DONE, 0))


def rows(columns, cells, nbc=False):
    """A whole result: columns are (name, Type[, flags]); each row a tuple of cells as on the wire."""
    described = [(name, kind, *(flags or [1 if kind.nullable else 0])) for name, kind, *flags in columns]
    parts = [tokens.column_metadata(described)]
    for row in cells:
        if nbc:
            bits = bytearray((len(row) + 7) // 8)
            for number, cell in enumerate(row):
                bits[number >> 3] |= (cell is None) << (number & 7)
            parts.append(b"\xd2" + bytes(bits) + b"".join(cell for cell in row if cell is not None))
        else:
            parts.append(b"\xd1" + b"".join(row))
    return b"".join(parts) + tokens.done(tokens.DONE, tokens.COUNT, tokens.SELECT, len(cells))


def chunks(data, sizes, total=None):
    """A (max) value in chunks of these sizes (the last repeats), its length untold unless given."""
    head = struct.pack("<Q", 0xFFFFFFFFFFFFFFFE if total is None else total)
    pos, parts = 0, []
    while pos < len(data):
        size = sizes[min(len(parts), len(sizes) - 1)]
        piece = data[pos:pos + size]
        parts.append(struct.pack("<I", len(piece)) + piece)
        pos += size
    return head + b"".join(parts) + b"\0\0\0\0"
