"""PRELOGIN: what the client offers and what the server answers (specification section 3)."""
import struct

from .packet import Bad

VERSION, ENCRYPTION, INSTANCE, THREAD, MARS, TRACE, FEDAUTH, NONCE = range(8)
OFF, ON, NOT_SUP, REQ = range(4)


def parse(payload):
    """{option: bytes}; offsets and lengths are checked against the payload."""
    options, pos = {}, 0
    while True:
        if pos >= len(payload):
            raise Bad("PRELOGIN without its terminator")
        if payload[pos] == 0xFF:
            return options
        token, offset, length = struct.unpack_from(">BHH", payload, pos)
        if offset + length > len(payload):
            raise Bad("a PRELOGIN option outside the message")
        options[token] = payload[offset:offset + length]
        pos += 5


def build(options):
    offset, head, data = 5 * len(options) + 1, b"", b""
    for token, value in options:
        head += struct.pack(">BHH", token, offset + len(data), len(value))
        data += value
    return head + b"\xff" + data


def negotiate(client, server):
    """(answer, what is encrypted: "all", "login", "none", or "refuse").

    server is the setting of the server: OFF, ON, REQ or NOT_SUP."""
    client &= 0x3F
    if server == NOT_SUP:
        return NOT_SUP, "none" if client in (OFF, NOT_SUP) else "refuse"
    if client == NOT_SUP:
        return (server, "refuse") if server in (REQ, ON) else (NOT_SUP, "none")
    if client in (ON, REQ):
        return ON, "all"
    return (REQ, "all") if server in (REQ, ON) else (OFF, "login")


def answer(client_options, server, strict=False):
    client = (client_options.get(ENCRYPTION) or b"\x02")[0]
    value, mode = (NOT_SUP, "all") if strict else negotiate(client, server)
    options = [(VERSION, struct.pack(">BBHH", 16, 0, 1000, 0)), (ENCRYPTION, bytes([value])), (INSTANCE, b"\0"),
               (THREAD, b""), (MARS, b"\0")]
    if FEDAUTH in client_options:
        options.append((FEDAUTH, b"\x01"))
    return build(options), mode
