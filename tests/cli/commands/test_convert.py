"""`packwire convert`: other formats, and nothing that should not leave the house."""

import pytest

from packwire.capture import open_capture
from packwire.cli.commands.convert import convert
from packwire.cli.exit_codes import ExitCode
from packwire.errors import BadFileError, BadOptionError
from packwire.vesc.secrets import mask_payload
from tests.capture.builder import EPOCH
from tests.cli.commands.test_messages import SECRETS
from tests.shared_data import ROOT

DATA = ROOT / "tests" / "data" / "vesc"
SOURCES = sorted(DATA.glob("*.pcap*"))


@pytest.mark.parametrize("suffix", ["pcap", "pcapng", "csv", "parquet"])
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_no_secret_leaves_the_house(tmp_path, capsys, source, suffix):
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    target = tmp_path / f"out.{suffix}"
    assert convert(source, target) == ExitCode.OK
    content = target.read_bytes()
    for secret in ("TESTPACK", *SECRETS):
        assert secret.encode() not in content
        assert secret.encode().hex().encode() not in content
    assert "masked: " in capsys.readouterr().err


@pytest.mark.parametrize("suffix", ["pcap", "pcapng"])
def test_the_conversation_stays(tmp_path, suffix):
    source = DATA / "own-client-timeouts.pcap"
    target = tmp_path / f"out.{suffix}"
    convert(source, target)
    was, now = open_capture(source), open_capture(target)
    assert [mask_payload(each) for each in was.messages.payloads()] == list(now.messages.payloads())
    assert was.messages.time.tolist() == now.messages.time.tolist()
    assert was.messages.packets.tolist() == now.messages.packets.tolist()


def test_as_it_is(tmp_path, capsys):
    target = tmp_path / "out.pcap"
    convert(DATA / "no-bms.pcap", target, keep_secrets=True)
    assert open_capture(target).packets.time[0] > EPOCH
    assert b"vesc6wifi" in target.read_bytes()
    assert "do not share" in capsys.readouterr().err


def test_a_damaged_source_is_written_as_far_as_it_goes(tmp_path, capsys):
    source = tmp_path / "cut.pcap"
    source.write_bytes((DATA / "no-bms.pcap").read_bytes()[:-5])
    assert convert(source, tmp_path / "out.pcapng") == ExitCode.BAD_FILE
    assert len(open_capture(tmp_path / "out.pcapng").packets) == 202
    assert "DAMAGED" in capsys.readouterr().err


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path):
    source = tmp_path / "in.pcap"
    source.write_bytes((DATA / "no-bms.pcap").read_bytes())
    with pytest.raises(BadOptionError, match="write pcapng"):
        convert(source, tmp_path / "out.btsnoop")
    with pytest.raises(BadOptionError, match="source itself"):
        convert(source, source)
    with pytest.raises(BadFileError, match="cannot be written"):
        convert(source, tmp_path / "no" / "out.pcap")
    assert [path.name for path in tmp_path.iterdir()] == ["in.pcap"]
