"""A simulated device on Bluetooth: on an air of its own, on one that others share, or through an adapter."""

from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self

from packwire.address import Address, ble_address
from packwire.device.bluetooth import reader_of
from packwire.errors import BadOptionError
from packwire.protocols import protocol
from packwire.sim.adapter import opened
from packwire.sim.air import RSSI, Air
from packwire.sim.local_port import LOOPBACK
from packwire.sim.peripheral import Peripheral
from packwire.sim.port import Attachable
from packwire.sim.radio import BluetoothOptions, radio

if TYPE_CHECKING:
    from bumble.device import Device

VIRTUAL = "tcp-client:"
"""How the names of adapters begin that lead to a virtual air."""


class BluetoothLink:
    """Puts a port of a simulated device on the air; use as an async context manager.

    `address` is where it is found, `adapter` by which adapter another process reaches it: empty where that
    is the system's own.
    """

    def __init__(self, port: Attachable, model: str, options: BluetoothOptions) -> None:
        spoken = protocol(model)
        self._model = model
        self.radio = radio(spoken, options.name, options.address)
        if not self.radio.gatt:
            raise BadOptionError(f"the model {model} does not say how it is spoken over Bluetooth")
        self.air = options.air
        self.adapter = options.adapter
        self.peripheral = Peripheral(port, port.faults, self.radio)
        self._options = options
        self._own = bool(options.adapter) and not self._virtual and not options.address
        self._device: Device
        self._stack = AsyncExitStack()

    @property
    def _virtual(self) -> bool:
        return self.adapter.startswith(VIRTUAL)

    @property
    def address(self) -> str:
        """Return its Bluetooth address; with a real adapter that adapter's, unless another was said."""
        return self._device.public_address.to_string(False) if self._own else self.radio.advertisement.address

    @property
    def url(self) -> Address:
        """Return the address to read it by: with its model, where what it advertises tells nobody."""
        model = "" if reader_of(self.radio.advertisement) else self._model
        return ble_address(self.address, model=model, radio=self.adapter if self._virtual else "")

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            if self._options.adapter:
                random = "" if self._own else self.radio.advertisement.address
                name = self.radio.advertisement.name
                self._device = await stack.enter_async_context(opened(self._options.adapter, name, random))
            else:
                if self.air is None:
                    self.air = await stack.enter_async_context(Air())
                    port = await self.air.serve(LOOPBACK, self._options.hci_port)
                    self.adapter = f"{VIRTUAL}{LOOPBACK}:{port}"
                self._device = await self.air.device(self.radio.advertisement.name, self.address)
                faults = self.peripheral.faults
                faults.on_change.append(self._fault_changed)
                stack.callback(faults.on_change.remove, self._fault_changed)
                self._fault_changed("weak-signal")
                self._fault_changed("not-connectable")
                self._fault_changed("no-link")
            await self.peripheral.start(self._device, random=bool(self._options.adapter) and not self._own)
            stack.push_async_callback(self.peripheral.stop)
            self._stack = stack.pop_all()
        return self

    def _fault_changed(self, name: str) -> None:
        if name == "weak-signal" and self.air is not None:
            (strength,) = self.peripheral.faults.get(name) or (RSSI,)
            self.air.strengths[self._device.public_address] = int(strength)
        places = {} if self.air is None else {"not-connectable": self.air.closed, "no-link": self.air.deaf}
        if name in places:
            own = {self._device.public_address}
            places[name] -= own
            places[name] |= own if name in self.peripheral.faults else set()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)
