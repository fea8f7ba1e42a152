"""The conformance suite: what holds for every source and every sink. Data is in tests/cases."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HAUL = os.environ.get("HAUL", str(ROOT / "build" / "haul"))
sys.path.insert(0, str(ROOT / "tests" / "support"))
from fixtures import *  # noqa: E402,F401,F403
from servers import PASSWORD  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def tds_server_ends(request):
    yield
    from tds.fixtures import stop
    stop(request.config)


@pytest.fixture
def haul(tmp_path):
    """haul("copy", ...) in the test's folder; what it said."""

    def run(*words, code=0, timeout=120):
        done = subprocess.run([HAUL, *map(str, words)], cwd=tmp_path, capture_output=True, text=True, timeout=timeout,
                              env={**os.environ, "PGPASSWORD": PASSWORD, "MYSQL_PWD": PASSWORD})
        codes = code if isinstance(code, tuple) else (code,)
        assert done.returncode in codes, (words, done.returncode, done.stderr[-3000:])
        assert "canary" not in done.stdout + done.stderr
        return done

    return run
