"""What programs say that are not known here, in the words that all of them use.

It counts where the sentences of known programs decide nothing: what such words mean, only their program
knows.
"""

import re
from typing import NamedTuple

from packwire.event import EventKind


class Common(NamedTuple):
    """Words that many programs use: the event's code and kind, and the words."""

    code: str
    kind: EventKind
    pattern: re.Pattern[str]


def _common(code: str, kind: EventKind, pattern: str) -> Common:
    return Common(code, kind, re.compile(pattern, re.IGNORECASE))


_OF_A_REPLY = r"(?:response|reply|answer|read|receive|request|communication|command|data)"

#: The words of failures; a line may have several.
COMMON = (
    _common(
        "unknown-silence",
        EventKind.TIMED_OUT,
        rf"\bno (?:response|reply|answer|data)\b|empty (?:response|reply)|(?:not|n't) respond"
        rf"|{_OF_A_REPLY}s? (?:has |have )?(?:timed? ?-?out|timeout)"
        r"|time-?(?:d )?out (?:while )?(?:waiting|reading|receiving)|timeout (?:for|of|from) "
        rf"|\bfailed after \d+ (?:tries|attempts|retries)|waiting for {_OF_A_REPLY}.{{0,40}}time",
    ),
    _common(
        "unknown-damage",
        EventKind.DAMAGED,
        r"\b(?:crc\d{0,2}|checksums?|lrc)\b.{0,30}\b(?:error|fail|mismatch|invalid|wrong|bad\b|incorrect|!=)"
        r"|(?:invalid|wrong|bad|incorrect|corrupt\w*|unexpected) (?:crc|checksum|frame|packet|header|length"
        r"|start|preamble)|\b(?:unable to|lost|out of) sync\b",
    ),
    _common(
        "unknown-idle", EventKind.DAMAGED, r"(?:\b(?:0x)?ff[ .:,-]{1,2}){16}|(?:\b(?:0x)?00[ .:,-]{1,2}){32}"
    ),
    _common(
        "unknown-adapter",
        EventKind.ADAPTER,
        r"(?:time-?(?:d )?out|fail\w*|unable|cannot|can't|could not|broken pipe).{0,50}"
        r"\b(?:hci\d?|(?:bluetooth )?(?:adapter|controller))\b|/hci\d/.{0,50}broken pipe",
    ),
    _common(
        "unknown-secret",
        EventKind.PAIRING,
        r"\b(?:key|pin(?:code)?|pass(?:key|word|code|phrase)|secret)\b.{0,20}(?:not match|mismatch|incorrect"
        r"|invalid|wrong|missing|reject)"
        r"|(?:invalid|wrong|incorrect) (?:\w+ )?(?:key|pin(?:code)?|pass(?:key|word|code))\b",
    ),
    _common(
        "unknown-no-notify",
        EventKind.FAILED,
        r"(?:could ?n[o']t|cannot|can't|unable to|fail(?:ed|s)? to|error)"
        r" (?:start|enable|subscribe|register|get).{0,30}\b(?:notif|indicat)",
    ),
    _common(
        "unknown-no-link",
        EventKind.FAILED,
        r"(?:could ?n[o']t|cannot|can't|unable to|fail(?:ed|s)? to|failure to|error) (?:re)?connect"
        r"|(?:re)?connect(?:ion|ing)?(?: attempt)? (?:has )?(?:fail|timed ?out|timeout|error|lost|aborted)"
        r"|failed connect",
    ),
    _common(
        "unknown-not-found",
        EventKind.NOT_SEEN,
        r"\b(?:device|battery|bms|sensor)s? .{0,24}(?:not (?:be )?found|out of range|unreachable)"
        r"|\bno (?:device|batter|bms)\w* (?:was |were )?found",
    ),
)
#: Words that tell over what the pack is spoken to.
BLUETOOTH = _common(
    "names-bluetooth",
    EventKind.INFO,
    r"bluetooth|\bble\b|\bgatt|\bhci\d|\brssi\b|\bbleak|characteristic|advertis|peripheral"
    r"|\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b",
)
WIRE = _common(
    "names-wire",
    EventKind.INFO,
    r"tty(?:usb|acm|ama|s)\d|\bcom\d{1,3}\b|\bserial\b|\buart|rs-?(?:485|232)|\bbaud|modbus",
)
