"""Logs with a known cause: those of public threads that lie beside the repository, and our own."""

import json
from pathlib import Path

import pytest

from packwire.check import Confidence
from packwire.doctor.log.ask import SETTLES
from packwire.doctor.log.examine import LogDiagnosis, diagnose_file, diagnose_lines
from tests.shared_data import CAUSES, needs_causes

OWN = Path(__file__).resolve().parent.parent.parent / "data" / "logs"
INDEX = json.loads((OWN / "index.json").read_text())
SHARED = sorted(CAUSES.glob("*.log"))


def kinds(found: LogDiagnosis) -> list[str]:
    return [each.kind for each in found.verdict.causes]


def check(found: LogDiagnosis, kind: str, decidable: bool | str, others: tuple[str, ...] = ()) -> None:
    """Hold a verdict against what became known; `others` are what the log allows as well."""
    verdict = found.verdict
    if decidable is True:
        assert verdict.key == kind
        return
    assert verdict.confidence is not Confidence.CERTAIN
    assert verdict.key in kinds(found)
    assert set(kinds(found)) & {kind, *others}
    assert verdict.open, "what does not decide must say what to ask for"


@needs_causes
@pytest.mark.parametrize("log", SHARED, ids=lambda log: log.stem)
def test_logs_of_public_threads(log: Path):
    told = json.loads(log.with_suffix(".json").read_text())
    found = diagnose_file(log)
    # Of one, the log says nothing of the battery: the way to its reader is all that it tells.
    others = ("ble.proxy-network",) if told["kind"] == "serial.wiring" else ()
    check(found, told["kind"], told["decidable_from_log"], others)


@pytest.mark.parametrize("name", INDEX, ids=str)
def test_our_own_logs(name: str):
    told = INDEX[name]
    found = diagnose_file(OWN / f"{name}.log")
    check(found, told["kind"], told["decidable"], tuple(told.get("or", ())))


@pytest.mark.parametrize("name", [name for name, told in INDEX.items() if told.get("first")], ids=str)
def test_the_likeliest_cause_is_told_first(name: str):
    assert diagnose_file(OWN / f"{name}.log").verdict.key == INDEX[name]["kind"]


@pytest.mark.parametrize("name", INDEX, ids=str)
def test_nothing_is_certain_where_only_a_line_is_left(name: str):
    """Half of the lines of a log that does not decide decide no more."""
    if INDEX[name]["decidable"] is True:
        return
    lines = (OWN / f"{name}.log").read_text().splitlines()
    for begin in range(len(lines)):
        found = diagnose_lines(name, lines[begin : begin + 1])
        assert found.verdict.confidence is not Confidence.CERTAIN or found.verdict.key == INDEX[name]["kind"]


def test_a_wrong_setting_is_not_the_whole_where_the_adapter_is_gone_too():
    lines = [
        (
            "08:20:01 ERROR [main] Error discovering devices: [org.freedesktop.DBus.Error.UnknownObject] Method"
            ' "SetDiscoveryFilter" with signature "a{sv}" on interface "org.bluez.Adapter1" doesn\'t exist'
        ),
        "08:20:02 WARNING [__init__] Unknown device type {'address': '02:00:00:00:00:0B', 'type': 'ACME'}",
    ]
    found = diagnose_lines("two", lines)
    assert found.verdict.confidence is not Confidence.CERTAIN
    assert {found.verdict.key, *(other.key for other in found.others)} >= {
        "configuration",
        "host.adapter-hung",
    }


def test_every_kind_says_what_settles_it():
    told = {told["kind"] for told in INDEX.values()} - {"ok", "inconclusive"}
    assert told <= set(SETTLES)


def test_an_empty_log_tells_nothing():
    found = diagnose_lines("nothing", ["", "hello", ""])
    assert found.verdict.key == "inconclusive"
    assert found.verdict.open


def test_a_healthy_pack_beside_a_silent_one_hides_nothing():
    """What one device says does not speak for another."""
    ok = "02:11:22:33:44:01"
    bad = "02:11:22:33:44:02"
    lines = []
    for second in range(10, 50, 10):
        at = f"2026-03-04 10:00:{second}.000"
        lines += [
            f"{at} DEBUG (MainThread) [bleak_retry_connector] A - {ok}: Connected after 1 attempts",
            (
                f"{at} DEBUG (MainThread) [habluetooth.wrappers] {bad} - B: Found 1 connection path(s), preferred"
                " order: x (02:AA:00:00:00:01) (RSSI=-50) (failures=0) (in_progress=0) (slots=0/3 free) (score=-127)"
            ),
            (
                f"{at} DEBUG (MainThread) [bleak_retry_connector] {bad} - {bad}: Failed to connect: No backend with an"
                f" available connection slot that can reach address {bad} was found (attempt: 1)"
            ),
        ]
    found = diagnose_lines("two", lines)
    assert found.device == bad
    assert found.verdict.key == "ble.no-free-slot"


def test_debug_that_is_on_is_not_asked_for():
    lines = (OWN / "silent-after-connecting.log").read_text().splitlines()
    lines.append("2026-03-04 10:00:13.000 DEBUG (MainThread) [habluetooth.wrappers] x")
    asked = diagnose_lines("debug", lines).verdict.open
    assert not any("debug" in each and "logger" in each for each in asked)


@pytest.mark.parametrize("name", ["page-of-logs-time-out-only", "esp-client-without-its-address"])
def test_what_has_to_be_switched_on_is_asked_for_by_its_exact_lines(name: str):
    asked = diagnose_file(OWN / f"{name}.log").verdict.open
    assert any("logger:" in each and ("debug" in each or "VERY_VERBOSE" in each) for each in asked)


def test_what_the_log_holds_already_is_not_asked_for():
    asked = diagnose_file(OWN / "slots-none-free-on-two-proxies.log").verdict.open
    asked += tuple(
        line
        for each in diagnose_file(OWN / "slots-full-but-adapters-paused.log").others
        for line in each.open
    )
    assert not any("connection path(s) .. (slots=" in each for each in asked)


def _found(name: str) -> LogDiagnosis:
    return diagnose_file(OWN / f"{name}.log")


def test_the_pack_that_never_connects_is_named_though_another_one_works():
    found = _found("one-read-another-only-connecting")
    assert found.device == "02:11:22:00:00:02"
    assert "Another pack is read" in found.verdict.words
    assert found.verdict.confidence is Confidence.POSSIBLE


@pytest.mark.parametrize(
    "name", ["can-pack-that-sends", "can-pack-that-sends-stamped", "can-printed-with-labels"]
)
def test_a_healthy_pack_that_sends_on_can_is_read(name: str):
    words = _found(name).verdict.words
    assert "53.22 V" in words
    assert "77 %" in words.replace("77.0 %", "77 %").replace("77%", "77 %")


def test_identifiers_of_nobody_are_named():
    lines = ["(1767225600.000000) can0 6A1#0102030405060708", "(1767225600.100000) can0 6A2#0102"]
    found = diagnose_lines("foreign", lines)
    assert found.verdict.key == "inconclusive"
    assert "0x6a1" in found.verdict.words


def test_sections_of_tail_speak_of_the_device_of_their_file():
    lines = [
        "==> /var/log/north/current <==",
        "2026-03-04 10:00:00.000000500 INFO:SerialBattery:Init of Jkbms_Ble at 02:11:22:00:00:01",
        "==> /var/log/south/current <==",
        "2026-03-04 10:00:00.000000500 INFO:SerialBattery:Init of Jkbms_Ble at 02:11:22:00:00:02",
        "==> /var/log/north/current <==",
        "2026-03-04 10:00:05.000000500 INFO:SerialBattery:Connection established to Jkbms_Ble",
        "==> /var/log/south/current <==",
        "2026-03-04 10:00:09.000000500 ERROR:SerialBattery:>>> ERROR: Unable to connect with BLE device",
    ]
    told = {each.subject.key: each.subject.told.keys() for each in diagnose_lines("tail", lines).devices}
    assert "found-driver" in told["02:11:22:00:00:01"]
    assert "found-driver" not in told["02:11:22:00:00:02"]


def test_words_of_unknown_programs_decide_nothing_where_a_known_one_speaks():
    lines = (OWN / "healthy-esphome.log").read_text().splitlines()
    found = diagnose_lines("both", [*lines, "other: no response from /dev/ttyUSB7"])
    assert found.verdict.key == "ok"
