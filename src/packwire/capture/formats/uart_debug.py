r"""ESPHome's uart_debug lines: `>>> 7E:32:..` was written to the device, `<<< 7E:32:..` read from it.

All its forms: hex with any separator, decimal numbers (`>>> 165,64,144`), binary (`>>> 0b10100101 (0xA5)`),
and text in quotes (`<<< "~25\x0D"`). The logger of ESPHome cuts long lines without a mark: a message that
ends early may be longer than the log shows. At the level VERY_VERBOSE each byte has a line of its own
(`[VV][uart.arduino_esp32:121]: Wrote 0b01010101 (0x55)`): those that follow each other are one message.
"""

import re

from packwire.capture.packets import NO_TIME, PacketDirection
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import NO_BYTES, Row, Unread
from packwire.capture.text.prefix import prefix
from packwire.capture.text.tokens import TOKENS, hex_bytes, unescaped

NAME = "ESPHome uart_debug log"
EXAMPLES = (
    "[05:58:49][D][uart_debug:114]: >>> 7E:32:35:30:0D",
    r'[05:58:49][D][uart_debug:158]: <<< "~25\x0D"',
    "[05:58:49][D][uart_debug:176]: <<< 165,1,144,8",
    "[05:58:49][VV][uart.arduino_esp32:121]:     Wrote 0b10100101 (0xA5)",
)
ADVICE = "set `debug:` with `direction: BOTH` under `uart:`"

_MARK = re.compile(r"\s*(>>>|<<<) ?")
_REMARK = r"(?:\s+(?:#|//|;|--).*|\s*\(\d+\))?"
_QUOTED = re.compile(rf"\"((?:\\.|[^\"\\])*)\"{_REMARK}")
_HEX = re.compile(rf"({TOKENS}){_REMARK}")
_DECIMAL = re.compile(r"\d{1,3}(?P<between>[,; :]) ?(?:\d{1,3}(?P=between) ?)*\d{1,3}|\d{1,3}")
_BINARY = re.compile(r"0b[01]{8} \(0x([0-9A-Fa-f]{2})\)")
_NUMBER = re.compile(r"\d+")
_ONE = re.compile(
    r".{0,60}?\[uart(?:[._]\w+)?:\d+\]:?\s+(?P<what>Wrote|Read) 0b[01]{8} \(0x(?P<byte>[0-9A-F]{2})\)\s*"
)
_NO_ONE = (PacketDirection.UNKNOWN, NO_TIME)
#: Bytes that are printed later than this after the one before begin another message.
_PAUSE = 50_000_000
#: The same bytes once more, as lambdas under `debug:` print them beside the component's own line.
_AGAIN = re.compile(
    r"\[uart_debug:\d+\]:? ?[TR]X\b[^:\]]{0,20}(?:\[\d{1,4}\])?: ?(?P<rest>[0-9A-Fa-f][0-9A-Fa-f :.,]*)"
)
_NONE = Unread("lines of uart_debug without bytes that can be read", damaged=True)
_EITHER = Unread("lines of uart_debug whose numbers may be decimal or hexadecimal", damaged=True)


class Grammar:
    """Takes lines with the marks."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._decimal: bool | None = None
        """Whether numbers are decimal; None as long as no line has told."""
        self._last: bytes | None = None
        self._one_before = _NO_ONE
        """Which way the line before went, and when, if it was one of a single byte."""
        self._ones: dict[PacketDirection, bytearray] = {}
        """What lines of single bytes said last, which the line of the whole message says once more."""

    def take(self, line: str) -> Row | Unread | None:
        """Return the bytes behind a mark; None for other lines."""
        if " 0b" in line and (one := _ONE.fullmatch(line)):
            return self._single(line, one)
        if ">>>" not in line and "<<<" not in line:
            return NO_BYTES if self._last is not None and self._again(line) else None
        head = prefix(line)
        mark = _MARK.match(line, head.at)
        if not mark:
            return None
        payload = self._payload(line[mark.end() :])
        if not isinstance(payload, bytes):
            return payload if "uart_debug" in line[: mark.start()] else None
        way = PacketDirection.SENT if mark[1] == ">>>" else PacketDirection.RECEIVED
        if bytes(self._ones.pop(way, b"")) == payload:
            return NO_BYTES  # what its single bytes said already
        self._one_before = _NO_ONE
        self._last = payload
        return Row(payload, way, "uart", head.when(self._clock))

    def _single(self, line: str, one: re.Match[str]) -> Row:
        time, byte = prefix(line).when(self._clock), bytes.fromhex(one["byte"])
        way = PacketDirection.SENT if one["what"] == "Wrote" else PacketDirection.RECEIVED
        before, last = self._one_before
        joins = before is way and (time == last or 0 <= time - last <= _PAUSE)
        self._one_before = (way, time)
        if not joins or way not in self._ones:
            self._ones[way] = bytearray()
        self._ones[way] += byte
        return Row(byte, way, "uart", time, joins=joins)

    def _again(self, line: str) -> bool:
        """Tell whether a line shows the last message again, in hex or in decimal numbers."""
        found = _AGAIN.search(line)
        if found is None:
            return False
        tokens = re.split("[ :.,]+", found["rest"].strip())
        if any(len(each) > 3 for each in tokens):
            return False
        numbers = [int(each) if each.isdigit() else -1 for each in tokens]
        return self._last in {
            bytes(each & 0xFF for each in numbers),
            bytes(int(each, 16) & 0xFF for each in tokens),
        }

    def _payload(self, what: str) -> bytes | Unread:
        if quoted := _QUOTED.fullmatch(what):
            return unescaped(quoted[1])
        if what.startswith("0b"):
            return bytes.fromhex("".join(_BINARY.findall(what)))
        found = _HEX.fullmatch(what)
        numbers = [int(each) for each in _NUMBER.findall(what)] if _DECIMAL.fullmatch(what) else []
        if not numbers:
            self._decimal = self._decimal if found is None else False
            return (hex_bytes(found[1]) or _NONE) if found else _NONE
        if found is None:
            if max(numbers) > 255:
                return _NONE
            self._decimal = True
        elif self._decimal is None and (what[2:3] == ":" or re.search(r"\b0\d", what)):
            self._decimal = False
        if self._decimal is None:
            return _EITHER
        return bytes(numbers) if self._decimal else (hex_bytes(found[1]) if found else None) or _NONE
