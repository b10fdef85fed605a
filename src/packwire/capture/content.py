"""What a recording holds, and, where there is no application data in it, why and what to do about it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from packwire.capture.devices import SeenDevice, find_devices, hci_packets
from packwire.capture.framed import Framed
from packwire.capture.framings import family_of
from packwire.capture.layers.hci import HciKind
from packwire.capture.links import Layer, link_name, numbers
from packwire.capture.open import Capture
from packwire.capture.packets import (
    HCI_NOTE,
    NO_TIME,
    Packets,
)
from packwire.messages import Messages

_KINDS = {
    HciKind.COMMAND: "commands",
    HciKind.ACL: "ACL data",
    HciKind.SCO: "SCO data",
    HciKind.EVENT: "events",
    HciKind.ISO: "ISO data",
}


class ChannelCount(NamedTuple):
    """The messages of one channel; sizes in bytes, the smallest and the largest."""

    name: str
    to_device: int
    from_device: int
    unknown: int
    sizes: tuple[int, int]


class Advice(NamedTuple):
    """Why there is no data, and what to do."""

    what: str
    remedy: str


class Spoken(NamedTuple):
    """A protocol that a recording seems to speak: so many of its frames have right checksums.

    `known` is False where its framing was found in the bytes themselves. A few frames may be chance: then it
    is not `sure`.
    """

    name: str
    frames: int
    known: bool
    checked: bool = True
    """Whether its frames have a checksum."""
    telling: bool = True
    """Whether its frames begin with a mark, and most messages on their way are such: without a mark, other
    makers' devices speak in such frames, too."""

    @property
    def sure(self) -> bool:
        """Whether chance cannot have made as many right checksums, and no other maker's frames are such."""
        return self.known and self.frames >= _SURE and self.telling

    @property
    def words(self) -> str:
        """Return what speaks so, for people."""
        if not self.known:
            return f"a protocol that packwire does not know ({self.name})"
        return _WORDS.get(self.name, f"{'an' if self.name[0] in 'AEIOU' else 'a'} {self.name} BMS")


#: Of the framings that are not called after a maker of batteries.
_WORDS = {"VESC": "a VESC", "Modbus RTU": "a Modbus RTU device", "PACE ASCII": "a PACE BMS (ASCII)"}
#: So many frames with right checksums are no chance, however short the checksum.
_SURE = 3
#: So many of the messages on their way are frames of a family that is spoken there.
_PART = 0.25


@dataclass(frozen=True, slots=True)
class Content:
    """What a recording holds.

    `links` and `hci` count packets by kind; `cut` counts packets of which only the beginning was recorded
    (`data_cut`: of those that carry Bluetooth data); `losses` say what could not be used and why; `small_log`
    means the log of headers that every Android bug report has; `begin` and `end` are times in ns or NO_TIME.
    """

    packets: int
    messages: int
    begin: int
    end: int
    links: dict[str, int]
    hci: dict[str, int] = field(default_factory=dict)
    devices: tuple[SeenDevice, ...] = ()
    channels: tuple[ChannelCount, ...] = ()
    cut: int = 0
    data_cut: int = 0
    tcp_bytes: int = 0
    small_log: bool = False
    losses: tuple[str, ...] = ()
    kinds: frozenset[int] = frozenset()
    spoken: tuple[Spoken, ...] = ()
    """The protocol with the most frames first."""

    @property
    def is_known(self) -> bool:
        """Whether it is surely of a protocol that packwire knows."""
        return any(each.sure for each in self.spoken)


def look(capture: Capture) -> Content:
    """Look at all of a recording once."""
    packets = capture.packets
    known = packets.time[packets.time != NO_TIME]
    kinds, counts = np.unique(packets.link_type, return_counts=True)
    links: Counter[str] = Counter()
    for kind, count in zip(kinds.tolist(), counts.tolist(), strict=True):
        links[link_name(kind)] += count
    hci, data_cut = _hci(packets)
    return Content(
        packets=len(packets),
        messages=len(capture.messages),
        begin=int(known.min()) if len(known) else NO_TIME,
        end=int(known.max()) if len(known) else NO_TIME,
        links=dict(links),
        hci=hci,
        devices=find_devices(packets) if hci else (),
        channels=tuple(_channels(capture.messages)),
        cut=int(np.count_nonzero(packets.original > packets.size)),
        data_cut=data_cut,
        tcp_bytes=int(capture.connections.segments.wire_size.sum()),
        small_log="btsnooz" in capture.format,
        losses=capture.losses,
        kinds=frozenset(kinds.tolist()),
        spoken=_spoken(capture.framed),
    )


def _spoken(framed: Framed) -> tuple[Spoken, ...]:
    frames: Counter[tuple[str, bool, bool]] = Counter()
    marked: dict[str, bool] = {}
    on_their_way: Counter[str] = Counter()
    for (channel, direction), own in framed.by_way.items():
        rows = (framed.messages.channel == channel) & (framed.messages.direction == direction)
        on_their_way[family_of(own[0])] += int(np.count_nonzero(rows))
    for number, framing in enumerate(framed.framings):
        right = int(np.count_nonzero((framed.framing == number) & framed.checksum_ok))
        name = family_of(framing)
        marked[name] = marked.get(name, False) or bool(framing.start) or framing.unit or name in _WORDS
        frames[name, not framing.inferred, framing.check is not None] += right
    return tuple(
        Spoken(name, count, known, checked, marked[name] and count >= _PART * on_their_way[name])
        for (name, known, checked), count in frames.most_common()
        if count
    )


def _hci(packets: Packets) -> tuple[dict[str, int], int]:
    found = hci_packets(packets)
    counts = {name: int(np.count_nonzero(found.kind == kind)) for kind, name in _KINDS.items()}
    acl = found.kind == HciKind.ACL
    cut = int(np.count_nonzero(found.wire_end[acl] > found.end[acl]))
    return {name: count for name, count in counts.items() if count}, cut


def _channels(messages: Messages) -> list[ChannelCount]:
    """Count all channels at once: there may be thousands."""
    count = len(messages.channels)
    ways = np.bincount(messages.channel.astype(np.int64) * 3 + messages.direction + 1, minlength=3 * count)
    order = np.lexsort((messages.size, messages.channel))
    sizes = messages.size[order]
    ends = np.cumsum(ways.reshape(-1, 3).sum(axis=1)) if count else ways
    result, begin = [], 0
    for channel, end, (from_device, unknown, to_device) in zip(
        messages.channels, ends.tolist(), ways.reshape(-1, 3).tolist(), strict=True
    ):
        if end > begin:
            between = (int(sizes[begin]), int(sizes[end - 1]))
            result.append(ChannelCount(str(channel), to_device, from_device, unknown, between))
        begin = end
    return result


_ANDROID = (
    "Android: Developer options > Enable Bluetooth HCI snoop log > Enabled (not `Filtered`), then turn"
    " Bluetooth off and on, and record again."
)


def advice(content: Content) -> list[Advice]:
    """Say why a recording holds no application data and what to do; empty where it holds some."""
    if content.messages:
        return []
    if not content.packets:
        return [
            Advice(
                "the recording holds no packets.",
                "Start it before you open the app, use the app, then stop it; check that it listens at the"
                " right interface.",
            )
        ]
    if content.hci:
        return [_bluetooth(content)]
    if HCI_NOTE in content.kinds:
        return [
            Advice(
                "only notes of the Bluetooth recorder (which controllers there are): it ran, and nothing was"
                " said over them meanwhile.",
                "Start it (btmon -w file.btsnoop) before the program or the app connects to the battery, on"
                " the computer that connects, and stop it when values were shown.",
            )
        ]
    if content.kinds & numbers(Layer.RADIO):
        return [
            Advice(
                "a radio recording without data of a connection: only advertising, or it is encrypted.",
                "Start the sniffer on the device's address before the app connects, so that it follows the"
                " connection. If the app pairs, record on the phone instead (packwire capture android).",
            )
        ]
    if content.kinds & numbers(Layer.WIFI):
        return [
            Advice(
                "Wi-Fi frames, which are encrypted and not read here.",
                "Record at one end of the connection or at the router instead: packwire capture network.",
            )
        ]
    return [_network(content)]


def _bluetooth(content: Content) -> Advice:
    data = content.hci.get(_KINDS[HciKind.ACL], 0)
    if content.small_log:
        return Advice(
            "only the small log that every Android bug report has: the app's data is not in it.", _ANDROID
        )
    if data and content.data_cut * 2 > data:
        return Advice(
            f"{content.data_cut} of {data} data packets were cut short: the log is filtered or keeps headers"
            " only.",
            _ANDROID,
        )
    if data:
        return Advice(
            f"{data} data packets, but no ATT value and no RFCOMM among them: nobody talked to a battery.",
            "Start the recording, then open the vendor's app and wait until it shows the battery; a phone"
            " records its own traffic only.",
        )
    adverts = sum(each.adverts for each in content.devices)
    if adverts * 2 > content.hci.get(_KINDS[HciKind.EVENT], 0):
        return Advice(
            f"only advertising ({adverts} reports of {len(content.devices)} devices): nothing was connected,"
            " or the data of the connection was not recorded.",
            "Open the app and wait until it shows the battery while the recording runs. " + _ANDROID,
        )
    return Advice(
        "only HCI commands and events, no data packets (ACL): this recorder left the data out, or nothing"
        " was connected.",
        "iPhone: install Apple's Bluetooth logging profile, restart, and record with PacketLogger. "
        + _ANDROID,
    )


def _network(content: Content) -> Advice:
    if content.cut * 2 > content.packets:
        return Advice(
            f"{content.cut} of {content.packets} packets were cut short when they were recorded.",
            "Record whole packets: tcpdump -s 0.",
        )
    if content.kinds & numbers(Layer.CAN):
        return Advice(
            "CAN frames without data in them.",
            "Record while the battery is awake, with the bit rate of the bus: candump -L can0.",
        )
    if content.kinds & numbers(Layer.USB):
        return Advice(
            "USB traffic without Bluetooth data in it.",
            "Record the USB bus on which the Bluetooth adapter is, from before the connection is made.",
        )
    if content.tcp_bytes:
        return Advice(
            f"TCP connections with {content.tcp_bytes} bytes, but nothing that is understood here;"
            " they may be encrypted, or of something else.",
            "Record between the app and the device itself: packwire capture network.",
        )
    return Advice(
        "no TCP data and no CAN frames in it.",
        "Record at an interface that the traffic passes, without a filter: packwire capture network.",
    )
