"""A pack on Bluetooth for one's own client: the simulator's radio, with the trials behind it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from packwire.cli.adapters import quiet_bumble
from packwire.doctor.client_test.client_line import ClientLine
from packwire.doctor.client_test.server import Place
from packwire.errors import missing_extra

if TYPE_CHECKING:
    from packwire.sim.faults import Faults

#: Whole replies come in one notification; those in several are trials.
_MTU = "mtu:512"


class _Attached:
    """What the radio serves in place of a device: an asyncio protocol for each client."""

    def __init__(self, make: Callable[[], asyncio.Protocol], faults: "Faults") -> None:
        self.faults = faults
        self._make = make
        self._line: ClientLine | None = None

    def attach(self, write: Callable[[bytes], None], close: Callable[[], None]) -> None:
        """Let a client meet a new protocol."""
        self._line = ClientLine(self._make(), write, close)
        self._line.protocol.connection_made(self._line)

    def detach(self) -> None:
        """End what the client met."""
        line, self._line = self._line, None
        if line is not None:
            line.abort()

    def received(self, data: bytes) -> None:
        """Take what was written."""
        if self._line is not None:
            self._line.protocol.data_received(data)


def on_bluetooth(model: str, adapter: str = "") -> Place:
    """Return a place where a pack of a model is on Bluetooth: on a virtual air, or by an adapter.

    Raises MissingExtraError where the extra `sim` is missing.
    """
    try:
        from packwire.sim.bluetooth import VIRTUAL, BluetoothLink  # noqa: PLC0415 - an extra, and slow
        from packwire.sim.faults import Faults  # noqa: PLC0415
        from packwire.sim.radio import BluetoothOptions  # noqa: PLC0415
    except ImportError:
        raise missing_extra("sim", "playing a pack over Bluetooth") from None

    @asynccontextmanager
    async def place(make: Callable[[], asyncio.Protocol]) -> AsyncIterator[str]:
        quiet_bumble()
        attached = _Attached(make, Faults((_MTU,)))
        async with BluetoothLink(attached, model, BluetoothOptions(adapter=adapter)) as link:
            where = f"{link.address}, {link.radio.advertisement.name}"
            virtual = link.adapter.startswith(VIRTUAL)
            yield f"{where} (by the adapter {link.adapter})" if virtual else where

    return place
