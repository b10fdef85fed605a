"""Who brings what to the doctor: a row for each kind of link and for each protocol.

A row names modules. What is a check in them is run, at its stage, in the order of the rows; their `RULES` are
judged by. So a new check is one function in the module of its link or protocol. A protocol may also carry
checks itself (`Protocol.checks`).

A VESC on a stream has checks and verdicts of its own. What any pack is asked is said by its link alone
(`_PACKS`), and judged by the rules that judge logs: its checks tell `Examination.journal` what they live
through.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from packwire.address import VESC, Address, LinkKind
from packwire.check import Check, Rule
from packwire.protocol.base import Protocol

#: What every device is asked, whatever it hangs on; the last row is asked behind all others.
_FIRST = (*("checks.name", "checks.way", "checks.listen"), *("rules.way", "rules.reach", "rules.connection"))
_LAST = ("checks.restart", "rules.flow", "rules.undecided")
_LINKS: dict[LinkKind, tuple[str, ...]] = {
    LinkKind.TCP: ("checks.tcp",),
    LinkKind.HUB: ("checks.hub",),
    LinkKind.SERIAL: (),
}
#: By which modules a pack of any protocol is examined over a link.
_PACKS: dict[LinkKind, tuple[str, ...]] = {
    LinkKind.SERIAL: (
        *("checks.port", "checks.wire", "checks.hearing", "checks.silence", "checks.pack"),
        *("rules.way", "rules.pack", "rules.connection", "rules.flow", "rules.undecided"),
    ),
    LinkKind.CAN: (
        *("checks.can", "checks.hearing", "checks.pack"),
        *("rules.pack", "rules.connection", "rules.undecided"),
    ),
    LinkKind.TCP: (
        *("checks.name", "checks.port", "checks.wire", "checks.hearing", "checks.silence", "checks.pack"),
        *("rules.way", "rules.pack", "rules.connection", "rules.flow", "rules.undecided"),
    ),
    LinkKind.BLE: (
        *("ble.proxy", "ble.adapter", "ble.air", "ble.link", "ble.answers", "ble.values"),
        *("ble.proxy_rules", "ble.way_rules", "ble.answer_rules", "rules.pack"),
    ),
}
#: The rules that all packs are judged by, behind those of their links.
_OF_EVERY_PACK = (
    "log.rules.host",
    "log.rules.configuration",
    "log.rules.radio",
    "log.rules.gatt",
    "log.rules.frames",
    "log.rules.line",
    "log.rules.wired",
    "log.rules.can",
)


#: The rules on a look around, where no device was named.
_AROUND = ("rules.around", "log.rules.host", "log.rules.configuration")


@dataclass(frozen=True, slots=True)
class Brought:
    """What a protocol brings: its modules, and the one whose `weigh` judges its owners' hypotheses."""

    modules: tuple[str, ...]
    hypotheses: str = ""


_NOTHING = Brought(())
_PROTOCOLS: dict[str, Brought] = {
    "vesc": Brought(
        (
            *("vesc.contact", "vesc.pack", "vesc.poll", "vesc.bus", "vesc.stream", "vesc.paths"),
            *("vesc.battery_rules", "vesc.doubt_rules"),
        ),
        hypotheses="vesc.hypotheses",
    )
}


def can_be_examined(address: Address) -> bool:
    """Tell whether there are checks for such an address."""
    return of_a_vesc_on_a_stream(address) or address.link in _PACKS


def of_a_vesc_on_a_stream(address: Address) -> bool:
    """Tell whether VESC's own checks and verdicts are for it."""
    return address.model == VESC and address.link in _LINKS


def checks_for(address: Address, protocol: Protocol | None) -> tuple[Check[Any], ...]:
    """Return the checks that an examination of this address consists of, in their order.

    Where it is not known yet what the device speaks, `protocol` is None.
    """
    found = [each for module in _modules(address, protocol) for each in _checks_in(module)]
    own = protocol.checks if protocol is not None else ()
    return tuple(sorted([*found, *own], key=lambda each: each.stage))


def rules_for(address: Address, protocol: Protocol | None) -> tuple[Rule, ...]:
    """Return the rules that its facts are judged by."""
    found = [rule for module in _modules(address, protocol) for rule in getattr(module, "RULES", ())]
    return (*found, *(protocol.rules if protocol is not None else ()))


def rules_around() -> tuple[Rule, ...]:
    """Return the rules that a look around is judged by: what is in the way is judged as in a log."""
    return tuple(rule for name in _AROUND for rule in _module(name).RULES)


def every_rule() -> tuple[Rule, ...]:
    """Return the rules for VESCs, for those who list verdicts; other packs are judged as logs are."""
    names = dict.fromkeys((*_FIRST, *(name for row in _PROTOCOLS.values() for name in row.modules), *_LAST))
    found = [rule for name in names for rule in getattr(_module(name), "RULES", ())]
    return tuple(sorted(found, key=lambda each: each.rank))


def load() -> None:
    """Import all that the rows name, for programs that must not import anything later."""
    every_rule()
    for names in _LINKS.values():
        for name in names:
            _module(name)
    for row in _PROTOCOLS.values():
        _module(row.hypotheses)


def weigher_of(protocol: Protocol) -> Callable[[Any], tuple[Any, ...]] | None:
    """Return what judges the hypotheses of a protocol's owners; None where there are none."""
    home = _PROTOCOLS.get(protocol.name, _NOTHING).hypotheses
    return getattr(_module(home), "weigh", None) if home else None


def _modules(address: Address, protocol: Protocol | None) -> Iterator[ModuleType]:
    names = (*_PACKS.get(address.link, ()), *_OF_EVERY_PACK)
    if of_a_vesc_on_a_stream(address):
        spoken = _PROTOCOLS.get(protocol.name if protocol else "", _NOTHING).modules
        names = (*_FIRST, *_LINKS[address.link], *spoken, *_LAST)
    return map(_module, names)


@cache
def _module(name: str) -> ModuleType:
    return import_module(f"packwire.doctor.{name}")


def _checks_in(module: ModuleType) -> Iterator[Check[Any]]:
    """Return the checks that a module defines, not those that it imports, in the order in which it does."""
    for each in vars(module).values():
        if isinstance(each, Check) and each.run.__module__ == module.__name__:
            yield each
