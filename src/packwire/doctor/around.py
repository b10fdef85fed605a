"""All that there is here: adapters, the air, the network, serial ports, CAN, the devices that the user named.

Nothing is asked of anybody: one listens, and looks at what the system tells. It ends, as an examination does,
with one verdict and what to do first.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from packwire.address import Address, LinkKind, parse_address
from packwire.check import CheckResult, Facts, Outcome
from packwire.doctor.around_facts import AroundFacts, NamedDevice
from packwire.doctor.checks.port import problem_of
from packwire.doctor.diagnosis import Diagnosis
from packwire.doctor.journal import Journal
from packwire.doctor.registry import rules_around
from packwire.doctor.verdicts import judge_surest_first
from packwire.errors import BadAddressError, MissingExtraError, Reason
from packwire.event import EventKind
from packwire.link.can_state import can_interfaces
from packwire.link.port_state import port_state
from packwire.link.scan import SECONDS, Find, Unlooked, look_around
from packwire.phrases import counted, few

#: So many Bluetooth devices that nobody knows are shown, and so much of a name.
_STRANGERS, _NAME = 5, 20
#: Seconds for the system to tell of its adapters.
_ADAPTERS = 3.0
#: What the system says of Bluetooth that cannot be used -> the code of such a sentence in a log.
_BLUETOOTH = {
    Reason.NO_BLUETOOTH: "no-adapter",
    Reason.POWERED_OFF: "not-ready",
    Reason.NOT_ALLOWED: "dbus-rejected",
    Reason.TIMED_OUT: "adapter-hung",
    Reason.BUSY: "in-progress",
}


@dataclass(frozen=True, slots=True)
class Around:
    """What a look around gave: its diagnosis, and each thing that was found."""

    diagnosis: Diagnosis
    finds: tuple[Find, ...] = field(default=())


async def examine_around(
    names: Mapping[str, str],
    seconds: float = SECONDS,
    udp_port: int | None = None,
    adapter: str = "",
) -> Around:
    """Look around for some seconds; `names` are the user's, with their addresses."""
    started, begun = time.time(), time.monotonic()
    found, interfaces, adapters = await asyncio.gather(
        look_around(seconds, udp_port, adapter), can_interfaces(), _adapters()
    )
    paths = [each.place for each in found.finds if each.link is LinkKind.SERIAL]
    ports = await asyncio.gather(*(asyncio.to_thread(port_state, path) for path in paths))
    facts = AroundFacts(found.finds, found.problems, tuple(ports), interfaces, adapters)
    facts.named = tuple([await _named(name, text, facts) for name, text in sorted(names.items())])
    journal = Journal("", time.monotonic() - begun)
    _tell(journal, facts)
    all_facts = Facts(facts, *journal.facts())
    verdict, *remarks = judge_surest_first(rules_around(), all_facts)
    taken = time.monotonic() - begun
    checks = tuple(_checks(facts, seconds, taken))
    diagnosis = Diagnosis(
        "", "this computer", verdict, checks, tuple(remarks), started=started, seconds=taken
    )
    return Around(diagnosis, found.finds)


async def _adapters() -> tuple[str, ...]:
    """Return a line for each Bluetooth adapter, where the system tells of them."""
    try:
        from packwire.link.ble.adapters import adapters, is_told  # noqa: PLC0415 - an extra
        from packwire.link.ble.failures import FAILURES  # noqa: PLC0415
    except (ImportError, MissingExtraError):
        return ()
    if not is_told():
        return ()
    try:
        async with asyncio.timeout(_ADAPTERS):
            found = await adapters()
    except FAILURES:  # why, the look into the air says
        return ()
    return tuple(
        f"adapter {each.name}, {'powered' if each.powered else 'off'}"
        + (f", connected to {counted(len(each.holds), 'device')}" if each.holds else "")
        for each in found
    )


def _tell(journal: Journal, facts: AroundFacts) -> None:
    """Say what is in the way of named devices; without them, of all that might be read from here."""
    for each in facts.in_trouble:
        journal.tell(each.kind, each.code, each.problem)
    if facts.named or facts.known or facts.up or facts.free_ports:
        return
    for port in facts.ports:
        if (problem := problem_of(port)) is not None:
            journal.tell(EventKind.PORT, problem[0], problem[1], holder=few(map(str, port.holders)))
    for interface in facts.interfaces:
        journal.tell(EventKind.BUS, "can-down", f"{interface.name} is down")
    for unlooked in facts.unlooked:
        code = _BLUETOOTH.get(unlooked.error.reason)
        if unlooked.link is LinkKind.BLE and code is not None:
            journal.tell(EventKind.ADAPTER, code, str(unlooked.error))


async def _named(name: str, text: str, facts: AroundFacts) -> NamedDevice:
    """Look at what is known of a named device without asking it."""
    try:
        address = parse_address(text)
    except BadAddressError as error:
        nowhere = Address(LinkKind.SIM, name)
        return NamedDevice(name, nowhere, problem=str(error), code="bad-setting", kind=EventKind.INFO)
    match address.link:
        case LinkKind.BLE if address.proxy is None:
            return _named_in_the_air(name, address, facts)
        case LinkKind.SERIAL:
            return await _named_port(name, address)
        case LinkKind.CAN:
            return _named_bus(name, address, facts)
    hosts = {each.place for each in facts.finds if each.link is LinkKind.TCP}
    if address.link is LinkKind.TCP and address.host in hosts:
        return NamedDevice(name, address, there=True, said="it announces itself")
    return NamedDevice(name, address, said="only asking it tells")


def _named_in_the_air(name: str, address: Address, facts: AroundFacts) -> NamedDevice:
    wanted = address.target.casefold()
    heard = next(
        (each for each in facts.finds if wanted in {each.place.casefold(), each.name.casefold()}), None
    )
    if heard is not None:
        weak = ", weak" if heard.weak else ""
        return NamedDevice(name, address, there=True, said=f"heard at {heard.rssi} dBm{weak}")
    deaf = next((each for each in facts.unlooked if each.link is LinkKind.BLE), None)
    if deaf is not None:
        code, kind = _BLUETOOTH.get(deaf.error.reason, "no-adapter"), EventKind.ADAPTER
        if deaf.error.reason is Reason.MISSING_EXTRA:
            code, kind = "bad-setting", EventKind.INFO
        return NamedDevice(name, address, there=False, problem=str(deaf.error), code=code, kind=kind)
    return NamedDevice(name, address, there=False, said="not heard")


async def _named_port(name: str, address: Address) -> NamedDevice:
    path = address.target
    if not path.startswith("/"):
        return NamedDevice(name, address, said="only opening it tells")
    problem = problem_of(await asyncio.to_thread(port_state, path))
    if problem is None:
        return NamedDevice(name, address, there=True, said="its port is there and free")
    code, words, _ = problem
    return NamedDevice(name, address, there=False, problem=words, code=code, kind=EventKind.PORT)


def _named_bus(name: str, address: Address, facts: AroundFacts) -> NamedDevice:
    if address.interface not in {"", "socketcan"}:
        return NamedDevice(name, address, said="only opening it tells")
    found = next((each for each in facts.interfaces if each.name == address.target), None)
    if found is not None and found.up:
        return NamedDevice(name, address, there=True, said=str(found))
    code, words = "can-down", f"{address.target} is down"
    if found is None:
        code, words = "can-missing", f"there is no CAN interface {address.target}"
    return NamedDevice(name, address, there=False, problem=words, code=code, kind=EventKind.BUS)


def _checks(facts: AroundFacts, seconds: float, taken: float) -> Iterator[CheckResult]:
    yield _air(facts, seconds, taken)
    yield _network(facts, seconds)
    yield _serial(facts)
    yield _can(facts)
    yield _names(facts)


def _blocked(facts: AroundFacts, link: LinkKind) -> Unlooked | None:
    return next((each for each in facts.unlooked if each.link is link), None)


def _unlooked(name: str, question: str, unlooked: Unlooked, evidence: tuple[str, ...] = ()) -> CheckResult:
    outcome = Outcome.SKIPPED if isinstance(unlooked.error, MissingExtraError) else Outcome.FAILED
    return CheckResult(name, question, outcome, str(unlooked.error), evidence=evidence)


def _air(facts: AroundFacts, seconds: float, taken: float) -> CheckResult:
    question = "What is in the air?"
    if (blocked := _blocked(facts, LinkKind.BLE)) is not None:
        return _unlooked("Bluetooth", question, blocked, facts.adapters)
    heard = [each for each in facts.finds if each.link is LinkKind.BLE]
    known = [each for each in facts.known if each.link is LinkKind.BLE]
    strangers = sorted(facts.strangers, key=lambda each: -(each.rssi or -200))
    shown = [*known, *strangers[:_STRANGERS]]
    lines = [*facts.adapters, *map(_heard_line, shown)]
    more = len(heard) - len(shown)
    lines += [f"and {more} more that nobody knows: packwire scan --all"] * (more > 0)
    outcome = Outcome.PASSED if heard else Outcome.ODD
    words = f"{counted(len(heard), 'device')} in {seconds:g} s, {len(known)} of a kind that is known"
    if not heard:
        words = f"nothing at all was heard in {seconds:g} s: far from everything, or the radio is deaf"
    return CheckResult("Bluetooth", question, outcome, words, evidence=tuple(lines), seconds=taken)


def _heard_line(find: Find) -> str:
    strength = "" if find.rssi is None else f"{find.rssi} dBm" + " weak" * find.weak
    parts = (find.place, find.name[:_NAME], strength, find.speaks or "unknown")
    return "  ".join(each for each in parts if each)


def _network(facts: AroundFacts, seconds: float) -> CheckResult:
    question = "Who announces itself in this network?"
    if (blocked := _blocked(facts, LinkKind.TCP)) is not None:
        return _unlooked("network", question, blocked)
    found = [each for each in facts.finds if each.link is LinkKind.TCP]
    lines = tuple(f"{each.place}  {each.name}" for each in found)
    words = f"{counted(len(found), 'VESC')} in {seconds:g} s" if found else f"no VESC in {seconds:g} s"
    return CheckResult("network", question, Outcome.PASSED, words, evidence=lines)


def _serial(facts: AroundFacts) -> CheckResult:
    question = "Which serial ports are there?"
    if (blocked := _blocked(facts, LinkKind.SERIAL)) is not None:
        return _unlooked("serial", question, blocked)
    if not facts.ports:
        return CheckResult("serial", question, Outcome.PASSED, "no serial port")
    said = {each.place: each.description for each in facts.finds if each.link is LinkKind.SERIAL}
    lines, blocked_ports = [], 0
    for each in facts.ports:
        problem = problem_of(each)
        blocked_ports += problem is not None
        lines.append(problem[1] if problem else f"{each.path}  {said.get(each.path, '')}")
    words = f"{counted(len(facts.ports), 'port')}, {len(facts.ports) - blocked_ports} of them free"
    outcome = Outcome.FAILED if blocked_ports else Outcome.PASSED
    return CheckResult("serial", question, outcome, words, evidence=tuple(lines))


def _can(facts: AroundFacts) -> CheckResult:
    question = "Which CAN interfaces are there?"
    if not facts.interfaces:
        return CheckResult("CAN", question, Outcome.PASSED, "no CAN interface")
    sick = [each for each in facts.interfaces if not each.up or each.state not in {"", "ERROR-ACTIVE"}]
    words = f"{counted(len(facts.interfaces), 'interface')}, {len(facts.up)} of them up"
    outcome = Outcome.FAILED if sick else Outcome.PASSED
    lines = tuple(str(each) for each in facts.interfaces)
    return CheckResult("CAN", question, outcome, words, evidence=lines)


def _names(facts: AroundFacts) -> CheckResult:
    question = "How are the devices that you named?"
    if not facts.named:
        return CheckResult("names", question, Outcome.PASSED, "you named no device (packwire name)")
    trouble, unheard = facts.in_trouble, [each for each in facts.named if each.there is False]
    lines = tuple(f"{each.name}: {each.problem or each.said}" for each in facts.named)
    outcome = Outcome.FAILED if trouble else Outcome.ODD if unheard else Outcome.PASSED
    words = counted(len(facts.named), "device")
    words += f", {len(trouble)} of them out of reach" if trouble else ""
    return CheckResult("names", question, outcome, words, evidence=lines)
