"""Texts that are no log of a pack, or of one that is well: what is told of them is true of them."""

import pytest

from packwire.check import Confidence
from packwire.doctor.log.examine import diagnose_lines
from tests.doctor.log.test_innocent import HA, OTHER, PACK, PROOFS, at, certain, read


@pytest.mark.parametrize("key", PROOFS)
@pytest.mark.parametrize(
    "text",
    [
        "# Troubleshooting\n- `{}`: see below",
        "## 1.4.2\n- Fixed: {} after an update",
        'logger:\n  default: warning\n# what to do about "{}"',
        'if error:\n    log.warning("{}")',
        'Where packs need it, the first request fails with "{}" and the app asks.',
    ],
)
def test_what_is_written_about_a_sentence_is_no_log(key: str, text: str):
    sentence = PROOFS[key].rpartition("] ")[2].replace('"', "'")
    found = diagnose_lines("manual", text.format(sentence).split("\n"))
    assert all(each.confidence is Confidence.POSSIBLE for each in (found.verdict, *found.others))


#: Logs in which no values of a pack are read.
OF_NO_PACK = {
    "a thermometer on an ESP": "[10:00:01][D][sensor:093]: 'Hall': Sending state 21.50000 °C with 1 decimals",
    "an inverter's integration": at(
        1,
        f"DEBUG {HA} [custom_components.solar_modbus] Finished fetching roof data in 1.2 seconds (success: True)",
    ),
}


@pytest.mark.parametrize("why", OF_NO_PACK)
def test_values_of_something_else_make_no_pack_well(why: str):
    assert diagnose_lines(why, [OF_NO_PACK[why]] * 5).verdict.key != "ok"


def test_a_thermometer_beside_a_pack_that_fails_hides_no_fault():
    lines = []
    for second in range(0, 50, 2):
        lines.append(
            f"[10:00:{second:02d}][D][sensor:093]: 'Hall': Sending state 21.50000 °C with 1 decimals"
        )
        lines.append(
            f"[10:00:{second + 1:02d}][W][esp32_ble_client:100]: [0] [{PACK}] Connection open error, status=133"
        )
    assert "ble.weak-signal" in {each.kind for each in diagnose_lines("both", lines).verdict.causes}


@pytest.mark.parametrize(
    "line",
    [
        "checksum error counter: 0 (battery)",
        "[   16.012345] i2c_hid touchpad: report descriptor checksum error, battery unknown",
        at(
            1,
            f"WARNING {HA} [homeassistant.components.yalexs_ble] Door: org.bluez.Error.AuthenticationFailed",
        ),
        at(1, f"WARNING {HA} [custom_components.lamp] {OTHER}: le-connection-abort-by-local"),
        "[10:00:01][C][bluetooth_proxy:082]:   Active: NO",
        f"Device {OTHER} (public)\n\tName: Headphones\n\tConnected: yes\nFailed to connect: br-connection-busy",
    ],
)
def test_what_may_be_of_anything_is_at_most_possible(line: str):
    found = diagnose_lines("log", line.split("\n"))
    assert all(each.confidence is Confidence.POSSIBLE for each in (found.verdict, *found.others))


@pytest.mark.parametrize("failed", [1, 2])
def test_a_hiccup_among_many_readings_is_told_with_both_counts(failed: int):
    error = f"WARNING {HA} [custom_components.bms_ble] Pack: communication timed out"
    lines = [
        *map(read, range(60)),
        *(at(60 + each, error) for each in range(failed)),
        *map(read, range(70, 130)),
    ]
    found = diagnose_lines("hiccup", lines)
    assert (found.verdict.key, found.verdict.confidence) == ("ok", Confidence.POSSIBLE)
    assert "120 times" in found.verdict.words
    assert diagnose_lines("at its end", lines[: 60 + failed]).verdict.key != "ok"


def test_a_headset_that_fails_to_pair_while_a_pack_is_read_says_nothing_of_the_pack():
    refused = "Mar 04 10:00:20 pi bluetoothd[9]: src/device.c:device_bonding_failed() Pairing failed"
    found = diagnose_lines("two", [*map(read, range(20)), refused, *map(read, range(21, 40))])
    assert found.verdict.key == "ok" or found.verdict.confidence is Confidence.POSSIBLE


def test_one_of_two_packs_that_is_never_found_is_told_before_the_one_that_is_well():
    lines = [
        at(1, f"INFO [sampling] connecting bms JbdBt({PACK},shed)"),
        at(1, f"INFO [sampling] connecting bms JbdBt({OTHER},boat)"),
    ]
    for second in range(2, 40, 2):
        lines.append(at(second, "INFO [sampling] shed: BmsSampl(70.0%,U=52.1V,I=-1.20A,P=-62W)"))
        lines.append(at(second + 1, f"ERROR [sampling] boat error (#1): BleakDeviceNotFoundError('{OTHER}')"))
    found = diagnose_lines("two", lines)
    assert (found.device, found.verdict.key) == (OTHER, "phone-app-holds-it")


@pytest.mark.parametrize(
    "way", [f"INFO {HA} [aioesphomeapi.reconnect_logic] Successfully connected to porch"]
)
def test_a_host_without_bluetooth_may_read_through_proxies(way: str):
    lines = [at(1, PROOFS["host.dbus-missing"]), at(2, way)]
    assert certain(diagnose_lines("proxies", lines)) == []


def test_another_adapter_than_the_one_that_hangs_may_hear_the_pack():
    way = (
        f"DEBUG {HA} [habluetooth.wrappers] {PACK} - Pack: Found 1 connection path(s), preferred order: hci1"
        " (00:1A:7D:DA:71:14) (RSSI=-60) (failures=0) (slots=3/3 free)"
    )
    assert certain(diagnose_lines("adapters", [at(1, PROOFS["host.adapter-hung"]), at(2, way)])) == []


def test_a_module_that_is_missing_may_be_named_by_a_wrong_setting():
    lines = [at(1, "INFO [main] start"), "ModuleNotFoundError: No module named 'bmslib.models.foo'"]
    assert certain(diagnose_lines("module", lines)) == []


@pytest.mark.parametrize(
    "key", sorted(PROOFS.keys() - {"proxy.passive"})
)  # that one names a device of its own
def test_what_was_told_once_and_then_read_many_times_is_no_trouble(key: str):
    lines = [*map(read, range(10)), at(10, PROOFS[key]), *map(read, range(11, 60))]
    assert diagnose_lines("over", lines).verdict.key == "ok"


def test_a_port_that_another_program_finds_taken_is_not_the_one_of_a_pack_that_is_read():
    busy = "Mar 04 10:10:00 pi ModemManager[50]: could not open (/dev/ttyUSB1): Device or resource busy"
    found = diagnose_lines("modem", [*map(read, range(20)), busy])
    assert found.verdict.confidence is not Confidence.CERTAIN
    assert found.verdict.key == "ok" or found.verdict.confidence is Confidence.POSSIBLE
