"""GET_VALUES replies from a byte stream to typed replies, beside PyVESC on the same bytes."""

import timeit

import pyvesc

from benchmarks.figure import Figure
from packwire.vesc.framing import Framer, encode_frame
from packwire.vesc.replies import BMS_GET_VALUES, GET_VALUES, Values, decode_reply

REPLIES = 400
CHUNK = 4096
ROUNDS = 7

VALUES = Values(
    41.3, -12.7, 37.41, -8.14, -1.25, 37.4, 0.314, -12345, 83.9, 12.3456, 1.2345, 1034.5,
    101.25, -123456, 789012, 6, 123.456, 84, 40.1, 41.2, 42.3, -0.321, 26.125, 1,
)  # fmt: skip


def measure() -> list[Figure]:
    """Return microseconds a reply for both, and the ratio."""
    stream = encode_frame(b"\x04" + GET_VALUES.encode(VALUES)) * REPLIES
    chunks = [stream[at : at + CHUNK] for at in range(0, len(stream), CHUNK)]
    assert _packwire(chunks) == _pyvesc(chunks) == REPLIES
    ours = theirs = float("inf")
    for _ in range(ROUNDS):
        ours = min(ours, timeit.timeit(lambda: _packwire(chunks), number=20) / 20)
        theirs = min(theirs, timeit.timeit(lambda: _pyvesc(chunks), number=2) / 2)
    return [
        Figure("GET_VALUES, stream to typed reply, packwire", ours / REPLIES * 1e6, "us a reply"),
        Figure("GET_VALUES, stream to typed reply, PyVESC 1.0.5", theirs / REPLIES * 1e6, "us a reply"),
        Figure("PyVESC's time / packwire's", theirs / ours, "times", at_least=15),
        Figure("BMS_GET_VALUES of 20 cells, payload to typed reply, packwire", _bms() * 1e6, "us a reply"),
    ]


def _packwire(chunks: list[bytes]) -> int:
    framer, count = Framer(), 0
    for chunk in chunks:
        for frame in framer.feed(chunk):
            count += decode_reply(frame.payload) is not None
    return count


def _pyvesc(chunks: list[bytes]) -> int:
    """Read as PyVESC's own documentation does: decode from the front of a buffer, drop what was consumed."""
    buffer, count = b"", 0
    for chunk in chunks:
        buffer += chunk
        while True:
            message, consumed = pyvesc.decode(buffer)
            buffer = buffer[consumed:]
            if message is None:
                break
            count += message.id == 4
    return count


def _bms() -> float:
    cells = (4.196,) * 20
    zeros = BMS_GET_VALUES.decode(b"\x60" + bytes(60)).reply
    reply = zeros._replace(cell_num=20, v_cell=cells, bal=(0,) * 20, temp_adc=(23.0,) * 5, can_id=10)
    payload = b"\x60" + BMS_GET_VALUES.encode(reply)
    return min(timeit.repeat(lambda: decode_reply(payload), number=2000, repeat=ROUNDS)) / 2000
