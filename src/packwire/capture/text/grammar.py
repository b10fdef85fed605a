"""What a text format is: a grammar of lines.

A format's module has `NAME`, `EXAMPLES` (texts of its form that hold one message each, of several lines
where a header belongs to it) and a class `Grammar`, which is made anew for each file and given its lines in
turn. A line of another form is none of its business: the other grammars are asked then, in the order of the
table. So one file may hold lines of several forms.
"""

from typing import NamedTuple, Protocol

from packwire.capture.packets import APPLICATION, NO_TIME, PacketDirection
from packwire.capture.text.clock import Clock


class Row(NamedTuple):
    """A message that a line holds.

    `time` is in ns (see `Clock`); `channel` is the text of the channel, such as `att ff01 notify`, `uart` or
    `can0`; `device` tells channels apart where a file has several devices. `joins` means that the line goes
    on with the message that the same grammar found last. With a `doubt` (what the bytes may be instead), it
    is only taken where the file has at least as many messages of the same `shape` without one.
    """

    payload: bytes
    direction: PacketDirection = PacketDirection.UNKNOWN
    channel: str = "hex"
    time: int = NO_TIME
    link_type: int = APPLICATION
    device: str = ""
    joins: bool = False
    doubt: str = ""
    shape: str = ""


class Unread(NamedTuple):
    """A line of a format that gives no message; equal reasons are counted together.

    `damaged` means that it should hold a message: it was cut, or its count is wrong.
    """

    reason: str
    damaged: bool = False


#: The shape of a message behind an arrow that may be a direction or what a serial monitor puts before each
#: line: it is one where the file has arrows the other way.
ARROW = "->"

#: A line of the format that says something else than bytes: a title, a table's header, a remark.
NO_BYTES = Unread("lines without bytes")

#: A line that begins a recording (a title, a table's header); the second one in a file is said.
BEGINS = Unread("")


class Grammar(Protocol):
    """A text format at work on one file."""

    def take(self, line: str) -> Row | Unread | None:
        """Return what a line holds; None where it is not of this format's form."""


class TextFormat(Protocol):
    """What a text format's module offers."""

    @property
    def NAME(self) -> str:  # noqa: N802 - it is a constant of each module
        """Return what users call the format."""

    @property
    def EXAMPLES(self) -> tuple[str, ...]:  # noqa: N802
        """Return texts of the form, each with one message."""

    def Grammar(self, clock: Clock) -> Grammar:  # noqa: N802 - a class
        """Return a new grammar for one file."""
