"""How a rule for logs is written: a symptom, what it may come of, the sentences that are evidence."""

from collections.abc import Callable

from packwire.check import Confidence, Facts, PossibleCause, Rank, Rule, Sentences, Words
from packwire.doctor.log.ask import log_lines, settles
from packwire.doctor.log.facts import SaidFacts, WriterFacts

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
) -> Rule:
    """Return a rule whose verdict's key is a kind of cause.

    `shown` are the codes of the events that are evidence. `causes` are what else the same may come of, with
    weights; where it is not certain, what tells them apart is asked for, behind `ask`.
    """

    def shares(facts: Facts) -> tuple[PossibleCause, ...]:
        weights = causes(facts) if callable(causes) else causes or {kind: 1.0}
        total = sum(weights.values())
        ordered = sorted(weights.items(), key=lambda each: -each[1])
        return tuple(PossibleCause(name, round(weight / total, 2)) for name, weight in ordered)

    def evidence(facts: Facts) -> tuple[str, ...]:
        return tuple(f"line {quote.line}: {quote.text.strip()}" for quote in facts[SaidFacts].quotes(*shown))

    def asked(facts: Facts) -> tuple[str, ...]:
        own = ask(facts) if callable(ask) else ask
        if holds(facts) is CERTAIN:
            return own
        return tuple(dict.fromkeys((*own, *log_lines(facts[WriterFacts]), *settles(shares(facts)))))

    return Rule(kind, rank, holds, words, remedy, None, frozenset(excludes), evidence, asked, shares)


def when(holds: object, confidence: Confidence = CERTAIN) -> Confidence | None:
    """Return a confidence where something holds."""
    return confidence if holds else None
