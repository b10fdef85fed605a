"""What the trials say about a client, in plain words, with cause and remedy. Pure functions."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from packwire.check import Confidence, Verdict
from packwire.doctor.client_test.asking import lacking, login, requests, wrong_command
from packwire.doctor.client_test.findings import SHORT_WAIT, ClientFindings
from packwire.doctor.client_test.meeting import Meeting
from packwire.doctor.client_test.played import Played
from packwire.doctor.client_test.reactions import TrialResult
from packwire.doctor.client_test.trials import LATE, NO_FRAMER, TrialKind, late_by
from packwire.doctor.client_test.verdict import (
    AGES_DIFFER,
    BEHIND,
    FRAMING,
    HARMLESS,
    RESYNC,
    STREAM,
    UNASKED,
    ClientReport,
    fault,
)
from packwire.doctor.verdicts import decide


def judge(found: ClientFindings | None, met: Meeting) -> ClientReport:
    """Say what is known, whether all trials were done or not."""
    if met.family:
        return ClientReport(True, (_other_family(met.family, met.played),))
    report = _judged(found, met)
    return replace(report, findings=tuple(decide(report.findings)))


def _judged(found: ClientFindings | None, met: Meeting) -> ClientReport:
    if found is None or not found.all_controls:
        return _nothing_tried(met)
    findings = [*login(met), *requests(met), *lacking(met)]
    if found.shown:
        return _by_what_it_shows(found, findings)
    if not found.tells:
        return _no_difference(found, findings)
    if _by_chance(found):
        return ClientReport(bool(findings), tuple(findings), tuple(_unclear(found)))
    told = [*found.played.judge_lengths(found), *_pieces(found), *_bad(found)]
    findings += _by_signs(found, [*told, *_company(found), *_ages(found)])
    if 0 < found.controls.usual_wait < SHORT_WAIT or _missed(found, LATE.key):
        findings.append(_impatient(found))
    undecided = [*_unclear(found)]
    if not found.done:
        undecided.append("it was ended before all was tried")
    # All is well only where each thing that was tried says so: going on is no sign that it took something.
    decided = bool(findings) or not undecided
    return ClientReport(decided, tuple(findings), tuple(undecided), tuple(_good(found)))


def _by_signs(found: ClientFindings, told: list[Verdict]) -> list[Verdict]:
    """Return what the trials tell; of who is late now and then nothing is certain, or told too early."""
    if not found.scattered:
        return told
    if not found.done:
        return []
    return [
        replace(each, confidence=Confidence.LIKELY) if each.confidence is Confidence.CERTAIN else each
        for each in told
    ]


def _other_family(family: str, played: Played) -> Verdict:
    return fault(
        "wrong-type-configured",
        Confidence.LIKELY,
        f"It asks in frames of {family}; the device here is a {played.title}.",
        "it is made for another kind of pack, or set to one",
        f"its first request to a {played.title} would be, for instance, {played.example}",
    )


def _by_what_it_shows(found: ClientFindings, findings: list[Verdict]) -> ClientReport:
    """Judge by what the user saw; each reply was tried in one way only, and is named."""
    findings += [*found.played.judge_lengths(found), *_pieces(found), *_company(found), *_bad(found)]
    undecided = [
        f"after {each.trial.words} it showed a voltage that no reply held: does it decode the right bytes?"
        for each in found.results
        if each.taken is None
    ]
    if not found.asked_all:
        undecided.append("it was ended before all was tried")
    good = tuple(
        each.trial.words for each in found.results if each.taken and each.trial.kind is not TrialKind.BAD
    )
    decided = found.asked_all and not undecided
    return ClientReport(decided or bool(findings), tuple(findings), tuple(undecided), good, shown=True)


def _nothing_tried(met: Meeting) -> ClientReport:
    if not met.connections:
        return ClientReport(False, (), ("no client connected",))
    if met.words and not met.requests:
        return ClientReport(False, (), (met.words,))
    names = ", ".join(map(met.played.name, met.unanswerable))
    if met.unanswerable and not any(map(met.played.reads, met.unanswerable)):
        asks = f"It asks only {names}, which a device does not answer with values."
        return ClientReport(True, (*login(met), *requests(met), wrong_command(asks, met.played)))
    findings = (*login(met), *requests(met), *lacking(met))
    if findings:
        return ClientReport(True, findings)
    if met.unanswerable:
        return ClientReport(False, (), (f"it asked only what is not played here: {names}",))
    if not met.requests:
        return ClientReport(
            False, (), (f"it connected, but sent no request; a {met.played.title} speaks only when asked",)
        )
    return ClientReport(False, (), ("it asked too seldom for a first experiment",))


def _by_chance(found: ClientFindings) -> bool:
    """Tell whether the controls do not hold any more: on a busy computer they may differ by chance."""
    return found.stuck_behind is not None or found.unsteady


# How it takes it


def _missed(found: ClientFindings, *keys: str) -> list[TrialResult]:
    return [each for each in found.results if each.trial.key in keys and each.taken is False]


def _tried(found: ClientFindings, key: str) -> str:
    """Return the words of what was tried."""
    return next(each.trial.words for each in found.results if each.trial.key == key)


#: Which frames of a pack answer what is told by its model, not by the protocol itself.
_SURE = {True: Confidence.CERTAIN, False: Confidence.LIKELY}


def _sure(found: ClientFindings, missed: list[TrialResult]) -> Confidence:
    """Return how sure it is that these are never taken, and that this does harm.

    Not where one was taken now and then, nor over Bluetooth: a board may send each reply whole.
    """
    sure = found.played.unit == "read" and all(each.steady for each in missed)
    return Confidence.CERTAIN if sure else Confidence.LIKELY


def _goes_on_anyway(found: ClientFindings) -> bool:
    """Tell whether it goes on after a damaged packet of any kind: then that is no sign that it took one."""
    return found.taken("corrupt") is True and found.taken("corrupt-other") is not False


def _pieces(found: ClientFindings) -> Iterator[Verdict]:
    tried = found.of_kind(TrialKind.DELIVERY)
    missed = [each for each in tried if not each.taken]
    if not missed:
        return
    ways = ", ".join(each.trial.words for each in missed)
    every = len(missed) == len(tried)
    yield fault(
        "one-read",
        _sure(found, missed) if every and len(tried) > 2 else Confidence.LIKELY,
        f"It did not take a reply that came {ways}"
        + (", in one piece it did." if every else "; otherwise it did."),
        f"it takes what one {found.played.unit} gives for a whole frame"
        if every
        else "it does not keep what it has of a frame until the rest is there",
        STREAM + HARMLESS * (found.played.unit != "read"),
    )


def _company(found: ClientFindings) -> Iterator[Verdict]:
    """Say what else with the reply costs it the reply."""
    if _missed(found, "print-first"):
        yield fault(
            "print-chokes",
            Confidence.LIKELY,
            f"It did not take {_tried(found, 'print-first')}.",
            "it takes the first packet for the reply, or gives up at one that it did not ask for",
            UNASKED,
            rank=BEHIND,
        )
    elif missed := _missed(found, "print-joined", "print-behind"):
        ways = " and ".join(each.trial.words for each in missed)
        yield fault(
            "joined",
            _sure(found, missed),
            f"It did not take {ways}.",
            f"it takes one frame from a {found.played.unit} and drops the rest",
            STREAM,
            rank=BEHIND,
        )
    if missed := _missed(found, "junk-first"):
        yield fault(
            "junk-chokes",
            _sure(found, missed),
            f"It did not take a reply with {missed[0].trial.words}.",
            "it wants a frame to begin with the first byte that it reads",
            RESYNC,
            rank=BEHIND,
        )
    if _missed(found, "damaged-first"):
        yield fault(
            "damage-chokes",
            Confidence.LIKELY,
            "After a damaged frame it did not take the good one that followed.",
            "it gives up at a wrong checksum, or looks for the next frame in the wrong place",
            RESYNC,
            rank=BEHIND,
        )


def _bad(found: ClientFindings) -> Iterator[Verdict]:
    """Say what it takes that is no reply. Asking on at once says so only where other damage does not."""
    if found.taken("print-only"):
        behind = " From then on it was one reply behind: each counted for the next request." * found.behind
        yield fault(
            "any-reply",
            _SURE[found.played.certain and (found.behind or found.shown)],
            f"It went on as after a reply behind {_tried(found, 'print-only')}.{behind}",
            "it takes the first packet that comes for the reply, whatever its command, or gives up at it",
            UNASKED,
        )
    elif found.taken("corrupt") and (found.shown or found.taken("corrupt-other") is False):
        yield fault(
            "crc-ignored",
            Confidence.CERTAIN if found.shown else Confidence.LIKELY,
            f"It took {_tried(found, 'corrupt')}"
            + ("." if found.shown else ": it went on, and did not after another damaged packet."),
            "it does not check the checksum, or not against the payload: it will show wrong values one day",
            found.played.framing,
        )


def _ages(found: ClientFindings) -> Iterator[Verdict]:
    missed = [each for each in found.of_kind(TrialKind.AGE) if not each.taken]
    if missed and not any(not each.taken for each in found.of_kind(TrialKind.LENGTH)):
        sizes = ", ".join(str(each.size) for each in missed)
        yield fault(
            "old-firmware",
            Confidence.LIKELY,
            f"It did not take replies that end early, as older firmware's do ({sizes} bytes for 20 cells).",
            "it wants every field",
            AGES_DIFFER,
            rank=BEHIND,
        )


# Where nothing tells


def _no_difference(found: ClientFindings, findings: list[Verdict]) -> ClientReport:
    """Judge a client that does the same whether a reply comes or not."""
    name = found.played.name(found.command)
    every = _every(found)
    if found.dialect:
        findings.append(_dialect(found, found.dialect, name))
        return ClientReport(True, tuple(findings))
    if found.impatient:
        findings.append(_impatient(found))
        return ClientReport(True, tuple(findings), ("all else, for it hardly waits for a reply",))
    if found.other_command is not None and found.others.tell:
        other = found.played.name(found.other_command)
        beside = found.played.beside(found.all_controls[0].request)
        findings.append(
            fault(
                "command-ignored",
                Confidence.LIKELY,
                f"It takes replies to {other}, and none to {name}, whatever their length.",
                f"it does not know that reply, or fails to decode it{beside}",
                f"look at what it does with the reply to {name}",
            )
        )
        return ClientReport(True, tuple(findings))
    words = (
        f"{every} after a reply to {name} it does the same as after none: it takes no reply at all, or it "
        "goes by the clock. Look at what it shows, or let it ask again as soon as a reply is there"
    )
    if found.asked_all or found.results:
        words = "it showed the voltage of no reply: it takes none, or it shows something else"
    elif not found.done:
        words = f"it was ended after {len(found.all_controls)} experiments, which is too soon to tell"
    return ClientReport(bool(findings), tuple(findings), (words,))


def _impatient(found: ClientFindings) -> Verdict:
    words = f"It gives a reply up and asks again {found.controls.usual_wait:.2f} s after its request."
    if _missed(found, LATE.key):
        words = f"It did not take a reply that came {late_by(found.wait):.2f} s after its request."
    return fault(
        "impatient",
        Confidence.LIKELY,
        words,
        f"its timeout is too short: {found.played.slow}",
        "wait for a reply for at least 1 s, and longer over CAN",
        rank=BEHIND,
    )


def _dialect(found: ClientFindings, key: str, name: str) -> Verdict:
    """Say what it needs to take something; certain where it did not take the same with a wrong CRC."""
    if key in NO_FRAMER:
        words = f"It took no right reply to {name} of any length, but one with more behind it."
        return fault(key, Confidence.LIKELY, words, NO_FRAMER[key], STREAM)
    return fault(
        key,
        Confidence.CERTAIN,
        f"It took no right reply to {name} of any length, but one whose frame was wrong in this way:",
        found.played.dialects[key],
        FRAMING,
    )


def _every(found: ClientFindings) -> str:
    seen = [each.since_request for each in found.all_controls]
    return f"it acts {min(seen):.2f} to {max(seen):.2f} s after each request;" if seen else ""


def _unclear(found: ClientFindings) -> Iterator[str]:
    # Who takes anything for the reply goes on before the reply is sent: that is known then.
    known = any(each.taken for each in found.of_kind(TrialKind.BAD))
    unclear = [
        each.trial.words
        for each in found.results
        if each.taken is None and not (known and each.trial.kind is TrialKind.COMPANY)
    ]
    if unclear:
        yield f"what it did was no clear sign after: {', '.join(unclear)}"
    if _goes_on_anyway(found) and not found.taken("print-only"):
        yield (
            "it goes on after a damaged packet just as after a reply: it takes it, or drops it and asks "
            "again; so going on is no sign that it took anything. Look at what it shows"
        )
    if found.stuck_behind is not None:
        yield f"it took nothing more after {found.stuck_behind.words}, so what came later says nothing"
    if found.unsteady:
        yield "it went on by itself again and again, though nothing came: what it does is no sign any more"


def _cut_words(found: ClientFindings) -> str:
    if found.played.unit == "read":
        return "replies byte by byte, and cut in every place"
    return "replies in several notifications, as far as they are longer than 20 bytes"


_GOOD: tuple[tuple[TrialKind, Callable[[ClientFindings], str]], ...] = (
    (
        TrialKind.LENGTH,
        lambda found: f"replies of {len(found.of_kind(TrialKind.LENGTH))} lengths, 100 to 511 bytes",
    ),
    (TrialKind.LATE, lambda _: "a reply that comes late"),
    (TrialKind.DELIVERY, _cut_words),
    (TrialKind.COMPANY, lambda _: "other messages, junk and damaged frames around them"),
    (TrialKind.AGE, lambda _: "replies that end early, as older firmware's do"),
)


def _good(found: ClientFindings) -> Iterator[str]:
    for kind, words in _GOOD:
        tried = [each for each in found.results if each.trial.kind is kind]
        if tried and all(each.expected for each in tried):
            yield words(found)
    bad = found.of_kind(TrialKind.BAD)
    if bad and all(each.expected for each in bad):
        ways = " nor ".join(each.trial.words for each in bad)
        yield f"nothing in place of a reply: neither {ways}"
