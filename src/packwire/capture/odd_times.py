"""Times that cannot be: of one packet among others that were seen within the same hour.

One wrong bit in a time stamp puts a packet years away from those around it. Such a time is taken for unknown,
so that the file's order counts, and said.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from packwire.capture.packets import NO_TIME, Packets
from packwire.messages import Int64s

#: A time is odd where it is further than this from those before and behind it, which are closer together.
_FAR = 3600 * 1_000_000_000
#: The first or the last time is odd only where it is further than this from its neighbour: ten years.
_VERY_FAR = 10 * 365 * 24 * _FAR
#: Where more of a file's times are odd than one of so many, and more than a few, its clocks differ.
_SHARE, _FEW = 1000, 3
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def without_odd_times(packets: Packets) -> Packets:
    """Return the packets with the times that cannot be as NO_TIME, and a note for the first of them."""
    odd = np.flatnonzero(_odd(packets.time))
    if not len(odd) or len(odd) > max(len(packets) // _SHARE, _FEW):
        return packets
    first = int(odd[0])
    moment = _EPOCH + timedelta(microseconds=int(packets.time[first]) // 1000)
    note = f"packet {first + 1} says {moment:%Y-%m-%d %H:%M:%S} UTC, far from those around it: an odd time"
    note += f", as are {len(odd) - 1} others; not used" if len(odd) > 1 else ", not used"
    time = packets.time.copy()
    time[odd] = NO_TIME
    return replace(packets, time=time, notes=(*packets.notes, note))


def _odd(time: Int64s) -> NDArray[np.bool_]:
    result = np.zeros(len(time), dtype=np.bool_)
    rows = np.flatnonzero(time != NO_TIME)
    known = time[rows].astype(np.float64)
    if len(known) < 3:
        return result
    step = np.abs(np.diff(known))
    if not (step > _FAR).any():
        return result
    apart = np.abs(known[2:] - known[:-2])
    result[rows[1:-1]] = (step[:-1] > _FAR) & (step[1:] > _FAR) & (apart <= _FAR)
    result[rows[0]] = step[0] > _VERY_FAR and step[1] <= _FAR
    result[rows[-1]] = step[-1] > _VERY_FAR and step[-2] <= _FAR
    return result
