"""From YAML to a protocol, checked once: what was checked is kept, by its content, in the user's cache.

So reading with a model loads neither YAML nor pydantic but the first time.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packwire import user_cache
from packwire.errors import BadFileError
from packwire.models.family import family
from packwire.models.problem import ModelError, Place
from packwire.models.recognition import gatt_of
from packwire.models.store import Source, library, sources
from packwire.protocol.base import Gatt
from packwire.wire.family import Family

if TYPE_CHECKING:
    import yaml

    from packwire.models.protocol import ModelProtocol

#: Of what is kept: another one is made anew. To be counted up with what the plain values of a model mean.
FORM = 1


def parse(text: str, where: str) -> "ModelProtocol":
    """Read a model; `where` names it in errors.

    Raises BadFileError with the place in the file and what is allowed there.
    """
    content, node = _from_yaml(text, where)
    return _made(content, node, where)


def model(name: str) -> "ModelProtocol":
    """Return a protocol by its name: the user's own before packwire's. Raises BadFileError, KeyError."""
    return _model(sources()[name])


def model_families() -> tuple[Family, ...]:
    """Return the framings of all models, each once; models of the user's that are wrong have none.

    Models of one family (Daly's, which speaks in two ways) give one.
    """
    found: dict[str, Family] = {}
    for source in sources().values():
        try:
            each = _family(source)
        except BadFileError:
            if source.path is None:
                raise
            continue
        known = found.get(each.name)
        found[each.name] = each if known is None else _together(known, each)
    return tuple(found.values())


def unchecked_places() -> tuple[tuple[Family, tuple[Gatt, ...]], ...]:
    """Return the framings that have no checksum, with where over Bluetooth they are spoken."""
    found = []
    for source in sources().values():
        try:
            each, content = _family(source), _content(source)
        except BadFileError:
            continue
        places = content.get("links", {}).get("ble", ())
        if places and all(framing.check is None for framing in each.framings):
            found.append((each, tuple(gatt_of(place) for place in places)))
    return tuple(found)


def _together(one: Family, other: Family) -> Family:
    framings = (*one.framings, *(each for each in other.framings if each not in one.framings))
    answers = (*one.answers, *(each for each in other.answers if each not in one.answers))
    return replace(one, framings=framings, answers=answers)


@cache
def _model(source: Source) -> "ModelProtocol":
    text = source.text()
    kept = _kept(text)
    if kept is not None:
        try:
            made = _made(kept, None, source.where)
        except (BadFileError, ValueError, LookupError, TypeError, AttributeError):
            pass  # a damaged cache is no cache
        else:
            if source.name in {"", made.name}:
                return _from(source, text, made)
    content, node = _from_yaml(text, source.where)
    made = _made(content, node, source.where)
    if source.name not in {"", made.name}:
        raise _problem(source.where, node, ("name",), f"it is {made.name}, and the file {source.name}.yaml")
    user_cache.store(_cache_name(text), {"form": FORM, "content": content})
    return _from(source, text, made)


def _from(source: Source, text: str, made: "ModelProtocol") -> "ModelProtocol":
    if source.path is not None:
        made.digest, made.origin = sha256(text.encode()).hexdigest(), str(source.path)
        made.shadows = made.name in library()
    return made


def _content(source: Source) -> Mapping[str, Any]:
    """Return the plain values of a model, which are kept from now on. Raises BadFileError."""
    kept = _kept(source.text())
    return _model(source).content if kept is None else kept


@cache
def _family(source: Source) -> Family:
    content = _content(source)
    try:
        shared = content.get("framings_of")
        return _shared_family(shared) if shared else family(content)
    except (ValueError, LookupError, TypeError, AttributeError):
        return _model(source).family


def _cache_name(text: str) -> str:
    return f"models/{sha256(text.encode()).hexdigest()}.json"


def _kept(text: str) -> dict[str, Any] | None:
    """Return the plain values of a model that was checked before; None where it was not."""
    kept = user_cache.load(_cache_name(text))
    content = kept.get("content") if kept.get("form") == FORM else None
    return content if isinstance(content, dict) else None


def _from_yaml(text: str, where: str) -> "tuple[dict[str, Any], yaml.Node | None]":
    """Return the plain values of a model, checked against the schema, and its tree. Raises BadFileError."""
    from pydantic import ValidationError  # noqa: PLC0415 - both half a second at the first time

    from packwire.models.schema import ModelFile  # noqa: PLC0415
    from packwire.models.yaml_text import read_yaml  # noqa: PLC0415

    values, node = read_yaml(text, where)
    try:
        checked = ModelFile.model_validate(values)
    except ValidationError as error:
        from packwire.models.schema.words import first_problem  # noqa: PLC0415

        raise _problem(where, node, *first_problem(error, values)) from None
    return checked.model_dump(mode="json", by_alias=True, exclude_defaults=True), node


def _made(content: dict[str, Any], node: "yaml.Node | None", where: str) -> "ModelProtocol":
    from packwire.models.protocol import ModelProtocol  # noqa: PLC0415 - who looks for frames needs no more

    try:
        shared = content.get("framings_of")
        return ModelProtocol(content, _shared_family(shared) if shared else None)
    except ModelError as error:
        raise _problem(where, node, error.place, str(error)) from None


def _shared_family(name: str) -> Family:
    """Return the framings of one of packwire's own models: a user's file changes nobody else's."""
    if name not in library():
        raise ModelError(f"packwire has no model {name!r}: {', '.join(library())}", ("framings_of",))
    return _family(Source(name))


def _problem(where: str, node: "yaml.Node | None", place: Place, words: str) -> BadFileError:
    line = None
    if node is not None:
        from packwire.models.yaml_text import line_of  # noqa: PLC0415 - YAML

        line = line_of(node, place)
    path = ".".join(str(step) for step in place)
    return BadFileError(f"{where}{f', line {line}' if line else ''}: {f'{path}: ' if path else ''}{words}")


def read_file(path: Path) -> "ModelProtocol":
    """Return the protocol of a model file, wherever it lies, under any name. Raises BadFileError."""
    return _model(Source("", path))
