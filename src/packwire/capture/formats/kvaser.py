"""Kvaser's texts: CanKing's (`0  00000355  4  3E 00 64 00  17.124730 R`) and the Memorator's plain text.

CanKing does not say whether its numbers are hex or decimal: identifiers of eight digits and bytes of two tell
it. The Memorator's header says it.
"""

import re

from packwire.capture.packets import PacketDirection
from packwire.capture.text.can import (
    UNKNOWN_BASE,
    WRONG_SIZE,
    can_frame,
    can_row,
    error_frame,
    way_of_letter,
)
from packwire.capture.text.clock import Clock, seconds
from packwire.capture.text.grammar import BEGINS, NO_BYTES, Row, Unread

NAME = "Kvaser log"
EXAMPLES = (
    """\
Chn Identifier Flg   DLC  D0...1...2...3...4...5...6..D7       Time     Dir
 0    00000355         4  3E  00  64  00                      17.124730 R""",
    """\
Format of data field: HEX
Format of id field:   HEX
    Time Chan   Identifier Flags        DLC  Data       Counter
    1.062310  1       355    Rx            4  3E 00 64 00        1""",
)
ADVICE = "let CanKing show hexadecimal numbers before it logs"

_KING = re.compile(r"Chn\s+Identifier\s+Flg\s+DLC\s+D0\S*\s+Time\s+Dir\s*")
_MEMORATOR = re.compile(r"\s*Time\s+Chan\s+Identifier\s+Flags\s+DLC\s+Data\s+Counter\s*")
_BASE = re.compile(r"\s*Format of (?P<what>data|id) field:\s*(?P<base>HEX|DEC)\s*")
_KING_ROW = re.compile(
    r"\s*(?P<bus>\d{1,2})\s+(?P<id>[0-9A-Fa-f]{1,10})\s+(?P<flags>[A-Z]{1,4}\s+|(?<=\s\s))(?P<size>\d{1,2})"
    r"(?P<data>(?:\s+[0-9A-Fa-f]{1,3}){0,8})\s+(?P<time>\d{1,9}\.\d{1,9})\s+(?P<way>[RT])\s*"
)
_KING_ERROR = re.compile(r"\s*\d{1,2}\s+ErrorFrame\s.*?(?P<time>\d{1,9}\.\d{1,9})\s+[RT]\s*")
_MEMORATOR_ROW = re.compile(
    r"\s*(?P<time>\d{1,9}\.\d{1,9})\s+(?P<bus>\d{1,2})\s+(?P<id>[0-9A-Fa-f]{1,10})(?P<wide>x?)\s+"
    r"(?P<way>TxRq|Tx|Rx)\s+(?P<flags>(?:[EFBPRW#](?: ?[EFBPRW#])*\s+)?)(?P<size>\d{1,2})\s+"
    r"(?:(?:(?P<remote>RTR)|(?P<data>[0-9A-Fa-f]{1,3}(?:\s+[0-9A-Fa-f]{1,3}){0,7}))\s+|(?<=\s\s))\d{1,12}\s*"
)


class Grammar:
    """Takes a header and the rows below it."""

    def __init__(self, _clock: Clock) -> None:
        self._form = ""
        self._bases: dict[str, int] = {}

    def take(self, line: str) -> Row | Unread | None:
        """Return the frame of a row; None for lines of another form."""
        if "Format of" in line and (found := _BASE.fullmatch(line)):
            self._bases[found["what"]] = 16 if found["base"] == "HEX" else 10
            return NO_BYTES
        if "Identifier" in line:
            for form, header in (("king", _KING), ("memorator", _MEMORATOR)):
                if header.fullmatch(line):
                    self._form = form
                    return BEGINS
        if self._form == "king":
            return self._king(line)
        found = _MEMORATOR_ROW.fullmatch(line) if self._form else None
        return self._memorator(found) if found else None

    def _king(self, line: str) -> Row | Unread | None:
        if error := _KING_ERROR.fullmatch(line):
            return can_row(error_frame(), PacketDirection.RECEIVED, "can", seconds(error["time"]))
        found = _KING_ROW.fullmatch(line)
        if found is None:
            return None
        tokens = found["data"].split()
        if len(found["id"]) != 8 or any(len(each) != 2 for each in tokens):
            return UNKNOWN_BASE
        remote = "R" in found["flags"]
        if len(tokens) != int(found["size"]) and not remote:
            return WRONG_SIZE
        data = b"" if remote else bytes.fromhex("".join(tokens))
        frame = can_frame(int(found["id"], 16), data, extended="X" in found["flags"], remote=remote)
        return can_row(frame, way_of_letter(found["way"]), f"can{found['bus']}", seconds(found["time"]))

    def _memorator(self, found: re.Match[str]) -> Row | Unread:
        if {"id", "data"} - self._bases.keys():
            return UNKNOWN_BASE
        try:
            identifier = int(found["id"], self._bases["id"])
            data = bytes(int(each, self._bases["data"]) for each in (found["data"] or "").split())
        except ValueError:
            return WRONG_SIZE
        remote = bool(found["remote"])
        if "F" in found["flags"] or (len(data) != int(found["size"]) and not remote):
            return WRONG_SIZE
        frame = can_frame(identifier, data, extended=bool(found["wide"]), remote=remote)
        return can_row(frame, way_of_letter(found["way"]), f"can{found['bus']}", seconds(found["time"]))
