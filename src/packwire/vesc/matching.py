"""Which reply answers which request: by the command, and by what else a reply carries.

Replies bear no address. Some do carry their sender's controller id, their request's mask, or a UUID; where
one does, a reply from another node or to another request is not taken for the answer.
"""

from collections.abc import Callable, Collection

from packwire.vesc.commands import Command
from packwire.vesc.replies import LAYOUTS

type Accepts = Callable[[bytes], bool]

_WITH_CONTROLLER_ID = frozenset(
    {
        Command.GET_VALUES,
        Command.GET_VALUES_SETUP,
        Command.GET_VALUES_SELECTIVE,
        Command.GET_VALUES_SETUP_SELECTIVE,
    }
)
_WITH_MASK = frozenset({Command.GET_VALUES_SELECTIVE, Command.GET_VALUES_SETUP_SELECTIVE, Command.GET_STATS})


def acceptance(
    request: bytes,
    sender: int | None,
    uuid: str | None = None,
    other_uuids: Collection[str | None] = (),
) -> Accepts:
    """Return the test that a reply to this request passes; it looks at the command too.

    `sender` is the controller id of the node that was asked and `uuid` its UUID, where they are known;
    `other_uuids` are those of other nodes. An echo of the request is no reply.
    """
    command = request[0]
    if command == Command.FW_VERSION:
        return lambda reply: (
            reply[0] == command
            and len(reply) > 1
            and (uuid is None or _field(reply, "uuid") in {uuid, None})
            and (_field(reply, "uuid") is None or _field(reply, "uuid") not in other_uuids)
        )
    mask = int.from_bytes(request[1:]) if command in _WITH_MASK else None
    sender = sender if command in _WITH_CONTROLLER_ID else None
    if mask is None and sender is None:
        return lambda reply: reply[0] == command
    return lambda reply: (
        reply[0] == command
        and (mask is None or _field(reply, "mask") == mask)
        and (sender is None or _field(reply, "controller_id") in (sender, None))
    )


def _field(reply: bytes, name: str) -> object:
    return getattr(LAYOUTS[reply[0]].decode(reply).reply, name)
