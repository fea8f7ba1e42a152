"""The Kubernetes Job of docs/operations.md, tried: a read-only root, no HOME, no rights, a volume.

A "pod" here is a process in a mount namespace of its own: the root and /tmp are read-only,
/mnt is the volume, /opt has the build; it is nobody, with no capabilities, and its
environment holds what the Job gives it and nothing else. The words are those of the page.
"""
import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import HAUL, ROOT
from engines import ROWS, engine
from servers import PASSWORD

NOBODY = 65534
POD = """set -e
mount --make-rprivate /
mount --bind "$1" /mnt
mount --bind "$2" /opt
mount -o remount,bind,ro /opt
mount -t tmpfs -o ro none /tmp
mount -o remount,bind,ro /
shift 2
cd /
exec setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs --bounding-set=-all "$@"
"""


def works():
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("setpriv"):
        return False
    return subprocess.run(["unshare", "-m", "sh", "-c", "mount --make-rprivate / && mount -t tmpfs -o ro none /tmp"], capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(not works(), reason="mount namespaces need root and unshare")


@pytest.fixture(params=["postgres", "mariadb", "mysql8"])
def sql(request):
    return engine(request.param, request)


@pytest.fixture
def volume(tmp_path):
    folder = tmp_path / "volume"
    folder.mkdir()
    pq.write_table(pa.table({"id": pa.array(range(ROWS), pa.int32()), "name": [f"name {i} é" for i in range(ROWS)],
                             "price": [i / 4 for i in range(ROWS)]}), folder / "orders.parquet", row_group_size=500)
    (folder / "password").write_text(PASSWORD + "\n")
    for path in (folder, *folder.iterdir()):
        os.chown(path, NOBODY, NOBODY)
    (folder / "password").chmod(0o440)
    return folder


def pod(volume, connection, *words):
    """Started; the caller waits for it."""
    return subprocess.Popen(["unshare", "-m", "sh", "-c", POD, "pod", volume, Path(HAUL).parent, *map(str, words)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env={"PATH": os.environ["PATH"], "HAUL_CONN_PROD": connection})


def ended(process, code=0):
    out, said = process.communicate(timeout=120)
    assert process.returncode == code and PASSWORD not in said + out, (process.returncode, said)
    return said


def job(table, *more):
    """The arguments of the page's Job, at this pod's places."""
    page = (ROOT / "docs" / "operations.md").read_text()
    words = [word.strip().strip('"') for word in re.search(r"args: \[(.*?)\]", page, re.DOTALL).group(1).replace("\n", " ").split(",")]
    places = {"/data/orders.parquet": "/mnt/orders.parquet", "prod:public.orders": f"prod:{table}", "/run/secrets/db/password": "/mnt/password",
              "/dev/termination-log": "/mnt/termination-log"}
    assert set(places) <= set(words), words
    return ["/opt/" + Path(HAUL).name, *[places.get(word, word) for word in words], *more]


def test_the_root_is_read_only(volume):
    """Else the tests below would show nothing."""
    for folder in ("", "tmp", "opt", "var/tmp"):
        assert "ead-only" in ended(pod(volume, "", "touch", f"/{folder}/x"), 1)
    ended(pod(volume, "", "touch", "/mnt/x"))
    assert (volume / "x").stat().st_uid == NOBODY


def test_the_job_of_the_page(sql, volume):
    """Killed, stopped by SIGTERM, and then by a pod that finds nothing but the volume: each row once."""
    sql.make()
    sql.slow("o", 0.03)
    words = job("o", "--unit-rows", "100")
    before = sorted(path.name for path in volume.iterdir())
    for stop in (signal.SIGKILL, signal.SIGTERM):
        running = pod(volume, sql.uri(), *words)
        assert sql.wait_units(2, running), running.stderr.read()
        running.send_signal(stop)
        said = ended(running, -9 if stop == signal.SIGKILL else 75)
    assert json.loads((volume / "termination-log").read_text())["retryable"] is True and "{" in said
    for _ in range(30):
        running = pod(volume, sql.uri(), *words)
        said = running.communicate(timeout=120)[1]
        if "another process" not in said:
            break
    assert running.returncode == 0, said
    assert sql.whole() and sql.clean()
    assert json.loads((volume / "termination-log").read_text())["exit"] == 0
    assert sorted(path.name for path in volume.iterdir() if path.name != "termination-log") == before
    ended(pod(volume, sql.uri(), *words))
    assert sql.whole()


def test_a_table_into_a_file_on_the_volume(sql, volume):
    sql.make()
    ended(pod(volume, sql.uri(), *job("o")))
    (volume / "back").mkdir()
    os.chown(volume / "back", NOBODY, NOBODY)
    ended(pod(volume, sql.uri("reader"), "/opt/" + Path(HAUL).name, "copy", "prod:o", "/mnt/back/o.parquet", "--password-file", "/mnt/password", "--workers", "2",
              "--memory", "224MiB", "--rowgroup-size", "500"))
    assert sorted(pq.read_table(volume / "back" / "o.parquet").column("id").to_pylist()) == list(range(ROWS))
    assert os.listdir(volume / "back") == ["o.parquet"]
