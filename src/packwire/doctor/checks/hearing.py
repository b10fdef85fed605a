"""Packs that are only heard: they send by themselves, or another master asks them."""

import time
from collections import Counter

from packwire.address import LinkKind
from packwire.check import CheckResult, Depth, Stage, check, failed, odd, passed
from packwire.direction import Direction
from packwire.doctor.checks import way
from packwire.doctor.examination import Examination
from packwire.doctor.facts import Contact, ContactFacts
from packwire.doctor.line_facts import CanFacts, LineFacts
from packwire.doctor.wire_bytes import WireBytes, look_at_wire
from packwire.event import EventKind
from packwire.models.protocol import ModelProtocol
from packwire.phrases import few
from packwire.protocols import usable
from packwire.wire.finding import frames_in

#: Seconds to listen at least, at most, and how often each message is waited for.
_LEAST, _MOST, _TIMES = 3.0, 12.0, 3
_STEP = 0.25
#: Of what came, so many bytes are looked at: a line may send without end.
_MOST_BYTES = 1 << 15
#: Of a protocol that is not the address's, so many of the identifiers that are heard are its own.
_FITS = 2


def only_hears(exam: Examination) -> str:
    """Need an open way on which nothing is asked."""
    asked = exam.protocol.asks and not exam.address.listens
    return way.has_connection(exam) or ("it is asked" if asked else "")


def messages(exam: Examination) -> list[bytes]:
    """Return the frames that came so far, of the protocol's framings; of CAN every one."""
    came = [each.data for each in exam.transcript.segments if each.direction is Direction.FROM_DEVICE]
    if exam.address.link is LinkKind.CAN:
        return came
    stream, family = b"".join(came)[-_MOST_BYTES:], exam.protocol.family
    framings = family.framings if family is not None else ()
    return [stream[each.start : each.start + each.size] for each in frames_in(stream, framings) if each.ok]


def _replies(spoken: ModelProtocol, heard: list[bytes]) -> Counter[str]:
    """Return how often each reply of a model was heard."""
    found = (spoken.reply_of(each) for each in heard if spoken.question_of(each) is None)
    return Counter(each.name for each in found if each is not None)


@check("heard", "Does the pack send?", Stage.CONTACT, needs=only_hears, depth=Depth.QUICK, quiet=True)
async def hear(exam: Examination) -> CheckResult:
    """Listen until each message came once, or for a while."""
    spoken = exam.protocol
    assert isinstance(spoken, ModelProtocol)
    line, facts = await exam.line(), exam.facts[LineFacts]
    wanted = {each.name: each.every for each in spoken.replies if not each.refuses and not each.optional}
    limit = min(max(_LEAST, _TIMES * max(wanted.values(), default=0.0)), _MOST)
    begun = time.monotonic()
    heard = _replies(spoken, messages(exam))
    while time.monotonic() - begun < limit and not (heard and heard.keys() >= wanted.keys()):
        if await line.wait_closed(_STEP):
            break
        heard = _replies(spoken, messages(exam))
    seconds = time.monotonic() - begun
    found = look_at_wire(exam)
    if not heard:
        return _nothing(exam, found, seconds)
    facts.answered = True
    exam.facts[ContactFacts].contact = Contact.ANSWERED
    said = f"{few(f'{count} x {name}' for name, count in sorted(heard.items()))} in {seconds:.1f} s"
    excludes = "wires that are crossed or open; a wrong rate; another protocol"
    missing = sorted(wanted.keys() - heard.keys())
    if missing:
        return odd(f"{said}; not heard: {few(missing)}", excludes=excludes)
    return passed(said, excludes=excludes)


def _nothing(exam: Examination, found: WireBytes, seconds: float) -> CheckResult:
    contact, facts = exam.facts[ContactFacts], exam.facts[LineFacts]
    if not found.size:
        contact.contact = Contact.SILENT
        facts.in_vain = seconds
        if exam.address.link is LinkKind.CAN:
            words = f"no CAN message in {seconds:.0f} s"
            exam.journal.tell(EventKind.TIMED_OUT, "can-empty", words)
            return failed(words)
        return failed(f"not one byte in {seconds:.0f} s")
    contact.contact = Contact.FOREIGN
    if exam.address.link is LinkKind.CAN:
        return _other_ids(exam, seconds)
    facts.noise = found.outside
    return failed(f"none of its messages in {seconds:.0f} s: {found}")


def _other_ids(exam: Examination, seconds: float) -> CheckResult:
    heard = messages(exam)
    ids = Counter(int.from_bytes(each[:4]) & 0x1FFF_FFFF for each in heard)
    models = [each for each in usable() if isinstance(each, ModelProtocol) and each.can and not each.origin]
    fitting = {each.name: len(_replies(each, heard)) for each in models if each.name != exam.protocol.name}
    others = {name: count for name, count in fitting.items() if count >= min(_FITS, len(ids))}
    best = max(others.values(), default=0)
    facts = exam.facts[CanFacts]
    facts.other_ids = tuple(f"{each:#x}" for each, _ in ids.most_common())
    facts.fits = tuple(sorted(name for name, count in others.items() if count == best))
    said = f"{len(heard)} frames in {seconds:.0f} s, none of them one of {exam.protocol.title}'s"
    whose = f"they are those of {few(facts.fits)}" if facts.fits else "no model of packwire knows them"
    return failed(said, f"identifiers {few(facts.other_ids)}", whose)
