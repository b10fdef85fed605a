"""A client whose pauses vary so much that after a reply it may be as late as after none. Pure functions.

Late says nothing of such a client, soon does: it goes on sooner than it ever does without a reply. That
one is taken shows at once; that it is not, only when so many tries were late that chance is left out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import comb, sqrt

from packwire.doctor.client_test.reactions import (
    SELDOM,
    Action,
    ClientObservation,
    Sign,
    apart,
    is_stalled,
    margin,
    rank_chance,
)
from packwire.doctor.client_test.trials import TrialKind

#: It must go on soon after this part of all good replies, or too many tries are needed.
_LEAST = 0.2
#: So many of both say how soon it is without a reply, and how often it is sooner with one.
_ENOUGH, _MOST = 10, 40
#: So many of the soonest say how much sooner another one may be.
_FEW = 4
#: They may differ by so many times what is told apart.
_SHARP = 2.2
#: So seldom so many good replies are sooner than any missing one by chance; the floor has its distance, too.
_CHANCE = 0.01
#: No more tries of what it does take are soon with this probability.
_ALL_LATE = 0.02
#: Where so few soon ones are rarer than this, they may be chance, too.
_RARE = 0.05
#: More than so many tries are not made.
MOST_TRIES = 40
#: So often a sign is needed for what it should not do, or what nobody should understand.
_THRICE = 3
#: So many times what is told apart lies between the floor and what is soon without a doubt.
_CLEARLY = 3
#: At each end of a heap of times so large a part may be odd.
_ODD = 0.1
#: So many of each are needed before two heaps are compared, and so large a part may lie between them.
_HEAP, _BETWEEN = 6, 0.15


@dataclass(frozen=True, slots=True)
class Scattered:
    """When it acted after its request, in s, after good replies and after none."""

    sign: Sign
    good: tuple[float, ...] = ()
    missing: tuple[float, ...] = ()

    @property
    def floor(self) -> float:
        """Return the soonest that it acts without a reply.

        The more the soonest few differ, the sooner than all of them another one may be.
        """
        least = min(self.missing, default=0.0)
        return max(least - max(self._spread - margin(least), 0.0), 0.0)

    @property
    def _spread(self) -> float:
        """Return by how much the soonest few differ, in s."""
        first = sorted(self.missing)[:_FEW]
        return first[-1] - first[0] if first else 0.0

    @property
    def is_sharp(self) -> bool:
        """Whether it is known how soon it acts without a reply, or will not be."""
        many = len(self.missing)
        return many >= _ENOUGH and (many >= _MOST or self._spread <= _SHARP * margin(min(self.missing)))

    def soon(self, sent: float = 0.0) -> int:
        """Return after how many good replies it acted soon, had each come `sent` s after its request."""
        return sum(apart(each + sent, self.floor) for each in self.good)

    @property
    def tells(self) -> bool:
        """Whether it acts soon after replies so often that this is no chance."""
        enough = len(self.good) >= _ENOUGH and self.is_sharp
        return enough and self.soon() >= _LEAST * len(self.good) and _chance(self) < _CHANCE

    @property
    def hopeless(self) -> bool:
        """Whether more of both would not tell either."""
        many = len(self.good)
        return many >= _MOST or (many >= _ENOUGH and self.begun < _LEAST * many)

    @property
    def begun(self) -> int:
        """Return after how many good replies it acted sooner than after any missing one so far."""
        return sum(apart(each, min(self.missing)) for each in self.good) if self.missing else 0

    @property
    def wants_good(self) -> bool:
        """Whether more good replies are needed, too."""
        return len(self.good) < _ENOUGH or self.is_sharp

    def took(self, seen: ClientObservation) -> bool | None:
        """Tell whether the client took what a trial sent: True, or False for a late sign."""
        if seen.after < 0:
            return None
        if self._is_soon(seen):
            return True
        return None if is_stalled(seen, self.floor) else False

    def _is_soon(self, seen: ClientObservation) -> bool:
        counts = self.sign.of(seen)
        goes_on = counts.action in {Action.REPEATS, Action.GOES_ON}
        return goes_on and apart(counts.since_request, self.floor)

    def is_clear(self, seen: ClientObservation) -> bool:
        """Tell whether it is soon without a doubt, as an accusation needs: the floor itself may be lower."""
        time = self.sign.of(seen).since_request
        return time + _CLEARLY * margin(self.floor) < self.floor

    def decided(
        self, seen: list[bool | None], wanted: bool | None, sent: float, *, alone: bool
    ) -> bool | None:
        """Return what tries agree on.

        `wanted` is what a right client does, `sent` how long sending took, in s; `alone`: no other trial of
        its kind was missed.
        """
        soon, late = seen.count(True), seen.count(False)
        if soon >= (1 if wanted else _THRICE) and self._so_few(soon, late, sent) > _RARE:
            return True
        return False if self.leaves_out(soon, late, sent, borne_out=not alone, expected=not wanted) else None

    def leaves_out(self, soon: int, late: int, sent: float, *, borne_out: bool, expected: bool) -> bool:
        """Tell whether so few soon ones are no chance where it takes what was sent.

        An accusation needs the more, the less others bear it out.
        """
        power = 2 if expected else 1 if borne_out else 3
        return self._so_few(soon, late, sent) < _ALL_LATE**power

    def _so_few(self, soon: int, late: int, sent: float) -> float:
        """Return how probable it is that no more were soon of what it takes."""
        many, tries = len(self.good), soon + late
        share = self.soon(sent) / (many + 1)
        share -= sqrt(share * (1 - share) / (many + 1))  # it may be less than it seems
        return sum(comb(tries, at) * share**at * (1 - share) ** (tries - at) for at in range(soon + 1))


def scattered(seen: Iterable[ClientObservation], size: int | None, sign: Sign) -> Scattered:
    """Return what controls say, of which the replies had a size (None: the usual one)."""
    good: list[float] = []
    missing: list[float] = []
    for each in seen:
        counts = sign.of(each)
        if each.trial.kind is TrialKind.MISSING:
            missing.append(counts.since_request)
        elif each.trial.size == size and counts.after >= 0:
            good.append(counts.since_request)
    return Scattered(sign, tuple(good), tuple(missing))


def best(seen: Iterable[ClientObservation], size: int | None) -> Scattered:
    """Return the same by the sign that tells most."""
    known = tuple(seen)
    return min((scattered(known, size, sign) for sign in Sign), key=_chance)


def are_different(trial: Iterable[float], others: Iterable[float]) -> bool:
    """Tell whether times lie beyond all others at one end (of many: but one), more of them than by chance."""
    these, those = tuple(trial), sorted(others)
    if len(those) >= _ENOUGH:
        those = those[1:-1]
    if not these or not those:
        return False
    sooner = sum(apart(each, min(those)) for each in these)
    later = sum(apart(max(those), each) for each in these)
    return min(rank_chance(each, len(these), len(those)) for each in (sooner, later)) < SELDOM


def _chance(known: Scattered) -> float:
    return rank_chance(known.soon(), len(known.good), len(known.missing))


def run_together(took: list[float], waited: list[float], between: int) -> bool:
    """Tell whether times after what was taken run into those after what was not: then each may be chance.

    `between` counts those that could be counted to neither.
    """
    if min(len(took), len(waited)) < _HEAP:
        return False
    if between > _BETWEEN * (len(took) + len(waited)):
        return True
    low, high = _without_odd(took), _without_odd(waited)
    scatter = min(low[-1] - low[0], high[-1] - high[0])
    return not apart(low[-1] + scatter, high[0])


def _without_odd(times: list[float]) -> list[float]:
    odd = int(_ODD * len(times))
    return sorted(times)[odd : len(times) - odd]
