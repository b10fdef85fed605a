"""What a Bluetooth device says of itself to everybody, before any connection."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

#: dBm; below it connections often fail, or break.
_WEAK: Final = -80


def is_weak(rssi: float | None) -> bool:
    """Tell whether connections often fail, or break, at a signal strength (dBm)."""
    return rssi is not None and rssi < _WEAK


@dataclass(frozen=True, slots=True)
class Advertisement:
    """What was received of one device: the advertisement and its scan response together.

    `address` is what the system calls the device (a MAC, or a UUID where it hides those), `rssi` in dBm.
    UUIDs are in their long form, in lower case; `manufacturer_data` is by company identifier.
    """

    address: str
    name: str = ""
    rssi: int | None = None
    service_uuids: tuple[str, ...] = ()
    manufacturer_data: Mapping[int, bytes] = field(default_factory=dict)
    service_data: Mapping[str, bytes] = field(default_factory=dict)
    connectable: bool = True

    @property
    def weakness(self) -> str:
        """Return ` (the signal is weak: -85 dBm)`, for a sentence; empty where it is not."""
        return f" (the signal is weak: {self.rssi} dBm)" if is_weak(self.rssi) else ""
