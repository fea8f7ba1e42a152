"""What libhaul's errors become."""
from __future__ import annotations

from typing import Optional


class Error(Exception):
    """A call failed; nothing half-done is visible in the target.

    str(error)     one line: what, where, and what to do
    code           the class of failure, as in the JSON events: "usage", "not_found",
                   "exists", "permission", "space", "network", "login", "value", ...
    side           "source", "target", or "" when it is neither
    sqlstate       the server's SQLSTATE, "" when there is none
    vendor_code    the server's own number, or errno; 0 when there is none
    retryable      the same call may succeed later; what was committed is not sent again
    exit_code      what the program would exit with (docs: exit codes)
    report         of verify and inspect: what was found all the same, else None
    """

    def __init__(self, message: str, code: str = "failed", side: str = "", sqlstate: str = "", vendor_code: int = 0,
                 retryable: bool = False, exit_code: int = 1, report: Optional[str] = None) -> None:
        super().__init__(message)
        self.code = code
        self.side = side
        self.sqlstate = sqlstate
        self.vendor_code = vendor_code
        self.retryable = retryable
        self.exit_code = exit_code
        self.report = report

    def __reduce__(self):
        return (type(self), (str(self), self.code, self.side, self.sqlstate, self.vendor_code, self.retryable,
                             self.exit_code, self.report))
