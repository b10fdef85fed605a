"""What a known framing says about messages: how long the header is that tells their kinds apart, its name."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from packwire.capture import Capture
from packwire.capture.framings import Framing, family, family_of
from packwire.columns import distinct
from packwire.errors import BadOptionError
from packwire.insight.groups import MAX_HEADER, Lane, header_length, lane_rows, lasting
from packwire.messages import Direction, Int64s


def known_headers(captures: Sequence[Capture]) -> list[Int64s]:
    """Return the header's length of each message of some captures.

    A message in a frame has that of its framing; the others of its direction and channel are pieces, of which
    nobody knows more than their first bytes. Where no framing is known, all captures together say how long
    the header is.
    """
    found: dict[Lane, int] = {}
    for capture in captures:
        for lane, rows in lane_rows(capture.messages).items():
            if not _framing_is_known(capture, lane):
                key = lasting(lane)
                found[key] = max(found.get(key, 0), header_length(capture.messages, rows))
    return [_lengths(capture, found) for capture in captures]


def _framing_is_known(capture: Capture, lane: Lane) -> bool:
    direction, channel = lane
    return channel.startswith("tcp ") or bool(capture.framing_of(channel, direction))


def unframed(capture: Capture) -> NDArray[np.bool_]:
    """Say which messages are in no frame though their channel's framing is known: pieces of broken ones."""
    framed = capture.framed
    result = np.zeros(len(framed.messages), dtype=np.bool_)
    for (direction, channel), rows in lane_rows(framed.messages).items():
        if capture.framing_of(channel, direction):
            result[rows] = framed.framing[rows] < 0
    return result


def family_names(captures: Sequence[Capture]) -> dict[Lane, str]:
    """Return the name of the framing of each direction and channel whose framing is known."""
    names = {}
    for capture in captures:
        for lane in lane_rows(capture.messages):
            direction, channel = lane
            framings = (
                family("VESC") if channel.startswith("tcp ") else capture.framing_of(channel, direction)
            )
            if framings:
                names[lasting(lane)] = family_of(framings[0])
    return names


def check_header(header: int | None) -> None:
    """Refuse a --header that no message can have. Raises BadOptionError."""
    if header is not None and not 0 <= header <= MAX_HEADER:
        raise BadOptionError(f"--header must be 0 to {MAX_HEADER}")


#: Of a piece that is in no frame, so many bytes count.
_PIECE = 2


def _lengths(capture: Capture, found: dict[Lane, int]) -> Int64s:
    framed = capture.framed
    result = np.zeros(len(framed.messages), dtype=np.int64)
    for lane, rows in lane_rows(framed.messages).items():
        direction, channel = lane
        if channel.startswith("tcp "):
            _of_framing(capture, rows, family("VESC")[0], direction, result)
        elif capture.framing_of(channel, direction):
            result[rows] = _PIECE
            for number in distinct(framed.framing[rows]):
                if number >= 0:
                    own = rows[framed.framing[rows] == number]
                    _of_framing(capture, own, framed.framings[number], direction, result)
        else:
            result[rows] = found[lasting(lane)]
    return result


def _of_framing(
    capture: Capture, rows: Int64s, framing: Framing, direction: Direction, result: Int64s
) -> None:
    asks = direction is Direction.TO_DEVICE
    if asks and framing.wraps is not None:
        messages = capture.messages
        result[rows] = [framing.header_of(messages.payload(row), asks=True) for row in rows.tolist()]
    else:
        result[rows] = framing.header_of(b"", asks=asks)
