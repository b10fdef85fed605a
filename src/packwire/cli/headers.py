"""How many first bytes tell the kinds of messages apart: as a known framing says, or as is found."""

from collections.abc import Mapping

from packwire.capture import Capture
from packwire.insight.groups import Lane, header_lengths
from packwire.messages import Direction


def known_headers(capture: Capture) -> Mapping[Lane, int]:
    """Return the header's length for each direction and channel of a capture.

    Where a framing is known it says so; a request may say more behind that (which register it asks for), so
    there the longer of its word and of what the messages show counts.
    """
    lengths = dict(header_lengths(capture.messages))
    for lane, found in lengths.items():
        direction, channel = lane
        framings = capture.framing_of(channel, direction)
        if not framings:
            continue
        if direction is Direction.TO_DEVICE:
            lengths[lane] = max(found, *(framing.asks or framing.header for framing in framings))
        else:
            lengths[lane] = max(framing.header for framing in framings)
    return lengths
