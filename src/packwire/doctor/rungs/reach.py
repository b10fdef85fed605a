"""The way to the device: the name, whether the hub knows the id, the connection, the login."""

import asyncio
import contextlib
import socket

from packwire.address import HubAddress, TcpAddress
from packwire.doctor.case import Case, Depth
from packwire.doctor.facts import Contact, Reach
from packwire.doctor.foreign import protocol_of
from packwire.doctor.line import Close
from packwire.doctor.rungs.step import Result, Step, failed, odd, passed
from packwire.doctor.rungs.words import packets, without_login
from packwire.errors import BadAddressError, Reason, UnreachableError
from packwire.link.hub import Presence, ask_hub
from packwire.vesc.commands import Command
from packwire.vesc.requests import request

#: Seconds to wait for a name server.
_NAME_PATIENCE = 5.0
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
    except (OSError, UnicodeError) as error:  # TimeoutError among them
        case.facts.reach = Reach.UNKNOWN_NAME
        no_server = isinstance(error, TimeoutError) or error.args[:1] == (socket.EAI_AGAIN,)
        case.facts.reach_reason = Reason.TIMED_OUT if no_server else Reason.UNKNOWN_NAME
        case.facts.reach_error = f"the name {address.host} is not known here"
        return failed(f"the name {address.host} is not known here", f"the system says: {error}")
    case.facts.addresses = tuple(dict.fromkeys(str(each[4][0]) for each in found))
    return passed(f"{address.host} is {', '.join(case.facts.addresses)}", rules_out="a misspelt name")


async def hub_knows(case: Case) -> Result:
    """Ask the hub with its own PING whether a device of this id is connected to it."""
    address = case.address
    assert isinstance(address, HubAddress)
    try:
        answer = await ask_hub(address.host, address.port, address.device_id)
    except UnreachableError as error:
        return _unreachable(case, error)
    presence = answer.presence
    facts = case.facts
    if presence is Presence.FOREIGN:
        facts.hub_said = answer.said
        name = protocol_of(answer.said)
        return failed(
            f"it answers PING as no hub does{f': it is {name}' if name else ''}",
            f"it said {answer.said[:40]!r}",
        )
    if presence is Presence.NO_WORD:
        return odd("nothing came back on PING: a hub that hangs, or no hub that knows PING")
    facts.hub_answers_ping = True
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
    case.facts.reach_reason = error.reason
    case.facts.reach = _REACH.get(error.reason, Reach.NOTHING_THERE)
    return failed(str(error))


_REACH = {
    Reason.PORT_REFUSED: Reach.REFUSED,
    Reason.UNKNOWN_NAME: Reach.UNKNOWN_NAME,
    Reason.NOT_ALLOWED: Reach.NOT_ALLOWED,
    Reason.BUSY: Reach.NOT_ALLOWED,
}


async def log_in(case: Case) -> Result:
    """See whether the hub closes: it never answers a login, it only closes what it does not like."""
    line = await case.line()
    if not await line.wait_closed(LOGIN_PATIENCE):
        return passed("the hub did not close at login", rules_out="a wrong password, most likely")
    seen = line.close_seen
    age = seen.age if seen else 0.0
    closed = f"it closed {age * 1000:.0f} ms after the login"
    if line.head and case.facts.hub_knows is None:
        case.facts.hub_said = case.facts.hub_said or without_login(line.head)
    if await _answers_at_once(case):
        at = seen.at if seen else 0.0
        case.facts.closes.append(Close(age, answered=True, mid_frame=None, reset=False, at=at))
        return odd(f"{closed}, but a second login was answered: not the password")
    case.facts.closed_at_login = True
    if case.facts.hub_said:
        return failed(closed, f"it said {case.facts.hub_said[:40]!r}")
    if case.facts.hub_knows:  # the device may have left in between
        await _ask_again(case)
    return failed(f"{closed}, without a word; a second login was not answered either")


async def _ask_again(case: Case) -> None:
    """Ask PING once more behind a refused login."""
    address = case.address
    assert isinstance(address, HubAddress)
    presence = Presence.NO_WORD
    with contextlib.suppress(UnreachableError):
        presence = (await ask_hub(address.host, address.port, address.device_id)).presence
    case.facts.hub_knows = {Presence.THERE: True, Presence.NOT_THERE: False}.get(presence)


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
        if not line.stats.received and not case.is_hub:
            facts.contact = Contact.CLOSED
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
