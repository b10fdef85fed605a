"""Whose models may talk to a pack: packwire's own, and those that the user agreed to, by content."""

import json

from packwire.errors import PackwireError, Reason, not_written
from packwire.models.protocol import ModelProtocol
from packwire.protocol.base import Protocol
from packwire.user_config import config_folder, write_json
from packwire.visible import printable

_FILE = "trusted-models.json"


class NotTrustedError(PackwireError):
    """A model that is not packwire's own would talk to a device, and the user has not agreed to it."""

    reason = Reason.NOT_TRUSTED


def is_trusted(protocol: Protocol) -> bool:
    """Tell whether a protocol may talk to a device."""
    return not isinstance(protocol, ModelProtocol) or not protocol.origin or protocol.digest in _agreed()


def require_trust(protocol: Protocol) -> None:
    """Raise NotTrustedError for a model that the user has not agreed to."""
    if not is_trusted(protocol):
        raise NotTrustedError(
            f"{protocol.origin} is not packwire's own, and would send to your pack: look at it with "
            f"`packwire model show {protocol.origin}`, and agree once with --trust"
        )


def agree(protocol: ModelProtocol) -> None:
    """Keep that the user agrees to this very content. Raises BadFileError."""
    file = config_folder() / _FILE
    try:
        write_json(file, {"version": 1, "models": {**_agreed(), protocol.digest: protocol.origin}})
    except OSError as error:
        raise not_written(file, error) from None


def frames_sent(protocol: ModelProtocol) -> list[str]:
    """Return, line by line, every frame that reading with a model sends."""
    lines = []
    for name, kind, frame in protocol.sends():
        text = frame.hex(" ") if isinstance(frame, bytes) else frame
        lines.append(f"{printable(name)} ({kind}): {printable(text)}")
    return lines


def _agreed() -> dict[str, str]:
    try:
        content = json.loads((config_folder() / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    models = content.get("models") if isinstance(content, dict) else None
    return models if isinstance(models, dict) else {}
