"""How a VESC Express says where it is: `name::ip::port` and a NUL, by UDP broadcast once a second."""

from packwire.protocol.announcing import Announcement, Announcing

ANNOUNCEMENT_PORT = 65109
"""[vesc_express main/comm_wifi.c]"""


def parse_announcement(datagram: bytes) -> Announcement | None:
    """Read a datagram; None where it is not an announcement."""
    text = datagram.split(b"\0", 1)[0].decode("utf-8", "replace")
    parts = text.rsplit("::", 2)
    if len(parts) != 3 or not parts[1] or not parts[2].isascii() or not parts[2].isdecimal():
        return None
    port = int(parts[2][:6])
    return Announcement(parts[0], parts[1], port) if 0 < port <= 0xFFFF else None


def _datagram(announcement: Announcement) -> bytes:
    return f"{announcement.name}::{announcement.address}::{announcement.port}".encode() + b"\0"


ANNOUNCING = Announcing(ANNOUNCEMENT_PORT, parse_announcement, _datagram)
