"""Recordings without what should not leave the house: logins, keys, PINs, Bluetooth addresses and names.

A packet keeps its size and its place, so that everything else about the recording stays true: the same
messages in the same packets, with the checksums mended. The same address becomes the same made-up one
everywhere. It fails closed: what cannot be read and might hold a secret is masked whole.
"""

import re
from dataclasses import dataclass, replace

import numpy as np

from packwire.capture.devices import hci_packets
from packwire.capture.layers.hci import HciKind
from packwire.capture.links import HCI, Layer, headers, numbers
from packwire.capture.open import Capture
from packwire.capture.packets import (
    APPLICATION,
    HCI_COMMAND,
    HCI_ISO,
    LINKTYPE_CAN_SOCKETCAN,
    PacketDirection,
    Packets,
)
from packwire.capture.redact.acl import AclMasker, mask_stream
from packwire.capture.redact.can import mask_can
from packwire.capture.redact.canvas import Aliases, Canvas, MaskedSpan
from packwire.capture.redact.hci import HciMasker
from packwire.capture.redact.needles import replace_all
from packwire.capture.redact.network import IP_LINKS, mask_network, mend_network
from packwire.capture.redact.radio import RADIO_LINKS, mask_radio, mend_radio
from packwire.messages import Int64s

__all__ = ["Redacted", "redacted", "without_secrets"]

OTHER_LINKS = "packets of a kind of link that is not read here"
REPEATED = "the same addresses, names and texts in other places"
_CONNECTING = (0x03, 0x3E)


#: What remarks on a text show of its lines.
_QUOTED = re.compile(r'(?: such as|:) ".*"$', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Redacted:
    """A recording that may be shared, and how much of what was masked in it."""

    packets: Packets
    counts: dict[str, int]


def redacted(packets: Packets) -> Redacted:
    """Mask all that identifies an owner or opens a door; for a file that leaves the house."""
    return _redact(packets, strict=True)


def without_secrets(capture: Capture) -> Capture:
    """Return a capture without logins, keys and PINs, to be shown: names and addresses stay."""
    changed = _redact(capture.packets, strict=False)
    return Capture(capture.name, changed.packets, changed.counts) if changed.counts else capture


def _redact(packets: Packets, *, strict: bool) -> Redacted:
    canvas = Canvas(packets)
    aliases = Aliases()
    kinds = {int(kind) for kind in np.unique(packets.link_type)}
    if kinds & IP_LINKS.keys():
        mask_network(canvas, strict=strict)
    if LINKTYPE_CAN_SOCKETCAN in kinds:
        mask_can(canvas, strict=strict)
    _mask_hci(canvas, aliases, strict=strict)
    _mask_application(canvas, aliases, strict=strict)
    names = _interfaces(packets, aliases, kinds, strict=strict)
    if strict:
        _mask_other_links(canvas)
        _mask_repeated(canvas, aliases)
        mend_radio(canvas)
    if kinds & IP_LINKS.keys():
        mend_network(canvas)
    changed = replace(
        packets,
        data=canvas.data,
        interfaces=names,
        damage=_unquoted(packets.damage) if strict else packets.damage,
        notes=_unquoted(packets.notes) if strict else packets.notes,
    )
    return Redacted(changed, {what: count for what, count in canvas.counts.items() if count})


#: What the channels of text logs are called: words of ours, numbers, UUIDs. All else names a device.
_OWN_WORDS = re.compile(
    r"(?:att|hex|uart|read|write|notify|indicate|of|tx|rx|(?:0x)?[0-9A-Fa-f]{1,8}"
    r"|[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12})",
    re.IGNORECASE,
)


def _interfaces(packets: Packets, aliases: Aliases, kinds: set[int], *, strict: bool) -> tuple[str, ...]:
    """Names of interfaces may name a computer; where they are channels, those of devices are made up."""
    if not strict:
        return packets.interfaces
    if APPLICATION not in kinds:
        return ("",) * len(packets.interfaces)
    return tuple(_channel(name, aliases) for name in packets.interfaces)


def _channel(name: str, aliases: Aliases) -> str:
    words = name.split(" ")
    begin = next((at for at, word in enumerate(words) if not _OWN_WORDS.fullmatch(word)), len(words))
    kept, device = words[:begin], " ".join(words[begin:])
    if not device:
        return name
    return " ".join((*kept, aliases.name(device.encode()).decode()))


def _mask_hci(canvas: Canvas, aliases: Aliases, *, strict: bool) -> None:
    found = hci_packets(canvas.packets)
    events = HciMasker(canvas, aliases)
    data = AclMasker(canvas, aliases, strict=strict)
    columns = (found.kind, found.at, found.end, found.direction, found.adapter)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    for kind, at, end, direction, adapter in rows:
        if kind == HciKind.ACL:
            data.packet(adapter, direction, at, end)
        elif kind == HciKind.EVENT:
            if end - at > 6 and canvas.original[at] in _CONNECTING:
                _new_connection(canvas, data, adapter, at)
            if strict:
                events.event(at, end)
        elif strict and kind == HciKind.COMMAND:
            events.command(at, end)
    if strict:
        mask_radio(canvas, events, data)
    data.finish()


def _new_connection(canvas: Canvas, data: AclMasker, adapter: int, at: int) -> None:
    event = canvas.original[at : at + 7].tobytes()
    if event[0] == 0x3E and event[2] not in (0x01, 0x0A, 0x29):
        return
    begin = 4 if event[0] == 0x3E else 3
    data.connected(adapter, int.from_bytes(event[begin : begin + 2], "little") & 0x0FFF)


def _mask_application(canvas: Canvas, aliases: Aliases, *, strict: bool) -> None:
    """Text logs hold the bytes of each channel ready."""
    packets = canvas.packets
    rows = np.flatnonzero(packets.link_type == APPLICATION)
    if not len(rows):
        return
    key = packets.interface[rows].astype(np.int64) * 4 + packets.direction[rows]
    for each in np.unique(key):
        of_channel = rows[key == each]
        spans = [MaskedSpan(*span) for span in _spans(packets, of_channel)]
        sent = packets.direction[of_channel[0]] != PacketDirection.RECEIVED
        read = packets.interfaces[packets.interface[of_channel[0]]].endswith(" read")
        written = packets.size[of_channel].tolist() if sent or read else None
        mask_stream(canvas, aliases, spans, written, strict=strict)


def _spans(packets: Packets, rows: Int64s) -> list[tuple[int, int]]:
    return list(zip(packets.start[rows].tolist(), packets.size[rows].tolist(), strict=True))


def _mask_other_links(canvas: Canvas) -> None:
    """Mask packets of link types that nothing above reads."""
    packets = canvas.packets
    read = {
        *IP_LINKS,
        *numbers(*HCI),
        *RADIO_LINKS,
        *range(HCI_ISO, HCI_COMMAND + 1),
        APPLICATION,
        LINKTYPE_CAN_SOCKETCAN,
    }
    other = np.flatnonzero(~np.isin(packets.link_type, list(read)))
    for start, size in _spans(packets, other):
        canvas.mask(start, start + size, OTHER_LINKS)
    _mask_other_usb(canvas)


#: USB link type -> the size of the header in front of a transfer's data.
_USB_HEADERS = headers(Layer.USB)


def _mask_other_usb(canvas: Canvas) -> None:
    """Mask the USB transfers that are no HCI packets: a keyboard may be on the same bus."""
    packets = canvas.packets
    usb = np.isin(packets.link_type, list(_USB_HEADERS))
    if not usb.any():
        return
    usb[hci_packets(packets).row] = False
    rows = np.flatnonzero(usb)
    for link_type, (start, size) in zip(packets.link_type[rows].tolist(), _spans(packets, rows), strict=True):
        canvas.mask(start + _USB_HEADERS[link_type], start + size, OTHER_LINKS)


def _mask_repeated(canvas: Canvas, aliases: Aliases) -> None:
    """Replace the same addresses, names and texts wherever else they stand."""
    needles = aliases.needles()
    if not needles:
        return
    at = replace_all(canvas.data, needles)
    canvas.counts[REPEATED] += len(at)


def _unquoted(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Return remarks on a text without what they show of its lines."""
    return tuple(_QUOTED.sub("", line) for line in lines)
