"""The way to any device: the name, and the connection."""

import asyncio
import socket

from packwire.check import CheckResult, Depth, Stage, check, failed, passed
from packwire.doctor.examination import Examination
from packwire.doctor.facts import Reach, WayFacts
from packwire.errors import BadAddressError, Reason, UnreachableError

#: Seconds to wait for a name server.
_NAME_PATIENCE = 5.0


def _has_a_name(exam: Examination) -> str:
    return "" if exam.address.on_network else "a serial port has no name to look up"


def _named(exam: Examination) -> str:
    way = exam.facts[WayFacts]
    return "" if way.reach is Reach.UNTRIED else way.error or "tried already"


def has_connection(exam: Examination) -> str:
    """Need an open way."""
    return "" if exam.facts[WayFacts].reach is Reach.OPEN else "there is no connection"


@check("name", "Is the name known?", Stage.NAME, needs=_has_a_name, depth=Depth.QUICK, quiet=True)
async def look_up(exam: Examination) -> CheckResult:
    """Look the host's name up."""
    way = exam.facts[WayFacts]
    address = exam.address
    assert address.on_network
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_NAME_PATIENCE):
            found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # TimeoutError among them
        way.reach = Reach.UNKNOWN_NAME
        no_server = isinstance(error, TimeoutError) or error.args[:1] == (socket.EAI_AGAIN,)
        way.reason = Reason.TIMED_OUT if no_server else Reason.UNKNOWN_NAME
        way.error = f"the name {address.host} is not known here"
        return failed(f"the name {address.host} is not known here", f"the system says: {error}")
    way.addresses = tuple(dict.fromkeys(str(each[4][0]) for each in found))
    return passed(f"{address.host} is {', '.join(way.addresses)}", excludes="a misspelt name")


@check("connect", "Does it take a connection?", Stage.WAY, needs=_named, depth=Depth.QUICK)
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
