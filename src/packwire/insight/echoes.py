"""Which bytes of a request come back in its reply, found in the data: a register, a command, an address.

A place in the requests echoes in a place of the replies where the first reply behind each request repeats its
byte (or that plus a constant), clearly more often than it would if replies were dealt out at random. Where
requests are sent in a row, order tells nothing; then many different bytes of the requests must be met. What a
few requests seem to have in common with what a device says anyway is weighed: see `repetition`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import log

import numpy as np
from numpy.typing import NDArray

from packwire.channel import Transport
from packwire.direction import Direction
from packwire.insight.groups import Lane, lane_rows, leading_bytes
from packwire.insight.repetition import IN_A_ROW, Cells, common_bytes, evidence_of, is_state
from packwire.insight.sequences import is_sequence
from packwire.messages import Bytes, Int64s, Messages

#: An echo is looked for in so many first bytes, of so many requests.
_FIRST, _SAMPLE = 8, 2048
#: So many of the requests that something follows must be repeated by one of the next messages, and so many
#: more than by those that follow a request so many places away.
_MOST, _MORE, _SAID, _AWAY = 0.7, 0.25, 4, (1, 2, 3, 5, 7)
#: With a constant added so many different bytes must be met.
_FEW = 3
#: Of requests in a row so many must be repeated; with fewer different bytes than that, so much in order.
_CLAIMED, _SEVERAL, _ASCENDING = 0.6, 6, 0.85
#: Where nearly all are repeated, less of it need be in order.
_NEARLY_CLAIMED, _MOSTLY = 0.85, 0.65
#: So many first bytes say whether a message is a reply: half of a form are, or so many replies have it.
_FORM, _OF_REQUESTS = 2, 0.25
#: A further byte belongs to the echo where it agrees in nearly all pairs.
_NEARLY_ALL = 0.97
#: Of so many lanes, those with the most messages, requests and replies are compared.
_LANES = 8
#: Where so many requests have the same bytes, an echo says nothing of the header.
_USUAL = 0.9
#: Fewer requests than this teach nothing.
_LEAST = 4
#: An echo is learnt where chance gives it once in so many lanes, all places (and what is added) counted.
_CHANCE = 0.001
_PLACES, _SUMS = 2 * _FIRST * _FIRST, 256


@dataclass(frozen=True, slots=True)
class Echo:
    """Places in requests, the places where replies repeat them, and what is added to each byte there.

    `other` are the forms of messages that repeat a byte only now and then: no replies. `counting` are the
    places in requests, of those in `asked`, that only number them: they say nothing of what is asked for.
    `tells` is false where nearly all requests have the same bytes, or all but one: the echo then does not say
    which kinds there are.
    """

    asked: tuple[int, ...]
    answered: tuple[int, ...]
    added: tuple[int, ...]
    other: frozenset[bytes] = frozenset()
    counting: frozenset[int] = frozenset()
    tells: bool = True

    def form(self, message: bytes) -> bytes:
        """Return the first bytes, but for repeated ones: what messages of a kind have alike."""
        return bytes(byte for at, byte in enumerate(message[:_FORM]) if at not in self.answered)

    def of_request(self, message: bytes) -> bytes | None:
        """Return what a request wants to be repeated; None: it is too short."""
        return bytes(message[at] for at in self.asked) if len(message) > max(self.asked) else None

    def without_number(self, repeated: bytes | None) -> bytes | None:
        """Return what is repeated, but for what only numbers requests."""
        if repeated is None:
            return None
        return bytes(byte for at, byte in zip(self.asked, repeated, strict=True) if at not in self.counting)

    def of_reply(self, message: bytes) -> bytes | None:
        """Return what a message repeats; None: it is too short, or no reply."""
        if len(message) <= max(self.answered) or self.form(message) in self.other:
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
    behind = np.searchsorted(requests, answers) - 1
    ways = (_in_sequence(asked, heard, *_turns(requests, answers)), _in_a_row(asked, heard, behind))
    proven = (_first_proven(way, asked, heard, behind) for way in ways)
    found = [(len(_pairs(way[0], asked, heard, behind)[0]), *way) for way in proven if way is not None]
    found = [each for each in found if each[0] >= _CLAIMED * min(len(asked), len(heard))]
    if not found:
        return None
    _, echo, pairs = max(found, key=lambda each: (_usual(asked, each[1].asked) < _USUAL, each[0]))
    echo = _extended(echo, asked, heard, pairs)
    forms = Counter(echo.form(messages.payload(row)) for row in answers.tolist())
    met = Counter(
        echo.form(messages.payload(int(answers[to]))) for to in _pairs(echo, asked, heard, behind)[1]
    )
    least = _OF_REQUESTS * met.total()
    other = (form for form, count in forms.items() if 2 * met[form] < count and met[form] < least)
    counting = frozenset(at for at in echo.asked if is_sequence(asked[:, at]))
    said = sorted({*echo.asked} - counting)
    kinds = Counter(map(tuple, asked[:, said].tolist()))
    # Two values of which one comes once are what a start mark and that of a login are.
    several = len(kinds) > 2 or min(kinds.values()) > 1
    tells = len(kinds) > 1 and several and _usual(asked, said) < _USUAL
    return replace(echo, other=frozenset(other), counting=counting, tells=tells)


def find_echoes(messages: Messages, lanes: Mapping[Lane, Int64s]) -> dict[tuple[Lane, Lane], Echo]:
    """Find the echoes between lanes of requests and lanes of replies of one device; lanes with their rows.

    On a CAN bus the ids say what belongs together, and there are too many of them to try each with each.
    """
    by_size = sorted(lanes, key=lambda lane: -len(lanes[lane]))
    often = [lane for lane in by_size if lane[1].transport is not Transport.CAN]
    asked = [lane for lane in often if lane[0] is Direction.TO_DEVICE][:_LANES]
    heard = [lane for lane in often if lane[0] is not Direction.TO_DEVICE][:_LANES]
    result = {}
    for one, other in product(asked, heard):
        if one[1].device == other[1].device:
            echo = find_echo(messages, lanes[one], lanes[other])
            if echo is not None:
                result[one, other] = echo
    return result


def echo_headers(messages: Messages, known: NDArray[np.bool_]) -> dict[Lane, int]:
    """Return how many first bytes tell kinds of messages apart where requests and replies have an echo.

    That is up to the last byte which is repeated, where that tells requests apart: a start mark is repeated,
    too. `known` says of which messages the framing is known: they are left out.
    """
    lanes = {lane: rows[~known[rows]] for lane, rows in lane_rows(messages).items()}
    result: dict[Lane, int] = {}
    for (asked, heard), echo in find_echoes(messages, lanes).items():
        if not echo.tells:
            continue
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
) -> list[_Found]:
    """Look at each request that was followed by messages: one of them must repeat its byte; best first."""
    if len(owner) < max(_LEAST, len(asked) // 4):
        return []
    result: list[tuple[tuple[float, int], _Found]] = []
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
            first = said[hits, met[hits].argmax(axis=1)]
            result.append((rank, (Echo((at,), (to,), (add,)), (owner[hits], first))))
    return _best_first(result)


def _best_first[Rank: (float, tuple[float, int])](found: list[tuple[Rank, _Found]]) -> list[_Found]:
    return [echo for _, echo in sorted(found, key=lambda each: each[0], reverse=True)]


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


def _in_a_row(asked: NDArray[np.int32], heard: NDArray[np.int32], behind: Int64s) -> list[_Found]:
    """Look for each message at the requests before it that nothing has answered yet; best first.

    Most of the requests must be repeated by a message. A few different bytes are soon met by chance: then
    they must be met in the order in which they were asked for as well.
    """
    result: list[tuple[float, _Found]] = []
    places = [(at, to) for at in range(_FIRST) for to in range(_FIRST)]
    for width in (1, 2):
        for at, to in places:
            if max(at, to) + width > _FIRST:
                continue
            echo = Echo(tuple(range(at, at + width)), tuple(range(to, to + width)), (0,) * width)
            x, y = (_values(cells[:, place : place + width]) for cells, place in ((asked, at), (heard, to)))
            values = set(x)
            if len(values) < 2 or 4 * len(values.intersection(y)) < 3 * len(values):
                continue
            pairs = _claimed(x, y, behind.tolist())
            ascending = _ascending(pairs[0])
            wanted = _MOSTLY if len(pairs[0]) >= _NEARLY_CLAIMED * min(len(x), len(y)) else _ASCENDING
            if len(pairs[0]) < _CLAIMED * len(x) or (len(values) < _SEVERAL and ascending < wanted):
                continue
            result.append((len(pairs[0]) * ascending, (echo, pairs)))
    return _best_first(result)


def _first_proven(
    found: list[_Found], asked: NDArray[np.int32], heard: NDArray[np.int32], behind: Int64s
) -> _Found | None:
    """Return the first echo that chance is ruled out for, and that is no state which was written.

    One that tells requests apart comes before a start mark.
    """
    common = common_bytes(heard)
    for echo, pairs in sorted(found, key=lambda each: _usual(asked, each[0].asked) >= _USUAL):
        x, y = _cells_of(echo, asked, heard)
        if any(echo.added) and is_sequence(asked[:, echo.asked[0]]):
            continue  # two that count at the same pace
        if _is_proven(echo, x, y, behind.tolist(), common) and not is_state(x, y, behind.tolist()):
            return echo, pairs
    return None


def _usual(asked: NDArray[np.int32], places: Sequence[int]) -> float:
    """Return how many requests have the usual bytes at some places."""
    counts = Counter(map(tuple, asked[:, list(places)].tolist()))
    return max(counts.values()) / len(asked)


def _is_proven(
    echo: Echo, x: list[Cells], y: list[Cells], behind: list[int], common: NDArray[np.float64]
) -> bool:
    tried = _PLACES * (_SUMS if any(echo.added) else 1)
    common = np.roll(common, -echo.added[0])
    return evidence_of(x, y, behind, common) >= log(tried / _CHANCE)


def _cells_of(
    echo: Echo, asked: NDArray[np.int32], heard: NDArray[np.int32]
) -> tuple[list[Cells], list[Cells]]:
    """Return the bytes of an echo in requests, and in messages without what is added."""
    one = np.stack([asked[:, at] for at in echo.asked], axis=1)
    other = np.stack(
        [
            np.where(heard[:, at] < 0, -2, (heard[:, at] - add) & 0xFF)
            for at, add in zip(echo.answered, echo.added, strict=True)
        ],
        axis=1,
    )
    return [*map(tuple, one.tolist())], [*map(tuple, other.tolist())]


def _values(cells: NDArray[np.int32]) -> list[int]:
    """Return bytes side by side as one number, -1 where one is missing."""
    number = cells @ np.array((1, 256)[: cells.shape[1]])
    return [int(each) for each in np.where((cells < 0).any(axis=1), -1, number)]


def _ascending(order: Int64s) -> float:
    return float((np.diff(order) > 0).mean()) if len(order) > 1 else 0.0


def _pairs(
    echo: Echo, asked: NDArray[np.int32], heard: NDArray[np.int32], behind: Int64s
) -> tuple[Int64s, Int64s]:
    """Return requests with the messages that repeat all their bytes; each once."""
    return _claimed(*_cells_of(echo, asked, heard), behind.tolist())


def _claimed[Value](x: Sequence[Value], y: Sequence[Value], behind: list[int]) -> tuple[Int64s, Int64s]:
    """Give each message the newest of the last requests that it repeats and that is free."""
    taken = [False] * len(x)
    one, other = [], []
    for number, (value, last) in enumerate(zip(y, behind, strict=True)):
        for index in range(last, max(last - IN_A_ROW, -1), -1):
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
    common = common_bytes(heard)
    places = dict(zip(echo.asked, zip(echo.answered, echo.added, strict=True), strict=True))
    for at in range(_FIRST):
        x = asked[one, at]
        if at in places or len(x) == 0 or x.min() < 0 or len(set(x.tolist())) < 2:
            continue
        for to in sorted(range(_FIRST), key=lambda place: abs(place - at)):
            if any(to == answered for answered, _ in places.values()) or heard[other, to].min() < 0:
                continue
            add = int(np.bincount((heard[other, to] - x) & 0xFF).argmax())
            further = Echo((at,), (to,), (add,))
            if not _agrees(x, (heard[other, to] - add) & 0xFF) or (add and is_sequence(x)):
                continue
            x_cells, y_cells = _cells_of(further, asked[one], heard[other])
            if _is_proven(further, x_cells, y_cells, [*range(len(one))], common):
                places[at] = (to, add)
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
