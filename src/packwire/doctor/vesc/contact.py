"""The first question: whether anything comes back, and who is there.

It is asked as an ordinary client asks it, without filler in front. Where nothing comes, zeros are sent, which
can never be a frame: if a client before us broke off inside a frame, they complete it, its checksum is wrong,
and the device finds our question among the swallowed bytes. That makes the experiment safe: nothing but a
read command and zeros is ever sent, and both are sent on every connection anyway.
"""

from packwire.check import CheckResult, Depth, Stage, check, failed, odd, passed
from packwire.doctor.checks.words import hexed, instead
from packwire.doctor.examination import Examination
from packwire.doctor.facts import Contact, ContactFacts, HubFacts, ProbeFacts, ms
from packwire.doctor.line import Line, Probe
from packwire.doctor.vesc.facts import BusFacts
from packwire.doctor.vesc.words import version_words, without_login
from packwire.vesc.commands import Command
from packwire.vesc.framing import encode_frame
from packwire.vesc.replies import FW_VERSION
from packwire.vesc.requests import request

HELLO = request(Command.FW_VERSION)
#: A reply that comes this much sooner than the first one (a share of the first patience, after which zeros
#: were sent) did not come from a slow device.
_SOONER = 0.5
#: How long the second reply is waited for, as a multiple of what the first took.
_LATER = 1.5
#: How long a reply is waited for in all, as a multiple of the first patience.
_SECOND_WAIT = 3.0


def _connected(exam: Examination) -> str:
    return (
        ""
        if exam.current is not None and not exam.facts[HubFacts].closed_at_login
        else "there is no connection"
    )


def answered(exam: Examination) -> str:
    """Need a VESC that answered the first question."""
    return "" if exam.facts[BusFacts].version is not None else "nothing answered the first question"


@check("contact", "Does anything come back?", Stage.CONTACT, needs=_connected, depth=Depth.QUICK)
async def first_contact(exam: Examination) -> CheckResult:
    """Ask FW_VERSION; where nothing comes back, flush the device's parser and wait longer."""
    sent = exam.facts[ProbeFacts]
    line = await exam.line()
    pending = line.send(HELLO)
    first = await line.await_reply(pending, exam.options.patience)
    flushed = False
    if first.reply is None and not first.closed and not line.stats.frames:
        flushed = True
        line.send_filler()
        line.expect_again(pending)
        first = await line.await_reply(pending, _SECOND_WAIT * exam.options.patience)
    if first.reply is None:
        sent.note(first)
        return await _nothing(exam, line, first)
    second = await exam.ask(HELLO, patience=max(exam.options.patience, _LATER * first.latency))
    sooner = (first.latency - second.latency) / exam.options.patience
    swallowed = flushed and second.reply is not None and sooner >= _SOONER
    if not swallowed:  # else its time says nothing about the link
        sent.note(first)
    return _something(exam, first, second, swallowed=swallowed)


def _something(exam: Examination, first: Probe, second: Probe, *, swallowed: bool) -> CheckResult:
    first_facts = exam.facts[ContactFacts]
    assert first.reply is not None
    first_facts.contact = Contact.ANSWERED
    first_facts.first_bytes = first.frame
    _learn_version(exam, second.reply or first.reply)
    evidence = (f"first reply: {hexed(first.frame)}",)
    excludes = "a device that is off or hung; a port that is no VESC's"
    if swallowed:
        first_facts.contact = Contact.AFTER_FILLER
        return odd(
            f"only after {ms(first.latency)}, when zeros had been sent; the next reply took "
            f"{ms(second.latency)}",
            "the first question was swallowed: the device's parser stood inside a frame that some client "
            "before us had left unfinished",
            *evidence,
            excludes=excludes,
        )
    return passed(f"a whole VESC frame after {ms(first.latency)}", *evidence, excludes=excludes)


def _learn_version(exam: Examination, reply: bytes) -> None:
    version = FW_VERSION.decode(reply).reply
    exam.facts[BusFacts].node(None).version = version


async def _nothing(exam: Examination, line: Line, first: Probe) -> CheckResult:
    first_facts = exam.facts[ContactFacts]
    first_facts.first_bytes = head = without_login(line.head)
    if line.echoes:
        first_facts.contact = Contact.ECHO
        first_facts.besides_echo = bool(head.replace(encode_frame(HELLO), b"").strip(b"\0"))
        return failed(
            "what is sent comes back unchanged: an echo, or a serial line whose RX and TX are joined"
        )
    if line.stats.frames:  # damaged or other packets, but a VESC: asked again, it may answer
        again = await exam.ask(HELLO, tries=3)
        if again.reply is not None:
            return _something(exam, again, again, swallowed=False)
    if line.stats.received:
        return await _bytes_without_frame(exam, line, first, head)
    first_facts.contact = Contact.CLOSED if first.closed else Contact.SILENT
    waited = ms(_SECOND_WAIT * exam.options.patience)
    if first.closed:
        return failed("the other end closed the connection and sent not one byte")
    return failed(f"not one byte, in {waited}, nor after 520 zeros that free a parser stuck inside a frame")


async def _bytes_without_frame(exam: Examination, line: Line, first: Probe, head: bytes) -> CheckResult:
    """Tell a VESC whose first reply was damaged from something that speaks another language."""
    again = await exam.ask(HELLO, tries=3)
    if again.reply is not None:
        return _something(exam, again, again, swallowed=False)
    exam.facts[ContactFacts].contact = Contact.FOREIGN
    return failed(
        f"{line.stats.received} bytes came back, and no VESC frame among them",
        f"they begin with {head[:40]!r}",
        instead(first),
    )


@check("who", "Who is there?", Stage.CONTACT, needs=answered, depth=Depth.QUICK)
async def who_is_there(exam: Examination) -> CheckResult:
    """Say who answered FW_VERSION."""
    version = exam.facts[BusFacts].version
    assert version is not None
    return passed(version_words(version), excludes="another device than the one that was meant")
