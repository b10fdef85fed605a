"""`packwire pairs` on recordings that went wrong, and on forms of the same kinds made here."""

import numpy as np
import pytest

from packwire.capture import open_capture
from packwire.cli.commands.pairs import pairs
from packwire.cli.headers import known_headers, row_families
from packwire.direction import Direction  # noqa: TC001
from packwire.insight.pairs import find_pairs
from tests.cli.records import checked
from tests.insight.tables import FROM, TO, table
from tests.shared_data import CAPTURES, CASES, needs_captures, needs_cases


def shown(capsys, file):
    """Return header of request -> (how many, unanswered, {(header, size) of reply: how many})."""
    pairs(file, json=True)
    result = {}
    for pair in checked(capsys.readouterr().out):
        replies = {(reply["header"], reply["size"]): reply["count"] for reply in pair["replies"]}
        result[pair["request"]["header"]] = (pair["request"]["count"], pair["unanswered"], replies)
    return result


@needs_cases
def test_each_of_eleven_requests_in_a_row_has_its_own_replies(capsys):
    found = shown(capsys, CASES / "pipelined-requests.btsnoop")
    registers = [0x81, 0x82, 0x83, 0x84, 0x85, 0x87, 0x88, 0x89, 0x8A, 0x90, 0x94]
    asked = {header: replies for header, (_, _, replies) in found.items() if header.startswith("5504")}
    assert sorted(asked) == [f"5504{register:02x}" for register in registers]
    for register in registers:
        assert (f"5514{register:02x}", 20) in asked[f"5504{register:02x}"]
    assert sum(sum(replies.values()) for replies in asked.values()) <= 83
    echoes = {(header, 20) for replies in asked.values() for header, _ in replies}
    assert sum(map(len, asked.values())) == len(echoes)


@needs_cases
def test_requests_are_answered_as_with_the_right_header(capsys):
    found = shown(capsys, CASES / "header-too-long.btsnoop")
    for number in range(4):
        count, unanswered, replies = found[f"0f550{number}"]
        assert unanswered == 0
        assert replies == {(f"0f550{number}", 20): count}


@needs_cases
def test_a_reply_after_more_than_a_second(capsys):
    _, unanswered, replies = shown(capsys, CASES / "seplos-47.btsnoop")["7e10004647"]
    assert replies == {("7e14004700", 179): 2}
    assert unanswered == 3  # one reply came torn, one not at all, one request was sent again


@needs_cases
def test_frames_in_pieces_are_whole_and_a_stream_answers_nobody(capsys):
    messages = open_capture(CASES / "neey-pieces.btsnoop").messages
    long = np.flatnonzero(messages.size == 300)
    assert len(long) == 36
    assert all(messages.payload(row)[6:8] == b"\x2c\x01" for row in long.tolist())
    assert all(messages.payload(row)[-1] == 0xFF for row in long.tolist())
    found = shown(capsys, CASES / "neey-pieces.btsnoop")
    assert found["aa551100050d"][2] == {("55aa1100050d", 20): 5}
    assert sum(sum(replies.values()) for _, _, replies in found.values()) < 12


@needs_cases
def test_jbd_over_a_bridge_to_tcp(capsys):
    assert len(open_capture(CASES / "jbd-over-tcp.pcap").messages) == 80
    found = shown(capsys, CASES / "jbd-over-tcp.pcap")
    assert found == {"dda503": (20, 0, {("dd03", 30): 20}), "dda504": (20, 0, {("dd04", 23): 20})}


@needs_captures
def test_modbus_replies_that_come_together_go_to_the_requests_of_their_size(capsys):
    found = shown(capsys, CAPTURES / "ble" / "daly-balancer.btsnoop")
    assert found["d2030063"][2] == {("d203", 61): 1}
    assert found["d2030057"] == (3, 0, {("d203", 29): 3})


@needs_captures
@pytest.mark.parametrize("name", ["jk-b2a16s", "jk-heating-setting"])
def test_the_stream_of_a_jk_is_the_reply_to_nobody_but_who_started_it(capsys, name):
    found = shown(capsys, CAPTURES / "ble" / f"{name}.btsnoop")
    streamed = [replies.get(("55aaeb9002", 300), 0) for _, _, replies in found.values()]
    assert sum(streamed) == 1


@needs_captures
def test_no_message_is_given_to_two_requests():
    for file in sorted((CAPTURES / "ble").glob("*.btsnoop")):
        capture = open_capture(file)
        found = find_pairs(capture.messages, known_headers([capture])[0], row_families(capture))
        given = sum(reply.count for pair in found.pairs for reply in pair.replies)
        left = sum(len(group) for group in found.unasked)
        heard = int(np.count_nonzero(capture.messages.direction != TO))
        assert given + left == heard, file.name


def test_an_error_is_a_reply_too():
    said: list[tuple[float, Direction, bytes]] = []
    for n in range(20):
        said += [(n, TO, b"\x55\x04" + bytes((n % 5,)) + b"\xaa")]
        wrong = n % 5 == 3
        said += [
            (n + 0.1, FROM, b"\x55" + bytes((0x94 if wrong else 0x14, n % 5)) + bytes(2 if wrong else 9))
        ]
    found = find_pairs(table(said))
    assert sum(pair.unanswered for pair in found.pairs) == 0


def test_without_times_the_order_counts():
    said: list[tuple[float, Direction, bytes]] = []
    for n in range(30):
        said += [(0, TO, b"\x55\x04" + bytes((n % 5,)) + b"\xaa")]
        if n % 7:
            said += [(0, FROM, b"\x55\x14" + bytes((n % 5, n, n, n)))]
    found = find_pairs(table(said), 3)
    asked = [row for row, (_, way, _) in enumerate(said) if way == TO]
    right = {row + 1: row for row in asked if row + 1 < len(said) and said[row + 1][1] == FROM}
    assert {row: int(partner) for row, partner in enumerate(found.partner) if partner >= 0} == right
