"""The verdicts on a connection that ends, falls silent, or damages what passes."""

from packwire.address import VESC
from packwire.check import Confidence, Facts, Rank, Rule, sure, when
from packwire.doctor.facts import (
    ConnectionFacts,
    Contact,
    ContactFacts,
    HubFacts,
    ProbeFacts,
    ReadingFacts,
    TargetFacts,
    works_anew,
)
from packwire.doctor.line import Probe
from packwire.errors import Reason
from packwire.phrases import few


def _closes(facts: Facts) -> Confidence | None:
    hub = facts[HubFacts]
    closed = facts[ContactFacts].contact is Contact.CLOSED or (hub.closed_at_login and hub.knows is None)
    return when(closed and not hub.in_disguise)


def _closes_words(facts: Facts) -> str:
    words = f"{facts[TargetFacts].where} takes the connection, and closes it without a word"
    if not facts[TargetFacts].is_hub:
        return f"{words}."
    return (
        f"{words}, and did not answer a hub's PING: no hub (an MQTT broker does so), or one that does not "
        "say PONG, or something in between."
    )


def _mid_reply(facts: Facts) -> Confidence | None:
    return sure(
        sum(close.mid_frame is not None and close.answered for close in facts[ConnectionFacts].disconnects)
    )


def _closed_between(facts: Facts) -> int:
    return sum(close.mid_frame is None and close.answered for close in facts[ConnectionFacts].disconnects)


def _gone(facts: Facts) -> Confidence | None:
    """Need an answer, and that nothing answers any more because no connection comes about."""
    answered = _closed_between(facts) or facts[ContactFacts].answered
    if not answered or _left_hub(facts):
        return None
    return when(facts[ConnectionFacts].lost_by and not works_anew(facts))


def _left_hub(facts: Facts) -> Confidence | None:
    return when(_closed_between(facts) and False in facts[HubFacts].present_after_close)


def _left_hub_words(facts: Facts) -> str:
    back = "It was back a moment later." if works_anew(facts) else "It did not come back meanwhile."
    return (
        f"The device leaves the hub: the hub closed our connection after {_ages(facts)}, and had no device "
        f"of this id at that moment. {back}" + facts[ReadingFacts].all_the_same
    )


def _cut_off(facts: Facts) -> Confidence | None:
    return None if facts[TargetFacts].is_hub else sure(_closed_between(facts))


def _cut_off_words(facts: Facts) -> str:
    anew = "a new one works again" if works_anew(facts) else "it is not known whether a new one works"
    return (
        f"The other end closed the connection after {_ages(facts)}, between replies; {anew}. "
        "A VESC does not do that: a hub does when another client logs in, and a device that restarts."
        + facts[ReadingFacts].all_the_same
    )


def _displaced(facts: Facts) -> Confidence | None:
    """Likely at most: a device that dials the hub anew within milliseconds looks the same."""
    hub = facts[HubFacts]
    known = True in hub.present_after_close or not hub.present_after_close
    return when(facts[TargetFacts].is_hub and known and _closed_between(facts), Confidence.LIKELY)


def _ages(facts: Facts) -> str:
    return few([f"{close.age:.1f} s" for close in facts[ConnectionFacts].disconnects if close.answered])


def _fell_silent(facts: Facts) -> Confidence | None:
    if facts[ConnectionFacts].fell_silent_after is None:
        return None
    return Confidence.LIKELY  # an outage of the network that was over just then looks the same


def _fell_silent_words(facts: Facts) -> str:
    connection = facts[ConnectionFacts]
    anew = {
        True: "A new connection is answered again.",
        False: "A new connection is not answered either.",
        None: "No new connection can be made.",
    }[connection.answers_anew]
    count = connection.fell_silent_after
    times = "on another connection" if not count else "once" if count == 1 else f"{count} times"
    return (
        f"The device answered {times} and then said nothing any more, though the "
        f"connection stayed open. {anew}"
    )


def _corrupt(facts: Facts) -> Confidence | None:
    corrupted = len(_corrupted(facts))
    if corrupted < len(_cut(facts)):
        return None
    # Where not one checksum is right, it may be another than is thought: see the rules on frames.
    right = any(each.reply is not None for each in facts[ProbeFacts].probes)
    return sure(corrupted) if right else None


def _corrupted(facts: Facts) -> list[Probe]:
    return [each for each in facts[ProbeFacts].probes if each.reply is None and each.damaged]


def _truncated(facts: Facts) -> Confidence | None:
    cut = _cut(facts)
    if len(cut) <= len(_corrupted(facts)):
        return None
    if any(each.reply is not None for each in facts[ProbeFacts].probes):
        return sure(len(cut))
    if facts[TargetFacts].address.model == VESC:
        return sure(len(cut))
    # Where no reply was ever whole, it may be the length that is said in another way; noise is not the same
    # each time.
    kinds = {(each.cut.expected, each.cut.arrived) for each in cut if each.cut is not None}
    return when(len(cut) > 1 and len(kinds) == 1, Confidence.LIKELY)


def _cut(facts: Facts) -> list[Probe]:
    return [each for each in facts[ProbeFacts].cut_short if not each.damaged]


def _truncated_words(facts: Facts) -> str:
    cut = _cut(facts)
    first = cut[0].cut
    assert first is not None
    return (
        f"{len(cut)} of {len(facts[ProbeFacts].probes)} replies began and never ended: "
        f"of {first.expected} bytes that a header announced, {first.arrived} came."
        + facts[ReadingFacts].all_the_same
    )


def _cold(facts: Facts) -> Confidence | None:
    """Likely: one hiccup of a link, just at the first request, looks the same."""
    return when(facts[ContactFacts].contact is Contact.AFTER_FILLER, Confidence.LIKELY)


RULES: tuple[Rule, ...] = (
    Rule(
        "closes",
        Rank.WAY,
        _closes,
        _closes_words,
        "Check host and port, and that no other client is connected; switch the device off and on.",
        Reason.CLOSED,
    ),
    Rule(
        "cold-parser",
        Rank.CONNECTION,
        _cold,
        lambda facts: (
            "The first request was swallowed: the device's parser stood inside a frame that a client before "
            "left unfinished." + facts[ReadingFacts].all_the_same
        ),
        "Let your client send 520 zeros when it connects, as packwire does, and send only whole frames. "
        "Switching the VESC off and on ends it too.",
        Reason.DISTURBED,
        frozenset({"needs-handshake", "lossy", "slow-link", "falls-silent"}),
    ),
    Rule(
        "cut-mid-reply",
        Rank.CONNECTION,
        _mid_reply,
        lambda facts: (
            f"The other end closes the connection in the middle of a reply, "
            f"{len(facts[ConnectionFacts].disconnects)} times here." + facts[ReadingFacts].all_the_same
        ),
        "Something between drops the connection, or the device restarts: look at its power, its Wi-Fi, its "
        "log.",
        Reason.CLOSED,
        frozenset({"cut-off", "displaced", "truncated", "lossy", "falls-silent", "junk"}),
    ),
    Rule(
        "left-hub",
        Rank.CONNECTION,
        _left_hub,
        _left_hub_words,
        "It restarts, or loses its network: look at its power, its Wi-Fi, its log. Other clients at the hub "
        "have nothing to do with it.",
        Reason.LEFT,
        frozenset({"displaced", "lossy", "falls-silent"}),
    ),
    Rule(
        "gone",
        Rank.CONNECTION,
        _gone,
        lambda facts: (
            f"The connection was closed{f' after {_ages(facts)}' if _ages(facts) else ''}, and"
            " no new one works "
            f"since ({facts[ConnectionFacts].lost_by})." + facts[ReadingFacts].all_the_same
        ),
        "It was switched off, restarts, or lost its network: look at its power and its Wi-Fi, and ask again.",
        Reason.CLOSED,
        frozenset({"cut-off", "displaced", "lossy", "falls-silent"}),
    ),
    Rule(
        "displaced",
        Rank.CONNECTION,
        _displaced,
        lambda facts: (
            f"The hub closed the connection after {_ages(facts)}, between replies, while it has a device of "
            "this id: another client logs in, and the newest wins; or the device connected anew."
            + facts[ReadingFacts].all_the_same
        ),
        "Close the other client: VESC Tool, an app, Home Assistant, a second packwire. To use several at "
        "once: packwire share",
        Reason.DISPLACED,
        frozenset({"lossy", "falls-silent"}),
    ),
    Rule(
        "cut-off",
        Rank.CONNECTION,
        _cut_off,
        _cut_off_words,
        "Look for another client, for something between (a proxy, a port forward to a hub), and at the "
        "VESC's power.",
        Reason.DISPLACED,
        frozenset({"lossy", "falls-silent"}),
    ),
    Rule(
        "falls-silent",
        Rank.CONNECTION,
        _fell_silent,
        _fell_silent_words,
        "Connect anew after a few unanswered requests (packwire watch does). Then look for what makes it "
        "stop: its log in VESC Tool's terminal, its memory, its Wi-Fi.",
        Reason.FELL_SILENT,
        frozenset({"lossy", "pack-unanswered", "bms-gone", "slow-link"}),
    ),
    Rule(
        "corrupt",
        Rank.CONNECTION,
        _corrupt,
        lambda facts: (
            f"Bytes are damaged on the way: {len(_corrupted(facts))} of {len(facts[ProbeFacts].probes)} "
            "replies came "
            "with a wrong checksum." + facts[ReadingFacts].all_the_same
        ),
        "Look at the link: a serial cable beside motor wires, a wrong baud rate, a bad bridge. TCP itself "
        "does not damage bytes: it happens before or behind it.",
        Reason.DISTURBED,
        frozenset({"junk", "truncated", "lossy", "slow-link", "pack-unanswered"}),
    ),
    Rule(
        "truncated",
        Rank.CONNECTION,
        _truncated,
        _truncated_words,
        "Something on the way cuts replies: a bridge with a small buffer, a serial port without flow "
        "control, a device out of memory. A client must not wait for the rest for ever, but ask again.",
        Reason.DISTURBED,
        frozenset({"junk", "lossy", "slow-link", "pack-unanswered"}),
    ),
)
