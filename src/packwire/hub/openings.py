"""What is wrong with how somebody began: in words for the log, which never repeat what was sent."""

import ssl

from packwire.vesc.hublogin import MIN_ID_LENGTH

#: What OpenSSL calls it (`ssl.SSLError.reason`), and what it means here.
_REASONS = {
    "HTTP_REQUEST": "HTTP was spoken on the port with TLS",
    "WRONG_VERSION_NUMBER": "no TLS was spoken on the port with TLS",
    "BAD_RECORD_TYPE": "no TLS was spoken on the port with TLS",
    "UNSUPPORTED_PROTOCOL": "its TLS is older than what is let in",
    "NO_SHARED_CIPHER": "it knows none of the ciphers",
    "TLSV1_ALERT_UNKNOWN_CA": "it does not trust the hub's certificate",
    "TLSV1_ALERT_CERTIFICATE_UNKNOWN": "it does not trust the hub's certificate",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "it does not trust the hub's certificate",
    "SSLV3_ALERT_BAD_CERTIFICATE": "it does not trust the hub's certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "to it the hub's certificate has expired",
}


def why_no_login(line: bytes) -> str:
    """Say what is wrong with a first line, without repeating it: it may hold a password."""
    if line.startswith((b"GET ", b"POST ", b"HEAD ", b"CONNECT ", b"OPTIONS ")):
        return "HTTP was spoken: this port is for VESCs and their clients"
    if line.startswith(b"\x16\x03"):
        return "TLS was spoken on the port without TLS"
    if line[:1] in {b"\x02", b"\x03"}:
        return "a VESC frame came before any login"
    tokens = line.decode("utf-8", "replace").rstrip("\r").split(":")
    if len(tokens) != 3:
        return f"{len(tokens)} parts between colons, not the 3 of ROLE:ID:PASSWORD (a colon in one of them?)"
    if len(tokens[1].replace(" ", "")) < MIN_ID_LENGTH:
        return f"an id of less than {MIN_ID_LENGTH} characters"
    return "the first word is not VESC, VESCTOOL or PING"


def why_no_tls(error: BaseException) -> str:
    """Say why a handshake failed, or why a connection with TLS broke."""
    if isinstance(error, ssl.SSLError):
        reason = error.reason or "the other end broke TLS's rules"
        return _REASONS.get(reason, reason.lower().replace("_", " "))
    if isinstance(error, ConnectionAbortedError | TimeoutError):
        return "it took too long"
    return "closed by the other end"
