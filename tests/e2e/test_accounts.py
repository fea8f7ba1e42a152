"""The grants of docs/operations.md, exactly: each path runs under an account that has these and no more."""
import os
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import HAUL
from engines import ROWS, engine
from servers import PASSWORD


@pytest.fixture
def run(tmp_path):
    pq.write_table(pa.table({"id": pa.array(range(ROWS), pa.int32()), "name": [f"name {i} é" for i in range(ROWS)],
                             "price": [i / 4 for i in range(ROWS)]}), tmp_path / "orders.parquet", row_group_size=500)

    def call(*words, code=0):
        done = subprocess.run([HAUL, *map(str, words)], cwd=tmp_path, capture_output=True, text=True, timeout=120,
                              env={**os.environ, "PGPASSWORD": PASSWORD, "MYSQL_PWD": PASSWORD})
        assert done.returncode == code, (done.returncode, done.stderr)
        return done

    return call


class Account:
    """`least`, with nothing but what a test grants."""

    def __init__(self, name, request):
        self.sql = engine(name, request)
        self.postgres = name == "postgres"
        if self.postgres:
            self.sql.sql("REVOKE ALL ON SCHEMA public FROM PUBLIC; REVOKE CONNECT ON DATABASE shop FROM PUBLIC")
            self.sql.server.psql(f"CREATE ROLE least LOGIN PASSWORD '{PASSWORD}'", check=False)
            self.sql.sql("CREATE SCHEMA etl")
        else:
            root = self.sql.server.root
            root("DROP DATABASE IF EXISTS etl; CREATE DATABASE etl; DROP USER IF EXISTS least@'127.0.0.1', least@'localhost'")
            for host in ("127.0.0.1", "localhost"):
                root(f"CREATE USER least@'{host}' IDENTIFIED BY '{PASSWORD}'")
        self.sql.sql(self.sql.MAKE.format("o"))

    def grant(self, *grants):
        for grant in grants:
            if self.postgres:
                self.sql.sql(f"GRANT {grant} TO least")
            else:
                for host in ("127.0.0.1", "localhost"):
                    self.sql.server.root(f"GRANT {grant} TO least@'{host}'")

    def fill(self):
        digits = " UNION ALL ".join(f"SELECT {i} AS d" for i in range(10))
        self.sql.sql(f"INSERT INTO o SELECT a.d + 10 * b.d, 'x', 1 FROM ({digits}) a, ({digits}) b")

    def uri(self):
        return self.sql.uri("least")


@pytest.fixture(params=["postgres", "mariadb", "mysql8"])
def account(request):
    made = Account(request.param, request)
    yield made
    if made.postgres:
        made.sql.sql("DROP OWNED BY least CASCADE")
        made.sql.server.psql("DROP ROLE least")


CONNECT = ["CONNECT ON DATABASE shop", "USAGE ON SCHEMA public"]


def test_reading(account, run, tmp_path):
    account.fill()
    account.grant(*([*CONNECT, "SELECT ON o"] if account.postgres else ["SELECT ON shop.o"]))
    run("copy", account.uri(), "a.parquet", "--table", "o", "--workers", "1")
    said = run("copy", account.uri(), "b.parquet", "--table", "o", "--workers", "2", "--rowgroup-size", "30").stderr
    assert ("LOCK TABLES" in said) == (not account.postgres)
    if not account.postgres:
        account.grant("LOCK TABLES ON shop.*")
        assert "LOCK TABLES" not in run("copy", account.uri(), "c.parquet", "--table", "o", "--workers", "2", "--rowgroup-size", "30").stderr
    assert pq.read_metadata(tmp_path / "b.parquet").num_rows == 100
    run("ping", account.uri(), "--table", "o")
    assert "o" in run("list", account.uri()).stdout


def test_append_with_a_ledger_elsewhere(account, run):
    account.grant(*([*CONNECT, "SELECT, INSERT ON o", "USAGE, CREATE ON SCHEMA etl"] if account.postgres else
                    ["SELECT, INSERT ON shop.o", "SELECT, INSERT, UPDATE, DELETE, CREATE ON etl.*"]))
    copy = ["copy", "orders.parquet", account.uri(), "--table", "o", "--mode", "append", "--ledger", "etl.haul", "--run", "r"]
    assert "at least once" not in run(*copy).stderr
    assert account.sql.whole() and "already complete" in run(*copy).stderr


def test_append_without_a_ledger(account, run):
    account.grant(*([*CONNECT, "SELECT, INSERT ON o"] if account.postgres else ["SELECT, INSERT ON shop.o"]))
    said = run("copy", "orders.parquet", account.uri(), "--table", "o", "--mode", "append", "--ledger", "none").stderr
    assert "at least once" in said and account.sql.whole()


def test_create(account, run):
    account.grant(*(["CONNECT ON DATABASE shop", "USAGE, CREATE ON SCHEMA public"] if account.postgres else
                    ["SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER ON shop.*"]))
    run("copy", "orders.parquet", account.uri(), "--table", "fresh")
    assert account.sql.whole("fresh") and account.sql.clean()


@pytest.mark.parametrize("mode", ["truncate", "replace"])
def test_truncate_and_replace(account, run, mode):
    account.fill()
    if account.postgres:
        account.grant("CONNECT ON DATABASE shop", "USAGE, CREATE ON SCHEMA public")
        if mode == "truncate":
            account.grant("SELECT, INSERT, TRUNCATE ON o")
        else:
            account.sql.sql("ALTER TABLE o OWNER TO least; REVOKE ALL ON o FROM reader")
    else:
        account.grant("SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER ON shop.*")
    run("copy", "orders.parquet", account.uri(), "--table", "o", "--mode", mode)
    assert account.sql.whole() and account.sql.clean()
