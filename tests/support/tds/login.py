"""LOGIN7: taken apart, and judged (specification sections 5 and 6)."""
import struct
from dataclasses import dataclass, field

from .packet import Bad

NAMES = ("host", "user", "password", "app", "server", "extension", "library", "language", "database")


@dataclass
class Login:
    tds_version: int = 0
    packet_size: int = 4096
    flags: tuple = (0, 0, 0, 0)
    host: str = ""
    user: str = ""
    password: str = ""
    app: str = ""
    server: str = ""
    library: str = ""
    language: str = ""
    database: str = ""
    sspi: bytes = b""
    features: dict = field(default_factory=dict)

    @property
    def integrated(self):
        return bool(self.flags[1] & 0x80)

    @property
    def read_only(self):
        return bool(self.flags[2] & 0x20)


def reveal(scrambled):
    """The password behind the obfuscation: XOR 0xA5, then swapped nibbles."""
    plain = bytes(((b ^ 0xA5) << 4 | (b ^ 0xA5) >> 4) & 0xFF for b in scrambled)
    return plain.decode("utf-16-le", "replace")


def parse_features(payload, offset):
    features, pos = {}, offset
    while True:
        if pos >= len(payload):
            raise Bad("the feature extension has no end")
        kind = payload[pos]
        if kind == 0xFF:
            return features
        (length,) = struct.unpack_from("<I", payload, pos + 1)
        if pos + 5 + length > len(payload):
            raise Bad("a feature outside the login message")
        features[kind] = payload[pos + 5:pos + 5 + length]
        pos += 5 + length


def parse(payload, in_order=False):
    if len(payload) < 94:
        raise Bad("a LOGIN7 message shorter than its fixed part")
    length, version, packet_size = struct.unpack_from("<III", payload, 0)
    if length != len(payload):
        raise Bad(f"LOGIN7 says {length} bytes and has {len(payload)}")
    login = Login(tds_version=version, packet_size=packet_size, flags=tuple(payload[24:28]))
    places = [struct.unpack_from("<HH", payload, 36 + 4 * number)[0] for number in range(len(NAMES))
              if struct.unpack_from("<HH", payload, 36 + 4 * number)[1]]
    if in_order and places != sorted(places):
        raise Bad("the texts of LOGIN7 are not in the order of its offsets")
    for number, name in enumerate(NAMES):
        start, count = struct.unpack_from("<HH", payload, 36 + 4 * number)
        size = count if name == "extension" else 2 * count
        if count and start + size > len(payload):
            raise Bad(f"the {name} of LOGIN7 lies outside the message")
        data = payload[start:start + size]
        if name == "extension":
            if login.flags[3] & 0x10 and count:
                login.features = parse_features(payload, struct.unpack_from("<I", data)[0])
        elif name == "password":
            login.password = reveal(data)
        else:
            setattr(login, name, data.decode("utf-16-le", "replace"))
    start, count = struct.unpack_from("<HH", payload, 78)
    if count == 0xFFFF:
        (count,) = struct.unpack_from("<I", payload, 90)
    login.sspi = payload[start:start + count]
    return login


def fedauth_token(data):
    """(library, token or None, the rest) of the FEDAUTH feature."""
    library = data[0] >> 1
    if library != 1:
        return library, None
    (length,) = struct.unpack_from("<I", data, 1)
    return library, data[5:5 + length].decode("utf-16-le", "replace")
