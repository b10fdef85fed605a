"""Opening files: names in errors, pipes, and nothing computed before it is asked for."""

import io
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

import packwire
from packwire.capture import Capture, open_capture
from packwire.cli.exit_codes import ExitCode, exit_code_of
from packwire.errors import BadFileError
from tests.capture.builder import pcap
from tests.capture.vesc_session import ASK_BMS, VescSession, bms

DATA = pcap(VescSession().open().ask(ASK_BMS).answer(bms()).packets)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "session.pcap"
    path.write_bytes(DATA)
    return path


def test_a_file(file):
    capture = open_capture(file)
    assert capture.name == str(file)
    assert capture.format == "pcap"
    assert len(capture.packets) == 5
    assert len(capture.connections) == 1
    assert list(capture.messages.payloads()) == [ASK_BMS, bms()]
    assert capture.damage == ()
    assert repr(capture) == f"Capture({str(file)!r}: pcap, 5 packets)"


def test_packwire_offers_it_itself(file):
    assert packwire.open_capture is open_capture
    assert packwire.Capture is Capture
    assert "open_capture" in dir(packwire)
    with pytest.raises(AttributeError, match="no attribute 'close_capture'"):
        packwire.close_capture  # noqa: B018


def test_importing_packwire_does_not_import_numpy():
    code = "import sys, packwire; assert packwire.__version__; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_file_is_mapped_and_not_copied(file):
    data = open_capture(file).packets.data
    assert not data.flags.writeable
    assert not data.flags.owndata


def test_layers_are_computed_once(file):
    capture = open_capture(file)
    assert capture.connections is capture.connections
    assert capture.vesc is capture.vesc


def test_standard_input(file, monkeypatch):
    with file.open("rb") as piped:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=piped))
        capture = open_capture("-")
    assert capture.name == "standard input"
    assert len(capture.packets) == 5


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe(tmp_path, file):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cp", file, pipe]):
        assert len(open_capture(pipe).packets) == 5


def test_what_is_piped_in_has_a_bound(file, monkeypatch):
    monkeypatch.setattr("packwire.capture.open.MAX_PIPED", 10)
    with file.open("rb") as piped:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=piped))
        with pytest.raises(BadFileError, match="standard input: more than 10 bytes"):
            open_capture("-")


def test_errors_say_which_file_and_what_to_do(tmp_path):
    empty, text = tmp_path / "empty.pcap", tmp_path / "notes.pcap"
    empty.touch()
    text.write_text("not a capture")
    for path, words in (
        (tmp_path / "missing.pcap", "there is no such file"),
        (tmp_path, "this is a directory"),
        (empty, "the file is empty"),
        (text, "save the recording as pcap"),
    ):
        with pytest.raises(BadFileError, match=words) as caught:
            open_capture(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert exit_code_of(caught.value.reason) == ExitCode.BAD_FILE


def test_a_damaged_file_says_so_and_keeps_the_rest(tmp_path):
    path = tmp_path / "cut.pcap"
    path.write_bytes(DATA[:-1])
    capture = open_capture(path)
    assert len(capture.packets) == 4
    assert "packets 1 to 4 are kept" in capture.damage[0]


def test_a_standard_input_without_a_descriptor(monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(DATA)))
    with pytest.raises(BadFileError, match="cannot be opened"):
        open_capture("-")
