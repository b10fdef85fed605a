"""Where nothing else holds: a log in which nothing fails, or fails seldom, and one that decides nothing."""

from packwire.capture.packets import NO_TIME
from packwire.check import Confidence, Facts, Rank, Rule
from packwire.doctor.log.ask import asked_of_silence
from packwire.doctor.log.facts import ONLY_TRIED, SaidFacts, WireFacts
from packwire.doctor.log.heard import HeardFacts
from packwire.doctor.log.rule import LIKELY, POSSIBLE, rule, when
from packwire.doctor.log.said import fails_seldom, shows_only_zeros
from packwire.doctor.log.sessions import SessionFacts
from packwire.doctor.log.wire import names
from packwire.phrases import counted, times

#: So many requests without an answer, the last of them so long (ns) after the last answer, are a silence.
_UNANSWERED, _SILENT = 3, 60_000_000_000


def _fell_silent(said: SaidFacts) -> bool:
    """Tell whether the log goes on with requests of which none is answered."""
    sent, came = said.told.get("sent"), said.told.get("received")
    if sent is None or came is None or NO_TIME in {sent.last.time, came.last.time}:
        return False
    gap = sent.last.time - came.last.time
    return sent.count - came.count >= _UNANSWERED and gap > _SILENT and sent.last.line > said.last_read


def _in_it(facts: Facts) -> str:
    """Return what there is nevertheless, as the end of a sentence."""
    heard, wire = facts[HeardFacts], facts[WireFacts]
    if heard.frames and not heard.title:
        return f". {heard.words}"
    if wire.right and wire.answered_in and not facts[SaidFacts].failures:
        return f"; a pack talks in it, by {counted(wire.right, 'right frame')} of {names(wire.answered_in)}"
    return ""


def _and_then(facts: Facts) -> str:
    """Say that no values are in the last part of the log."""
    silent = facts[SaidFacts].without_values_for
    return f" as far as it is understood; its last {silent:.0f} s hold no values" if silent else ""


def _well(facts: Facts) -> Confidence | None:
    said, wire = facts[SaidFacts], facts[WireFacts]
    absurd = said.count("impossible-value") > 1 or said.has("zero-sample")
    if said.live or absurd or shows_only_zeros(said):
        return None  # whether a live device gives data, its checks tell
    if said.has("found-driver"):  # drivers that were tried before it failed, as they must
        tried = said.told.get("no-reply")
        return when(tried is None or tried.last.line < said.told["found-driver"].last.line, LIKELY)
    if (said.failures and not fails_seldom(said)) or _fell_silent(said) or facts[SessionFacts].only_refused:
        return None
    if said.told and said.told.keys() <= ONLY_TRIED:
        return None  # the bytes in the log are another device's
    if "worked" in said.of_nobody and said.has("connecting", "plugin-connecting", "sent"):
        return when(said.has("received"), LIKELY)  # what worked may be another device of the log
    if said.failures:
        return POSSIBLE  # those few may be what its owner sees
    if min(said.count("sent"), said.count("received")) > 2:
        return LIKELY
    answered = set(wire.asked_in) & set(wire.answered_in) and wire.right > 2 and not wire.wrong
    answered = answered and not wire.only_address  # else what answers may be another device on the line
    return when(said.works or answered, POSSIBLE if said.without_values_for else LIKELY)


RULES: tuple[Rule, ...] = (
    rule(
        "ok",
        _well,
        lambda facts: (
            f"Values are read ({times(facts[SaidFacts].works)}), also after what failed"
            f" ({times(facts[SaidFacts].failures)}){_and_then(facts)}."
            if facts[SaidFacts].works and facts[SaidFacts].failures
            else f"Values are read, and nothing in this log fails{_and_then(facts)}."
            if facts[SaidFacts].works
            else "Requests are answered, and nothing in this log fails."
        ),
        "Nothing; where the owner sees trouble all the same, the log is not of that time.",
        shown=("worked", "frame-read", "found-driver"),
        rank=Rank.WELL,
    ),
    rule(
        "inconclusive",
        lambda _: POSSIBLE,
        lambda facts: (
            f"Nothing in this log tells why there is no data{_in_it(facts)}."
            if not facts[SaidFacts].live
            else "What was found fits no known fault; the checks above say how far it went."
        ),
        lambda facts: (
            "Ask for what is listed."
            if not facts[SaidFacts].live
            else "Ask again, and attach a report to a question in a forum: --report doctor.md"
        ),
        causes=dict.fromkeys(("inconclusive",), 1.0),
        ask=asked_of_silence,
        rank=Rank.UNDECIDED,
    ),
)
