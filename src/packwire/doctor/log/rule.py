"""How a rule for logs is written: a symptom, what it may come of, the sentences that are evidence."""

from collections.abc import Callable

from packwire.check import Confidence, Facts, PossibleCause, Rank, Rule, Sentences, Words, when
from packwire.doctor.log.ask import log_lines, settles
from packwire.doctor.log.facts import SaidFacts, SlotFacts, WriterFacts
from packwire.errors import Reason

__all__ = ("CERTAIN", "LIKELY", "POSSIBLE", "Causes", "Holds", "rule", "when")

#: What is said so often, or so many times more seldom than values are read, hinders nothing.
_ONCE_OR_TWICE, _SELDOM = 2, 10
#: So many questions on a line are asked before anything of its program is.
_FIRST = 3

type Causes = dict[str, float]
type Holds = Callable[[Facts], Confidence | None]

CERTAIN, LIKELY, POSSIBLE = Confidence.CERTAIN, Confidence.LIKELY, Confidence.POSSIBLE


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
        open_to_doubt = told is CERTAIN and not by_experiment
        if told in {CERTAIN, LIKELY} and facts[WriterFacts].of_no_pack:
            return POSSIBLE
        if told is LIKELY and rank is not Rank.WELL and _is_over(facts[SaidFacts], shown):
            return POSSIBLE
        return _capped(facts[SaidFacts], shown, rank) if open_to_doubt else told

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


def _is_over(said: SaidFacts, shown: tuple[str, ...]) -> bool:
    """Tell whether it was said but now and then, and values were read behind the last time."""
    last, count = said.last_line(*shown), said.count(*shown)
    return (
        not said.live
        and 0 < last < said.last_read
        and (count <= _ONCE_OR_TWICE or count * _SELDOM <= said.works)
    )


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
    quotes = said.all_quotes(*shown)
    return LIKELY if quotes and not any(quote.own for quote in quotes) else CERTAIN


#: Sentences that follow where a connection was made and bytes came.
_GOES_ON = (
    *("connected", "client-connected", "received", "subscribed", "program-receives", "wire-received"),
    *("program-sends", "wire-sent"),
)
