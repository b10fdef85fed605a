"""What is told of the proxy by which a pack is reached. The kinds are those of the rules for logs."""

from packwire.check import Confidence, Facts, Rank, Rule
from packwire.doctor.ble.facts import AirFacts, LinkFacts, ProxyFacts
from packwire.doctor.ble.proxy import UNREACHABLE
from packwire.doctor.ble.way_rules import sentence
from packwire.doctor.log.facts import SaidFacts
from packwire.doctor.log.rule import CERTAIN, LIKELY, POSSIBLE, Causes, rule, when
from packwire.errors import Reason

#: What the rules for logs, which know less of it, say of the same.
_OF_LOGS = ("ble.proxy-network", "configuration", "host.adapter-hung")
_KEY = {Reason.NO_PASSWORD, Reason.WRONG_PASSWORD}
_REMEDIES = {
    Reason.PORT_REFUSED: "See that it is an ESPHome device with `api:` in its configuration, and has started;"
    " where `api: port:` is another than 6053, name it: proxy=HOST:PORT.",
    Reason.FOREIGN: "Name an ESPHome device, and the port of its `api:` (proxy=HOST:PORT); restart one that"
    " hangs.",
    Reason.UNKNOWN_NAME: "See how it is spelled, and that the ESP is on and in this network; try its IP"
    " address: a container and another network (VLAN) do not hear names that end in .local.",
    Reason.NO_PASSWORD: "Home Assistant shows the key where the ESPHome device is set up.",
    Reason.WRONG_PASSWORD: "Home Assistant shows the key where the ESPHome device is set up; one without"
    " encryption takes none.",
}
_REACH_IT = (
    "See that the ESP is on and in this network (its page, ping, Home Assistant's ESPHome); try its IP"
    " address; give it a better Wi-Fi signal and supply."
)


def _network(facts: Facts) -> Confidence | None:
    """Need an ESPHome device that is not reached: it may be booting, be another machine, or misspelled."""
    return when(facts[ProxyFacts].reason in UNREACHABLE, LIKELY)


def _network_causes(facts: Facts) -> Causes:
    refused = facts[ProxyFacts].reason is Reason.PORT_REFUSED
    return {"ble.proxy-network": 0.4 if refused else 0.8, "configuration": 0.6 if refused else 0.2}


def _words(facts: Facts) -> str:
    return sentence(facts[ProxyFacts].error)


def _remedy(facts: Facts) -> str:
    reason = facts[ProxyFacts].reason
    return _REACH_IT if reason is None else _REMEDIES.get(reason, _REACH_IT)


def _key(facts: Facts) -> Confidence | None:
    return when(facts[ProxyFacts].reason in _KEY)


def _no_proxy(facts: Facts) -> Confidence | None:
    found = facts[ProxyFacts].found
    return when(found is not None and not found.has_proxy)


def _too_old(facts: Facts) -> Confidence | None:
    """Need a proxy that lacks what connections take; one that came with later versions speaks for another."""
    found = facts[ProxyFacts].found
    if found is None or not found.has_proxy or found.is_recent:
        return None
    return LIKELY if found.sends_raw else CERTAIN


def _tells_no_slots(facts: Facts) -> Confidence | None:
    """Need a proxy that connects, does not say how many times it can, and made no connection."""
    found, link = facts[ProxyFacts].found, facts[LinkFacts]
    untold = found is not None and found.is_recent and found.active and facts[ProxyFacts].slots is None
    return when(untold and link.error and not link.made, POSSIBLE)


def _version(facts: Facts) -> str:
    found = facts[ProxyFacts].found
    return f"The proxy's ESPHome ({found.version if found else ''})"


def _passive(facts: Facts) -> Confidence | None:
    found = facts[ProxyFacts].found
    return when(found is not None and found.is_recent and not found.active)


def _full(facts: Facts) -> Confidence | None:
    slots = facts[ProxyFacts].slots
    taken = slots is not None and slots.free <= 0
    return when(taken and not facts[ProxyFacts].holds_pack and not facts[LinkFacts].made)


def _full_words(facts: Facts) -> str:
    slots = facts[ProxyFacts].slots
    assert slots is not None
    by = f", by {', '.join(slots.held)}" if slots.held else ""
    return f"The proxy has no free slot: all {slots.limit} are taken{by}."


def _another(facts: Facts) -> Confidence | None:
    """Need a proxy whose Bluetooth another has; one that went without a word has it for minutes.

    A connection to the pack may be one that just ends (this computer's own, or that of who had the proxy),
    or one that nobody has any more.
    """
    held = facts[ProxyFacts].holds_pack and not facts[LinkFacts].made
    return when(held or facts[ProxyFacts].reason is Reason.BUSY, LIKELY)


def _another_words(facts: Facts) -> str:
    if facts[ProxyFacts].holds_pack:
        return "The proxy is connected to this pack already, and a pack serves one program at a time."
    return "The proxy gives its Bluetooth to one program at a time, and another one has it."


def _not_taken(facts: Facts) -> Confidence | None:
    return when(facts[ProxyFacts].reason is Reason.NOT_ALLOWED and _passive(facts) is None, POSSIBLE)


def _not_taken_words(facts: Facts) -> str:
    slots = facts[ProxyFacts].slots
    told = f", with {slots.free} of {slots.limit} connection slots free" if slots is not None else ""
    return f"The proxy is well{told}; what it hears, and the pack itself, was not looked at."


def _hears_nothing(facts: Facts) -> Confidence | None:
    hearing = facts[AirFacts].hearing
    proxied = facts[ProxyFacts].found is not None
    return when(proxied and hearing is not None and hearing.seen is None and not hearing.others, POSSIBLE)


RULES: tuple[Rule, ...] = (
    rule(
        "ble.proxy-network",
        _network,
        _words,
        _remedy,
        shown=("proxy-unreachable",),
        causes=_network_causes,
        rank=Rank.WAY,
        excludes=_OF_LOGS,
        by_experiment=True,
    ),
    rule(
        "ble.proxy-network",
        lambda facts: when(facts[SaidFacts].has("proxy-lost"), LIKELY),
        "The proxy ended the connection to this program meanwhile: its network, or it restarted.",
        "Give the ESP a better Wi-Fi signal and supply, and ask again; see its uptime and its own log.",
        shown=("proxy-lost",),
        causes={"ble.proxy-network": 0.8, "configuration": 0.2},
        rank=Rank.WAY,
        excludes=("ble.weak-signal", "phone-app-holds-it", "ble.pack-stuck"),
    ),
    rule(
        "configuration",
        _key,
        _words,
        _remedy,
        rank=Rank.WAY,
        excludes=_OF_LOGS,
        by_experiment=True,
    ),
    rule(
        "configuration",
        _no_proxy,
        "The ESPHome device has no Bluetooth proxy.",
        "Add `bluetooth_proxy:` with `active: true` to its configuration and install it (an ESP32; an ESP8266"
        " has no Bluetooth).",
        rank=Rank.WAY,
        excludes=_OF_LOGS,
        by_experiment=True,
    ),
    rule(
        "proxy-too-old",
        _too_old,
        lambda facts: f"{_version(facts)} is too old for connections through it.",
        "Update the proxy's ESPHome.",
        shown=("proxy-too-old",),
        rank=Rank.WAY,
        excludes=_OF_LOGS,
        by_experiment=True,
    ),
    rule(
        "proxy-too-old",
        _tells_no_slots,
        lambda facts: f"{_version(facts)} does not tell whether a connection slot is free.",
        "Update the proxy's ESPHome.",
        causes={"proxy-too-old": 0.5, "ble.no-free-slot": 0.5},
        rank=Rank.FLOW,
    ),
    rule(
        "ble.no-free-slot",
        _full,
        _full_words,
        "Free one: stop what reads another pack through it, or let it end its connection after each reading;"
        " or add a proxy near the pack (an ESP32 serves three connections).",
        shown=("slots",),
        rank=Rank.WAY,
        excludes=("ble.no-free-slot", "ble.weak-signal", "ble.pack-stuck", "phone-app-holds-it"),
        by_experiment=True,
    ),
    rule(
        "two-clients.ble",
        _another,
        _another_words,
        "Most often it is Home Assistant: disable this ESPHome device there meanwhile (Settings, Devices),"
        " or give packwire an ESP32 of its own.",
        causes={"two-clients.ble": 0.85, "ble.phantom-connection": 0.15},
        rank=Rank.WAY,
        excludes=_OF_LOGS,
        reason=Reason.BUSY,
        by_experiment=True,
    ),
    rule(
        "proxy.passive",
        _passive,
        "The proxy listens only: it makes no connections.",
        "Set `bluetooth_proxy: active: true` in its configuration; a Shelly can only listen.",
        shown=("proxy-passive",),
        rank=Rank.WAY,
        excludes=("proxy.passive", "ble.no-free-slot", "ble.weak-signal"),
        by_experiment=True,
    ),
    rule(
        "inconclusive",
        _not_taken,
        _not_taken_words,
        "It gives its Bluetooth to the newest program alone: with &take in the address packwire goes on, and"
        " Home Assistant, if it has it now, hears nothing through it until its ESPHome entry is reloaded.",
        rank=Rank.UNDECIDED,
        reason=Reason.NO_DATA,
    ),
    rule(
        "ble.weak-signal",
        _hears_nothing,
        "The proxy hears no Bluetooth device at all.",
        "See its own log: does its scanner run? Leave the scan's `interval` and `window` at their defaults,"
        " restart it, put it nearer to the pack.",
        causes={
            "configuration": 0.3,
            "ble.weak-signal": 0.3,
            "ble.proxy-network": 0.2,
            "phone-app-holds-it": 0.2,
        },
        excludes=("host.adapter-hung",),
    ),
)
