"""What of a VESC may be asked: which words let each command pass (`--allow control`), and what never passes.

A request inside FORWARD_CAN counts as what it is. What a command can do is in `packwire.vesc.traits`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from packwire.share.embedded import holds_frame
from packwire.vesc.commands import Command, command_name
from packwire.vesc.framing import encode_frame
from packwire.vesc.requests import MAX_NESTING, RouteProblem, Unwrapped, unwrap
from packwire.vesc.traits import TRAITS, Effect, traits

__all__ = [
    "ALLOWABLE", "COMMANDS_OF", "KIND_OF", "MAX_NESTING", "READ_ONLY", "Effect", "Policy",
    "kind_of", "parse_policy", "refusal",
]  # fmt: skip


#: The words for `--allow`.
ALLOWABLE = (
    Effect.CONTROL,
    Effect.CONFIG,
    Effect.FIRMWARE,
    Effect.TERMINAL,
    Effect.LISP,
    Effect.CAN,
    Effect.CUSTOM,
    Effect.UNKNOWN,
)

KIND_OF: Mapping[int, Effect] = {number: row.kind for number, row in TRAITS.items()}
COMMANDS_OF: Mapping[Effect, tuple[Command, ...]] = {
    kind: tuple(Command(number) for number, of in KIND_OF.items() if of is kind)
    for kind in Effect
    if kind not in {Effect.UNKNOWN, Effect.NEVER}
}


def kind_of(payload: bytes) -> Effect:
    """Return the kind of a request, that of the innermost one where it is forwarded over CAN.

    NEVER for FORWARD_CAN without a request in it (it wedges the device), nested more than `MAX_NESTING` deep,
    for reading from all nodes at once (their replies collide), for arguments that are not of their command's
    shape, and for a request in which a frame stands: after a damaged byte the device would run that.
    """
    route = unwrap(payload)
    row = traits(route.command)
    if _is_wrong(route, row.kind) or not row.arguments.fit(route.request[1:]):
        return Effect.NEVER
    return Effect.NEVER if holds_frame(encode_frame(payload), data=row.arguments.are_data) else row.kind


def _is_wrong(route: Unwrapped, kind: Effect) -> bool:
    """Tell whether the way of a request is one that must not be; what acts may go to all nodes at once."""
    problem = route.problem
    return problem is not None and (problem is not RouteProblem.BROADCAST or kind is Effect.READ)


@dataclass(frozen=True, slots=True)
class Policy:
    """What may pass: reading and MOTOR_ESTOP always, of the rest the kinds in `allowed`."""

    allowed: frozenset[Effect] = frozenset()

    def permits(self, kind: Effect) -> bool:
        """Tell whether a request of this kind may pass."""
        return kind is Effect.READ or kind is Effect.STOP or (kind in self.allowed and kind in ALLOWABLE)


READ_ONLY = Policy()


def parse_policy(words: str | Iterable[str]) -> Policy:
    """Read `control,config`, or such texts; raises ValueError that names the words there are."""
    texts = [words] if isinstance(words, str) else words
    wanted = [word.strip().lower() for text in texts for word in text.split(",") if word.strip()]
    for word in wanted:
        if word not in ALLOWABLE:
            raise ValueError(f"{word!r} allows nothing: the words are {', '.join(ALLOWABLE)}")
    return Policy(frozenset(Effect(word) for word in wanted))


def refusal(payload: bytes, kind: Effect) -> str:
    """Say in one line why a request does not pass and which flag would let it; no content is in it."""
    route = unwrap(payload)
    forwarded = [Command.FORWARD_CAN] * len(route.route)
    name = " > ".join(map(command_name, [*forwarded, *route.request[:1]] or [route.command]))
    if kind is Effect.NEVER:
        return f"{name} refused: {_why_never(route)}"
    return f"{name} refused: not a reading command; --allow {kind} lets it pass"


def _why_never(route: Unwrapped) -> str:
    row = traits(route.command)
    match route.problem:
        case RouteProblem.EMPTY:
            return "FORWARD_CAN without a request in it wedges a device"
        case RouteProblem.TOO_DEEP:
            return f"it is forwarded more than {MAX_NESTING} times"
        case _ if not row.arguments.fit(route.request[1:]):
            return (
                "it is cut short or too long, or a length, an offset or a name in it is none: a device may "
                "not survive it"
            )
        case RouteProblem.BROADCAST if row.kind is Effect.READ:
            return "it reads from all nodes at once, whose replies collide"
    return "its bytes hold another frame, which a device would run after a damaged byte on the line"
