"""A VESC as what is played for a client under suspicion."""

from packwire.doctor.client_test.played import Played
from packwire.doctor.client_test.trials import AGES, CONTROL_SIZES, LENGTHS
from packwire.doctor.client_test.verdict import FRAMING
from packwire.doctor.vesc.client_test.dialects import DIALECTS, pieces
from packwire.doctor.vesc.client_test.lengths import judge_lengths
from packwire.doctor.vesc.client_test.login import FirstLine
from packwire.doctor.vesc.client_test.replies import answerable, command_of
from packwire.doctor.vesc.client_test.telltale import ask_user
from packwire.doctor.vesc.misreadings import RULES
from packwire.vesc.commands import Command, command_name
from packwire.vesc.framing import Framer
from packwire.vesc.requests import RouteProblem, unwrap
from packwire.vesc.traits import Effect, traits


def _forwarded(request: bytes) -> str:
    """Say what else may be where a request went over CAN."""
    if request[0] != Command.FORWARD_CAN:
        return ""
    begin = command_of(request)
    return f"; or it waits for a reply that begins with 34 (FORWARD_CAN): it begins with {begin}"


def _lacks(request: bytes) -> bool:
    asked = unwrap(request).request
    return len(asked) - 1 < traits(asked[0]).arguments.least


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
    pieces=pieces,
    control_sizes=lambda command: (
        CONTROL_SIZES if command == Command.BMS_GET_VALUES else (None, 44, 130, 300)
    ),
    is_misled=lambda request: unwrap(request).problem is RouteProblem.BROADCAST,
    lengths=LENGTHS,
    ages=lambda command: AGES if command == Command.BMS_GET_VALUES else (),
    dialects={rule.key: rule.rule for rule in RULES if rule.key in DIALECTS},
    login=FirstLine,
    certain=True,
    outer=lambda request: request[0],
    lacks=_lacks,
    beside=_forwarded,
    judge_lengths=judge_lengths,
    ask_user=ask_user,
)
