"""Which layers a recording needs, its link types say: the table holds what the layers themselves say."""

import subprocess
import sys

from packwire.capture.layers import BLUETOOTH, CAN, IP, bluetooth, le_link, link
from packwire.capture.packets import LINKTYPE_CAN_SOCKETCAN
from tests.capture.formats.bluetooth_files import btsnoop, btsnoop_record


def test_the_table_has_the_link_types_that_the_layers_read():
    assert set(bluetooth._FINDERS) | set(le_link.LINK_TYPES) == BLUETOOTH
    assert set(link._LINKS) == IP
    assert {LINKTYPE_CAN_SOCKETCAN} == CAN


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
