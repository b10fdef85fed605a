"""What a client did after a reply, and whether that tells if it took it. Pure functions on observations."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from packwire.doctor.my_client.trials import Kind, Trial


class Action(StrEnum):
    """What the client did next."""

    REPEATS = "asks the same again"
    GOES_ON = "asks something else"
    CLOSES = "closes"
    NOTHING = "does nothing more"


@dataclass(frozen=True, slots=True)
class Observation:
    """A trial, and what came of it.

    `after` are the seconds from the end of what was sent (of nothing: from the request) to the action; below
    0 where the client acted before all was sent. `size` is the length of the reply's payload.
    """

    trial: Trial
    request: bytes
    size: int
    action: Action
    after: float
    since_request: float


#: Controls of each kind that are needed before anything is told from them.
NEEDED = 3
#: Two times are told apart from this on, in seconds, and as a part of the longer one.
_MARGIN, _PART = 0.05, 0.1


@dataclass(frozen=True, slots=True)
class Controls:
    """What the client did when a good reply came, and when none did."""

    good: tuple[Observation, ...] = ()
    missing: tuple[Observation, ...] = ()

    @property
    def tell(self) -> bool:
        """Whether the two can be told apart, so that other trials mean something."""
        return len(self.good) >= NEEDED and len(self.missing) >= NEEDED and (self._by_action or self._by_time)

    @property
    def _by_action(self) -> bool:
        """Whether it always does one thing after a reply, and always others without one."""
        return not {each.action for each in self.good} & {each.action for each in self.missing}

    @property
    def _by_time(self) -> bool:
        good, missing = _times(self.good), _times(self.missing)
        return _apart(max(good), min(missing)) or _apart(max(missing), min(good))

    def took(self, seen: Observation) -> bool | None:
        """Tell whether the client took what a trial sent; None: it acted too soon or too oddly to tell."""
        if seen.after < 0:
            return None
        usual = {each.action for each in self.good}
        if seen.action not in usual and seen.action in {Action.CLOSES, Action.NOTHING}:
            return False
        if not self._by_time:  # times say more: what is asked next may go by other things, too
            return seen.action in usual
        good, missing = _times(self.good), [each.since_request for each in self.missing]
        soon = _apart(seen.since_request, min(each.since_request for each in self.good))
        if soon and _apart(seen.after, min(good)) and max(good) < min(missing):
            return None  # sooner than after a good reply: it may ask again at once because something is wrong
        # Who took it goes by when it came, who did not by when it asked.
        return _distance(seen.after, good) < _distance(seen.since_request, missing)


def _times(seen: Sequence[Observation]) -> list[float]:
    return [each.after for each in seen]


def _apart(below: float, above: float) -> bool:
    return above - below > max(_MARGIN, _PART * above)


def _distance(time: float, times: Sequence[float]) -> float:
    return max(min(times) - time, time - max(times), 0.0)


def reacted(seen: Observation, usual: Sequence[Observation]) -> bool:
    """Tell whether a client did something other than it always does: it went on sooner, or differently."""
    if seen.after < 0 or not usual:
        return False
    if seen.action not in {each.action for each in usual}:
        return True
    return _apart(seen.after, min(_times(usual)))


@dataclass(frozen=True, slots=True)
class Result:
    """A trial that was decided (or not: `taken` is None), repeated where it was not taken.

    `swallowed` counts the good replies that were lost behind it before one was taken again.
    """

    trial: Trial
    size: int
    taken: bool | None
    swallowed: int = 0
    tries: int = 1

    @property
    def expected(self) -> bool:
        """Whether the client did as it should."""
        return self.taken is (self.trial.kind is not Kind.BAD)
