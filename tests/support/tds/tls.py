"""TLS for both ways TDS uses it.

TDS 7.x carries the handshake inside packets of type PRELOGIN and then lets records
flow bare (specification section 4); TDS 8.0 is TLS from the first byte, with ALPN
tds/8.0. Memory BIOs serve both. TLS 1.2 is the limit for 7.x. The certificate is made
by openssl for localhost.
"""
import ssl
import subprocess

from .packet import EOM, HEADER, PRELOGIN


def make_certificate(folder):
    """(certificate, key) files for localhost, signed by itself."""
    certificate, key = folder / "server.crt", folder / "server.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-keyout", key,
                    "-out", certificate, "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
    return certificate, key


def make_context(certificate, key, strict):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if strict:
        context.set_alpn_protocols(["tds/8.0"])
    else:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


class Tls:
    def __init__(self, channel, context, wrapped):
        self.channel, self.wrapped = channel, wrapped
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self.incoming, self.outgoing, server_side=True)

    def handshake(self):
        """Runs the handshake to its end; wrapped in packets when the client speaks 7.x."""
        while True:
            try:
                self.object.do_handshake()
                self.flush()
                return
            except ssl.SSLWantReadError:
                self.flush()
                self.feed()

    def feed(self):
        if self.wrapped:
            _kind, _status, payload = self.channel.read_packet()
            self.incoming.write(payload)
            return True
        data = bytes(self.channel.raw) or self.channel.sock.recv(65536)
        self.channel.raw.clear()
        self.incoming.write(data) if data else self.incoming.write_eof()
        return bool(data)

    def flush(self):
        data = self.outgoing.read()
        if not data:
            return
        if not self.wrapped:
            self.channel.sock.sendall(data)
            return
        for start in range(0, len(data), 4088):
            piece = data[start:start + 4088]
            status = EOM if start + 4088 >= len(data) else 0
            self.channel.sock.sendall(HEADER.pack(PRELOGIN, status, len(piece) + 8, 0, 0, 0) + piece)

    def read(self):
        while True:
            try:
                return self.object.read(65536)
            except ssl.SSLWantReadError:
                data = self.channel.sock.recv(65536)
                if not data:
                    return b""
                self.incoming.write(data)
            except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
                return b""

    def pending(self):
        return self.object.pending() or self.incoming.pending

    def write(self, data):
        for start in range(0, len(data), 16384):
            self.object.write(data[start:start + 16384])
        self.channel.sock.sendall(self.outgoing.read())


def start_wrapped(channel, context):
    """The handshake of TDS 7.x; afterwards the channel reads and writes through it."""
    tls = Tls(channel, context, wrapped=True)
    tls.handshake()
    tls.wrapped = False
    channel.tls = tls


def start_strict(channel, context):
    tls = Tls(channel, context, wrapped=False)
    tls.handshake()
    channel.tls = tls
    return tls.object.selected_alpn_protocol()
