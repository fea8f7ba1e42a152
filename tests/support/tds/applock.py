"""sp_getapplock and sp_releaseapplock, by PostgreSQL's advisory locks.

Owner Transaction (the default) is given back with the transaction, Session with the
session or by sp_releaseapplock. Returned: 0 had at once, 1 after waiting, -1 timed out,
-3 a deadlock, -999 arguments that make no sense. IntentShared counts as Shared, Update
and IntentExclusive as Exclusive.
"""
from .errors import SqlError

SHARED = ("shared", "intentshared")
MODES = SHARED + ("update", "intentexclusive", "exclusive")
GET = ("@resource", "@lockmode", "@lockowner", "@locktimeout", "@dbprincipal")
RELEASE = ("@resource", "@lockowner", "@dbprincipal")
HELD = """SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid() AND mode = %s
 AND (classid::bigint << 32 | objid::bigint) = hashtextextended(%s, 0)"""


def arguments(values, names, order):
    given = dict(zip(order, values)) if not any(names) else {name.lower(): value for name, value in zip(names, values)}
    return {name: value for name, value in given.items() if value is not None}


def get(session, values, names):
    """The status of sp_getapplock."""
    found = arguments(values, names, GET)
    resource, mode = found.get("@resource"), str(found.get("@lockmode", "")).lower()
    owner = str(found.get("@lockowner", "Transaction")).lower()
    if not resource or mode not in MODES or owner not in ("transaction", "session") or (owner == "transaction" and not session.engine.depth):
        return -999
    name = f"advisory_{'xact_' if owner == 'transaction' else ''}lock{'_shared' if mode in SHARED else ''}"
    key = (f"{session.database}:{resource}",)
    if session.fetch(f"SELECT pg_try_{name}(hashtextextended(%s, 0))", key)[0][0]:
        return 0
    wait_ms = int(found.get("@locktimeout", -1))
    if wait_ms == 0:
        return -1
    before = session.fetch("SHOW lock_timeout")[0][0]
    session.run("SELECT set_config('lock_timeout', %s, false)", (str(max(0, wait_ms)),))
    try:
        session.engine.guard(lambda: session.fetch(f"SELECT pg_{name}(hashtextextended(%s, 0))", key))
        return 1
    except SqlError as error:
        return {1222: -1, 1205: -3}.get(error.number, -999)
    finally:
        session.run("SELECT set_config('lock_timeout', %s, false)", (before,))


def release(session, values, names):
    resource = arguments(values, names, RELEASE).get("@resource")
    key = f"{session.database}:{resource}"
    for suffix, mode in (("", "ExclusiveLock"), ("_shared", "ShareLock")):
        if session.fetch(HELD, (mode, key)):
            session.fetch(f"SELECT pg_advisory_unlock{suffix}(hashtextextended(%s, 0))", (key,))
            return 0
    raise SqlError(1223, f"Cannot release the application lock (Database Principal: 'public', Resource: '{resource}') because it is not currently held.")
