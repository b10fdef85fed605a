"""A recording whose clock was set back while it ran: later times are counted on, so that pauses stay right.

The clock of a phone or a small computer is set when it finds the network, in the middle of a recording.
"""

from dataclasses import replace

import numpy as np

from packwire.capture import Capture
from packwire.capture.packets import NO_TIME

#: Packets of several interfaces may be out of order by less than this, in ns.
_OUT_OF_ORDER = 500_000_000
#: With more steps back than these, the file is not in the order of time: its times are right.
_MOST_CHECKS = 3


def steadied(capture: Capture) -> tuple[Capture, tuple[str, ...]]:
    """Return a recording with a clock that never goes back, and what was done about it, in words."""
    packets = capture.packets
    rows = np.flatnonzero(packets.time != NO_TIME)
    times = packets.time[rows]
    steps = np.diff(times)
    back = np.flatnonzero(steps < -_OUT_OF_ORDER)
    if not 0 < len(back) <= _MOST_CHECKS:
        return capture, ()
    shift = np.zeros(len(times), dtype=np.int64)
    shift[back + 1] = -steps[back]
    time = packets.time.copy()
    time[rows] = times + np.cumsum(shift)
    notes = tuple(
        f"the clock of the recording is set back by {-int(steps[at]) / 1e9:.1f} s at packet"
        f" {int(rows[at + 1]) + 1}: later times are counted on"
        for at in back.tolist()
    )
    return Capture(capture.name, replace(packets, time=time)), notes
