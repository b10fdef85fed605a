"""Texts of no pack, failures that are over, counters and settings: what they say of a pack, they do not prove."""

from pathlib import Path

import pytest

from packwire.check import Confidence
from packwire.doctor.log.examine import LogDiagnosis, diagnose_file, diagnose_lines

PORT = "could not open port /dev/ttyUSB7: [Errno 13] Permission denied: '/dev/ttyUSB7'"
GONE = "[Errno 2] could not open port /dev/ttyACM3: No such file or directory"


def judged(*lines: str) -> LogDiagnosis:
    return diagnose_lines("log", [each for line in lines for each in line.split("\n")])


def told(found: LogDiagnosis) -> set[str]:
    """Return what is more than possible."""
    possible = Confidence.POSSIBLE
    return {each.key for each in (found.verdict, *found.others) if each.confidence is not possible}


DOCUMENTS = {
    "a page": (
        f"# Shed monitor\n## If it fails\n- **no values**: swap A and B\n- `{PORT}`: join dialout\n"
        "- **can0 bus-off**: look at the ends"
    ),
    "what changed": "# Changes\n## 2.1\n- Fixed: Modbus exception Illegal data address\n- Added: a retry for "
    + PORT,
    "source": (
        "import serial\nclass Shed:\n    def read(self):\n        try:\n"
        '            raise OSError("device disconnected or multiple access on port?")\n        except OSError:\n'
        '            logger.error("Response not from requested slave")'
    ),
    "settings": "; nothing comes: >>> No port specified\n[shed]\n; see the manual\nports =\nbms = jbd",
    "YAML": "modbus:\n  # Illegal data address: ask for less\n  - name: shed\nuart:\n  id: two",
}


@pytest.mark.parametrize("what", DOCUMENTS)
def test_a_page_or_source_code_only_speaks_of_failures(what: str):
    assert told(judged(DOCUMENTS[what])) == set()


def test_a_page_that_holds_a_log_is_judged_by_the_log():
    assert "host.permission" in told(judged("# It fails\n## Log", f"2026-03-04 10:00:01 ERROR shed: {PORT}"))
    assert "host.permission" in told(judged(PORT))


@pytest.mark.parametrize(
    "line",
    [
        f"mcu 'mcu': Unable to open serial port: {GONE}",
        f"Mar 04 10:00:01 pi zigbee2mqtt[12]: {GONE}",
        f"gpsd:ERROR: SER: {PORT}",
        (
            "2026-03-04 10:00:00,100 - octoprint.util.comm - ERROR - device reports readiness to read but"
            " returned no data (device disconnected or multiple access on port?)"
        ),
    ],
)
def test_the_log_of_a_printer_or_the_like_tells_no_more_than_what_may_be(line: str):
    assert told(judged(line)) == set()


@pytest.mark.parametrize(
    "failure",
    [
        "SerialException: (device disconnected or multiple access on port?)",
        "Error: NAK",
        "Exception Response(131, 3, IllegalAddress)",
    ],
)
def test_what_failed_once_before_values_are_read_is_over(failure: str):
    assert told(judged(f"2026-03-04 09:59:00 ERROR {failure}"))
    values = [
        f"2026-03-04 10:{minute:02d}:00 battery_voltage: a whole frame was received" for minute in range(3)
    ]
    assert told(judged(f"2026-03-04 09:59:00 ERROR {failure}", *values)) <= {"ok"}


@pytest.mark.parametrize(
    "line",
    [
        "shed bms: no response: 0, crc errors: 0, rx error count: 0",
        'shed bms: {"read timeout": 2 s}',
        "shed battery: read timeout = 500ms",
    ],
)
def test_a_counter_that_is_zero_and_a_setting_are_no_failures(line: str):
    assert judged(line).verdict.key == "inconclusive"


def test_a_counter_that_counts_tells_of_failures():
    assert judged("shed bms: no response: 12").verdict.key != "inconclusive"


@pytest.mark.parametrize(
    "line",
    [
        "ERROR shop: Failed to get data from api.example.com",
        "updater: the firmware on the connected device is too old",
        '[E][WiFiClient.cpp:258] connect(): socket error on fd 48, "Software caused connection abort"',
    ],
)
def test_words_that_others_use_as_well_are_none_of_a_pack(line: str):
    assert judged(line).verdict.key == "inconclusive"


def dump(second: int, unit: int, *, answered: bool) -> list[str]:
    texts = {1: ("01:03:00:00:00:01:84:0A", "01:03:02:14:50:B7:78"), 2: ("02:03:00:00:00:01:84:39", "")}
    asked, answer = texts[unit]
    lines = [f"[10:00:{second:02d}][D][uart_debug:114]: >>> {asked}"]
    return lines + [f"[10:00:{second + 1:02d}][D][uart_debug:114]: <<< {answer}"] * answered


def test_one_address_of_several_that_is_silent_may_be_that_of_another_device():
    both = [
        line
        for at in range(0, 48, 4)
        for line in dump(at, 1, answered=True) + dump(at + 2, 2, answered=False)
    ]
    found = judged(*both)
    assert found.verdict.key == "wrong-address"
    assert told(found) == set()
    assert judged(*(line for at in range(0, 48, 4) for line in dump(at, 1, answered=True))).verdict.ok


PACK = [
    f"({1772618400 + second:.6f}) can0 {frame}"
    for second in range(0, 40, 2)
    for frame in ("355#5400640020D0", "356#78140C00D200", "35E#50594C4F4E202020")
]


def test_an_error_frame_among_those_of_a_pack_does_not_say_that_nobody_acknowledges():
    error = "(1772618417.000000) can0 20000004#0010000000000000"
    found = judged(*PACK[:20], error, *PACK[20:])
    assert (found.verdict.key, found.verdict.confidence) == ("ok", Confidence.POSSIBLE)


@pytest.mark.parametrize(
    "before", ["can1: Network is down", "RTNETLINK answers: Operation not permitted", "can state STOPPED"]
)
def test_an_interface_on_which_a_pack_is_heard_is_there(before: str):
    assert told(judged(before))
    assert judged(before, *PACK).verdict.ok


def test_an_interface_whose_frames_are_counted_is_not_called_empty():
    state = "    can state ERROR-ACTIVE (berr-counter tx 0 rx 0) restart-ms 100"
    counted = "    RX: bytes  packets  errors  dropped missed  mcast\n    103408     12926    0       0       0       0"
    assert judged(state).verdict.key == "can.no-answer"
    assert judged(state, counted).verdict.key == "inconclusive"


def test_values_beside_a_refused_frame_are_told():
    values = [f"2026-03-04 10:{minute:02d}:00 a whole frame was received" for minute in range(9)]
    found = judged(*values, "2026-03-04 10:09:30 ERROR: Incorrect Reply", *values)
    assert "Values are read" in found.verdict.words


def test_one_odd_reply_in_a_steady_polling_accuses_nobody(tmp_path: Path):
    lines = []
    for second in range(0, 40, 2):
        lines += [
            f"2026-03-04 10:00:{second:02d}.000 TX: 01 03 00 00 00 01 84 0a",
            f"2026-03-04 10:00:{second:02d}.100 RX: 01 03 02 14 50 b7 78",
        ]
    lines[10:10] = [
        "2026-03-04 10:00:09.900 TX: 01 03 20 00 00 04 4f c9",
        "2026-03-04 10:00:09.950 RX: 01 83 02 c0 f1",
    ]
    file = tmp_path / "poll.log"
    file.write_text("\n".join(lines))
    found = diagnose_file(file)
    assert judged(*lines).verdict.ok
    assert found.verdict.ok
    assert "or a meter" in found.verdict.words  # so does any device that speaks Modbus


def test_a_line_behind_a_blank_one_is_not_of_the_program_that_spoke_before():
    known = "DEBUG (MainThread) [custom_components.bms_ble] Pack: communication timed out"
    fault = "AttributeError: 'BMS' object has no attribute 'address'"
    for lines in ([known, "", fault], [f"+{fault}"]):
        found = judged(*lines)
        assert all(each.confidence is not Confidence.CERTAIN for each in (found.verdict, *found.others))
