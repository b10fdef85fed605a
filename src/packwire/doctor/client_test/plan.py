"""Which trial comes next: a script that adapts to what the client does. Trials out, observations in."""

from collections import Counter
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise

from packwire.doctor.client_test.controls import DISTURBED, Script, calm, look_for_difference, look_for_soon
from packwire.doctor.client_test.findings import BEHIND_LONG, RECOVERIES, SPOILT, ClientFindings, good, length
from packwire.doctor.client_test.no_difference import explain_no_difference
from packwire.doctor.client_test.reactions import ClientObservation, TrialResult, apart
from packwire.doctor.client_test.scattered import MOST_TRIES, Scattered
from packwire.doctor.client_test.trials import DIALECT_LENGTH, FLUSH, FRESH, LATE, MISSING, Trial, TrialKind

_FLUSH_AFTER = (2, 6)
#: What is not as it should be counts when it was seen three times, or four times against one.
_TRIES, _AGREE = 6, 3
#: Of so many good replies no more than so many are missed, or missing others says nothing.
_GOOD_AGAIN, _GOOD_MISSED = 10, 1
#: So many requests more get no reply at the end, to see whether it never goes on so soon without one.
_MORE_MISSING = 8
#: So many of a kind that are not taken bear each other out.
_NOT_ALONE = 2


def script(
    found: ClientFindings, tell: Callable[[str], None], other_command: Callable[[], int | None]
) -> Script:
    """Yield trials, take observations, and fill in `found`.

    `tell` is told what begins; `other_command` says what else the client asks.
    """
    tell(f"what it does after a reply to {found.played.name(found.command)}, and after none")
    yield from look_for_difference(found)
    if found.tells:
        yield from _noted(found, _examine(found, tell))
    yield from _where_it_varies(found, tell)
    if not found.tells:
        yield from explain_no_difference(found, tell, other_command())
    if found.tells and not found.results:  # a plain reply was taken after all
        yield from _noted(found, _examine(found, tell))
    found.done = True


def _where_it_varies(found: ClientFindings, tell: Callable[[str], None]) -> Script:
    """Judge by what is soon where what it does seems to be apart by chance, or not at all."""
    if found.tells and not found.unsteady:
        return
    yield from look_for_soon(found, tell)
    if found.scattered:
        yield from _examine(found, tell)
    elif found.unsteady and not found.stuck_behind:
        found.apart_by_chance, found.unsteady = True, False
        found.results.clear()


def _noted(found: ClientFindings, experiments: Script) -> Script:
    """Do what a script says, and note all that the client does."""
    trial = next(experiments)
    while True:
        seen = yield trial
        found.note(seen)
        try:
            trial = experiments.send(seen)
        except StopIteration:
            return


def _examine(found: ClientFindings, tell: Callable[[str], None]) -> Script:
    """Try everything, one after the other."""
    yield from _ready(found)
    if found.played.lengths:
        tell("replies of all lengths")
    for size in found.played.lengths:
        yield from _probe(found, length(size))
    yield from _good_again(found)
    yield from _borders(found)
    if any(not each.taken and 128 <= each.size <= 255 for each in found.of_kind(TrialKind.LENGTH)):
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


def _still_tells(found: ClientFindings) -> Script:
    """Repeat the controls: if they were apart by chance, or things changed, nothing was told by them."""
    if found.scattered:
        yield from _never_sooner(found, found.scattered)
        return
    yield from _good_again(found)
    right = 0
    for _ in range(0 if found.unsteady else DISTURBED):
        waited = found.took((yield from calm(MISSING))) is False
        took = found.took((yield from calm(good(found.reference)))) is True
        right = right + 1 if waited and took else 0
        if right == _AGREE - 1:
            return
    found.unsteady = True


def _never_sooner(found: ClientFindings, known: Scattered) -> Script:
    """See whether it never goes on so soon without a reply; what is no sooner than that says nothing."""
    yield from _ready(found)
    for _ in range(_MORE_MISSING):
        seen = known.sign.of((yield from calm(MISSING)))
        found.scattered = known = replace(known, missing=(*known.missing, seen.since_request))
    found.unsteady |= not known.soon()
    missed = Counter(each.trial.kind for each in found.results if each.taken is False)
    for each in list(found.results):
        if each.taken:
            stands = apart(each.soonest, known.floor)
        else:
            borne_out = missed[each.trial.kind] >= _NOT_ALONE
            expected = each.trial.kind in {TrialKind.BAD, TrialKind.DIALECT}
            soon = each.tries - each.late
            stands = known.leaves_out(soon, each.late, each.sent, borne_out=borne_out, expected=expected)
        if each.taken is not None and not stands:
            found.results.remove(each)
            yield from _probe(found, each.trial)


def _good_again(found: ClientFindings) -> Script:
    """Where something was not taken, repeat good replies: who is late by itself misses these too."""
    if found.scattered or found.unsteady:
        return
    if all(each.taken is not False or each.trial.kind is TrialKind.BAD for each in found.results):
        return
    yield from _ready(found)
    missed = 0
    for _ in range(_GOOD_AGAIN if found.waits else 0):
        missed += found.took((yield from calm(good(found.reference)))) is not True
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


@dataclass
class _Tries:
    """What came of the tries of one trial.

    `seen`: whether each was taken; when it acted, `after` the reply and `since` its request, in s; `sent`,
    how long sending took, in s; `swallowed`, how many good replies were lost behind one.
    """

    seen: list[bool | None] = field(default_factory=list)
    after: list[float] = field(default_factory=list)
    since: list[float] = field(default_factory=list)
    sent: float = 0.0
    swallowed: int = 0

    def note(self, known: Scattered, observed: ClientObservation) -> None:
        counts = known.sign.of(observed)
        self.since.append(counts.since_request)
        self.sent = max(self.sent, observed.since_request - observed.after)
        self.after.append(counts.after)


def _probe(found: ClientFindings, trial: Trial) -> Script:
    """Try one thing; where it is not as it should be, let the client recover and try it again."""
    if found.stuck_behind or found.unsteady:
        return
    wanted = None if trial.kind is TrialKind.DIALECT else trial.kind is not TrialKind.BAD
    known, tries = found.scattered, _Tries()
    decided = yield from _try(found, trial, wanted, tries)
    if known and wanted and decided:
        found.scattered = replace(known, good=(*known.good, *tries.after))
    elif known and decided is False:  # as after none: by more of them it is known better how soon that is
        found.scattered = replace(known, missing=(*known.missing, *tries.since))
    if known and not decided and False in tries.seen and trial.kind is not TrialKind.BAD:
        yield from _recover(found, trial)
    if not known and decided is None and {True, False} <= set(tries.seen):
        found.unsteady |= found.controls.parts_by_time
    if found.stuck_behind is trial:
        decided = False
    result = TrialResult(
        trial,
        trial.size or found.reference or 0,
        decided,
        tries.swallowed,
        len(tries.seen),
        steady=(not decided) not in tries.seen,
        soonest=min(tries.since, default=0.0),
        sent=tries.sent,
        late=tries.seen.count(False),
    )
    found.results.append(result)


def _try(
    found: ClientFindings, trial: Trial, wanted: bool | None, tries: _Tries
) -> Generator[Trial, ClientObservation, bool | None]:
    """Try it until the tries agree, if ever; return whether it was taken."""
    known = found.scattered
    alone = not any(each.trial.kind is trial.kind and each.taken is False for each in found.results)
    disturbed = 0
    while (decided := _decision(found, tries, wanted, alone=alone)) is None:
        if len(tries.seen) >= (MOST_TRIES if known else _TRIES):
            return None
        yield from _ready(found)
        if not found.waits:
            return None
        observed = yield trial
        taken = found.took(observed)
        found.waits = taken is not None and not trial.leaves_more
        if disturbed < DISTURBED and found.is_disturbed(observed):
            disturbed += 1
            continue
        if known and taken and not (wanted or known.is_clear(observed)):
            taken = None
        tries.seen.append(taken)
        if known:
            tries.note(known, observed)
        elif taken is False and trial.kind is not TrialKind.BAD:
            tries.swallowed = max(tries.swallowed, (yield from _recover(found, trial)))
            if found.stuck_behind:
                return _decision(found, tries, wanted, alone=alone)
    return decided


def _decision(found: ClientFindings, tries: _Tries, wanted: bool | None, *, alone: bool) -> bool | None:
    if found.scattered:
        return found.scattered.decided(tries.seen, wanted, tries.sent, alone=alone)
    return _decided(tries.seen, wanted)


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
        for _ in range(RECOVERIES + 4):
            seen = yield MISSING
            if found.is_disturbed(seen):
                waited = 0
                continue
            if found.took(seen) is not False:
                had += 1
                waited = 0
                continue
            waited += 1
            if waited > (had > 0):  # after something held back, once may be chance
                found.waits = True
                break
    found.unsteady |= not found.waits
    return had


def _recover(found: ClientFindings, trial: Trial) -> Generator[Trial, ClientObservation, int]:
    """Give good replies until one is taken again; return how many were not."""
    for count in range(RECOVERIES):
        if count in _FLUSH_AFTER:  # by itself, so that the client has time for it
            yield replace(MISSING, flush=FLUSH // len(_FLUSH_AFTER))
        seen = yield good(found.reference)
        for _ in range(DISTURBED):
            if found.is_disturbed(seen):
                seen = yield good(found.reference)
        if found.took(seen):
            found.waits = count == 0  # a heap of them may be found all at once
            return count
    yield FRESH
    found.waits = found.took((yield good(found.reference))) is True
    found.stuck_behind = None if found.waits else trial
    return RECOVERIES


def _borders(found: ClientFindings) -> Script:
    """Find exactly where lengths that are taken end."""
    for _ in range(2):
        known = sorted({each.size: bool(each.taken) for each in found.of_kind(TrialKind.LENGTH)}.items())
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
