"""One row for each store that haul reads and writes: what it is called, and its quirks.

A quirk is a fact about the store, not an excuse: `becomes` says as which type a column
comes back when the store has no such type, `refuses` which values it cannot hold (each
must be a reject with its place, never a changed value), `loses` which come back as another
value, with a counted loss. A new engine joins by a row here and, if it is a server, a
fixture in tests/support/fixtures.py.
"""
import math
from dataclasses import dataclass, field

from engines import engine


@dataclass
class Store:
    name: str
    server: str = ""             # the fixture; "" a file
    suffix: str = ""             # of a file
    typed: bool = True           # it keeps types; else they are given again by --schema
    becomes: dict = field(default_factory=dict)   # type's name -> type after a round trip
    refuses: dict = field(default_factory=dict)   # type's name -> is this value refused?
    loses: dict = field(default_factory=dict)     # type's name -> what the value becomes; counted as a loss
    to_itself: bool = True       # from one table of it into another
    append: bool = True          # mode append, into what is there
    sql: bool = True             # --where and --query

    def open(self, request, folder):
        return Place(self, request, folder)


class SqlServer:
    """The TDS server of the tests (tests/support/tds), one for the session."""

    def __init__(self, request):
        from tds.fixtures import running
        from tds.personality import SQLSERVER
        self.server = running(request, SQLSERVER)

    def uri(self):
        return self.server.uri(more="TrustServerCertificate=yes")

    def sql(self, text):
        self.server.ask(text)


TABLES = ("typed", "t", "first", "second")
READY = {}


def emptied(name, request):
    """A session's engine without the tables of the test before."""
    if name not in READY:
        READY[name] = SqlServer(request) if name == "sqlserver" else engine(name, request)
    READY[name].sql(f"DROP TABLE IF EXISTS {', '.join(TABLES)}, haul_runs, haul_units")
    return READY[name]


class Place:
    """A store during one test: where tables lie and how to name one on a command line."""

    def __init__(self, store, request, folder):
        self.store, self.folder = store, folder
        self.engine = emptied(store.server, request) if store.server else None

    def source(self, table):
        return self.words("source", table)

    def target(self, table):
        return self.words("target", table)

    def words(self, side, table):
        """(name, options)"""
        if self.engine:
            return self.engine.uri(), [f"--{side}-table", table]
        if self.store.name == "sqlite":
            return "sqlite:///store.db", [f"--{side}-table", table]
        return f"{table}{self.store.suffix}", []


def no(value):
    return isinstance(value, float) and not math.isfinite(value)


def nul(value):
    return value is not None and "\0" in value


def unsigned(value):
    return 0.0 if value == 0 else value


def no_nan(value):
    return None if math.isnan(value) else value


MYSQL = dict(becomes={"bool": "int8", "timestamp_utc": "timestamp[us]", "list": "string", "decimal_38_37": "string"},
             loses={"timestamp_utc": lambda moment: moment}, refuses={"float_special": no})  # the zone is what is lost

STORES = [
    Store("parquet", suffix=".parquet", append=False, sql=False),
    Store("csv", suffix=".csv", typed=False, append=False, sql=False, becomes={"list": "string"}),
    Store("sqlite", becomes={"list": "json"}, loses={"float32": unsigned, "float64": unsigned, "float_special": no_nan},
          to_itself=False),  # the file is locked while it is read
    Store("postgres", server="postgres", becomes={"int8": "int16", "uint8": "int16", "uint16": "int32", "uint32": "int64", "uint64": "decimal128(20, 0)",
                                                 "fixed": "binary"}, refuses={"nul_text": nul}),
    Store("mariadb", server="mariadb", **{**MYSQL, "loses": {**MYSQL["loses"], "float32": unsigned, "float64": unsigned}}),
    Store("mysql8", server="mysql8", **MYSQL),
    Store("sqlserver", server="sqlserver", becomes={"int8": "int16", "uint16": "int32", "uint32": "int64", "uint64": "decimal128(20, 0)", "list": "string"},
          refuses={"float_special": no}),
]
