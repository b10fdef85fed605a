"""The verdicts on values that come late, in pieces, joined, or with other bytes between them."""

from statistics import median

from packwire.doctor.checks.words import packets
from packwire.doctor.diagnosis import Confidence
from packwire.doctor.examination import Examination
from packwire.doctor.facts import Latency, ms
from packwire.doctor.rules.rule import CLIENT_TEST, TAKES_ANYTHING, Rule, certain, sure, values
from packwire.errors import Reason

#: Seconds that the CAN bus may add; on a healthy one it is about 6 ms.
SLOW_CAN = 0.1
#: Losses (a share of all, and so many) that are more than a hiccup.
LOSSY, LOST = 0.02, 2
#: Packets that nobody asked for, and whole replies in pieces, are worth a verdict from so many on.
CHATTER = 3
#: Seconds that a lone reply comes later than one of a pair, where it was held back for the second.
_HELD = 0.02


def _latency(exam: Examination, *, over_can: bool) -> Latency | None:
    return Latency.of(exam.facts.latencies(over_can=over_can))


def _slow(exam: Examination) -> Confidence | None:
    latency = _latency(exam, over_can=False)
    late = exam.facts.surplus > 0 and len(exam.facts.lost) >= LOST
    return certain(late or (latency is not None and latency.slow))


def _slow_words(exam: Examination) -> str:
    late = len(exam.facts.lost)
    too_late = f" {late} came too late or not at all." if late else ""
    latency = _latency(exam, over_can=False)
    some = "Replies" if latency is None or latency.slow else "Some replies"
    return f"{some} come late: {latency}.{too_late}" + values(exam)


def _slow_can(exam: Examination) -> Confidence | None:
    local, far = _latency(exam, over_can=False), _latency(exam, over_can=True)
    return certain(local and far and far.median - local.median >= SLOW_CAN)


def _slow_can_words(exam: Examination) -> str:
    local, far = _latency(exam, over_can=False), _latency(exam, over_can=True)
    assert local is not None
    assert far is not None
    return (
        f"The device itself answers after {ms(local.median)}, but what goes over its CAN bus takes "
        f"{ms(far.median)}; a healthy bus adds about 6 ms." + values(exam)
    )


def _held(exam: Examination) -> float:
    """Return how long a lone reply is held back, in s."""
    return median(each.latency for each in exam.facts.poll.probes if each.reply is not None)


def _joined(exam: Examination) -> Confidence | None:
    facts = exam.facts
    if len(facts.pairs) < 3 or not all(facts.pairs) or not facts.poll.replies:
        return None
    # A slow link may join two replies; only one that waits lets a lone reply come later than a pair.
    waits = facts.pair_latency is not None and _held(exam) - facts.pair_latency >= _HELD
    return Confidence.CERTAIN if waits else Confidence.LIKELY


def _split(exam: Examination) -> Confidence | None:
    polled = [*exam.facts.poll.probes, *exam.facts.movement.probes]
    replies = [each.pieces for each in polled if each.reply is not None]
    in_pieces = sum(pieces > 1 for pieces in replies)
    return certain(not exam.is_serial and len(replies) >= 3 and in_pieces * 2 >= len(replies))


def _split_words(exam: Examination) -> str:
    polled = [*exam.facts.poll.probes, *exam.facts.movement.probes]
    pieces = [each.pieces for each in polled if each.reply is not None]
    return (
        f"Replies come whole, but in pieces: up to {max(pieces)} for one of {len(exam.facts.pack_frame)} "
        "bytes." + values(exam)
    )


def _junk(exam: Examination) -> Confidence | None:
    return sure(exam.facts.junk) if exam.facts.version is not None else None


def _chatter(exam: Examination) -> Confidence | None:
    return certain(exam.facts.unsolicited.total() >= CHATTER)


def _lossy(exam: Examination) -> Confidence | None:
    facts = exam.facts
    lost = [each for each in facts.lost if not each.received]
    return certain(len(lost) >= LOST and len(lost) > LOSSY * len(facts.probes))


FLOW_RULES: tuple[Rule, ...] = (
    Rule(
        "joined",
        _joined,
        lambda exam: (
            "A reply is held back until a second one is there, or "
            f"{ms(_held(exam))} "
            "have passed; then both come in one piece." + values(exam)
        ),
        TAKES_ANYTHING,
        Reason.DISTURBED,
        frozenset({"slow-can"}),
    ),
    Rule(
        "slow-link",
        _slow,
        _slow_words,
        "Give your client a longer timeout and one request at a time. Then look at the way: Wi-Fi signal, "
        "the hub, "
        "a busy device.",
        Reason.DISTURBED,
        frozenset({"lossy"}),
    ),
    Rule(
        "slow-can",
        _slow_can,
        _slow_can_words,
        "Look at the CAN bus: its baud rate, its load, its termination, a node that floods it. Give "
        "forwarded "
        "requests a longer timeout.",
        Reason.DISTURBED,
        frozenset({"lossy"}),
    ),
    Rule(
        "junk",
        _junk,
        lambda exam: (
            f"Bytes that are no frame stand between the replies: {exam.facts.junk} bytes, "
            f"{exam.facts.abandoned} "
            "of them taken for the header of a frame that never came." + values(exam)
        ),
        TAKES_ANYTHING,
        Reason.DISTURBED,
    ),
    Rule("split", _split, _split_words, TAKES_ANYTHING, Reason.DISTURBED),
    Rule(
        "chatter",
        _chatter,
        lambda exam: (
            "Packets that nobody asked for come between the replies: "
            f"{packets(exam.facts.unsolicited.elements())}." + values(exam)
        ),
        "They are harmless: a script's or the firmware's text. A client must skip packets that it did not "
        "ask for "
        f"instead of taking the next one for its reply. Whether yours does: {CLIENT_TEST}",
        Reason.DISTURBED,
    ),
    Rule(
        "lossy",
        _lossy,
        lambda exam: (
            f"{len(exam.facts.lost)} of {len(exam.facts.probes)} requests got no reply." + values(exam)
        ),
        "Ask again after a timeout, as packwire does, and look at the way: Wi-Fi signal, the hub, a busy "
        "device.",
        Reason.DISTURBED,
    ),
)
