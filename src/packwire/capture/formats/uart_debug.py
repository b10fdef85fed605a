r"""ESPHome's uart_debug lines: `>>> 7E:32:..` was written to the device, `<<< 7E:32:..` read from it.

All its forms [https://esphome.io/components/uart/#debugging]: hex with any separator, decimal numbers
(`>>> 165,64,144`), and text in quotes (`<<< "~25\x0D"`). The logger of ESPHome cuts long lines without a
mark: a message that ends early may be longer than the log shows.
"""

import re

from packwire.capture.packets import PacketDirection
from packwire.capture.text.clock import STAMP, Clock
from packwire.capture.text.grammar import Row, Unread
from packwire.capture.text.tokens import TOKENS, hex_bytes, unescaped

NAME = "ESPHome uart_debug log"
EXAMPLES = (
    "[05:58:49][D][uart_debug:114]: >>> 7E:32:35:30:0D",
    r'[05:58:49][D][uart_debug:158]: <<< "~25\x0D"',
)

_TIME = re.compile(rf"\[({STAMP})\]")
_MARK = re.compile(r"(?:^|\s)(>>>|<<<) ?")
_QUOTED = re.compile(r"\"((?:\\.|[^\"\\])*)\"")
_HEX = re.compile(f"{TOKENS}")
_NONE = Unread("lines of uart_debug without bytes that can be read", damaged=True)


class Grammar:
    """Takes lines with the marks."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def take(self, line: str) -> Row | Unread | None:
        """Return the bytes behind a mark; None for other lines."""
        mark = _MARK.search(line)
        if not mark:
            return None
        payload = _payload(line[mark.end() :])
        if payload is None:
            return _NONE
        way = PacketDirection.SENT if mark[1] == ">>>" else PacketDirection.RECEIVED
        time = _TIME.search(line, 0, mark.start())
        return Row(payload, way, "uart", self._clock.time(time and time[1]))


def _payload(what: str) -> bytes | None:
    if quoted := _QUOTED.fullmatch(what):
        return unescaped(quoted[1])
    return hex_bytes(what) if _HEX.fullmatch(what) else None
