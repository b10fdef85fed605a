"""Another recording behind the first in one file is said, and the first is read whole."""

import io

import pytest

from packwire.capture import open_capture
from packwire.capture.writers import PACKET_FORMATS
from tests.capture.test_writers import packets


def _file(name, count=5):
    file = io.BytesIO()
    source = packets(
        [b"\x02abcdefgh" + bytes([at]) for at in range(count)], [1_700_000_000_000_000_000] * count
    )
    PACKET_FORMATS[name](source, file)
    return file.getvalue()


@pytest.mark.parametrize("second", ["btsnoop", "pcap", "pcapng"])
@pytest.mark.parametrize("first", ["btsnoop", "pcap", "pcapng"])
def test_a_second_file_behind_the_first_is_said(first, second, tmp_path):
    path = tmp_path / "two"
    head = _file(first)
    path.write_bytes(head + _file(second, 3))
    capture = open_capture(path)
    said = " ".join((*capture.damage, *capture.notes))
    assert (
        f"another recording{'' if first == second == 'pcapng' else f' ({second})'} begins at offset {len(head)}"
        in said
    )
    assert len(capture.packets) == (8 if first == second == "pcapng" else 5)
    assert len(capture.damage) + len(capture.notes) == 1


def test_a_second_file_behind_a_torn_one(tmp_path):
    path = tmp_path / "two"
    torn = _file("btsnoop")[:-7]
    path.write_bytes(torn + _file("btsnoop"))
    capture = open_capture(path)
    assert len(capture.packets) == 4
    assert f"begins at offset {len(torn)}" in capture.damage[0]


def test_other_damage_is_said_as_before(tmp_path):
    path = tmp_path / "one"
    path.write_bytes(_file("btsnoop") + b"\xff" * 40)
    assert open_capture(path).damage[0].endswith("packets 1 to 5 are kept, what follows is lost")
