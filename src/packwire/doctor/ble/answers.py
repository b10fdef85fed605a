"""Whether it answers; where it does not, what would let it: another way, more time, other questions."""

from packwire.check import CheckResult, Depth, Outcome, Stage, check, failed, odd, passed, skipped
from packwire.doctor.ble.air import titles_of
from packwire.doctor.ble.facts import AirFacts, AnswerFacts, FamilyFacts, LinkFacts, OpenFacts, TableFacts
from packwire.doctor.ble.link import DROPS, ages, has_place, is_connected
from packwire.doctor.ble.session import asking, connect, is_refused, leave, services_of, usual_way
from packwire.doctor.examination import Examination
from packwire.doctor.facts import ms
from packwire.doctor.line import Line, Probe
from packwire.doctor.log.facts import WireFacts
from packwire.doctor.wire_bytes import tell_sums, wrong_sums
from packwire.errors import PackwireError
from packwire.event import EventKind
from packwire.link.ble.link import BleLink
from packwire.protocol.base import Protocol, WriteType

#: Seconds: to listen before anything is asked, for an answer, for a late one, and for one of another family.
QUIET, PATIENCE, LONG, BRIEF = 0.4, 5.0, 12.0, 1.2
#: Seconds after a connection that slow boards need before they hear.
_SETTLE = 3.0
#: Other families that are asked for.
_MOST_ASKED = 6
_OTHER = {
    WriteType.WITH_RESPONSE: WriteType.WITHOUT_RESPONSE,
    WriteType.WITHOUT_RESPONSE: WriteType.WITH_RESPONSE,
}


def can_ask(exam: Examination) -> str:
    """Need a connection that stays, on which notifications are on."""
    if exam.facts[TableFacts].refused:
        return "notifications are refused"
    if len(exam.facts[LinkFacts].drops) >= DROPS and not exam.facts[AnswerFacts].works:
        return "the connection does not stay"
    return has_place(exam)


def has_pin(exam: Examination) -> bool:
    """Tell whether a PIN was given that its requests, or those before them, hold."""
    return exam.address.pin is not None and exam.protocol.wants_pin


def _has_question(exam: Examination) -> str:
    why = can_ask(exam)
    if why or not exam.protocol.asks:
        return why
    if has_pin(exam):
        return "it is read with its PIN at once"
    return (
        "" if exam.protocol.hello is not None else "each of its requests holds a password: it is read at once"
    )


@check("answer", "Does it answer?", Stage.CONTACT, needs=_has_question, depth=Depth.QUICK)
async def answer(exam: Examination) -> CheckResult:
    """Ask once; where bytes come and no answer, ask again, to see whether they are the same."""
    facts, way = exam.facts[AnswerFacts], usual_way(exam)
    exam.facts[AnswerFacts].wants_pin = bool(exam.protocol.wants_pin and exam.address.pin is None)
    try:
        async with asking(exam, way) as line:
            await line.wait_closed(QUIET)
            strays = [each for each in line.strays if not exam.protocol.streams(each)]
            facts.unasked = len(strays)
            if not exam.protocol.asks:
                return await _listened(exam, line)
            probe = await _ask(exam, line, way)
            if probe.reply is None and probe.received and not probe.closed:
                facts.same_damage = await _the_same(exam, line, way, probe)
            heard = [each for each in line.strays if not exam.protocol.streams(each)]
            facts.unknown = 0 if facts.works or probe.echoed else len(heard) - len(strays)
    except PackwireError as error:
        facts.refused = str(error)
        return failed(str(error))
    return _said(exam, probe, way)


async def _listened(exam: Examination, line: Line) -> CheckResult:
    """Wait for what a pack sends that is not asked."""
    facts = exam.facts[AnswerFacts]
    facts.asked, facts.unasked = 1, 0
    await line.wait_closed(0 if line.stats.frames else PATIENCE)
    if not line.stats.frames:
        exam.journal.tell(EventKind.TIMED_OUT, "no-data-flowing", f"nothing came in {PATIENCE:.0f} s")
        return failed(f"it sends of its own accord, and nothing came in {PATIENCE:.0f} s")
    facts.first = 0.0
    return passed("it sends of its own accord")


async def _the_same(exam: Examination, line: Line, way: WriteType | None, first: Probe) -> bool:
    second = await _ask(exam, line, way, BRIEF * 2)
    return bool(exam.facts[AnswerFacts].damaged) and first.head == second.head


async def _ask(exam: Examination, line: Line, way: WriteType | None, patience: float = PATIENCE) -> Probe:
    """Ask, and note what came of it."""
    request = exam.protocol.hello
    assert request is not None
    exam.facts[OpenFacts].doing = "a request was written"
    probe = await line.ask(request, None, patience)
    facts, wire = exam.facts[AnswerFacts], exam.facts[WireFacts]
    facts.asked += 1
    wire.sent += 1
    wire.received += probe.received > 0
    wire.right += probe.reply is not None
    wire.wrong += probe.damaged
    if probe.reply is not None:
        facts.refusals += exam.protocol.refuses(probe.reply)
        if facts.first is None and not facts.silent:
            facts.first = probe.latency
        elif way is not None and facts.first is None:
            facts.answered.append(way)
        return probe
    facts.echoes += probe.echoed
    if probe.closed:
        facts.broken += probe.received > 0
        return probe
    facts.bytes += probe.received
    sums = list(wrong_sums(probe.head, exam.protocol))
    tell_sums(exam, sums)
    facts.damaged += max(len(sums), probe.damaged)
    if probe.cut is not None:
        facts.cut += 1
        facts.cut_at = probe.received if facts.cut == 1 or facts.cut_at == probe.received else 0
    if not probe.received:
        if way is not None:
            facts.silent.append(way)
        written = f" to a request written {way}" if way else ""
        exam.journal.tell(EventKind.TIMED_OUT, "request-timeout", f"no answer{written} in {patience:.0f} s")
    return probe


def _said(exam: Examination, probe: Probe, way: WriteType | None) -> CheckResult:
    facts = exam.facts[AnswerFacts]
    if facts.refusals:
        return odd(f"it answers in {ms(probe.latency)}, and refuses")
    if probe.reply is not None:
        words = f"it answers in {ms(probe.latency)}"
        if facts.unasked:
            return odd(f"{words}; {facts.unasked} answers came before anything was asked")
        return passed(words, excludes="silence, a password, another family")
    if probe.closed:
        return failed(f"the connection ended as it was asked; they ended after {ages(exam.facts[LinkFacts])}")
    head = (f"it begins {probe.head[:20].hex(' ')}",) if probe.head else ()
    if probe.echoed:
        return failed("what is written comes back, and no answer", *head)
    if facts.damaged:
        same = ", both times the same" if facts.same_damage else ""
        return failed(f"answers come with wrong checksums{same}", *head)
    if probe.cut is not None:
        return failed(f"answers begin and never end: {probe.received} bytes of each come", *head)
    if facts.unknown:
        return failed("whole frames come that answer nothing", *head)
    if probe.received:
        return failed(f"{probe.received} bytes come, and no frame of {exam.protocol.title} among them", *head)
    written = f"requests are taken (written {way})" if way else "requests are taken"
    return failed(f"{written}, and nothing is notified in {PATIENCE:.0f} s")


def is_unanswered(exam: Examination) -> str:
    """Need a pack that was asked and did not answer yet."""
    facts = exam.facts[AnswerFacts]
    if facts.works or facts.answered_at_last:
        return "it answered"
    if exam.facts[FamilyFacts].answered is not None:
        return "it answered as another"
    return (
        is_refused(exam)
        or can_ask(exam)
        or ("" if facts.asked and exam.protocol.hello is not None else "it was not asked")
    )


def _silent(exam: Examination) -> str:
    facts = exam.facts[AnswerFacts]
    return is_unanswered(exam) or ("it sends something" if facts.bytes else "")


def _was_held(exam: Examination) -> str:
    seen = exam.facts[AirFacts].seen
    held = seen is not None and seen.connected
    return _silent(exam) or ("" if held else "the connection is our own")


@check(
    "anew", "Does a new connection mend it?", Stage.SILENCE, needs=_was_held, depth=Depth.QUICK, quiet=True
)
async def connect_anew(exam: Examination) -> CheckResult:
    """End a connection that was there before us, and make another one."""
    facts = exam.facts[AnswerFacts]
    await leave(exam)
    try:
        await connect(exam)
        async with asking(exam, usual_way(exam)) as line:
            probe = await _ask(exam, line, usual_way(exam), BRIEF * 2)
    except PackwireError as error:
        return failed(str(error))
    facts.anew = probe.reply is not None
    return passed(f"a new connection answers in {ms(probe.latency)}") if facts.anew else failed("it does not")


@check(
    "write type",
    "Does it want to be written to the other way?",
    Stage.SILENCE,
    needs=_silent,
    depth=Depth.QUICK,
)
async def other_way(exam: Examination) -> CheckResult:
    """Write the other way; where that is answered, both ways once more, in turn."""
    facts, usual = exam.facts[AnswerFacts], usual_way(exam)
    if usual is None:
        return skipped("nothing is written to it")
    other = _OTHER[usual]
    try:
        first = await _once(exam, other, BRIEF * 2)
        if first.reply is None:
            ended = f"written {other}, the connection ends as well"
            return failed(ended if first.closed else f"written {other}, it is silent, too")
        # On new connections: what it goes on sending looks like an answer.
        again = await _anew(exam, usual, BRIEF + 4 * first.latency)
        if again.reply is not None:
            facts.woken, facts.answered = True, [usual]
            return odd(f"written {other}, it answers in {ms(first.latency)}; and now written {usual} as well")
        last = await _anew(exam, other, BRIEF + 4 * first.latency)
    except PackwireError as error:
        facts.refused = facts.refused or str(error)
        return failed(f"written {other}: {error}")
    words = f"written {other}, it answers in {ms(first.latency)}"
    if last.reply is None:
        facts.early = True
        return odd(f"{words}, and soon after a new connection not: it needs some time")
    return passed(f"{words}; {usual} again it is silent, {other} again it answers")


async def _once(exam: Examination, way: WriteType, patience: float) -> Probe:
    async with asking(exam, way) as line:
        await line.wait_closed(QUIET)  # what still comes of an earlier request is no answer to this one
        return await _ask(exam, line, way, patience)


async def _anew(exam: Examination, way: WriteType, patience: float) -> Probe:
    await connect(exam)
    return await _once(exam, way, patience)


def _may_be_others(exam: Examination) -> str:
    if exam.facts[FamilyFacts].plugin is not None:
        return "aiobmsble reads it, in its own way"
    if exam.spoken is None and not is_connected(exam):
        return "" if exam.facts[FamilyFacts].table else "nobody knows what it has"
    if exam.facts[TableFacts].missing and not is_connected(exam):
        return "" if exam.facts[FamilyFacts].table else "nobody knows what it has"
    facts = exam.facts[AnswerFacts]
    its_own = facts.echoes or facts.damaged or facts.cut
    return is_unanswered(exam) or ("it sends frames of its family" if its_own else "")


@check("families", "Does it answer another family's question?", Stage.SILENCE, needs=_may_be_others)
async def others(exam: Examination) -> CheckResult:
    """Put the questions of other families that speak by what it has; only such as ask and disturb nobody."""
    facts = exam.facts[FamilyFacts]
    likely = sorted(facts.table, key=lambda each: each.name not in facts.fits)
    asked = [each for each in likely if each is not exam.spoken and each.harmless][:_MOST_ASKED]
    if not asked:
        return skipped("no other family that is known speaks by what it has")
    facts.asked = tuple(each.name for each in asked)
    for each in asked:
        try:
            if await _answers(exam, each):
                facts.answered = each
                facts.again = await _answers(exam, each)
                return odd(f"it answers the question of {each.title}", excludes="silence, a password")
        except PackwireError as error:
            return failed(f"asked as {each.title}: {error}")
    return failed(f"nor does it answer as {titles_of(facts.asked)}")


async def _answers(exam: Examination, other: Protocol) -> bool:
    """Tell whether it answers another family's question, written in each way that it is written in."""
    client = exam.facts[OpenFacts].client
    if client is None or not client.is_connected:
        client = await connect(exam)
    place = BleLink(exam.address, other).place_on(services_of(client))
    ways = (place.write_type,) if place.write_type else tuple(WriteType)[::-1]
    for way in ways:
        async with asking(exam, way, spoken=other, place=place) as line:
            probe = await line.ask(other.harmless[0], None, BRIEF)
        if probe.reply is not None:
            return True
    return False


@check("patience", "Does it answer later?", Stage.SILENCE, needs=_silent)
async def more_time(exam: Examination) -> CheckResult:
    """Let the connection be for a while, ask, and wait longer."""
    facts, way = exam.facts[AnswerFacts], usual_way(exam)
    try:
        async with asking(exam, way) as line:
            await line.wait_closed(_SETTLE)
            probe = await _ask(exam, line, way, LONG)
    except PackwireError as error:
        return failed(str(error))
    if probe.reply is None:
        return failed(f"nothing in {LONG:.0f} s either, asked {_SETTLE:.0f} s after the connection")
    if probe.latency >= PATIENCE:
        facts.late = probe.latency
        return odd(f"it answers after {ms(probe.latency)}")
    words = f"asked {_SETTLE:.0f} s after the connection, it answers in {ms(probe.latency)}"
    try:
        soon = way is not None and (await _anew(exam, way, BRIEF * 2)).reply is not None
    except PackwireError as error:
        return odd(f"{words}; then {error}")
    facts.woken, facts.early = soon, not soon
    return odd(f"{words}; {'now' if soon else 'not'} soon after a new one{' as well' if soon else ''}")


#: Requests one behind the other, and how many are asked at leisure where some of them were lost.
_FAST, _SLOW = 5, 3
_LEISURE = 1.5


def _answers_at_all(exam: Examination) -> str:
    facts = exam.facts[AnswerFacts]
    if not (facts.works or facts.answered_at_last) or exam.protocol.hello is None or not exam.protocol.asks:
        return "it was not answered"
    return can_ask(exam)


@check("pace", "Does it keep up with questions?", Stage.FLOW, needs=_answers_at_all)
async def pace(exam: Examination) -> CheckResult:
    """Ask as soon as it has answered, some times; where answers are missing, ask again at leisure."""
    facts = exam.facts[AnswerFacts]
    way = facts.answered[-1] if facts.answered else usual_way(exam)
    request = exam.protocol.hello
    assert request is not None
    patience = BRIEF + 3 * (facts.first or 0.0)
    exam.facts[OpenFacts].doing = "it was asked again and again"
    try:
        async with asking(exam, way) as line:
            got = [(await line.ask(request, None, patience)).reply is not None for _ in range(_FAST)]
            facts.fast = len(got), sum(got)
            if all(got):
                return passed(f"{_FAST} requests one behind the other are answered")
            slow = []
            for _ in range(_SLOW):
                await line.wait_closed(_LEISURE)
                slow.append((await line.ask(request, None, patience)).reply is not None)
            facts.slow = len(slow), sum(slow)
    except PackwireError as error:
        return failed(str(error))
    words = f"of {_FAST} requests one behind the other {sum(got)} are answered"
    return CheckResult("", "", Outcome.ODD, f"{words}; of {_SLOW} at leisure {sum(slow)}")
