"""Every TDS type: its bytes in metadata, and its values (specification section 12).

A Type is a SQL Server type with its length, precision, scale and collation. Values
have three shapes:
- the cell: as on the wire in a row, with its length or its NULL mark;
- the payload: the cell without length, what a test compares and what is kept beside a
  value that PostgreSQL cannot hold exactly (Type.inexact);
- the text: PostgreSQL's text of the value, kept text (text.py) for strings.
"""
import datetime
import struct
import uuid
from dataclasses import dataclass, replace
from decimal import Decimal

from . import text
from .packet import Bad

MAX = -1
PLP_NULL, PLP_UNKNOWN = 0xFFFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFE
EPOCH = 693595  # 1900-01-01, in days since 0001-01-01

# name: (nullable token, bytes, token when NOT NULL)
NUMBERS = {"bit": (0x68, 1, 0x32), "tinyint": (0x26, 1, 0x30), "smallint": (0x26, 2, 0x34), "int": (0x26, 4, 0x38),
           "bigint": (0x26, 8, 0x7F), "real": (0x6D, 4, 0x3B), "float": (0x6D, 8, 0x3E), "money": (0x6E, 8, 0x3C),
           "smallmoney": (0x6E, 4, 0x7A), "datetime": (0x6F, 8, 0x3D), "smalldatetime": (0x6F, 4, 0x3A)}
FIXED = {fixed: name for name, (_token, _size, fixed) in NUMBERS.items()}
SIZED = {(token, size): name for name, (token, size, _fixed) in NUMBERS.items()}
SCALED = {"time": 0x29, "datetime2": 0x2A, "datetimeoffset": 0x2B}
STRINGS = {"binary": 0xAD, "varbinary": 0xA5, "char": 0xAF, "varchar": 0xA7, "nchar": 0xEF, "nvarchar": 0xE7}
LONG = {"text": 0x23, "ntext": 0x63, "image": 0x22}
NARROW, WIDE, BYTES = {"char", "varchar", "text"}, {"nchar", "nvarchar", "ntext", "xml", "sysname"}, {"binary", "varbinary", "image"}
BY_TOKEN = {**{v: k for k, v in SCALED.items()}, **{v: k for k, v in STRINGS.items()}, **{v: k for k, v in LONG.items()},
            0x24: "uniqueidentifier", 0x28: "date", 0x6A: "decimal", 0x6C: "numeric", 0x37: "decimal", 0x3F: "numeric",
            0x62: "sql_variant", 0xF0: "udt", 0xF1: "xml", 0x27: "varchar", 0x2F: "char", 0x25: "varbinary",
            0x2D: "binary", 0x1F: "null"}
UDTS = {"hierarchyid": 892, "geometry": MAX, "geography": MAX}
POSTGRES = {"bit": "smallint", "tinyint": "smallint", "smallint": "smallint", "int": "integer", "bigint": "bigint",
            "real": "real", "float": "double precision", "money": "numeric(19,4)", "smallmoney": "numeric(10,4)",
            "datetime": "timestamp", "smalldatetime": "timestamp(0)", "date": "date", "time": "time",
            "datetime2": "timestamp", "datetimeoffset": "timestamptz", "uniqueidentifier": "uuid", "text": "text",
            "ntext": "text", "image": "bytea", "xml": "text", "sql_variant": "bytea", "udt": "bytea",
            "binary": "bytea", "varbinary": "bytea", "rowversion": "bytea", "null": "text"}


def scaled_bytes(scale):
    return 3 if scale <= 2 else 4 if scale <= 4 else 5


def magnitude_bytes(precision):
    return 4 if precision <= 9 else 8 if precision <= 19 else 12 if precision <= 28 else 16


@dataclass(frozen=True)
class Type:
    name: str
    length: int = 0
    precision: int = 18
    scale: int = 0
    collation: bytes = text.DEFAULT
    nullable: bool = True
    udt: tuple = ("", "", "")
    token: int = 0  # as a client sent it, when not the usual one

    # Metadata ------------------------------------------------------------------------
    @property
    def inexact(self):
        return self.name in ("datetimeoffset",) or (self.name in ("time", "datetime2") and self.scale > 6)

    @property
    def is_max(self):
        return self.length == MAX or self.name in ("xml", "udt")

    def user_type(self):
        return 0x50 if self.name == "rowversion" else 0

    def info(self, tables):
        """TYPE_INFO; tables: with the table name that text, ntext and image carry in results."""
        name = self.name
        if name in NUMBERS:
            token, size, fixed = NUMBERS[name]
            return bytes([token, size]) if self.nullable else bytes([fixed])
        if name in SCALED:
            return bytes([SCALED[name], self.scale])
        if name in ("decimal", "numeric"):
            return bytes([0x6A if name == "decimal" else 0x6C, magnitude_bytes(self.precision) + 1, self.precision,
                          self.scale])
        if name in STRINGS:
            size = struct.pack("<H", 0xFFFF if self.length == MAX else self.length)
            return bytes([STRINGS[name]]) + size + (b"" if name in BYTES else self.collation)
        if name in LONG:
            size = struct.pack("<I", 0x7FFFFFFE if name == "ntext" else 0x7FFFFFFF)
            table = b"\x01" + struct.pack("<H", 1) + "t".encode("utf-16-le") if tables else b""
            return bytes([LONG[name]]) + size + (b"" if name == "image" else self.collation) + table
        return self.info_rare()

    def info_rare(self):
        if self.name == "rowversion":
            return b"\xa5\x08\x00" if self.nullable else b"\xad\x08\x00"
        if self.name == "udt":
            database, schema, kind = self.udt
            label = f"Microsoft.SqlServer.Types.Sql{kind.capitalize()}, Microsoft.SqlServer.Types, Version=11.0.0.0"
            size = self.length if 0 < self.length < 8000 else 0xFFFF
            return (b"\xf0" + struct.pack("<H", size) + short(database) + short(schema) + short(kind)
                    + struct.pack("<H", len(label)) + label.encode("utf-16-le"))
        return {"uniqueidentifier": b"\x24\x10", "date": b"\x28", "xml": b"\xf1\x00", "null": b"\x1f",
                "sql_variant": b"\x62\x49\x1f\x00\x00"}[self.name]

    def postgres(self):
        name = self.name
        if name in ("decimal", "numeric"):
            return f"numeric({self.precision},{self.scale})"
        if name in ("time", "datetime2") and self.scale < 6:
            return f"{POSTGRES[name]}({self.scale})"
        if name in POSTGRES:
            return POSTGRES[name]
        if self.length == MAX or self.length <= 0:
            return "text"
        size = self.length // (2 if name in WIDE else 1)
        return f"{'character' if name in ('char', 'nchar') else 'varchar'}({size})"

    def sql(self):
        """As SQL Server writes it in DDL."""
        name = self.name
        if name in ("decimal", "numeric"):
            return f"{name}({self.precision},{self.scale})"
        if name in SCALED:
            return f"{name}({self.scale})"
        if name in STRINGS:
            size = self.length // (2 if name in WIDE else 1)
            return f"{name}({'max' if self.length == MAX else size})"
        return self.udt[2] if name == "udt" else name

    # Cells ---------------------------------------------------------------------------
    def frame(self, payload):
        """The cell around a payload; None is NULL."""
        name = self.name
        if name in LONG:
            return b"\0" if payload is None else b"\x10" + b"d" * 16 + b"t" * 8 + struct.pack("<I", len(payload)) + payload
        if name == "sql_variant":
            return struct.pack("<I", len(payload or b"")) + (payload or b"")
        if self.is_max:
            if payload is None:
                return b"\xff" * 8
            chunk = struct.pack("<I", len(payload)) + payload if payload else b""
            return struct.pack("<Q", len(payload)) + chunk + b"\0\0\0\0"
        if name in STRINGS or name == "rowversion":
            return b"\xff\xff" if payload is None else struct.pack("<H", len(payload)) + payload
        if name in NUMBERS and not self.nullable:
            return payload
        return b"\0" if payload is None else bytes([len(payload)]) + payload

    def unframe(self, reader):
        """The payload at a reader (which only needs take()), or None."""
        name, take = self.name, reader.take
        if self.token in (0x25, 0x27, 0x2D, 0x2F):
            return take(take(1)[0]) or None
        if name in LONG:
            size = take(1)[0]
            if not size:
                return None
            take(size + 8)
            return take(int.from_bytes(take(4), "little"))
        if name == "sql_variant":
            return take(int.from_bytes(take(4), "little")) or None
        if self.is_max:
            return unframe_plp(take)
        if name in STRINGS or name == "rowversion":
            size = int.from_bytes(take(2), "little")
            return None if size == 0xFFFF else take(size)
        if name in NUMBERS and not self.nullable:
            return take(NUMBERS[name][1])
        if name == "null":
            return None
        return take(take(1)[0]) or None

    def encode(self, value):
        """The payload of a value as PostgreSQL's driver gives it."""
        return ENCODERS[self.name](self, value)

    def decode(self, payload):
        """The text of a payload."""
        return DECODERS[self.name](self, payload)


def short(name):
    return bytes([len(name)]) + name.encode("utf-16-le")


def unframe_plp(take):
    total = int.from_bytes(take(8), "little")
    if total == PLP_NULL:
        return None
    parts, count = [], 0
    while True:
        size = int.from_bytes(take(4), "little")
        if not size:
            break
        parts.append(take(size))
        count += size
    if total not in (PLP_UNKNOWN, count):
        raise Bad(f"a value of {total} bytes came in chunks of {count}")
    return b"".join(parts)


def read_info(reader, bulk=False):
    """TYPE_INFO as a client sends it, in a parameter or in a bulk load."""
    token = reader.u8()
    if token in FIXED:
        return Type(FIXED[token], nullable=False)
    name = BY_TOKEN.get(token)
    if token in (0x26, 0x68, 0x6D, 0x6E, 0x6F):
        size = reader.u8()
        if (token, size) not in SIZED:
            raise Bad(f"type {token:#x} of {size} bytes")
        return Type(SIZED[token, size])
    if name is None:
        raise Bad(f"unknown type {token:#x}")
    if name in SCALED:
        return Type(name, scale=reader.u8())
    if name in ("decimal", "numeric"):
        _size, precision, scale = reader.u8(), reader.u8(), reader.u8()
        return Type(name, precision=precision, scale=scale)
    if name in STRINGS:
        size = reader.u8() if token < 0x30 else reader.u16()
        collation = bytes(reader.take(5)) if name not in BYTES else text.DEFAULT
        return Type(name, MAX if size == 0xFFFF else size, collation=collation, token=token)
    return read_info_rare(reader, name, bulk)


def read_info_rare(reader, name, bulk):
    if name in LONG:
        reader.u32()
        collation = bytes(reader.take(5)) if name != "image" else text.DEFAULT
        if bulk:
            reader.us_varchar()
        return Type(name, MAX, collation=collation)
    if name == "sql_variant":
        reader.u32()
    elif name == "uniqueidentifier":
        reader.u8()
    elif name == "xml" and reader.u8():
        reader.b_varchar(), reader.b_varchar(), reader.us_varchar()
    elif name == "udt":
        return Type(name, MAX, udt=(reader.b_varchar(), reader.b_varchar(), reader.b_varchar()))
    return Type(name)


# Values to payloads ----------------------------------------------------------------------
def integer(kind, value):
    return int(value).to_bytes(NUMBERS[kind.name][1], "little", signed=kind.name != "tinyint")


def money(kind, value):
    scaled = int(Decimal(str(value)).scaleb(4).to_integral_value())
    if kind.name == "smallmoney":
        return struct.pack("<i", scaled)
    return struct.pack("<iI", scaled >> 32, scaled & 0xFFFFFFFF)


def exact(kind, value):
    number = Decimal(str(value)) if not isinstance(value, Decimal) else value
    sign, digits, exponent = number.as_tuple()
    whole = int("".join(map(str, digits)) or "0")
    shift = exponent + kind.scale
    whole = whole * 10 ** shift if shift >= 0 else (whole + 5 * 10 ** (-shift - 1)) // 10 ** -shift
    return bytes([0 if sign and whole else 1]) + whole.to_bytes(magnitude_bytes(kind.precision), "little")


def split_moment(value):
    """(days since 0001-01-01, units of 100 ns since midnight, offset minutes) of ISO text."""
    value = str(value).strip().replace("T", " ")
    offset = 0
    day, _, rest = value.partition(" ") if "-" in value[:11] else ("1900-01-01", "", value)
    rest = rest.strip()
    for sign in "+-":
        if sign in rest:
            rest, _, zone = rest.partition(sign)
            hours, _, minutes = zone.partition(":")
            offset = (int(hours) * 60 + int(minutes or 0)) * (1 if sign == "+" else -1)
            break
    rest = rest.strip().rstrip("Z") or "00:00:00"
    clock, _, fraction = rest.partition(".")
    parts = [int(part) for part in clock.split(":")] + [0, 0]
    units = ((parts[0] * 60 + parts[1]) * 60 + parts[2]) * 10_000_000 + int((fraction + "0" * 7)[:7])
    year, month, day = day.split("-")
    return datetime.date(int(year), int(month), int(day)).toordinal() - 1, units, offset


def clock_bytes(units, scale):
    """Units of 100 ns at a scale; (carry to the next day, bytes)."""
    step = 10 ** (7 - scale)
    units = (units + step // 2) // step
    carry, units = divmod(units, 86400 * 10 ** scale)
    return carry, units.to_bytes(scaled_bytes(scale), "little")


def moment(kind, value):
    days, units, offset = split_moment(value)
    if kind.name == "datetime":
        ticks = (units * 3 + 50000) // 100000
        if ticks >= 25_920_000:
            days, ticks = days + 1, 0
        return struct.pack("<iI", days - EPOCH, ticks)
    if kind.name == "smalldatetime":
        minutes = (units + 300_000_000) // 600_000_000
        return struct.pack("<HH", days - EPOCH + minutes // 1440, minutes % 1440)
    if kind.name == "date":
        return days.to_bytes(3, "little")
    if kind.name == "time":
        return clock_bytes(units, kind.scale)[1]
    if kind.name == "datetimeoffset":
        total = days * 864_000_000_000 + units - offset * 600_000_000
        days, units = divmod(total, 864_000_000_000)
    carry, data = clock_bytes(units, kind.scale)
    data += (days + carry).to_bytes(3, "little")
    return data + struct.pack("<h", offset) if kind.name == "datetimeoffset" else data


def octets(kind, value):
    data = bytes(value) if not isinstance(value, str) else bytes.fromhex(value.removeprefix("\\x").removeprefix("0x"))
    return data.ljust(kind.length, b"\0") if kind.name == "binary" and kind.length > 0 else data


def narrow(kind, value):
    data = text.to_narrow(plain(value), kind.collation)
    return data.ljust(kind.length) if kind.name == "char" and kind.length > 0 else data


def wide(kind, value):
    data = text.to_wide(plain(value))
    if kind.name == "nchar" and kind.length > 0:
        data = data[:kind.length] + b" \0" * ((kind.length - len(data)) // 2)
    return data


def plain(value):
    return value if isinstance(value, str) else "1" if value is True else "0" if value is False else str(value)


def approximate(kind, value):
    return struct.pack("<f" if kind.name == "real" else "<d", float(value))


ENCODERS = {**dict.fromkeys(("tinyint", "smallint", "int", "bigint"), integer),
            **dict.fromkeys(("money", "smallmoney"), money), **dict.fromkeys(("decimal", "numeric"), exact),
            **dict.fromkeys(("datetime", "smalldatetime", "date", "time", "datetime2", "datetimeoffset"), moment),
            **dict.fromkeys(("binary", "varbinary", "image", "rowversion", "udt", "sql_variant"), octets),
            **dict.fromkeys(("char", "varchar", "text"), narrow), **dict.fromkeys(("nchar", "nvarchar", "ntext", "xml"), wide),
            **dict.fromkeys(("real", "float"), approximate), "null": lambda kind, value: b"",
            "bit": lambda kind, value: b"\1" if value not in (0, False, "0", "false", "f") else b"\0",
            "uniqueidentifier": lambda kind, value: uuid.UUID(str(value)).bytes_le}


# Payloads to text ------------------------------------------------------------------------
def text_of_money(kind, data):
    whole = struct.unpack("<i", data)[0] if len(data) == 4 else (lambda p: p[0] << 32 | p[1])(struct.unpack("<iI", data))
    return format(Decimal(whole).scaleb(-4), "f")


def text_of_exact(kind, data):
    digits = str(int.from_bytes(data[1:], "little")).rjust(kind.scale + 1, "0")
    head = digits[:len(digits) - kind.scale]
    return ("" if data[0] else "-") + head + ("." + digits[-kind.scale:] if kind.scale else "")


def day_text(days):
    try:
        return datetime.date.fromordinal(days + 1).isoformat()
    except (ValueError, OverflowError) as cause:
        raise Bad(f"day {days} is no date") from cause


def clock_text(units, digits):
    seconds, fraction = divmod(units, 10_000_000)
    head = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return head + ("." + f"{fraction:07}"[:digits] if digits else "")


def text_of_moment(kind, data):
    name = kind.name
    if name == "datetime":
        days, ticks = struct.unpack("<iI", data)
        return f"{day_text(days + EPOCH)} {clock_text((ticks * 10 + 1) // 3 * 10000, 3)}"
    if name == "smalldatetime":
        days, minutes = struct.unpack("<HH", data)
        return f"{day_text(days + EPOCH)} {minutes // 60:02}:{minutes % 60:02}:00"
    if name == "date":
        return day_text(int.from_bytes(data, "little"))
    size = scaled_bytes(kind.scale)
    units = int.from_bytes(data[:size], "little") * 10 ** (7 - kind.scale)
    if name == "time":
        return clock_text(units, kind.scale)
    days = int.from_bytes(data[size:size + 3], "little")
    if name == "datetime2":
        return f"{day_text(days)} {clock_text(units, kind.scale)}"
    (offset,) = struct.unpack("<h", data[size + 3:])
    days, units = divmod(days * 864_000_000_000 + units + offset * 600_000_000, 864_000_000_000)
    sign, offset = ("-", -offset) if offset < 0 else ("+", offset)
    return f"{day_text(days)} {clock_text(units, kind.scale)} {sign}{offset // 60:02}:{offset % 60:02}"


def text_of_xml(kind, data):
    return text.from_wide(data.removeprefix(b"\xff\xfe"))


DECODERS = {**dict.fromkeys(("smallint", "int", "bigint"), lambda k, d: str(int.from_bytes(d, "little", signed=True))),
            "tinyint": lambda k, d: str(d[0]), "bit": lambda k, d: "1" if d[0] else "0",
            **dict.fromkeys(("money", "smallmoney"), text_of_money), **dict.fromkeys(("decimal", "numeric"), text_of_exact),
            **dict.fromkeys(("datetime", "smalldatetime", "date", "time", "datetime2", "datetimeoffset"), text_of_moment),
            **dict.fromkeys(("binary", "varbinary", "image", "rowversion", "udt", "sql_variant"), lambda k, d: "\\x" + d.hex()),
            **dict.fromkeys(("char", "varchar", "text"), lambda k, d: text.from_narrow(d, k.collation)),
            **dict.fromkeys(("nchar", "nvarchar", "ntext"), lambda k, d: text.from_wide(d)), "xml": text_of_xml,
            "real": lambda k, d: repr(struct.unpack("<f", d)[0]), "float": lambda k, d: repr(struct.unpack("<d", d)[0]),
            "uniqueidentifier": lambda k, d: str(uuid.UUID(bytes_le=bytes(d)))}


# sql_variant -----------------------------------------------------------------------------
def variant_parts(data):
    """(Type, payload) inside a sql_variant's payload."""
    base, size = data[0], data[1]
    properties, payload = data[2:2 + size], data[2 + size:]
    if base in FIXED:
        return Type(FIXED[base], nullable=False), payload
    name = BY_TOKEN[base]
    if name in SCALED:
        return Type(name, scale=properties[0]), payload
    if name in ("decimal", "numeric"):
        return Type(name, precision=properties[0], scale=properties[1]), payload
    if name in BYTES:
        return Type(name, int.from_bytes(properties, "little")), payload
    if name in STRINGS:
        return Type(name, int.from_bytes(properties[5:7], "little"), collation=bytes(properties[:5])), payload
    return Type(name), payload


def variant_make(kind, payload):
    """The payload of a sql_variant around a value of another type."""
    kind = replace(kind, nullable=False)
    if kind.name in NUMBERS:
        head = bytes([NUMBERS[kind.name][2], 0])
    elif kind.name in SCALED:
        head = bytes([SCALED[kind.name], 1, kind.scale])
    elif kind.name in ("decimal", "numeric"):
        head = bytes([0x6A if kind.name == "decimal" else 0x6C, 2, kind.precision, kind.scale])
    elif kind.name in BYTES:
        head = bytes([STRINGS[kind.name], 2]) + struct.pack("<H", kind.length if kind.length > 0 else 8000)
    elif kind.name in STRINGS:
        head = bytes([STRINGS[kind.name], 7]) + kind.collation + struct.pack("<H", kind.length if kind.length > 0 else 8000)
    else:
        head = bytes([{"uniqueidentifier": 0x24, "date": 0x28}[kind.name], 0])
    return head + payload
