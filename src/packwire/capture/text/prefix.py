"""How a line of a log begins: its time, and who says it how loud. What is said stands behind that."""

import re
from functools import lru_cache
from typing import NamedTuple

from packwire.capture.text.clock import STAMP, Clock

_LEVEL = r"(?P<{0}>DEBUG|INFO|WARN(?:ING)?|ERROR|CRITICAL|TRACE|VERBOSE|NOTICE|FATAL|EXCEPTION)"
_DATE = r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}"
_SYSLOG = r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})?"
_ANY_TIME = rf"{STAMP}|{_DATE},? \d\d?:\d\d:\d\d(?:[.,]\d{{1,9}})?(?: ?[AaPp][Mm]\b)?|\d{{1,10}}\.\d{{1,9}}"

#: A time in brackets or followed by a blank; a word of brackets holding nothing but digits is a time as well.
_TIME = re.compile(
    rf"\s*(?:\[(?P<opened>{STAMP})(?=\s+[A-Z]{{4,8}}\s)"
    rf"|\[\s*(?P<squared>{_ANY_TIME}|\d{{3,13}})\s*\]|\(\s*(?P<round>{_ANY_TIME})\s*\)"
    rf"|(?P<system>{_SYSLOG}) [\w.-]+ [\w./@-]+(?:\[\d+\])?:"
    rf"|(?P<plain>{_ANY_TIME})(?=[\s,;|]|: |:$|$|:[A-Z]{{4,9}}:)"
    rf"|(?P<number>\d{{1,13}})[:,;]?(?=\s+[A-Za-z<>\[-])"
    rf"|(?:\d\d-\d\d )(?P<logcat>\d\d:\d\d:\d\d\.\d{{3}})(?=\s))[,;:]?\s*(?:- (?=[A-Z\[<]))?"
)
#: The Arduino IDE's serial monitor puts `12:00:01.250 -> ` before each line.
_ARROW = re.compile(r"-> ?")
_MONITOR = re.compile(r"\d\d:\d\d:\d\d\.\d{3}")

_HEADS = tuple(
    re.compile(pattern)
    for pattern in (
        _LEVEL.format("level") + r":[\w.-]+:(?:[\w.@-]+:)?\s?",  # DEBUG:SerialBattery:
        _LEVEL.format("level")
        + r"\s+(?:\([^)]{0,60}\)\s*)?\[[^\]]{0,80}\]\s*",  # DEBUG (MainThread) [logger]
        r"\[" + _LEVEL.format("level") + r"\s*\]\s+\[[^\]]{0,80}\]\s+-\s+",  # [DEBUG] [logger] -
        _LEVEL.format("level") + r"\s+[\w:.]{0,60}\]\s*",  # DEBUG module] in brackets with the time
        _LEVEL.format("level") + r"\s+[\w.]+:\d+:?\s+",  # DEBUG transaction:143 SEND:
        r"<(?!Buffer )[A-Za-z][\w-]{2,30}(?: [A-Z]{3,8})?> (?=\S)",  # <DALY-BMS DEBUG>
        r"\d{6}-(?=[TR]x:)",  # 000001-Tx: of Modbus Poll
        r"\|\s*"
        + _LEVEL.format("level")
        + r"\s*\|[^|]{0,60}\|[^|]{0,80}\|\s*",  # | DEBUG | Thread-2 | Class:46 |
        r"-\s+[\w.]+\s+-\s+" + _LEVEL.format("level") + r"\s+-\s+",  # - logger - DEBUG -
        r"-?\s*\[?"
        + _LEVEL.format("level")
        + r"\]?\s*(?:-\s+[\w.-]+\s+-\s+|:\s+|-\s+|\s+(?:[\w.-]+:\s+|[a-z_]\w*(?:\.\w+)+\s+(?=\S))?)",
        r"[\w.]+\s+" + _LEVEL.format("level") + r":\s+",  # __main__ INFO:
        r"(?P<level>[VDIWEF])/[\w.$ -]{1,40}\(\s*\d{1,7}\):\s+",  # D/BluetoothGatt( 1234):
        r"\d{1,7}\s+\d{1,7}\s+(?P<level>[VDIWEF])\s+[\w.$/-]{1,40}\s*:\s+",  # 1234  5678 D Tag:
        r"(?P<level>[VDIWE]) \((?P<ms>\d{1,10})\) [\w.-]{1,40}:\s+",  # I (305) tag:
        r"\[(?P<level>[VDIWE]{1,2}|C)\]\[[\w.]+(?::\d+)?\]:\s?",  # [D][component:12]:
        r"(?P<level>)(?:\w+\.)+\w+:\s+",  # package.module:
        r"\s?(?P<level>LOG)  (?=\S)",  # what a phone prints to Metro
    )
)
#: Whether any of them may match.
_ANY_HEAD = re.compile("|".join(re.sub(r"\?P<\w+>", "?:", each.pattern) for each in _HEADS))
_LOUD = frozenset("WEF") | {"WARN", "WARNING", "ERROR", "CRITICAL", "FATAL", "EXCEPTION"}


class Prefix(NamedTuple):
    """How a line begins: its time as text, where its message begins, and what stands between.

    `loud` tells that it is a warning or an error; `logged` that a level or a logger is named; `monitor` that
    a serial monitor wrote the time, with an arrow behind it that is no direction; `ms` is a time in ms.
    """

    time: str
    at: int
    loud: bool = False
    logged: bool = False
    monitor: bool = False
    ms: str = ""
    number: bool = False

    def when(self, clock: Clock) -> int:
        """Return the time in ns, or NO_TIME."""
        if self.ms:
            return int(self.ms) * 1_000_000
        return clock.odd(self.time) if self.number else clock.time(self.time)


_NONE = Prefix("", 0)


@lru_cache(maxsize=4)  # several grammars ask for the same line
def prefix(line: str) -> Prefix:
    """Return how a line begins."""
    found = _TIME.match(line)
    time, at, monitor, number = "", 0, False, False
    if found:
        time = found[found.lastgroup or 0]
        at = found.end()
        number = found.lastgroup == "number" or time.isdigit()
        arrow = _ARROW.match(line, at) if _MONITOR.fullmatch(time) else None
        if arrow:
            at, monitor = arrow.end(), True
    elif line[:1].islower() and "." not in line[:60]:
        return _NONE
    for head in _HEADS if _ANY_HEAD.match(line, at) else ():
        named = head.match(line, at)
        if named:
            groups = named.groupdict()
            return Prefix(
                time,
                named.end(),
                (groups.get("level") or "") in _LOUD,
                logged=True,
                monitor=monitor,
                ms=groups.get("ms") or "",
                number=number,
            )
    return Prefix(time, at, monitor=monitor, number=number) if found else _NONE
