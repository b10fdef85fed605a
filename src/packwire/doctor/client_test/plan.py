"""Which trial comes next: a script that adapts to what the client does. Trials out, observations in."""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise

from packwire.doctor.client_test.played import Played
from packwire.doctor.client_test.reactions import (
    NEEDED,
    TRIMMED,
    ClientObservation,
    Controls,
    TrialResult,
    reacted,
)
from packwire.doctor.client_test.trials import (
    CONTROL_SIZES,
    DIALECT_LENGTH,
    FLUSH,
    FRESH,
    LATE,
    MISSING,
    NO_FRAMER,
    SHIFT,
    Trial,
    TrialKind,
)

#: So many good replies are given to a client that lost one, before it is said that it does not recover.
_RECOVERIES = 12
_FLUSH_AFTER = (2, 6)
#: The trial that tells who drops a long reply from who waits for more of it.
BEHIND_LONG = "behind-long"
#: The one that tells who takes a frame of another kind from who goes on at whatever is wrong.
SPOILT = "length-15-bits-spoilt"
#: What is not as it should be counts when it was seen three times, or four times against one.
#: A reply is moved on so often for who takes pieces of a fixed size.
_SHIFTS = 4
#: What was disturbed by a busy computer is tried again so often.
_DISTURBED = 6
#: Shorter pauses of the computer do no harm, in s.
CALM = 0.1
#: Who gives a reply up sooner misses it through a hub, where replies take 0.1 to 0.5 s; in s.
SHORT_WAIT = 0.15
_TRIES, _AGREE = 6, 3
#: In such an order (True: a reply) both kinds come at all places of a rhythm that the client has by itself.
_ORDER = tuple(number.bit_count() % 2 == 0 for number in range(32))
#: So many requests are let pass before each of TRIMMED trials: in a rhythm of two, three or four requests
#: some of these then stand at the place of the one before.
_RESTS = (3, 2, 3, 2, 0)
#: Of so many good replies no more than so many are missed, or missing others says nothing.
_GOOD_AGAIN, _GOOD_MISSED = 10, 1

type Script = Generator[Trial, ClientObservation, None]


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
    done: bool = False
    shown: bool = False
    asked_all: bool = False

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


def script(
    found: ClientFindings, tell: Callable[[str], None], other_command: Callable[[], int | None]
) -> Script:
    """Yield trials, take observations, and fill in `found`.

    `tell` is told what begins; `other_command` says what else the client asks.
    """
    tell(f"what it does after a reply to {found.played.name(found.command)}, and after none")
    yield from _controls(found)
    if not found.controls.tell:
        yield from _no_difference(found, tell, other_command())
    if found.controls.tell:
        yield from _ready(found)
        yield from _examine(found, tell)
    found.done = True


def _controls(found: ClientFindings) -> Script:
    """Look for a reply after which the client does something else than after none."""
    missing: list[ClientObservation] = []
    for size in found.played.control_sizes(found.command):
        given: list[ClientObservation] = []
        for wanted in (NEEDED, TRIMMED):
            for replies in _ORDER[2 * len(given) : 2 * wanted]:
                if replies:
                    given.append((yield from _calm(good(size))))
                elif len(missing) < wanted:
                    missing.append((yield from _calm(MISSING)))
            found.controls = Controls(tuple(given), tuple(missing))
            if found.controls.tell or not found.controls.nearly_tell:
                break
        found.all_controls = [*found.all_controls, *given, *missing]
        if found.controls.tell:
            found.reference = given[0].size
            return


def _examine(found: ClientFindings, tell: Callable[[str], None]) -> Script:
    """Try everything, one after the other."""
    if found.played.lengths:
        tell("replies of all lengths")
    for size in found.played.lengths:
        yield from _probe(found, length(size))
    yield from _good_again(found)
    yield from _borders(found)
    if any(not each.taken and 128 <= each.size <= 255 for each in _lengths(found)):
        yield from _fifteen_bits(found)
    tell("replies cut and joined in all ways")
    yield from _all(found, (LATE,))
    if found.taken(LATE.key) is not False:  # pieces take their time too
        yield from _all(found, found.played.deliveries)
    tell("what must not be taken for the reply")
    yield from _all(found, found.played.bad)
    tell("other messages, junk and damaged frames in between")
    yield from _company(found)
    ages = found.played.ages(found.command)
    if ages:
        tell("replies of older firmware")
    for size in ages:
        yield from _probe(found, Trial(f"age-{size}", TrialKind.AGE, f"an old reply of {size} bytes", size))
    tell("whether it still does what it did at first")
    yield from _still_tells(found)


def _calm(trial: Trial) -> Generator[Trial, ClientObservation, ClientObservation]:
    """Return what the client does when the computer is not busy with something else, if ever."""
    for _ in range(_DISTURBED):
        seen = yield trial
        if seen.stalled < CALM:
            break
    return seen


def _still_tells(found: ClientFindings) -> Script:
    """Repeat the controls: if they were apart by chance, or things changed, nothing was told by them."""
    yield from _good_again(found)
    right = 0
    for _ in range(0 if found.unsteady else _DISTURBED):
        waited = found.controls.took((yield from _calm(MISSING))) is False
        took = found.controls.took((yield from _calm(good(found.reference)))) is True
        right = right + 1 if waited and took else 0
        if right == _AGREE - 1:
            return
    found.unsteady = True


def _good_again(found: ClientFindings) -> Script:
    """Where something was not taken, repeat good replies: who is late by itself misses these too."""
    if all(each.taken is not False or each.trial.kind is TrialKind.BAD for each in found.results):
        return
    yield from _ready(found)
    missed = 0
    for _ in range(_GOOD_AGAIN if found.waits else 0):
        missed += found.controls.took((yield from _calm(good(found.reference)))) is not True
        if missed > _GOOD_MISSED:
            found.unsteady = True
            return
    found.waits = False


def _fifteen_bits(found: ClientFindings) -> Script:
    """Speak as who reads a length as 15 bits expects it; with a wrong checksum too."""
    words = "a reply whose length is written as 15 bits"
    trial = Trial("length-15-bits", TrialKind.DIALECT, words, DIALECT_LENGTH, dialect="length-15-bits")
    yield from _probe(found, trial)
    if found.taken(trial.key):
        spoilt = replace(trial, key=SPOILT, words=f"{words}, with a wrong CRC", checksum=False)
        yield from _probe(found, spoilt)
    elif found.taken(trial.key) is False:
        words = f"a reply of {found.reference} bytes right behind one of {DIALECT_LENGTH}"
        yield from _probe(
            found, Trial(BEHIND_LONG, TrialKind.DIALECT, words, found.reference, behind=DIALECT_LENGTH)
        )


def _company(found: ClientFindings) -> Script:
    """Send something with the reply; to who goes on at a PRINT, only what tells what becomes of the reply."""
    by_key = {trial.key: trial for trial in found.played.company}
    if found.taken("print-only"):
        yield from _ready(found)
        if found.waits:
            yield replace(by_key["print-first"], size=found.reference)
            found.waits = False
            found.behind = (yield from _ready(found)) > 0
        return
    # Who gives up at a damaged frame, or takes it, does not wait for the reply behind it.
    without = {"damaged-first"} if found.taken("corrupt") is not False else set()
    yield from _all(found, (trial for key, trial in by_key.items() if key not in without))


def _all(found: ClientFindings, trials: Iterable[Trial]) -> Script:
    for trial in trials:
        sized = Trial(trial.key, trial.kind, trial.words, found.reference, trial.sent)
        yield from _probe(found, sized)


def _lengths(found: ClientFindings) -> list[TrialResult]:
    return [each for each in found.results if each.trial.kind is TrialKind.LENGTH and each.taken is not None]


def _probe(found: ClientFindings, trial: Trial) -> Script:
    """Try one thing; where it is not as it should be, let the client recover and try it again."""
    if found.stuck_behind or found.unsteady:
        return
    wanted = None if trial.kind is TrialKind.DIALECT else trial.kind is not TrialKind.BAD
    seen: list[bool | None] = []
    swallowed = disturbed = 0
    decided = None
    while len(seen) < _TRIES and (decided := _decided(seen, wanted)) is None:
        yield from _ready(found)
        if not found.waits:
            break
        observed = yield trial
        taken = found.controls.took(observed)
        found.waits = taken is not None and not trial.leaves_more
        if disturbed < _DISTURBED and found.controls.is_disturbed(observed):
            disturbed += 1
            continue
        seen.append(taken)
        if taken is False and trial.kind is not TrialKind.BAD:
            swallowed = max(swallowed, (yield from _recover(found, trial)))
            if found.stuck_behind:
                break
    decided = False if found.stuck_behind is trial else _decided(seen, wanted)
    size = trial.size or found.reference or 0
    steady = (not decided) not in seen
    found.results.append(TrialResult(trial, size, decided, swallowed, len(seen), steady))


def _decided(seen: list[bool | None], wanted: bool | None) -> bool | None:
    """Return what tries agree on: what should be at once, all else after several."""
    if wanted is not None and seen[:1] == [wanted]:
        return wanted
    for taken in (True, False):
        count, against = seen.count(taken), seen.count(not taken)
        if count >= _AGREE + (against > 0) and count > against:
            return taken
    return None


def _ready(found: ClientFindings) -> Generator[Trial, ClientObservation, int]:
    """Bring the client to where it waits for a reply; return how many it had already.

    Who asks on at once though nothing came had it from before. A new connection ends that.
    """
    had = 0
    for fresh in (False, True):
        if found.waits:
            return had
        if fresh:
            yield FRESH
        waited = 0
        for _ in range(_RECOVERIES + 4):
            seen = yield MISSING
            if found.controls.is_disturbed(seen):
                waited = 0
                continue
            if found.controls.took(seen) is not False:
                had += 1
                waited = 0
                continue
            waited += 1
            if waited > (had > 0):  # after something held back, once may be chance
                found.waits = True
                break
    found.unsteady = not found.waits
    return had


def _recover(found: ClientFindings, trial: Trial) -> Generator[Trial, ClientObservation, int]:
    """Give good replies until one is taken again; return how many were not."""
    for count in range(_RECOVERIES):
        if count in _FLUSH_AFTER:  # by itself, so that the client has time for it
            yield replace(MISSING, flush=FLUSH // len(_FLUSH_AFTER))
        seen = yield good(found.reference)
        for _ in range(_DISTURBED):
            if found.controls.is_disturbed(seen):
                seen = yield good(found.reference)
        if found.controls.took(seen):
            found.waits = count == 0  # a heap of them may be found all at once
            return count
    yield FRESH
    found.waits = found.controls.took((yield good(found.reference))) is True
    found.stuck_behind = None if found.waits else trial
    return _RECOVERIES


def _borders(found: ClientFindings) -> Script:
    """Find exactly where lengths that are taken end."""
    for _ in range(2):
        known = sorted({each.size: bool(each.taken) for each in _lengths(found)}.items())
        if found.reference is not None:
            known = sorted({found.reference: True, **dict(known)}.items())
        for (low, low_taken), (high, high_taken) in pairwise(known):
            if low_taken != high_taken and high - low > 1:
                yield from _bisect(found, low, high, taken_below=low_taken)


def _bisect(found: ClientFindings, low: int, high: int, *, taken_below: bool) -> Script:
    while high - low > 1:
        middle = (low + high) // 2
        yield from _probe(found, length(middle))
        taken = found.results[-1].taken
        if taken is None:
            return
        low, high = (middle, high) if taken is taken_below else (low, middle)


def _no_difference(found: ClientFindings, tell: Callable[[str], None], other: int | None) -> Script:
    """Find out why it does the same with a reply and without: another command's, another dialect."""
    if other is not None:
        tell(f"the same with {found.played.name(other)}")
        given: list[ClientObservation] = []
        missing: list[ClientObservation] = []
        nothing = Trial("nothing", TrialKind.MISSING, "no reply", sent="nothing", command=other)
        for replies in _ORDER[: 2 * NEEDED]:
            seen = yield good(None, command=other) if replies else nothing
            (given if replies else missing).append(seen)
        found.other_command = other
        found.others = Controls(tuple(given), tuple(missing))
    if found.controls.wait < SHORT_WAIT:
        yield from _hardly_waits(found, tell)
    if found.impatient or not found.played.dialects:
        return
    tell("frames as a wrong client may expect them")
    yield from _dialects(found)
    if found.dialect is None:
        yield from _no_framer(found)


def _hardly_waits(found: ClientFindings, tell: Callable[[str], None]) -> Script:
    tell("whether it waits at all")
    given: list[ClientObservation] = []
    missing: list[ClientObservation] = []
    for replies in _ORDER:
        seen = yield from _calm(good(found.controls.good[0].size) if replies else MISSING)
        (given if replies else missing).append(seen)
    found.impatient = Controls(tuple(given), tuple(missing)).part_a_little


def _dialects(found: ClientFindings) -> Script:
    for key in found.played.dialects:
        size = DIALECT_LENGTH if key == "length-15-bits" else CONTROL_SIZES[0]
        trial = Trial(key, TrialKind.DIALECT, f"a frame of another kind: {key}", size, dialect=key)
        spoilt = replace(trial, words=f"{trial.words}, with a wrong CRC", checksum=False)
        if reacted((yield trial), found.controls.missing) and (yield from _differ(found, trial, spoilt)).tell:
            found.dialect = key
            return


def _no_framer(found: ClientFindings) -> Script:
    """Look for what makes up for a wrong idea of where a reply ends."""
    for key, words in NO_FRAMER.items():
        trial = Trial(
            key, TrialKind.DIALECT, f"a reply for who does this: {words}", CONTROL_SIZES[0], sent=key
        )
        for _ in range(_SHIFTS):
            if not reacted((yield trial), found.controls.missing):
                yield SHIFT
                continue
            controls = yield from _differ(found, trial, MISSING)
            if controls.tell:
                plain = Controls((yield from _goods(trial.size)), controls.missing)
                if plain.tell:  # it takes a plain reply just as well: the first controls were odd by chance
                    found.controls, found.reference = plain, trial.size
                else:
                    found.dialect = key
                return
            break


def _goods(size: int | None) -> Generator[Trial, ClientObservation, tuple[ClientObservation, ...]]:
    given: list[ClientObservation] = []
    while len(given) < TRIMMED:
        given.append((yield good(size)))
    return tuple(given)


def _differ(
    found: ClientFindings, trial: Trial, other: Trial
) -> Generator[Trial, ClientObservation, Controls]:
    """Return what the client did after a trial, and after another one: they tell where it always differs."""
    given: list[ClientObservation] = []
    others: list[ClientObservation] = []
    for rests in _RESTS:
        for _ in range(_RECOVERIES):  # what it holds of before is used up first
            seen = yield MISSING
            if not reacted(seen, found.controls.missing):
                break
        others.append(seen if other is MISSING else (yield from _calm(other)))
        for _ in range(rests):
            yield MISSING
        given.append((yield from _calm(trial)))
    return Controls(tuple(given), tuple(others))
