"""The CAN ids that a VESC had the last time: reading it again need not wait 2.5 to 5 s for PING_CAN."""

import time

from packwire import user_cache

#: Seconds; what was on the bus a day ago may not be there today.
MAX_AGE = 24 * 3600
_FILE = "can-ids.json"


def _ids(entry: object) -> list[int] | None:
    """Read one entry, `{"ids": [10, 84], "time": seconds since the epoch}`; None where it is too old."""
    match entry:
        case {"ids": list(ids), "time": int(when)} if 0 <= time.time() - when < MAX_AGE:
            return [can_id for can_id in ids if isinstance(can_id, int) and 0 <= can_id < 255]
    return None


def known_ids() -> list[int]:
    """Return the CAN ids of all VESCs that were seen lately."""
    return sorted({can_id for entry in user_cache.load(_FILE).values() for can_id in _ids(entry) or ()})


class CachedIds:
    """A `NodeMemory` in the user's cache folder; with `rescan` it recalls nothing."""

    def __init__(self, *, rescan: bool = False) -> None:
        self._rescan = rescan

    def recall(self, identity: str) -> list[int] | None:
        """Return the CAN ids that this VESC had, or None where it was never seen."""
        return None if self._rescan else _ids(user_cache.load(_FILE).get(identity))

    def remember(self, identity: str, can_ids: list[int]) -> None:
        """Keep the CAN ids of this VESC; silently not where the cache cannot be written."""
        known = user_cache.load(_FILE)
        user_cache.store(_FILE, known | {identity: {"ids": can_ids, "time": int(time.time())}})
