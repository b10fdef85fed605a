"""What it says of itself: read over the connection that is there, in the way that was answered."""

import asyncio
from dataclasses import replace

from packwire.check import CheckResult, Depth, Stage, check
from packwire.device.base import Device
from packwire.device.client import Client
from packwire.device.reader import Reader
from packwire.doctor.ble.answers import can_ask, has_pin
from packwire.doctor.ble.facts import AirFacts, AnswerFacts, FamilyFacts, LinkFacts, OpenFacts
from packwire.doctor.ble.link import is_connected
from packwire.doctor.ble.session import client_of, leave, usual_way
from packwire.doctor.checks.pack import read_again, said
from packwire.doctor.examination import Examination
from packwire.doctor.pack_facts import ValuesFacts
from packwire.errors import PackwireError, Reason
from packwire.event import EventKind
from packwire.link.ble.link import BleLink
from packwire.link.ble.observed import Watch
from packwire.protocol.base import Options

#: Seconds for one answer where it is quick, and for all that is read.
_ANSWER, _ALL = 1.5, 20.0


def _can_be_read(exam: Examination) -> str:
    facts = exam.facts[AnswerFacts]
    if exam.facts[FamilyFacts].plugin is not None:
        return is_connected(exam)
    if exam.spoken is None:
        return "nobody knows what it speaks"
    answered = facts.works or facts.answered_at_last
    if not answered and exam.protocol.asks and exam.protocol.hello is not None and not has_pin(exam):
        return "it did not answer"
    return can_ask(exam)


@check("values", "Does it tell of the battery?", Stage.VALUES, needs=_can_be_read, depth=Depth.QUICK)
async def values(exam: Examination) -> CheckResult:
    """Read it as `packwire read` does, again and again for a while."""
    facts, answers = exam.facts[ValuesFacts], exam.facts[AnswerFacts]
    exam.facts[OpenFacts].doing = "it was read"
    before = len(exam.facts[LinkFacts].drops)
    reader = await _read(exam, facts)
    if not facts.readings and len(exam.facts[LinkFacts].drops) > before:
        # The connection, which may be an old one, ended before the first reading: that says nothing of these.
        facts.error = ""
        reader = await _read(exam, facts)
    answers.pin_unanswered = bool(exam.spoken and has_pin(exam) and facts.error and not facts.readings)
    if isinstance(reader, Reader):
        stats = reader.client.frame_stats
        answers.torn = stats.abandoned + stats.junk + (stats.waiting is not None)
    result = said(exam, facts)
    if facts.error and not facts.readings and not exam.journal.device.told.keys() & {"received"}:
        facts.error, answers.asked = "", max(answers.asked, 1)  # it is silent, and no answer is wrong
    drops = exam.facts[LinkFacts].drops
    ends = tuple(f"the connection ended after {age:.1f} s: {doing}" for age, doing in drops[-3:])
    return replace(result, evidence=(*result.evidence, *ends))


async def _read(exam: Examination, facts: ValuesFacts) -> Device | None:
    """Read on one connection; return what read, where there was a connection."""
    reader: Device | None = None
    try:
        reader = await _reader(exam)
        async with asyncio.timeout(_ALL + exam.options.poll), reader as device:
            await read_again(exam, device, facts)
            facts.remarks = device.remarks
    except TimeoutError:
        facts.error = facts.error or f"no reading was whole within {_ALL:g} s"
    except PackwireError as error:
        facts.error = str(error)
        if error.reason is Reason.WRONG_PASSWORD:
            exam.journal.tell(EventKind.REFUSED, "wrong-secret", "it refuses the password")
    return reader


async def _reader(exam: Examination) -> Device:
    plugin, seen = exam.facts[FamilyFacts].plugin, exam.facts[AirFacts].found
    if plugin is not None:
        from packwire.device.aiobmsble import AiobmsbleDevice  # noqa: PLC0415 - slow to import

        await leave(exam)  # it makes a connection of its own
        watch = Watch(listeners=[exam.journal.take])
        return AiobmsbleDevice(seen, plugin, pin=exam.address.pin, watch=watch)
    answers = exam.facts[AnswerFacts]
    client, session = await client_of(exam), exam.facts[OpenFacts]
    assert session.place is not None
    way = answers.answered[-1] if answers.answered else usual_way(exam)
    place = replace(session.place, write_type=way)
    link = BleLink(exam.address, exam.protocol, seen, on=client, place=place)
    session.dropped = link.dropped
    patience = max(_ANSWER, 1.5 * (answers.late or 0.0), 3 * (answers.first or 0.0))
    line = Client(link, exam.protocol, timeout=patience)
    return Reader(line, Options(pin=exam.address.pin or ""))
