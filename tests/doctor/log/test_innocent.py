"""Logs with an innocent explanation for what a sentence in them seems to prove: nothing in them is certain."""

import pytest

from packwire.check import Confidence
from packwire.doctor.log.examine import LogDiagnosis, diagnose_lines

PACK, OTHER = "02:11:22:33:44:01", "02:11:22:33:44:02"
HA = "(MainThread)"
#: What proves something where it stands last and alone, by the verdict's key.
PROOFS = {
    "gatt.duplicate-uuid": f"DEBUG {HA} [aiobmsble.bms.jikong_bms] (Pack) Multiple Characteristics with this UUID",
    "pairing-needed": (
        f"WARNING {HA} [aiobmsble.bms.jikong_bms] (Pack) Bluetooth GATT Error address={PACK} handle=5"
        " error=5 description=Insufficient authentication"
    ),
    "password-needed": f"ERROR {HA} [aiobmsble.bms.jbd_bms] (Pack) incorrect secret",
    "host.dbus-missing": (
        f"ERROR {HA} [homeassistant.components.bluetooth] DBus service not found; docker config may be missing"
    ),
    "host.permission": f"ERROR {HA} [bleak.backends] authentication failed: REJECTED: ['EXTERNAL']",
    "host.adapter-hung": (
        f"ERROR {HA} [habluetooth.scanner] hci0 (00:1A:7D:DA:71:13): adapter stopped responding;"
        " executing reset"
    ),
    "reader-bug.other": f"ERROR {HA} [custom_components.bms_ble] 'BMS' object has no attribute 'address'",
    "configuration": "WARNING [main] Unknown device type foo",
    "proxy.passive": f"WARNING {HA} [habluetooth.wrappers] {PACK} No connectable Bluetooth adapters",
}


def at(second: int, line: str) -> str:
    return f"2026-03-04 10:{second // 60:02d}:{second % 60:02d}.000 {line}"


def read(second: int, name: str = "Pack") -> str:
    line = (
        f"DEBUG {HA} [custom_components.bms_ble] Finished fetching {name} data in 1.2 seconds (success: True)"
    )
    return at(second, line)


def certain(found: LogDiagnosis) -> list[str]:
    sure = Confidence.CERTAIN
    return [each.key for each in (found.verdict, *found.others) if each.confidence is sure]


@pytest.mark.parametrize("key", PROOFS)
def test_a_proof_is_one_where_nothing_speaks_against_it(key: str):
    found = diagnose_lines("alone", [at(1, PROOFS[key])])
    assert certain(found) == [key]


@pytest.mark.parametrize("key", PROOFS)
def test_a_failure_after_which_values_are_read_is_over(key: str):
    for before in (0, 20):
        lines = [
            *map(read, range(before)),
            at(before, PROOFS[key]),
            *map(read, range(before + 1, before + 100)),
        ]
        assert not certain(diagnose_lines("over", lines))


@pytest.mark.parametrize("key", PROOFS)
def test_what_somebody_quotes_is_of_another(key: str):
    lines = ["Another user wrote:", f"> {at(1, PROOFS[key])}", f">> {PROOFS[key]}", "Mine gives no data:"]
    assert not certain(diagnose_lines("quote", lines))


@pytest.mark.parametrize("key", PROOFS)
@pytest.mark.parametrize(
    "writer", ["[custom_components.telegram_bot] he says: ", "[homeassistant.components.zha] "]
)
def test_what_another_integration_writes_is_of_another(key: str, writer: str):
    lines = [
        at(1, f"INFO {HA} {writer}{PROOFS[key].rpartition('] ')[2]}"),
        at(2, f"WARNING {HA} [custom_components.bms_ble] Pack: communication timed out"),
    ]
    assert not certain(diagnose_lines("other", lines))


@pytest.mark.parametrize("key", ["host.dbus-missing", "host.permission", "host.adapter-hung"])
def test_a_computer_through_which_one_pack_is_read_is_in_order_for_the_others(key: str):
    lines = [at(1, PROOFS[key])]
    for second in range(2, 40, 2):
        lines += [
            at(second, f"DEBUG {HA} [aiobmsble.bms.jbd_bms] (Pack|01) {PACK} BMS data sample"),
            at(second + 1, f"WARNING {HA} [aiobmsble.bms.jbd_bms] (B|02) {OTHER} communication timed out"),
        ]
    found = diagnose_lines("two", lines)
    assert len(found.devices) == 2
    for device in found.devices:
        assert all(each.confidence is not Confidence.CERTAIN for each in device.verdicts)


def test_ports_of_other_programs_tell_nothing_of_the_pack():
    lines = [
        "Mar 04 10:00:01 pi zigbee2mqtt[12]: Permission denied: '/dev/ttyACM0'",
        "Mar 04 10:00:02 pi gpsd[13]: Device or resource busy: '/dev/ttyUSB3'",
    ]
    assert not certain(diagnose_lines("journal", lines))


def test_a_pack_that_is_asked_was_not_left_out_of_the_configuration():
    lines = [
        at(1, "WARNING [main] Unknown device type foo"),
        at(2, f"INFO [sampling] connecting bms JbdBt({PACK},pack)"),
        at(3, "ERROR [sampling] pack error (#1): TimeoutError()"),
    ]
    assert not certain(diagnose_lines("batmon", lines))


def test_an_optional_characteristic_may_be_missing():
    lines = [
        at(
            1,
            f"DEBUG {HA} [bleak.backends] {PACK} Characteristic 00002a29-0000-1000-8000-00805f9b34fb was not found!",
        ),
        at(2, f"DEBUG {HA} [aiobmsble.bms.jbd_bms] - FFE1: Notify"),
        at(3, f"DEBUG {HA} [aiobmsble.bms.jbd_bms] - FFE2: Write"),
    ]
    assert not certain(diagnose_lines("optional", lines))


def test_pieces_of_frames_that_are_not_known_do_not_prove_how_a_reader_joins_them():
    lines = []
    for second in range(0, 40, 4):
        frame = bytes((second * 7 + place * 29) & 0xFF for place in range(50))
        for number, piece in enumerate((frame[:20], frame[20:40], frame[40:])):
            line = f"DEBUG {HA} [aiobmsble.bms.x_bms] (Pack) RX BLE data: {piece.hex()}"
            lines.append(at(second + number, line))
        line = f"DEBUG {HA} [aiobmsble.bms.x_bms] (Pack) invalid checksum 0x{second + 1:x} != 0x{second * 3 + 9:x}"
        lines.append(at(second + 3, line))
    assert not certain(diagnose_lines("pieces", lines))


def test_one_pack_of_several_that_is_off_does_not_make_its_address_wrong():
    lines = []
    for second in range(0, 30, 3):
        lines += [
            f"[10:00:{second:02d}][D][uart_debug:114]: >>> 01:03:00:00:00:01:84:0A",
            f"[10:00:{second + 1:02d}][D][uart_debug:114]: <<< 01:03:02:14:50:B7:E8",
            f"[10:00:{second + 2:02d}][D][uart_debug:114]: >>> 02:03:00:00:00:01:84:39",
        ]
    assert not certain(diagnose_lines("bus", lines))


def test_connections_that_end_unseen_are_no_two_clients():
    lines = [
        f"[10:00:01][I][bluetooth_proxy:100]: [0] [{PACK}] Connecting v3 without cache",
        f"[10:05:01][I][bluetooth_proxy:100]: [1] [{PACK}] Connecting v3 without cache",
    ]
    assert not certain(diagnose_lines("slots", lines))


#: Lines beside which another explanation stands, and the verdict's key that they must not bring.
INNOCENT = {
    "Home Assistant restarts once": (
        "ble.proxy-network",
        "[10:00:01][W][api.connection:083]: Home Assistant 2026.3.0 (192.0.2.7): Connection closed",
    ),
    "bluetoothctl tells of the program's own connection": (
        "ble.phantom-connection",
        f"[CHG] Device {PACK} Connected: yes",
    ),
    "layouts are tried one after the other": (
        "wrong-type-configured",
        (
            "10:00:01 WARNING [daly] tried rx/tx/sx uuids 17/15/48: Characteristic 17 was not found!\n"
            "10:00:02 INFO [sampling] shed: BmsSampl(70.0%,U=52.0V,I=1.00A,P=52W)"
        ),
    ),
    "one value is odd": (
        "protocol-variant",
        (
            "[10:00:01][I][jk_bms:071]: Status frame received\n"
            "[10:00:01][D][sensor:093]: 'shed min cell voltage': Sending state 100.00000 V with 3 decimals"
        ),
    ),
    "silence is told as a wrong checksum": (
        "serial.noise",
        (
            "E (2026-03-04 10:00:01) METER: Timeout: Serial=1, dataLen=0, available=0\n"
            "E (2026-03-04 10:00:02) BSC_SERIAL: ERROR: device=1, reason=Checksum wrong"
        ),
    ),
    "D-Bus answers oddly": (
        "serial.noise",
        "ERROR [bluetooth_adapters] Received an unexpected reply from Dbus while calling GetManagedObjects on org.bluez: x",
    ),
}


@pytest.mark.parametrize("why", INNOCENT)
def test_what_has_an_innocent_explanation_is_no_finding(why: str):
    key, lines = INNOCENT[why]
    found = diagnose_lines(why, lines.split("\n"))
    assert key not in {each.key for each in (found.verdict, *found.others)}


DENIED = "bleak.exc.BleakError: Bluetooth access is denied by the user for the current application."


@pytest.mark.parametrize(
    "innocent",
    [
        at(1, f"DEBUG {HA} [bleak_retry_connector] Pack - {PACK}: Connected after 1 attempts"),  # another way
        read(2),  # it was allowed meanwhile
        "> what it said yesterday",  # somebody's quotation of another machine
    ],
)
def test_access_that_was_denied_once_is_not_certain_where_bluetooth_works(innocent: str):
    lines = [DENIED, innocent] if innocent[0] != ">" else [f"> {DENIED}"]
    assert certain(diagnose_lines("denied", lines)) == []
    assert certain(diagnose_lines("denied", [DENIED])) == ["host.permission"]


def test_a_name_and_its_address_are_one_device_by_the_end_of_the_address():
    lines = [
        at(1, f"DEBUG {HA} [bleak_retry_connector] {PACK} - {PACK}: Connection attempt: 1"),
        at(2, f"DEBUG {HA} [aiobmsble.bms.tdt_bms] Shed|4401: TX BLE req #1 (WNR): 7e 00"),
        at(3, f"DEBUG {HA} [aiobmsble.bms.tdt_bms] Shed|4401: TX BLE request timed out."),
    ]
    assert [each.subject.key for each in diagnose_lines("one", lines).devices] == [PACK]
    lines.append(
        at(
            4,
            f"DEBUG {HA} [bleak_retry_connector] 02:AA:BB:CC:44:01 - 02:AA:BB:CC:44:01: Connection attempt: 1",
        )
    )
    assert len(diagnose_lines("two that end alike", lines).devices) > 1


LISTED = [
    at(3, f"DEBUG {HA} [aiobmsble.bms.redodo_bms] R-24|4401: discovered {uuid} (#3): ['{way}']")
    for uuid, way in (
        ("0000ff01-0000-1000-8000-00805f9b34fb", "notify"),
        ("0000ff02-0000-1000-8000-00805f9b34fb", "write"),
    )
]
MISSING = (
    "bleak.exc.BleakCharacteristicNotFoundError: Characteristic 0000ffe1-0000-1000-8000-00805f9b34fb was not"
    " found!"
)


def test_the_list_of_one_pack_does_not_prove_what_another_lacks():
    alone = diagnose_lines("alone", [*LISTED, MISSING])
    assert certain(alone) == ["wrong-type-matched"]
    other = at(10, f"DEBUG {HA} [aiobmsble.bms.jikong_bms] JK|5502: Connecting BMS")
    assert certain(diagnose_lines("two", [*LISTED, other, MISSING])) == []


def test_a_reader_that_fails_where_its_port_is_gone_has_no_proved_fault():
    begun = "INFO:root:Creating device on port /dev/ttyUSB0 (porttype=daly)"
    fault = (
        "WARNING:DalySerialIO:send_and_receive: Serial read error: unsupported operand type(s) for +=:"
        " 'NoneType' and 'bytes'"
    )
    gone = (
        "ERROR:serial:device reports readiness to read but returned no data (device disconnected or multiple"
        " access on port?)"
    )
    assert certain(diagnose_lines("alone", [begun, fault])) == ["reader-bug.other"]
    assert certain(diagnose_lines("unplugged", [begun, gone, fault])) == []


def polls(minutes: range, *, answered: bool) -> list[str]:
    said = f"DEBUG {HA} [aiobmsble.bms.jbd_bms] JBD|a4c1:"
    lines = []
    for minute in minutes:
        lines.append(at(minute * 60, f"{said} TX BLE data: dda50400fffc77"))
        if answered:
            lines.append(at(minute * 60, f"{said} RX BLE data: dd0400080d470d480d490d4afea277"))
    return lines


def test_a_log_that_ends_in_silence_is_no_healthy_one():
    assert diagnose_lines("well", polls(range(6), answered=True)).verdict.key == "ok"
    cut = [*polls(range(6), answered=True), *polls(range(6, 8), answered=False)]
    assert diagnose_lines("cut off", cut).verdict.key == "ok"
    silent = [*polls(range(6), answered=True), *polls(range(6, 12), answered=False)]
    assert diagnose_lines("silent", silent).verdict.key != "ok"


def test_what_worked_is_not_said_of_a_pack_that_only_was_connected_to():
    other = at(400, f"DEBUG {HA} [aiobmsble.bms.jikong_bms] JK|5502: Connecting BMS")
    found = diagnose_lines("two", [*polls(range(6), answered=True), read(390, "JBD"), other])
    keys = {each.subject.key: each.verdicts[0].key for each in found.devices}
    assert keys["JBD"] == "ok"
    assert keys["JK"] != "ok"


@pytest.mark.parametrize(("minutes", "confidence"), [(0, Confidence.LIKELY), (5, Confidence.POSSIBLE)])
def test_a_log_that_goes_on_for_long_without_values_is_only_possibly_well(minutes, confidence):
    lines = [*map(read, range(0, 300, 30)), at(300 + 60 * minutes, f"WARNING {HA} [custom] the pack is shy")]
    found = diagnose_lines("stopped", lines)
    assert (found.verdict.key, found.verdict.confidence) == ("ok", confidence)
    assert ("hold no values" in found.verdict.words) == bool(minutes)


@pytest.mark.parametrize(
    "text",
    [
        (
            "2026/03/04 13:00:01 [error] 12#12: *1 upstream timed out (110: Connection timed out) while reading"
            " response header from upstream\n2026/03/04 13:00:02 [error] connect() failed (111: Connection refused)"
        ),
        "usb 1-1: device not accepting address 5, error -71\nusb 1-1: device descriptor read/64, error -71",
        "git: error: RPC failed; curl 56 checksum mismatch\nfatal: the remote end hung up unexpectedly",
        "npm ERR! code EACCES\nnpm ERR! Error: EACCES: permission denied, open '/home/pi/.npm/_cacache'",
        (
            "terminate called after throwing an instance of 'vn::permission_denied'\n"
            "  what():  Permission denied for item."
        ),
    ],
)
def test_words_of_failures_that_speak_of_no_pack_say_nothing(text: str):
    assert diagnose_lines("log", text.splitlines()).verdict.key == "inconclusive"


def refused_frame(second: int, value: int) -> list[str]:
    data = bytes((0, 2)) + value.to_bytes(2)
    own = 0x10000 - sum(data)
    frame = bytes((0xDD, 0x04, *data)) + own.to_bytes(2) + b"w"
    return [
        f"[10:00:{second:02d}][VV][jbd_bms_ble:100]: Notification received: {frame.hex('.').upper()} (9)",
        f"[10:00:{second:02d}][W][jbd_bms_ble:200]: CRC check failed! 0x{own ^ 0x500:04X} != 0x{own:04X}",
    ]


def test_one_sum_that_is_refused_may_be_that_of_a_damaged_frame_that_is_not_shown():
    two = [*refused_frame(1, 0x0D47), *refused_frame(5, 0x0F48)]
    assert certain(diagnose_lines("two", two)) == ["reader-bug.checksum"]
    for one in (two[:2], two[:2] * 3):
        found = diagnose_lines("one", one)
        assert (found.verdict.key, certain(found)) == ("reader-bug.checksum", [])


@pytest.mark.parametrize(
    ("key", "innocent"),
    [
        ("configuration", at(2, f"DEBUG {HA} [aiobmsble.bms.x_bms] (Pack) invalid checksum 0x12 != 0x34")),
        *(
            (key, line)
            for key in ("host.dbus-missing", "host.permission")
            for line in (
                "DEBUG:SerialBattery:Testing DalyBms at /dev/ttyUSB0",
                "WARNING:SerialBattery:No reply - returning",
            )
        ),
    ],
)
def test_what_else_fails_or_is_wired_has_another_cause(key: str, innocent: str):
    assert certain(diagnose_lines("beside", [at(1, PROOFS[key]), innocent])) == []


INSUFFICIENT = "Mar 04 10:00:01 pi bluetoothd[512]: Encryption is insufficient for"


@pytest.mark.parametrize("whose", ["02:AA:BB:CC:DD:EE", "a headset"])
@pytest.mark.parametrize("connects", [True, False])
def test_another_device_that_wants_pairing_does_not_speak_of_the_pack(whose: str, connects: bool):
    lines = [
        f"{INSUFFICIENT} {whose}",
        at(2, f"DEBUG {HA} [bleak_retry_connector] Pack - {PACK}: Connection attempt: 1"),
        at(9, f"WARNING {HA} [custom_components.bms_ble] Pack: communication timed out"),
    ]
    assert certain(diagnose_lines("other", lines if connects else [lines[0], lines[2]])) == []
    assert certain(diagnose_lines("own", [f"{INSUFFICIENT} {PACK}"])) == ["pairing-needed"]


def test_a_device_that_the_computer_refuses_is_not_the_pack_that_fails():
    headphones = "Device AA:BB:CC:11:22:33 (public)\n\tName: Headphones\n\tPaired: no\n\tBlocked: yes"
    pack = (
        "10:00:00 INFO [sampling] connecting bms JKBt(C8:47:8C:00:00:02,jk)\n"
        "10:00:13 ERROR [sampling] jk error (#1): TimeoutError"
    )
    beside = diagnose_lines("log", f"{headphones}\n{pack}".splitlines())
    assert beside.verdict.key == diagnose_lines("log", pack.splitlines()).verdict.key
    assert diagnose_lines("log", headphones.splitlines()).verdict.key == "configuration"
