"""The verdicts on what a pack says of itself, whatever its protocol and its link."""

from packwire.advertisement import is_weak
from packwire.check import Confidence, Facts, Rank, Rule, when
from packwire.doctor.facts import ReadingFacts
from packwire.doctor.log.facts import RadioFacts
from packwire.doctor.pack_facts import ValuesFacts
from packwire.errors import Reason
from packwire.phrases import few


def _dead_words(facts: Facts) -> str:
    values = facts[ValuesFacts]
    dead = values.dead_cells
    cells = f"Cell {dead[0]} reads" if len(dead) == 1 else f"Cells {few(map(str, dead))} read"
    return f"{cells} 0 V in {len(values.readings)} readings, and the others do not." + _read(facts)


def _read(facts: Facts) -> str:
    return facts[ReadingFacts].all_the_same


def _well_remedy(facts: Facts) -> str:
    level = facts[RadioFacts].level
    todo = (
        f"Bring it and the adapter nearer to each other: at {level:.0f} dBm connections often break."
        if is_weak(level)
        else "Nothing."
    )
    return (
        f"{todo} If another program gets no data from it, look at that one: its address, its model, and "
        "whether it asks while another does."
    )


RULES: tuple[Rule, ...] = (
    Rule(
        "cell-at-zero",
        Rank.DOUBT,
        lambda facts: when(
            facts[ValuesFacts].dead_cells, Confidence.LIKELY
        ),  # a wire, a cell, or a cell that is not there
        _dead_words,
        "Look at that cell's sense wire and plug first, then measure the cell. If the pack has fewer cells,"
        " the BMS is set to too many, or it is another model's protocol.",
        Reason.DISTURBED,
    ),
    Rule(
        "protocol-variant",
        Rank.DOUBT,
        lambda facts: when(
            facts[ValuesFacts].impossible and not facts[ValuesFacts].dead_cells, Confidence.LIKELY
        ),
        lambda facts: (
            f"It answers, and says what no battery can be: {few(facts[ValuesFacts].impossible, 3)}."
            + _read(facts)
        ),
        "Most often it is another model's protocol, or another version of this one: compare with the vendor's"
        " app, and look for a model that fits (packwire model list). Else a sensor is broken.",
        Reason.DISTURBED,
    ),
    Rule(
        "frozen-bms",
        Rank.DOUBT,
        lambda facts: when(facts[ValuesFacts].frozen, Confidence.LIKELY),
        lambda facts: (
            "The battery's values are frozen: nothing moved in"
            f" {len(facts[ValuesFacts].readings)} readings of "
            f"{facts[ValuesFacts].seconds:.1f} s, though current flows." + _read(facts)
        ),
        "Switch the BMS off and on. If they stay, what answers is no longer in touch with the cells: a"
        " display, a converter or another board that repeats what it heard last.",
        Reason.DISTURBED,
    ),
    Rule(
        "no-values",
        Rank.DOUBT,
        lambda facts: when(facts[ValuesFacts].error and not facts[ValuesFacts].readings, Confidence.LIKELY),
        lambda facts: f"It answers, and cannot be read: {facts[ValuesFacts].error.rstrip('.?')}.",
        "Is it the right model (packwire model list)? Ask again with --report doctor.md, and show that with"
        " the question where the model comes from.",
        Reason.NO_DATA,
    ),
    Rule(
        "ok",
        Rank.WELL,
        lambda facts: when(len(facts[ValuesFacts].readings) > 1),
        lambda facts: f"All is well: {facts[ReadingFacts].said}.",
        _well_remedy,
        None,
    ),
)
