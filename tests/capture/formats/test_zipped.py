"""Zip archives: the capture inside is found, wherever a phone puts it; bombs and damage are not believed."""

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.capture.formats import gzipped, unpacked
from packwire.capture.text.lines import lines
from packwire.errors import BadFileError
from tests.capture.builder import EPOCH, Recorded, pcap, read
from tests.capture.formats.bluetooth_files import (
    EPOCH_US,
    YEAR_0_US,
    btsnoop,
    btsnoop_record,
    btsnooz,
    btsnooz_body,
)

LOG = btsnoop([btsnoop_record(b"\1abc", YEAR_0_US + EPOCH_US)] * 5)
SECTION = btsnooz(btsnooz_body([(0x20, 0, b"abc")] * 3), before=b"dumpstate\n" * 1000)


def archive(method=zipfile.ZIP_DEFLATED, **files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    "place",
    ["FS/data/misc/bluetooth/logs/btsnoop_hci.log", "FS/data/log/bt/btsnoop_hci_202601.cfa", "a.pcap"],
)
def test_the_capture_inside_is_found(place):
    packets = read(archive(**{"main.txt": SECTION, place: LOG}))
    assert len(packets) == 5
    assert place in packets.format
    assert packets.format.startswith("btsnoop in a zip archive")
    assert packets.damage == ()


def test_of_several_a_bluetooth_log_is_taken_and_of_those_the_largest():
    other = pcap([Recorded(EPOCH, bytes(500))] * 20)
    small = btsnoop([btsnoop_record(b"\1abc", YEAR_0_US + EPOCH_US)])
    packets = read(archive(**{"x.pcap": other, "d/btsnoop_hci.log.last": small, "d/btsnoop_hci.log": LOG}))
    assert len(packets) == 5
    assert packets.damage == ("2 other captures in the archive are not read: d/btsnoop_hci.log.last, x.pcap",)


def test_without_a_log_the_section_in_the_text_is_read():
    packets = read(archive(**{"version.txt": b"1.0", "bugreport-x.txt": SECTION, "FS/pic.png": b"\x89PNG"}))
    assert len(packets) == 3
    assert "bugreport-x.txt" in packets.format


def test_a_text_log_alone_in_an_archive_is_read():
    assert len(read(archive(**{"log.txt": b"TX dd 03\nRX dd 04\n"}))) == 2


def test_an_archive_with_nothing_in_it_says_how_to_record():
    with pytest.raises(
        BadFileError, match="no capture among its 1 files: .* switch on the Bluetooth HCI snoop"
    ):
        read(archive(**{"bugreport.txt": b"dumpstate"}))


def test_all_texts_are_taken_where_any_will_do():
    files = {
        "one.log": "BMS ä\n".encode("utf-16"),
        "two.txt": b"no answer",
        "shot.png": b"\x89PNG\r\n\x1a\n\0",
    }
    data, how, damage = unpacked(np.frombuffer(archive(**files), dtype=np.uint8), any_text=True)
    assert list(lines(data)) == ["==> one.log <==", "BMS ä", "==> two.txt <==", "no answer"]
    assert "one.log, two.txt" in how
    assert damage == ("1 other file in the archive is not read: shot.png",)


@pytest.mark.parametrize("name", ["FS/a.txt", "AndroidManifest.xml", "[Content_Types].xml"])
def test_the_texts_of_a_bug_report_an_app_or_a_document_are_no_logs(name: str):
    with pytest.raises(BadFileError, match="no capture"):
        unpacked(np.frombuffer(archive(**{name: b"dumpstate"}), dtype=np.uint8), any_text=True)


def test_of_a_bomb_the_beginning_is_kept(monkeypatch):
    monkeypatch.setattr(gzipped, "FREE_EXPANDED", 1 << 20)
    packets = read(archive(**{"a.log": LOG + bytes(3 << 20)}))
    assert len(packets)
    assert packets.damage[0].startswith(
        "a.log unpacks to more than 1048576 bytes: what follows them is left out; unpack it yourself"
    )


def test_a_directory_that_claims_too_much_is_not_read():
    data = bytearray(archive(**{"a.log": LOG}))
    data[-10:-6] = b"\xff\xff\xff\x7f"
    with pytest.raises(BadFileError, match="too many files"):
        read(bytes(data))


def test_methods_that_cannot_be_bounded_are_left_alone():
    with pytest.raises(BadFileError, match="no capture"):
        read(archive(zipfile.ZIP_BZIP2, **{"a.log": LOG}))


def test_truncation_is_said():
    data = archive(**{"a.log": LOG})
    for size in range(4, len(data)):
        with pytest.raises(BadFileError, match="cut off at offset"):
            read(data[:size])


@given(st.data())
def test_bit_flips_never_crash(data):
    whole = bytearray(archive(**{"a.log": LOG, "b.txt": SECTION}))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        read(bytes(whole))
    except BadFileError as error:
        assert "\n" not in str(error)
