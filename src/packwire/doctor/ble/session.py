"""The connection that the checks share: opened, asked by, lost and opened anew."""

import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from bleak.backends.service import BleakGATTServiceCollection

from packwire.doctor.ble.facts import AirFacts, LinkFacts, OpenFacts
from packwire.doctor.examination import Examination, NoConnectionError
from packwire.doctor.line import Line
from packwire.errors import PackwireError
from packwire.event import Event, EventKind
from packwire.link.ble.failures import FAILURES
from packwire.link.ble.link import BleLink
from packwire.link.ble.observed import ObservedClient, Watch, disconnect
from packwire.link.ble.observed import connect as connect_to
from packwire.protocol.base import Gatt, Protocol, WriteType

#: What is said of a try that failed before another one came about: it is no failure of the whole.
_BEFORE = "tried-before"


async def connect(exam: Examination) -> ObservedClient:
    """Connect, as programs do: some tries. Raises UnreachableError; the journal has every try."""
    session, facts = exam.facts[OpenFacts], exam.facts[LinkFacts]
    seen = exam.facts[AirFacts].found
    await leave(exam)
    events: list[Event] = []
    watch = Watch(listeners=[events.append])

    def lost(_: object) -> None:
        if session.client is not None:
            facts.drops.append((time.monotonic() - session.connected_at, session.doing))
            session.dropped()

    try:
        session.client = client = await connect_to(seen, watch, lost)
    except PackwireError as error:
        facts.error, facts.reason = str(error), error.reason
        for each in events:
            exam.journal.take(each)
        raise
    finally:
        facts.tries = sum(each.kind is EventKind.CONNECTING for each in events)
    for each in events:
        failed = each.kind is EventKind.FAILED
        exam.journal.take(replace(each, code=_BEFORE) if failed else each)
    watch.listeners[:] = [exam.journal.take]
    session.watch, session.connected_at, session.doing = watch, time.monotonic(), "nothing was asked yet"
    facts.made += 1
    facts.mtu = next((int(each.values["mtu"]) for each in events if each.code == "connected"), 0)
    exam.open.push_async_callback(leave, exam)
    return client


async def leave(exam: Examination) -> None:
    """End the connection, if there is one."""
    session = exam.facts[OpenFacts]
    client, session.client = session.client, None
    if client is not None:
        if session.watch is not None:
            session.watch.listeners.clear()
        await disconnect(client)


async def client_of(exam: Examination) -> ObservedClient:
    """Return the connection; make a new one where it is over. Raises NoConnectionError."""
    client = exam.facts[OpenFacts].client
    if client is not None and client.is_connected:
        return client
    try:
        return await connect(exam)
    except PackwireError as error:
        raise NoConnectionError(str(error)) from error


@asynccontextmanager
async def asking(
    exam: Examination, way: WriteType | None, *, spoken: Protocol | None = None, place: Gatt | None = None
) -> AsyncGenerator[Line]:
    """Subscribe, and be asked by; `way` is how requests are written.

    Raises PackwireError where notifications are refused.
    """
    session = exam.facts[OpenFacts]
    client = await client_of(exam)
    where = place or session.place
    assert where is not None
    protocol = spoken or exam.protocol
    link = BleLink(
        exam.address, protocol, exam.facts[AirFacts].found, on=client, place=replace(where, write_type=way)
    )
    line = Line(link, exam.facts[LinkFacts].made, exam.transcript, protocol)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(line.close)
        session.doing = "notifications were switched on"
        session.dropped = link.dropped
        await line.open()
        session.doing = "a request was written"
        yield line


def usual_way(exam: Examination) -> WriteType | None:
    """Return how requests are written first: as the protocol says, else as the characteristic does."""
    session = exam.facts[OpenFacts]
    if session.place is None or not session.place.write:
        return None
    if session.place.write_type is not None:
        return session.place.write_type
    without = WriteType.WITHOUT_RESPONSE in session.ways
    return WriteType.WITHOUT_RESPONSE if without else WriteType.WITH_RESPONSE


def services_of(client: ObservedClient) -> BleakGATTServiceCollection:
    """Return what a connected device has. Raises NoConnectionError where it just went."""
    try:
        return client.services
    except FAILURES as error:
        raise NoConnectionError("it ended") from error


def is_refused(exam: Examination) -> str:
    """Need a pack that did not say that it wants to be paired."""
    told = exam.journal.device.told
    return "it wants to be paired" if {"gatt-error", "security", "pairing-failed"} & told.keys() else ""
