"""Files that only their owner may read: a recording may hold passwords."""

import os

OWNER_ONLY = 0o600


def private(path: str, flags: int) -> int:
    """Open a file; one that is created is readable by its owner alone: an opener for `open`."""
    return os.open(path, flags, OWNER_ONLY)
