"""What in VESC traffic is secret, and how it is masked.

A VESC Express's custom configuration holds Wi-Fi keys, the hub password and the Bluetooth PIN in clear. Its
layout changes with the firmware and a signature leads it: known signatures are masked field by field, of an
unknown one the whole payload is masked. Fails closed: what cannot be read is not shown.
"""

from collections.abc import Iterable
from typing import Any

from packwire.vesc.commands import Command
from packwire.vesc.replies import EXPRESS_CONFIG, ExpressConfig
from packwire.wire.layout import Decoded

#: Signatures of configurations whose fields are those of ExpressConfig [confparser.h at its commits].
KNOWN_SIGNATURES = frozenset({1954583966, 2626561514})

#: Payloads that carry a configuration, in requests or replies.
CONFIG_COMMANDS = frozenset(
    {Command.GET_CUSTOM_CONFIG, Command.GET_CUSTOM_CONFIG_DEFAULT, Command.SET_CUSTOM_CONFIG}
)

_SECRET_FIELDS = ("wifi_sta_key", "wifi_ap_key", "tcp_hub_pass", "ble_pin")
#: A name tells where its owner lives, and an id is half of a login.
_PRIVATE_FIELDS = ("wifi_sta_ssid", "wifi_ap_ssid", "tcp_hub_id")
MASKED = "(hidden)"
_MASK_BYTE = b"*"


def decode_config(payload: bytes, *, keep_secrets: bool = False) -> Decoded[ExpressConfig] | None:
    """Decode GET_CUSTOM_CONFIG's reply with its secrets masked; None where the layout is not known."""
    decoded = EXPRESS_CONFIG.decode(payload)
    if decoded.reply.signature not in KNOWN_SIGNATURES:
        return None
    if keep_secrets:
        return decoded
    masked: dict[str, Any] = {
        name: MASKED for name in _SECRET_FIELDS + _PRIVATE_FIELDS if getattr(decoded.reply, name)
    }
    return decoded._replace(reply=decoded.reply._replace(**masked))


def mask_payload(payload: bytes) -> bytes:
    """Return a payload of the same length that can be shown: secrets overwritten with `*`.

    Only the configuration commands are touched; other payloads come back as they are.
    """
    if not payload or payload[0] not in CONFIG_COMMANDS or len(payload) <= 2:
        return payload
    if payload[0] == Command.GET_CUSTOM_CONFIG and _known(payload):
        return _mask_fields(payload, _SECRET_FIELDS + _PRIVATE_FIELDS)
    return payload[:2] + _MASK_BYTE * (len(payload) - 2)


def _known(payload: bytes) -> bool:
    decoded = EXPRESS_CONFIG.decode(payload)
    return decoded.reply.signature in KNOWN_SIGNATURES and not decoded.missing and not decoded.left_over


def _mask_fields(payload: bytes, names: Iterable[str]) -> bytes:
    masked = bytearray(payload)
    for span in EXPRESS_CONFIG.spans(payload):
        if span.name in names:
            keep = 1 if span.raw is None else 0  # a text's NUL stays, so that the rest still decodes
            masked[span.offset : span.offset + span.width - keep] = _MASK_BYTE * (span.width - keep)
    return bytes(masked)
