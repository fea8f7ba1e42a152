"""Faults a test asks of the server: one object, set from the test's thread.

    server.faults.set(cut_after=1000)       the connection ends after byte n of the answers (since login)
    server.faults.set(error_at_row=(5, 1205, 13))   an ERROR token in place of row n
    server.faults.set(cut_received=1000)    the connection ends after byte n of the requests (since login)
    server.faults.set(slow=0.01)            seconds before each packet that leaves
    server.faults.set(wrong_length=7)       the packet length field is off by that
    server.faults.set(wrong_token=5)        the count of the next COLMETADATA's columns, or the length of an ERROR, is off by that
    server.faults.set(cut_in_bulk=1000)     the connection ends after n bytes of a bulk load came
    server.faults.set(deadlock_at=2)        the n-th statement answers 1205 and rolls back
    server.faults.set(error_at_statement=(3, 40501, 20))  the n-th statement answers that; from class 20 on the connection ends
    server.faults.set(login_error=(18456, 14))   a login answers that (40613, 18456, ...)
    server.faults.set(endless_info=True)    the next statement answers with INFO without end
    server.faults.set(hold_commit=Event())  a COMMIT waits for the event (or is done and cut: lose_commit)
    server.faults.set(lose_commit="before") the connection ends before (or "after") a COMMIT is done
    server.faults.set(error_in_bulk=(row, number, class))
    server.faults.set(orphan=30)            a client that goes away in a transaction leaves it open, so many seconds or until KILL or clear()
    server.faults.set(deaf=True)            attention is ignored

    server.faults.set(matching="INSERT BULK", ...)  faults of statements count only those with that text

Faults last until clear(); those with a place fire once, unless `every` is set.
"""
import threading
import time


class Faults:
    NAMES = ("cut_after", "error_at_row", "slow", "wrong_length", "cut_in_bulk", "deadlock_at", "hold_commit",
             "lose_commit", "error_in_bulk", "deaf", "orphan", "cut_received",
             "wrong_token", "error_at_statement", "login_error", "endless_info", "matching", "every")

    def __init__(self):
        self.lock = threading.Lock()
        self.armed = False
        self.statements = 0
        self.fired = []
        self.clear()

    def clear(self):
        self.orphans = False
        for name in self.NAMES:
            setattr(self, name, None)
        self.statements = 0

    def set(self, **wanted):
        self.orphans = True
        for name, value in wanted.items():
            if name not in self.NAMES:
                raise TypeError(f"no fault {name}")
            setattr(self, name, value)

    def spend(self, name):
        with self.lock:
            value = getattr(self, name)
            if value is not None and not self.every:
                setattr(self, name, None)
            if value is not None:
                self.fired.append(name)
            return value

    def pass_bytes(self, sent, data):
        """(the bytes that may leave, whether the connection ends after them)."""
        if self.slow:
            time.sleep(self.slow)
        limit = self.cut_after
        if limit is None or sent + len(data) <= limit:
            return data, False
        self.spend("cut_after")
        return data[:max(0, limit - sent)], True

    def packet_length(self, length):
        if self.wrong_length is None:
            return length
        return max(0, min(65535, length + self.spend("wrong_length")))

    def row(self, number):
        """(number, class) of the error to send in place of this row, or None."""
        if self.error_at_row and number >= self.error_at_row[0]:
            return self.spend("error_at_row")[1:]
        return None

    def bulk_row(self, number):
        if self.error_in_bulk and number >= self.error_in_bulk[0]:
            return self.spend("error_in_bulk")[1:]
        return None

    def statement(self, text=""):
        """(number, class) of the error this statement must answer, or None."""
        if self.matching and self.matching not in text:
            return None
        with self.lock:
            self.statements += 1
            victim = self.deadlock_at is not None and self.statements >= self.deadlock_at
            error = self.error_at_statement and self.statements >= self.error_at_statement[0]
        if victim and self.spend("deadlock_at"):
            return 1205, 13
        return self.spend("error_at_statement")[1:] if error else None
