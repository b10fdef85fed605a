"""What a recording holds. Why it may hold no application data is the doctor's to say."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from packwire.capture.devices import SeenDevice, find_devices, hci_packets
from packwire.capture.framed import Framed
from packwire.capture.framings import family_of
from packwire.capture.layers.hci import HciKind
from packwire.capture.links import link_name
from packwire.capture.open import Capture
from packwire.capture.packets import NO_TIME, Packets
from packwire.messages import Messages

#: The kinds of HCI packets, as `Content.hci` counts them.
HCI_WORDS = {
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
        marked[name] = marked.get(name, False) or framing.lead > 0 or framing.unit or name in _WORDS
        frames[name, not framing.inferred, framing.check is not None] += right
    return tuple(
        Spoken(name, count, known, checked, marked[name] and count >= _PART * on_their_way[name])
        for (name, known, checked), count in frames.most_common()
        if count
    )


def _hci(packets: Packets) -> tuple[dict[str, int], int]:
    found = hci_packets(packets)
    counts = {name: int(np.count_nonzero(found.kind == kind)) for kind, name in HCI_WORDS.items()}
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
