"""Which layers a recording needs, its link types say: the table holds what the layers themselves say."""

import subprocess
import sys

import pytest

from packwire.capture.links import HCI, LINKS, Layer, numbers, reader
from packwire.capture.packets import LINKTYPE_CAN_SOCKETCAN
from tests.capture.formats.bluetooth_files import btsnoop, btsnoop_record


@pytest.mark.parametrize("number", LINKS)
def test_what_reads_a_link_type_is_there(number):
    layer = LINKS[number].layer
    of_its_own = layer not in (Layer.IP, *HCI)
    assert (reader(number, layer) is None) is of_its_own
    assert reader(number, Layer.NOTHING) is None


def test_every_link_type_is_of_one_layer():
    assert numbers(*Layer) == LINKS.keys()
    assert numbers(Layer.CAN) == {LINKTYPE_CAN_SOCKETCAN}


def test_a_bluetooth_recording_loads_no_other_layers(tmp_path):
    file = tmp_path / "log.btsnoop"
    att = b"\x1b\x11\x00\xdd\x03"
    file.write_bytes(
        btsnoop([btsnoop_record(b"\x02\x40\x20\x09\x00\x05\x00\x04\x00" + att, 10**15, 1, 0, 14)])
    )
    code = (
        "import sys; from packwire.capture import open_capture;"
        "assert len(open_capture(sys.argv[1]).messages) == 1;"
        "loaded = {name.rpartition('.')[2] for name in sys.modules if name.startswith('packwire.capture')};"
        "assert not loaded & {'tcp', 'ip', 'vesc', 'can', 'isotp', 'pcap', 'pcapng', 'hexlines'}, loaded"
    )
    subprocess.run([sys.executable, "-c", code, str(file)], check=True)
