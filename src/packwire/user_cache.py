"""What is kept from one run to the next in the user's cache folder, as JSON files.

A cache and nothing more: a file that is missing or damaged costs the time that it would have saved, once.
"""

import json
import os
from pathlib import Path
from typing import Any


def cache_folder() -> Path:
    """Return packwire's folder in the user's cache; it need not exist."""
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "packwire"


def load(name: str) -> dict[str, Any]:
    """Return what was kept under a name such as `can-ids.json`; empty where there is nothing to be used."""
    try:
        content = json.loads((cache_folder() / name).read_text(encoding="utf-8"))
    except (OSError, ValueError, RuntimeError):
        return {}
    return content if isinstance(content, dict) else {}


def store(name: str, content: dict[str, Any]) -> None:
    """Keep it; silently not where the cache cannot be written."""
    try:
        file = cache_folder() / name
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(content), encoding="utf-8")
        partial.replace(file)
    except (OSError, RuntimeError):
        return
