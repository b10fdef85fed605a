"""How a VESC Express says where it is: `name::ip::port` and a NUL, by UDP broadcast once a second."""

from dataclasses import dataclass

ANNOUNCEMENT_PORT = 65109
"""[vesc_express main/comm_wifi.c]"""


@dataclass(frozen=True, slots=True)
class Announcement:
    """One VESC on the network; `name` is its Bluetooth name, `address` the IP address it gives."""

    name: str
    address: str
    port: int


def parse_announcement(datagram: bytes) -> Announcement | None:
    """Read a datagram; None where it is not an announcement."""
    text = datagram.split(b"\0", 1)[0].decode("utf-8", "replace")
    parts = text.rsplit("::", 2)
    if len(parts) != 3 or not parts[1] or not parts[2].isascii() or not parts[2].isdecimal():
        return None
    port = int(parts[2][:6])
    return Announcement(parts[0], parts[1], port) if 0 < port <= 0xFFFF else None
