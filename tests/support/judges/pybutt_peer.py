"""PyButt 2.0.1 at the test server: its own Exporter and Importer, with one connection replaced.

    python pybutt_peer.py export|import HOST,PORT TABLE FOLDER ENGINE WORKERS FILES

Run by a Python with the `pybutt` package (3.12 or newer). PyButt asks for row counts and
column names by DuckDB's odbc_scanner extension, which it downloads when it starts; where
that cannot be had, those two questions go over the connection of the chosen engine
(mssql-python or pyodbc) instead. Rows go the way they always go in it. PYBUTT_ENCRYPT=no
turns encryption off; the user is sa, the password is in SQLCMDPASSWORD.
"""
import os
import re
import sys

from pybutt.core.base import SqlServerIOBase
from pybutt.core.config import SqlConfig
from pybutt.io.exporter import Exporter
from pybutt.io.importer import Importer


class Questions:
    """What PyButt expects of DuckDB here: execute() of one odbc_query, rows."""

    def __init__(self, connection):
        self.connection = connection

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def execute(self, text):
        query = re.search(r"\$\$(.*)\$\$", text, re.S).group(1)
        cursor = self.connection.cursor()
        cursor.execute(query)
        return cursor


def ask_by_engine(self):
    return Questions(self.connection_p(autocommit=True) if self.engine == "pyodbc" else self.connection_m(autocommit=True))


def plain_parts(self, **more):
    """Without encryption it says nothing of it, which the drivers take for yes."""
    return [*connection_parts(self, **more), *([] if self.config.encrypt else ["Encrypt=No"])]


# Here, so that its worker processes have it too.
connection_parts = SqlServerIOBase._connection_parts
SqlServerIOBase.connection_d, SqlServerIOBase._connection_parts = ask_by_engine, plain_parts


def main():
    way, server, table, folder, engine, workers, files = sys.argv[1:8]
    config = SqlConfig(server=server, database="master", username="sa", password=os.environ["SQLCMDPASSWORD"], driver=os.environ.get("PYBUTT_DRIVER", "FreeTDS"), trust_cert=True,
                       encrypt=os.environ.get("PYBUTT_ENCRYPT") != "no")
    if way == "export":
        job = Exporter(config, table, folder, worker_count=int(workers), file_count=int(files), engine=engine)
        job.partition_meta()
    else:
        job = Importer(config, table, folder, f"dbo_{os.environ.get('PYBUTT_SOURCE', table)}_manifest.json", worker_count=int(workers), engine=engine)
    job.perform_work()


if __name__ == "__main__":
    main()
