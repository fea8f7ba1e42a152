"""A real Kerberos realm for tests: MIT's KDC on loopback, in a temporary folder.

    with Kdc() as kdc:
        kdc.service("MSSQLSvc/localhost:1433")      a service's key goes into kdc.keytab
        kdc.login("alice")                          a ticket: kdc.environment() has the cache
        kdc.environment()                           KRB5_CONFIG and KRB5CCNAME for a client

Runs unprivileged (as nobody, when the tests run as root), on a free port, and is
stopped by the process id that was started. The user alice has the password servers.PASSWORD.
"""
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from servers import PASSWORD, Missing, free_port

REALM = "HAUL.TEST"
CLIENT = """[libdefaults]
 default_realm = {realm}
 dns_lookup_realm = false
 dns_lookup_kdc = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
 ticket_lifetime = 1h
[realms]
 {realm} = {{
  kdc = 127.0.0.1:{port}
 }}
[domain_realm]
 localhost = {realm}
 127.0.0.1 = {realm}
"""
SERVER = """[kdcdefaults]
 kdc_listen = 127.0.0.1:{port}
 kdc_tcp_listen = 127.0.0.1:{port}
[realms]
 {realm} = {{
  database_name = {folder}/principal
  key_stash_file = {folder}/stash
  acl_file = {folder}/acl
  max_life = 10h
 }}
"""


class Kdc:
    def __init__(self):
        self.programs = {}
        for name in ("krb5kdc", "kdb5_util", "kadmin.local", "kinit"):
            self.programs[name] = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
            if not self.programs[name]:
                raise Missing(f"Kerberos's {name} is not installed")
        self.account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self.port, self.process = free_port(), None
        self.folder = Path(tempfile.mkdtemp(prefix="haul-kdc-"))
        self.config, self.keytab = self.folder / "krb5.conf", self.folder / "services.keytab"

    def as_user(self):
        return {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []} if self.account else {}

    def admin(self):
        return {"PATH": os.environ["PATH"], "KRB5_CONFIG": str(self.config), "KRB5_KDC_PROFILE": str(self.folder / "kdc.conf")}

    def run(self, *words, check=True, text=None):
        done = subprocess.run([self.programs[words[0]], *map(str, words[1:])], env=self.admin(), cwd="/", capture_output=True, text=True, input=text, **self.as_user())
        if check and done.returncode:
            raise RuntimeError(f"{words}: {done.stdout} {done.stderr}")
        return done

    def __enter__(self):
        self.config.write_text(CLIENT.format(realm=REALM, port=self.port))
        (self.folder / "kdc.conf").write_text(SERVER.format(realm=REALM, port=self.port, folder=self.folder))
        self.folder.chmod(0o755)
        if self.account:
            os.chown(self.folder, self.account.pw_uid, self.account.pw_gid)
        self.run("kdb5_util", "-r", REALM, "create", "-s", "-P", "master key of a test")
        self.run("kadmin.local", "-r", REALM, "addprinc", "-pw", PASSWORD, "alice")
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen([self.programs["krb5kdc"], "-n", "-r", REALM], env=self.admin(), cwd="/", stdout=log, stderr=log, **self.as_user())
        until = time.monotonic() + 20
        while time.monotonic() < until and self.process.poll() is None:
            if not self.login("alice", check=False).returncode:
                return self
            time.sleep(0.1)
        raise RuntimeError("the KDC did not start:\n" + (self.folder / "log").read_text()[-2000:])

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def service(self, *names):
        """Makes service principals; their keys go into the keytab, which the tests' own user reads."""
        for name in names:
            self.run("kadmin.local", "-r", REALM, "addprinc", "-randkey", name)
            self.run("kadmin.local", "-r", REALM, "ktadd", "-k", self.keytab, name)

    def login(self, user, check=True):
        """kinit: the ticket goes into the cache."""
        done = subprocess.run([self.programs["kinit"], f"{user}@{REALM}"], env=self.environment(), capture_output=True, text=True, input=PASSWORD + "\n")
        if check and done.returncode:
            raise RuntimeError(f"kinit {user}: {done.stderr}")
        return done

    def environment(self):
        return {**os.environ, "KRB5_CONFIG": str(self.config), "KRB5CCNAME": f"FILE:{self.folder}/tickets-{os.getuid()}"}
