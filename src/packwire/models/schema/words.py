"""What pydantic found wrong with a model, in words for who wrote it."""

from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from packwire.models.problem import Place
from packwire.models.schema.file import ModelFile


def first_problem(error: ValidationError, values: Any) -> tuple[Place, str]:
    """Return where the first problem is, as keys and indexes of the file, and what is allowed there."""
    problems = [(_in_file(each["loc"], values), each) for each in error.errors(include_url=False)]
    # Of a value that may be one thing or another, what it came nearest to has the longest way.
    first = problems[0][0][:1]
    place, problem = max(
        (each for each in problems if each[0][:1] == first),
        key=lambda each: _weight(each[0], each[1], problems[0][0]),
    )
    words = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        return place, _unknown(place)
    if problem["type"] == "missing":
        return place[:-1], f"{place[-1]} is missing"
    return place, words[:1].lower() + words[1:] if words else "it cannot be used"


def _weight(place: Place, problem: Any, first: Place) -> tuple[bool, int]:
    same = place[: len(first)] == first or first[: len(place)] == place
    return same, len(place) - 2 * (
        problem["type"] in {"extra_forbidden", "missing"} and len(place) < len(first)
    )


def _in_file(loc: tuple[str | int, ...], values: Any) -> Place:
    """Return the steps of a location that are in the file: pydantic also names classes and kinds."""
    place: list[str | int] = []
    here = values
    for index, step in enumerate(loc):
        if isinstance(here, dict) and (step in here or str(step) in map(str, here)):
            place.append(step)
            here = here.get(step, here.get(str(step)))
        elif isinstance(here, list) and isinstance(step, int) and step < len(here):
            place.append(step)
            here = here[step]
        elif index == len(loc) - 1 and isinstance(here, dict):
            place.append(step)  # a key that is missing
    return tuple(place)


def _unknown(place: Place) -> str:
    allowed = _allowed(place[:-1])
    near = get_close_matches(str(place[-1]), allowed, 1)
    if near:
        return f"there is no such key; did you mean {near[0]}?"
    return f"there is no such key; allowed is {', '.join(allowed)}" if allowed else "there is no such key"


def _allowed(place: Place) -> list[str]:
    """Return the keys that may stand at a place."""
    schema = ModelFile.model_json_schema()
    definitions = schema["$defs"]
    here: dict[str, Any] = schema
    for step in place:
        here = _resolved(here, definitions)
        if isinstance(step, int):
            here = here.get("items", {})
        elif step in here.get("properties", {}):
            here = here["properties"][step]
        else:
            here = here.get("additionalProperties", {})
    return sorted(_resolved(here, definitions).get("properties", {}))


def _resolved(here: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(here, dict):
        return {}
    if "$ref" in here:
        return _resolved(definitions[here["$ref"].rpartition("/")[2]], definitions)
    choices = [_resolved(each, definitions) for each in here.get("anyOf", [])]
    return next(
        (each for each in choices if {"properties", "items", "additionalProperties"} & set(each)), here
    )
