"""Which trial comes next: a script that adapts to what the client does. Trials out, observations in."""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from packwire.doctor.my_client.reactions import NEEDED, Controls, Observation, Result, reacted
from packwire.doctor.my_client.trials import (
    AGES,
    BAD,
    COMPANY,
    CONTROL_SIZES,
    DELIVERIES,
    DIALECT_LENGTH,
    DIALECTS,
    LENGTHS,
    MISSING,
    Kind,
    Trial,
)
from packwire.vesc.commands import Command, command_name

#: So many good replies are given to a client that lost one, before it is said that it does not recover.
_RECOVERIES = 12
_FLUSH_AFTER = 2
#: The trial that tells who drops a long reply from who waits for more of it.
BEHIND_LONG = "behind-long"
#: What is not as it should be counts when it was seen twice, in three tries.
_TRIES, _AGREE = 3, 2

#: The commands that a client is examined by, the most telling first.
SUSPECTS = (
    Command.BMS_GET_VALUES,
    Command.GET_VALUES,
    Command.GET_VALUES_SETUP,
    Command.GET_VALUES_SELECTIVE,
    Command.GET_VALUES_SETUP_SELECTIVE,
    Command.GET_STATS,
    Command.FW_VERSION,
)

type Script = Generator[Trial, Observation, None]


@dataclass
class Findings:
    """What is known so far; the judge makes a verdict of it, at any time.

    `controls` are those by which trials were decided, `others` the same for another command, `reference` is
    the length of the reply that stands for a good one. `done` says that the script came to its end.
    `shown`: the user saw that it shows the value of a reply; `asked_all`: of all of them it was said.
    """

    command: int
    controls: Controls = field(default_factory=Controls)
    reference: int | None = None
    all_controls: list[Observation] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    other_command: int | None = None
    others: Controls = field(default_factory=Controls)
    dialect: str | None = None
    stuck_behind: Trial | None = None
    done: bool = False
    shown: bool = False
    asked_all: bool = False


def good(size: int | None, *, command: int | None = None, flush: bool = False) -> Trial:
    """Return the control whose reply has `size` bytes."""
    words = "a usual reply" if size is None else f"a good reply of {size} bytes"
    return Trial(f"good-{size}", Kind.GOOD, words, size, command=command, flush=flush)


def length(size: int) -> Trial:
    """Return the trial of a length."""
    return Trial(f"length-{size}", Kind.LENGTH, f"a reply of {size} bytes", size)


def script(found: Findings, tell: Callable[[str], None], other_command: Callable[[], int | None]) -> Script:
    """Yield trials, take observations, and fill in `found`.

    `tell` is told what begins; `other_command` says what else the client asks.
    """
    tell(f"what it does after a reply to {command_name(found.command)}, and after none")
    yield from _controls(found)
    if found.controls.tell:
        yield from _examine(found, tell)
    else:
        yield from _no_difference(found, tell, other_command())
    found.done = True


def _controls(found: Findings) -> Script:
    """Look for a reply after which the client does something else than after none."""
    missing: list[Observation] = []
    for size in CONTROL_SIZES if found.command == Command.BMS_GET_VALUES else (None, 44, 130, 300):
        given: list[Observation] = []
        for _ in range(NEEDED):
            given.append((yield good(size)))
            if len(missing) < NEEDED:
                missing.append((yield MISSING))
        found.all_controls = [*found.all_controls, *given, *missing]
        found.controls = Controls(tuple(given), tuple(missing))
        if found.controls.tell:
            found.reference = given[0].size
            return


def _examine(found: Findings, tell: Callable[[str], None]) -> Script:
    """Try everything, one after the other."""
    tell("replies of all lengths")
    for size in LENGTHS:
        yield from _probe(found, length(size))
    yield from _borders(found)
    if any(not each.taken and 128 <= each.size <= 255 for each in _lengths(found)):
        words = "a reply whose length is written as 15 bits"
        yield from _probe(
            found, Trial("length-15-bits", Kind.DIALECT, words, DIALECT_LENGTH, dialect="length-15-bits")
        )
        if found.results[-1].taken is False:
            words = f"a reply of {found.reference} bytes right behind one of {DIALECT_LENGTH}"
            yield from _probe(
                found, Trial(BEHIND_LONG, Kind.DIALECT, words, found.reference, behind=DIALECT_LENGTH)
            )
    tell("replies cut and joined in all ways")
    yield from _all(found, DELIVERIES)
    tell("PRINT packets, junk and damaged frames in between")
    yield from _all(found, COMPANY)
    yield from _all(found, BAD)
    if found.command == Command.BMS_GET_VALUES:
        tell("replies of older firmware")
        for size in AGES:
            yield from _probe(found, Trial(f"age-{size}", Kind.AGE, f"an old reply of {size} bytes", size))


def _all(found: Findings, trials: Iterable[Trial]) -> Script:
    for trial in trials:
        sized = Trial(trial.key, trial.kind, trial.words, found.reference, trial.sent)
        yield from _probe(found, sized)


def _lengths(found: Findings) -> list[Result]:
    return [each for each in found.results if each.trial.kind is Kind.LENGTH and each.taken is not None]


def _probe(found: Findings, trial: Trial) -> Script:
    """Try one thing; where it is not as it should be, let the client recover and try it again."""
    wanted = trial.kind not in {Kind.BAD, Kind.DIALECT}
    seen: list[bool | None] = []
    swallowed = 0
    while len(seen) < _TRIES:
        taken = found.controls.took((yield trial))
        seen.append(taken)
        if taken is False and trial.kind is not Kind.BAD:
            swallowed = max(swallowed, (yield from _recover(found, trial)))
        if found.stuck_behind or (taken is wanted and len(seen) == 1) or seen.count(taken) == _AGREE:
            break
    decided = max((True, False, None), key=seen.count)
    size = trial.size or found.reference or 0
    found.results.append(Result(trial, size, decided, swallowed, len(seen)))


def _recover(found: Findings, trial: Trial) -> Generator[Trial, Observation, int]:
    """Give good replies until one is taken again; return how many were not."""
    for count in range(_RECOVERIES):
        seen = yield good(found.reference, flush=count == _FLUSH_AFTER)
        if found.controls.took(seen):
            found.stuck_behind = None
            return count
    found.stuck_behind = trial
    return _RECOVERIES


def _borders(found: Findings) -> Script:
    """Find exactly where lengths that are taken end."""
    for _ in range(2):
        known = sorted({each.size: bool(each.taken) for each in _lengths(found)}.items())
        if found.reference is not None:
            known = sorted({found.reference: True, **dict(known)}.items())
        for (low, low_taken), (high, high_taken) in pairwise(known):
            if low_taken != high_taken and high - low > 1:
                yield from _bisect(found, low, high, taken_below=low_taken)


def _bisect(found: Findings, low: int, high: int, *, taken_below: bool) -> Script:
    while high - low > 1:
        middle = (low + high) // 2
        yield from _probe(found, length(middle))
        taken = found.results[-1].taken
        if taken is None:
            return
        low, high = (middle, high) if taken is taken_below else (low, middle)


def _no_difference(found: Findings, tell: Callable[[str], None], other: int | None) -> Script:
    """Find out why it does the same with a reply and without: another command's, another dialect."""
    if other is not None:
        tell(f"the same with {command_name(other)}")
        given: list[Observation] = []
        missing: list[Observation] = []
        for _ in range(NEEDED):
            given.append((yield good(None, command=other)))
            missing.append((yield Trial("nothing", Kind.MISSING, "no reply", sent="nothing", command=other)))
        found.other_command = other
        found.others = Controls(tuple(given), tuple(missing))
    tell("frames as a wrong client may expect them")
    usual = [*found.all_controls]
    for key in DIALECTS:
        if key == "right":
            continue
        size = DIALECT_LENGTH if key == "length-15-bits" else CONTROL_SIZES[0]
        trial = Trial(key, Kind.DIALECT, f"a frame of another kind: {key}", size, dialect=key)
        if reacted((yield trial), usual) and reacted((yield trial), usual):
            found.dialect = key
            return
