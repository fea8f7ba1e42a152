"""RPC requests: the special procedures, and the few system procedures clients call."""
from . import applock, script, text, tokens, types
from .ddl import Cursor, parse_type, split_commas
from .errors import SqlError
from .translate import sql_string
from .types import Type

NAMES = {1: "sp_cursor", 2: "sp_cursoropen", 3: "sp_cursorprepare", 4: "sp_cursorexecute", 5: "sp_cursorprepexec", 6: "sp_cursorunprepare",
         7: "sp_cursorfetch", 8: "sp_cursoroption", 9: "sp_cursorclose", 10: "sp_executesql", 11: "sp_prepare", 12: "sp_execute",
         13: "sp_prepexec", 14: "sp_prepexecrpc", 15: "sp_unprepare"}


class Parameter:
    def __init__(self, name, output, kind, payload):
        self.name, self.output, self.kind, self.payload = name, output, kind, payload

    @property
    def text(self):
        return None if self.payload is None else self.kind.decode(self.payload)


def read_call(reader):
    size = reader.u16()
    name = NAMES.get(reader.u16(), "?") if size == 0xFFFF else bytes(reader.take(2 * size)).decode("utf-16-le")
    reader.u16()
    parameters = []
    while reader.left() and reader.data[reader.pos] not in (0xFF, 0xFE):
        label = reader.b_varchar()
        status = reader.u8()
        kind = types.read_info(reader)
        parameters.append(Parameter(label, bool(status & 1), kind, kind.unframe(reader)))
    return name, parameters


def run(session, reader, output):
    while reader.left():
        name, parameters = read_call(reader)
        if reader.left():
            reader.u8()
        call(session, name, parameters, output)


def call(session, name, parameters, output):
    name = name.split(".")[-1].strip("[]").lower()
    session.server.log(f"RPC {name} " + " | ".join(repr(p.text)[:300] for p in parameters))
    session.variables = {}
    special = {"sp_executesql": execute_sql, "sp_prepexec": prepare_execute, "sp_prepare": prepare, "sp_execute": execute,
               "sp_unprepare": unprepare}.get(name)
    returned, status = [], 0
    if special:
        returned = special(session, parameters, output) or []
    else:
        status = system(session, name, [p.text for p in parameters], [p.name for p in parameters], output) or 0
    output.write(tokens.return_status(status))
    for ordinal, (label, kind, payload) in enumerate(returned):
        nullable = Type(**{**kind.__dict__, "nullable": True})
        output.write(tokens.return_value(ordinal, label, nullable, nullable.frame(payload)))


def declare(declaration):
    """[(name, Type)] of sp_executesql's @params."""
    found = []
    for part in split_commas(script.tokenize(declaration or "")):
        cursor = Cursor(part)
        name = cursor.next().text
        cursor.accept("AS")
        found.append((name, parse_type(cursor)))
    return found


def bind(session, declaration, values):
    declared = declare(declaration)
    for position, (name, kind) in enumerate(declared):
        given = next((v for v in values if v.name.lower() == name.lower()), None)
        if given is None and position < len(values) and not values[position].name:
            given = values[position]
        if given is None:
            raise SqlError(8178, f"The parameterized query expects the parameter '{name}', which was not supplied.")
        session.variables[name.lower()] = (given.kind if given.kind.name == "sql_variant" or given.payload is not None else kind, given.payload)
    return [(v.name or n, n.lower()) for (n, _k), v in zip(declared, values) if v.output]


def outputs(session, pairs):
    return [(label, *session.variables[name]) for label, name in pairs]


def execute_sql(session, parameters, output):
    pairs = bind(session, parameters[1].text if len(parameters) > 1 else "", parameters[2:])
    session.batch(parameters[0].text or "", output)
    return outputs(session, pairs)


def keep(session, declaration, source):
    handle, session.next_handle = session.next_handle, session.next_handle + 1
    session.prepared[handle] = (declaration, source)
    return handle


def handle_value(parameter, handle):
    return (parameter.name, Type("int"), handle.to_bytes(4, "little"))


def prepare(session, parameters, output):
    handle = keep(session, parameters[1].text, parameters[2].text)
    return [handle_value(parameters[0], handle)]


def prepare_execute(session, parameters, output):
    handle = keep(session, parameters[1].text, parameters[2].text)
    pairs = bind(session, parameters[1].text, parameters[3:])
    session.batch(parameters[2].text, output)
    return [handle_value(parameters[0], handle), *outputs(session, pairs)]


def execute(session, parameters, output):
    kept = session.prepared.get(int(parameters[0].text or 0))
    if kept is None:
        raise SqlError(8179, f"Could not find prepared statement with handle {parameters[0].text}.")
    pairs = bind(session, kept[0], parameters[1:])
    session.batch(kept[1], output)
    return outputs(session, pairs)


def unprepare(session, parameters, output):
    session.prepared.pop(int(parameters[0].text or 0), None)


def run_exec(session, words, output):
    """EXEC procedure arguments, and EXEC('text')."""
    cursor = Cursor(words)
    status = words[0].text.lower() if cursor.peek(1) == "=" else None  # EXEC @status = procedure
    cursor.pos = 2 if status else 0
    if cursor.peek() == "(":
        from .statement import evaluate
        payload = evaluate(session, cursor.group(), Type("nvarchar", types.MAX))
        return session.batch(text.from_wide(payload or b""), output)
    parts = cursor.parts()
    values, names = [], []
    for part in split_commas(words[cursor.pos:]):
        named = part[0].kind == "variable" and len(part) > 2 and part[1].text == "="
        names.append(part[0].text if named else "")
        value = part[2:] if named else part
        values.append(argument(session, value))
    if parts[-1].lower() == "sp_executesql":
        returned = nested(session, split_commas(words[cursor.pos:]), values, names, output)
    else:
        returned = system(session, parts[-1].lower(), values, names, output)
    if status:
        session.variables[status] = (Type("int"), (returned or 0).to_bytes(4, "little", signed=True))
    return None


def nested(session, arguments, values, names, output):
    """EXEC sp_executesql in a batch: variables of its own, outputs handed back."""
    wide = Type("nvarchar", types.MAX)
    parameters = [Parameter(n, part[-1].upper in ("OUTPUT", "OUT"), wide, None if v is None else text.to_wide(v))
                  for n, v, part in zip(names, values, arguments)]
    outer, session.variables = session.variables, {}
    try:
        declared = dict((n.lower(), kind) for n, kind in declare(parameters[1].text if len(parameters) > 1 else ""))
        for parameter in parameters[2:]:
            kind = declared.get(parameter.name.lower(), wide)
            if parameter.payload is not None:
                parameter.payload = kind.encode(parameter.text)
            parameter.kind = kind
        bind(session, parameters[1].text if len(parameters) > 1 else "", parameters[2:])
        session.batch(parameters[0].text or "", output)
        for parameter, part in zip(parameters[2:], arguments[2:]):
            if parameter.output:
                source = part[-2].text.lower()
                kind, payload = session.variables[parameter.name.lower()]
                outer[source] = (outer[source][0], payload if payload is None else outer[source][0].encode(kind.decode(payload)))
    finally:
        session.variables = outer


def argument(session, value):
    if value[0].kind == "variable":
        found = session.variables.get(value[0].text.lower())
        return found and found[1] is not None and found[0].decode(found[1]) or None
    return None if value[0].upper == "NULL" else "".join(t.value for t in value)


# System procedures -------------------------------------------------------------------------
COLUMNS = """SELECT DB_NAME() AS TABLE_QUALIFIER, s.name AS TABLE_OWNER, o.name AS TABLE_NAME, c.name AS COLUMN_NAME, c.system_type_id AS DATA_TYPE,
 TYPE_NAME(c.user_type_id) AS TYPE_NAME, CAST(c.precision AS int) AS PRECISION, CAST(c.max_length AS int) AS LENGTH, c.scale AS SCALE, CAST(10 AS smallint) AS RADIX,
 CAST(c.is_nullable AS smallint) AS NULLABLE FROM sys.columns c JOIN sys.objects o ON o.object_id = c.object_id JOIN sys.schemas s ON s.schema_id = o.schema_id
 WHERE o.name LIKE {name} ORDER BY c.column_id"""
TABLES = """SELECT DB_NAME() AS TABLE_QUALIFIER, s.name AS TABLE_OWNER, o.name AS TABLE_NAME, 'TABLE' AS TABLE_TYPE, CAST(NULL AS varchar(254)) AS REMARKS
 FROM sys.tables o JOIN sys.schemas s ON s.schema_id = o.schema_id ORDER BY o.name"""
COLLATIONS = """SELECT c.column_id AS colid, c.name AS name, {columns} FROM sys.columns c WHERE c.object_id = OBJECT_ID({name}) ORDER BY c.column_id"""


def system(session, name, values, names, output):
    first = sql_string(str(values[0])) if values and values[0] is not None else "'%'"
    if name in ("sp_columns", "sp_columns_100"):
        return session.batch(COLUMNS.format(name="N" + first), output)
    if name == "sp_tables":
        return session.batch(TABLES, output)
    if name.startswith("sp_tablecollations"):
        return table_collations(session, values[0], output)
    if name == "sp_describe_first_result_set":
        return describe(session, values[0], output)
    if name == "sp_rename":
        from .table import rename
        if len(values) < 3 and not session.server.personality.rename_untyped:
            raise SqlError(33557097, "Please provide @objtype that is supported in this server")
        return rename(session, values[0], values[1])
    if name in ("sp_getapplock", "sp_releaseapplock") and session.server.personality.applocks:
        return applock.get(session, values, names) if name == "sp_getapplock" else applock.release(session, values, names)
    if name in ("sp_reset_connection", "sp_setapprole", "sp_set_session_context"):
        return None
    raise SqlError(2812, f"Could not find stored procedure '{name}'.", 16, 62)


def table_collations(session, name, output):
    """colid, name, and the collation as its five bytes and as its name."""
    found = session.catalog.find([token.value for token in script.tokenize(name or "") if token.text != "."])
    columns = [("colid", Type("int", nullable=False), 0), ("name", Type("nvarchar", 256), 1), ("tds_collation_100", Type("varbinary", 5), 1),
               ("collation_100", Type("nvarchar", 256), 1)]
    output.write(tokens.column_metadata(columns))
    for column in found.columns if found else ():
        text_like = bool(column.collation)
        cells = [column.number.to_bytes(4, "little"), columns[1][1].frame(text.to_wide(column.name)),
                 columns[2][1].frame(column.type.collation if text_like else None),
                 columns[3][1].frame(text.to_wide(column.collation) if text_like else None)]
        output.write(b"\xd1" + b"".join(cells))
    output.done(tokens.SELECT, len(found.columns) if found else 0)


def describe(session, source, output):
    raise SqlError(50000, "sp_describe_first_result_set is not spoken here yet")
