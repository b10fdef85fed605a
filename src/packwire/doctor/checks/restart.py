"""Whether a silent device was hung: its owner switches it off and on."""

from packwire.check import CheckResult, Depth, Stage, check, failed, odd, skipped
from packwire.doctor.checks.tcp import is_silent
from packwire.doctor.examination import Examination
from packwire.doctor.facts import ContactFacts, HubFacts, ServiceFacts


def _may_restart(exam: Examination) -> str:
    if exam.options.restart is None:
        return "nobody is here to switch it off and on (--restart)"
    if exam.facts[ServiceFacts].neighbours:
        return "another program holds it"
    return is_silent(exam) or ("it is a hub" if exam.facts[HubFacts].in_disguise else "")


@check("restart", "Is it hung?", Stage.SILENCE, needs=_may_restart, depth=Depth.QUICK, quiet=True)
async def restart(exam: Examination) -> CheckResult:
    """Let the owner switch the device off and on, and ask again: what was hung answers then."""
    service = exam.facts[ServiceFacts]
    assert exam.options.restart is not None
    await exam.hang_up()
    if not await exam.options.restart():
        return skipped("it was not switched off and on")
    result = await next(each for each in exam.checks if each.name == "contact").run(exam)
    service.revived = exam.facts[ContactFacts].answered
    if service.revived:
        return odd("it answers again: it was hung", *result.evidence, excludes="a broken link")
    return failed("still not one byte: it was not merely hung")
