"""What tools print of a computer's Bluetooth and CAN, pasted in any order, and settings beside a log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.capture.events.blocks import Blocks
from packwire.capture.events.configured import Settings
from packwire.capture.events.reader import EventLog, read_events

A, B = "02:11:22:33:44:01", "02:11:22:33:44:02"
INFO = [
    f"Device {A} (public)",
    "\tName: BP00",
    "\tPaired: no",
    "\tConnected: yes",
    "\tRSSI: 0xffffffa4 (-92)",
]


def codes(log: EventLog, key: str = "") -> set[str]:
    return set(log.subjects[key].told) if key in log.subjects else set()


@pytest.mark.parametrize("strip", [False, True])
def test_a_block_is_of_the_device_at_its_head(strip: bool):
    lines = [line.strip() if strip else line for line in INFO]
    log = read_events([f"[bluetooth]# info {A}", *lines, "[bluetooth]# quit", "\tConnected: yes"])
    assert codes(log, A) == {"advertised-name", "host-not-paired", "host-connected", "seen"}
    assert log.subjects[A].names == {"BP00": 1}
    assert log.subjects[A].told["seen"].first.line == 6


@pytest.mark.parametrize("address", [B, "02:11:22:xx:xx:xx", "02:11:22:XX:XX:01", "02:11:22:**:**:**"])
def test_a_masked_address_says_as_much(address: str):
    log = read_events([f"Controller {address} (public)", "\tPowered: no", f"Device {address} BP00"])
    assert codes(log) == {"adapter-off"}
    assert log.subjects[address.upper()].names == {"BP00": 1}


def test_an_address_of_digits_is_no_time():
    log = read_events(["12:00:00 ERROR [main] Device with address 02:11:22:33:44:01 was not found", *INFO])
    assert not log.notes
    assert log.end == log.begin


def test_what_bluetoothctl_prints_meanwhile_ends_no_block():
    log = read_events([*INFO[:2], f"[CHG] Device {B} RSSI: -70", *INFO[2:]])
    assert "host-connected" in codes(log, A)


def test_an_adapters_address_is_no_device():
    log = read_events(
        [
            "hci0:\tType: Primary  Bus: USB",
            f"\tBD Address: {A}  ACL MTU: 310:10  SCO MTU: 64:8",
            "\tDOWN",
            f"Controller {B} (public)",
            "\tPowered: yes",
        ]
    )
    assert not log.devices
    assert codes(log) == {"adapter-off", "adapter-on"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1: hci0: Bluetooth\n\tSoft blocked: yes\n\tHard blocked: no", {"blocked"}),
        ("0: phy0: Wireless LAN\n\tSoft blocked: yes\n1: hci0: Bluetooth\n\tSoft blocked: no", set()),
        (" 1 bluetooth hci0 unblocked blocked", {"blocked"}),
        (" 1 bluetooth hci0 unblocked unblocked", set()),
        (
            "○ bluetooth.service - Bluetooth service\n     Active: failed (Result: exit-code)",
            {"bluez-missing"},
        ),
        ("● cron.service - Regular programs\n     Active: inactive (dead)", set()),
        ("hci0:\tPrimary controller\n\tcurrent settings: powered ssp br/edr le", {"adapter-on"}),
        ("hci0:\tPrimary controller\n\tcurrent settings: ssp br/edr le", {"adapter-off"}),
        ("hci0:\tPrimary controller\n\tsupported settings: powered br/edr ssp", {"adapter-without-le"}),
        ("3: can0: <NOARP,ECHO> mtu 16 qdisc noop state DOWN", {"can-down"}),
        ("3: can0: <NOARP,UP,LOWER_UP,ECHO> mtu 16 state UP", set()),
        ("2: eth0: <BROADCAST,MULTICAST> mtu 1500 state DOWN", set()),
        ("re-started bus-errors arbit-lost error-warn error-pass bus-off\n0   0   0   0   0   0", set()),
        (
            "re-started bus-errors arbit-lost error-warn error-pass bus-off\n0   0   0   1   1   0",
            {"can-passive"},
        ),
        ("usb-1a86_USB_Serial-if00-port0 -> ../../ttyUSB1", {"port-appeared"}),
        ("Bus 001 Device 001: ID 1d6b:0002 Linux Foundation 2.0 root hub", set()),
        ("Bus 001 Device 005: ID 1a86:7523 QinHeng Electronics CH340 serial converter", {"usb-serial"}),
    ],
)
def test_each_output_says_what_it_shows(text: str, told: set[str]):
    assert codes(read_events(text.split("\n"))) == told


@pytest.mark.parametrize(
    "settings",
    [
        f'devices:\n  - address: "{A}"\n    type: jbd\n    alias: shed\n  - alias: barn\n    address: {B}',
        f'{{"devices": [{{"address": "{A}", "alias": "shed"}}, {{"alias": "barn", "address": "{B.lower()}"}}]}}',
        f'"devices": [\n {{\n  "address": "{A}",\n  "pin": "1",\n  "alias": "shed"\n }},\n {{"alias": "barn",\n "address": "{B}"}}]',
    ],
)
def test_a_line_by_alias_and_one_by_address_are_of_one_device(settings: str):
    log = read_events(
        [
            *settings.split("\n"),
            f"12:00:00 INFO [sampling] connecting bms JbdBt({A},jbd)",
            "12:00:20 ERROR [sampling] shed error (#1): TimeoutError",
            "12:00:30 INFO [sampling] barn: BmsSampl(53.2V,4.1A)",
        ]
    )
    assert [each.key for each in log.devices] == [A, B]
    assert codes(log, A) >= {"connecting", "batmon-timeout"}
    assert codes(log, B) == {"worked"}


def test_an_alias_is_of_the_address_in_its_own_entry():
    lines = ["- alias: shed", "  type: jbd", f"- address: {A}", "  type: jk"]
    assert not [name for settings in [Settings()] for line in lines for name in settings.names(line)]


_PARTS = st.sampled_from(
    [*INFO, "hci0:\tType: Primary", "DOWN", "1: hci0: Bluetooth", "Soft blocked: yes", "x"]
)


@given(st.lists(_PARTS | st.text(min_size=1, max_size=40), max_size=20))
def test_a_line_in_a_block_ends_as_it_was(lines: list[str]):
    blocks, settings = Blocks(), Settings()
    for line in lines:
        found = blocks.whole(line)
        assert found == line or found.split()[-1:] == line.split()[-1:]
        assert all(name and address for name, address in settings.names(line))
