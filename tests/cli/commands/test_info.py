"""`packwire info`: what is in a recording, and what to do where there is no data in it."""

import pytest

from packwire.capture.writers import PACKET_FORMATS
from packwire.cli.commands.info import info
from packwire.cli.exit_codes import ExitCode
from tests.capture.builder import pcap
from tests.capture.test_redact import ADDRESS, CONNECTED, acl, advertising, command, event, local_name
from tests.capture.test_writers import packets
from tests.capture.vesc_session import ASK_BMS, VescSession, bms
from tests.cli.records import checked
from tests.cli.running import packwire
from tests.shared_data import CAPTURES, needs_captures


@pytest.fixture
def shown(capsys):
    def run(*files, **options):
        code = info(*files, **options)
        return code, capsys.readouterr().out

    return run


@pytest.fixture
def recorded(tmp_path):
    """Write HCI packets to a btsnoop file."""

    def write(*sent, cut=0):
        path = tmp_path / "session.btsnoop"
        with path.open("wb") as file:
            PACKET_FORMATS["btsnoop"](packets(list(sent), cut=cut), file)
        return path

    return write


def vesc(tmp_path, more=b""):
    path = tmp_path / "session.pcap"
    path.write_bytes(VescSession().open().ask(ASK_BMS).answer(bms()).pcap() + more)
    return path


def test_a_session(shown, tmp_path):
    code, text = shown(vesc(tmp_path))
    assert code == ExitCode.OK
    assert "session.pcap: pcap, 5 packets, 2 messages" in text
    assert "0.0 s from 2023-11-14 22:13:20 UTC" in text
    assert "tcp 10.0.0.2:65102 <-> 10.0.0.1:50000  -> 1 <- 1" in text


def test_a_damaged_one(shown, tmp_path):
    code, text = shown(vesc(tmp_path, b"\0" * 8))
    assert code == ExitCode.BAD_FILE
    assert "DAMAGED" in text
    assert "5 packets" in text


class TestNoData:
    """Each case says why, and what to do."""

    @pytest.mark.parametrize(
        ("sent", "cut", "why", "remedy"),
        [
            ([command(0x0C03, b""), event(0x0E, b"\x01\x03\x0c\x00")], 0, "only HCI commands and events", "PacketLogger"),
            ([advertising(ADDRESS, local_name(b"Anna"))] * 3, 0, "only advertising (3 reports of 1 devices)", "Open the app"),
            ([CONNECTED, *[acl(4, b"\x1b\x12\x00", size=33)] * 3], 30, "3 of 3 data packets were cut short", "not `Filtered`"),
            ([CONNECTED, acl(5, b"\x12\x01\x00\x00")], 0, "no ATT value and no RFCOMM", "vendor's app"),
        ],
    )  # fmt: skip
    def test_bluetooth(self, shown, recorded, sent, cut, why, remedy):
        code, text = shown(recorded(*sent, cut=cut))
        assert code == ExitCode.NO_DATA
        assert why in text
        assert remedy in text

    async def test_the_doctor_says_the_same(self, recorded):
        path = recorded(CONNECTED, acl(5, b"\x12\x01\x00\x00"))
        result = await packwire("doctor", "--log", str(path))
        assert "[not-recorded]" in result.out
        assert "VERDICT (likely)" in result.out  # packets that nobody understands may be the pack's
        assert "no ATT value and no RFCOMM" in result.out
        assert result.code == ExitCode.NO_DATA
        result = await packwire("doctor", "--log", str(recorded(command(0x0C03, b""))))
        assert "VERDICT: No battery's data is in it: only HCI commands" in result.out

    async def test_why_the_link_failed_comes_first(self, recorded):
        path = recorded(CONNECTED, event(0x05, b"\x00\x40\x00\x05"))  # disconnected: authentication failure
        result = await packwire("doctor", "--log", str(path))
        assert "[pairing-needed]" in result.out

    def test_nothing_at_all(self, shown, tmp_path):
        path = tmp_path / "empty.pcap"
        path.write_bytes(pcap([]))
        code, text = shown(path)
        assert code == ExitCode.NO_DATA
        assert "the recording holds no packets" in text

    def test_wifi(self, shown, tmp_path):
        path = tmp_path / "air.pcap"
        path.write_bytes(pcap(VescSession().open().packets, link_type=105))
        code, text = shown(path)
        assert code == ExitCode.NO_DATA
        assert "Wi-Fi frames" in text


class TestDevices:
    def test_they_are_named(self, shown, recorded):
        _, text = shown(recorded(advertising(ADDRESS, local_name(b"Anna\x1b")), CONNECTED))
        assert (
            'C4:05:04:03:02:01  LE  "Anna\N{REPLACEMENT CHARACTER}"  connected once  advertised once' in text
        )

    def test_they_are_made_up_when_asked_for(self, shown, recorded):
        _, text = shown(recorded(advertising(ADDRESS, local_name(b"Anna's van"))), redact=True)
        assert "C4:05" not in text
        assert "Anna" not in text
        assert "name-1" in text


def test_json(shown, recorded, tmp_path):
    path = vesc(tmp_path)
    code, text = shown(path, recorded(CONNECTED), json=True)
    first, second = checked(text)
    assert code == ExitCode.NO_DATA
    assert first["messages"] == 2
    assert first["channels"][0]["sizes"] == [1, len(bms())]
    assert first["advice"] == []
    assert second["devices"][0]["connections"] == 1
    assert set(second["advice"][0]) == {"what", "remedy"}


async def test_as_a_process(tmp_path):
    result = await packwire("info", "-", stdin=vesc(tmp_path).read_bytes())
    assert result.code == 0
    assert result.out.startswith("standard input: pcap")


@needs_captures
@pytest.mark.parametrize(
    "path",
    [
        path
        for path in sorted(CAPTURES.rglob("*"))
        if path.suffix in (".btsnoop", ".pcap", ".pcapng", ".pklg")
    ],
    ids=lambda path: path.name,
)
def test_every_real_recording(shown, path):
    code, text = shown(path)
    if path.suffix == ".pklg":
        assert code == ExitCode.NO_DATA
        assert "only HCI commands and events" in text
    elif path.parent.name == "vesc":
        assert code == ExitCode.OK
    assert "packets" in text
