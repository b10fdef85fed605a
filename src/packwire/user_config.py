"""Packwire's folder in the user's configuration: names, models, what the user agreed to."""

import json
import os
from pathlib import Path
from typing import Any


def config_folder() -> Path:
    """Return packwire's folder in the user's configuration; it need not exist."""
    base = os.environ.get("XDG_CONFIG_HOME") or os.environ.get("APPDATA")
    return (Path(base) if base else Path.home() / ".config") / "packwire"


def write_json(file: Path, content: dict[str, Any]) -> None:
    """Write a file whole or not at all. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    partial.replace(file)
