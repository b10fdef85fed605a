"""L2CAP channels that are opened by name of a protocol, and what runs on them: ATT, EATT, RFCOMM.

Facts: Bluetooth Core Specification, Vol 3, Part A, 4.2 and 4.3 (connection requests and responses), 4.22 to
4.26 (those of credit-based channels), 3.4 (K-frames: the first of a message begins with its length); Vol 3,
Part F, 3.2.11 (EATT).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from packwire.capture.layers.att import content_at
from packwire.capture.layers.l2cap import (
    ATT,
    INCOMPLETE,
    LE_SIGNALLING,
    PSM_ATT,
    PSM_RFCOMM,
    SECURITY,
    SIGNALLING,
    Pdus,
)
from packwire.capture.layers.link import Counts
from packwire.capture.layers.rfcomm import Rfcomm
from packwire.messages import Bytes

_REQUEST, _RESPONSE = 2, 3
_CREDIT_REQUEST, _CREDIT_RESPONSE = 0x14, 0x15
_ENHANCED_REQUEST, _ENHANCED_RESPONSE = 0x17, 0x18
_SUCCESS = 0
#: ATT on credit-based channels [Assigned Numbers, 2.5].
_PSM_EATT = 0x27
_FIRST_DYNAMIC = 0x40
#: What is open at a time is bounded by the channel numbers; connections that never close are not.
_MAX_CHANNELS = 1 << 16


@dataclass(slots=True)
class _Message:
    """A message in K-frames that has begun: how long it is, what is there of it, and the rows that came."""

    size: int
    content: bytearray = field(default_factory=bytearray)
    rows: list[int] = field(default_factory=list)


class Channels:
    """Follows which channel of which connection carries what.

    `rows_of` names the rows of what was put together, see `l2cap.Reassembly`; this adds to it.
    """

    def __init__(self, data: Bytes, rows_of: dict[int, list[int]] | None = None) -> None:
        self.data = data
        self.rows_of = {} if rows_of is None else rows_of
        self._open: dict[tuple[int, int, int], _Message] = {}
        self.rfcomm = Rfcomm()
        self._asked: dict[tuple[int, int, int], int] = {}
        self._asked_for: dict[tuple[int, int, int], tuple[int, list[int]]] = {}
        """Connection, way and identifier of a request for credit-based channels -> protocol and channels."""
        self._psm: dict[tuple[int, int, int], int] = {}
        """Connection, way of the data and channel number -> protocol."""

    def add(self, pdus: Pdus, joined: bytearray, counts: Counts, left_out: Counts) -> NDArray[np.bool_]:
        """Take PDUs; return which are ATT. Of EATT's, `start` and `size` are made those of the message."""
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
            elif psm == _PSM_EATT:
                message = self._k_frame((link, way, channel), row, content, left_out)
                if message is not None:
                    is_att[index] = True
                    pdus.start[index] = len(self.data) + len(joined)
                    pdus.size[index] = len(message.content)
                    joined += message.content
                    self.rows_of[row] = message.rows
            elif psm == PSM_RFCOMM:
                if not self.rfcomm.add(row, link, way, start, content):
                    left_out.add("an RFCOMM frame that is not whole", 1)
            elif channel >= _FIRST_DYNAMIC and psm is None:
                left_out.add("of an L2CAP channel that was opened before the recording", 1)
            else:
                counts.add("L2CAP messages of other protocols", 1)
        return is_att

    def _k_frame(
        self, key: tuple[int, int, int], row: int, content: bytes, left_out: Counts
    ) -> _Message | None:
        """Take a K-frame of a credit-based channel; return the message that it completes."""
        message = self._open.pop(key, None)
        if message is None:
            if len(content) < 2:
                left_out.add(INCOMPLETE, 1)
                return None
            message = _Message(int.from_bytes(content[:2], "little"))
            content = content[2:]
        message.content += content
        message.rows += self.rows_of.get(row, [row])
        if len(message.content) < message.size:
            self._open[key] = message
            return None
        if len(message.content) > message.size:
            left_out.add(INCOMPLETE, len(message.rows))
            return None
        return message

    def finish(self, left_out: Counts) -> None:
        """Count what was never completed."""
        for message in self._open.values():
            left_out.add(INCOMPLETE, len(message.rows))
        self._open.clear()

    def _signal(self, link: int, way: int, content: bytes) -> None:
        """Read the commands of a signalling packet: code, identifier, length, then the fields."""
        at = 0
        while at + 4 <= len(content):
            code, identifier, size = (
                content[at],
                content[at + 1],
                int.from_bytes(content[at + 2 : at + 4], "little"),
            )
            body = content[at + 4 : at + 4 + size]
            fields = [int.from_bytes(body[each : each + 2], "little") for each in range(0, len(body) - 1, 2)]
            self._command(link, way, code, identifier, fields)
            at += 4 + size

    def _command(self, link: int, way: int, code: int, identifier: int, fields: list[int]) -> None:
        if code == _REQUEST and len(fields) >= 2:
            self._ask(link, way, fields[1], fields[0])
        elif code == _RESPONSE and len(fields) >= 3 and fields[2] == _SUCCESS:
            # The answer comes the other way; each side numbers the channel for what it gets.
            self._opened(link, way, fields[1], fields[0])
        elif code in (_CREDIT_REQUEST, _ENHANCED_REQUEST) and len(fields) >= 5:
            if len(self._asked_for) < _MAX_CHANNELS:
                sources = fields[1:2] if code == _CREDIT_REQUEST else fields[4:9]
                self._asked_for[link, way, identifier] = (fields[0], sources)
        elif code == _CREDIT_RESPONSE and len(fields) >= 5 and fields[4] == _SUCCESS:
            self._all_opened(link, way, identifier, fields[:1])
        elif code == _ENHANCED_RESPONSE and len(fields) >= 5:
            self._all_opened(link, way, identifier, fields[4:9])

    def _ask(self, link: int, way: int, source: int, psm: int) -> None:
        if len(self._asked) < _MAX_CHANNELS:
            self._asked[link, way, source] = psm

    def _opened(self, link: int, way: int, source: int, destination: int) -> None:
        psm = self._asked.pop((link, -way, source), None)
        if psm is not None and len(self._psm) < _MAX_CHANNELS:
            self._psm[link, way, source] = psm
            self._psm[link, -way, destination] = psm

    def _all_opened(self, link: int, way: int, identifier: int, destinations: list[int]) -> None:
        """Open the channels of a credit-based request; of those that were refused, the number is 0."""
        psm, sources = self._asked_for.pop((link, -way, identifier), (0, []))
        for source, destination in zip(sources, destinations, strict=False):
            if destination:
                self._ask(link, -way, source, psm)
                self._opened(link, way, source, destination)
