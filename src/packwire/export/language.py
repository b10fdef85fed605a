"""What languages differ in, as far as decoding the frames of a BMS goes."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from packwire.export.places import moved
from packwire.wire.fields import Field, FieldCondition, Operator, Order, Type
from packwire.wire.framing import ByteIs

_COMPARISONS = {
    Operator.EQUAL: "==",
    Operator.LESS: "<",
    Operator.AT_MOST: "<=",
    Operator.MORE: ">",
    Operator.AT_LEAST: ">=",
}


#: How something is written: a text with names, numbers and expressions in it.
type Form = Callable[..., str]


class ProgramLanguage(ABC):
    """Lines of a program in one language.

    Bytes lie in `data`, `size` is how many there are. Expressions are texts; a place is a number or the
    name of a variable. What is a mere form of words in all languages stands here as one.
    """

    comment = "//"
    and_, or_, differs = " && ", " || ", "!="
    blank = 1
    """Empty lines between functions."""
    _indent = 4

    when: Form
    """The head of a block for where a condition holds."""
    each: Form
    """The head of a block that is run for the numbers from 0."""
    let: Form
    """What makes a variable for whole numbers, which may be negative."""
    number: Form
    """What makes a variable for any number."""
    set: Form
    """What gives a variable another value."""
    give: Form
    """What ends a function with a value."""
    byte: Form
    """The byte at a place."""
    bit: Form
    """One bit of a whole number."""
    xor: Form
    """The bits that are set in one of two numbers alone."""
    common: Form
    """The bits of a number that are set in a mask."""
    function: Form
    """The head of a function of `data`, `size` and `at` that gives a whole number."""
    checks: Form
    """The head of a function of `data`, `begin` and `behind` that gives a whole number."""
    least: Form
    """The smaller of two numbers."""
    negated: Form
    """Whether a condition does not hold."""
    whole: Form
    """A number that may have decimals as a whole one, 0 at least."""
    divided: Form
    """A whole number divided by another, and cut."""
    digits: Form
    """The number that hexadecimal digits at a place write; negative where they are none."""
    no_number: Form
    """Whether what stands for a raw number says that there is none (BCD, decimals)."""
    called: Form = "{}".format
    """The name under which a function is called."""

    def __init__(self, depth: int = 0) -> None:
        self.lines: list[str] = []
        self._depth = depth

    def put(self, text: str) -> None:
        """Write a line."""
        self.lines.append(f"{' ' * self._indent * self._depth}{text}".rstrip())

    def say(self, words: str) -> None:
        """Write a comment; the words are plain."""
        self.put(f"{self.comment} {words}")

    def block(self, head: str, end: str | None = None) -> AbstractContextManager[None]:
        """Write what stands in a block; `end` closes it, where that is not as usual."""
        return self._block(head, end or self.closing)

    @contextmanager
    def _block(self, head: str, end: str) -> Iterator[None]:
        self.put(head)
        self._depth += 1
        begun = len(self.lines)
        yield
        if len(self.lines) == begun and self.empty:
            self.put(self.empty)
        self._depth -= 1
        if end:
            self.put(end)

    closing, empty, scope = "}", "", "{"

    def gap(self) -> None:
        """Write what stands between functions."""
        self.lines += [""] * self.blank

    @contextmanager
    def scoped(self) -> Iterator[None]:
        """Write what makes variables that hold no longer."""
        if not self.scope:
            yield
            return
        with self.block(self.scope):
            yield

    def all(self, conditions: Iterable[str]) -> str:
        """Return a condition that holds where all of these do."""
        return self.and_.join(conditions)

    def any(self, conditions: Iterable[str]) -> str:
        """Return a condition that holds where one of these does."""
        several = list(conditions)
        return several[0] if len(several) == 1 else f"({self.or_.join(several)})"

    def byte_is(self, byte: ByteIs, at: str = "") -> str:
        """Return whether a byte, so far behind a place, is one of some; that it is there is known."""
        runs: list[list[int]] = []
        for value in sorted(byte.values):
            if runs and value == runs[-1][1] + 1:
                runs[-1][1] = value
            else:
                runs.append([value, value])
        found = self.byte(moved(at, byte.at) if at else str(byte.at))
        return self.any(
            f"{found} == {low}" if low == high else f"({found} >= {low}{self.and_}{found} <= {high})"
            for low, high in runs
        )

    def condition(self, said: FieldCondition, raw: str) -> str:
        """Return whether a raw number compares as a condition says."""
        match said.comparison:
            case Operator.BIT:
                return f"{self.bit(raw, str(said.number))} == 1"
            case Operator.NO_BIT:
                return f"{self.bit(raw, str(said.number))} == 0"
            case Operator.NOT_EQUAL:
                return f"{raw} {self.differs} {said.number}"
            case other:
                return f"{raw} {_COMPARISONS[other]} {said.number}"

    def scaled(self, field: Field, raw: str) -> str:
        """Return the value of a raw number, by the same steps as packwire's own."""
        before, factor, divisor, behind = field.steps()
        text = f"({raw} + {before})" if before > 0 else f"({raw} - {-before})" if before else raw
        if divisor:
            text = f"{text} / {divisor!r}"
        elif factor != 1:
            text = f"{text} * {float(factor)!r}"
        return f"{text} + {behind!r}" if behind else text

    @abstractmethod
    def take(self, field: Field, value: str) -> str:
        """Return what makes the variable `raw` for the raw number of a field."""

    @abstractmethod
    def same(self, at: str, data: bytes) -> str:
        """Return whether these bytes stand at a place; that they are there is known."""

    @abstractmethod
    def unsigned(self, at: str, width: int, order: Order) -> str:
        """Return an unsigned number at a place."""

    @abstractmethod
    def find(self, at: str, data: bytes) -> str:
        """Return where behind a place these bytes are; negative where they are not."""

    @abstractmethod
    def raw(self, field: Field, order: Order, at: str) -> str:
        """Return the raw number of a field at a place; what `no_number` tells where there is none."""


def may_be_none(field: Field) -> bool:
    """Tell whether bytes of such a field may be no number."""
    return field.type in {Type.BCD, Type.DECIMAL}


def has_decimals(field: Field) -> bool:
    """Tell whether the value of a number is a decimal one, whatever it is: `8.0` as a text."""
    _, factor, divisor, behind = field.steps()
    return field.type is Type.FLOAT or bool(divisor) or factor != 1 or bool(behind)
