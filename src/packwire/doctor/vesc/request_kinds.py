"""What a VESC request is called: `can 84 > BMS_GET_VALUES`."""

from collections.abc import Iterable, Iterator

from packwire.capture.packets import NO_TIME
from packwire.doctor.compare.bad_frames import BadFrame
from packwire.doctor.compare.session import Query, QueryKind
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


def bad_requests(bad: Iterable[BadFrame]) -> Iterator[Query]:
    """Yield the bad frames that are requests as exchanges without a reply."""
    for number, each in enumerate(bad, 1):
        if each.command >= 0 or each.name:
            kind = named_kind(each.command, each.ids) if each.command >= 0 else QueryKind(each.name)
            yield Query(kind, each.time, -number, -1, NO_TIME, NO_TIME, expects=True)
