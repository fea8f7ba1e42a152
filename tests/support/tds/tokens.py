"""The tokens a server sends (specification sections 9 to 11), each as bytes."""
import struct

SERVER = "HAULTEST"
DONE, DONEPROC, DONEINPROC = 0xFD, 0xFE, 0xFF
MORE, ERROR_BIT, IN_TRANSACTION, COUNT, ATTENTION_BIT = 0x01, 0x02, 0x04, 0x10, 0x20
SELECT, INSERT, DELETE, UPDATE, BULK_INSERT, BEGIN, COMMIT = 0xC1, 0xC3, 0xC4, 0xC5, 0xF0, 0xD4, 0xD5


def wide(text):
    return text.encode("utf-16-le", "surrogatepass")


def b_varchar(text):
    data = wide(text)[:510]
    return bytes([len(data) // 2]) + data


def us_varchar(text):
    data = wide(text)
    return struct.pack("<H", len(data) // 2) + data


def done(token, status, command=0, count=0):
    return struct.pack("<BHHQ", token, status, command, count)


def message(number, text, severity=10, state=1, line=1, procedure=""):
    """ERROR when the class is above 10, else INFO."""
    token = 0xAA if severity > 10 else 0xAB
    body = (struct.pack("<iBB", number, state, severity) + us_varchar(text[:4000]) + b_varchar(SERVER)
            + b_varchar(procedure) + struct.pack("<i", line))
    return struct.pack("<BH", token, len(body)) + body


def env_text(kind, new, old):
    body = bytes([kind]) + b_varchar(new) + b_varchar(old)
    return struct.pack("<BH", 0xE3, len(body)) + body


def env_bytes(kind, new, old):
    body = bytes([kind, len(new)]) + new + bytes([len(old)]) + old
    return struct.pack("<BH", 0xE3, len(body)) + body


def env_routing(host, port):
    value = struct.pack("<BH", 0, port) + us_varchar(host)
    body = bytes([20]) + struct.pack("<H", len(value)) + value + b"\0\0"
    return struct.pack("<BH", 0xE3, len(body)) + body


def login_ack(version, program="Microsoft SQL Server"):
    body = b"\x01" + struct.pack(">I", version) + b_varchar(program) + bytes([16, 0, 1000 >> 8, 1000 & 0xFF])
    return struct.pack("<BH", 0xAD, len(body)) + body


def feature_ack(features):
    return b"\xae" + b"".join(struct.pack("<BI", kind, len(data)) + data for kind, data in features) + b"\xff"


def fedauth_info(sts, spn):
    urls = [(1, wide(sts)), (2, wide(spn))]
    head, data, offset = struct.pack("<I", len(urls)), b"", 4 + 9 * len(urls)
    for kind, value in urls:
        head += struct.pack("<BII", kind, len(value), offset + len(data))
        data += value
    return struct.pack("<BI", 0xEE, len(head) + len(data)) + head + data


def sspi(data):
    return struct.pack("<BH", 0xED, len(data)) + data


def return_status(value):
    return struct.pack("<Bi", 0x79, value)


def column_metadata(columns):
    """columns: (name, Type, flags); the types know their own bytes (types.py)."""
    parts = [struct.pack("<BH", 0x81, len(columns))]
    for name, kind, flags in columns:
        parts.append(struct.pack("<IH", kind.user_type(), flags) + kind.info(tables=True) + b_varchar(name))
    return b"".join(parts)


def return_value(ordinal, name, kind, cell):
    return (struct.pack("<BH", 0xAC, ordinal) + b_varchar(name) + b"\x01" + struct.pack("<IH", 0, 1)
            + kind.info(tables=False) + cell)
