"""Where the fields of equal-length messages begin and end, and in which byte order they are.

The cheapest way to write a message down, field after field: what each field takes over time and at first
(`code_length`), and a few bits for its form. Fields of the same form tend to stand side by side. All ways
together, each weighed by what it takes, say how likely each field of the cheapest way is.
"""

from dataclasses import dataclass
from math import inf, log2

import numpy as np

from packwire.insight.code_length import Floats, as_float, at_first, beside, numbers, over_time
from packwire.messages import Bytes


@dataclass(frozen=True, slots=True)
class Form:
    """What bytes are read as: `width` bytes, as an integer or a float."""

    width: int
    is_float: bool = False


#: The forms, with what is expected of each where another one stands before it.
FORMS = (Form(1), Form(2), Form(4), Form(4, is_float=True), Form(3))
_EXPECTED = (0.32, 0.46, 0.15, 0.05, 0.005)
#: The chance that the next field has the form of the one before it.
_SAME = 0.6


@dataclass(frozen=True, slots=True)
class Piece:
    """A field as it was cut, from `at` on; `share` is what all ways say for these borders.

    Each of its bytes takes `times` bytes of the message: two where they are written as digits.
    """

    at: int
    form: Form
    share: float = 1.0
    times: int = 1

    @property
    def end(self) -> int:
        """Return where the next one begins."""
        return self.at + self.times * self.form.width


@dataclass(frozen=True, slots=True)
class Cutting:
    """The pieces of a message in one byte order, and the bits that it takes to write all messages so."""

    pieces: tuple[Piece, ...]
    bits: float
    little: bool


@dataclass(frozen=True, slots=True)
class _Costs:
    """Bits of a field of one form at each place: its first number alone, beside another, and over time."""

    first: Floats
    beside: Floats
    over_time: Floats


def cut(cells: Bytes, *, little: bool) -> Cutting:
    """Cut `(n, width)` bytes into fields of one byte order."""
    width = cells.shape[1]
    step = _steps([_costs(cells, form, little=little) for form in FORMS], width)
    best, came = _cheapest(step, width)
    ahead, behind = _all_ways(step, width)
    whole = _log_sum(ahead[width])
    pieces: list[Piece] = []
    end, number = width, int(np.argmin(best[width]))
    while end:
        form = FORMS[number]
        alike = [
            ahead[end, other] + behind[end, other]
            for other, each in enumerate(FORMS)
            if each.width == form.width and end >= each.width
        ]
        share = min(1.0, 2 ** (_log_sum(np.array(alike)) - whole))
        pieces.append(Piece(end - form.width, form, share))
        end, number = end - form.width, int(came[end, number])
    return Cutting(tuple(reversed(pieces)), float(best[width].min()), little)


def confidence(share: float, width: int) -> float:
    """Return how likely a field of so many bytes is right of which all ways together say `share`.

    Fields are not as independent as the ways take them to be, so their share is too sure of itself; and a
    byte alone is often the moving end of a wider number. The tables are measured: `benchmarks/understanding`
    shows how often fields of each confidence are right.
    """
    odds = log2(max(share, 1e-12)) - log2(max(1 - share, 1e-12))
    table = _OF_BYTES if width > 1 else _OF_A_BYTE
    return float(np.interp(odds, [at for at, _ in table], [right for _, right in table]))


#: Logarithms of odds, and how many of such fields were right in sessions of which the truth is known.
_OF_BYTES = (
    (-2, 0.55),
    (0, 0.58),
    (1, 0.68),
    (2, 0.83),
    (3, 0.9),
    (5, 0.95),
    (9, 0.965),
    (12, 0.985),
    (16, 0.99),
)
_OF_A_BYTE = ((-2, 0.03), (1, 0.12), (3, 0.2), (4, 0.5), (5, 0.65), (7, 0.84), (12, 0.88))


def _steps(costs: list[_Costs], width: int) -> Floats:
    """Return `(end, form, form before)`: the bits of a field that ends there; the last row: none before."""
    many = len(FORMS)
    result = np.full((width + 1, many, many + 1), inf)
    for number, (form, expected) in enumerate(zip(FORMS, _EXPECTED, strict=True)):
        cost = costs[number]
        ends = np.arange(form.width, width + 1)
        alone = cost.over_time + cost.first - log2(expected * (1 - _SAME))
        result[ends, number, :] = alone[:, None]
        result[ends, number, number] = cost.over_time + cost.beside - log2(_SAME + expected * (1 - _SAME))
    return result


def _cheapest(step: Floats, width: int) -> tuple[Floats, np.ndarray]:
    best = np.full((width + 1, len(FORMS) + 1), inf)
    came = np.zeros((width + 1, len(FORMS)), dtype=np.int64)
    best[0, -1] = 0.0
    for end in range(1, width + 1):
        for number, form in enumerate(FORMS):
            if end >= form.width:
                ways = best[end - form.width] + step[end, number]
                before = int(np.argmin(ways))
                best[end, number], came[end, number] = ways[before], before
    return best, came


def _all_ways(step: Floats, width: int) -> tuple[Floats, Floats]:
    """Return the logarithms of the weights of all ways to each end in each form, and on from there."""
    many = len(FORMS)
    ahead = np.full((width + 1, many + 1), -inf)
    behind = np.full((width + 1, many + 1), -inf)
    ahead[0, -1] = behind[width, :] = 0.0
    for end in range(1, width + 1):
        for number, form in enumerate(FORMS):
            if end >= form.width:
                ahead[end, number] = _log_sum(ahead[end - form.width] - step[end, number])
    for end in range(width - 1, -1, -1):
        ways = [
            behind[end + form.width, number] - step[end + form.width, number]
            for number, form in enumerate(FORMS)
            if end + form.width <= width
        ]
        behind[end] = np.logaddexp2.reduce(np.array(ways), axis=0)
    return ahead, behind


def _log_sum(values: Floats) -> float:
    return float(np.logaddexp2.reduce(values))


def _costs(cells: Bytes, form: Form, *, little: bool) -> _Costs:
    bits = 8 * form.width
    series = numbers(cells, form.width, little=little)
    if not series.shape[1]:
        none = np.full(0, inf)
        return _Costs(none, none, none)
    first = at_first(series[0], bits)
    own = over_time(series, bits, is_float=form.is_float)
    before = np.roll(series[0], form.width)
    before[: form.width] = 0
    next_to = beside(series[0], before, bits)
    if form.is_float:
        possible, length = as_float(series)
        first = np.where(possible, length, inf)
        next_to = np.where(possible, np.minimum(next_to, length + 1), inf)
    return _Costs(first, next_to, own)
