"""L2CAP channels that are opened by name of a protocol, and what runs on them: ATT over Classic, RFCOMM.

Facts: Bluetooth Core Specification, Vol 3, Part A, 4.2 and 4.3 (connection requests and responses).
"""

import numpy as np
from numpy.typing import NDArray

from packwire.capture.layers.att import content_at
from packwire.capture.layers.l2cap import ATT, LE_SIGNALLING, PSM_ATT, PSM_RFCOMM, SECURITY, SIGNALLING, Pdus
from packwire.capture.layers.link import Counts
from packwire.capture.layers.rfcomm import Rfcomm
from packwire.messages import Bytes

_REQUEST, _RESPONSE = 2, 3
_SUCCESS = 0
_FIRST_DYNAMIC = 0x40
#: What is open at a time is bounded by the channel numbers; connections that never close are not.
_MAX_CHANNELS = 1 << 16


class Channels:
    """Follows which channel of which connection carries what."""

    def __init__(self, data: Bytes) -> None:
        self.data = data
        self.rfcomm = Rfcomm()
        self._asked: dict[tuple[int, int, int], int] = {}
        self._psm: dict[tuple[int, int, int], int] = {}
        """Connection, way of the data and channel number -> protocol."""

    def add(self, pdus: Pdus, joined: bytearray, counts: Counts, left_out: Counts) -> NDArray[np.bool_]:
        """Take PDUs; return which of them are ATT."""
        is_att: NDArray[np.bool_] = pdus.channel == ATT
        rows = np.flatnonzero(~is_att)
        columns = (pdus.row, pdus.link, pdus.direction, pdus.channel, pdus.start, pdus.size)
        for index, row, link, way, channel, start, size in zip(
            rows.tolist(), *(column[rows].tolist() for column in columns), strict=True
        ):
            content = content_at(self.data, joined, start, size)
            if channel in (SIGNALLING, LE_SIGNALLING):
                self._signal(link, way, content)
                continue
            if channel == SECURITY:
                counts.add("pairing messages", 1)
                continue
            psm = self._psm.get((link, way, channel))
            if psm == PSM_ATT:
                is_att[index] = True
            elif psm == PSM_RFCOMM:
                if not self.rfcomm.add(row, link, way, start, content):
                    left_out.add("an RFCOMM frame that is not whole", 1)
            elif channel >= _FIRST_DYNAMIC and psm is None:
                left_out.add("of an L2CAP channel that was opened before the recording", 1)
            else:
                counts.add("L2CAP messages of other protocols", 1)
        return is_att

    def _signal(self, link: int, way: int, content: bytes) -> None:
        """Read the commands of a signalling packet: code, identifier, length, then the fields."""
        at = 0
        while at + 4 <= len(content):
            code, size = content[at], int.from_bytes(content[at + 2 : at + 4], "little")
            body = content[at + 4 : at + 4 + size]
            fields = [int.from_bytes(body[each : each + 2], "little") for each in range(0, len(body) - 1, 2)]
            if code == _REQUEST and len(fields) >= 2 and len(self._asked) < _MAX_CHANNELS:
                self._asked[link, way, fields[1]] = fields[0]
            elif code == _RESPONSE and len(fields) >= 3 and fields[2] == _SUCCESS:
                # The answer comes the other way; each side numbers the channel for what it gets.
                psm = self._asked.pop((link, -way, fields[1]), None)
                if psm is not None and len(self._psm) < _MAX_CHANNELS:
                    self._psm[link, way, fields[1]] = psm
                    self._psm[link, -way, fields[0]] = psm
            at += 4 + size
