"""Which checks there are, in which order, and running them."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace

from packwire.check import Check, CheckResult, failed, skipped
from packwire.doctor.examination import Examination, NoConnectionError
from packwire.doctor.facts import ConnectionFacts, ContactFacts
from packwire.errors import BadAddressError, MissingExtraError, PackwireError

type Watcher = Callable[[CheckResult], None]
type Announcer = Callable[[Check[Examination]], None]


async def run_checks(
    exam: Examination, *, begun: Announcer | None = None, ended: Watcher | None = None
) -> list[CheckResult]:
    """Run the checks that make sense, in order; return their results.

    `begun` and `ended` learn of each as it happens. A device's fault never raises; a bad address or
    a missing extra does.
    """
    results: list[CheckResult] = []
    for check in exam.checks:
        if check.depth > exam.options.depth:
            continue
        why_not = check.needs(exam)
        if why_not:
            if check.quiet:
                continue
            result = replace(skipped(why_not), name=check.name, question=check.question)
        else:
            if begun is not None:
                begun(check)
            result = await _run(exam, check)
        results.append(result)
        if ended is not None:
            ended(result)
    return results


async def _run(exam: Examination, check: Check[Examination]) -> CheckResult:
    started = time.monotonic()
    try:
        result = await check.run(exam)
    except NoConnectionError as error:
        result = failed(f"the connection is gone and no new one can be made: {error}")
    except (BadAddressError, MissingExtraError):
        raise
    except PackwireError as error:
        result = failed(str(error))
    with contextlib.suppress(NoConnectionError):
        if (
            exam.facts[ContactFacts].answered
            and exam.facts[ConnectionFacts].fell_silent_after is None
            and exam.seems_silent
        ):
            await exam.check_alive()
    exam.note_disconnect()
    seconds = time.monotonic() - started
    return replace(result, name=check.name, question=check.question, seconds=seconds)
