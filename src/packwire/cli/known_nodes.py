"""The CAN ids that a VESC had the last time: reading it again need not wait 2.5 to 5 s for PING_CAN.

A cache and nothing more: a file that is missing or damaged costs that wait, once.
"""

import json
import os
from pathlib import Path


def _file() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "packwire" / "can-ids.json"


def _load() -> dict[str, list[int]]:
    try:
        content = json.loads(_file().read_text())
    except (OSError, ValueError, RuntimeError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {
        str(key): [i for i in ids if isinstance(i, int) and 0 <= i < 255]
        for key, ids in content.items()
        if isinstance(ids, list)
    }


class CachedIds:
    """A `NodeMemory` in the user's cache folder; with `rescan` it recalls nothing."""

    def __init__(self, *, rescan: bool = False) -> None:
        self._rescan = rescan

    def recall(self, identity: str) -> list[int] | None:
        """Return the CAN ids that this VESC had, or None where it was never seen."""
        return None if self._rescan else _load().get(identity)

    def remember(self, identity: str, can_ids: list[int]) -> None:
        """Keep the CAN ids of this VESC; silently not where the cache cannot be written."""
        known = _load()
        if known.get(identity) == can_ids:
            return
        file = _file()
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            partial = file.with_suffix(f".{os.getpid()}")
            partial.write_text(json.dumps(known | {identity: can_ids}))
            partial.replace(file)
        except OSError:
            return
