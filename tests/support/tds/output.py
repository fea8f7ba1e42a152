"""The answer to one request: tokens in order, DONE with or without "more" as it turns out."""
from . import tokens


class Output:
    def __init__(self, channel, faults, in_procedure=False):
        self.channel, self.faults, self.in_procedure = channel, faults, in_procedure
        self.held = None
        self.rows = 0
        channel.begin()

    def write(self, data):
        self.release(more=True)
        self.channel.write(data)

    def release(self, more):
        if self.held:
            token, status, command, count = self.held
            self.held = None
            self.channel.write(tokens.done(token, status | (tokens.MORE if more else 0), command, count))

    def done(self, command=0, count=None, failed=False):
        """The end of one statement."""
        self.release(more=True)
        status = (tokens.COUNT if count is not None else 0) | (tokens.ERROR_BIT if failed else 0)
        self.held = (tokens.DONEINPROC if self.in_procedure else tokens.DONE, status, command, count or 0)

    def message(self, error):
        self.write(self.lie(tokens.message(error.number, error.text, error.severity, error.state, error.line)))

    def lie(self, token):
        """A token with its length field off, when a fault asks for that."""
        wrong = self.faults.wrong_token and self.faults.spend("wrong_token")
        if not wrong:
            return token
        length = int.from_bytes(token[1:3], "little") + wrong
        return token[:1] + (length & 0xFFFF).to_bytes(2, "little") + token[3:]

    def end(self, failed=False):
        """The end of the whole answer."""
        if self.in_procedure:
            self.release(more=True)
            self.channel.write(tokens.done(tokens.DONEPROC, tokens.ERROR_BIT if failed else 0))
        elif self.held:
            self.release(more=False)
        else:
            self.channel.write(tokens.done(tokens.DONE, tokens.ERROR_BIT if failed else 0))
        self.channel.end()

    def end_cancelled(self):
        self.held = None
        self.channel.write(tokens.done(tokens.DONE, tokens.ATTENTION_BIT))
        self.channel.end()
