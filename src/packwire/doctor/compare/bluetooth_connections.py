"""Which connection of a Bluetooth recording each message came over: a reconnection begins a new session."""

import numpy as np

from packwire.capture import Capture
from packwire.messages import Int64s, Messages

#: A message that came over no connection with attributes (a log, RFCOMM).
NONE = -1


def connection_numbers(capture: Capture, messages: Messages) -> Int64s:
    """Return for each message the number of its connection, or NONE."""
    result = np.full(len(messages), NONE, dtype=np.int64)
    if not any(each.has_handle for each in messages.channels):
        return result
    att = capture.att
    known = np.flatnonzero(np.diff(messages.packet_offsets) > 0)
    rows = messages.packets[messages.packet_offsets[known + 1] - 1] - 1
    at = np.searchsorted(att.row, rows)
    found = at < len(att)
    found[found] = att.row[at[found]] == rows[found]
    result[known[found]] = att.connection[at[found]]
    return result
