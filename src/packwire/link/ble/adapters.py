"""The Bluetooth adapters of this computer, as its system tells of them: BlueZ alone does."""

import os
from dataclasses import dataclass

import bleak
from bleak.backends import BleakBackend

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
    from bleak.backends.bluezdbus.utils import assert_reply  # noqa: PLC0415 - Linux alone
    from dbus_fast import BusType, Message  # noqa: PLC0415
    from dbus_fast.aio.message_bus import MessageBus  # noqa: PLC0415

    place = os.environ.get("DBUS_SYSTEM_BUS_ADDRESS", _SYSTEM_BUS)
    bus = await MessageBus(bus_address=place, bus_type=BusType.SYSTEM).connect()
    try:
        reply = await bus.call(
            Message(
                destination="org.bluez",
                path="/",
                interface="org.freedesktop.DBus.ObjectManager",
                member="GetManagedObjects",
            )
        )
        assert_reply(reply)
        objects = reply.body[0]
    finally:
        bus.disconnect()
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
