"""Which connection of a Bluetooth recording each message came over: a reconnection begins a new session."""

from collections import Counter

import numpy as np

from packwire.capture import Capture
from packwire.messages import Direction, Int64s, Messages

#: A message that came over no connection with attributes (a log, RFCOMM).
NONE = -1


def connection_numbers(capture: Capture, messages: Messages) -> Int64s:
    """Return for each message the number of its connection, or NONE."""
    at = _places(capture, messages)
    result = np.full(len(messages), NONE, dtype=np.int64)
    found = at != NONE
    result[found] = capture.att.connection[at[found]] if found.any() else NONE
    return result


def writes(capture: Capture, messages: Messages) -> dict[int, int]:
    """Return how often messages to a device were written, by opcode; those that subscribe are left out."""
    asks = np.array([not each.subscribes for each in messages.channels] or [False], dtype=np.bool_)
    at = _places(capture, messages)
    at = at[(at != NONE) & (messages.direction == Direction.TO_DEVICE) & asks[messages.channel]]
    return dict(Counter(capture.att.opcode[at].tolist())) if len(at) else {}


def _places(capture: Capture, messages: Messages) -> Int64s:
    """Return for each message its row among the ATT PDUs, or NONE."""
    result = np.full(len(messages), NONE, dtype=np.int64)
    if not any(each.has_handle for each in messages.channels):
        return result
    att = capture.att
    known = np.flatnonzero(np.diff(messages.packet_offsets) > 0)
    rows = messages.packets[messages.packet_offsets[known + 1] - 1] - 1
    at = np.searchsorted(att.row, rows)
    found = at < len(att)
    found[found] = att.row[at[found]] == rows[found]
    result[known[found]] = at[found]
    return result
