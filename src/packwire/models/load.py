"""From YAML to a protocol."""

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import yaml

from packwire.errors import BadFileError
from packwire.models.family import family
from packwire.wire.family import Family
from packwire.wire.fields import FieldError

if TYPE_CHECKING:
    from packwire.models.protocol import ModelProtocol

#: A model is a page of text.
MAX_SIZE = 1 << 20
_DEEPEST = 16


class _Loader(yaml.SafeLoader):
    """YAML without tags, aliases and merge keys: plain values, and no more of them than one sees."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose a node; refuse what is no plain tree."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.constructor.ConstructorError(
                None, None, "anchors and aliases are not allowed", event.start_mark
            )
        if getattr(event, "tag", None):
            raise yaml.constructor.ConstructorError(None, None, "tags are not allowed", event.start_mark)
        self.depth += 1
        if self.depth > _DEEPEST:
            raise yaml.constructor.ConstructorError(None, None, "it is nested too deep", event.start_mark)
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Refuse merge keys and keys that come twice."""
        seen = set()
        for key, _ in node.value:
            if key.value == "<<":
                raise yaml.constructor.ConstructorError(
                    None, None, "merge keys are not allowed", key.start_mark
                )
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value!r} stands here twice", key.start_mark
                )
            seen.add(key.value)


# As in YAML 1.2: `on` and `no` are words, `010` is no octal number and `12:30` none to the base of 60.
_Loader.yaml_implicit_resolvers = {}
for _tag, _form, _first in (
    ("bool", "true|false", "tf"),
    ("int", "-?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+", "-0123456789"),
    ("float", r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]+)?", "-0123456789"),
    ("null", "null|~|", ["~", "n", ""]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_form})$"), list(_first))


def _content(text: str, where: str) -> Any:
    """Return the plain values of a file. Raises BadFileError."""
    if len(text) > MAX_SIZE:
        raise BadFileError(f"{where}: a model has at most {MAX_SIZE} characters")
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader, and stricter
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise BadFileError(f"{where}{line}: {error.problem or error.context}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadFileError(f"{where}: {str(error).splitlines()[0]}") from None


@cache
def model_family(name: str) -> Family:
    """Return the framings of a model of the library; it is right, so nothing checks it here."""
    text = (files("packwire.models") / "library" / f"{name}.yaml").read_text(encoding="utf-8")
    return family(_content(text, f"{name}.yaml"))


def parse(text: str, where: str) -> "ModelProtocol":
    """Read a model; `where` names it in errors.

    Raises BadFileError with the place in the file and what is allowed there.
    """
    from pydantic import ValidationError  # noqa: PLC0415 - see `model_family`; so are the others

    from packwire.models.protocol import ModelProtocol  # noqa: PLC0415
    from packwire.models.schema import ModelFile  # noqa: PLC0415

    content = _content(text, where)
    try:
        return ModelProtocol(ModelFile.model_validate(content))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BadFileError(f"{where}: {place}: {first['msg'].removeprefix('Value error, ')}") from None
    except FieldError as error:
        raise BadFileError(f"{where}: {error}") from None


@cache
def model(name: str) -> "ModelProtocol":
    """Return a protocol of the library. Raises FileNotFoundError."""
    return parse(_text(name), f"{name}.yaml")


def _text(name: str) -> str:
    return (files("packwire.models") / "library" / f"{name}.yaml").read_text(encoding="utf-8")
