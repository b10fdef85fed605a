"""The ladder: which rungs there are, in which order, and climbing them."""

import contextlib
import time
from collections.abc import Callable

from packwire.doctor.case import Case, NoConnectionError
from packwire.doctor.evidence import Outcome, Rung
from packwire.doctor.rungs import bus, contact, pack, paths, poll, reach, silence, stream
from packwire.doctor.rungs.step import Result, Step
from packwire.errors import BadAddressError, MissingExtraError, PackwireError

#: From the name lookup to the value. A new rung, for another kind of device too, is a new line here.
LADDER: tuple[Step, ...] = (
    *reach.STEPS,
    *contact.STEPS,
    *silence.STEPS,
    *pack.STEPS,
    poll.QUICK_STEP,
    poll.POLL_STEP,
    bus.BUS_STEP,
    bus.ANSWERS_STEP,
    bus.PACK_STEP,
    bus.OWN_ID_STEP,
    poll.MOVEMENT_STEP,
    stream.PAIRS_STEP,
    stream.AFTER_STEP,
    paths.WITHOUT_STEP,
    paths.WITH_STEP,
    paths.DIRECT_STEP,
    bus.CONFIG_STEP,  # last: a hub may let a node rest that did not answer
)

type Watcher = Callable[[Rung], None]
type Announcer = Callable[[Step], None]


async def climb(
    case: Case,
    ladder: tuple[Step, ...] = LADDER,
    *,
    begun: Announcer | None = None,
    ended: Watcher | None = None,
) -> list[Rung]:
    """Climb the ladder; return the rungs. `begun` and `ended` learn of each as it happens.

    A device's fault never raises; a bad address or a missing extra does.
    """
    rungs: list[Rung] = []
    for step in ladder:
        if step.depth > case.options.depth:
            continue
        why_not = step.needs(case)
        if why_not:
            if step.quiet:
                continue
            rung = Rung(step.name, step.question, Outcome.SKIPPED, why_not)
        else:
            if begun is not None:
                begun(step)
            rung = await _run(case, step)
        rungs.append(rung)
        if ended is not None:
            ended(rung)
    return rungs


async def _run(case: Case, step: Step) -> Rung:
    started = time.monotonic()
    try:
        result = await step.run(case)
    except NoConnectionError as error:
        result = Result(Outcome.FAILED, f"the connection is gone and no new one can be made: {error}")
    except (BadAddressError, MissingExtraError):
        raise
    except PackwireError as error:
        result = Result(Outcome.FAILED, str(error))
    with contextlib.suppress(NoConnectionError):
        if case.facts.version is not None and case.facts.fell_silent_after is None and case.seems_silent:
            await case.check_alive()
    case.note_close()
    seconds = time.monotonic() - started
    return Rung(
        step.name, step.question, result.outcome, result.answer, result.evidence, result.rules_out, seconds
    )
