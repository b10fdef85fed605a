"""What libmodbus and its programs (mbpoll -v) print: `[01][03][00][00]` was written, `<01><03><04>` read.

picocom's map for bytes that cannot be printed writes `[dd][03]`, in small letters, of what it received.
"""

import re

from packwire.capture.packets import NO_TIME, PacketDirection
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import Row, Unread

NAME = "libmodbus output"
EXAMPLES = (
    "[01][03][00][00][00][02][C4][0B]",
    "<01><03><04><00><0D><00><01><6A><33>",
    "[dd][03][00][1b]",
)

#: An address, a function, and at least a checksum of two bytes.
_SENT = re.compile(r"\s{0,16}((?:\[[0-9A-F]{2}\]){4,260})")
_READ = re.compile(r"\s{0,16}((?:<[0-9A-F]{2}>){4,260})")
#: In small letters: at least one of them, or it is libmodbus'.
_MAPPED = re.compile(r"\s{0,16}((?:\[[0-9a-f]{2}\]){4,8000})")
_FORMS = (
    (_SENT, PacketDirection.SENT),
    (_READ, PacketDirection.RECEIVED),
    (_MAPPED, PacketDirection.UNKNOWN),
)


class Grammar:
    """Takes both forms."""

    def __init__(self, _clock: Clock) -> None:
        """Begin a file; there are no times."""

    def take(self, line: str) -> Row | Unread | None:
        """Return the bytes of a line; None for lines of another form."""
        for form, way in _FORMS:
            if found := form.fullmatch(line):
                return Row(bytes.fromhex(re.sub(r"[\[\]<>]", "", found[1])), way, "uart", NO_TIME)
        return None
