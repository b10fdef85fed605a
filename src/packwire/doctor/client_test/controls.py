"""The controls: what a client does after a good reply, and after none."""

from collections.abc import Callable, Generator

from packwire.doctor.client_test.findings import ClientFindings, good
from packwire.doctor.client_test.reactions import NEEDED, TRIMMED, ClientObservation, Controls
from packwire.doctor.client_test.scattered import best
from packwire.doctor.client_test.trials import MISSING, Trial

#: What was disturbed by a busy computer is tried again so often.
DISTURBED = 6
#: Shorter pauses of the computer do no harm, in s.
CALM = 0.1
#: In such an order (True: a reply) both kinds come at all places of a rhythm that the client has by itself.
ORDER = tuple(number.bit_count() % 2 == 0 for number in range(32))
#: So many requests get no reply before controls begin anew, so that it holds nothing of before.
_EMPTIED = 2

type Script = Generator[Trial, ClientObservation, None]


class NotAskedError(Exception):
    """The client does not ask any more what a trial waits for."""


def calm(trial: Trial) -> Generator[Trial, ClientObservation, ClientObservation]:
    """Return what the client does when the computer is not busy with something else, if ever."""
    for _ in range(DISTURBED):
        seen = yield trial
        if seen.stalled < CALM:
            break
    return seen


def look_for_difference(found: ClientFindings) -> Script:
    """Look for a reply after which the client does something else than after none."""
    missing: list[ClientObservation] = []
    for size in found.played.control_sizes(found.command):
        known = len(missing)
        given: list[ClientObservation] = []
        for wanted in (NEEDED, TRIMMED):
            for replies in ORDER[2 * len(given) : 2 * wanted]:
                if replies:
                    given.append((yield from calm(good(size))))
                elif len(missing) < wanted:
                    missing.append((yield from calm(MISSING)))
            found.controls = Controls(tuple(given), tuple(missing))
            if found.controls.tell or not found.controls.nearly_tell:
                break
        found.all_controls += [*given, *missing[known:]]
        if found.controls.tell:
            found.reference = given[0].size
            return


def look_for_soon(found: ClientFindings, tell: Callable[[str], None]) -> Script:
    """Look for a reply after which it acts sooner than it ever does without one, if not always."""
    sizes = found.played.control_sizes(found.command)
    if found.unsteady:  # what seemed to be apart was so by chance
        found.all_controls.clear()
        sizes = (found.controls.good[0].trial.size,)
        for _ in range(_EMPTIED):
            yield MISSING
    for size in sorted(sizes, key=lambda each: -best(found.all_controls, each).begun):
        known = best(found.all_controls, size)
        if not (known.begun or found.unsteady):
            continue
        tell("its pauses vary: more good replies, and more often none")
        while not (known.tells or known.hopeless):
            at = 2 * len(known.good) % len(ORDER)
            for replies in ORDER[at : at + 2] if known.wants_good else (False,):
                found.all_controls.append((yield from calm(good(size) if replies else MISSING)))
            known = best(found.all_controls, size)
        if known.tells:
            reference = next(each.size for each in reversed(found.all_controls) if each.trial.size == size)
            found.begin_anew(known, reference)
            return
