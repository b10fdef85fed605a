"""Which state a bit belongs to, and whether it only follows other bits."""

from collections.abc import Sequence
from dataclasses import dataclass

type Values = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """The one state that a bit is tied to (None: none), and an explanation where one is needed."""

    tied_to: str | None
    why: str


def explain(patterns: Sequence[Values], states: Sequence[str], rest: int) -> list[Note]:
    """Explain bits by their values per state; `rest` is the state that the others are compared with.

    A bit that differs from the state of rest in one state alone is tied to that state. One that differs in
    several follows the bits that are tied to these, where there are such bits for each of them.
    """
    own = {_differing(values, rest)[0]: values for values in patterns if len(_differing(values, rest)) == 1}
    return [_note(values, states, rest, own) for values in patterns]


def _differing(values: Values, rest: int) -> list[int]:
    return [at for at, value in enumerate(values) if value is not None and value != values[rest]]


def _note(values: Values, states: Sequence[str], rest: int, own: dict[int, Values]) -> Note:
    differing = _differing(values, rest)
    if len(differing) == 1:
        return Note(states[differing[0]], "")
    if not differing:
        return Note(None, "")
    if not all(at in own for at in differing):
        return Note(None, "the same in " + ", ".join(states[at] for at in differing))
    verb = "set" if values[differing[0]] else "clear"
    which = "either of the two" if len(differing) == 2 else f"any of the {len(differing)}"
    tied = {own[at][at] for at in differing}
    what = "is off" if tied == {0} else "is on" if tied == {1} else "is not at rest"
    return Note(None, f"{verb} whenever {which} {what}")
