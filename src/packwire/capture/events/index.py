"""Finding the sentences that may be in a line, without looking for each of some hundred.

Each sentence is found by one word of its anchor: the words of a line are looked up at once.
"""

import re
from collections.abc import Callable
from operator import itemgetter
from string import ascii_letters

from packwire.capture.events import (
    batmon,
    bluez,
    can,
    esphome,
    home_assistant,
    host_tools,
    modbus,
    other_stacks,
    program,
    vesc,
    wired,
)
from packwire.capture.events.saying import Sentence
from packwire.event import EventKind

#: Every sentence, in the order in which a line's events are told.
SAYINGS: tuple[Sentence, ...] = tuple(
    row
    for each in (
        home_assistant,
        bluez,
        esphome,
        batmon,
        wired,
        vesc,
        can,
        program,
        other_stacks,
        modbus,
        host_tools,
    )
    for row in each.SAYINGS
)

type _Rows = list[tuple[int, Sentence]]

_WORD = re.compile("[A-Za-z]{3,}")
_FAILS = frozenset(
    {EventKind.DAMAGED, EventKind.TIMED_OUT, EventKind.REFUSED, EventKind.LOST, EventKind.FAILED}
)
#: Counters of failures that count none.
_COUNTS_NONE = re.compile(
    r"\b(?:errors?|failures?|fails|timeouts?|retries|lost)(?:[ _](?:count(?:er)?s?|total))?[\"']?"
    r"\s{0,3}[:=]\s{0,3}0\b(?![.x])"
    r"|\b(?:no|0) (?:\w+ )?(?:errors?|timeouts?|failures?)\b",
    re.IGNORECASE,
)
#: The kernel on hardware that is neither Bluetooth, a serial port, nor CAN.
_OF_A_DRIVER = re.compile(
    r"(?:.{0,80} kernel: )?\[ {0,6}\d{1,8}\.\d{1,6}\] "
    r"(?!.{0,60}(?:blue|hci\d|tty|serial|uart|can\d|usb|cdc|ftdi|rfcomm|SMP))",
    re.IGNORECASE,
)


def key_of(anchor: str) -> str:
    """Return the word of an anchor that it is found by: the longest, whole ones first; or ''."""
    words = [(found.start() > 0 and found.end() < len(anchor), found[0]) for found in _WORD.finditer(anchor)]
    return max(words, key=lambda each: (each[0], len(each[1])), default=(False, ""))[1]


def _forms(anchor: str) -> list[str]:
    """Return the words of a line by which an anchor is found; '' where it has none."""
    key = key_of(anchor)
    if key and anchor.startswith(key) and key[0].islower():
        return [key, *(letter + key for letter in ascii_letters)]  # its first letter may be left out
    return [key]


def finder() -> Callable[[str], list[Sentence]]:
    """Return what finds the sentences whose anchors are in a line."""
    by_anchor: dict[str, _Rows] = {}
    for number, row in enumerate(SAYINGS):
        by_anchor.setdefault(row.anchor, []).append((number, row))
    by_word: dict[str, list[tuple[str, _Rows]]] = {}
    for anchor, rows in by_anchor.items():
        for form in _forms(anchor):
            by_word.setdefault(form, []).append((anchor, rows))
    always = by_word.pop("", [])
    known = frozenset(by_word)

    def find(line: str) -> list[Sentence]:
        found = [row for anchor, rows in always if anchor in line for row in rows]
        for word in known.intersection(_WORD.findall(line)):
            for anchor, rows in by_word[word]:
                if anchor in line:
                    found += rows
        if len(found) > 1:
            found.sort(key=itemgetter(0))
        return [row for _, row in found]

    return find


def said_of(found: list[Sentence], line: str) -> list[tuple[Sentence, dict[str, str]]]:
    """Return the sentences that a line says, each code once, with their values."""
    said: dict[str, tuple[Sentence, dict[str, str]]] = {}
    if any(row.kind in _FAILS for row in found) and (_COUNTS_NONE.search(line) or _OF_A_DRIVER.match(line)):
        found = [row for row in found if row.kind not in _FAILS]
    for row in found:
        if row.code not in said and (values := _values(row, line)) is not None:
            said[row.code] = row, values
    return list(said.values())


def _values(row: Sentence, line: str) -> dict[str, str] | None:
    if row.pattern is None:
        return {}
    begin = max(line.index(row.anchor) - row.start, 0) if row.start >= 0 else 0
    found = row.pattern.search(line, begin)
    if found is None:
        return None
    return {key: value for key, value in found.groupdict().items() if value is not None}
