"""How devices say where they are: by UDP broadcast, each protocol with a text of its own."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Announcement:
    """One device on the network: what it calls itself, the IP address that it gives, its TCP port."""

    name: str
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Announcing:
    """The UDP `port` that announcements are sent to, and how they are read and written.

    `read` returns None for a datagram that is no announcement.
    """

    port: int
    read: Callable[[bytes], Announcement | None]
    write: Callable[[Announcement], bytes]
