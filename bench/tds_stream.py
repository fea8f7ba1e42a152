"""The prepared streams of the SQL Server benchmark: COLMETADATA and rows, as a server sends them.

    tds_stream.py varchar|nvarchar|mixed CSV ROWS OUT [PART PARTS]

varchar and nvarchar are TPC-H lineitem (int, decimal(15,2), date, text that is sized);
mixed is a made table of 44 columns with one NULL in ten: four each of eleven types.
"""
import csv
import datetime
import random
import struct
import sys
import uuid
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))
from tds import tokens  # noqa: E402
from tds.types import Type  # noqa: E402

LINEITEM = [("l_orderkey", "int"), ("l_partkey", "int"), ("l_suppkey", "int"), ("l_linenumber", "int"), ("l_quantity", "decimal(15,2)"), ("l_extendedprice", "decimal(15,2)"),
            ("l_discount", "decimal(15,2)"), ("l_tax", "decimal(15,2)"), ("l_returnflag", "varchar(1)"), ("l_linestatus", "varchar(1)"), ("l_shipdate", "date"), ("l_commitdate", "date"),
            ("l_receiptdate", "date"), ("l_shipinstruct", "varchar(25)"), ("l_shipmode", "varchar(10)"), ("l_comment", "varchar(44)")]
MIXED = [(f"c{n:02}_{kind.split('(')[0]}", kind) for n, kind in enumerate(
    4 * ["int", "bigint", "smallint", "bit", "float", "decimal(18,4)", "money", "datetime2(6)", "varchar(40)", "nvarchar(30)", "uniqueidentifier"])]
DAYS, POOL = {}, 20011


def ddl(kind):
    """The columns as CREATE TABLE has them."""
    columns = MIXED if kind == "mixed" else [(name, t.replace("varchar", kind)) for name, t in LINEITEM]
    return ", ".join(f"{name} {t} {'NULL' if kind == 'mixed' else 'NOT NULL'}" for name, t in columns)


def type_of(text, nullable):
    name, _, rest = text.partition("(")
    numbers = [int(n) for n in rest.rstrip(")").split(",")] if rest else []
    if name == "decimal":
        return Type(name, precision=numbers[0], scale=numbers[1], nullable=nullable)
    if name == "datetime2":
        return Type(name, scale=numbers[0])
    return Type(name, numbers[0] * (2 if name == "nvarchar" else 1) if numbers else 0, nullable=nullable)


def day(text):
    if text not in DAYS:
        DAYS[text] = b"\3" + (datetime.date.fromisoformat(text).toordinal() - 1).to_bytes(3, "little")
    return DAYS[text]


def lineitem(kind, path, rows):
    """Row tokens of the first rows of lineitem.csv."""
    encoding = "utf-16-le" if kind == "nvarchar" else "cp1252"
    pack, short = struct.Struct("<iiii").pack, struct.Struct("<H").pack

    def amount(text):
        return b"\x09\1" + int(text.replace(".", "") if "." in text else text + "00").to_bytes(8, "little")

    def words(text):
        data = text.encode(encoding)
        return short(len(data)) + data

    with open(path, newline="") as file:
        reader = csv.reader(file)
        next(reader)
        for row in islice(reader, rows):
            money = [text if text[-3:-2] == "." else text + "0" if "." in text else text for text in row[4:8]]
            yield b"\xd1" + pack(*map(int, row[:4])) + b"".join(map(amount, money)) + words(row[8]) + words(row[9]) + b"".join(map(day, row[10:13])) + b"".join(map(words, row[13:16]))


def mixed(rows):
    rng, kinds = random.Random(7), [type_of(t, True) for _, t in MIXED]
    text = ["naïve text of some length", "short", "", "a string of thirty-odd characters"]
    makers = {"int": lambda: rng.randrange(-2 ** 31, 2 ** 31), "bigint": lambda: rng.randrange(-2 ** 63, 2 ** 63), "smallint": lambda: rng.randrange(-999, 999), "bit": lambda: rng.randrange(2),
              "float": rng.random, "decimal": lambda: f"{rng.randrange(10 ** 9)}.{rng.randrange(10000):04}", "money": lambda: f"{rng.randrange(10 ** 7)}.25",
              "datetime2": lambda: f"20{rng.randrange(10, 30)}-0{rng.randrange(1, 10)}-1{rng.randrange(10)} 12:34:56.{rng.randrange(10 ** 6):06}", "varchar": lambda: rng.choice(text),
              "nvarchar": lambda: rng.choice(text)[:30], "uniqueidentifier": lambda: uuid.UUID(int=rng.getrandbits(128))}
    pool = [[kind.frame(None if rng.random() < 0.1 else kind.encode(makers[kind.name]())) for _ in range(POOL)] for kind in kinds]
    for number in range(rows):
        yield b"\xd1" + b"".join(cells[(number * 31 + 7 * column) % POOL] for column, cells in enumerate(pool))


def main():
    kind, path, rows, out = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    part, parts = map(int, sys.argv[5:7] or (0, 1))
    columns = MIXED if kind == "mixed" else [(name, t.replace("varchar", kind)) for name, t in LINEITEM]
    described = [(name, type_of(t, kind == "mixed"), 0x09 if kind == "mixed" else 0x08) for name, t in columns]
    with open(out + ".tmp", "wb") as file:
        file.write(tokens.column_metadata(described))
        for row in islice(mixed(rows) if kind == "mixed" else lineitem(kind, path, rows), part, None, parts):
            file.write(row)
    Path(out + ".tmp").rename(out)


if __name__ == "__main__":
    main()
