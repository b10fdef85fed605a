"""CAN logs from public reports, which lie beside the repository: what is right is in their INDEX.md."""

import pytest

from packwire.capture.open import open_capture
from packwire.capture.packets import NO_TIME
from tests.shared_data import SHARED

CASES = SHARED / "cases"

pytestmark = pytest.mark.skipif(not CASES.exists(), reason="../shared/cases is not here")

RIGHT = {
    "04-canhacker-ms.log": [(-1, "can 0x07a", "0000d311ce780000"), (-1, "can 0x07b", "7fffcc4400000000")],
    "05-rx0-short-id.log": [
        (-1, "can 0x226", "0030000000000000"),
        (-1, "can 0x039", "7ffe040000000000"),
        (1, "can 0x226", "0031000000000000"),
    ],
    "11-text-with-nul.txt": [(0, "can 0x1d4", "a06d000042064060")],
    "14-candump-no-interface.txt": [
        (0, "can 0x309", "40"),
        (0, "can 0x025", "00"),
        (0, "can 0x008", "000003000000"),
    ],
    "20-candump-tz-times.txt": [(0, "can 0x355", "3e006400"), (0, "can 0x356", "0a0211ffbe00")],
    "forms/a-dbus-serialbattery-can.log": [(-1, "can 0x18904002", "010d00007566032b")],
    "forms/e-bms-to-inverter.log": [(-1, "uart", "a5019508040cd70cd40cd800ee")],
    "forms/j-mcp2515-arduino.txt": [(0, "can 0x351", "440264009cff3f02")],
    "forms/l-savvycan-gvret.csv": [(-1, "can 0x13b", "000008000000004c")],
    "forms/m-pcan.trc": [(-1, "can 0x355", "3e006400")],
}
#: Seconds since the first message.
TIMES = {
    "04-canhacker-ms.log": [0, 0.010],
    "05-rx0-short-id.log": [0, 0.01, 0.11],
    "20-candump-tz-times.txt": [0, 0.100234],
}


@pytest.mark.parametrize("name", RIGHT)
def test_each_case_is_read_rightly(name):
    if not (CASES / name).exists():
        pytest.skip("this case is not here")
    capture = open_capture(CASES / name)
    messages = capture.messages
    assert [
        (
            int(messages.direction[row]),
            str(messages.channels[messages.channel[row]]),
            messages.payload(row).hex(),
        )
        for row in range(len(messages))
    ] == RIGHT[name]
    assert capture.damage == ()
    if name in TIMES:
        assert (messages.time != NO_TIME).all()
        assert [(time - messages.time[0]) / 1e9 for time in messages.time.tolist()] == TIMES[name]
