"""The row hash of docs/canonical.md, written from that page alone.

It shares no code with src/batch/hash.c, so that two readers of the page agree
or the page is wrong. Run it to check (or, with --write, to make) the vectors in
tests/cases/hash.tsv. Needs the xxhash module.
"""

import json
import re
import struct
import sys
import uuid
from datetime import date
from decimal import Decimal, getcontext
from pathlib import Path

import xxhash

CASES = Path(__file__).resolve().parent.parent / "cases" / "hash.tsv"
getcontext().prec = 60
M64 = (1 << 64) - 1
M128 = (1 << 128) - 1
P = [0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0, 0x082EFA98EC4E6C89,
     0x452821E638D01377, 0xBE5466CF34E90C6C, 0xC0AC29B7C97C50DD, 0x3F84D5B5B5470917]
NULL, BOOL, INTEGER, FLOAT, DECIMAL, DATE, TIME, LOCAL, INSTANT, DURATION, BYTES, LIST, STRUCT, MAP = range(14)
SCALE = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


def fold(a, b):
    product = a * b
    return (product & M64) ^ (product >> 64)


def wide(number):
    number &= M128
    return (number & M64) ^ fold((number >> 64) ^ P[0], P[3])


def mix(x):
    x = (x + 0x9E3779B97F4A7C15) & M64
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & M64
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & M64
    return x ^ (x >> 31)


def finish(hash128):
    low, high = hash128 & M64, hash128 >> 64
    low = (low + fold(high ^ P[0], P[3])) & M64
    high = (high + fold(low ^ P[1], P[4])) & M64
    low = (low + fold(high ^ P[2], P[6])) & M64
    return high << 64 | low


class Type:
    """A type as its text says: name, what is in brackets, children."""

    def __init__(self, text):
        text = text.strip()
        self.name = re.match(r"\w+", text).group()
        rest = text[len(self.name):]
        self.arguments = [a.strip() for a in rest[1:-1].split(",")] if rest[:1] in ("(", "[") else []
        self.children = [Type(re.sub(r"^\w+:", "", c.strip())) for c in split(rest[1:-1])] if rest[:1] == "<" else []

    def tag(self):
        if self.name == "decimal":
            return DECIMAL | int(self.arguments[1]) << 8
        if self.name == "timestamp":
            return INSTANT if len(self.arguments) == 2 else LOCAL
        if re.fullmatch(r"u?int(8|16|32|64)", self.name):
            return INTEGER
        return {"null": NULL, "bool": BOOL, "float16": FLOAT, "float32": FLOAT, "float64": FLOAT, "date": DATE,
                "time": TIME, "duration": DURATION, "utf8": BYTES, "binary": BYTES, "fixed_binary": BYTES,
                "uuid": BYTES, "list": LIST, "struct": STRUCT, "map": MAP}[self.name]


def split(text):
    depth, parts, start = 0, [], 0
    for i, c in enumerate(text):
        depth += (c in "<([") - (c in ">)]")
        if c == "," and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    return parts + [text[start:]] if text.strip() else []


def nanos_of_clock(text):
    hours, minutes, seconds = text.split(":")
    return (int(hours) * 3600 + int(minutes) * 60) * 10**9 + int(Decimal(seconds) * 10**9)


def float_value(kind, text):
    number = float(text)
    if number != number:
        return 0x7FF8000000000000
    code = {"float16": "e", "float32": "f", "float64": "d"}[kind]
    return struct.unpack("<Q", struct.pack("<d", struct.unpack(code, struct.pack(code, number))[0]))[0]


def scalar(type_, text):
    tag = type_.tag() & 255
    if tag == BOOL:
        return int(text == "true")
    if tag == INTEGER:
        number = int(text)
        return number & M64 if number < 1 << 63 else number ^ P[1]
    if tag == FLOAT:
        return float_value(type_.name, text)
    if tag == DECIMAL:
        return wide(int(Decimal(text).scaleb(int(type_.arguments[1]))))
    if tag == DATE:
        return (date.fromisoformat(text).toordinal() - date(1970, 1, 1).toordinal()) & M64
    if tag == TIME:
        return nanos_of_clock(text)
    if tag in (LOCAL, INSTANT):
        day, clock = text.rstrip("Z").split(" ")
        days = date.fromisoformat(day).toordinal() - date(1970, 1, 1).toordinal()
        return wide(days * 86400 * 10**9 + nanos_of_clock(clock))
    if tag == DURATION:
        return wide(int(Decimal(text.replace("PT", "").rstrip("S")) * 10**9))
    data = text.encode() if type_.name == "utf8" else uuid.UUID(text).bytes if type_.name == "uuid" else bytes.fromhex(text)
    return xxhash.xxh3_64_intdigest(data)


def step(state, type_, value):
    if value is None or type_.name == "null":
        return fold(state ^ P[5], P[6])
    return fold(state ^ value64(type_, value), P[4] ^ type_.tag())


def value64(type_, value):
    """`value`: text for a scalar, a list of parts for what is nested."""
    if type_.name in ("list", "map"):
        item = type_.children[0]
        state = P[7] ^ len(value)
        for part in value:
            state = step(state, item, part) if type_.name == "list" else fold(state ^ pair(type_, part), P[4] ^ STRUCT)
        return state
    if type_.name == "struct":
        state = P[2] ^ len(type_.children)
        for child, part in zip(type_.children, value):
            state = step(state, child, part)
        return state
    return scalar(type_, value)


def pair(type_, part):
    state = P[2] ^ 2
    for child, value in zip(type_.children, part):
        state = step(state, child, value)
    return state


def cell(column, type_, value):
    place = (column + 1) << 16
    if value is None or type_.name == "null":
        return mix(2 * place + 1) << 64 | mix(2 * place)
    key = place | type_.tag()
    return ((value64(type_, value) ^ mix(2 * key)) * (mix(2 * key + 1) | 1)) & M128


def row_hash(types, values):
    return finish(sum(cell(c, t, v) for c, (t, v) in enumerate(zip(types, values))) & M128)


def column_hash(column, type_, values):
    return sum(finish(cell(column, type_, v)) for v in values) & M128


def parse_field(type_, text):
    if text == "\\N":
        return None
    if type_.children:
        return json.loads(text)
    return re.sub(r"\\(.)", lambda m: {"t": "\t", "n": "\n", "\\": "\\"}[m.group(1)], text)


def tables():
    """Each table of the vector file: types and rows of fields as they stand there."""
    table = None
    for line in CASES.read_text(encoding="utf-8").splitlines():
        kind, _, rest = line.partition("\t")
        if kind == "types":
            table = (rest.split("\t"), [])
            yield table
        elif kind == "row":
            table[1].append(rest.split("\t")[: len(table[0])])


def render():
    head = [line for line in CASES.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    out = list(head)
    for names, rows in list(tables()):
        types = [Type(name) for name in names]
        values = [[parse_field(t, f) for t, f in zip(types, row)] for row in rows]
        hashes = [row_hash(types, row) for row in values]
        out.append("\t".join(["types", *names]))
        out += ["\t".join(["row", *row, f"{h:032x}"]) for row, h in zip(rows, hashes)]
        columns = [column_hash(c, t, [row[c] for row in values]) for c, t in enumerate(types)]
        out.append("\t".join(["columns", *[f"{h:032x}" for h in columns]]))
        out.append(f"sum\t{sum(hashes) & M128:032x}")
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    text = render()
    if "--write" in sys.argv[1:]:
        CASES.write_text(text, encoding="utf-8")
    elif text != CASES.read_text(encoding="utf-8"):
        sys.exit("tests/cases/hash.tsv does not hold what docs/canonical.md says")
