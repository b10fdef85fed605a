"""The way to the device: the name, whether the hub knows the id, the connection, the login."""

import asyncio
import socket

from packwire.address import HubAddress, TcpAddress
from packwire.doctor.case import Case, Depth
from packwire.doctor.facts import Reach
from packwire.doctor.line import Close
from packwire.doctor.rungs.step import Result, Step, failed, odd, passed
from packwire.doctor.rungs.words import packets
from packwire.errors import BadAddressError, UnreachableError
from packwire.link.hub import Presence, ping_hub
from packwire.vesc.commands import Command
from packwire.vesc.requests import request

#: Seconds to wait for a name server, and for a hub to answer PING.
_NAME_PATIENCE = 5.0
PING_PATIENCE = 3.0
#: A hub closes a login that it does not like at once; over the internet that takes a round trip or two.
LOGIN_PATIENCE = 0.5


async def look_up(case: Case) -> Result:
    """Look the host's name up."""
    address = case.address
    assert isinstance(address, TcpAddress | HubAddress)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_NAME_PATIENCE):
            found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError) as error:
        case.facts.reach = Reach.UNKNOWN_NAME
        case.facts.reach_error = f"the name {address.host} is not known here"
        return failed(f"the name {address.host} is not known here", f"the system says: {error}")
    case.facts.addresses = tuple(dict.fromkeys(str(each[4][0]) for each in found))
    return passed(f"{address.host} is {', '.join(case.facts.addresses)}", rules_out="a misspelt name")


async def hub_knows(case: Case) -> Result:
    """Ask the hub with its own PING whether a device of this id is connected to it."""
    address = case.address
    assert isinstance(address, HubAddress)
    try:
        async with asyncio.timeout(PING_PATIENCE):
            presence = await ping_hub(address.host, address.port, address.device_id)
    except UnreachableError as error:
        return _unreachable(case, error)
    except TimeoutError:
        presence = Presence.NO_WORD
    facts = case.facts
    facts.hub_answers_ping = presence is not Presence.NO_WORD
    if presence is Presence.NO_WORD:
        return odd("the hub answered nothing to PING: it is hung, or no hub that knows PING")
    facts.hub_knows = presence is Presence.THERE
    said = f"sent PING:(id):0, the hub said {presence.value}"
    if facts.hub_knows:
        return passed(
            "a device of this id is connected to the hub", said, rules_out="a wrong id; a device offline"
        )
    return failed("no device of this id is connected to the hub", said)


async def connect(case: Case) -> Result:
    """Open the connection; a hub's login is sent with it."""
    try:
        case.current = await case.dial()
    except BadAddressError:
        raise
    except UnreachableError as error:
        return _unreachable(case, error)
    case.facts.reach = Reach.OPEN
    took = case.current.age
    what = "the port opened" if case.is_serial else f"connected after {took * 1000:.0f} ms"
    rules_out = (
        "another program that holds the port" if case.is_serial else "a firewall; a device that is off"
    )
    return passed(what, rules_out=rules_out)


def _unreachable(case: Case, error: UnreachableError) -> Result:
    case.facts.reach_error = str(error)
    case.facts.reach = _reach_of(str(error), serial=case.is_serial)
    return failed(str(error))


def _reach_of(text: str, *, serial: bool) -> Reach:
    if "refused" in text:
        return Reach.REFUSED
    if "is not known" in text:
        return Reach.UNKNOWN_NAME
    if serial and "no serial port" not in text:
        return Reach.NOT_ALLOWED
    return Reach.NOTHING_THERE


async def log_in(case: Case) -> Result:
    """See whether the hub closes: it never answers a login, it only closes what it does not like."""
    line = await case.line()
    if not await line.wait_closed(LOGIN_PATIENCE):
        return passed("the hub did not close at login", rules_out="a wrong password, most likely")
    age = line.close_seen.age if line.close_seen else 0.0
    closed = f"the hub closed {age * 1000:.0f} ms after the login"
    if await _answers_at_once(case):
        case.facts.closes.append(Close(age, answered=True, mid_frame=None, reset=False))
        return odd(f"{closed}, but a second login was answered: not the password, another client took over")
    case.facts.closed_at_login = True
    return failed(f"{closed}, without a word, as it always does; a second login was not answered either")


async def _answers_at_once(case: Case) -> bool:
    """Log in again and ask at once: a wrong password is never answered, a takeover leaves time for it."""
    line = await case.fresh_line()
    exchange = await line.ask(request(Command.FW_VERSION), None, LOGIN_PATIENCE)
    case.note_close()
    return exchange.reply is not None


async def listen_before(case: Case) -> Result:
    """Listen without asking anything, to see whether the device sends by itself."""
    seconds = case.options.listen if case.options.listen is not None else 0.3
    line = await case.line()
    frames = line.stats.frames
    await line.wait_closed(seconds)
    facts = case.facts
    facts.heard_before = line.stats.frames - frames
    facts.listened = seconds
    if line.closed:
        return odd("the other end closed the connection while nothing was asked")
    if line.stats.received == 0:
        return passed(f"nothing in {seconds:g} s, as it should be: a VESC speaks when asked")
    kinds = packets(line.unsolicited)
    heard = f"{line.stats.received} bytes, {line.stats.frames} frames"
    return odd(f"{heard} came by themselves in {seconds:g} s" + (f": {kinds}" if kinds else ""))


def _has_a_name(case: Case) -> str:
    return "" if isinstance(case.address, TcpAddress | HubAddress) else "a serial port has no name to look up"


def _named(case: Case) -> str:
    return "" if case.facts.reach is Reach.UNTRIED else case.facts.reach_error or "tried already"


def _through_hub(case: Case) -> str:
    if not case.is_hub:
        return "no hub is in the way"
    return "" if case.facts.reach in {Reach.UNTRIED, Reach.OPEN} else "the hub cannot be reached"


def _open(case: Case) -> str:
    return "" if case.facts.reach is Reach.OPEN else "there is no connection"


def _may_log_in(case: Case) -> str:
    return _through_hub(case) or _open(case)


def _logged_in(case: Case) -> str:
    return _open(case) or ("the hub closed at login" if case.facts.closed_at_login else "")


STEPS = (
    Step("name", "Is the name known?", look_up, _has_a_name, Depth.QUICK, quiet=True),
    Step("hub-id", "Does the hub know the id?", hub_knows, _through_hub, Depth.QUICK, quiet=True),
    Step("connect", "Does it take a connection?", connect, _named, Depth.QUICK),
    Step("login", "Does the hub take the login?", log_in, _may_log_in, Depth.QUICK, quiet=True),
    Step("listen", "Does anything come unasked?", listen_before, _logged_in),
)
