"""What a client did after a reply, and whether that tells if it took it. Pure functions on observations."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from math import comb
from statistics import median

from packwire.doctor.client_test.trials import Trial, TrialKind


class Action(StrEnum):
    """What the client did next."""

    REPEATS = "asks the same again"
    GOES_ON = "asks something else"
    CLOSES = "closes"
    NOTHING = "does nothing more"


@dataclass(frozen=True, slots=True)
class ClientObservation:
    """A trial, and what came of it.

    `after` are the seconds from the end of what was sent (of nothing: from the request) to the first thing
    that the client did (`action`); below 0 where it acted before all was sent. `size` is the length of the
    reply's payload. `last` is what it did when it asked the same again or its connection ended, where that
    was not the first.
    """

    trial: Trial
    request: bytes
    size: int
    action: Action
    after: float
    since_request: float
    last: "ClientObservation | None" = None
    stalled: float = 0.0
    """The longest time, in s, for which this computer did not let us run meanwhile; perhaps not the client
    either."""


class Sign(Enum):
    """By what a client is judged: clients with timers of their own ask other things in between."""

    AGAIN = "when it asks the same again"
    FIRST = "what it does first"

    def of(self, seen: ClientObservation) -> ClientObservation:
        """Return the observation that counts."""
        return seen.last or seen if self is Sign.AGAIN else seen


#: Controls of each kind that are needed before anything is told from them; from TRIMMED on, the oddest one of
#: each kind is left out.
NEEDED, TRIMMED = 3, 5
#: Two times are told apart from this on, in seconds, and as a part of the longer one.
_MARGIN, _PART = 0.05, 0.1
#: The same where there are many, in seconds.
_LITTLE = 0.006
#: In so many of all pairs the one is the later: by chance that comes once in hundreds of times.
_NEARLY_ALL = 0.8
#: Among so many one may be odd.
_MANY = 10
#: What comes by chance so seldom is no chance.
SELDOM = 0.002
#: A pause of this computer, as a part of the client's patience, from which on what it did is no sign.
_STALL = 0.2
#: A time belongs to one kind of control when it is so many times as far from the other one.
_CLEAR = 2.0


@dataclass(frozen=True, slots=True)
class Controls:
    """What the client did when a good reply came, and when none did."""

    good: tuple[ClientObservation, ...] = ()
    missing: tuple[ClientObservation, ...] = ()

    @property
    def sign(self) -> Sign | None:
        """Return by what the two can be told apart, so that other trials mean something."""
        if len(self.good) < NEEDED or len(self.missing) < NEEDED:
            return None
        return next((sign for sign in Sign if self._by_time(sign) or self._by_action(sign)), None)

    @property
    def tell(self) -> bool:
        """Whether the two can be told apart."""
        return self.sign is not None

    @property
    def nearly_tell(self) -> bool:
        """Whether they would but for some odd ones: more of them may tell."""
        return any(
            apart(median(good), median(missing)) or apart(median(missing), median(good))
            for sign in Sign
            if (good := self._times(self.good, sign)) and (missing := self._times(self.missing, sign))
        )

    @property
    def wait(self) -> float:
        """Return how long the client waits at least for a reply, in s; 0 before that is known."""
        sign = self.sign or Sign.AGAIN
        return min(self._times(self.missing, sign), default=0.0)

    @property
    def usual_wait(self) -> float:
        """Return how long it waits as a rule, in s: one that ended by chance was no time-out."""
        sign = self.sign or Sign.AGAIN
        return median(sign.of(each).after for each in self.missing) if self.missing else 0.0

    @property
    def parts_by_time(self) -> bool:
        """Whether it acts sooner after a reply than after none, and by that alone they are told apart."""
        sign = self.sign
        if sign is None or not self._by_time(sign):
            return False
        return max(self._times(self.good, sign)) < min(self._times(self.missing, sign))

    @property
    def part_a_little(self) -> bool:
        """Whether they part by milliseconds, which tells of many only: a client that waits hardly at all."""
        return any(
            _part_a_little(self._times(self.good, sign), self._times(self.missing, sign)) for sign in Sign
        )

    def took(self, seen: ClientObservation) -> bool | None:
        """Tell whether the client took what a trial sent; None: it acted too soon or too oddly to tell."""
        sign = self.sign or Sign.FIRST
        counts = sign.of(seen)
        if counts.after < 0 or self.is_disturbed(seen):
            return None
        usual = {sign.of(each).action for each in self.good}
        if counts.action not in usual and counts.action in {Action.CLOSES, Action.NOTHING}:
            return False
        if not self._by_time(sign):
            return counts.action in usual
        good = self._times(self.good, sign)
        missing = [sign.of(each).since_request for each in self.missing]
        soon = apart(counts.since_request, min(sign.of(each).since_request for each in self.good))
        if soon and apart(counts.after, min(good)) and max(good) < min(missing):
            return None  # sooner than after a good reply: it may ask again at once because something is wrong
        # Who took it goes by when it came, who did not by when it asked; in between anything may be late.
        to_good, to_missing = _distance(counts.after, good), _distance(counts.since_request, missing)
        if max(good) < min(missing) < counts.since_request:
            to_missing = 0.0  # who did not take it may be later than it ever was
        near, far = sorted((to_good, to_missing))
        if near and far < _CLEAR * near:
            return None
        return to_good < to_missing

    def is_disturbed(self, seen: ClientObservation) -> bool:
        """Tell whether the computer was too busy for this to say anything."""
        return is_stalled(seen, self.wait)

    @property
    def parts_by_action(self) -> bool:
        """Whether it always does one thing after a reply, and always others without one."""
        return any(self._by_action(sign) for sign in Sign)

    def _by_action(self, sign: Sign) -> bool:
        """Tell whether it always does one thing after a reply, and always others without one."""
        good = {sign.of(each).action for each in self.good}
        return not good & {sign.of(each).action for each in self.missing}

    def _by_time(self, sign: Sign) -> bool:
        good, missing = self._times(self.good, sign), self._times(self.missing, sign)
        # On a busy computer times scatter: by chance they part a little, not by more than they scatter.
        scatter = min(max(good) - min(good), max(missing) - min(missing))
        return apart(max(good) + scatter, min(missing)) or apart(max(missing) + scatter, min(good))

    @staticmethod
    def _times(seen: Sequence[ClientObservation], sign: Sign) -> list[float]:
        """Return when it acted; where there are enough, without the one that is farthest from the median."""
        times = [sign.of(each).after for each in seen]
        if len(times) >= TRIMMED:
            middle = median(times)
            times.remove(max(times, key=lambda time: abs(time - middle)))
        return times


def apart(below: float, above: float) -> bool:
    """Tell whether a time is shorter than another one by more than both may vary."""
    return above - below > margin(above)


def margin(time: float) -> float:
    """Return by how much another time must be shorter to be told from this one, in s."""
    return max(_MARGIN, _PART * time)


def _part_a_little(good: list[float], missing: list[float]) -> bool:
    if min(len(good), len(missing)) < TRIMMED:
        return False
    later = sum(each > other for each in missing for other in good)
    if later >= _NEARLY_ALL * len(good) * len(missing):
        # On a busy computer who goes by the clock is a few milliseconds later, too, but not so evenly.
        return median(missing) - median(good) > max(_LITTLE, _scatter(good), _scatter(missing))
    sooner = sum(apart(each, min(good)) for each in missing)  # it asks at once what got no reply
    return rank_chance(sooner, len(missing), len(good)) < SELDOM


def _scatter(times: list[float]) -> float:
    """Return within how many seconds the middle half of them lies."""
    quarter = len(times) // 4
    return sorted(times)[-quarter - 1] - sorted(times)[quarter]


def rank_chance(beyond: int, these: int, those: int) -> float:
    """Return how probable it is that so many of these are beyond all those if they differ in nothing."""
    return comb(these, beyond) / comb(these + those, beyond) if beyond else 1.0


def is_stalled(seen: ClientObservation, patience: float) -> bool:
    """Tell whether this computer stood still for too long beside a client's patience, in s."""
    return seen.stalled > max(_MARGIN, _STALL * patience)


def _distance(time: float, times: Sequence[float]) -> float:
    return max(min(times) - time, time - max(times), 0.0)


def reacted(seen: ClientObservation, usual: Sequence[ClientObservation]) -> bool:
    """Tell whether a client perhaps did something other than usual: sooner, or another thing."""
    if seen.after < 0 or not usual:
        return False
    if seen.action not in {each.action for each in usual}:
        return True
    odd = len(usual) >= _MANY  # one may have been soon for what it still held
    return any(
        apart(sign.of(seen).after, sorted(sign.of(each).after for each in usual)[odd]) for sign in Sign
    )


@dataclass(frozen=True, slots=True)
class TrialResult:
    """A trial that was decided (or not: `taken` is None), repeated where it was not taken.

    `swallowed` counts the good replies that were lost behind it before one was taken again. `steady`: no try
    said otherwise.
    """

    trial: Trial
    size: int
    taken: bool | None
    swallowed: int = 0
    tries: int = 1
    steady: bool = True
    soonest: float = 0.0
    sent: float = 0.0
    late: int = 0
    """When it acted soonest, in s from its request, how long sending took, and how many tries were late; told
    where its pauses are scattered."""

    @property
    def expected(self) -> bool:
        """Whether the client did as it should."""
        return self.taken is (self.trial.kind is not TrialKind.BAD)
