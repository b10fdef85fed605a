"""Bluetooth packs that are not found where the radio is not said to be weak, or of which no more is told."""

from packwire.capture.events.programs import SYSTEM_TOOLS
from packwire.capture.events.told import ONLY_THERE
from packwire.check import Confidence, Facts, Rank, Rule
from packwire.doctor.log.facts import ONLY_TRIED, GattFacts, IdentityFacts, RadioFacts, SaidFacts, WriterFacts
from packwire.doctor.log.known_names import expected
from packwire.doctor.log.rule import LIKELY, POSSIBLE, Causes, rule, when
from packwire.doctor.log.rules.radio import DOUBTFUL, NO_LINK
from packwire.doctor.log.said import fails_seldom
from packwire.phrases import times


def _no_bms_causes(facts: Facts) -> Causes:
    level = facts[RadioFacts].level
    return {
        "phone-app-holds-it": 0.3,
        "wrong-type-configured": 0.25,
        "ble.pack-stuck": 0.2,
        "ble.weak-signal": 0.15 if level is None or level <= DOUBTFUL else 0.05,
        "ble.phantom-connection": 0.1,
    }


def _no_bms(facts: Facts) -> Confidence | None:
    """Take a driver that found nobody at an address: it is one word for no link and for no answer."""
    said = facts[SaidFacts]
    told = said.has("no-bms") and not said.has(*NO_LINK, "no-reply", "characteristic-missing", "no-adapter")
    told = told and not said.has("part-missing", "cut-short", "bad-frame", "crc-error", "bluetoothd-ended")
    return when(told and not said.works, POSSIBLE)


def _held_here(facts: Facts) -> Confidence | None:
    """Tell whether the computer itself, or a proxy, has a connection that the program knows nothing of."""
    said = facts[SaidFacts]
    if said.works or said.has("received"):
        return None
    if said.has("host-connected"):
        missed = said.has("no-bms", "not-found", "not-discovered", "connect-failed", "connect-timeout")
        reads = facts[WriterFacts].programs - {
            "bluez",
            SYSTEM_TOOLS,
        }  # nobody may: headphones are connected, too
        return LIKELY if missed and reads else POSSIBLE
    if "ESTABLISHED" in said.values("ignored-request", "state"):
        return LIKELY if said.count("ignored-request") > 1 else POSSIBLE
    return when(said.has("slot-kept"), POSSIBLE)


_CONNECTING = ("connecting", "plugin-connecting", "client")
#: s: so long a link stood that was not just made.
_STOOD = 120
#: s: so long nobody waits for a connection.
_LONG = 60.0


def _only_connecting(facts: Facts) -> Confidence | None:
    """Take a pack that is connected to again and again, or for long, and of which no more is told."""
    said = facts[SaidFacts]
    own = said.told.keys() - said.of_nobody
    if said.live or own.isdisjoint(_CONNECTING) or not own <= ONLY_TRIED:
        return None
    if said.others_read and said.others_read < said.first_line(*_CONNECTING):
        return None  # the log ends before it is its turn
    again = said.count(*_CONNECTING) > 1 or said.silent_for(*_CONNECTING) >= _LONG
    return when(again, POSSIBLE)


def _only_connecting_words(facts: Facts) -> str:
    said = facts[SaidFacts]
    how_often = times(said.count(*_CONNECTING))
    another = "Another pack is read, and of this one the" if said.others_read else "The"
    return (
        f"{another} log tells no more than that the pack is connected to ({how_often}): the link is not made,"
        " or the program does not say so."
    )


#: What a program tells of a pack that it got nothing from, where it tells no more.
_NO_MORE = frozenset({"timed-out", "init-failed", "failed-update", "communication-failed", "update"})


def _only_timed_out(facts: Facts) -> Confidence | None:
    said = facts[SaidFacts]
    told = said.told.keys() - ONLY_THERE
    failed = said.has("timed-out", "init-failed", "failed-update")
    return when(failed and told <= _NO_MORE and not said.live, POSSIBLE)


def _lost_at_last(facts: Facts) -> Confidence | None:
    """Take a link that stood for long and is lost, of which the log tells no more."""
    said = facts[SaidFacts]
    stood = any(int(each) >= _STOOD for each in said.values("disconnected", "stood"))
    return when(stood and not said.works and not said.failures, POSSIBLE)


def _only_advertised(facts: Facts) -> Confidence | None:
    said = facts[SaidFacts]
    told = said.told.keys()
    return when("advertised-services" in told and told <= ONLY_THERE and not said.live, POSSIBLE)


def _only_advertised_words(facts: Facts) -> str:
    gatt, identity = facts[GattFacts], facts[IdentityFacts]
    services = ", ".join(sorted(each.upper() for each in gatt.advertised))
    families = sorted({family for name in identity.names for family in expected(name)})
    whose = f"; names like its are those of {' or '.join(families)}" if families else ""
    return (
        f"No more than what the pack advertises is here{f' (service {services})' if services else ''}{whose}."
        " Where a program does not recognise it, its name or services are not among those that its plugins"
        " look for."
    )


def _comes_and_goes(facts: Facts) -> Confidence | None:
    said = facts[SaidFacts]
    over_radio = said.has(
        *("connecting", "connected", "client-connected", "seen", "update", "received", "batmon-error")
    )
    return when(said.works and said.failures and over_radio and not fails_seldom(said), POSSIBLE)


RULES: tuple[Rule, ...] = (
    rule(
        "ble.phantom-connection",
        _held_here,
        lambda facts: (
            "This computer itself is connected to the pack, and not by the program that reads: a pack that is"
            " connected is not heard any more, and serves nobody else."
            if facts[SaidFacts].has("host-connected")
            else "A proxy holds a connection to the pack that nobody uses any more."
        ),
        lambda facts: (
            "Disconnect it (`bluetoothctl disconnect ADDRESS`), start the program again, and leave"
            " `bluetoothctl` closed while it reads."
            if facts[SaidFacts].has("host-connected")
            else "Restart the proxy; a newer ESPHome lets go of such connections by itself."
        ),
        shown=(
            *("host-connected", "slot-kept", "ignored-request"),
            *("no-bms", "not-found", "not-discovered", "connect-failed"),
        ),
        causes={
            "ble.phantom-connection": 0.55,
            "phone-app-holds-it": 0.15,
            "two-clients.ble": 0.15,
            "pairing-needed": 0.15,
        },
    ),
    rule(
        "phone-app-holds-it",
        _no_bms,
        "The driver finds no BMS at that address. It does not tell whether the pack was not reached (another"
        " client holds it, it is stuck or too far), or is of another type than was configured.",
        "Shut the app on every phone, see that the configured type is that of this pack, and try once with"
        " the adapter beside it.",
        shown=("connecting", "no-bms", "seen"),
        causes=_no_bms_causes,
    ),
    rule(
        "ble.weak-signal",
        _only_connecting,
        _only_connecting_words,
        "Try this pack alone, with the adapter beside it and the phone's Bluetooth off.",
        shown=_CONNECTING,
        causes={
            "ble.weak-signal": 0.25,
            "phone-app-holds-it": 0.25,
            "ble.no-free-slot": 0.2,
            "ble.pack-stuck": 0.2,
            "configuration": 0.1,
        },
    ),
    rule(
        "ble.weak-signal",
        _only_timed_out,
        "The program says no more than that the pack did not answer in time: the link was lost, it is read as"
        " another type, or it wants a password or a pairing first.",
        "Let the program's debug log tell whether it connects, what it sends, and whether anything comes.",
        shown=("timed-out", "init-failed", "failed-update"),
        causes={
            "ble.weak-signal": 0.3,
            "wrong-type-matched": 0.2,
            "password-needed": 0.2,
            "pairing-needed": 0.1,
            "write-mode": 0.1,
            "ble.pack-stuck": 0.1,
        },
        rank=Rank.DOUBT,
    ),
    rule(
        "wrong-type-matched",
        _only_advertised,
        _only_advertised_words,
        "Report the advertisement with maker, model and the app that reads it; where the app lets you, name"
        " the pack as packs of its family are called, and try again.",
        shown=("advertised-name", "advertised-services", "seen"),
        causes={"wrong-type-matched": 0.6, "ble.weak-signal": 0.2, "protocol-variant": 0.2},
        ask=("the program's own log from its start on: does it see the pack, and as what does it take it",),
        rank=Rank.VALUES,
    ),
    rule(
        "ble.weak-signal",
        _lost_at_last,
        lambda facts: (
            "A link that stood for"
            f" {max(map(int, facts[SaidFacts].values('disconnected', 'stood')))} s is lost, and the log ends"
            " before it tells whether it comes again."
        ),
        "See whether it comes again by itself, and what is different when it is lost: the distance, a phone's"
        " app, what else runs.",
        shown=("disconnected",),
        causes={
            "ble.weak-signal": 0.35,
            "ble.interference": 0.25,
            "ble.pack-stuck": 0.2,
            "phone-app-holds-it": 0.2,
        },
        ask=("the log of the minutes behind it",),
        rank=Rank.VALUES,
    ),
    rule(
        "ble.weak-signal",
        _comes_and_goes,
        lambda facts: (
            f"It works now and then: values are read ({facts[SaidFacts].works}), and failures are told"
            f" between ({facts[SaidFacts].failures})."
        ),
        "See what is different when it fails: the distance, a phone's app, the proxy's network, the update"
        " interval.",
        shown=("timed-out", "failed-update", "worked"),
        causes={
            "ble.weak-signal": 0.35,
            "ble.interference": 0.2,
            "phone-app-holds-it": 0.2,
            "ble.proxy-network": 0.15,
            "polling-too-fast": 0.1,
        },
        rank=Rank.DOUBT,
    ),
)
