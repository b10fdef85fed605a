"""What `import packwire` offers for live devices; `packwire` itself imports it when it is first used.

Everything here takes an address as on the command line, also `sim:vesc`, and a hub's password apart from it.
"""

import contextlib
import time
from collections.abc import AsyncGenerator, Collection
from dataclasses import replace

from packwire.address import Address, LinkKind, parse_address, with_secret
from packwire.device import Device, Node
from packwire.device import open_device as open_addressed
from packwire.device.client import TIMEOUT, TRIES
from packwire.device.follow import Connected, Outage, Reading, keep_following
from packwire.device.node_memory import NodeMemory
from packwire.doctor.diagnosis import Diagnosis
from packwire.doctor.examine import diagnose as diagnose_addressed
from packwire.link.scan import SECONDS, Find, look_around
from packwire.sample import Condition, Sample

__all__ = ["Find", "diagnose", "open_device", "scan", "watch"]


def open_device(
    address: Address | str,
    *,
    password: str | None = None,
    can_ids: Collection[int] | None = None,
    timeout: float = TIMEOUT,
    tries: int = TRIES,
    stale_after: float | None = None,
    memory: NodeMemory | None = None,
) -> Device:
    """Return the device behind an address; `async with` opens it.

        async with packwire.open_device("veschub://TESTPACK@hub.example", password="...") as device:
            for sample in await device.read():
                print(sample.node, sample.when, sample.values)

    `password` is a hub's, or the key of a Bluetooth proxy's API. `can_ids`: the nodes to look for on a VESC's
    CAN bus; None asks the bus, which takes 2.5 to 5 s; an address with `/can/ID` looks for that node alone.
    `timeout` is of one try, in seconds. After `stale_after` seconds in which no value of the battery moved,
    its samples are stale. `memory` keeps the CAN ids from one connection to the next. Raises BadAddressError;
    opening raises UnreachableError, RefusedError, NoAnswerError and their kin (`packwire.errors`).
    """
    parsed = _parsed(address, password)
    link = None
    if parsed.link is LinkKind.SIM:
        from packwire.sim.link import SimulatedLink  # noqa: PLC0415 - only for sim: addresses

        link = SimulatedLink(parsed.model)
    return open_addressed(
        parsed,
        can_ids=can_ids,
        timeout=timeout,
        tries=tries,
        stale_after=stale_after,
        memory=memory,
        link=link,
    )


async def watch(
    address: Address | str,
    *,
    password: str | None = None,
    every: float = 1.0,
    timeout: float = TIMEOUT,  # noqa: ASYNC109 - of one request, not of the whole
    stale_after: float | None = None,
) -> AsyncGenerator[Sample]:
    """Yield a sample of each node every `every` seconds, for ever; come back by itself when the device does.

        async for sample in packwire.watch("vesc://192.168.1.20"):
            if sample.condition is packwire.Condition.SILENT:
                print("no data:", sample.reason)

    While the device is gone, each attempt to come back gives a sample without values for each node that was
    there (or one with an empty `node`, where none ever was): it is `SILENT`, and its `reason` says why.
    Raises what time does not mend, such as BadAddressError or a wrong password.
    """
    parsed = _parsed(address, password)

    def connect() -> Device:
        return open_device(parsed, can_ids=(), timeout=timeout, tries=1, stale_after=stale_after)

    nodes: tuple[Node, ...] = ()
    async with contextlib.aclosing(keep_following(connect, every)) as events:
        async for event in events:
            match event:
                case Connected(device):
                    nodes = device.nodes
                case Reading(device, samples):
                    nodes = device.nodes
                    for sample in samples:
                        yield sample
                case Outage(error, _):
                    for key in [node.key for node in nodes] or [""]:
                        yield Sample(key, time.time_ns(), {}, Condition.SILENT, str(error))


async def scan(seconds: float = SECONDS) -> tuple[Find, ...]:
    """Return what could be read from here: VESCs that announce themselves, and serial ports.

    Where it cannot look (the extra `serial` is missing), it finds nothing there.
    """
    return (await look_around(seconds)).finds


async def diagnose(
    address: Address | str, *, password: str | None = None, quick: bool = True, limit: float | None = None
) -> Diagnosis:
    """Find out why a device gives no data, or that it does.

        diagnosis = await packwire.diagnose("vesc://192.168.1.20", limit=15)
        print(diagnosis.verdict.key, diagnosis.verdict.words, diagnosis.verdict.remedy)

    `quick` asks only what a verdict needs on a device that gives nothing (1 to 3 s, up to 10 s where it is
    silent). After `limit` seconds it ends with what is known by then. A device's fault never raises;
    BadAddressError and MissingExtraError do.
    """
    parsed = _parsed(address, password)
    if parsed.link is not LinkKind.SIM:
        return await diagnose_addressed(parsed, quick=quick, limit=limit)
    from packwire.sim.by_name import simulation  # noqa: PLC0415 - only for sim: addresses
    from packwire.sim.server import SimOptions  # noqa: PLC0415

    async with simulation(parsed.model, SimOptions(port=0)) as simulated:
        there = replace(simulated.address, node=parsed.node)
        return await diagnose_addressed(there, quick=quick, limit=limit)


def _parsed(address: Address | str, password: str | None) -> Address:
    return with_secret(parse_address(address) if isinstance(address, str) else address, password)
