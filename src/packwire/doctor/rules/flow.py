"""The verdicts on values that come late, in pieces, joined, or with other bytes between them."""

from statistics import median

from packwire.check import Confidence, Facts, Rank, Rule, sure, when
from packwire.doctor.checks.words import packets
from packwire.doctor.facts import (
    ConnectionFacts,
    ContactFacts,
    Latency,
    PollFacts,
    ProbeFacts,
    ReadingFacts,
    StreamFacts,
    TargetFacts,
    ms,
)
from packwire.doctor.line_facts import LineFacts
from packwire.doctor.rules.advice import CLIENT_TEST, TAKES_ANYTHING
from packwire.errors import Reason

#: Seconds that the CAN bus may add; on a healthy one it is about 6 ms.
SLOW_CAN = 0.1
#: Losses (a share of all, and so many) that are more than a hiccup.
LOSSY, LOST = 0.02, 2
#: Packets that nobody asked for, and whole replies in pieces, are worth a verdict from so many on.
CHATTER = 3
#: Bytes that a line may make of its own beside each answer.
_GLITCHES = 2
#: Seconds that a lone reply comes later than one of a pair, where it was held back for the second.
_HELD = 0.02


def _latency(facts: Facts, *, over_can: bool) -> Latency | None:
    return Latency.of(facts[ProbeFacts].latencies(over_can=over_can))


def _slow(facts: Facts) -> Confidence | None:
    latency = _latency(facts, over_can=False)
    late = facts[StreamFacts].surplus > 0 and len(facts[ProbeFacts].lost) >= LOST
    return when(late or (latency is not None and latency.slow_beside(facts[LineFacts].takes)))


def _slow_words(facts: Facts) -> str:
    late = len(facts[ProbeFacts].lost)
    too_late = f" {late} came too late or not at all." if late else ""
    latency = _latency(facts, over_can=False)
    some = "Replies" if latency is None or latency.slow else "Some replies"
    return f"{some} come late: {latency}.{too_late}" + facts[ReadingFacts].all_the_same


def _slow_can(facts: Facts) -> Confidence | None:
    local, far = _latency(facts, over_can=False), _latency(facts, over_can=True)
    return when(local and far and far.median - local.median >= SLOW_CAN)


def _slow_can_words(facts: Facts) -> str:
    local, far = _latency(facts, over_can=False), _latency(facts, over_can=True)
    assert local is not None
    assert far is not None
    return (
        f"The device itself answers after {ms(local.median)}, but what goes over its CAN bus takes "
        f"{ms(far.median)}; a healthy bus adds about 6 ms." + facts[ReadingFacts].all_the_same
    )


def _held(facts: Facts) -> float:
    """Return how long a lone reply is held back, in s."""
    return median(each.latency for each in facts[PollFacts].poll.probes if each.reply is not None)


def _joined(facts: Facts) -> Confidence | None:
    stream = facts[StreamFacts]
    if len(stream.pairs) < 3 or not all(stream.pairs) or not facts[PollFacts].poll.replies:
        return None
    # A slow link may join two replies; only one that waits lets a lone reply come later than a pair.
    waits = stream.pair_latency is not None and _held(facts) - stream.pair_latency >= _HELD
    return Confidence.CERTAIN if waits else Confidence.LIKELY


def _split(facts: Facts) -> Confidence | None:
    replies = [each.pieces for each in facts[PollFacts].probes if each.reply is not None]
    in_pieces = sum(pieces > 1 for pieces in replies)
    return when(not facts[TargetFacts].is_serial and len(replies) >= 3 and in_pieces * 2 >= len(replies))


def _split_words(facts: Facts) -> str:
    polls = facts[PollFacts]
    reading = facts[ReadingFacts]
    pieces = [each.pieces for each in polls.probes if each.reply is not None]
    return (
        f"Replies come whole, but in pieces: up to {max(pieces)} for one of {len(reading.frame)} "
        "bytes." + reading.all_the_same
    )


def _junk(facts: Facts) -> Confidence | None:
    junk = facts[StreamFacts].junk
    if facts[LineFacts].answered and junk <= _GLITCHES * len(facts[ProbeFacts].probes):
        return None  # a driver that is switched on or off makes a byte: usual with RS485
    return sure(junk) if facts[ContactFacts].answered else None


def _chatter(facts: Facts) -> Confidence | None:
    return when(facts[StreamFacts].unsolicited.total() >= CHATTER)


def _lossy(facts: Facts) -> Confidence | None:
    sent = facts[ProbeFacts]
    if facts[ConnectionFacts].fell_silent_after is not None:
        return None
    lost = [each for each in sent.lost if not each.received]
    return when(len(lost) >= LOST and len(lost) > LOSSY * len(sent.probes))


RULES: tuple[Rule, ...] = (
    Rule(
        "joined",
        Rank.FLOW,
        _joined,
        lambda facts: (
            f"A reply is held back until a second one is there, or {ms(_held(facts))} "
            "have passed; then both come in one piece." + facts[ReadingFacts].all_the_same
        ),
        TAKES_ANYTHING,
        Reason.DISTURBED,
        frozenset({"slow-can"}),
    ),
    Rule(
        "slow-link",
        Rank.FLOW,
        _slow,
        _slow_words,
        "Give your client a longer timeout and one request at a time. Then look at the way: Wi-Fi signal, "
        "the hub, a busy device.",
        Reason.DISTURBED,
        frozenset({"lossy"}),
    ),
    Rule(
        "slow-can",
        Rank.FLOW,
        _slow_can,
        _slow_can_words,
        "Look at the CAN bus: its baud rate, its load, its termination, a node that floods it. Give "
        "forwarded requests a longer timeout.",
        Reason.DISTURBED,
        frozenset({"lossy"}),
    ),
    Rule(
        "junk",
        Rank.FLOW,
        _junk,
        lambda facts: (
            f"Bytes that are no frame stand between the replies: {facts[StreamFacts].junk} bytes, "
            f"{facts[StreamFacts].abandoned} "
            "of them taken for the header of a frame that never came." + facts[ReadingFacts].all_the_same
        ),
        TAKES_ANYTHING,
        Reason.DISTURBED,
    ),
    Rule("split", Rank.FLOW, _split, _split_words, TAKES_ANYTHING, Reason.DISTURBED),
    Rule(
        "chatter",
        Rank.FLOW,
        _chatter,
        lambda facts: (
            "Packets that nobody asked for come between the replies: "
            f"{packets(facts[StreamFacts].unsolicited.elements())}." + facts[ReadingFacts].all_the_same
        ),
        "They are harmless: a script's or the firmware's text. A client must skip packets that it did not "
        f"ask for instead of taking the next one for its reply. Whether yours does: {CLIENT_TEST}",
        Reason.DISTURBED,
    ),
    Rule(
        "lossy",
        Rank.FLOW,
        _lossy,
        lambda facts: (
            f"{len(facts[ProbeFacts].lost)} of {len(facts[ProbeFacts].probes)} requests got no reply."
            + facts[ReadingFacts].all_the_same
        ),
        "Ask again after a timeout, as packwire does, and look at the way: Wi-Fi signal, the hub, a busy "
        "device.",
        Reason.DISTURBED,
    ),
)
