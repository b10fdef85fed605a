"""The verdicts on a device that gives nothing: the way, the hub, the port, the silence."""

from packwire.address import HubAddress, TcpAddress
from packwire.doctor.case import Case
from packwire.doctor.evidence import Confidence
from packwire.doctor.facts import Contact, Reach
from packwire.doctor.foreign import protocol_of
from packwire.doctor.rules.rule import Rule, certain
from packwire.errors import Reason
from packwire.link.tcp import place
from packwire.vesc.commands import Command
from packwire.vesc.framing import encode_frame
from packwire.vesc.requests import request


def _when(reach: Reach, case: Case) -> Confidence | None:
    """Certain, but where nothing was heard in time: that has many causes."""
    if case.facts.reach is not reach:
        return None
    return Confidence.LIKELY if case.facts.reach_reason is Reason.TIMED_OUT else Confidence.CERTAIN


def _unknown_name_words(case: Case) -> str:
    if case.facts.reach_reason is Reason.TIMED_OUT:
        return f"The name {_host(case)} could not be looked up: no name server answered."
    return f"The name {_host(case)} is not known here."


def _where(case: Case) -> str:
    address = case.address
    if isinstance(address, TcpAddress | HubAddress):
        return place(address.host, address.port)
    return str(case.base)


def _host(case: Case) -> str:
    return getattr(case.address, "host", "")


def _behind(case: Case) -> HubAddress:
    address = case.direct_tcp
    assert address is not None
    return HubAddress("ID", address.host, address.port)


def _refused(case: Case) -> str:
    wanted = "a hub listens on 65101" if case.is_hub else "a VESC Express listens on 65102"
    return (
        f"{_where(case)} refuses the connection: nothing listens on that port of a computer or device that "
        f"is there ({wanted}), or a firewall refuses in its place."
    )


def _mute_on_serial(case: Case) -> bool:
    return case.is_serial and case.facts.contact is Contact.SILENT


def _closed_at_login(case: Case) -> Confidence | None:
    facts = case.facts
    return certain(facts.closed_at_login and facts.hub_knows)  # only a PONG proves that it knows the id


def _no_hub(case: Case) -> Confidence | None:
    return certain(case.facts.hub_said and case.facts.version is None)


def _no_hub_words(case: Case) -> str:
    said = case.facts.hub_said
    name = protocol_of(said)
    what = f"it is {name}" if name else "it says what no hub says"
    return f"{_where(case)} is no hub: {what}. It begins {said[:24]!r}."


def _no_hub_remedy(case: Case) -> str:
    if case.facts.hub_said and protocol_of(case.facts.hub_said) == "TLS":
        return "Check host and port: a hub's port without TLS is 65101."
    return "Check host and port: a hub listens on 65101, a VESC itself (vesc://HOST) on 65102."


def _unknown_id(case: Case) -> Confidence | None:
    facts = case.facts
    return Confidence.CERTAIN if facts.hub_knows is False and facts.version is None else None


def _hub_hung(case: Case) -> Confidence | None:
    facts = case.facts
    silent = facts.contact in {Contact.SILENT, Contact.CLOSED, Contact.UNTRIED}
    answered = facts.hub_answers_ping or facts.hub_said or facts.closed_at_login
    if not case.is_hub or answered or facts.reach is not Reach.OPEN or not silent:
        return None
    return Confidence.LIKELY


def _behind_hub(case: Case) -> Confidence | None:
    facts = case.facts
    # A hub never confirms a login: it may hang itself, or still be looking at the password.
    if case.is_hub and facts.hub_knows and facts.contact is Contact.SILENT:
        return Confidence.LIKELY
    return None


def _is_hub(case: Case) -> Confidence | None:
    return Confidence.CERTAIN if case.facts.hub_in_disguise else None


def _not_a_vesc(case: Case) -> Confidence | None:
    """Certain where its words tell what it is: a bridge at a wrong baud rate sends no VESC frame either."""
    if case.facts.contact is not Contact.NOT_A_VESC:
        return None
    return Confidence.CERTAIN if protocol_of(case.facts.first_bytes) else Confidence.LIKELY


def _what_it_is(case: Case) -> str:
    head = case.facts.first_bytes
    name = protocol_of(head)
    if name:
        return f"{_where(case)} is {name}, no VESC: it answers {head[:24]!r}."
    return (
        f"{_where(case)} sends bytes without one VESC frame: another device, or a wrong baud rate. They "
        f"begin {head[:24]!r}."
    )


def _echo(case: Case) -> Confidence | None:
    if case.facts.contact is not Contact.ECHO:
        return None
    # A terminal echoes, and other protocols repeat a request's head: only what sends nothing else is an echo.
    more = case.facts.first_bytes.replace(encode_frame(request(Command.FW_VERSION)), b"").strip(b"\0")
    return Confidence.LIKELY if more else Confidence.CERTAIN


def _occupied(case: Case) -> Confidence | None:
    facts = case.facts
    return Confidence.CERTAIN if facts.contact is Contact.SILENT and facts.neighbours else None


def _unserved(case: Case) -> Confidence | None:
    facts = case.facts
    return Confidence.LIKELY if facts.contact is Contact.SILENT and facts.takes_more is False else None


def _unread(case: Case) -> Confidence | None:
    facts = case.facts
    return Confidence.LIKELY if facts.contact is Contact.SILENT and facts.reads is False else None


def _hung(case: Case) -> Confidence | None:
    """Certain where nobody else was served: a restart frees a device of another client, too."""
    if not case.facts.revived:
        return None
    return Confidence.CERTAIN if case.facts.served else Confidence.LIKELY


def _mute(case: Case) -> Confidence | None:
    facts = case.facts
    if facts.contact is not Contact.SILENT or facts.hub_in_disguise:
        return None
    return Confidence.CERTAIN if facts.served and facts.revived is False else Confidence.LIKELY


def _mute_words(case: Case) -> str:
    if case.is_serial:
        return f"{_where(case)} opens, but not one byte comes back."
    if case.facts.served:
        return (
            f"{_where(case)} serves one client, as a VESC does, and that was us; it takes all that it is "
            "sent, and says nothing at all."
        )
    takes = "the connection and all that it is sent" if case.facts.reads else "the connection"
    return f"{_where(case)} takes {takes}, and says nothing: a VESC in trouble, or something that is no VESC."


def _mute_remedy(case: Case) -> str:
    if case.is_serial:
        return (
            "Check that it is this port (packwire scan), the baud rate (115200), that RX and TX are not "
            "swapped, "
            "and that the VESC has power. Switch it off and on, and ask again."
        )
    if case.facts.revived is False:
        return "Switching it off and on did not help: check that this is a VESC's address, and its firmware."
    return (
        "Check that this is a VESC's address (packwire scan). Switch it off and on, then ask again; with "
        "--restart the doctor waits for that and says whether it helped."
    )


def _closes(case: Case) -> Confidence | None:
    facts = case.facts
    closed = facts.contact is Contact.CLOSED or (facts.closed_at_login and facts.hub_knows is None)
    return certain(closed and not facts.hub_in_disguise)


def _closes_words(case: Case) -> str:
    words = f"{_where(case)} takes the connection, and closes it without a word"
    if not case.is_hub:
        return f"{words}."
    return (
        f"{words}, and did not answer a hub's PING: no hub (an MQTT broker does so), or one that does not "
        "say PONG, or something in between."
    )


REACH_RULES: tuple[Rule, ...] = (
    Rule(
        "unknown-name",
        lambda case: _when(Reach.UNKNOWN_NAME, case),
        _unknown_name_words,
        "Check its spelling, or use the address in numbers. A name that ends in .local needs mDNS on this "
        "computer.",
        Reason.UNKNOWN_NAME,
    ),
    Rule(
        "refused-port",
        lambda case: _when(Reach.REFUSED, case),
        _refused,
        "Check the port, and in VESC Tool that local TCP is enabled (Express, WiFi), or that the hub is "
        "running.",
        Reason.PORT_REFUSED,
    ),
    Rule(
        "no-access",
        lambda case: _when(Reach.NOT_ALLOWED, case),
        lambda case: f"The port cannot be opened: {case.facts.reach_error}.",
        "Close the program that holds it, or give your user the right to open it.",
        Reason.NOT_ALLOWED,
    ),
    Rule(
        "nothing-there",
        lambda case: _when(Reach.NOTHING_THERE, case),
        lambda case: f"Nobody takes the connection: {case.facts.reach_error}.",
        lambda case: (
            "Plug the device in, or check the port's name."
            if case.is_serial
            else "Check that the device is on and in this network; packwire scan lists what announces itself."
        ),
        Reason.NO_ROUTE,
    ),
    Rule(
        "unknown-id",
        _unknown_id,
        "The hub works, but no device of this id is connected to it at this moment.",
        "Check the id, and that the VESC is on, online, and set to this hub. It is not about the password.",
        Reason.UNKNOWN_ID,
        frozenset({"wrong-password", "hub-hung", "mute-behind-hub", "mute", "closes"}),
    ),
    Rule(
        "no-hub",
        _no_hub,
        _no_hub_words,
        _no_hub_remedy,
        Reason.FOREIGN,
        frozenset({"hub-hung", "not-a-vesc", "mute", "closes"}),
    ),
    Rule(
        "wrong-password",
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
        _hub_hung,
        lambda case: f"{_where(case)} takes connections, but answers neither a hub's PING nor anything else.",
        "The hub hangs, or it is no hub. Restart it if it is yours; else try the VESC directly: vesc://HOST",
        Reason.SILENT,
        frozenset({"mute", "closes"}),
    ),
    Rule(
        "mute-behind-hub",
        _behind_hub,
        "The hub knows the device and takes the login, but the device behind it says nothing: it hangs, or "
        "its "
        "connection to the hub is dead and neither of them knows.",
        "Switch the VESC off and on. If it is silent again, read it directly (vesc://HOST) to rule out the "
        "hub.",
        Reason.SILENT,
        frozenset({"mute"}),
    ),
    Rule(
        "hub-port",
        _is_hub,
        lambda case: f"{_where(case)} is a hub, not a VESC: it answered a hub's PING.",
        lambda case: f"Read the device behind it: packwire read {_behind(case)}",
        Reason.HUB_PORT,
        frozenset({"mute", "occupied", "unserved", "unread", "closes"}),
    ),
    Rule(
        "not-a-vesc",
        _not_a_vesc,
        _what_it_is,
        "Check host, port and (serial) baud rate.",
        Reason.FOREIGN,
    ),
    Rule(
        "echo",
        _echo,
        "It sends back what it is sent: no VESC does that.",
        "An echo service, or a serial line whose RX and TX are joined: check port and wiring.",
        Reason.ECHO,
    ),
    Rule(
        "hung",
        _hung,
        "The device was hung: it said nothing until it was switched off and on.",
        "A FORWARD_CAN without an id does that to it: look at what your own client sends "
        "(packwire decode on a recording of it).",
        Reason.SILENT,
        frozenset({"mute", "occupied", "unserved", "unread"}),
    ),
    Rule(
        "occupied",
        _occupied,
        lambda case: (
            f"{_where(case)} takes the connection, but leaves it waiting: another program on this computer "
            "is "
            "connected to it. A VESC Express serves one client, and the next hears nothing until that one "
            "leaves."
        ),
        "Close the other program (VESC Tool, packwire watch, Home Assistant). To use several at once: "
        "packwire share",
        Reason.SILENT,
        frozenset({"mute", "unserved", "unread"}),
    ),
    Rule(
        "unserved",
        _unserved,
        lambda case: (
            f"{_where(case)} lets our connection wait, and takes no other: so does a VESC that serves a "
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
        _unread,
        lambda case: (
            f"{_where(case)} takes every connection, but reads nothing of what it is sent. A VESC lets one "
            "client wait, not several: something else listens there, and hangs."
        ),
        "Look for what stands in between (a port forwarding, a proxy, a bridge to a serial port) and restart "
        "it; then the VESC.",
        Reason.SILENT,
        frozenset({"mute"}),
    ),
    Rule("mute", _mute, _mute_words, _mute_remedy, Reason.SILENT),
    Rule(
        "closes",
        _closes,
        _closes_words,
        "Check host and port; if it is a VESC, switch it off and on.",
        Reason.CLOSED,
    ),
)
