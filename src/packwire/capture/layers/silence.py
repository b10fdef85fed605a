"""Why a request has no reply: what the recording tells, and nothing that it does not."""

import numpy as np

from packwire.capture.layers.conversation import Part
from packwire.capture.layers.spoken import Carrier, SpokenConnection
from packwire.capture.packets import NO_TIME
from packwire.messages import Int64s

_NEVER = np.iinfo(np.int64).max


class Silence:
    """Looks for the reasons of silence in one connection."""

    def __init__(self, connection: SpokenConnection[Carrier]) -> None:
        self._connection = connection
        self._conversation = connection.conversation
        self._observer = connection.observer
        self._missing, self._missing_from, self._missing_until = _missing_bytes(connection)
        self._heard = _answering_ids(connection)
        times = connection.connection.packets.time
        self._last = int(times.max()) if len(times) else 0

    def reason(self, row: int) -> str:
        """Say in half a line why request `row` of the conversation was not answered."""
        payload = self._conversation.messages.payload(row)
        ids, request = self._observer.addressed(payload)
        asked = int(self._conversation.messages.time[row])
        limit = asked + int(self._observer.patience(payload) * 1e9) if asked != NO_TIME else _NEVER
        node = self._conversation.nodes.get(ids[-1] if ids else None)
        number = self._observer.number(request)
        if node is not None and not self._observer.ever_answers(node.hardware, number):
            return self._never(self._observer.hardware_label(node.hardware), request)
        return (
            self._not_recorded(asked, limit)
            or self._nobody_there(ids)
            or self._ended(asked, limit)
            or f"nothing came within {(limit - asked) / 1e9:.0f} s"
        )

    def _never(self, kind: str, request: bytes) -> str:
        """Say that a command is none for this kind of device, and which nodes here are of the right one."""
        number = self._observer.number(request)
        ids = [
            str(node.can_id)
            for node in self._conversation.nodes.values()
            if node.can_id is not None and self._observer.ever_answers(node.hardware, number)
        ]
        others = f" (CAN id {', '.join(ids)} does)" if ids else ""
        return f"a {kind} never answers {self._observer.protocol.describe(request)}{others}"

    def _not_recorded(self, asked: int, limit: int) -> str:
        """Look for a gap, or a frame that was never completed, in what the device sent soon after."""
        first = int(np.searchsorted(self._missing_until, asked))
        if first < len(self._missing) and self._missing_from[first] <= limit:
            return f"the reply may be among {self._missing[first]} bytes that were not recorded"
        side = self._connection.device
        report = self._connection.streams[side] if side is not None else None
        if report and report.waiting_number is not None and report.stats.waiting is not None:
            begun = int(self._connection.connection.packets.time[report.waiting_number - 1])
            if asked <= begun <= limit:
                waiting = report.stats.waiting
                return f"only {waiting.arrived} of the {waiting.expected} bytes of a frame came"
        return ""

    def _nobody_there(self, ids: tuple[int, ...]) -> str:
        if not ids or ids[-1] in self._heard:
            return ""
        if ids[-1] == self._observer.everybody:
            return f"CAN id {ids[-1]} is all nodes at once, whose replies collide"
        found = self._conversation.can_ids
        if found is not None and ids[-1] not in found:
            there = ", ".join(str(number) for number in found) or "no node"
            search = self._observer.search
            scan = "" if search is None else f" ({self._observer.protocol.describe(bytes((search,)))})"
            return f"there is no CAN id {ids[-1]}: {there} answered the scan of the bus{scan}"
        return f"nothing in this recording comes from CAN id {ids[-1]}"

    def _ended(self, asked: int, limit: int) -> str:
        connection = self._connection.connection
        ended = connection.ended_at
        if ended is not None and connection.ended_by is not None and asked <= ended <= limit:
            who = connection.ends[connection.ended_by]
            return f"{who} {connection.ending} the connection {(ended - asked) / 1e9:.1f} s later"
        if asked != NO_TIME and self._last < limit:
            return f"the recording ends {(self._last - asked) / 1e9:.1f} s later"
        return ""


def _missing_bytes(connection: SpokenConnection[Carrier]) -> tuple[Int64s, Int64s, Int64s]:
    """Return how many bytes of what the device sent are missing, and between which times they were sent."""
    rows: list[tuple[int, int, int]] = []
    if connection.device is not None:
        stream = connection.connection.streams[connection.device]
        for gap in stream.gaps:
            piece = stream.piece_at(gap.position)
            begin = int(stream.time[piece]) if piece >= 0 else NO_TIME
            end = int(stream.time[piece + 1]) if piece + 1 < len(stream.time) else _NEVER
            rows.append((gap.missing, begin, begin if gap.cut else end))
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], np.maximum.accumulate(table[:, 2])


def _answering_ids(connection: SpokenConnection[Carrier]) -> frozenset[int]:
    """Return the CAN ids that ever answered here."""
    conversation = connection.conversation
    forwarded = np.flatnonzero((conversation.part == Part.REQUEST) & (conversation.messages.size > 2))
    addressed = connection.observer.addressed
    routes = (addressed(conversation.messages.payload(row)).route for row in forwarded.tolist())
    return frozenset(ids[-1] for ids in routes if ids)
