r"""ESPHome's uart_debug lines: `>>> 7E:32:..` was written to the device, `<<< 7E:32:..` read from it.

Also its form in quotes (`<<< "~25\x0D"`). The logger of ESPHome cuts long lines without a mark: a
message that ends early may be longer than the log shows.
"""

import re

from packwire.capture.formats.text_lines import HEX, Clock, Table, head_lines, hex_bytes, lines, literal_bytes
from packwire.capture.packets import NO_TIME, PacketDirection, Packets
from packwire.errors import BadFileError
from packwire.messages import Bytes

NAME = "ESPHome uart_debug log"

_TIME = re.compile(r"\[(\d\d:\d\d:\d\d(?:\.\d+)?)\]")
_MARK = re.compile(r"(?:^|\s)(>>>|<<<) ?")
_QUOTED = re.compile(r"\"(?:\\.|[^\"\\])*\"")
_HEX = re.compile(HEX)


def matches(head: bytes) -> bool:
    """Tell whether one of the first lines is of this kind."""
    marks = ((line, _MARK.search(line)) for line in head_lines(head))
    return any(mark and _payload(line[mark.end() :]) for line, mark in marks)


def read(data: Bytes) -> Packets:
    """Find the messages. Raises BadFileError where the log has none."""
    table, clock = Table(NAME), Clock()
    for at, text in lines(data, table):
        mark = _MARK.search(text)
        if table.comment(at, text) or not mark:
            continue
        payload = _payload(text[mark.end() :])
        if payload is None:
            table.bad(at)
            continue
        way = PacketDirection.SENT if mark[1] == ">>>" else PacketDirection.RECEIVED
        time = _TIME.search(text, 0, mark.start())
        table.add(clock.time(time[1]) if time else NO_TIME, way, "uart", payload)
    if not len(table):
        raise BadFileError(
            "this ESPHome log holds no bytes: set `debug:` with `direction: BOTH` under `uart:`"
        )
    return table.packets()


def _payload(what: str) -> bytes | None:
    if _QUOTED.fullmatch(what):
        return literal_bytes("b" + what)
    return hex_bytes(what) if _HEX.fullmatch(what) else None
