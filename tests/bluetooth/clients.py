"""Bluetooth clients, right and wrong, recorded on the virtual air as a phone records its own app."""

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packwire.capture.gatt_recorder import GattRecorder
from packwire.link.ble.observed import ObservedClient, Watch, watched
from packwire.models.load import model
from packwire.models.protocol import ModelProtocol
from packwire.protocol.base import RequestKind, WriteType
from packwire.sim.radio import BluetoothOptions
from tests.bluetooth.devices import found, simulated

#: Of other families: none of the devices here answers them.
FOREIGN = {"jbd": "daly", "daly": "jbd"}


@dataclass(frozen=True)
class Client:
    """What a client does otherwise than a right one.

    `asks` names its requests (none: all that a reading asks), `spoils` the part of its frames that is wrong,
    `joins` whether it puts notifications together, `waits` whether it waits for a reply before it goes on.
    """

    subscribes: bool = True
    asks: tuple[str, ...] = ()
    leaves_out: bool = False
    reverses: bool = False
    spoils: str = ""
    other_type: bool = False
    joins: bool = True
    waits: bool = True
    deaf: bool = False
    foreign: bool = False
    logs_in: bool = True
    timeout: float = 0.5
    pause: float = 0.08
    faults: tuple[str, ...] = ()
    """Those of the device, with this client."""


CLIENTS: dict[str, Client] = {
    "right": Client(),
    "right-slow": Client(pause=0.25),
    "right-at-once": Client(pause=0.0),
    "right-reversed": Client(reverses=True),
    "no-subscription": Client(subscribes=False),
    "request-missing": Client(leaves_out=True),
    "wrong-checksum": Client(spoils="checksum"),
    "wrong-length": Client(spoils="length"),
    "write-type": Client(other_type=True, faults=("other-write-type",)),
    "not-joined": Client(joins=False),
    "too-fast": Client(waits=False, pause=0.03, faults=("delay:0.1",)),
    "impatient": Client(timeout=0.12, pause=0.05, faults=("delay:0.2",)),
    "other-family": Client(foreign=True),
    "no-login": Client(logs_in=False, faults=("pin:123456",)),
    "deaf": Client(deaf=True),
}
PIN = "123456"


@dataclass
class Talk:
    """One client at one device."""

    protocol: ModelProtocol
    client: Client
    bluetooth: Any
    asked: int = 0
    taken: int = 0
    _framer: Any = None
    _came: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)

    def requests(self) -> list[bytes]:
        """Return what it asks in a round, in its order."""
        if self.client.foreign:
            other = model(FOREIGN.get(self.protocol.name, "jbd"))
            return [other.questions[each].payload for each in _read(other)][:2]
        asked = [self.protocol.questions[each].payload for each in _read(self.protocol)]
        if self.client.leaves_out:
            asked = asked[:1]
        return asked[::-1] if self.client.reverses else asked

    async def run(self, rounds: int) -> None:
        """Subscribe, log in where that is wanted, and ask."""
        gatt = self.protocol.gatt[0]
        self._framer = self.protocol.framer()
        if self.client.subscribes:
            await self.bluetooth.start_notify(gatt.notify, lambda _, data: self._came.put_nowait(bytes(data)))
        login = next((each for each in self.protocol.questions if "pin" in each.template.names), None)
        if login is not None and self.client.logs_in:
            await self._ask(login.template.frame({"pin": PIN}))
        for _ in range(rounds):
            for request in self.requests():
                await self._ask(self._spoilt(request))
                await asyncio.sleep(self.client.pause)

    def _spoilt(self, request: bytes) -> bytes:
        if self.client.spoils == "checksum":
            framing = self.protocol.framing_of(request)
            if framing is None or framing.check is None:
                return request[::-1]
            right = framing.check.stored(request)
            at = request.rindex(right)
            return request[:at] + bytes(byte ^ 0x5A for byte in right) + request[at + len(right) :]
        if self.client.spoils == "length":
            return request[:-1]
        return request

    async def _ask(self, request: bytes) -> None:
        while not self._came.empty():
            self._came.get_nowait()
        gatt = self.protocol.gatt[0]
        confirmed = (gatt.write_type is WriteType.WITH_RESPONSE) ^ self.client.other_type
        self.asked += 1
        await self.bluetooth.write_gatt_char(gatt.write, request, confirmed)
        if self.client.waits:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.client.timeout):
                    await self._reply()
                    self.taken += 1

    async def _reply(self) -> None:
        if self.client.deaf:
            await asyncio.sleep(3600)
        while True:
            data = await self._came.get()
            if not self.client.joins:
                self._framer = self.protocol.framer()
            if any(self.protocol.reply_of(each.payload) for each in self._framer.feed(data)):
                return


def asked_of(name: str) -> list[int]:
    """Return which requests a reading of a model sends again and again."""
    return _read(model(name))


def _read(protocol: ModelProtocol) -> list[int]:
    """Return which requests a reading sends again and again."""
    return [
        number
        for number, each in enumerate(protocol.questions)
        if each.kind is RequestKind.READS
        and each.payload
        and each.replies
        and not each.optional
        and not each.once
    ]


async def record(
    air: Any, path: Path, name: str, client: Client, address: str, rounds: int = 6, cells: int = 16
) -> Talk:
    """Let a client talk to a simulated device of a model; write what passed to a btsnoop file."""
    protocol = model(name)
    bluetooth = BluetoothOptions(air=air, address=address)
    async with simulated(air, name, bluetooth=bluetooth, cells=cells, faults=client.faults):
        with path.open("wb", buffering=0) as file, watched(Watch([GattRecorder(file)])):
            bleak = ObservedClient(await found(address))
            await bleak.connect()
            talk = Talk(protocol, client, bleak)
            try:
                await talk.run(rounds)
                await asyncio.sleep(0.2)
            finally:
                await bleak.disconnect()
    path.with_suffix(".json").write_text(json.dumps({"asked": talk.asked, "taken": talk.taken}))
    return talk
