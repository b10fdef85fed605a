"""What a request to a shared device needs, and which reply answers it: a look at each frame.

[bldc comm/commands.c, vesc_express main/commands.c]: most commands are answered in the order in which they
came. A few run in one slot of their own, one at a time, and a second one meanwhile is dropped without a word;
PING_CAN is one, and takes 2.5 to 5 s. Over CAN one request is under way at a time, for its reply bears no
sender. It may run beside a PING_CAN: devices answer both, and whoever polls a node would else lose it for as
long as anybody searches the bus.
"""

from dataclasses import dataclass

from packwire.vesc.commands import Command
from packwire.vesc.framing import encode_frame
from packwire.vesc.matching import Accepts, beyond_command, reply_command
from packwire.vesc.requests import forward_can, request, unwrap
from packwire.vesc.traits import Effect, Spontaneous, traits

#: Ways: a request to the device itself, one in its slot for slow commands, else the CAN id.
DIRECT = -1
SLOW = -2

#: What a request may need besides its reply's command (0..255), one at a time.
CAN_BUS = 256
SLOT = 257


def is_for_all(command: int) -> bool:
    """Tell whether a packet that answers nothing goes to all: it is unsolicited, or of no known command."""
    row = traits(command)
    return row.kind is Effect.UNKNOWN or row.spontaneous is not Spontaneous.NEVER


@dataclass(slots=True, eq=False)
class SharedQuestion:
    """One distinct request frame that may pass."""

    frame: bytes
    kind: Effect
    way: int
    command: int
    """That of its reply."""
    needs: tuple[int, ...]
    """What of the device it takes, each one at a time; without a reply it only waits for the slot."""
    answered: bool
    timeout: float | None
    """Seconds until its reply is late; None is the usual time."""
    ordered: bool
    """Its reply keeps its place among the replies on this way, so that another one proves it lost."""
    plain: bool
    """It is asked of the device itself, answered in order and nothing special: the usual poll."""
    reading: bool
    """What it reads changes all the time; see `packwire.vesc.traits`."""
    accepts: Accepts | None
    """The test of a reply's payload, None where the command is enough."""
    kept: bytes | None = None
    """The last reply's frame, where it is a reading."""
    kept_at: float = 0.0

    @property
    def can_id(self) -> int | None:
        """Return the CAN id that is asked; None is the device itself."""
        return self.way if self.way >= 0 else None


def question(frame: bytes, payload: bytes, kind: Effect) -> SharedQuestion:
    """Look at a request: `payload` of 1 byte or more, its `frame` around it, and its kind."""
    route = unwrap(payload)
    row = traits(route.command)
    command = reply_command(route.request) if kind is not Effect.UNKNOWN else None
    way = route.route[0] if route.route else SLOW if row.slot else DIRECT
    needs: tuple[int, ...] = ()
    if command is not None:
        needs = (command, CAN_BUS) if way >= 0 else (command,)
    if way == SLOW:
        needs += (SLOT,)
    ordered = kind is Effect.READ and not row.slot and len(route.route) < 2
    return SharedQuestion(
        frame,
        kind,
        way,
        route.command if command is None else command,
        needs,
        command is not None,
        row.takes,
        ordered=ordered,
        plain=ordered and way == DIRECT and route.command != Command.FILE_READ,
        reading=row.reading,
        accepts=beyond_command(route.request, route.node),
    )


def own_question(command: Command, way: int) -> SharedQuestion:
    """Return a request of the sharing's own, to the device or to a CAN node."""
    payload = request(command) if way < 0 else forward_can(way, request(command))
    return question(encode_frame(payload), payload, Effect.READ)
