"""A model's own examples: frames, and what they must say."""

from collections.abc import Iterator, Mapping
from math import isclose
from typing import Any

from packwire.models.heard import Heard
from packwire.models.problem import at
from packwire.models.protocol import ModelProtocol
from packwire.models.requests import template_of
from packwire.quantity import QUANTITIES


def problems(protocol: ModelProtocol) -> Iterator[str]:
    """Run the examples of a model; yield what is not as they say. Raises ModelError for no frame."""
    for index, example in enumerate(protocol.content.get("examples", ())):
        with at("examples", index):
            yield from (f"example {index + 1}: {words}" for words in _problems(protocol, example))


def _problems(protocol: ModelProtocol, example: Mapping[str, Any]) -> Iterator[str]:
    heard = Heard(protocol)
    for number, text in enumerate(example["frames"]):
        with at("frames", number):
            frame = template_of(text, protocol.framings, {}).frame({})
        reply, missing, _, _ = heard.take(frame)
        if reply is None:
            yield f"frame {number + 1} is no reply that the model knows: {frame[:8].hex(' ')}"
        if missing:
            yield f"frame {number + 1} ends before {missing[0]}"
    values = heard.values()
    for key, expected in example["values"].items():
        if key not in QUANTITIES:
            yield f"there is no quantity {key!r}; see docs/reference/quantities.md"
        elif key not in values:
            yield f"{key} is {expected}, and the model says nothing of it"
        elif not _same(expected, values[key]):
            yield f"{key} is {expected}, and the model says {values[key]}"


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, bool) or isinstance(other, bool) or isinstance(one, str):
        return type(one) is type(other) and bool(one == other)
    return not isinstance(other, str) and isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
