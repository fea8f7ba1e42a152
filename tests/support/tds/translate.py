"""One T-SQL statement into PostgreSQL's SQL, by way of sqlglot.

Before sqlglot sees it, tokens are prepared: variables become typed literals, types
become names that stand for our own Type objects (so `real`, `datetime` and `time(7)`
stay what they are), CONVERT becomes CAST, and functions that the catalog implements
get the prefix tds_. After it, names are lowercased and qualified, stars of known
tables are written out, and a column PostgreSQL cannot hold exactly brings its side
column (the wire bytes) along as a further column of the result.
"""
import hashlib
import re
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp

from . import objects, text
from .ddl import Cursor, parse_type, split_commas
from .script import tokenize
from .types import BYTES, MAX, STRINGS, Type

OWN = set("""LEN DATALENGTH SCHEMA_NAME SCHEMA_ID DB_NAME DB_ID OBJECT_ID OBJECT_NAME OBJECT_SCHEMA_NAME TYPE_NAME TYPE_ID
SERVERPROPERTY DATABASEPROPERTYEX HAS_PERMS_BY_NAME COLUMNPROPERTY OBJECTPROPERTY OBJECTPROPERTYEX SCOPE_IDENTITY IDENT_CURRENT
IDENT_SEED IDENT_INCR SUSER_SNAME SUSER_NAME USER_NAME ORIGINAL_LOGIN HOST_NAME APP_NAME NEWID SYSDATETIME SYSUTCDATETIME
SYSDATETIMEOFFSET GETDATE GETUTCDATE COLLATIONPROPERTY XACT_STATE IS_SRVROLEMEMBER IS_MEMBER IS_ROLEMEMBER QUOTENAME CHECKSUM
BINARY_CHECKSUM CONNECTIONPROPERTY STR PARSENAME SQL_VARIANT_PROPERTY COL_NAME COL_LENGTH INDEX_COL HAS_DBACCESS
APP_NAME ERROR_NUMBER ERROR_MESSAGE ERROR_SEVERITY ERROR_STATE ERROR_LINE REPLICATE SQUARE CURRENT_REQUEST_ID
CURRENT_TRANSACTION_ID FULLTEXTSERVICEPROPERTY HASHBYTES COMPRESS APPLOCK_MODE SESSIONPROPERTY""".split())
GUESSES = {"tds_getdate": Type("datetime"), "tds_newid": Type("uniqueidentifier"), "tds_sysdatetime": Type("datetime2", scale=7),
           "tds_sysutcdatetime": Type("datetime2", scale=7), "tds_getutcdate": Type("datetime"), "tds_len": Type("int"),
           "tds_sysdatetimeoffset": Type("datetimeoffset", scale=7), "tds_datalength": Type("int")}
LOCKS = {"UPDLOCK", "XLOCK"}
FOLLOWERS = set("WHERE ORDER GROUP HAVING JOIN INNER LEFT RIGHT FULL CROSS OUTER ON UNION EXCEPT INTERSECT OPTION".split())


class Untranslated(Exception):
    """A statement beyond what the server speaks."""


@dataclass
class Column:
    """What is known of a result column before it runs."""
    name: str = ""
    type: Type = None
    side: str = ""


@dataclass
class Query:
    sql: str
    kind: str
    columns: list = field(default_factory=list)
    sides: int = 0
    returns_rows: bool = False
    target: object = None


def pg_name(name):
    """A name as PostgreSQL keeps it: lower case, at most 63 bytes."""
    name = name.lower()
    if len(name.encode()) <= 60:
        return name
    return name.encode()[:40].decode("utf-8", "ignore") + "~" + hashlib.md5(name.encode()).hexdigest()[:12]


def quote(name):
    return '"' + pg_name(name).replace('"', '""') + '"'


def side_name(column):
    return pg_name(column) + "~"


def sql_string(value):
    return "'" + value.replace("'", "''") + "'"


def literal(kind, payload):
    """A T-SQL literal of a typed value, for a variable or a parameter."""
    if payload is None:
        return f"CAST(NULL AS {kind.sql()})" if kind.name != "null" else "NULL"
    if kind.name in BYTES or kind.name in ("rowversion", "udt"):
        return f"CAST(0x{payload.hex()} AS varbinary(max))"
    if kind.name == "sql_variant":
        return f"CAST(0x{payload.hex()} AS sql_variant)"
    value = kind.decode(payload)
    if kind.name in ("tinyint", "smallint", "int", "bigint", "bit"):
        return f"CAST({value} AS {kind.sql()})"
    prefix = "N" if kind.name in ("nchar", "nvarchar", "ntext", "xml") else ""
    return f"CAST({prefix}{sql_string(value)} AS {kind.sql()})"


class Translator:
    def __init__(self, session):
        self.session, self.types = session, []

    # Before sqlglot ------------------------------------------------------------------
    def prepare(self, tokens):
        out, pos = [], 0
        casts = []  # depths at which a CAST waits for its AS
        depth = 0
        while pos < len(tokens):
            token, after = tokens[pos], tokens[pos + 1].text if pos + 1 < len(tokens) else ""
            word = token.upper
            depth += {"(": 1, ")": -1}.get(word, 0)
            if word in ("CAST", "TRY_CAST") and after == "(":
                casts.append(depth + 1)
                out.append("CAST")
            elif word == "AS" and casts and casts[-1] == depth:
                casts.pop()
                pos, name = self.type_at(tokens, pos + 1)
                out += ["AS", name]
                continue
            elif word in ("CONVERT", "TRY_CONVERT") and after == "(":
                pos = self.prepare_convert(tokens, pos, out)
                continue
            elif word == "$" and after.upper() == "PARTITION":
                pos = self.prepare_partition(tokens, pos, out)
                continue
            elif pos and tokens[pos - 1].upper in ("FROM", "JOIN", "APPLY") and token.kind in ("word", "name") and (called := self.prepare_function(tokens, pos, out)):
                pos = called
                continue
            elif word == "COLLATE" and token.kind == "word":
                pos += 2
                continue
            elif word == "OPTION" and after == "(":
                pos = self.past_group(tokens, pos + 1)
                continue
            else:
                out.append(self.prepare_token(token, after, tokens[pos - 1].text if pos else ""))
            pos += 1
        return " ".join(out)

    def prepare_token(self, token, after, before):
        if token.kind == "variable":
            return self.prepare(tokenize(self.session.variable_sql(token.text)))
        if token.kind == "hex" and len(token.text) == 2:
            return "''"
        if token.kind == "word" and token.text.startswith("#"):
            return f"[~{token.text}]"  # sqlglot would drop a bare #
        if token.kind == "word" and after == "(" and token.upper in OWN and before != ".":
            return "tds_" + token.text.lower()
        if token.kind == "name" and token.text[0] == '"':
            return "[" + token.value.replace("]", "]]") + "]"
        return token.text

    def type_at(self, tokens, pos):
        cursor = Cursor(tokens)
        cursor.pos = pos
        self.types.append(parse_type(cursor))
        return cursor.pos, f"tdstype_{len(self.types) - 1}"

    @staticmethod
    def past_group(tokens, pos):
        depth = 0
        while True:
            depth += {"(": 1, ")": -1}.get(tokens[pos].text, 0)
            pos += 1
            if not depth:
                return pos

    def prepare_partition(self, tokens, pos, out):
        """$PARTITION.function(value)."""
        end = self.past_group(tokens, pos + 4)
        out.append(f"tds_partition({sql_string(self.session.database)}, {sql_string(tokens[pos + 3].value)}, {self.prepare(tokens[pos + 5:end - 1])})")
        return end

    def prepare_function(self, tokens, pos, out):
        """A table-valued function in FROM, written out; the place after it, or None."""
        cursor = Cursor(tokens)
        cursor.pos = pos
        parts = cursor.parts()
        if cursor.peek() != "(" or len(parts) < 2:
            return None
        body = objects.expand_call(self.session, parts, split_commas(cursor.group()))
        if body is None:
            return None
        out.append(self.prepare(tokenize(body)))
        if not (cursor.peek() == "AS" or (cursor.pos < len(tokens) and tokens[cursor.pos].kind in ("word", "name") and cursor.peek() not in FOLLOWERS)):
            out.append(f"AS [{parts[-1]}]")
        return cursor.pos

    def check_rights(self, tree, found):
        for table in tree.find_all(exp.Table):
            parts = [part.name for part in table.parts]
            if not parts or (len(parts) == 1 and self.is_cte(table, parts[0])):
                continue
            permission = found.kind if found.target is table and found.kind != "SELECT INTO" else "SELECT"
            objects.require(self.session, permission, *self.session.catalog.place(parts))

    def prepare_convert(self, tokens, pos, out):
        end = self.past_group(tokens, pos + 1)
        parts = split_commas(tokens[pos + 2:end - 1])
        _at, name = self.type_at(parts[0], 0)
        style = parts[2][0].text if len(parts) > 2 else "0"
        inner = self.prepare(parts[1])
        if style in ("1", "2") and self.types[-1].name in ("varchar", "nvarchar", "char"):
            inner = f"tds_hex({inner}, {style})"
        out.append(f"CAST({inner} AS {name})")
        return end

    def parse(self, tokens):
        source = self.prepare(tokens)
        try:
            return sqlglot.parse_one(source, read="tsql")
        except sqlglot.errors.ParseError as cause:
            raise Untranslated(str(cause).splitlines()[0][:200]) from cause

    # After sqlglot -------------------------------------------------------------------
    def query(self, tokens):
        limit = None
        if tokens[0].upper == "DELETE" and tokens[1].upper == "TOP":
            end = self.past_group(tokens, 2)
            limit, tokens = int(tokens[3].text), [tokens[0], *tokens[end:]]
        tree = self.parse(tokens)
        if limit is not None:
            self.limit_delete(tree, limit)
        words = {token.upper for token in tokens}
        kind = tree.key.upper() if not isinstance(tree, exp.SetOperation) else "SELECT"
        found = Query("", kind)
        if isinstance(tree, exp.Select) and tree.args.get("into"):
            found.kind = "SELECT INTO"
            found.target = tree.args["into"].this
            tree.set("into", None)
        if isinstance(tree, (exp.Insert, exp.Update, exp.Delete)):
            self.change(tree, found)
        if self.session.limited:
            self.check_rights(tree, found)
        for select in tree.find_all(exp.Select):
            self.expand_stars(select)
            self.expand_checksums(select)
        first = tree if isinstance(tree, exp.Query) else None
        while isinstance(first, exp.SetOperation):
            first = first.this
        if isinstance(first, exp.Select) and found.kind != "INSERT":
            found.columns = [self.describe(item) for item in first.expressions]
            found.returns_rows = True
            if tree is first:
                self.add_sides(first, found)
        if words & LOCKS and isinstance(tree, exp.Select):
            tree.set("locks", [exp.Lock(update=True)])
        tree = tree.transform(self.rewrite)
        found.sql = tree.sql("postgres", unsupported_level=sqlglot.ErrorLevel.IGNORE)
        if words & {"TABLOCKX"} and found.kind == "SELECT":
            for table in self.tables_of(first):
                self.session.lock_table(table)
        return found

    def expression(self, tokens):
        """A scalar expression or a condition."""
        tree = self.parse([*self.session.word_tokens("SELECT CASE WHEN"), *tokens, *self.session.word_tokens("THEN 1 END")])
        return tree.transform(self.rewrite).expressions[0].args["ifs"][0].this.sql("postgres")

    def value(self, tokens):
        tree = self.parse([*self.session.word_tokens("SELECT"), *tokens])
        return tree.transform(self.rewrite).sql("postgres"), self.describe(tree.expressions[0]).type

    def own_type(self, node):
        name = node.to.sql("tsql").lower().strip('[]"') if isinstance(node, exp.Cast) else ""
        match = re.search(r"tdstype_(\d+)", name)
        return self.types[int(match.group(1))] if match else None

    def describe(self, item):
        """The name and, where the text says so, the type of a projection."""
        name = item.alias_or_name if isinstance(item, (exp.Alias, exp.Column)) else ""
        side = item.args.get("side_of", "")
        inner = item.unalias().unnest() if not isinstance(item, exp.Column) else item
        kind = None
        if isinstance(inner, exp.Cast):
            kind = self.own_type(inner)
        elif isinstance(inner, exp.National):
            kind = Type("nvarchar", max(2, min(8000, 2 * len(inner.name))))
        elif isinstance(inner, exp.Literal) and inner.is_string:
            kind = Type("varchar", max(1, min(8000, len(inner.name))))
        elif isinstance(inner, exp.Count):
            kind = Type("bigint" if inner.args.get("big_int") else "int")
        elif isinstance(inner, exp.HexString):
            kind = Type("varbinary", max(1, min(8000, len(inner.name) // 2)))
        elif isinstance(inner, exp.Literal) and "." in inner.name and "e" not in inner.name.lower():
            digits = inner.name.replace(".", "").lstrip("0") or "0"
            kind = Type("numeric", precision=max(len(digits), len(inner.name.split(".")[1])), scale=len(inner.name.split(".")[1]))
        elif isinstance(inner, exp.Anonymous):
            kind = GUESSES.get(inner.name.lower())
        return Column(name, kind, side)

    def source(self, table):
        """The catalog's table behind a table node, or None."""
        if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier):
            return None
        cached = table.meta.get("source", 0)
        if cached == 0:
            parts = [part.name for part in table.parts]
            cached = table.meta["source"] = self.session.catalog.find(parts)
        return cached

    @staticmethod
    def tables_of(select):
        source = select.args.get("from_") or select.args.get("from")
        tables = [source.this] if source else []
        return tables + [join.this for join in select.args.get("joins") or []]

    def expand_stars(self, select):
        tables = self.tables_of(select)
        if not any(self.source(table) for table in tables):
            return
        items = []
        for item in select.expressions:
            wanted = item.table if isinstance(item, exp.Column) and isinstance(item.this, exp.Star) else None
            if not isinstance(item, exp.Star) and wanted is None:
                items.append(item)
                continue
            for table in tables:
                label = table.alias_or_name
                if wanted and wanted.lower() != label.lower():
                    continue
                source = self.source(table)
                if source:
                    items += [exp.column(exp.to_identifier(c.name, quoted=True), exp.to_identifier(label, quoted=True)) for c in source.columns]
                else:
                    items.append(exp.Column(this=exp.Star(), table=exp.to_identifier(label, quoted=True)))
        select.set("expressions", items)

    def expand_checksums(self, select):
        """CHECKSUM(*) and CHECKSUM of several columns: over the columns' text."""
        for call in select.find_all(exp.Anonymous):
            if call.name.lower() not in ("tds_checksum", "tds_binary_checksum"):
                continue
            items = call.expressions
            if len(items) == 1 and isinstance(items[0], exp.Star):
                items = [exp.column(exp.to_identifier(c.name, quoted=True), exp.to_identifier(table.alias_or_name, quoted=True))
                         for table in self.tables_of(select) if self.source(table) for c in self.source(table).columns]
            if len(items) > 1 or items is not call.expressions:
                call.set("this", "tds_checksum")
                call.set("expressions", [exp.cast(item.copy(), "text") for item in items])

    def resolve(self, column, tables):
        for table in tables:
            if column.table and column.table.lower() != table.alias_or_name.lower():
                continue
            source = self.source(table)
            for found in source.columns if source else ():
                if found.name.lower() == column.name.lower():
                    return table, found
        return None, None

    def add_sides(self, select, found):
        """Appends the side columns of plain inexact columns to the result."""
        if select.args.get("group") or select.args.get("distinct") or select.args.get("with"):
            return
        tables = self.tables_of(select)
        for number, item in enumerate(list(select.expressions)):
            inner = item.unalias() if isinstance(item, exp.Alias) else item
            if not isinstance(inner, exp.Column) or isinstance(inner.this, exp.Star):
                continue
            table, column = self.resolve(inner, tables)
            if column is None or not column.type.inexact:
                continue
            found.columns[number].side = len(select.expressions)
            select.append("expressions", exp.column(exp.to_identifier(side_name(column.name), quoted=True),
                                                    exp.to_identifier(table.alias_or_name, quoted=True)))
            found.sides += 1

    # Changes -------------------------------------------------------------------------
    @staticmethod
    def limit_delete(tree, limit):
        """DELETE TOP (n): by the engine's row addresses."""
        inner = exp.select("ctid").from_(tree.this.copy())
        if tree.args.get("where"):
            inner = inner.where(tree.args["where"].this)
        tree.set("where", exp.Where(this=exp.In(this=exp.column("ctid"), query=inner.limit(limit).subquery())))

    @staticmethod
    def update_from(tree):
        """UPDATE t ... FROM table t JOIN u ON c: the target leaves FROM, c goes to WHERE."""
        key = "from_" if tree.args.get("from_") else "from"
        source = tree.args.get(key)
        first = source.this if source else None
        if not isinstance(first, exp.Table) or first.alias_or_name.lower() != tree.this.alias_or_name.lower():
            return
        joins = first.args.get("joins") or []
        first.set("joins", None)
        tree.set("this", first.copy())
        for join in joins:
            if join.args.get("on"):
                tree.where(join.args["on"], copy=False)
        if not joins:
            tree.set(key, None)
            return
        source.set("this", joins[0].this)
        joins[0].this.set("joins", [exp.Join(this=join.this) for join in joins[1:]] or None)

    def change(self, tree, found):
        if isinstance(tree, exp.Update):
            self.update_from(tree)
        table = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
        found.target = table
        returning = tree.args.get("returning")
        if returning:
            found.returns_rows = True
            found.columns = [self.describe(item) for item in returning.expressions]
            for column in returning.find_all(exp.Column):
                if column.table.lower() in ("inserted", "deleted"):
                    column.set("table", None)
        source = self.source(table)
        if isinstance(tree, exp.Insert) and source:
            self.insert(tree, table, source)
        if isinstance(tree, exp.Update) and source:
            self.update(tree, source)

    def insert(self, tree, table, source):
        named = [c.name for c in tree.this.expressions] if isinstance(tree.this, exp.Schema) else None
        wanted = [source.column(name) for name in named] if named else source.insertable()
        if any(column is None for column in wanted):
            return
        values = tree.expression
        names = [exp.to_identifier(c.name, quoted=True) for c in wanted]
        if isinstance(values, exp.Values):
            for row in values.expressions:
                self.insert_row(row, wanted)
            names += [exp.to_identifier(side_name(c.name), quoted=True) for c in wanted if c.type.inexact]
        if values is not None and not tree.args.get("default"):
            tree.set("this", exp.Schema(this=table, expressions=names))

    def insert_row(self, row, wanted):
        items = row.expressions if isinstance(row, exp.Tuple) else [row]
        if not isinstance(row, exp.Tuple):
            return
        for number, column in enumerate(wanted):
            if number >= len(items):
                return
            if column.type.name == "sql_variant":
                items[number] = self.session.variant_value(items[number], self)
            elif column.type.name in BYTES and isinstance(items[number], (exp.Literal, exp.National)) and items[number].is_string:
                items[number] = exp.HexString(this=text.to_narrow(items[number].name, text.DEFAULT).hex())
        sides = [self.session.side_value(items[n], c) for n, c in enumerate(wanted) if c.type.inexact]
        row.set("expressions", [*items, *sides])

    def update(self, tree, source):
        for item in list(tree.expressions):
            column = source.column(item.this.name) if isinstance(item, exp.EQ) else None
            if column and column.type.inexact:
                tree.append("expressions", exp.EQ(this=exp.column(exp.to_identifier(side_name(column.name), quoted=True)),
                                                  expression=self.session.side_value(item.expression, column)))
            if column:
                item.this.set("table", None)

    # Nodes ---------------------------------------------------------------------------
    def rewrite(self, node):
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            return self.rewrite_table(node)
        if isinstance(node, exp.Cast):
            return self.rewrite_cast(node)
        if isinstance(node, exp.Like) and isinstance(node.expression, (exp.Literal, exp.National)):
            pattern = node.expression.name.replace("\\", "\\\\").replace("[_]", "\\_").replace("[%]", "\\%").replace("[[]", "[")
            return exp.Like(this=node.this.transform(self.rewrite), expression=exp.Literal.string(pattern))
        if isinstance(node, exp.National):
            return exp.Literal.string(node.name)
        if isinstance(node, exp.HexString):
            return exp.Cast(this=exp.Literal.string("\\x" + hex_digits(node)), to=exp.DataType.build("bytea", dialect="postgres"))
        if isinstance(node, exp.Identifier):
            return exp.to_identifier(pg_name(node.name), quoted=True)
        if isinstance(node, exp.Sum):
            return exp.Anonymous(this="tds_sum", expressions=[node.this.transform(self.rewrite)])
        if isinstance(node, exp.Ordered):
            node.set("nulls_first", not node.args.get("desc"))
        if isinstance(node, exp.Add) and any(self.is_text(side) for side in (node.left, node.right)):
            return exp.DPipe(this=node.left.transform(self.rewrite), expression=node.right.transform(self.rewrite), safe=True)
        return node

    def is_text(self, node):
        node = node.unnest()
        if isinstance(node, exp.Cast):
            kind = self.own_type(node)
            return bool(kind and kind.name in STRINGS and kind.name not in BYTES)
        if isinstance(node, (exp.Add, exp.DPipe)):
            return self.is_text(node.left) or self.is_text(node.right)
        return isinstance(node, exp.National) or (isinstance(node, exp.Literal) and node.is_string)

    def rewrite_table(self, node):
        parts = [part.name for part in node.parts]
        if len(parts) == 1 and self.is_cte(node, parts[0]):
            return node
        schema, name = self.session.catalog.place(parts)
        alias = node.args.get("alias")
        if alias is None and node.find_ancestor(exp.Select) is not None:
            alias = exp.TableAlias(this=exp.to_identifier(pg_name(parts[-1]), quoted=True))
        table = exp.Table(this=exp.to_identifier(name, quoted=True), db=exp.to_identifier(schema, quoted=True) if schema else None, alias=alias)
        table.set("joins", node.args.get("joins"))
        return table

    @staticmethod
    def is_cte(node, name):
        scope = node
        while scope is not None:
            with_ = scope.args.get("with_") or scope.args.get("with")
            if with_ and any(cte.alias.lower() == name.lower() for cte in with_.expressions):
                return True
            scope = scope.parent
        return False

    def rewrite_cast(self, node):
        kind = self.own_type(node)
        if kind is None:
            return node
        inner = node.this
        if kind.name == "sql_variant":
            made = self.session.variant_value(inner if not isinstance(inner, exp.HexString) else node, self)
            return made.transform(self.rewrite)
        if kind.name in STRINGS and kind.name not in BYTES and kind.name not in ("char", "nchar"):
            if isinstance(inner, exp.Null):
                return inner
            if isinstance(inner, exp.National) or isinstance(inner, exp.Literal) and inner.is_string:
                size = None if kind.length == MAX else kind.length // (2 if kind.name == "nvarchar" else 1)
                return exp.Literal.string(inner.name[:size])
        if isinstance(inner, exp.HexString) and kind.name in ("tinyint", "smallint", "int", "bigint"):
            return exp.Literal.number(int(hex_digits(inner) or "0", 16))
        if kind.inexact or kind.name in ("datetimeoffset", "time", "datetime2") and isinstance(inner, (exp.Literal, exp.National)):
            inner = exp.Literal.string(six_digits(inner.name)) if isinstance(inner, (exp.Literal, exp.National)) else inner
        if kind.name in BYTES and isinstance(inner, (exp.Literal, exp.National)) and inner.is_string:
            inner = exp.Literal.string("\\x" + text.to_narrow(inner.name, text.DEFAULT).hex())
        target = "smallint" if kind.name == "bit" else kind.postgres()
        if kind.name == "varchar" and kind.length == MAX:
            target = "text"
        node.set("this", inner)
        node.set("to", exp.DataType.build(target, dialect="postgres"))
        return node


def hex_digits(node):
    digits = node.name
    return digits if len(digits) % 2 == 0 else "0" + digits


def six_digits(value):
    """A moment's text without the seventh digit, which PostgreSQL would round."""
    return re.sub(r"(\.\d{6})\d+", r"\1", value)
