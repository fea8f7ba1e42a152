"""Reads tests/cases/types.tsv into Arrow."""
import datetime
import json
import re
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

PATH = Path(__file__).resolve().parents[1] / "cases" / "types.tsv"


def type_of(text):
    if match := re.fullmatch(r"decimal128\((\d+), (\d+)\)", text):
        return pa.decimal128(*map(int, match.groups()))
    if match := re.fullmatch(r"binary\[(\d+)\]", text):
        return pa.binary(int(match.group(1)))
    if match := re.fullmatch(r"list<(.*)>", text):
        return pa.list_(type_of(match.group(1)))
    if text == "json":
        return pa.json_()
    if text == "timestamp[us, UTC]":
        return pa.timestamp("us", "UTC")
    return pa.type_for_alias(text)


def value_of(type_, value):
    if value is None:
        return None
    if pa.types.is_integer(type_):
        return int(value)
    if pa.types.is_floating(type_):
        return float(value)
    if pa.types.is_decimal(type_):
        return Decimal(value)
    if pa.types.is_date(type_):
        return datetime.date.fromisoformat(value)
    if pa.types.is_time(type_):
        return datetime.time.fromisoformat(value)
    if pa.types.is_timestamp(type_):
        moment = datetime.datetime.fromisoformat(value)
        return moment.replace(tzinfo=datetime.timezone.utc) if type_.tz else moment
    if pa.types.is_binary(type_) or pa.types.is_fixed_size_binary(type_):
        return bytes.fromhex(value)
    return value


def read():
    found = {}
    for line in PATH.read_text().splitlines():
        if line and not line.startswith("#"):
            name, type_, values = line.split("\t", 2)
            found[name] = (type_of(type_), [value_of(type_of(type_), value) for value in json.loads(values)])
    return found


TYPES = read()


def same(a, b):
    """Equal to the bit: -0.0 is not 0.0, NaN is NaN."""
    if isinstance(a, float) and isinstance(b, float):
        return a.hex() == b.hex()
    return type(a) is type(b) and a == b
