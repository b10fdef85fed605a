"""What is found in an app's package, as it is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from packwire.apk.frameworks import Framework
from packwire.apk.manifest import App

#: Bytes, None where one is not known.
type Pattern = tuple[int | None, ...]

#: UUIDs that most apps with Bluetooth have, whatever they speak to.
STANDARD: Final[Mapping[str, str]] = {
    "1800": "name of the device",
    "1801": "services have changed",
    "180a": "manufacturer and model",
    "180f": "battery level of the device itself",
    "2902": "subscribing",
    "2a00": "name of the device",
    "2a19": "battery level of the device itself",
    "1101": "serial port of Bluetooth Classic",
}


@dataclass(frozen=True, slots=True)
class Captured:
    """What a recording holds: its messages, with how often each came, and the names of its channels."""

    messages: Mapping[bytes, int] = field(default_factory=dict)
    channels: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FoundUuid:
    """A UUID: where it stands, the protocols of packwire that use it, and whether the recording has it."""

    uuid: str
    places: tuple[str, ...]
    protocols: tuple[str, ...]
    captured: bool

    @property
    def standard(self) -> str:
        """Return what it is for where most apps have it; else nothing."""
        return STANDARD.get(self.uuid, "")


@dataclass(frozen=True, slots=True)
class FoundFrame:
    """Bytes that look like a frame, None where one is not known.

    family    the framing of packwire that they are a whole, right frame of
    checksum  what fits, found with others that begin alike; `chance` that it means nothing
    sent      a method that holds them leads to a write
    captured  so many messages of the recording are these bytes, or hold them
    """

    data: Pattern
    places: tuple[str, ...]
    family: str
    checksum: str
    chance: float
    sent: bool
    captured: int

    @property
    def rank(self) -> int:
        """Return how much speaks for it; 0: nothing does."""
        return 8 * bool(self.captured) + 4 * bool(self.family) + 2 * bool(self.checksum) + self.sent


@dataclass(frozen=True, slots=True)
class FoundCall:
    """A method that speaks over Bluetooth: what it calls, what that does, and who calls the method."""

    method: str
    does: str
    api: str
    callers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FoundCrc:
    """A table or a polynomial of a checksum, the checksums that have it, and where it stands."""

    polynomial: int | None
    names: tuple[str, ...]
    place: str


@dataclass(frozen=True, slots=True)
class AppFindings:
    """What a package says. `other_bytes`: so many arrays and texts of bytes that nothing speaks for.

    `libraries`: the app's own native libraries, of which the texts were looked through.
    """

    app: App
    frameworks: tuple[Framework, ...]
    uuids: tuple[FoundUuid, ...]
    frames: tuple[FoundFrame, ...]
    calls: tuple[FoundCall, ...]
    checksums: tuple[FoundCrc, ...]
    classes: int
    other_bytes: int
    left_out: Mapping[str, int]
    libraries: tuple[str, ...] = ()
