"""What only reads passes; everything else needs the word of its kind, inside FORWARD_CAN too."""

import pytest

from packwire.share.permissions import (
    ALLOWABLE,
    COMMANDS_OF,
    KIND_OF,
    MAX_NESTING,
    READ_ONLY,
    Effect,
    Policy,
    kind_of,
    parse_policy,
    refusal,
)
from packwire.vesc.arguments import ANY_LENGTH
from packwire.vesc.commands import Command
from packwire.vesc.traits import TRAITS
from tests.vesc.shapes import shortest_request

#: Words in the names of commands that change something.
CHANGING: tuple[str, ...] = (
    "SET",
    "WRITE",
    "ERASE",
    "JUMP",
    "DETECT",
    "REBOOT",
    "RESET",
    "REMOVE",
    "MKDIR",
    "SWITCH",
    "FILL",
)
CHANGING += (
    "FORCE",
    "SHUTDOWN",
    "UPDATE",
    "CALIBRATION",
    "TERMINAL",
    "REPL",
    "STREAM",
    "CUSTOM_APP",
    "ALIVE",
)
CHANGING += ("PAIRING", "DISABLE", "BM_", "EXT_NRF", "HALT", "FWD_FRAME", "ESTOP", "BLNC", "GPD")


def forwarded(inner: bytes, *nodes: int) -> bytes:
    for node in nodes:
        inner = bytes((Command.FORWARD_CAN, node)) + inner
    return inner


def test_every_command_has_exactly_one_kind():
    listed = [command for commands in COMMANDS_OF.values() for command in commands]
    assert sorted(listed) == sorted(Command)
    assert len(set(listed)) == len(listed)


def test_every_kind_that_needs_a_word_has_one():
    assert set(ALLOWABLE) == set(Effect) - {Effect.READ, Effect.STOP, Effect.NEVER}


@pytest.mark.parametrize("command", [each for each in Command if any(word in each.name for word in CHANGING)])
def test_nothing_that_could_move_or_write_is_of_the_reading_kind(command):
    for_the_whole_vehicle = {Command.GET_VALUES_SETUP, Command.GET_VALUES_SETUP_SELECTIVE}
    assert KIND_OF[command] is not Effect.READ or command in for_the_whole_vehicle


def test_what_reads_is_named_for_it():
    for command in COMMANDS_OF[Effect.READ]:
        assert any(word in command.name for word in ("GET", "READ", "LIST", "VERSION", "INFO", "PING")), (
            command
        )


@pytest.mark.parametrize("command", COMMANDS_OF[Effect.READ])
def test_reading_passes_also_forwarded(command):
    payload = shortest_request(command)
    assert READ_ONLY.permits(kind_of(payload))
    assert READ_ONLY.permits(kind_of(forwarded(payload, 84)))
    assert READ_ONLY.permits(kind_of(forwarded(payload, *range(MAX_NESTING))))


@pytest.mark.parametrize(
    "number", sorted(set(range(256)) - set(COMMANDS_OF[Effect.READ]) - {Command.MOTOR_ESTOP})
)
def test_all_else_is_refused_direct_forwarded_and_nested(number):
    payload = bytes((number, 1, 0))
    for request in (payload, forwarded(payload, 84), forwarded(payload, 84, 10), forwarded(payload, 255)):
        # FORWARD_CAN of [1, 0] is one of FW_VERSION, nested once more.
        if number != Command.FORWARD_CAN:
            assert not READ_ONLY.permits(kind_of(request))


def test_an_emergency_stop_always_passes():
    for request in (b"\x9f\0\x64", forwarded(b"\x9f\0\x64", 84), forwarded(b"\x9f", 255)):
        assert READ_ONLY.permits(kind_of(request))


LENGTH_AND_OFFSET = (Command.LISP_READ_CODE, Command.GET_QML_UI_HW, Command.GET_QML_UI_APP)
#: A length or an offset of -1, one whose sum with the other is no signed number, one that is missing.
BAD_PIECES = [
    b"",
    (400).to_bytes(4),
    (400).to_bytes(4) + bytes(3),
    b"\xff\xff\xff\xff" + bytes(4),
    (501).to_bytes(4) + bytes(4),
    (400).to_bytes(4) + b"\xff\xff\xff\xff",
    (400).to_bytes(4) + b"\x80\0\0\0",
    (400).to_bytes(4) + b"\x7f\xff\xff\xff",
]
NOT_SURVIVED = [
    *(bytes((command,)) + piece for command in LENGTH_AND_OFFSET for piece in BAD_PIECES),
    *(bytes((Command.GET_CUSTOM_CONFIG_XML, 0)) + piece for piece in BAD_PIECES),
    bytes((Command.GET_CUSTOM_CONFIG_XML,)),
    bytes((Command.FILE_LIST,)),
    bytes((Command.FILE_LIST,)) + b"path without the second text\0",
    bytes((Command.FILE_LIST,)) + b"path\0name without its end",
    bytes((Command.FILE_READ,)) + b"no end",
    bytes((Command.FILE_READ,)) + b"no offset\0\0\0\0",
    bytes((Command.FILE_READ,)) + b"below the beginning\0\xff\xff\xff\xff",
    bytes((Command.FILE_WRITE,)) + b"no size\0" + bytes(4),
    bytes((Command.FILE_REMOVE,)) + b"no end",
]


@pytest.mark.parametrize(
    "payload",
    [
        bytes((Command.LISP_READ_CODE,)) + (400).to_bytes(4) + (8000).to_bytes(4),
        bytes((Command.GET_CUSTOM_CONFIG_XML, 0)) + (10).to_bytes(4) + bytes(4),
        bytes((Command.FILE_LIST,)) + b"path\0\0",
        bytes((Command.FILE_LIST,)) + b"path\0name\0",
        bytes((Command.FILE_READ,)) + b"log.csv\0" + (4000).to_bytes(4),
    ],
)
def test_what_vesc_tool_asks_in_pieces_passes(payload):
    assert kind_of(payload) is kind_of(forwarded(payload, 84)) is Effect.READ


@pytest.mark.parametrize(
    "payload",
    [
        bytes((Command.FORWARD_CAN,)),
        bytes((Command.FORWARD_CAN, 84)),
        forwarded(bytes((Command.FORWARD_CAN,)), 84),
        forwarded(bytes((Command.FORWARD_CAN, 10)), 84),
        forwarded(b"\x60", *range(MAX_NESTING + 1)),
        forwarded(b"\x60", 255),
        forwarded(b"\x60", 10, 255),
        forwarded(b"\x60", 255, 10),
        *NOT_SURVIVED,
        *(forwarded(each, 84) for each in NOT_SURVIVED),
        bytes((Command.FORWARD_CAN, 1)) * 250,
    ],
)
def test_what_could_wedge_a_device_never_passes(payload):
    everything = Policy(frozenset(Effect))
    assert kind_of(payload) is Effect.NEVER
    assert not everything.permits(Effect.NEVER)
    assert "refused: " in refusal(payload, Effect.NEVER)
    assert "--allow" not in refusal(payload, Effect.NEVER)


@pytest.mark.parametrize("kind", ALLOWABLE)
def test_a_word_lets_its_kind_pass_and_no_other(kind):
    policy = parse_policy(f" {kind} ,")
    assert policy.permits(kind)
    assert policy.permits(Effect.READ)
    assert not any(policy.permits(other) for other in ALLOWABLE if other is not kind)


def test_words_come_joined_or_one_by_one():
    assert parse_policy("control,config") == parse_policy(["config", "control"])
    assert parse_policy("") == READ_ONLY


@pytest.mark.parametrize("word", ["motor", "never", "read", "stop", "control;config"])
def test_a_word_that_allows_nothing_is_an_error_that_names_those_there_are(word):
    with pytest.raises(ValueError, match="control, config, firmware, terminal, lisp, can, custom, unknown"):
        parse_policy(word)


def test_a_refusal_names_the_command_and_the_word_but_no_content():
    line = refusal(forwarded(b"\x14secret text", 84), Effect.TERMINAL)
    assert line == "FORWARD_CAN > TERMINAL_CMD refused: not a reading command; --allow terminal lets it pass"
    assert "command 200" in refusal(b"\xc8", kind_of(b"\xc8"))


@pytest.mark.parametrize("command", sorted(TRAITS))
def test_every_command_has_a_longest_and_a_shortest_argument(command):
    if command == Command.FORWARD_CAN:
        return
    shape = TRAITS[command].arguments
    shortest = shortest_request(command)
    most = shape.least if shape.most is None else shape.most
    longest = shortest + bytes(most - shape.least)
    assert kind_of(shortest[:512]) is TRAITS[command].kind
    if most < ANY_LENGTH:
        assert kind_of(longest) is TRAITS[command].kind
        assert kind_of(longest + b"\0") is Effect.NEVER
        assert kind_of(forwarded(longest + b"\0", 84)) is Effect.NEVER
    if shape.least + shape.before:
        assert kind_of(shortest[: shape.before + shape.texts + shape.least]) is Effect.NEVER


@pytest.mark.parametrize(
    "path", [b"\x02\x01\x1d\0", b"a\x03b\0", b"a\x7f\0", b"x" * 256 + b"\0", b"two\x04three\0"]
)
def test_what_is_no_name_of_a_file_never_passes(path):
    for command in (Command.FILE_READ, Command.FILE_MKDIR):
        arguments = path + bytes(TRAITS[command].arguments.least)
        assert kind_of(bytes((command,)) + arguments) is Effect.NEVER
    assert kind_of(bytes((Command.FILE_LIST,)) + path + b"\0") is Effect.NEVER


@pytest.mark.parametrize("path", ["log.csv", "/logs/2026-01-02 (3).csv", "/Fahrten/Köln.csv", "x" * 255])
def test_names_of_files_pass(path):
    name = path.encode()[:255] + b"\0"
    assert kind_of(bytes((Command.FILE_READ,)) + name + bytes(4)) is Effect.READ
    assert kind_of(bytes((Command.FILE_LIST,)) + name + b"\0") is Effect.READ
