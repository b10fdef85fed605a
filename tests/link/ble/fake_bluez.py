"""BlueZ as bleak sees it, on a private D-Bus: an adapter, a JBD pack, and what real ones do to a program.

Needs dbus-daemon; facts from BlueZ's own description of its D-Bus interface (doc/org.bluez.*.rst).
"""

import asyncio
import contextlib
import re
import shutil
from typing import TYPE_CHECKING, Any, Self

import pytest
from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio.message_bus import MessageBus

from tests.link.ble.fake_air import JBD_NOTIFY, JBD_SERVICE, JBD_WRITE, jbd_pack

if TYPE_CHECKING:
    from collections.abc import Callable

DAEMON = shutil.which("dbus-daemon")
needs_daemon = pytest.mark.skipif(DAEMON is None, reason="dbus-daemon is not installed; .ci/run installs it")
ADAPTER = "/org/bluez/hci0"
DEVICE = f"{ADAPTER}/dev_A4_C1_38_00_00_01"
SERVICE = f"{DEVICE}/service0010"
NOTIFY, WRITE = f"{SERVICE}/char0011", f"{SERVICE}/char0014"
_ADAPTER1, _DEVICE1 = "org.bluez.Adapter1", "org.bluez.Device1"
_SERVICE1, _CHARACTERISTIC1 = "org.bluez.GattService1", "org.bluez.GattCharacteristic1"
_MANAGER, _PROPERTIES = "org.freedesktop.DBus.ObjectManager", "org.freedesktop.DBus.Properties"
_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "">
<busconfig><type>session</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy></busconfig>"""

type Objects = dict[str, dict[str, dict[str, Variant]]]


def _snake_case(member: str) -> str:
    """Return the name of a D-Bus method as Python writes it: `get_managed_objects`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", member).lower()


class FakeBlueZ:
    """The service; `errors` are given instead of an answer, by the name of a method, one each time, with
    what is said behind a colon.

    `dropped` is called where a connection ends.
    """

    def __init__(self, address: str, pack=None) -> None:
        self.address = address
        self.pack = pack or jbd_pack()
        self.errors: dict[str, list[str]] = {}
        self.calls: list[str] = []
        self.advertises = True
        self.notifies = True
        self.dropped: Callable[[], None] = lambda: None
        self.bus: Any = None
        self.objects: Objects = {ADAPTER: {_ADAPTER1: _adapter()}}
        self._advertising: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self.bus = await MessageBus(bus_address=self.address).connect()
        self.bus.add_message_handler(self._handle)
        await self.bus.request_name("org.bluez")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._advertising is not None:
            self._advertising.cancel()
        self.bus.disconnect()
        with contextlib.suppress(Exception):
            await self.bus.wait_for_disconnect()

    def _handle(self, message: Message) -> Message | None:
        if message.message_type is not MessageType.METHOD_CALL or message.interface is None:
            return None
        if not message.interface.startswith("org.bluez") and message.interface not in {_MANAGER, _PROPERTIES}:
            return None
        member = message.member or ""
        self.calls.append(member)
        if queue := self.errors.get(member):
            name, _, words = queue.pop(0).partition(": ")
            return Message.new_error(message, name, words or "as ordered")
        answer = getattr(self, f"_on_{_snake_case(member)}", None)
        if answer is None:
            return Message.new_error(message, "org.bluez.Error.NotSupported", member)
        return answer(message) or Message.new_method_return(message)

    def _on_get_managed_objects(self, message: Message) -> Message:
        return Message.new_method_return(message, "a{oa{sa{sv}}}", [self.objects])

    def _on_set(self, message: Message) -> None:
        interface, name, value = message.body
        self.change(message.path or "", interface, **{name: value})

    def _on_set_discovery_filter(self, message: Message) -> None:
        return

    def _on_start_discovery(self, message: Message) -> Message | None:
        if not self.objects[ADAPTER][_ADAPTER1]["Powered"].value:
            return Message.new_error(message, "org.bluez.Error.NotReady", "Resource Not Ready")
        if self.advertises:
            self._advertising = asyncio.ensure_future(self._advertise())
        return None

    def _on_stop_discovery(self, message: Message) -> None:
        if self._advertising is not None:
            self._advertising.cancel()

    async def _advertise(self) -> None:
        await asyncio.sleep(0.01)
        self.add_device()
        while True:
            self.change(DEVICE, _DEVICE1, RSSI=Variant("n", -61))
            await asyncio.sleep(0.05)

    def add_device(self, *, connected: bool = False) -> None:
        """Let the device be known."""
        if DEVICE in self.objects:
            return
        self.add(
            DEVICE,
            _DEVICE1,
            {
                "Address": Variant("s", self.pack.address),
                "Name": Variant("s", self.pack.name),
                "Alias": Variant("s", self.pack.name),
                "UUIDs": Variant("as", list(self.pack.uuids)),
                "Connected": Variant("b", connected),
                "Paired": Variant("b", False),
                "ServicesResolved": Variant("b", connected),
                "Adapter": Variant("o", ADAPTER),
            },
        )
        if connected:
            self._add_services()

    def _on_connect(self, message: Message) -> None:
        self._add_services()
        self.change(DEVICE, _DEVICE1, Connected=Variant("b", True))
        self.change(DEVICE, _DEVICE1, ServicesResolved=Variant("b", True))

    def _add_services(self) -> None:
        self.add(SERVICE, _SERVICE1, {
            "UUID": Variant("s", JBD_SERVICE), "Primary": Variant("b", True), "Device": Variant("o", DEVICE),
        })  # fmt: skip
        for path, uuid, flags in (
            (NOTIFY, JBD_NOTIFY, ["notify"]),
            (WRITE, JBD_WRITE, ["write", "write-without-response"]),
        ):
            self.add(path, _CHARACTERISTIC1, {
                "UUID": Variant("s", uuid), "Service": Variant("o", SERVICE), "Flags": Variant("as", flags),
                "MTU": Variant("q", 23), "Notifying": Variant("b", False),
            })  # fmt: skip

    def _on_disconnect(self, message: Message) -> None:
        self.drop()

    def drop(self) -> None:
        """Let the connection end."""
        if DEVICE in self.objects:
            self.change(DEVICE, _DEVICE1, Connected=Variant("b", False))
            self.change(DEVICE, _DEVICE1, ServicesResolved=Variant("b", False))
        for path in (NOTIFY, WRITE, SERVICE):
            self.remove(path)
        self.dropped()

    def unplug(self) -> None:
        """Let the adapter vanish, and all that hangs on it."""
        if self._advertising is not None:
            self._advertising.cancel()
        self.drop()
        self.remove(DEVICE)
        self.remove(ADAPTER)

    def plug_in(self) -> None:
        """Let the adapter be there again."""
        self.add(ADAPTER, _ADAPTER1, _adapter())

    def _on_start_notify(self, message: Message) -> None:
        return

    def _on_stop_notify(self, message: Message) -> None:
        return

    def _on_write_value(self, message: Message) -> None:
        data = bytes(message.body[0])
        self.pack.written.append((data, message.body[1]["type"].value == "request"))
        if self.notifies:
            for piece in self.pack.answer(data):
                self.change(NOTIFY, _CHARACTERISTIC1, Value=Variant("ay", piece))

    def add(self, path: str, interface: str, properties: dict[str, Variant]) -> None:
        """Add an object, and say so."""
        self.objects.setdefault(path, {})[interface] = properties
        self._signal("/", _MANAGER, "InterfacesAdded", "oa{sa{sv}}", [path, {interface: properties}])

    def remove(self, path: str) -> None:
        """Remove an object, and say so."""
        if gone := self.objects.pop(path, None):
            self._signal("/", _MANAGER, "InterfacesRemoved", "oas", [path, list(gone)])

    def change(self, path: str, interface: str, **properties: Variant) -> None:
        """Change properties, and say so."""
        if path in self.objects:
            self.objects[path][interface] |= properties
            self._signal(path, _PROPERTIES, "PropertiesChanged", "sa{sv}as", [interface, properties, []])

    def _signal(self, path: str, interface: str, member: str, signature: str, body: list[Any]) -> None:
        self.bus.send(
            Message(
                message_type=MessageType.SIGNAL,
                path=path,
                interface=interface,
                member=member,
                signature=signature,
                body=body,
            )
        )


def _adapter(*, powered: bool = True) -> dict[str, Variant]:
    return {
        "Address": Variant("s", "00:11:22:33:44:55"),
        "Powered": Variant("b", powered),
        "Roles": Variant("as", ["central", "peripheral"]),
    }


def power(bluez: FakeBlueZ, *, on: bool) -> None:
    """Switch the adapter."""
    bluez.change(ADAPTER, _ADAPTER1, Powered=Variant("b", on))


@contextlib.asynccontextmanager
async def private_bus(folder):
    """Run a D-Bus of one's own; yield its address."""
    assert DAEMON is not None
    config, path = folder / "bus.conf", folder / "bus"
    config.write_text(_CONFIG.format(path=path))
    process = await asyncio.create_subprocess_exec(
        DAEMON, "--nofork", "--print-address", f"--config-file={config}", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(90):
            address = (await process.stdout.readline()).decode().strip()
        yield address
    finally:
        process.terminate()
        await process.wait()
