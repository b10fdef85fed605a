"""Datagrams: what a battery says over UDP is read as what it says over TCP."""

import struct

import pytest

from packwire.capture import Capture, open_capture
from packwire.capture.redact import redacted, without_secrets
from packwire.direction import Direction
from packwire.models.load import model
from packwire.sim.model import SimulatedModel
from packwire.vesc.framing import encode_frame
from tests.capture.builder import Recorded, ethernet, ipv4, pcap
from tests.capture.vesc_session import ASK_BMS, ASK_VERSION, bms, version

CLIENT, DEVICE = ("192.0.2.9", 51392), ("192.0.2.7", 8000)


def datagram(payload, source=CLIENT, destination=DEVICE, wrap=ipv4):
    udp = struct.pack(">HHHH", source[1], destination[1], 8 + len(payload), 0) + payload
    return ethernet(wrap(udp, source[0], destination[0], 17))


def recording(tmp_path, said, wrap=ipv4):
    """Write what was said: pairs of whether the client says it, and a payload."""
    packets = [
        Recorded(
            10**9 * (1 + number), datagram(payload, *((CLIENT, DEVICE) if asks else (DEVICE, CLIENT)), wrap)
        )
        for number, (asks, payload) in enumerate(said)
    ]
    path = tmp_path / "udp.pcap"
    path.write_bytes(pcap(packets))
    return open_capture(path)


def jbd():
    protocol = model("jbd")
    device = SimulatedModel(protocol).device
    for question in protocol.questions:
        if question.name in ("basic info", "cell voltages"):
            yield True, question.payload
            yield False, b"".join(device.answers(question.payload))


def test_frames_in_datagrams_are_messages(tmp_path):
    capture = recording(tmp_path, [*jbd()] * 2)
    messages = capture.messages
    assert len(messages) == 8
    assert messages.direction.tolist()[:2] == [Direction.TO_DEVICE, Direction.FROM_DEVICE]
    assert str(messages.channels[0]) == "udp 192.0.2.7:8000 <-> 192.0.2.9:51392"
    (spoken,) = capture.spoken
    assert spoken.observer.protocol.name == "jbd"
    assert spoken.connection.ends == ("192.0.2.9:51392", "192.0.2.7:8000")
    assert spoken.conversation.latency.max() == 10**9


def test_a_vesc_in_datagrams(tmp_path):
    said = [(True, ASK_VERSION), (False, version()), (True, ASK_BMS), (False, bms())]
    capture = recording(tmp_path, [(asks, encode_frame(payload)) for asks, payload in said])
    (spoken,) = capture.spoken
    assert spoken.observer.protocol.name == "vesc"
    assert len(spoken.conversation) == 4


def test_other_datagrams_are_counted(tmp_path):
    capture = recording(tmp_path, [(True, b"a question"), (False, b"an answer")])
    assert not len(capture.messages)
    assert capture.losses == ("2 x UDP datagrams without frames of a framing that is known here",)


@pytest.mark.parametrize("strict", [False, True])
def test_passwords_in_datagrams_are_masked(tmp_path, strict):
    login = model("jbd").asked_by_name["login"].template.frame({"pin": "135790"})
    capture = recording(tmp_path, [(True, login), *jbd(), *jbd()])
    packets = redacted(capture.packets).packets if strict else without_secrets(capture).packets
    assert b"135790" not in packets.data.tobytes()
    assert len(Capture("masked", packets).messages) == len(capture.messages), "the rest is still there"
