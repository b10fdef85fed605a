"""What a command shows of a recording: never its passwords and keys, unless the user wants to see them."""

from pathlib import Path

from packwire.capture import Capture, open_capture
from packwire.capture.redact import redacted, without_secrets
from packwire.errors import BadOptionError


def open_masked(
    path: Path | str, bytes_: str, *, redact: bool = False, keep_secrets: bool = False
) -> Capture:
    """Open a recording, whose text has its bytes in `hex` or `decimal`, and return what is shown of it."""
    return masked(open_capture(path, decimal=bytes_ == "decimal"), redact=redact, keep_secrets=keep_secrets)


def masked(capture: Capture, *, redact: bool = False, keep_secrets: bool = False) -> Capture:
    """Return a capture without passwords and keys; with `redact`, as `packwire convert` writes one."""
    if redact and keep_secrets:
        raise BadOptionError("--redact and --keep-secrets exclude each other")
    if redact:
        changed = redacted(capture.packets)
        return Capture(capture.name, changed.packets, changed.counts)
    return capture if keep_secrets else without_secrets(capture)
