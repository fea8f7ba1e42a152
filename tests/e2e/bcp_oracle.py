"""A second reader of bcp's text files, and AdventureWorks as its tables.json tells it.

    for table in tables(): table.name, table.path, table.columns, table.rows()

Nothing of haul is used: fields are split by Python, values made by decimal, datetime
and uuid.
"""
import datetime
import decimal
import json
import re
import uuid

import pyarrow as pa

HEX = {"varbinary", "hierarchyid", "geography"}
XML_TYPES = {"int": "SQLINT", "smallint": "SQLSMALLINT", "tinyint": "SQLTINYINT", "bit": "SQLBIT", "money": "SQLMONEY",
             "smallmoney": "SQLMONEY4", "datetime": "SQLDATETIME", "date": "SQLDATE", "time": "SQLTIME",
             "uniqueidentifier": "SQLUNIQUEID", "decimal": "SQLDECIMAL", "numeric": "SQLNUMERIC", "xml": "SQLXML",
             "nvarchar": "SQLNVARCHAR", "sysname": "SQLNVARCHAR", "nchar": "SQLNCHAR", "varchar": "SQLVARYCHAR",
             "varbinary": "SQLVARYBIN", "hierarchyid": "SQLUDT", "geography": "SQLUDT"}
COMPUTED = {"Customer.AccountNumber": "varchar(10)", "Document.DocumentLevel": "smallint", "Employee.OrganizationLevel": "smallint",
            "PurchaseOrderDetail.LineTotal": "money", "PurchaseOrderDetail.StockedQty": "decimal(9, 2)", "PurchaseOrderHeader.TotalDue": "money"}
HEAD = ('<?xml version="1.0"?>\n<BCPFORMAT xmlns="http://schemas.microsoft.com/sqlserver/2004/bulkload/format" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">')


class Table:
    def __init__(self, name, about, folder):
        self.name, self.about = name, about
        load = about["bulk_insert"]
        self.path = folder / load["file"]
        self.field_end = load["fieldterminator"].encode().decode("unicode_escape").encode()
        self.columns = []
        for column in about["columns"]:
            kind = column.get("type") or COMPUTED[f"{name.split('.')[1]}.{column['name']}"]
            self.columns.append((column["name"], kind.split("(")[0], re.findall(r"\d+", kind)))
        row_end = load["rowterminator"]
        row_end = bytes.fromhex(row_end[2:]) if row_end.startswith("0x") else row_end.encode().decode("unicode_escape").encode()
        # BULK INSERT reads \n as \r\n when the file has that.
        data = self.path.read_bytes()
        self.row_end = row_end.replace(b"\n", b"\r\n") if load["rowterminator"] != "0x0a" and data.endswith(b"\r\n") else row_end
        self.data = data

    def __repr__(self):
        return self.name

    def fields(self):
        """Rows of raw fields: each one ends at its own terminator, whatever stands in it."""
        ends, at = [self.field_end] * (len(self.columns) - 1) + [self.row_end], 0
        while at < len(self.data):
            row = []
            for end in ends:
                stop = self.data.index(end, at)
                row.append(self.data[at:stop])
                at = stop + len(end)
            yield row

    def rows(self):
        for row in self.fields():
            yield {name: value(kind, raw) for (name, kind, _), raw in zip(self.columns, row)}


def value(kind, raw):
    if raw == b"":
        return None
    text = "" if raw == b"\0" else raw.decode()
    if kind in HEX:
        return bytes.fromhex(text)
    if kind in ("int", "smallint", "tinyint"):
        return int(text)
    if kind == "bit":
        return {"0": False, "1": True}[text]
    if kind in ("money", "smallmoney", "decimal", "numeric"):
        return decimal.Decimal(text)
    if kind == "datetime":
        return datetime.datetime.fromisoformat(text)
    if kind == "date":
        return datetime.date.fromisoformat(text[:10])
    if kind == "time":
        return datetime.time.fromisoformat(text[:15])
    if kind == "uniqueidentifier":
        return uuid.UUID(text).bytes
    return text


def escape(end):
    return "".join({"\t": "\\t", "\n": "\\n", "\r": "\\r"}.get(c, c) for c in end.decode())


def attribute(text):
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


def xml_format(table):
    """The XML format file of a table's file, with the types of its columns."""
    lines = [HEAD, " <RECORD>"]
    last = len(table.columns)
    for i in range(1, last + 1):
        end = attribute(escape(table.row_end if i == last else table.field_end))
        lines.append(f'  <FIELD ID="{i}" xsi:type="CharTerm" TERMINATOR="{end}"/>')
    lines += [" </RECORD>", " <ROW>"]
    for i, (name, kind, args) in enumerate(table.columns, 1):
        more = ""
        if kind in ("decimal", "numeric"):
            more = f' PRECISION="{args[0]}" SCALE="{args[1] if len(args) > 1 else 0}"'
        if kind == "time":
            more = f' SCALE="{args[0] if args else 7}"'
        lines.append(f'  <COLUMN SOURCE="{i}" NAME="{name}" xsi:type="{XML_TYPES[kind]}"{more}/>')
    return "\n".join([*lines, " </ROW>", "</BCPFORMAT>", ""])


def tables(folder):
    about = json.loads((folder / "tables.json").read_text())
    for name, table in sorted(about.items()):
        if "bulk_insert" in table and (folder / table["bulk_insert"]["file"]).exists():
            yield Table(name, table, folder)


def plain(arrow):
    """A pyarrow table's rows as Python values, identifiers as bytes."""
    storage = [column.cast(column.type.storage_type) if isinstance(column.type, pa.BaseExtensionType) else column for column in arrow.columns]
    return pa.table(storage, names=arrow.column_names).to_pylist()
