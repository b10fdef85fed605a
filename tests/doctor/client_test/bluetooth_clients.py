"""The clients of packs over Bluetooth, on a virtual air, for `doctor --my-client 'bluetooth?model='`."""

import asyncio
import contextlib

from bleak import BleakClient, BleakScanner
from bleak.exc import BleakError

from packwire.cli.my_client_bluetooth import on_bluetooth
from packwire.doctor.client_test.pack import pack
from packwire.doctor.client_test.server import ClientTest
from packwire.doctor.client_test.verdict import ClientReport
from packwire.models.load import model
from packwire.sim.adapter import opened
from packwire.sim.bleak_bumble import installed
from packwire.sim.model import SimulatedModel
from tests.doctor.client_test.pack_clients import SHORT, STYLES, TIMEOUT, PackClient, asked


class Notifications:
    """Notifications as a stream that is read; its end is the connection's."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[bytes] = asyncio.Queue()

    async def read(self, _most: int) -> bytes:
        return await self.came.get()


class BluetoothClient(PackClient):
    """The same client, with what it has from bleak in place of a socket."""

    async def over(self, adapter: str, address: str) -> None:
        """Ask until it is cancelled; connect again where the connection ends."""
        async with opened(adapter) as central:
            with installed(central):
                while True:
                    with contextlib.suppress(BleakError, EOFError, TimeoutError):
                        await self._once(address)
                    await asyncio.sleep(0.05)

    async def _once(self, address: str) -> None:
        pause, anew = STYLES[self.style]
        within = SHORT if self.bug == "impatient" else TIMEOUT
        device = await BleakScanner.find_device_by_address(address, timeout=5.0)
        if device is None:
            return
        gatt = self.protocol.gatt[0]
        notified = Notifications()
        self.buffer, self._framer = b"", self.protocol.framer()

        def lost(_: BleakClient) -> None:
            notified.came.put_nowait(b"")

        async with BleakClient(device, disconnected_callback=lost) as client:
            await client.start_notify(gatt.notify, lambda _, data: notified.came.put_nowait(bytes(data)))
            while True:
                for question in asked(self.protocol):
                    await client.write_gatt_char(gatt.write, self._request(question))
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(within):
                            await self._replies(notified, question)
                    await asyncio.sleep(pause)
                if anew:
                    return


async def examined(name: str, bug: str, style: str = "at-once", within: float = 60.0) -> ClientReport:
    """Let a client of a pack be examined until it is decided or the time is over."""
    protocol = model(name)
    played = pack(protocol, SimulatedModel(protocol).device.answers, over_bluetooth=True)
    async with ClientTest(lambda _: None, played, patience=6.0, at=on_bluetooth(name)) as test:
        address, _, adapter = test.place.partition(", ")
        adapter = adapter.partition("adapter ")[2].removesuffix(")")
        client = asyncio.create_task(BluetoothClient(protocol, bug, style).over(adapter, address))
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within):
                    await test.run()
            return test.verdict
        finally:
            client.cancel()
            await asyncio.gather(client, return_exceptions=True)
