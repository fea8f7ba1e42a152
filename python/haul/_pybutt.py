"""PyButt's classes over haul: the same arguments, the same files and manifests.

    from haul import SqlConfig, Exporter, Importer, TransactionMode

What has no meaning here (driver, fetch_size, mem_sleep, ...) is accepted; haul says so in its log.
`server` may also be the URI of any database haul knows. See docs/from-pybutt.md.
"""
from __future__ import annotations

import enum
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Union

from ._errors import Error
from ._work import Event, Result, _job, inspect as _inspect

Progress = Optional[Callable[[Event], object]]
PathLike = Union[str, "os.PathLike[str]"]

PyButtError = Error
"""What these classes raise: haul.Error, under the name PyButt's users catch."""


class TransactionMode(str, enum.Enum):
    """What an import commits as one, and tries again as one."""

    BATCH = "batch"
    """batch_size rows."""
    ROWGROUP = "rowgroup"
    """A row group of a file."""
    FILE = "file"
    """A whole file."""

    def __str__(self) -> str:
        return self.value


@dataclass
class SqlConfig:
    """How to reach the server.

    server         host, "host,port" or "host\\\\instance"; or a database's URI, which says all the rest, too
    encrypt        the whole connection; False: the login at least
    trust_cert     do not verify the server's certificate
    retries        tries again of a unit after an error that may pass
    packet_size    bytes, 512 to 32767; None: the largest
    """

    server: str
    database: Optional[str] = None
    username: Optional[str] = None
    password: Optional[str] = None
    driver: Optional[str] = None
    trusted_connection: bool = False
    trust_cert: bool = False
    encrypt: bool = True
    retries: int = 3
    packet_size: Optional[int] = None

    def __repr__(self) -> str:
        return f"SqlConfig(server={self.server!r}, database={self.database!r}, username={self.username!r})"

    def _options(self) -> Dict[str, Any]:
        asked = {"server": self.server, "database": self.database, "username": self.username, "password": self.password,
                 "driver": self.driver, "trusted_connection": self.trusted_connection or None,
                 "trust_cert": self.trust_cert or None, "retries": self.retries, "packet_size": self.packet_size}
        return asked if self.encrypt else {**asked, "encrypt": False}


class Exporter:
    """A table, view or function of a server to Parquet files with a manifest, in output_path.

    pk_column        split by ranges of this column; None: by what is best
    columns          names, None for all
    worker_count     threads; file_count: files
    rowgroup_size    rows of a row group
    parameters       "12,'fred','1989'" when the table is a function
    """

    def __init__(self, config: SqlConfig, table: str, output_path: PathLike, schema: Optional[str] = None,
                 pk_column: Optional[str] = None, columns: Optional[Sequence[str]] = None, worker_count: int = 1,
                 file_count: int = 1, rowgroup_size: int = 1_048_576, fetch_size: Optional[int] = None,
                 engine: str = "tds", manifest_filename: Optional[str] = None, parameters: Optional[str] = None,
                 mem_heartbeat: Optional[float] = None, mem_threshold: Optional[float] = None,
                 mem_sleep: Optional[float] = None, mem_max_wait: Optional[float] = None,
                 mem_cooldown: Optional[float] = None, *, progress: Progress = None, **options: Any) -> None:
        self._progress = progress
        self._asked: Dict[str, Any] = {
            **config._options(), "table": table, "table_schema": schema, "output_path": output_path, "key": pk_column,
            "columns": columns, "workers": worker_count, "files": file_count, "rowgroup_size": rowgroup_size,
            "fetch_size": fetch_size, "engine": engine, "manifest_filename": manifest_filename, "parameters": parameters,
            "mem_heartbeat": _number(mem_heartbeat), "mem_threshold": _number(mem_threshold),
            "mem_sleep": _number(mem_sleep), "mem_max_wait": _number(mem_max_wait),
            "mem_cooldown": _number(mem_cooldown), **options}

    def perform_work(self) -> Result:
        """Exports; exporting again replaces what was there. Raises PyButtError."""
        return Result(**_job(self._progress, self._asked).export_())


class Importer:
    """A manifest's files appended to a table.

    input_path               the folder; manifest_filename: in it (None: SCHEMA_TABLE_manifest.json)
    worker_count             2 or more with 2 files or more: by staging tables, which TableCombine brings in
    batch_size               rows, with TransactionMode.BATCH; None: haul's choice (100,000)
    create_cci               a clustered columnstore index on staging tables
    temp_manifest_filename   of the staging tables (None: SCHEMA_TABLE_import_manifest.json)
    combine                  bring the staging tables into the table at once
    """

    def __init__(self, config: SqlConfig, table: str, input_path: PathLike, manifest_filename: Optional[str] = None,
                 schema: Optional[str] = None, worker_count: int = 1, batch_size: Optional[int] = None,
                 transaction_mode: Union[TransactionMode, str] = TransactionMode.ROWGROUP, engine: str = "tds",
                 temp_manifest_filename: Optional[str] = None, create_cci: bool = True,
                 mem_heartbeat: Optional[float] = None, mem_threshold: Optional[float] = None,
                 mem_sleep: Optional[float] = None, mem_max_wait: Optional[float] = None,
                 mem_cooldown: Optional[float] = None, *, combine: bool = False, progress: Progress = None,
                 **options: Any) -> None:
        name = manifest_filename or f"{schema or 'dbo'}_{table}_manifest.json"
        self._progress = progress
        self._asked: Dict[str, Any] = {
            **config._options(), "table": table, "table_schema": schema, "source": Path(input_path) / name,
            "workers": worker_count, "unit_rows": batch_size, "transaction_mode": TransactionMode(transaction_mode).value,
            "engine": engine, "imported_manifest_filename": temp_manifest_filename, "cci": create_cci,
            "combine_after": combine or None, "mem_heartbeat": _number(mem_heartbeat),
            "mem_threshold": _number(mem_threshold), "mem_sleep": _number(mem_sleep),
            "mem_max_wait": _number(mem_max_wait), "mem_cooldown": _number(mem_cooldown), **options}

    def perform_work(self) -> Result:
        """Imports; an import that died is continued by the same call. Raises PyButtError."""
        return Result(**_job(self._progress, self._asked).import_())


class TableCombine:
    """Staging tables ("schema.table") into the table, columns matched by name.

    Staging tables of an import go in once, however often this is called, and are dropped when their rows are
    in; other tables are left as they are.
    """

    def __init__(self, config: SqlConfig, table: str, sources: Iterable[str], schema: Optional[str] = None,
                 transaction_mode: Union[TransactionMode, str] = TransactionMode.BATCH, engine: str = "tds", *,
                 progress: Progress = None, **options: Any) -> None:
        TransactionMode(transaction_mode)
        self._progress = progress
        self._asked: Dict[str, Any] = {**config._options(), "table": table, "table_schema": schema, "engine": engine,
                                       "tables": "\n".join(sources), **options}

    def combine(self) -> Result:
        """Combines. Raises PyButtError."""
        return Result(**_job(self._progress, self._asked).combine())


def combine_parquet_files(manifest_path: PathLike, output_file: PathLike, rowgroup_size: Optional[int] = None,
                          delete_originals: bool = False, new_manifest_name: Optional[str] = None) -> Path:
    """The files of a manifest as one file; without rowgroup_size their row groups are copied byte for byte.

    A manifest for it is written (STEM_combined.json). delete_originals: then the files and the manifest go.
    Returns the file's path. Raises PyButtError.
    """
    output, asked = Path(output_file), {"source": manifest_path, "output_file": output_file, "rowgroup_size": rowgroup_size,
                                        "combined_manifest_filename": new_manifest_name}
    output.parent.mkdir(parents=True, exist_ok=True)
    _job(None, asked).combine()
    if delete_originals:
        _job(None, {"source": manifest_path}).purge()
    return output


def inspect_manifest(manifest_path: PathLike, verbose: bool = False) -> List[Dict[str, Any]]:
    """Prints rows, row groups and, verbose, the columns of a manifest's files (the names of its tables); returns what it printed."""
    said, files = _inspect(manifest_path), []
    for name in said.get("tables", ()):
        print(f"table {name}")
        files.append({"table": name})
    for one in said["files"]:
        groups = [group["rows"] for group in one["row_groups"]]
        info: Dict[str, Any] = {"file": Path(one["file"]).name, "rows": one["rows"], "row_groups": len(groups),
                                "row_group_sizes": set(groups)}
        print(f"{info['file']}\n  rows: {info['rows']}\n  row groups: {info['row_groups']}\n"
              f"  group sizes: {info['row_group_sizes']}")
        if verbose:
            info["columns"] = {column["name"]: column["type"] for column in one["columns"]}
            print("  columns:", *(f"    {name}: {kind}" for name, kind in info["columns"].items()), sep="\n")
        print()
        files.append(info)
    return files


def _number(value: Optional[float]) -> Optional[str]:
    return None if value is None else format(value, "g")
