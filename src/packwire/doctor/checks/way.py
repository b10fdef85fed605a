"""The way to any device: the connection."""

from packwire.check import CheckResult, Depth, Stage, check, failed, passed
from packwire.doctor.examination import Examination
from packwire.doctor.facts import Reach, WayFacts
from packwire.errors import BadAddressError, Reason, UnreachableError


def may_connect(exam: Examination) -> str:
    """Need a way that was not found closed already."""
    way = exam.facts[WayFacts]
    return "" if way.reach is Reach.UNTRIED else way.error or "tried already"


def has_connection(exam: Examination) -> str:
    """Need an open way."""
    return "" if exam.facts[WayFacts].reach is Reach.OPEN else "there is no connection"


@check("connect", "Does it take a connection?", Stage.WAY, needs=may_connect, depth=Depth.QUICK)
async def connect(exam: Examination) -> CheckResult:
    """Open the connection; a hub's login is sent with it."""
    try:
        exam.current = await exam.dial()
    except BadAddressError:
        raise
    except UnreachableError as error:
        return unreachable(exam, error)
    exam.facts[WayFacts].reach = Reach.OPEN
    took = exam.current.age
    what = "the port opened" if exam.target.is_serial else f"connected after {took * 1000:.0f} ms"
    excludes = (
        "another program that holds the port" if exam.target.is_serial else "a firewall; a device that is off"
    )
    return passed(what, excludes=excludes)


def unreachable(exam: Examination, error: UnreachableError) -> CheckResult:
    """Keep why there is no way."""
    way = exam.facts[WayFacts]
    way.error = str(error)
    way.reason = error.reason
    way.reach = _REACH.get(error.reason, Reach.NOTHING_THERE)
    return failed(str(error))


_REACH = {
    Reason.PORT_REFUSED: Reach.REFUSED,
    Reason.UNKNOWN_NAME: Reach.UNKNOWN_NAME,
    Reason.NOT_ALLOWED: Reach.NOT_ALLOWED,
    Reason.BUSY: Reach.NOT_ALLOWED,
}
