"""Masks one direction of a VESC connection while it is still going on.

What comes out has the same length as what went in, and frames are masked as in a finished recording; of a
login line the password alone. Bytes are held until it is known what they are: a secret may be split over
segments, and a false header may stand in front of one. Who cannot wait any longer calls `force`; then all is
masked that could be part of a secret. What is in no frame is masked too, but for a client's reading requests
with a fault: who reads the recording is to see the fault.
"""

import re
from collections import Counter

from packwire.capture.redact.canvas import STAR
from packwire.capture.redact.contents import LOGIN, UNREAD, masked_frame
from packwire.capture.redact.damaged import damaged_requests
from packwire.vesc.framing import TRAILER, Framer
from packwire.vesc.hublogin import MAX_LINE
from packwire.vesc.requests import inner_at
from packwire.vesc.traits import TRAITS
from packwire.wire.checksum import crc16_xmodem
from packwire.wire.frame import Frame

#: What lines for a hub begin with (`VESCTOOL:`, `VESC:`, `PING:`), in any case: hubs do not mind. And what a
#: hub answers to `PING`.
_LINES = (b"VESC", b"PING")
_ANSWERS = (b"PONG", b"NULL")
_BEGIN_SIZE = 4
_HEADERS = (2, 3, 4)


def _beginning(word: str) -> str:
    """Return a pattern for a word, or for its beginning at the end; hubs mind neither case nor blanks."""
    pattern = word[-1]
    for letter in reversed(word[:-1]):
        pattern = rf"{letter} *(?:{pattern}|\Z)"
    return pattern


#: A hub's login may stand behind anything: no hub takes it then, but its password is one all the same.
_LOGIN_BEGINS = re.compile(f"{_beginning('VESC:')}|{_beginning('VESCTOOL:')}".encode(), re.IGNORECASE)

#: Commands whose payloads are masked, wholly or in part; and where only what tells who a device is.
_SECRET = frozenset(number for number, row in TRAITS.items() if row.secret and not row.secret.private)
_PRIVATE = frozenset(number for number, row in TRAITS.items() if row.secret and row.secret.private)


class LiveMasker:
    """Takes the bytes of one direction; gives them out masked, in order, as soon as they are decided.

    `may_log_in`: it is what the end says that dialled, which may log in at a hub. `counts` says what was
    masked.
    """

    def __init__(self, counts: Counter[str], *, may_log_in: bool) -> None:
        self._counts = counts
        self._framer = Framer()
        self._may_log_in = may_log_in
        self._at_begin = True
        self._behind_line = False
        self._raw = bytearray()
        """What is not decided, from the first such byte on."""
        self._shown = bytearray()
        """What had to be given out of it all the same, masked."""
        self._ready = bytearray()
        self._position = 0
        """Where in the framer's stream `_raw` begins."""
        self._kept_until = 0
        """Up to where in the framer's stream a request with a fault goes on."""
        self._in_step = may_log_in
        """Whether a frame is sure to begin where `_raw` does: behind a whole one, or at a client's begin."""

    @property
    def ready(self) -> int:
        """Return how many bytes can be taken."""
        return len(self._ready)

    def take(self, count: int) -> bytes:
        """Take bytes, at most as many as are ready."""
        taken = bytes(self._ready[:count])
        del self._ready[:count]
        return taken

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        self._raw += data
        if self._at_begin:
            data = self._take_hub_line()
        if self._behind_line and data:
            data = self._without_end(data)
        if data:
            self._decide(self._framer.feed(data))

    def force(self) -> None:
        """Give out all that came: what is not decided is masked, unless it is surely no secret."""
        if self._at_begin:
            if len(self._raw) > len(self._shown):  # a side that never spoke did not log in either
                self._give(self._masked_line(bytes(self._raw)), len(self._shown))
            return
        self._decide(self._framer.rescue())
        open_from = len(self._shown)
        if len(self._raw) == open_from:
            return
        clear = max(self._clear_until(), open_from)
        masked = bytes(self._raw[:clear]) + self._outside_frames(len(self._raw))[clear:]
        self._counts[UNREAD] += masked != self._raw
        self._give(masked, open_from)

    def _give(self, masked: bytes, already: int) -> None:
        """Give out what is not decided for the rest of `masked`, of which the first bytes were given out."""
        self._ready += masked[already:]
        self._shown += masked[already:]

    def _take_hub_line(self) -> bytes:
        """Take a line for or from a hub off; return what follows it, or nothing while it is not whole."""
        begin = bytes(self._raw[:_BEGIN_SIZE]).upper()
        kinds = _LINES if self._may_log_in else _ANSWERS
        whole = b"\n" in self._raw if self._may_log_in else len(begin) == _BEGIN_SIZE
        if any(kind.startswith(begin) for kind in kinds) and not whole and len(self._raw) <= MAX_LINE:
            return b""
        self._at_begin = False
        if begin in kinds:
            size = (self._raw.find(b"\n") + 1) or (len(self._raw) if self._may_log_in else _BEGIN_SIZE)
            self._put(self._masked_line(bytes(self._raw[:size])), size)
            self._behind_line = True
        return bytes(self._raw)

    def _without_end(self, data: bytes) -> bytes:
        """Take off the NUL with which a device ends its login line, or the end of a hub's answer."""
        self._behind_line = False
        if data[0] not in b"\0\n":
            return data
        self._put(data[:1], 1)
        return data[1:]

    def _masked_line(self, line: bytes) -> bytes:
        """Return a hub's line without its password: nothing but the role and the id of three parts."""
        text = line.rstrip(b"\r\n")
        role, *rest = text.split(b":", 2)
        if role.upper() in _ANSWERS or (role.upper() == b"PING" and rest[-1:] == [b"0"]):
            return line
        kept = len(role) + len(rest[0]) + 2 if len(rest) == 2 else min(len(role), _BEGIN_SIZE)
        self._counts[LOGIN] += 1
        return line[:kept] + bytes((STAR,)) * (len(text) - kept) + line[len(text) :]

    def _decide(self, frames: list[Frame]) -> None:
        for frame in frames:
            self._junk(frame.start - self._position)
            content = bytes(self._raw[: frame.size])
            masked = masked_frame(content, len(frame.payload), self._counts)
            self._put(self._mended(content, masked), frame.size)
            self._position += frame.size
            self._in_step = True
        waiting = self._framer.stats.waiting
        self._junk((waiting.since if waiting else self._framer.stats.received) - self._position)

    def _junk(self, size: int) -> None:
        """Mask bytes that are in no frame, they may be the rest of a torn one; but not zeros alone."""
        if size:
            masked = self._outside_frames(size)
            self._counts[UNREAD] += masked != self._raw[:size]
            self._put(masked, size)
            self._position += size
            self._in_step = False

    def _outside_frames(self, size: int) -> bytes:
        """Return the first undecided bytes, which are in no frame: stars for all but a client's requests.

        A request with a fault may end behind them: its stop byte is taken for a header.
        """
        if not any(self._raw[:size]):
            return bytes(size)
        masked = bytearray((STAR,)) * size
        kept = max(min(self._kept_until - self._position, size), 0)
        masked[:kept] = self._raw[:kept]
        if self._may_log_in:
            for begin, end in damaged_requests(self._raw, size):
                masked[begin:end] = self._raw[begin : min(end, size)]
                self._kept_until = max(self._kept_until, self._position + end)
        return bytes(masked)

    def _put(self, masked: bytes, size: int) -> None:
        self._ready += masked[len(self._shown) :]
        del self._shown[:size], self._raw[:size]

    def _mended(self, frame: bytes, masked: bytes) -> bytes:
        """Return a frame's masked bytes; where its begin was given out otherwise, with a CRC that fits both.

        A frame without secrets of which a part was masked keeps its CRC: nobody must take it for true.
        """
        shown = bytes(self._shown[: len(frame)])
        if shown == masked[: len(shown)] or masked == frame or len(shown) > len(frame) - TRAILER:
            return masked
        mixed = shown + masked[len(shown) :]
        return mixed[:-TRAILER] + crc16_xmodem(mixed[mixed[0] : -TRAILER]).to_bytes(2) + mixed[-1:]

    def _clear_until(self) -> int:
        """Return how many of the undecided bytes may be shown: they begin a frame that is not whole yet."""
        raw = self._raw
        if not self._in_step:
            return 0
        at = _command_at(raw, 0)
        secret = _SECRET if self._may_log_in else _SECRET | _PRIVATE
        if at >= len(raw) or raw[at] in secret:
            return min(at + 1, len(raw))
        login = _LOGIN_BEGINS.search(raw)
        end = len(raw) if login is None else login.start()
        return next((place for place in range(1, end) if _may_be_secret(raw, place)), end)


def _command_at(raw: bytearray, header: int) -> int:
    """Return where the command stands of a frame whose header is at `header`; it may be behind the end."""
    return inner_at(raw, header + raw[header])


def _may_be_secret(raw: bytearray, place: int) -> bool:
    """Tell whether a frame with a secret could begin here."""
    if raw[place] not in _HEADERS:
        return False
    at = _command_at(raw, place)
    return at >= len(raw) or raw[at] in _SECRET
