"""How a rule for logs is written: a symptom, what it may come of, the sentences that are evidence."""

from collections.abc import Callable

from packwire.capture.events.documents import speaks_of
from packwire.capture.packets import NO_TIME
from packwire.check import Confidence, Facts, PossibleCause, Rank, Rule, Sentences, Words, when
from packwire.doctor.log.ask import log_lines, settles
from packwire.doctor.log.facts import SaidFacts, SlotFacts, WriterFacts
from packwire.doctor.log.said import SELDOM
from packwire.errors import Reason

__all__ = ("CERTAIN", "LIKELY", "POSSIBLE", "Causes", "Holds", "rule", "when")

_ONCE_OR_TWICE = 2
#: So many questions on a line are asked before anything of its program is.
_FIRST = 3

type Causes = dict[str, float]
type Holds = Callable[[Facts], Confidence | None]

CERTAIN, LIKELY, POSSIBLE = Confidence.CERTAIN, Confidence.LIKELY, Confidence.POSSIBLE

#: What is wrong with values is wrong where they are read.
_OF_VALUES = frozenset({Rank.VALUES, Rank.WELL})


def rule(
    kind: str,
    holds: Holds,
    words: Words,
    remedy: Words,
    *,
    shown: tuple[str, ...] = (),
    causes: Causes | Callable[[Facts], Causes] | None = None,
    ask: Sentences = (),
    rank: Rank = Rank.CONNECTION,
    excludes: tuple[str, ...] = (),
    reason: Reason | None = None,
    by_experiment: bool = False,
) -> Rule:
    """Return a rule whose verdict's key is a kind of cause.

    `shown` are the codes of the events that are evidence. `causes` are what else the same may come of, with
    weights; where it is not certain, what tells them apart is asked for, behind `ask`. `by_experiment`: it
    was tried, so that nothing which was said later speaks against it.
    """

    def confidence(facts: Facts) -> Confidence | None:
        told = holds(facts)
        return told if told is None or by_experiment else _doubted(told, facts[SaidFacts], shown, rank)

    def shares(facts: Facts) -> tuple[PossibleCause, ...]:
        weights = causes(facts) if callable(causes) else causes or {kind: 1.0}
        total = sum(weights.values())
        ordered = sorted(weights.items(), key=lambda each: -each[1])
        return tuple(PossibleCause(name, round(weight / total, 2)) for name, weight in ordered)

    def evidence(facts: Facts) -> tuple[str, ...]:
        return facts[SaidFacts].shown(*shown)

    def asked(facts: Facts) -> tuple[str, ...]:
        own = ask(facts) if callable(ask) else ask
        if confidence(facts) is CERTAIN or facts[SaidFacts].live:  # a live device is there to ask
            return own
        told = {"ble.no-free-slot"} if facts[SlotFacts].free else set()
        told |= {"serial.wiring"} if _of_can(facts[SaidFacts]) else set()  # its wires are asked for as CAN's
        open_still = (each for each in shares(facts) if each.kind not in told)
        lines, answers = log_lines(facts[WriterFacts]), settles(tuple(open_still))
        if kind == "serial.wiring":  # no line that a program could write besides tells it
            special = own if rank is not Rank.DOUBT else ()
            return tuple(dict.fromkeys((*special, *answers[:_FIRST], *own, *lines, *answers[_FIRST:])))
        return tuple(dict.fromkeys((*own, *lines, *answers)))

    return Rule(kind, rank, confidence, words, remedy, reason, frozenset(excludes), evidence, asked, shares)


def _doubted(told: Confidence, said: SaidFacts, shown: tuple[str, ...], rank: Rank) -> Confidence | None:
    """Return how sure a verdict is, in view of what the log says besides."""
    if said.strange:
        return POSSIBLE
    count, over = said.count(*shown), not said.live and 0 < said.last_line(*shown) < said.last_read
    if over and rank not in _OF_VALUES:
        # It was read afterwards all the same; where it nearly always was, it is no trouble at all.
        return None if count * SELDOM <= said.works else POSSIBLE
    if over and told is LIKELY and rank is Rank.VALUES and count <= _ONCE_OR_TWICE:
        return POSSIBLE
    if told is POSSIBLE or _only_spoken_of(said, shown):
        return POSSIBLE
    if told is LIKELY and rank == Rank.WAY and said.works and not _own(said, shown):
        return POSSIBLE  # another program says it, and this one reads
    return _capped(said, shown, rank) if told is CERTAIN else told


def _only_spoken_of(said: SaidFacts, shown: tuple[str, ...]) -> bool:
    """Tell whether all that a verdict rests on is written about, as in a manual, and not logged."""
    quotes = said.all_quotes(*shown)
    return bool(quotes) and all(each.time == NO_TIME and speaks_of(each.text) for each in quotes)


def _of_can(said: SaidFacts) -> bool:
    return any(code.startswith("can-") or code in {"nobody-acks", "send-buffer-full"} for code in said.told)


def _capped(said: SaidFacts, shown: tuple[str, ...], rank: Rank) -> Confidence:
    """Return how sure a verdict is whose rule is certain, as an innocent explanation may be left.

    What went on afterwards was no obstacle; what another program wrote or somebody quotes may be of another
    device, and so may half of what it rests on, where a log of several devices says it of none by name; and a
    computer through which one pack is read is in order for the others.
    """
    last = said.last_line(*shown)
    read = max(said.last_read, said.others_read if rank == Rank.WAY else 0)
    if last and read > last:
        return POSSIBLE
    told = set(shown) & said.told.keys()
    if rank != Rank.WAY and told & said.of_nobody and told - said.of_nobody:
        return LIKELY
    if read or said.perhaps_read or (last and said.last_line(*_GOES_ON) > last):
        return LIKELY
    return CERTAIN if _own(said, shown) else LIKELY


def _own(said: SaidFacts, shown: tuple[str, ...]) -> bool:
    """Tell whether a program that deals with batteries says any of it, or nobody does."""
    quotes = said.all_quotes(*shown)
    return not quotes or any(quote.own for quote in quotes)


#: Sentences that follow where a connection was made and bytes came.
_GOES_ON = (
    *("connected", "client-connected", "received", "subscribed", "program-receives", "wire-received"),
    *("program-sends", "wire-sent"),
)
