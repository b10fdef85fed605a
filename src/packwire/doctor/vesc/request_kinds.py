"""What a VESC request is called: `can 84 > BMS_GET_VALUES`."""

from packwire.doctor.compare.session import QueryKind
from packwire.vesc.commands import command_name
from packwire.vesc.requests import unwrap


def kind_of_request(payload: bytes) -> QueryKind:
    """Return the kind of a request; of a forwarded one the inner request's, with the way that it takes."""
    asked = unwrap(payload)
    return named_kind(asked.command, asked.route)


def named_kind(command: int, ids: tuple[int, ...]) -> QueryKind:
    """Return the kind of a command sent through these CAN ids."""
    way = "".join(f"can {number} > " for number in ids)
    return QueryKind(way + command_name(command), command, ids)
