"""Secrets in configurations are masked; what cannot be read is not shown at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.vesc.replies import EXPRESS_CONFIG, ExpressConfig
from packwire.vesc.secrets import KNOWN_SIGNATURES, decode_config, mask_payload
from tests.shared_data import needs_replies, recorded_replies

CONFIG = ExpressConfig(
    config_index=0,
    signature=1954583966,
    controller_id=2,
    can_baud_rate=2,
    can_status_rate_hz=50,
    wifi_mode=1,
    wifi_sta_ssid="home network",
    wifi_sta_key="wifi key",
    wifi_ap_ssid="VESC WiFi",
    wifi_ap_key="vesc6wifi",
    use_tcp_local=1,
    use_tcp_hub=1,
    tcp_hub_url="hub.example",
    tcp_hub_port=65101,
    tcp_hub_id="TESTPACK",
    tcp_hub_pass="hub password",
    ble_mode=0,
    ble_name="Express",
    ble_pin=123456,
    ble_service_capacity=0,
    ble_chr_descr_capacity=0,
)
SECRETS = (
    b"home network",
    b"wifi key",
    b"VESC WiFi",
    b"vesc6wifi",
    b"TESTPACK",
    b"hub password",
    b"Express",
    (123456).to_bytes(4),
)


def payload_of(config: ExpressConfig) -> bytes:
    return b"\x5d" + EXPRESS_CONFIG.encode(config)


def test_a_known_layout_is_masked_field_by_field():
    masked = mask_payload(payload_of(CONFIG))
    assert len(masked) == len(payload_of(CONFIG))
    for secret in SECRETS:
        assert secret not in masked
    assert b"hub.example" in masked
    reply = EXPRESS_CONFIG.decode(masked).reply
    assert (reply.controller_id, reply.tcp_hub_port, reply.ble_name) == (2, 65101, "*******")


def test_decoding_masks_too():
    decoded = decode_config(payload_of(CONFIG))
    assert decoded is not None
    assert "hub password" not in repr(decoded)
    assert "wifi key" not in repr(decoded)
    shown = decode_config(payload_of(CONFIG), keep_secrets=True)
    assert shown is not None
    assert shown.reply == CONFIG


@pytest.mark.parametrize("command", [93, 94, 95])
@given(body=st.binary(min_size=2, max_size=200))
def test_an_unknown_layout_is_masked_whole(command, body):
    payload = bytes([command, 0]) + body
    masked = mask_payload(payload)
    assert len(masked) == len(payload)
    assert int.from_bytes(body[:4]) in KNOWN_SIGNATURES or set(masked[2:]) == {ord("*")}


@given(st.integers(0, 200))
def test_a_known_layout_cut_short_is_masked_whole(size):
    payload = payload_of(CONFIG)[:size]
    masked = mask_payload(payload)
    if 2 < size < len(payload_of(CONFIG)):
        assert set(masked[2:]) == {ord("*")}


def test_other_payloads_are_left_alone():
    assert mask_payload(b"\x60secret") == b"\x60secret"
    assert mask_payload(b"") == b""


@needs_replies
def test_the_recorded_configuration():
    payload = bytes.fromhex(recorded_replies()["get_custom_config"]["reply"])
    decoded = decode_config(payload, keep_secrets=True)
    assert decoded is not None
    assert (decoded.missing, decoded.left_over) == ((), 0)
    assert decoded.reply.wifi_ap_key == "vesc6wifi"
    assert b"vesc6wifi" not in mask_payload(payload)
