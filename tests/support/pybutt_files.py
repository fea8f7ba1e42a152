"""PyButt 2.0's own code for manifests and files, from its wheel: argv is the wheel, then
what to do. The drivers it imports at its top are stood in for by empty modules; nothing
here reaches a server."""
import json
import sys
import types
from pathlib import Path


class Process:
    """Of psutil: PyButt logs its memory."""

    def memory_info(self):
        return types.SimpleNamespace(rss=0)


for name in ("pyodbc", "mssql_python", "duckdb", "psutil"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["psutil"].Process = Process
wheel, command, *rest = sys.argv[1:]
sys.path.insert(0, wheel)

from pybutt.files import combine_parquet_files, inspect_manifest  # noqa: E402
from pybutt.files.manifest import load_manifest, validate_manifest_entries, write_manifest  # noqa: E402

if command == "load":
    loaded = load_manifest(rest[0])
    print(json.dumps([loaded, validate_manifest_entries(loaded, Path(rest[0]).parent)]))
elif command == "combine":
    combine_parquet_files(Path(rest[0]), Path(rest[1]))
elif command == "inspect":
    inspect_manifest(rest[0], True)
elif command == "write":
    write_manifest(rest[0], rest[2:], rest[1])
