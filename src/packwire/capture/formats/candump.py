"""can-utils' text: candump's log files (`can0 355#3E00`) and console output in all forms; cansend's lines.

Times are absolute, with a date, since the first frame, or since the frame before (-t a, A, z, d): where the
first is 0 and a quarter of the others or more go back, each is the time since the frame before.
"""

import re

from packwire.capture.packets import NO_TIME, PacketDirection
from packwire.capture.text.can import (
    BUS_STATE,
    ERROR,
    FD_FORMAT,
    FD_PASSIVE,
    FD_SWITCHED,
    MAX_STANDARD,
    WRONG_SIZE,
    can_frame,
    can_row,
    error_frame,
    way_of_letter,
)
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import Row, Unread

NAME = "candump log"
EXAMPLES = (
    "(1436509052.249713) vcan0 044#2A366C2B",
    "  can0  355   [8]  00 11 22 33 44 55 66 77",
    "cansend can0 123#DEADBEEF",
)

_TIME = r"\((?P<time>[^()]{1,40})\)"
#: What stands before a frame without a time: nothing, an interface, or cansend with one.
_INTERFACE = r"(?:(?:\S{0,40}[$#] )?(?P<send>cansend) )?(?:(?P<interface>[A-Za-z][A-Za-z0-9_.:-]{0,15})\s+)?"
#: (1436509052.249713) vcan0 044#2A366C2B R
_LOG = re.compile(
    r"\s*(?:" + _TIME + r"\s+(?P<timed>[^\s#]{1,32})\s+(?P<any>[0-9A-Fa-f]{1,8})|"
    + _INTERFACE + r"(?P<id>[0-9A-Fa-f]{8}|[0-9A-Fa-f]{3}))"
    r"#(?:#(?P<fd>[0-9A-Fa-f]))?(?:(?P<remote>R)[0-9A-Fa-f]?|(?P<hex>(?:[0-9A-Fa-f]{2}\.?)*))"
    r"(?:_[0-9A-Fa-f])?(?:\s+(?P<way>[RT]))?(?:\s*::.*)?"
)  # fmt: skip
#:   can0  RX - -  355   [8]  00 11 22 33 44 55 66 77   '..'
_CONSOLE = re.compile(
    r"\s*(?:" + _TIME + r"\s+)?(?P<interface>(?![RT]X\d\s)[A-Za-z][\w.:-]{0,31})\s+"
    r"(?:(?P<way>[RT]X)\s+(?P<switched>[B-])\s+(?P<passive>[E-])\s+)?"
    r"(?P<id>[0-9A-Fa-f]{8}|[0-9A-Fa-f]{3})\s+(?:\[(?P<size>\d{1,2})\]|\{[0-9A-Fa-f]\})(?P<rest>.*)"
)
_REST = re.compile(
    r"(?:\s+(?P<remote>remote request)|(?P<data>(?:\s+[0-9A-Fa-f]{2})*)|(?P<bits>(?:\s+[01]{8})+)"
    r"|\s+(?P<swapped>(?:[0-9A-Fa-f]{2}`)+[0-9A-Fa-f]{2}))"
    r"(?:\s+'.*'|\s+ERRORFRAME|\s*::.*)?\s*"
)
#: What candump says below an error frame (-e), and what it says itself.
_REMARK = re.compile(r"\t+[a-z-]+.*|(?:DROPCOUNT|Enabling|Disabled|interface = |warning: |read: ).*")
_XL = re.compile(r".*\s[0-9A-Fa-f]{3,5}#[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{8}#.*")
_XL_FRAMES = Unread("CAN XL frames, which are not read here")
_EPOCH = re.compile(r"(\d{9,10})\.(\d{6})")


class Grammar:
    """Takes lines of can-utils' forms."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last, self._steps, self._back = NO_TIME, 0, 0
        self._met = self._from_zero = False

    def take(self, line: str) -> Row | Unread | None:
        """Return the frame of a line; None for lines of another form."""
        marked = "#" in line  # one look spares three long ones at lines of other forms
        if marked and (found := _LOG.fullmatch(line)):
            return self._log(found)
        if ("[" in line or "{" in line) and (found := _CONSOLE.fullmatch(line)):
            return self._console(found)
        if marked and _XL.fullmatch(line):
            return _XL_FRAMES
        return BUS_STATE if self._met and _REMARK.fullmatch(line) else None

    def _log(self, found: re.Match[str]) -> Row | Unread:
        time, timed, any_id, send, interface, digits, fd, remote, data, way = found.groups()
        return self._row(
            time,
            PacketDirection.SENT if send else way_of_letter(way),
            timed or interface or "can",
            any_id or digits,
            bytes.fromhex(data.replace(".", "") if data else ""),
            remote=bool(remote),
            fd=FD_FORMAT | int(fd, 16) if fd else 0,
        )

    def _console(self, found: re.Match[str]) -> Row | Unread:
        rest = _REST.fullmatch(found["rest"])
        if rest is None:
            return WRONG_SIZE
        if rest["bits"]:
            data = bytes(int(each, 2) for each in rest["bits"].split())
        elif rest["swapped"]:
            data = bytes.fromhex(rest["swapped"].replace("`", ""))[::-1]
        else:
            data = bytes.fromhex(rest["data"] or "")
        # Two digits of size say CAN FD.
        size = found["size"] or ""
        fd = FD_FORMAT if len(size) == 2 else 0
        if fd and found["way"]:
            fd |= FD_SWITCHED * (found["switched"] == "B") | FD_PASSIVE * (found["passive"] == "E")
        remote = bool(rest["remote"])
        if size and not remote and int(size) != len(data):
            return WRONG_SIZE
        way = way_of_letter(found["way"])
        return self._row(found["time"], way, found["interface"], found["id"], data, remote=remote, fd=fd)

    def _row(
        self,
        time: str | None,
        way: PacketDirection,
        bus: str,
        digits: str,
        data: bytes,
        *,
        remote: bool,
        fd: int,
    ) -> Row | Unread:
        identifier, self._met = int(digits, 16), True
        when = self._time(time) if time else NO_TIME
        if len(digits) == 8 and identifier & ERROR:
            return can_row(error_frame(identifier, data), way, bus, when)
        extended = len(digits) == 8 or identifier > MAX_STANDARD
        return can_row(can_frame(identifier, data, extended=extended, remote=remote, fd=fd), way, bus, when)

    def _time(self, text: str) -> int:
        if found := _EPOCH.fullmatch(text):
            return int(found[1]) * 1_000_000_000 + int(found[2]) * 1000
        time = self._clock.time(text)
        if self._last == NO_TIME:
            self._from_zero = time == 0
        elif time != NO_TIME and self._from_zero:
            self._steps += 1
            self._back += time < self._last
            self._clock.since_before = self._back * 4 >= self._steps and self._back > 0
        self._last = time
        return time
