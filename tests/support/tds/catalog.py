"""Where SQL Server's tables live in PostgreSQL, and what is known of them.

A SQL Server database is a set of schemas named "database.schema" of one PostgreSQL
database; temporary tables are temporary tables named "#name". tds.tables and
tds.columns hold what PostgreSQL's own catalog does not; catalog.sql makes them, the
functions and the template of the sys views.
"""
from dataclasses import dataclass, field
from pathlib import Path

from . import text
from .ddl import Column
from .translate import pg_name, quote, side_name
from .types import LONG, MAX, STRINGS, WIDE, Type

SQL = (Path(__file__).parent / "catalog.sql").read_text()
VIEWS = (Path(__file__).parent / "views.sql").read_text()
UNANALYSED = """CREATE OR REPLACE FUNCTION tds.row_count(id oid) RETURNS bigint LANGUAGE sql AS
 $$SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = id$$"""


@dataclass
class Table:
    oid: int
    place: tuple
    name: str
    columns: list = field(default_factory=list)

    def column(self, name):
        return next((c for c in self.columns if c.name.lower() == name.lower()), None)

    def insertable(self):
        return [c for c in self.columns if not c.identity and c.computed is None and c.type.name != "rowversion"]

    @property
    def pg(self):
        schema, name = self.place
        return (quote(schema) + "." if schema else "") + quote(name)


def install(cursor, personality):
    cursor.execute(SQL)
    if not personality.row_statistics:
        cursor.execute(UNANALYSED)
    for database in ("master", "tempdb", "model", "msdb"):
        create_database(cursor, database, personality)


def create_database(cursor, database, personality):
    name = database.lower()
    cursor.execute("INSERT INTO tds.databases(name) VALUES (%s)", (database,))
    for schema in ("dbo", "guest", "sys", "information_schema"):
        create_schema(cursor, database, schema)
    cursor.execute(VIEWS.replace("%sys%", quote(f"{name}.sys")).replace("%info%", quote(f"{name}.information_schema"))
                   .replace("%db%", "'" + name.replace("'", "''") + "'"))
    if not personality.partition_stats:
        cursor.execute(f"DROP VIEW {quote(f'{name}.sys')}.dm_db_partition_stats")


def create_schema(cursor, database, schema):
    cursor.execute(f"CREATE SCHEMA {quote(f'{database}.{schema}')}")
    cursor.execute("INSERT INTO tds.schemas(db, name) VALUES (%s, %s)", (database.lower(), schema))


def stored_type(name, length, precision, scale, collation, nullable, udt):
    return Type(name, length, precision, scale, text.BY_NAME.get((collation or "").lower(), text.DEFAULT), nullable,
                ("master", "sys", udt) if udt else ("", "", ""))


class Catalog:
    def __init__(self, session):
        self.session = session

    def place(self, parts):
        """(PostgreSQL schema, name) of a name of one to four parts."""
        parts = parts[-3:]
        name = pg_name(parts[-1])
        name = name.removeprefix("~") if name.startswith("~#") else name
        if name.startswith("##"):
            return "tempdb.dbo", name
        if name.startswith("#") or (self.session.trigger and len(parts) == 1 and name in ("inserted", "deleted")):
            return "", name
        schema = parts[-2].lower() if len(parts) > 1 and parts[-2] else "dbo"
        database = parts[-3].lower() if len(parts) > 2 and parts[-3] else self.session.database.lower()
        if schema == "dbo" and name in ("sysobjects", "sysindexes", "sysdatabases"):
            schema = "sys"
        return pg_name(f"{database}.{schema}"), name

    def find(self, parts):
        schema, name = self.place(parts)
        label = (quote(schema) + "." if schema else "") + quote(name)
        rows = self.session.fetch("SELECT t.object_id, t.name FROM tds.tables t WHERE object_id = to_regclass(%s)::oid", (label,))
        return self.load(rows[0][0], (schema, name), rows[0][1]) if rows else None

    def load(self, oid, place, name):
        table = Table(oid, place, name)
        for row in self.session.fetch(
                "SELECT name, column_id, type_name, length, precision, scale, collation_name, nullable, udt, seed, increment, computed,"
                " default_text, default_name FROM tds.columns WHERE object_id = %s ORDER BY column_id", (oid,)):
            kind = stored_type(*row[2:9])
            table.columns.append(Column(row[0], kind, row[6] or "", (row[9], row[10]) if row[9] is not None else None, row[11],
                                        default=row[12], default_name=row[13] or "", number=row[1]))
        return table

    def origin(self, oid, attribute):
        """(name, Type, flags) of a base column, by PostgreSQL's own numbers."""
        rows = self.session.fetch(
            "SELECT c.name, c.type_name, c.length, c.precision, c.scale, c.collation_name, c.nullable, c.udt, c.seed, c.computed"
            " FROM tds.columns c JOIN pg_attribute a ON a.attrelid = c.object_id AND a.attname = c.pg_name"
            " WHERE c.object_id = %s AND a.attnum = %s", (oid, attribute))
        if not rows:
            return None
        row = rows[0]
        kind = stored_type(*row[1:8])
        flags = (1 if kind.nullable else 0) | (0x10 if row[8] is not None else 0x08 if row[9] is None else 0x20)
        if kind.name == "rowversion":
            flags = 1 if kind.nullable else 0
        return row[0], kind, flags

    # Making --------------------------------------------------------------------------
    def record(self, label, parts, columns, database):
        schema = parts[-2] if len(parts) > 1 and parts[-2] else "dbo"
        run = self.session.run
        oid = self.session.fetch("SELECT %s::regclass::oid", (label,))[0][0]
        run("INSERT INTO tds.tables(object_id, db, schema, name) VALUES (%s, %s, %s, %s)", (oid, database, schema, parts[-1]))
        for column in columns:
            self.record_column(oid, column)
        return oid

    def record_column(self, oid, column):
        kind = column.type
        is_text = kind.name in WIDE or kind.name in ("char", "varchar", "text")
        collation = (column.collation or text.NAMES.get(kind.collation, text.DEFAULT_NAME)) if is_text and kind.name != "xml" else None
        seed = column.identity or (None, None)
        length = kind.length if kind.name in STRINGS or kind.name in LONG or kind.name in ("xml", "udt", "rowversion") else 0
        self.session.run(
            "INSERT INTO tds.columns(object_id, column_id, name, pg_name, type_name, length, precision, scale, collation_name, nullable, udt,"
            " seed, increment, computed, default_text, default_name) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)",
            (oid, column.number, column.name, pg_name(column.name), kind.name, length, kind.precision, kind.scale, collation,
             kind.nullable, kind.udt[2] or None, *seed, plain(column.computed), plain(column.default), column.default_name or None))

    def computed_type(self, column, translator, columns):
        """(SQL of a computed column, its Type), by asking PostgreSQL with the other columns as NULLs."""
        expression, guess = translator.value(column.computed)
        others = ", ".join(f"NULL::{c.type.postgres()} AS {quote(c.name)}" for c in columns if c.type and c is not column)
        cursor = self.session.engine.connection.cursor()
        cursor.execute(f"{expression} FROM (SELECT {others or '1'}) AS x LIMIT 0")
        described = cursor.description[0]
        cursor.close()
        precision = (described.precision or 0) << 16 | (described.scale or 0) + 4
        return expression.removeprefix("SELECT "), guess or from_postgres(described.type_code, precision if 0 < (described.precision or 0) <= 38 else None, [])

    def column_sql(self, column, translator, columns=()):
        """The column of a CREATE TABLE, and its side column."""
        if column.computed is not None:
            expression, column.type = self.computed_type(column, translator, columns)
            return f"{quote(column.name)} {column.type.postgres()} GENERATED ALWAYS AS ({expression}) STORED"
        kind = column.type
        parts = [quote(column.name), kind.postgres()]
        if kind.name == "rowversion":
            parts.append("DEFAULT tds.next_rowversion()")
        elif column.identity:
            seed, step = column.identity
            parts.append(f"GENERATED BY DEFAULT AS IDENTITY (START WITH {seed} INCREMENT BY {step} "
                         f"{f'MINVALUE {min(seed, 1)}' if step > 0 else f'MINVALUE -9223372036854775808 MAXVALUE {max(seed, -1)}'})")
        if not kind.nullable:
            parts.append("NOT NULL")
        if column.default is not None:
            parts.append("DEFAULT " + translator.value(column.default)[0].removeprefix("SELECT "))
        if kind.name == "tinyint":
            parts.append(f"CHECK ({quote(column.name)} BETWEEN 0 AND 255)")
        sql = " ".join(parts)
        return sql + f", {quote(side_name(column.name))} bytea" if kind.inexact else sql


def plain(tokens):
    """The text of an expression as the catalog shows it."""
    if tokens is None or isinstance(tokens, str):
        return tokens
    return "(" + " ".join(token.text for token in tokens) + ")"


def from_postgres(oid, modifier, values):
    """The Type of an expression, from PostgreSQL's type and the values at hand."""
    simple = {16: "bit", 21: "smallint", 23: "int", 20: "bigint", 26: "int", 700: "real", 701: "float", 1082: "date",
              2950: "uniqueidentifier"}
    if oid in simple:
        return Type(simple[oid])
    if oid == 1700:
        if modifier and modifier > 4:
            return Type("decimal", precision=min(38, (modifier - 4) >> 16), scale=(modifier - 4) & 0xFFFF)
        scale = max([-v.as_tuple().exponent for v in values if v is not None and isinstance(v.as_tuple().exponent, int)] + [0])
        return Type("decimal", precision=38, scale=min(scale, 38))
    if oid in (1114, 1184, 1083):
        return Type({1114: "datetime2", 1184: "datetimeoffset", 1083: "time"}[oid], scale=6)
    if oid == 17:
        return Type("varbinary", MAX if any(v is not None and len(v) > 8000 for v in values) else 8000)
    if oid == 19:
        return Type("nvarchar", 256)
    longest = max([len(v) for v in values if isinstance(v, str)] + [0])
    return Type("nvarchar", MAX if longest > 4000 else 8000)
