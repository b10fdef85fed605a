"""Messages in words, for a user: what a message is called, a line of what it says, its fields, its bytes.

What is secret is hidden unless `keep_secrets`. A protocol that says more than its fields do has words of its
own, which `packwire.protocols.words` finds by its name.
"""

from typing import Any

from packwire.protocol.base import Protocol
from packwire.wire.codec import Span

MASKED = "(hidden)"
#: How many bytes of a message that has no words are shown in a line.
SOME_BYTES = 16
#: How many fields of a message that has no words of its own are shown in a line.
_SOME_FIELDS = 5


class Words:
    """Words for the messages of any protocol."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol

    def name(self, route: tuple[int, ...], message: bytes) -> str:
        """Return what a message is called, `can 84 > GET_VALUES` of one that is forwarded."""
        return "".join(f"can {number} > " for number in route) + self.protocol.describe(message)

    def hidden(self, message: bytes) -> list[tuple[int, int]]:
        """Return begin and end of all that is secret in a message, where there is anything."""
        masked = self.protocol.mask(message)
        return [(at, at + 1) for at in range(len(message)) if message[at] != masked[at]]

    def hex_text(self, message: bytes, *, keep_secrets: bool) -> str:
        """Return the bytes in hexadecimal, `**` for each one that is hidden."""
        shown = [f"{byte:02x}" for byte in message]
        for begin, end in () if keep_secrets else self.hidden(message):
            shown[begin:end] = ["**"] * (end - begin)
        return " ".join(shown)

    def request(self, message: bytes, *, keep_secrets: bool) -> str:
        """Say in a line what a request asks for beyond its name."""
        return self._some_bytes(message, keep_secrets=keep_secrets)

    def reply(self, message: bytes, *, keep_secrets: bool) -> str:
        """Say in a line what a message from the device says."""
        values = self.values(message, keep_secrets=keep_secrets)
        return some_fields(values) if values else self._some_bytes(message, keep_secrets=keep_secrets)

    def spans(self, message: bytes, *, keep_secrets: bool) -> list[Span]:
        """Return the fields of a message from the device with their places; secret values are hidden."""
        places = [] if keep_secrets else self.hidden(message)
        return [
            span._replace(raw=None, value=MASKED)
            if any(begin < span.offset + span.width and span.offset < end for begin, end in places)
            else span
            for span in self.fields(message)
        ]

    def fields(self, message: bytes) -> list[Span]:  # noqa: ARG002 - for those that know fields
        """Return the fields of a message from the device with their places; secret ones in clear."""
        return []

    def values(self, message: bytes, *, keep_secrets: bool) -> dict[str, Any] | None:  # noqa: ARG002
        """Return the values in a message by name, without those that it does not have; None: not known."""
        return None

    def highlight(self, message: bytes) -> str:  # noqa: ARG002
        """Return what of a pack's own values deserves a sentence: `20 cells`; empty for other messages."""
        return ""

    def _some_bytes(self, message: bytes, *, keep_secrets: bool) -> str:
        shown = message if keep_secrets else self.protocol.mask(message)
        return shown[:SOME_BYTES].hex(" ") + (" ..." if len(shown) > SOME_BYTES else "")


def some_fields(values: dict[str, Any]) -> str:
    """Return the first values by name."""
    shown = [(name, value) for name, value in values.items() if value is not None]
    more = f"  and {len(shown) - _SOME_FIELDS} more" if len(shown) > _SOME_FIELDS else ""
    return "  ".join(f"{name} {_number(value)}" for name, value in shown[:_SOME_FIELDS]) + more


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
