"""Reading a text: each line is offered to the grammars in turn; the first that knows its form takes it."""

from collections import Counter
from collections.abc import Callable, Sequence

from packwire.capture.packets import LINKTYPE_CAN_SOCKETCAN, Packets
from packwire.capture.text.clock import Clock
from packwire.capture.text.continued import Continued
from packwire.capture.text.grammar import BEGINS, NO_BYTES, Row, TextFormat, Unread
from packwire.capture.text.lines import MAX_LINE, lines
from packwire.capture.text.table import MAX_ROWS, Table
from packwire.messages import Bytes

#: Remarks, and what marks that something was cut out of a log.
_REMARK, _GAP = "#", "#@gap"
_LONG = Unread(f"lines of more than {MAX_LINE} characters", damaged=True)
_CUT = Unread("places where the log was cut", damaged=True)

type _Taker = tuple[str, Callable[[str], Row | Unread | None]]


def read_text(data: Bytes, formats: Sequence[TextFormat], most: int = MAX_ROWS) -> Packets:
    """Find the messages of a text; there may be none. Its name is that of the format of most."""
    table, clock = Table(most), Clock()
    continued = Continued(clock)
    takers = _Takers([(each.NAME, each.Grammar(clock).take) for each in formats])
    names: Counter[str] = Counter()
    taken: Counter[str] = Counter()
    last, begun = "", 0
    for number, text in enumerate(lines(data), 1):
        if not text:
            continue
        if len(text) >= MAX_LINE:
            table.count(_LONG, number, text)
            continue
        if table.full:
            table.cut(number)
            break
        name, outcome = takers.taken(text)
        outcome = continued.settle(number, text, outcome)
        if isinstance(outcome, Row):
            if outcome.joins and name != last:
                outcome = outcome._replace(joins=False)
            table.add(outcome, number, text)
            names[name] += 1
            last = name
        elif outcome is BEGINS:
            if begun:
                table.notes.append(f"another recording begins at line {number} ({name})")
            begun += 1
        else:
            table.count(outcome, number, text)
            taken[name] += bool(name)
    _settle_times(table, clock)
    first = (names or taken).most_common(1)
    return table.packets(first[0][0] if first else "text")


def _settle_times(table: Table, clock: Clock) -> None:
    """Add up times that count from the message before, and say which were not understood."""
    if clock.since_before:
        table.add_up_times()
    if clock.unknown:
        table.notes.append(f'{clock.unknown} x times not understood, such as "{clock.first_unknown}"')


class _Takers:
    """The grammars at work on one file.

    The one that took a CAN frame is asked first for the next line: the forms of CAN logs are strict, so no
    other would take its lines, and no other logs are as long.
    """

    def __init__(self, takers: Sequence[_Taker]) -> None:
        self._takers = takers
        self._again: _Taker | None = None

    def taken(self, line: str) -> tuple[str, Row | Unread]:
        """Return what a line holds, and by whose grammar."""
        if self._again and (outcome := self._again[1](line)) is not None:
            return self._again[0], outcome
        self._again = None
        for taker in self._takers:
            outcome = taker[1](line)
            if outcome is not None:
                if isinstance(outcome, Row) and outcome.link_type == LINKTYPE_CAN_SOCKETCAN:
                    self._again = taker
                return taker[0], outcome
        return "", _CUT if line.startswith(_GAP) else NO_BYTES
