"""From an address to a diagnosis: do the checks in order, judge what was found."""

import asyncio
import contextlib
import time
from collections.abc import Callable

from packwire.address import Address, LinkKind, parse_address, with_secret
from packwire.check import CheckResult, Depth
from packwire.device.open import open_link
from packwire.doctor.diagnosis import Diagnosis
from packwire.doctor.examination import Examination, ExaminationOptions
from packwire.doctor.facts import ReadingFacts, RunFacts
from packwire.doctor.order import Announcer, Watcher, run_checks
from packwire.doctor.registry import can_be_examined, of_a_vesc_on_a_stream, weigher_of
from packwire.errors import BadAddressError


async def diagnose(
    address: Address | str, *, password: str | None = None, quick: bool = True, limit: float | None = None
) -> Diagnosis:
    """Find out why a device gives no data, or that it does.

        diagnosis = await diagnose("veschub://TESTPACK@hub.example", password="...", limit=15)
        diagnosis.verdict.key, diagnosis.verdict.words, diagnosis.verdict.remedy

    `quick` asks only what a verdict on a device that gives nothing needs (1 to 3 s; up to about 10 s where it
    is silent), else also the CAN bus, the freshness of the values and the owner's hypotheses (about 9 s).
    After `limit` seconds it ends with what is known by then. A device's fault never raises.
    Raises BadAddressError for an address that makes no sense or a password that can never work, and
    MissingExtraError.
    """
    parsed = with_secret(parse_address(address) if isinstance(address, str) else address, password)
    depth = Depth.QUICK if quick else Depth.USUAL
    return await examine(parsed, ExaminationOptions(depth=depth), limit=limit)


async def examine(
    address: Address,
    options: ExaminationOptions,
    *,
    limit: float | None = None,
    begun: Announcer | None = None,
    ended: Watcher | None = None,
    stopper: Callable[[Callable[[], None]], None] | None = None,
) -> Diagnosis:
    """Do what `diagnose` does, with every option; `begun` and `ended` learn of each check as it happens.

    `stopper` is given a function that ends the examination at once, with what is known by then.
    """
    if address.link is LinkKind.SIM:
        raise BadAddressError(f"{address} is for the command line, which starts the simulator")
    if address.link is LinkKind.REPLAY:
        raise BadAddressError(f"a recording is examined by: packwire doctor --log {address.target}")
    if not can_be_examined(address):
        raise BadAddressError(f"{address} cannot be examined yet; read and watch know it")
    exam = Examination(address, options)
    _require_fit(exam)
    name = _place(exam)
    started = time.time()
    checks: list[CheckResult] = []

    def keep(check: CheckResult) -> None:
        checks.append(check)
        if ended is not None:
            ended(check)

    complete = True
    try:
        async with asyncio.timeout(limit) as deadline:
            if stopper is not None:
                stopper(lambda: _end(deadline))
            await run_checks(exam, begun=begun, ended=keep)
    except TimeoutError:
        complete = False
        exam.facts[RunFacts].interrupted = True
    finally:
        await exam.leave()
    if exam.spoken is not None and not of_a_vesc_on_a_stream(address):
        exam.transcript.protocol = exam.spoken
    verdict, remarks = exam.judge()
    weigh = weigher_of(exam.spoken) if exam.spoken is not None else None
    return Diagnosis(
        str(address),
        name,
        verdict,
        tuple(checks),
        remarks,
        weigh(exam) if weigh is not None else (),
        exam.facts[ReadingFacts].values,
        started,
        exam.elapsed(),
        complete,
        _hidden(address),
        exam.transcript,
    )


def _place(exam: Examination) -> str:
    """Return where the device is, for a user. Raises PackwireError for what can never work."""
    if exam.spoken is None:
        return f"Bluetooth {exam.address.target}"  # what it speaks is found out
    return open_link(exam.target.base).name


def _require_fit(exam: Examination) -> None:
    """Raise BadAddressError for a protocol that is not spoken over such a link."""
    address, spoken = exam.address, exam.spoken
    on_can = address.link is LinkKind.CAN
    if (
        spoken is not None
        and address.link is not LinkKind.BLE
        and on_can != bool(getattr(spoken, "can", False))
    ):
        where = "not on CAN" if on_can else "on CAN alone"
        raise BadAddressError(
            f"{address}: {spoken.title} is spoken {where}; packwire model list shows which is spoken where"
        )


def _end(deadline: asyncio.Timeout) -> None:
    with contextlib.suppress(RuntimeError):  # it has ended by itself
        deadline.reschedule(asyncio.get_running_loop().time())


def _hidden(address: Address) -> tuple[str, ...]:
    if address.link is not LinkKind.HUB:
        return tuple(each for each in (address.pin, address.proxy and address.proxy.key) if each)
    return (address.user,)
