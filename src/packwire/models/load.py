"""From YAML to a protocol."""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from packwire.errors import BadFileError
from packwire.models.family import family
from packwire.models.problem import ModelError, Place
from packwire.wire.family import Family

if TYPE_CHECKING:
    import yaml

    from packwire.models.protocol import ModelProtocol


def parse(text: str, where: str) -> "ModelProtocol":
    """Read a model; `where` names it in errors.

    Raises BadFileError with the place in the file and what is allowed there.
    """
    from packwire.models.yaml_text import read_yaml  # noqa: PLC0415 - YAML

    values, node = read_yaml(text, where)
    content = _checked(values, node, where)
    return _made(content, node, where)


def _checked(values: Any, node: "yaml.Node | None", where: str) -> dict[str, Any]:
    """Return the plain values of a model, checked against the schema. Raises BadFileError."""
    from pydantic import ValidationError  # noqa: PLC0415 - half a second at the first time

    from packwire.models.schema import ModelFile  # noqa: PLC0415

    try:
        return ModelFile.model_validate(values).model_dump(mode="json", by_alias=True, exclude_defaults=True)
    except ValidationError as error:
        from packwire.models.schema.words import first_problem  # noqa: PLC0415

        raise _problem(where, node, *first_problem(error, values)) from None


def _made(content: dict[str, Any], node: "yaml.Node | None", where: str) -> "ModelProtocol":
    from packwire.models.protocol import ModelProtocol  # noqa: PLC0415 - who looks for frames needs no more

    try:
        shared = content.get("framings_of")
        return ModelProtocol(content, _shared_family(shared) if shared else None)
    except ModelError as error:
        raise _problem(where, node, error.place, str(error)) from None


def _shared_family(name: str) -> Family:
    if name not in library():
        raise ModelError(f"packwire has no model {name!r}: {', '.join(library())}", ("framings_of",))
    return model_family(name)


def _problem(where: str, node: "yaml.Node | None", place: Place, words: str) -> BadFileError:
    from packwire.models.yaml_text import line_of  # noqa: PLC0415 - YAML

    line = line_of(node, place)
    path = ".".join(str(step) for step in place)
    return BadFileError(f"{where}{f', line {line}' if line else ''}: {f'{path}: ' if path else ''}{words}")


@cache
def library() -> tuple[str, ...]:
    """Return the names of the models that come with packwire."""
    folder = files("packwire.models") / "library"
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


@cache
def _content_of(name: str) -> dict[str, Any]:
    from packwire.models.yaml_text import read_yaml  # noqa: PLC0415 - YAML

    values, node = read_yaml(_text(name), f"{name}.yaml")
    return _checked(values, node, f"{name}.yaml")


@cache
def model_family(name: str) -> Family:
    """Return the framings of a model of the library; it is right, so nothing checks it here."""
    content = _content_of(name)
    shared = content.get("framings_of")
    return model_family(shared) if shared else family(content)


def model_families() -> Iterator[Family]:
    """Yield the framings of all models of the library, each once."""
    yield from {model_family(name).name: model_family(name) for name in library()}.values()


@cache
def model(name: str) -> "ModelProtocol":
    """Return a protocol of the library. Raises FileNotFoundError."""
    return parse(_text(name), f"{name}.yaml")


def _text(name: str) -> str:
    return (files("packwire.models") / "library" / f"{name}.yaml").read_text(encoding="utf-8")
