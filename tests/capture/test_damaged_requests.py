"""What a tap records of requests with a fault: the fault itself, and nothing that could be secret."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.capture.redact.damaged import damaged_requests
from packwire.capture.redact.live import LiveMasker
from packwire.vesc.framing import encode_frame
from packwire.wire.checksum import CHECKSUMS, crc16_xmodem

REQUESTS = (b"\0", b"\x60", b"\x22\x54\x04", b"\x5d\0", b"\x5c\0" + (400).to_bytes(4) + bytes(4))
SECRET = b"hunter2secret"


def modbus(payload: bytes) -> bytes:
    return encode_frame(payload)[:-3] + CHECKSUMS["CRC-16/MODBUS"].of(payload).to_bytes(2) + b"\3"


def with_header(payload: bytes) -> bytes:
    head = bytes((2, len(payload)))
    return head + payload + crc16_xmodem(head + payload).to_bytes(2) + b"\3"


def too_long(payload: bytes) -> bytes:
    return bytes((2, len(payload) + 3)) + encode_frame(payload)[2:]


def without_stop(payload: bytes) -> bytes:
    return encode_frame(payload)[:-1]


def masked(pieces: list[bytes], *, forced: bool) -> bytes:
    masker, out = LiveMasker(Counter(), may_log_in=True), b""
    for piece in pieces:
        masker.feed(piece)
        if forced:
            masker.force()
        out += masker.take(masker.ready)
    masker.force()
    return out + masker.take(masker.ready)


@pytest.mark.parametrize("encode", [modbus, with_header, too_long, without_stop, encode_frame])
@pytest.mark.parametrize("forced", [False, True])
def test_the_fault_of_a_reading_request_is_recorded(encode, forced):
    sent = [encode(request) for request in REQUESTS for _ in range(2)]
    assert masked(sent, forced=forced) == b"".join(sent)


@pytest.mark.parametrize(
    "payload", [b"\x5f\0" + SECRET, b"\x14" + SECRET, SECRET, b"\x60" + SECRET, b"\x22\x54\x14" + SECRET]
)
@pytest.mark.parametrize("encode", [modbus, with_header, too_long, without_stop])
@pytest.mark.parametrize("forced", [False, True])
def test_what_could_be_secret_is_not(encode, payload, forced):
    sent = [encode(b"\x60"), encode(payload), encode(b"\x60")]
    got = masked(sent, forced=forced)
    assert len(got) == len(b"".join(sent))
    assert SECRET not in got
    assert not any(SECRET[at : at + 4] in got for at in range(len(SECRET) - 3))


@given(st.binary(max_size=300), st.integers(0, 300))
def test_any_bytes_are_looked_at(data, until):
    covered = 0
    for begin, end in damaged_requests(data, min(until, len(data))):
        assert covered <= begin < min(until, len(data)) < end + 300
        assert begin + 5 <= end <= len(data)
        covered = end
