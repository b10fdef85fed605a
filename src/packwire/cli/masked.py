"""What a command shows of a recording: never its passwords and keys, unless the user wants to see them."""

from packwire.capture import Capture
from packwire.capture.redact import redacted, without_secrets
from packwire.errors import BadOptionError


def masked(capture: Capture, *, redact: bool = False, keep_secrets: bool = False) -> Capture:
    """Return a capture without passwords and keys; with `redact`, as `packwire convert` writes one."""
    if redact and keep_secrets:
        raise BadOptionError("--redact and --keep-secrets exclude each other")
    if redact:
        changed = redacted(capture.packets)
        return Capture(capture.name, changed.packets, changed.counts)
    return capture if keep_secrets else without_secrets(capture)
