"""The way to a pack on a wire: its serial port, or the connection to a bridge."""

import asyncio

from packwire.check import CheckResult, Depth, Stage, check, failed, passed
from packwire.doctor.checks import way
from packwire.doctor.examination import Examination
from packwire.doctor.facts import Reach, WayFacts
from packwire.doctor.line_facts import LineFacts
from packwire.errors import PackwireError, Reason
from packwire.event import EventKind
from packwire.link.port_state import PortState, port_state
from packwire.phrases import few


def is_serial(exam: Examination) -> str:
    """Need a serial port."""
    return "" if exam.target.is_serial else "it is no serial port"


@check("port", "Is the port there, and free?", Stage.NAME, needs=is_serial, depth=Depth.QUICK, quiet=True)
async def look_at_port(exam: Examination) -> CheckResult:
    """Look at the port without opening it."""
    path = exam.address.target
    if "://" in path or not path.startswith("/"):
        return passed(f"{path} is opened as it is named")
    state = await asyncio.to_thread(port_state, path)
    problem = problem_of(state)
    if problem is None:
        return passed(f"{path} is there, and this user may open it", excludes="a wrong name; missing rights")
    code, words, reason = problem
    found = exam.facts[WayFacts]
    found.error, found.reason = words, reason
    found.reach = Reach.NOTHING_THERE if reason is Reason.NOT_THERE else Reach.NOT_ALLOWED
    exam.journal.tell(EventKind.PORT, code, words, holder=few(map(str, state.holders), 3))
    return failed(words, *await asyncio.to_thread(_other_ports, path))


def problem_of(state: PortState) -> tuple[str, str, Reason] | None:
    """Return why a port cannot be opened: the code of that sentence in a log, words, the reason; or None."""
    if not state.there:
        return "port-missing", f"there is no {state.path}", Reason.NOT_THERE
    if not state.device:
        return "port-missing", f"{state.path} is no serial port", Reason.NOT_THERE
    if not state.allowed:
        group = f": it belongs to the group {state.group}" if state.group not in {"", "root"} else ""
        return "port-permission", f"this user may not open {state.path}{group}", Reason.NOT_ALLOWED
    if state.holders:
        return "port-busy", f"{few(map(str, state.holders), 3)} has {state.path} open", Reason.BUSY
    return None


def _other_ports(path: str) -> tuple[str, ...]:
    from packwire.link.serial import list_ports  # noqa: PLC0415 - an extra

    try:
        ports = [each.path for each in list_ports() if each.path != path]
    except (PackwireError, OSError):
        return ()
    return (f"there is {few(ports)}",) if ports else ("this computer has no other serial port",)


_CODES = {Reason.NOT_THERE: "port-missing", Reason.NOT_ALLOWED: "port-permission", Reason.BUSY: "port-busy"}


@check("connect", "Does it open?", Stage.WAY, needs=way.may_connect, depth=Depth.QUICK)
async def connect(exam: Examination) -> CheckResult:
    """Open the port, or the connection to a bridge."""
    result = await way.connect.run(exam)
    found = exam.facts[WayFacts]
    exam.facts[LineFacts].baud = exam.address.baud or exam.protocol.baud
    if found.reach is not Reach.OPEN and exam.target.is_serial and found.reason in _CODES:
        exam.journal.tell(EventKind.PORT, _CODES[found.reason], found.error)
    return result
