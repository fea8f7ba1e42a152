"""What "equal" means to the judges: two Arrow tables hold the same values, bit for bit.

Arrow's own equals() lets 0.0 be -0.0, NaN differ from itself, and stops at layouts
(a dictionary, a large list) that carry the same values. Here floats and times are
compared as the integers they are stored as, NULL and empty apart, and a layout is
peeled off first. Types are compared by `plain_type`, which maps each type to the one
haul carries (docs/parquet.md): nothing else may change.
"""
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

INTS = {8: pa.int8(), 16: pa.int16(), 32: pa.int32(), 64: pa.int64()}


def plain_type(type_):
    """The type as haul gives it back: large, view and dictionary layouts are peeled off."""
    if isinstance(type_, pa.BaseExtensionType):
        return f"{type_.extension_name}:{plain_type(type_.storage_type)}"
    if pt.is_dictionary(type_):
        return plain_type(type_.value_type)
    if pt.is_large_string(type_) or pt.is_string_view(type_):
        return "string"
    if pt.is_large_binary(type_) or pt.is_binary_view(type_):
        return "binary"
    if pt.is_map(type_):
        return f"map<{plain_type(type_.key_type)}, {plain_type(type_.item_type)}>"
    if pt.is_list(type_) or pt.is_large_list(type_) or pt.is_fixed_size_list(type_):
        return f"list<{plain_type(type_.value_type)}>"
    if pt.is_struct(type_):
        return "struct<" + ", ".join(f"{f.name}: {plain_type(f.type)}" for f in type_) + ">"
    if pt.is_decimal(type_):
        return f"decimal({type_.precision}, {type_.scale})"
    if pt.is_timestamp(type_) and type_.tz is not None:
        return f"timestamp[{type_.unit}, UTC]"
    return str(type_)


def plain_schema(schema):
    return [(field.name, plain_type(field.type)) for field in schema]


def peel(array):
    """One array, without chunks, dictionaries and extensions."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks() if array.num_chunks != 1 else array.chunk(0)
    if isinstance(array, pa.ExtensionArray):
        return peel(array.storage)
    if pt.is_dictionary(array.type):
        return peel(array.dictionary_decode())
    return array


def whole(array):
    """Floats and times as integers of the same width, large and view texts as ordinary ones."""
    type_ = array.type
    if pt.is_floating(type_) or pt.is_temporal(type_):
        return array.view(INTS[type_.bit_width])
    if pt.is_large_string(type_) or pt.is_string_view(type_):
        return array.cast(pa.string())
    if pt.is_large_binary(type_) or pt.is_binary_view(type_):
        return array.cast(pa.binary())
    if pt.is_decimal(type_):
        return array.cast(pa.decimal128(type_.precision, type_.scale)) if type_.bit_width != 128 else array
    return array


def first_difference(a, b):
    for i in range(min(len(a), len(b))):
        if not a[i].equals(b[i]):
            return f"at {i}: {a[i]!r} is not {b[i]!r}"
    return f"{len(a)} values are not {len(b)}"


def difference(a, b, place):
    """None when both arrays hold the same values; else a sentence."""
    a, b = peel(a), peel(b)
    if len(a) != len(b):
        return f"{place}: {len(a)} values, not {len(b)}"
    if pt.is_null(a.type) or pt.is_null(b.type):
        return None if a.null_count == b.null_count else f"{place}: NULLs"
    nulls = pc.is_null(a)
    if not nulls.equals(pc.is_null(b)):
        return f"{place}: NULLs differ {first_difference(nulls, pc.is_null(b))}"
    if pt.is_struct(a.type):
        return struct_difference(a, b, place)
    if pt.is_nested(a.type):
        return list_difference(a, b, place)
    a, b = whole(a), whole(b)
    return None if a.equals(b) else f"{place}: {first_difference(a, b)}"


def struct_difference(a, b, place):
    for i, (left, right) in enumerate(zip(a.flatten(), b.flatten())):
        found = difference(left, right, f"{place}.{a.type.field(i).name}")
        if found:
            return found
    return None


def list_difference(a, b, place):
    lengths = [pc.cast(list_lengths(x), pa.int64()) for x in (a, b)]
    if not lengths[0].equals(lengths[1]):
        return f"{place}: lengths differ {first_difference(*lengths)}"
    return difference(items(a), items(b), f"{place}[]")


def list_lengths(array):
    if pt.is_fixed_size_list(array.type):
        return pc.if_else(pc.is_valid(array), array.type.list_size, None)
    return pc.list_value_length(as_list(array))


def as_list(array):
    """A map as the list of structs that it is."""
    if not pt.is_map(array.type):
        return array
    pairs = pa.StructArray.from_arrays([array.keys, array.items], ["key", "value"])
    lists = pa.ListArray.from_arrays(array.offsets, pairs, mask=pc.is_null(array)) if array.offset == 0 else None
    return lists if lists is not None else as_list(pa.concat_arrays([array]))


def items(array):
    return as_list(array).flatten()


def assert_same(got, wanted, types=True):
    """Tables with the same names, (plain) types and values."""
    assert got.column_names == wanted.column_names
    if types:
        assert plain_schema(got.schema) == plain_schema(wanted.schema)
    for name, left, right in zip(got.column_names, got.columns, wanted.columns):
        found = difference(left, right, name)
        assert found is None, found
