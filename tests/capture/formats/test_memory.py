"""Small files that hold millions of tiny packets or lines are cut off: none takes more than 170 MB.

What packwire has in memory before it opens a file, and its models, some 30 MB, are not counted.
"""

import gzip
import io
import struct
import subprocess
import sys
import zipfile

import pytest

#: In a process of its own, whose memory is looked at: VmHWM counts from where the program begins, or 5 is said.
READ = """
import sys
from pathlib import Path
from packwire.capture import open_capture
from packwire.capture.content import look
from packwire.capture.readings import all_models

def kilobytes(of):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(of))

models = all_models()
Path("/proc/self/clear_refs").write_text("5")
before = kilobytes("VmRSS")

capture = open_capture(sys.argv[1])
look(capture)
print(len(capture.packets))
print(kilobytes("VmHWM") - before)
print(*capture.damage, sep="\\n")
"""

BTSNOOP = b"btsnoop\0" + struct.pack(">II", 1, 1002)
PCAPNG = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28) + struct.pack(
    "<IIHHII", 1, 20, 187, 0, 0, 20
)


def _record(data):
    return struct.pack(">IIIIq", len(data), len(data), 1, 0, 0x00DC_DDB3_0F2F_8000) + data


def _notification(value):
    return b"\x02" + struct.pack("<HHHHBH", 0x2040, len(value) + 7, len(value) + 3, 4, 0x1B, 16) + value


#: Millions of records, in the shortest form that each format has.
FLOODS = {
    "empty btsnoop records": BTSNOOP + _record(b"") * 1_000_000,
    "empty notifications": BTSNOOP + _record(_notification(b"")) * 700_000,
    "pieces of no frame": BTSNOOP
    + _record(_notification(bytes.fromhex("dd0300000000 77"))) * 3_000
    + _record(_notification(b"\xdd")) * 700_000,
    "empty pcap records": struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 187)
    + struct.pack("<IIII", 1, 1, 0, 0) * 1_500_000,
    "simple pcapng blocks": PCAPNG + struct.pack("<IIII", 3, 16, 0, 16) * 1_500_000,
    "pcapng blocks": PCAPNG + struct.pack("<8I", 6, 32, 0, 0, 0, 0, 0, 32) * 800_000,
    "empty PacketLogger records": struct.pack(">IIIB", 9, 1_600_000_000, 0, 3) * 2_000_000,
    "lines of hex": b"00\n" * 30_000_000,
}


def _att(pdu):
    return b"\x02" + struct.pack("<HHHH", 0x2040, len(pdu) + 4, len(pdu), 4) + pdu


def _pcap(link_type, packets):
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link_type)
    return header + b"".join(struct.pack("<IIII", 1, 1, len(each), len(each)) + each for each in packets)


def _segment(port, seq, data):
    tcp = struct.pack(">HHIIBBHHH", port, 65102, seq, 0, 0x50, 16, 1000, 0, 0) + data
    addresses = bytes((127, 0, 0, 1)) * 2
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + addresses + tcp


VESC = bytes.fromhex("020104408403")

#: Few packets or many, of which a reader that keeps an object for each thing in them would make much.
CROWDS = {
    "values in one notification": lambda: BTSNOOP + _record(_att(b"\x23" + b"\x10\0\0\0" * 120)) * 4_000,
    "parts of long writes": lambda: (
        BTSNOOP
        + b"".join(
            _record(_att(b"\x16" + struct.pack("<HH", each, 0) + b"\1" if each % 4096 else b"\x18\1"))
            for each in range(60_000)
        )
    ),
    "VESC connections": lambda: _pcap(101, (_segment(each, each, VESC) for each in range(60_000, 63_000))),
    "TCP connections with other bytes": lambda: _pcap(
        101, (_segment(each, each, b"\2\1\4\0\0\3") for each in range(60_000))
    ),
    "holes in a TCP stream": lambda: _pcap(
        101, (_segment(1, (each ^ 1) * 6, b"\1\2") for each in range(200_000))
    ),
}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("crowd", CROWDS)
def test_what_is_in_the_packets_takes_little_memory(crowd, tmp_path):
    file = tmp_path / "crowd.gz"
    file.write_bytes(gzip.compress(CROWDS[crowd](), 1))
    out = subprocess.run(
        [sys.executable, "-c", READ, str(file)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert int(out[0]) >= 3_000
    assert int(out[1]) < 170 << 10


def _zip(data):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("btsnoop_hci.log", data)
    return packed.getvalue()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("flood", "pack"),
    [*((name, lambda data: gzip.compress(data, 1)) for name in FLOODS), ("empty notifications", _zip)],
)
def test_a_small_file_takes_little_memory(flood, pack, tmp_path):
    file = tmp_path / "flood"
    file.write_bytes(pack(FLOODS[flood]))
    assert file.stat().st_size < 1 << 20
    out = subprocess.run(
        [sys.executable, "-c", READ, str(file)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    packets, kilobytes, damage = int(out[0]), int(out[1]), out[2:]
    assert packets > 300_000
    assert kilobytes < 170 << 10
    assert any("left out" in line for line in damage)
