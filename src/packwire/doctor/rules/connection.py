"""The verdicts on a connection that ends, falls silent, or damages what passes."""

from packwire.doctor.checks.words import few
from packwire.doctor.diagnosis import Confidence
from packwire.doctor.examination import Examination
from packwire.doctor.facts import Contact
from packwire.doctor.line import Probe
from packwire.doctor.rules.rule import Rule, certain, sure, values
from packwire.errors import Reason


def _mid_reply(exam: Examination) -> Confidence | None:
    return sure(sum(close.mid_frame is not None and close.answered for close in exam.facts.disconnects))


def _closed_between(exam: Examination) -> int:
    return sum(close.mid_frame is None and close.answered for close in exam.facts.disconnects)


def _gone(exam: Examination) -> Confidence | None:
    """Need a close after which nothing answered any more."""
    facts = exam.facts
    if not _closed_between(exam) or _left_hub(exam):
        return None
    return certain(facts.lost_by and not facts.works_anew)


def _left_hub(exam: Examination) -> Confidence | None:
    return certain(_closed_between(exam) and False in exam.facts.present_after_close)


def _left_hub_words(exam: Examination) -> str:
    back = "It was back a moment later." if exam.facts.works_anew else "It did not come back meanwhile."
    return (
        f"The device leaves the hub: the hub closed our connection after {_ages(exam)}, and had no device of "
        f"this id at that moment. {back}" + values(exam)
    )


def _cut_off(exam: Examination) -> Confidence | None:
    return None if exam.is_hub else sure(_closed_between(exam))


def _cut_off_words(exam: Examination) -> str:
    anew = "a new one works again" if exam.facts.works_anew else "it is not known whether a new one works"
    return (
        f"The other end closed the connection after {_ages(exam)}, between replies; {anew}. "
        "A VESC does not do that: a hub does when another client logs in, and a device that restarts."
        + values(exam)
    )


def _displaced(exam: Examination) -> Confidence | None:
    """Likely at most: a device that dials the hub anew within milliseconds looks the same."""
    known = True in exam.facts.present_after_close or not exam.facts.present_after_close
    return Confidence.LIKELY if exam.is_hub and known and _closed_between(exam) else None


def _ages(exam: Examination) -> str:
    return few([f"{close.age:.1f} s" for close in exam.facts.disconnects if close.answered])


def _fell_silent(exam: Examination) -> Confidence | None:
    facts = exam.facts
    if facts.fell_silent_after is None:
        return None
    return Confidence.LIKELY  # an outage of the network that was over just then looks the same


def _fell_silent_words(exam: Examination) -> str:
    facts = exam.facts
    anew = {
        True: "A new connection is answered again.",
        False: "A new connection is not answered either.",
        None: "No new connection can be made.",
    }[facts.answers_anew]
    count = facts.fell_silent_after
    times = "on another connection" if not count else "once" if count == 1 else f"{count} times"
    return (
        f"The device answered {times} and then said nothing any more, though the "
        f"connection stayed open. {anew}"
    )


def _corrupt(exam: Examination) -> Confidence | None:
    corrupted = len(_corrupted(exam))
    return sure(corrupted) if corrupted >= len(_cut(exam)) else None


def _corrupted(exam: Examination) -> list[Probe]:
    return [each for each in exam.facts.probes if each.reply is None and each.damaged]


def _truncated(exam: Examination) -> Confidence | None:
    cut = len(_cut(exam))
    return sure(cut) if cut > len(_corrupted(exam)) else None


def _cut(exam: Examination) -> list[Probe]:
    return [each for each in exam.facts.cut_short if not each.damaged]


def _truncated_words(exam: Examination) -> str:
    cut = _cut(exam)
    first = cut[0].cut
    assert first is not None
    return (
        f"{len(cut)} of {len(exam.facts.probes)} replies began and never ended: of {first.expected} bytes "
        f"that a header announced, {first.arrived} came." + values(exam)
    )


def _cold(exam: Examination) -> Confidence | None:
    """Likely: one hiccup of a link, just at the first request, looks the same."""
    return Confidence.LIKELY if exam.facts.contact is Contact.AFTER_FILLER else None


CONNECTION_RULES: tuple[Rule, ...] = (
    Rule(
        "cold-parser",
        _cold,
        lambda exam: (
            "The first request was swallowed: the device's parser stood inside a frame that a client before "
            "left unfinished." + values(exam)
        ),
        "Let your client send 520 zeros when it connects, as packwire does, and send only whole frames. "
        "Switching "
        "the VESC off and on ends it too.",
        Reason.DISTURBED,
        frozenset({"needs-handshake", "lossy", "slow-link", "falls-silent"}),
    ),
    Rule(
        "cut-mid-reply",
        _mid_reply,
        lambda exam: (
            f"The other end closes the connection in the middle of a reply, "
            f"{len(exam.facts.disconnects)} times here." + values(exam)
        ),
        "Something between drops the connection, or the device restarts: look at its power, its Wi-Fi, its "
        "log.",
        Reason.CLOSED,
        frozenset({"cut-off", "displaced", "truncated", "lossy", "falls-silent", "junk"}),
    ),
    Rule(
        "left-hub",
        _left_hub,
        _left_hub_words,
        "It restarts, or loses its network: look at its power, its Wi-Fi, its log. Other clients at the hub "
        "have nothing to do with it.",
        Reason.LEFT,
        frozenset({"displaced", "lossy", "falls-silent"}),
    ),
    Rule(
        "gone",
        _gone,
        lambda exam: (
            f"The connection was closed after {_ages(exam)}, and no new one works since "
            f"({exam.facts.lost_by})." + values(exam)
        ),
        "It was switched off, restarts, or lost its network: look at its power and its Wi-Fi, and ask again.",
        Reason.CLOSED,
        frozenset({"cut-off", "displaced", "lossy", "falls-silent"}),
    ),
    Rule(
        "displaced",
        _displaced,
        lambda exam: (
            f"The hub closed the connection after {_ages(exam)}, between replies, while it has a device of "
            "this id: another client logs in, and the newest wins; or the device connected anew."
            + values(exam)
        ),
        "Close the other client: VESC Tool, an app, Home Assistant, a second packwire. To use several at "
        "once: "
        "packwire share",
        Reason.DISPLACED,
        frozenset({"lossy", "falls-silent"}),
    ),
    Rule(
        "cut-off",
        _cut_off,
        _cut_off_words,
        "Look for another client, for something between (a proxy, a port forward to a hub), and at the "
        "VESC's power.",
        Reason.DISPLACED,
        frozenset({"lossy", "falls-silent"}),
    ),
    Rule(
        "falls-silent",
        _fell_silent,
        _fell_silent_words,
        "Connect anew after a few unanswered requests (packwire watch does). Then look for what makes it "
        "stop: "
        "its log in VESC Tool's terminal, its memory, its Wi-Fi.",
        Reason.FELL_SILENT,
        frozenset({"lossy", "pack-unanswered", "bms-gone", "slow-link"}),
    ),
    Rule(
        "corrupt",
        _corrupt,
        lambda exam: (
            f"Bytes are damaged on the way: {len(_corrupted(exam))} of {len(exam.facts.probes)} replies "
            "came "
            "with a wrong checksum." + values(exam)
        ),
        "Look at the link: a serial cable beside motor wires, a wrong baud rate, a bad bridge. TCP itself "
        "does not "
        "damage bytes: it happens before or behind it.",
        Reason.DISTURBED,
        frozenset({"junk", "truncated", "lossy", "slow-link", "pack-unanswered"}),
    ),
    Rule(
        "truncated",
        _truncated,
        _truncated_words,
        "Something on the way cuts replies: a bridge with a small buffer, a serial port without flow "
        "control, a "
        "device out of memory. A client must not wait for the rest for ever, but ask again.",
        Reason.DISTURBED,
        frozenset({"junk", "lossy", "slow-link", "pack-unanswered"}),
    ),
)
