"""Where the fields of a reply begin: at a number, wherever that is known beforehand; else at a variable."""

from packwire.export.text import identifier
from packwire.wire.fields import Field

type Place = int | str

#: Where what has no place begins: behind every message.
NOWHERE = 1 << 20
#: The variable for where the next field begins.
NEXT = "next_at"


def moved(place: Place, by: int) -> str:
    """Return the place so many bytes behind another."""
    if isinstance(place, int):
        return str(place + by)
    return f"{place} + {by}" if by else place


class Places:
    """The places of the fields of one layout."""

    def __init__(self, fields: tuple[Field, ...]) -> None:
        self._fields = fields
        self._starts: list[Place] = []
        self._ends: list[int | None] = []
        index = {field.name: number for number, field in enumerate(fields)}
        for number, field in enumerate(fields):
            before = self._ends[number - 1] if number else 0
            anchor = None if field.after is None else self._ends[index[field.after]]
            self._starts.append(_start(field, before, anchor))
            self._ends.append(_end(field, self._starts[number]))
        self._moves = [False] * len(fields)
        for number in range(len(fields) - 2, -1, -1):
            following = fields[number + 1]
            follows = following.at is None and following.after is None
            self._moves[number] = follows or (bool(following.when) and self._moves[number + 1])
        self._anchors = {field.after for field in fields}

    def start(self, number: int) -> Place:
        """Return where a field begins."""
        return self._starts[number]

    def variables(self, number: int) -> list[str]:
        """Return the variables that a field sets to where it ends."""
        if self._ends[number] is not None:
            return []
        name = self._fields[number].name
        return [NEXT] * self._moves[number] + [f"end_{identifier(name)}"] * (name in self._anchors)

    def before(self, number: int) -> str:
        """Return what `NEXT` is before a field that may not be there: where the one before it ends."""
        end = self._ends[number - 1] if number else 0
        return str(end) if end is not None and NEXT in self.variables(number) else ""

    def declared(self) -> list[str]:
        """Return all variables of a layout."""
        found = [name for number in range(len(self._fields)) for name in self.variables(number)]
        return list(dict.fromkeys(found))


def _start(field: Field, before: int | None, anchor: int | None) -> Place:
    if field.at is not None:
        return field.at if field.at >= 0 else f"size - {-field.at}"
    if field.after is not None:
        return f"end_{identifier(field.after)}" if anchor is None else anchor
    return NEXT if before is None else before


def _end(field: Field, start: Place) -> int | None:
    """Return where a field ends; None where that depends on the message."""
    if not isinstance(start, int) or field.when or field.width is None:
        return None
    if field.count is None:
        return start + field.width
    return start + field.count * field.step if isinstance(field.count, int) and field.count >= 0 else None
