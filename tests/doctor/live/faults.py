"""What can be wrong with a pack over Bluetooth, each with the kinds that its verdict may have.

On the virtual air a simulated pack has the fault; what lives in BlueZ is done to a fake one on a private bus.
Both are reached by bleak, as real ones are.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from dbus_fast import Variant

from packwire.address import Address, parse_address
from packwire.check import Confidence
from packwire.doctor.diagnosis import Diagnosis
from packwire.doctor.examination import ExaminationOptions
from packwire.doctor.examine import examine
from packwire.link.ble import failures
from packwire.models.load import model, parse
from packwire.models.protocol import ModelProtocol
from packwire.sim.air import Air
from packwire.sim.bleak_bumble import installed
from packwire.sim.model import SimulatedModel
from packwire.sim.radio import BluetoothOptions
from packwire.sim.server import SimOptions
from tests.link.ble.fake_air import jbd_basic
from tests.link.ble.fake_bluez import ADAPTER, FakeBlueZ, power, private_bus

JBD = "A4:C1:38:00:00:01"
_ADAPTER1 = "org.bluez.Adapter1"


@dataclass(frozen=True)
class LiveFault:
    """A fault; `kinds` are the verdicts that are right, the one that is meant first.

    `certain`: it may be told as certain. `query` goes behind the address; `target` is another address than
    the pack's. `bluez` does it to BlueZ, in place of a pack on the virtual air.
    """

    name: str
    kinds: tuple[str, ...]
    faults: tuple[str, ...] = ()
    model: str = "jbd"
    certain: bool = False
    query: str = ""
    target: str = ""
    speaks: Callable[[], ModelProtocol] | None = None
    called: str = ""
    neighbours: int = 1
    options: dict[str, Any] = field(default_factory=dict)
    bluez: Callable[["Host"], None] | None = None

    def __str__(self) -> str:
        return self.name


class Host:
    """A computer with BlueZ, to be spoilt: `service` is the fake, `rfkill` the folder of its switches."""

    def __init__(self, service: FakeBlueZ, rfkill: Path, setenv: Callable[[str, str], None]) -> None:
        self.service = service
        self.rfkill = rfkill
        self.setenv = setenv

    def refuses(self, member: str, error: str, times: int = 99) -> None:
        """Let a method of BlueZ give an error."""
        self.service.errors[member] = [error] * times

    def adapter(self, **properties: Variant) -> None:
        """Change what the adapter says of itself."""
        self.service.objects[ADAPTER][_ADAPTER1] |= properties

    def block(self, kind: str) -> None:
        """Block Bluetooth by rfkill, and let the adapter be off."""
        switch = self.rfkill / "rfkill0"
        switch.mkdir()
        for name, text in (("type", "bluetooth"), ("soft", "0"), ("hard", "0"), (kind, "1")):
            (switch / name).write_text(f"{text}\n")
        power(self.service, on=False)

    def rest(self) -> None:
        """Let no current flow, since the values of this pack never move."""
        self.service.pack.replies[3] = jbd_basic(amps=0)

    def holds(self, *, mute: bool) -> None:
        """Let this computer be connected to the pack already; `mute`: only a new connection is answered."""
        self.rest()
        self.service.advertises = False
        self.service.add_device(connected=True)
        if not mute:
            return
        self.service.notifies = False

        def revive() -> None:
            self.service.advertises = self.service.notifies = True

        self.service.dropped = revive


def _jbd(*changes: tuple[str, str]) -> ModelProtocol:
    """Return a JBD with something else in its file."""
    text = (resources.files("packwire.models") / "library" / "jbd.yaml").read_text(encoding="utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return parse(text, "another jbd")


def _other_version() -> ModelProtocol:
    return _jbd(("begins: dd 03 00", "begins: dd 63 00"), ("begins: dd 04 00", "begins: dd 64 00"))


def _other_scale() -> ModelProtocol:
    return _jbd(
        (
            "scale: 0.001, count: to the end, most: 32, quantity: cell_voltages",
            "scale: 0.0001, count: to the end, most: 32, quantity: cell_voltages",
        )
    )


_RIDE = {"scenario": "ride", "speed": 1}
FAULTS = (
    LiveFault("absent, others heard", ("phone-app-holds-it",), target="A4:C1:38:00:00:77"),
    LiveFault("nobody heard", ("host.adapter-hung", "phone-app-holds-it"), ("second-client",), neighbours=0),
    LiveFault("held by an app", ("phone-app-holds-it",), ("second-client",)),
    LiveFault("address backwards", ("configuration",), target="01:00:00:38:C1:A4", certain=True),
    LiveFault("not connectable", ("phone-app-holds-it",), ("not-connectable",)),
    LiveFault(
        "weak, no connection", ("ble.weak-signal", "phone-app-holds-it"), ("weak-signal:-95", "no-link")
    ),
    LiveFault("no link", ("ble.pack-stuck", "ble.weak-signal"), ("no-link",)),
    LiveFault("drops at once", ("pairing-needed",), ("link-loss:0.2",)),
    LiveFault("drops when read", ("ble.interference", "ble.weak-signal"), ("link-loss:1.6",)),
    LiveFault("writes want pairing", ("pairing-needed",), ("pairing",), certain=True),
    LiveFault("notifications refused", ("pairing-needed",), ("notify-refused",)),
    LiveFault("does not notify", ("protocol-changed-by-update",), ("no-notify",)),
    LiveFault("other services", ("wrong-type-configured",), ("other-services",)),
    LiveFault("read as another family", ("wrong-type-configured",), query="?model=tianpower", certain=True),
    LiveFault(
        "named as another family",
        ("wrong-type-configured",),
        model="tianpower",
        called="JBD-SP04S034",
        query="?model=jbd",
        certain=True,
    ),
    LiveFault("a UUID twice", ("gatt.duplicate-uuid",), ("duplicate-uuid",)),
    LiveFault("silent", ("password-needed", "ble.pack-stuck"), ("silence",)),
    LiveFault("silent JK", ("ble.pack-stuck",), ("silence",), model="jk02"),
    LiveFault("only with response", ("write-mode",), ("with-response",), certain=True),
    LiveFault("only with response, JK", ("write-mode",), ("with-response",), model="jk02", certain=True),
    LiveFault("cut at MTU 23", ("cut-frames",), ("mtu:23", "cut-frames")),
    LiveFault("cut JK at MTU 23", ("cut-frames",), ("mtu:23", "cut-frames"), model="jk02"),
    LiveFault("truncated", ("cut-frames",), ("truncate:1",)),
    LiveFault("every notification but one lost", ("cut-frames", "serial.noise"), ("lost-notifications:2",)),
    LiveFault("cannot be hurried", ("polling-too-fast",), ("hurried:0.5",)),
    LiveFault("deaf at first", ("polling-too-fast",), ("deaf-at-first:2.5",)),
    LiveFault("asleep", ("pack-asleep",), ("asleep:1",)),
    LiveFault("closes amid an answer", ("ble.interference", "ble.weak-signal"), ("close-in-the-middle:1",)),
    LiveFault("slow", ("polling-too-fast",), ("delay:2.2",)),
    LiveFault("late", ("polling-too-fast",), ("delay:6.5",)),
    LiveFault("echo", ("pairing-needed",), ("echo",)),
    LiveFault("another checksum", ("reader-bug.checksum",), ("wrong-checksum",)),
    LiveFault("another checksum, JK", ("reader-bug.checksum",), ("wrong-checksum",), model="jk02"),
    LiveFault("damaged bits", ("serial.noise",), ("corrupt:1",), model="renogy"),
    LiveFault("another version", ("protocol-variant",), speaks=_other_version),
    LiveFault("impossible values", ("protocol-variant",), speaks=_other_scale),
    LiveFault("a cell at 0 V", ("cell-at-zero",), ("dead-cell:2",)),
    LiveFault("values frozen", ("frozen-bms",), ("frozen-bms",), options=_RIDE),
    LiveFault("no password given", ("password-needed",), ("pin:123456", "silence")),
    LiveFault("no password given, refused", ("password-needed", "ble.pack-stuck"), ("pin:123456",)),
    LiveFault("wrong password", ("password-needed",), ("pin:123456",), query="?pin=654321", certain=True),
    LiveFault(
        "wrong password, Lolan",
        ("password-needed",),
        ("pin:87654321",),
        model="lolan",
        query="?pin=1",
        certain=True,
    ),
    LiveFault("another program asks, too", ("two-clients.ble",), ("second-program",)),
    LiveFault(
        "no D-Bus",
        ("host.dbus-missing",),
        certain=True,
        bluez=lambda host: host.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={host.rfkill}/none"),
    ),
    LiveFault(
        "D-Bus refuses",
        ("host.permission",),
        certain=True,
        bluez=lambda host: host.refuses("GetManagedObjects", "org.freedesktop.DBus.Error.AccessDenied"),
    ),
    LiveFault(
        "no bluetoothd",
        ("configuration",),
        certain=True,
        bluez=lambda host: host.refuses("GetManagedObjects", "org.freedesktop.DBus.Error.ServiceUnknown"),
    ),
    LiveFault(
        "no adapter", ("configuration",), certain=True, bluez=lambda host: host.service.remove(ADAPTER)
    ),
    LiveFault(
        "not that adapter", ("configuration",), certain=True, query="?adapter=hci7", bluez=lambda _: None
    ),
    LiveFault(
        "powered off", ("configuration",), certain=True, bluez=lambda host: power(host.service, on=False)
    ),
    LiveFault("blocked", ("configuration",), certain=True, bluez=lambda host: host.block("soft")),
    LiveFault("blocked by a switch", ("configuration",), certain=True, bluez=lambda host: host.block("hard")),
    LiveFault(
        "no Low Energy",
        ("configuration",),
        certain=True,
        bluez=lambda host: host.adapter(Roles=Variant("as", ["peripheral"])),
    ),
    LiveFault(
        "bluetoothd hangs",
        ("host.adapter-hung",),
        bluez=lambda host: host.refuses("GetManagedObjects", "org.freedesktop.DBus.Error.NoReply"),
    ),
    LiveFault(
        "another scan never ends",
        ("two-clients.ble",),
        bluez=lambda host: host.refuses("StartDiscovery", "org.bluez.Error.InProgress"),
    ),
    LiveFault(
        "off between",
        ("configuration",),
        certain=True,
        bluez=lambda host: host.refuses("StartDiscovery", "org.bluez.Error.NotReady"),
    ),
    LiveFault(
        "the radio is deaf",
        ("host.adapter-hung", "phone-app-holds-it"),
        bluez=lambda host: setattr(host.service, "advertises", False),
    ),
    LiveFault(
        "wrong PIN of a pairing",
        ("pairing-needed",),
        bluez=lambda host: host.refuses("Connect", "org.bluez.Error.AuthenticationFailed"),
    ),
    LiveFault(
        "connecting is busy",
        ("two-clients.ble",),
        bluez=lambda host: host.refuses("Connect", "org.bluez.Error.InProgress"),
    ),
    LiveFault(
        "connecting fails",
        ("ble.pack-stuck", "ble.weak-signal"),
        bluez=lambda host: host.refuses("Connect", "org.bluez.Error.Failed"),
    ),
    LiveFault(
        "notifications are taken",
        ("two-clients.ble",),
        bluez=lambda host: host.refuses("StartNotify", "org.bluez.Error.NotPermitted: Notify acquired"),
    ),
    LiveFault("a phantom connection", ("ble.phantom-connection",), bluez=lambda host: host.holds(mute=True)),
)

#: Packs with which nothing is wrong, whatever they look like.
HEALTHY = (
    *(LiveFault(f"healthy {name}", ("ok",), model=name) for name in ("jbd", "jk02", "daly", "ant", "lolan")),
    *(LiveFault(f"healthy {name}", ("ok",), model=name) for name in ("litime", "seplos", "sok", "tianpower")),
    LiveFault("healthy, small MTU", ("ok",), ("mtu:23",), model="jk02"),
    LiveFault("healthy, weak", ("ok",), ("weak-signal:-85",)),
    LiveFault("healthy, slow", ("ok",), ("delay:0.3",)),
    LiveFault("healthy, moving", ("ok",), options=_RIDE),
    LiveFault("healthy over BlueZ", ("ok",), bluez=lambda host: host.rest()),
    LiveFault("healthy, held already", ("ok", "two-clients.ble"), bluez=lambda host: host.holds(mute=False)),
)


@asynccontextmanager
async def arranged(
    fault: LiveFault, folder: Path, setenv: Callable[[str, str], None]
) -> AsyncIterator[Address]:
    """Let there be a pack with a fault, and yield its address."""
    async with AsyncExitStack() as stack:
        if fault.bluez is not None:
            bus = await stack.enter_async_context(private_bus(folder))
            setenv("DBUS_SYSTEM_BUS_ADDRESS", bus)
            service = await stack.enter_async_context(FakeBlueZ(bus))
            stack.enter_context(_rfkill(folder / "rfkill"))
            fault.bluez(Host(service, folder / "rfkill", setenv))
            yield parse_address(f"ble://{JBD}{fault.query}")
            return
        air = await stack.enter_async_context(Air())
        stack.enter_context(installed(await air.device("central"), longest_connect=2))
        for number in range(fault.neighbours):
            other = await air.device("neighbour", f"C0:FF:EE:00:00:{number:02X}")
            await other.start_advertising(
                advertising_interval_min=100, advertising_interval_max=100, auto_restart=True
            )
            stack.push_async_callback(other.stop_advertising)
        spoken = fault.speaks() if fault.speaks else model(fault.model)
        bluetooth = BluetoothOptions(air=air, name=fault.called)
        options = {"cells": 4, "speed": 0, "faults": fault.faults, "bluetooth": bluetooth, **fault.options}
        sim = await stack.enter_async_context(SimulatedModel(spoken, SimOptions(**options)))
        assert sim.bluetooth is not None
        yield parse_address(f"ble://{fault.target or sim.bluetooth.address}{fault.query}")
        await asyncio.sleep(0)


@contextmanager
def _rfkill(folder: Path) -> Iterator[None]:
    folder.mkdir()
    before = failures.RFKILL
    failures.RFKILL = folder
    try:
        yield
    finally:
        failures.RFKILL = before


async def examined(
    fault: LiveFault, folder: Path, setenv: Callable[[str, str], None], listen: float | None = None
) -> Diagnosis:
    """Examine a pack with a fault."""
    async with arranged(fault, folder, setenv) as address:
        return await examine(address, ExaminationOptions(listen=listen))


def is_right(fault: LiveFault, found: Diagnosis) -> bool:
    """Tell whether the verdict is one of those that are right."""
    return found.verdict.key in fault.kinds


def is_falsely_certain(fault: LiveFault, found: Diagnosis) -> bool:
    """Tell whether something is said to be certain that is not, or that is not so."""
    sure = found.verdict.confidence is Confidence.CERTAIN
    return sure and not (is_right(fault, found) and (fault.certain or found.verdict.ok))
