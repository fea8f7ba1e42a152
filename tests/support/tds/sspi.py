"""The accepting side of integrated login: SPNEGO and Kerberos by the system's GSSAPI.

libgssapi_krb5 is called by ctypes, so that nothing has to be installed for it. One
Acceptor has a keytab; one Exchange is one login (specification section 6).
"""
import ctypes
import os

COMPLETE, CONTINUE = 0, 1


class Refused(Exception):
    """The client's token was not accepted."""


class Buffer(ctypes.Structure):
    _fields_ = [("length", ctypes.c_size_t), ("value", ctypes.c_void_p)]

    def bytes(self):
        return ctypes.string_at(self.value, self.length) if self.length else b""


class Acceptor:
    def __init__(self, keytab):
        self.library = ctypes.CDLL("libgssapi_krb5.so.2")
        os.environ.setdefault("KRB5RCACHENAME", "none:")
        self.keytab = os.fsencode(keytab)

    def exchange(self):
        return Exchange(self.library, self.keytab)


class Exchange:
    def __init__(self, library, keytab):
        self.library = library
        library.krb5_gss_register_acceptor_identity(keytab)  # this thread's
        self.minor, self.context, self.name = ctypes.c_uint32(), ctypes.c_void_p(), ctypes.c_void_p()
        self.user = None

    def step(self, token):
        """(the answer's token, whether the login is complete)."""
        data = ctypes.create_string_buffer(token, len(token))
        given, answer = Buffer(len(token), ctypes.cast(data, ctypes.c_void_p)), Buffer()
        major = self.library.gss_accept_sec_context(ctypes.byref(self.minor), ctypes.byref(self.context), None, ctypes.byref(given), None,
                                                    ctypes.byref(self.name), None, ctypes.byref(answer), None, None, None)
        if major & 0xFFFF0000:
            raise Refused(self.text(major))
        reply = answer.bytes()
        self.library.gss_release_buffer(ctypes.byref(self.minor), ctypes.byref(answer))
        if major == COMPLETE:
            self.user = self.display()
        return reply, major == COMPLETE

    def display(self):
        name = Buffer()
        self.library.gss_display_name(ctypes.byref(self.minor), self.name, ctypes.byref(name), None)
        return name.bytes().decode()

    def text(self, major):
        words = []
        for code, kind in ((major, 1), (self.minor.value, 2)):
            more, message = ctypes.c_uint32(0), Buffer()
            self.library.gss_display_status(ctypes.byref(ctypes.c_uint32()), ctypes.c_uint32(code), kind, None, ctypes.byref(more), ctypes.byref(message))
            words.append(message.bytes().decode("utf-8", "replace"))
        return ": ".join(words)
