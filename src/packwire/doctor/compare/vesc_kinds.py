"""What a VESC request is called: `can 84 > BMS_GET_VALUES`."""

from packwire.capture.layers.conversation import route
from packwire.doctor.compare.session import QueryKind
from packwire.vesc.commands import Command, command_name


def kind_of_request(payload: bytes) -> QueryKind:
    """Return the kind of a request; of a forwarded one the inner request's, with the way that it takes."""
    ids, request = route(payload)
    return named_kind(request[0] if request else int(Command.FORWARD_CAN), ids)


def named_kind(command: int, ids: tuple[int, ...]) -> QueryKind:
    """Return the kind of a command sent through these CAN ids."""
    way = "".join(f"can {number} > " for number in ids)
    return QueryKind(way + command_name(command), command, ids)
