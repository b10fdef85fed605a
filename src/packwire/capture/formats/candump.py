"""can-utils' text: candump's log files (`can0 355#3E00`) and its console output in all forms; cansend's lines.

Times are absolute, with a date, since the first frame, or since the frame before: where many go back, each
is taken as the time since the frame before.
"""

import re

from packwire.capture.formats.can_rows import (
    BUS_STATE,
    ERROR,
    FD_FORMAT,
    FD_PASSIVE,
    FD_SWITCHED,
    MAX_STANDARD,
    WRONG_SIZE,
    CanRow,
    can_frame,
    error_frame,
    row_of,
    seconds,
    way_of_letter,
)
from packwire.capture.formats.text_lines import Clock
from packwire.capture.packets import NO_TIME, PacketDirection

NAME = "candump log"

_TIME = r"\((?P<time>[^()]{1,40})\)"
#: What precedes a frame where no time does: nothing, an interface, or cansend with one.
_INTERFACE = r"(?:(?:[^\s#]{0,20}[$#] )?(?P<send>cansend) )?(?:(?P<interface>[A-Za-z][A-Za-z0-9_.:-]{0,15})\s+)?"
#: (1436509052.249713) vcan0 044#2A366C2B R
_LOG = re.compile(
    r"\s*(?:" + _TIME + r"\s+(?P<timed>[^\s#]{1,32})\s+(?P<any>[0-9A-Fa-f]{1,8})|"
    + _INTERFACE + r"(?P<id>[0-9A-Fa-f]{8}|[0-9A-Fa-f]{3}))"
    r"#(?:#(?P<fd>[0-9A-Fa-f]))?(?:(?P<remote>R)[0-9A-Fa-f]?|(?P<hex>(?:[0-9A-Fa-f]{2}\.?)*))"
    r"(?:_[0-9A-Fa-f])?(?:\s+(?P<way>[RT]))?(?:\s*::.*)?"
)  # fmt: skip
#:   can0  RX - -  355   [8]  00 11 22 33 44 55 66 77   '..'
_CONSOLE = re.compile(
    r"\s*(?:" + _TIME + r"\s+)?(?P<interface>[A-Za-z][\w.:-]{0,31})\s+"
    r"(?:(?P<way>[RT]X)\s+(?P<switched>[B-])\s+(?P<passive>[E-])\s+)?"
    r"(?P<id>[0-9A-Fa-f]{8}|[0-9A-Fa-f]{3})\s+(?:\[(?P<size>\d{1,2})\]|\{(?P<dlc>[0-9A-Fa-f])\})(?P<rest>.*)"
)
_REST = re.compile(
    r"(?:\s+(?P<remote>remote request)|(?P<data>(?:\s+[0-9A-Fa-f]{2})*)|(?P<bits>(?:\s+[01]{8})+)"
    r"|(?P<swapped>\s+(?:[0-9A-Fa-f]{2}`)*[0-9A-Fa-f]{2}))"
    r"(?:\s+'.*'|\s+ERRORFRAME|\s*::.*)?\s*"
)
#: What candump -e says below an error frame, and what it says itself.
_REMARK = re.compile(r"\t+[a-z-]+.*|(?:DROPCOUNT|Enabling|Disabled|interface =|using|warning:).*")
_XL = re.compile(r".*\s[0-9A-Fa-f]{3,5}#[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{8}#.*")
_EPOCH = re.compile(r"(\d{9,10})\.(\d{6})")


class Grammar:
    """The lines of one file."""

    def __init__(self) -> None:
        self._clock = Clock()

    def row(self, text: str) -> CanRow | str | None:
        """Return the frame of a line, the reason where it is none, or None for another line."""
        if found := _LOG.fullmatch(text):
            return self._log(found)
        if found := _CONSOLE.fullmatch(text):
            return self._console(found)
        if _XL.fullmatch(text):
            return "CAN XL frames, which are not read here"
        return BUS_STATE if _REMARK.fullmatch(text) else None

    def _log(self, found: re.Match[str]) -> CanRow | str:
        digits = found["id"] or found["any"]
        data = bytes.fromhex((found["hex"] or "").replace(".", ""))
        fd = FD_FORMAT | int(found["fd"], 16) if found["fd"] else 0
        way = PacketDirection.SENT if found["send"] else way_of_letter(found["way"] or "")
        interface = found["timed"] or found["interface"] or "can"
        return self._row(found["time"], way, interface, digits, data, remote=bool(found["remote"]), fd=fd)

    def _console(self, found: re.Match[str]) -> CanRow | str:
        rest = _REST.fullmatch(found["rest"])
        if rest is None:
            return WRONG_SIZE
        if rest["bits"]:
            data = bytes(int(each, 2) for each in rest["bits"].split())
        else:
            data = bytes.fromhex((rest["data"] or rest["swapped"] or "").replace("`", " "))
            data = data[::-1] if rest["swapped"] and "`" in rest["swapped"] else data
        # Two digits of size say CAN FD.
        size = found["size"] or ""
        fd = FD_FORMAT if len(size) == 2 else 0
        if fd and found["way"]:
            fd |= FD_SWITCHED * (found["switched"] == "B") | FD_PASSIVE * (found["passive"] == "E")
        if size and not rest["remote"] and int(size) != len(data):
            return WRONG_SIZE
        way = way_of_letter(found["way"] or "")
        return self._row(
            found["time"], way, found["interface"], found["id"], data, remote=bool(rest["remote"]), fd=fd
        )

    def _row(
        self, time: str | None, way: PacketDirection, bus: str, digits: str, data: bytes, *, remote: bool, fd: int
    ) -> CanRow | str:
        identifier = int(digits, 16)
        when = self._time(time) if time else NO_TIME
        if len(digits) == 8 and identifier & ERROR:
            return CanRow(when, way, bus, error_frame(identifier, data))
        extended = len(digits) == 8 or identifier > MAX_STANDARD
        return row_of(when, way, bus, can_frame(identifier, data, extended=extended, remote=remote, fd=fd))

    def _time(self, text: str) -> int | None:
        if found := _EPOCH.fullmatch(text):
            return int(found[1]) * 1_000_000_000 + int(found[2]) * 1000
        time = seconds(text)
        if time is None:
            time = self._clock.time(text)
        return None if time == NO_TIME else time
