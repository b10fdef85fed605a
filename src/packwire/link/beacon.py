"""The broadcast by which a device is found, once a second over UDP.

Nothing is sent unless it was asked for, and only to the address that was named.
"""

import asyncio
import logging
import socket

from packwire.protocol.announcing import Announcement, Announcing

log = logging.getLogger("packwire.link")

PERIOD = 1.0
ANY_HOST = {"", "0.0.0.0", "::"}  # noqa: S104 - compared with, not bound to


async def broadcast(
    announcing: Announcing,
    host: str,
    port: int,
    destination: str,
    destination_port: int | None = None,
    *,
    name: str,
    log: logging.Logger = log,
) -> None:
    """Announce a TCP port for ever; cancel it to stop. What cannot be sent is logged once."""
    to = destination, destination_port or announcing.port
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        trouble = ""
        while True:
            try:
                shown = _own_address(destination) if host in ANY_HOST else host
                sender.sendto(announcing.write(Announcement(name, shown, port)), to)
                trouble = ""
            except OSError as error:
                if str(error) != trouble:
                    trouble = str(error)
                    log.info("cannot broadcast to %s: %s", destination, error.strerror or error)
            await asyncio.sleep(PERIOD)


def _own_address(destination: str) -> str:
    """Return the address that this computer has as seen from `destination`; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        probe.connect((destination, 9))
        address: str = probe.getsockname()[0]
        return address
