"""A recording of a live pack: what is in it, what is not, and that nothing is overwritten."""

import stat

import pytest

from packwire.address import parse_address
from packwire.capture.open import open_capture
from packwire.cli.commands.record import record
from packwire.cli.recording.links import begin
from packwire.device import open_device
from packwire.errors import BadFileError, BadOptionError
from tests.cli.running import packwire
from tests.device.test_aiobmsble import jbd_with_pin
from tests.link.ble.fake_air import installed, jbd_pack

URL = "ble://A4:C1:38:00:00:01"


def test_a_pack_with_bluetooth_and_without_its_pin(tmp_path, capsys):
    out = tmp_path / "x.btsnoop"
    with installed(jbd_with_pin("48151623")):
        assert record(f"{URL}?pin=48151623", out=out, every=0.01, count=3) == 0
    assert b"48151623" not in out.read_bytes()
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert not list(tmp_path.glob(".*.part"))
    said = capsys.readouterr()
    assert f"packwire read replay:{out}" in said.err
    assert "48151623" not in said.err + said.out
    capture = open_capture(out)
    assert capture.damage == ()
    assert b"\xdd\xa5\x03" in b"".join(capture.raw_messages.payloads())


def test_with_its_secrets_where_that_is_wanted(tmp_path):
    out = tmp_path / "x.btsnoop"
    with installed(jbd_with_pin("48151623")):
        record(f"{URL}?pin=48151623", out=out, every=0.01, count=1, keep_secrets=True)
    assert b"48151623" in out.read_bytes()


async def test_a_connection_that_is_lost_goes_on_in_the_same_file(tmp_path):
    out = tmp_path / "x.btsnoop"
    made = begin(parse_address(URL), out, keep_secrets=False, force=False)
    for _ in range(2):
        with installed(jbd_pack()):
            async with open_device(URL, observers=made.observers()) as device:
                await device.read()
    made.finish()
    made.finish()
    capture = open_capture(out)
    assert len(capture.bluetooth.links) == 2


@pytest.mark.parametrize(
    ("url", "name", "words"),
    [(URL, "x.pcapng", "named with .btsnoop"), ("vesc://127.0.0.1", "x.btsnoop", "named with .pcapng")],
)
def test_a_name_that_says_another_format(tmp_path, url, name, words):
    with pytest.raises(BadOptionError, match=words):
        begin(parse_address(url), tmp_path / name, keep_secrets=False, force=False)


def test_nothing_is_written_over_unasked(tmp_path):
    out = tmp_path / "x.btsnoop"
    out.write_text("mine")
    with pytest.raises(BadOptionError, match="is there already"):
        begin(parse_address(URL), out, keep_secrets=False, force=False)
    with pytest.raises(BadFileError, match="cannot be written"):
        begin(parse_address(URL), tmp_path / "no" / "x.btsnoop", keep_secrets=False, force=False)
    assert out.read_text() == "mine"


async def test_a_stream_of_a_model_keeps_its_frames(tmp_path):
    out = tmp_path / "x.pcapng"
    result = await packwire("record", "sim:jbd", "-o", str(out), "--count", "2", "--every", "0.1")
    assert result.code == 0
    again = await packwire("watch", f"replay:{out}")
    assert again.code == 0
    assert "the recording" in again.err
    assert again.out.count("SoC") == 2


async def test_a_recording_that_is_over_ends_well(tmp_path):
    out = tmp_path / "x.pcapng"
    await packwire("record", "sim:vesc", "-o", str(out), "--count", "2", "--every", "0.1")
    again = await packwire("watch", f"replay:{out}", "--json")
    assert again.code == 0


@pytest.mark.parametrize("url", ["serial:/dev/ttyNOTHERE7?model=jbd", "vesc://127.0.0.1:1"])
async def test_of_what_never_answered_no_file_is_kept(tmp_path, url):
    out = tmp_path / "x.pcapng"
    result = await packwire("record", url, "-o", str(out), "--for", "5")
    assert result.code == 3
    assert "x.pcapng: nothing passed, and no file is kept" in result.err
    assert "replay:" not in result.err
    assert not out.exists()
    assert not list(tmp_path.glob("*.part"))
