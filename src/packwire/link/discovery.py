"""Devices on the network, by the broadcasts that they send."""

import asyncio
import socket

from packwire.errors import Reason, UnreachableError, system_reason
from packwire.protocol.announcing import Announcement, Announcing
from packwire.protocols import announcing

#: Devices that are taken note of in one go, and of one sender, which may be a gateway.
MOST_FOUND = 256
MOST_OF_A_HOST = 8


class _Listener(asyncio.DatagramProtocol):
    def __init__(self, announcing: Announcing) -> None:
        self._read = announcing.read
        self.found: dict[tuple[str, int], Announcement] = {}
        self.other = 0

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        announcement = self._read(data)
        if announcement is None:
            self.other += 1
            return
        if len(self.found) >= MOST_FOUND or sum(host == addr[0] for host, _ in self.found) >= MOST_OF_A_HOST:
            self.other += 1  # anybody may claim to be any number of devices
            return
        # A device may announce an address of another of its interfaces; the sender's is the one that works.
        self.found.setdefault((addr[0], announcement.port), announcement)


async def discover(seconds: float = 2.5, port: int | None = None) -> list[tuple[str, Announcement]]:
    """Listen for announcements for some seconds; return (sender's address, announcement) of each device.

    `port`: where they announce themselves, if not on their protocol's own. Raises UnreachableError where the
    port cannot be opened (VESC Tool may hold it).
    """
    (own,) = announcing()
    port = port or own.port
    loop = asyncio.get_running_loop()
    try:
        transport, listener = await loop.create_datagram_endpoint(lambda: _Listener(own), sock=_socket(port))
    except OSError as error:
        raise UnreachableError(
            f"UDP port {port} cannot be listened on: {error.strerror or error}; does VESC Tool hold it?",
            reason=system_reason(error, Reason.NOT_ALLOWED),
        ) from error
    try:
        await asyncio.sleep(seconds)
    finally:
        transport.close()
    return [(sender, announcement) for (sender, _), announcement in sorted(listener.found.items())]


def _socket(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "SO_REUSEPORT"):
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind(("", port))
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening
