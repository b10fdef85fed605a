"""A place where a noted value may be, and what its chance is made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from packwire.insight.fields import FoundField
from packwire.insight.observations import Observation
from packwire.wire.fields import Field

#: What is likelier by chance is no finding, but a place among others.
MOST_CHANCE = 0.05
#: The part of all weights that fields have which were found beforehand.
FIELDS_SHARE: Final = 0.8
#: The part that the byte order has in which a kind's fields were found.
ORDER_SHARE: Final = 0.9
#: A place that is so much less likely than the first is not listed.
_FAR = 10.0
#: Places are as likely as the first up to so many times its chance; more where nothing changes.
_TIES, _CONSTANT_TIES = 3.0, 100.0


@dataclass(frozen=True, slots=True)
class Match:
    """A place where all that was noted of a value fits: in frames of kind number `kind`, read as `field`.

    `count`: so many of them side by side. `moves`: it is not always the same; `chance` that it is none.
    `low`, `high`: what it reads in all frames. `known`: `fields` found just these bytes as a field.
    `chance` is how many such places are expected that mean nothing: above `MOST_CHANCE` it is one of many.
    """

    kind: int
    field: Field
    chance: float
    low: float
    high: float
    moves: bool
    known: bool
    little: bool
    count: int = 1


@dataclass(frozen=True, slots=True)
class Noted:
    """A value that was noted, with the places where it may be, the likeliest first."""

    name: str
    observations: tuple[Observation, ...]
    matches: tuple[Match, ...]

    @property
    def noted(self) -> str:
        """Return what was noted, each once."""
        return ", ".join(dict.fromkeys(note.text.rpartition("=")[2] for note in self.observations))

    @property
    def ties(self) -> int:
        """Return how many matches are about as likely as the first."""
        if not self.matches:
            return 0
        first = self.matches[0]
        near = _TIES if first.moves else _CONSTANT_TIES
        return sum(each.chance <= near * first.chance and each.moves == first.moves for each in self.matches)

    @property
    def listed(self) -> tuple[Match, ...]:
        """Return the matches that are worth a look: those that chance does not explain, or the likeliest."""
        near = tuple(each for each in self.matches if each.chance <= _FAR * self.matches[0].chance)
        return tuple(each for each in near if each.chance <= MOST_CHANCE) or near


def is_little(fields: Sequence[FoundField]) -> bool:
    """Say whether most of the fields that were found beforehand are little-endian."""
    orders = [each.order for each in fields if each.wide and each.of is None]
    return orders.count("little") > len(orders) / 2
