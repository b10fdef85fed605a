"""Whether anything comes unasked."""

from packwire.check import CheckResult, Stage, check, odd, passed
from packwire.doctor.checks.way import has_connection
from packwire.doctor.checks.words import packets
from packwire.doctor.examination import Examination
from packwire.doctor.facts import Contact, ContactFacts, HubFacts, StreamFacts


def _logged_in(exam: Examination) -> str:
    return has_connection(exam) or ("the hub closed at login" if exam.facts[HubFacts].closed_at_login else "")


@check("listen", "Does anything come unasked?", Stage.CONTACT, needs=_logged_in)
async def listen_before(exam: Examination) -> CheckResult:
    """Listen without asking anything, to see whether the device sends by itself."""
    stream = exam.facts[StreamFacts]
    seconds = exam.options.listen if exam.options.listen is not None else 0.3
    line = await exam.line()
    frames = line.stats.frames
    await line.wait_closed(seconds)
    stream.heard_before = line.stats.frames - frames
    stream.listened = seconds
    if line.closed:
        if not line.stats.received and not exam.target.is_hub:
            exam.facts[ContactFacts].contact = Contact.CLOSED
        return odd("the other end closed the connection while nothing was asked")
    if line.stats.received == 0:
        return passed(f"nothing in {seconds:g} s, as it should be: a {exam.protocol.title} speaks when asked")
    kinds = packets(line.unsolicited)
    heard = f"{line.stats.received} bytes, {line.stats.frames} frames"
    return odd(f"{heard} came by themselves in {seconds:g} s" + (f": {kinds}" if kinds else ""))
