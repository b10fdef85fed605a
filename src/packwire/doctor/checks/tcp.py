"""What a silent TCP port is: whom it serves, whether it is a hub's, whether it reads at all."""

import asyncio
import socket

from packwire.address import Address
from packwire.check import CheckResult, Depth, Stage, check, failed, passed
from packwire.doctor.checks.neighbours import connected_from_here
from packwire.doctor.examination import Examination
from packwire.doctor.facts import Contact, ContactFacts, HubFacts, ServiceFacts, WayFacts
from packwire.errors import PackwireError, UnreachableError
from packwire.link.hub import Presence, ping_hub

#: An id that no device has: a hub answers NULL to it. Three characters are the least that a hub reads.
_NOBODY = "NOBODY-HERE"
#: Seconds until a device has noticed a connection that its network side has taken.
_TAKEN = 0.25
#: Seconds until the system has forgotten the connections that we closed.
_SETTLED = 0.05
_NEIGHBOUR = "not us: another program on this computer is connected to it"
#: Some times what a VESC takes that does not read (2440 bytes [sdkconfig.defaults.esp32c3]) and our own end
#: holds, in bytes; and few enough for a bridge to a serial line.
_PUSHED = 32 * 1024
_AT_ONCE = 4 * 1024
_SEND_BUFFER = 4 * 1024


def is_silent(exam: Examination) -> str:
    """Need a device that says nothing."""
    silent = exam.facts[ContactFacts].contact in {Contact.SILENT, Contact.CLOSED}
    return "" if silent else "it answered"


def _silent_tcp(exam: Examination) -> str:
    if exam.target.direct_tcp is None:
        return "only a VESC's own TCP port is asked this"
    return is_silent(exam) or ("it is a hub" if exam.facts[HubFacts].in_disguise else "")


def _hub_perhaps(exam: Examination) -> str:
    return _silent_tcp(exam) or (
        "a hub takes every connection" if exam.facts[ServiceFacts].takes_more is False else ""
    )


def _open_tcp(exam: Examination) -> str:
    closed = exam.facts[ContactFacts].contact is Contact.CLOSED
    return _silent_tcp(exam) or ("it closes connections" if closed else "")


def _taken_tcp(exam: Examination) -> str:
    return _open_tcp(exam) or (
        "it takes no other connection" if exam.facts[ServiceFacts].takes_more is False else ""
    )


@check("served?", "Whom does it serve?", Stage.SILENCE, needs=_open_tcp, depth=Depth.QUICK, quiet=True)
async def who_is_served(exam: Examination) -> CheckResult:
    """Leave while a second connection waits: a VESC resets those that waited when the served one goes.

    If the second is reset, the served one was us, and nobody else holds the device. If it is not even taken,
    the one that waits is us.
    """
    service = exam.facts[ServiceFacts]
    try:
        async with asyncio.timeout(exam.options.patience):
            second = await exam.dial()
    except (TimeoutError, UnreachableError):
        return await _we_wait(exam)
    service.takes_more = True
    await asyncio.sleep(_TAKEN)  # else the first may be gone before the device has seen the second
    await exam.hang_up()
    service.served = await second.wait_closed(exam.options.patience)
    await second.close()
    await _count_neighbours(exam)
    if service.neighbours:
        return failed(_NEIGHBOUR)
    if service.served:
        return passed(
            "nobody else: a second connection was reset when the first left, as a VESC does",
            excludes="another client that holds the device",
        )
    return failed("not us: a second connection was not reset when the first one left")


async def _we_wait(exam: Examination) -> CheckResult:
    service = exam.facts[ServiceFacts]
    service.takes_more, service.served = False, False
    await exam.hang_up()
    await _count_neighbours(exam)
    if service.neighbours:
        return failed(_NEIGHBOUR)
    return failed("not us: our connection waits, and a second one is not taken: a VESC lets one wait")


async def _count_neighbours(exam: Examination) -> None:
    address = exam.target.direct_tcp
    assert address is not None
    await asyncio.sleep(_SETTLED)
    exam.facts[ServiceFacts].neighbours = connected_from_here(exam.facts[WayFacts].addresses, address.port)


@check("hub?", "Is it a hub?", Stage.SILENCE, needs=_hub_perhaps, depth=Depth.QUICK, quiet=True)
async def hub_in_disguise(exam: Examination) -> CheckResult:
    """Ask as one asks a hub: only a hub answers PING."""
    address = exam.target.direct_tcp
    assert address is not None
    try:
        async with asyncio.timeout(exam.options.patience):
            presence = await ping_hub(address.host, address.port, _NOBODY)
    except (TimeoutError, PackwireError):
        presence = Presence.NO_WORD
    if presence is Presence.NO_WORD:
        return passed("no: it does not answer a hub's PING", excludes="a hub's port")
    exam.facts[HubFacts].in_disguise = True
    return failed(f"yes: it answered {presence.value} to a hub's PING")


@check("reads?", "Does it read at all?", Stage.SILENCE, needs=_taken_tcp, depth=Depth.QUICK, quiet=True)
async def does_it_read(exam: Examination) -> CheckResult:
    """Push zeros until they are taken or stick: somebody who does not read lets them pile up."""
    address = exam.target.direct_tcp
    assert address is not None
    await asyncio.sleep(0.05)
    pushed, stuck = await _push(address, exam.options.patience)
    exam.facts[ServiceFacts].reads = not stuck
    if stuck:
        return failed(f"no: after {pushed} bytes nothing more was taken")
    return passed(f"yes: it took {pushed} bytes (zeros)", excludes="a device that never reads")


async def _push(address: Address, patience: float) -> tuple[int, bool]:
    """Send zeros with a small buffer; return how many were taken, and whether they stuck."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    family, kind, protocol, _, place = found[0]
    pushed = 0
    with socket.socket(family, kind, protocol) as plain:
        plain.setblocking(False)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        try:
            async with asyncio.timeout(patience):
                await loop.sock_connect(plain, place)
            while pushed < _PUSHED:
                async with asyncio.timeout(patience):
                    await loop.sock_sendall(plain, bytes(_AT_ONCE))
                pushed += _AT_ONCE
        except TimeoutError:
            return pushed, True
        except OSError:
            return pushed, False
    return pushed, False
