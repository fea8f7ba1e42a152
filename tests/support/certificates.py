"""Certificates for tests: an authority of our own and what it signs, expired ones too.

    ca = Authority(folder)
    ca.issue(folder / "server", ["db.example"], days=(-1, 30))  # server.crt, server.key
"""
import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def general(host):
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


class Authority:
    def __init__(self, folder, title="haul test authority"):
        self.title = title
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.certificate = self.sign(self.key.public_key(), title, [], (-1, 3650), authority=True)
        self.path = folder / f"{title.replace(' ', '-')}.pem"
        self.path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def sign(self, key, subject, hosts, days, authority=False):
        now = datetime.datetime.now(datetime.timezone.utc)
        made = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(self.title)).public_key(key)
                .serial_number(x509.random_serial_number()).not_valid_before(now + datetime.timedelta(days=days[0]))
                .not_valid_after(now + datetime.timedelta(days=days[1]))
                .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True))
        if hosts:
            made = made.add_extension(x509.SubjectAlternativeName([general(host) for host in hosts]), critical=False)
        return made.sign(self.key, hashes.SHA256())

    def issue(self, path, hosts, days=(-1, 30)):
        """path.crt and path.key (0600)."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        certificate = self.sign(key.public_key(), hosts[0], hosts, days)
        path.with_suffix(".crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        path.with_suffix(".key").touch(0o600)
        path.with_suffix(".key").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                                                              serialization.NoEncryption()))
