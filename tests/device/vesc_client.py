"""A client and its VESC session as one object, as tests of what passes between them want it."""

from typing import Any

from packwire.device.client import Client
from packwire.link.base import Link
from packwire.protocol.base import Options
from packwire.vesc.protocol import VescProtocol
from packwire.vesc.session import VescSession


class VescClient:
    """Asks by payload and CAN id; everything else is the client's or the session's."""

    def __init__(self, link: Link, **options: Any) -> None:
        self.client = Client(link, VescProtocol(), **options)
        self.session = VescSession(self.client, Options())
        self.request = self.session.ask

    async def connect(self) -> None:
        await self.client.connect(self.session)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session if hasattr(self.session, name) else self.client, name)
