"""YAML as a model may have it: plain values, and no more of them than one sees."""

import re
from typing import Any

import yaml

from packwire.errors import BadFileError
from packwire.models.problem import Place

#: A model is a page of text.
MAX_SIZE = 1 << 20
_DEEPEST = 16
_MOST_NODES = 100_000


class _Loader(yaml.SafeLoader):
    """YAML without tags, aliases and merge keys."""

    depth = 0
    nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose a node; refuse what is no plain tree."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refusal("anchors and aliases are not allowed", event.start_mark)
        if getattr(event, "tag", None):
            raise _refusal("tags are not allowed", event.start_mark)
        self.depth += 1
        self.nodes += 1
        if self.depth > _DEEPEST:
            raise _refusal("it is nested too deep", event.start_mark)
        if self.nodes > _MOST_NODES:
            raise _refusal("there is too much in it", event.start_mark)
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Refuse merge keys and keys that come twice."""
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refusal("a key is a word or a number", key.start_mark)
            if key.value == "<<":
                raise _refusal("merge keys are not allowed", key.start_mark)
            if key.value in seen:
                raise _refusal(f"{key.value[:80]!r} stands here twice", key.start_mark)
            seen.add(key.value)


def _refusal(words: str, mark: yaml.Mark) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, words, mark)


# As in YAML 1.2: `on` and `no` are words, `010` is no octal number and `12:30` none to the base of 60.
_Loader.yaml_implicit_resolvers = {}
for _tag, _form, _first in (
    ("bool", "true|false", "tf"),
    ("int", "-?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+", "-0123456789"),
    ("float", r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]+)?", "-0123456789"),
    ("null", "null|~|", ["~", "n", ""]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_form})$"), list(_first))


def read_yaml(text: str, where: str) -> tuple[Any, yaml.Node | None]:
    """Return the plain values of a file and its tree, which knows the lines. Raises BadFileError."""
    if len(text) > MAX_SIZE:
        raise BadFileError(f"{where}: a model has at most {MAX_SIZE} characters")
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        return (None if node is None else loader.construct_document(node)), node
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise BadFileError(f"{where}{line}: {error.problem or error.context}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadFileError(f"{where}: {str(error).splitlines()[0]}") from None
    finally:
        if loader is not None:
            loader.dispose()


def line_of(node: yaml.Node | None, place: Place) -> int | None:
    """Return the line (from 1) of what lies at a place, or of the nearest thing around it."""
    if node is None:
        return None
    line: int = node.start_mark.line + 1
    for step in place:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(step)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return line
