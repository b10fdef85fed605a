"""The login line of a hub, which a client may begin with: taken with any id and password, and forgotten."""

from packwire.doctor.client_test.verdict import LoginProblem
from packwire.vesc.framing import Framer
from packwire.vesc.hublogin import MAX_LINE

_HTTP = (b"GET ", b"POST ", b"PUT ", b"HEAD ", b"OPTIONS ", b"CONNECT ", b"PRI ")


class FirstLine:
    """What a client says first; see `FirstWords`."""

    def __init__(self) -> None:
        self.over = False
        self.problem: LoginProblem | None = None
        self.words = ""
        self.reply = b""
        self._said = b""

    def take(self, data: bytes) -> bytes:
        """Take the login line off; nothing of it is kept."""
        self._said += data
        begin = self._said[:4].upper()
        if begin not in {b"VESC", b"PING"}:
            if any(word.startswith(begin) for word in (b"VESC", b"PING")):
                return b""
            if self._said.startswith(_HTTP):
                self.words = "it speaks HTTP (or WebSocket), and a VESC client speaks bare TCP"
            return self._end(self._said)
        if b"\n" not in self._said and len(self._said) <= MAX_LINE:
            return self._without_newline()
        line, _, rest = self._said.partition(b"\n")
        if line.upper().startswith(b"VESC:"):
            self.words = "it logged in as a device (VESC:), which is asked; a client logs in as VESCTOOL:"
            self.problem = LoginProblem.DEVICE
        if line.upper().startswith(b"PING"):
            self.reply = b"PONG\n"
        return self._end(rest.removeprefix(b"\0"))

    def _without_newline(self) -> bytes:
        """Return what follows a login without its end: a frame tells that none will come."""
        at = max(self._said.find(b"\2"), 0)
        whole = self._said[at:]
        if not at or not Framer().feed(whole):
            return b""
        self.problem = LoginProblem.NO_NEWLINE
        return self._end(whole)

    def _end(self, rest: bytes) -> bytes:
        self.over, self._said = True, b""
        return rest
