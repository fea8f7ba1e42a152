"""The calls: options become a job, the job is run, its answer takes a shape."""
from __future__ import annotations

import json
import logging
import os
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Union

from . import _haul

Name = Union[str, "os.PathLike[str]"]
Option = Union[None, bool, int, str, "os.PathLike[str]", Sequence[str], Mapping[str, str]]

_log = logging.getLogger("haul")
_options = _haul.options()


class Event(NamedTuple):
    """One step of a run, given to `progress`; about five a second while rows flow."""

    kind: str
    """"start", "note", "warning", "progress" or "finish"."""
    run: Optional[str]
    """The run's name."""
    table: Optional[str]
    """What is being moved."""
    message: Optional[str]
    """One line; None for "progress"."""
    waiting: Optional[str]
    """Where time goes now: "source", "encode", "sink" or ""."""
    rows: int
    """Rows committed or on their way."""
    rows_expected: int
    """-1 when unknown."""
    bytes_read: int
    bytes_written: int
    seconds: float
    """Since the run began."""


class Result(NamedTuple):
    """What a copy did."""

    rows: int
    """Rows the target confirmed, those of an earlier attempt included."""
    rows_resumed: int
    """Of these, found committed already."""
    rejects: int
    """Rows set aside (max_errors)."""
    losses: int
    """Values that lost something, all columns."""
    bytes_read: int
    bytes_written: int
    seconds: float
    already_complete: bool
    """A run of this name was finished before; nothing was done."""
    hash: str
    """128 bits in hex over all rows, in any order; "" when no values were seen (combine)."""
    run: str
    """The run's name."""


class Table(NamedTuple):
    """A table of a database, or a file."""

    schema: Optional[str]
    name: str
    kind: str
    """"table", "view" or "file"."""
    rows: int
    """-1 when unknown."""
    rows_exact: bool
    bytes: int
    """-1 when unknown."""


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if any(c in name for c in ', "') else name


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int)):
        return str(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return ",".join(f"{_quoted(k)}:{v}" for k, v in value.items())
    if isinstance(value, (list, tuple)) and name in ("source", "source-table"):
        return "\n".join(os.fspath(v) for v in value)
    if isinstance(value, (list, tuple)):
        return ",".join(_quoted(v) for v in value)
    raise TypeError(f"{name}: {type(value).__name__} is no value of an option; give text, a number, True or False")


def _name_of(keyword: str) -> str:
    """rowgroup_size -> rowgroup-size; a trailing underscore is for Python's own words (from_)."""
    return keyword.rstrip("_").replace("_", "-")


def _event_fn(progress: Optional[Callable[[Event], object]]) -> Callable[..., None]:
    def tell(*fields: Any) -> None:
        event = Event._make(fields)
        if event.kind == "warning":
            _log.warning("%s", event.message)
        elif event.kind in ("note", "start"):
            _log.info("%s", event.message)
        if progress is not None:
            progress(event)

    return tell


def _job(progress: Optional[Callable[[Event], object]], values: Mapping[str, Any]) -> _haul.Job:
    job = _haul.Job()
    job.on_event(_event_fn(progress))
    for keyword, value in values.items():
        if value is not None:
            name = _name_of(keyword)
            job.set(name, _text(name, value))
    return job


def _no_dry_run(options: Mapping[str, Any]) -> None:
    if options.get("dry_run"):
        raise TypeError("dry_run: haul.plan(source, target, ...) says what would be done")


def copy(source: Union[Name, Sequence[Name]], target: Name, *, progress: Optional[Callable[[Event], object]] = None,
         **options: Option) -> Result:
    """Moves a table, a query's rows or files to a target, exactly.

    source, target   a file, a pattern, a folder ("out/"), or a database ("postgresql://user@host/db");
                     the source may also be a list of files
    options          those of `haul copy`, with _ for -: table, mode, columns (a list), where, query,
                     workers, memory ("256MiB"), rowgroup_size, compression, run, ...; from_ and to
    progress         called in this thread with each Event; an exception in it stops the run

    Ctrl-C stops the run cleanly: units in flight are rolled back, and the same call goes on where it
    stopped. Warnings go to the logger "haul". Raises haul.Error.

    >>> haul.copy("postgresql://me@host/shop", "orders.parquet", table="orders", workers=4).rows
    6001215
    """
    _no_dry_run(options)
    job = _job(progress, {"source": source, "target": target, **options})
    return Result(**job.copy())


def combine(sources: Union[Name, Sequence[Name]], target: Name, *,
            progress: Optional[Callable[[Event], object]] = None, **options: Option) -> Result:
    """Puts Parquet files together in one without decoding them: row groups are copied as they are.

    With rowgroup_size they are regrouped instead. Rows, row groups and statistics are kept; the result
    has no hash, because nobody saw the values.
    """
    _no_dry_run(options)
    asks = {"source": sources, "target": target, **options}
    if options.get("rowgroup_size") is None:
        asks["combine"] = True
    return Result(**_job(progress, asks).copy())


def plan(source: Union[Name, Sequence[Name]], target: Name, **options: Option) -> Dict[str, Any]:
    """What copy would do, without doing it: parts, columns with what they may lose, SQL, workers, memory.

    The keys are those of docs/json.md ("plan").
    """
    return json.loads(_job(None, {"source": source, "target": target, **options, "json": True}).plan())


def verify(source: Union[Name, Sequence[Name]], target: Name, *,
           progress: Optional[Callable[[Event], object]] = None, **options: Option) -> Dict[str, Any]:
    """Reads both sides again and compares their values.

    Returns {"equal": True, "source": {"rows", "hash", ...}, "target": {...}, "differs": []}. When they
    differ: haul.Error of code "integrity", whose `report` is that object as JSON text.
    """
    return json.loads(_job(progress, {"source": source, "target": target, **options, "json": True}).verify())


def inspect(source: Name, **options: Option) -> Dict[str, Any]:
    """What is inside a file: rows, row groups, columns with types, encodings, sizes and statistics.

    head=N adds the first N rows. Sizes are in bytes. The keys are those of docs/json.md ("inspect").
    """
    return json.loads(_job(None, {"source": source, **options, "json": True}).inspect())


def purge(manifest: Name, *, dry_run: bool = False, **options: Option) -> Dict[str, Any]:
    """Removes the files (or, with server and database, the staging tables) that a manifest lists, and the manifest.

    Nothing outside the manifest's folder or schema is touched. Returns {"removed": [...], "missing": [...], ...};
    with dry_run that is what would be done.
    """
    return json.loads(_job(None, {"source": manifest, "dry_run": dry_run, **options, "json": True}).purge())


def tables(source: Name, **options: Option) -> List[Table]:
    """The tables of a database, or the files of a folder or pattern."""
    return [Table._make(one) for one in _job(None, {"source": source, **options}).list()]


class Reader:
    """Rows as an Arrow stream: hand it to pyarrow, Polars, DuckDB or pandas.

    Each taker gets a stream of its own, from the first row; what standard input gives comes once.
    Nothing is read before somebody pulls, and at most a batch (65,536 rows) is held at a time.
    """

    def __init__(self, job: _haul.Job) -> None:
        self._job = job
        self._first: Optional[object] = job.read()  # opened at once: errors come where they were made

    def __arrow_c_stream__(self, requested_schema: Optional[object] = None) -> object:
        """A capsule "arrow_array_stream"; requested_schema is not followed, as the protocol allows."""
        stream, self._first = self._first, None
        return stream if stream is not None else self._job.read()


def read(source: Union[Name, Sequence[Name]], **options: Option) -> Reader:
    """Opens a file, several, or a table as an Arrow stream, without a copy of its values.

    options: table, query, columns, where, schema, memory, ... as of copy. Rows come in source order.

    >>> pyarrow.table(haul.read("orders.csv"))
    >>> polars.DataFrame(haul.read("sqlite:///shop.db", table="orders"))
    >>> orders = haul.read("orders.parquet"); duckdb.sql("SELECT count(*) FROM orders")
    """
    return Reader(_job(None, {"source": source, **options}))


def write(data: Any, target: Name, *, progress: Optional[Callable[[Event], object]] = None,
          **options: Option) -> Result:
    """Moves Arrow data to a target: anything with __arrow_c_stream__.

    data      a pyarrow Table or RecordBatchReader, a Polars or pandas DataFrame, a DuckDB relation, a Reader
    target    as of copy; table names the table when it is a database

    A stream comes once: a run that dies is begun again by the caller. Within the call a unit that fails
    for a passing reason is retried.
    """
    _no_dry_run(options)
    if not hasattr(data, "__arrow_c_stream__"):
        raise TypeError(f"{type(data).__name__} has no __arrow_c_stream__: give a pyarrow Table, a Polars or pandas "
                        "DataFrame, a DuckDB relation, or what haul.read returns")
    job = _job(progress, {"target": target, **options})
    return Result(**job.write(data.__arrow_c_stream__()))
