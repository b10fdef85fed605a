"""Bluetooth until the link is there: slots, signal, silence, proxies, two clients."""

from packwire.check import Confidence, Facts, Rank, Rule
from packwire.doctor.log.facts import RadioFacts, SaidFacts, SlotFacts, WriterFacts
from packwire.doctor.log.rule import CERTAIN, LIKELY, POSSIBLE, Causes, rule, when

#: dBm: below it a connection hardly stands; below it, it may not.
_WEAK, DOUBTFUL = -87, -80
#: s: a pack that was heard so recently is there, one that was not for so long is silent or far.
_FRESH, _OLD = 15, 20
#: Programs that connect by themselves, and not over Home Assistant or an ESPHome proxy.
_WITHOUT_PROXIES = frozenset({"bluepy", "nimble", "renogy-bt", "dbus-serialbattery", "mpp-solar", "bsc"})
#: Sentences of a pack that was reached, or tried so that nobody can tell.
_REACHED = (
    *(
        "connected",
        "client-connected",
        "received",
        "sent",
        "subscribed",
        "request-timeout",
        "connect-traceback",
    ),
    *("batmon-timeout", "characteristic-missing", "service-missing", "discovery-failed", "pairing-failed"),
)
NO_LINK = (
    "batmon-timeout",
    "status-133",
    "open-failed",
    "no-link",
    "connect-timeout",
    "connect-failed",
    "not-connected",
)


def _fails(facts: Facts) -> bool:
    said = facts[SaidFacts]
    return said.has(*NO_LINK, "no-slot", "proxy-link-timeout", "abort-by-local", "timed-out", "init-failed")


def _no_slot_proved(facts: Facts) -> Confidence | None:
    said, slots = facts[SaidFacts], facts[SlotFacts]
    if said.has("no-client-free"):
        return LIKELY  # of one ESP: another one may hear the pack as well
    if slots.kept and said.has("no-slot", "slots-full"):
        return LIKELY  # the pack itself has one, of which its reader knows nothing
    if slots.free and max(slots.free) == 0:
        # One proxy may be full of others, or of this very attempt; the connector says that none is left.
        of_its_ways = "0" in said.values("way-slots", "free") and said.has("no-slot", "slots-full")
        return CERTAIN if of_its_ways else LIKELY
    if slots.free and 0 in slots.free and _fails(facts):
        return LIKELY
    return when(said.has("slots-full"), LIKELY)


def _no_slot_said(facts: Facts) -> Confidence | None:
    said, slots, radio = facts[SaidFacts], facts[SlotFacts], facts[RadioFacts]
    if not said.has("no-slot", "no-slot-or-gone", "scanners-paused"):
        return None
    if slots.free and min(slots.free) > 0:
        return None
    if radio.ages and min(radio.ages) > _FRESH:
        return None
    if said.has("never-heard", "no-longer-heard", "no-connectable-scanner", "not-connectable-path"):
        return None
    if said.has("proxy-passive") or "False" in said.values("scanner-flags", "connectable"):
        return None
    # The slots of a proxy that is not reached are no slots.
    return POSSIBLE if said.has("proxy-lost", "proxy-unreachable") else LIKELY


def _not_heard(facts: Facts) -> Confidence | None:
    said, radio = facts[SaidFacts], facts[RadioFacts]
    if said.has("worked") and not said.has("not-discovered"):
        return None
    old = (bool(radio.ages) and max(radio.ages) >= _OLD) or (radio.unlisted and not said.has(*_REACHED))
    looked = said.has(
        *("not-discovered", "not-found", "never-heard", "no-longer-heard", "gone", "device-missing"),
    )
    return when(old or looked, POSSIBLE)


def _not_heard_causes(facts: Facts) -> Causes:
    radio, said = facts[RadioFacts], facts[SaidFacts]
    causes = {
        "phone-app-holds-it": 0.25,
        "ble.phantom-connection": 0.25,
        "ble.weak-signal": 0.2,
        "ble.pack-stuck": 0.15,
        "pack-asleep": 0.1,
    }
    if radio.heard_at_first:
        return {
            "ble.weak-signal": 0.3,
            "phone-app-holds-it": 0.25,
            "ble.pack-stuck": 0.25,
            "ble.phantom-connection": 0.2,
        }
    if said.has("removed-from-bus", "not-found") and radio.others:
        causes["ble.phantom-connection"] = 0.35
    if radio.level is not None:
        causes["ble.weak-signal"] = 0.4 if radio.level <= DOUBTFUL else 0.08
    if not radio.others and not radio.ages:
        causes["host.adapter-hung"] = 0.15
    return causes


def _not_heard_words(facts: Facts) -> str:
    radio = facts[RadioFacts]
    if radio.heard_at_first:
        return (
            "The pack was heard when the program looked around, and not found when it wanted to connect:"
            " weak, taken"
            " meanwhile by another client, or stuck."
        )
    others = f" while {radio.others} others were heard, so the adapter works" if radio.others else ""
    age = f" (last advertisement {max(radio.ages)} s ago)" if radio.ages else ""
    return (
        f"The pack is not heard{age}{others}. It is held by another client, connected to this one without its"
        " knowing, stuck, asleep or too far: nothing tells which."
    )


def _weak(facts: Facts) -> Confidence | None:
    radio, said = facts[RadioFacts], facts[SaidFacts]
    level = radio.level
    if level is None or level > DOUBTFUL:
        return None
    if level > _WEAK and said.has("sent", "sent-acked", "subscribed", "connected", "client-connected"):
        return None  # the link stands
    if said.works:
        return when(level <= _WEAK and said.failures > 2, POSSIBLE)
    if not _fails(facts):
        # An advertisement by itself says how loud it is, and not that anything failed.
        return when(not said.has("received"), POSSIBLE)
    return LIKELY if level <= _WEAK else POSSIBLE


def _weak_causes(facts: Facts) -> Causes:
    level = facts[RadioFacts].level or 0
    share = 0.6 if level <= _WEAK else 0.45
    return {
        "ble.weak-signal": share,
        "phone-app-holds-it": 0.2,
        "ble.pack-stuck": 0.12,
        "ble.no-free-slot": 0.1,
    }


def _weak_words(facts: Facts) -> str:
    radio = facts[RadioFacts]
    level, count = round(radio.level or 0), len(radio.rssi)
    times = "once" if count == 1 else f"{count} times, median"
    return (
        f"The pack's signal is weak where it is heard ({times} {level} dBm): advertisements come, a"
        f" connection may not."
    )


def _no_link(facts: Facts) -> Confidence | None:
    said, radio = facts[SaidFacts], facts[RadioFacts]
    if radio.level is not None and radio.level <= DOUBTFUL:
        return None
    if said.has("no-slot", "not-discovered", "not-found") or not said.has(*NO_LINK, "connect-traceback"):
        return None
    if said.has("discovery-failed") and not said.has(*(set(NO_LINK) - {"connect-failed"})):
        return None  # it stood, and was lost as the services were listed
    if said.has("service-missing") and said.has("client-connected", "connected"):
        return None  # it stood, and was given up for want of a service
    if not said.has(*NO_LINK) and said.has("in-progress", "abort-by-local", "interference"):
        return None  # they say why
    if said.has("batmon-timeout") and said.has("request-timeout") and not said.has(*NO_LINK[1:]):
        return None  # asked, so the link stood
    stood = said.works or said.has("received", "subscribed", "write-failed", "notify-failed")
    return when(not stood, POSSIBLE)


def _no_link_words(facts: Facts) -> str:
    said = facts[SaidFacts]
    if said.has("status-133", "no-link", "open-failed"):
        return (
            "The link is never made. The status (133, or 62 = 0x3e) only says that: too weak, held by another"
            " client, stuck."
        )
    if said.has("batmon-timeout") and not said.has("connect-traceback", *NO_LINK[1:]):
        return (
            "A time-out, and no word on whether the link or an answer was waited for: most often the link is"
            " not made, as it is too weak, held by another client, or the pack is stuck."
        )
    return "The link is never made: too weak, held by another client, or the pack is stuck."


def _no_link_causes(facts: Facts) -> Causes:
    level = facts[RadioFacts].level
    if level is None:
        causes = {
            "ble.weak-signal": 0.3,
            "phone-app-holds-it": 0.25,
            "ble.pack-stuck": 0.2,
            "ble.phantom-connection": 0.15,
            "ble.interference": 0.1,
        }
        proxied = not facts[WriterFacts].programs & _WITHOUT_PROXIES
        return causes | {"ble.no-free-slot": 0.1} if proxied else causes
    return {
        "ble.pack-stuck": 0.35,
        "phone-app-holds-it": 0.3,
        "ble.phantom-connection": 0.15,
        "ble.interference": 0.1,
        "ble.weak-signal": 0.1,
    }


def _stuck(facts: Facts) -> Confidence | None:
    said, radio, slots = facts[SaidFacts], facts[RadioFacts], facts[SlotFacts]
    if radio.level is not None and radio.level <= _WEAK:
        return None
    if said.has("proxy-link-timeout"):
        return LIKELY if radio.rssi and not said.works else POSSIBLE
    free = bool(slots.free) and min(slots.free) > 0
    fresh = bool(radio.ages) and max(radio.ages) <= _FRESH
    heard = radio.level is not None and radio.level > DOUBTFUL
    refused = said.has("no-slot") and (free or fresh)
    return when((refused or _no_link(facts)) and heard and not said.works, POSSIBLE)


def _two_clients(facts: Facts) -> Confidence | None:
    slots = facts[SlotFacts]
    if len(slots.clients) < 2:
        # Who tries one layout after the other has what it asked for first itself.
        missing = facts[SaidFacts].has("characteristic-missing", "service-missing")
        return when(facts[SaidFacts].has("notify-acquired") and not missing, LIKELY)
    # Where the log shows no end of a connection, one may have ended unseen; and who is refused has another
    # trouble besides.
    said = facts[SaidFacts]
    refused = said.has("read-failed", "write-failed", "notify-failed", "security", "pairing-failed")
    ends = said.has("client-lost", "client-left", "open-failed") and not refused
    return CERTAIN if slots.overlap and ends else LIKELY


RULES: tuple[Rule, ...] = (
    rule(
        "ble.no-free-slot",
        _no_slot_proved,
        "Every connection slot of the proxies (or adapters) that hear the pack is taken.",
        "Add a proxy near the pack (an ESP32 serves three connections), or free a slot: another device"
        " that needs none,"
        " a slower update of others.",
        shown=("way-slots", "slots", "slots-full", "no-client-free", "no-slot"),
        causes=lambda facts: (
            {"ble.no-free-slot": 0.5, "ble.phantom-connection": 0.5}
            if facts[SlotFacts].kept
            else {"ble.no-free-slot": 0.8, "ble.phantom-connection": 0.2}
        ),
        excludes=("ble.weak-signal", "ble.pack-stuck", "phone-app-holds-it"),
    ),
    rule(
        "ble.no-free-slot",
        _no_slot_said,
        "No adapter or proxy offers a connection: all slots are taken, or the pack is not heard any more"
        " (the sentence"
        " is the same for both).",
        "Add a proxy near the pack, or free a slot; first let the log tell which of the two it is.",
        shown=("no-slot", "no-slot-or-gone", "scanners-paused", "last-heard"),
        causes={
            "ble.no-free-slot": 0.45,
            "ble.weak-signal": 0.2,
            "phone-app-holds-it": 0.15,
            "ble.phantom-connection": 0.1,
            "ble.pack-stuck": 0.1,
        },
    ),
    rule(
        "two-clients.ble",
        _two_clients,
        lambda facts: (
            "Two clients of one ESP connect to the same pack: a pack serves one."
            if facts[SlotFacts].clients
            else "Another program holds the pack's notifications."
        ),
        "Leave one: a `ble_client` on the ESP or Home Assistant through its `bluetooth_proxy`, not both;"
        " one program a pack.",
        shown=("client", "client-connected", "notify-acquired"),
        causes={"two-clients.ble": 0.8, "ble.phantom-connection": 0.2},
    ),
    rule(
        "ble.phantom-connection",
        lambda facts: when(facts[SaidFacts].has("gatt-gone"), POSSIBLE),
        "BlueZ no longer has the pack's characteristics: the link was lost, or another program removed the"
        " pack, while this one still used them.",
        "Let the program connect anew; see what disconnects it, and whether another program uses the pack.",
        shown=("gatt-gone",),
        causes={
            "ble.phantom-connection": 0.3,
            "ble.weak-signal": 0.25,
            "ble.pack-stuck": 0.2,
            "host.adapter-hung": 0.15,
            "two-clients.ble": 0.1,
        },
    ),
    rule(
        "two-clients.ble",
        lambda facts: when(facts[SaidFacts].has("no-matching-connection"), POSSIBLE),
        "bluetoothd cleans up connections that it does not know any more; what had them, the log does not"
        " say.",
        "One object a pack, made once, that disconnects at the end.",
        shown=("no-matching-connection",),
        causes={"two-clients.ble": 0.4, "ble.phantom-connection": 0.3, "reader-bug.other": 0.3},
        ask=("the script or program that reads, and its own log of the same seconds",),
        rank=Rank.FLOW,
    ),
    rule(
        "ble.pack-stuck",
        _stuck,
        "The pack advertises and the proxy or adapter takes the request, but the link is never completed.",
        "Restart the pack (its own switch, or all its power); then the proxy.",
        shown=("seen", "proxy-link-timeout", "last-heard", "way-slots", "no-link", "status-133"),
        causes=lambda facts: {
            "ble.pack-stuck": 0.45,
            "ble.weak-signal": 0.25 if (facts[RadioFacts].level or -90) <= -75 else 0.1,
            "phone-app-holds-it": 0.2,
            "ble.interference": 0.1,
        },
    ),
    rule(
        "ble.interference",
        lambda facts: when(
            facts[SaidFacts].has("abort-by-local", "interference"),
            LIKELY if not facts[SaidFacts].works else POSSIBLE,
        ),
        "This computer's own side gives up the connection while it is made: interference, a weak signal,"
        " or its adapter.",
        "Put the adapter on an extension cable away from USB 3 and Wi-Fi, or use another one or a proxy.",
        shown=("abort-by-local", "interference"),
        causes=lambda facts: {
            "ble.interference": 0.45,
            "ble.weak-signal": 0.35 if (facts[RadioFacts].level or 0) <= DOUBTFUL else 0.2,
            "host.adapter-hung": 0.2,
            "ble.pack-stuck": 0.1,
        },
    ),
    rule(
        "ble.weak-signal",
        _weak,
        _weak_words,
        "Bring a proxy or the adapter nearer to the pack.",
        shown=("seen", "way-slots", "way-rssi", "last-rssi", *NO_LINK),
        causes=_weak_causes,
    ),
    rule(
        "phone-app-holds-it",
        _not_heard,
        _not_heard_words,
        "Switch Bluetooth off on every phone, stop other programs, then switch the pack off and on.",
        shown=(
            *("not-discovered", "not-found", "removed-from-bus"),
            *("last-heard", "never-heard", "no-longer-heard", "gone", "connecting"),
        ),
        causes=_not_heard_causes,
    ),
    rule(
        "ble.weak-signal",
        _no_link,
        _no_link_words,
        "Try once with the proxy or adapter beside the pack and the phone's Bluetooth off.",
        shown=(*NO_LINK, "connect-traceback"),
        causes=_no_link_causes,
    ),
)
