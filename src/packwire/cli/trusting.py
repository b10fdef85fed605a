"""Before somebody's model talks to a pack: what it would send is shown, and the user agrees once."""

import sys

from packwire.cli.streams import tell
from packwire.models.protocol import ModelProtocol
from packwire.models.trust import agree, frames_sent, is_trusted, require_trust
from packwire.protocol.base import Protocol


def ask_for_trust(protocol: Protocol, *, agreed: bool) -> None:
    """Return where the user has agreed, or does now. Raises NotTrustedError."""
    if not isinstance(protocol, ModelProtocol) or is_trusted(protocol):
        return
    tell(f"{protocol.origin} is not packwire's own. It would send to your pack:")
    for line in frames_sent(protocol):
        tell(f"  {line}")
    if not agreed and sys.stdin.isatty() and sys.stderr.isatty():
        print("Send this, now and from now on? [y/N] ", end="", file=sys.stderr, flush=True)
        agreed = sys.stdin.readline().strip().lower() in {"y", "yes"}
    if agreed:
        agree(protocol)
    require_trust(protocol)
