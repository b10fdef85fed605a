"""The links of a recording that are compared: each device's messages, and what is spoken on them."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from packwire.capture import Capture
from packwire.capture.framings import Framing, family_of
from packwire.capture.readings import all_models, told_apart
from packwire.doctor.compare.bluetooth_connections import connection_numbers
from packwire.messages import Direction, Messages


@dataclass(frozen=True, slots=True)
class RecordedLink:
    """One device's messages in a capture, with the framing of each (None: in no frame)."""

    device: str
    messages: Messages
    framing: tuple[Framing | None, ...]
    right: tuple[bool, ...]

    @property
    def protocol(self) -> str:
        """Return the family of the framings that most messages are in; empty where none is known."""
        return self._most(Counter(family_of(each) for each in self.framing if each is not None))

    @property
    def device_protocol(self) -> str:
        """Return the same of what came from the device alone."""
        ways = self.messages.direction.tolist()
        both = zip(self.framing, ways, strict=True)
        came = (family_of(each) for each, way in both if each and way != Direction.TO_DEVICE)
        return self._most(Counter(came))

    @staticmethod
    def _most(counts: Counter[str]) -> str:
        return counts.most_common(1)[0][0] if counts else ""


def links(capture: Capture) -> list[RecordedLink]:
    """Return the links of a capture without VESC over TCP, in the order of their first messages.

    Each Bluetooth connection is a link of its own, also where it is one to the same device again.
    """
    framed = capture.framed
    messages = framed.messages
    names = [channel.device for channel in messages.channels]
    group = {name: number for number, name in enumerate(dict.fromkeys(names))}
    code = np.array([group[name] for name in names] or [-1], dtype=np.int64)
    of_row = code[messages.channel]
    result = []
    connection = connection_numbers(capture, messages)
    for name, number in group.items():
        of_device = np.flatnonzero(of_row == number)
        for each in np.unique(connection[of_device]).tolist():
            rows = of_device[connection[of_device] == each]
            framing = tuple(
                framed.framings[index] if index >= 0 else None for index in framed.framing[rows].tolist()
            )
            right = tuple(framed.checksum_ok[rows].tolist())
            result.append(RecordedLink(name, messages.select(rows), framing, right))
    return sorted(result, key=lambda link: int(link.messages.time[0]))


def protocol_of(links_of_both: list[RecordedLink]) -> str:
    """Return the protocol that the links have in common, by their messages."""
    counts: Counter[str] = Counter()
    for link in links_of_both:
        counts[link.protocol] += len(link.messages)
    return counts.most_common(1)[0][0] if counts else ""


def model_of(some: list[RecordedLink], protocol: str) -> str:
    """Return the name of the protocol of a family that fits best what was said; empty: there is none."""
    if protocol == "VESC":
        return "vesc"
    models = [each for each in all_models() if each.family.name == protocol]
    said = (
        (Direction(way), link.messages.payload(row))
        for link in some
        for row, way in enumerate(link.messages.direction.tolist())
    )
    found = told_apart(models, said) or models
    return found[0].name if found else ""
