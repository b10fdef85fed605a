"""The way to any device: the name, the connection, and whether anything comes unasked."""

import asyncio
import socket

from packwire.check import CheckResult, Depth, Stage, check, failed, odd, passed
from packwire.doctor.checks.words import packets
from packwire.doctor.examination import Examination
from packwire.doctor.facts import Contact, ContactFacts, HubFacts, Reach, StreamFacts, WayFacts
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


def _logged_in(exam: Examination) -> str:
    return has_connection(exam) or ("the hub closed at login" if exam.facts[HubFacts].closed_at_login else "")


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
