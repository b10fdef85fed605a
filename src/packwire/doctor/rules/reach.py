"""The verdicts on a device that gives nothing: the way, the hub, the port, the silence."""

from packwire.address import Address, hub_address
from packwire.check import Confidence, Facts, Rank, Rule, when
from packwire.doctor.facts import Contact, ContactFacts, HubFacts, Reach, ServiceFacts, TargetFacts, WayFacts
from packwire.doctor.foreign import protocol_of
from packwire.errors import Reason


def _where(facts: Facts) -> str:
    return facts[TargetFacts].where


def _behind(facts: Facts) -> Address:
    address = facts[TargetFacts].direct_tcp
    assert address is not None
    return hub_address("ID", address.host, address.port)


def _closed_at_login(facts: Facts) -> Confidence | None:
    hub = facts[HubFacts]
    return when(hub.closed_at_login and hub.knows)  # only a PONG proves that it knows the id


def _no_hub(facts: Facts) -> Confidence | None:
    return when(facts[HubFacts].said and not facts[ContactFacts].answered)


def _no_hub_words(facts: Facts) -> str:
    said = facts[HubFacts].said
    name = protocol_of(said)
    what = f"it is {name}" if name else "it says what no hub says"
    return f"{_where(facts)} is no hub: {what}. It begins {said[:24]!r}."


def _no_hub_remedy(facts: Facts) -> str:
    hub = facts[HubFacts]
    if hub.said and protocol_of(hub.said) == "TLS":
        return "Check host and port: a hub's port without TLS is 65101."
    return "Check host and port: a hub listens on 65101, a VESC itself (vesc://HOST) on 65102."


def _unknown_id(facts: Facts) -> Confidence | None:
    return when(facts[HubFacts].knows is False and not facts[ContactFacts].answered)


def _hub_hung(facts: Facts) -> Confidence | None:
    hub = facts[HubFacts]
    silent = facts[ContactFacts].contact in {Contact.SILENT, Contact.CLOSED, Contact.UNTRIED}
    answered = hub.answers_ping or hub.said or hub.closed_at_login
    if not facts[TargetFacts].is_hub or answered or facts[WayFacts].reach is not Reach.OPEN or not silent:
        return None
    return Confidence.LIKELY


def _behind_hub(facts: Facts) -> Confidence | None:
    # A hub never confirms a login: it may hang itself, or still be looking at the password.
    if facts[TargetFacts].is_hub and facts[HubFacts].knows and facts[ContactFacts].contact is Contact.SILENT:
        return Confidence.LIKELY
    return None


def _is_hub(facts: Facts) -> Confidence | None:
    return when(facts[HubFacts].in_disguise)


def _not_a_vesc(facts: Facts) -> Confidence | None:
    """Certain where its words tell what it is: a bridge at a wrong baud rate sends no VESC frame either."""
    first = facts[ContactFacts]
    if first.contact is not Contact.FOREIGN:
        return None
    return Confidence.CERTAIN if protocol_of(first.first_bytes) else Confidence.LIKELY


def _what_it_is(facts: Facts) -> str:
    head = facts[ContactFacts].first_bytes
    name = protocol_of(head)
    if name:
        return f"{_where(facts)} is {name}, no VESC: it answers {head[:24]!r}."
    return (
        f"{_where(facts)} sends bytes without one VESC frame: another device, or a wrong baud rate. They "
        f"begin {head[:24]!r}."
    )


def _echo(facts: Facts) -> Confidence | None:
    contact = facts[ContactFacts]
    if contact.contact is not Contact.ECHO:
        return None
    # A terminal echoes, and other protocols repeat a request's head: only what sends nothing else is an echo.
    return Confidence.LIKELY if contact.besides_echo else Confidence.CERTAIN


def _occupied(facts: Facts) -> Confidence | None:
    return when(facts[ContactFacts].contact is Contact.SILENT and facts[ServiceFacts].neighbours)


def _unserved(facts: Facts) -> Confidence | None:
    return when(
        facts[ContactFacts].contact is Contact.SILENT and facts[ServiceFacts].takes_more is False,
        Confidence.LIKELY,
    )


def _unread(facts: Facts) -> Confidence | None:
    return when(
        facts[ContactFacts].contact is Contact.SILENT and facts[ServiceFacts].reads is False,
        Confidence.LIKELY,
    )


def _hung(facts: Facts) -> Confidence | None:
    """Certain where nobody else was served: a restart frees a device of another client, too."""
    service = facts[ServiceFacts]
    if not service.revived:
        return None
    return Confidence.CERTAIN if service.served else Confidence.LIKELY


def _mute(facts: Facts) -> Confidence | None:
    service = facts[ServiceFacts]
    if facts[ContactFacts].contact is not Contact.SILENT or facts[HubFacts].in_disguise:
        return None
    return Confidence.CERTAIN if service.served and service.revived is False else Confidence.LIKELY


def _mute_words(facts: Facts) -> str:
    service = facts[ServiceFacts]
    if facts[TargetFacts].is_serial:
        return f"{_where(facts)} opens, but not one byte comes back."
    if service.served:
        return (
            f"{_where(facts)} serves one client, as a VESC does, and that was us; it takes all that it is "
            "sent, and says nothing at all."
        )
    takes = "the connection and all that it is sent" if service.reads else "the connection"
    return (
        f"{_where(facts)} takes {takes}, and says nothing: a VESC in trouble, or something that is no VESC."
    )


def _mute_remedy(facts: Facts) -> str:
    if facts[TargetFacts].is_serial:
        return (
            "Check that it is this port (packwire scan; --probe says what BMS is there), the baud rate "
            "(115200), that RX and TX are not swapped, and that the VESC has power. Switch it off and on, "
            "and ask again."
        )
    if facts[ServiceFacts].revived is False:
        return "Switching it off and on did not help: check that this is a VESC's address, and its firmware."
    return (
        "Check that this is a VESC's address (packwire scan). Switch it off and on, then ask again; with "
        "--restart the doctor waits for that and says whether it helped."
    )


RULES: tuple[Rule, ...] = (
    Rule(
        "unknown-id",
        Rank.WAY,
        _unknown_id,
        "The hub works, but no device of this id is connected to it at this moment.",
        "Check the id, and that the VESC is on, online, and set to this hub. It is not about the password.",
        Reason.UNKNOWN_ID,
        frozenset({"wrong-password", "hub-hung", "mute-behind-hub", "mute", "closes"}),
    ),
    Rule(
        "no-hub",
        Rank.WAY,
        _no_hub,
        _no_hub_words,
        _no_hub_remedy,
        Reason.FOREIGN,
        frozenset({"hub-hung", "not-a-vesc", "mute", "closes"}),
    ),
    Rule(
        "wrong-password",
        Rank.WAY,
        _closed_at_login,
        "The hub closes the connection at login, and knows the id: the password is wrong (or, after several "
        "wrong ones, the hub lets this computer wait).",
        "Look it up in the VESC's configuration (Express, TCP hub). It is case sensitive; a colon in it "
        "never works.",
        Reason.WRONG_PASSWORD,
        frozenset({"hub-hung", "mute", "closes"}),
    ),
    Rule(
        "hub-hung",
        Rank.WAY,
        _hub_hung,
        lambda facts: (
            f"{_where(facts)} takes connections, but answers neither a hub's PING nor anything else."
        ),
        "The hub hangs, or it is no hub. Restart it if it is yours; else try the VESC directly: vesc://HOST",
        Reason.SILENT,
        frozenset({"mute", "closes"}),
    ),
    Rule(
        "mute-behind-hub",
        Rank.WAY,
        _behind_hub,
        "The hub knows the device and takes the login, but the device behind it says nothing: it hangs, or "
        "its connection to the hub is dead and neither of them knows.",
        "Switch the VESC off and on. If it is silent again, read it directly (vesc://HOST) to rule out the "
        "hub.",
        Reason.SILENT,
        frozenset({"mute"}),
    ),
    Rule(
        "hub-port",
        Rank.WAY,
        _is_hub,
        lambda facts: f"{_where(facts)} is a hub, not a VESC: it answered a hub's PING.",
        lambda facts: f"Read the device behind it: packwire read {_behind(facts)}",
        Reason.HUB_PORT,
        frozenset({"mute", "occupied", "unserved", "unread", "closes"}),
    ),
    Rule(
        "not-a-vesc",
        Rank.WAY,
        _not_a_vesc,
        _what_it_is,
        "Check host, port and (serial) baud rate.",
        Reason.FOREIGN,
    ),
    Rule(
        "echo",
        Rank.WAY,
        _echo,
        "It sends back what it is sent: no VESC does that.",
        "An echo service, or a serial line whose RX and TX are joined: check port and wiring.",
        Reason.ECHO,
    ),
    Rule(
        "hung",
        Rank.WAY,
        _hung,
        "The device was hung: it said nothing until it was switched off and on.",
        "A FORWARD_CAN without an id does that to it: look at what your own client sends "
        "(packwire decode on a recording of it).",
        Reason.SILENT,
        frozenset({"mute", "occupied", "unserved", "unread"}),
    ),
    Rule(
        "occupied",
        Rank.WAY,
        _occupied,
        lambda facts: (
            f"{_where(facts)} takes the connection, but leaves it waiting: another program on this computer "
            "is connected to it. A VESC Express serves one client, and the next hears nothing until that one "
            "leaves."
        ),
        "Close the other program (VESC Tool, packwire watch, Home Assistant). To use several at once: "
        "packwire share",
        Reason.SILENT,
        frozenset({"mute", "unserved", "unread"}),
    ),
    Rule(
        "unserved",
        Rank.WAY,
        _unserved,
        lambda facts: (
            f"{_where(facts)} lets our connection wait, and takes no other: so does a VESC that serves a "
            "client on another device (a phone, another computer), and one that hangs."
        ),
        "Close VESC Tool on every phone and computer, and other clients. If there are none, it hangs: switch "
        "the VESC off and on, and look at what your own client sends. A FORWARD_CAN without an id does that "
        "to it.",
        Reason.SILENT,
        frozenset({"mute", "unread"}),
    ),
    Rule(
        "unread",
        Rank.WAY,
        _unread,
        lambda facts: (
            f"{_where(facts)} takes every connection, but reads nothing of what it is sent. A VESC lets one "
            "client wait, not several: something else listens there, and hangs."
        ),
        "Look for what stands in between (a port forwarding, a proxy, a bridge to a serial port) and restart "
        "it; then the VESC.",
        Reason.SILENT,
        frozenset({"mute"}),
    ),
    Rule("mute", Rank.WAY, _mute, _mute_words, _mute_remedy, Reason.SILENT),
)
