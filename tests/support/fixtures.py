"""One real server of each kind for a whole session; a conftest takes them by `from fixtures import *`."""
import pytest


def started(make):
    """A generator for a fixture: the server, or a skip that says what is missing."""
    from servers import Missing
    try:
        with make() as server:
            yield server
    except Missing as why:
        pytest.skip(str(why))


@pytest.fixture(scope="session")
def postgres():
    from servers import Postgres
    yield from started(Postgres)


@pytest.fixture(scope="session")
def mariadb():
    from mysql_server import MariaDB
    yield from started(MariaDB)


@pytest.fixture(scope="session")
def mysql8():
    from mysql_server import MySQL
    yield from started(MySQL)
