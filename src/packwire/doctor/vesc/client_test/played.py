"""What is played for a client: a device, with the trials that its protocol offers."""

from collections.abc import Callable
from dataclasses import dataclass, field

from packwire.doctor.vesc.client_test.replies import answerable, command_of, reply_to
from packwire.doctor.vesc.client_test.trials import (
    AGES,
    BAD,
    COMPANY,
    CONTROL_SIZES,
    DELIVERIES,
    LENGTHS,
    SentPiece,
    Trial,
    pieces,
)
from packwire.doctor.vesc.client_test.verdict import FRAMING
from packwire.vesc.commands import Command, command_name
from packwire.vesc.framing import Framer, encode_frame
from packwire.vesc.requests import RouteProblem, unwrap
from packwire.vesc.traits import Effect, traits
from packwire.wire.frame import StreamFramer


@dataclass(frozen=True, slots=True)
class Played:
    """A device that is played.

    suspects     the requests that a client is examined by, the most telling first
    example      a request, in words and hexadecimal
    framing      how its frames are made, for the remedy of who makes them wrongly
    command_of   what a request is about, as a number; `name` says it, `reads` whether it only reads
    usual        the reply to a request where nothing is tried; None: nobody answers it
    pieces       what a trial sends in answer to a request, and the size of the reply
    lengths      the sizes of replies that are tried, where they can be chosen
    dialects     whether there are frames as a wrong client expects them
    is_misled    whether a request goes to all nodes at once
    logs_in      whether a hub's login line may come first
    """

    title: str
    suspects: tuple[int, ...]
    example: str
    framing: str
    framer: Callable[[], StreamFramer]
    command_of: Callable[[bytes], int]
    name: Callable[[int], str]
    reads: Callable[[int], bool]
    answerable: Callable[[bytes], bool]
    usual: Callable[[bytes], bytes | None]
    pieces: Callable[[Trial, bytes], tuple[list[SentPiece], int]]
    control_sizes: Callable[[int], tuple[int | None, ...]]
    is_misled: Callable[[bytes], bool] = lambda _: False
    lengths: tuple[int, ...] = ()
    ages: Callable[[int], tuple[int, ...]] = lambda _: ()
    deliveries: tuple[Trial, ...] = DELIVERIES
    company: tuple[Trial, ...] = COMPANY
    bad: tuple[Trial, ...] = BAD
    dialects: bool = False
    logs_in: bool = False
    families: tuple[str, ...] = field(default=())
    """Its framings' family, where another one's requests can be told from its own."""


def _usual(request: bytes) -> bytes | None:
    reply = reply_to(request)
    return None if reply is None else encode_frame(reply)


VESC = Played(
    title="VESC",
    suspects=(
        Command.BMS_GET_VALUES,
        Command.GET_VALUES,
        Command.GET_VALUES_SETUP,
        Command.GET_VALUES_SELECTIVE,
        Command.GET_VALUES_SETUP_SELECTIVE,
        Command.GET_STATS,
        Command.FW_VERSION,
    ),
    example="BMS_GET_VALUES: 02 01 60 6c a6 03",
    framing=FRAMING,
    framer=Framer,
    command_of=command_of,
    name=command_name,
    reads=lambda number: traits(number).kind is Effect.READ,
    answerable=answerable,
    usual=_usual,
    pieces=pieces,
    control_sizes=lambda command: (
        CONTROL_SIZES if command == Command.BMS_GET_VALUES else (None, 44, 130, 300)
    ),
    is_misled=lambda request: unwrap(request).problem is RouteProblem.BROADCAST,
    lengths=LENGTHS,
    ages=lambda command: AGES if command == Command.BMS_GET_VALUES else (),
    dialects=True,
    logs_in=True,
)
