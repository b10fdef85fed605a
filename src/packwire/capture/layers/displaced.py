"""Which client a hub closed a connection for: it keeps one client for each id, the newest."""

from collections.abc import Sequence
from typing import NamedTuple

from packwire.capture.layers.spoken import Carrier, SpokenConnection
from packwire.protocol.observing import Caller

#: A hub that closes a connection this soon after another login did it because of that, in ns.
_DISPLACED_WITHIN = 2_000_000_000
#: Where it closes the newer one as well within so many ns, the device itself left.
_LEFT_WITHIN = 500_000_000


class Displaced(NamedTuple):
    """Who logged in at the hub with the same id, how many ns before the hub closed the older connection."""

    by: str
    after: int


def displaced(
    connection: SpokenConnection[Carrier], connections: Sequence[SpokenConnection[Carrier]]
) -> Displaced | None:
    """Return which client took the place of a connection's client at its hub; None where none did."""
    tcp = connection.connection
    if tcp.ended_at is None or tcp.ended_by is None:
        return None
    own = connection.streams[1 - tcp.ended_by].hub_line
    if own is None or own.login is None or own.caller is not Caller.CLIENT:
        return None
    for other in connections:
        for line in other.hub_lines:
            if other is connection or line.login is None or line.caller is not Caller.CLIENT:
                continue
            newer = line.time > own.time and 0 <= tcp.ended_at - line.time < _DISPLACED_WITHIN
            same = line.login.device_id == own.login.device_id
            here = tcp.ends[tcp.ended_by] in other.connection.ends
            if newer and same and here and not _closed_together(other.connection, tcp):
                return Displaced(other.connection.ends[line.side], tcp.ended_at - line.time)
    return None


def _closed_together(one: Carrier, other: Carrier) -> bool:
    """Tell whether the same end closed two connections at once."""
    if one.ended_at is None or one.ended_by is None or other.ended_at is None or other.ended_by is None:
        return False
    same = one.ends[one.ended_by] == other.ends[other.ended_by]
    return same and abs(one.ended_at - other.ended_at) < _LEFT_WITHIN
