"""Whether the name of a host is known."""

import asyncio
import socket

from packwire.check import CheckResult, Depth, Stage, check, failed, passed
from packwire.doctor.examination import Examination
from packwire.doctor.facts import Reach, WayFacts
from packwire.errors import Reason

#: Seconds to wait for a name server.
_NAME_PATIENCE = 5.0


def _has_a_name(exam: Examination) -> str:
    return "" if exam.address.on_network else "a serial port has no name to look up"


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
