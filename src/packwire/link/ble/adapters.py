"""The Bluetooth adapters of this computer, as its system tells of them: BlueZ alone does."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import bleak
from bleak.backends import BleakBackend

from packwire.errors import PackwireError, Reason
from packwire.link.ble.failures import FAILURES, no_scan, unusable

#: Seconds for an adapter to go off and come back, for each of them, and between the two.
RESTART_TIMEOUT, _SWITCHED, _OFF = 15.0, 5.0, 1.0
_ADAPTER, _DEVICE = "org.bluez.Adapter1", "org.bluez.Device1"
_SYSTEM_BUS = "unix:path=/var/run/dbus/system_bus_socket"


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter: `low_energy` None is not told; `scanning` by any program; `holds` are who is connected."""

    name: str
    powered: bool
    low_energy: bool | None = None
    scanning: bool = False
    holds: tuple[str, ...] = ()


def is_told() -> bool:
    """Tell whether the system in use tells of its adapters."""
    chosen = getattr(bleak, "get_platform_scanner_backend_type")()  # noqa: B009 - it is no export
    return bool(chosen[1] is BleakBackend.BLUEZ_DBUS)


async def adapters() -> tuple[Adapter, ...]:
    """Return the adapters that BlueZ has. Raises what bleak's back end raises where there is no BlueZ."""
    async with _bluez() as call:
        objects = (await call("/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects"))[0]
    return tuple(
        _adapter(path, said[_ADAPTER], objects) for path, said in sorted(objects.items()) if _ADAPTER in said
    )


def _adapter(path: str, said: dict, objects: dict) -> Adapter:  # type: ignore[type-arg]  # D-Bus's own
    held = [each[_DEVICE] for each in objects.values() if _DEVICE in each]
    roles = said["Roles"].value if "Roles" in said else None
    return Adapter(
        path.rpartition("/")[2],
        bool(said["Powered"].value) if "Powered" in said else False,
        None if roles is None else "central" in roles,
        bool(said["Discovering"].value) if "Discovering" in said else False,
        tuple(
            str(each["Address"].value)
            for each in held
            if each.get("Connected") and each["Connected"].value and each["Adapter"].value == path
        ),
    )


def may_hang(error: PackwireError) -> bool:
    """Tell whether an adapter that is switched off and on may be well again."""
    return error.reason in {Reason.BUSY, Reason.TIMED_OUT}


async def restart(adapter: str = "") -> str:
    """Switch an adapter off and on, the first one that is on where none is named; return its name.

    All connections of this computer through it end. Raises UnreachableError where the system has none, or
    does not let this user.
    """
    from dbus_fast import Variant  # noqa: PLC0415 - Linux alone

    if not is_told():
        raise unusable(adapter)
    try:
        async with asyncio.timeout(RESTART_TIMEOUT):
            found = [each for each in await adapters() if each.powered and adapter in {"", each.name}]
            if not found:
                raise unusable(adapter)
            name = found[0].name
            async with _bluez() as call:

                async def power(*, on: bool) -> None:
                    said = [_ADAPTER, "Powered", Variant("b", on)]
                    path, interface = f"/org/bluez/{name}", "org.freedesktop.DBus.Properties"
                    async with asyncio.timeout(_SWITCHED):
                        await call(path, interface, "Set", "ssv", said)

                try:
                    await power(on=False)
                    await asyncio.sleep(_OFF)
                finally:  # whoever ends the program meanwhile is not left without Bluetooth
                    await power(on=True)
    except FAILURES as error:
        raise no_scan(error, adapter) from error
    return name


@asynccontextmanager
async def _bluez() -> AsyncGenerator[Any]:
    """Connect to the system's D-Bus; gives what calls a method of BlueZ's and returns what it answers."""
    from bleak.backends.bluezdbus.utils import assert_reply  # noqa: PLC0415 - Linux alone
    from dbus_fast import BusType, Message  # noqa: PLC0415
    from dbus_fast.aio.message_bus import MessageBus  # noqa: PLC0415

    place = os.environ.get("DBUS_SYSTEM_BUS_ADDRESS", _SYSTEM_BUS)
    bus = await MessageBus(bus_address=place, bus_type=BusType.SYSTEM).connect()

    async def call(path: str, interface: str, member: str, signature: str = "", body: Any = ()) -> Any:
        reply = await bus.call(
            Message(
                destination="org.bluez",
                path=path,
                interface=interface,
                member=member,
                signature=signature,
                body=list(body),
            )
        )
        assert_reply(reply)
        return reply.body

    try:
        yield call
    finally:
        bus.disconnect()
