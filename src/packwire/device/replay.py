"""From a recording to a device that is read like a live one."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import override

from packwire.address import VESC, Address
from packwire.capture.open import Capture, open_capture
from packwire.capture.replay.bluetooth import has_bluetooth, recorded_device
from packwire.device.base import Device, Node
from packwire.device.bluetooth import BluetoothDevice, reader_of
from packwire.errors import GoneError, NoAnswerError, NotAVescError, PackwireError, Reason
from packwire.link.base import Link
from packwire.link.ble.discovery import Seen
from packwire.link.ble.observed import Watch
from packwire.link.gatt_traffic import GattObserver
from packwire.models.aiobmsble_plugins import Plugin
from packwire.protocol.base import Gatt, Protocol
from packwire.protocols import protocol, usable
from packwire.sample import Condition, Sample

#: How `packwire record` names the protocol of a stream in its file.
_MODEL = re.compile(r"model=([a-z0-9][a-z0-9_-]{0,31})")


def replayed(
    address: Address, read_by: Callable[[Link, Protocol], Device], observers: Sequence[GattObserver] = ()
) -> Device:
    """Return the device that a recording shows. Raises BadFileError, BadAddressError, NotAVescError."""
    capture = open_capture(address.target)
    if has_bluetooth(capture):
        return _Pack(address, capture, read_by, observers)
    from packwire.capture.replay.stream import ReplayLink, stream_of  # noqa: PLC0415 - not for Bluetooth

    spoken = protocol(address.model or _named(capture) or VESC)
    return read_by(ReplayLink(capture.name, stream_of(capture, spoken), spoken), spoken)


def _named(capture: Capture) -> str:
    found = (_MODEL.search(name) for name in capture.packets.interfaces)
    return next((each[1] for each in found if each), "")


class _Pack(BluetoothDevice):
    """A recorded pack; its connection ends where the recording does."""

    def __init__(
        self,
        address: Address,
        capture: Capture,
        read_by: Callable[[Link, Protocol], Device],
        observers: Sequence[GattObserver],
    ) -> None:
        from bleak.backends.device import BLEDevice  # noqa: PLC0415 - an extra

        from packwire.capture.replay.backend import backend_of  # noqa: PLC0415 - an extra

        recorded = recorded_device(capture)
        said = recorded.advertisement
        seen = Seen(BLEDevice(said.address, said.name or None, None), said)
        reader = protocol(address.model) if address.model else reader_of(said) or _by_frames(capture)
        if not isinstance(reader, Plugin):
            recorded.spoken(reader.kind)
            address = replace(address, model=address.model or reader.name)
        self._title = reader.title
        gatt = _gatt_of(reader)
        self._recording = capture.name
        self._script = recorded.script
        self._others = recorded.others
        super().__init__(
            address, read_by, watch=Watch(list(observers), backend=backend_of(recorded, gatt)), seen=seen
        )

    @property
    @override
    def remarks(self) -> tuple[str, ...]:
        more = (f"the recording has {self._others} more devices",) if self._others else ()
        unknown = self._script.unknown
        asked = (f"{unknown} questions that the recording has no answer to",) if unknown else ()
        return (*super().remarks, *asked, *more)

    @override
    async def open(self) -> None:
        try:
            await super().open()
        except NoAnswerError as error:
            raise NoAnswerError(
                f"{self._recording} has no answer to what a {self._title} is asked: it is of another "
                "protocol (?model=NAME), or of an app that asked other things"
            ) from error

    @override
    async def read(self) -> tuple[Sample, ...]:
        try:
            samples = await super().read()
        except GoneError as error:
            raise self._ended(error) from error
        if self._script.over and all(sample.condition is Condition.SILENT for sample in samples):
            raise self._ended(GoneError())
        return samples

    @override
    async def read_node(self, node: Node) -> Sample:
        try:
            return await super().read_node(node)
        except GoneError as error:
            raise self._ended(error) from error

    def _ended(self, error: GoneError) -> PackwireError:
        if not self._script.over:
            return error
        return GoneError(f"the recording {self._recording} ends here", reason=Reason.ENDED)


def _by_frames(capture: Capture) -> Protocol:
    """Return the only model that a recording can be of, by all that was said. Raises NotAVescError."""
    from packwire.capture.framings import family_of  # noqa: PLC0415 - where advertisements say nothing
    from packwire.capture.readings import told_apart  # noqa: PLC0415
    from packwire.models.protocol import ModelProtocol  # noqa: PLC0415

    spoken = {family_of(each) for framings in capture.framed.by_way.values() for each in framings}
    found = [each for each in usable() if each.family is not None and each.family.name in spoken]
    models = [each for each in found if isinstance(each, ModelProtocol)]
    if len(found) == len(models) > 1:
        messages = ((each.direction, each.payload) for each in capture.messages)
        found = list(told_apart(models, messages)) or found
    if len(found) == 1:
        return found[0]
    name = found[0].name if found else "NAME"
    what = (
        f"its frames may be of {', '.join(each.name for each in found)}" if found else "nobody knows it here"
    )
    raise NotAVescError(
        f"{capture.name}: what its device speaks is not told by what it advertised, and {what}; "
        f"?model={name} behind the file's name reads it so"
    )


def _gatt_of(reader: Plugin | Protocol) -> Sequence[Gatt]:
    """Return where a protocol, or a plugin of aiobmsble, is spoken."""
    if not isinstance(reader, Plugin):
        return reader.gatt
    from importlib import import_module  # noqa: PLC0415 - an extra

    from bleak.uuids import normalize_uuid_str  # noqa: PLC0415

    bms = import_module(f"aiobmsble.bms.{reader.name}").BMS
    try:
        write = normalize_uuid_str(bms.uuid_tx())
    except NotImplementedError:  # it only listens
        write = ""
    services = [normalize_uuid_str(each) for each in bms.uuid_services()]
    return (Gatt(services[0] if services else "", normalize_uuid_str(bms.uuid_rx()), write),)
