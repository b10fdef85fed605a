"""Which Bluetooth devices speak a model's protocol, by what they advertise."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from packwire.advertisement import Advertisement
from packwire.att import UUID_BASE
from packwire.models.text import read_hex
from packwire.protocol.base import Gatt, WriteType

_SHORT, _LONG = 4, 36


def read_uuid(text: object) -> str:
    """Return the long form, in lower case, of a UUID as it is written in a model: `ff00`, or all of it.

    Raises ValueError, in words for a user.
    """
    text = f"{text:04d}" if isinstance(text, int) and not isinstance(text, bool) else str(text)
    text = text.lower()
    whole = UUID_BASE.format(text) if len(text) == _SHORT else text
    groups = [len(group) for group in whole.split("-")]
    if groups != [8, 4, 4, 4, 12] or set(whole) - set("0123456789abcdef-"):
        raise ValueError(
            f"{text[:40]!r} is no UUID: write four hexadecimal digits, or all {_LONG} characters"
        )
    return whole


@dataclass(frozen=True, slots=True)
class Pattern:
    """What an advertisement must have: all that is not empty here.

    `name` has the wildcards of a shell, `address` is how the address begins; `service_data` None: it does not
    matter, empty: there is none.
    """

    name: str = ""
    service: str = ""
    service_data: str | None = None
    address: str = ""
    manufacturer: int | None = None
    data: bytes = b""

    def fits(self, seen: Advertisement) -> bool:
        """Tell whether a device advertises so."""
        if self.service and self.service not in seen.service_uuids:
            return False
        if self.service_data is not None and (
            self.service_data not in seen.service_data if self.service_data else seen.service_data
        ):
            return False
        if not seen.address.lower().startswith(self.address.lower()):
            return False
        if self.manufacturer is not None and not self._made(seen.manufacturer_data):
            return False
        return not self.name or fnmatchcase(seen.name, self.name)

    def _made(self, data: Mapping[int, bytes]) -> bool:
        found = data.get(self.manufacturer if self.manufacturer is not None else -1)
        return found is not None and found.startswith(self.data)


def pattern_of(said: Mapping[str, Any]) -> Pattern:
    """Return a pattern from the plain values of a model."""
    uuids = {key: read_uuid(said[key]) for key in ("service", "service_data") if said.get(key)}
    return Pattern(**{**said, **uuids, "data": read_hex(said.get("data", ""))})


def gatt_of(said: Mapping[str, Any]) -> Gatt:
    """Return where a protocol is spoken over Bluetooth."""
    kind, write, unlock = said.get("write_type"), said.get("write", ""), said.get("unlock")
    return Gatt(
        read_uuid(said["service"]),
        read_uuid(said["notify"]),
        read_uuid(write) if write else "",
        None if kind is None else WriteType(kind),
        None if unlock is None else (read_uuid(unlock["write"]), read_hex(unlock["send"])),
        read_uuid(said["write_service"]) if said.get("write_service") else "",
    )
