"""Which reply lengths a client takes, and which wrong rule explains it. Pure functions.

A wrong rule is found by comparing what it would do with every reply that was sent with what the client did.
It is certain where the client takes a frame in the dialect of that rule.
"""

from collections.abc import Iterator

from packwire.check import Confidence, Verdict
from packwire.doctor.client_test.findings import BEHIND_LONG, SPOILT, ClientFindings
from packwire.doctor.client_test.reactions import TrialResult
from packwire.doctor.client_test.trials import DIALECT_LENGTH, TrialKind
from packwire.doctor.client_test.verdict import AGES_DIFFER, FRAMING, STREAM, fault
from packwire.doctor.vesc.client_test.replies import reply_to
from packwire.doctor.vesc.misreadings import RULES, Fate, FramerRule, misread
from packwire.vesc.framing import encode_frame


def judge_lengths(found: ClientFindings) -> Iterator[Verdict]:
    """Say which lengths are not taken, and why."""
    tried = found.of_kind(TrialKind.LENGTH)
    missed = sorted({each.size for each in tried if not each.taken})
    if not missed:
        return
    taken = sorted({each.size for each in tried if each.taken} | {found.reference or 0})
    tests = {each.trial.key: each.taken for each in found.of_kind(TrialKind.DIALECT)}
    # Who goes on at whatever is wrong went on at the same with a wrong CRC.
    spoken = tests.get("length-15-bits") is True and tests.get(SPOILT) is False
    fitting = [
        rule for rule in RULES if _fits(rule, found, tried) and _agrees(rule, found, tests.get(BEHIND_LONG))
    ]
    if spoken or tests.get("length-15-bits") is False:
        fitting = [rule for rule in fitting if (rule.key == "length-15-bits") is spoken]
    words = f"It took {_ranges(taken, missed)} of payload, and none of {_ranges(missed, taken)}."
    limit = _limit(taken, missed)
    swallowed = max((each.swallowed for each in tried if not each.taken), default=0)
    if swallowed:
        words += f" Behind one of those, it lost up to {swallowed} good replies too: it waits for more bytes."
    if spoken:
        words += " And it took a reply whose length was written as 15 bits, which no device sends."
        yield fault("length-15-bits", Confidence.CERTAIN, words, _causes(fitting), FRAMING)
    elif fitting and _open(found, taken, missed):
        words += " Of others, what it did was no clear sign."
        yield fault(_key(found, fitting), Confidence.POSSIBLE, words, _causes(fitting), FRAMING)
    elif max(missed) < min(taken):
        cause = "it counts on a fixed or least length: fewer cells and older firmware make a reply shorter"
        yield fault("too-short", Confidence.LIKELY, words, cause, AGES_DIFFER)
    elif limit:
        cause = f"a buffer or a single read of about {limit} bytes: longer frames are not taken"
        yield fault(
            "length-limit",
            Confidence.LIKELY,
            words,
            cause,
            f"{STREAM}; a reply has up to 512 bytes of payload",
        )
    elif fitting:
        sure = Confidence.LIKELY if len(fitting) == 1 else Confidence.POSSIBLE
        yield fault(_key(found, fitting), sure, words, _causes(fitting), FRAMING)
    else:
        yield fault(
            "length", Confidence.LIKELY, words, "no wrong length rule that is known here does this", FRAMING
        )


def _open(found: ClientFindings, taken: list[int], missed: list[int]) -> bool:
    """Tell whether lengths beside those that are not taken were tried without a clear sign."""
    unclear = [
        each.size for each in found.results if each.trial.kind is TrialKind.LENGTH and each.taken is None
    ]
    below = max((size for size in taken if size < min(missed)), default=0)
    return any(below < size < min(missed) for size in unclear)


def _agrees(rule: FramerRule, found: ClientFindings, taken_behind: bool | None) -> bool:
    """Tell whether a rule drops a long reply, or waits for more of it, as the client seems to."""
    if taken_behind is None:
        return True
    payload = reply_to(bytes((found.command,)), DIALECT_LENGTH)
    assert payload is not None
    (fate,) = misread(encode_frame(payload), (rule,))
    return (fate.fate is Fate.DROPPED) is taken_behind


def _fits(rule: FramerRule, found: ClientFindings, tried: list[TrialResult]) -> bool:
    """Tell whether a wrong rule would have done what the client did, with every reply of another length."""
    request = bytes((found.command,))
    gives_up = found.taken("corrupt") is True
    for each in tried:
        payload = reply_to(request, each.size)
        assert payload is not None
        (fate,) = misread(encode_frame(payload), (rule,))
        # Who gives up at a damaged frame and asks again goes on where it drops a reply, too.
        goes_on = fate.fate is Fate.TAKEN or (gives_up and fate.fate is Fate.DROPPED)
        if goes_on is not each.taken:
            return False
    return True


def _key(found: ClientFindings, fitting: list[FramerRule]) -> str:
    """Return the rule's key; where several do the same, and more trials would tell, none is named."""
    return fitting[0].key if len(fitting) == 1 or found.shown else "length"


def _causes(fitting: list[FramerRule]) -> str:
    if not fitting:
        return "its length rule is not that of a VESC"
    return "; or ".join(rule.rule for rule in fitting)


def _limit(taken: list[int], missed: list[int]) -> int | None:
    """Return the longest frame taken where no longer one is; None where some are, or it ends at 127, 255."""
    below = max(taken)
    if below > min(missed) or below in {127, 255}:
        return None
    return len(encode_frame(bytes(below)))


def _ranges(sizes: list[int], others: list[int]) -> str:
    """Return sizes in words: `replies up to 127 bytes and from 256 to 511`; `others` end a range."""
    parts: list[list[int]] = []
    for size in sizes:
        if parts and not any(parts[-1][-1] < other < size for other in others):
            parts[-1].append(size)
        else:
            parts.append([size])
    return " and ".join(
        f"{part[0]} to {part[-1]} bytes" if len(part) > 1 else f"{part[0]} bytes" for part in parts
    )
