"""The way to the device: the name, whether the hub knows the id, the connection, the login."""

import asyncio
import contextlib
import socket

from packwire.address import LinkKind
from packwire.doctor.checks.step import Check, Result, failed, odd, passed
from packwire.doctor.checks.words import packets, without_login
from packwire.doctor.examination import Depth, Examination
from packwire.doctor.facts import Reach
from packwire.doctor.foreign import protocol_of
from packwire.doctor.line import Disconnect
from packwire.errors import BadAddressError, Reason, UnreachableError
from packwire.link.hub import Presence, ask_hub
from packwire.vesc.commands import Command
from packwire.vesc.requests import request

#: Seconds to wait for a name server.
_NAME_PATIENCE = 5.0
#: A hub closes a login that it does not like at once; over the internet that takes a round trip or two.
LOGIN_PATIENCE = 0.5


async def look_up(exam: Examination) -> Result:
    """Look the host's name up."""
    address = exam.address
    assert address.on_network
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_NAME_PATIENCE):
            found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # TimeoutError among them
        exam.facts.reach = Reach.UNKNOWN_NAME
        no_server = isinstance(error, TimeoutError) or error.args[:1] == (socket.EAI_AGAIN,)
        exam.facts.reach_reason = Reason.TIMED_OUT if no_server else Reason.UNKNOWN_NAME
        exam.facts.reach_error = f"the name {address.host} is not known here"
        return failed(f"the name {address.host} is not known here", f"the system says: {error}")
    exam.facts.addresses = tuple(dict.fromkeys(str(each[4][0]) for each in found))
    return passed(f"{address.host} is {', '.join(exam.facts.addresses)}", excludes="a misspelt name")


async def hub_knows(exam: Examination) -> Result:
    """Ask the hub with its own PING whether a device of this id is connected to it."""
    address = exam.address
    assert address.link is LinkKind.HUB
    try:
        answer = await ask_hub(address.host, address.port, address.user)
    except UnreachableError as error:
        return _unreachable(exam, error)
    presence = answer.presence
    facts = exam.facts
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
            "a device of this id is connected to the hub", said, excludes="a wrong id; a device offline"
        )
    return failed("no device of this id is connected to the hub", said)


async def connect(exam: Examination) -> Result:
    """Open the connection; a hub's login is sent with it."""
    try:
        exam.current = await exam.dial()
    except BadAddressError:
        raise
    except UnreachableError as error:
        return _unreachable(exam, error)
    exam.facts.reach = Reach.OPEN
    took = exam.current.age
    what = "the port opened" if exam.is_serial else f"connected after {took * 1000:.0f} ms"
    excludes = "another program that holds the port" if exam.is_serial else "a firewall; a device that is off"
    return passed(what, excludes=excludes)


def _unreachable(exam: Examination, error: UnreachableError) -> Result:
    exam.facts.reach_error = str(error)
    exam.facts.reach_reason = error.reason
    exam.facts.reach = _REACH.get(error.reason, Reach.NOTHING_THERE)
    return failed(str(error))


_REACH = {
    Reason.PORT_REFUSED: Reach.REFUSED,
    Reason.UNKNOWN_NAME: Reach.UNKNOWN_NAME,
    Reason.NOT_ALLOWED: Reach.NOT_ALLOWED,
    Reason.BUSY: Reach.NOT_ALLOWED,
}


async def log_in(exam: Examination) -> Result:
    """See whether the hub closes: it never answers a login, it only closes what it does not like."""
    line = await exam.line()
    if not await line.wait_closed(LOGIN_PATIENCE):
        return passed("the hub did not close at login", excludes="a wrong password, most likely")
    seen = line.disconnect
    age = seen.age if seen else 0.0
    closed = f"it closed {age * 1000:.0f} ms after the login"
    if line.head and exam.facts.hub_knows is None:
        exam.facts.hub_said = exam.facts.hub_said or without_login(line.head)
    if await _answers_at_once(exam):
        at = seen.at if seen else 0.0
        exam.facts.disconnects.append(Disconnect(age, answered=True, mid_frame=None, reset=False, at=at))
        return odd(f"{closed}, but a second login was answered: not the password")
    exam.facts.closed_at_login = True
    if exam.facts.hub_said:
        return failed(closed, f"it said {exam.facts.hub_said[:40]!r}")
    if exam.facts.hub_knows:  # the device may have left in between
        await _ask_again(exam)
    return failed(f"{closed}, without a word; a second login was not answered either")


async def _ask_again(exam: Examination) -> None:
    """Ask PING once more behind a refused login."""
    address = exam.address
    assert address.link is LinkKind.HUB
    presence = Presence.NO_WORD
    with contextlib.suppress(UnreachableError):
        presence = (await ask_hub(address.host, address.port, address.user)).presence
    exam.facts.hub_knows = {Presence.THERE: True, Presence.NOT_THERE: False}.get(presence)


async def _answers_at_once(exam: Examination) -> bool:
    """Log in again and ask at once: a wrong password is never answered, a takeover leaves time for it."""
    line = await exam.fresh_line()
    probe = await line.ask(request(Command.FW_VERSION), None, LOGIN_PATIENCE)
    exam.note_disconnect()
    return probe.reply is not None


async def listen_before(exam: Examination) -> Result:
    """Listen without asking anything, to see whether the device sends by itself."""
    seconds = exam.options.listen if exam.options.listen is not None else 0.3
    line = await exam.line()
    frames = line.stats.frames
    await line.wait_closed(seconds)
    facts = exam.facts
    facts.heard_before = line.stats.frames - frames
    facts.listened = seconds
    if line.closed:
        return odd("the other end closed the connection while nothing was asked")
    if line.stats.received == 0:
        return passed(f"nothing in {seconds:g} s, as it should be: a VESC speaks when asked")
    kinds = packets(line.unsolicited)
    heard = f"{line.stats.received} bytes, {line.stats.frames} frames"
    return odd(f"{heard} came by themselves in {seconds:g} s" + (f": {kinds}" if kinds else ""))


def _has_a_name(exam: Examination) -> str:
    return "" if exam.address.on_network else "a serial port has no name to look up"


def _named(exam: Examination) -> str:
    return "" if exam.facts.reach is Reach.UNTRIED else exam.facts.reach_error or "tried already"


def _through_hub(exam: Examination) -> str:
    if not exam.is_hub:
        return "no hub is in the way"
    return "" if exam.facts.reach in {Reach.UNTRIED, Reach.OPEN} else "the hub cannot be reached"


def _open(exam: Examination) -> str:
    return "" if exam.facts.reach is Reach.OPEN else "there is no connection"


def _may_log_in(exam: Examination) -> str:
    return _through_hub(exam) or _open(exam)


def _logged_in(exam: Examination) -> str:
    return _open(exam) or ("the hub closed at login" if exam.facts.closed_at_login else "")


CHECKS = (
    Check("name", "Is the name known?", look_up, _has_a_name, Depth.QUICK, quiet=True),
    Check("hub-id", "Does the hub know the id?", hub_knows, _through_hub, Depth.QUICK, quiet=True),
    Check("connect", "Does it take a connection?", connect, _named, Depth.QUICK),
    Check("login", "Does the hub take the login?", log_in, _may_log_in, Depth.QUICK, quiet=True),
    Check("listen", "Does anything come unasked?", listen_before, _logged_in),
)
