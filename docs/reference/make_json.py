"""Write json.md: every record that `--json` writes, field by field, from packwire.cli.records."""

import types
from collections.abc import Iterator
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    TypeAliasType,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from packwire.cli.records.kinds import KINDS, WRITTEN_BY
from packwire.cli.records.words import Time
from packwire.visible import RECORD_VERSION

PAGE = Path(__file__).with_name("json.md")
HEAD = f"""# JSON

What `--json` writes, in all commands: one object a line, each with a `kind` that says what it is, \
and the `version` of all of them, which is {RECORD_VERSION}. A later version may add kinds and \
fields under the same number; it gets another number where a field goes or means something else. \
This page is made by `docs/reference/make_json.py` from the classes by which the program itself is \
typed; a test runs every command and holds what it writes against them.

- `time` is {get_args(Time.__value__)[1]}. `at` is seconds since the first packet of a recording, \
`seconds` how long something took; what ends in `_ms` is in milliseconds, all else in seconds.
- `direction` is `to device` (towards the battery), `from device` or `unknown`.
- null: not known. A field that says *if any* is not there where it makes no sense.
- Values are by [quantity](quantities.md) key; what is not known is not there, and never 0 instead.
- Characters that are not seen (control characters, those that turn the direction of text or have no \
width) are escaped: names come from devices and strangers, and might reprogram a terminal.

What went wrong altogether is the last record, [`error`](#error), beside one line on standard error and \
the [exit code](exit-codes.md).

| kind | what it is | written by |
| --- | --- | --- |
"""


def page() -> str:
    """Return the page."""
    rows = [f"| [`{kind}`](#{kind}) | {_summary(each)} | {_by(kind)} |\n" for kind, each in KINDS.items()]
    parts = [HEAD, *rows]
    inner: dict[str, type] = {}
    for kind, each in KINDS.items():
        parts.append(f"\n## {kind}\n\n{_prose(each)}\n\n{_table(each, inner)}")
    parts.append("\n# Objects inside of these\n")
    done: set[str] = set()
    while waiting := {name: each for name, each in inner.items() if name not in done}:
        for name, each in waiting.items():
            done.add(name)
            parts.append(f"\n## {name}\n\n{_prose(each)}\n\n{_table(each, inner)}")
    return "".join(parts)


def _by(kind: str) -> str:
    return ", ".join(name if name == "all" else f"`{name}`" for name in WRITTEN_BY[kind])


def _summary(record: type) -> str:
    return _prose(record).partition(". ")[0].rstrip(".")


def _prose(record: type) -> str:
    return " ".join((record.__doc__ or "").split())


def _table(record: type, inner: dict[str, type]) -> str:
    lines = ["| field | | |\n| --- | --- | --- |\n"]
    for name, hint in get_type_hints(record, include_extras=True).items():
        if name == "kind":
            continue
        required = get_origin(hint) is not NotRequired
        bare = hint if required else get_args(hint)[0]
        words = "; ".join(_words(bare))
        shown = _type(bare, inner) + ("" if required else ", *if any*")
        lines.append(f"| `{name}` | {shown} | {words.replace('|', '&#124;')} |\n")
    return "".join(lines)


def _words(hint: Any) -> Iterator[str]:
    if get_origin(hint) is Annotated:
        yield from (word for word in hint.__metadata__ if isinstance(word, str))


def _type(hint: Any, inner: dict[str, type]) -> str:
    """Say a type in words; `inner` takes the objects that are met."""
    if isinstance(hint, TypeAliasType):
        return "time" if hint.__name__ == "Time" else _type(hint.__value__, inner)
    if is_typeddict(hint):
        if hint in KINDS.values():
            kind = next(kind for kind, each in KINDS.items() if each is hint)
            return f"[`{kind}`](#{kind})"
        inner[hint.__name__] = hint
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _type(arguments[0], inner)
    if origin is Literal:
        return ", ".join(f"`{each}`" for each in arguments)
    if origin is list:
        return f"list of {_type(arguments[0], inner)}"
    if origin is dict:
        return "object" if arguments[1] is Any else f"object of {_type(arguments[1], inner)}"
    if origin is types.UnionType:
        return " or ".join("null" if each is type(None) else _type(each, inner) for each in arguments)
    return {str: "text", int: "whole number", float: "number", bool: "true or false"}.get(hint, "anything")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
