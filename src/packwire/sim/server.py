"""A simulated VESC on real links: its local TCP port, a hub that it dials, a pseudo-terminal, its beacon."""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, override

from packwire.address import Address, can_address, serial_address, tcp_address
from packwire.errors import BadOptionError
from packwire.link import beacon
from packwire.sim.express import CAN_DELAY, PING_TIME, Express
from packwire.sim.faults import Faults, parse_fault
from packwire.sim.hub_dialler import HubDialler, device_login
from packwire.sim.local_port import LOOPBACK, LocalPort
from packwire.sim.nodes import default_config
from packwire.sim.pack import USUAL_CELLS
from packwire.sim.port import Port, Served
from packwire.sim.radio import BluetoothOptions
from packwire.sim.scenario import scenario_named
from packwire.sim.serial_port import SimulatedSerialPort
from packwire.sim.vehicle import Vehicle
from packwire.vesc.announcement import ANNOUNCEMENT_PORT, ANNOUNCING
from packwire.vesc.replies import ExpressConfig

if TYPE_CHECKING:
    from packwire.sim.bluetooth import BluetoothLink

log = logging.getLogger("packwire.sim")

MAX_SPEED = 1000.0
MAX_CELLS = 50
"""As many as the firmware's tables hold [bldc datatypes.h, BMS_MAX_CELLS]."""
MAX_PACKS = 16
TICK = 0.1
"""Seconds between two looks at the clock."""
NAME = "Simulated VESC"
"""What it announces itself as."""
DEVICE_ID = "SIMPACK"
PASSWORD = "simulated"  # noqa: S105 - known to all, and told to the user
"""What a simulated device logs in with at a hub, unless it was told something else."""


@dataclass(frozen=True, slots=True)
class SimOptions:
    """What to simulate and where.

    `port` 0 takes any free port, None opens none. `hub` (host and port) is dialled, with `hub_id` and
    `hub_password`. `serial` opens a pseudo-terminal, `bluetooth` puts it on the air. `broadcast` is the
    address to announce the TCP port to once a second; nothing is broadcast without it.

    `unit` is its address on a shared line (None: the usual one), `packs` how many packs hang on a device that
    consists of packs (None: two).

    `cells` are in series (None: as many as the protocol always has, or else the usual number or as many of
    them as it has room for).

    `speed` is how much faster than the clock the physics goes (0: it stands still), `soc` the state of charge
    to start with, 0..1. `faults` are texts such as `delay:0.4`. `ping_time` and `can_delay` are in seconds.
    Raises BadOptionError for what cannot be.
    """

    host: str = LOOPBACK
    port: int | None = 0
    hub: tuple[str, int] | None = None
    hub_id: str = DEVICE_ID
    hub_password: str = field(default=PASSWORD, repr=False)
    serial: bool = False
    bluetooth: BluetoothOptions | None = None
    broadcast: str | None = None
    broadcast_port: int = ANNOUNCEMENT_PORT
    seed: int = 1
    scenario: str = "cycle"
    speed: float = 1.0
    cells: int | None = None
    soc: float | None = None
    faults: tuple[str, ...] = ()
    ping_time: float = PING_TIME
    can_delay: float = CAN_DELAY
    unit: int | None = None
    packs: int | None = None

    def __post_init__(self) -> None:
        scenario_named(self.scenario)
        for fault in self.faults:
            parse_fault(fault)
        if self.hub is not None:
            device_login(self.hub_id, self.hub_password)
        if not 0 <= self.speed <= MAX_SPEED:
            raise BadOptionError(f"a speed is 0 to {MAX_SPEED:g}")
        if self.cells is not None and not 1 <= self.cells <= MAX_CELLS:
            raise BadOptionError(f"a pack has 1 to {MAX_CELLS} cells")
        if self.packs is not None and not 1 <= self.packs <= MAX_PACKS:
            raise BadOptionError(f"a device consists of 1 to {MAX_PACKS} packs")
        if self.soc is not None and not 0 <= self.soc <= 1:
            raise BadOptionError("a state of charge is 0 to 1")
        if not (0 <= self.ping_time < 3600 and 0 <= self.can_delay < 3600):
            raise BadOptionError("a ping time and a CAN delay are seconds, 0 or more")
        if self.broadcast is not None and self.port is None:
            raise BadOptionError("without a TCP port there is nothing to broadcast")


class SimulatedDevice(Served, Protocol):
    """A simulated device that lives in the physics."""

    def port(self, name: str) -> Port:
        """Return a new link of this device."""

    def moved(self) -> None:
        """Forget encoded replies: the physics has moved."""

    def revive(self) -> None:
        """Switch the device off and on."""


class Simulation:
    """A running simulation: `async with SimulatedVesc(SimOptions()) as sim: ... sim.address`.

    `device` holds the nodes, `vehicle` the physics, and `faults` can be ordered and cancelled at any time.
    """

    def __init__(self, options: SimOptions, device: SimulatedDevice, vehicle: Vehicle, model: str) -> None:
        self.options = options
        self.faults = device.faults
        self.vehicle = vehicle
        self.device = device
        self.model = model
        self.on_can = False
        self.port = 0
        self.serial_path = ""
        self.bluetooth: BluetoothLink | None = None
        self._local = LocalPort(self.device.port("tcp"), self.faults)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await self._open_links(stack)
            # Entered last, so that what goes wrong above is raised as it is, and not in an ExceptionGroup.
            group = await stack.enter_async_context(asyncio.TaskGroup())
            tasks: list[asyncio.Task[None]] = []
            stack.callback(lambda: [task.cancel() for task in tasks])
            tasks += [group.create_task(work) for work in self._background()]
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The group must know of a cancellation; an error of the body is not its business, and it would wrap
        # it into an ExceptionGroup.
        if isinstance(error, asyncio.CancelledError):
            await self._stack.__aexit__(kind, error, trace)
        else:
            await self._stack.aclose()

    @property
    def address(self) -> Address:
        """Where to read it over TCP."""
        host = self.options.host if self.options.host not in beacon.ANY_HOST else LOOPBACK
        if self.on_can:
            return can_address(f"{host}:{self.port}/can0", self.model, interface="socketcand")
        return tcp_address(host, self.port, model=self.model)

    @property
    def serial_address(self) -> Address | None:
        """Where to read it on the pseudo-terminal, where there is one."""
        if not self.serial_path:
            return None
        if self.on_can:
            return can_address(self.serial_path, self.model, interface="slcan")
        return serial_address(self.serial_path, model=self.model)

    def advance(self, seconds: float) -> None:
        """Let time pass at once, beyond what the clock does."""
        if self.vehicle.advance(seconds):
            self.device.moved()

    def revive(self) -> None:
        """Switch the device off and on again after it was wedged."""
        self.faults.cancel("wedge")
        self.device.revive()

    async def _open_links(self, stack: AsyncExitStack) -> None:
        if self.options.port is not None:
            self.port = await self._local.listen(self.options.host, self.options.port)
            stack.push_async_callback(self._local.close)
        if self.options.serial:
            serial = SimulatedSerialPort(self.device.port("serial"))
            self.serial_path = serial.open()
            stack.callback(serial.close)
        if self.options.bluetooth is not None:
            from packwire.sim.bluetooth import BluetoothLink  # noqa: PLC0415 - an extra, and slow to import

            link = BluetoothLink(self.device.port("bluetooth"), self.model, self.options.bluetooth)
            self.bluetooth = await stack.enter_async_context(link)

    def _background(self) -> list[Coroutine[None, None, None]]:
        return [self._tick()] if self.options.speed > 0 else []

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            await asyncio.sleep(TICK)
            now = loop.time()
            # After a suspension the vehicle goes on where it was, instead of catching up for minutes.
            self.advance(min(now - last, 1.0) * self.options.speed)
            last = now


class SimulatedVesc(Simulation):
    """A simulated VESC Express with a BMS and a controller on its CAN bus."""

    device: Express

    def __init__(self, options: SimOptions | None = None) -> None:
        options = options or SimOptions()
        vehicle = Vehicle(options.seed, options.cells or USUAL_CELLS, options.scenario, options.soc)
        device = Express(
            vehicle,
            Faults(options.faults),
            _config(options),
            seed=options.seed,
            ping_time=options.ping_time,
            can_delay=options.can_delay,
        )
        super().__init__(options, device, vehicle, "vesc")
        self.hub_dialler: HubDialler | None = None

    @override
    def _background(self) -> list[Coroutine[None, None, None]]:
        options = self.options
        work = super()._background()
        if options.hub is not None:
            login = device_login(options.hub_id, options.hub_password)
            self.hub_dialler = HubDialler(self.device.port("hub"), *options.hub, login)
            work.append(self.hub_dialler.run())
        if options.broadcast is not None:
            to = options.broadcast, options.broadcast_port
            work.append(beacon.broadcast(ANNOUNCING, options.host, self.port, *to, name=NAME, log=log))
        return work


def _config(options: SimOptions) -> ExpressConfig:
    """Return the device's configuration: with its hub, as a real one has it, password and all."""
    config = default_config()._replace(
        wifi_sta_ssid="Simulated network",
        wifi_sta_key="made-up-wifi-key",
        tcp_hub_id=options.hub_id,
        tcp_hub_pass=options.hub_password,
    )
    if options.hub is None:
        return config
    host, port = options.hub
    return config._replace(use_tcp_hub=1, tcp_hub_url=host, tcp_hub_port=port)
