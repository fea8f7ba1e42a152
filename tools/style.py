#!/usr/bin/env python3
"""Checks the house rules that a machine can check: which room may include which,
file and function sizes, parameter counts, exported symbols, no path of a machine.

Run without arguments from the project's root; prints each breach and exits 1.
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE_LINES = 800
FUNCTION_LINES = 70
PARAMETERS = 5

# room -> (rooms it may include, libraries it may include)
ROOMS = {
    "base": ({"base"}, {"openssl", "gssapi", "iconv.h"}),
    "batch": ({"batch", "base"}, {"xxhash.h"}),
    "store": ({"store", "base"}, set()),
    "format": ({"format", "store", "batch", "base"},
               {"zstd.h", "snappy-c.h", "lz4.h", "zlib.h", "libdeflate.h", "brotli", "expat.h", "xxhash.h", "iconv.h"}),
    "database": ({"database", "batch", "base"}, {"sqlite3.h", "libpq-fe.h", "mysql.h", "errmsg.h"}),
    "transfer": ({"transfer", "store", "batch", "base"}, {"jansson.h"}),
}
LIBRARY = {"openssl", "gssapi", "iconv.h", "xxhash.h", "zstd.h", "snappy-c.h", "lz4.h", "zlib.h", "libdeflate.h",
           "brotli", "expat.h", "sqlite3.h", "libpq-fe.h", "mysql.h", "errmsg.h", "jansson.h"}
# A file's opener needs all it is handed.
SIX = {"file_source_open"}
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


def breaches_of_includes(path: Path, text: str):
    parts = path.relative_to(ROOT).parts
    room = parts[1] if parts[0] == "src" and len(parts) > 2 else None
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quoted, name = match.group(1) == '"', match.group(2)
        head = name.split("/")[0]
        where = f"{path.relative_to(ROOT)}:{number}"
        if parts[0] == "cli" and quoted and name not in ("haul.h", "cli.h", "bcp.h"):
            yield f"{where}: cli sees only haul.h, not {name}"
        if room is None:
            continue
        rooms, libraries = ROOMS[room]
        if quoted and name != "haul.h":
            if "/" not in name:
                yield f"{where}: an include path starts at src/: {name}"
            elif head not in rooms:
                yield f"{where}: {room} may not include {name}"
            elif room in ("format", "database") and len(parts) > 3 and head == room:
                inner = name.split("/")
                if len(inner) > 2 and inner[1] != parts[2]:
                    yield f"{where}: one {room} may not include another: {name}"
            elif room == "database" and head == room and name.count("/") > 1:
                yield f"{where}: what all databases share may not include one of them: {name}"
        if not quoted and head in LIBRARY and head not in libraries:
            yield f"{where}: {room} may not use {name}"


def functions(lines):
    """(first line of the signature, opening line, closing line), 1-based."""
    for start, line in enumerate(lines):
        if line != "{":
            continue
        first = start
        while first > 0 and lines[first - 1].strip() and not lines[first - 1].startswith(("#", "/*", " *", "}")):
            first -= 1
        for end in range(start + 1, len(lines)):
            if lines[end].startswith("}"):
                yield first, start, end
                break


def breaches_of_size(path: Path, text: str):
    lines = text.splitlines()
    name = path.relative_to(ROOT)
    if len(lines) > FILE_LINES:
        yield f"{name}: {len(lines)} lines, at most {FILE_LINES}"
    if not lines or not lines[0].startswith(("/*", "//")):
        yield f"{name}:1: a file opens with its story"
    for first, start, end in functions(lines):
        signature = " ".join(lines[first:start])
        if "(" not in signature:
            continue
        if end - start - 1 > FUNCTION_LINES:
            yield f"{name}:{first + 1}: a function of {end - start - 1} lines, at most {FUNCTION_LINES}"
        inside = signature[signature.index("(") + 1:signature.rindex(")")]
        # `err` last is the house's convention and not counted; neither is a callback's user pointer.
        depth, count = 0, 1
        for char in inside:
            depth += (char == "(") - (char == ")")
            count += char == "," and depth == 0
        if "struct haul_error *err" in inside:
            count -= 1
        if count > PARAMETERS + (signature.split("(")[0].split()[-1] in SIX):
            yield f"{name}:{first + 1}: {count} parameters, at most {PARAMETERS} beside err"


def breaches_of_paths(path: Path, text: str):
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"/work/|/root/|/home/\w+/", line):
            yield f"{path.relative_to(ROOT)}:{number}: a path of one machine"


def breaches_of_symbols():
    library = ROOT / "build" / "src" / "libhaul.so"
    if not library.exists():
        return
    listing = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True).stdout
    for line in listing.splitlines():
        symbol = line.split()[-1].split("@")[0]
        if not symbol.startswith("haul_"):
            yield f"libhaul.so exports {symbol}"


def main() -> int:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    found = []
    for name in tracked:
        path = ROOT / name
        if path.suffix in (".c", ".h") and path.exists() and name.startswith(("src/", "cli/", "include/", "python/")):
            text = path.read_text()
            found += breaches_of_includes(path, text)
            found += breaches_of_size(path, text)
        if path.suffix in (".c", ".h", ".py", ".md", ".sh", ".build", "") and path.is_file() and name != "tools/style.py":
            found += breaches_of_paths(path, path.read_text(errors="replace"))
    found += breaches_of_symbols()
    for line in found:
        print(line)
    print(f"style: {len(found)} breaches in {len(tracked)} files")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
