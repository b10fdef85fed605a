"""Addresses: what can be typed, what is refused and with which words, and that passwords never come back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.address import (
    BluetoothProxy,
    ble_address,
    bluetooth_proxy,
    hub_address,
    parse_address,
    replay_address,
    serial_address,
    sim_address,
    tcp_address,
    with_can_id,
)
from packwire.errors import BadAddressError


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("vesc://192.168.1.20", tcp_address("192.168.1.20")),
        ("vesc://express.local:4711/can/84", tcp_address("express.local", 4711, 84)),
        ("vesc://[fe80::1]:65102", tcp_address("fe80::1")),
        ("veschub://TESTPACK@127.0.0.1", hub_address("TESTPACK", "127.0.0.1")),
        ("veschub://PACK:s3cret@hub.example:1/can/3", hub_address("PACK", "hub.example", 1, 3, "s3cret")),
        ("veschub://PACK:p%40ss@hub", hub_address("PACK", "hub", password="p@ss")),
        ("veschub://PACK:p@ss@hub", hub_address("PACK", "hub", password="p@ss")),
        ("veschub://PACK:@hub", hub_address("PACK", "hub", password="")),
        ("serial:/dev/ttyACM0", serial_address("/dev/ttyACM0")),
        ("serial:/dev/ttyUSB0/can/84?baud=9600", serial_address("/dev/ttyUSB0", 9600, 84)),
        ("serial:COM3", serial_address("COM3")),
        ("sim:vesc", sim_address("vesc")),
        ("sim:vesc/can/84", sim_address("vesc", 84)),
        ("sim:jbd", sim_address("jbd")),
        ("tcp://127.0.0.1:8899?model=jbd", tcp_address("127.0.0.1", 8899, model="jbd")),
        ("serial:/dev/ttyUSB0?model=jbd", serial_address("/dev/ttyUSB0", model="jbd")),
        ("ble://A4:C1:38:00:00:01", ble_address("A4:C1:38:00:00:01")),
        ("ble://a4-c1-38-00-00-01", ble_address("A4:C1:38:00:00:01")),
        ("ble://My%20pack?model=jbd&pin=1234", ble_address("My pack", model="jbd", pin="1234")),
        ("ble://JK_B2A24S?adapter=hci1", ble_address("JK_B2A24S", radio="hci1")),
        (
            "ble://A4:C1:38:00:00:01?adapter=tcp-client:127.0.0.1:7000",
            ble_address("A4:C1:38:00:00:01", radio="tcp-client:127.0.0.1:7000"),
        ),
        (
            "ble://0f3c5a2e-93b5-4f5e-8a54-0d5e5c9f2d11",
            ble_address("0F3C5A2E-93B5-4F5E-8A54-0D5E5C9F2D11"),
        ),
        (
            "ble://a4:c1:38:00:00:01?model=jbd&proxy=esp32-garage.local",
            ble_address("A4:C1:38:00:00:01", model="jbd", radio=BluetoothProxy("esp32-garage.local")),
        ),
        (
            "ble://JK?proxy=[fd00::1]:7053&take",
            ble_address("JK", radio=BluetoothProxy("fd00::1", 7053, takes=True)),
        ),
        ("ble://VESC%20BLE/can/84?model=vesc", ble_address("VESC BLE", model="vesc", node=84)),
        ("replay:session.btsnoop", replay_address("session.btsnoop")),
        ("replay:/tmp/a b.btsnoop?model=jbd", replay_address("/tmp/a b.btsnoop", "jbd")),
        ("replay:what?.pcap", replay_address("what?.pcap")),
    ],
)
def test_parsing(text, address):
    assert parse_address(text) == address


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "addresses are vesc://host"),
        ("192.168.1.20", "did you mean vesc://192.168.1.20?"),
        ("express.local:65102", "did you mean vesc://express.local:65102?"),
        ("/dev/ttyACM0", "did you mean serial:/dev/ttyACM0?"),
        ("vesc:192.168.1.20", "begins with vesc://"),
        ("vesc://", "names no host"),
        ("vesc://host:0", "1 to 65535"),
        ("vesc://host:99999", "1 to 65535"),
        ("vesc://PACK:secret@host", "takes no id or password"),
        ("vesc://host/motor", "the path of an address is /can/ID"),
        ("vesc://host?x=1", "nothing may follow"),
        ("vesc://host/can/84x", "no CAN id"),
        ("vesc://host/can/256", "no CAN id"),
        ("vesc://host/can/255", "broadcast: every device answers at once"),
        ("sim:vesc/can/255", "broadcast"),
        ("veschub://host", "veschub://ID@host"),
        ("serial:", "serial:/dev/ttyACM0"),
        ("serial:/dev/x?speed=1", "no option speed"),
        ("serial:/dev/x?baud=fast", "no baud rate"),
        ("sim:Boat!", "sim:vesc"),
        ("tcp://host?model=jbd", "names a port and a protocol"),
        ("tcp://host:9000", "names a port and a protocol"),
        ("tcp://me@host:1?model=jbd", "takes no id or password"),
        ("tcp://host:1?model=../x", "no name of a protocol"),
        ("tcp://host:1?model=jbd&x=1", "no option x"),
        ("ftp://host", "addresses are"),
        ("ble:A4:C1:38:00:00:01", "begins with ble://"),
        ("ble://", "by its address or its name"),
        ("ble://A4:C1:38:00:00:0", "six pairs"),
        ("ble://A4:C1:38:00:00:O1", "six pairs"),
        ("ble://a%00b", "by its address or its name"),
        ("ble://JBD?pin=", "the PIN is empty"),
        ("ble://JBD?adapter=a b", "the adapter is no name"),
        ("ble://JBD?mtu=1", "no option mtu"),
        ("ble://JBD?proxy=", "an ESPHome device by its host"),
        ("ble://JBD?proxy=esp:0", "an ESPHome device by its host"),
        ("ble://JBD?proxy=http://esp", "an ESPHome device by its host"),
        ("ble://JBD?proxy=esp&adapter=hci1", "a proxy stands for the adapter"),
        ("ble://JBD?proxy=esp&reset", "a proxy stands for the adapter"),
        ("ble://JBD?proxy=esp&key=x", "no option key"),
        ("ble://JBD?take", "take goes with a proxy"),
        ("ble://0f3c5a2e-93b5-4f5e-8a54-0d5e5c9f2d11?proxy=esp", "no UUIDs of macOS"),
        ("replay:", "names a recording"),
        ("replay:x?model=../y", "no name of a protocol"),
    ],
)
def test_refusals_say_what_to_do(text, words):
    with pytest.raises(BadAddressError, match=words.replace("?", r"\?")) as caught:
        parse_address(text)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_one_clear_line(text):
    try:
        parse_address(text)
    except BadAddressError as error:
        assert len(str(error).splitlines()) == 1


@pytest.mark.parametrize(
    "text",
    [
        "vesc://host",
        "vesc://host:1/can/84",
        "veschub://TESTPACK@host",
        "veschub://MY%20PACK@[::1]:7",
        "serial:/dev/ttyACM0/can/84?baud=9600",
        "sim:vesc",
        "ble://A4:C1:38:00:00:01",
        "ble://My%20pack%2F2?model=jbd&adapter=hci1",
        "ble://A4:C1:38:00:00:01?adapter=tcp-client:127.0.0.1:7000",
        "ble://A4:C1:38:00:00:01?proxy=esp32-garage.local",
        "ble://A4:C1:38:00:00:01?model=jbd&proxy=[fd00::1]:7053&take",
        "replay:session.btsnoop?model=jbd",
    ],
)
def test_text_survives(text):
    assert str(parse_address(text)) == text


@given(st.one_of(st.text(max_size=40), st.from_regex(r"[a-z0-9.@:/\[\]-]{1,30}", fullmatch=True)))
def test_any_text_is_a_proxy_or_is_not_said_again(text):
    try:
        proxy = bluetooth_proxy(text)
    except BadAddressError as error:
        assert str(error).startswith("a Bluetooth proxy is an ESPHome device by its host, such as")
    else:
        assert 0 < proxy.port < 65536
        assert bluetooth_proxy(str(proxy)) == proxy


@pytest.mark.parametrize("bad", ["", ":99999", "/x", "/can/255", "/can/x"])
def test_a_password_is_never_repeated(bad):
    text = f"veschub://PACK:s3cret@host{bad}"
    try:
        shown = f"{parse_address(text)} {parse_address(text)!r}"
    except BadAddressError as error:
        shown = str(error)
    assert "s3cret" not in shown


@pytest.mark.parametrize("rest", ["", "&x=1", "&model=../x", "&adapter=a b", "&pin="])
def test_a_pin_is_never_repeated(rest):
    text = f"ble://My%20pack?pin=48151623{rest}"
    try:
        shown = f"{parse_address(text)} {parse_address(text)!r}"
    except BadAddressError as error:
        shown = str(error)
    assert "48151623" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "hub://PACK:s3cret@host",
        "PACK:s3cret@host",
        "veschub:PACK:s3cret@host",
        "veschub://PACK:s3cret",
        "PACK:s3cret",
        "vesc://PACK:s3cret",
        "blue://A4:C1:38:00:00:01?pin=s3cret",
        "ble:A4:C1:38:00:00:01?pin=s3cret",
        "A4:C1:38:00:00:01?pin=s3cret",
    ],
)
def test_a_password_is_not_repeated_from_a_wrong_address_either(text):
    with pytest.raises(BadAddressError) as caught:
        parse_address(text)
    assert "s3cret" not in str(caught.value)


def test_another_node_of_the_same_device():
    address = parse_address("vesc://host")
    assert str(with_can_id(address, 84)) == "vesc://host/can/84"
    with pytest.raises(BadAddressError, match="broadcast"):
        with_can_id(address, 255)
