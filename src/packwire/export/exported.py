"""What an export gives, and the words at its beginning."""

from dataclasses import dataclass
from typing import Literal

from packwire.export.text import plain
from packwire.models.protocol import ModelProtocol

type Over = Literal["ble", "serial", "can"]
"""The link that an export is for."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A model in another form; `left_out` says, a line each, what that form cannot express.

    `test` is the text of its test, where it has one.
    """

    text: str
    left_out: tuple[str, ...] = ()
    test: str = ""


def heading(model: ModelProtocol, what: str, left_out: tuple[str, ...]) -> list[str]:
    """Return the lines that stand at the beginning, without the mark of a comment."""
    about = plain(model.content.get("about", ""))
    sources = [plain(each) for each in model.content.get("sources", ())]
    lines = [
        f"{plain(model.title)}: {what}",
        *([about] if about else []),
        f"Made by packwire from its model {plain(model.name)}. What is made is yours, under any terms.",
        *(f"Source of the facts: {each}" for each in sources),
    ]
    if left_out:
        lines.append("Not expressed here:")
        lines += [f"- {plain(each)}" for each in left_out]
    return lines
