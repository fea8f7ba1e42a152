"""A TCP proxy between haul and a server that fails at a chosen moment.

    with Proxy(port, Fault(b"COMMIT", 2, "after")) as proxy: ...  # proxy.port

A fault fires when the bytes of `marker` pass towards the server for the `count`-th
time (all connections together):

    before   both sides are cut, the server never sees them
    after    the server gets them and answers; the answer is lost with the connection
    late     the client is cut at once, the server gets them `delay` seconds later
    orphan   the client is cut; the server's side stays open and silent
    reset    the client is reset; `marker` None: after `count` bytes from the server,
             or, with `sent`, after `count` bytes towards it

The marker must be readable on the wire: use sslmode=disable.
"""
import select
import socket
import struct
import threading
import time


class Fault:
    def __init__(self, marker, count, how, delay=2.0, sent=False):
        self.marker, self.count, self.how, self.delay, self.sent = marker, count, how, delay, sent
        self.seen = 0
        self.fired = threading.Event()
        self.lock = threading.Lock()

    def hit(self, data):
        """Does it fire in these bytes from the client?"""
        if self.sent:
            return self.counted(data)
        if self.marker is None or self.fired.is_set() or self.marker not in data:
            return False
        with self.lock:
            self.seen += data.count(self.marker)
            return self.seen >= self.count and not self.fired.is_set() and not self.fired.set()

    def hit_bytes(self, data):
        """The same for a count of bytes from the server."""
        return not self.sent and self.marker is None and self.counted(data)

    def counted(self, data):
        if self.fired.is_set():
            return False
        with self.lock:
            self.seen += len(data)
            return self.seen >= self.count and not self.fired.is_set() and not self.fired.set()


class Proxy:
    def __init__(self, server_port, fault):
        self.server_port, self.fault = server_port, fault
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = True
        self.kept = []

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.open = False
        self.listener.close()
        for side in self.kept:
            side.close()

    def accept(self):
        while self.open:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.server_port))
            except OSError:
                client.close()
                continue
            threading.Thread(target=self.carry, args=(client, server), daemon=True).start()

    @staticmethod
    def reset(side):
        side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        side.close()

    def fail(self, client, server, data):
        how = self.fault.how
        if how == "after":
            server.sendall(data)
            server.settimeout(10)
            server.recv(65536)
        if how == "late":
            self.reset(client)
            time.sleep(self.fault.delay)
            server.sendall(data)
            server.settimeout(10)
            try:
                server.recv(65536)
            except OSError:
                pass
        if how == "orphan":
            self.kept.append(server)
            self.reset(client)
            return
        self.reset(client)
        server.close()

    def carry(self, client, server):
        try:
            while True:
                for side in select.select([client, server], [], [])[0]:
                    data = side.recv(65536)
                    if not data:
                        client.close()
                        server.close()
                        return
                    if side is client and self.fault.hit(data):
                        return self.fail(client, server, data)
                    if side is server and self.fault.hit_bytes(data):
                        return self.fail(client, server, b"")
                    (server if side is client else client).sendall(data)
        except OSError:
            client.close()
            server.close()
