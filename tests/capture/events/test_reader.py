"""Reading a log into events: every sentence is found, whatever else stands in the log; nothing grows without bound."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.capture.events import reader
from packwire.capture.events.index import SAYINGS, finder, key_of
from packwire.capture.events.reader import read_events
from packwire.event import EventKind

FIND = finder()
A, B = "02:11:22:33:44:01", "02:11:22:33:44:02"


@pytest.mark.parametrize("row", SAYINGS, ids=lambda row: f"{row.code} {row.anchor}"[:50])
def test_the_index_finds_what_a_plain_search_finds(row):
    for line in (f"10:00:00 x {row.anchor} y", f"{row.anchor}", f"[{row.anchor}]"):
        assert row in FIND(line)


def test_an_anchor_that_begins_within_a_word_is_found_in_both_cases():
    assert [row.code for row in FIND("the Characteristic FFE1 was not found")]
    assert [row.code for row in FIND("a characteristic FFE1 was not found")]
    assert key_of("haracteristic ") == "haracteristic"


@given(st.text(max_size=300))
def test_any_line_is_read(line: str):
    log = read_events([line])
    assert log.lines == 1


@given(st.sampled_from(SAYINGS), st.text(max_size=80), st.text(max_size=80))
def test_any_line_with_a_sentence_is_read(row, before: str, behind: str):
    log = read_events([before + row.anchor + behind, before + row.anchor + behind])
    assert sum(each.count for each in log.subjects.values()) % 2 == 0


@given(st.sampled_from(SAYINGS), st.sampled_from(["a", " ", "0", ":", "(", "'", "[", "0x", "-", ", "]))
def test_no_pattern_takes_long(row, filler: str):
    """A line is cut where it is longer than any sentence; patterns are bounded within."""
    read_events([(filler * 4096)[:4000] + row.anchor + filler * 4096])


def test_no_pattern_is_without_bound():
    unbounded = re.compile(r"(?<!\\)(?:\)|\]|\.)[*+][^?]*(?:\)|\]|\.)[*+]")
    assert not [row.code for row in SAYINGS if row.pattern and unbounded.search(row.pattern.pattern)]


def test_what_is_kept_of_a_long_log_is_bounded():
    many = (
        f"10:00:{n % 60:02} ERROR 02:00:{n >> 16 & 255:02X}:{n >> 8 & 255:02X}:{n & 255:02X}:01 {'Connection attempt: 1' if n % 2 else 'Connected after 1 attempts'}"
        for n in range(30_000)
    )
    log = read_events(many)
    assert len(log.subjects) <= reader.MAX_SUBJECTS + 1
    assert len(log.timeline) <= 2 * reader.MAX_EVENTS
    assert log.left_out == 30_000 - 2 * reader.MAX_EVENTS
    assert sum(each.count for each in log.subjects.values()) >= 30_000


def test_what_is_told_of_a_name_belongs_to_its_address():
    log = read_events(
        [
            f"2026-03-04 10:00:00.000 DEBUG (MainThread) [custom_components.bms_ble] P1: advertisement: {{'name': 'P1', 'address': '{A}', 'rssi': -60}}",
            "2026-03-04 10:00:01.000 DEBUG (MainThread) [aiobmsble.bms.daly_bms] P1|4401: TX BLE request timed out.",
            f"2026-03-04 10:00:02.000 DEBUG (MainThread) [bleak_retry_connector] {B} - {B}: Connection attempt: 1",
        ]
    )
    assert set(log.subjects) == {A, B}
    assert log.subjects[A].told["request-timeout"].count == 1
    assert log.subjects[A].plugins == {"daly": 1}
    assert log.subjects[A].told["seen"].kind is EventKind.SEEN


def test_an_address_before_a_colon_is_one():
    log = read_events([f"10:00:00 bt_diagnostics {A}: seen rssi=-61 via x"])
    assert A in log.subjects


def test_an_adapter_is_no_device():
    log = read_events(
        [f"10:00:00 [habluetooth.scanner] hci0 ({A}): adapter stopped responding; executing reset"]
    )
    assert set(log.subjects) == {""}


def test_a_clock_that_jumps_is_seen_and_the_time_line_goes_on():
    log = read_events(
        [
            f"2026-03-29 02:59:59.000 DEBUG (MainThread) [bleak_retry_connector] x - {A}: Connection attempt: 1",
            f"2026-03-29 01:59:59.500 DEBUG (MainThread) [bleak_retry_connector] x - {A}: Connected after 1 attempts",
        ]
    )
    assert "summer time" in log.notes[0]
    assert [each.code for each in log.timeline] == ["connecting", "connected"]


def test_two_logs_in_one_file_are_one_time_line():
    log = read_events(
        [
            f"2026-03-04 10:00:05.000 DEBUG (MainThread) [bleak_retry_connector] x - {A}: Connection attempt: 1",
            f"2026-03-04 09:55:04.000 [I][esp32_ble_client:126]: [0] [{A}] 0x00 Connecting",
        ]
    )
    assert [each.code for each in log.timeline] == ["client", "connecting"]


def test_zones_are_seen():
    log = read_events(
        [
            f"2026-03-04T10:00:05+01:00 {A} Connection attempt: 1",
            f"2026-03-04T10:00:06Z {A} Connection attempt: 2",
        ]
    )
    assert "several zones" in log.notes[0]


def test_times_of_daemontools_are_read():
    log = read_events(["@4000000065ace8390ab54f64 ERROR:SerialBattery:>>> ERROR: No reply - returning"])
    assert log.begin // 1_000_000_000 == 0x65ACE839 - 10


def test_what_other_integrations_say_is_left_aside_until_another_program_speaks():
    log = read_events(
        [
            "2026-03-04 10:00:00.000 ERROR (MainThread) [homeassistant.components.hue] x",
            "AttributeError: 'NoneType' object has no attribute 'lights'",
            f"[10:00:01][I][esp32_ble_client:126]: [0] [{A}] 0x00 Connecting",
            f"[10:00:02][W][esp32_ble_client:224]: [0] [{A}] Connection open error, status=133",
        ]
    )
    assert not any("program-fault" in each.told for each in log.subjects.values())
    assert log.subjects[A].told["status-133"].count == 1


def test_neighbours_do_not_crowd_out_a_pack():
    """Of a hundred devices that are only heard, none takes the pack's place, and none is taken for it."""
    heard = [
        f"2026-03-04 10:00:{n % 60:02}.000 DEBUG (MainThread) [homeassistant.components.bluetooth.manager] hci0:"
        f" 02:00:00:00:{n >> 8:02X}:{n & 255:02X} AdvertisementData() connectable: True match: set() rssi: -95"
        for n in range(300)
    ]
    pack = [
        f"2026-03-04 10:01:00.000 DEBUG (MainThread) [bleak_retry_connector] {A} - {A}: Connection attempt: 1",
        f"2026-03-04 10:01:09.000 DEBUG (MainThread) [custom_components.bms_ble] {A}: advertisement: rssi: -50",
    ]
    log = read_events([*heard, *pack, *heard])
    assert set(log.subjects[A].told) == {"connecting", "seen"}
    assert "" not in log.subjects or "seen" not in log.subjects[""].told


def test_a_client_of_an_esp_keeps_its_address():
    log = read_events(
        [
            f"[10:00:01][I][bluetooth_proxy:122]: [0] [{A}] Connecting v3 without cache",
            f"[10:00:01][I][bluetooth_proxy:122]: [1] [{B}] Connecting v3 without cache",
            "[10:00:21][D][bluetooth_connection:601]: [1] DISCONNECT_EVT reason=0x3e",
            "[10:00:22][W][bluetooth_connection:368]: [0] Connection open failed, status=133",
        ]
    )
    assert "client-lost" in log.subjects[B].told
    assert "open-failed" in log.subjects[A].told


def test_of_two_esps_each_has_clients_of_its_own():
    head = "2026-03-04 10:00:01.000 INFO (MainThread) [homeassistant.components.esphome.manager] "
    log = read_events(
        [
            f"{head}barn: [I][bluetooth_proxy:122]: [0] [{A}] Connecting v3 without cache",
            f"{head}shed: [I][bluetooth_proxy:122]: [0] [{B}] Connecting v3 without cache",
            f"{head}barn: [W][bluetooth_connection:368]: [0] Connection open failed, status=133",
        ]
    )
    assert "open-failed" in log.subjects[A].told
    assert "open-failed" not in log.subjects[B].told
