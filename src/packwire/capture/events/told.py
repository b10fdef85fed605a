"""What a log says of one device: each sentence with how often, when, and its values."""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from packwire.event import EventKind

#: Values that are kept of a sentence, at each end, and names of a device.
_MAX_VALUES = 300
#: Sentences that tell no more of a device than that it is there, or that the computer knows it.
ONLY_THERE = frozenset(
    {"seen", "advertised-name", "advertised-services", "connectable", "not-connectable", "last-rssi"}
    | {"host-connected", "host-paired", "host-not-paired", "host-refuses"}
)


class Quote(NamedTuple):
    """A line of a log: its number (from 1), its text, its time in ns or NO_TIME.

    `own` is whether a program that deals with batteries or Bluetooth wrote it; a line that somebody quotes,
    or that another program wrote, may speak of something else.
    """

    line: int
    text: str
    time: int
    own: bool = True


@dataclass(slots=True)
class Told:
    """One sentence: how often it was said, the first and the last line, the values with their lines."""

    kind: EventKind
    first: Quote
    last: Quote
    count: int = 0
    _values: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    _late: deque[tuple[int, dict[str, str]]] = field(default_factory=lambda: deque(maxlen=_MAX_VALUES))

    def add(self, quote: Quote, values: dict[str, str]) -> None:
        """Count it once more."""
        self.count += 1
        self.last = quote
        if values:
            (self._values if len(self._values) < _MAX_VALUES else self._late).append((quote.line, values))

    @property
    def values(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield the values that are kept, with the numbers of their lines."""
        yield from self._values
        yield from self._late

    def absorb(self, other: "Told") -> None:
        """Take in what was told of the same by another name."""
        self.count += other.count
        self.first = min(self.first, other.first)
        self.last = max(self.last, other.last)
        both = sorted([*self.values, *other.values], key=lambda each: each[0])
        self._values = both[:_MAX_VALUES]
        self._late.clear()
        self._late.extend(both[_MAX_VALUES:])

    def copy(self) -> "Told":
        """Return one of its own."""
        return Told(self.kind, self.first, self.last, self.count, list(self._values), self._late.copy())


@dataclass(slots=True)
class LoggedDevice:
    """A device, or '' for what the log says of nobody by name."""

    key: str
    told: dict[str, Told] = field(default_factory=dict)
    names: Counter[str] = field(default_factory=Counter)
    plugins: Counter[str] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        """Return how many sentences speak of it."""
        return sum(each.count for each in self.told.values())

    @property
    def is_only_there(self) -> bool:
        """Return whether no more is told of it than that it is there."""
        return self.told.keys() <= ONLY_THERE

    def add(self, code: str, kind: EventKind, quote: Quote, values: dict[str, str]) -> None:
        """Take in a sentence."""
        found = self.told.get(code)
        if found is None:
            found = self.told[code] = Told(kind, quote, quote)
        found.add(quote, values)

    def absorb(self, other: "LoggedDevice") -> None:
        """Take in what was told of it by another name, or of nobody."""
        for code, told in other.told.items():
            if code in self.told:
                self.told[code].absorb(told)
            else:
                self.told[code] = told.copy()
        self.names.update(other.names)
        self.plugins.update(other.plugins)

    def copy(self) -> "LoggedDevice":
        """Return one of its own."""
        return LoggedDevice(
            self.key,
            {code: each.copy() for code, each in self.told.items()},
            self.names.copy(),
            self.plugins.copy(),
        )
