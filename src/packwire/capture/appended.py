"""Two recordings in one file: where another file's header stands behind the packets of the first."""

import re
from dataclasses import replace

import numpy as np

from packwire.capture.packets import APPLICATION, Packets

#: How binary formats begin: btsnoop, pcap in both orders and units, pcapng in both orders.
_HEADERS = re.compile(
    rb"(?P<btsnoop>btsnoop\x00\x00\x00\x00\x01)"
    rb"|(?P<pcap>(?:\xd4\xc3|M<)\xb2\xa1\x02\x00\x04\x00|\xa1\xb2(?:\xc3\xd4|<M)\x00\x02\x00\x04)"
    rb"|(?P<pcapng>\n\r\r\n.{4}(?:\x1a\x2b<M|M<\x2b\x1a))",
    re.DOTALL,
)
#: A header is looked for from so many bytes before the last packet on (it may itself look like one), and up
#: to the largest packet behind it (the end of the first recording may be torn).
_BEFORE, _BEHIND = 64, 256 << 10
#: How readers end what they say of the place where a file can be read no further.
_LOST = "what follows is lost"


def without_appended(packets: Packets) -> Packets:
    """Return a damaged file's packets up to where another recording begins; its damage says that one does."""
    if not packets.damage or not len(packets) or (packets.link_type == APPLICATION).any():
        return packets
    last = int(packets.start[-1])
    begin = max(last - _BEFORE, 1)
    end = last + int(packets.size[-1])
    # Sections of pcapng stand one behind the other, and its reader has read those before the last packet.
    read = end - begin if packets.format == "pcapng" else 0
    headers = _HEADERS.finditer(packets.data[begin : end + _BEHIND].tobytes())
    found = next((each for each in headers if each.lastgroup != "pcapng" or each.start() >= read), None)
    if found is None:
        return packets
    at = begin + found.start()
    count = int(np.searchsorted(packets.start + packets.size, at, side="right"))
    line = (
        f"another recording ({found.lastgroup}) begins at offset {at}: packets 1 to {count} are kept,"
        " save what follows there to a file of its own"
    )
    damage = tuple(each for each in packets.damage if not each.endswith(_LOST))
    columns = ("time", "start", "size", "original", "link_type", "interface", "direction")
    rows = {column: getattr(packets, column)[:count] for column in columns}
    return replace(packets, **rows, damage=(*damage, line))
