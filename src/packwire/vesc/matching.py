"""Which reply answers which request: by the command, and by what else a reply carries.

Replies bear no address. Some do carry their sender's controller id, their request's mask, or a UUID (their
layouts tell); others repeat the index or the offset that was asked for (the shape of the arguments tells). A
reply from another node, or to another request, is not taken for the answer.
"""

from collections.abc import Callable, Collection
from typing import Any

from packwire.vesc.arguments import Rest
from packwire.vesc.replies import LAYOUTS
from packwire.vesc.traits import Effect, Spontaneous, traits

type Accepts = Callable[[bytes], bool]

_NO_OFFSET = bytes(4)


def acceptance(
    request: bytes, sender: int | None, uuid: str | None = None, other_uuids: Collection[str | None] = ()
) -> Accepts:
    """Return the test that a reply to this request passes; it looks at the command too.

    `sender` is the controller id of the node that was asked and `uuid` its UUID, where they are known;
    `other_uuids` are those of other nodes. An echo of the request is no reply.
    """
    command = traits(request[0]).answered_as or request[0]
    more = beyond_command(request, sender, uuid, other_uuids)
    if more is None:
        return lambda reply: reply[0] == command
    return lambda reply: reply[0] == command and more(reply)


def reply_command(request: bytes) -> int | None:
    """Return the command of the reply to a request, which is not a forwarded one; None: there is no reply.

    Of a command that nobody knows a reply is assumed.
    """
    row = traits(request[0])
    if row.kind is Effect.UNKNOWN:
        return request[0]
    if row.spontaneous is Spontaneous.ALWAYS or not row.is_answered:
        return None
    if row.asked_at is not None and not any(request[row.asked_at : row.asked_at + 1]):
        return None
    return row.answered_as or request[0]


def beyond_command(
    request: bytes, sender: int | None, uuid: str | None = None, other_uuids: Collection[str | None] = ()
) -> Accepts | None:
    """Return what a reply with the right command has to pass besides; None where the command is enough."""
    layout = LAYOUTS.get(request[0])
    if layout is None:
        return _repeats(request)
    if "uuid" in layout.bits:
        return lambda reply: len(reply) > 1 and _is_of(_decoded(reply).uuid, uuid, other_uuids)
    mask = int.from_bytes(request[1:]) if layout.mask is not None else None
    sender = sender if "controller_id" in layout.bits else None
    if mask is None and sender is None:
        return None

    def carried(reply: bytes) -> bool:
        said = _decoded(reply)
        return (mask is None or said.mask == mask) and (
            sender is None or said.controller_id is None or said.controller_id == sender
        )

    return carried


def _is_of(said: str | None, uuid: str | None, others: Collection[str | None]) -> bool:
    """Tell whether a reply with this UUID, or without any, may be from the node that was asked."""
    return said is None or (uuid in {None, said} and said not in others)


def _repeats(request: bytes) -> Accepts | None:
    """Return the test of a reply that repeats the index or the offset that was asked for."""
    row = traits(request[0])
    shape = row.arguments
    index = request[1:2] if row.indexed else b""
    if shape.rest is Rest.PIECE and len(request) >= shape.before + 9:
        at = shape.before + 5
        # A device without any code answers with an offset of 0, whatever was asked.
        offsets = {request[at : at + 4], _NO_OFFSET}
        return lambda reply: reply[at : at + 4] in offsets and reply[1 : 1 + len(index)] == index
    if index:
        return lambda reply: reply[1:2] == index
    if row.kind is Effect.READ and shape.rest is Rest.OFFSET and (end := request.find(0, 1)) > 0:
        offset = request[end + 1 : end + 5]
        return (lambda reply: reply[1:5] == offset) if len(offset) == len(_NO_OFFSET) else None
    return None


def _decoded(reply: bytes) -> Any:
    return LAYOUTS[reply[0]].decode(reply).reply
