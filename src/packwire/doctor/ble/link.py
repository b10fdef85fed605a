"""The connection, and the table of what can be written and what notifies."""

import asyncio
import time
from collections import Counter

from bleak.backends.service import BleakGATTServiceCollection

from packwire.att import short_uuid
from packwire.check import CheckResult, Depth, Stage, check, failed, odd, passed
from packwire.doctor.ble.air import AGAIN, is_seen
from packwire.doctor.ble.facts import AirFacts, FamilyFacts, LinkFacts, OpenFacts, TableFacts
from packwire.doctor.ble.proxy import may_connect
from packwire.doctor.ble.session import asking, client_of, connect, services_of, usual_way
from packwire.doctor.examination import Examination
from packwire.errors import NotAVescError, PackwireError
from packwire.event import EventKind
from packwire.link.ble.discovery import hear
from packwire.link.ble.exploring import NOT_SPOKEN
from packwire.link.ble.link import BleLink
from packwire.protocol.base import Gatt, Protocol, WriteType
from packwire.protocols import usable

#: Seconds that a connection is watched before anything is asked: whoever wants pairing ends it soon.
_HOLD = 0.4
#: Connections that end by themselves before it is plain that they do.
DROPS = 2
#: Characteristics that are told to the journal.
_MOST = 60
_WAYS = {"write": WriteType.WITH_RESPONSE, "write-without-response": WriteType.WITHOUT_RESPONSE}
_ORDINALS = {2: "2nd", 3: "3rd"}


def is_reachable(exam: Examination) -> str:
    """Need a pack that is there, and what can connect to it."""
    return is_seen(exam) or may_connect(exam)


@check("connect", "Does it take a connection?", Stage.WAY, needs=is_reachable, depth=Depth.QUICK)
async def connection(exam: Examination) -> CheckResult:
    """Connect, with the tries that programs make; where none comes about, see whether it is heard still."""
    facts = exam.facts[LinkFacts]
    begun = time.monotonic()
    try:
        client = await connect(exam)
    except PackwireError as error:
        return await _not_connected(exam, error)
    took = time.monotonic() - begun
    tries = f" ({_ORDINALS.get(facts.tries, f'{facts.tries}th')} try)" if facts.tries > 1 else ""
    words = f"connected in {took:.1f} s{tries}, MTU {facts.mtu}"
    await asyncio.sleep(_HOLD)
    if not client.is_connected:
        return failed(f"{words}, and it ended after {facts.drops[-1][0]:.1f} s; nothing was asked")
    excludes = "an app that holds it, a connection slot"
    return odd(words, excludes=excludes) if facts.tries > 1 else passed(words, excludes=excludes)


async def _not_connected(exam: Examination, error: PackwireError) -> CheckResult:
    try:
        later = await hear(exam.address.target, exam.address.radio, AGAIN, lambda _, times: times > 0)
    except PackwireError:
        return failed(str(error))
    exam.facts[AirFacts].later = later
    still = "it is heard still" if later.seen is not None else f"it is not heard any more in {AGAIN:.0f} s"
    return failed(str(error), still)


def is_connected(exam: Examination) -> str:
    """Need a connection that came about."""
    return "" if exam.facts[LinkFacts].made else is_reachable(exam) or "there is no connection"


@check("table", "Has it what it is spoken to by?", Stage.WAY, needs=is_connected, depth=Depth.QUICK)
async def table(exam: Examination) -> CheckResult:
    """Look for the protocol's characteristics among those that it has."""
    facts, session, family = exam.facts[TableFacts], exam.facts[OpenFacts], exam.facts[FamilyFacts]
    client, tell = await client_of(exam), exam.journal.tell
    facts.looked_at = True
    services = services_of(client)
    own = [each for service in services for each in service.characteristics]
    for service in list(services)[:_MOST]:
        tell(EventKind.SERVICES, "has-service", short_uuid(service.uuid), service=service.uuid)
    for each in own[:_MOST]:
        words = f"{short_uuid(each.uuid)}: {', '.join(each.properties)}"
        properties = " ".join(each.properties)
        tell(EventKind.SERVICES, "has-characteristic", words, uuid=each.uuid, properties=properties)
    listed = tuple(
        f"{short_uuid(each.uuid)} {', '.join(each.properties)}"
        for service in services
        if service.uuid not in NOT_SPOKEN
        for each in service.characteristics
    )
    family.table = tuple(
        each for each in usable() if each.gatt and not each.origin and _place(exam, each, services)
    )
    if exam.spoken is None:
        if family.plugin is not None:
            return passed(f"{len(own)} characteristics", *listed)
        return failed(f"of its {len(own)} characteristics none can be chosen without a family", *listed)
    session.place = place = _place(exam, exam.spoken, services)
    if place is None:
        wanted = ", ".join(short_uuid(each.service) for each in exam.spoken.gatt)
        facts.missing = wanted or "none"
        fits = ", ".join(each.title for each in family.table)
        beside = f"; it has what is spoken to by {fits}" if fits else ""
        return failed(f"not {wanted or 'anything'} of a {exam.spoken.title}{beside}", *listed)
    times = Counter(each.uuid for each in own)
    twice = {uuid for uuid in (place.notify, place.write) if times[uuid] > 1}
    facts.duplicates = tuple(sorted(map(short_uuid, twice)))
    notifying = [each for each in own if {"notify", "indicate"} & set(each.properties)]
    notify = next(
        each for service in services if service.uuid in place.services
        for each in service.characteristics if each.uuid == place.notify
    )  # fmt: skip
    if notify not in notifying:
        facts.mute = short_uuid(place.notify)
        others = ", ".join(sorted({short_uuid(each.uuid) for each in notifying}))
        return failed(f"{facts.mute} does not notify; what does: {others or 'nothing'}", *listed)
    session.ways = tuple(
        way
        for name, way in _WAYS.items()
        if any(each.uuid == place.write and name in each.properties for each in own)
    )
    written = f", {short_uuid(place.write)} is written {' or '.join(session.ways)}" if place.write else ""
    words, excludes = f"{short_uuid(place.notify)} notifies{written}", "another family, other firmware"
    if facts.duplicates:
        words += f"; {', '.join(facts.duplicates)} is there more than once"
        return odd(words, *listed, excludes=excludes)
    return passed(words, *listed, excludes=excludes)


def has_place(exam: Examination) -> str:
    """Need the characteristics that it is spoken to by."""
    if exam.spoken is None and not is_connected(exam):
        by_plugin = exam.facts[FamilyFacts].plugin is not None
        return "aiobmsble reads it, in its own way" if by_plugin else "nobody knows what it speaks"
    missing = exam.facts[OpenFacts].place is None or exam.facts[TableFacts].mute
    return is_connected(exam) or ("its characteristics are others" if missing else "")


@check("notify", "Can notifications be switched on?", Stage.WAY, needs=has_place, depth=Depth.QUICK)
async def subscribe(exam: Examination) -> CheckResult:
    """Subscribe; whoever wants pairing refuses that, or ends the connection."""
    link = exam.facts[LinkFacts]
    for _ in range(DROPS):
        before = len(link.drops)
        try:
            async with asking(exam, usual_way(exam)) as line:
                await line.wait_closed(_HOLD)
                if not line.closed:
                    return passed("they are on", excludes="a pack that lets nobody listen before pairing")
        except PackwireError as error:
            if len(link.drops) == before:
                exam.facts[TableFacts].refused = str(error)
                return failed(str(error))
    return failed(f"the connection ended {len(link.drops)} times, after {ages(link)}")


def ages(link: LinkFacts) -> str:
    """Return after how long connections ended, for a sentence."""
    return ", ".join(f"{age:.1f} s" for age, _ in link.drops[-4:])


def _place(exam: Examination, protocol: Protocol, services: BleakGATTServiceCollection) -> Gatt | None:
    """Return where a protocol is spoken on a device; None where that has no such place."""
    try:
        return BleLink(exam.address, protocol, exam.facts[AirFacts].seen).place_on(services)
    except NotAVescError:
        return None
