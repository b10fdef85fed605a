"""A recorded Bluetooth connection as a device in the air: what it advertised, its GATT, its script."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from packwire.advertisement import Advertisement
from packwire.att import long_uuid
from packwire.capture.advertised import advertisements
from packwire.capture.devices import hci_packets
from packwire.capture.layers.hci import HciLink
from packwire.capture.open import Capture
from packwire.capture.replay.script import RecordedReply, RecordedRequest, Script
from packwire.channel import THE_APP, UNKNOWN_HANDLE, Channel, Transport
from packwire.columns import distinct
from packwire.direction import Direction
from packwire.protocol.base import Gatt

#: Where handles begin that a recording does not tell.
_FIRST_MADE_UP = 0x1000
#: The service that says who made a device, and its characteristics [Assigned Numbers, 3.4 and 3.8].
DEVICE_INFORMATION: Final = long_uuid("180a")
_OF_INFORMATION: Final = frozenset(long_uuid(f"2a{number:02x}") for number in range(0x23, 0x2B))
CCCD: Final = long_uuid("2902")
_NO_ADDRESS = "00:00:00:00:00:00"


@dataclass(slots=True)
class RecordedCharacteristic:
    """A characteristic as far as the recording shows it; `uuid` is empty where it does not tell."""

    handle: int
    uuid: str
    properties: set[str] = field(default_factory=set)


@dataclass(slots=True)
class RecordedDevice:
    """The device of a recording; `cccd` are the handles of descriptors that were written."""

    advertisement: Advertisement
    characteristics: dict[int, RecordedCharacteristic]
    entries: list[RecordedRequest | RecordedReply]
    script: Script
    cccd: set[int]
    others: int
    """Other devices that the recording has."""

    def spoken(self, kind: Callable[[bytes], Hashable | None]) -> None:
        """Take requests of one kind, as a protocol says it, for alike."""

        def alike(key: Hashable) -> Hashable | None:
            match key:
                case (int(handle), bytes(value)) if handle not in self.cccd:
                    return None if (said := kind(value)) is None else (handle, said)
            return None

        self.script = Script(self.entries, alike)

    def shaped(self, gatt: Sequence[Gatt]) -> tuple[tuple[str, list[RecordedCharacteristic]], ...]:
        """Return the services for whoever speaks `gatt`.

        A phone that knows a device does not discover it anew: a characteristic without a UUID that notifies,
        or is written, is then taken for the protocol's.
        """
        own = [each for each in self.characteristics.values() if each.uuid not in _OF_INFORMATION]
        information = [each for each in self.characteristics.values() if each.uuid in _OF_INFORMATION]
        known = {each.uuid for each in own}
        place = next((each for each in gatt if {each.notify, each.write} & known), gatt[0] if gatt else None)
        if place is not None:
            _claim(own, place.notify, "notify")
            _claim(own, place.write, "write")
        service = place.service if place else long_uuid("ffff")
        return ((service, own), *(((DEVICE_INFORMATION, information),) if information else ()))


def _claim(own: list[RecordedCharacteristic], uuid: str, kind: str) -> None:
    if not uuid or any(each.uuid == uuid for each in own):
        return
    nameless = next((each for each in own if not each.uuid and kind in each.properties), None)
    if nameless is None:
        taken = max((each.handle for each in own), default=_FIRST_MADE_UP)
        own.append(RecordedCharacteristic(taken + 8, uuid, {kind}))
    else:
        nameless.uuid = uuid


def has_bluetooth(capture: Capture) -> bool:
    """Tell whether a recording holds values of GATT."""
    return any(channel.transport is Transport.ATT for channel in capture.raw_messages.channels)


def recorded_device(capture: Capture) -> RecordedDevice:
    """Return the device that said most in a recording."""
    messages = capture.raw_messages
    theirs = {each for each in messages.channels if each.transport is Transport.ATT and each.owner != THE_APP}
    peers = _peers(capture)
    said: Counter[str] = Counter()
    for number in messages.channel.tolist():
        channel = messages.channels[number]
        if channel in theirs:
            said[channel.device] += 1
    device = said.most_common(1)[0][0] if said else ""
    address = (device or (peers[0] if len(peers) == 1 else "")).upper()
    known = advertisements(capture.packets.data, hci_packets(capture.packets))
    advertised = known.get(address) or Advertisement(address or _NO_ADDRESS)
    handles = _Handles()
    entries: list[RecordedRequest | RecordedReply] = []
    cccd: set[int] = set()
    for at in range(len(messages)):
        channel = messages.channels[int(messages.channel[at])]
        if channel not in theirs or channel.device != device:
            continue
        handle = handles.of(channel)
        time, data = int(messages.time[at]), messages.payload(at)
        if channel.kind == "read":
            entries.append(RecordedRequest(time, (handle, "read")))
            entries.append(RecordedReply(time, handle, data))
        elif messages.direction[at] == Direction.TO_DEVICE:
            entries.append(RecordedRequest(time, (handle, data)))
            if handles.is_cccd(handle):
                cccd.add(handle)
        else:
            entries.append(RecordedReply(time, handle, data))
    for handle, name in _discovered(capture, device):
        handles.name(handle, name)
    table = {each.handle: each for each in handles.found.values() if each.uuid != CCCD}
    return RecordedDevice(advertised, table, entries, Script(entries), cccd, max(len(said) - 1, 0))


def _peers(capture: Capture) -> list[str]:
    links = _links(capture)
    used = distinct(capture.att.connection) if links else []
    return sorted({links[number].peer for number in used if links[number].peer})


def _links(capture: Capture) -> Sequence[HciLink]:
    from packwire.capture.links import BLUETOOTH, numbers  # noqa: PLC0415 - text logs have none

    if numbers(*BLUETOOTH).isdisjoint(capture.packets.link_types):
        return ()
    return capture.bluetooth.links


def _discovered(capture: Capture, device: str) -> Iterator[tuple[int, str]]:
    """Yield the characteristics that were discovered, and perhaps never used."""
    for number, link in enumerate(_links(capture)):
        if not device or link.peer == device:
            yield from capture.bluetooth.names.get((number, False), {}).items()


class _Handles:
    """The characteristics of a device by what channels tell of them: a handle, a UUID, or both."""

    def __init__(self) -> None:
        self.found: dict[int, RecordedCharacteristic] = {}
        self._by_name: dict[str, int] = {}

    def of(self, channel: Channel) -> int:
        """Return the handle of a channel's characteristic."""
        handle = channel.handle
        if handle is None or handle == UNKNOWN_HANDLE:
            handle = self._by_name.setdefault(channel.name, _FIRST_MADE_UP + 4 * len(self._by_name))
        each = self.found.setdefault(handle, RecordedCharacteristic(handle, long_uuid(channel.name)))
        each.uuid = each.uuid or long_uuid(channel.name)
        kinds = {"write": ("write", "write-without-response")}.get(channel.kind, (channel.kind,))
        each.properties.update(kind for kind in kinds if kind)
        return handle

    def name(self, handle: int, name: str) -> None:
        """Take what discovery told."""
        if len(name) > 4 or name[:2] != "28":  # declarations of services and characteristics are none
            each = self.found.setdefault(handle, RecordedCharacteristic(handle, long_uuid(name)))
            each.uuid = each.uuid or long_uuid(name)

    def is_cccd(self, handle: int) -> bool:
        """Tell whether it switches notifications."""
        return self.found[handle].uuid == CCCD
