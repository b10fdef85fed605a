"""From an address to a diagnosis: climb the ladder, judge what was found."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from packwire.address import Address, LinkKind, of_a_vesc, parse_address
from packwire.device.open import open_link
from packwire.doctor.case import Case, Depth, Options
from packwire.doctor.evidence import Diagnosis, Rung
from packwire.doctor.ladder import Announcer, Watcher, climb
from packwire.doctor.theories import weigh
from packwire.doctor.verdicts import judge
from packwire.errors import BadAddressError
from packwire.vesc.samples import battery_values


async def diagnose(
    address: Address | str,
    *,
    password: str | None = None,
    quick: bool = True,
    limit: float | None = None,
) -> Diagnosis:
    """Find out why a device gives no data, or that it does.

        diagnosis = await diagnose("veschub://TESTPACK@hub.example", password="...", limit=15)
        diagnosis.verdict.key, diagnosis.verdict.words, diagnosis.verdict.remedy

    `quick` asks only what a verdict on a device that gives nothing needs (1 to 3 s; up to about 10 s where it
    is silent), else also the CAN bus, the freshness of the values and the owner's theories (about 9 s). After
    `limit` seconds it ends with what is known by then. A device's fault never raises. Raises BadAddressError
    for an address that makes no sense or a password that can never work, and MissingExtraError.
    """
    parsed = parse_address(address) if isinstance(address, str) else address
    if password is not None and parsed.link is LinkKind.HUB:
        parsed = replace(parsed, password=password)
    depth = Depth.QUICK if quick else Depth.USUAL
    return await examine(parsed, Options(depth=depth), limit=limit)


async def examine(
    address: Address,
    options: Options,
    *,
    limit: float | None = None,
    begun: Announcer | None = None,
    ended: Watcher | None = None,
    stopper: Callable[[Callable[[], None]], None] | None = None,
) -> Diagnosis:
    """Do what `diagnose` does, with every option; `begun` and `ended` learn of each rung as it happens.

    `stopper` is given a function that ends the ladder at once, with what is known by then.
    """
    of_a_vesc(address, "the doctor")
    if address.link is LinkKind.SIM:
        raise BadAddressError(f"{address} is for the command line, which starts the simulator")
    case = Case(address, options)
    name = open_link(case.base).name  # raises for what can never work
    started = time.time()
    rungs: list[Rung] = []

    def keep(rung: Rung) -> None:
        rungs.append(rung)
        if ended is not None:
            ended(rung)

    complete = True
    try:
        async with asyncio.timeout(limit) as deadline:
            if stopper is not None:
                stopper(lambda: _end(deadline))
            await climb(case, begun=begun, ended=keep)
    except TimeoutError:
        complete = False
        case.facts.interrupted = True
    finally:
        await case.leave()
    verdict, remarks = judge(case)
    return Diagnosis(
        str(address),
        name,
        verdict,
        tuple(rungs),
        remarks,
        weigh(case),
        _pack_values(case),
        started,
        case.elapsed(),
        complete,
        _hidden(address),
        case.tape,
    )


def _end(deadline: asyncio.Timeout) -> None:
    with contextlib.suppress(RuntimeError):  # it has ended by itself
        deadline.reschedule(asyncio.get_running_loop().time())


def _pack_values(case: Case) -> dict[str, Any]:
    pack = case.facts.pack
    if pack is None or pack.absent or pack.cell_num is None:
        return {}
    return battery_values(pack)


def _hidden(address: Address) -> tuple[str, ...]:
    if address.link is not LinkKind.HUB:
        return ()
    return (address.user,)
