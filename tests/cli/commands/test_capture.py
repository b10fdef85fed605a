"""`packwire capture`: steps, recordings with stand-ins for adb and btmon, and the procedure for a switch."""

import asyncio
import io
import os
import sys
import zipfile

import pytest

from packwire.capture import open_capture
from packwire.capture.writers import PACKET_FORMATS
from packwire.cli.commands.capture import capture
from packwire.cli.exit_codes import ExitCode
from packwire.cli.recording.guides import GUIDES
from packwire.cli.recording.states import assign, diff_arguments, parse_states
from packwire.errors import BadOptionError
from tests.capture.test_redact import CONNECTED, acl
from tests.capture.test_writers import packets
from tests.capture.vesc_session import ASK_BMS, ASK_VERSION, VescSession, bms, version
from tests.cli.running import COMMAND, packwire

#: Behaves like adb as far as packwire uses it; the bug report is a file made by the test.
ADB = """#!{python}
import os, shutil, sys
words = sys.argv[1:]
if words == ["devices"]:
    print("List of devices attached")
    print(os.environ.get("PHONE", "R58M\\tdevice"))
elif words[2:4] == ["shell", "getprop"]:
    print(os.environ.get("MODE", "full"))
elif words[2] == "bugreport":
    if "REPORT" not in os.environ:
        sys.exit("Failed to get bugreport")
    shutil.copy(os.environ["REPORT"], words[3])
"""

#: Behaves like tcpdump and dumpcap: writes what the test made, then waits to be stopped.
RECORDER = """#!{python}
import os, shutil, sys, time
if "FAIL" in os.environ:
    sys.exit("you do not have permission")
shutil.copy(os.environ["RECORDING"], sys.argv[sys.argv.index("-w") + 1])
time.sleep(30)
"""


def visits(volts: float, times: int = 4) -> bytes:
    talk = VescSession().open()
    for _ in range(times):
        talk.ask(ASK_BMS).answer(bms(volts)).wait(1)
    return talk.pcap()


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return a folder to work in, in which `bin` is all there is on PATH."""
    (tmp_path / "bin").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


@pytest.fixture
def stand_in(place):
    def install(name, text):
        path = place / "bin" / name
        path.write_text(text.format(python=sys.executable))
        path.chmod(0o755)

    return install


@pytest.mark.parametrize("system", GUIDES)
async def test_the_steps_of_each_system(place, system):
    result = await packwire("capture", system)
    assert result.code == 0
    assert result.out.startswith(GUIDES[system].title)
    assert "packwire info" in result.out


class TestNetwork:
    async def test_a_recording_is_made_and_checked(self, place, stand_in):
        stand_in("tcpdump", RECORDER)
        (place / "made.pcap").write_bytes(visits(80.0))
        result = await packwire("capture", "network", "--seconds", "1", RECORDING=str(place / "made.pcap"))
        assert result.code == 0, result.err
        assert (place / "network-1.pcap").exists()
        assert "good: 8 messages" in result.out

    async def test_enter_ends_it(self, place, stand_in):
        stand_in("dumpcap", RECORDER)
        (place / "made.pcap").write_bytes(visits(80.0))
        process = await asyncio.create_subprocess_exec(
            *COMMAND, "capture", "network",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"RECORDING": str(place / "made.pcap")},
        )  # fmt: skip
        async with asyncio.timeout(90):
            while not (place / "network-1.pcapng").exists():
                await asyncio.sleep(0.05)
            out, _ = await process.communicate(b"\n")
        assert process.returncode == 0
        assert b"good: 8 messages" in out

    async def test_a_recorder_that_fails(self, place, stand_in):
        stand_in("tcpdump", RECORDER)
        result = await packwire("capture", "network", "--seconds", "5", FAIL="1")
        assert result.code == ExitCode.UNREACHABLE
        assert "permission" in result.err

    async def test_the_wrong_device(self, place):
        (place / "made.pcap").write_bytes(visits(80.0))
        result = await packwire("capture", "--from", "made.pcap", "--device", "AA:BB")
        assert result.code == ExitCode.NO_DATA
        assert "not this device" in result.out


class TestAndroid:
    @pytest.mark.parametrize(
        ("phone", "words"),
        [
            ("", "sees no phone"),
            ("R58M\tunauthorized", "accept USB debugging"),
            ("a\tdevice\nb\tdevice", "2 phones"),
        ],
    )
    async def test_phones_that_are_not_ready(self, place, stand_in, phone, words):
        stand_in("adb", ADB)
        result = await packwire("capture", "android", PHONE=phone)
        assert result.code == ExitCode.UNREACHABLE
        assert words in result.err

    async def test_a_filtered_log_is_refused(self, place, stand_in):
        stand_in("adb", ADB)
        result = await packwire("capture", "android", MODE="filtered", stdin=b"\n")
        assert result.code == ExitCode.USAGE
        assert "still filtered" in result.err
        assert "Enable Bluetooth HCI snoop log" in result.out

    async def test_no_report_arrives(self, place, stand_in):
        stand_in("adb", ADB)
        result = await packwire("capture", "android", stdin=b"\n")
        assert result.code == ExitCode.BAD_FILE
        assert "Failed to get bugreport" in result.err

    async def test_the_log_is_taken_out_of_the_report(self, place, stand_in):
        stand_in("adb", ADB)
        log = place / "log"
        with log.open("wb") as file:
            PACKET_FORMATS["btsnoop"](packets([CONNECTED, acl(4, b"\x1b\x12\x00\xdd\x03\x00\x77")]), file)
        with zipfile.ZipFile(place / "report.zip", "w") as archive:
            archive.write(log, "FS/data/misc/bluetooth/logs/btsnoop_hci.log")
        result = await packwire(
            "capture", "android", "--device", "c4:05", stdin=b"\n", REPORT=str(place / "report.zip")
        )
        assert result.code == 0, result.err
        assert open_capture(place / "android-1.btsnoop").packets.size.tolist() == [22, 16]
        assert "good: 1 messages" in result.out


class TestSwitch:
    def test_states(self):
        assert parse_states("on, off") == ("on", "off")
        for text in ("on", "on,on", "on,", "a=b,c"):
            with pytest.raises(BadOptionError):
                parse_states(text)
        given = assign(("on", "off"), ("a", "b", "c", "d"))
        assert given == {"on": ["a", "c"], "off": ["b", "d"]}
        assert diff_arguments(given) == ["diff", "--state", "on=a,c", "--state", "off=b,d"]
        with pytest.raises(BadOptionError, match="3 recordings for 2 states"):
            assign(("on", "off"), ("a", "b", "c"))

    def test_a_session_that_does_not_repeat_itself_is_refused(self, place):
        (place / "a.pcap").write_bytes(visits(80.0, times=2))
        with pytest.raises(BadOptionError, match="nothing from the device recurs"):
            capture(states="on,off", recordings=[place / "a.pcap", place / "a.pcap"])

    def test_a_session_with_other_pages_is_refused(self, place):
        (place / "a.pcap").write_bytes(visits(80.0))
        other = VescSession().open()
        for _ in range(4):
            other.ask(ASK_VERSION).answer(version())
        (place / "b.pcap").write_bytes(other.pcap())
        with pytest.raises(BadOptionError, match="does not repeat"):
            capture(states="on,off", recordings=[place / "a.pcap", place / "b.pcap"])

    async def test_what_differs_is_found(self, place):
        names = [f"{state}-{number}.pcap" for number in (1, 2) for state in ("on", "off")]
        for name in names:
            (place / name).write_bytes(visits(80.0 if name.startswith("on") else 81.0))
        result = await packwire("capture", "--states", "on,off", "--from", *names)
        assert result.code == 0, result.err
        assert "good on: on-1.pcap" in result.out
        assert "packwire diff --state on=on-1.pcap,on-2.pcap --state off=off-1.pcap,off-2.pcap" in result.out
        assert "bytes 2 to 4" in result.out

    def test_nobody_answers(self, place, monkeypatch):
        monkeypatch.setattr("sys.stdin", io.StringIO())
        with pytest.raises(BadOptionError, match="nobody answers"):
            capture(states="on,off")


def test_no_system_and_no_file():
    with pytest.raises(BadOptionError, match="say where the app runs"):
        capture()
