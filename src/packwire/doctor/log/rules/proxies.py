"""ESPHome's proxies: whether they can connect at all, and the way to them."""

from packwire.check import Confidence, Facts, Rank, Rule
from packwire.doctor.log.facts import FAILURES, RadioFacts, SaidFacts
from packwire.doctor.log.rule import CERTAIN, LIKELY, POSSIBLE, rule, when


def _passive(facts: Facts) -> Confidence | None:
    said = facts[SaidFacts]
    if said.has("no-connectable-scanner"):
        return CERTAIN
    connectable = set(said.values("scanner-count", "connectable"))
    if "0" in connectable and "0" not in said.values("scanner-count", "total"):
        if connectable != {"0"}:
            return POSSIBLE  # those that can connect come late, or went away
        return CERTAIN if said.has(*FAILURES) else LIKELY  # at the start none has come yet
    if said.has("not-connectable-path"):
        return LIKELY
    if said.has("proxy-passive") or "False" in said.values("scanner-flags", "connectable"):
        return LIKELY if said.has(*FAILURES, "seen", "connecting") else POSSIBLE  # there may be other ones
    never = facts[RadioFacts].connectable is False
    return when(never and not said.has("connected", "received"), LIKELY)


def _proxy_network(facts: Facts) -> Confidence | None:
    said = facts[SaidFacts]
    lost = said.count("proxy-unreachable", "proxy-lost", "proxy-request-timeout", "no-proxy")
    if said.has("gatt-timeout") and said.has("client-connected", "connected"):
        lost -= said.count("gatt-timeout")  # the way to the proxy is there: it told of the link
    # Once is said where Home Assistant or whoever reads the log ends, and where the ESP begins.
    lost += sum(count for code in ("api-closed", "wifi-lost") if (count := said.count(code)) > 1)
    if lost <= 0 or said.has("checksum", "bad-header"):
        return None
    of_a_pack = said.has(*FAILURES) or said.has(
        "connecting", "connected", "received", "sent", "seen", "client"
    )
    return LIKELY if of_a_pack else POSSIBLE


def _only_the_way(facts: Facts) -> tuple[str, ...]:
    if _proxy_network(facts) is LIKELY:
        return ()
    return (
        (
            "the log of the wire or the radio itself (over USB, or from Home Assistant once the ESP is up):"
            " this one says nothing of the battery"
        ),
    )


def _unfinished(facts: Facts) -> Confidence | None:
    said = facts[SaidFacts]
    other = said.has("proxy-unreachable", "proxy-lost", "received") or said.works
    asked_in_vain = said.has("gatt-timeout") and said.has("client-connected", "connected") and not other
    return when(said.has("att-timeout") or asked_in_vain, POSSIBLE)


RULES: tuple[Rule, ...] = (
    rule(
        "pairing-needed",
        _unfinished,
        "The link is made, and what is asked on it (to notify, to write) is never"
        " confirmed: the pack"
        " wants pairing first, the remembered services are old, or the link or the proxy's network broke.",
        "Try once with the proxy beside the pack; see whether the app asks for a PIN; restart the proxy,"
        " so that it"
        " lists the services anew.",
        shown=("client-connected", "connected", "gatt-timeout", "att-timeout"),
        causes={
            "pairing-needed": 0.3,
            "ble.proxy-network": 0.25,
            "gatt.stale-cache": 0.2,
            "ble.pack-stuck": 0.15,
            "ble.weak-signal": 0.1,
        },
    ),
    rule(
        "proxy.passive",
        _passive,
        "The pack is heard only by scanners that cannot connect (a passive proxy, a Shelly).",
        "Set `bluetooth_proxy: active: true` on an ESP32 near the pack, or use a local adapter; a Shelly"
        " can only listen.",
        shown=(
            "no-connectable-scanner",
            "scanner-count",
            "not-connectable-path",
            "proxy-passive",
            "scanner-flags",
            "not-connectable",
        ),
        causes={"proxy.passive": 0.7, "phone-app-holds-it": 0.3},
        excludes=("ble.no-free-slot", "ble.weak-signal"),
    ),
    rule(
        "ble.proxy-network",
        _proxy_network,
        lambda facts: (
            "The way to the ESPHome proxy breaks: its network, not the pack's radio."
            if _proxy_network(facts) is LIKELY
            else "The ESP itself is not reached over the network. Of the battery the log says nothing."
        ),
        "Give the ESP a better Wi-Fi signal and supply, leave the scan's `interval` and `window` at their"
        " defaults, restart it.",
        shown=(
            *("proxy-unreachable", "proxy-lost", "proxy-request-timeout", "no-proxy"),
            *("api-closed", "wifi-lost"),
        ),
        causes={"ble.proxy-network": 0.7, "configuration": 0.2, "ble.weak-signal": 0.1},
        ask=_only_the_way,
        rank=Rank.VALUES,
    ),
    rule(
        "proxy-too-old",
        lambda facts: when(
            facts[SaidFacts].has("proxy-too-old"), POSSIBLE if facts[SaidFacts].works else LIKELY
        ),
        "The ESPHome version of the proxy is too old for what is asked of it.",
        "Update the proxy's ESPHome.",
        shown=("proxy-too-old",),
        rank=Rank.FLOW,
    ),
)
