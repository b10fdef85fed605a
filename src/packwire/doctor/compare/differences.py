"""What is different about each step of two aligned sessions, in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from packwire.doctor.compare.align import AlignedStep
from packwire.doctor.compare.patience import ClientPatience
from packwire.doctor.compare.session import ClientSession, QueryKind, seconds

#: One pace is another where it is so many times as long.
_OTHER_PACE = 3.0
#: So many exchanges of a step are looked at for their sizes and arguments.
_MAX_SEEN = 5000


@dataclass(frozen=True, slots=True)
class RowSide:
    """One session's part in a step: times in ns, sizes in bytes (payloads); `packet` is that of the first.

    `refused` counts replies that were not taken, `bad` requests that were no right frame.
    """

    count: int
    answered: int
    expected: int
    sizes: tuple[int, int] | None
    latency: float | None
    wait: float | None
    time: int
    packet: int
    refused: int
    bad: int


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """A step as it is shown: both sides, and what is different (`alike`: odd, but so in both).

    `matters` says that a finding is about it which is not about both.
    """

    kind: QueryKind
    reference: RowSide | None
    mine: RowSide | None
    marks: tuple[str, ...]
    alike: tuple[str, ...]
    matters: bool


def rows(
    steps: tuple[AlignedStep, ...],
    reference: tuple[ClientSession, ClientPatience],
    mine: tuple[ClientSession, ClientPatience],
    faults: tuple[frozenset[int], frozenset[int]],
) -> Iterator[ComparedRow]:
    """Yield the steps; `faults` are the exchanges of each side that findings are about."""
    refused = (frozenset(reference[1].refused), frozenset(mine[1].refused))
    for step in steps:
        sides = [
            None if numbers is None else _side(session, numbers, out)
            for session, numbers, out in (
                (reference[0], step.reference, refused[0]),
                (mine[0], step.mine, refused[1]),
            )
        ]
        marks, alike = _marks(step, sides[0], sides[1], reference[0], mine[0])
        matters = any(
            numbers is not None and any(number in fault for number in numbers)
            for numbers, fault in ((step.reference, faults[0]), (step.mine, faults[1]))
        )
        yield ComparedRow(step.kind, sides[0], sides[1], marks, alike, matters)


def _side(session: ClientSession, numbers: range, refused: frozenset[int]) -> RowSide:
    queries = [session.queries[number] for number in numbers]
    sizes = [int(session.messages.size[each.reply]) for each in queries if each.answered]
    latencies = [took for each in queries if (took := each.latency) is not None]
    waits = session.waits(numbers)
    return RowSide(
        len(queries),
        len(sizes),
        sum(1 for each in queries if each.expects),
        (min(sizes), max(sizes)) if sizes else None,
        median(latencies) if latencies else None,
        median(waits) if waits else None,
        queries[0].time,
        session.packet(queries[0].row),
        sum(1 for number in numbers if number in refused),
        sum(1 for each in queries if each.row < 0),
    )


def _marks(
    step: AlignedStep,
    there: RowSide | None,
    here: RowSide | None,
    reference: ClientSession,
    mine: ClientSession,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    ours, theirs = _faults(here), _faults(there)
    marks = list(_unlike(step, there, here, reference, mine))
    if not ours and not theirs:
        marks += _pace(there, here)
    marks += [f"mine {words}" for what, words in ours.items() if what not in theirs]
    marks += [f"the reference {words}" for what, words in theirs.items() if what not in ours]
    return tuple(marks), tuple(f"as in the reference, mine {ours[what]}" for what in ours if what in theirs)


def _unlike(
    step: AlignedStep,
    there: RowSide | None,
    here: RowSide | None,
    reference: ClientSession,
    mine: ClientSession,
) -> Iterator[str]:
    """Say what is not the same, whether it does harm or not."""
    if here is None or there is None or step.reference is None or step.mine is None:
        yield "only in mine" if there is None else "only in the reference"
        return
    same = _payloads(reference, step.reference) & _payloads(mine, step.mine)
    if not same and not (here.bad or there.bad):
        yield "other arguments"
    if there.sizes and here.sizes and (there.sizes[0] > here.sizes[1] or here.sizes[0] > there.sizes[1]):
        yield f"replies of {_span(here.sizes)} instead of {_span(there.sizes)} bytes"


def _pace(there: RowSide | None, here: RowSide | None) -> Iterator[str]:
    if there and here and there.wait and here.wait and _other_pace(there.wait, here.wait):
        yield f"goes on after {seconds(here.wait)} instead of {seconds(there.wait)}"


def _faults(side: RowSide | None) -> dict[str, str]:
    """Return what went wrong on one side, by kind."""
    found: dict[str, str] = {}
    if side is None:
        return found
    if side.bad:
        found["bad"] = f"sends no right frame{_of(side.bad, side.count)}"
    missing = side.expected - side.answered - side.bad
    if missing > 0:
        found["silent"] = f"gets no reply{_of(missing, side.expected)}"
    if side.refused:
        pause = f", and waits {seconds(side.wait)}" if side.wait else ""
        found["refused"] = f"does not take the reply{_of(side.refused, side.answered)}{pause}"
    return found


def _of(some: int, count: int) -> str:
    return "" if count == 1 else f" ({some} of {count} times)"


def _payloads(session: ClientSession, numbers: range) -> set[bytes]:
    return {session.payload(number) for number in numbers[:_MAX_SEEN]}


def _span(sizes: tuple[int, int]) -> str:
    return str(sizes[0]) if sizes[0] == sizes[1] else f"{sizes[0]} to {sizes[1]}"


def _other_pace(one: float, other: float) -> bool:
    return max(one, other) > _OTHER_PACE * min(one, other) and max(one, other) > 1e8
