"""The recorder: what passed is in the file, to the byte, and what is secret is not."""

import asyncio
import io
import subprocess
from collections import Counter

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from packwire.capture import Capture, open_capture
from packwire.capture.formats import read_packets
from packwire.capture.recorder import HOLD, Endpoint, Recorder
from packwire.capture.redact.contents import masked_frame
from packwire.capture.redact.live import LiveMasker
from packwire.capture.tcp_packets import MAX_SEGMENT, TcpPackets, checksum
from packwire.capture.writers.pcapng import interface_block, packet_block, section_block
from packwire.link.tcp import TcpLink
from packwire.vesc.commands import Command
from packwire.vesc.framing import Framer, encode_frame
from tests.shared_data import needs_tshark

CLIENT, DEVICE = Endpoint("127.0.0.1", 50000), Endpoint("192.0.2.1", 65102)
KEY = b"wifi-key-of-home"
CONFIG = bytes((Command.GET_CUSTOM_CONFIG, 0)) + b"\x12\x34\x56\x78" + KEY + b"\0 and more \0" * 8
LOGIN = b"VESCTOOL:TESTPACK:secret42\n"
BMS = b"\x60" + bytes(range(129))


def capture_of(file: io.BytesIO) -> Capture:
    import numpy as np

    return Capture("recorded", read_packets(np.frombuffer(file.getvalue(), dtype=np.uint8)))


def recorded(
    *what: tuple[int, bytes], keep_secrets: bool = False, ticks: bool = False
) -> tuple[bytes, bytes]:
    """Record pieces, as (side, bytes); return both streams as they are in the file."""
    file = io.BytesIO()
    recorder = Recorder(file, keep_secrets=keep_secrets)
    connection = recorder.connection(CLIENT, DEVICE)
    connection.opened()
    for side, data in what:
        connection.data(side, data)
        if ticks:
            recorder.tick(1 << 62)
    recorder.close()
    streams = capture_of(file).connections[0].streams
    assert not any(stream.gaps for stream in streams)
    return streams[0].joined(), streams[1].joined()


def split(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@given(st.lists(st.tuples(st.integers(0, 1), st.binary(min_size=1, max_size=300)), min_size=1, max_size=20))
def test_with_secrets_kept_the_file_has_exactly_what_passed(pieces):
    sent = tuple(b"".join(data for side, data in pieces if side == wanted) for wanted in (0, 1))
    assert recorded(*pieces, keep_secrets=True) == sent


@given(st.data())
def test_however_frames_are_cut_into_pieces_they_are_in_the_file(data):
    payloads = data.draw(st.lists(st.binary(min_size=1, max_size=600).filter(lambda p: p[0] in (0, 4, 96))))
    stream = b"".join(encode_frame(payload) for payload in payloads)
    size = data.draw(st.integers(1, 200))
    assert recorded(*((1, piece) for piece in split(stream, size)))[1] == stream


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000])
@pytest.mark.parametrize("ticks", [False, True], ids=["in time", "slowly"])
def test_a_login_and_a_configuration_are_masked_however_they_are_split(size, ticks):
    client = [(0, piece) for piece in split(LOGIN + encode_frame(BMS[:1]) + encode_frame(b"\x5d\x00"), size)]
    device = [
        (1, piece) for piece in split(encode_frame(BMS) + encode_frame(CONFIG) + encode_frame(BMS), size)
    ]
    sent, got = recorded(*client, *device, ticks=ticks)
    assert sent.startswith(b"VESCTOOL:TESTPACK:********\n" if not ticks else b"VESC")
    assert len(sent) == sum(len(piece) for _, piece in client)
    assert len(got) == sum(len(piece) for _, piece in device)
    for secret in (b"secret42", b"cret", KEY, KEY[4:10]):
        assert secret not in sent
        assert secret not in got


def test_a_masked_configuration_is_a_frame_all_the_same():
    _, got = recorded((1, encode_frame(BMS) + encode_frame(CONFIG)))
    payloads = [frame.payload for frame in Framer().feed(got)]
    assert payloads == [BMS, CONFIG[:2] + b"*" * (len(CONFIG) - 2)]


def test_a_slow_frame_that_holds_no_secret_is_not_masked():
    frame = encode_frame(BMS)
    file = io.BytesIO()
    recorder = Recorder(file)
    connection = recorder.connection(CLIENT, DEVICE)
    connection.data(1, frame)
    connection.data(1, frame[:60])
    before = recorder.packets
    recorder.tick(1 << 62)
    assert recorder.packets > before
    connection.data(1, frame[60:])
    recorder.close()
    assert capture_of(file).connections[0].streams[1].joined() == 2 * frame


def test_a_secret_behind_a_false_header_is_masked():
    """A header that claims 200 bytes stands in front of a configuration, and nothing else ever comes."""
    _, got = recorded((1, b"\x02\xc8\x60" + encode_frame(CONFIG)[:-1]), ticks=True)
    assert KEY not in got
    _, got = recorded((1, encode_frame(BMS) + b"\x02\xc8\x60" + encode_frame(CONFIG)), ticks=True)
    assert KEY not in got


def test_the_torn_rest_of_a_configuration_is_masked():
    """A hub may send a new client what was on its way to the one before."""
    _, got = recorded((1, encode_frame(CONFIG)[4:] + encode_frame(BMS)))
    assert KEY not in got
    assert got.endswith(encode_frame(BMS))


@given(st.lists(st.binary(min_size=1, max_size=80), max_size=12), st.booleans(), st.booleans())
def test_the_masker_gives_out_as_much_as_it_takes_and_never_a_secret(pieces, may_log_in, forced):
    """Junk of any kind, cut anywhere, around a configuration."""
    counts: Counter[str] = Counter()
    masker = LiveMasker(counts, may_log_in=may_log_in)
    out = b""
    half = len(pieces) // 2
    for piece in [*pieces[:half], *split(encode_frame(CONFIG), 11), *pieces[half:]]:
        masker.feed(piece)
        if forced:
            masker.force()
        out += masker.take(masker.ready)
    masker.force()
    out += masker.take(masker.ready)
    assert len(out) == sum(map(len, pieces)) + len(encode_frame(CONFIG))
    assert KEY not in out
    assert KEY[3:12] not in out


@given(st.binary(min_size=2, max_size=400))
def test_a_frame_is_masked_as_in_a_finished_recording(payload):
    frame = encode_frame(payload)
    masker = LiveMasker(Counter(), may_log_in=False)
    for piece in split(frame, 17):
        masker.feed(piece)
    assert masker.take(masker.ready) == masked_frame(frame, len(payload), Counter())


@pytest.mark.parametrize(
    "line",
    [b"VESCTOOL:secret42\n", b"VESC:ID:secret:42\n\0", b"vesctool:ID:secret42\r\n", b"VESCTOOL secret42\n", b"PING:ID:secret42\n"],
)  # fmt: skip
def test_a_login_that_is_not_quite_one_is_masked_too(line):
    sent, _ = recorded((0, line + encode_frame(BMS)))
    assert b"secret" not in sent
    assert b"42" not in sent
    assert sent.endswith(encode_frame(BMS))


def test_zeros_with_which_a_client_flushes_the_device_are_recorded_as_they_are():
    sent, _ = recorded((0, LOGIN + bytes(520)), (0, encode_frame(BMS[:1])))
    assert sent.endswith(b"*\n" + bytes(520) + encode_frame(BMS[:1]))


def test_what_is_asked_of_a_hub_without_a_password_is_recorded_as_it_is():
    assert recorded((0, b"PING:TESTPACK:0\n"), (1, b"PONG\n")) == (b"PING:TESTPACK:0\n", b"PONG\n")


def test_pieces_longer_than_a_packet_become_several():
    data = bytes(range(256)) * 1024
    assert recorded((1, data), keep_secrets=True)[1] == data
    packets = list(TcpPackets(CLIENT, DEVICE).data(1, data))
    assert len(packets) >= len(data) // MAX_SEGMENT


def test_sequence_numbers_go_round_without_a_gap():
    packets = TcpPackets(CLIENT, DEVICE, first_sequence=(1 << 32) - 1000)
    file = io.BytesIO()
    blocks = [section_block(), interface_block("", 1)]
    data = [bytes((number,)) * 700 for number in range(5)]
    everything = [*packets.open()]
    for each in data:
        everything += packets.data(0, each)
    everything += packets.end(0)
    blocks += [packet_block(0, number, packet) for number, packet in enumerate(everything)]
    file.write(b"".join(blocks))
    stream = capture_of(file).connections[0].streams[0]
    assert stream.joined() == b"".join(data)
    assert not stream.gaps


@given(st.binary(min_size=1, max_size=99).filter(any))
def test_the_checksum_is_that_of_rfc_1071(content):
    even = content + b"\0" * (len(content) % 2)
    total = sum(int.from_bytes(even[at : at + 2]) for at in range(0, len(even), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    assert checksum(content) == 0xFFFF - total


def test_connections_between_the_same_ends_stay_apart():
    file = io.BytesIO()
    recorder = Recorder(file)
    for _ in range(3):
        connection = recorder.connection(CLIENT, DEVICE)
        connection.data(0, encode_frame(b"\x00"))
        connection.end(0)
        connection.end(1)
    assert [len(each.streams[0].joined()) for each in capture_of(file).connections] == [6, 6, 6]


def test_the_ends_of_connections_are_recorded():
    file = io.BytesIO()
    recorder = Recorder(file)
    first, second = (recorder.connection(Endpoint("::1", 40000 + index), DEVICE) for index in (0, 1))
    first.data(0, b"\0")
    first.end(1)
    first.end(0)
    second.data(0, b"\0")
    second.reset(1)
    closed, broken = capture_of(file).connections
    assert (closed.ending, closed.ended_by) == ("closed", 1)
    assert (broken.ending, broken.ended_by) == ("reset", 1)
    assert closed.ends == ("[::1]:40000", "[::ffff:192.0.2.1]:65102")


def test_what_is_held_is_written_after_a_while_and_no_later():
    file = io.BytesIO()
    recorder = Recorder(file)
    connection = recorder.connection(CLIENT, DEVICE)
    connection.data(1, encode_frame(BMS)[:50])
    connection.data(0, encode_frame(b"\x60"))
    assert recorder.packets == 3
    recorder.tick(0)
    assert recorder.packets == 3
    recorder.tick(1 << 62)
    assert recorder.packets == 5
    assert HOLD < 1


class Full(io.BytesIO):
    """A disk that is full after some bytes."""

    def write(self, data, /):
        if self.tell() > 300:
            raise OSError(28, "No space left on device")
        return super().write(data)


def test_a_full_disk_ends_the_recording_and_nothing_else():
    recorder = Recorder(Full())
    connection = recorder.connection(CLIENT, DEVICE)
    for _ in range(10):
        connection.data(0, encode_frame(b"\x60"))
    connection.end(0)
    assert recorder.failed is not None
    assert recorder.failed.strerror == "No space left on device"


async def test_it_observes_a_link():
    async def serve(reader, writer):
        writer.write(await reader.readexactly(6))
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    file = io.BytesIO()
    connection = Recorder(file).connection(CLIENT, Endpoint("127.0.0.1", port))
    came = asyncio.Event()

    class Receiver:
        def data_received(self, data):
            came.set()

        def link_closed(self, error):
            pass

    link = TcpLink("127.0.0.1", port)
    link.observers.append(connection.observe)
    await link.open(Receiver())
    link.write(encode_frame(b"\x00"))
    await came.wait()
    await link.close()
    server.close()
    await server.wait_closed()
    messages = capture_of(file).messages
    assert [bytes(each) for each in messages.payloads()] == [b"\x00", b"\x00"]


@needs_tshark
def test_wireshark_finds_nothing_wrong(tmp_path):
    path = tmp_path / "recorded.pcapng"
    with path.open("wb", buffering=0) as file:
        recorder = Recorder(file, keep_secrets=True)
        for client in (CLIENT, Endpoint("2001:db8::1", 50001)):
            connection = recorder.connection(client, DEVICE)
            for _ in range(40):
                connection.data(0, encode_frame(b"\x60"))
                connection.data(1, encode_frame(BMS) * 300)
            connection.end(0)
            connection.end(1)
    odd = subprocess.run(
        ["tshark", "-r", path, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-Y",
         "tcp.checksum.status != 1 || ip.checksum.status == 0 || tcp.analysis.flags || _ws.malformed"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert odd.stdout == ""
    followed = subprocess.run(
        ["tshark", "-r", path, "-q", "-z", "follow,tcp,raw,0"], capture_output=True, text=True, check=True
    )
    lines = followed.stdout.splitlines()
    device = b"".join(bytes.fromhex(line) for line in lines if line.startswith("\t"))
    assert device == encode_frame(BMS) * 12_000
    assert open_capture(path).damage == ()


BEHIND = [
    b"\x02\xff",
    b"\x02\x30",
    b"\x03\x01",
    b"\x02",
    b"\x04\x00\x00",
    b"\0",
    b"\r\n",
    b"\xef\xbb\xbf",
    b"  ",
]


@pytest.mark.parametrize("may_log_in", [True, False])
@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from([*BEHIND, encode_frame(b"\x00"), encode_frame(b"\x00 VESC:PACK:opensesame\n more")])
        | st.binary(max_size=4),
        max_size=4,
    ),
    st.sampled_from(
        [
            b"VESCTOOL:PACK:opensesame\n",
            b"VESC:PACK:opensesame\n\0",
            b"vesc tool:PACK:opensesame\r\n",
            b"V E SC:P:opensesame",
        ]
    ),
    st.binary(max_size=300),
    st.lists(st.integers(1, 40), max_size=12),
    st.integers(0, 4095),
)
def test_a_login_behind_anything_is_masked(may_log_in, before, login, after, sizes, forced):
    content = b"".join(before) + login + after
    assume(
        content.count(b"opensesame") == 1 + before.count(encode_frame(b"\x00 VESC:PACK:opensesame\n more"))
    )
    masker = LiveMasker(Counter(), may_log_in=may_log_in)
    given_out = b""
    for number, size in enumerate([*sizes, len(content)]):
        piece, content = content[:size], content[size:]
        masker.feed(piece)
        if forced >> number & 1:
            masker.force()
        given_out += masker.take(masker.ready)
    masker.force()
    given_out += masker.take(masker.ready)
    assert b"opensesame" not in given_out
    assert b"sesam" not in given_out


def test_a_frame_that_holds_a_login_is_whole_and_without_its_password():
    masker = LiveMasker(Counter(), may_log_in=True)
    frame = encode_frame(b"\x00VESCTOOL:PACK:opensesame\nmore")
    masker.feed(frame)
    (found,) = Framer().feed(masker.take(masker.ready))
    assert found.payload == b"\x00VESCTOOL:PACK:**********\nmore"
