"""The way through a hub: whether it knows the id, and takes the login."""

import contextlib

from packwire.address import LinkKind
from packwire.check import CheckResult, Depth, Stage, check, failed, odd, passed
from packwire.doctor.checks.way import has_connection, unreachable
from packwire.doctor.examination import Examination
from packwire.doctor.facts import ConnectionFacts, HubFacts, Reach, WayFacts
from packwire.doctor.foreign import protocol_of
from packwire.doctor.line import Disconnect
from packwire.doctor.vesc.words import without_login
from packwire.errors import UnreachableError
from packwire.link.hub import Presence, ask_hub

#: A hub closes a login that it does not like at once; over the internet that takes a round trip or two.
LOGIN_PATIENCE = 0.5


def _through_hub(exam: Examination) -> str:
    return "" if exam.facts[WayFacts].reach in {Reach.UNTRIED, Reach.OPEN} else "the hub cannot be reached"


def _may_log_in(exam: Examination) -> str:
    return _through_hub(exam) or has_connection(exam)


@check("hub-id", "Does the hub know the id?", Stage.NAME, needs=_through_hub, depth=Depth.QUICK, quiet=True)
async def hub_knows(exam: Examination) -> CheckResult:
    """Ask the hub with its own PING whether a device of this id is connected to it."""
    hub = exam.facts[HubFacts]
    address = exam.address
    assert address.link is LinkKind.HUB
    try:
        answer = await ask_hub(address.host, address.port, address.user)
    except UnreachableError as error:
        return unreachable(exam, error)
    presence = answer.presence
    if presence is Presence.FOREIGN:
        hub.said = answer.said
        name = protocol_of(answer.said)
        return failed(
            f"it answers PING as no hub does{f': it is {name}' if name else ''}",
            f"it said {answer.said[:40]!r}",
        )
    if presence is Presence.NO_WORD:
        return odd("nothing came back on PING: a hub that hangs, or no hub that knows PING")
    hub.answers_ping = True
    hub.knows = presence is Presence.THERE
    said = f"sent PING:(id):0, the hub said {presence.value}"
    if hub.knows:
        return passed(
            "a device of this id is connected to the hub", said, excludes="a wrong id; a device offline"
        )
    return failed("no device of this id is connected to the hub", said)


@check("login", "Does the hub take the login?", Stage.WAY, needs=_may_log_in, depth=Depth.QUICK, quiet=True)
async def log_in(exam: Examination) -> CheckResult:
    """See whether the hub closes: it never answers a login, it only closes what it does not like."""
    hub = exam.facts[HubFacts]
    line = await exam.line()
    if not await line.wait_closed(LOGIN_PATIENCE):
        return passed("the hub did not close at login", excludes="a wrong password, most likely")
    seen = line.disconnect
    age = seen.age if seen else 0.0
    closed = f"it closed {age * 1000:.0f} ms after the login"
    if line.head and hub.knows is None:
        hub.said = hub.said or without_login(line.head)
    if await _answers_at_once(exam):
        at = seen.at if seen else 0.0
        exam.facts[ConnectionFacts].disconnects.append(Disconnect(age, answered=True, mid_frame=None, at=at))
        return odd(f"{closed}, but a second login was answered: not the password")
    hub.closed_at_login = True
    if hub.said:
        return failed(closed, f"it said {hub.said[:40]!r}")
    if hub.knows:  # the device may have left in between
        await _ask_again(exam)
    return failed(f"{closed}, without a word; a second login was not answered either")


async def _ask_again(exam: Examination) -> None:
    """Ask PING once more behind a refused login."""
    address = exam.address
    assert address.link is LinkKind.HUB
    presence = Presence.NO_WORD
    with contextlib.suppress(UnreachableError):
        presence = (await ask_hub(address.host, address.port, address.user)).presence
    exam.facts[HubFacts].knows = {Presence.THERE: True, Presence.NOT_THERE: False}.get(presence)


async def _answers_at_once(exam: Examination) -> bool:
    """Log in again and ask at once: a wrong password is never answered, a takeover leaves time for it."""
    line = await exam.fresh_line()
    probe = await line.ask(exam.hello, None, LOGIN_PATIENCE)
    exam.note_disconnect()
    return probe.reply is not None
