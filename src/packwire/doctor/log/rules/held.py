"""Bluetooth packs that are not found where the radio is not said to be weak: held, or of another type."""

from packwire.check import Confidence, Facts, Rule
from packwire.doctor.log.facts import RadioFacts, SaidFacts
from packwire.doctor.log.rule import LIKELY, POSSIBLE, Causes, rule, when
from packwire.doctor.log.rules.radio import DOUBTFUL, NO_LINK


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
    return when(told and not said.works, POSSIBLE)


def _held_here(facts: Facts) -> Confidence | None:
    """Tell whether the computer itself, or a proxy, has a connection that the program knows nothing of."""
    said = facts[SaidFacts]
    if said.works or said.has("received"):
        return None
    if said.has("host-connected"):
        missed = said.has("no-bms", "not-found", "not-discovered", "connect-failed", "connect-timeout")
        return LIKELY if missed else POSSIBLE
    return when(said.has("slot-kept"), POSSIBLE)


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
        shown=("host-connected", "slot-kept", "no-bms", "not-found", "not-discovered", "connect-failed"),
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
)
