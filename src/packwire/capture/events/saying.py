"""One sentence that a program writes into its log, and what it says."""

import re
from typing import NamedTuple

from packwire.event import EventKind


class Sentence(NamedTuple):
    """A sentence: the event's `code` and `kind`, and how it is told.

    `anchor` must be in the line; where there is a `pattern`, it must be found too, from `start` characters
    before the anchor on (-1: from the line's beginning), and its named groups are the event's values. A line
    may hold several. `of_device` is False where an address in it is not the pack's.
    """

    code: str
    kind: EventKind
    anchor: str
    pattern: re.Pattern[str] | None = None
    start: int = 0
    of_device: bool = True


def saying(
    code: str, kind: EventKind, anchor: str, pattern: str = "", *, start: int = 0, of_device: bool = True
) -> Sentence:
    """Return a row; its pattern is searched from the anchor on, or so many characters before it."""
    return Sentence(code, kind, anchor, re.compile(pattern) if pattern else None, start, of_device)
