"""Why Bluetooth links ended, as the reasons in logs tell, and what is asked for where a log tells nothing."""

import pytest

from packwire.check import Confidence
from packwire.doctor.log.examine import LogDiagnosis, diagnose_lines

PACK, OTHER = "02:11:22:33:44:01", "02:11:22:33:44:02"
#: The pack's address as a proxy counts it.
NUMBER = int(PACK.replace(":", ""), 16)
ESP = "[12:00:{:02d}]"
HA = "2026-03-04 10:00:{:02d}.000 {} (MainThread) "
CONNECTED = f"{ESP}[I][esp32_ble_client:110]: [0] [{PACK}] 0x00 Connecting"


def diagnosed(*lines: str) -> LogDiagnosis:
    return diagnose_lines(
        "link", [line.replace("{:02d}", f"{second:02d}") for second, line in enumerate(lines)]
    )


def causes(found: LogDiagnosis) -> list[str]:
    return [each.kind for each in found.verdict.causes]


@pytest.mark.parametrize(
    ("reason", "first"), [("0x13", "pairing-needed"), ("0x08", "ble.weak-signal"), ("0x3d", "pairing-needed")]
)
def test_the_reason_of_bluedroid_tells_who_ended_a_link(reason: str, first: str):
    found = diagnosed(CONNECTED, f"{ESP}W (9120) BT_HCI: hcif disc complete: hdl 0x0, rsn {reason}")
    assert found.verdict.key == first
    assert found.verdict.confidence is not Confidence.CERTAIN


@pytest.mark.parametrize(("reason", "sure"), [("0x06", Confidence.LIKELY), ("0x3d", Confidence.POSSIBLE)])
def test_a_key_that_is_missing_tells_more_than_a_check_that_failed(reason: str, sure: Confidence):
    found = diagnosed(CONNECTED, f"{ESP}W (9120) BT_HCI: hcif disc complete: hdl 0x0, rsn {reason}")
    assert (found.verdict.key, found.verdict.confidence) == ("pairing-needed", sure)


def test_the_reason_of_this_end_blames_nobody():
    found = diagnosed(CONNECTED, f"{ESP}W (9120) BT_HCI: hcif disc complete: hdl 0x0, rsn 0x16")
    assert found.verdict.key == "inconclusive"


def test_nimble_that_could_not_connect_never_had_a_link():
    found = diagnosed("Connecting to the battery over NimBLE", "onDisconnect: disconnected, reason=574")
    assert "ble.weak-signal" in causes(found)
    assert "password-needed" not in causes(found)


def test_a_proxy_that_counts_the_pack_itself_holds_what_nobody_reads():
    lines = [
        f"{HA.format(second, 'DEBUG')}[bleak_esphome.backend.scanner] garage [02:00:00:00:00:0A]:"
        f" BLE connection limits: used=1 free=0 limit=1 allocated=[{NUMBER}]"
        for second in range(2)
    ]
    fails = (
        f"{HA.format(3, 'WARNING')}[custom_components.bms_ble] Pack: {PACK}: No backend with an available"
        " connection slot that can reach address was found"
    )
    found = diagnosed(*lines, fails)
    assert "ble.phantom-connection" in causes(found)


def test_a_request_that_is_ignored_as_the_link_stands_is_one_nobody_knows():
    line = f"{ESP}[W][bluetooth_proxy:265]: [0] [{PACK}] Connection request ignored, state: ESTABLISHED"
    assert diagnosed(line, line).verdict.key == "ble.phantom-connection"


def test_the_daemon_that_ends_is_a_fault_of_the_host():
    found = diagnosed(
        f"Mar 04 10:00:01 pi batmon[91]: INFO [sampling] connecting {PACK}",
        "Mar 04 10:00:02 pi systemd[1]: bluetooth.service: Main process exited, code=killed, status=11/SEGV",
    )
    assert found.verdict.key == "host.adapter-hung"
    assert found.verdict.confidence is not Confidence.CERTAIN


def test_a_secret_that_failed_before_values_came_is_no_cause():
    wrong = f"{HA.format(1, 'ERROR')}[aiobmsble.bms.jbd_bms] (Pack) incorrect secret"
    good = (
        f"{HA.format(2, 'DEBUG')}[custom_components.bms_ble] Finished fetching Pack data in 1.2 seconds"
        " (success: True)"
    )
    assert diagnosed(wrong).verdict.key == "password-needed"
    assert diagnosed(wrong, *[good] * 20).verdict.ok


def test_an_integration_that_is_not_known_is_read_where_it_is_alone():
    strange = f"{HA.format(1, 'ERROR')}[custom_components.garage_cells] Battery: checksum mismatch in frame"
    known = f"{HA.format(2, 'DEBUG')}[custom_components.bms_ble] Finished fetching Pack data (success: True)"
    alone = diagnosed(strange)
    assert alone.verdict.confidence is Confidence.POSSIBLE
    assert alone.verdict.key != "inconclusive"
    assert diagnosed(strange, known).verdict.ok


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("the pack shows no values since Monday", "debug"),
        ("battery on /dev/ttyUSB0, and nothing is shown", "wired"),
        (f"{HA.format(1, 'DEBUG')}[custom_components.bms_ble] setting up Pack", "app"),
    ],
)
def test_a_log_that_tells_nothing_asks_for_what_would(line: str, words: str):
    found = diagnosed(line)
    assert found.verdict.key == "inconclusive"
    assert any(words in each for each in found.verdict.open)
    assert any("maker" in each for each in found.verdict.open)


@pytest.mark.parametrize("integration", ["bluetti_bt", "roof_inverter", "ef_ble"])
def test_what_counts_no_answer_as_a_success_is_no_healthy_log(integration: str):
    head = f"{HA.format(1, 'DEBUG')}[custom_components.{integration}.coordinator] "
    good = f"{head}Finished fetching Cellar data in 1.200 seconds (success: True)"
    assert diagnosed(good, f"{head}Fetching Cellar data recovered").verdict.key == "inconclusive"


def test_a_round_in_which_nothing_was_asked_read_nothing():
    head = f"{HA.format(1, 'DEBUG')}[custom_components.bms_ble] Finished fetching Pack data in "
    assert diagnosed(f"{head}1.200 seconds (success: True)").verdict.ok
    assert not diagnosed(f"{head}0.000 seconds (success: True)").verdict.ok


@pytest.mark.parametrize(
    ("words", "kind"), [("over BLE", "protocol-variant"), ("on /dev/ttyUSB0", "serial.wiring")]
)
def test_answers_of_zeros_are_told_by_the_way_that_they_come(words: str, kind: str):
    found = diagnosed(f"reading the battery {words}", f"answer: {bytes(8)!r}")
    assert found.verdict.key == kind
