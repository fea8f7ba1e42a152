"""CREATE, ALTER and DROP: tables, indexes, views, schemas, databases."""
from . import catalog, objects
from .ddl import Cursor, parse_constraint, parse_column, parse_table, split_commas
from .errors import SqlError
from .translate import Translator, pg_name, quote
from .catalog import from_postgres


def label_of(session, parts):
    schema, name = session.catalog.place(parts)
    return (quote(schema) + "." if schema else "") + quote(name)


def database_of(session, parts):
    if parts[-1].startswith("#"):
        return "tempdb"
    return parts[-3].lower() if len(parts) > 2 and parts[-3] else session.database.lower()


def is_local(name):
    return name.startswith("#") and not name.startswith("##")


def create(session, one, words):
    tokens = one.tokens
    if words[1] == "TABLE":
        name, columns, constraints, rest = parse_table(tokens)
        objects.require_create(session, session.catalog.place(name)[0].split(".")[-1])
        session.engine.guard(lambda: create_table(session, name, columns, constraints, rest))
    elif words[1] == "TRIGGER":
        objects.create_trigger(session, one)
    elif words[1] == "FUNCTION":
        objects.create_function(session, one)
    elif words[1] == "PARTITION":
        objects.create_partition(session, one)
    elif words[1] == "DATABASE" and "SNAPSHOT" in [token.upper for token in tokens[-4:]]:
        session.engine.guard(lambda: objects.create_snapshot(session, tokens[2].value, tokens[-1].value))
    elif words[1] == "DATABASE":
        session.engine.guard(lambda: catalog.create_database(session.engine.cursor, tokens[2].value, session.server.personality))
    elif words[1] == "SCHEMA":
        session.engine.guard(lambda: catalog.create_schema(session.engine.cursor, session.database, tokens[2].value))
    elif words[1] == "VIEW":
        create_view(session, tokens)
    elif "INDEX" in words + [t.upper for t in tokens[4:6]]:
        create_index(session, tokens)
    elif words[1] in ("LOGIN", "USER", "ROLE", "STATISTICS"):
        objects.create_login(session, words, tokens)
    else:
        raise SqlError(50000, f"CREATE {words[1]} is not spoken here")


def create_table(session, name, columns, constraints, rest):
    translator = Translator(session)
    label = label_of(session, name)
    parts = [session.catalog.column_sql(column, translator, columns) for column in columns]
    clustered = []
    for number, constraint in enumerate(constraints):
        parts.append(constraint_sql(session, constraint, translator))
        if constraint.clustered:
            clustered.append(number)
    temporary = "TEMP " if is_local(name[-1]) else ""
    session.run(f"CREATE {temporary}TABLE {label} ({', '.join(parts)})")
    oid = session.catalog.record(label, name, columns, database_of(session, name))
    if name[-1].startswith("#"):
        session.temporary.append((oid, label))
    objects.put_on_scheme(session, oid, rest)
    for column in columns:
        if column.type.name == "rowversion":
            session.run(f"CREATE TRIGGER \"~rowversion\" BEFORE UPDATE ON {label} FOR EACH ROW EXECUTE FUNCTION tds.stamp_row('{pg_name(column.name)}')")
    if clustered:
        mark_clustered(session, label, oid, constraints[clustered[0]])


def mark_clustered(session, label, oid, constraint):
    kind = "p" if constraint.kind == "PRIMARY" else "u"
    rows = session.fetch("SELECT c.relname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conindid WHERE k.conrelid = %s AND k.contype = %s ORDER BY k.oid LIMIT 1", (oid, kind))
    if rows:
        session.run(f'ALTER TABLE {label} CLUSTER ON "{rows[0][0]}"')


def constraint_sql(session, constraint, translator):
    name = f"CONSTRAINT {quote(constraint.name)} " if constraint.name else ""
    columns = ", ".join(quote(column) for column in constraint.columns)
    if constraint.kind == "CHECK":
        return f"{name}CHECK ({translator.expression(constraint.expression)})"
    if constraint.kind == "FOREIGN":
        target = ", ".join(quote(column) for column in constraint.target_columns)
        return f"{name}FOREIGN KEY ({columns}) REFERENCES {label_of(session, constraint.target)}{f' ({target})' if target else ''}{constraint.actions}"
    return f"{name}{'PRIMARY KEY' if constraint.kind == 'PRIMARY' else 'UNIQUE'} ({columns})"


def create_view(session, tokens):
    cursor = Cursor(tokens[2:])
    parts = cursor.parts()
    while not cursor.accept("AS"):
        cursor.next()
    query = Translator(session).query(tokens[2 + cursor.pos:])
    label = label_of(session, parts)

    def make():
        names = [column.name for column in query.columns]
        listed = f" ({', '.join(map(quote, names))})" if names and all(names) and not query.sides else ""
        session.run(f"CREATE VIEW {label}{listed} AS {query.sql}")
        record_made(session, label, parts, query)
        session.run("UPDATE tds.tables SET kind = 'V' WHERE object_id = %s::regclass", (label,))

    session.engine.guard(make)


def select_into(session, query):
    parts = [part.name.removeprefix("~") for part in query.target.parts]
    label = label_of(session, parts)

    def make():
        names = [column.name for column in query.columns]
        listed = f" ({', '.join(map(quote, names))})" if names and all(names) and not query.sides else ""
        count = session.run(f"CREATE {'TEMP ' if is_local(parts[-1]) else ''}TABLE {label}{listed} AS {query.sql}")
        record_made(session, label, parts, query)
        return count

    return session.engine.guard(make)


def record_made(session, label, parts, query):
    """Records the columns of a table or view that a query made."""
    from .ddl import Column
    cursor = session.engine.connection.cursor()
    cursor.execute(f"SELECT * FROM ({query.sql}) AS x LIMIT 0")
    columns = []
    for number, described in enumerate(cursor.description[:len(cursor.description) - query.sides]):
        origin = session.catalog.origin(described.table_oid, described.table_column) if described.table_oid else None
        expected = query.columns[number] if number < len(query.columns) else None
        kind = origin[1] if origin else (expected.type if expected and expected.type else from_postgres(described.type_code, None, []))
        columns.append(Column((expected.name if expected and expected.name else described.name), kind, number=number + 1))
    cursor.close()
    oid = session.catalog.record(label, parts, columns, database_of(session, parts))
    if parts[-1].startswith("#"):
        session.temporary.append((oid, label))


def create_index(session, tokens):
    cursor = Cursor(tokens[1:])
    unique = cursor.accept("UNIQUE")
    clustered = cursor.accept("CLUSTERED")
    cursor.accept("NONCLUSTERED")
    if cursor.accept("COLUMNSTORE"):
        cursor.expect("INDEX")
        name = cursor.name()
        cursor.expect("ON")
        found = session.catalog.find(cursor.parts())
        return session.run("UPDATE tds.tables SET columnstore = %s WHERE object_id = %s", (name, found.oid))
    cursor.expect("INDEX")
    name = cursor.name()
    cursor.expect("ON")
    label = label_of(session, cursor.parts())
    columns = ", ".join(quote(part[0].value) + (" DESC" if part[-1].upper == "DESC" else "") for part in split_commas(cursor.group()))
    include = ""
    if cursor.accept("INCLUDE"):
        include = f" INCLUDE ({', '.join(quote(part[0].value) for part in split_commas(cursor.group()))})"
    index = pg_name(name)[:40] + "_index"

    def make():
        session.run(f"CREATE {'UNIQUE ' if unique else ''}INDEX {quote(index)} ON {label} ({columns}){include}{' NULLS NOT DISTINCT' if unique else ''}")
        if clustered:
            session.run(f"ALTER TABLE {label} CLUSTER ON {quote(index)}")

    session.engine.guard(make)


def alter(session, one, words):
    tokens = one.tokens
    if words[1] == "DATABASE":
        return alter_database(session, tokens)
    if words[1] in ("ROLE", "SERVER") and "MEMBER" in [token.upper for token in tokens]:
        return objects.join_role(session, tokens[-4].value, tokens[-1].value)
    if words[1] != "TABLE":
        return None
    cursor = Cursor(tokens[2:])
    parts = cursor.parts()
    label = label_of(session, parts)
    found = session.catalog.find(parts)
    if found is None:
        raise SqlError(4902, f"Cannot find the object \"{parts[-1]}\" because it does not exist or you do not have permissions.")
    objects.require(session, "ALTER", *found.place)
    if cursor.accept("WITH"):
        cursor.next()
    if cursor.peek() in ("ENABLE", "DISABLE") and cursor.peek(1) == "TRIGGER":
        on, name = cursor.next().upper == "ENABLE", cursor.next() and cursor.name()
        return session.engine.guard(lambda: objects.switch_triggers(session, found, name, on))
    if cursor.accept("CHECK", "CONSTRAINT"):
        return session.engine.guard(lambda: validate(session, found, cursor.name()))
    if cursor.accept("ADD"):
        return session.engine.guard(lambda: add(session, label, found, cursor))
    if cursor.accept("DROP", "COLUMN"):
        return session.engine.guard(lambda: drop_column(session, label, found, cursor.name()))
    if cursor.accept("DROP"):
        cursor.accept("CONSTRAINT")
        return session.engine.guard(lambda: session.run(f"ALTER TABLE {label} DROP CONSTRAINT {quote(cursor.name())}"))
    return None  # CHECK CONSTRAINT, REBUILD, SET, ENABLE TRIGGER: nothing to do here


def validate(session, found, name):
    """WITH CHECK CHECK CONSTRAINT name or ALL: what a bulk load left untrusted."""
    for constraint, in session.fetch("SELECT conname FROM pg_constraint WHERE conrelid = %s AND NOT convalidated", (found.oid,)):
        if name.upper() == "ALL" or constraint == pg_name(name):
            session.run(f"ALTER TABLE {found.pg} VALIDATE CONSTRAINT {quote(constraint)}")


def alter_database(session, tokens):
    words = [token.upper for token in tokens]
    name = session.database if words[2] == "CURRENT" else tokens[2].value
    if "RECOVERY" in words:
        session.run("UPDATE tds.databases SET recovery = %s WHERE lower(name) = lower(%s)",
                    ({"FULL": 1, "BULK_LOGGED": 2}.get(words[words.index("RECOVERY") + 1], 3), name))
    if "ALLOW_SNAPSHOT_ISOLATION" in words:
        session.run("UPDATE tds.databases SET snapshot = %s WHERE lower(name) = lower(%s)", (words[-1] == "ON", name))


def add(session, label, found, cursor):
    translator = Translator(session)
    for element in split_commas(cursor.tokens[cursor.pos:]):
        inner = Cursor(element)
        if inner.peek() in ("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"):
            constraint = parse_constraint(inner, None)
            session.run(f"ALTER TABLE {label} ADD {constraint_sql(session, constraint, translator)}")
            if constraint.clustered:
                mark_clustered(session, label, found.oid, constraint)
            continue
        constraints = []
        column = parse_column(inner, constraints)
        column.number = max([c.number for c in found.columns] + [0]) + 1
        sql = session.catalog.column_sql(column, translator, found.columns)
        for piece in sql.split(", \"") if column.type.inexact else [sql]:
            session.run(f"ALTER TABLE {label} ADD COLUMN {piece if piece.startswith(chr(34)) else chr(34) + piece}")
        session.catalog.record_column(found.oid, column)


def drop_column(session, label, found, name):
    session.run(f"ALTER TABLE {label} DROP COLUMN {quote(name)}")
    session.run("DELETE FROM tds.columns WHERE object_id = %s AND lower(name) = lower(%s)", (found.oid, name))


def drop(session, tokens):
    kind = tokens[1].upper
    cursor = Cursor(tokens[2:])
    tolerant = cursor.accept("IF", "EXISTS")
    while True:
        parts = cursor.parts()
        session.engine.guard(lambda: drop_one(session, kind, parts, tolerant, cursor))
        if not cursor.accept(","):
            return


def drop_one(session, kind, parts, tolerant, cursor):
    if kind in ("TABLE", "VIEW"):
        found = session.catalog.find(parts)
        if found is None:
            if tolerant:
                return
            raise SqlError(3701, f"Cannot drop the {kind.lower()} '{'.'.join(parts)}', because it does not exist or you do not have permission.", 11)
        objects.require(session, "ALTER", *found.place)
        session.run("DELETE FROM tds.tables WHERE object_id = %s", (found.oid,))
        session.run(f"DROP {kind} {found.pg}")
    elif kind == "FUNCTION":
        schema, name = session.catalog.place(parts)
        session.run("DELETE FROM tds.tables WHERE object_id = to_regclass(%s)::oid", (f"{quote(schema)}.{quote(name)}",))
        session.run(f"DROP VIEW {'IF EXISTS ' if tolerant else ''}{quote(schema)}.{quote(name)}")
    elif kind == "TRIGGER":
        for trigger, place in session.fetch("SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE split_part(tgname, '~', 1) = %s AND NOT tgisinternal", (pg_name(parts[-1]),)):
            session.run(f"DROP TRIGGER {quote(trigger)} ON {place}")
    elif kind == "INDEX":
        cursor.accept("ON")
        schema, _name = session.catalog.place(cursor.parts())
        session.run(f"DROP INDEX {quote(schema)}.{quote(pg_name(parts[-1])[:40] + '_index')}")
    elif kind == "SCHEMA":
        session.run(f"DROP SCHEMA {quote(session.database + '.' + parts[-1])}")
        session.run("DELETE FROM tds.schemas WHERE db = lower(%s) AND lower(name) = lower(%s)", (session.database, parts[-1]))
    elif kind == "DATABASE":
        drop_database(session, parts[-1], tolerant)


def drop_database(session, name, tolerant):
    rows = session.fetch("DELETE FROM tds.databases WHERE lower(name) = lower(%s) RETURNING name", (name,))
    if not rows and not tolerant:
        raise SqlError(3701, f"Cannot drop the database '{name}', because it does not exist or you do not have permission.", 11)
    for schema, in session.fetch("DELETE FROM tds.schemas WHERE db = lower(%s) RETURNING name", (name,)):
        session.run(f"DROP SCHEMA {quote(name + '.' + schema)} CASCADE")
    session.run("DELETE FROM tds.tables WHERE db = lower(%s)", (name,))


def rename(session, old, new):
    found = session.catalog.find(Cursor(session.word_tokens(old)).parts())
    if found is None:
        raise SqlError(15225, f"No item by the name of '{old}' could be found in the current database.", 11)
    session.engine.guard(lambda: session.run(f"ALTER TABLE {found.pg} RENAME TO {quote(new)}")
                         and None or session.run("UPDATE tds.tables SET name = %s WHERE object_id = %s", (new, found.oid)))
