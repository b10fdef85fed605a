"""The verdicts on values that come late, in pieces, joined, or with other bytes between them."""

from statistics import median

from packwire.doctor.case import Case
from packwire.doctor.evidence import Confidence
from packwire.doctor.facts import Latency, ms
from packwire.doctor.rules.rule import MY_CLIENT, TAKES_ANYTHING, Rule, certain, sure, values
from packwire.doctor.rungs.words import packets
from packwire.errors import Reason

#: Seconds that the CAN bus may add; on a healthy one it is about 6 ms.
SLOW_CAN = 0.1
#: Losses (a share of all, and so many) that are more than a hiccup.
LOSSY, LOST = 0.02, 2
#: Packets that nobody asked for, and whole replies in pieces, are worth a verdict from so many on.
CHATTER = 3
#: Seconds that a lone reply comes later than one of a pair, where it was held back for the second.
_HELD = 0.02


def _latency(case: Case, *, over_can: bool) -> Latency | None:
    return Latency.of(case.facts.latencies(over_can=over_can))


def _slow(case: Case) -> Confidence | None:
    latency = _latency(case, over_can=False)
    late = case.facts.surplus > 0 and len(case.facts.lost) >= LOST
    return certain(late or (latency is not None and latency.slow))


def _slow_words(case: Case) -> str:
    late = len(case.facts.lost)
    too_late = f" {late} came too late or not at all." if late else ""
    latency = _latency(case, over_can=False)
    some = "Replies" if latency is None or latency.slow else "Some replies"
    return f"{some} come late: {latency}.{too_late}" + values(case)


def _slow_can(case: Case) -> Confidence | None:
    local, far = _latency(case, over_can=False), _latency(case, over_can=True)
    return certain(local and far and far.median - local.median >= SLOW_CAN)


def _slow_can_words(case: Case) -> str:
    local, far = _latency(case, over_can=False), _latency(case, over_can=True)
    assert local is not None
    assert far is not None
    return (
        f"The device itself answers after {ms(local.median)}, but what goes over its CAN bus takes "
        f"{ms(far.median)}; a healthy bus adds about 6 ms." + values(case)
    )


def _held(case: Case) -> float:
    """Return how long a lone reply is held back, in s."""
    return median(each.latency for each in case.facts.poll.exchanges if each.reply is not None)


def _joined(case: Case) -> Confidence | None:
    facts = case.facts
    if len(facts.pairs) < 3 or not all(facts.pairs) or not facts.poll.replies:
        return None
    # A slow link may join two replies; only one that waits lets a lone reply come later than a pair.
    waits = facts.pair_latency is not None and _held(case) - facts.pair_latency >= _HELD
    return Confidence.CERTAIN if waits else Confidence.LIKELY


def _split(case: Case) -> Confidence | None:
    polled = [*case.facts.poll.exchanges, *case.facts.movement.exchanges]
    replies = [each.pieces for each in polled if each.reply is not None]
    in_pieces = sum(pieces > 1 for pieces in replies)
    return certain(not case.is_serial and len(replies) >= 3 and in_pieces * 2 >= len(replies))


def _split_words(case: Case) -> str:
    polled = [*case.facts.poll.exchanges, *case.facts.movement.exchanges]
    pieces = [each.pieces for each in polled if each.reply is not None]
    return (
        f"Replies come whole, but in pieces: up to {max(pieces)} for one of {len(case.facts.pack_frame)} "
        "bytes." + values(case)
    )


def _junk(case: Case) -> Confidence | None:
    return sure(case.facts.junk) if case.facts.version is not None else None


def _chatter(case: Case) -> Confidence | None:
    return certain(case.facts.unsolicited.total() >= CHATTER)


def _lossy(case: Case) -> Confidence | None:
    facts = case.facts
    lost = [each for each in facts.lost if not each.received]
    return certain(len(lost) >= LOST and len(lost) > LOSSY * len(facts.exchanges))


FLOW_RULES: tuple[Rule, ...] = (
    Rule(
        "joined",
        _joined,
        lambda case: (
            "A reply is held back until a second one is there, or "
            f"{ms(_held(case))} "
            "have passed; then both come in one piece." + values(case)
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
        lambda case: (
            f"Bytes that are no frame stand between the replies: {case.facts.junk} bytes, "
            f"{case.facts.abandoned} "
            "of them taken for the header of a frame that never came." + values(case)
        ),
        TAKES_ANYTHING,
        Reason.DISTURBED,
    ),
    Rule("split", _split, _split_words, TAKES_ANYTHING, Reason.DISTURBED),
    Rule(
        "chatter",
        _chatter,
        lambda case: (
            "Packets that nobody asked for come between the replies: "
            f"{packets(case.facts.unsolicited.elements())}." + values(case)
        ),
        "They are harmless: a script's or the firmware's text. A client must skip packets that it did not "
        "ask for "
        f"instead of taking the next one for its reply. Whether yours does: {MY_CLIENT}",
        Reason.DISTURBED,
    ),
    Rule(
        "lossy",
        _lossy,
        lambda case: (
            f"{len(case.facts.lost)} of {len(case.facts.exchanges)} requests got no reply." + values(case)
        ),
        "Ask again after a timeout, as packwire does, and look at the way: Wi-Fi signal, the hub, a busy "
        "device.",
        Reason.DISTURBED,
    ),
)
