"""How what is secret in VESC traffic is masked; what is secret stands in `traits`.

A VESC Express's custom configuration holds Wi-Fi keys, the hub password and the Bluetooth PIN in clear. Its
layout changes with the firmware and a signature leads it: known signatures are masked field by field, of an
unknown one the whole payload is masked. Fails closed: what cannot be read is not shown.
"""

from collections.abc import Iterator
from typing import Any

from packwire.protocol.words import MASKED
from packwire.vesc.commands import Command
from packwire.vesc.hublogin import LOGIN_PASSWORD
from packwire.vesc.replies import EXPRESS_CONFIG, ExpressConfig, reply_spans
from packwire.vesc.requests import inner_at
from packwire.vesc.traits import CONFIGURATION, FRAME, TRAITS, Secret, traits
from packwire.wire.codec import Span
from packwire.wire.layout import Decoded

#: Signatures of configurations whose fields are those of ExpressConfig [confparser.h at its commits].
KNOWN_SIGNATURES = frozenset({1954583966, 2626561514})

#: Payloads that carry a configuration, in requests or replies.
CONFIG_COMMANDS = frozenset(command for command, row in TRAITS.items() if row.secret is CONFIGURATION)

_MASK_BYTE = b"*"

#: The packets of a CAN bus that carry pieces of payloads; the other byte of their id says for whom.
_PIECES = range(5, 9)


def decode_config(payload: bytes, *, keep_secrets: bool = False) -> Decoded[ExpressConfig] | None:
    """Decode GET_CUSTOM_CONFIG's reply with its secrets masked; None where the layout is not known."""
    decoded = EXPRESS_CONFIG.decode(payload)
    if decoded.reply.signature not in KNOWN_SIGNATURES:
        return None
    if keep_secrets:
        return decoded
    masked: dict[str, Any] = {name: MASKED for name in CONFIGURATION.fields if getattr(decoded.reply, name)}
    return decoded._replace(reply=decoded.reply._replace(**masked))


def secret_of(payload: bytes, *, private: bool = True) -> Secret | None:
    """Return what is secret in a payload, also a forwarded one; None: nothing is.

    `private`: so is what only tells who somebody is.
    """
    at = inner_at(payload)
    if len(payload) <= at + 1:
        return None
    secret = traits(payload[at]).secret
    if secret is FRAME and int.from_bytes(payload[at + 1 : at + 5]) >> 8 not in _PIECES:
        return None
    return secret if secret and (private or not secret.private) else None


def hidden(payload: bytes, *, private: bool = True) -> list[tuple[int, int]]:
    """Return begin and end of all that is secret in a payload, where there is anything."""
    logins = [found.span(1) for found in LOGIN_PASSWORD.finditer(payload)] if b":" in payload else []
    secret = secret_of(payload, private=private)
    if secret is None:
        return logins
    at = inner_at(payload)
    inner = payload[at:]
    places = [_place(inner, span) for span in _spans(inner, secret)]
    if not places and secret.begin is not None:
        places = [(secret.begin, len(inner))]
    # A serial number of zeros is none.
    kept = not secret.private
    return logins + [(at + begin, at + end) for begin, end in places if kept or any(inner[begin:end])]


def mask_payload(payload: bytes, *, private: bool = True) -> bytes:
    """Return a payload of the same length that can be shown: secrets overwritten with `*`.

    `private`: also what opens no door but tells who somebody is, for what leaves the house.
    """
    places = hidden(payload, private=private)
    if not places:
        return payload
    masked = bytearray(payload)
    for begin, end in places:
        masked[begin:end] = _MASK_BYTE * (end - begin)
    return bytes(masked)


def _spans(inner: bytes, secret: Secret) -> Iterator[Span]:
    """Yield the secret fields of a payload whose layout is known."""
    if secret is CONFIGURATION:
        if inner[0] != Command.GET_CUSTOM_CONFIG or not _known(inner):
            return
        spans = EXPRESS_CONFIG.spans(inner)
    elif secret.fields:
        spans = reply_spans(inner)
    else:
        return
    yield from (span for span in spans if span.name in secret.fields)


def _place(inner: bytes, span: Span) -> tuple[int, int]:
    """Return where a field is hidden: a text's NUL stays, so that the rest still decodes."""
    end = span.offset + span.width
    return span.offset, end - (span.raw is None and inner[end - 1] == 0)


def _known(payload: bytes) -> bool:
    decoded = EXPRESS_CONFIG.decode(payload)
    return decoded.reply.signature in KNOWN_SIGNATURES and not decoded.missing and not decoded.left_over
