"""Nothing that somebody would not post is in what is shown of a log."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.cli.views.doctor_log import log_record, timeline_records
from packwire.doctor.log.clean import Cleaner
from packwire.doctor.log.examine import diagnose_lines
from packwire.doctor.log.summary import report_of
from packwire.doctor.report import html_report, markdown_report

WORDS = st.text("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", min_size=10, max_size=16)
HEAD = "2026-03-04 10:00:00.000 ERROR (MainThread) [custom_components.bms_ble] "
#: Where in a line that is evidence something secret may stand.
PLACES = (
    "password: {0}", "password={0}", "'password': '{0}'", '"psk": "{0}"', "wifi_password = {0}", "api_key={0}",
    "token: {0},", "ssid: {0}", "SSID: '{0}'", 'encryption key: "{0}"', "mqtt://me:{0}@broker/x",
    "https://{0}@host/", "secret is {0}", "passkey={0}", "pin: {0}", "latitude: {0}", "username={0}",
    "{{'access_token': '{0}', 'x': 1}}", "bssid={0}", "serial_number: {0}", "serial: {0}",
)  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@given(WORDS)
def test_what_is_secret_is_hidden(place: str, secret: str):
    assert secret not in Cleaner()(HEAD + "BMS communication timed out " + place.format(secret))


@given(st.lists(st.integers(16, 255), min_size=8, max_size=40, unique=True).map(bytes))
def test_of_bytes_the_first_are_shown(content: bytes):
    for form in (content.hex(" "), content.hex(":").upper(), content.hex("."), content.hex(), repr(content)):
        shown = Cleaner()(HEAD + f"RX BLE data: {form}")
        assert content[5:].hex() not in shown.replace(" ", "").replace(":", "").replace(".", "").lower()


def test_addresses_stay_distinct_and_keep_the_maker():
    clean = Cleaner()
    first, again = clean("x A4:C1:37:01:02:03: y"), clean("[A4:C1:37:01:02:03] dev_A4_C1_37_01_02_03")
    other = clean("A4:C1:37:01:02:04")
    assert "01:02:03" not in first + again
    assert "01_02_03" not in again
    assert first.split()[1].rstrip(":") in again
    assert other not in first


def test_an_address_is_no_time():
    assert Cleaner()("192.168.1.20:44546 -> 192.168.1.30:65101") == "x.x.x.x:44546 -> x.x.x.x:65101"


def test_a_line_without_secrets_stays():
    line = "15:16:49 TimeoutError: Timeout waiting for BluetoothDeviceConnectionResponse after 20.0s"
    assert Cleaner()(line) == line


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from(PLACES), WORDS), min_size=1, max_size=6))
def test_reports_records_and_time_lines_hold_no_secret(planted: list[tuple[str, str]]):
    own = _shown([HEAD + _FAILED + place.format("") for place, _ in planted])
    shown = _shown([HEAD + _FAILED + place.format(secret) for place, secret in planted])
    for _, secret in planted:
        if not any(secret in each for each in own):  # a word of the reports themselves, such as "confidence"
            assert not any(secret in each for each in shown)


_FAILED = "Failed to connect, BMS communication timed out "


def _shown(lines: list[str]) -> list[str]:
    found = diagnose_lines("x.log", lines)
    diagnosis = report_of(found, 0.0, 0.0)
    return [
        markdown_report(diagnosis),
        html_report(diagnosis),
        str(log_record(found)),
        str(list(timeline_records(found))),
    ]


def test_bytes_that_the_end_of_a_line_cuts_are_hidden_too():
    secret = "Zw7kQp2mX9"
    shown = Cleaner()(HEAD + rf"RX BLE data: bytearray(b'U\xaa\xeb\x90\x03\x00JK_X\x00\x00{secret}\x00\x00")
    assert secret not in shown
