"""Which bytes of a request come back in its reply, found in the data: a register, a command, an address.

A place in the requests echoes in a place of the replies where the first reply behind each request repeats its
byte (or that plus a constant), clearly more often than it would if replies were dealt out at random. Where
requests are sent in a row, order tells nothing; then many different bytes of the requests must be met.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from packwire.direction import Direction
from packwire.insight.groups import Lane, device_of, lane_rows, leading_bytes
from packwire.messages import Bytes, Int64s, Messages

#: An echo is looked for in so many first bytes, of so many requests.
_FIRST, _SAMPLE = 8, 2048
#: So many of the requests that something follows must be repeated by one of the next messages, and so many
#: more than by those that follow a request so many places away.
_MOST, _MORE, _SAID, _AWAY = 0.7, 0.25, 4, (1, 2, 3, 5, 7)
#: With a constant added so many different bytes must be met.
_FEW = 3
#: Of requests in a row so many must be repeated; with fewer different bytes than that, in this order.
_CLAIMED, _SEVERAL, _ASCENDING = 0.6, 6, 0.85
#: Of values that are met in a row, at most so many of the 256 may be asked for.
_MAX_ASKED = 64
#: So many of the requests before a reply may be its own.
_IN_A_ROW = 16
#: A further byte belongs to the echo where it agrees in nearly all pairs.
_NEARLY_ALL = 0.97
#: Fewer requests than this teach nothing.
_LEAST = 4


@dataclass(frozen=True, slots=True)
class Echo:
    """Places in requests, the places where replies repeat them, and what is added to each byte there."""

    asked: tuple[int, ...]
    answered: tuple[int, ...]
    added: tuple[int, ...]

    def of_request(self, message: bytes) -> bytes | None:
        """Return what a request wants to be repeated; None: it is too short."""
        return bytes(message[at] for at in self.asked) if len(message) > max(self.asked) else None

    def of_reply(self, message: bytes) -> bytes | None:
        """Return what a message repeats; None: it is too short."""
        if len(message) <= max(self.answered):
            return None
        return bytes(message[at] - add & 0xFF for at, add in zip(self.answered, self.added, strict=True))


def find_echo(messages: Messages, requests: Int64s, answers: Int64s) -> Echo | None:
    """Find the echo between some requests and messages that may answer them; rows ascending."""
    requests = requests[:_SAMPLE]
    answers = answers[answers > requests[0]] if len(requests) else answers
    if len(requests) < _LEAST or len(answers) < _LEAST:
        return None
    end = int(requests[-1]) if len(requests) == _SAMPLE else len(messages)
    answers = answers[answers < end]
    asked, heard = _padded(messages, requests), _padded(messages, answers)
    first = _in_sequence(asked, heard, *_turns(requests, answers))
    found = first or _in_a_row(asked, heard, np.searchsorted(requests, answers) - 1)
    if found is None:
        return None
    echo, pairs = found
    return _extended(echo, asked, heard, pairs)


def echo_headers(messages: Messages, known: NDArray[np.bool_]) -> dict[Lane, int]:
    """Return how many first bytes tell kinds of messages apart where requests and replies have an echo.

    That is up to the last byte which is repeated. `known` says of which messages the framing is known: they
    are left out.
    """
    lanes = {lane: rows[~known[rows]] for lane, rows in lane_rows(messages).items()}
    result: dict[Lane, int] = {}
    for asked, requests in lanes.items():
        for heard, answers in lanes.items():
            if asked[0] is not Direction.TO_DEVICE or heard[0] is Direction.TO_DEVICE:
                continue
            if device_of(asked[1]) != device_of(heard[1]):
                continue
            echo = find_echo(messages, requests, answers)
            if echo is not None:
                result[asked] = max(result.get(asked, 0), max(echo.asked) + 1)
                result[heard] = max(result.get(heard, 0), max(echo.answered) + 1)
    return result


def _padded(messages: Messages, rows: Int64s) -> NDArray[np.int32]:
    """Return the first bytes as numbers, -1 behind the end."""
    cells: Bytes = leading_bytes(messages, rows, _FIRST)
    result = cells.astype(np.int32)
    result[np.arange(_FIRST) >= messages.size[rows][:, None]] = -1
    return result


def _turns(requests: Int64s, answers: Int64s) -> tuple[Int64s, Int64s]:
    """Return requests that the device said something behind, before the next one, and the first of that.

    The latter as places in `answers`, some columns: -1 where less was said.
    """
    behind = np.searchsorted(requests, answers) - 1
    owner, first, count = np.unique(behind, return_index=True, return_counts=True)
    owner, first, count = owner[owner >= 0], first[owner >= 0], count[owner >= 0]
    said = first[:, None] + np.arange(_SAID)
    said[np.arange(_SAID) >= count[:, None]] = -1
    return owner, said


type _Found = tuple[Echo, tuple[Int64s, Int64s]]


def _in_sequence(
    asked: NDArray[np.int32], heard: NDArray[np.int32], owner: Int64s, said: Int64s
) -> _Found | None:
    """Look at each request that was followed by messages: one of them must repeat its byte."""
    if len(owner) < max(_LEAST, len(asked) // 4):
        return None
    best: tuple[tuple[float, int], _Found] | None = None
    for at in range(_FIRST):
        x = asked[owner, at]
        if len(set(x.tolist())) < 2 or x.min() < 0:
            continue
        for to in range(_FIRST):
            y = np.where(said >= 0, heard[said, to], -1)
            add = _usually_added(x, y)
            met = (y >= 0) & (((y - x[:, None] - add) & 0xFF) == 0)
            hits = met.any(axis=1)
            share, values = float(hits.mean()), len(set(x[hits].tolist()))
            if share < _MOST or values < (2 if add == 0 else _FEW):
                continue
            chance = _by_chance(x, y, add)
            if share < chance + _MORE:
                continue
            rank = (round(share - chance, 2) - 0.1 * (add != 0), values)
            if best is None or rank > best[0]:
                first = said[hits, met[hits].argmax(axis=1)]
                best = rank, (Echo((at,), (to,), (add,)), (owner[hits], first))
    return best[1] if best else None


def _usually_added(x: NDArray[np.int32], y: NDArray[np.int32]) -> int:
    """Return what is most often between a request's byte and one behind it; 0 where that is as good."""
    steps = np.bincount(((y - x[:, None]) & 0xFF)[y >= 0], minlength=256)
    return 0 if steps[0] >= _MOST * len(x) else int(steps.argmax())


def _by_chance(x: NDArray[np.int32], y: NDArray[np.int32], add: int) -> float:
    """Return how often messages repeat a byte of another request, some requests away."""
    shares = [
        float(((other >= 0) & (((other - x[:, None] - add) & 0xFF) == 0)).any(axis=1).mean())
        for other in (np.roll(y, by, axis=0) for by in _AWAY)
    ]
    return sum(shares) / len(shares)


def _in_a_row(asked: NDArray[np.int32], heard: NDArray[np.int32], behind: Int64s) -> _Found | None:
    """Look for each message at the requests before it that nothing has answered yet.

    Most of the requests must be repeated by a message. A few different bytes are soon met by chance: then
    they must be met in the order in which they were asked for as well.
    """
    best: tuple[int, _Found] | None = None
    for at in range(_FIRST):
        x = asked[:, at]
        values = set(x.tolist())
        if not 2 <= len(values) <= _MAX_ASKED or -1 in values:
            continue
        for to in range(_FIRST):
            y = heard[:, to]
            if 4 * len(values.intersection(y.tolist())) < 3 * len(values):
                continue
            pairs = _claimed(x.tolist(), y.tolist(), behind.tolist())
            if len(pairs[0]) < _CLAIMED * len(x):
                continue
            if len(values) < _SEVERAL and not _mostly_ascending(pairs[0]):
                continue
            if best is None or len(pairs[0]) > best[0]:
                best = len(pairs[0]), (Echo((at,), (to,), (0,)), pairs)
    return best[1] if best else None


def _mostly_ascending(order: Int64s) -> bool:
    return float((np.diff(order) > 0).mean()) >= _ASCENDING if len(order) > 1 else False


def _claimed(x: list[int], y: list[int], behind: list[int]) -> tuple[Int64s, Int64s]:
    """Give each message the oldest of the last requests that it repeats and that is free."""
    taken = [False] * len(x)
    one, other = [], []
    for number, (value, last) in enumerate(zip(y, behind, strict=True)):
        for index in range(max(last - _IN_A_ROW + 1, 0), last + 1):
            if x[index] == value and not taken[index]:
                taken[index] = True
                one.append(index)
                other.append(number)
                break
    return np.array(one, dtype=np.int64), np.array(other, dtype=np.int64)


def _extended(
    echo: Echo, asked: NDArray[np.int32], heard: NDArray[np.int32], pairs: tuple[Int64s, Int64s]
) -> Echo:
    """Add the other bytes that agree in the pairs found, where they tell requests apart."""
    one, other = pairs
    places = dict(zip(echo.asked, zip(echo.answered, echo.added, strict=True), strict=True))
    for at in range(_FIRST):
        if at in places or len(set(asked[:, at].tolist())) < 2:
            continue
        x = asked[one, at]
        for to in sorted(range(_FIRST), key=lambda place: abs(place - at)):
            used = any(to == answered for answered, _ in places.values())
            if not used and x.min() >= 0 and _agrees(x, heard[other, to]):
                places[at] = (to, 0)
                break
    ordered = sorted(places)
    return Echo(
        tuple(ordered), tuple(places[at][0] for at in ordered), tuple(places[at][1] for at in ordered)
    )


def _agrees(x: NDArray[np.int32], y: NDArray[np.int32]) -> bool:
    """Say whether bytes agree, those that are not the usual one as well: two constants agree by chance."""
    rare = x != np.bincount(x).argmax()
    same = x == y
    return bool(rare.any() and same.mean() >= _NEARLY_ALL and same[rare].mean() >= _NEARLY_ALL)
