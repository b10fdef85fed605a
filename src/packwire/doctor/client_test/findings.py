"""What is known so far of a client, and the trials that it is found out by."""

from dataclasses import dataclass, field

from packwire.doctor.client_test.played import Played
from packwire.doctor.client_test.reactions import Action, ClientObservation, Controls, TrialResult, apart
from packwire.doctor.client_test.scattered import Scattered, run_together
from packwire.doctor.client_test.trials import Trial, TrialKind

#: The trial that tells who drops a long reply from who waits for more of it.
BEHIND_LONG = "behind-long"
#: The one that tells who takes a frame of another kind from who goes on at whatever is wrong.
SPOILT = "length-15-bits-spoilt"
#: So many good replies are given to a client that lost one, before it is said that it does not recover.
RECOVERIES = 12
#: Who gives a reply up sooner misses it through a hub, where replies take 0.1 to 0.5 s; in s.
SHORT_WAIT = 0.15


@dataclass
class ClientFindings:
    """What is known so far; the judge makes a verdict of it, at any time.

    `controls` are those by which trials were decided, `others` the same for another command, `reference` is
    the length of the reply that stands for a good one. `done` says that the script came to its end.
    `shown`: the user saw that it shows the value of a reply; `asked_all`: of all of them it was said.
    `behind`: after a PRINT it took each reply for the one to its next request. `unsteady`: it went on by
    itself, whatever came.
    """

    command: int
    played: Played
    controls: Controls = field(default_factory=Controls)
    reference: int | None = None
    all_controls: list[ClientObservation] = field(default_factory=list)
    results: list[TrialResult] = field(default_factory=list)
    other_command: int | None = None
    others: Controls = field(default_factory=Controls)
    dialect: str | None = None
    stuck_behind: Trial | None = None
    behind: bool = False
    unsteady: bool = False
    impatient: bool = False
    """It tells a reply from none by milliseconds: it gives one up almost at once."""
    waits: bool = False
    """Whether it holds nothing of earlier replies, as far as is known: its next sign is of the next trial."""
    scattered: Scattered | None = None
    """By what trials are decided where its pauses overlap: `controls` say nothing then."""
    apart_by_chance: bool = False
    """Whether the controls seemed to tell, and more of them did not."""
    times_taken: list[float] = field(default_factory=list)
    times_waited: list[float] = field(default_factory=list)
    between: int = 0
    """When it acted after what was taken and what was not, in s, and how many could be counted to neither."""
    done: bool = False
    shown: bool = False
    asked_all: bool = False

    @property
    def tells(self) -> bool:
        """Whether what it does tells if it took a reply."""
        return self.scattered is not None or (self.controls.tell and not self.apart_by_chance)

    @property
    def wait(self) -> float:
        """Return how long the client waits at least for a reply, in s; 0 before that is known."""
        return self.scattered.floor if self.scattered else self.controls.wait

    def took(self, seen: ClientObservation) -> bool | None:
        """Tell whether the client took what a trial sent; None: that is no sign."""
        return self.scattered.took(seen) if self.scattered else self.controls.took(seen)

    def is_disturbed(self, seen: ClientObservation) -> bool:
        """Tell whether the computer was too busy for this to say anything."""
        if self.scattered:
            return self.scattered.took(seen) is None and seen.after >= 0
        return self.controls.is_disturbed(seen)

    def note(self, seen: ClientObservation) -> None:
        """Learn when it acted: what was taken and what was not must stay apart, or each may be chance."""
        sign = self.controls.sign
        if self.scattered or sign is None or not self.controls.parts_by_time:
            return
        counts, took = sign.of(seen), self.controls.took(seen)
        if seen.after < 0 or self.is_disturbed(seen) or seen.trial.kind is TrialKind.FRESH:
            return
        if took:
            self.times_taken.append(counts.after)
        elif took is False and counts.action in {Action.REPEATS, Action.GOES_ON}:
            self.times_waited.append(counts.since_request)
        elif took is None and not apart(counts.since_request, self.controls.wait):
            self.between += 1
        if run_together(self.times_taken, self.times_waited, self.between):
            self.unsteady = True

    def begin_anew(self, scattered: Scattered, reference: int | None) -> None:
        """Forget what was told by controls that do not hold."""
        self.scattered, self.reference = scattered, reference
        self.results.clear()
        self.stuck_behind, self.unsteady, self.behind, self.waits = None, False, False, False

    def of_kind(self, *kinds: TrialKind) -> list[TrialResult]:
        """Return the results of some kinds of trials, without those that were not decided."""
        return [each for each in self.results if each.trial.kind in kinds and each.taken is not None]

    def taken(self, key: str) -> bool | None:
        """Return whether a trial was taken; None where that was not decided, or not tried."""
        return next((each.taken for each in self.results if each.trial.key == key), None)


def good(size: int | None, *, command: int | None = None) -> Trial:
    """Return the control whose reply has `size` bytes."""
    words = "a usual reply" if size is None else f"a good reply of {size} bytes"
    return Trial(f"good-{size}", TrialKind.GOOD, words, size, command=command)


def length(size: int) -> Trial:
    """Return the trial of a length."""
    return Trial(f"length-{size}", TrialKind.LENGTH, f"a reply of {size} bytes", size)
