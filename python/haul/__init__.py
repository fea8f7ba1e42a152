"""haul moves tables between databases and files, in bulk, exactly.

    import haul
    haul.copy("orders.csv", "orders.parquet")
    haul.copy("postgresql://me@host/shop", "out/", table="orders", files=8, workers=4)
    frame = polars.DataFrame(haul.read("sqlite:///shop.db", table="orders"))
    haul.write(frame, "postgresql://me@host/shop", table="orders_copy")

One extension module that holds libhaul, and no dependency. See docs/python.md.
"""
from . import _haul
from ._errors import Error
from ._pybutt import (Exporter, Importer, PyButtError, SqlConfig, TableCombine, TransactionMode, combine_parquet_files,
                      inspect_manifest)
from ._work import Event, Reader, Result, Table, combine, copy, inspect, plan, purge, read, verify, write
from ._work import tables as list  # the word of the command

__version__: str = _haul.version
features = _haul.features

__all__ = ["Error", "Event", "Reader", "Result", "Table", "combine", "copy", "features", "inspect", "list", "plan", "purge", "read",
           "verify", "write", "__version__",
           "Exporter", "Importer", "PyButtError", "SqlConfig", "TableCombine", "TransactionMode", "combine_parquet_files",
           "inspect_manifest"]
