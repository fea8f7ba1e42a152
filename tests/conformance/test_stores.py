"""Every store as a sink and as a source, judged by pyarrow at both ends."""
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cases import TYPES, same, type_of
from stores import STORES

SCHEMA_NAMES = {"date32[day]": "date", "binary": "binary", "string": "utf8", "float": "float32", "double": "float64", "halffloat": "float16"}
BY_NAME = {store.name: store for store in STORES}


@pytest.fixture(params=STORES, ids=lambda store: store.name)
def place(request, tmp_path):
    return request.param.open(request, tmp_path)


def schema_text(type_):
    """An Arrow type as --schema writes it."""
    text = str(type_)
    if pa.types.is_decimal(type_):
        return f"decimal({type_.precision},{type_.scale})"
    if pa.types.is_fixed_size_binary(type_):
        return f"fixed_binary({type_.byte_width})"
    return SCHEMA_NAMES.get(text, text.replace("timestamp[us, tz=UTC]", "timestamp[us,UTC]").replace("time64", "time"))


def write(path, columns):
    pq.write_table(pa.table(columns), path)


def back(place, haul, table, schema=None, code=0, out="back.parquet"):
    name, words = place.source(table)
    given = ["--schema", schema] if schema and not place.store.typed else []
    haul("copy", name, out, *words, *given, "--mode", "replace", code=code)
    return pq.read_table(place.folder / out)


# ---- values ----

@pytest.mark.parametrize("name", TYPES)
def test_every_type_there_and_back(place, haul, tmp_path, name):
    type_, values = TYPES[name]
    store = place.store
    values = values + [None]
    refused = [v for v in values if v is not None and store.refuses.get(name, lambda _: False)(v)]
    kept = [(i, v) for i, v in enumerate(values) if v not in refused or (v != v and not any(r != r for r in refused))]
    kept = [(i, v) for i, v in kept if not any(v is r for r in refused)]
    write(tmp_path / "in.parquet", {"id": pa.array(range(len(values)), pa.int32()), "v": pa.array(values, type_)})
    target, words = place.target("typed")
    if refused:
        said = haul("copy", "in.parquet", target, *words, code=6).stderr
        assert '"v"' in said or "row 0" in said or "row 1" in said, said
        haul("copy", "in.parquet", target, *words, "--restart", "--max-errors", "9", "--reject-file", "r.jsonl", code=3)
        rejects = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
        assert sorted(r["row"] for r in rejects) == sorted(i for i in range(len(values)) if i not in dict(kept))
    else:
        said = haul("copy", "in.parquet", target, *words).stderr
        assert (" lost " in said) == (name in store.loses), said
    lost = store.loses.get(name, lambda value: value)
    expected = type_of(store.becomes[name]) if name in store.becomes else type_
    table = back(place, haul, "typed", f"id:int32,v:{schema_text(expected)}").sort_by("id")
    assert table.column("v").type == expected, table.schema
    seen = dict(zip(table.column("id").to_pylist(), table.column("v").to_pylist()))
    wanted = pa.array([v for _, v in kept], type_)
    if pa.types.is_decimal(type_) and expected == pa.string():
        wanted = pa.array([None if v is None else format(v, "f") for _, v in kept])
    elif expected != type_ and name != "list":
        wanted = wanted.cast(expected)
    wanted = [None if v is None else json.dumps(v, separators=(",", ":")) for _, v in kept] if name == "list" and expected != type_ else wanted.to_pylist()
    assert set(seen) == {i for i, _ in kept}
    for (i, _), value in zip(kept, wanted):
        value = None if value is None else lost(value)
        assert same(seen[i], value), (i, seen[i], value)


# ---- pairs ----

def orders(path, rows=2000):
    write(path, {"id": pa.array(range(rows), pa.int64()), "name": [None if i % 7 == 0 else f"näme {i}" for i in range(rows)],
                 "qty": pa.array([None if i % 3 == 0 else i * 7919 % 1000 - 500 for i in range(rows)], pa.int32()),
                 "price": pa.array([i / 8 for i in range(rows)], pa.float64()), "at": pa.array([i * 86_400_000_123 for i in range(rows)], pa.timestamp("us"))})


SCHEMA = "id:int64,name:utf8,qty:int32,price:float64,at:timestamp[us]"


def equal(folder, a, b):
    left, right = (pq.read_table(folder / n).sort_by("id") for n in (a, b))
    assert left.column_names == right.column_names
    for name in left.column_names:
        assert left.column(name).to_pylist() == right.column(name).to_pylist(), name


@pytest.mark.parametrize("second", [store.name for store in STORES])
def test_every_source_into_every_sink(place, request, haul, tmp_path, second):
    orders(tmp_path / "in.parquet")
    if second == place.store.name and not place.store.to_itself:
        pytest.skip("not into itself")
    other = place if second == place.store.name else BY_NAME[second].open(request, tmp_path)
    target, words = place.target("first")
    haul("copy", "in.parquet", target, *words, "--verify")
    source, from_words = place.source("first")
    target, to_words = other.target("second")
    given = [] if place.store.typed else ["--schema", SCHEMA]
    haul("copy", source, target, *from_words, *to_words, *given, "--verify")
    back(other, haul, "second", SCHEMA)
    equal(tmp_path, "in.parquet", "back.parquet")


# ---- what every sink promises ----

def test_modes(place, haul, tmp_path):
    orders(tmp_path / "in.parquet", 300)
    target, words = place.target("t")
    copy = ["copy", "in.parquet", target, *words]
    haul(*copy)
    assert "--mode" in haul(*copy, code=6).stderr, "create refuses what is there, and names the ways"
    haul(*copy, "--mode", "replace")
    assert back(place, haul, "t", SCHEMA).num_rows == 300
    if place.store.append:
        haul(*copy, "--mode", "append")
        assert back(place, haul, "t", SCHEMA).num_rows == 600
        haul(*copy, "--mode", "truncate")
        assert back(place, haul, "t", SCHEMA).num_rows == 300


def test_a_named_run_is_done_once(place, haul, tmp_path):
    orders(tmp_path / "in.parquet", 300)
    target, words = place.target("t")
    copy = ["copy", "in.parquet", target, *words, "--mode", "replace", "--run", "nightly"]
    haul(*copy)
    assert "already complete" in haul(*copy).stderr
    assert back(place, haul, "t", SCHEMA).num_rows == 300


def test_a_dry_run_changes_nothing(place, haul, tmp_path):
    orders(tmp_path / "in.parquet", 30)
    target, words = place.target("t")
    plan = json.loads(haul("copy", "in.parquet", target, *words, "--dry-run", "--json").stdout)
    assert [c["name"] for c in plan["columns"]] == ["id", "name", "qty", "price", "at"]
    name, words = place.source("t")
    haul("copy", name, "x.parquet", *words, code=(5,))


def test_an_empty_table(place, haul, tmp_path):
    orders(tmp_path / "in.parquet", 0)
    target, words = place.target("t")
    haul("copy", "in.parquet", target, *words)
    table = back(place, haul, "t", SCHEMA)
    assert table.num_rows == 0 and table.column_names == ["id", "name", "qty", "price", "at"]


@pytest.mark.parametrize("name", ["select", 'quo"te', "Größe", "a b", "semi;colon", "it's", "x" * 63, "per%cent", "comma,ted"])
def test_names_of_columns(place, haul, tmp_path, name):
    write(tmp_path / "in.parquet", {name: [1, None, 3], "other": ["a", "b", None]})
    target, words = place.target("t")
    haul("copy", "in.parquet", target, *words)
    table = back(place, haul, "t")
    assert table.column(name).to_pylist() == [1, None, 3] and table.column("other").to_pylist() == ["a", "b", None]


# ---- what every source promises ----

def test_columns_limit_and_conditions(place, haul, tmp_path):
    orders(tmp_path / "in.parquet", 300)
    target, words = place.target("t")
    haul("copy", "in.parquet", target, *words)
    name, words = place.source("t")
    given = [] if place.store.typed else ["--schema", SCHEMA]
    haul("copy", name, "c.parquet", *words, *given, "--columns", "price,id")
    table = pq.read_table(tmp_path / "c.parquet")
    assert table.column_names == ["price", "id"] and table.num_rows == 300
    haul("copy", name, "l.parquet", *words, *given, "--limit", "7")
    assert pq.read_table(tmp_path / "l.parquet").num_rows == 7
    if place.store.sql:
        haul("copy", name, "w.parquet", *words, "--where", "id >= 290")
        assert sorted(pq.read_table(tmp_path / "w.parquet").column("id").to_pylist()) == list(range(290, 300))
        haul("copy", name, "q.parquet", "--query", "SELECT id FROM t WHERE id < 3 ORDER BY id")
        assert pq.read_table(tmp_path / "q.parquet").column("id").to_pylist() == [0, 1, 2]


def test_what_is_not_there_names_what_is_near(place, haul, tmp_path):
    orders(tmp_path / "in.parquet", 30)
    target, words = place.target("t")
    haul("copy", "in.parquet", target, *words)
    name, words = place.source("t")
    said = haul("copy", name, "x.parquet", *words, "--columns", "id,prise", code=(2, 5)).stderr
    assert "price" in said
    name, words = place.source("nothing")
    assert "nothing" in haul("copy", name, "x.parquet", *words, code=5).stderr


def test_workers_read_every_row_once(place, haul, tmp_path):
    orders(tmp_path / "in.parquet", 5000)
    target, words = place.target("t")
    haul("copy", "in.parquet", target, *words, "--workers", "3", "--unit-rows" if place.store.append else "--rowgroup-size", "700")
    name, words = place.source("t")
    given = [] if place.store.typed else ["--schema", SCHEMA]
    haul("copy", name, "out.parquet", *words, *given, "--workers", "3", "--rowgroup-size", "600")
    equal(tmp_path, "in.parquet", "out.parquet")
