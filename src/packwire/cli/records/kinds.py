"""All kinds of records by their `kind`, and which commands write each."""

from typing import Final, get_args, get_type_hints

from packwire.cli.records import (
    conversation,
    exploring,
    live,
    recordings,
    serving,
    understanding,
    verdicts,
    words,
)

_MODULES: Final = (words, live, exploring, verdicts, recordings, understanding, conversation, serving)


def kind_of(record: type) -> str:
    """Return the `kind` of a class of records."""
    kind: str = get_args(get_type_hints(record)["kind"])[0]
    return kind


#: Each kind of record that a line of output can be, with its class.
KINDS: Final[dict[str, type]] = {kind_of(each): each for module in _MODULES for each in module.RECORDS}
#: Which commands write each kind; `all` of those that have --json.
WRITTEN_BY: Final[dict[str, tuple[str, ...]]] = {
    kind_of(each): commands for module in _MODULES for each, commands in module.RECORDS.items()
}
