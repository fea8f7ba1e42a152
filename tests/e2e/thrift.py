"""Thrift's compact protocol, as far as Parquet uses it: looked at, changed and written again."""
import struct

BOOLS, BYTE, INTS, DOUBLE, BINARY, LIST, STRUCT = (1, 2), 3, (4, 5, 6), 7, 8, 9, 12


class Thrift:
    """Reads from data[at:]. struct() is {id: value}, for looking; tree() is [[id, kind, value], ...],
    a list being [kind of items, items]: what encode() takes."""

    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def bytes(self, count):
        self.at += count
        return self.data[self.at - count:self.at]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def zigzag(self):
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def value(self, kind):
        if kind in BOOLS:
            return kind == 1
        if kind in INTS:
            return self.zigzag()
        if kind == STRUCT:
            return self.tree()
        if kind == BYTE:
            return self.byte()
        if kind == DOUBLE:
            return struct.unpack("<d", self.bytes(8))[0]
        if kind == BINARY:
            return bytes(self.bytes(self.varint()))
        assert kind == LIST, kind
        head = self.byte()
        count = head >> 4 if head >> 4 < 15 else self.varint()
        item = head & 15
        return [item, list(self.bytes(count)) if item in BOOLS else [self.value(item) for _ in range(count)]]

    def tree(self):
        found, field = [], 0
        while True:
            head = self.byte()
            if head == 0:
                return found
            field = field + (head >> 4) if head >> 4 else self.zigzag()
            found.append([field, head & 15, self.value(head & 15)])

    def struct(self):
        return plain(self.tree())


def plain(tree):
    def one(kind, value):
        if kind == STRUCT:
            return plain(value)
        return [one(value[0], item) for item in value[1]] if kind == LIST else value
    return {field: one(kind, value) for field, kind, value in tree}


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def zigzag(value):
    return varint((value << 1 ^ value >> 63) & (1 << 64) - 1)


def encode_value(kind, value):
    if kind in BOOLS:
        return b""
    if kind in INTS:
        return zigzag(value)
    if kind == STRUCT:
        return encode(value)
    if kind == BYTE:
        return bytes([value & 255])
    if kind == DOUBLE:
        return struct.pack("<d", value)
    if kind == BINARY:
        return varint(len(value)) + value
    item, items = value
    head = bytes([len(items) << 4 | item]) if len(items) < 15 else bytes([0xF0 | item]) + varint(len(items))
    return head + (bytes(items) if item in BOOLS else b"".join(encode_value(item, one) for one in items))


def encode(tree):
    out, last = bytearray(), 0
    for field, kind, value in tree:
        step = field - last
        out += bytes([step << 4 | kind]) if 0 < step < 16 else bytes([kind]) + zigzag(field)
        out += encode_value(kind, value)
        last = field
    return bytes(out) + b"\0"


def footer_start(data):
    return len(data) - 8 - struct.unpack("<I", data[-8:-4])[0]


def footer(data):
    """Of a Parquet file, as {id: value}."""
    return Thrift(data, footer_start(data)).struct()


def with_footer(data, tree):
    """The Parquet file with another footer."""
    made = encode(tree)
    return bytes(data[:footer_start(data)]) + made + struct.pack("<I", len(made)) + b"PAR1"
