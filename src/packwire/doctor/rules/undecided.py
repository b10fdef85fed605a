"""The verdict where no other holds."""

from packwire.check import Confidence, Facts, Rank, Rule
from packwire.doctor.facts import ConnectionFacts, ReadingFacts, RunFacts
from packwire.errors import Reason


def _last_words(facts: Facts) -> str:
    connection = facts[ConnectionFacts]
    if facts[RunFacts].interrupted:
        early = "Not decided: the examination was ended early; the checks above say how far it went."
        return early + facts[ReadingFacts].all_the_same
    lost = f" ({connection.lost_by})" if connection.lost_by else ""
    return f"What was found fits no known fault{lost}; the checks above say how far it went."


RULES: tuple[Rule, ...] = (
    Rule(
        "inconclusive",
        Rank.UNDECIDED,
        lambda _: Confidence.POSSIBLE,
        _last_words,
        lambda facts: (
            "Let it run to its end, with a longer --for or none."
            if facts[RunFacts].interrupted
            else "Ask again with --thorough, and attach a report to a question in a forum: --report doctor.md"
        ),
        Reason.SILENT,
    ),
)
