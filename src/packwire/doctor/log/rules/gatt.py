"""Bluetooth once the link is there: services, the way of writing, pairing, silence."""

from packwire.check import Confidence, Facts, Rank, Rule
from packwire.doctor.log.facts import FAILURES, GattFacts, IdentityFacts, SaidFacts, WireFacts, WriterFacts
from packwire.doctor.log.known_names import mismatch
from packwire.doctor.log.rule import CERTAIN, LIKELY, POSSIBLE, Causes, rule, when

#: s that a log goes on behind a connection without one answer, where no time-out is told.
_SILENT = 5.0
_SENT = ("sent", "sent-acked")
_CAME = ("received", "worked", "frame-read", "bad-frame", "checksum")
_UNANSWERED = (
    "batmon-timeout",
    "timed-out",
    "request-timeout",
    "init-failed",
    "connected-no-data",
    "no-data-flowing",
    "failed-update",
    "no-reply",
    "secret-unanswered",
)
#: The ATT errors of authentication, authorization, key size and encryption [Core, Vol 3, Part F, 3.4.1.1].
_SECURITY = frozenset({"5", "8", "12", "15"})
_STALE = ("cache-used", "cache-stale", "services-changed", "services-removed")
_NOT_THERE = ("characteristic-missing", "characteristic-unnamed", "service-missing")
_PROGRAMS_THAT_ARE_TOLD = frozenset({"batmon", "dbus-serialbattery"})
_PROGRAMS_THAT_MATCH = frozenset({"aiobmsble"})


def _wanted_none(facts: Facts) -> bool:
    return "none" in facts[GattFacts].wanted


def _missing(facts: Facts) -> Confidence | None:
    gatt, said = facts[GattFacts], facts[SaidFacts]
    wanted = {each for each in gatt.wanted if each != "none" and len(each) >= 4}
    if not said.has(*_NOT_THERE) or _wanted_none(facts):
        return None
    if said.has("duplicate-uuid") or (wanted and wanted & gatt.listed.keys()):
        return None
    if said.last_read > said.last_line(*_NOT_THERE):
        return None  # another one was tried behind it, and does
    if gatt.wanted and not wanted:  # a handle
        return when(said.has("characteristic-missing"), LIKELY if gatt.listed else POSSIBLE)
    if wanted and gatt.other_layout:
        # Batteries' states and makers' names (2A..) are read beside, and may be missing.
        if all(each.startswith("2a") for each in wanted):
            return POSSIBLE
        # A list that somebody made with another program may be another pack's.
        return CERTAIN if any(quote.own for quote in said.all_quotes("has-characteristic")) else LIKELY
    named = wanted or said.has("service-missing")
    return LIKELY if named and gatt.listed else POSSIBLE


def _matched(facts: Facts) -> bool:
    return bool(facts[WriterFacts].programs & _PROGRAMS_THAT_MATCH)


def _missing_words(facts: Facts) -> str:
    gatt = facts[GattFacts]
    wanted = ", ".join(sorted(gatt.wanted)).upper()
    if gatt.other_layout:
        notify, write = (each.upper() for each in gatt.other_layout)
        return (
            f"The pack has another layout than its type has: {wanted} is looked for, and it has {notify}"
            f" to notify and {write} to write."
        )
    return f"The pack does not have what its type is read by{f' ({wanted})' if wanted else ''}."


def _missing_causes(kind: str) -> Causes:
    return {kind: 0.55, "protocol-changed-by-update": 0.2, "gatt.stale-cache": 0.25}


def _stale(facts: Facts) -> Confidence | None:
    said, gatt = facts[SaidFacts], facts[GattFacts]
    missing = said.has("characteristic-missing", "characteristic-unnamed", "wrong-handle", "discovery-failed")
    listed_all_the_same = bool(gatt.wanted & gatt.listed.keys()) and not said.has("duplicate-uuid")
    if listed_all_the_same or (missing and said.has("cache-used")):
        return LIKELY
    if not said.works and said.has("cache-stale", "services-changed", "wrong-handle"):
        return LIKELY
    return when(not said.works and said.has("services-removed"), POSSIBLE)


def _security(facts: Facts) -> Confidence | None:
    said = facts[SaidFacts]
    refused = bool(_SECURITY & set(said.values("gatt-error", "error")))
    refused |= any("nsufficient" in quote.text for quote in said.quotes("security"))
    if refused or any("nsufficient" in value for value in said.values("gatt-error", "description")):
        # Said of nobody by name, or beside a failure of nobody's, it may be a headset that wants it.
        others = (FAILURES | {"security", "gatt-error"}) & (said.told.keys() - said.named)
        return CERTAIN if not said.works and (said.live or not others) else LIKELY
    if said.has("security", "pairing-failed") or "4" in said.values("link-ended", "reason"):
        return POSSIBLE if said.works else LIKELY
    refusals = (said.values(code, "status") for code in ("write-failed", "notify-failed", "read-failed"))
    if any(_SECURITY.intersection(each) for each in refusals):
        return LIKELY
    if said.has("unlikely"):  # a link that was lost on the air ends in the same words
        return POSSIBLE if said.works or said.has("link-lost") else LIKELY
    just_works = said.values("paired", "mode") and not said.has(*_CAME)
    return when(just_works or said.has("passkey-wanted"), LIKELY)


def _echoed(facts: Facts) -> Confidence | None:
    wire, said = facts[WireFacts], facts[SaidFacts]
    of_ble = said.has("client-connected", "sent-acked", "connected", "paired", "subscribed")
    again = wire.echoes > 1 or (wire.echoes and said.has("secret-unanswered"))
    return when(again and not wire.right > wire.echoes and of_ble, LIKELY)


def _refused_and_dropped(facts: Facts) -> Confidence | None:
    said = facts[SaidFacts]
    dropped = said.has("client-lost", "status-133", "disconnected")
    refused = said.has("write-failed", "notify-failed") and not said.has("not-permitted", "received")
    if said.has("notify-failed") and refused and not said.works:
        return POSSIBLE
    if {"2", "3"} & set(said.values("link-ended", "reason")) and not said.works and not said.has("received"):
        return POSSIBLE
    again = said.count("client-lost") > 1 and said.has("client-connected") and not said.has("received")
    if again and not said.works and not said.has("no-link"):
        return POSSIBLE
    return when(refused and dropped and not said.works, POSSIBLE)


def _dropped_causes(facts: Facts) -> Causes:
    if facts[SaidFacts].has("notify-failed", "link-ended"):
        return {
            "pairing-needed": 0.4,
            "gatt.stale-cache": 0.2,
            "ble.phantom-connection": 0.2,
            "ble.interference": 0.2,
        }
    return {"pairing-needed": 0.45, "ble.pack-stuck": 0.2, "write-mode": 0.2, "ble.interference": 0.15}


def _write_mode(facts: Facts) -> Confidence | None:
    said, gatt = facts[SaidFacts], facts[GattFacts]
    if said.has("received") and not said.has("not-permitted"):
        return None
    both = len(gatt.modes) > 1
    refused = said.has("request-error", "not-permitted", "write-failed")
    sure = both or said.has("not-permitted")
    return when(refused and sure, LIKELY) or when(said.has("request-error"), POSSIBLE)


def _silent(facts: Facts) -> bool:
    said, wire = facts[SaidFacts], facts[WireFacts]
    reached = said.has(
        *("connected", "client-connected", "subscribed", "already-connected", "request-timeout"), *_SENT
    )
    reached |= said.has("connecting") and said.has("no-reply")  # one word for no link and for no answer
    if not reached or said.has(*_CAME) or wire.received:
        return False
    if said.live and _security(facts) is CERTAIN:
        return False  # it says itself why it does not answer
    if said.has("no-slot", "characteristic-missing", "request-error") and not said.has("request-timeout"):
        return False
    if said.has(*_UNANSWERED) or said.count(*_SENT) > 1:
        return True
    return said.silent_for("connected", "client-connected", "subscribed") >= _SILENT


def _wrong_plugin(facts: Facts) -> Confidence | None:
    identity, said = facts[IdentityFacts], facts[SaidFacts]
    if mismatch(identity.names, identity.plugins) is None or said.works:
        return None
    return when(_silent(facts) or said.has("bad-frame", "checksum", "timed-out"), LIKELY)


def _wrong_plugin_words(facts: Facts) -> str:
    name, plugin = mismatch(facts[IdentityFacts].names, facts[IdentityFacts].plugins) or ("", "")
    return (
        f"The pack calls itself {name}, which is how another family names itself, and it is read as"
        f" {plugin}: it takes"
        " the connection and does not answer that family's requests."
    )


def _mute_causes(facts: Facts) -> Causes:
    said = facts[SaidFacts]
    causes = {
        "wrong-type-matched": 0.25,
        "write-mode": 0.2,
        "password-needed": 0.2,
        "pairing-needed": 0.15,
        "ble.pack-stuck": 0.1,
    }
    if "esphome" in facts[WriterFacts].programs or said.has("sent-acked"):
        causes = {
            "password-needed": 0.35,
            "pairing-needed": 0.25,
            "wrong-type-configured": 0.2,
            "write-mode": 0.15,
            "ble.pack-stuck": 0.05,
        }
    elif not _matched(facts) and facts[WriterFacts].programs & _PROGRAMS_THAT_ARE_TOLD:
        causes["wrong-type-configured"] = causes.pop("wrong-type-matched")
        causes["protocol-variant"] = 0.1
    if said.has("secret-unanswered"):
        causes |= {"password-needed": 0.4, "pairing-needed": 0.35}
    if said.has("paired"):
        causes["pairing-needed"] = causes.get("pairing-needed", 0) + 0.2
    if said.count("disconnected", "client-lost") > 1:
        causes["pairing-needed"] += 0.15
    return causes


def _mute_first(facts: Facts) -> str:
    causes = _mute_causes(facts)
    return max(causes, key=lambda kind: causes[kind])


def _mute(kind: str) -> Rule:
    """Return the rule on a pack that takes requests and does not answer, by what is likeliest."""
    return rule(
        kind,
        lambda facts: when(_silent(facts) and _mute_first(facts) == kind, POSSIBLE),
        "Requests are taken and nothing is notified: a password or a pairing is wanted first, the type is"
        " another, or the way of writing."
        if kind == "password-needed"
        else "The connection is there, and the requests are not answered: another family, another way of"
        " writing, or the pack wants a pairing or password first.",
        "First see whether any notification arrives at all."
        if kind == "password-needed"
        else "First see what is written and whether any notification arrives at all.",
        shown=("sent-acked", "sent", "connected", "client-connected", "subscribed", *_UNANSWERED),
        causes=_mute_causes,
        rank=Rank.VALUES,
    )


RULES: tuple[Rule, ...] = (
    rule(
        "gatt.duplicate-uuid",
        lambda facts: when(facts[SaidFacts].has("duplicate-uuid")),
        "The pack has the same characteristic UUID more than once, and the program asks for it by UUID.",
        "Ask for it by handle, or choose by properties (one notifies, one is written); a newer version may"
        " do so.",
        shown=("duplicate-uuid",),
        excludes=("wrong-type-configured", "wrong-type-matched", "protocol-changed-by-update"),
    ),
    rule(
        "protocol-changed-by-update",
        lambda facts: when(
            (_wanted_none(facts) or facts[SaidFacts].has("no-name"))
            and not facts[SaidFacts].has("duplicate-uuid"),
            LIKELY,
        ),
        "The program did not find the characteristics that it looks for (it then asks for 'None'): another"
        " firmware or"
        " another family shows them differently.",
        "Use a newer version of the program; until then another reader, or the firmware before.",
        shown=("characteristic-missing", "no-name"),
        causes={
            "protocol-changed-by-update": 0.45,
            "wrong-type-configured": 0.15,
            "gatt.stale-cache": 0.15,
            "reader-bug.other": 0.1,
            "pairing-needed": 0.15,
        },
    ),
    rule(
        "gatt.stale-cache",
        _stale,
        "The list of services that was remembered is not the one that the pack has now.",
        "Remove what is remembered (`bluetoothctl remove ADDRESS`, restart the proxy), then connect again.",
        shown=(*_STALE, "wrong-handle", "characteristic-missing"),
        causes={"gatt.stale-cache": 0.6, "protocol-changed-by-update": 0.25, "wrong-type-configured": 0.15},
        excludes=("wrong-type-configured", "wrong-type-matched"),
    ),
    rule(
        "wrong-type-matched",
        lambda facts: _missing(facts) if _matched(facts) else None,
        _missing_words,
        lambda facts: (
            "Report the advertisement and this list to the program, so that it takes the right plugin."
            if facts[GattFacts].listed
            else "Report the advertisement and the pack's list of services (nRF Connect shows it) to the"
            " program, so"
            " that it takes the right plugin; where it worked before an update, go back to that version."
        ),
        shown=(*_NOT_THERE, "has-service", "has-characteristic"),
        causes=_missing_causes("wrong-type-matched"),
    ),
    rule(
        "wrong-type-configured",
        lambda facts: None if _matched(facts) else _missing(facts),
        _missing_words,
        "Configure the type of the family that has this layout.",
        shown=(*_NOT_THERE, "has-service", "has-characteristic"),
        causes=_missing_causes("wrong-type-configured"),
    ),
    rule(
        "pairing-needed",
        _security,
        "The pack wants pairing (with its PIN) before it lets anybody read, or a pairing failed.",
        "Pair it once with its PIN where it is read (bluetoothctl pair, ESPHome: io_capability and passkey);"
        " remove an old pairing first.",
        shown=(
            *("security", "pairing-failed", "gatt-error", "read-failed", "unlikely"),
            *("paired", "passkey-wanted"),
        ),
        causes=lambda facts: (
            {"pairing-needed": 0.75, "password-needed": 0.25}
            if not facts[SaidFacts].works
            else {"pairing-needed": 0.4, "ble.pack-stuck": 0.3, "ble.interference": 0.3}
        ),
    ),
    rule(
        "password-needed",
        lambda facts: when(facts[SaidFacts].last_line("wrong-secret") > facts[SaidFacts].last_read, CERTAIN),
        "The pack refuses the password that it was given.",
        "Give the password that was set in the vendor's app.",
        shown=("wrong-secret",),
    ),
    rule(
        "pairing-needed",
        _echoed,
        "The pack sends back what is written to it, and no answer: it keeps its data for those who paired"
        " with a passkey.",
        "Pair it with its PIN.",
        shown=("paired", "sent", "received"),
        causes={"pairing-needed": 0.6, "password-needed": 0.4},
    ),
    rule(
        "pairing-needed",
        _refused_and_dropped,
        "The link is made, and breaks or fails as soon as notifications are switched on or something is"
        " written.",
        "See whether the app asks for a PIN; pair it where it is read, with the passkey.",
        shown=("write-failed", "notify-failed", "client-lost", "link-ended"),
        causes=_dropped_causes,
    ),
    rule(
        "write-mode",
        _write_mode,
        lambda facts: (
            "Requests written one way are not answered, and the other way of writing is refused."
            if _write_mode(facts) is LIKELY
            else "What is written is refused: by the way of writing, for want of a pairing, or as the link"
            " was gone by then."
        ),
        "Write as the characteristic's properties say (with or without response); see why it is unanswered.",
        shown=(
            "sent",
            "request-timeout",
            "request-error",
            "not-permitted",
            "write-failed",
            "has-characteristic",
        ),
        causes=lambda facts: (
            {"write-mode": 0.6, "pairing-needed": 0.2, "ble.pack-stuck": 0.2}
            if _write_mode(facts) is LIKELY
            else {
                "write-mode": 0.3,
                "pairing-needed": 0.25,
                "ble.pack-stuck": 0.15,
                "ble.weak-signal": 0.15,
                "wrong-type-matched" if _matched(facts) else "wrong-type-configured": 0.15,
            }
        ),
    ),
    rule(
        "wrong-type-matched",
        _wrong_plugin,
        _wrong_plugin_words,
        "Read it with the plugin of that family; report the advertisement to the program.",
        shown=("advertised-name", "plugin-connecting", "connected", "timed-out", "request-timeout"),
        causes={
            "wrong-type-matched": 0.6,
            "write-mode": 0.15,
            "password-needed": 0.15,
            "pairing-needed": 0.1,
        },
        ask=("the maker's name, and what the pack sent, if anything (a verbose log of the plugin)",),
    ),
    rule(
        "wrong-type-configured",
        lambda facts: when(facts[SaidFacts].has("answers-as", "other-version"), LIKELY),
        lambda facts: (
            "It answers as another family does:"
            f" {', '.join(dict.fromkeys(facts[SaidFacts].values('answers-as', 'family')))}."
            if facts[SaidFacts].has("answers-as")
            else "The component takes the pack's frames for those of another protocol version than is"
            " configured."
        ),
        lambda facts: (
            "Configure that family's type."
            if facts[SaidFacts].has("answers-as")
            else "Set `protocol_version` to the one that the line names, and compare the values with the"
            " app's."
        ),
        shown=("answers-as", "other-version"),
        causes={"wrong-type-configured": 0.8, "protocol-variant": 0.2},
    ),
    *(_mute(kind) for kind in ("password-needed", "wrong-type-matched", "wrong-type-configured")),
)
