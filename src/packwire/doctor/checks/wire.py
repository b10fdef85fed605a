"""A pack on a wire: a serial line or RS485, or a bridge from one to the network.

Only the questions of its own model are asked that read values. Where nothing answers, the same question is
put at other rates and to other addresses on the line; nothing else is tried.
"""

import asyncio
import contextlib
from dataclasses import replace

from packwire.address import LinkKind
from packwire.check import CheckResult, Depth, Stage, check, failed, odd, passed
from packwire.doctor.checks import way
from packwire.doctor.checks.words import few
from packwire.doctor.examination import Examination
from packwire.doctor.facts import (
    Contact,
    ContactFacts,
    Latency,
    ProbeFacts,
    Reach,
    StreamFacts,
    WayFacts,
    ms,
)
from packwire.doctor.foreign import protocol_of
from packwire.doctor.line import Line, Probe
from packwire.doctor.line_facts import LineFacts
from packwire.doctor.wire_bytes import look_at_wire, without_echoes
from packwire.errors import BadAddressError, PackwireError, Reason
from packwire.event import EventKind
from packwire.link.port_state import PortState, port_state
from packwire.models.protocol import ModelProtocol
from packwire.models.requests import Question
from packwire.protocol.base import Request
from packwire.wire.fields import FieldError

#: Seconds to listen before anything is asked: another master asks once a second, or more often.
_LISTEN = 1.2
#: Questions until silence is believed: boards that sleep wake at the first or the second.
_TRIES, _MORE = 3, 4
_BETWEEN = 0.15
#: A stranger on the line answers within (s), if at all.
_BRIEF = 0.35
#: Seconds that a board may take before it answers, and bytes of a long answer.
_BOARD = 0.3
_LONG_FRAME = 160
#: Rates that boards have, the usual ones first; so many are tried.
_RATES = (9600, 115_200, 19_200, 38_400, 57_600, 4800, 2400)
_MOST_RATES = 6
_MOST_UNITS = 16
_SHOWN = 20


#: The account of a reply that is as it should be (s): so many questions, so far apart.
_POLLS, _PACE = 12, 0.1


def in_hex(data: bytes) -> str:
    """Return bytes in hex; of many the first."""
    more = f" .. ({len(data)} bytes)" if len(data) > _SHOWN else ""
    return data[:_SHOWN].hex(" ") + more


def model_of(exam: Examination) -> ModelProtocol:
    """Return the model that the device speaks."""
    spoken = exam.protocol
    assert isinstance(spoken, ModelProtocol)
    return spoken


def _is_serial(exam: Examination) -> str:
    return "" if exam.target.is_serial else "it is no serial port"


@check("port", "Is the port there, and free?", Stage.NAME, needs=_is_serial, depth=Depth.QUICK, quiet=True)
async def look_at_port(exam: Examination) -> CheckResult:
    """Look at the port without opening it."""
    path = exam.address.target
    if "://" in path or not path.startswith("/"):
        return passed(f"{path} is opened as it is named")
    state = await asyncio.to_thread(port_state, path)
    problem = _problem(state)
    if problem is None:
        return passed(f"{path} is there, and this user may open it", excludes="a wrong name; missing rights")
    code, words, reason = problem
    found = exam.facts[WayFacts]
    found.error, found.reason = words, reason
    found.reach = Reach.NOTHING_THERE if reason is Reason.NOT_THERE else Reach.NOT_ALLOWED
    exam.journal.tell(EventKind.PORT, code, words, holder=", ".join(map(str, state.holders)))
    return failed(words, *await asyncio.to_thread(_other_ports, path))


def _problem(state: PortState) -> tuple[str, str, Reason] | None:
    if not state.there:
        return "port-missing", f"there is no {state.path}", Reason.NOT_THERE
    if not state.device:
        return "port-missing", f"{state.path} is no serial port", Reason.NOT_THERE
    if not state.allowed:
        group = f": it belongs to the group {state.group}" if state.group not in {"", "root"} else ""
        return "port-permission", f"this user may not open {state.path}{group}", Reason.NOT_ALLOWED
    if state.holders:
        return "port-busy", f"{few(map(str, state.holders))} has {state.path} open", Reason.BUSY
    return None


def _other_ports(path: str) -> tuple[str, ...]:
    from packwire.link.serial import list_ports  # noqa: PLC0415 - an extra

    try:
        ports = [each.path for each in list_ports() if each.path != path]
    except (PackwireError, OSError):
        return ()
    return (f"there is {few(ports)}",) if ports else ("this computer has no other serial port",)


_CODES = {
    Reason.NOT_THERE: "port-missing",
    Reason.NOT_ALLOWED: "port-permission",
    Reason.BUSY: "port-busy",
}


@check("connect", "Does it open?", Stage.WAY, needs=way.may_connect, depth=Depth.QUICK)
async def connect(exam: Examination) -> CheckResult:
    """Open the port, or the connection to a bridge."""
    result = await way.connect.run(exam)
    found = exam.facts[WayFacts]
    exam.facts[LineFacts].baud = exam.address.baud or exam.protocol.baud
    if found.reach is not Reach.OPEN and exam.target.is_serial and found.reason in _CODES:
        exam.journal.tell(EventKind.PORT, _CODES[found.reason], found.error)
    return result


@check("listen", "Does anything come unasked?", Stage.CONTACT, needs=way.has_connection)
async def listen(exam: Examination) -> CheckResult:
    """Listen before anything is asked: for another master, another protocol, noise."""
    line, facts = await exam.line(), exam.facts[LineFacts]
    seconds = exam.options.listen if exam.options.listen is not None else _LISTEN
    await line.wait_closed(seconds)
    stream = exam.facts[StreamFacts]
    stream.listened, stream.heard_before = seconds, line.stats.frames
    heard = line.stats.received
    if line.closed:
        if not heard:
            exam.facts[ContactFacts].contact = Contact.CLOSED
        return odd("it was closed while nothing was asked")
    if not heard:
        quiet = "another master, and other devices that send by themselves"
        return passed(f"nothing in {seconds:g} s", excludes=quiet)
    found = look_at_wire(exam)
    facts.requests_heard, facts.noise = found.requests, found.outside
    said = f"{heard} bytes came by themselves in {seconds:g} s: {found}"
    if found.own and not found.requests and not found.others:
        return passed(said)
    return odd(said, f"they begin {line.head[:24].hex(' ')}")


def questions(exam: Examination, unit: int | None = None) -> list[Question]:
    """Return what reads values and can be asked at once; the first tells most."""
    given = {} if unit is None else {(model_of(exam).bus or {})["parameter"]: unit}
    return [each for each in model_of(exam).questions if each.harmless and not each.missing(given)]


def hello(exam: Examination, unit: int | None = None) -> Request | None:
    """Return the first question, put to one address on the line; None where the model asks nothing.

    Raises BadAddressError for an address that devices of the model cannot have.
    """
    unit = exam.address.unit if unit is None else unit
    parameter = (model_of(exam).bus or {}).get("parameter")
    if unit is not None and parameter is None:
        raise BadAddressError(f"{exam.address}: a {exam.protocol.title} is not addressed: leave address= out")
    first = next(iter(questions(exam, unit)), None)
    if first is None:
        return None
    try:
        return Request(first.template.frame({} if unit is None else {str(parameter): unit}))
    except FieldError as error:
        raise BadAddressError(f"{exam.address}: address={unit} cannot be: {error}") from None


def asks(exam: Examination) -> str:
    """Need an open port, and a protocol in which one asks."""
    no_line = way.has_connection(exam)
    closed = exam.facts[ContactFacts].contact is Contact.CLOSED
    return no_line or ("it was closed" if closed else "" if _asks(exam) else "nothing is asked, only heard")


def _asks(exam: Examination) -> bool:
    return exam.protocol.asks and not exam.address.listens


@check("contact", "Does anything come back?", Stage.CONTACT, needs=asks, depth=Depth.QUICK, quiet=True)
async def contact(exam: Examination) -> CheckResult:
    """Ask the first question, up to three times."""
    request, facts = hello(exam), exam.facts[LineFacts]
    assert request is not None
    exam.greeting = request.payload
    facts.takes = _BOARD + (_LONG_FRAME * 10 / facts.baud if exam.target.is_serial else 0.0)
    line = await exam.line()
    for attempt in range(1, _TRIES + 1):
        probe = await _ask(exam, line, request, exam.options.patience)
        facts.questions = attempt
        if probe.reply is not None or line.closed:
            break
        await asyncio.sleep(_BETWEEN)
    if probe.reply is not None:
        if attempt > 1 and not any(each.damaged for each in exam.facts[ProbeFacts].probes):
            facts.woke_after = attempt - 1
        return _answered(exam, probe)
    return await _unanswered(exam, line, probe)


async def _ask(exam: Examination, line: Line, request: Request, patience: float) -> Probe:
    probe = await line.ask(request, None, patience)
    exam.facts[ProbeFacts].note(probe)
    exam.journal.tell(EventKind.WRITTEN, "wire-sent", f"sent {in_hex(probe.sent)}")
    if without_echoes(probe):
        words = f"received {in_hex(probe.frame or without_echoes(probe))}"
        exam.journal.tell(EventKind.NOTIFIED, "wire-received", words)
    elif not line.closed:
        exam.journal.tell(EventKind.TIMED_OUT, "no-reply", f"not answered in {ms(patience)}")
    exam.facts[LineFacts].echoes += probe.echoed
    return probe


def _answered(exam: Examination, probe: Probe) -> CheckResult:
    facts = exam.facts[LineFacts]
    facts.answered = True
    exam.facts[ContactFacts].contact = Contact.ANSWERED
    exam.facts[ContactFacts].first_bytes = probe.frame
    evidence = (
        f"sent     {in_hex(probe.sent)}",
        f"received {in_hex(probe.frame)}  after {ms(probe.latency)}",
    )
    echo = "; what is sent comes back before it, as RS485 converters do" if probe.echoed else ""
    said = f"a whole {exam.protocol.title} frame after {ms(probe.latency)}{echo}"
    excludes = "wires that are crossed or open; a wrong baud rate; another protocol"
    if facts.woke_after:
        times = "question" if facts.woke_after == 1 else f"{facts.woke_after} questions"
        return odd(f"{said}; the first {times} went unanswered", *evidence, excludes=excludes)
    return passed(said, *evidence, excludes=excludes)


async def _unanswered(exam: Examination, line: Line, probe: Probe) -> CheckResult:
    first, facts = exam.facts[ContactFacts], exam.facts[LineFacts]
    first.first_bytes = line.head
    evidence: tuple[str, ...] = (f"sent     {in_hex(probe.sent)}",)
    found = look_at_wire(exam)
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
    right = [each for each in probes if each.reply is not None]
    damaged = sum(each.reply is None and each.damaged > 0 for each in probes)
    said = f"{len(right)} of {len(probes)} questions were answered"
    latency = Latency.of([each.latency for each in right])
    if len(right) == len(probes):
        return passed(f"{said}: {latency}", excludes="answers that are lost or damaged now and then")
    why = f"; {damaged} answers came damaged" if damaged else ""
    return odd(f"{said}{why}", *([f"those took {latency}"] if latency else []))


def unanswered(exam: Examination) -> str:
    """Need a device that does not answer, or is not heard."""
    contact = exam.facts[ContactFacts].contact
    silent = contact in {Contact.SILENT, Contact.ECHO, Contact.FOREIGN}
    return "" if silent and not exam.facts[LineFacts].server else "it answered, or was not asked"


def unanswered_question(exam: Examination) -> str:
    """Need a device that was asked and does not answer."""
    return unanswered(exam) or ("" if _asks(exam) else "nothing is asked")


@check(
    "wake", "Does asking wake it?", Stage.SILENCE, needs=unanswered_question, depth=Depth.QUICK, quiet=True
)
async def wake(exam: Examination) -> CheckResult:
    """Ask some times more: a pack that sleeps may wake of it."""
    request, line, facts = hello(exam), await exam.line(), exam.facts[LineFacts]
    assert request is not None
    for _ in range(_MORE):
        probe = await _ask(exam, line, request, exam.options.patience / 2)
        facts.questions += 1
        if probe.reply is not None:
            facts.woke_after = facts.questions - 1
            return _answered(exam, probe)
        await asyncio.sleep(_BETWEEN)
    return failed(f"no: {facts.questions} questions, and no answer")


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


async def _answers(exam: Examination, line: Line, request: Request, patience: float = _BRIEF) -> bool:
    probe = await line.ask(request, None, min(patience, exam.options.patience))
    return probe.reply is not None


def _other_rates(exam: Examination) -> str:
    facts = exam.facts[LineFacts]
    no_port = _is_serial(exam) or unanswered(exam)
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
    request = hello(exam) if _asks(exam) else None
    try:
        if request is not None:
            return any([await _answers(exam, line, request) for _ in range(2)])
        await line.wait_closed(_LISTEN)
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
