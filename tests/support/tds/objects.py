"""Triggers, table-valued functions, partition functions, database snapshots, logins and their rights.

Each is as small as the tests need. A trigger's body is statements without control flow; it
becomes a PostgreSQL trigger with `inserted` and `deleted`. An inline table-valued function is
kept as its text and written out where it is called. A database snapshot is a copy of the
tables. A login made by CREATE LOGIN may do nothing until something is granted to it; the
logins of the test's own (Server.users) may do everything.
"""
from . import catalog, translate
from .ddl import Cursor, parse_type, split_commas
from .errors import SqlError
from .script import Simple, parse

EVENTS = {"INSERT": ("NEW TABLE AS inserted", "INSERT"), "UPDATE": ("OLD TABLE AS deleted NEW TABLE AS inserted", "UPDATE"), "DELETE": ("OLD TABLE AS deleted", "DELETE")}
ROLES = {"db_datareader": ["SELECT"], "db_datawriter": ["INSERT", "UPDATE", "DELETE"], "db_ddladmin": ["CREATE TABLE", "ALTER"]}


# Triggers ----------------------------------------------------------------------------------
def create_trigger(session, one):
    cursor = Cursor(one.tokens[2:])
    name = cursor.parts()[-1]
    cursor.expect("ON")
    table = session.catalog.find(cursor.parts())
    if table is None:
        raise SqlError(8197, f"The object of trigger '{name}' does not exist or is invalid for this operation.")
    cursor.next()  # AFTER, FOR
    events = []
    while not cursor.accept("AS"):
        word = cursor.next().upper
        events += [word] if word in EVENTS else []
    source = one.text[cursor.tokens[cursor.pos].start - one.tokens[0].start:]
    session.trigger = True
    try:
        body = ";\n".join(translate.Translator(session).query(simple.tokens).sql for simple in plain_statements(parse(source)))
    finally:
        session.trigger = False

    def make():
        function = translate.quote(f"trigger {table.oid} {name}")
        session.run(f"CREATE FUNCTION tds.{function}() RETURNS trigger LANGUAGE plpgsql AS $body$BEGIN IF current_setting('tds.quiet', true) = 'on' THEN RETURN NULL;"
                    f" END IF; {body}; RETURN NULL; END $body$")
        for event in events:
            tables, when = EVENTS[event]
            session.run(f"CREATE TRIGGER {translate.quote(name + '~' + when.lower())} AFTER {when} ON {table.pg} REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION tds.{function}()")

    session.engine.guard(make)


def plain_statements(block):
    for one in block.statements:
        if not isinstance(one, Simple):
            raise SqlError(50000, "control flow in a trigger is not spoken here")
        if one.tokens[0].upper != "SET":
            yield one


def switch_triggers(session, table, name, on):
    """ENABLE or DISABLE TRIGGER name or ALL."""
    rows = session.fetch("SELECT tgname FROM pg_trigger WHERE tgrelid = %s AND NOT tgisinternal AND tgname LIKE '%%~%%' AND tgname <> '~rowversion'", (table.oid,))
    for found, in rows:
        if name.upper() == "ALL" or found.split("~")[0] == translate.pg_name(name):
            session.run(f"ALTER TABLE {table.pg} {'ENABLE' if on else 'DISABLE'} TRIGGER {translate.quote(found)}")


# Table-valued functions --------------------------------------------------------------------
def create_function(session, one):
    """CREATE FUNCTION name (@a type, ...) RETURNS TABLE AS RETURN (SELECT ...)."""
    cursor = Cursor(one.tokens[2:])
    parts = cursor.parts()
    parameters = []
    for part in split_commas(cursor.group()):
        inner = Cursor(part)
        name = inner.next().text
        inner.accept("AS")
        parameters.append((name.lower(), parse_type(inner)))
    if not cursor.accept("RETURNS", "TABLE"):
        raise SqlError(50000, "only inline table-valued functions are spoken here")
    while not cursor.accept("RETURN"):
        cursor.next()
    source, start = one.text, one.tokens[0].start
    body = source[cursor.tokens[cursor.pos].start - start:].strip().rstrip(";").strip()
    if body.startswith("("):
        body = body[1:-1]

    def make():
        schema, name = session.catalog.place(parts)
        session.run(f"CREATE VIEW {translate.quote(schema)}.{translate.quote(name)} AS SELECT 1 AS \"~function\"")
        oid = session.fetch("SELECT %s::regclass::oid", (f"{translate.quote(schema)}.{translate.quote(name)}",))[0][0]
        session.run("INSERT INTO tds.tables(object_id, db, schema, name, kind) VALUES (%s, %s, %s, %s, 'IF')",
                    (oid, session.database.lower(), parts[-2] if len(parts) > 1 else "dbo", parts[-1]))
        session.run("INSERT INTO tds.functions(object_id, body) VALUES (%s, %s)", (oid, body))
        for number, (name, kind) in enumerate(parameters, 1):
            session.run("INSERT INTO tds.parameters(object_id, parameter_id, name, type_text, type_name) VALUES (%s, %s, %s, %s, %s)", (oid, number, name, kind.sql(), kind.name))

    session.engine.guard(make)


def expand_call(session, parts, arguments):
    """The text of a call of a function in FROM, or None when there is no such function."""
    schema, name = session.catalog.place(parts)
    rows = session.fetch("SELECT f.object_id, f.body FROM tds.functions f WHERE f.object_id = to_regclass(%s)::oid", (f"{translate.quote(schema)}.{translate.quote(name)}",))
    if not rows:
        return None
    parameters = session.fetch("SELECT name, type_text FROM tds.parameters WHERE object_id = %s ORDER BY parameter_id", (rows[0][0],))
    if len(parameters) != len(arguments):
        raise SqlError(313 if len(arguments) < len(parameters) else 8144, f"An insufficient number of arguments were supplied for the procedure or function {'.'.join(parts)}."
                       if len(arguments) < len(parameters) else f"Procedure or function {'.'.join(parts)} has too many arguments specified.")
    values = {name: f"CAST({' '.join(token.text for token in argument)} AS {kind})" for (name, kind), argument in zip(parameters, arguments)}
    return "(" + " ".join(values.get(token.text.lower(), token.text) for token in session.word_tokens(rows[0][1])) + ")"


# Partitions --------------------------------------------------------------------------------
def create_partition(session, one):
    """CREATE PARTITION FUNCTION f (type) AS RANGE RIGHT FOR VALUES (...), CREATE PARTITION SCHEME s AS PARTITION f ALL TO (...)."""
    cursor = Cursor(one.tokens[2:])
    what, name = cursor.next().upper, cursor.name()
    if what == "SCHEME":
        cursor.expect("AS")
        cursor.expect("PARTITION")
        session.engine.guard(lambda: session.run("INSERT INTO tds.partition_schemes(db, name, function_id) SELECT db, %s, function_id FROM tds.partition_functions WHERE db = %s AND lower(name) = lower(%s)",
                                                 (name, session.database.lower(), cursor.name())))
        return
    kind = parse_type(Cursor(cursor.group()))
    words = [token.upper for token in cursor.tokens]
    while not cursor.accept("VALUES"):
        cursor.next()
    bounds = [kind.decode(payload) for payload in (session.evaluate(part, kind) for part in split_commas(cursor.group()))]
    session.engine.guard(lambda: session.run("INSERT INTO tds.partition_functions(db, name, on_right, bounds) VALUES (%s, %s, %s, %s)",
                                             (session.database.lower(), name, "RIGHT" in words, bounds)))


def put_on_scheme(session, oid, cursor):
    """ON scheme(column) after CREATE TABLE."""
    if not cursor.accept("ON"):
        return
    scheme = cursor.name()
    if cursor.peek() == "(":
        session.run("UPDATE tds.tables SET scheme = (SELECT scheme_id FROM tds.partition_schemes WHERE db = %s AND lower(name) = lower(%s)), partition_column = %s WHERE object_id = %s",
                    (session.database.lower(), scheme, translate.pg_name(cursor.group()[0].value), oid))


# Database snapshots ------------------------------------------------------------------------
def create_snapshot(session, name, origin):
    """A copy of each table of the database, as of one moment."""
    run, source = session.run, origin.lower()
    catalog.create_database(session.engine.cursor, name, session.server.personality)
    run("UPDATE tds.databases SET source = (SELECT database_id FROM tds.databases WHERE lower(name) = %s) WHERE name = %s", (source, name))
    for schema, in session.fetch("SELECT name FROM tds.schemas WHERE db = %s AND name NOT IN (SELECT name FROM tds.schemas WHERE db = %s)", (source, name.lower())):
        catalog.create_schema(session.engine.cursor, name, schema)
    for oid, schema, table in session.fetch("SELECT object_id, schema, name FROM tds.tables WHERE lower(db) = %s AND kind = 'U'", (source,)):
        copy = f"{translate.quote(name + '.' + schema)}.{translate.quote(table)}"
        run(f"CREATE TABLE {copy} (LIKE {translate.quote(source + '.' + schema)}.{translate.quote(table)} INCLUDING ALL)")
        columns = ", ".join(f'"{column}"' for column, in session.fetch("SELECT attname FROM pg_attribute WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum", (oid,)))
        run(f"INSERT INTO {copy} ({columns}) SELECT {columns} FROM {translate.quote(source + '.' + schema)}.{translate.quote(table)}")
        run(f"INSERT INTO tds.tables(object_id, db, schema, name) SELECT {translate.sql_string(copy)}::regclass::oid, %s, schema, name FROM tds.tables WHERE object_id = %s", (name.lower(), oid))
        run(f"INSERT INTO tds.columns SELECT {translate.sql_string(copy)}::regclass::oid, column_id, name, pg_name, type_name, length, precision, scale, collation_name, nullable, udt, seed, increment, computed,"
            " default_text, default_name FROM tds.columns WHERE object_id = %s", (oid,))


# Logins ------------------------------------------------------------------------------------
def create_login(session, words, tokens_):
    if words[1] == "LOGIN":
        name = tokens_[2].value
        session.server.users[name] = next(token.value for token in tokens_ if token.kind == "string")
        session.run("INSERT INTO tds.limited(login) VALUES (lower(%s)) ON CONFLICT DO NOTHING", (name,))


def grant(session, tokens_):
    """GRANT, REVOKE, DENY permission, ... [ON [SCHEMA::]object] TO login."""
    cursor = Cursor(tokens_)
    verb, permissions, word = cursor.next().upper, [], []
    while cursor.peek() not in ("ON", "TO", "FROM"):
        if cursor.accept(","):
            permissions, word = [*permissions, " ".join(word)], []
        else:
            word.append(cursor.next().upper)
    permissions.append(" ".join(word))
    target = ""
    if cursor.accept("ON"):
        prefix = "schema:" if cursor.accept("SCHEMA", "::") else "" if cursor.accept("OBJECT", "::") else ""
        parts = cursor.parts()
        target = prefix + ".".join(parts if prefix or len(parts) > 1 else ["dbo", *parts]).lower()
    cursor.next()
    login = cursor.name().lower()
    for permission in permissions:
        session.run("DELETE FROM tds.grants WHERE login = %s AND permission = %s AND object = %s", (login, permission, target))
        if verb == "GRANT":
            session.run("INSERT INTO tds.grants VALUES (%s, %s, %s)", (login, permission, target))


def join_role(session, role, login):
    role, login = role.lower(), login.lower()
    if role in ("db_owner", "sysadmin"):
        session.run("DELETE FROM tds.limited WHERE login = %s", (login,))
    for permission in ROLES.get(role, ()):
        session.run("INSERT INTO tds.grants VALUES (%s, %s, '')", (login, permission))


def require(session, permission, schema, name):
    """Raises 229 when a login may not do that to an object; schema is "database.schema"."""
    schema = schema.split(".")[-1] if schema else ""
    if session.limited and schema not in ("", "sys", "information_schema") and not session.fetch("SELECT tds.may(%s, %s, %s)", (session.login.user, permission, f"{schema}.{name}"))[0][0]:
        raise SqlError(229, f"The {permission} permission was denied on the object '{name}', database '{session.database}', schema '{schema}'.", 14, 5)


def require_create(session, schema):
    if session.limited and not all(session.fetch("SELECT tds.may(%s, 'CREATE TABLE', ''), tds.may(%s, 'ALTER', %s)", (session.login.user, session.login.user, f"schema:{schema}"))[0]):
        raise SqlError(262, f"CREATE TABLE permission denied in database '{session.database}'.", 14)
