"""The transcript keeps what passed, and shows no secret however it came."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from packwire.address import parse_address
from packwire.check import Depth
from packwire.direction import Direction
from packwire.doctor.examination import ExaminationOptions
from packwire.doctor.examine import examine
from packwire.doctor.transcript import MAX_KEPT, Transcript
from packwire.vesc.framing import encode_frame
from packwire.vesc.hublogin import Login, Role
from tests.sim.raw import hub_with_device

LOGIN = Login(Role.CLIENT, "TESTPACK", "pässword-42!")
SECRETS = (b"secret42", b"made-up-wifi-key", b"word-42", b"TESTPACK")


def shown(transcript: Transcript) -> bytes:
    return b"|".join(each.data for each in transcript.redacted())


@given(cuts=st.lists(st.integers(0, 400), max_size=6), broken=st.booleans())
def test_no_secret_is_shown_however_the_bytes_come(cuts: list[int], broken: bool):
    payload = b"\x5d" + bytes(1) + bytes.fromhex("7480e21e") + b"made-up-wifi-key\0secret42\0TESTPACK\0"
    frame = bytearray(encode_frame(payload))
    if broken:
        frame[-2] ^= 1
    stream = b"\x02\x01" + LOGIN.line() + bytes(frame) + LOGIN.line()
    for direction in (Direction.FROM_DEVICE, Direction.TO_DEVICE):
        transcript = Transcript()
        places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
        for begin, end in itertools.pairwise(places):
            transcript.add(1, direction, stream[begin:end])
        text = shown(transcript).replace(b"|", b"")
        assert len(text) == len(stream)
        assert not any(secret in text for secret in SECRETS)


def test_what_is_secret_is_not_even_kept():
    transcript = Transcript()
    transcript.add(1, Direction.TO_DEVICE, LOGIN.line(), secret=True)
    assert [each.data for each in transcript.segments] == [b""]
    assert transcript.segments[0].size == len(LOGIN.line())


def test_the_tape_is_bounded():
    transcript = Transcript()
    for _ in range(100):
        transcript.add(1, Direction.FROM_DEVICE, bytes(MAX_KEPT // 10))
    assert sum(len(each.data) for each in transcript.segments) <= MAX_KEPT
    assert transcript.lost > 0


async def test_a_hub_session_of_the_simulator_shows_no_secret():
    async with hub_with_device() as (hub, _):
        address = parse_address(f"veschub://TESTPACK:secret42@127.0.0.1:{hub.port}")
        options = ExaminationOptions(listen=0.05, poll=0.2, patience=0.4, depth=Depth.THOROUGH)
        diagnosis = await examine(address, options)
    assert any(check.name == "handshake" for check in diagnosis.checks)
    everything = shown(diagnosis.transcript) + b"".join(each.data for each in diagnosis.transcript.segments)
    assert not any(secret in everything for secret in SECRETS)
    assert b"simulated" not in everything


def test_a_broken_reply_of_numbers_is_shown_and_one_with_secrets_is_not():
    transcript = Transcript()
    pack = encode_frame(b"\x60" + bytes(range(0x30, 0x60)))[:-9]
    transcript.add(1, Direction.TO_DEVICE, encode_frame(b"\x60"))
    transcript.add(1, Direction.FROM_DEVICE, pack)
    transcript.add(2, Direction.TO_DEVICE, encode_frame(b"\x5d\0"))
    transcript.add(2, Direction.FROM_DEVICE, encode_frame(b"\x5d\0" + b"made-up-wifi-key")[:-3])
    _, shown_pack, _, config = transcript.redacted()
    assert shown_pack.data == pack
    assert b"wifi" not in config.data
