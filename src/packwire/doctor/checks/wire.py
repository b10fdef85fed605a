"""A pack on a wire: a serial line or RS485, or a bridge from one to the network.

Only the questions of its own model are asked, of those that read values.
"""

import asyncio

from packwire.check import CheckResult, Depth, Stage, check, failed, odd, passed
from packwire.doctor.checks import way
from packwire.doctor.examination import Examination
from packwire.doctor.facts import Contact, ContactFacts, Latency, ProbeFacts, StreamFacts, ms
from packwire.doctor.foreign import protocol_of
from packwire.doctor.line import Line, Probe
from packwire.doctor.line_facts import LineFacts
from packwire.doctor.wire_bytes import look_at_wire, tell_sums, without_echoes
from packwire.errors import BadAddressError
from packwire.event import EventKind
from packwire.models.protocol import ModelProtocol
from packwire.models.requests import Question
from packwire.protocol.base import Request
from packwire.wire.fields import FieldError

#: Seconds to listen before anything is asked: another master asks once a second, or more often.
LISTEN = 1.2
#: Questions that are put at first, and seconds between them.
_TRIES = 3
PAUSE = 0.15
#: Seconds that a board may take before it answers, and bytes of a long answer.
_BOARD = 0.3
_LONG_FRAME = 160
#: Questions whose answers are counted, and seconds between them.
_POLLS, _PACE = 12, 0.1
#: The same where they are not answered so fast.
_SLOW_POLLS, _SLOWLY = 4, 1.2
#: How long it is waited for an answer that may be late, and what is in time, as shares of the first patience.
_LONGER, _IN_TIME = 3.0, 0.7
_SHOWN = 20
#: Where the number of an exception stands [Modbus protocol V1.1b3, 7].
_EXCEPTION_AT = 2
#: Questions whose answers' checksums are compared, where one is wrong.
_SUMS = 4


def _in_hex(exam: Examination, data: bytes) -> str:
    """Return bytes in hex without secrets; of many the first."""
    data = exam.protocol.mask(data)
    more = f" .. ({len(data)} bytes)" if len(data) > _SHOWN else ""
    return data[:_SHOWN].hex(" ") + more


def model_of(exam: Examination) -> ModelProtocol:
    """Return the model that the device speaks."""
    spoken = exam.protocol
    assert isinstance(spoken, ModelProtocol)
    return spoken


@check("listen", "Does anything come unasked?", Stage.CONTACT, needs=way.has_connection)
async def listen(exam: Examination) -> CheckResult:
    """Listen before anything is asked: for another master, another protocol, noise."""
    line, facts = await exam.line(), exam.facts[LineFacts]
    seconds = exam.options.listen if exam.options.listen is not None else LISTEN
    await line.wait_closed(seconds)
    stream = exam.facts[StreamFacts]
    stream.listened, stream.heard_before = seconds, line.stats.frames
    heard = line.stats.received
    if line.closed:
        return odd("it was closed while nothing was asked")
    if not heard:
        quiet = "another master, and other devices that send by themselves"
        return passed(f"nothing in {seconds:g} s", excludes=quiet)
    found = look_at_wire(exam)
    facts.noise = found.outside
    said = f"{heard} bytes came by themselves in {seconds:g} s: {found}"
    if found.own and not found.requests and not found.others:
        return passed(said)
    return odd(said, f"they begin {line.head[:24].hex(' ')}")


def questions(exam: Examination, unit: int | None = None) -> list[Question]:
    """Return what reads values and can be asked at once; the first tells most."""
    given = {} if unit is None else {(model_of(exam).bus or {})["parameter"]: unit}
    return [each for each in model_of(exam).questions if each.reads_values and not each.missing(given)]


def hello(exam: Examination, unit: int | None = None) -> Request | None:
    """Return the first question, put to one address on the line; None where the model asks nothing.

    Raises BadAddressError for an address that devices of the model cannot have.
    """
    unit = exam.address.unit if unit is None else unit
    parameter = (model_of(exam).bus or {}).get("parameter")
    if unit is not None and parameter is None:
        raise BadAddressError(f"{exam.address}: a {exam.protocol.title} is not addressed: leave address= out")
    first = next(iter(questions(exam, unit)), None)
    return None if first is None else _framed(exam, first, unit)


def _framed(exam: Examination, question: Question, unit: int | None = None) -> Request:
    unit = exam.address.unit if unit is None else unit
    parameter = (model_of(exam).bus or {}).get("parameter")
    try:
        return Request(question.template.frame({} if unit is None else {str(parameter): unit}))
    except FieldError as error:
        raise BadAddressError(f"{exam.address}: address={unit} cannot be: {error}") from None


def asks(exam: Examination) -> str:
    """Need an open port, and a protocol in which one asks."""
    no_line = way.has_connection(exam)
    closed = exam.facts[ContactFacts].contact is Contact.CLOSED
    return no_line or (
        "it was closed" if closed else "" if asks_at_all(exam) else "nothing is asked, only heard"
    )


def asks_at_all(exam: Examination) -> bool:
    """Tell whether anything is asked at such an address."""
    return exam.protocol.asks and not exam.address.listens


@check("contact", "Does anything come back?", Stage.CONTACT, needs=asks, depth=Depth.QUICK, quiet=True)
async def contact(exam: Examination) -> CheckResult:
    """Ask the first question, up to three times."""
    request, facts = hello(exam), exam.facts[LineFacts]
    assert request is not None
    exam.greeting = request.payload
    facts.takes = _BOARD + (_LONG_FRAME * 10 / facts.baud if exam.target.is_serial else 0.0)
    for attempt in range(1, _TRIES + 1):
        line = await exam.line()
        facts.surplus = line.surplus if attempt == 1 else facts.surplus
        probe = await ask(exam, line, request, exam.options.patience)
        facts.questions = attempt
        if probe.reply is not None:
            break
        if not line.closed:
            await asyncio.sleep(PAUSE)
    if probe.reply is None:
        return await _unanswered(exam, line, probe)
    return await answered(exam, line, probe)


async def ask(exam: Examination, line: Line, request: Request, patience: float) -> Probe:
    """Ask once, and keep what came of it."""
    probe = await line.ask(request, None, patience)
    exam.facts[ProbeFacts].note(probe)
    exam.journal.tell(EventKind.WRITTEN, "wire-sent", f"sent {_in_hex(exam, probe.sent)}")
    if without_echoes(probe):
        words = f"received {_in_hex(exam, probe.frame or without_echoes(probe))}"
        exam.journal.tell(EventKind.NOTIFIED, "wire-received", words)
    elif not line.closed:
        exam.journal.tell(EventKind.TIMED_OUT, "no-reply", f"not answered in {ms(patience)}")
    exam.facts[LineFacts].echoes += probe.echoed
    return probe


async def answered(exam: Examination, line: Line, probe: Probe) -> CheckResult:
    """Keep that it answers, and how: from when on."""
    facts = exam.facts[LineFacts]
    facts.answered = True
    exam.facts[ContactFacts].contact = Contact.ANSWERED
    exam.facts[ContactFacts].first_bytes = probe.frame
    sent, received = _in_hex(exam, probe.sent), _in_hex(exam, probe.frame)
    evidence = (f"sent     {sent}", f"received {received}  after {ms(probe.latency)}")
    echo = "; what is sent comes back before it, as RS485 converters do" if probe.echoed else ""
    said = f"a whole {exam.protocol.title} frame after {ms(probe.latency)}{echo}"
    excludes = "wires that are crossed or open; a wrong baud rate; another protocol"
    reply = model_of(exam).reply_of(probe.frame)
    if reply is not None and reply.refuses:
        return _refused(exam, probe, reply.refuses, evidence)
    if facts.questions > 1 and await _slept(exam, line, probe):
        facts.woke_after = facts.questions - 1
        times = "question" if facts.woke_after == 1 else f"{facts.woke_after} questions"
        return odd(f"{said}; the first {times} went unanswered", *evidence, excludes=excludes)
    return passed(said, *evidence, excludes=excludes)


def _refused(exam: Examination, probe: Probe, why: str, evidence: tuple[str, ...]) -> CheckResult:
    """Keep that it refuses what is asked first: it is there, and of another kind."""
    exam.facts[LineFacts].refused = why
    if exam.protocol.modbus:
        number = probe.frame[2] if len(probe.frame) > _EXCEPTION_AT else 0
        why = f"Modbus exception {number}"
        exam.journal.tell(EventKind.REFUSED, "modbus-exception", why)
    return failed(f"it answers, and refuses: {why}", *evidence)


async def _slept(exam: Examination, line: Line, probe: Probe) -> bool:
    """Tell whether nothing came before, and what is asked now is answered in time."""
    sent = exam.facts[ProbeFacts]
    earlier = [each for each in sent.probes if each.reply is None]
    if any(without_echoes(each) or each.closed for each in earlier):
        return False
    patience = exam.options.patience
    await line.wait_closed(2 * patience)  # what came may be the answer to an earlier question
    if line.surplus > exam.facts[LineFacts].surplus:
        return False
    again = await ask(exam, line, Request(probe.request), _LONGER * patience)
    if again.reply is None or again.latency > _IN_TIME * patience:
        return False
    sent.probes = [each for each in sent.probes if each.reply is not None]  # it slept: those were not lost
    return True


async def _unanswered(exam: Examination, line: Line, probe: Probe) -> CheckResult:
    first, facts = exam.facts[ContactFacts], exam.facts[LineFacts]
    first.first_bytes = line.head
    evidence: tuple[str, ...] = (f"sent     {_in_hex(exam, probe.sent)}",)
    found = look_at_wire(exam)
    if found.sums:
        for each in questions(exam, exam.address.unit)[1:_SUMS]:
            await ask(exam, line, _framed(exam, each), exam.options.patience)
        found = look_at_wire(exam)
        tell_sums(exam, found.sums)
    if line.closed and not found.size:
        first.contact = Contact.CLOSED
        return failed("the other end closed the connection and sent not one byte", *evidence)
    if not found.size:
        facts.lone_echo = facts.echoes > 1
        first.contact = Contact.ECHO if facts.lone_echo else Contact.SILENT
        if facts.lone_echo:
            return failed("what is sent comes back, and nothing else", *evidence)
        return failed(f"not one byte, to {facts.questions} questions", *evidence)
    facts.noise = found.outside
    server = (protocol_of(line.head) or "") if exam.address.on_network else ""
    facts.server = server
    first.contact = Contact.FOREIGN
    evidence = (*evidence, f"received {line.head[:24].hex(' ')} ..")
    if server:
        return failed(f"it is {server}: it answers {line.head[:24]!r}", *evidence)
    return failed(f"no answer: {found}", *evidence)


def _polls(exam: Examination) -> str:
    return asks(exam) or ("" if exam.facts[LineFacts].answered else "it does not answer")


def _count(probes: list[Probe]) -> str:
    return f"{sum(each.reply is not None for each in probes)} of {len(probes)} questions were answered"


async def _slower_helps(exam: Examination, probes: list[Probe]) -> bool:
    """Ask slowly where some questions brought nothing; tell whether all are answered then."""
    silent = [each for each in probes if each.reply is None and not without_echoes(each)]
    if not silent or any(each.damaged or each.closed for each in probes):
        return False
    request = Request(probes[0].request)
    for _ in range(_SLOW_POLLS):
        await asyncio.sleep(_SLOWLY)
        if (await (await exam.line()).ask(request, None, exam.patience())).reply is None:
            return False
    sent = exam.facts[ProbeFacts]
    sent.probes = [each for each in sent.probes if each not in silent]  # they were not lost
    exam.facts[LineFacts].too_fast = True
    return True


@check("poll", "Is every question answered?", Stage.FLOW, needs=_polls, quiet=True)
async def poll(exam: Examination) -> CheckResult:
    """Ask the same again and again: a fault that comes and goes shows."""
    request = hello(exam)
    assert request is not None
    probes = []
    for _ in range(_POLLS):
        probe = await exam.ask(request, tries=1)
        probes.append(probe)
        await asyncio.sleep(max(_PACE, model_of(exam).pause))
    look_at_wire(exam)
    if await _slower_helps(exam, probes):
        return odd(f"{_count(probes)}; asked every {_SLOWLY:g} s, all are", excludes="answers that are lost")
    right = [each for each in probes if each.reply is not None]
    damaged = sum(each.reply is None and each.damaged > 0 for each in probes)
    said = _count(probes)
    latency = Latency.of([each.latency for each in right])
    if len(right) == len(probes):
        return passed(f"{said}: {latency}", excludes="answers that are lost or damaged now and then")
    why = f"; {damaged} answers came damaged" if damaged else ""
    return odd(f"{said}{why}", *([f"those took {latency}"] if latency else []))
