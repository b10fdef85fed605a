"""Real recordings of VESC Tool, its hub and VESC firmware: what is in them, and the same as tshark finds."""

import random
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from packwire.capture import Capture, open_capture
from packwire.capture.layers.conversation import Part
from packwire.capture.layers.spoken import SpokenConnection
from packwire.capture.layers.tcp import Connection
from packwire.vesc.commands import Command
from packwire.vesc.replies import BmsValues, decode_reply
from tests.capture.builder import pcap
from tests.capture.layers.test_tcp import nearby, retimed
from tests.capture.vesc_session import ASK_BMS, VescSession, bms
from tests.shared_data import CAPTURES, ROOT, needs_tshark

DATA = ROOT / "tests" / "data" / "vesc"
FILES = sorted(
    {path.name: path for folder in (DATA, CAPTURES / "vesc") for path in folder.glob("*.pcap*")}.values()
)


@cache
def capture(name: str) -> Capture:
    return open_capture(DATA / name)


def counted(vesc: SpokenConnection[Connection]) -> dict[str, int]:
    return dict(Counter(Part(part).name for part in vesc.conversation.part.tolist()))


class TestOwnClient:
    """Somebody's own client reports timeouts; the replies are all on the wire."""

    def test_every_reply_of_the_bms_is_there_whole(self):
        client, device = capture("own-client-timeouts.pcap").vesc.connections
        for vesc in (client, device):
            talk = vesc.conversation
            asked = [
                row for row in np.flatnonzero(talk.part == Part.REQUEST).tolist()
                if talk.messages.payload(row)[-1] == Command.BMS_GET_VALUES
            ]  # fmt: skip
            assert len(asked) == 3
            for row in asked:
                payload = talk.messages.payload(int(talk.partner[row]))
                assert len(payload) == 130
                decoded = decode_reply(payload)
                assert decoded is not None
                assert isinstance(decoded.reply, BmsValues)
                assert decoded.reply.cell_num == 20
                assert decoded.reply.v_tot == pytest.approx(83.92, abs=0.005)

    def test_only_what_an_express_never_answers_was_not_answered(self):
        for vesc in capture("own-client-timeouts.pcap").vesc.connections:
            talk = vesc.conversation
            silent = [
                talk.messages.payload(row) for row in np.flatnonzero(talk.part == Part.UNANSWERED).tolist()
            ]
            assert silent == [bytes((Command.GET_VALUES,)), bytes((Command.GET_VALUES_SETUP,))]
            assert counted(vesc) == {"REQUEST": 7, "REPLY": 7, "UNANSWERED": 2}


class TestVescToolAtItsHub:
    @pytest.mark.parametrize("name", ["vesc-tool-hub-bms.pcap", "vesc-tool-hub-bms.pcapng"])
    def test_both_sides_of_the_hub(self, name):
        client, device = capture(name).vesc.connections
        assert counted(client) == counted(device) == {"REQUEST": 123, "REPLY": 123}
        (line,) = client.hub_lines
        assert line.login is not None
        assert (line.login.device_id, line.number) == ("TESTPACK", 4)
        assert device.hub_lines == ()
        assert client.connection.ends[client.device or 0] == "127.0.0.1:65101"
        assert device.connection.ends[device.device or 0] == "127.0.0.1:60426", "the device dialled the hub"
        assert device.connection.began_before

    def test_long_frames_with_16_bit_lengths(self):
        sizes = Counter(capture("vesc-tool-hub-bms.pcap").messages.size.tolist())
        assert sizes[410] == 2 * 8
        assert sizes[130] == 2 * 111

    def test_both_formats_give_the_same(self):
        one, other = capture("vesc-tool-hub-bms.pcap").messages, capture("vesc-tool-hub-bms.pcapng").messages
        assert list(one.payloads()) == list(other.payloads())
        assert one.time.tolist() == other.time.tolist()
        assert one.packets.tolist() == other.packets.tolist()
        assert one.direction.tolist() == other.direction.tolist()

    def test_nothing_is_copied(self):
        assert all(len(capture(path.name).messages.joined) == 0 for path in FILES)


def test_a_direct_connection_with_can_traffic():
    (vesc,) = capture("vesc-tool-direct-motor-sll2.pcap").vesc.connections
    assert counted(vesc) == {"REQUEST": 246, "REPLY": 246}
    assert vesc.conversation.can_ids == (10, 84)
    assert {key: node.name for key, node in vesc.conversation.nodes.items()} == {
        None: "VESC Express T",
        84: "75_300_R2",
        10: "VBMS32",
    }


def test_no_bms():
    (vesc,) = capture("no-bms.pcap").vesc.connections
    replies = [
        payload for payload in vesc.conversation.messages.payloads() if payload[0] == 96 and len(payload) > 1
    ]
    assert len(replies) == 40
    for payload in replies:
        decoded = decode_reply(payload)
        assert decoded is not None
        assert decoded.reply.absent


def test_a_displaced_client():
    first, _, second = capture("displaced-client.pcap").vesc.connections
    (line,) = second.hub_lines
    assert first.connection.ended_by == first.device
    assert first.connection.ended_at is not None
    assert 0 < first.connection.ended_at - line.time < 1_000_000


def tshark(path: Path, *arguments: str) -> str:
    command = ["tshark", "-r", str(path), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def follow(path: Path, stream: int) -> tuple[list[str], list[bytes]]:
    """Return both ends of a stream and what each sent, as tshark puts it together."""
    lines = tshark(path, "-q", "-z", f"follow,tcp,raw,{stream}").splitlines()
    ends = [line.split(": ", 1)[1] for line in lines if line.startswith("Node ")]
    sent = [b"", b""]
    for line in lines:
        if line and all(character in "0123456789abcdef\t" for character in line):
            sent[line.startswith("\t")] += bytes.fromhex(line.strip())
    return ends, sent


@needs_tshark
class TestAgainstTshark:
    @pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
    def test_packets(self, path):
        packets = open_capture(path).packets
        rows = tshark(path, "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.cap_len").split("\n")[:-1]
        wanted = [
            (round(float(time.split(".")[0])) * 10**9 + int(time.split(".")[1][:9]), int(size))
            for time, size in (row.split("\t") for row in rows)
        ]
        assert list(zip(packets.time.tolist(), packets.size.tolist(), strict=True)) == wanted

    @pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
    def test_segments(self, path):
        found = open_capture(path).connections
        fields = ("tcp.stream", "frame.number", "tcp.srcport", "tcp.payload")
        rows = tshark(
            path, "-Y", "tcp.len>0", "-T", "fields", *(word for name in fields for word in ("-e", name))
        )
        got = [
            f"{connection.index}\t{number}\t{connection.ends[side].rsplit(':', 1)[1]}\t{stream.data[start : start + size].tobytes().hex()}"
            for connection in found
            for side, stream in enumerate(connection.streams)
            for number, start, size in zip(stream.number, stream.start, stream.size, strict=True)
        ]
        assert sorted(got) == sorted(rows.splitlines())

    @pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
    def test_streams(self, path):
        check_streams(path)

    @pytest.mark.parametrize("seed", range(4))
    def test_streams_with_reordering_and_retransmission(self, seed, tmp_path):
        """Bursts one way, shuffled and repeated: tshark takes what is acknowledged before it comes for lost."""
        rng = random.Random(seed)
        session = VescSession(isn=((1 << 32) - 50, (1 << 32) - 700)).open()
        rows = list(session.packets)
        for _ in range(12):
            for say, payload in ((session.ask, ASK_BMS), (session.answer, bms(rng.randint(60, 84)))):
                begin = len(session.packets)
                for _ in range(rng.randint(1, 8)):
                    say(payload)
                burst = session.packets[begin:]
                rows += nearby(rng, burst + rng.sample(burst, rng.randint(0, len(burst) // 2)))
        path = tmp_path / "shuffled.pcap"
        path.write_bytes(pcap(retimed(rows)))
        check_streams(path)
        assert Counter(open_capture(path).messages.payloads()) == Counter(
            open_capture(write(tmp_path, session)).messages.payloads()
        )


def write(folder: Path, session: VescSession) -> Path:
    path = folder / "in_order.pcap"
    path.write_bytes(session.pcap())
    return path


def check_streams(path: Path) -> None:
    found = open_capture(path).connections
    for connection in found:
        ends, sent = follow(path, connection.index)
        ours = {end: stream.joined() for end, stream in zip(connection.ends, connection.streams, strict=True)}
        assert ours == dict(zip(ends, sent, strict=True))
