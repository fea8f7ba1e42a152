"""The program called bcp, as its user runs it; tables for it."""
import os
import subprocess

from conftest import HAUL


class Bcp:
    """bcp("dbo.t", "out", "x.dat", "-c"): the program called bcp, logged in; .out, .err, .code."""

    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        os.symlink(HAUL, folder / "bcp")
        self.login = ["-S", f"127.0.0.1,{server.port}", "-U", "sa", f"-P{server.users['sa']}"]

    def __call__(self, *words, code=0, login=True, stdin=None):
        done = subprocess.run([self.folder / "bcp", *map(str, words), *(self.login if login else [])], cwd=self.folder, capture_output=True,
                              text=True, input=stdin, timeout=120)
        assert code is None or done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        done.out, done.err = done.stdout, done.stderr
        return done

    def read(self, name):
        return (self.folder / name).read_bytes()


def fresh(server, table, columns, rows=()):
    server.ask(f"IF OBJECT_ID('dbo.{table}') IS NOT NULL DROP TABLE dbo.{table}", f"CREATE TABLE dbo.{table} {columns}")
    for row in rows:
        values = ", ".join("NULL" if v is None else str(v) if isinstance(v, int) else "N'" + v.replace("'", "''") + "'" for v in row)
        server.ask(f"INSERT INTO dbo.{table} VALUES ({values})")


def rows_of(server, table, order="1"):
    return server.ask(f"SELECT * FROM dbo.{table} ORDER BY {order}")
