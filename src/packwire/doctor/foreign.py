"""What answers where a VESC or a hub was looked for, by the first bytes that it says."""

import re

from packwire.protocols import protocol

#: What begins so is this; the first that fits.
_GREETINGS: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), name)
    for pattern, name in (
        (rb"HTTP/\d|<!doctype|<html", "a web server (HTTP)"),
        (rb"SSH-\d|Invalid SSH", "an SSH server"),
        (rb"RTSP/\d", "a camera (RTSP)"),
        (rb"[\x14-\x17]\x03[\x00-\x04]", "TLS"),
        (rb"\x20\x02[\x00\x01][\x00-\x06]", "an MQTT broker"),
        (rb"AMQP", "an AMQP broker"),
        (rb"RFB \d{3}", "a VNC server"),
        (rb"\* OK", "an IMAP server"),
        (rb"\+OK", "a POP3 server"),
        (rb"220[ -].*SMTP", "an SMTP server"),
        (rb"220[ -]", "an FTP or SMTP server"),
        (rb"-ERR|-NOAUTH|-DENIED", "a Redis server"),
        (rb"INFO \{", "a NATS server"),
        (rb"@RSYNCD", "an rsync server"),
        (rb"\xff[\xfb-\xfe]", "a Telnet server"),
        (rb".\x00\x00\x00\x0a\d+\.\d+", "a MySQL server"),
    )
)


def protocol_of(head: bytes) -> str | None:
    """Return what speaks, for a user; None where its first bytes do not tell."""
    spoken = protocol("vesc")
    if spoken.framer().feed(head):
        return f"a {spoken.title}"
    texts = (head, head.lstrip())
    return next((name for pattern, name in _GREETINGS if any(map(pattern.match, texts))), None)
