"""What each T-SQL statement does: control flow, variables, settings, DDL, queries."""
import time
from dataclasses import replace

from sqlglot import exp

from . import bulk, objects, table, tokens
from .ddl import Cursor, parse_type, split_commas
from .errors import SqlError
from .script import Block, If, Try, While
from .translate import Translator, quote, six_digits
from .types import Type, variant_make


class Return(Exception):
    pass


class Break(Exception):
    pass


class Continue(Exception):
    pass


def in_try(session):
    return getattr(session, "tries", 0) > 0


def run_block(session, block, output):
    try:
        for one in block.statements:
            run(session, one, output)
    except Return:
        pass


def run(session, one, output):
    if isinstance(one, Block):
        for inner in one.statements:
            run(session, inner, output)
    elif isinstance(one, If):
        branch = one.then if truth(session, one.condition) else one.otherwise
        if branch is not None:
            run(session, branch, output)
    elif isinstance(one, While):
        run_while(session, one, output)
    elif isinstance(one, Try):
        run_try(session, one, output)
    else:
        session.guarded_statement(one, output)


def run_while(session, one, output):
    for _turn in range(1_000_000):
        if not truth(session, one.condition):
            return
        try:
            run(session, one.body, output)
        except Continue:
            continue
        except Break:
            return


def run_try(session, one, output):
    session.tries = getattr(session, "tries", 0) + 1
    try:
        run(session, one.body, output)
        session.tries -= 1
    except SqlError as error:
        session.tries -= 1
        session.last_error = error
        session.engine.setting("error", error.number)
        session.engine.setting("message", error.text)
        run(session, one.handler, output)
    except (Return, Break, Continue):
        session.tries -= 1
        raise


def truth(session, tokens_):
    sql = Translator(session).expression(tokens_)
    return session.engine.guard(lambda: session.fetch(f"SELECT ({sql})::boolean")[0][0])


# Simple statements -------------------------------------------------------------------------
def run_simple(session, one, output):
    words = [token.upper for token in one.tokens[:4]] + [""] * 4
    name = "run_" + words[0].lower()
    if words[0] == "INSERT" and words[1] == "BULK":
        bulk.prepare(session, one, output)
    elif words[0] == "BEGIN":
        session.begin_transaction(output)
        output.done(tokens.BEGIN)
    elif words[0] == "UPDATE" and words[1] == "STATISTICS":
        run_update(session, one, words, output)
    elif words[0] in ("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "(", "VALUES"):
        run_query(session, one, output)
    elif name in globals():
        globals()[name](session, one, words, output)
    elif words[0] in ("GRANT", "REVOKE", "DENY"):
        objects.grant(session, one.tokens)
        output.done()
    elif words[0] in ("DBCC", "CHECKPOINT"):
        output.done()
    else:
        from . import rpc
        rpc.run_exec(session, one.tokens, output)


def done_count(session, output, command, count):
    session.row_count = count
    output.done(command, None if session.nocount else count)


def run_query(session, one, output):
    tokens_ = one.tokens
    if tokens_[0].upper == "SELECT" and assigns(tokens_):
        return select_into_variables(session, tokens_, output)
    if tokens_[0].upper == "INSERT" and any(t.upper in ("EXEC", "EXECUTE") for t in tokens_[:12]):
        raise SqlError(50000, "INSERT ... EXEC is not spoken here")
    if session.fmt_only and tokens_[0].upper not in ("SELECT", "WITH"):
        return output.done()
    query = Translator(session).query(tokens_)
    check_identity(session, query, tokens_)
    session.server.log("    " + query.sql)
    if query.kind == "SELECT INTO":
        return done_count(session, output, tokens.SELECT, table.select_into(session, query))
    if query.returns_rows:
        count = session.select(query, output)
    else:
        count = session.engine.guard(lambda: session.run(query.sql))
    command = {"INSERT": tokens.INSERT, "UPDATE": tokens.UPDATE, "DELETE": tokens.DELETE, "MERGE": 0x117}.get(query.kind, tokens.SELECT)
    done_count(session, output, command, count)
    return None


def check_identity(session, query, tokens_):
    if query.kind != "INSERT" or query.target is None or "(" not in [t.text for t in tokens_[2:8]]:
        return
    found = session.catalog.find([part.name for part in query.target.parts])
    start = next(n for n, t in enumerate(tokens_) if t.text == "(")
    if found is None or tokens_[start - 1].upper == "VALUES":
        return
    cursor = Cursor(tokens_)
    cursor.pos = start
    listed = {part[0].value.lower() for part in split_commas(cursor.group())}
    identity = next((c for c in found.columns if c.identity and c.name.lower() in listed), None)
    if identity and session.identity_insert != found.oid:
        raise SqlError(544, f"Cannot insert explicit value for identity column in table '{found.name}' when IDENTITY_INSERT is set to OFF.")


def assigns(tokens_):
    return len(tokens_) > 2 and tokens_[1].kind == "variable" and not tokens_[1].text.startswith("@@") and tokens_[2].text == "="


def select_into_variables(session, tokens_, output):
    """SELECT @a = expression, ... [FROM ...]"""
    depth, end = 0, len(tokens_)
    for number, token in enumerate(tokens_):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0 and token.upper == "FROM":
            end = number
            break
    names, items = [], []
    if accumulates(tokens_[:end]):
        return accumulate(session, tokens_, end, output)
    for part in split_commas(tokens_[1:end]):
        names.append(part[0].text.lower())
        items += [*part[2:], *session.word_tokens(",")]
    query = Translator(session).query([tokens_[0], *items[:-1], *tokens_[end:]])
    rows = session.engine.guard(lambda: session.fetch(query.sql))
    for row in rows[-1:]:
        for name, value in zip(names, row):
            assign(session, name, value)
    done_count(session, output, tokens.SELECT, len(rows))


def accumulates(tokens_):
    """SELECT @a = COALESCE(@a + separator, first) + expression, the idiom that joins rows."""
    words = [token.upper for token in tokens_]
    return len(words) > 8 and words[3] in ("COALESCE", "ISNULL") and words[4] == "(" and words[5] == words[1].upper()


def accumulate(session, tokens_, end, output):
    name = tokens_[1].text.lower()
    cursor = Cursor(tokens_[:end])
    cursor.pos = 4
    grown, first = split_commas(cursor.group())
    cursor.expect("+")
    rest = Translator(session).query([tokens_[0], *tokens_[cursor.pos:end], *tokens_[end:]])
    kind = session.variables[name][0]
    for row in session.engine.guard(lambda: session.fetch(rest.sql)):
        session.variables["@_row"] = (kind, None if row[0] is None else kind.encode(row[0]))
        at = session.word_tokens("+ @_row")
        head = grown if session.variables[name][1] is not None else first
        session.variables[name] = (kind, evaluate(session, [*head, *at], kind))
    done_count(session, output, tokens.SELECT, 0)


def assign(session, name, value):
    found = session.variables.get(name)
    if found is None:
        raise SqlError(137, f'Must declare the scalar variable "{name}".', 15, 2)
    session.variables[name] = (found[0], None if value is None else found[0].encode(value))


def evaluate(session, tokens_, kind):
    """The payload of an expression as a value of a type."""
    sql, guess = Translator(session).value(tokens_)
    value = session.engine.guard(lambda: session.fetch(sql)[0][0])
    return None if value is None else kind.encode(value)


def run_declare(session, one, words, output):
    for part in split_commas(one.tokens[1:]):
        cursor = Cursor(part)
        name = cursor.next().text.lower()
        cursor.accept("AS")
        if cursor.peek() == "TABLE":
            raise SqlError(50000, "table variables are not spoken here")
        kind = replace(parse_type(cursor), nullable=True)
        session.variables[name] = (kind, None)
        if cursor.accept("="):
            session.variables[name] = (kind, evaluate(session, part[cursor.pos:], kind))


def run_set(session, one, words, output):
    tokens_ = one.tokens
    if tokens_[1].kind == "variable":
        name = tokens_[1].text.lower()
        if name not in session.variables:
            raise SqlError(137, f'Must declare the scalar variable "{name}".', 15, 2)
        kind = session.variables[name][0]
        session.variables[name] = (kind, evaluate(session, tokens_[3:], kind))
        return
    on = tokens_[-1].upper == "ON"
    if words[1] == "NOCOUNT":
        session.nocount = on
    elif words[1] == "XACT_ABORT":
        session.xact_abort = on
    elif words[1] == "FMTONLY":
        session.fmt_only = on
    elif words[1] == "LOCK_TIMEOUT":
        wait_ms = int("".join(t.text for t in tokens_[2:]))
        session.run(f"SET lock_timeout = {0 if wait_ms < 0 else max(1, wait_ms)}")
    elif words[1] == "TRANSACTION":
        level = " ".join(t.upper for t in tokens_[4:])
        session.engine.isolation = {"READ UNCOMMITTED": 1, "READ COMMITTED": 2, "REPEATABLE READ": 3, "SERIALIZABLE": 4, "SNAPSHOT": 5}[level]
    elif words[1] == "IDENTITY_INSERT":
        found = session.catalog.find(Cursor(tokens_[2:]).parts())
        if found is None:
            raise SqlError(1088, "Cannot find the object in SET IDENTITY_INSERT.")
        session.identity_insert = found.oid if on else None
    output.done()


def run_print(session, one, words, output):
    payload = evaluate(session, one.tokens[1:], Type("nvarchar", 8000))
    output.write(tokens.message(0, (payload or b" \0").decode("utf-16-le"), 0))
    output.done()


def run_raiserror(session, one, words, output):
    parts = split_commas(Cursor(one.tokens[1:]).group())
    numbers = [int(evaluate(session, part, Type("varchar", 20)) or 0) for part in parts[1:3]]
    payload = evaluate(session, parts[0], Type("nvarchar", 4000))
    error = SqlError(50000, payload.decode("utf-16-le"), numbers[0], numbers[1] if len(numbers) > 1 else 1)
    if error.severity > 10:
        raise error
    output.message(error)
    output.done()


def run_throw(session, one, words, output):
    if len(one.tokens) == 1:
        raise session.last_error
    parts = split_commas(one.tokens[1:])
    number = int(evaluate(session, parts[0], Type("varchar", 20)))
    raise SqlError(number, evaluate(session, parts[1], Type("nvarchar", 4000)).decode("utf-16-le"), 16)


def run_commit(session, one, words, output):
    session.commit_transaction(output)
    output.done(tokens.COMMIT)


def run_rollback(session, one, words, output):
    if len(one.tokens) > 2 and one.tokens[2].value.lower() in getattr(session, "savepoints", ()):
        session.run(f"ROLLBACK TO SAVEPOINT {quote('sp ' + one.tokens[2].value)}")
    elif session.engine.depth == 0:
        raise SqlError(3903, "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.")
    else:
        session.end_transaction(output, 10, session.engine.rollback)
    output.done(0xD5)


def run_save(session, one, words, output):
    session.savepoints = getattr(session, "savepoints", set()) | {one.tokens[2].value.lower()}
    session.run(f"SAVEPOINT {quote('sp ' + one.tokens[2].value)}")
    output.done()


def run_use(session, one, words, output):
    from .session import env_database
    name = one.tokens[1].value
    rows = session.fetch("SELECT name FROM tds.databases WHERE lower(name) = lower(%s)", (name,))
    if not rows:
        raise SqlError(911, f"Database '{name}' does not exist. Make sure that the name is entered correctly.")
    output.write(env_database(session, rows[0][0]))
    output.done()


def run_return(session, one, words, output):
    raise Return()


def run_break(session, one, words, output):
    raise Break()


def run_continue(session, one, words, output):
    raise Continue()


def run_kill(session, one, words, output):
    if not session.server.kill(int(one.tokens[1].text)):
        raise SqlError(6106, f"Process ID {one.tokens[1].text} is not an active process ID.")
    output.done()


def run_waitfor(session, one, words, output):
    hours, minutes, seconds = one.tokens[2].value.split(":")
    wait = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    session.engine.guard(lambda: session.fetch("SELECT pg_sleep(%s)", (wait,)))
    output.done()


def run_exec(session, one, words, output):
    from . import rpc
    rpc.run_exec(session, one.tokens[1:], output)


run_execute = run_exec


def run_update(session, one, words, output):
    """UPDATE STATISTICS: what makes row counts known to a personality without them."""
    found = session.catalog.find(Cursor(one.tokens[2:]).parts())
    if found is None:
        raise SqlError(2706, f"Table '{one.tokens[2].value}' does not exist.")
    session.engine.guard(lambda: session.run(f"ANALYZE {found.pg}"))
    output.done()


def run_create(session, one, words, output):
    table.create(session, one, words)
    output.done()


def run_alter(session, one, words, output):
    table.alter(session, one, words)
    output.done()


def run_drop(session, one, words, output):
    table.drop(session, one.tokens)
    output.done()


def run_truncate(session, one, words, output):
    schema, name = session.catalog.place(Cursor(one.tokens[2:]).parts())
    label = (quote(schema) + "." if schema else "") + quote(name)
    objects.require(session, "ALTER", schema, name)
    session.engine.guard(lambda: session.run(f"TRUNCATE {label} RESTART IDENTITY"))
    output.done()


# Values beside values ----------------------------------------------------------------------
def literal_text(node):
    """The text of a literal, in a CAST or not."""
    while isinstance(node, (exp.Cast, exp.Paren)):
        node = node.this
    return node.name if isinstance(node, (exp.Literal, exp.National)) and not (isinstance(node, exp.Literal) and not node.is_string) else None


def side_value(node, column):
    value = literal_text(node)
    if value is None:
        return exp.Null()
    inner = node
    while isinstance(inner, (exp.Cast, exp.Paren)):
        inner = inner.this
    inner.set("this", six_digits(value))
    try:
        return exp.HexString(this=column.type.encode(value).hex())
    except (ValueError, IndexError):
        return exp.Null()


def variant_value(node, translator):
    kind = translator.own_type(node) if isinstance(node, exp.Cast) else None
    inner = node.this if kind else node
    negative = isinstance(inner, exp.Neg)
    inner = inner.this if negative else inner
    if isinstance(inner, exp.Null) or (kind and kind.name == "sql_variant"):
        return inner
    if isinstance(inner, exp.HexString):
        data = bytes.fromhex(inner.name if len(inner.name) % 2 == 0 else "0" + inner.name)
        return hex_node(variant_make(kind or Type("varbinary", max(1, len(data))), data))
    if isinstance(inner, exp.Cast):
        return variant_value(inner, translator)
    if not isinstance(inner, (exp.Literal, exp.National)):
        raise SqlError(206, "Only literals and parameters go into sql_variant here.")
    value = ("-" if negative else "") + inner.name
    if kind is None:
        kind = guess_type(inner, value)
    if kind.name == "varbinary":
        return hex_node(variant_make(kind, value.encode()))
    return hex_node(variant_make(kind, kind.encode(value)))


def guess_type(node, value):
    if isinstance(node, exp.National):
        return Type("nvarchar", max(2, 2 * len(value)))
    if node.is_string:
        return Type("varchar", max(1, len(value)))
    if "e" in value.lower():
        return Type("float")
    if "." in value:
        return Type("numeric", precision=len(value.lstrip("-")) - 1, scale=len(value.split(".")[1]))
    return Type("int") if abs(int(value)) < 2 ** 31 else Type("numeric", precision=len(value.lstrip("-")), scale=0)


def hex_node(data):
    return exp.HexString(this=data.hex())

