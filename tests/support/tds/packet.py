"""TDS packets over a socket, in clear or inside TLS.

A message is one or more packets of one type, the last with EOM (specification
section 1). Channel reads packets and writes messages; it knows whether bytes go
through TLS, and asks the faults (faults.py) before each byte leaves. Only the thread
of the session may use it.
"""
import select
import struct

BATCH, RPC, REPLY, ATTENTION, BULK = 0x01, 0x03, 0x04, 0x06, 0x07
FEDAUTH, TRANSACTION, LOGIN7, SSPI, PRELOGIN = 0x08, 0x0E, 0x10, 0x11, 0x12
EOM, IGNORE, RESET, RESET_KEEP = 0x01, 0x02, 0x08, 0x10
HEADER = struct.Struct(">BBHHBB")


class Closed(Exception):
    """The other side went away."""


class Bad(Exception):
    """Bytes that are not TDS."""


class Channel:
    def __init__(self, sock, faults, spid=51):
        self.sock, self.faults, self.spid = sock, faults, spid
        self.tls = None
        self.packet_size = 4096
        self.sent = self.received = 0
        self.logged_in = False
        self.raw = bytearray()
        self.out = bytearray()
        self.kind, self.number = REPLY, 1
        self.killed = False
        self.record = None  # a copy of the answer, when it is asked for

    # Bytes ---------------------------------------------------------------------------
    def receive_some(self):
        if self.tls:
            data = self.tls.read()
        else:
            data = self.sock.recv(65536)
        if not data:
            raise Closed("the client closed the connection")
        self.received += len(data)
        if self.faults.cut_received is not None and self.logged_in and self.received >= self.faults.cut_received:
            self.faults.spend("cut_received")
            raise Closed("cut on the way in by a fault")
        return data

    def receive_exact(self, count):
        while len(self.raw) < count:
            self.raw += self.receive_some()
        data = bytes(self.raw[:count])
        del self.raw[:count]
        return data

    def transmit(self, data):
        """Sends bytes, or as many of them as a fault lets through."""
        data, cut = self.faults.pass_bytes(self.sent, data)
        self.sent += len(data)
        if self.tls:
            self.tls.write(data)
        else:
            self.sock.sendall(data)
        if cut:
            raise Closed("cut by a fault")

    def readable(self):
        if self.raw or (self.tls and self.tls.pending()):
            return True
        return bool(select.select([self.sock], [], [], 0)[0])

    # Packets -------------------------------------------------------------------------
    def read_packet(self):
        """(type, status, payload) of the next packet."""
        kind, status, length, _spid, _number, _window = HEADER.unpack(self.receive_exact(8))
        if length < 8:
            raise Bad(f"a packet of {length} bytes")
        return kind, status, self.receive_exact(length - 8)

    def read_message(self):
        """(type, statuses together, payload) of the next whole message."""
        kind, status, payload = self.read_packet()
        parts, every = [payload], status
        while not status & EOM:
            later, status, payload = self.read_packet()
            if later == ATTENTION:
                return ATTENTION, status, b""
            if later != kind:
                raise Bad(f"packet type {later:#x} inside a message of type {kind:#x}")
            parts.append(payload)
            every |= status
        return kind, every, b"".join(parts)

    def attention_waiting(self):
        """True when the client has sent an attention meanwhile (which is taken)."""
        if not self.readable():
            return False
        kind, _status, _payload = self.read_packet()
        if kind != ATTENTION:
            raise Bad(f"packet type {kind:#x} before the answer was read")
        return True

    # Messages out --------------------------------------------------------------------
    def begin(self, kind=REPLY):
        self.kind, self.number = kind, 1
        self.out.clear()
        if self.record is not None:
            self.record = bytearray()

    def write(self, data):
        self.out += data
        if self.record is not None:
            self.record += data
        room = self.packet_size - 8
        if len(self.out) <= room:
            return
        pieces = []
        while len(self.out) > room:
            pieces.append(self.header(0, room) + bytes(self.out[:room]))
            del self.out[:room]
        self.transmit(b"".join(pieces))

    def end(self):
        data = self.header(EOM, len(self.out)) + bytes(self.out)
        self.out.clear()
        self.transmit(data)

    def header(self, status, room):
        head = HEADER.pack(self.kind, status, self.faults.packet_length(room + 8), self.spid, self.number, 0)
        self.number = (self.number + 1) & 0xFF
        return head


class Reader:
    """A cursor over the payload of a message."""

    def __init__(self, data, pos=0):
        self.data, self.pos = data, pos

    def take(self, count):
        end = self.pos + count
        if end > len(self.data):
            raise Bad(f"the message ends inside a field of {count} bytes")
        piece = self.data[self.pos:end]
        self.pos = end
        return piece

    def left(self):
        return len(self.data) - self.pos

    def u8(self):
        return self.take(1)[0]

    def u16(self):
        return int.from_bytes(self.take(2), "little")

    def u32(self):
        return int.from_bytes(self.take(4), "little")

    def u64(self):
        return int.from_bytes(self.take(8), "little")

    def b_varchar(self):
        return self.take(2 * self.u8()).decode("utf-16-le", "surrogatepass")

    def us_varchar(self):
        return self.take(2 * self.u16()).decode("utf-16-le", "surrogatepass")
