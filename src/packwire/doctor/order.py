"""Which checks there are, in which order, and running them."""

import contextlib
import time
from collections.abc import Callable

from packwire.doctor.checks import reach, silence
from packwire.doctor.checks.step import Check, Result
from packwire.doctor.checks.vesc import bus, contact, pack, paths, poll, stream
from packwire.doctor.diagnosis import CheckResult, Outcome
from packwire.doctor.examination import Examination, NoConnectionError
from packwire.errors import BadAddressError, MissingExtraError, PackwireError

#: From the name lookup to the value. A new check, for another kind of device too, is a new line here.
CHECKS: tuple[Check, ...] = (
    *reach.CHECKS,
    *contact.CHECKS,
    *silence.CHECKS,
    *pack.CHECKS,
    poll.QUICK_CHECK,
    poll.POLL_CHECK,
    bus.BUS_CHECK,
    bus.ANSWERS_CHECK,
    bus.PACK_CHECK,
    bus.OWN_ID_CHECK,
    poll.MOVEMENT_CHECK,
    stream.PAIRS_CHECK,
    stream.AFTER_CHECK,
    paths.WITHOUT_CHECK,
    paths.WITH_CHECK,
    paths.DIRECT_CHECK,
    bus.CONFIG_CHECK,  # last: a hub may let a node rest that did not answer
)

type Watcher = Callable[[CheckResult], None]
type Announcer = Callable[[Check], None]


async def run_checks(
    exam: Examination,
    order: tuple[Check, ...] = CHECKS,
    *,
    begun: Announcer | None = None,
    ended: Watcher | None = None,
) -> list[CheckResult]:
    """Run the checks that make sense, in order; return their results.

    `begun` and `ended` learn of each as it happens. A device's fault never raises; a bad address or
    a missing extra does.
    """
    results: list[CheckResult] = []
    for check in order:
        if check.depth > exam.options.depth:
            continue
        why_not = check.needs(exam)
        if why_not:
            if check.quiet:
                continue
            result = CheckResult(check.name, check.question, Outcome.SKIPPED, why_not)
        else:
            if begun is not None:
                begun(check)
            result = await _run(exam, check)
        results.append(result)
        if ended is not None:
            ended(result)
    return results


async def _run(exam: Examination, check: Check) -> CheckResult:
    started = time.monotonic()
    try:
        result = await check.run(exam)
    except NoConnectionError as error:
        result = Result(Outcome.FAILED, f"the connection is gone and no new one can be made: {error}")
    except (BadAddressError, MissingExtraError):
        raise
    except PackwireError as error:
        result = Result(Outcome.FAILED, str(error))
    with contextlib.suppress(NoConnectionError):
        if exam.facts.version is not None and exam.facts.fell_silent_after is None and exam.seems_silent:
            await exam.check_alive()
    exam.note_disconnect()
    seconds = time.monotonic() - started
    return CheckResult(
        check.name, check.question, result.outcome, result.answer, result.evidence, result.excludes, seconds
    )
