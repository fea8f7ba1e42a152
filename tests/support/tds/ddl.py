"""CREATE TABLE as T-SQL writes it, taken apart without a general SQL parser.

The parts matter more than the text: identity, computed columns, defaults, collations,
keys and checks are kept in the catalog, and expressions go through the translator.
"""
from dataclasses import dataclass, field, replace

from . import text
from .script import SyntaxError102
from .types import MAX, NUMBERS, SCALED, STRINGS, UDTS, WIDE, Type

SYNONYMS = {"integer": "int", "dec": "decimal", "character": "char", "double": "float", "timestamp": "rowversion"}
KNOWN = (set(NUMBERS) | set(SCALED) | set(STRINGS) | set(UDTS)
         | {"decimal", "numeric", "date", "uniqueidentifier", "text", "ntext", "image", "xml", "sql_variant", "rowversion", "sysname"})


@dataclass
class Column:
    name: str
    type: Type = None
    collation: str = ""
    identity: tuple = None
    computed: list = None
    persisted: bool = False
    default: list = None
    default_name: str = ""
    number: int = 0


@dataclass
class Constraint:
    kind: str  # PRIMARY, UNIQUE, CHECK, FOREIGN
    name: str = ""
    columns: list = field(default_factory=list)
    expression: list = None
    target: list = None
    target_columns: list = field(default_factory=list)
    clustered: bool = None
    actions: str = ""


class Cursor:
    def __init__(self, tokens):
        self.tokens, self.pos = tokens, 0

    def peek(self, ahead=0):
        at = self.pos + ahead
        return self.tokens[at].upper if at < len(self.tokens) else ""

    def next(self):
        if self.pos >= len(self.tokens):
            raise SyntaxError102(self.tokens[-1].text if self.tokens else "")
        self.pos += 1
        return self.tokens[self.pos - 1]

    def accept(self, *words):
        if all(self.peek(n) == word for n, word in enumerate(words)):
            self.pos += len(words)
            return True
        return False

    def expect(self, word):
        if not self.accept(word):
            at = min(self.pos, len(self.tokens) - 1)
            raise SyntaxError102(self.tokens[at].text, self.tokens[at].line)

    def name(self):
        return self.next().value

    def parts(self):
        """A name of up to four parts; an empty one is ''."""
        parts = []
        while True:
            parts.append("" if self.peek() == "." else self.name())
            if not self.accept("."):
                return parts

    def group(self):
        """The tokens inside a pair of parentheses."""
        self.expect("(")
        start, depth = self.pos, 1
        while depth:
            word = self.next().upper
            depth += {"(": 1, ")": -1}.get(word, 0)
        return self.tokens[start:self.pos - 1]


def split_commas(tokens):
    parts, depth = [[]], 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.upper, 0)
        if token.text == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]


def parse_type(cursor, default_collation=text.DEFAULT):
    """A type as in DDL, CAST, DECLARE and sp_executesql's @params."""
    name = cursor.parts()[-1].lower()
    if name == "national":
        name = "n" + cursor.name().lower()
    name = SYNONYMS.get(name, name)
    if name not in KNOWN:
        raise SyntaxError102(name)
    if cursor.accept("VARYING"):
        name = "var" + name if not name.startswith("n") else "nvar" + name[1:]
    if name == "float" and cursor.peek() == "PRECISION":
        cursor.next()
    arguments = [part[0].text.lower() for part in split_commas(cursor.group())] if cursor.peek() == "(" else []
    return make_type(name, arguments, default_collation)


def make_type(name, arguments, collation=text.DEFAULT):
    if name in UDTS:
        return Type("udt", UDTS[name], udt=("master", "sys", name))
    if name == "sysname":
        return Type("nvarchar", 256, collation=collation)
    if name == "float" and arguments and int(arguments[0]) <= 24:
        return Type("real")
    if name in ("decimal", "numeric"):
        return Type(name, precision=int(arguments[0]) if arguments else 18, scale=int(arguments[1]) if len(arguments) > 1 else 0)
    if name in SCALED:
        return Type(name, scale=int(arguments[0]) if arguments else 7)
    if name in STRINGS:
        size = MAX if arguments == ["max"] else int(arguments[0]) * (2 if name in WIDE else 1) if arguments else (2 if name in WIDE else 1)
        return Type(name, size, collation=collation)
    if name == "rowversion":
        return Type(name, 8, nullable=False)
    return Type(name, MAX if name in ("text", "ntext", "image", "xml") else 0, collation=collation)


def parse_table(tokens):
    """(name parts, columns, constraints, a cursor at what follows) of a CREATE TABLE statement's tokens."""
    cursor = Cursor(tokens[2:])
    name = cursor.parts()
    columns, constraints = [], []
    for element in split_commas(cursor.group()):
        parse_element(Cursor(element), columns, constraints)
    for number, column in enumerate(columns, 1):
        column.number = number
    return name, columns, constraints, cursor


def parse_element(cursor, columns, constraints):
    word = cursor.peek()
    if word in ("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"):
        constraints.append(parse_constraint(cursor, None))
    elif word in ("INDEX", "PERIOD"):
        return
    else:
        columns.append(parse_column(cursor, constraints))


def parse_column(cursor, constraints):
    column = Column(cursor.name())
    if cursor.accept("AS"):
        column.computed = cursor.group()
        column.persisted = cursor.accept("PERSISTED")
        return column
    column.type = parse_type(cursor)
    nullable, name = column.type.name != "rowversion", ""
    while cursor.peek():
        if cursor.accept("NOT", "NULL"):
            nullable = False
        elif cursor.accept("NULL"):
            nullable = True
        elif cursor.accept("COLLATE"):
            column.collation = cursor.name()
        elif cursor.accept("IDENTITY"):
            numbers = [int("".join(t.text for t in part)) for part in split_commas(cursor.group())] if cursor.peek() == "(" else [1, 1]
            column.identity, nullable = tuple(numbers), False
        elif cursor.accept("CONSTRAINT"):
            name = cursor.name()
        elif cursor.accept("DEFAULT"):
            column.default, column.default_name, name = parse_default(cursor), name, ""
        elif cursor.peek() in ("PRIMARY", "UNIQUE", "CHECK", "REFERENCES", "FOREIGN"):
            constraint = parse_constraint(cursor, column.name)
            constraint.name, name = name, ""
            constraints.append(constraint)
            nullable = nullable and constraint.kind != "PRIMARY"
        else:
            cursor.next()  # ROWGUIDCOL, SPARSE, MASKED, ...
    collation = text.BY_NAME.get(column.collation.lower()) if column.collation else column.type.collation
    if collation is None:
        raise SyntaxError102(column.collation)
    column.type = replace(column.type, nullable=nullable, collation=collation)
    return column


def parse_default(cursor):
    start = cursor.pos
    if cursor.peek() == "(":
        cursor.group()
    else:
        if cursor.peek() in ("-", "+"):
            cursor.next()
        cursor.next()
        if cursor.peek() == "(":
            cursor.group()
    return cursor.tokens[start:cursor.pos]


def key_columns(cursor):
    return [part[0].value for part in split_commas(cursor.group())]


def parse_constraint(cursor, column):
    name = cursor.name() if cursor.accept("CONSTRAINT") else ""
    if cursor.accept("CHECK"):
        cursor.accept("NOT", "FOR", "REPLICATION")
        return Constraint("CHECK", name, expression=cursor.group())
    if cursor.peek() in ("FOREIGN", "REFERENCES"):
        own = [column]
        if cursor.accept("FOREIGN", "KEY") and cursor.peek() == "(":
            own = key_columns(cursor)
        cursor.expect("REFERENCES")
        found = Constraint("FOREIGN", name, own, target=cursor.parts())
        if cursor.peek() == "(":
            found.target_columns = key_columns(cursor)
        while cursor.accept("ON"):
            event = cursor.next().upper
            action = cursor.next().upper
            action += " " + cursor.next().upper if action in ("NO", "SET") else ""
            found.actions += f" ON {event} {action}"
        return found
    kind = cursor.next().upper
    cursor.accept("KEY")
    found = Constraint(kind, name, [column])
    if cursor.peek() in ("CLUSTERED", "NONCLUSTERED"):
        found.clustered = cursor.next().upper == "CLUSTERED"
    elif kind == "PRIMARY":
        found.clustered = True
    if cursor.peek() == "(":
        found.columns = key_columns(cursor)
    if cursor.accept("WITH"):
        cursor.group()
    if cursor.accept("ON"):
        cursor.name()
    return found
