"""What a known framing says about messages: how long the header is that tells their kinds apart, its name."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from packwire.capture import Capture
from packwire.capture.framings import Framing, family_of
from packwire.columns import distinct
from packwire.errors import BadOptionError
from packwire.insight.echoes import echo_headers
from packwire.insight.groups import MAX_HEADER, Lane, header_length, lane_rows, lasting
from packwire.messages import Direction, Int64s


def known_headers(captures: Sequence[Capture]) -> list[Int64s]:
    """Return the header's length of each message of some captures.

    A message in a frame has that of its framing; the others of its direction and channel are pieces, of which
    nobody knows more than their first bytes. Where no framing is known, all captures together say how long
    the header is: up to the last byte of a request that its reply repeats, or what tells kinds apart.
    """
    found: dict[Lane, int] = {}
    echoed: dict[Lane, int] = {}
    for capture in captures:
        known, broken = np.zeros(len(capture.messages), dtype=np.bool_), unframed(capture)
        for lane, rows in lane_rows(capture.messages).items():
            if _framing_is_known(capture, lane):
                known[rows] = True
            else:
                known[rows] = broken[rows]
                key = lasting(lane)
                length = header_length(capture.messages, rows[~broken[rows]])
                found[key] = max(found.get(key, 0), length)
        for lane, length in echo_headers(capture.messages, known).items():
            echoed[lasting(lane)] = max(echoed.get(lasting(lane), 0), length)
    for lane, length in echoed.items():
        asks = lane[0] is Direction.TO_DEVICE
        found[lane] = max(found.get(lane, 0), length) if asks else length
    return [_lengths(capture, found) for capture in captures]


def _framing_is_known(capture: Capture, lane: Lane) -> bool:
    direction, channel = lane
    framings = capture.framing_of(channel, direction)
    return bool(framings and not framings[0].inferred)


def unframed(capture: Capture) -> NDArray[np.bool_]:
    """Say which messages are in no frame though their channel's framing is known: pieces of broken ones."""
    framed = capture.framed
    result = np.zeros(len(framed.messages), dtype=np.bool_)
    for (direction, channel), rows in lane_rows(framed.messages).items():
        if capture.framing_of(channel, direction):
            result[rows] = framed.framing[rows] < 0
    return result


#: Stands for the family of pieces.
PIECE = "piece"


def row_families(capture: Capture) -> list[str]:
    """Return the family of each message's framing, a wrong checksum or not; empty: it is in none."""
    framed = capture.framed
    names = [*("" if each.inferred else family_of(each) for each in framed.framings), ""]
    result = [names[number] for number in framed.framing.tolist()]
    for row in np.flatnonzero(unframed(capture)).tolist():
        of_way = capture.framing_of(int(framed.messages.channel[row]), int(framed.messages.direction[row]))
        result[row] = _broken(framed.messages.payload(row), of_way)
    return result


def _broken(message: bytes, framings: tuple[Framing, ...]) -> str:
    """Return the family of a message that is a whole frame but for its checksum.

    A piece of a frame that was found out to be one is `PIECE`, which answers nothing.
    """
    for each in framings:
        marked = message.startswith(each.start) and message.endswith(each.end)
        if marked and not each.inferred and len(message) in each.sizes_of(message[: each.needs]):
            return family_of(each)
    return PIECE if framings[0].inferred else ""


def family_names(captures: Sequence[Capture]) -> dict[Lane, str]:
    """Return the name of the framing of each direction and channel whose framing is known."""
    names = {}
    for capture in captures:
        for lane in lane_rows(capture.messages):
            direction, channel = lane
            framings = capture.framing_of(channel, direction)
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
        if capture.framing_of(channel, direction):
            result[rows] = _PIECE
            for number in distinct(framed.framing[rows]):
                if number >= 0:
                    own = rows[framed.framing[rows] == number]
                    if framed.framings[number].inferred:
                        result[own] = found[lasting(lane)]
                        continue
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
