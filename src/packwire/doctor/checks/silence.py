"""A pack on a wire that does not answer: its own questions at other rates, to others, in another form."""

import asyncio
import contextlib
from dataclasses import replace

from packwire.address import LinkKind
from packwire.check import CheckResult, Depth, Stage, check, failed, odd, passed, skipped
from packwire.doctor.checks.neighbours import connected_from_here
from packwire.doctor.checks.port import is_serial
from packwire.doctor.checks.wire import LISTEN, PAUSE, answered, ask, asks_at_all, hello, model_of
from packwire.doctor.examination import Examination
from packwire.doctor.facts import Contact, ContactFacts, WayFacts
from packwire.doctor.line import Line
from packwire.doctor.line_facts import LineFacts
from packwire.errors import BadAddressError
from packwire.link.probing import candidates
from packwire.phrases import few
from packwire.protocol.base import Protocol, Request

#: Further questions until silence is believed: boards that sleep wake at the first or the second.
_MORE = 4
#: A stranger on the line answers within (s), if at all.
_BRIEF = 0.35
#: Rates that boards have, the usual ones first; so many are tried, and so many addresses.
_RATES = (9600, 115_200, 19_200, 38_400, 57_600, 4800, 2400)
_MOST_RATES = 6
_MOST_UNITS = 16


def unanswered(exam: Examination) -> str:
    """Need a device that does not answer, or is not heard."""
    contact = exam.facts[ContactFacts].contact
    silent = contact in {Contact.SILENT, Contact.ECHO, Contact.FOREIGN}
    return "" if silent and not exam.facts[LineFacts].server else "it answered, or was not asked"


def unanswered_question(exam: Examination) -> str:
    """Need a device that was asked and does not answer."""
    return unanswered(exam) or ("" if asks_at_all(exam) else "nothing is asked")


@check(
    "wake", "Does asking wake it?", Stage.SILENCE, needs=unanswered_question, depth=Depth.QUICK, quiet=True
)
async def wake(exam: Examination) -> CheckResult:
    """Ask some times more: a pack that sleeps may wake of it."""
    request, line, facts = hello(exam), await exam.line(), exam.facts[LineFacts]
    assert request is not None
    for _ in range(_MORE):
        probe = await ask(exam, line, request, exam.options.patience / 2)
        facts.questions += 1
        if probe.reply is not None:
            return await answered(exam, line, probe)
        await asyncio.sleep(PAUSE)
    return failed(f"no: {facts.questions} questions, and no answer")


def _other_programs(exam: Examination) -> str:
    return unanswered(exam) or ("" if exam.address.link is LinkKind.TCP else "it is no bridge")


@check(
    "neighbours",
    "Is another program connected?",
    Stage.SILENCE,
    needs=_other_programs,
    depth=Depth.QUICK,
    quiet=True,
)
async def neighbours(exam: Examination) -> CheckResult:
    """Look in the system's table for connections of other programs here to the same bridge."""
    facts = exam.facts[LineFacts]
    await exam.hang_up()
    await asyncio.sleep(PAUSE)  # until the system has forgotten our own
    facts.neighbours = connected_from_here(exam.facts[WayFacts].addresses, exam.address.port)
    if facts.neighbours:
        return failed("yes: a program on this computer is connected to the same bridge")
    return passed("no, as far as this computer tells")


def _may_be_woken(exam: Examination) -> str:
    facts = exam.facts[LineFacts]
    if exam.options.restart is None:
        return "nobody is here to wake it (--restart)"
    if facts.as_families or facts.other_baud or facts.other_units:
        return "something answered"
    return unanswered_question(exam)


@check(
    "restart",
    "Does it answer once it was woken?",
    Stage.LAST,
    needs=_may_be_woken,
    depth=Depth.QUICK,
    quiet=True,
)
async def woken(exam: Examination) -> CheckResult:
    """Let the owner wake it (or switch it off and on), and ask again."""
    request, facts = hello(exam), exam.facts[LineFacts]
    assert request is not None
    assert exam.options.restart is not None
    await exam.hang_up()
    if not await exam.options.restart():
        return skipped("it was not woken")
    line = await exam.line()
    answers = [await _answers(exam, line, request, exam.options.patience) for _ in range(2)]
    facts.woken = all(answers)
    if facts.woken:
        return odd("yes: it answers now", excludes="wires that are crossed or open; another protocol")
    return failed("no: still no answer")


def _has_addresses(exam: Examination) -> str:
    return unanswered_question(exam) or (
        "" if (model_of(exam).bus or {}).get("parameter") else "this protocol has no addresses"
    )


@check("address", "Does another address answer?", Stage.SILENCE, needs=_has_addresses, quiet=True)
async def other_addresses(exam: Examination) -> CheckResult:
    """Put the question to the other addresses on the line."""
    facts, line = exam.facts[LineFacts], await exam.line()
    bus = model_of(exam).bus or {}
    usual = int(model_of(exam).parameters[bus["parameter"]].default or 0)
    own = usual if exam.address.unit is None else exam.address.unit
    first = min(int(bus.get("first", 0)), 1)
    tried, found = [], []
    for unit in range(first, first + _MOST_UNITS + 1):
        with contextlib.suppress(BadAddressError):  # the model has fewer
            request = hello(exam, unit)
            if unit != own and request is not None:
                tried.append(unit)
                if await _answers(exam, line, request):
                    found.append(unit)
    facts.units_tried, facts.other_units = tuple(tried), tuple(found)
    if found:
        facts.questions += 1
        again = await _answers(exam, line, hello(exam, own) or Request(b""))
        if not again:
            return failed(f"yes: {few(map(str, found))}; {own}, which was asked, does not")
    return passed(f"no: {len(tried)} others were asked", excludes="another address")


async def _reply(exam: Examination, line: Line, request: Request, patience: float = _BRIEF) -> bytes | None:
    """Ask once, and return the reply; a line may give back what it is sent, which is none."""
    reply = (await line.ask(request, None, min(patience, exam.options.patience))).reply
    return None if reply == request.payload else reply


async def _answers(exam: Examination, line: Line, request: Request, patience: float = _BRIEF) -> bool:
    return await _reply(exam, line, request, patience) is not None


def _other_rates(exam: Examination) -> str:
    facts = exam.facts[LineFacts]
    no_port = is_serial(exam) or unanswered(exam)
    return no_port or ("another address answers" if facts.other_units else "")


@check("baud", "Does it answer at another baud rate?", Stage.SILENCE, needs=_other_rates, quiet=True)
async def other_bauds(exam: Examination) -> CheckResult:
    """Ask (or listen) at other rates; where one is answered, at the given one again, and there again."""
    facts, spoken = exam.facts[LineFacts], exam.protocol
    rates = [
        each for each in dict.fromkeys((spoken.baud, *spoken.other_bauds, *_RATES)) if each != facts.baud
    ]
    tried = []
    for rate in rates[:_MOST_RATES]:
        tried.append(rate)
        if not await _answers_at(exam, rate):
            continue
        given = await _answers_at(exam, facts.baud)
        again = await _answers_at(exam, rate)
        facts.bauds_tried = tuple(tried)
        if again and not given:
            facts.other_baud = rate
            return failed(f"yes: at {rate} baud, twice; at {facts.baud} it does not")
        return odd(f"at {rate} baud, but not each time, or at {facts.baud} as well")
    facts.bauds_tried = tuple(tried)
    return passed(f"no: {few(map(str, tried))} baud were tried", excludes="one of these baud rates")


async def _answers_at(exam: Examination, rate: int) -> bool:
    """Ask at a rate, twice at most; or listen there, where nothing is asked."""
    await exam.hang_up()
    line = await exam.dial(replace(exam.target.base, baud=rate))
    request = hello(exam) if asks_at_all(exam) else None
    try:
        if request is not None:
            return any([await _answers(exam, line, request) for _ in range(2)])
        await line.wait_closed(LISTEN)
        return line.stats.frames > 0
    finally:
        await line.close()


def _modbus_bridge(exam: Examination) -> str:
    no_bridge = "" if exam.address.link is LinkKind.TCP and exam.protocol.modbus else "it is no Modbus on TCP"
    return no_bridge or unanswered_question(exam)


@check("envelope", "Is it Modbus TCP, or raw bytes?", Stage.SILENCE, needs=_modbus_bridge, quiet=True)
async def other_form(exam: Examination) -> CheckResult:
    """Ask in the other of the two forms in which bridges carry Modbus."""
    facts, request = exam.facts[LineFacts], hello(exam)
    assert request is not None
    await exam.hang_up()
    other = replace(exam.target.base, enveloped=not exam.address.enveloped)
    line = await exam.dial(other)
    try:
        answers = [await _answers(exam, line, request, exam.options.patience) for _ in range(2)]
    finally:
        await line.close()
    name, now = ("raw bytes", "Modbus TCP") if exam.address.enveloped else ("Modbus TCP", "raw bytes")
    if all(answers):
        facts.other_form = name
        return failed(f"it answers {name}, and not {now}")
    return passed(f"it does not answer {name} either", excludes=f"a bridge that carries {name}")


def _may_be_another(exam: Examination) -> str:
    facts = exam.facts[LineFacts]
    if exam.address.listens:
        return "nothing is asked on this line"
    if exam.facts[ContactFacts].contact is Contact.FOREIGN:
        return "others speak on this line"
    found = facts.other_units or facts.other_baud or facts.other_form
    return unanswered(exam) or ("it answers otherwise" if found else "")


@check(
    "families", "Does it answer another family's question?", Stage.SILENCE, needs=_may_be_another, quiet=True
)
async def others(exam: Examination) -> CheckResult:
    """Put the questions of other families, which only ask: at the given rate, then at the families' own.

    All are asked at a rate where one is answered: what answers several answers anybody. Then the pack's own
    question is put again, for it may have woken meanwhile.
    """
    facts, serial = exam.facts[LineFacts], exam.target.is_serial
    there = [each for each in candidates() if each.asks and each is not exam.spoken]
    tried, found = set[str](), dict[Protocol, list[bytes]]()
    for rate in dict.fromkeys((facts.baud, *(each.baud for each in there if serial))):
        first = [each for each in there if rate in {facts.baud, each.baud}]
        await exam.hang_up()
        line = await exam.dial(replace(exam.target.base, baud=rate) if serial else None)
        try:
            found |= await _answered_as(exam, line, first)
            if found:
                found |= await _answered_as(exam, line, [each for each in there if each not in first])
        finally:
            await line.close()
        tried |= {each.title for each in first}
        if found:
            facts.family_baud = rate if serial else 0
            break
        if line.disconnect is not None:
            return skipped("the connection was closed")
    request = hello(exam)
    if request is not None:
        await exam.hang_up()
        line = await exam.line()
        probe = await ask(exam, line, request, exam.options.patience)
        if probe.reply is not None:
            facts.questions += 1
            return await answered(exam, line, probe)
    if not found:
        return failed(f"nor does it answer as {few(sorted(tried))}")
    facts.as_families = tuple(found)
    refused = any(other.refuses(each) for other, replies in found.items() for each in replies)
    facts.family_told = len(found) == 1 and not refused
    one = "of" if facts.family_told else "of each of"
    return odd(f"it answers the question {one} {few(each.title for each in found)}", excludes="silence")


async def _answered_as(exam: Examination, line: Line, there: list[Protocol]) -> dict[Protocol, list[bytes]]:
    """Put the questions of other families, and return the replies to those that were answered twice."""
    found: dict[Protocol, list[bytes]] = {}
    for other in there:
        if line.closed:
            break
        request = other.harmless[0]  # its `hello` may beep, and what is there is not known
        line.speak(other)
        first = await _reply(exam, line, request)
        second = None if first is None else await _reply(exam, line, request)
        if first is not None and second is not None:
            found[other] = [first, second]
    return found
