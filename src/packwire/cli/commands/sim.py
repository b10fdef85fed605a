"""`packwire sim`: a simulated VESC, or an imitation of the hub that it dials, to try things out on."""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from cyclopts import App, Parameter
from rich.text import Text

from packwire.address import HUB_PORT, VESC_PORT, LinkKind, hub_address, parse_address
from packwire.cli import completion
from packwire.cli.adapters import quiet_bumble
from packwire.cli.exit_codes import ExitCode
from packwire.cli.limits import positive_or_none
from packwire.cli.options import ForOption, ScenarioOption, listen_place
from packwire.cli.running import run_until_stopped
from packwire.cli.terminal import hanging, make_console
from packwire.errors import BadOptionError
from packwire.link.beacon import ANY_HOST
from packwire.models.store import sources
from packwire.sim.express import CAN_DELAY, PING_TIME
from packwire.sim.faults import FAULTS, Of
from packwire.sim.hub import HUB_FAULTS, SimulatedHub
from packwire.sim.local_port import LOOPBACK
from packwire.sim.nodes import BMS_ID, CONTROLLER_ID, EXPRESS_ID
from packwire.sim.pack import USUAL_CELLS
from packwire.sim.radio import BluetoothOptions
from packwire.sim.scenario import SCENARIOS
from packwire.sim.server import DEVICE_ID, PASSWORD, SimOptions, SimulatedVesc

if TYPE_CHECKING:
    from packwire.sim.bluetooth import BluetoothLink

app = App(name="sim", help="Simulate a VESC, a hub, or any pack that has a model.")

#: A flag that may be given several times, one value each.
_Repeated = Parameter(negative=(), consume_multiple=False, completer=completion.faults)
_Flag = Parameter(negative=())


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class _Bluetooth:
    """How a simulated device appears on Bluetooth."""

    bluetooth: Annotated[bool, _Flag] = False
    """Put it on a virtual Bluetooth air too, which commands of other processes reach."""
    hci_port: int = 0
    """The port at which they reach it (0: any free one)."""
    adapter: str = ""
    """Put it on this adapter instead: tcp-client:127.0.0.1:7000 is the air of another packwire sim, usb:0 a
    real one (it is taken from the system; not tested)."""
    address: str = ""
    """Its Bluetooth address."""
    name: str = ""
    """The name that it advertises."""

    def options(self) -> BluetoothOptions | None:
        """Return where to put it; None where nothing here was said."""
        if self == _Bluetooth():
            return None
        return BluetoothOptions(self.address, self.name, self.hci_port, self.adapter)


_NoBluetooth = _Bluetooth()
_HubPassword = Parameter(env_var="PACKWIRE_PASSWORD", show_default=False)


_Listen = Annotated[
    str,
    Parameter(
        name="--listen",
        alias="-l",
        help="Where clients connect: PORT (this computer alone; 0 takes any free one), or HOST:PORT; "
        "0.0.0.0:PORT lets other computers in.",
    ),
]
_Cells = Annotated[
    int | None,
    Parameter(
        name="--cells",
        help=f"Cells in series; left out: as many as the model always has, or else {USUAL_CELLS}.",
    ),
]


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class _Pack:
    """What the pack is like, of whatever protocol."""

    scenario: ScenarioOption = "cycle"
    fault: Annotated[tuple[str, ...], _Repeated] = ()
    """What is wrong with it, such as delay:0.4; may be repeated. `packwire sim faults` lists all."""
    serial: Annotated[bool, _Flag] = False
    """Serve on a pseudo-terminal too."""
    seed: int = 1
    """Another number is another pack."""
    soc: float | None = None
    """State of charge to start with, in percent."""
    speed: float = 1.0
    """How much faster than the clock the pack lives; 0: it stands still."""

    def options(self, listen: str, cells: int | None, **more: Any) -> SimOptions:
        """Return what to simulate; `more` are further fields of it. Raises BadOptionError."""
        if self.soc is not None and not 0 <= self.soc <= 100:
            raise BadOptionError(f"--soc {self.soc:g}: a state of charge is 0 to 100 percent")
        host, port = listen_place(listen)
        return SimOptions(
            host=host,
            port=port,
            cells=cells,
            scenario=self.scenario,
            faults=self.fault,
            serial=self.serial,
            seed=self.seed,
            soc=None if self.soc is None else self.soc / 100,
            speed=self.speed,
            **more,
        )


_USUAL = _Pack()


@app.command
def vesc(
    *,
    listen: _Listen = f"{LOOPBACK}:{VESC_PORT}",
    cells: _Cells = None,
    pack: _Pack = _USUAL,
    hub: str | None = None,
    hub_id: str = DEVICE_ID,
    hub_password: Annotated[str, _HubPassword] = PASSWORD,
    announce: Annotated[bool, _Flag] = False,
    announce_to: str | None = None,
    ping_time: float = PING_TIME,
    can_delay: float = CAN_DELAY,
    bluetooth: _Bluetooth = _NoBluetooth,
    for_: ForOption = None,
) -> int:
    """Simulate a VESC Express with a BMS and a motor controller on its CAN bus. Ctrl-C ends it.

    Parameters
    ----------
    hub
        Dial this hub too: host or host:port.
    hub_id
        The id to log in with at the hub.
    hub_password
        The password to log in with at the hub.
    announce
        Announce it by UDP once a second, on this computer alone.
    announce_to
        Announce it to this address, such as 192.168.1.255.
    ping_time
        Seconds that a scan of the CAN bus takes.
    can_delay
        Seconds that a request over the CAN bus takes.
    """
    options = pack.options(
        listen,
        cells,
        hub=None if hub is None else _hub_place(hub, hub_id),
        hub_id=hub_id,
        hub_password=hub_password,
        broadcast=announce_to or (LOOPBACK if announce else None),
        ping_time=ping_time,
        can_delay=can_delay,
        bluetooth=bluetooth.options(),
    )
    return _run(lambda stack: _start_vesc(stack, options), for_)


@app.command
def hub(
    *,
    listen: _Listen = f"{LOOPBACK}:{HUB_PORT}",
    vesc: Annotated[bool, _Flag] = False,
    fault: Annotated[
        tuple[str, ...], Parameter(negative=(), consume_multiple=False, completer=completion.hub_faults)
    ] = (),
    for_: ForOption = None,
) -> int:
    """Imitate the known VESC TCP hub, with all its silences. Ctrl-C ends it.

    Parameters
    ----------
    vesc
        Start a simulated VESC as well, logged in at the hub.
    fault
        What is wrong with it: displaced:SECONDS or one-way; may be repeated.
    """
    host, port = listen_place(listen)
    return _run(lambda stack: _start_hub(stack, host, port, fault, with_vesc=vesc), for_)


_Packs = Annotated[
    int | None, Parameter(name="--packs", help="Packs of a device that consists of packs; left out: two.")
]


def _serving(model: str) -> Callable[..., int]:
    """Return the command that serves a model."""

    def serve(
        *,
        listen: _Listen = "0",
        cells: _Cells = None,
        packs: _Packs = None,
        pack: _Pack = _USUAL,
        bluetooth: _Bluetooth = _NoBluetooth,
        for_: ForOption = None,
    ) -> int:
        options = pack.options(listen, cells, packs=packs, bluetooth=bluetooth.options())
        return _run(lambda stack: _start(stack, model, options), for_)

    serve.__doc__ = (
        f"Simulate a pack of the model {model}.\n\n"
        "It is served on TCP, a pseudo-terminal or Bluetooth. Ctrl-C ends it."
    )
    return serve


@app.default
def file(
    model: Annotated[str | None, Parameter(show=False)] = None,
    /,
    *,
    listen: _Listen = "0",
    cells: _Cells = None,
    pack: _Pack = _USUAL,
    bluetooth: _Bluetooth = _NoBluetooth,
    for_: ForOption = None,
) -> int:
    """Simulate a VESC, a hub, or any pack that has a model, such as a draft: packwire sim mybms.yaml.

    Parameters
    ----------
    model
        One of the commands below, or a model's file.
    """
    if model is None:
        app.help_print()
        return ExitCode.OK
    return _serving(model)(listen=listen, cells=cells, pack=pack, bluetooth=bluetooth, for_=for_)


# The user's own models too, unless they are named like another command here.
for _name in sorted(sources().keys() - {"vesc", "hub", "faults"}):
    app.command(_serving(_name), name=_name)


@app.command
def faults() -> None:
    """List the faults that simulated devices can have, and how to order each."""
    width = max(len(kind.usage) for kind in FAULTS.values())
    for of in Of:
        _say(f"{of.capitalize()}:" if of is Of.ALL else f"\n{of[0].upper()}{of[1:]}:")
        for kind in FAULTS.values():
            if kind.of is of:
                _say(f"  {kind.usage:<{width}}  {kind.summary}", width + 2)
    _say(f"\nOrder one with --fault NAME[:NUMBER,...]. A hub can have {' and '.join(HUB_FAULTS)}.")


def _say(text: str, indent: int = 0) -> None:
    """Print lines; what a terminal has no room for stands `indent` columns behind their beginning."""
    console = make_console()
    for line in text.split("\n"):
        for piece in hanging(console, Text(line), indent):
            console.print(piece)


def _run(start: Callable[[AsyncExitStack], Awaitable[None]], seconds: float | None) -> int:
    """Start, say where to read, and go on until a signal or the time ends it."""
    positive_or_none("--for", seconds)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    log = logging.getLogger("packwire.sim")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    quiet_bumble()
    try:
        return run_until_stopped(_serve(start, seconds))
    finally:
        log.removeHandler(handler)
        log.propagate = True


async def _serve(start: Callable[[AsyncExitStack], Awaitable[None]], seconds: float | None) -> int:
    async with AsyncExitStack() as stack:
        await start(stack)
        sys.stdout.flush()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.Event().wait()
    return ExitCode.OK


async def _start_vesc(stack: AsyncExitStack, options: SimOptions) -> None:
    simulated = await stack.enter_async_context(SimulatedVesc(options))
    cells = simulated.vehicle.pack.cells
    _say(
        f"A simulated VESC Express (CAN id {EXPRESS_ID}) with a BMS of {cells} cells ({BMS_ID}) "
        f"and a motor controller ({CONTROLLER_ID}): {SCENARIOS[options.scenario].summary}."
    )
    for fault in simulated.faults:
        _say(f"Fault {fault}: {FAULTS[fault.name].summary}.")
    _say(f"  packwire read {simulated.address}")
    if simulated.serial_address:
        _say(f"  packwire read {simulated.serial_address}")
    if simulated.bluetooth:
        _say_bluetooth(simulated.bluetooth)
    if options.hub is not None:
        _say(_read_through_hub(*options.hub, options.hub_id, options.hub_password))


async def _start(stack: AsyncExitStack, model: str, options: SimOptions) -> None:
    from packwire.sim.by_name import simulation  # noqa: PLC0415 - a model's YAML, when it is served

    simulated = await stack.enter_async_context(simulation(model, options))
    doing = SCENARIOS[options.scenario].summary
    print(f"A simulated pack of {simulated.vehicle.pack.cells} cells that speaks {Path(model).stem}.")
    print(f"  {doing}")
    for fault in simulated.faults:
        print(f"Fault {fault}: {FAULTS[fault.name].summary}.")
    print(f"  packwire read '{simulated.address}'")
    if simulated.serial_address:
        print(f"  packwire read '{simulated.serial_address}'")
    if simulated.bluetooth:
        _say_bluetooth(simulated.bluetooth)


def _say_bluetooth(link: "BluetoothLink") -> None:
    """Say where it is on Bluetooth, and how to read it."""
    seen = link.radio.advertisement
    print(f"On Bluetooth it is {link.address}, {seen.name}.")
    print(f"  packwire read '{link.url}'")
    if link.url.adapter:
        print(f"  packwire scan --adapter {link.adapter}")


async def _start_hub(
    stack: AsyncExitStack, host: str, port: int, faults: tuple[str, ...], *, with_vesc: bool
) -> None:
    hub = await stack.enter_async_context(SimulatedHub(host=host, port=port, faults=faults))
    _say(f"An imitation of the VESC TCP hub listens on {host} port {hub.port}.")
    reached = LOOPBACK if host in ANY_HOST else host
    if with_vesc:
        await stack.enter_async_context(SimulatedVesc(SimOptions(port=None, hub=(reached, hub.port))))
        await hub.device_connected(DEVICE_ID)
    else:
        _say(f"  packwire sim vesc --hub {reached}:{hub.port}")
    _say(_read_through_hub(reached, hub.port, DEVICE_ID, PASSWORD))


def _read_through_hub(host: str, port: int, device_id: str, password: str) -> str:
    """Return the command that reads it; a password that somebody chose is not shown."""
    shown = password if password == PASSWORD else "..."
    return f"  PACKWIRE_PASSWORD={shown} packwire read {hub_address(device_id, host, port)}"


def _hub_place(text: str, device_id: str) -> tuple[str, int]:
    """Read `host` or `host:port`. Raises BadAddressError."""
    address = parse_address(f"veschub://{quote(device_id, safe='', errors='surrogateescape')}@{text}")
    assert address.link is LinkKind.HUB
    return address.host, address.port
