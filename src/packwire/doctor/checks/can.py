"""A pack on a CAN bus: its interface, what the controller says, what is heard. Nothing is ever sent."""

from dataclasses import replace

from packwire.address import LinkKind
from packwire.check import CheckResult, Depth, Stage, check, failed, odd, passed
from packwire.doctor.checks import way
from packwire.doctor.examination import Examination
from packwire.doctor.facts import Reach, WayFacts
from packwire.doctor.line_facts import CanFacts
from packwire.errors import Reason
from packwire.event import EventKind
from packwire.link.can_state import CanInterface, can_interfaces
from packwire.phrases import few

#: Why an adapter cannot be opened -> the code of such a sentence in a log.
_CODES = {Reason.NOT_THERE: "can-missing", Reason.NOT_ALLOWED: "port-permission", Reason.BUSY: "port-busy"}
#: Values of the controller's counters from which on something is wrong [Linux: error-warning].
_WARNING = 96


def _is_socketcan(exam: Examination) -> str:
    address = exam.address
    own = address.link is LinkKind.CAN and address.interface in {"", "socketcan"}
    return "" if own else "it is no interface of the system's"


@check("interface", "Is the interface up?", Stage.NAME, needs=_is_socketcan, depth=Depth.QUICK, quiet=True)
async def look_at_interface(exam: Examination) -> CheckResult:
    """Look at the interface, its bit rate and its counters, without opening it."""
    name = exam.address.target
    there = await can_interfaces()
    found = next((each for each in there if each.name == name), None)
    if found is None:
        others = f"there is {few(each.name for each in there)}" if there else "there is none at all"
        return _no_way(exam, "can-missing", f"there is no CAN interface {name}; {others}")
    exam.facts[CanFacts].interface = found
    if not found.up:
        return _no_way(exam, "can-down", f"{name} is down")
    return _state(exam, found)


def _no_way(exam: Examination, code: str, words: str) -> CheckResult:
    found = exam.facts[WayFacts]
    found.reach, found.error, found.reason = Reach.NOTHING_THERE, words, Reason.NOT_THERE
    exam.journal.tell(EventKind.BUS, code, words)
    return failed(words)


def _state(exam: Examination, found: CanInterface) -> CheckResult:
    journal, wanted = exam.journal, exam.address.baud or exam.protocol.baud
    problems = []
    if found.state not in {"", "ERROR-ACTIVE"}:
        journal.tell(EventKind.BUS, "can-state", f"state {found.state}", state=found.state)
        problems.append(f"its controller is {found.state}")
    if found.tx_errors is not None and found.rx_errors is not None:
        counters = {"tx": found.tx_errors, "rx": found.rx_errors}
        if max(counters.values()) >= _WARNING:
            words = f"berr-counter tx {found.tx_errors} rx {found.rx_errors}"
            journal.tell(EventKind.BUS, "can-counters", words, **counters)
            problems.append(f"its error counters are {found.tx_errors} (tx) and {found.rx_errors} (rx)")
    if found.bit_rate is not None and found.bit_rate != wanted:
        exam.facts[CanFacts].other_rate = wanted
        problems.append(f"it runs at {found.bit_rate} bit/s, and {exam.protocol.title} usually at {wanted}")
    if found.listens_only:
        problems.append("it only listens, so it acknowledges nothing")
    if problems:
        return odd(f"{found.name} is up; {'; '.join(problems)}", str(found))
    return passed(str(found), excludes="an interface that is down; a controller that left the bus")


@check("connect", "Does it open?", Stage.WAY, needs=way.may_connect, depth=Depth.QUICK)
async def connect(exam: Examination) -> CheckResult:
    """Open the bus, and keep what its controller says."""
    result = await way.connect.run(exam)
    line, found = exam.current, exam.facts[WayFacts]
    if line is not None:
        line.link.listeners.append(exam.journal.take)
    elif found.reason in _CODES:
        exam.journal.tell(EventKind.BUS, _CODES[found.reason], found.error)
    return replace(result, excludes="an adapter that another program holds" if line is not None else "")
