"""The verdicts on a device that gives nothing: the way, the hub, the port, the silence."""

from packwire.address import Address, hub_address
from packwire.doctor.diagnosis import Confidence
from packwire.doctor.examination import Examination
from packwire.doctor.facts import Contact, Reach
from packwire.doctor.foreign import protocol_of
from packwire.doctor.rules.rule import Rule, certain
from packwire.errors import Reason
from packwire.link.tcp import place


def _when(reach: Reach, exam: Examination) -> Confidence | None:
    """Certain, but where nothing was heard in time: that has many causes."""
    if exam.facts.reach is not reach:
        return None
    return Confidence.LIKELY if exam.facts.reach_reason is Reason.TIMED_OUT else Confidence.CERTAIN


def _unknown_name_words(exam: Examination) -> str:
    if exam.facts.reach_reason is Reason.TIMED_OUT:
        return f"The name {_host(exam)} could not be looked up: no name server answered."
    return f"The name {_host(exam)} is not known here."


def _where(exam: Examination) -> str:
    address = exam.address
    if address.on_network:
        return place(address.host, address.port)
    return str(exam.base)


def _host(exam: Examination) -> str:
    return getattr(exam.address, "host", "")


def _behind(exam: Examination) -> Address:
    address = exam.direct_tcp
    assert address is not None
    return hub_address("ID", address.host, address.port)


def _refused(exam: Examination) -> str:
    wanted = "a hub listens on 65101" if exam.is_hub else "a VESC Express listens on 65102"
    return (
        f"{_where(exam)} refuses the connection: nothing listens on that port of a computer or device that "
        f"is there ({wanted}), or a firewall refuses in its place."
    )


def _mute_on_serial(exam: Examination) -> bool:
    return exam.is_serial and exam.facts.contact is Contact.SILENT


def _closed_at_login(exam: Examination) -> Confidence | None:
    facts = exam.facts
    return certain(facts.closed_at_login and facts.hub_knows)  # only a PONG proves that it knows the id


def _no_hub(exam: Examination) -> Confidence | None:
    return certain(exam.facts.hub_said and exam.facts.version is None)


def _no_hub_words(exam: Examination) -> str:
    said = exam.facts.hub_said
    name = protocol_of(said)
    what = f"it is {name}" if name else "it says what no hub says"
    return f"{_where(exam)} is no hub: {what}. It begins {said[:24]!r}."


def _no_hub_remedy(exam: Examination) -> str:
    if exam.facts.hub_said and protocol_of(exam.facts.hub_said) == "TLS":
        return "Check host and port: a hub's port without TLS is 65101."
    return "Check host and port: a hub listens on 65101, a VESC itself (vesc://HOST) on 65102."


def _unknown_id(exam: Examination) -> Confidence | None:
    facts = exam.facts
    return Confidence.CERTAIN if facts.hub_knows is False and facts.version is None else None


def _hub_hung(exam: Examination) -> Confidence | None:
    facts = exam.facts
    silent = facts.contact in {Contact.SILENT, Contact.CLOSED, Contact.UNTRIED}
    answered = facts.hub_answers_ping or facts.hub_said or facts.closed_at_login
    if not exam.is_hub or answered or facts.reach is not Reach.OPEN or not silent:
        return None
    return Confidence.LIKELY


def _behind_hub(exam: Examination) -> Confidence | None:
    facts = exam.facts
    # A hub never confirms a login: it may hang itself, or still be looking at the password.
    if exam.is_hub and facts.hub_knows and facts.contact is Contact.SILENT:
        return Confidence.LIKELY
    return None


def _is_hub(exam: Examination) -> Confidence | None:
    return Confidence.CERTAIN if exam.facts.hub_in_disguise else None


def _not_a_vesc(exam: Examination) -> Confidence | None:
    """Certain where its words tell what it is: a bridge at a wrong baud rate sends no VESC frame either."""
    if exam.facts.contact is not Contact.NOT_A_VESC:
        return None
    return Confidence.CERTAIN if protocol_of(exam.facts.first_bytes) else Confidence.LIKELY


def _what_it_is(exam: Examination) -> str:
    head = exam.facts.first_bytes
    name = protocol_of(head)
    if name:
        return f"{_where(exam)} is {name}, no VESC: it answers {head[:24]!r}."
    return (
        f"{_where(exam)} sends bytes without one VESC frame: another device, or a wrong baud rate. They "
        f"begin {head[:24]!r}."
    )


def _echo(exam: Examination) -> Confidence | None:
    return Confidence.CERTAIN if exam.facts.contact is Contact.ECHO else None


def _occupied(exam: Examination) -> Confidence | None:
    facts = exam.facts
    return Confidence.CERTAIN if facts.contact is Contact.SILENT and facts.neighbours else None


def _unserved(exam: Examination) -> Confidence | None:
    facts = exam.facts
    return Confidence.LIKELY if facts.contact is Contact.SILENT and facts.takes_more is False else None


def _unread(exam: Examination) -> Confidence | None:
    facts = exam.facts
    return Confidence.LIKELY if facts.contact is Contact.SILENT and facts.reads is False else None


def _hung(exam: Examination) -> Confidence | None:
    """Certain where nobody else was served: a restart frees a device of another client, too."""
    if not exam.facts.revived:
        return None
    return Confidence.CERTAIN if exam.facts.served else Confidence.LIKELY


def _mute(exam: Examination) -> Confidence | None:
    facts = exam.facts
    if facts.contact is not Contact.SILENT or facts.hub_in_disguise:
        return None
    return Confidence.CERTAIN if facts.served and facts.revived is False else Confidence.LIKELY


def _mute_words(exam: Examination) -> str:
    if exam.is_serial:
        return f"{_where(exam)} opens, but not one byte comes back."
    if exam.facts.served:
        return (
            f"{_where(exam)} serves one client, as a VESC does, and that was us; it takes all that it is "
            "sent, and says nothing at all."
        )
    takes = "the connection and all that it is sent" if exam.facts.reads else "the connection"
    return f"{_where(exam)} takes {takes}, and says nothing: a VESC in trouble, or something that is no VESC."


def _mute_remedy(exam: Examination) -> str:
    if exam.is_serial:
        return (
            "Check that it is this port (packwire scan), the baud rate (115200), that RX and TX are not "
            "swapped, "
            "and that the VESC has power. Switch it off and on, and ask again."
        )
    if exam.facts.revived is False:
        return "Switching it off and on did not help: check that this is a VESC's address, and its firmware."
    return (
        "Check that this is a VESC's address (packwire scan). Switch it off and on, then ask again; with "
        "--restart the doctor waits for that and says whether it helped."
    )


def _closes(exam: Examination) -> Confidence | None:
    facts = exam.facts
    closed = facts.contact is Contact.CLOSED or (facts.closed_at_login and facts.hub_knows is None)
    return certain(closed and not facts.hub_in_disguise)


def _closes_words(exam: Examination) -> str:
    words = f"{_where(exam)} takes the connection, and closes it without a word"
    if not exam.is_hub:
        return f"{words}."
    return (
        f"{words}, and did not answer a hub's PING: no hub (an MQTT broker does so), or one that does not "
        "say PONG, or something in between."
    )


REACH_RULES: tuple[Rule, ...] = (
    Rule(
        "unknown-name",
        lambda exam: _when(Reach.UNKNOWN_NAME, exam),
        _unknown_name_words,
        "Check its spelling, or use the address in numbers. A name that ends in .local needs mDNS on this "
        "computer.",
        Reason.UNKNOWN_NAME,
    ),
    Rule(
        "refused-port",
        lambda exam: _when(Reach.REFUSED, exam),
        _refused,
        "Check the port, and in VESC Tool that local TCP is enabled (Express, WiFi), or that the hub is "
        "running.",
        Reason.PORT_REFUSED,
    ),
    Rule(
        "no-access",
        lambda exam: _when(Reach.NOT_ALLOWED, exam),
        lambda exam: f"The port cannot be opened: {exam.facts.reach_error}.",
        "Close the program that holds it, or give your user the right to open it.",
        Reason.NOT_ALLOWED,
    ),
    Rule(
        "nothing-there",
        lambda exam: _when(Reach.NOTHING_THERE, exam),
        lambda exam: f"Nobody takes the connection: {exam.facts.reach_error}.",
        lambda exam: (
            "Plug the device in, or check the port's name."
            if exam.is_serial
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
        lambda exam: f"{_where(exam)} takes connections, but answers neither a hub's PING nor anything else.",
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
        lambda exam: f"{_where(exam)} is a hub, not a VESC: it answered a hub's PING.",
        lambda exam: f"Read the device behind it: packwire read {_behind(exam)}",
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
        lambda exam: (
            f"{_where(exam)} takes the connection, but leaves it waiting: another program on this computer "
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
        lambda exam: (
            f"{_where(exam)} lets our connection wait, and takes no other: so does a VESC that serves a "
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
        lambda exam: (
            f"{_where(exam)} takes every connection, but reads nothing of what it is sent. A VESC lets one "
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
