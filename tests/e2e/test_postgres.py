"""PostgreSQL both ways, with a real server: exact values, snapshots, exactly once, sentences.

Values are judged by the server itself (COPY in text format through psql) and by pyarrow,
never by another driver. Accounts are as small as docs/postgres.md says they may be: a
reader with SELECT, a loader with CREATE on its schema; the superuser only prepares.
"""
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import HAUL, ROOT, SEED, TRIALS

sys.path.insert(0, str(ROOT / "tests" / "support"))
from proxy import Fault, Proxy  # noqa: E402
from servers import PASSWORD, Missing, Postgres, certificate  # noqa: E402

FEW = max(2, TRIALS // 5)


@pytest.fixture(scope="module")
def server():
    try:
        with Postgres(max_prepared_transactions=0) as started:
            started.sql(f"CREATE ROLE loader LOGIN PASSWORD '{PASSWORD}'", f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'",
                        f"CREATE ROLE nobody_much LOGIN PASSWORD '{PASSWORD}'")
            yield started
    except Missing as why:
        pytest.skip(str(why))


@pytest.fixture
def base(server):
    """A database of the test's own, and how to speak with it."""
    return fresh_database(server)


def fresh_database(server, count=[0]):  # noqa: B006
    count[0] += 1
    name = f"t{count[0]}"
    server.sql(f"CREATE DATABASE {name}")
    server.sql("GRANT CREATE, USAGE ON SCHEMA public TO loader",
               "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader", database=name)
    return Base(server, name)


class Base:
    def __init__(self, server, name):
        self.server, self.name = server, name

    def sql(self, *statements, user=None):
        return self.server.sql(*statements, database=self.name, user=user)

    def rows(self, query):
        return self.server.rows(query, database=self.name)

    def uri(self, user="loader", **more):
        return self.server.uri(user=user, database=self.name, **more)

    @property
    def clean(self):
        """No staging table, no unit of a run that goes on."""
        left = self.sql("SELECT relname FROM pg_class WHERE relname LIKE '%\\_\\_haul\\_%' AND relkind = 'r'")
        units = "0"
        if self.sql("SELECT to_regclass('public.haul_units')"):
            units = self.sql("SELECT count(*) FROM haul_units")
        return left == "" and units == "0"


@pytest.fixture
def run(tmp_path):
    """Runs haul with the password in the environment; nothing it says may hold it."""

    def call(*words, code=0, env=None, timeout=120):
        done = subprocess.run([HAUL, *map(str, words)], cwd=tmp_path, capture_output=True, text=True, timeout=timeout,
                              env={**os.environ, "PGPASSWORD": PASSWORD, **(env or {})})
        said = done.stdout + done.stderr
        assert PASSWORD not in said and "canary" not in said, said
        assert code is None or done.returncode == code, (done.returncode, said[-3000:])
        return done

    return call


# ---- values ----

EDGES = """
CREATE TABLE edges (id int PRIMARY KEY, b boolean, i2 smallint, i4 integer NOT NULL, i8 bigint, f4 real, f8 double precision,
 n numeric(38,10), n0 numeric(5,0), nn numeric(3,-2), t text, v varchar(300), c char(6), by bytea, d date, tm time, ts timestamp,
 tz timestamptz, u uuid, j json, jb jsonb, ai int[], at text[], an numeric(10,2)[], ats timestamptz[],
 nu numeric, iv interval, ttz timetz, ip inet, ci cidr, mac macaddr, m money, bi bit(5), vb varbit, p point, r int4range,
 nr numrange, ts2 tsvector, x xml, e mood, dom posint, comp pair, ai2 int[][], em mood[], o oid, na name);
INSERT INTO edges (id, i4) VALUES (1, 0);
INSERT INTO edges VALUES (2, true, -32768, -2147483648, -9223372036854775808, '-Infinity', 'NaN', -9999999999999999999999999999.9999999999,
 -99999, 99900, '', '', '', '', '4713-01-01 BC', '00:00', '4713-01-01 00:00:00 BC', '4713-01-01 00:00:00+00 BC',
 '00000000-0000-0000-0000-000000000000', '{ "b":1,  "a":[1,2] }', '{"a": null}', '{}', '{}', '{}', '{}', 'NaN', '-1 years 2 mons -3 days 04:05:06.789',
 '23:59:59.999999+15:59', '::1', '10.0.0.0/8', '08:00:2b:01:02:03', -92233720368547758.08, B'10101', B'', '(1.5,-2.5)', 'empty',
 '[1.5,)', 'a:1 b:2', '<a b="c">x</a>', 'ok', 5, '(1,"x y")', '{{1,2},{3,4}}', '{ok,"s a\\"d"}', 4294967295, 'n');
INSERT INTO edges VALUES (3, false, 32767, 2147483647, 9223372036854775807, 'Infinity', '-Infinity', 0.0000000001, 0, -100,
 E'tab\\t nl\\n cr\\r back\\\\ quote" é 🎈 \\\\N', repeat('ü', 300), 'ab', '\\x00ff5c', '9999-12-31', '23:59:59.999999',
 '9999-12-31 23:59:59.999999', '294246-12-31 23:59:59+00', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'null', '"\\\\u00e9\\\\\\\\"',
 '{1,NULL,-2147483648}', E'{a,NULL,"","NULL","q\\\\"\\\\\\\\{},"}', '{1.25,NULL,-99999999.99}', '{"2024-02-29 12:00:00+00",NULL}',
 (repeat('9', 500) || '.' || repeat('7', 400))::numeric, '178000000 years', '00:00:00-15:59', '1.2.3.4/24', '::/0', 'ff:ff:ff:ff:ff:ff',
 0, B'00000', B'1', '(0,0)', '[-5,7)', '(,)', '', NULL, 's a"d', 1, NULL, NULL, '{NULL}', 0, 'ö');
INSERT INTO edges (id, i4, f4, f8, n, d, ts, tz, tm) VALUES (4, 1, '-0', '-0', 0, '2000-01-01', '2000-01-01', '1999-12-31 23:59:59.999999+00', '12:00'),
 (5, 1, 1.1754944e-38, 5e-324, 1234567890123456789012345678.0123456789, '5874897-12-31', '1970-01-01', '1970-01-01+00', NULL),
 (6, 1, 3.4028235e38, 1.7976931348623157e308, -0.5, '0001-01-01', '1582-10-10 12:34:56.1', '0001-12-31 BC', NULL);
"""
TYPES = ["CREATE TYPE mood AS ENUM ('ok', 's a\"d')", "CREATE DOMAIN posint AS int CHECK (VALUE > 0)",
         "CREATE TYPE pair AS (a int, b text)"]


def same(base, a, b):
    left, right = base.rows(f"SELECT * FROM {a}"), base.rows(f"SELECT * FROM {b}")
    assert left == right
    return left


@pytest.fixture
def edges(base):
    base.sql(*TYPES, "GRANT USAGE ON TYPE mood, posint, pair TO loader, reader", EDGES)
    return base


def test_edges_from_table_to_table(edges, run):
    run("copy", edges.uri("reader"), edges.uri(), "--source-table", "edges", "--target-table", "copied")
    assert len(same(edges, "edges", "copied")) == 6
    kept = edges.sql("SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ',' ORDER BY attnum) FROM pg_attribute"
                     " WHERE attrelid = 'copied'::regclass AND attnum > 0 AND attname NOT IN ('e','dom','comp','em','ai2')")
    was = edges.sql("SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ',' ORDER BY attnum) FROM pg_attribute"
                    " WHERE attrelid = 'edges'::regclass AND attnum > 0 AND attname NOT IN ('e','dom','comp','em','ai2')")
    assert kept == was


def test_edges_through_parquet(edges, run, tmp_path):
    run("copy", edges.uri("reader"), "e.parquet", "--table", "edges")
    table = pq.read_table(tmp_path / "e.parquet").sort_by("id")
    assert table.schema.field("n").type == pa.decimal128(38, 10)
    assert table.schema.field("tz").type == pa.timestamp("us", "UTC")
    assert table.column("at")[2].as_py() == ["a", None, "", "NULL", 'q"\\{},']
    assert table.column("i8").to_pylist()[1:3] == [-2**63, 2**63 - 1]
    assert table.column("f8")[3].as_py().hex() == "-0x0.0p+0"
    assert table.column("t")[2].as_py() == 'tab\t nl\n cr\r back\\ quote" é 🎈 \\N'
    run("copy", "e.parquet", edges.uri(), "--table", "back")
    same(edges, "edges", "back")
    edges.sql("CREATE TABLE exact (LIKE edges INCLUDING ALL)", "GRANT INSERT, SELECT ON exact TO loader")
    run("copy", "e.parquet", edges.uri(), "--table", "exact", "--mode", "append")  # enum, domain, composite: into their own types
    same(edges, "edges", "exact")


def test_arrow_types_into_a_new_table(base, run, tmp_path):
    """What other systems have and PostgreSQL has not gets the nearest type that holds it exactly."""
    import datetime as dt
    from decimal import Decimal
    moment = dt.datetime(2024, 2, 29, 12, 34, 56)
    columns = {
        "i8": (pa.int8(), [-128, 127], "smallint", "-128"), "u8": (pa.uint8(), [255, 0], "smallint", "255"),
        "u16": (pa.uint16(), [65535, 0], "integer", "65535"), "u32": (pa.uint32(), [2**32 - 1, 0], "bigint", "4294967295"),
        "u64": (pa.uint64(), [2**64 - 1, 0], "numeric(20,0)", "18446744073709551615"),
        "f32": (pa.float32(), [0.1, float("nan")], "real", "0.1"), "dec": (pa.decimal128(38, 37), [Decimal("-9.9999999999999999999999999999999999999"), None],
                                                                           "numeric(38,37)", "-9.9999999999999999999999999999999999999"),
        "t32": (pa.time32("ms"), [dt.time(1, 2, 3, 4000), None], "time without time zone", "01:02:03.004"),
        "ts": (pa.timestamp("s"), [moment, None], "timestamp without time zone", "2024-02-29 12:34:56"),
        "tsn": (pa.timestamp("ns", "Europe/Paris"), [moment, None], "timestamp with time zone", "2024-02-29 12:34:56+00"),
        "fb": (pa.binary(3), [b"\0\xffa", None], "bytea", "\\\\x00ff61"), "big": (pa.large_string(), ["x", None], "text", "x"),
        "dic": (pa.dictionary(pa.int8(), pa.string()), ["red", None], "text", "red"), "nul": (pa.null(), [None, None], "text", "\\N"),
        "li": (pa.list_(pa.int64()), [[1, None], []], "bigint[]", "{1,NULL}"), "ls": (pa.list_(pa.string()), [["a,b", '"']], "text[]", '{"a,b","\\\\""}'),
        "st": (pa.struct([("a", pa.int32())]), [{"a": 1}, None], "json", '{"a":1}'),
        "mp": (pa.map_(pa.string(), pa.int32()), [[("k", 1)], None], "json", None), "ll": (pa.list_(pa.list_(pa.int32())), [[[1], [2]], None], "json", "[[1],[2]]"),
    }
    arrays = {name: pa.array((values + [None])[:2], type_) for name, (type_, values, _, _) in columns.items()}
    pq.write_table(pa.table(arrays), tmp_path / "a.parquet")
    run("copy", "a.parquet", base.uri(), "--table", "a")
    for name, (_, _, declared, text) in columns.items():
        assert base.sql(f"SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'a'::regclass AND attname = '{name}'") == declared, name
        if text is not None:
            assert base.server.sql(f"COPY (SELECT {name} FROM a LIMIT 1) TO STDOUT", database=base.name) == text, name


@pytest.mark.parametrize("type_", ["smallint", "integer", "bigint", "real", "double precision", "numeric(20,5)", "date",
                                   "timestamp", "timestamptz", "text", "bytea", "uuid", "boolean", "int[]", "jsonb"])
def test_each_binary_type_alone(base, run, type_, rng):
    """Without a column that forces text format: the binary encoders."""
    value = {"smallint": "(i * 7 - 30000)::smallint", "integer": "i * 429496", "bigint": "i * 1844674407370955",
             "real": "i / 7.0", "double precision": "exp(i / 20.0)", "numeric(20,5)": "i::numeric * i * i / 100000 - 500",
             "date": "date '1900-01-01' + i * 13", "timestamp": "timestamp '1900-01-01' + i * interval '1 day 0.000001'",
             "timestamptz": "timestamptz '1900-01-01' + i * interval '1 day 0.000001'", "text": "repeat(chr(200 + i % 900), i % 40)",
             "bytea": "decode(md5(i::text), 'hex')", "uuid": "md5(i::text)::uuid", "boolean": "i % 3 = 0",
             "int[]": "ARRAY[i, NULL, -i]", "jsonb": "jsonb_build_object('k', i)"}[type_]
    base.sql(f"CREATE TABLE s (id int, v {type_})",
             f"INSERT INTO s SELECT i, CASE WHEN i % 11 = 0 THEN NULL ELSE ({value})::{type_} END FROM generate_series(1, 5000) AS i")
    run("copy", base.uri("reader"), base.uri(), "--source-table", "s", "--target-table", "d")
    same(base, "s", "d")


def test_numbers_of_every_scale(base, run, rng):
    columns = ", ".join(f"n{s} numeric({38 if s % 2 else max(s, 1) + 4 if s < 34 else 38},{s})" for s in range(0, 38))
    base.sql(f"CREATE TABLE s (id int, {columns})")
    values = ["0"] + [f"{sign}{rng.randrange(1, 10 ** digits)}" for digits in (1, 2, 3, 4) for sign in ("", "-")]
    for i, value in enumerate(values):
        base.sql(f"INSERT INTO s VALUES ({i}, {', '.join(f'{value}::numeric / (10::numeric ^ {min(s, 4)})' for s in range(38))})"
                 if i else f"INSERT INTO s VALUES (0, {', '.join('0' for _ in range(38))})")
    run("copy", base.uri("reader"), "n.parquet", "--table", "s")
    run("copy", "n.parquet", base.uri(), "--table", "d")
    same(base, "s", "d")


def test_what_cannot_be_held_is_refused(base, run, tmp_path):
    base.sql("CREATE TABLE s (id int, d date, ts timestamp, n numeric(5,2), a int[], tm time)",
             "INSERT INTO s VALUES (1, 'infinity', NULL, NULL, NULL, NULL), (2, NULL, '-infinity', NULL, NULL, NULL),"
             " (3, NULL, NULL, 'NaN', NULL, NULL), (4, NULL, NULL, NULL, '{{1,2},{3,4}}', NULL), (5, NULL, NULL, NULL, '[0:1]={7,8}', NULL),"
             " (6, NULL, NULL, NULL, NULL, '24:00'), (7, '2024-01-01', '2024-01-01', 1.25, '{1}', '12:00')")
    done = run("copy", base.uri("reader"), "o.parquet", "--table", "s", code=5)
    assert 'column "d"' in done.stderr and "infinite date" in done.stderr
    run("copy", base.uri("reader"), "o.parquet", "--table", "s", "--max-errors", "6", "--reject-file", "r.jsonl", code=3)
    assert pq.read_table(tmp_path / "o.parquet").column("id").to_pylist() == [7]
    lines = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert [line["column"] for line in lines] == ["d", "ts", "n", "a", "a", "tm"]
    run("copy", base.uri("reader"), "t.parquet", "--table", "s", "--schema", "d:utf8,ts:utf8,n:utf8,a:utf8,tm:utf8")
    table = pq.read_table(tmp_path / "t.parquet")
    assert table.column("d").to_pylist()[0] == "infinity" and table.column("a").to_pylist()[4] == "[0:1]={7,8}"


# ---- reading ----

def test_every_kind_of_relation(base, run, tmp_path):
    base.sql("CREATE TABLE p (k int, v text) PARTITION BY RANGE (k)", "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (1000)",
             "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (1000) TO (9000)", "INSERT INTO p SELECT i, repeat('x', 100) FROM generate_series(0, 4999) AS i",
             "CREATE VIEW w AS SELECT k, k * 2 AS twice FROM p WHERE k < 10", "CREATE MATERIALIZED VIEW m AS SELECT * FROM p", "ANALYZE")
    for name, rows in (("p", 5000), ("w", 10), ("m", 5000), ("public.p2", 4000)):
        run("copy", base.uri("reader"), f"{name}.parquet", "--table", name, "--workers", "2", "--rowgroup-size", "400")
        table = pq.read_table(tmp_path / f"{name}.parquet")
        assert table.num_rows == rows == len(set(table.column("k").to_pylist())), name
    run("copy", base.uri("reader"), "q.parquet", "--query", "SELECT v, k FROM p -- all\n ;", "--where", "k < 3 -- few", "--columns", "k")
    assert pq.read_table(tmp_path / "q.parquet").to_pydict() == {"k": [0, 1, 2]}
    listed = run("list", base.uri("reader"), "--json").stdout
    assert '"p"' in listed and "materialised view" in listed and "partitioned table" in listed and '"p1"' not in listed


@pytest.mark.parametrize("split", ["auto", "key"])
def test_parallel_read_sees_one_snapshot(base, run, tmp_path, split):
    """Writers move money between rows all the time; each read must see all of it."""
    base.sql("CREATE TABLE acc (id int PRIMARY KEY, amount bigint, pad text) WITH (fillfactor = 60)",
             "INSERT INTO acc SELECT i, 1000, repeat('p', 200) FROM generate_series(1, 20000) AS i", "ANALYZE")
    stop = threading.Event()

    def write(seed):
        rng = random.Random(seed)
        while not stop.is_set():
            a, b = rng.randrange(1, 20001), rng.randrange(1, 20001)
            base.sql(f"BEGIN; UPDATE acc SET amount = amount - 7 WHERE id = {min(a, b)}; UPDATE acc SET amount = amount + 7 WHERE id = {max(a, b)};"
                     f" DELETE FROM acc WHERE id = {20000 + a}; INSERT INTO acc VALUES ({20000 + a}, 0, 'new'); COMMIT")

    writers = [threading.Thread(target=write, args=(SEED + i,)) for i in range(2)]
    for writer in writers:
        writer.start()
    try:
        for trial in range(FEW):
            name = f"acc{trial}.parquet"
            said = run("copy", base.uri("reader"), name, "--table", "acc", "--workers", "4", "--rowgroup-size", "700", "--split", split).stderr
            assert " 1 part," not in said
            table = pq.read_table(tmp_path / name)
            ids = table.column("id").to_pylist()
            assert len(ids) == len(set(ids)) and len([i for i in ids if i <= 20000]) == 20000
            assert sum(table.column("amount").to_pylist()) == 20000 * 1000
    finally:
        stop.set()
        for writer in writers:
            writer.join()


KEYS = {
    "int": "CASE WHEN i % 10 = 0 THEN i * 1000 ELSE i END", "text": "CASE WHEN i % 7 = 0 THEN NULL ELSE 'k''\\\\' || (i * i)::text END",
    "timestamptz": "'2024-01-01'::timestamptz + (i ^ 3)::int8 * interval '1 ms'", "float8": "CASE WHEN i % 50 = 0 THEN 'NaN' ELSE ln(i) END",
    "numeric": "(i::numeric ^ 5) / 7", "bytea": "decode(md5(i::text), 'hex')", "uuid": "md5(i::text)::uuid", "date": "'2000-01-01'::date + i",
}


@pytest.mark.parametrize("type", KEYS)
def test_key_ranges_have_every_row_once(base, run, tmp_path, type):
    """Skewed values of every kind, NULL and NaN too: parts by the server's histogram, about equal, each row in one."""
    base.sql(f"CREATE TABLE p (id int, k {type}, one int)", f"INSERT INTO p SELECT i, {KEYS[type]}, 1 FROM generate_series(1, 20000) AS i", "ANALYZE p",
             "INSERT INTO p SELECT 20000 + i, k, 1 FROM p AS q, LATERAL (SELECT id AS i) AS r WHERE id <= 300")  # newer than the statistics
    said = run("copy", base.uri("reader"), "p.parquet", "--table", "p", "--split", "key", "--key", "k", "--workers", "2", "--rowgroup-size", "2000",
               "--verify").stderr
    assert " 1 part," not in said
    file = pq.ParquetFile(tmp_path / "p.parquet")
    assert sorted(file.read(columns=["id"]).column("id").to_pylist()) == list(range(1, 20301))
    sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert len(sizes) >= 7 and max(sizes) <= 6000, sizes
    assert "ANALYZE" in run("copy", base.uri("reader"), "q.parquet", "--table", "p", "--split", "key", "--key", "one", code=5).stderr
    assert " 1 part," in run("copy", base.uri("reader"), "n.parquet", "--table", "p", "--split", "none").stderr
    assert "partition" in run("copy", base.uri("reader"), "q.parquet", "--table", "p", "--split", "partition", code=2).stderr


@pytest.mark.parametrize("first,parts", [("i % 3", 3), ("i / 4", 7), ("CASE WHEN i % 2 = 0 THEN NULL ELSE i END", 5)])
def test_a_composite_key_has_every_row_once(base, run, tmp_path, first, parts):
    """Of a key of two columns the first makes the ranges: few values, each many times; many; or NULLs for half of the rows."""
    base.sql("CREATE TABLE p (a int, b text, id int)", f"INSERT INTO p SELECT {first}, 'b' || i, i FROM generate_series(1, 20000) AS i",
             "CREATE UNIQUE INDEX ab ON p (a, b)", "ANALYZE p")
    if "NULL" not in first:
        base.sql("ALTER TABLE p ALTER a SET NOT NULL, ALTER b SET NOT NULL, ADD PRIMARY KEY USING INDEX ab")
    key = [] if "NULL" not in first else ["--key", "a"]
    said = run("copy", base.uri("reader"), "p.parquet", "--table", "p", "--split", "key", *key, "--workers", "2", "--rowgroup-size", "2000", "--verify").stderr
    file = pq.ParquetFile(tmp_path / "p.parquet")
    assert sorted(file.read(columns=["id"]).column("id").to_pylist()) == list(range(1, 20001))
    sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert len(sizes) >= parts and " 1 part," not in said, (sizes, said)


def test_a_foreign_table_is_cut_only_for_who_asks(base, run, tmp_path):
    base.sql("CREATE TABLE far (id int PRIMARY KEY, pad text)", "INSERT INTO far SELECT i, repeat('p', 50) FROM generate_series(1, 9000) AS i",
             "CREATE EXTENSION postgres_fdw",
             f"CREATE SERVER here FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '{base.server.port}', dbname '{base.name}')",
             f"CREATE USER MAPPING FOR PUBLIC SERVER here OPTIONS (user 'reader', password '{PASSWORD}')",
             "CREATE FOREIGN TABLE near (id int, pad text) SERVER here OPTIONS (table_name 'far')", "GRANT SELECT ON near TO reader", "ANALYZE near")
    assert " 1 part," in run("copy", base.uri("reader"), "a.parquet", "--table", "near").stderr
    done = run("copy", base.uri("reader"), "b.parquet", "--table", "near", "--split", "key", "--workers", "2", "--rowgroup-size", "1000")
    assert " 1 part," not in done.stderr
    assert sorted(pq.read_table(tmp_path / "b.parquet").column("id").to_pylist()) == list(range(1, 9001))
    assert "own moment" in run("copy", base.uri("reader"), "c.parquet", "--table", "near", "--split", "key", "--dry-run").stdout


def test_a_lost_reader_goes_on_in_the_same_snapshot(base, run, tmp_path):
    base.sql("CREATE TABLE big (id int, pad text)", "INSERT INTO big SELECT i, repeat('p', 300) FROM generate_series(1, 30000) AS i", "ANALYZE")
    with Proxy(base.server.port, Fault(None, 3_000_000, "reset")) as proxy:
        done = run("copy", base.uri("reader", port=proxy.port, more="?sslmode=disable"), "big.parquet", "--table", "big", "--workers", "2",
                   "--rowgroup-size", "5000", "--retries", "5")
    assert "trying again" in done.stderr
    assert sorted(pq.read_table(tmp_path / "big.parquet").column("id").to_pylist()) == list(range(1, 30001))


# ---- writing: modes ----

@pytest.fixture
def orders(tmp_path):
    """A Parquet file of 3,000 rows in several row groups."""
    table = pa.table({"id": pa.array(range(3000), pa.int32()), "name": [f"näme {i}" if i % 7 else None for i in range(3000)],
                      "price": pa.array([i / 8 for i in range(3000)], pa.float64())})
    pq.write_table(table, tmp_path / "orders.parquet", row_group_size=700)
    return table


EXPECTED = "SELECT count(*), sum(id), count(name), sum(price) FROM "
WHOLE = "3000|4498500|2571|562312.5"


def test_modes(base, run, orders):
    copy = ["copy", "orders.parquet", base.uri(), "--table", "o", "--unit-rows", "500"]
    run(*copy)
    assert base.sql(EXPECTED + "o") == WHOLE
    assert "is there and has rows" in run(*copy, "--workers", "1", code=6).stderr
    run(*copy, "--mode", "append")
    assert base.sql("SELECT count(*) FROM o") == "6000"
    run(*copy, "--mode", "replace")
    assert base.sql(EXPECTED + "o") == WHOLE
    base.sql("GRANT SELECT ON o TO nobody_much", "CREATE VIEW w AS SELECT id FROM o", "ALTER TABLE o ADD PRIMARY KEY (id)",
             "CREATE TABLE child (o int REFERENCES o)", "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
             "CREATE TRIGGER g BEFORE INSERT ON o FOR EACH ROW EXECUTE FUNCTION f()")
    said = run(*copy, "--mode", "replace", code=6).stderr
    for what in ("nobody_much", "view w", "foreign key", "trigger g"):
        assert what in said, said
    assert base.sql(EXPECTED + "o") == WHOLE
    run(*copy, "--mode", "truncate")
    assert base.sql(EXPECTED + "o") == WHOLE
    assert base.sql("SELECT has_table_privilege('nobody_much', 'o', 'SELECT')") == "t"
    assert base.clean


def test_create_keeps_types_and_key(base, run):
    base.sql("CREATE TABLE s (b int, a varchar(10), n numeric(10,2) NOT NULL, PRIMARY KEY (a, b))", "INSERT INTO s VALUES (1, 'x', 2.5)")
    run("copy", base.uri("reader"), base.uri(), "--source-table", "s", "--target-table", "d")
    describe = "SELECT string_agg(attname || format_type(atttypid, atttypmod) || attnotnull, ',' ORDER BY attnum) FROM pg_attribute WHERE attnum > 0 AND attrelid = '%s'::regclass"
    assert base.sql(describe % "d") == base.sql(describe % "s")
    assert base.sql("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'd'::regclass") == "PRIMARY KEY (a, b)"



@pytest.mark.parametrize("limit", [None, 100])
def test_refused_rows_are_named(base, run, orders, tmp_path, limit):
    base.sql("CREATE TABLE parent (id int PRIMARY KEY)", "INSERT INTO parent SELECT generate_series(0, 2989)",
             "CREATE TABLE o (id int PRIMARY KEY REFERENCES parent, name text NOT NULL, price float8 CHECK (price <> 100.0))",
             "INSERT INTO o VALUES (1, 'there', 0)", "GRANT INSERT, SELECT ON o TO loader")
    copy = ["copy", "orders.parquet", base.uri(), "--table", "o", "--mode", "append", "--unit-rows", "1000"]
    if limit is None:
        said = run(*copy, code=6).stderr
        assert 'null value in column "name"' in said or "duplicate key" in said
        assert base.sql("SELECT count(*) FROM o") == "1"
        return
    run(*copy, "--max-errors", "600", "--reject-file", "r.jsonl", code=3)
    refused = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    wanted = {i for i in range(3000) if i % 7 == 0 or i == 1 or i == 800 or i >= 2990}
    assert len(refused) == len(wanted)
    assert base.sql("SELECT count(*) FROM o") == str(3001 - len(wanted))
    assert {int(i) for i in base.sql("SELECT id FROM o").splitlines()} == set(range(3000)) - wanted | {1}


def test_every_third_row_is_refused(base, run, tmp_path):
    """Many refusals cost neither the server's lock table nor the good rows."""
    pq.write_table(pa.table({"id": pa.array(range(30000), pa.int32()), "k": pa.array([i % 1000 for i in range(30000)], pa.int32())}), tmp_path / "k.parquet")
    base.sql("CREATE TABLE o (id int PRIMARY KEY, k int CHECK (k % 3 <> 0))", "GRANT INSERT, SELECT ON o TO loader")
    run("copy", "k.parquet", base.uri(), "--table", "o", "--mode", "append", "--max-errors", "-1", "--reject-file", "r.jsonl", code=3)
    wanted = {i for i in range(30000) if i % 1000 % 3}
    assert {int(i) for i in base.sql("SELECT id FROM o").splitlines()} == wanted
    assert [json.loads(line)["row"] for line in (tmp_path / "r.jsonl").read_text().splitlines()] == [i for i in range(30000) if i not in wanted]


def test_of_two_rows_that_clash_at_the_end_of_the_statement_the_second_is_set_aside(base, run, tmp_path):
    """A constraint that is looked at when the statement ends names no row, and neither half of the rows is bad for itself."""
    pairs = {700: 3, 999: 400, 1500: 1499}
    pq.write_table(pa.table({"id": pa.array([pairs.get(n, n) for n in range(2000)], pa.int32())}), tmp_path / "p.parquet")
    base.sql("CREATE TABLE o (id int UNIQUE DEFERRABLE INITIALLY IMMEDIATE)", "GRANT INSERT, SELECT ON o TO loader")
    run("copy", "p.parquet", base.uri(), "--table", "o", "--mode", "append", "--max-errors", "10", "--reject-file", "r.jsonl", code=3)
    assert [json.loads(line)["row"] for line in (tmp_path / "r.jsonl").read_text().splitlines()] == sorted(pairs)
    assert {int(i) for i in base.sql("SELECT id FROM o").splitlines()} == set(range(2000)) - set(pairs)


# ---- names ----

NAMES = ['Order "Details"', "ta ble", "select", "x" * 63, "ü" * 31, "a]b[c", "semi;colon--", "quo'te", "back\\slash", "a.b", "$1", "%s%n",
         '"; DROP TABLE victim; --']


def test_names(base, run):
    base.sql("CREATE TABLE victim (a int)")
    for i, name in enumerate(NAMES):
        quoted = '"' + name.replace('"', '""') + '"'
        base.sql(f"CREATE TABLE {quoted} ({quoted} int, other text)", f"INSERT INTO {quoted} VALUES ({i}, 'o')")
        run("copy", base.uri("reader"), base.uri(), "--source-table", quoted, "--target-table", f"copy{i}")
        run("copy", base.uri("reader"), base.uri(), "--source-table", quoted, "--target-table", quoted.replace("x", "y", 1) + "", "--mode", "append",
            code=None)
        assert base.sql(f"SELECT {quoted} FROM copy{i}") == str(i)
    assert base.sql("SELECT count(*) FROM victim") == "0"
    run("copy", base.uri("reader"), base.uri(), "--source-table", "copy0", "--target-table", "y" * 64, code=6)


@pytest.mark.parametrize("uri", ["postgresql://loader@127.0.0.1:{port}/host=evil%20dbname=x", "postgresql://loader@127.0.0.1:{port}/t1?options=%2Dc%20x",
                                 "postgresql://loader@127.0.0.1:99999/x", "postgresql://loader:canary@sec@127.0.0.1:{port}/nothing",
                                 "postgresql://loader:canary%00@127.0.0.1:{port}/x", "postgresql://loader:canary@[::1/x", "postgres://",
                                 "postgresql://u:canary@127.0.0.1:{port}/x?bogus=canary2"])
def test_awkward_uris(server, run, uri):
    done = run("list", uri.format(port=server.port), code=None, env={"PGHOST": "127.0.0.1", "PGPORT": str(server.port)})
    assert done.returncode in (2, 5), done
    assert "canary" not in done.stderr


# ---- sentences ----

def test_wrong_password_is_tried_once(server, run):
    before = (server.folder / "log").read_text().count("password authentication failed")
    done = run("list", server.uri(user="loader"), code=5, env={"PGPASSWORD": "wrong"})
    assert "password authentication failed" in done.stderr and "PGPASSWORD" in done.stderr
    assert (server.folder / "log").read_text().count("password authentication failed") == before + 1


def test_no_password_is_an_error_at_once(server, run):
    done = run("list", server.uri(user="loader"), code=5, env={"PGPASSWORD": ""}, timeout=10)
    assert "no password" in done.stderr


def test_what_is_missing_is_named(base, run, orders):
    base.sql("CREATE TABLE secret (a int)", "REVOKE ALL ON secret FROM reader", "CREATE TABLE orders (a int)")
    assert "does not exist" in run("list", base.server.uri(user="reader", database="nowhere"), code=5).stderr
    said = run("copy", base.uri("reader"), "x.parquet", "--table", "order", code=5).stderr
    assert 'no table "order"' in said and "orders" in said
    said = run("copy", base.uri("nobody_much"), "x.parquet", "--table", "secret", code=5).stderr
    assert "permission denied for table secret" in said and "SELECT" in said
    said = run("copy", "orders.parquet", base.uri("nobody_much"), "--table", "new", code=6).stderr
    assert "permission denied for schema public" in said and "CREATE" in said
    said = run("copy", base.uri("reader"), "x.parquet", "--query", "SELECT nope FROM orders", code=None).stderr
    assert 'column "nope" does not exist' in said
    said = run("copy", base.uri("reader"), "x.parquet", "--query", "DELETE FROM orders RETURNING a", code=None).stderr
    assert said and base.sql("SELECT count(*) FROM orders") == "0"


def test_certificates(server, run, tmp_path):
    plain = server.uri(user="loader")
    run("list", plain)
    said = run("list", plain + "?sslmode=verify-full", code=5).stderr
    assert "certificate" in said and "--tls-ca" in said
    run("list", plain + f"?sslmode=verify-full&sslrootcert={server.folder}/server.crt")
    certificate(tmp_path, "other")
    run("list", plain + f"?sslmode=verify-full&sslrootcert={tmp_path}/other.crt", code=5)


def test_the_session_names_itself_and_its_run(base, run, orders):
    base.sql("CREATE TABLE o (id int, name text, price float8)", "GRANT INSERT, SELECT ON o TO loader",
             "CREATE TABLE seen (a text)", "GRANT INSERT ON seen TO loader",
             "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO seen VALUES (current_setting(''application_name'')); RETURN NULL; END'",
             "CREATE TRIGGER g AFTER INSERT ON o FOR EACH STATEMENT EXECUTE FUNCTION f()")
    run("copy", "orders.parquet", base.uri(), "--table", "o", "--mode", "append", "--run", "nightly.7")
    assert set(base.sql("SELECT a FROM seen").splitlines()) == {"haul nightly.7"}


# ---- faults ----

@pytest.mark.parametrize("how", ["before", "after", "late", "orphan"])
@pytest.mark.parametrize("nth", [2, 4])
def test_the_answer_to_a_commit_is_lost(base, run, orders, how, nth):
    """COMMIT 1 is prepare's; each later one is a unit's."""
    base.sql("CREATE TABLE o (id int, name text, price float8)", "GRANT INSERT, SELECT ON o TO loader")
    with Proxy(base.server.port, Fault(b"COMMIT", nth, how)) as proxy:
        copy = ["copy", "orders.parquet", base.uri(port=proxy.port, more="?sslmode=disable"), "--table", "o", "--mode", "append",
                "--unit-rows", "500", "--retries", "8"]
        run(*copy)
        assert proxy.fault.fired.is_set()
    assert base.sql(EXPECTED + "o") == WHOLE
    assert base.clean


def test_without_a_ledger_an_unknown_commit_is_not_repeated(base, run, orders):
    base.sql("CREATE TABLE o (id int, name text, price float8)", "GRANT INSERT, SELECT ON o TO loader")
    with Proxy(base.server.port, Fault(b"COMMIT", 2, "after")) as proxy:
        done = run("copy", "orders.parquet", base.uri(port=proxy.port, more="?sslmode=disable"), "--table", "o", "--mode", "append",
                   "--unit-rows", "500", "--ledger", "none", "--retries", "8", "--workers", "1", code=6)
    assert "not known" in done.stderr
    assert base.sql("SELECT count(*) FROM o") == "500"


def start(folder, words):
    return subprocess.Popen([HAUL, *map(str, words)], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, "PGPASSWORD": PASSWORD})


@pytest.mark.parametrize("mode", ["create", "append", "truncate", "replace"])
def test_killed_while_loading(server, run, orders, tmp_path, mode):
    rng = random.Random(SEED + len(mode))
    for trial in range(FEW):
        base = fresh_database(server)
        if mode != "create":
            base.sql("CREATE TABLE o (id int, name text, price float8)", user="loader")
        if mode in ("truncate", "replace"):
            base.sql("INSERT INTO o VALUES (-1, 'old', 0)")
        copy = ["copy", "orders.parquet", base.uri(), "--table", "o", "--mode", mode, "--unit-rows", "100", "--run", f"k{trial}"]
        for _ in range(rng.randrange(1, 4)):
            running = start(tmp_path, copy)
            time.sleep(rng.random() * 0.5)
            running.send_signal(signal.SIGKILL)
            running.wait()
            running.stdout.close()
            running.stderr.close()
        for attempt in range(20):
            done = run(*copy, code=None)
            if "another process" not in done.stderr:  # the killed one's session dies in a moment
                break
            time.sleep(0.3)
        assert done.returncode == 0, done.stderr
        assert base.sql(EXPECTED + "o") == WHOLE
        assert base.clean


def test_killed_while_reading(base, run, tmp_path):
    base.sql("CREATE TABLE big (id int, pad text)", "INSERT INTO big SELECT i, repeat('p', 300) FROM generate_series(1, 30000) AS i", "ANALYZE")
    rng = random.Random(SEED)
    for trial in range(FEW):
        name = f"big{trial}.parquet"
        copy = ["copy", base.uri("reader"), name, "--table", "big", "--workers", "2", "--rowgroup-size", "2000"]
        running = start(tmp_path, copy)
        time.sleep(rng.random() * 0.3)
        running.send_signal(signal.SIGKILL)
        running.communicate()
        if not (tmp_path / name).exists():
            run(*copy)
        assert sorted(pq.read_table(tmp_path / name).column("id").to_pylist()) == list(range(1, 30001))
        assert [n for n in os.listdir(tmp_path) if n.startswith(".")] == []


def test_the_server_crashes_and_comes_back(orders, run, tmp_path):
    try:
        server = Postgres()
    except Missing as why:
        pytest.skip(str(why))
    with server:
        server.sql("CREATE TABLE o (id int, name text, price float8)")
        copy = ["copy", "orders.parquet", server.uri(), "--table", "o", "--mode", "append", "--unit-rows", "50", "--retries", "30"]
        running = start(tmp_path, copy)
        time.sleep(0.25)
        server.crash()
        time.sleep(0.5)
        server.start()
        _, said = running.communicate(timeout=90)
        if running.returncode == 75:
            run(*copy)
        else:
            assert running.returncode == 0, said
        assert server.sql(EXPECTED + "o") == WHOLE


def test_the_source_crashes(run, tmp_path):
    """The snapshot is gone with the server: exit 75, and the next run starts over."""
    try:
        server = Postgres()
    except Missing as why:
        pytest.skip(str(why))
    with server:
        server.sql("CREATE TABLE s (id int, pad text)", "INSERT INTO s SELECT i, repeat('p', 300) FROM generate_series(1, 20000) AS i", "ANALYZE")
        with Proxy(server.port, Fault(None, 3_000_000, "orphan")) as proxy:
            threading.Thread(target=lambda: (proxy.fault.fired.wait(60), server.crash())).start()
            run("copy", server.uri(port=proxy.port, more="?sslmode=disable"), "s.parquet", "--table", "s", "--workers", "2", "--rowgroup-size", "2000",
                code=75)
        server.start()
        run("copy", server.uri(), "s.parquet", "--table", "s", "--workers", "2", "--rowgroup-size", "2000")
        assert sorted(pq.read_table(tmp_path / "s.parquet").column("id").to_pylist()) == list(range(1, 20001))


@pytest.mark.parametrize("query", ["SELECT pg_sleep(60)::text AS a", "SELECT i, pg_sleep(0.01)::text AS a FROM generate_series(1, 9000) AS i"])
def test_interrupted_at_once(base, run, tmp_path, query):
    running = start(tmp_path, ["copy", base.uri("reader"), "q.parquet", "--query", query])
    time.sleep(1)
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=10)
    assert running.returncode == 75
    time.sleep(0.5)
    assert base.sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(%' AND pid <> pg_backend_pid()") == "0"


def test_an_appending_run_refuses_another_snapshot(base, run, tmp_path):
    """Source rows have no order that outlives the snapshot; append must not guess."""
    base.sql("CREATE TABLE s (id int, pad text)", "INSERT INTO s SELECT i, repeat('p', 300) FROM generate_series(1, 300000) AS i", "ANALYZE",
             "CREATE TABLE d (id int, pad text)", "GRANT INSERT, SELECT ON d TO loader",
             "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.7); RETURN NULL; END'",
             "CREATE TRIGGER g AFTER INSERT ON d FOR EACH STATEMENT EXECUTE FUNCTION slow()")
    copy = ["copy", base.uri("reader"), base.uri(), "--source-table", "s", "--target-table", "d", "--mode", "append", "--workers", "1"]
    running = start(tmp_path, copy)
    until = time.monotonic() + 30
    while time.monotonic() < until and running.poll() is None:
        if base.sql("SELECT to_regclass('haul_units')") and int(base.sql("SELECT count(*) FROM haul_units")) > 0:
            break
    running.send_signal(signal.SIGKILL)
    running.communicate()
    there = int(base.sql("SELECT count(*) FROM d"))
    if not 0 < there < 300000:
        pytest.skip("it was over too soon")
    time.sleep(1)
    said = run(*copy, code=4).stderr
    assert "--static-source" in said and "--restart" in said
    run(*copy, "--static-source")
    assert base.sql("SELECT count(*), count(DISTINCT id) FROM d") == "300000|300000"



def test_two_runs_of_one_name(base, run, orders, tmp_path):
    base.sql("CREATE TABLE o (id int, name text, price float8)", "GRANT INSERT, SELECT ON o TO loader")
    copy = ["copy", "orders.parquet", base.uri(), "--table", "o", "--mode", "append", "--unit-rows", "50", "--run", "twin"]
    both = [start(tmp_path, copy) for _ in range(4)]
    codes = [(p.communicate(timeout=60)[1], p.returncode) for p in both]
    assert all(code in (0, 6, 75) for _, code in codes), codes
    assert base.sql(EXPECTED + "o") == WHOLE


def test_deadlock_victims_are_done_again(base, run, orders):
    """A trigger takes locks in an order that crosses another session's."""
    base.sql("CREATE TABLE o (id int, name text, price float8)", "GRANT INSERT, SELECT ON o TO loader",
             "CREATE TABLE hot (id int PRIMARY KEY, n int)", "INSERT INTO hot VALUES (1, 0), (2, 0)", "GRANT ALL ON hot TO loader",
             "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE hot SET n = n + 1 WHERE id = 1; PERFORM pg_sleep(0.05);"
             " UPDATE hot SET n = n + 1 WHERE id = 2; RETURN NULL; END'",
             "CREATE TRIGGER g AFTER INSERT ON o FOR EACH STATEMENT EXECUTE FUNCTION f()", f"ALTER DATABASE {base.name} SET deadlock_timeout = '20ms'")
    stop = threading.Event()

    def cross():
        while not stop.is_set():
            base.server.psql("BEGIN; UPDATE hot SET n = n WHERE id = 2; SELECT pg_sleep(0.05); UPDATE hot SET n = n WHERE id = 1; COMMIT",
                             check=False, database=base.name)

    thread = threading.Thread(target=cross)
    thread.start()
    try:
        run("copy", "orders.parquet", base.uri(), "--table", "o", "--mode", "append", "--unit-rows", "300", "--retries", "50")
    finally:
        stop.set()
        thread.join()
    assert base.sql(EXPECTED + "o") == WHOLE


def test_leaves_no_session(base, run, orders):
    run("copy", "orders.parquet", base.uri(), "--table", "o")
    for _ in range(20):
        left = base.sql(f"SELECT count(*) FROM pg_stat_activity WHERE application_name ~ '^haul' AND datname = '{base.name}'")
        if left == "0":
            break
        time.sleep(0.1)
    assert left == "0"


def test_an_unlogged_target_is_not_resumable(base, run, orders):
    base.sql("CREATE UNLOGGED TABLE o (id int, name text, price float8)", "GRANT INSERT, SELECT ON o TO loader")
    copy = ["copy", "orders.parquet", base.uri(), "--table", "o", "--mode", "append"]
    plan = json.loads(run(*copy, "--dry-run", "--json").stdout)
    assert "not" in plan["resumable"] and "unlogged" in plan["resume_note"]
    run(*copy)
    assert base.sql(EXPECTED + "o") == WHOLE
