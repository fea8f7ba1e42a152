"""Every type, with the values that break things, as Arrow arrays of any length.

LEAVES and NESTED name a type and its telling values; `column` repeats them to a length
and lays a pattern of NULLs over them. The same values serve the rewrite tests, the
streams and the differential reader.
"""
import datetime
import random
from decimal import Decimal

import pyarrow as pa

INT_BITS = (8, 16, 32, 64)
MICROS_MIN, MICROS_MAX = -62135596800_000000, 253402300799_999999  # 0001-01-01 to 9999-12-31
FLOATS = [0.0, -0.0, 1.5, -1.5, float("nan"), float("inf"), float("-inf")]
DAY = {"s": 86400, "ms": 86400_000, "us": 86400_000_000, "ns": 86400_000_000_000}


def of_ints(type_, storage):
    """Integers seen as a time or a float of the same width."""
    return lambda values: pa.array(values, storage).view(type_)


def plain(type_):
    return lambda values: pa.array(values, type_)


def integers():
    for bits in INT_BITS:
        top = 2 ** (bits - 1)
        yield f"int{bits}", plain(getattr(pa, f"int{bits}")()), [0, 1, -1, -top, top - 1, 42, 100, -100]
        yield f"uint{bits}", plain(getattr(pa, f"uint{bits}")()), [0, 1, 2 * top - 1, top, top - 1, 42]


def floats():
    yield "float16", plain(pa.float16()), FLOATS + [65504.0, 6e-8]
    yield "float32", plain(pa.float32()), FLOATS + [3.4028234663852886e38, 1e-45, 0.1]
    yield "float64", plain(pa.float64()), FLOATS + [1.7976931348623157e308, 5e-324, 0.1, 1e22]
    # NaNs are not all alike: payload and sign must come through a file of the same type.
    yield "nan_bits", of_ints(pa.float64(), pa.int64()), [0x7FF8000000000001, -1, 0x7FF0000000000001, 0]


def decimals():
    for precision in range(1, 39):
        scale = [0, precision, precision // 2][precision % 3]
        top = 10 ** precision - 1
        values = [Decimal(f"{v}e-{scale}") for v in (0, 1, -1, top, -top, top // 3)]
        yield f"decimal_{precision}_{scale}", plain(pa.decimal128(precision, scale)), values


def times():
    yield "date", of_ints(pa.date32(), pa.int32()), [0, -719162, 2932896, 1, -1, 19782]
    for unit in ("ms", "us", "ns"):
        storage = pa.int32() if unit == "ms" else pa.int64()
        make = pa.time32 if unit == "ms" else pa.time64
        yield f"time_{unit}", of_ints(make(unit), storage), [0, DAY[unit] - 1, 1, DAY[unit] // 2]
        low, high = {"ms": (MICROS_MIN // 1000, MICROS_MAX // 1000), "us": (MICROS_MIN, MICROS_MAX),
                     "ns": (-(2 ** 63) + 1, 2 ** 63 - 1)}[unit]
        for zone in (None, "UTC"):
            name = f"timestamp_{unit}" + ("_utc" if zone else "")
            yield name, of_ints(pa.timestamp(unit, zone), pa.int64()), [0, low, high, 1, -1, 1709164800 * DAY[unit] // 86400]
        yield f"duration_{unit}", of_ints(pa.duration(unit), pa.int64()), [0, 1, -1, 2 ** 62, -(2 ** 62)]


def bytes_and_texts():
    texts = ["", "a", "ä", "€", "😀", "a longer one, beyond twelve bytes", "tab\tline\nquote\"", "NULL", "\u0000x", "x" * 300]
    yield "string", plain(pa.string()), texts
    yield "sorted", plain(pa.string()), [f"key{i:05}" for i in range(200)]
    yield "large_string", plain(pa.large_string()), texts
    yield "binary", plain(pa.binary()), [b"", b"\0", b"\xff\xfe", bytes(range(256))]
    yield "fixed_1", plain(pa.binary(1)), [b"\0", b"\xff", b"a"]
    yield "fixed_16", plain(pa.binary(16)), [bytes(16), b"\xff" * 16, bytes(range(16))]
    yield "fixed_37", plain(pa.binary(37)), [bytes(37), b"\xfe" * 37]
    uuids = [bytes(16), b"\xff" * 16, bytes(range(16))]
    yield "uuid", lambda v: pa.ExtensionArray.from_storage(pa.uuid(), pa.array(v, pa.binary(16))), uuids
    jsons = ["{}", "null", '{"a":[1,2,{"b":null}]}', '"ü"']
    yield "json", lambda v: pa.ExtensionArray.from_storage(pa.json_(), pa.array(v, pa.string())), jsons
    yield "dictionary", lambda v: pa.array(v, pa.string()).dictionary_encode(), ["x", "y", "", "ä"]
    yield "bool", plain(pa.bool_()), [True, False, True, True, False]
    yield "null", lambda v: pa.nulls(len(v)), [None]


def nested():
    yield "list", plain(pa.list_(pa.int32())), [[], [1], [1, None, 3], [None], list(range(40))]
    yield "list_string", plain(pa.list_(pa.string())), [[], ["a"], ["", None, "€"], [None]]
    yield "large_list", plain(pa.large_list(pa.int64())), [[], [2 ** 60], [None, 1]]
    yield "fixed_list", plain(pa.list_(pa.int16(), 2)), [[1, 2], [None, 3], [4, None]]
    yield "struct", plain(pa.struct([("a", pa.int32()), ("b", pa.string())])), [{"a": 1, "b": "x"}, {"a": None, "b": ""}, {"a": 2, "b": None}]
    yield "map", plain(pa.map_(pa.string(), pa.int32())), [[], [("k", 1)], [("a", None), ("b", 2)]]
    deep = pa.list_(pa.struct([("x", pa.list_(pa.list_(pa.int8()))), ("m", pa.map_(pa.int32(), pa.list_(pa.string())))]))
    yield "deep", plain(deep), [[], [{"x": None, "m": None}], [None, {"x": [], "m": []}],
                                [{"x": [[], None, [1, None]], "m": [(1, None), (2, ["a", None])]}, {"x": [[2]], "m": [(3, [])]}]]
    yield "struct_3", plain(pa.struct([("s", pa.struct([("t", pa.struct([("u", pa.int64())]))]))])), \
        [{"s": None}, {"s": {"t": None}}, {"s": {"t": {"u": None}}}, {"s": {"t": {"u": 5}}}]


LEAVES = {name: (make, values) for kind in (integers, floats, decimals, times, bytes_and_texts) for name, make, values in kind()}
NESTED = {name: (make, values) for name, make, values in nested()}
TYPES = {**LEAVES, **NESTED}

NULLS = ("none", "some", "all", "alternating", "runs")


def null_mask(pattern, rows, rng):
    """True where a NULL stands."""
    if pattern == "none":
        return [False] * rows
    if pattern == "all":
        return [True] * rows
    if pattern == "alternating":
        return [i % 2 == 0 for i in range(rows)]
    if pattern == "some":
        return [rng.random() < 0.1 for _ in range(rows)]
    mask, null = [], False
    while len(mask) < rows:
        mask += [null] * rng.choice([1, 7, 8, 9, 63, 64, 65, 500, 5000])
        null = not null
    return mask[:rows]


def column(name, rows, pattern="none", rng=None):
    make, values = TYPES[name]
    rng = rng or random.Random(0)
    order = [values[i % len(values)] for i in range(rows)] if rng.random() < 0.5 else rng.choices(values, k=rows)
    if name == "null":
        return make(order)
    return make([None if null else value for value, null in zip(order, null_mask(pattern, rows, rng))])


def table(names, rows, pattern="none", rng=None, required=False):
    """A table of these types; `required` fields when there is no NULL."""
    arrays = [column(name, rows, pattern, rng) for name in names]
    nullable = not (required and pattern == "none")
    fields = [pa.field(name, a.type, nullable or name == "null") for name, a in zip(names, arrays)]
    return pa.table(arrays, pa.schema(fields))
