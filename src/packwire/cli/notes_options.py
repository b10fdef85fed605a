"""The options that say what an app showed when."""

from dataclasses import dataclass
from pathlib import Path

from cyclopts import Parameter

from packwire.insight.observations import SECONDS


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class NotesFile:
    """A file of what was shown."""

    notes: Path | None = None
    """A YAML file: a list of notes, each with `at` and what was shown."""
    zone: str | None = None
    """The time zone of the notes, such as +01:00; without it, the one in which they lie in the recording."""
    within: float = SECONDS
    """So many seconds may a note be early or late."""


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class NotesOptions(NotesFile):
    """What was shown when."""

    at: str | None = None
    """When it was shown: 14:03:20, 2026-01-31T14:03:20+01:00, or +12.5 seconds after the first message."""
    until: str | None = None
    """Up to when something rose, stayed or fell."""
