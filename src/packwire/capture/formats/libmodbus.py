"""What libmodbus and its programs (mbpoll -v) print: `[01][03][00][00]` was written, `<01><03><04>` read.

picocom's map for bytes that cannot be printed writes `[dd][03]`, in small letters, of what it received. Few
such bytes may be anything else in brackets, unless their checksum is right.
"""

import re

from packwire.capture.packets import NO_TIME, PacketDirection
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import Row, Unread
from packwire.capture.text.said import is_frame

NAME = "libmodbus output"
EXAMPLES = (
    "[01][03][00][00][00][02][C4][0B]",
    "<01><03><04><00><0D><00><01><6A><33>",
    "[dd][a5][03][00][ff][fd][77]",
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
#: As long as a request of most packs.
_CLEAR = 7
_FEW = "lines of a few letters and digits in brackets that may be no bytes"


class Grammar:
    """Takes both forms."""

    def __init__(self, _clock: Clock) -> None:
        """Begin a file; there are no times."""

    def take(self, line: str) -> Row | Unread | None:
        """Return the bytes of a line; None for lines of another form."""
        for form, way in _FORMS:
            if found := form.fullmatch(line):
                payload = bytes.fromhex(re.sub(r"[\[\]<>]", "", found[1]))
                doubted = form is _MAPPED and len(payload) < _CLEAR and not is_frame(payload)
                return Row(payload, way, "uart", NO_TIME, doubt=_FEW if doubted else "", shape="mapped")
        return None
