"""pytest fixtures: the server of the tests, in both personalities (conftest.py brings them in).

    def test_x(mssql, haul):                 # runs twice: SQL Server's way, and the stricter one's
        mssql.ask("CREATE TABLE dbo.t (a int)")
        haul("copy", mssql.uri(), ...)

`sqlserver` and `stricter` give one alone. Each is one server a module, so that modules need not know of each other's tables; faults are
cleared around each test, and what went wrong inside the server fails the test.
"""
import pytest


def running(request, personality):
    """The module's server of a personality; both share one PostgreSQL."""
    pytest.importorskip("sqlglot")
    pytest.importorskip("psycopg2")
    import servers

    from .server import Server
    kept = request.config.stash.setdefault(KEY, {})
    try:
        if not kept:
            kept["postgres"] = Server.make_postgres()
            kept["postgres"].__enter__()
        if personality.name not in kept:
            kept[personality.name] = Server(personality=personality, postgres=kept["postgres"]).__enter__()
    except servers.Missing as why:
        pytest.skip(str(why))
    return kept[personality.name]


KEY = pytest.StashKey()


@pytest.fixture(scope="module", autouse=True)
def tds_servers_end(request):
    yield
    stop(request.config)


def stop(config):
    kept = config.stash.get(KEY, {})
    postgres = kept.pop("postgres", None)
    for server in kept.values():
        server.__exit__()
    kept.clear()
    if postgres:
        postgres.__exit__()


@pytest.fixture(scope="session")
def realm():
    """A Kerberos realm with the user alice, who has a ticket (kdc.py)."""
    import servers
    from kdc import Kdc
    try:
        kdc = Kdc()
    except servers.Missing as why:
        pytest.skip(str(why))
    with kdc:
        yield kdc


@pytest.fixture
def kerberos(sqlserver, realm):
    """The server with its service principal in the realm, where alice may log in."""
    from kdc import REALM

    from .sspi import Acceptor
    if not sqlserver.acceptor:
        realm.service(*(f"MSSQLSvc/{host}:{sqlserver.port}" for host in ("localhost", "127.0.0.1")))
        sqlserver.acceptor, sqlserver.principals = Acceptor(realm.keytab), {f"alice@{REALM}"}
    sqlserver.realm = realm
    return sqlserver


def watched(server):
    server.faults.clear()
    server.failures.clear()
    yield server
    server.faults.clear()
    failures = list(server.failures)
    assert not failures, "inside the test server:\n" + "\n".join(failures)


@pytest.fixture
def sqlserver(request):
    from .personality import SQLSERVER
    yield from watched(running(request, SQLSERVER))


@pytest.fixture
def stricter(request):
    from .personality import STRICTER
    yield from watched(running(request, STRICTER))


@pytest.fixture
def bare(request):
    from .personality import BARE
    yield from watched(running(request, BARE))


@pytest.fixture(params=["sqlserver", "stricter"])
def mssql(request):
    from .personality import SQLSERVER, STRICTER
    yield from watched(running(request, {"sqlserver": SQLSERVER, "stricter": STRICTER}[request.param]))
