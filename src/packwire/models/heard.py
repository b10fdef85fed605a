"""What a device has said so far: replies put together to the values of its quantities."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from packwire.models.computed import Computed
from packwire.models.replies import Reply, Saying, Statement, joined, said_by
from packwire.quantity import QUANTITIES, Value

NOTHING_SAID = Statement({}, ())
#: So many frames of one numbered reply are kept.
_MAX_PARTS = 64


class Taken(NamedTuple):
    """What became of a frame.

    `reply` is which it is (None: the model knows none), `missing` what it was too short for, `model` the one
    that devices are read with which say this, where it is another.
    """

    reply: Reply | None
    missing: tuple[str, ...] = ()
    model: str = ""
    said: Statement = NOTHING_SAID

    @property
    def values(self) -> dict[str, Value]:
        """Return what this frame says by itself, by quantity key."""
        return self.said.values


class Language(Protocol):
    """What is to be known of a model to understand its replies: see `ModelProtocol`."""

    asked_for: Mapping[str, tuple[str, ...]]
    """The fields, by reply, whose numbers other replies ask for."""
    order_of_replies: Mapping[str, int]
    computed: tuple[Computed, ...]

    def reply_of(self, frame: bytes) -> Reply | None:
        """Return which reply a frame is; None where the model knows none that begins so."""

    def data(self, frame: bytes) -> bytes:
        """Return a frame without its checksum and end."""


class Heard:
    """The latest of each reply of one device (or of one pack in it)."""

    def __init__(self, protocol: Language, known: Mapping[str, float] | None = None) -> None:
        self._protocol = protocol
        self.known: dict[str, float] = dict(known or {})
        """Raw numbers that other replies ask for, by `reply.field`."""
        self._said: dict[tuple[str, int], Statement] = {}
        self._order: list[tuple[str, int]] = []

    def take(self, frame: bytes) -> Taken:
        """Take a frame; only what it says of its own reply changes."""
        protocol = self._protocol
        reply = protocol.reply_of(frame)
        if reply is None or reply.refuses:
            return Taken(reply)
        data = protocol.data(frame)
        layout = reply.layout(data, self.known)
        if layout is None or layout.model:
            return Taken(reply, (), layout.model if layout else "")
        decoded = layout.codec.decode(data, known=self.known)
        for name in protocol.asked_for.get(reply.name, ()):
            value = decoded.values.get(name)
            if value is not None:
                self.known[f"{reply.name}.{name}"] = layout.codec.by_name[name].raw(value)
        part = int(decoded.values.get(reply.part, 0)) if reply.part else 0
        said = said_by(layout, decoded)
        if len(self._said) < _MAX_PARTS or (reply.name, part) in self._said:
            self._said[reply.name, part] = said
        return Taken(reply, layout.missing(decoded), "", said)

    def forget(self, reply: str) -> None:
        """Say no more what a reply said."""
        for key in [key for key in self._said if key[0] == reply]:
            del self._said[key]

    def has(self, reply: str) -> bool:
        """Tell whether a reply was heard."""
        return any(name == reply for name, _ in self._said)

    def values(self) -> dict[str, Value]:
        """Return all that was said, by quantity key."""
        values: dict[str, Value] = {}
        shared: list[tuple[Saying, Value]] = []
        for key in self._in_order():
            said = self._said[key]
            values.update(said.single)
            shared += said.shared
        if shared:
            values.update(joined(shared))
        if len(self._said) > 1:
            _cut_cells(values)
        for each in self._protocol.computed:
            value = None if each.key in values else each.of(values)
            if value is not None:
                values[each.key] = value
        return values

    def _in_order(self) -> Iterable[tuple[str, int]]:
        """Return the keys of what was said, as the model lists its replies."""
        if len(self._order) != len(self._said):
            order = self._protocol.order_of_replies
            self._order = sorted(self._said, key=lambda key: (order[key[0]], key[1]))
        return self._order


def _cut_cells(values: dict[str, Value]) -> None:
    """Leave out cells that are not there: replies of equal length may hold places for them."""
    cells = values.get("cell_count")
    if not isinstance(cells, int) or cells <= 0:
        return
    for key in _PER_CELL:
        value = values.get(key)
        if isinstance(value, tuple) and len(value) > cells:
            values[key] = value[:cells]


_PER_CELL = [key for key, quantity in QUANTITIES.items() if quantity.per_cell]
