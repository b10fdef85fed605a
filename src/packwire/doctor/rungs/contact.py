"""The first question: whether anything comes back, and who is there.

It is asked as an ordinary client asks it, without filler in front. Where nothing comes, zeros are sent, which
can never be a frame: if a client before us broke off inside a frame, they complete it, its checksum is wrong,
and the device finds our question among the swallowed bytes. That makes the experiment safe: nothing but a
read command and zeros is ever sent, and both are sent on every connection anyway.
"""

from packwire.doctor.case import Case, Depth
from packwire.doctor.facts import Contact, ms
from packwire.doctor.line import Exchange, Line
from packwire.doctor.rungs.step import Result, Step, failed, odd, passed
from packwire.doctor.rungs.words import hexed, instead, version_words, without_login
from packwire.vesc.commands import Command
from packwire.vesc.replies import FW_VERSION
from packwire.vesc.requests import request

_QUESTION = request(Command.FW_VERSION)
#: A reply that comes this much sooner than the first one (a share of the first patience, after which zeros
#: were sent) did not come from a slow device.
_SOONER = 0.5
#: How long the second reply is waited for, as a multiple of what the first took.
_LATER = 1.5
#: How long a reply is waited for in all, as a multiple of the first patience.
_SECOND_WAIT = 3.0


async def first_contact(case: Case) -> Result:
    """Ask FW_VERSION; where nothing comes back, flush the device's parser and wait longer."""
    line = await case.line()
    wait = line.send(_QUESTION)
    first = await line.await_reply(wait, case.options.patience)
    flushed = False
    if first.reply is None and not first.closed and not line.stats.frames:
        flushed = True
        line.send_filler()
        wait = line.rewait(wait)
        first = await line.await_reply(wait, _SECOND_WAIT * case.options.patience)
    if first.reply is None:
        case.facts.note(first)
        return await _nothing(case, line, first)
    second = await case.ask(_QUESTION, patience=max(case.options.patience, _LATER * first.latency))
    sooner = (first.latency - second.latency) / case.options.patience
    swallowed = flushed and second.reply is not None and sooner >= _SOONER
    if not swallowed:  # else its time says nothing about the link
        case.facts.note(first)
    return _something(case, first, second, swallowed=swallowed)


def _something(case: Case, first: Exchange, second: Exchange, *, swallowed: bool) -> Result:
    assert first.reply is not None
    facts = case.facts
    facts.contact = Contact.ANSWERED
    facts.first_bytes = first.frame
    _learn_version(case, second.reply or first.reply)
    evidence = (f"first reply: {hexed(first.frame)}",)
    rules_out = "a device that is off or hung; a port that is no VESC's"
    if swallowed:
        facts.contact = Contact.AFTER_FILLER
        return odd(
            f"only after {ms(first.latency)}, when zeros had been sent; the next reply took "
            f"{ms(second.latency)}",
            "the first question was swallowed: the device's parser stood inside a frame that some client "
            "before us had left unfinished",
            *evidence,
            rules_out=rules_out,
        )
    return passed(f"a whole VESC frame after {ms(first.latency)}", *evidence, rules_out=rules_out)


def _learn_version(case: Case, reply: bytes) -> None:
    version = FW_VERSION.decode(reply).reply
    case.facts.node(None).version = version


async def _nothing(case: Case, line: Line, first: Exchange) -> Result:
    facts = case.facts
    facts.first_bytes = head = without_login(line.head)
    if line.echoes:
        facts.contact = Contact.ECHO
        return failed(
            "what is sent comes back unchanged: an echo, or a serial line whose RX and TX are joined"
        )
    if line.stats.frames:  # damaged or other packets, but a VESC: asked again, it may answer
        again = await case.ask(_QUESTION, tries=3)
        if again.reply is not None:
            return _something(case, again, again, swallowed=False)
    if line.stats.received:
        return await _bytes_without_frame(case, line, first, head)
    facts.contact = Contact.CLOSED if first.closed else Contact.SILENT
    waited = ms(_SECOND_WAIT * case.options.patience)
    if first.closed:
        return failed("the other end closed the connection and sent not one byte")
    return failed(f"not one byte, in {waited}, nor after 520 zeros that free a parser stuck inside a frame")


async def _bytes_without_frame(case: Case, line: Line, first: Exchange, head: bytes) -> Result:
    """Tell a VESC whose first reply was damaged from something that speaks another language."""
    again = await case.ask(_QUESTION, tries=3)
    if again.reply is not None:
        return _something(case, again, again, swallowed=False)
    case.facts.contact = Contact.NOT_A_VESC
    return failed(
        f"{line.stats.received} bytes came back, and no VESC frame among them",
        f"they begin with {head[:40]!r}",
        instead(first),
    )


async def who_is_there(case: Case) -> Result:
    """Say who answered FW_VERSION."""
    version = case.facts.version
    assert version is not None
    return passed(version_words(version), rules_out="another device than the one that was meant")


def _connected(case: Case) -> str:
    return "" if case.current is not None and not case.facts.closed_at_login else "there is no connection"


def answered(case: Case) -> str:
    """Need a VESC that answered the first question."""
    return "" if case.facts.version is not None else "nothing answered the first question"


STEPS = (
    Step("contact", "Does anything come back?", first_contact, _connected, Depth.QUICK),
    Step("who", "Who is there?", who_is_there, answered, Depth.QUICK),
)
