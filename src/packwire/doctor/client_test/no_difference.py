"""Why a client does the same with a reply and without: it hardly waits, or expects other frames."""

import contextlib
from collections.abc import Callable, Generator
from dataclasses import replace
from statistics import median

from packwire.doctor.client_test.controls import ORDER, NotAskedError, Script, calm
from packwire.doctor.client_test.findings import RECOVERIES, SHORT_WAIT, ClientFindings, good
from packwire.doctor.client_test.reactions import NEEDED, TRIMMED, ClientObservation, Controls, Sign, reacted
from packwire.doctor.client_test.scattered import are_different
from packwire.doctor.client_test.trials import (
    CONTROL_SIZES,
    DIALECT_LENGTH,
    MISSING,
    NO_FRAMER,
    SHIFT,
    Trial,
    TrialKind,
)

#: A reply is moved on so often for who takes pieces of a fixed size.
_SHIFTS = 4
#: So many requests are let pass before each of TRIMMED trials: in a rhythm of two, three or four requests
#: some of these then stand at the place of the one before.
_RESTS = (3, 2, 3, 2, 0)
#: Where its pauses vary, other frames are tried so often; they vary where half of them differ by so much.
_ROUNDS, _VARIES = 5, 0.15
#: So many plain replies that are taken too are too many for who needs something else; one may lie right by
#: chance.
_TOO_MANY = 2
#: Two trials are compared so often at most.
_MOST_PAIRS = 16


def explain_no_difference(found: ClientFindings, tell: Callable[[str], None], other: int | None) -> Script:
    """Find out why it does the same with a reply and without: another command's, another dialect."""
    if other is not None:
        tell(f"the same with {found.played.name(other)}")
        with contextlib.suppress(NotAskedError):
            yield from _other_controls(found, other)
    if median(each.after for each in found.controls.missing) < SHORT_WAIT:
        yield from _hardly_waits(found, tell)
    if found.impatient or not found.played.dialects:
        return
    tell("frames as a wrong client may expect them")
    yield from _dialects(found)
    if found.dialect is None:
        yield from _no_framer(found)


def _other_controls(found: ClientFindings, other: int) -> Script:
    given: list[ClientObservation] = []
    missing: list[ClientObservation] = []
    nothing = Trial("nothing", TrialKind.MISSING, "no reply", sent="nothing", command=other)
    for replies in ORDER[: 2 * NEEDED]:
        seen = yield good(None, command=other) if replies else nothing
        (given if replies else missing).append(seen)
    found.other_command = other
    found.others = Controls(tuple(given), tuple(missing))


def _hardly_waits(found: ClientFindings, tell: Callable[[str], None]) -> Script:
    tell("whether it waits at all")
    given: list[ClientObservation] = []
    missing: list[ClientObservation] = []
    for replies in ORDER:
        seen = yield from calm(good(found.controls.good[0].size) if replies else MISSING)
        (given if replies else missing).append(seen)
    found.impatient = Controls(tuple(given), tuple(missing)).part_a_little


def _dialects(found: ClientFindings) -> Script:
    for _ in range(_ROUNDS if _varies(found.all_controls) else 1):
        for key in found.played.dialects:
            size = DIALECT_LENGTH if key == "length-15-bits" else CONTROL_SIZES[0]
            trial = Trial(key, TrialKind.DIALECT, f"a frame of another kind: {key}", size, dialect=key)
            spoilt = replace(trial, words=f"{trial.words}, with a wrong CRC", checksum=False)
            if reacted((yield trial), found.all_controls) and (yield from _differ(found, trial, spoilt)):
                found.dialect = key
                return


def _varies(seen: list[ClientObservation]) -> bool:
    """Tell whether its times vary so much that one trial may be late by chance."""
    times = sorted(each.after for each in seen)
    return times[3 * len(times) // 4] - times[len(times) // 4] > _VARIES


def _no_framer(found: ClientFindings) -> Script:
    """Look for what makes up for a wrong idea of where a reply ends."""
    for key, words in NO_FRAMER.items():
        trial = Trial(
            key, TrialKind.DIALECT, f"a reply for who does this: {words}", CONTROL_SIZES[0], sent=key
        )
        for _ in range(_SHIFTS):
            if not reacted((yield trial), found.all_controls):
                yield SHIFT
                continue
            if (yield from _differ(found, trial, MISSING)):
                many = _MOST_PAIRS if _varies(found.all_controls) else TRIMMED
                given = yield from _goods(trial.size, many)
                plain = Controls(given, found.controls.missing)
                if plain.tell:  # it takes a plain reply just as well: the first controls were odd by chance
                    found.controls, found.reference, found.apart_by_chance = plain, trial.size, False
                elif sum(reacted(each, found.all_controls) for each in given) < _TOO_MANY:
                    found.dialect = key
                return
            break


def _goods(size: int | None, many: int) -> Generator[Trial, ClientObservation, tuple[ClientObservation, ...]]:
    given: list[ClientObservation] = []
    while len(given) < many:
        given.append((yield good(size)))
    return tuple(given)


def _differ(found: ClientFindings, trial: Trial, other: Trial) -> Generator[Trial, ClientObservation, bool]:
    """Tell whether the client does something else after a trial than after another one, and than usual."""
    given: list[ClientObservation] = []
    others: list[ClientObservation] = []
    for rests in (*_RESTS, *(at % 2 for at in range(_MOST_PAIRS - len(_RESTS)))):
        for _ in range(RECOVERIES):  # what it holds of before is used up first
            seen = yield MISSING
            if not reacted(seen, found.all_controls):
                break
        others.append(seen if other is MISSING else (yield from calm(other)))
        for _ in range(rests):
            yield MISSING
        given.append((yield from calm(trial)))
        if len(given) < len(_RESTS):
            continue
        if Controls(tuple(given), tuple(others)).parts_by_action:
            return True
        for sign in Sign:
            usual = [sign.of(each).since_request for each in (*others, *found.all_controls)]
            if are_different((sign.of(each).since_request for each in given), usual):
                return True
        if not any(reacted(each, others) for each in given):
            break
    return False
