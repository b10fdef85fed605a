r"""Debug logs of mpp-solar: `full command b'QPI..' for command QPI`, `serial response was: b'(PI30..'`.

They show one response several times: what is read of the port counts, all else is no message.
"""

import re

from packwire.capture.packets import PacketDirection
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import NO_BYTES, Row, Unread
from packwire.capture.text.prefix import prefix
from packwire.capture.text.tokens import LITERAL, literal_bytes

NAME = "mpp-solar log"
EXAMPLES = (
    r"2026-01-02 10:00:00,123:INFO:device:run_command@298: full command b'QPI\xbe\xac\r' for command QPI",
    r"2026-01-02 10:00:00,223:DEBUG:serialio:send_and_receive@30: serial response was: b'(PI30\x9a\x0b\r'",
)

_TRAFFIC = re.compile(
    rf"(?:(?P<sent>full command:? )(?={LITERAL} for command)|\w{{2,12}} response was: )"
    rf"(?P<literal>{LITERAL})(?: for command.*)?"
)
#: Where the same bytes are shown again, or parts of them.
_AGAIN = re.compile(
    r"(?:Send and Receive Response|response passed to decode:|full command:?|Calculating CRC for) "
    rf"{LITERAL}.*"
)


class Grammar:
    """Takes what was written to a port, and what was read of it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def take(self, line: str) -> Row | Unread | None:
        """Return the bytes of a command or a response; None for lines of another form."""
        if " b'" not in line and ' b"' not in line and "(b" not in line:
            return None
        head = prefix(line)
        found = _TRAFFIC.fullmatch(line, head.at) if head.logged else None
        if found is None:
            return NO_BYTES if head.logged and _AGAIN.fullmatch(line, head.at) else None
        payload = literal_bytes(found["literal"])
        if not payload:
            return NO_BYTES
        way = PacketDirection.SENT if found["sent"] else PacketDirection.RECEIVED
        return Row(payload, way, "uart", head.when(self._clock))
