"""Devices that write decimal text: its lines, where noted values are in them, and what a model can say."""

import numpy as np
import pytest
from benchmarks.understanding.sessions import run
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.channel import Channel, Transport
from packwire.direction import Direction
from packwire.insight.draft import DraftLinks
from packwire.insight.draft_text import draft_text
from packwire.insight.fields import Frames, find_fields
from packwire.insight.observations import read_observation
from packwire.insight.texts import find_texts
from packwire.insight.values import find_values
from packwire.messages import MessageRow, from_rows
from packwire.models.load import parse

EPOCH = 1_795_529_000 * 10**9
PACK = run(np.random.default_rng(3), "ride", 120, 4, 2)


def said(blocks, size=20):
    """Return a table of notifications of at most `size` bytes, a block a second."""
    rows, data = [], b""
    for number, block in enumerate(blocks):
        for at in range(0, len(block), size):
            piece = block[at : at + size]
            rows.append(
                MessageRow(EPOCH + number * 10**9, Direction.FROM_DEVICE, 0, len(data), len(piece), ())
            )
            data += piece
    channels = [Channel(Transport.ATT, 3, "ffe1", "notify")]
    return from_rows(rows, channels, np.frombuffer(data, dtype=np.uint8), np.zeros(0, dtype=np.uint8))


def commas():
    for at in range(120):
        cells = ",".join(f"{round(100 * cell):03d}" for cell in PACK.cells[at])
        volts, soc = PACK.voltage[at], round(100 * PACK.soc[at])
        text = f"#,1,ZZ,0000,4,{PACK.current[at]:.1f},{cells},0005\r\n1,01594,{volts:.2f},{soc:03d},00FF\r\n"
        yield text.encode()


def blocks():
    for at in range(120):
        text = f"\r\nPID\t0x203\r\nV\t{round(1000 * PACK.voltage[at])}\r\nI\t{round(1000 * PACK.current[at])}\r\nSOC\t{round(1000 * PACK.soc[at])}\r\nAlarm\tOFF\r\nChecksum\t"
        yield text.encode() + bytes((-sum(text.encode()) % 256,))


def noted(kinds, *units):
    frames = [
        Frames(np.zeros((len(each.numbers), 0), np.uint8), 0, each.time, each.numbers) for each in kinds
    ]
    notes = [
        read_observation(text, EPOCH + at * 10**9)
        for at in (6, 30, 60, 90, 115)
        for text in (
            f"voltage={PACK.voltage[at]:.2f}V",
            f"current={PACK.current[at]:.1f}A",
            f"soc={round(100 * PACK.soc[at])}%",
        )
    ]
    notes += [read_observation(each) for each in units]
    return find_values(frames, find_fields(frames), notes, seconds=0.5)


@pytest.mark.parametrize("size", [20, 7, 500])
def test_lines_between_commas_are_told_apart_and_values_found_in_them(size):
    cells, pack = find_texts(said(commas(), size))
    assert (cells.begins, cells.separator, cells.names) == (b"#", b",", tuple(map(str, (1, *range(3, 11)))))
    assert pack.names == ("0", "1", "2", "3")
    found = {each.name: each.matches[0] for each in noted([cells, pack], "4cells") if each.matches}
    assert (found["voltage"].kind, pack.names[found["voltage"].field.at]) == (1, "2")
    assert found["voltage"].chance < 0.01
    assert (found["cells"].kind, cells.names[found["cells"].field.at], found["cells"].count) == (0, "6", 4)
    assert cells.names[found["current"].field.at] == "5"


def test_a_draft_of_lines_between_commas_says_what_a_model_cannot_say():
    kinds = list(find_texts(said(commas())))
    with pytest.raises(ValueError, match="by its byte or its key, not by its number in a line"):
        draft_text("mybms", kinds, [], b"".join(commas()), DraftLinks())


def test_a_draft_of_keys_and_values_reads_them():
    (kind,) = find_texts(said(blocks()))
    assert (kind.keyed, kind.names) == (True, ("V", "I", "SOC"))
    stream = b"".join(blocks())
    model = parse(draft_text("mybms", [kind], noted([kind]), stream, DraftLinks("ffe1")), "mybms.yaml")
    framer = model.framer()
    values = [model.values(frame.payload) for frame in framer.feed(stream)]
    assert len(values) == 120
    for at in (0, 50, 119):
        assert values[at]["voltage"] == pytest.approx(PACK.voltage[at], abs=0.0006)
        assert values[at]["current"] == pytest.approx(PACK.current[at], abs=0.0006)


def test_a_draft_of_keys_without_such_a_checksum_is_refused():
    (kind,) = find_texts(said(block[:-1] + b"x" for block in blocks()))
    with pytest.raises(ValueError, match="makes the sum of all bytes 0"):
        draft_text("mybms", [kind], [], b"".join(block[:-1] + b"x" for block in blocks()), DraftLinks())


@pytest.mark.parametrize(
    "block",
    [b"~25014642E00201FD30\r", b"AT+NAME\r\nOK\r\n", bytes(range(64)), b"", b"\r\n\r\n", b"one, two\r\n"],
)
def test_other_bytes_are_no_decimal_text(block):
    assert list(find_texts(said([block] * 20))) == []


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(st.binary(max_size=60), st.text("0123456789,.;\t\r\n=-ab").map(str.encode)), max_size=40
    )
)
def test_any_bytes_are_taken(pieces):
    for kind in find_texts(said(pieces)):
        assert kind.numbers.shape == (len(kind.time), len(kind.names))
        assert kind.names
        noted([kind])
