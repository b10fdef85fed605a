"""Bluetooth links that stood and ended: why, as far as the reason tells."""

from packwire.check import Confidence, Facts, Rank, Rule
from packwire.doctor.log.facts import RadioFacts, SaidFacts
from packwire.doctor.log.rule import LIKELY, POSSIBLE, Causes, rule, when

#: Reasons for which a link ends [Core, Vol 1, Part F, 1.3]: nothing more was heard or answered; the other end
#: wanted it; authentication failed, or a key is missing.
_UNHEARD, _BY_DEVICE, _SECURITY = frozenset({0x08, 0x22}), frozenset({0x13, 0x14, 0x15}), {0x05, 0x06}
#: A message's check failed on an encrypted link: another key, or a radio or its stack that lost count.
_MIC_FAILURE = 0x3D
#: This end wanted it.
_BY_US = 0x16
#: dBm: a signal from here on carries a link.
_LOUD = -75


def _reasons(said: SaidFacts) -> frozenset[int]:
    """Return why links ended; NimBLE adds 0x200."""
    told = [*said.values("client-lost", "reason"), *said.values("link-lost", "reason")]
    numbers = {int(value, 16 if value.startswith("0x") else 10) for value in told}
    heard = {int(value, 16) for value in said.values("hci-disconnect", "code")}
    if _BY_US in heard:  # what else stands there is what the computer told the other end
        heard -= _BY_DEVICE
    return frozenset(each & 0xFF if each >> 8 == 2 else each for each in numbers | heard)


def _lost_on_the_air(facts: Facts) -> Confidence | None:
    """Take a link for lost by radio that ended as nothing more was heard, or while services were listed."""
    said = facts[SaidFacts]
    reasons = _reasons(said)
    lost = said.has("discovery-failed", "link-lost", "abort-by-remote")
    lost |= said.count("disconnected") > 1 and said.has("init-failed") and not said.has("received")
    lost &= not reasons or not reasons <= _BY_DEVICE
    return when((reasons & _UNHEARD or lost) and not said.works, POSSIBLE)


def _ended_for_its_keys(facts: Facts) -> Confidence | None:
    said = facts[SaidFacts]
    reasons = _reasons(said)
    if said.works:
        return None
    return when(reasons & _SECURITY, LIKELY) or when(_MIC_FAILURE in reasons, POSSIBLE)


def _loud(facts: Facts) -> bool:
    level = facts[RadioFacts].level
    return level is not None and level >= _LOUD and not _reasons(facts[SaidFacts]) & _UNHEARD


def _ended_by_device(facts: Facts) -> Confidence | None:
    said = facts[SaidFacts]
    return when(_reasons(said) & _BY_DEVICE and not said.works, POSSIBLE)


def _ended_causes(facts: Facts) -> Causes:
    if facts[SaidFacts].has("received"):
        return {
            "ble.pack-stuck": 0.3,
            "password-needed": 0.2,
            "pairing-needed": 0.2,
            "polling-too-fast": 0.15,
            "two-clients.ble": 0.15,
        }
    return {
        "pairing-needed": 0.35,
        "password-needed": 0.2,
        "ble.pack-stuck": 0.2,
        "reader-bug.other": 0.15,
        "ble.interference": 0.1,
    }


_LOST = ("client-lost", "link-lost", "discovery-failed", "abort-by-remote", "disconnected", "init-failed")
_LOST_CAUSES = {
    "ble.weak-signal": 0.4,
    "ble.interference": 0.2,
    "pairing-needed": 0.15,
    "gatt.stale-cache": 0.1,
    "ble.pack-stuck": 0.15,
}
#: Who wants to be paired ends a link most often as its services are listed.
_LOST_AS_LISTED = _LOST_CAUSES | {"ble.weak-signal": 0.35, "pairing-needed": 0.25, "ble.interference": 0.15}
_BESIDE = "Try once with the proxy or adapter beside the pack; then with another adapter."


def _by_device(kind: str) -> Rule:
    """Return the rule on a link that the pack ended, by what is likeliest."""
    return rule(
        kind,
        lambda facts: _ended_by_device(facts) if next(iter(_ended_causes(facts))) == kind else None,
        "The pack itself ends the link (reason 0x13), and why it does not say: what was asked of it does not"
        " suit it, it wants a pairing or password first, or it is stuck.",
        "See whether the app asks for a PIN or password; then what was sent last before it ended.",
        shown=("received", "sent", *_LOST, "hci-disconnect"),
        causes=_ended_causes,
        rank=Rank.VALUES,
    )


RULES: tuple[Rule, ...] = (
    rule(
        "ble.weak-signal",
        lambda facts: None if _loud(facts) else _lost_on_the_air(facts),
        "The link is made and lost again before anything is read: most often the other end is not heard any"
        " more.",
        _BESIDE,
        shown=_LOST,
        causes=lambda facts: _LOST_AS_LISTED if facts[SaidFacts].has("discovery-failed") else _LOST_CAUSES,
    ),
    rule(
        "pairing-needed",
        lambda facts: _lost_on_the_air(facts) if _loud(facts) else None,
        "The link is made and lost again before anything is read, and the signal is good: the pack ends it"
        " for want of a pairing, another program on the same adapter breaks it, or the remembered services"
        " are old.",
        "See whether the app asks for a PIN, and pair it where it is read; stop what else scans on this"
        " adapter (Home Assistant's Bluetooth); remove the pack from BlueZ and try again.",
        shown=(*_LOST, "seen"),
        causes={
            "pairing-needed": 0.3,
            "two-clients.ble": 0.2,
            "ble.interference": 0.2,
            "gatt.stale-cache": 0.15,
            "ble.pack-stuck": 0.15,
        },
    ),
    rule(
        "pairing-needed",
        _ended_for_its_keys,
        "The link ends for its keys: the pairing that one of the two remembers is not that of the other, or"
        " one is wanted.",
        "Remove the pairing on both sides, and pair anew with the pack's PIN.",
        shown=_LOST,
        causes={"pairing-needed": 0.8, "password-needed": 0.2},
    ),
    *(_by_device(kind) for kind in ("pairing-needed", "ble.pack-stuck")),
)
