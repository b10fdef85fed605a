"""What of a VESC may be asked: which words let each command pass (`--allow control`), and what never passes.

A request inside FORWARD_CAN counts as what it is. What a command can do is in `packwire.vesc.traits`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from packwire.vesc.commands import Command, command_name
from packwire.vesc.embedded import holds_frame
from packwire.vesc.framing import encode_frame
from packwire.vesc.requests import CAN_BROADCAST
from packwire.vesc.traits import TRAITS, Kind, traits

__all__ = [
    "ALLOWABLE", "COMMANDS_OF", "KIND_OF", "MAX_NESTING", "READ_ONLY", "Kind", "Policy",
    "kind_of", "parse_policy", "refusal",
]  # fmt: skip


#: The words for `--allow`.
ALLOWABLE = (
    Kind.CONTROL,
    Kind.CONFIG,
    Kind.FIRMWARE,
    Kind.TERMINAL,
    Kind.LISP,
    Kind.CAN,
    Kind.CUSTOM,
    Kind.UNKNOWN,
)

KIND_OF: Mapping[int, Kind] = {number: row.kind for number, row in TRAITS.items()}
COMMANDS_OF: Mapping[Kind, tuple[Command, ...]] = {
    kind: tuple(Command(number) for number, of in KIND_OF.items() if of is kind)
    for kind in Kind
    if kind not in {Kind.UNKNOWN, Kind.NEVER}
}

#: A device hands a request on to the next bus at most so often; real ones have one bus.
MAX_NESTING = 3


def kind_of(payload: bytes) -> Kind:
    """Return the kind of a request, that of the innermost one where it is forwarded over CAN.

    NEVER for FORWARD_CAN without a request in it (it wedges the device), nested more than `MAX_NESTING` deep,
    for reading from all nodes at once (their replies collide), for arguments that are not of their command's
    shape, and for a request in which a frame stands: after a damaged byte the device would run that.
    """
    at = _inner_at(payload)
    if at is None:
        return Kind.NEVER
    row = traits(payload[at])
    if row.kind is Kind.READ and CAN_BROADCAST in payload[1:at:2]:
        return Kind.NEVER
    if not row.arguments.fit(payload[at + 1 :]) or _holds_frame(payload, at):
        return Kind.NEVER
    return row.kind


def _inner_at(payload: bytes) -> int | None:
    """Return where the innermost request begins; None where there is none, or it is nested too deep."""
    at = 0
    while payload[at] == Command.FORWARD_CAN:
        if len(payload) < at + 3 or at == 2 * MAX_NESTING:
            return None
        at += 2
    return at


def _holds_frame(payload: bytes, inner_at: int) -> bool:
    return holds_frame(encode_frame(payload), data=traits(payload[inner_at]).arguments.are_data)


@dataclass(frozen=True, slots=True)
class Policy:
    """What may pass: reading and MOTOR_ESTOP always, of the rest the kinds in `allowed`."""

    allowed: frozenset[Kind] = frozenset()

    def permits(self, kind: Kind) -> bool:
        """Tell whether a request of this kind may pass."""
        return kind is Kind.READ or kind is Kind.STOP or (kind in self.allowed and kind in ALLOWABLE)


READ_ONLY = Policy()


def parse_policy(words: str | Iterable[str]) -> Policy:
    """Read `control,config`, or such texts; raises ValueError that names the words there are."""
    texts = [words] if isinstance(words, str) else words
    wanted = [word.strip().lower() for text in texts for word in text.split(",") if word.strip()]
    for word in wanted:
        if word not in ALLOWABLE:
            raise ValueError(f"{word!r} allows nothing: the words are {', '.join(ALLOWABLE)}")
    return Policy(frozenset(Kind(word) for word in wanted))


def refusal(payload: bytes, kind: Kind) -> str:
    """Say in one line why a request does not pass and which flag would let it; no content is in it."""
    name, inner = command_name(payload[0]), payload
    while inner[0] == Command.FORWARD_CAN and len(inner) > 2:
        inner = inner[2:]
        name = f"{name} > {command_name(inner[0])}"
    if kind is Kind.NEVER:
        return f"{name} refused: {_why_never(payload)}"
    return f"{name} refused: not a reading command; --allow {kind} lets it pass"


def _why_never(payload: bytes) -> str:
    at = _inner_at(payload)
    if at is None:
        wedges = payload[-2:-1] == bytes((Command.FORWARD_CAN,)) or payload[-1] == Command.FORWARD_CAN
        return (
            "FORWARD_CAN without a request in it wedges a device"
            if wedges
            else f"it is forwarded more than {MAX_NESTING} times"
        )
    if not traits(payload[at]).arguments.fit(payload[at + 1 :]):
        return (
            "it is cut short or too long, or a length, an offset or a name in it is none: a device may not "
            "survive it"
        )
    if CAN_BROADCAST in payload[1:at:2] and traits(payload[at]).kind is Kind.READ:
        return "it reads from all nodes at once, whose replies collide"
    return "its bytes hold another frame, which a device would run after a damaged byte on the line"
