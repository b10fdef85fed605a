"""How it is said which models a recording is like."""

from collections.abc import Iterator

from packwire.cli.records.recordings import AlikeModel
from packwire.insight.likeness import Certainty, Likeness

_SURE = {
    Certainty.SURE: "surely",
    Certainty.LIKELY: "likely",
    Certainty.FORM: "in the form of its frames alone",
}
#: Of what a model reads, this is told.
_TOLD = ("voltage", "current", "soc", "cell_voltages", "temperatures")


def words(each: Likeness) -> Iterator[str]:
    """Yield lines on one model: how sure it is, what differs, what is the same, what its fields read."""
    yield f"like {each.title} ({each.model}), {_SURE[each.certainty]}"
    yield f"differs: {', '.join(each.differs) or 'nothing that was looked at'}"
    if each.same:
        yield f"the same: {', '.join(each.same)}"
    if each.certainty is Certainty.FORM:
        yield "its fields do not read here"
    elif each.agrees:
        yield f"its fields read: {', '.join(each.agrees)}"


def sentence(each: Likeness) -> str:
    """Return the same in one line."""
    return "; ".join(words(each))


def record(each: Likeness) -> AlikeModel:
    """Return it as a JSON object."""
    return {
        "model": each.model,
        "title": each.title,
        "certainty": str(each.certainty),
        "same": list(each.same),
        "differs": list(each.differs),
        "agrees": list(each.agrees),
        "reads": {key: each.values[key] for key in _TOLD if key in each.values},
    }
